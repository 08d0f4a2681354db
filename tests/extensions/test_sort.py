"""SORT as a client sees it (RFC 5256, RFC 5957, RFC 5267, 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import chain, permutations
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from zope.interface import implementer

from benchmarks.corpus import messages
from imapd.model.limits import Limits
from imapd.model.numset import NumSet
from imapd.query import sort as engine
from imapd.session import kept_orders, orders
from imapd.store.interfaces import IBlocksKept
from tests.dialogue import Dialogue, Server, letter, same
from tests.query.test_subject import _by_the_steps


def _mail(header: str, body: str = "text") -> bytes:
    return "\r\n".join([*header.split("\n"), "", body, ""]).encode("utf-8")


_MAIL = (
    _mail("Subject: Re: bees\nFrom: Zoe <a@example.org>\nTo: m@example.org\n"
          "Date: Mon, 10 Sep 2001 12:00:00 +0200", "a long text, to be larger than the others"),
    _mail("Subject: ants\nFrom: Al <z@example.org>\nCc: k@example.org\n"
          "Date: Mon, 10 Sep 2001 09:59:00 +0000"),
    _mail("Subject: BEES (fwd)\nFrom: =?utf-8?q?=C3=89ve?= <M@example.org>\nTo: B@example.org\n"
          "Date: Mon, 10 Sep 2001 05:00:00 -0500"),
    _mail("From: m@example.org\nTo: a@example.org\nCc: J@example.org"),
)  # fmt: skip
#: Of the third is older than that of the second, in another zone; the fourth has no Date.
_DATES = (
    " 9-Sep-2001 01:46:40 +0000",
    " 9-Sep-2001 01:46:41 +0000",
    " 9-Sep-2001 03:46:40 +0200",
    "10-Sep-2001 02:59:30 -0700",
)


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected four messages."""
    client = anywhere.login()
    for octets, date in zip(_MAIL, _DATES):
        client.append(octets, date=date)
    return client.select()


def test_capabilities(server: Server) -> None:
    """They are advertised."""
    words = server.connect().command("CAPABILITY")[0].split(" ")
    assert {"SORT", "SORT=DISPLAY", "ESORT"} <= set(words)


@pytest.mark.parametrize(
    ("criteria", "order"),
    [
        ("ARRIVAL", "1 3 2 4"),
        ("REVERSE ARRIVAL", "4 2 1 3"),
        ("CC", "1 3 4 2"),
        ("REVERSE CC", "2 4 1 3"),
        ("DATE", "2 4 1 3"),
        ("REVERSE DATE", "1 3 4 2"),
        ("FROM", "1 3 4 2"),
        ("SIZE", "4 2 3 1"),
        ("SUBJECT", "4 2 1 3"),
        ("REVERSE SUBJECT", "1 3 2 4"),
        ("TO", "2 4 3 1"),
        ("DISPLAYFROM", "2 3 4 1"),
        ("DISPLAYTO", "2 4 3 1"),
        ("SUBJECT REVERSE SIZE", "4 2 1 3"),
        ("SUBJECT SIZE", "4 2 3 1"),
        ("FROM REVERSE SUBJECT SIZE", "1 3 4 2"),
        ("reverse subject date", "1 3 2 4"),
        ("SUBJECT REVERSE SUBJECT SUBJECT", "4 2 1 3"),
    ],
)
def test_order(alice: Dialogue, criteria: str, order: str) -> None:
    """Each criterion, upwards and downwards; what it does not tell apart keeps its order."""
    same(alice.do(f"SORT ({criteria}) UTF-8 ALL"), f"* SORT {order}", "a OK SORT completed")


def test_search_first(alice: Dialogue) -> None:
    """Only what matches is told, by number or by UID; nothing is an empty response."""
    assert alice.ok("SORT (DATE) UTF-8 SUBJECT bees") == b"* SORT 1 3\r\n"
    assert alice.ok("SORT (DATE) UTF-8 NOT SUBJECT bees 1:3") == b"* SORT 2\r\n"
    assert alice.ok("SORT (DATE) UTF-8 SUBJECT wasps") == b"* SORT\r\n"
    alice.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    assert alice.ok("UID SORT (DATE) UTF-8 ALL") == b"* SORT 2 4 3\r\n"
    assert alice.ok("SORT (DATE) UTF-8 ALL") == b"* SORT 1 3 2\r\n"


@pytest.mark.parametrize("name", ["UTF-8", "US-ASCII", '"utf-8"', "ISO-8859-1"])
def test_charset(alice: Dialogue, name: str) -> None:
    """The charset is that of the strings."""
    assert alice.ok(f"SORT (DATE) {name} FROM zoe") == b"* SORT 1\r\n"


def test_strings_in_a_charset(alice: Dialogue) -> None:
    """What is not ASCII is found as it is in that charset."""
    for name, octets in (("UTF-8", b"\xc3\xa9ve"), ("ISO-8859-1", b"\xe9ve")):
        told = alice.do(f"SORT (DATE) {name} FROM", octets)
        assert b"* SORT 3\r\n" in told, name


def test_unknown_charset(alice: Dialogue) -> None:
    """A charset that nobody knows is refused with those that are."""
    same(alice.do("SORT (DATE) X-KLINGON ALL"), "a NO [BADCHARSET (US-ASCII UTF-8)] {{*}}")


@pytest.mark.parametrize(
    "arguments",
    [
        "", " (DATE)", " (DATE) UTF-8", " () UTF-8 ALL", " DATE UTF-8 ALL", " (AGE) UTF-8 ALL",
        " (REVERSE) UTF-8 ALL", " (REVERSE REVERSE DATE) UTF-8 ALL", " (DATE DATE", " (DATE) ALL ALL ALL)",
        " RETURN (DATE) UTF-8 ALL", " RETURN (ALL PARTIAL 1:2) (DATE) UTF-8 ALL",
        " (DATE) UTF-8 NOTHING", " ((DATE)) UTF-8 ALL", " (DATEREVERSE SIZE) UTF-8 ALL",
    ],
)  # fmt: skip
def test_bad(alice: Dialogue, arguments: str) -> None:
    """What is no SORT is BAD, and the next command is served."""
    assert alice.do(f"SORT{arguments}").startswith(b"a BAD ")
    assert alice.do(f"UID SORT{arguments}").startswith(b"a BAD ")
    alice.ok("SORT (DATE) UTF-8 ALL")


def test_not_selected(server: Server) -> None:
    """There is nothing to sort before a mailbox is selected."""
    assert server.login().do("SORT (DATE) UTF-8 ALL").startswith(b"a BAD ")


def test_after_imap4rev2(anywhere: Server) -> None:
    """SORT answers as it does, whatever SEARCH does in IMAP4rev2."""
    client = anywhere.login(enable="IMAP4rev2").fill(2).select()
    assert client.ok("SORT (REVERSE SUBJECT) UTF-8 ALL") == b"* SORT 2 1\r\n"


def test_after_utf8_accept(anywhere: Server) -> None:
    """The charset has its place also where SEARCH has none (RFC 6855, 3)."""
    client = anywhere.login(enable="UTF8=ACCEPT").fill(2).select()
    assert client.ok("SORT (REVERSE SUBJECT) UTF-8 ALL") == b"* SORT 2 1\r\n"


def test_uidonly(anywhere: Server) -> None:
    """Without sequence numbers there is UID SORT alone (RFC 9586, 3.2)."""
    client = anywhere.login(enable="UIDONLY").fill(2).select()
    assert client.do("SORT (SIZE) UTF-8 ALL").startswith(b"a BAD [UIDREQUIRED]")
    assert client.ok("UID SORT (REVERSE SUBJECT) UTF-8 ALL") == b"* SORT 2 1\r\n"


def test_message_limit() -> None:
    """What cannot be sorted whole is refused (RFC 9738, 3.3); a part that can be is not."""
    client = Server(limits=Limits(messages=3)).login().fill(5).select()
    assert client.do("SORT (SIZE) UTF-8 ALL").startswith(b"a NO [MESSAGELIMIT 3 3]")
    assert client.ok("SORT (REVERSE SUBJECT) UTF-8 2:4") == b"* SORT 4 3 2\r\n"


@pytest.mark.parametrize(
    ("without", "command"),
    [
        (("SORT",), "SORT (DATE) UTF-8 ALL"),
        (("SORT=DISPLAY",), "SORT (DISPLAYFROM) UTF-8 ALL"),
        (("ESORT",), "SORT RETURN (COUNT) (DATE) UTF-8 ALL"),
    ],
)
def test_switched_off(without: tuple[str, ...], command: str) -> None:
    """What the server's owner switches off is not there, and the rest is."""
    client = Server(without=without).login().fill(1).select()
    assert client.do(command).startswith(b"a BAD ")
    assert without[0] not in client.command("CAPABILITY")[0].split(" ")
    if without != ("SORT",):
        client.ok("SORT (DATE) UTF-8 ALL")


def test_expunges(anywhere: Server) -> None:
    """That messages are gone is told during UID SORT, and not during SORT."""
    client = anywhere.login().fill(3).select()
    other = anywhere.login().select()
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.ok("NOOP")
    other.ok("EXPUNGE")
    assert b"EXPUNGE" not in client.ok("SORT (SUBJECT) UTF-8 ALL")
    assert client.ok("UID SORT (SUBJECT) UTF-8 ALL").endswith(b"* 2 EXPUNGE\r\n")
    assert client.ok("SORT (REVERSE SUBJECT) UTF-8 ALL") == b"* SORT 2 1\r\n"


# ESORT


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", "ALL 4,2:1,3"),
        ("ALL", "ALL 4,2,1,3"),
        ("MIN", "MIN 4"),
        ("MAX", "MAX 3"),
        ("COUNT MAX MIN", "MIN 4 MAX 3 COUNT 4"),
        ("PARTIAL 2:3", "PARTIAL (2:3 2,1)"),
        ("PARTIAL -1:-2", "PARTIAL (-1:-2 1,3)"),
        ("PARTIAL 5:6", "PARTIAL (5:6 NIL)"),
    ],
)
def test_esort(alice: Dialogue, options: str, told: str) -> None:
    """RETURN tells of the order what SEARCH tells of the mailbox; a range never descends (3.2)."""
    told = told.replace("2:1", "2,1")
    answer = f'* ESEARCH (TAG "a") {told}'
    same(alice.do(f"SORT RETURN ({options}) (SUBJECT) UTF-8 ALL"), answer, "a OK SORT completed")
    same(alice.do(f"UID SORT RETURN ({options}) (SUBJECT) UTF-8 ALL"),
         answer.replace(') ', ') UID ', 1), "a OK UID SORT completed")  # fmt: skip


def test_nothing_found(alice: Dialogue) -> None:
    """Without a result there is no ALL, MIN and MAX."""
    options = "RETURN (ALL MIN MAX COUNT)"
    told = alice.ok(f"SORT {options} (DATE) UTF-8 SUBJECT wasps")
    assert told == b'* ESEARCH (TAG "a") COUNT 0\r\n'


@pytest.mark.parametrize(
    ("options", "saved"),
    [("SAVE", "1:4"), ("SAVE ALL", "1:4"), ("SAVE COUNT", "1:4"), ("SAVE MIN", "4"), ("SAVE MAX", "3"),
     ("SAVE MIN MAX", "3:4"), ("SAVE PARTIAL 2:3", "1:2")],
)  # fmt: skip
def test_saved(alice: Dialogue, options: str, saved: str) -> None:
    """$ is a set, of what SORT found or told (RFC 5182)."""
    alice.ok(f"SORT RETURN ({options}) (SUBJECT) UTF-8 ALL")
    told = alice.ok("SEARCH RETURN (ALL) $")
    assert told == f'* ESEARCH (TAG "a") ALL {saved}\r\n'.encode()


def test_refused_save(alice: Dialogue) -> None:
    """A NO empties $."""
    alice.ok("SORT RETURN (SAVE) (SUBJECT) UTF-8 ALL")
    alice.do("SORT RETURN (SAVE) (SUBJECT) X-KLINGON ALL")
    assert alice.ok("SEARCH RETURN (ALL) $") == b'* ESEARCH (TAG "a")\r\n'


def test_saved_is_sorted(alice: Dialogue) -> None:
    """What was found before can be put in order."""
    alice.ok("SEARCH RETURN (SAVE) SUBJECT bees")
    assert alice.ok("SORT (REVERSE SIZE) UTF-8 $") == b"* SORT 1 3\r\n"


# Against the RFC, read aloud.


def _order(client: Dialogue, criteria: str, keys: str = "ALL") -> list[int]:
    told = client.ok(f"SORT ({criteria}) UTF-8 {keys}").partition(b"\r\n")[0]
    assert told.startswith(b"* SORT"), told
    return [int(word) for word in told.split()[2:]]


@frozen
class _Letter:
    """A message whose keys are known, since it was made of them."""

    subject: str
    marks: str
    minutes: int | None
    zone: int
    sender: str
    name: str
    size: int

    def octets(self) -> bytes:
        """As it is sent."""
        lines = [
            f"Subject: {self.marks}{self.subject}",
            f"From: {self.name} <{self.sender}@example.org>",
        ]
        if self.minutes is not None:
            moment = datetime(2001, 9, 9, tzinfo=timezone.utc) + timedelta(minutes=self.minutes)
            zone = timezone(timedelta(minutes=self.zone))
            lines.append(f"Date: {format_datetime(moment.astimezone(zone))}")
        return _mail("\n".join(lines), "x" * self.size)

    def key(self, name: str, size: int) -> Any:
        """What that criterion compares; all came at 01:46:40."""
        return {
            "SUBJECT": self.subject.upper(),
            "DATE": 106 * 60 + 40 if self.minutes is None else self.minutes * 60,
            "FROM": self.sender.upper(),
            "DISPLAYFROM": self.name.upper() or f"{self.sender}@example.org".upper(),
            "SIZE": size,
            "ARRIVAL": 0,
            "TO": "",
        }[name]


_LETTERS = st.lists(
    st.builds(
        _Letter,
        st.sampled_from(["bees", "Bees", "ants", "ants_", "antsy", ""]),
        st.sampled_from(["", "Re: ", "fwd:", "[list] re: "]),
        st.none() | st.sampled_from([0, 106, 107, 500]),
        st.sampled_from([0, 90, -600]),
        st.sampled_from(["al", "Al", "bob"]),
        st.sampled_from(["", "Al", "zoe", "Zo_e", "Zoey"]),
        st.integers(0, 2),
    ),
    max_size=12,
)
_NAMES = ["SUBJECT", "DATE", "FROM", "DISPLAYFROM", "SIZE", "ARRIVAL", "TO"]
_CRITERIA = st.lists(st.tuples(st.booleans(), st.sampled_from(_NAMES)), min_size=1, max_size=3)


@settings(max_examples=100)
@given(_LETTERS, st.lists(_CRITERIA, min_size=3, max_size=3))
def test_as_the_rfc_has_it(letters: list[_Letter], asked: list[list[tuple[bool, str]]]) -> None:
    """Generated mail is in the order that a plain reading of the RFC gives."""
    octets = [each.octets() for each in letters]
    client = Server().login().append(*octets, date=" 9-Sep-2001 01:46:40 +0000").select()
    for criteria in asked:
        wanted = list(range(len(letters)))
        for reverse, name in reversed(criteria):
            wanted.sort(key=lambda at: letters[at].key(name, len(octets[at])), reverse=reverse)
        words = " ".join("REVERSE " * reverse + name for reverse, name in criteria)
        assert _order(client, words) == [at + 1 for at in wanted], words


def _keys(octets: bytes) -> dict[str, Any]:
    """The keys of a message as Python's own parser has them."""
    message = message_from_bytes(octets, _class=EmailMessage, policy=policy.default)

    def address(field: str) -> Any:
        return message[field].addresses[0] if message[field] else None

    keys: dict[str, Any] = {
        "SUBJECT": _collated(_by_the_steps(str(message["Subject"]))[0]),
        "DATE": message["Date"].datetime,
        "SIZE": len(octets),
    }
    for field in ("From", "To"):
        first = address(field)
        keys[field.upper()] = first.username.upper()
        keys[f"DISPLAY{field.upper()}"] = _collated(first.display_name)
    return keys


def _collated(text: str) -> str:
    """RFC 5051 of the letters that the corpus has."""
    return text.upper().replace("\u00c9", "E\u0301").replace("\u00c4", "A\u0308")


def test_corpus(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is mail as it comes, in an account of some hundred messages."""
    monkeypatch.setattr(orders, "_LEAST", 50)
    monkeypatch.setattr(engine, "_RUN", 64)
    mail = list(messages(300))
    keys = list(map(_keys, mail))
    client = anywhere.login().append(*mail).select()
    for name in keys[0]:
        for reverse in (False, True):
            wanted = sorted(range(300), key=lambda at: keys[at][name], reverse=reverse)
            assert _order(client, "REVERSE " * reverse + name) == [at + 1 for at in wanted], name
    wanted = sorted(range(99, 300), key=lambda at: (keys[at]["SUBJECT"], keys[at]["DATE"]))
    assert _order(client, "SUBJECT DATE", "100:*") == [at + 1 for at in wanted]


# Orders that are kept.


@pytest.fixture
def kept(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that keeps orders of small mailboxes too."""
    monkeypatch.setattr(orders, "_LEAST", 4)
    monkeypatch.setattr(orders, "_ALIKE", 3)
    anywhere.login().append(*map(letter, "fbdacegh"))
    return anywhere


def _subjects(client: Dialogue, keys: str = "ALL") -> str:
    """First letters of subjects in the order of SORT (SUBJECT), by what the messages say."""
    rows = client.do("FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])").decode()
    said = dict(re.findall(r"\* (\d+) FETCH [^\n]*\r\nSubject: (\w)", rows))
    told = map(str, _order(client, "SUBJECT", keys))
    return "".join(said[number] for number in told if number in said)


def test_kept(kept: Server) -> None:
    """An order that was made serves every session, and parts of it."""
    one, other = kept.login().select(), kept.login().select()
    assert _subjects(one) == _subjects(one) == _subjects(other) == "abcdefgh"
    assert _subjects(other, "NOT 2 NOT 5") == "adefgh"
    assert _subjects(other, "7:*") == "gh"


@pytest.mark.parametrize("singly", [0, 32])
def test_arrivals(kept: Server, monkeypatch: pytest.MonkeyPatch, singly: int) -> None:
    """New messages are where they belong; for who has not been told of them they are not there."""
    monkeypatch.setattr(orders, "_SINGLY", singly)
    one, other = kept.login().select(), kept.login().select()
    _order(one, "SUBJECT")
    kept.login().append(letter("bb"), letter("0"), letter("i"), letter("b"))
    one.ok("NOOP")
    assert _subjects(one) == "0abbbcdefghi"
    assert _order(one, "SUBJECT")[2:5] == [2, 12, 9]
    assert _order(one, "REVERSE SUBJECT")[-5:] == [9, 2, 12, 4, 10]
    assert _subjects(other, "1:8") == "abcdefgh"


def test_expunged(kept: Server) -> None:
    """What is gone is left out; who has not been told still has its number."""
    one, other = kept.login().select(), kept.login().select()
    assert _subjects(one) == "abcdefgh"
    other.ok("STORE 2,5,8 +FLAGS.SILENT (\\Deleted)")
    one.ok("NOOP")
    other.ok("EXPUNGE")
    assert _subjects(other) == "adefg"
    told = _order(one, "SUBJECT")
    assert [each for each in told if each not in {2, 5, 8}] == [4, 3, 6, 1, 7]
    other.append(letter("ab"))
    other.ok("NOOP")
    assert _subjects(other) == "aadefg"
    one.ok("NOOP")
    assert _subjects(one) == "aadefg"


def test_forgotten(kept: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few orders are kept, and the others are made again."""
    monkeypatch.setattr(orders, "_KEPT", 2)
    client = kept.login().select()
    names = ("SUBJECT", "SIZE", "DATE", "REVERSE SUBJECT")
    first = [_order(client, name) for name in chain(names, names)]
    assert first[:4] == first[4:]
    assert len(client.protocol.session.selected.image.kept[orders.__name__]) == 2


_Steps = Sequence[tuple[str, Any]]
_STEPS = st.lists(
    st.tuples(st.just("append"), st.lists(st.sampled_from("abcde"), min_size=1, max_size=3))
    | st.tuples(st.just("expunge"), st.sets(st.integers(1, 12), min_size=1))
    | st.tuples(st.just("sort"), st.sampled_from(["1:4", "ALL", "2:* NOT 3"]))
    | st.tuples(st.just("noop"), st.none()),
    min_size=4,
    max_size=14,
)


@settings(max_examples=150)
@given(_STEPS)
def test_kept_orders_stay_right(steps: _Steps) -> None:
    """Whatever comes and goes, an order is that of the messages that are there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(orders, "_LEAST", 1)
        patched.setattr(orders, "_PART", 1)
        patched.setattr(orders, "_ALIKE", 2)
        patched.setattr(orders, "_SINGLY", 2)
        server = Server()
        client, other = server.login().append(*map(letter, "cab")).select(), server.login().select()
        for step, said in steps:
            if step == "append":
                other.append(*map(letter, said))
            elif step == "expunge":
                other.ok("NOOP")
                other.ok(f"UID STORE {','.join(map(str, said))} +FLAGS.SILENT (\\Deleted)")
                other.ok("EXPUNGE")
            elif step == "noop":
                client.ok("NOOP")
            else:
                told = _subjects(client, said)
                assert list(told) == sorted(told)
        client.ok("NOOP")
        assert list(_subjects(client)) == sorted(_subjects(client))


@pytest.fixture
def stored(kept: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that leaves orders of small mailboxes with the store."""
    monkeypatch.setattr(orders, "WORTH_KEEPING", 4)
    monkeypatch.setattr(kept_orders, "WORTH_KEEPING", 4)
    return kept


def _restarted(server: Server, monkeypatch: pytest.MonkeyPatch, made_again: bool) -> Dialogue:
    """A client of a process that has just begun; whether it may sort the whole mailbox is said."""
    for client in tuple(server.clients):
        client.hang_up()
    server.factory.policy.images._images.clear()
    arranged = orders.arranged

    async def watched(source: Any, places: Any, criteria: Any) -> Any:
        assert made_again or len(places) < 8, "the order was not kept"
        return await arranged(source, places, criteria)

    monkeypatch.setattr(orders, "arranged", watched)
    return server.login().select()


def test_orders_outlive_the_process(stored: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start an order is found made, and what came and went since is where it belongs."""
    one = stored.login().select()
    assert _subjects(one) == "abcdefgh"
    one.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    one.ok("EXPUNGE")
    one.append(letter("cc"))
    one = _restarted(stored, monkeypatch, made_again=False)
    assert _subjects(one) == "accdefgh"
    assert _subjects(one, "NOT 1") == "accdegh"


def test_few_orders_are_left(stored: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many orders a client thinks of, few are left with the store, the last among them."""
    left: dict[tuple[str, int], bytes] = {}

    @implementer(IBlocksKept)
    class Noted:
        def __init__(self, mailbox: IBlocksKept) -> None:
            self.kept_blocks = mailbox.kept_blocks
            self._mailbox = mailbox

        def keep_blocks(self, blocks: Mapping[tuple[str, int], bytes], numbers: NumSet) -> Any:
            left.update(blocks)
            return self._mailbox.keep_blocks(blocks, numbers)

    monkeypatch.setattr(kept_orders, "IBlocksKept", lambda mailbox, _: Noted(mailbox))
    client = stored.login().select()
    for criteria in permutations(("SIZE", "REVERSE DATE", "ARRIVAL", "SUBJECT", "TO"), 2):
        _order(client, " ".join(criteria))
        found = _order(client, "SUBJECT")
    assert 1 < len(left) <= 16
    assert _order(_restarted(stored, monkeypatch, made_again=False), "TO SUBJECT") == found


def test_orders_that_are_damaged(stored: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then they are made again."""
    monkeypatch.setattr(kept_orders, "_packed", lambda _, uids, places: bytes(8 + 8 * len(uids)))
    assert _subjects(stored.login().select()) == "abcdefgh"
    assert _subjects(_restarted(stored, monkeypatch, made_again=True)) == "abcdefgh"
    monkeypatch.setattr(kept_orders, "_packed", lambda _, uids, places: b"")
    assert _subjects(_restarted(stored, monkeypatch, made_again=True)) == "abcdefgh"
