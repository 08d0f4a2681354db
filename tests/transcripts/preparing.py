"""What the lines with ``@`` of a transcript ask for: a server, and a client in its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from attrs import evolve

from imapd.dialect import Dialect
from imapd.extensions import login_referrals, mailbox_referrals
from imapd.store.answers import settled
from imapd.store.maildir.mailbox import MaildirMailbox
from imapd.store.memory import MemoryMailbox
from tests.commands.test_starttls import Options
from tests.dialogue import Dialogue, Server
from tests.extensions.test_compress import Compressed
from tests.sharing.houses import opened_up

__all__ = ["prepared"]


def _change(server: Server, **change: Any) -> None:
    server.factory.policy = evolve(server.factory.policy, **change)


def _speak(server: Server, feature: Any) -> None:
    _change(server, dialect=Dialect.of([*server.factory.policy.dialect.features, feature]))


def _limit(server: Server, words: list[str], _: pytest.MonkeyPatch) -> None:
    name, most = words
    _change(server, limits=evolve(server.factory.policy.limits, **{name: int(most)}))


def _submitter(server: Server, words: list[str], _: pytest.MonkeyPatch) -> None:
    _change(server, submitters=frozenset(words))


def _certificate(server: Server, _: list[str], __: pytest.MonkeyPatch) -> None:
    server.factory._tls = Options()


def _elsewhere(server: Server, words: list[str], _: pytest.MonkeyPatch) -> None:
    mailboxes: dict[str, list[str]] = {}
    for word in words:
        if "://" in word:
            mailboxes[next(reversed(mailboxes))].append(word)
        else:
            mailboxes[word] = []
    _speak(server, mailbox_referrals.feature(mailboxes))


def _moved(server: Server, words: list[str], _: pytest.MonkeyPatch) -> None:
    user, url, *enters = words
    _speak(server, login_referrals.feature({user: url}, bool(enters)))


def _slow(server: Server, words: list[str], patch: pytest.MonkeyPatch) -> None:
    seconds = float(words[0])

    def slowed(act: Callable[..., Any], count: Callable[[Any], int]) -> Callable[..., Any]:
        async def slowly(mailbox: object, what: Any, *more: object) -> object:
            await server.factory.policy.later(seconds * count(what))
            return await settled(act(mailbox, what, *more))

        return slowly

    for store in (MemoryMailbox, MaildirMailbox):
        patch.setattr(store, "read", slowed(store.read, lambda uid: 1))
        patch.setattr(store, "copy", slowed(store.copy, len))


#: What is changed about the server, by the first word: it holds for the client, and for no
#: session that was there before.
_CHANGES: Final[Mapping[str, Callable[[Server, list[str], pytest.MonkeyPatch], None]]] = {
    "limit": _limit,
    "submitter": _submitter,
    "certificate": _certificate,
    "elsewhere": _elsewhere,
    "moved": _moved,
    "slow": _slow,
}


def prepared(
    server: Server, lines: list[str], step: int, patch: pytest.MonkeyPatch
) -> tuple[Dialogue | Compressed, Dialogue]:
    """The client in its state, which sends `step` octets at a time, and the other session."""
    governors = [line.split()[2] for line in lines if line.startswith("@ administrator ")]
    _change(server, administrators=frozenset(governors))
    other = server.client()
    state, peer = "greeted", "127.0.0.1"
    at = 0
    while at < len(lines):
        words = lines[at].split()[1:]
        at += 1
        if words[0] == "fill":
            other.fill(int(words[2]), words[1]).ok(f"SELECT {words[1]}")
        elif words[0] == "message":
            message = ""
            while at < len(lines) and lines[at].startswith("|"):
                message += lines[at][2:] + "\r\n"
                at += 1
            other.ok("APPEND " + " ".join(words[1:]), message.encode("utf-8"))
        elif words[0] == "state":
            state = " ".join(words[1:])
        elif words[0] == "peer":
            peer = words[1]
        elif words[0] == "sharing":
            opened_up(server)
            other = server.client()
        elif words[0] == "as":
            server.client(words[1]).ok(" ".join(words[2:]))
        elif words[0] in _CHANGES:
            _CHANGES[words[0]](server, words[1:], patch)
        elif words[0] != "administrator":
            other.ok(" ".join(words))
    client = server.connect(peer)
    if state != "greeted":
        client.log_in()
    if state.startswith(("selected", "examined")):
        word, name = state.split(" ", 1)
        client.ok(f"{'SELECT' if word == 'selected' else 'EXAMINE'} {name}")
    client.step = step
    return Compressed(client) if state == "compressed" else client, other
