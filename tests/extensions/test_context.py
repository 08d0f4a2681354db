"""CONTEXT=SEARCH and CONTEXT=SORT as a client sees them (RFC 5267, 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from imapd.commands.search_source import Selected
from imapd.extensions import context_updates
from imapd.model.limits import Limits
from imapd.model.numset import NumSet
from imapd.query import updates
from imapd.session import orders
from imapd.store.errors import StoreUnavailable
from tests.dialogue import Dialogue, Server, letter, same

_DONE = "a OK NOOP completed"


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected five messages; others come and change them."""
    return anywhere.login(enable="IMAP4rev2").fill(5).select()


@pytest.fixture
def other(anywhere: Server, alice: Dialogue) -> Dialogue:
    """Another session of the user."""
    return anywhere.login().select()


def test_capabilities(server: Server) -> None:
    """They are advertised."""
    words = server.connect().command("CAPABILITY")[0].split(" ")
    assert {"CONTEXT=SEARCH", "CONTEXT=SORT", "ESORT", "PARTIAL"} <= set(words)


def test_hint(alice: Dialogue) -> None:
    """CONTEXT changes nothing that is told."""
    told = b'* ESEARCH (TAG "a") COUNT 5\r\n'
    assert alice.ok("SEARCH RETURN (CONTEXT COUNT) ALL") == told
    assert alice.ok("SORT RETURN (COUNT CONTEXT) (DATE) UTF-8 ALL") == told
    assert alice.ok("SEARCH RETURN (CONTEXT MIN) ALL") == b'* ESEARCH (TAG "a") MIN 1\r\n'


def test_flags(alice: Dialogue, other: Dialogue) -> None:
    """What comes to match is added and what ceases to is removed, after its flags are told."""
    alice.ok("SEARCH RETURN (UPDATE ALL) FLAGGED")
    other.ok("STORE 2,4 +FLAGS.SILENT (\\Flagged)")
    same(
        alice.do("NOOP"),
        "* 2 FETCH (UID 2 FLAGS (\\Flagged))",
        "* 4 FETCH (UID 4 FLAGS (\\Flagged))",
        '* ESEARCH (TAG "a") ADDTO (0 2,4)',
        _DONE,
    )
    other.ok("STORE 2 -FLAGS.SILENT (\\Flagged)")
    other.ok("STORE 4 +FLAGS.SILENT (\\Seen)")
    same(
        alice.do("NOOP"),
        "* 2 FETCH (UID 2 FLAGS ())",
        "* 4 FETCH (UID 4 FLAGS (\\Flagged \\Seen))",
        '* ESEARCH (TAG "a") REMOVEFROM (0 2)',
        _DONE,
    )
    same(alice.do("NOOP"), _DONE)


@pytest.mark.parametrize("silent", ["", ".SILENT"])
def test_own_changes(alice: Dialogue, silent: str) -> None:
    """So it is with what the client does itself, and FETCH and STORE too can tell."""
    alice.ok("UID SEARCH RETURN (UPDATE) UNSEEN")
    assert b'* ESEARCH (TAG "a") UID REMOVEFROM (0 3)\r\n' in alice.ok(
        f"STORE 3 +FLAGS{silent} (\\Seen)"
    )
    assert b'* ESEARCH (TAG "a") UID REMOVEFROM (0 1)\r\n' in alice.ok("FETCH 1 BODY[TEXT]")
    assert b'* ESEARCH (TAG "a") UID ADDTO (0 3)\r\n' in alice.ok(f"STORE 3 FLAGS{silent} ()")


def test_arrivals(alice: Dialogue, other: Dialogue) -> None:
    """A new message is added after EXISTS, and only if it matches."""
    alice.ok("SEARCH RETURN (UPDATE) SUBJECT hello")
    other.append(letter("Hello"), letter("goodbye"), letter("hello again"))
    same(alice.do("NOOP"), "* 8 EXISTS", '* ESEARCH (TAG "a") ADDTO (0 6,8)', _DONE)
    alice.append(letter("oh, hello"))
    assert other.ok("NOOP")
    other.ok("STORE 6 +FLAGS.SILENT (\\Flagged)")
    same(alice.do("NOOP"), "* 6 FETCH (UID 6 FLAGS (\\Flagged))", _DONE)


def test_expunged(alice: Dialogue, other: Dialogue) -> None:
    """What goes is removed by the number it had, before EXPUNGE."""
    alice.ok("SEARCH RETURN (UPDATE) NOT 4")
    other.ok("STORE 2:4 +FLAGS.SILENT (\\Deleted)")
    alice.ok("NOOP")
    other.ok("EXPUNGE")
    same(
        alice.do("NOOP"),
        '* ESEARCH (TAG "a") REMOVEFROM (0 2:3)',
        "* 4 EXPUNGE",
        "* 3 EXPUNGE",
        "* 2 EXPUNGE",
        _DONE,
    )


def test_own_expunge(alice: Dialogue) -> None:
    """So it is with EXPUNGE and MOVE of the client's own."""
    alice.ok("SORT RETURN (UPDATE) (REVERSE SUBJECT) UTF-8 ALL")
    alice.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    assert alice.ok("EXPUNGE") == b'* ESEARCH (TAG "a") REMOVEFROM (4 2)\r\n* 2 EXPUNGE\r\n'
    alice.ok("CREATE Work")
    told = alice.ok("MOVE 1 Work")
    assert told.endswith(b'* ESEARCH (TAG "a") REMOVEFROM (4 1)\r\n* 1 EXPUNGE\r\n')


def test_vanished(anywhere: Server) -> None:
    """With QRESYNC it comes before VANISHED."""
    client = anywhere.login(enable="QRESYNC").fill(3).select()
    client.ok("UID SEARCH RETURN (UPDATE) ALL")
    other = anywhere.login().select()
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.ok("NOOP")
    other.ok("EXPUNGE")
    told = client.ok("NOOP")
    assert told.startswith(b'* ESEARCH (TAG "a") UID REMOVEFROM (0 2)\r\n* VANISHED 2\r\n')


def test_told_early(alice: Dialogue, other: Dialogue) -> None:
    """That a message is gone is told even when EXPUNGE cannot be, and only once (A.3)."""
    alice.ok("SEARCH RETURN (UPDATE) ALL")
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    alice.ok("NOOP")
    other.ok("EXPUNGE")
    assert alice.ok("SEARCH 1").endswith(b'\r\n* ESEARCH (TAG "a") REMOVEFROM (0 2)\r\n')
    assert b"REMOVEFROM" not in alice.ok("SEARCH 1")
    same(alice.do("NOOP"), "* 2 EXPUNGE", _DONE)


def test_idle(alice: Dialogue, other: Dialogue) -> None:
    """During IDLE it is told as it happens."""
    alice.ok("SEARCH RETURN (UPDATE) UNSEEN")
    alice.send(b"a IDLE\r\n")
    other.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
    same(alice.read(), "* 1 FETCH (UID 1 FLAGS (\\Seen))", '* ESEARCH (TAG "a") REMOVEFROM (0 1)')
    other.append(letter())
    same(alice.read(), "* 6 EXISTS", '* ESEARCH (TAG "a") ADDTO (0 6)')
    other.ok("STORE 6 +FLAGS.SILENT (\\Deleted)")
    alice.read()
    other.ok("EXPUNGE")
    same(alice.read(), '* ESEARCH (TAG "a") REMOVEFROM (0 6)', "* 6 EXPUNGE")


def test_changes_before(alice: Dialogue, other: Dialogue) -> None:
    """What changed before the search, and had not been told yet, is told once, and not added twice."""
    other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    same(
        alice.do("SEARCH RETURN (UPDATE ALL) FLAGGED"),
        '* ESEARCH (TAG "a") ALL 2',
        "* 2 FETCH (UID 2 FLAGS (\\Flagged))",
        "a OK SEARCH completed",
    )
    other.append(letter())
    same(
        alice.do("UID SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
        '* ESEARCH (TAG "a") UID COUNT 5',
        "* 6 EXISTS",
        "a OK UID SORT completed",
    )


def test_gone_before(alice: Dialogue, other: Dialogue) -> None:
    """A message that is found, and gone already, is removed."""
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    alice.ok("NOOP")
    other.ok("EXPUNGE")
    same(
        alice.do("SEARCH RETURN (UPDATE COUNT) ALL"),
        '* ESEARCH (TAG "a") COUNT 5',
        '* ESEARCH (TAG "a") REMOVEFROM (0 2)',
        "a OK SEARCH completed",
    )
    same(alice.do("NOOP"), "* 2 EXPUNGE", _DONE)


# Which messages a program means.


def test_numbers_are_of_then(alice: Dialogue, other: Dialogue) -> None:
    """Numbers mean the messages that they meant when the command came (4.3)."""
    alice.ok("SEARCH RETURN (UPDATE) 2:3 FLAGGED")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    alice.ok("NOOP")
    other.ok("STORE 1:3 +FLAGS.SILENT (\\Flagged)")
    assert alice.ok("NOOP").endswith(b'* ESEARCH (TAG "a") ADDTO (0 1:2)\r\n')


def test_saved_result_is_of_then(alice: Dialogue, other: Dialogue) -> None:
    """So does $, and NOT of it is everything else, new messages too."""
    alice.ok("SEARCH RETURN (SAVE) 2,4")
    alice.ok("UID SEARCH RETURN (UPDATE) NOT $ FLAGGED")
    alice.ok("SEARCH RETURN (SAVE) 1:5")
    other.append(letter(), flags="\\Flagged")
    other.ok("STORE 1:4 +FLAGS.SILENT (\\Flagged)")
    assert alice.ok("NOOP").endswith(b'* ESEARCH (TAG "a") UID ADDTO (0 1,3,6)\r\n')


@pytest.mark.parametrize(
    ("uids", "added"),
    [("4:*", b"4:6"), ("*", b"5"), ("9:*", b"5:6"), ("6:*", b"5:6"), ("*:2", b"2:6")],
)
def test_asterisk_is_of_then(alice: Dialogue, other: Dialogue, uids: str, added: bytes) -> None:
    """An asterisk is the last message of that moment, and what is open goes on."""
    alice.ok(f"UID SEARCH RETURN (UPDATE) UID {uids} FLAGGED")
    other.append(letter())
    other.ok("STORE 1:6 +FLAGS.SILENT (\\Flagged)")
    assert alice.ok("NOOP").endswith(b'* ESEARCH (TAG "a") UID ADDTO (0 %b)\r\n' % added)


def test_content(alice: Dialogue, other: Dialogue) -> None:
    """A program may look into messages."""
    alice.ok("SEARCH RETURN (UPDATE) OR BODY needle (SUBJECT 2 SEEN)")
    other.append(letter("x", "a needle in it"), letter("y", "hay"))
    other.ok("STORE 2:3 +FLAGS.SILENT (\\Seen)")
    assert alice.ok("NOOP").endswith(b'* ESEARCH (TAG "a") ADDTO (0 2,6)\r\n')


# Order.


def _mail(*subjects: str) -> Sequence[bytes]:
    return [letter(subject) for subject in subjects]


def test_positions(anywhere: Server) -> None:
    """Each new result is told with its position in the order, neighbours together."""
    client = anywhere.login(enable="IMAP4rev2").append(*_mail("b", "d", "f")).select()
    client.ok("UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 ALL")
    other = anywhere.login().select()
    other.append(*_mail("e", "a", "g", "c", "cc", "h"))
    same(
        client.do("NOOP"),
        "* 9 EXISTS",
        '* ESEARCH (TAG "a") UID ADDTO (1 5 3 7:8 6 4 8 6,9)',
        _DONE,
    )
    other.ok("STORE 2,4,7:8 +FLAGS.SILENT (\\Deleted)")
    client.ok("NOOP")
    other.ok("EXPUNGE")
    assert client.ok("NOOP").startswith(b'* ESEARCH (TAG "a") UID REMOVEFROM (3 7:8,2,4)\r\n')


def test_same_value(anywhere: Server) -> None:
    """What no criterion tells apart stays in the order of the mailbox, upwards and downwards."""
    client = anywhere.login(enable="IMAP4rev2").append(*_mail("b", "a", "b")).select()
    client.ok("UID SORT RETURN (UPDATE) (REVERSE SUBJECT) UTF-8 UNSEEN")
    other = anywhere.login().select()
    other.append(*_mail("b", "c"))
    assert b"UID ADDTO (1 5 4 4)\r\n" in client.ok("NOOP")
    other.ok("STORE 3 +FLAGS.SILENT (\\Seen)")
    assert b"UID REMOVEFROM (3 3)\r\n" in client.ok("NOOP")
    other.ok("STORE 3 -FLAGS.SILENT (\\Seen)")
    assert b"UID ADDTO (3 3)\r\n" in client.ok("NOOP")


# What ends it, and what is refused.


def test_cancelled(alice: Dialogue, other: Dialogue) -> None:
    """CANCELUPDATE ends those it names, and their tags are free."""
    alice.send(b"one SEARCH RETURN (UPDATE) FLAGGED\r\n")
    alice.send(b'"two SEARCH RETURN (UPDATE) FLAGGED\r\n')
    alice.send(b"two SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED\r\n")
    alice.ok('CANCELUPDATE "one"')
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
    told = alice.ok("NOOP")
    assert b'TAG "two"' in told
    assert b'TAG "one"' not in told
    assert b"one OK" in alice.send(b"one SEARCH RETURN (UPDATE) FLAGGED\r\n")
    alice.ok('CANCELUPDATE "one" "two" "one"')
    other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    assert b"ESEARCH" not in alice.ok("NOOP")


def test_unknown_tag(alice: Dialogue, other: Dialogue) -> None:
    """A tag that nothing has is refused, and then nothing is ended."""
    assert alice.do('CANCELUPDATE "x"').startswith(b"a NO ")
    alice.ok("SEARCH RETURN (UPDATE) FLAGGED")
    assert alice.do('CANCELUPDATE "a" "x"').startswith(b"a NO ")
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
    assert b"ADDTO" in alice.ok("NOOP")


@pytest.mark.parametrize("arguments", ["", " ", " a", ' "a" b', ' "a', ' ("a")', ' "a"  "b" NIL'])
def test_bad(alice: Dialogue, arguments: str) -> None:
    """What is no CANCELUPDATE is BAD."""
    alice.ok("SEARCH RETURN (UPDATE) FLAGGED")
    assert alice.do(f"CANCELUPDATE{arguments}").startswith(b"a BAD ")


@pytest.mark.parametrize(
    "command", ["SEARCH RETURN (UPDATE 1) ALL", "SEARCH RETURN (CONTEXT 5) ALL",
                "SEARCH RETURN (UPDATE ()) ALL", "SEARCH RETURN (UPDATE (COLOUR)) ALL",
                "SEARCH RETURN (UPDATE UID) ALL"]
)  # fmt: skip
def test_bad_options(alice: Dialogue, command: str) -> None:
    """So are other words behind the options."""
    assert alice.do(command).startswith(b"a BAD ")


def test_tag_in_use(alice: Dialogue, other: Dialogue) -> None:
    """A tag that has updates cannot have others; its own go on (4.3)."""
    alice.ok("UID SEARCH RETURN (UPDATE) FLAGGED")
    assert alice.do("SORT RETURN (UPDATE) (DATE) UTF-8 SEEN").startswith(b"a BAD ")
    alice.ok("SEARCH RETURN (COUNT) SEEN")
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged \\Seen)")
    assert alice.ok("NOOP").endswith(b'* ESEARCH (TAG "a") UID ADDTO (0 1)\r\n')


def test_too_many() -> None:
    """Beyond a bound there are no updates, and all else is answered (4.3.1)."""
    client = Server(limits=Limits(contexts=2)).login().fill(2).select()
    for number in range(2):
        client.send(b"c%d SEARCH RETURN (UPDATE) ALL\r\n" % number)
    same(
        client.do("SEARCH RETURN (UPDATE COUNT) ALL"),
        '* ESEARCH (TAG "a") COUNT 2',
        '* NO [NOUPDATE "a"] {{*}}',
        "a OK SEARCH completed",
    )
    client.ok('CANCELUPDATE "c0"')
    assert b"NOUPDATE" not in client.ok("SEARCH RETURN (UPDATE COUNT) ALL")


def test_too_large() -> None:
    """Nor are there for more messages than are kept of one session."""
    client = Server(limits=Limits(context_messages=5)).login().fill(3).select()
    assert b"NOUPDATE" not in client.ok("SEARCH RETURN (UPDATE COUNT) ALL")
    assert b"NOUPDATE" in client.send(b"b SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL\r\n")
    assert b"NOUPDATE" not in client.send(b"c SORT RETURN (UPDATE COUNT) (DATE) UTF-8 1:2\r\n")


def test_relevancy(alice: Dialogue) -> None:
    """What is in the order of how well it matches is not kept up to date."""
    told = alice.ok("SORT RETURN (UPDATE COUNT) (RELEVANCY) UTF-8 FUZZY SUBJECT 1")
    assert b'* NO [NOUPDATE "a"]' in told


def test_another_mailbox(alice: Dialogue, other: Dialogue) -> None:
    """Updates end with the mailbox that is selected."""
    alice.ok("SEARCH RETURN (UPDATE) FLAGGED")
    alice.select()
    other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
    assert b"ESEARCH" not in alice.ok("NOOP")
    alice.ok("SEARCH RETURN (UPDATE) FLAGGED")


@pytest.mark.parametrize(
    ("without", "command"),
    [
        ("CONTEXT=SEARCH", "SEARCH RETURN (UPDATE) ALL"),
        ("CONTEXT=SEARCH", 'CANCELUPDATE "a"'),
        ("CONTEXT=SORT", "SORT RETURN (UPDATE) (DATE) UTF-8 ALL"),
    ],
)
def test_switched_off(without: str, command: str) -> None:
    """What the server's owner switches off is not there."""
    client = Server(without=(without,)).login().fill(1).select()
    assert client.do(command).startswith(b"a BAD ")
    assert without not in client.command("CAPABILITY")[0].split(" ")


def test_other_options(alice: Dialogue) -> None:
    """UPDATE goes with all other options, and changes none of them."""
    told = alice.ok("SORT RETURN (UPDATE MIN MAX PARTIAL 1:2 SAVE) (REVERSE SUBJECT) UTF-8 ALL")
    assert told == b'* ESEARCH (TAG "a") MIN 5 MAX 1 PARTIAL (1:2 5,4)\r\n'
    assert alice.ok("UID SEARCH RETURN (ALL) $") == b'* ESEARCH (TAG "a") UID ALL 1,4:5\r\n'


def test_multisearch(alice: Dialogue, other: Dialogue) -> None:
    """After ESEARCH, updates of the selected mailbox say whose they are (RFC 7377, 2.1 and 2.2)."""
    alice.ok("ESEARCH RETURN (UPDATE COUNT) UNFLAGGED")
    other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    same(
        alice.do("NOOP"),
        "* 2 FETCH (UID 2 FLAGS (\\Flagged))",
        '* ESEARCH (TAG "a" MAILBOX {{*}} UIDVALIDITY {{uidvalidity}}) UID REMOVEFROM (0 2)',
        _DONE,
    )


# RFC 5465, 7.


def test_rows(alice: Dialogue, other: Dialogue) -> None:
    """Of a new message that matches, what was asked for is told between EXISTS and ADDTO."""
    alice.ok("SEARCH RETURN (COUNT UPDATE (UID RFC822.SIZE UID)) SUBJECT boss")
    other.append(letter("boss"), letter("somebody"))
    same(
        alice.do("NOOP"),
        "* 7 EXISTS",
        "* 6 FETCH (UID 6 RFC822.SIZE {{*}})",
        '* ESEARCH (TAG "a") ADDTO (0 6)',
        _DONE,
    )


def test_no_row_for_flags(alice: Dialogue, other: Dialogue) -> None:
    """One that matches by its flags only now has no such row."""
    alice.ok("SEARCH RETURN (UPDATE (RFC822.SIZE)) FLAGGED")
    other.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    told = alice.ok("NOOP")
    assert b"ADDTO (0 2)" in told
    assert b"RFC822.SIZE" not in told


def test_rows_without_notify() -> None:
    """They belong to NOTIFY, and are not there without it."""
    client = Server(without=("NOTIFY",)).login().fill(1).select()
    assert client.do("SEARCH RETURN (UPDATE (UID)) ALL").startswith(b"a BAD ")
    client.ok("SEARCH RETURN (UPDATE) ALL")


def test_notify(alice: Dialogue, other: Dialogue) -> None:
    """With NOTIFY it is told at any time, after the FETCH, EXISTS that it comes of."""
    alice.ok("SEARCH RETURN (UPDATE) UNSEEN")
    alice.ok("NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge FlagChange))")
    other.append(letter())
    same(alice.read(), "* 6 EXISTS", '* ESEARCH (TAG "a") ADDTO (0 6)', "* 6 FETCH (UID 6)")
    other.ok("STORE 6 +FLAGS.SILENT (\\Seen \\Deleted)")
    same(
        alice.read(),
        "* 6 FETCH (UID 6 FLAGS (\\Deleted \\Seen))",
        '* ESEARCH (TAG "a") REMOVEFROM (0 6)',
    )


def test_notify_none(alice: Dialogue, other: Dialogue) -> None:
    """A client that wants to hear of nothing hears of its own removals alone, first as results."""
    alice.ok("SEARCH RETURN (UPDATE) UNSEEN")
    alice.ok("NOTIFY SET (PERSONAL (MailboxName))")
    other.append(letter())
    same(alice.do("NOOP"), _DONE)
    alice.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    assert alice.ok("EXPUNGE") == b'* ESEARCH (TAG "a") REMOVEFROM (0 2)\r\n* 2 EXPUNGE\r\n'


# Whatever happens, a client that does what it is told has the result.


@define
class _Mirror:
    """A client that keeps results, as UIDs, by what it is told."""

    client: Dialogue
    uids: list[int] = field(factory=list)
    results: dict[str, list[int]] = field(factory=dict)
    by_uid: dict[str, bool] = field(factory=dict)
    ordered: dict[str, bool] = field(factory=dict)

    def search(self, tag: str, command: str) -> None:
        """Begin to keep a result."""
        answer = self.client.send(f"{tag} {command}\r\n".encode()).decode()
        assert f"{tag} OK" in answer, answer
        self.by_uid[tag], self.ordered[tag] = command.startswith("UID"), "SORT" in command
        first, _, rest = answer.partition("\r\n")
        found = re.search(r" ALL (\S+)", first)
        self.results[tag] = self._uids(tag, found[1]) if found else []
        self.hear(rest)

    def _uids(self, tag: str, numbers: str) -> list[int]:
        found: list[int] = []
        for each in numbers.split(","):
            low, colon, high = each.partition(":")
            assert not colon or int(low) < int(high)
            found += range(int(low), int(high or low) + 1)
        return found if self.by_uid[tag] else [self.uids[number - 1] for number in found]

    def hear(self, answer: str) -> None:
        """Do what the lines say, in turn."""
        for line in answer.split("\r\n"):
            if found := re.fullmatch(r"\* (\d+) EXPUNGE", line):
                gone = self.uids.pop(int(found[1]) - 1)
                assert all(gone not in result for result in self.results.values()), line
            elif found := re.fullmatch(r"\* (\d+) EXISTS", line):
                # As if it had asked for their UIDs.
                view = self.client.protocol.session.selected
                self.uids += view.generation.uids[len(self.uids) : int(found[1])]
            elif found := re.fullmatch(
                r'\* ESEARCH \(TAG "(\w+)"\)(?: UID)?((?: (?:ADDTO|REMOVEFROM) \(.*?\))+)', line
            ):
                for kind, pairs in re.findall(r" (ADDTO|REMOVEFROM) \((.*?)\)", found[2]):
                    words = pairs.split(" ")
                    for at, numbers in zip(words[::2], words[1::2]):
                        self._update(found[1], kind, int(at), self._uids(found[1], numbers))

    def _update(self, tag: str, kind: str, at: int, uids: list[int]) -> None:
        result = self.results[tag]
        assert (at > 0) == self.ordered[tag]
        if kind == "ADDTO":
            assert not set(uids) & set(result)
            if at:
                assert at <= len(result) + 1
                result[at - 1 : at - 1] = uids
            else:
                result[:] = sorted([*result, *uids])
        elif at:
            assert result[at - 1 : at - 1 + len(uids)] == uids
            del result[at - 1 : at - 1 + len(uids)]
        else:
            assert set(uids) <= set(result)
            result[:] = [uid for uid in result if uid not in uids]


_FLAGS = st.sampled_from(["\\Seen", "\\Flagged", "kw"])
_UIDS = st.sets(st.integers(1, 14), min_size=1, max_size=4).map(
    lambda uids: ",".join(map(str, uids))
)
_WHO = st.sampled_from(["own", "other"])
_STEPS = st.lists(
    st.tuples(st.just("append"), _WHO, st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3))
    | st.tuples(st.sampled_from(["+", "-"]), _WHO, st.tuples(_UIDS, _FLAGS))
    | st.tuples(st.just("expunge"), _WHO, _UIDS)
    | st.tuples(
        st.sampled_from(["FETCH 1 FLAGS", "NOOP", "UID FETCH 1:* FLAGS"]), st.just("own"), st.none()
    ),
    min_size=3,
    max_size=16,
)
_SEARCHES = {
    "s1": "SEARCH RETURN (UPDATE ALL) UNSEEN",
    "s2": "UID SEARCH RETURN (UPDATE ALL) OR FLAGGED SUBJECT c",
    "s3": "SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 NOT KEYWORD kw",
    "s4": "UID SORT RETURN (UPDATE ALL) (SUBJECT REVERSE SIZE) UTF-8 OR UNSEEN BODY needle",
}


def _commands(kind: str, said: Any) -> Sequence[tuple[Any, ...]]:
    if kind == "append":
        return [
            ("APPEND INBOX", letter(each, "needle" if each in "ace" else "hay")) for each in said
        ]
    if kind == "expunge":
        return [(f"UID STORE {said} +FLAGS.SILENT (\\Deleted)",), ("EXPUNGE",)]
    if kind in "+-":
        return [(f"UID STORE {said[0]} {kind}FLAGS.SILENT ({said[1]})",)]
    return [(kind,)]


@settings(max_examples=150, deadline=None)
@given(_STEPS, st.sampled_from([0, 2, 64]))
def test_results_stay_right(steps: list[tuple[str, str, Any]], singly: int) -> None:
    """Results, kept by what is told alone, are those of new searches, whoever does what."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(context_updates, "_SINGLY", singly)
        patched.setattr(updates, "_SINGLY", singly)
        patched.setattr(orders, "_LEAST", 2)
        server = Server()
        client = server.login(enable="IMAP4rev2").append(*_mail("d", "b", "c")).select()
        other = server.login().select()
        mirror = _Mirror(client, [1, 2, 3])
        for tag, command in _SEARCHES.items():
            mirror.search(tag, command)
        for kind, who, said in steps:
            for command in _commands(kind, said):
                if who == "own":
                    mirror.hear(client.do(*command).decode())
                else:
                    other.do(*command)
        mirror.hear(client.ok("NOOP").decode())
        for tag, command in _SEARCHES.items():
            fresh = client.ok(command.replace("UPDATE ", "")).decode()
            found = re.search(r" ALL (\S+)", fresh)
            wanted = mirror._uids(tag, found[1]) if found else []
            assert mirror.results[tag] == wanted, tag


def test_large_changes(anywhere: Server) -> None:
    """Hundreds of changes at once are told in order, too."""
    client = anywhere.login(enable="IMAP4rev2").append(*_mail(*"mnop")).select()
    mirror = _Mirror(client, [1, 2, 3, 4])
    mirror.search("s", "SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 ALL")
    mirror.search("f", "UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 FLAGGED")
    other = anywhere.login().select()
    other.append(*_mail(*(f"{chr(97 + number * 7 % 26)}{number}" for number in range(200))))
    mirror.hear(client.ok("NOOP").decode())
    other.ok("NOOP")
    other.ok("UID STORE 3:180 +FLAGS.SILENT (\\Flagged)")
    mirror.hear(client.ok("NOOP").decode())
    other.ok("UID STORE 2:100 +FLAGS.SILENT (\\Deleted)")
    other.ok("UID EXPUNGE 4:90")
    mirror.hear(client.ok("NOOP").decode())
    for tag, command in (
        ("s", "SORT RETURN (ALL) (SUBJECT) UTF-8 ALL"),
        ("f", "UID SORT RETURN (ALL) (REVERSE SUBJECT) UTF-8 FLAGGED"),
    ):
        found = re.search(r" ALL (\S+)", client.ok(command).decode())
        assert found is not None
        assert mirror.results[tag] == mirror._uids(tag, found[1])


def test_a_wrong_update_is_noticed(server: Server) -> None:
    """The client of these tests can tell a wrong update."""
    mirror = _Mirror(server.login(), [1, 2, 3], {"a": [3, 1]}, {"a": True}, {"a": True})
    with pytest.raises(AssertionError):
        mirror.hear('* ESEARCH (TAG "a") UID REMOVEFROM (1 1)\r\n')
    with pytest.raises(AssertionError):
        mirror.hear('* ESEARCH (TAG "a") UID ADDTO (4 2)\r\n')
    with pytest.raises(AssertionError):
        mirror.hear("* 1 EXPUNGE\r\n")


# What it costs.


def test_only_changes_are_looked_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """For one change among many messages, a program is asked about one message."""
    client, other = server.login(enable="IMAP4rev2").fill(60).select(), server.login().select()
    client.ok("UID SORT RETURN (UPDATE) (SUBJECT) UTF-8 UNFLAGGED")
    scanned: list[int] = []
    scan = Selected.scan

    def counting(self: Selected, uids: NumSet, columns: frozenset[str]) -> Any:
        scanned.extend(uid for uid in uids if uid <= 60)
        return scan(self, uids, columns)

    monkeypatch.setattr(Selected, "scan", counting)
    other.ok("UID STORE 30 +FLAGS.SILENT (\\Flagged)")
    assert b"REMOVEFROM" in client.ok("NOOP")
    assert scanned == []
    other.ok("UID STORE 30 -FLAGS.SILENT (\\Flagged)")
    assert b"ADDTO" in client.ok("NOOP")
    assert 0 < len(scanned) <= 8


def test_store_trouble(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store cannot tell when it should be told, is told later."""
    client, other = server.login(enable="IMAP4rev2").fill(3).select(), server.login().select()
    client.ok("SEARCH RETURN (UPDATE) SUBJECT hello")
    other.append(letter("hello"))
    mailbox = client.protocol.session.selected.mailbox

    def failing(self: Any, uids: Any, columns: Any) -> Any:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(type(mailbox), "scan", failing)
        assert client.do("NOOP").startswith(b"* 4 EXISTS\r\n")
    assert client.ok("NOOP") == b'* ESEARCH (TAG "a") ADDTO (0 4)\r\n'
