"""What goes wrong in a store or in us is answered, logged once, and survived."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from imapd.store import errors
from tests.dialogue import Server, letter, same
from tests.distant import DistantStore


def _server(delay: float | None = None) -> tuple[Server, DistantStore]:
    clock = Clock()
    store = DistantStore(clock, delay)
    return Server(store, clock=clock), store


_COMMANDS = [
    ("open", "SELECT INBOX"),
    ("status", "SELECT INBOX"),
    ("scan", "SELECT INBOX"),
    ("statuses", "STATUS INBOX (MESSAGES)"),
    ("open", "STATUS nothing (MESSAGES)"),
    ("mailboxes", 'LIST "" *'),
    ("create", "CREATE box"),
    ("delete", "DELETE box"),
    ("rename", "RENAME a b"),
    ("subscribe", "SUBSCRIBE box"),
]

_SELECTED_COMMANDS = [
    ("scan", "FETCH 1 ENVELOPE"),
    ("read", "FETCH 1 BODY.PEEK[]"),
    ("read", "FETCH 1 BODYSTRUCTURE BODY[1]"),
    ("store_flags", "STORE 1 FLAGS (\\Seen)"),
    ("store_flags", "FETCH 1 BODY[]"),
    ("copy", "COPY 1 INBOX"),
    ("move", "MOVE 1 INBOX"),
    ("changes_since", "NOOP"),
    ("changes_since", "CHECK"),
    ("read", "SEARCH BODY x"),
]


@pytest.mark.parametrize(("method", "command"), _COMMANDS)
@pytest.mark.parametrize("delay", [None, 0.1])
def test_a_fault(method: str, command: str, delay: float | None) -> None:
    """A fault of ours or the store's is NO [SERVERBUG], in the log once, and the connection lives."""
    server, store = _server(delay)
    client = server.client()
    store.faults[method] = RuntimeError("the disk speaks in tongues")
    assert client.do(command).endswith(b"a NO [SERVERBUG] Internal server error\r\n")
    server.logged("the disk speaks in tongues")
    store.faults.clear()
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"
    assert client.do("FETCH 1 UID") == b"a BAD FETCH is not for this state\r\n"
    client.select()


@pytest.mark.parametrize(("method", "command"), _SELECTED_COMMANDS)
@pytest.mark.parametrize("delay", [None, 0.1])
def test_a_fault_when_selected(method: str, command: str, delay: float | None) -> None:
    """The same when a mailbox is selected, which stays so."""
    if command == "FETCH 1 BODYSTRUCTURE BODY[1]":
        command = "FETCH 1 (BODYSTRUCTURE BODY.PEEK[1])"
    server, store = _server(delay)
    client = server.client().fill(2).select()
    store.faults[method] = RuntimeError("the disk speaks in tongues")
    assert client.do(command).endswith(b"a NO [SERVERBUG] Internal server error\r\n")
    assert len(set(server.failures)) <= 2
    assert "the disk speaks in tongues" in server.failures[0]
    server.failures.clear()
    store.faults.clear()
    assert client.do("NOOP").endswith(b"a OK NOOP completed\r\n")
    assert client.do("FETCH 2 UID") == b"* 2 FETCH (UID 2)\r\na OK FETCH completed\r\n"


@pytest.mark.parametrize(
    ("method", "known"),
    [("status", True), ("status", False), ("claim_recent", True), ("claim_recent", False),
     ("changes_since", False)],
)  # fmt: skip
@pytest.mark.parametrize("delay", [None, 0.1])
def test_select_that_fails_late(method: str, known: bool, delay: float | None) -> None:
    """When SELECT fails nothing is selected, however far it came (RFC 9051, 6.3.2)."""
    server, store = _server(delay)
    if known:
        server.client(select="INBOX")
    # Through another process: this one does not know the messages.
    elsewhere = Server(store, clock=server.clock).client().fill(2)
    client = server.client()
    store.faults[method] = errors.StoreUnavailable()
    same(client.do("SELECT INBOX"), "a NO [UNAVAILABLE] The store is unavailable, try again")
    store.faults.clear()
    assert client.do("FETCH 1 UID") == b"a BAD FETCH is not for this state\r\n"
    elsewhere.fill(1)
    elsewhere.hang_up()
    assert client.do("NOOP") == b"a OK NOOP completed\r\n"


@pytest.mark.parametrize("delay", [None, 0.1])
def test_a_fault_in_append(delay: float | None) -> None:
    """A message that could not be kept is refused after it has been taken in."""
    server, store = _server(delay)
    client = server.client()
    store.faults["append"] = RuntimeError("no")
    assert client.do("APPEND INBOX", letter()) == b"a NO [SERVERBUG] Internal server error\r\n"
    server.logged("RuntimeError: no")
    store.faults.clear()
    assert client.do("APPEND INBOX", letter()).startswith(b"a OK [APPENDUID ")


@pytest.mark.parametrize("command", ["APPEND", "COPY 1 INBOX", "CREATE other", "REPLACE 1 INBOX"])
@pytest.mark.parametrize("fault", [errors.StoreUnavailable(), RuntimeError("no")])
@pytest.mark.parametrize("delay", [None, 0.1])
def test_what_was_done_is_ok(command: str, fault: Exception, delay: float | None) -> None:
    """A command that did its work is OK, though the store cannot say then what else changed."""
    server, store = _server(delay)
    client = server.client().fill(2).select()
    store.faults["claim_recent"] = store.faults["changes_since"] = fault
    if command == "APPEND":
        done = client.do("APPEND INBOX", letter())
    elif command.startswith("REPLACE"):
        done = client.do(command, letter())
    else:
        server.client().fill(1, "INBOX")
        done = client.do(command)
    assert b"a OK " in done
    assert all("RuntimeError: no" in each for each in server.failures)
    server.failures.clear()
    store.faults.clear()
    assert b" EXISTS\r\n" in client.ok("NOOP")


_FACTS = [
    (errors.NoSuchMailbox(), b"NO [NONEXISTENT] No such mailbox"),
    (errors.NotSelectable(), b"NO [NONEXISTENT] The mailbox cannot be selected"),
    (errors.NoPermission(), b"NO [NOPERM] Permission denied"),
    (errors.Inconvenient(), b"NO [INUSE] The mailbox is in use, try again"),
    (errors.StoreUnavailable(), b"NO [UNAVAILABLE] The store is unavailable, try again"),
    (errors.OverQuota("1 GB is all you get"), b"NO [OVERQUOTA] 1 GB is all you get"),
    (errors.TooBig("\r\n* BYE\u00e9"), b"NO [TOOBIG]   * BYE?"),
    (errors.MessageGone(), b"NO [EXPUNGEISSUED] Some of the messages no longer exist"),
]


@pytest.mark.parametrize(("fact", "answer"), _FACTS, ids=[type(f).__name__ for f, _ in _FACTS])
def test_facts(fact: Exception, answer: bytes) -> None:
    """What a store says is wrong becomes a response code (RFC 5530); nothing is logged."""
    server, store = _server()
    client = server.client()
    store.faults["open"] = fact
    assert client.do("SELECT INBOX") == b"a " + answer + b"\r\n"


def test_a_store_that_cannot_be_reached_at_login() -> None:
    """A store that is away is no wrong password."""
    server, store = _server()
    store.faults["open_account"] = errors.StoreUnavailable()
    client = server.connect()
    assert client.do("LOGIN alice secret") == (
        b"a NO [UNAVAILABLE] The store is unavailable, try again\r\n"
    )
    store.faults.clear()
    client.log_in()


def test_a_fault_at_login() -> None:
    """A fault while an account is opened leaves the client where it was."""
    server, store = _server()
    store.faults["open_account"] = ZeroDivisionError("x")
    client = server.connect()
    assert client.do("LOGIN alice secret") == b"a NO [SERVERBUG] Internal server error\r\n"
    server.logged("ZeroDivisionError")
    store.faults.clear()
    client.log_in()


def test_a_fault_when_the_account_is_closed() -> None:
    """A fault after the client has left is logged, and that is all."""
    server, store = _server()
    client = server.client()
    store.faults["close"] = RuntimeError("stuck")
    client.hang_up()
    server.logged("stuck")


def test_a_lost_refresh_is_asked_for_again() -> None:
    """News that could not be fetched is fetched with the next command."""
    server, store = _server()
    client = server.client(select="INBOX")
    other = Server(store.store, clock=server.clock)
    store.deaf = True
    other.client().fill(1)
    store.faults["changes_since"] = errors.StoreUnavailable()
    assert client.do("NOOP") == b"a NO [UNAVAILABLE] The store is unavailable, try again\r\n"
    store.faults.clear()
    same(
        client.do("STATUS INBOX (UIDNEXT)"),
        "* STATUS INBOX (UIDNEXT 2)",
        "* 1 EXISTS",
        "* 1 RECENT",
        "a OK STATUS completed",
    )
    for each in other.clients:
        each.hang_up()


def test_a_client_that_leaves_while_the_store_works() -> None:
    """A connection that breaks during a slow command ends with it; what was pipelined does not run."""
    server, store = _server(1.0)
    client = server.client(select="INBOX")
    client.post(b"a CREATE one\r\nb CREATE two\r\n")
    server.advance(0.5)
    client.hang_up()
    server.advance(20.0)
    names = {info.name for info in store.store.open_account("alice").mailboxes()}
    assert names == {"INBOX", "one"}


def test_a_client_that_leaves_during_login() -> None:
    """Its account is closed when it has been opened."""
    server, store = _server(1.0)
    client = server.connect()
    client.post(b"a LOGIN alice secret\r\n")
    server.advance(0.5)
    client.hang_up()
    server.advance(20.0)
    assert store.calls == ["open_account", "close"]


def test_three_who_ask_at_once() -> None:
    """Sessions that want news at the same moment all get all of it, from a store that is slow."""
    server, store = _server(1.0)
    clients = [server.client(select="INBOX") for _ in range(3)]
    other = Server(store.store, clock=server.clock)
    store.deaf = True
    writer = other.client()
    for number, client in enumerate(clients):
        writer.append(letter(str(number)))
        client.post(b"a NOOP\r\n")
        server.advance(0.6)
    server.rest()
    # Each sees at least what was there when it asked.
    counts = [client.read().count(b" EXISTS") for client in clients]
    assert counts == [1, 1, 1]
    for each in other.clients:
        each.hang_up()
