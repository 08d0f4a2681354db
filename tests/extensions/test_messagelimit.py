"""MESSAGELIMIT and SAVELIMIT as a client sees them (RFC 9738), with a limit of three."""

from __future__ import annotations

import re

import pytest

from imapd.model.limits import Limits
from tests.dialogue import Dialogue, Server, letter, same


@pytest.fixture
def server() -> Server:
    """A server whose commands work on three messages."""
    return Server(limits=Limits(messages=3))


@pytest.fixture
def alice(server: Server) -> Dialogue:
    """A client that has selected messages with the UIDs 2 to 7."""
    client = server.login(enable="IMAP4rev2").fill(7).select()
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    return client


def _capabilities(limits: Limits) -> set[str]:
    return set(Server(limits=limits).client().command("CAPABILITY")[0].split(" "))


def test_capability() -> None:
    """The limit is told with its number; where only saving is limited, that is (3)."""
    assert "MESSAGELIMIT=3" in _capabilities(Limits(messages=3))
    assert "SAVELIMIT=3" in _capabilities(Limits(saved_messages=3))
    both = _capabilities(Limits(messages=2, saved_messages=3))
    assert {each for each in both if "LIMIT=" in each and not each.startswith("APPEND")} == {
        "MESSAGELIMIT=2"
    }


def test_off_unless_configured() -> None:
    """By default there is no limit, and nothing is told of one."""
    told = _capabilities(Limits())
    assert not any(each.startswith(("MESSAGELIMIT", "SAVELIMIT")) for each in told)
    assert Server().login().fill(4).select().ok("FETCH 1:4 UID").count(b"FETCH") == 4


def test_fetch(alice: Dialogue) -> None:
    """FETCH tells of the last messages it may, and where it stopped (3.1)."""
    same(
        alice.do("FETCH 1:5 (UID)"),
        "* 3 FETCH (UID 4)",
        "* 4 FETCH (UID 5)",
        "* 5 FETCH (UID 6)",
        "a OK [MESSAGELIMIT 3 4] {{*}}",
    )
    same(alice.do("UID FETCH 1:3 (UID)"), "* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)",
         "a OK UID FETCH completed")  # fmt: skip
    assert b"a OK FETCH" in alice.do("FETCH 2:4 (UID)")


def test_fetch_of_holes(alice: Dialogue) -> None:
    """Messages are counted, not numbers."""
    same(
        alice.do("UID FETCH 2:3,5,7:900 (FLAGS)"),
        "* 2 FETCH (UID 3 FLAGS ())",
        "* 4 FETCH (UID 5 FLAGS ())",
        "* 6 FETCH (UID 7 FLAGS ())",
        "a OK [MESSAGELIMIT 3 3] {{*}}",
    )


def test_what_is_left_out_stays_unread(alice: Dialogue) -> None:
    """Nothing is done to messages beyond the limit."""
    alice.ok("UID FETCH 1:* BODY[]")
    same(alice.do("UID SEARCH UID 2:4 UNSEEN"), '* ESEARCH (TAG "a") UID ALL 2:4',
         "a OK UID SEARCH completed")  # fmt: skip


def test_partial(alice: Dialogue) -> None:
    """A page that is larger than the limit is refused whole (3.1)."""
    same(alice.do("UID FETCH 1:* (FLAGS) (PARTIAL -1:-4)"), "a NO [MESSAGELIMIT 3] {{*}}")
    assert alice.ok("UID FETCH 1:* (UID) (PARTIAL -1:-3)").count(b"FETCH") == 3


def test_search(alice: Dialogue) -> None:
    """SEARCH looks at the last messages; those it looks at count, not those it finds (3.1)."""
    alice.ok("UID STORE 2,7 +FLAGS.SILENT (\\Flagged)")
    same(
        alice.do("UID SEARCH UID 2:6 UNDELETED"),
        '* ESEARCH (TAG "a") UID ALL 4:6',
        "a OK [MESSAGELIMIT 3 4] {{*}}",
    )
    same(
        alice.do("UID SEARCH FLAGGED"),
        '* ESEARCH (TAG "a") UID ALL 7',
        "a OK [MESSAGELIMIT 3 5] {{*}}",
    )
    same(
        alice.do("UID SEARCH UID 2:4 FLAGGED"),
        '* ESEARCH (TAG "a") UID ALL 2',
        "a OK UID SEARCH completed",
    )


def test_search_saves_what_it_found(alice: Dialogue) -> None:
    """``$`` is cut too (3.4)."""
    same(alice.do("UID SEARCH RETURN (SAVE) ALL"), "a OK [MESSAGELIMIT 3 5] {{*}}")
    assert alice.ok("UID SEARCH $").endswith(b" ALL 5:7\r\n")


def test_store(alice: Dialogue) -> None:
    """STORE changes the last messages, and leaves the others (3.1)."""
    same(
        alice.do("UID STORE 2:6 +FLAGS (\\Seen)"),
        "* 3 FETCH (UID 4 FLAGS (\\Seen))",
        "* 4 FETCH (UID 5 FLAGS (\\Seen))",
        "* 5 FETCH (UID 6 FLAGS (\\Seen))",
        "a OK [MESSAGELIMIT 3 4] {{*}}",
    )
    assert alice.ok("UID FETCH 2:3 FLAGS").count(b"FLAGS ()") == 2


def test_beside_another_code(alice: Dialogue) -> None:
    """With another response code, the limit is told by an untagged NO before (3.1)."""
    lines = alice.command("UID STORE 2:6 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)")
    assert lines[-2].startswith("* NO [MESSAGELIMIT 3 4] ")
    assert lines[-1].startswith("a OK [MODIFIED 4:6] ")


def test_expunge_issued(server: Server, alice: Dialogue) -> None:
    """So it is beside EXPUNGEISSUED (3.1)."""
    other = server.client(select="INBOX")
    other.ok("UID STORE 6 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    lines = alice.command("FETCH 1:5 (RFC822.SIZE)")
    assert any(line.startswith("* NO [MESSAGELIMIT 3 4] ") for line in lines)
    assert lines[-1].startswith("a OK [EXPUNGEISSUED] ")


@pytest.mark.parametrize("limits", [Limits(messages=3), Limits(saved_messages=3)])
def test_copy(limits: Limits) -> None:
    """COPY is all or nothing: what is too much is refused, and nothing copied (3.1)."""
    client = Server(limits=limits).login().fill(5).select()
    client.ok("CREATE other")
    same(client.do("UID COPY 1:4 other"), "a NO [MESSAGELIMIT 3 2] {{*}}")
    same(client.do("COPY 1,3:5 other"), "a NO [MESSAGELIMIT 3 3] {{*}}")
    assert b"MESSAGES 0" in client.ok("STATUS other (MESSAGES)")
    client.ok("UID COPY 2:4 other")


def test_move(alice: Dialogue) -> None:
    """MOVE moves the last messages; the same command again moves the next (3.1)."""
    alice.ok("CREATE other")
    same(
        alice.do("UID MOVE 2:6 other"),
        "* OK [COPYUID {{validity}} 4:6 1:3] Moved",
        "* 5 EXPUNGE",
        "* 4 EXPUNGE",
        "* 3 EXPUNGE",
        "a OK [MESSAGELIMIT 3 4] {{*}}",
    )
    assert re.match(
        rb"\* OK \[COPYUID \d+ 2:3 4:5\] Moved\r\n.*a OK UID MOVE completed\r\n$",
        alice.do("UID MOVE 2:6 other"),
        re.DOTALL,
    )


def test_uid_expunge(alice: Dialogue) -> None:
    r"""UID EXPUNGE removes the last messages; only those with \Deleted count (3.1)."""
    alice.ok("UID STORE 2:3 +FLAGS.SILENT (\\Deleted)")
    alice.ok("UID STORE 5:6 +FLAGS.SILENT (\\Deleted)")
    same(
        alice.do("UID EXPUNGE 1:*"),
        "* 5 EXPUNGE",
        "* 4 EXPUNGE",
        "* 2 EXPUNGE",
        "a OK [MESSAGELIMIT 3 3] {{*}}",
    )
    same(alice.do("UID EXPUNGE 1:*"), "* 1 EXPUNGE", "a OK UID EXPUNGE completed")


def test_expunge_and_close_have_no_limit(alice: Dialogue) -> None:
    """EXPUNGE, CLOSE and STATUS UNSEEN work on everything (3.1: MUST NOT)."""
    assert b"UNSEEN 6" in alice.ok("STATUS INBOX (UNSEEN)")
    for uids in ("2:4", "5:5"):
        alice.ok(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
    assert alice.ok("EXPUNGE").count(b"EXPUNGE") == 4
    alice.fill(3)
    for uids in ("6:8", "9:10"):
        alice.ok(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
    alice.ok("CLOSE")
    assert b"MESSAGES 0" in alice.ok("STATUS INBOX (MESSAGES)")


def test_append(server: Server) -> None:
    """An APPEND of more messages is refused, and stores none (3.1)."""
    client = server.client()
    octets = b"".join(b" {%d+}\r\n%b" % (len(letter()), letter()) for _ in range(4))
    assert client.do(b"APPEND INBOX" + octets).startswith(b"a NO [MESSAGELIMIT 3] ")
    assert b"MESSAGES 0" in client.ok("STATUS INBOX (MESSAGES)")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("UIDAFTER 3", " ALL 4:5"),
        ("UIDAFTER 5", ""),
        ("UIDAFTER 4294967295", ""),
        ("UIDBEFORE 3", " ALL 1:2"),
        ("UIDBEFORE 1", ""),
        ("uidafter 1 UIDBEFORE 4", " ALL 2:3"),
        ("NOT UIDBEFORE 2", " ALL 2:5"),
    ],
)
def test_keys(anywhere: Server, keys: str, found: str) -> None:
    """UIDAFTER and UIDBEFORE are there without a limit too (3.2)."""
    client = anywhere.login(enable="IMAP4rev2").fill(5).select()
    assert client.ok(f"UID SEARCH {keys}") == f'* ESEARCH (TAG "a") UID{found}\r\n'.encode("ascii")


@pytest.mark.parametrize(
    "keys", ["UIDAFTER", "UIDAFTER 0", "UIDBEFORE *", "UIDBEFORE 1:2", "UIDAFTER 4294967296"]
)
def test_wrong_parameters(alice: Dialogue, keys: str) -> None:
    """What the grammar has not is BAD."""
    assert alice.do(f"UID SEARCH {keys}").startswith(b"a BAD ")
