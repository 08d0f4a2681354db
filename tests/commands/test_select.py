"""SELECT, EXAMINE, CLOSE, UNSELECT, CHECK, ENABLE, CAPABILITY, NOOP: being somewhere."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from tests.dialogue import Server, letter, same
from tests.distant import DistantStore


def test_select(anywhere: Server) -> None:
    """SELECT tells all a client needs, HIGHESTMODSEQ included (RFC 9051, 6.3.2; RFC 7162, 3.1.2)."""
    client = anywhere.client()
    client.append(letter("1"), flags="\\Seen")
    client.append(letter("2"), letter("3"), flags="$Work")
    same(
        client.do("SELECT INBOX"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)",
        "* 3 EXISTS",
        "* 3 RECENT",
        "* OK [UNSEEN 2] First unseen message",
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] {{*}}",
        "* OK [UIDNEXT 4] Next UID",
        "* OK [UIDVALIDITY {{uidvalidity}}] UIDs are valid",
        "* OK [HIGHESTMODSEQ {{modseq}}] Highest",
        "* OK [ANNOTATIONS 65536] {{*}}",
        "* OK [MAILBOXID ({{*}})] Its id",
        "a OK [READ-WRITE] Selected",
    )


def test_examine(anywhere: Server) -> None:
    """EXAMINE changes nothing, and says that nothing can be changed."""
    client = anywhere.client().fill(1)
    answer = client.do("EXAMINE INBOX")
    assert b"* OK [PERMANENTFLAGS ()] " in answer
    assert answer.endswith(b"a OK [READ-ONLY] Examined\r\n")
    for command in ("STORE 1 FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 INBOX"):
        same(client.do(command), "a NO [{{code}}] The mailbox is selected read-only")
    client.ok("FETCH 1 BODY[]")
    same(client.do("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS (\\Recent))", "a OK FETCH completed")
    client.ok("COPY 1 INBOX")
    same(client.do("CLOSE"), "a OK CLOSE completed")


def test_rev2(anywhere: Server) -> None:
    """A client of IMAP4rev2 gets LIST and no RECENT or UNSEEN; CLOSED when it goes on (RFC 9051, 7.1)."""
    client = anywhere.client().fill(1)
    client.ok("ENABLE IMAP4rev2")
    client.ok('CREATE "\u00e9t\u00e9"')
    same(
        client.do('SELECT "\u00e9t\u00e9"'),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
        "* 0 EXISTS",
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] {{*}}",
        "* OK [UIDNEXT 1] Next UID",
        "* OK [UIDVALIDITY {{uidvalidity}}] UIDs are valid",
        "* OK [HIGHESTMODSEQ {{modseq}}] Highest",
        '* LIST () "/" "\u00e9t\u00e9"',
        "* OK [ANNOTATIONS 65536] {{*}}",
        "* OK [MAILBOXID ({{*}})] Its id",
        "a OK [READ-WRITE] Selected",
    )
    assert client.do("SELECT INBOX").startswith(
        b"* OK [CLOSED] Previous mailbox closed\r\n* FLAGS "
    )


@pytest.mark.parametrize("command", ["SELECT", "EXAMINE"])
@pytest.mark.parametrize(
    ("name", "answer"),
    [("nowhere", "a NO [NONEXISTENT] {{*}}"), ("&garbage", "a NO [NONEXISTENT] {{*}}"),
     ("&AOk", "a NO [NONEXISTENT] {{*}}"), ('""', "a NO [{{code}}] {{*}}")],
)  # fmt: skip
def test_failure_leaves_nothing_selected(
    anywhere: Server, command: str, name: str, answer: str
) -> None:
    """A SELECT that fails still leaves what was selected: so Gnus "unselects"."""
    client = anywhere.client(select="INBOX")
    same(client.do(f"{command} {name}"), answer)
    same(client.do("CHECK"), "a BAD CHECK is not for this state")


@pytest.mark.parametrize("name", ["INBOX", "inbox", "Inbox", '"iNbOx"', "{5+}\r\ninbox"])
def test_inbox_in_any_case(anywhere: Server, name: str) -> None:
    """INBOX is INBOX in any case (RFC 9051, 5.1)."""
    assert anywhere.client().do(f"SELECT {name}").endswith(b"a OK [READ-WRITE] Selected\r\n")


def test_close_expunges(anywhere: Server) -> None:
    r"""CLOSE removes what has \Deleted without a word; UNSELECT does not (RFC 3691)."""
    client = anywhere.client().fill(2).select()
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted \\Seen)")
    same(client.do("UNSELECT"), "a OK UNSELECT completed")
    assert b"* 2 EXISTS" in client.do("SELECT INBOX")
    same(client.do("CLOSE"), "a OK CLOSE completed")
    assert b"* 1 EXISTS" in client.do("SELECT INBOX")
    same(client.do("FETCH 1 UID"), "* 1 FETCH (UID 2)", "a OK FETCH completed")


def test_close_after_examine_keeps(anywhere: Server) -> None:
    """CLOSE after EXAMINE is OK, and removes nothing (RFC 9051, 6.4.1)."""
    client = anywhere.client()
    client.append(letter(), flags="\\Deleted")
    client.ok("EXAMINE INBOX")
    same(client.do("CLOSE"), "a OK CLOSE completed")
    assert b"* 1 EXISTS" in client.do("SELECT INBOX")


def test_select_does_not_expunge(anywhere: Server) -> None:
    r"""Going on to another mailbox removes nothing, \Deleted or not."""
    client = anywhere.client()
    client.append(letter(), flags="\\Deleted")
    client.select().select()
    same(client.do("FETCH 1 UID"), "* 1 FETCH (UID 1)", "a OK FETCH completed")


@pytest.mark.parametrize(
    "command", ["CLOSE", "UNSELECT", "CHECK", "EXPUNGE", "FETCH 1 UID", "SEARCH ALL"]
)
def test_not_when_nothing_is_selected(server: Server, command: str) -> None:
    """Commands about messages want a mailbox."""
    name = command.split()[0]
    same(server.client().do(command), f"a BAD {name} is not for this state")
    same(server.connect().do(command), f"a BAD {name} is not for this state")


@pytest.mark.parametrize(
    "command", ["SELECT", "SELECT ", "SELECT a b", "SELECT (a)", "SELECT {-1}"]
)
def test_select_bad(server: Server, command: str) -> None:
    """SELECT takes one name."""
    assert server.client(select="INBOX").do(command).startswith(b"a BAD ")


# ENABLE, CAPABILITY, NOOP.


def test_enable(server: Server) -> None:
    """ENABLE says what is on now; what it does not know it passes over (RFC 5161, 3.1)."""
    client = server.client()
    same(client.do("ENABLE X-GOOD-IDEA"), "* ENABLED", "a OK ENABLE completed")
    same(client.do("enable x imap4REV2"), "* ENABLED IMAP4rev2", "a OK ENABLE completed")
    assert client.do("ENABLE").startswith(b"a BAD ")
    assert client.do('ENABLE "x"').startswith(b"a BAD ")
    same(server.connect().do("ENABLE IMAP4rev2"), "a BAD ENABLE is not for this state")


def test_capability(server: Server) -> None:
    """The capabilities change with the log-in."""
    client = server.connect()
    before = client.do("CAPABILITY")
    client.log_in()
    after = client.do("capability")
    assert b" AUTH=PLAIN" in before
    assert b" SASL-IR" in before
    assert b" AUTH=" not in after
    assert b" SASL-IR" not in after
    assert b" IMAP4rev1 IMAP4rev2 " in after
    assert after.endswith(b"\r\na OK CAPABILITY completed\r\n")


@pytest.mark.parametrize("state", ["greeted", "logged in", "selected"])
def test_any_state(server: Server, state: str) -> None:
    """CAPABILITY, NOOP and LOGOUT are good everywhere."""
    client = server.connect()
    if state != "greeted":
        client.log_in()
    if state == "selected":
        client.select()
    assert client.do("CAPABILITY").endswith(b"a OK CAPABILITY completed\r\n")
    same(client.do("noop"), "a OK NOOP completed")
    same(client.do("Logout"), "* BYE Logging out", "a OK LOGOUT completed")
    assert not client.open


def test_what_happens_during_select() -> None:
    """What another session changes while SELECT runs is told after it, and not counted in before."""
    clock = Clock()
    server = Server(DistantStore(clock, 1.0), clock=clock)
    writer = server.client().fill(3).select()
    server.store.delay = None
    modseq = writer.do("STATUS INBOX (HIGHESTMODSEQ)").split(b"(HIGHESTMODSEQ ")[1].split(b")")[0]
    server.client().fill(1)
    server.store.delay = 1.0
    client = server.client()
    server.store.calls.clear()
    client.post(b"a SELECT INBOX\r\n")
    for _ in range(100):
        if "claim_recent" not in server.store.calls:
            server.advance(0.1)
    server.store.delay = None
    writer.ok("STORE 1 FLAGS.SILENT (\\Seen \\Deleted)")
    writer.ok("EXPUNGE")
    server.store.delay = 1.0
    server.rest()
    answer = client.read()
    assert b"* 4 EXISTS\r\n" in answer
    assert b"[HIGHESTMODSEQ %d]" % (int(modseq) + 1) in answer
    assert client.do("NOOP").startswith(b"* 1 EXPUNGE\r\n")
