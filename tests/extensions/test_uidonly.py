"""UIDONLY as a client sees it (RFC 9586)."""

from __future__ import annotations

import re

import pytest

from tests.dialogue import Dialogue, Server, same


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client without sequence numbers, with messages 2 to 4 selected."""
    client = anywhere.login(enable="UIDONLY IMAP4rev2").fill(4).select()
    client.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert client.ok("EXPUNGE") == b"* VANISHED 1\r\n"
    return client


@pytest.mark.parametrize(
    "command",
    ["FETCH 1 FLAGS", "STORE 1 FLAGS (\\Seen)", "SEARCH ALL", "COPY 1 INBOX", "MOVE 1 INBOX",
     "UID SEARCH 1:2", "UID SEARCH NOT OR 1 ALL"],
)  # fmt: skip
def test_numbers_are_refused(alice: Dialogue, command: str) -> None:
    """Commands with sequence numbers are BAD, and say why (3, 3.2, 3.5)."""
    same(alice.do(command), "a BAD [UIDREQUIRED] There are no sequence numbers here")


def test_uidfetch(alice: Dialogue) -> None:
    """Rows begin with UIDs (3.3)."""
    same(
        alice.do("UID FETCH 2:3 (FLAGS)"),
        "* 2 UIDFETCH (FLAGS ())",
        "* 3 UIDFETCH (FLAGS ())",
        "a OK UID FETCH completed",
    )
    assert alice.ok("UID FETCH 2 (UID FLAGS)") == b"* 2 UIDFETCH (UID 2 FLAGS ())\r\n"


def test_uid_store(alice: Dialogue) -> None:
    """So do those that tell of flags (3.3)."""
    assert alice.ok("UID STORE 3 +FLAGS (\\Seen)") == b"* 3 UIDFETCH (FLAGS (\\Seen))\r\n"


def test_changes_of_others(anywhere: Server, alice: Dialogue) -> None:
    """What others do is told by UID too; EXISTS stays (3.6)."""
    other = anywhere.client(select="INBOX")
    other.ok("UID STORE 4 +FLAGS (\\Flagged)")
    other.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    other.fill(1)
    same(
        alice.do("NOOP"),
        "* VANISHED 2",
        "* 4 UIDFETCH (FLAGS (\\Flagged))",
        "* 3 EXISTS",
        "a OK NOOP completed",
    )


def test_move(alice: Dialogue) -> None:
    """MOVE tells COPYUID, then VANISHED (3.6)."""
    alice.ok("CREATE other")
    assert re.fullmatch(
        rb"\* OK \[COPYUID \d+ 3 1\] Moved\r\n\* VANISHED 3\r\n", alice.ok("UID MOVE 3 other")
    )


def test_body(alice: Dialogue) -> None:
    r"""Octets come in UIDFETCH rows, and \Seen with them."""
    answer = alice.ok("UID FETCH 2 BODY[TEXT]")
    assert answer.startswith(b"* 2 UIDFETCH (BODY[TEXT] {")
    assert answer.endswith(b" FLAGS (\\Seen))\r\n")


def test_no_number_in_select(anywhere: Server) -> None:
    """SELECT tells no sequence number: UNSEEN is one (3)."""
    client = anywhere.login(enable="UIDONLY").fill(1)
    assert b"[UNSEEN" not in client.ok("SELECT INBOX")


def test_with_condstore(alice: Dialogue) -> None:
    """MODSEQ is told in UIDFETCH rows (3.7)."""
    assert re.fullmatch(
        rb"\* 2 UIDFETCH \(MODSEQ \(\d+\)\)\r\n",
        alice.ok("UID FETCH 2 MODSEQ").splitlines(True)[-1],
    )


def test_with_qresync(alice: Dialogue) -> None:
    """Sequence match data is refused (3.7)."""
    alice.ok("ENABLE QRESYNC")
    assert alice.do("SELECT INBOX (QRESYNC (1 1 1:2 (1 1)))").startswith(b"a BAD [UIDREQUIRED] ")


def test_others_keep_their_numbers(anywhere: Server, alice: Dialogue) -> None:
    """Who did not enable it notices nothing."""
    other = anywhere.client(select="INBOX")
    assert other.ok("FETCH 1 UID") == b"* 1 FETCH (UID 2)\r\n"
    del alice
