"""Capabilities that the owner of a server switched off are gone, and not only unsaid."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd import commands, extensions
from imapd.config import BadConfig, Config
from imapd.dialect import Dialect
from imapd.service import prepare
from tests.dialogue import Dialogue, Server

CONFIG = Config(
    store="memory:", auth=("static:secret",), imap=("tcp:1143:interface=127.0.0.1",)
)  # fmt: skip


def _names(client: Dialogue) -> set[str]:
    return set(client.command("CAPABILITY")[0].split()[2:])


def _every() -> list[str]:
    """Those that can be switched off."""
    return sorted(
        {
            each.name
            for feature in (*commands.FEATURES, *extensions.FEATURES)
            for each in feature.capabilities
            if not feature.base
        }
    )


def test_unadvertised() -> None:
    """What is off is not in CAPABILITY; the rest is."""
    everything = _names(Server().client())
    names = _names(Server(without=["MOVE"]).client())
    assert everything - names == {"MOVE", "IMAP4rev2"}


def test_gone() -> None:
    """The commands of what is off are unknown."""
    client = Server(without=["IDLE", "MOVE"]).client(select="INBOX")
    assert client.command("IDLE") == ["a BAD There is no such command"]
    assert client.command("MOVE 1 Trash") == ["a BAD There is no such command"]
    assert client.command("UID MOVE 1 Trash") == ["a BAD There is no such command"]
    assert client.command("NOOP") == ["a OK NOOP completed"]


def test_fetch_item_gone() -> None:
    """So are the FETCH items."""
    client = Server(without=["BINARY"]).client().append(b"a: b\r\n\r\nc\r\n").select()
    assert client.command("FETCH 1 BINARY[1]")[0].startswith("a BAD ")


def test_enable_gone() -> None:
    """What is off cannot be enabled, and a client that tries hears that by silence."""
    client = Server(without=["IMAP4rev2"]).client()
    assert client.command("ENABLE IMAP4rev2") == ["* ENABLED", "a OK ENABLE completed"]


def test_revision_2_needs_its_parts() -> None:
    """A server without a part of IMAP4rev2 is none (RFC 9051, appendix E)."""
    for part in ("ENABLE", "IDLE", "ESEARCH", "LIST-STATUS", "LITERAL+"):
        assert "IMAP4rev2" not in _names(Server(without=[part]).client()), part


def test_what_builds_on_it() -> None:
    """What builds on something goes with it: there is no result to save without RETURN."""
    names = _names(Server(without=["ESEARCH"]).client())
    assert {"ESEARCH", "SEARCHRES", "IMAP4rev2"}.isdisjoint(names)
    assert "MOVE" in names


def test_search_without_return() -> None:
    """Without ESEARCH there is no RETURN; SEARCH goes on as RFC 3501 has it."""
    client = Server(without=["ESEARCH"]).client().fill(2).select()
    assert client.command("SEARCH RETURN (MIN) ALL")[0].startswith("a BAD ")
    assert client.command("SEARCH RETURN () ALL")[0].startswith("a BAD ")
    assert client.command("SEARCH ALL") == ["* SEARCH 1 2", "a OK SEARCH completed"]


def test_search_without_save() -> None:
    """Without SEARCHRES nothing is saved, and the other options are there."""
    client = Server(without=["SEARCHRES"]).client().fill(2).select()
    assert client.command("SEARCH RETURN (SAVE) ALL")[0].startswith("a BAD ")
    assert client.command("SEARCH RETURN (MAX) ALL") == [
        '* ESEARCH (TAG "a") MAX 2',
        "a OK SEARCH completed",
    ]


def test_any_case() -> None:
    """Names may be written in any case."""
    assert "MOVE" not in _names(Server(without=["move"]).client())


@pytest.mark.parametrize("name", _every())
def test_each(name: str) -> None:
    """Whatever is off, the server serves: a mailbox can be filled and read."""
    client = Server(without=[name]).client().fill(1).select()
    assert name not in _names(client)
    assert client.command("FETCH 1 RFC822.SIZE")[-1] == "a OK FETCH completed"


@pytest.mark.parametrize("name", ["IMAP4rev1", "SASL-IR", "LOGINDISABLED"])
def test_base(name: str) -> None:
    """The base protocol cannot be switched off."""
    with pytest.raises(ValueError, match=f"^{name} is part of the base protocol"):
        Dialect.of(commands.FEATURES, [name])


def test_unknown() -> None:
    """A name that there is not is an error that says the nearest."""
    with pytest.raises(ValueError, match=r"^there is no capability 'IDEL'; did you mean 'IDLE'\?$"):
        Dialect.of(commands.FEATURES, ["IDEL"])


def test_configured() -> None:
    """The key ``capabilities.disabled`` does it for a whole service."""
    prepared = prepare(evolve(CONFIG, disabled=("MOVE",)), MemoryReactorClock())
    assert b"UID MOVE" not in prepared.factory.policy.dialect.commands


def test_misconfigured() -> None:
    """An error names the key."""
    with pytest.raises(BadConfig, match=r"^capabilities\.disabled: there is no capability 'IDEL'"):
        prepare(evolve(CONFIG, disabled=("IDEL",)), MemoryReactorClock())
