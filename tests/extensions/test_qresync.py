"""QRESYNC as a client sees it (RFC 7162, 3.2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imapd.store.maildir.mailbox import MaildirMailbox
from imapd.store.memory.mailbox import MemoryMailbox
from tests.dialogue import Dialogue, Server, letter

_FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "work")


def _opened(answer: bytes) -> tuple[int, int]:
    """UIDVALIDITY and HIGHESTMODSEQ of a SELECT."""
    validity = re.search(rb"\[UIDVALIDITY (\d+)\]", answer)
    highest = re.search(rb"\[HIGHESTMODSEQ (\d+)\]", answer)
    assert validity is not None
    assert highest is not None
    return int(validity[1]), int(highest[1])


def _remove(client: Dialogue, uids: str) -> None:
    client.ok(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
    client.ok(f"UID EXPUNGE {uids}")


def _earlier(answer: bytes) -> list[bytes]:
    return re.findall(rb"\* VANISHED \(EARLIER\) (\S+)\r\n", answer)


@pytest.fixture
def away(anywhere: Server) -> tuple[Dialogue, Dialogue, int, int]:
    """A client that knows five messages and has left; another changed 2, removed 3 and 5, added 6."""
    first = anywhere.login(enable="QRESYNC").fill(5)
    validity, highest = _opened(first.ok("SELECT INBOX"))
    first.ok("UNSELECT")
    other = anywhere.client(select="INBOX")
    other.ok("UID STORE 2 +FLAGS.SILENT (\\Flagged)")
    _remove(other, "3,5")
    other.append(letter("6"))
    return first, other, validity, highest


_Away = tuple[Dialogue, Dialogue, int, int]


def test_enable(server: Server) -> None:
    """ENABLE QRESYNC enables CONDSTORE with it (3.2.3)."""
    assert server.login().ok("ENABLE QRESYNC") == b"* ENABLED QRESYNC CONDSTORE\r\n"


def test_select(away: _Away) -> None:
    """SELECT tells what vanished before it tells what changed, by UID and with MODSEQ (3.2.5.1)."""
    first, _, validity, highest = away
    answer = first.ok(f"SELECT INBOX (QRESYNC ({validity} {highest}))")
    assert _earlier(answer) == [b"3,5"]
    rows = re.findall(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \(\d+\)\)", answer)
    assert rows == [(b"2", b"2", b"\\Flagged"), (b"4", b"6", b"\\Recent")] or rows == [
        (b"2", b"2", b"\\Flagged"), (b"4", b"6", b""),
    ]  # fmt: skip
    assert answer.index(b"VANISHED") < answer.index(b" FETCH ")


def test_known_uids(away: _Away) -> None:
    """With known UIDs, only those are told of (3.2.5.1)."""
    first, _, validity, highest = away
    answer = first.ok(f"SELECT INBOX (QRESYNC ({validity} {highest} 1:3))")
    assert _earlier(answer) == [b"3"]
    assert re.findall(rb"FETCH \(UID (\d+) ", answer) == [b"2"]


def test_sequence_match_data(away: _Away) -> None:
    """Up to the last pair that matches, the client knows of all that vanished (3.2.5.2)."""
    first, _, validity, highest = away
    answer = first.ok(f"SELECT INBOX (QRESYNC ({validity} {highest} 1:5 (1:3 1,2,4)))")
    assert _earlier(answer) == [b"5"]
    answer = first.ok(f"SELECT INBOX (QRESYNC ({validity} {highest} 1:5 (1:3 1:3)))")
    assert _earlier(answer) == [b"3,5"]


def test_another_uidvalidity(away: _Away) -> None:
    """With another UIDVALIDITY the client's memory is worth nothing: it gets none of this (3.2.5.1)."""
    first, _, validity, highest = away
    answer = first.ok(f"SELECT INBOX (QRESYNC ({validity + 1} {highest}))")
    assert not _earlier(answer)
    assert b" FETCH " not in answer


def test_examine_too(away: _Away) -> None:
    """EXAMINE takes the parameter too (Gnus)."""
    first, _, validity, highest = away
    assert _earlier(first.ok(f"EXAMINE INBOX (CONDSTORE QRESYNC ({validity} {highest}))")) == [
        b"3,5"
    ]


def test_fetch_vanished(away: _Away) -> None:
    """UID FETCH with CHANGEDSINCE and VANISHED is the same for the mailbox that is open (3.2.6)."""
    first, _, _, highest = away
    first.select()
    answer = first.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {highest} VANISHED)")
    assert _earlier(answer) == [b"3,5"]
    assert re.findall(rb"FETCH \(UID (\d+) ", answer) == [b"2", b"6"]
    assert _earlier(first.ok(f"UID FETCH 5 (FLAGS) (VANISHED CHANGEDSINCE {highest})")) == [b"5"]


def test_vanished_replaces_expunge(away: _Away) -> None:
    """Who enabled it hears VANISHED of its own removals and of others', never EXPUNGE (3.2.10)."""
    first, other, _, _ = away
    first.select()
    _remove(other, "1")
    assert first.ok("NOOP") == b"* VANISHED 1\r\n"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("FETCH 1:2 (RFC822.SIZE MODSEQ)", rb"a OK \[EXPUNGEISSUED\]"),
        ("STORE 1:2 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)", rb"a OK \[MODIFIED \S+\]"),
        (
            "STORE 2 +FLAGS (" + " ".join(f"k{each}" for each in range(1001)) + ")",
            rb"a NO \[LIMIT\]",
        ),
    ],
    ids=["gone", "modified", "refused"],
)
def test_no_modseq_beyond_what_was_told_beside_another_code(
    away: _Away, command: str, answer: bytes
) -> None:
    """An answer that has a code of its own does not keep that from the client (RFC 7162, 6)."""
    first, other, _, _ = away
    _, before = _opened(first.ok("SELECT INBOX"))
    _remove(other, "1")
    other.ok("UID STORE 2 +FLAGS.SILENT (\\Draft)")
    told = re.findall(rb"\[HIGHESTMODSEQ (\d+)\][^\r]*\r\n" + answer, first.do(command))
    assert list(map(int, told)) == [before]
    first.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    answer = first.do("EXPUNGE")
    assert re.fullmatch(
        rb"\* VANISHED 2\r\na OK \[HIGHESTMODSEQ \d+\] EXPUNGE completed\r\n", answer
    )


def test_no_modseq_beyond_what_was_told(away: _Away) -> None:
    """While a removal may not be told, the client is told how far it really is (RFC 7162, 6)."""
    first, other, _, _ = away
    _, before = _opened(first.ok("SELECT INBOX"))
    _remove(other, "1")
    answer = first.do("FETCH 2 (FLAGS)")
    told = re.search(rb"a OK \[HIGHESTMODSEQ (\d+)\]", answer)
    assert told is not None
    assert int(told[1]) == before
    assert first.ok("NOOP") == b"* VANISHED 1\r\n"


@pytest.mark.parametrize("keys", ["1:3", "NOT 2", "OR 1 SEEN", "UID 1:3 (1)", "1 CHARSET x"])
def test_numbers_of_a_search_by_uid(away: _Away, keys: str) -> None:
    """While UID SEARCH names messages by number, none is told to be gone (3.2.10.2)."""
    first, other, _, _ = away
    first.select()
    _remove(other, "1")
    if keys.endswith("CHARSET x"):
        keys = "CHARSET x 1"
    assert b"VANISHED" not in first.do(f"UID SEARCH {keys}")
    assert first.do("UID SEARCH UID 1:*").count(b"* VANISHED 1\r\n") == 1


def test_closed(away: _Away) -> None:
    """Leaving one mailbox for another is told by CLOSED (3.2.11)."""
    first, *_ = away
    first.select()
    assert first.ok("SELECT INBOX").startswith(b"* OK [CLOSED] ")


def test_after_a_restart_of_the_session(anywhere: Server, away: _Away) -> None:
    """Tombstones do not depend on anybody having the mailbox open."""
    first, other, validity, highest = away
    other.ok("UNSELECT")
    fresh = anywhere.login(enable="QRESYNC")
    assert _earlier(fresh.ok(f"SELECT INBOX (QRESYNC ({validity} {highest}))")) == [b"3,5"]
    del first


@pytest.mark.parametrize(
    ("enabled", "command"),
    [
        ("", "SELECT INBOX (QRESYNC (1 1))"),
        ("", "UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"),
        ("QRESYNC", "UID FETCH 1 FLAGS (VANISHED)"),
        ("QRESYNC", "FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"),
        ("QRESYNC", "SELECT INBOX (QRESYNC)"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (0 1))"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (1 0))"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (1 1 1:*))"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (1 1 $))"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (1 1 1 (1)))"),
        ("QRESYNC", "SELECT INBOX (QRESYNC (1 1 1 (1 1) 1))"),
    ],
)
def test_bad(anywhere: Server, enabled: str, command: str) -> None:
    """Not enabled, or not of the grammar's form, is BAD; the mailbox stays selected (3.2.5, 3.2.6)."""
    client = anywhere.login(enable=enabled).fill(1).select()
    assert client.do(command).startswith(b"a BAD ")
    assert client.ok("FETCH 1 UID") == b"* 1 FETCH (UID 1)\r\n"


def test_huge_sets_are_cheap(anywhere: Server) -> None:
    """A set of four milliards of UIDs costs what the mailbox costs."""
    client = anywhere.login(enable="QRESYNC").fill(2)
    validity, _ = _opened(client.ok("SELECT INBOX"))
    huge = "1:4294967295"
    answer = client.ok(f"SELECT INBOX (QRESYNC ({validity} 1 {huge} ({huge} {huge})))")
    assert answer.count(b" FETCH ") == 2


# What a client holds after it resynchronised is what a fresh client reads.

_CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from(_FLAGS)),
        st.tuples(st.just("store"), st.sampled_from(("+", "-", "")), st.sampled_from(_FLAGS),
                  st.integers(1, 12)),
        st.tuples(st.just("remove"), st.integers(1, 12)),
        st.tuples(st.just("move"), st.integers(1, 12)),
        st.tuples(st.just("look")),
    ),
    max_size=25,
)  # fmt: skip


def _read(client: Dialogue) -> dict[int, frozenset[bytes]]:
    rows = re.findall(rb"FETCH \(UID (\d+) FLAGS \(([^)]*)\)", client.ok("UID FETCH 1:* FLAGS"))
    return {int(uid): frozenset(flags.split()) - {b"\\Recent"} for uid, flags in rows}


def _resynchronised(
    known: dict[int, frozenset[bytes]], answer: bytes
) -> dict[int, frozenset[bytes]]:
    held = dict(known)
    for vanished in _earlier(answer):
        for each in vanished.split(b","):
            low, _, high = each.partition(b":")
            for uid in range(int(low), int(high or low) + 1):
                held.pop(uid, None)
    for uid, flags in re.findall(rb"FETCH \(UID (\d+) FLAGS \(([^)]*)\)", answer):
        held[int(uid)] = frozenset(flags.split()) - {b"\\Recent"}
    return held


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of a mailbox is little: of most, the store is asked."""
    monkeypatch.setattr("imapd.session.image._LOG_MOST", 4)


def test_a_resync_of_what_is_known(away: _Away, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mailbox that is known here the store is asked only whether there is more, whatever has gone."""
    first, other, validity, highest = away
    asked: list[int] = []
    for mailbox in (MemoryMailbox, MaildirMailbox):

        def counted(box: Any, at: int, real: Any = mailbox.changes_since) -> Any:
            asked.append(at)
            return real(box, at)

        monkeypatch.setattr(mailbox, "changes_since", counted)
    other.ok("NOOP")
    assert _earlier(first.ok(f"SELECT INBOX (QRESYNC ({validity} {highest}))")) == [b"3,5"]
    assert all(at > highest for at in asked)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_CHANGES, st.booleans())
def test_a_client_that_was_away_of_a_forgetful_process(
    forgetful: None, changes: list[tuple[object, ...]], with_known_uids: bool
) -> None:
    """The same, when the store has to be asked."""
    _check_history(changes, with_known_uids)


@settings(max_examples=60)
@given(_CHANGES, st.booleans())
def test_a_client_that_was_away_holds_what_a_fresh_one_reads(
    changes: list[tuple[object, ...]], with_known_uids: bool
) -> None:
    """Whatever others did meanwhile, resynchronising by QRESYNC gives just what is there."""
    _check_history(changes, with_known_uids)


def _check_history(changes: list[tuple[object, ...]], with_known_uids: bool) -> None:
    server = Server()
    try:
        other = server.client().fill(4)
        other.ok("CREATE elsewhere")
        other.select()
        client = server.login(enable="QRESYNC")
        memories = []
        for change in changes:
            what = change[0]
            if what == "append":
                other.append(letter("x"), flags=str(change[1]))
            elif what == "store":
                other.ok(f"UID STORE {change[3]} {change[1]}FLAGS.SILENT ({change[2]})")
            elif what == "remove":
                _remove(other, str(change[1]))
            elif what == "move":
                other.ok(f"UID MOVE {change[1]} elsewhere")
            else:
                moment = _opened(client.ok("SELECT INBOX"))
                memories.append((moment, _read(client)))
                client.ok("UNSELECT")
        fresh = _read(server.client(select="INBOX"))
        for (validity, highest), known in memories:
            uids = f" {','.join(map(str, sorted(known)))}" if with_known_uids and known else ""
            answer = client.ok(f"SELECT INBOX (QRESYNC ({validity} {highest}{uids}))")
            held = _resynchronised(known, answer)
            if uids:
                # Told of what it named; what came since it finds by its UIDs.
                assert {uid: held[uid] for uid in held if uid in known} == {
                    uid: fresh[uid] for uid in fresh if uid in known
                }
            else:
                assert held == fresh
            client.ok("UNSELECT")
    finally:
        server.close()


@pytest.mark.parametrize("command", ["MOVE 2:3 other", "UID MOVE 2:3 other"])
def test_move_tells_the_highest(anywhere: Server, command: str) -> None:
    """MOVE tells the new HIGHESTMODSEQ, which is that of the mailbox (RFC 6851, 4.4)."""
    client = anywhere.login(enable="QRESYNC").fill(4)
    client.ok("CREATE other")
    client.ok("SELECT INBOX")
    told = re.fullmatch(
        rb"\* OK \[COPYUID \d+ 2:3 1:2\] Moved\r\n\* VANISHED 2:3\r\n"
        rb"a OK \[HIGHESTMODSEQ (\d+)\] [A-Z ]+ completed\r\n",
        client.do(command),
    )
    assert told is not None
    assert int(told[1]) == _opened(client.ok("SELECT INBOX"))[1]
