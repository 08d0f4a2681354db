"""CONDSTORE as a client sees it (RFC 7162, 3.1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import evolve

from imapd.commands.fetch_rows import RowWriter
from imapd.store.memory.mailbox import MemoryMailbox
from tests.dialogue import Dialogue, Server, same


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    r"""A client with three messages selected; in IMAP4rev2, so that no answer has \Recent."""
    client = anywhere.login(enable="IMAP4rev2").fill(3)
    return client.select()


def _modseq(client: Dialogue, number: int) -> int:
    found = re.search(rb"MODSEQ \((\d+)\)", client.ok(f"FETCH {number} MODSEQ"))
    assert found is not None
    return int(found[1])


def _highest(client: Dialogue) -> int:
    found = re.search(rb"HIGHESTMODSEQ (\d+)", client.ok("STATUS INBOX (HIGHESTMODSEQ)"))
    assert found is not None
    return int(found[1])


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert b" CONDSTORE " in server.connect().greeting.replace(b"]", b" ]")


def test_every_change_has_a_larger_modseq(alice: Dialogue) -> None:
    """A changed message has a larger sequence than all had before; the others keep theirs (3.1)."""
    before = [_modseq(alice, number) for number in (1, 2, 3)]
    assert before == sorted(set(before))
    alice.ok("STORE 2 +FLAGS (\\Seen)")
    assert _modseq(alice, 2) > max(before)
    assert [_modseq(alice, 1), _modseq(alice, 3)] == [before[0], before[2]]


def test_nothing_changed(alice: Dialogue) -> None:
    """Setting what is set already changes nothing (3.1.3)."""
    alice.ok("STORE 1 +FLAGS (\\Seen)")
    before = _modseq(alice, 1)
    alice.ok("STORE 1 +FLAGS (\\Seen)")
    assert _modseq(alice, 1) == before


def test_changedsince(alice: Dialogue) -> None:
    """FETCH with CHANGEDSINCE tells of what changed, with MODSEQ though it was not asked for (3.1.4.1)."""
    since = _highest(alice)
    alice.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    changed = _modseq(alice, 2)
    same(
        alice.do(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since})"),
        f"* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ ({changed}))",
        "a OK UID FETCH completed",
    )
    same(alice.do(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {changed})"), "a OK FETCH completed")


def test_changedsince_of_another_session(anywhere: Server, alice: Dialogue) -> None:
    """A session that begins later is told the same, also of messages that came meanwhile."""
    since = _highest(alice)
    alice.ok("STORE 1 +FLAGS.SILENT (\\Answered)")
    alice.fill(1)
    alice.ok("UNSELECT")
    late = anywhere.login(enable="IMAP4rev2").select()
    answer = late.ok(f"FETCH 1:* (UID) (CHANGEDSINCE {since})")
    assert re.findall(rb"\* (\d+) FETCH \(UID (\d+) MODSEQ", answer) == [(b"1", b"1"), (b"4", b"4")]


def test_changedsince_nothing(alice: Dialogue) -> None:
    """IOS Mail sends CHANGEDSINCE 0: everything changed since then."""
    assert alice.ok("FETCH 1:* (UID) (CHANGEDSINCE 0)").count(b" FETCH ") == 3


def test_unchangedsince(alice: Dialogue) -> None:
    """A conditional STORE leaves messages alone that changed since, and names them (3.1.3)."""
    since = _highest(alice)
    alice.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    answer = alice.do(f"STORE 1:3 (UNCHANGEDSINCE {since}) +FLAGS.SILENT (\\Seen)")
    assert answer.endswith(b"a OK [MODIFIED 2] Some messages were changed meanwhile\r\n")
    assert alice.ok("FETCH 1:3 FLAGS").splitlines() == [
        b"* 1 FETCH (FLAGS (\\Seen))", b"* 2 FETCH (FLAGS (\\Flagged))", b"* 3 FETCH (FLAGS (\\Seen))",
    ]  # fmt: skip


def test_unchangedsince_by_uid(alice: Dialogue) -> None:
    """UID STORE names the failed ones by UID."""
    alice.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    since = _highest(alice)
    alice.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    answer = alice.do(f"UID STORE 2:3 (UNCHANGEDSINCE {since}) +FLAGS.SILENT (\\Seen)")
    assert b"a OK [MODIFIED 3] " in answer


def test_silent_store_tells_modseq(alice: Dialogue) -> None:
    """Once a client uses CONDSTORE, even .SILENT tells the new MODSEQ, by UID too (3.1.3, 3.2.4)."""
    alice.ok("ENABLE CONDSTORE")
    answer = alice.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
    assert re.fullmatch(rb"\* 1 FETCH \(UID 1 MODSEQ \(\d+\)\)\r\n", answer)


@pytest.mark.parametrize(
    "command",
    [
        "STORE 2 +FLAGS (\\Seen)",
        "STORE 2 (UNCHANGEDSINCE 1000) +FLAGS (\\Seen)",
        "UID STORE 2 +FLAGS (\\Seen)",
        "FETCH 2 BODY[TEXT]",
        "FETCH 2 (FLAGS BODY[TEXT])",
        "FETCH 2 (UID MODSEQ RFC822.TEXT)",
        "FETCH 2 (BODY[HEADER.FIELDS (SUBJECT)])",
        "FETCH 2 BINARY[1]",
        "UID FETCH 2 BODY[TEXT]",
    ],
)
@pytest.mark.parametrize(
    "enabling", ["ENABLE CONDSTORE", "ENABLE QRESYNC", "STATUS x (HIGHESTMODSEQ)"]
)
def test_uid_and_modseq_in_whatever_tells_flags(
    alice: Dialogue, enabling: str, command: str
) -> None:
    """After a CONDSTORE enabling command a change of flags is told with its UID and MODSEQ (3.2.4)."""
    alice.ok("CREATE x")
    alice.ok(enabling)
    answer = alice.ok(command)
    row = answer[answer.index(b"* 2 FETCH (") :]
    for item in (rb"UID 2", rb"FLAGS \([^)]*\\Seen[^)]*\)", rb"MODSEQ \(\d+\)"):
        assert len(re.findall(rb"[( ]%b[) ]" % item, row)) == 1, (item, row)


def test_no_more_of_what_was_seen_already(alice: Dialogue) -> None:
    r"""A FETCH that changes no flag has in its rows what was asked for (3.2.4)."""
    alice.ok("ENABLE CONDSTORE")
    alice.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    assert alice.ok("FETCH 2 BODY[TEXT]<0.1>") == b"* 2 FETCH (BODY[TEXT]<0> {1}\r\nH)\r\n"


def test_changes_of_others_have_modseq(anywhere: Server, alice: Dialogue) -> None:
    """Flags that another session changed are told with MODSEQ (3.1)."""
    alice.ok("ENABLE CONDSTORE")
    anywhere.client(select="INBOX").ok("STORE 3 +FLAGS (\\Flagged)")
    assert re.fullmatch(
        rb"\* 3 FETCH \(UID 3 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)\r\n", alice.ok("NOOP")
    )


def test_who_does_not_use_it_hears_nothing_of_it(anywhere: Server, alice: Dialogue) -> None:
    """A client that used no CONDSTORE enabling command gets no MODSEQ (3.1)."""
    anywhere.client(select="INBOX").ok("STORE 3 +FLAGS (\\Flagged)")
    assert b"MODSEQ" not in alice.ok("NOOP")


@pytest.mark.parametrize(
    "command",
    [
        "ENABLE CONDSTORE",
        "STATUS INBOX (HIGHESTMODSEQ)",
        "FETCH 1 MODSEQ",
        "FETCH 1 FLAGS (CHANGEDSINCE 1)",
        "STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)",
        "SEARCH MODSEQ 1",
        'LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))',
    ],
)
def test_enabling_commands(alice: Dialogue, command: str) -> None:
    """Each CONDSTORE enabling command says HIGHESTMODSEQ of what is selected, the first time (3.1)."""
    alice.ok("UNSELECT")
    alice.select()
    assert b"* OK [HIGHESTMODSEQ " in alice.ok(command)
    assert b"* OK [HIGHESTMODSEQ " not in alice.ok(command)
    assert b" MODSEQ (" in alice.ok("STORE 2 +FLAGS (\\Draft)")


def test_select_with_condstore(anywhere: Server) -> None:
    """SELECT (CONDSTORE) enables it and says HIGHESTMODSEQ once (3.1.8)."""
    client = anywhere.login().fill(1)
    assert client.ok("SELECT INBOX (CONDSTORE)").count(b"HIGHESTMODSEQ") == 1
    assert b" MODSEQ (" in client.ok("STORE 1 +FLAGS (\\Draft)")


def test_search(alice: Dialogue) -> None:
    """SEARCH MODSEQ finds what has that sequence or a larger one, and tells the highest (3.1.5)."""
    alice.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    modseq = _modseq(alice, 2)
    assert alice.ok(f"SEARCH RETURN (ALL) MODSEQ {modseq}") == (
        b'* ESEARCH (TAG "a") ALL 2 MODSEQ %d\r\n' % modseq
    )
    assert alice.ok("SEARCH RETURN (MIN) MODSEQ 1 UID 1:2").endswith(
        b"MIN 1 MODSEQ %d\r\n" % _modseq(alice, 1)
    )
    assert alice.ok(f'SEARCH RETURN (ALL) MODSEQ "/flags/\\\\draft" all {modseq}') == (
        b'* ESEARCH (TAG "a") ALL 2 MODSEQ %d\r\n' % modseq
    )


def test_search_of_rev1(anywhere: Server) -> None:
    """A client of RFC 3501 gets it in parentheses at the end; none where nothing is found (3.1.5)."""
    client = anywhere.client().fill(2).select()
    modseq = _modseq(client, 2)
    assert client.ok("SEARCH MODSEQ 1") == b"* SEARCH 1 2 (MODSEQ %d)\r\n" % modseq
    assert client.ok(f"SEARCH MODSEQ {modseq + 1}") == b"* SEARCH\r\n"


@pytest.mark.parametrize(
    "command",
    [
        "FETCH 1 FLAGS (CHANGEDSINCE)",
        "FETCH 1 FLAGS (CHANGEDSINCE -1)",
        "FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)",
        "FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)",
        "FETCH 1 FLAGS (NOSUCH 1)",
        "FETCH 1 FLAGS ()",
        "STORE 1 (UNCHANGEDSINCE) +FLAGS (\\Seen)",
        "STORE 1 (UNCHANGEDSINCE x) +FLAGS (\\Seen)",
        "SELECT INBOX (NOSUCH)",
        "SELECT INBOX ()",
        "SEARCH MODSEQ",
        "SEARCH MODSEQ x",
    ],
)
def test_wrong_parameters(alice: Dialogue, command: str) -> None:
    """What is not of the grammar's form is BAD, and changes nothing."""
    assert alice.do(command).startswith(b"a BAD ")
    assert alice.ok("FETCH 1 FLAGS") == b"* 1 FETCH (FLAGS ())\r\n"


@pytest.fixture
def forgetful(server: Server, monkeypatch: pytest.MonkeyPatch) -> Dialogue:
    """A client of a store that keeps no modification sequences, with QRESYNC and three messages selected."""
    status = MemoryMailbox.status
    monkeypatch.setattr(
        MemoryMailbox, "status", lambda mailbox: evolve(status(mailbox), modseqs_kept=False)
    )
    return server.login(enable="IMAP4rev2 QRESYNC").fill(3).select()


class TestNothingIsKept:
    """Where modification sequences are not kept (RFC 7162, 3.1.2.2)."""

    def test_select(self, forgetful: Dialogue) -> None:
        """NOMODSEQ is told in place of HIGHESTMODSEQ, whatever the client asks to be told of."""
        for asked in ("SELECT INBOX", "EXAMINE INBOX (CONDSTORE)"):
            told = forgetful.ok(asked)
            assert b"* OK [NOMODSEQ] " in told
            assert b"HIGHESTMODSEQ" not in told

    def test_status(self, forgetful: Dialogue) -> None:
        """HIGHESTMODSEQ is 0 (RFC 7162, 3.1.7)."""
        assert b"(HIGHESTMODSEQ 0)" in forgetful.ok("STATUS INBOX (HIGHESTMODSEQ)")

    @pytest.mark.parametrize(
        "asked",
        [
            "FETCH 1 (FLAGS) (CHANGEDSINCE 1)", "UID FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)",
            "FETCH 1 MODSEQ", "FETCH 1:3 (FLAGS MODSEQ)", "SEARCH MODSEQ 1", "SEARCH OR SEEN NOT MODSEQ 1",
            "SEARCH RETURN (UPDATE (FLAGS MODSEQ)) ALL",
            "STORE 1 (UNCHANGEDSINCE 5) +FLAGS (\\Seen)", "SORT (ARRIVAL) UTF-8 MODSEQ 1",
        ],
    )  # fmt: skip
    def test_what_needs_them(self, forgetful: Dialogue, asked: str) -> None:
        """It is BAD, and nothing is done."""
        told = forgetful.do(asked)
        assert told.startswith(b"a BAD ")
        assert told.count(b"\r\n") == 1
        assert forgetful.do("FETCH 1 FLAGS") == b"* 1 FETCH (FLAGS ())\r\na OK FETCH completed\r\n"

    def test_what_is_told(self, server: Server, forgetful: Dialogue) -> None:
        """Changes are told without MODSEQ and without HIGHESTMODSEQ; removals by VANISHED all the same."""
        assert forgetful.do("STORE 2 +FLAGS (\\Deleted)").startswith(
            b"* 2 FETCH (FLAGS (\\Deleted))\r\n"
        )
        other = server.login().select()
        other.ok("STORE 1 +FLAGS (\\Seen)")
        assert forgetful.do("NOOP") == (
            b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\na OK NOOP completed\r\n"
        )
        assert forgetful.do("EXPUNGE") == b"* VANISHED 2\r\na OK EXPUNGE completed\r\n"
        assert b"HIGHESTMODSEQ" not in forgetful.ok("CREATE away") + forgetful.ok("MOVE 1 away")

    def test_notify(self, server: Server, forgetful: Dialogue) -> None:
        """What a client wants to hear of new messages is told without them (RFC 5465, 5.2)."""
        forgetful.ok("NOTIFY SET (SELECTED (MessageNew (FLAGS MODSEQ) MessageExpunge))")
        server.login().fill(1)
        told = forgetful.do("NOOP")
        assert b"* 4 EXISTS\r\n* 4 FETCH (FLAGS ())\r\n" in told
        assert told.endswith(b"a OK NOOP completed\r\n")
        forgetful.ok("NOTIFY SET (SELECTED (MessageNew (MODSEQ) MessageExpunge))")
        server.login().fill(1)
        assert b"* 5 EXISTS\r\n" in forgetful.do("NOOP")
        assert forgetful.do("NOOP") == b"a OK NOOP completed\r\n"

    def test_qresync(self, forgetful: Dialogue) -> None:
        """What the client knows is passed over (RFC 7162, 3.2.5.1)."""
        validity = re.search(rb"UIDVALIDITY (\d+)", forgetful.ok("STATUS INBOX (UIDVALIDITY)"))
        assert validity is not None
        forgetful.ok("STORE 1 +FLAGS (\\Seen)")
        told = forgetful.ok(f"SELECT INBOX (QRESYNC ({int(validity[1])} 1 1:100))")
        assert b"[NOMODSEQ]" in told
        assert b"FETCH" not in told
        assert b"EARLIER" not in told

    def test_other_mailboxes(self, forgetful: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is so while that mailbox is selected, and no longer."""
        monkeypatch.undo()
        assert b"[HIGHESTMODSEQ " in forgetful.ok("SELECT INBOX")
        assert b"MODSEQ (" in forgetful.ok("STORE 1 +FLAGS (\\Seen)")

    def test_enabled_later(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """ENABLE tells it of the mailbox that is selected (RFC 7162, 3.1)."""
        status = MemoryMailbox.status
        monkeypatch.setattr(
            MemoryMailbox, "status", lambda mailbox: evolve(status(mailbox), modseqs_kept=False)
        )
        client = server.login().fill(1).select()
        told = client.ok("ENABLE CONDSTORE")
        assert b"* OK [NOMODSEQ] " in told
        assert b"MODSEQ (" not in client.ok("STORE 1 +FLAGS (\\Seen)")


def _withheld(anywhere: Server, apart: bool = False) -> tuple[Dialogue, Dialogue]:
    """A client that is not told of changes while a removal waits to be told, and who makes some.

    If `apart`, of another process, of which this one has only heard that there is something.
    """
    client = anywhere.login(enable="CONDSTORE").fill(5).select()
    client.ok("UID FETCH 1:5 (FLAGS MODSEQ)")
    process = anywhere
    if apart:
        process = Server(anywhere.store, clock=anywhere.clock, pump=anywhere._pump)
    other = process.client(select="INBOX")
    other.ok("STORE 5 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    return client, other


def test_silent_where_another_changed_flags(anywhere: Server) -> None:
    """The modseq is not told without the flags that go with it (RFC 9051, 6.4.6; RFC 7162, 3.1.3)."""
    client, other = _withheld(anywhere)
    other.ok("STORE 1 +FLAGS (theirs)")
    told = client.ok("STORE 1,2 +FLAGS.SILENT (\\Seen)")
    (first,) = re.findall(rb"\* 1 FETCH \(UID 1 FLAGS \(([^)]*)\) MODSEQ \(\d+\)\)\r\n", told)
    assert set(first.split()) - {b"\\Recent"} == {b"\\Seen", b"theirs"}
    assert re.search(rb"\* 2 FETCH \(UID 2 MODSEQ \(\d+\)\)\r\n", told)
    assert told.index(b"* FLAGS (") < told.index(b"* 1 FETCH")
    again = client.ok("STORE 1 +FLAGS.SILENT (\\Answered)")
    assert b"EXPUNGE" not in told + again
    assert b"* 5 EXPUNGE\r\n" in client.ok("NOOP")


@pytest.mark.parametrize("apart", [False, True], ids=["here", "in another process"])
@pytest.mark.parametrize("command", ["FETCH", "UID FETCH"])
def test_changedsince_of_one_that_is_gone(anywhere: Server, command: str, apart: bool) -> None:
    """A message that is gone changed, too, for who was not told of the removal yet (RFC 7162, 3.2.5.1)."""
    client, other = _withheld(anywhere, apart)
    told = client.ok(f"{command} 1:* (FLAGS) (CHANGEDSINCE 1)")
    rows = re.findall(rb"\* (\d+) FETCH \(", told)
    assert rows == [b"%d" % number for number in range(1, 6)]
    assert (b"* 5 EXPUNGE\r\n" in told) is (command == "UID FETCH")
    assert b" FETCH " not in client.ok(f"{command} 1:* (FLAGS) (CHANGEDSINCE 1000)")
    other.hang_up()


@pytest.mark.parametrize("items", ["UID FLAGS BODY[]", "UID MODSEQ BODY[]", "MODSEQ FLAGS BODY[]"])
def test_flags_and_modseq_of_one_moment(
    anywhere: Server, items: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    r"""In a row of BODY[], which sets \Seen, they belong together, whatever others do meanwhile."""
    client, other = _withheld(anywhere)
    octets = RowWriter._octets

    async def meanwhile(self: RowWriter, *arguments: Any) -> Any:
        found = await octets(self, *arguments)
        if not changed:
            changed.append(other.ok("STORE 1:4 +FLAGS.SILENT (theirs)"))
        return found

    changed: list[bytes] = []
    monkeypatch.setattr(RowWriter, "_octets", meanwhile)
    told = client.ok(f"FETCH 1:4 ({items})")
    truth = other.ok("FETCH 1:4 (FLAGS MODSEQ)")
    assert changed
    for number in range(1, 5):
        row = _row(told, number)
        assert row == _row(truth, number), number


def _row(told: bytes, number: int) -> tuple[set[bytes], bytes]:
    """The flags and the modseq of a message's last row."""
    row = told.rpartition(b"* %d FETCH " % number)[2]
    flags = re.search(rb"FLAGS \(([^)]*)\)", row)
    modseq = re.search(rb"MODSEQ \((\d+)\)", row)
    assert flags is not None
    assert modseq is not None
    return set(flags[1].split()) - {b"\\Recent"}, modseq[1]
