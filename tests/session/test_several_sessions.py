"""Several sessions in one mailbox: whoever believes what it is told knows what is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from imapd.session import images
from imapd.session.images import Images
from tests.backends import MaildirBackend
from tests.dialogue import Server, letter
from tests.distant import DistantStore
from tests.session.imitation import Believer

_FLAGS = st.sampled_from(["\\Seen", "\\Deleted", "\\Flagged", "$Work", "Later \\Answered", ""])
_HOW = st.sampled_from(
    ["FLAGS", "+FLAGS", "-FLAGS", "FLAGS.SILENT", "+FLAGS.SILENT", "-FLAGS.SILENT"]
)
_NUMBER = st.integers(0, 9)
_WAIT = st.sampled_from([0.0, 0.03, 0.06, 0.2])

_COMMAND = st.one_of(
    st.tuples(st.just("STORE"), st.booleans(), _NUMBER, _NUMBER, _HOW, _FLAGS),
    st.tuples(st.sampled_from(["FETCH", "READ", "COPY", "MOVE", "AWAY"]), st.booleans(), _NUMBER, _NUMBER),
    st.tuples(st.just("REMOVE"), st.booleans(), _NUMBER, _NUMBER),
    st.tuples(
        st.sampled_from(
            ["NOOP", "CHECK", "EXPUNGE", "APPEND", "SEARCH", "BACK", "IDLE", "SELECT", "CLOSE"]
        )
    ),
)  # fmt: skip
_STEPS = st.lists(st.tuples(st.integers(0, 2), _COMMAND, _WAIT), max_size=25)


def _octets(believer: Believer, command: tuple[Any, ...]) -> bytes | None:
    """The command of a step; None if it makes no sense to this client."""
    verb = command[0]
    if verb in ("NOOP", "CHECK", "EXPUNGE", "CLOSE"):
        return str(verb).encode()
    if verb == "SEARCH":
        return b"SEARCH DELETED"
    if verb == "APPEND":
        message = letter("new")
        return b"APPEND INBOX ($Fresh) {%d+}\r\n%b" % (len(message), message)
    if verb == "BACK":
        message = letter("back")
        return b"APPEND Other {%d+}\r\n%b" % (len(message), message)
    if verb == "IDLE":
        return b"IDLE\r\nDONE"
    if verb == "SELECT":
        return b"SELECT INBOX"
    by_uid, low, high = command[1:4]
    known = [place for place, each in enumerate(believer.messages) if not by_uid or each.uid]
    if not known:
        return None
    places = sorted({known[low % len(known)], known[high % len(known)]})
    if by_uid:
        numbers = b":".join(b"%d" % believer.messages[place].uid for place in places)
    else:
        numbers = b":".join(b"%d" % (place + 1) for place in places)
    prefix = b"UID " if by_uid else b""
    if verb == "STORE":
        how, flags = command[4:]
        return b"%bSTORE %b %b (%b)" % (prefix, numbers, how.encode(), flags.encode())
    if verb == "REMOVE":
        return b"UID EXPUNGE %b" % numbers if by_uid else None
    words = {
        "FETCH": b"FETCH %b (UID FLAGS)",
        "READ": b"FETCH %b (UID BODY[TEXT])",
        "COPY": b"COPY %b INBOX",
        "MOVE": b"MOVE %b INBOX",
        "AWAY": b"MOVE %b Other",
    }[verb]
    return prefix + words % numbers


def _silently(believer: Believer, command: bytes) -> None:
    """What a client infers from its own STORE with .SILENT (RFC 9051, 6.4.6)."""
    words = command.replace(b"UID ", b"").split(None, 3)
    if words[0] != b"STORE" or not words[2].endswith(b".SILENT"):
        return
    low, _, high = words[1].partition(b":")
    span = range(int(low), int(high or low) + 1)
    flags = frozenset(words[3].strip(b"()").split())
    for place, message in enumerate(believer.messages):
        number = message.uid if command.startswith(b"UID") else place + 1
        if number is None:
            # It may be one of them.
            message.flags = None
        elif number in span:
            if words[2].startswith(b"FLAGS"):
                message.flags = flags
            elif message.flags is not None:
                plus = words[2].startswith(b"+")
                message.flags = message.flags | flags if plus else message.flags - flags


def _listen(believers: list[Believer]) -> None:
    for believer in believers:
        believer.listen()


def _play(server: Server, steps: list[Any]) -> None:
    # Another process that serves the same store.
    elsewhere = Server(server.store, clock=server.clock, pump=server._pump)
    first = server.client()
    first.ok("CREATE Other")
    first.fill(4)
    believers = []
    for enable in ("", "ENABLE IMAP4rev2", ""):
        client = (server if len(believers) < 2 else elsewhere).client()
        if enable:
            client.ok(enable)
        believer = Believer(client)
        believers.append(believer)
        _whole(server, believers, believer, b"SELECT INBOX")
        _whole(server, believers, believer, b"FETCH 1:* (UID FLAGS)")
    for who, command, wait in steps:
        believer = believers[who]
        _answered(server, believers, believer)
        octets = _octets(believer, command)
        if octets is None or (
            not believer.messages and b"SELECT" not in octets and command[0] == "CLOSE"
        ):
            continue
        if octets == b"CLOSE" and b"closed" in believer.answered:
            continue
        if octets in (b"CLOSE", b"SELECT INBOX"):
            if octets == b"CLOSE":
                _whole(server, believers, believer, b"CLOSE")
            believer.messages.clear()
            _whole(server, believers, believer, b"SELECT INBOX")
            continue
        _silently(believer, octets)
        believer.begin(octets)
        server.advance(wait)
        _listen(believers)
    _check(server, believers)
    for client in server.clients:
        client.hang_up()
    elsewhere.close()
    server.close()


def _answered(server: Server, believers: list[Believer], believer: Believer) -> None:
    server.settle()
    _listen(believers)
    for _ in range(1_000):
        if not believer.running:
            break
        server.advance(0.05)
        _listen(believers)
    assert not believer.running, believer.running
    assert not believer.answered.startswith(b"t BAD"), believer.answered


def _whole(server: Server, believers: list[Believer], believer: Believer, command: bytes) -> None:
    believer.begin(command)
    _answered(server, believers, believer)


def _check(server: Server, believers: list[Believer]) -> None:
    for believer in believers:
        _answered(server, believers, believer)
    for believer in believers:
        _whole(server, believers, believer, b"NOOP")
    fresh = Believer(server.client())
    everybody = [*believers, fresh]
    _whole(server, everybody, fresh, b"EXAMINE INBOX")
    if fresh.messages:
        _whole(server, everybody, fresh, b"FETCH 1:* (UID FLAGS)")
    for believer in believers:
        assert len(believer.messages) == len(fresh.messages)
        for told, there in zip(believer.messages, fresh.messages):
            assert told.uid in (None, there.uid)
            assert told.flags in (None, there.flags)
    recent = [
        sum(each.recent for each in column) for column in zip(*(b.messages for b in believers))
    ]
    assert all(count <= 1 for count in recent), "two sessions have a message's Recent"


@given(_STEPS)
@settings(max_examples=200, report_multiple_bugs=False)
def test_told_is_there(steps: list[Any]) -> None:
    """Whatever several clients do to one mailbox, each is told enough to know all of it."""
    _play(Server(), steps)


@given(_STEPS)
@settings(
    max_examples=15,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_told_is_there_in_maildirs(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    """The same over files, with threads that work while others ask."""
    backend = MaildirBackend(tmp_path_factory)
    _play(backend.server(), steps)
    backend.close()


@given(_STEPS)
@settings(max_examples=200, report_multiple_bugs=False)
def test_told_is_there_when_the_store_is_far(steps: list[Any]) -> None:
    """The same, when every answer of the store takes time and sessions overtake each other."""
    clock = Clock()
    _play(Server(DistantStore(clock, 0.1), clock=clock), steps)


@given(_STEPS)
@settings(max_examples=200, report_multiple_bugs=False)
def test_told_is_there_when_hints_are_lost(steps: list[Any]) -> None:
    """The same, when another process's changes are never hinted at: NOOP finds them."""
    clock = Clock()
    store = DistantStore(clock, None)
    store.deaf = True
    _play(Server(store, clock=clock), steps)


def test_to_another_mailbox_and_back(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox is not read again for that, however large it is; others are forgotten."""
    monkeypatch.setattr(images, "_KEPT_MESSAGES", 5)
    client = anywhere.client()
    # Through another process: this one does not know the messages.
    elsewhere = Server(anywhere.store, clock=anywhere.clock, pump=anywhere._pump).client()
    for name in ("large", "small", "old"):
        elsewhere.ok(f"CREATE {name}")
        elsewhere.fill(10 if name == "large" else 1, name)
    elsewhere.hang_up()
    loaded: list[str] = []
    load = Images._load

    def noted(self: Images, mailbox: Any) -> Any:
        loaded.append(mailbox.id)
        return load(self, mailbox)

    monkeypatch.setattr(Images, "_load", noted)
    client.select("old")
    for _ in range(3):
        client.select("large")
        client.select("small")
    assert len(loaded) == len(set(loaded)) == 3
    client.select("old")
    assert len(loaded) == 4
