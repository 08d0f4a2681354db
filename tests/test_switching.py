"""Capabilities that the owner of a server switched off are gone, and not only unsaid."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport

from imapd import commands, extensions
from imapd.config import BadConfig, Config
from imapd.dialect import Dialect
from imapd.preparing import prepare
from imapd.server.serving import MailService
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


def test_one_listener() -> None:
    """The key ``capabilities.disabled_on`` does it for one place besides; the server ends for all."""
    reactor = MemoryReactorClock()
    config = evolve(
        CONFIG,
        imap=("tcp:1143:interface=127.0.0.1", "tcp:2143:interface=127.0.0.1"),
        disabled=("IDLE",),
        disabled_on={"tcp:2143:interface=127.0.0.1": ("MOVE", "ENABLE")},
    )
    service = MailService(prepare(config, reactor))
    service.startService()
    lines: dict[int, StringTransport] = {}
    for port, factory, *_ in reactor.tcpServers:
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        lines[port] = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 1))
        protocol.makeConnection(lines[port])
        protocol.dataReceived(b"a LOGIN alice secret\r\nb MOVE 1 INBOX\r\n")
        reactor.advance(0)
    (first, second) = (lines[port].value() for port in (1143, 2143))
    assert b"b BAD MOVE is not for this state\r\n" in first
    assert b"b BAD There is no such command\r\n" in second
    everything, fewer = (set(each.split(b"]")[-2].split()) for each in (first, second))
    assert b"IDLE" not in everything
    assert {b"MOVE", b"ENABLE", b"NAMESPACE"} <= everything
    assert not {b"MOVE", b"ENABLE", b"IDLE"} & fewer
    assert b"NAMESPACE" in fewer
    service.stopService()
    reactor.advance(0)
    for line in lines.values():
        assert line.value().endswith(b"* BYE The server is shutting down\r\n")
        assert line.disconnecting


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            {"tcp:143": ("MOVE",)},
            "'tcp:143' is not in [listen]; write for example 'tcp:1143:interface=127.0.0.1'",
        ),
        (
            {"tcp:1143:interface=127.0.0.1": ("MOFE",)},
            "there is no capability 'MOFE'; did you mean 'MOVE'?",
        ),
        (
            {"tcp:1143:interface=127.0.0.1": ("IMAP4rev1",)},
            "IMAP4rev1 is part of the base protocol and cannot be switched off",
        ),
    ],
)
def test_misconfigured_listener(table: dict[str, tuple[str, ...]], says: str) -> None:
    """An error names the key, and what to write instead."""
    with pytest.raises(BadConfig) as caught:
        prepare(evolve(CONFIG, disabled_on=table), MemoryReactorClock())
    assert str(caught.value) == f"capabilities.disabled_on: {says}"
