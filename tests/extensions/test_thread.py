"""THREAD as a client sees it (RFC 5256)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imapd.model.limits import Limits
from imapd.query import threaded
from imapd.session import kept_threads
from imapd.session import threads as session_threads
from tests.dialogue import Dialogue, Server, same


def message(
    own: str = "", references: str = "", subject: str = "", day: int = 1, reply_to: str = ""
) -> bytes:
    """A message with these fields, where they are not empty."""
    fields = {
        "Date": f"{day} Mar 2024 12:00:00 +0000" if day else "",
        "Message-ID": own,
        "References": references,
        "In-Reply-To": reply_to,
        "Subject": subject,
    }
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value]
    return "".join([*lines, "\r\n"]).encode()


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected an empty mailbox."""
    return anywhere.login().select()


def threads(client: Dialogue, *messages: bytes, algorithm: str = "REFERENCES") -> str:
    """What THREAD says of a mailbox with these messages."""
    client.append(*messages)
    client.ok("NOOP")
    return client.ok(f"THREAD {algorithm} UTF-8 ALL").decode().removeprefix("* THREAD ").strip()


def test_capabilities(server: Server) -> None:
    """The algorithms are advertised."""
    told = server.client().command("CAPABILITY")[0].split(" ")
    assert {each for each in told if each.startswith("THREAD")} == {
        "THREAD=ORDEREDSUBJECT",
        "THREAD=REFERENCES",
        "THREAD=REFS",
    }


def test_empty(alice: Dialogue) -> None:
    """Where nothing matches, the response has no threads."""
    for command in ("THREAD REFS US-ASCII ALL", "UID THREAD ORDEREDSUBJECT UTF-8 1:*"):
        assert alice.ok(command) == b"* THREAD\r\n"


def test_words_in_any_case(alice: Dialogue) -> None:
    """Names compare without case, and the charset may be quoted."""
    alice.fill(1).ok("NOOP")
    assert alice.ok('uid thread references "utf-8" all') == b"* THREAD (1)\r\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        " REFERENCES",
        " REFERENCES UTF-8",
        " REFERENCES ALL",
        " JWZ UTF-8 ALL",
        " RETURN (ALL) REFERENCES UTF-8 ALL",
        " (REFERENCES) UTF-8 ALL",
        ' "REFERENCES" UTF-8 ALL',
    ],
)
def test_wrong_arguments(alice: Dialogue, arguments: str) -> None:
    """What is no THREAD is BAD."""
    assert alice.do("THREAD" + arguments).startswith(b"a BAD ")


def test_unknown_charset(alice: Dialogue) -> None:
    """A charset that is not known is NO, and those that are sure to be known are named."""
    same(
        alice.do("THREAD REFERENCES X-KLINGON ALL"),
        "a NO [BADCHARSET (US-ASCII UTF-8)] {{*}}",
    )


def test_charset(alice: Dialogue) -> None:
    """Strings are in the charset that was named."""
    alice.append(message(subject="=?utf-8?q?caf=C3=A9?="), message(subject="tea")).ok("NOOP")
    same(
        alice.send(b"a UID THREAD REFS ISO-8859-15 SUBJECT {4+}\r\ncaf\xe9\r\n"),
        "* THREAD (1)",
        "a OK UID THREAD completed",
    )


def test_only_what_matches(alice: Dialogue) -> None:
    """Messages that do not match are as if they were not there, but for what refers to them."""
    alice.append(
        message("<1@x>", subject="a", day=1),
        message("<2@x>", "<1@x>", "b", day=2),
        message("<3@x>", "<1@x> <2@x>", "c", day=3),
        message("<4@x>", "<1@x>", "d", day=4),
    ).ok("NOOP")
    alice.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    assert alice.ok("THREAD REFERENCES UTF-8 ALL") == b"* THREAD (1 (2 3)(4))\r\n"
    assert alice.ok("THREAD REFERENCES UTF-8 UNDELETED") == b"* THREAD (1 (3)(4))\r\n"
    assert alice.ok("THREAD REFERENCES UTF-8 NOT 1") == b"* THREAD ((2 3)(4))\r\n"
    assert alice.ok("THREAD REFERENCES UTF-8 3") == b"* THREAD (3)\r\n"


def test_numbers_and_uids(alice: Dialogue) -> None:
    """THREAD tells sequence numbers, UID THREAD UIDs; the keys mean the same in both."""
    alice.fill(4).ok("NOOP")
    alice.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    assert alice.ok("THREAD REFERENCES UTF-8 1:2") == b"* THREAD (1)(2)\r\n"
    assert alice.ok("UID THREAD REFERENCES UTF-8 1:2") == b"* THREAD (2)(4)\r\n"
    assert alice.ok("UID THREAD REFERENCES UTF-8 UID 4") == b"* THREAD (4)\r\n"


def test_saved_result(alice: Dialogue) -> None:
    """The result of a search can be threaded (RFC 5182)."""
    alice.fill(3).ok("NOOP")
    alice.ok("SEARCH RETURN (SAVE) 2:3")
    assert alice.ok("UID THREAD REFS UTF-8 $") == b"* THREAD (2)(3)\r\n"


def test_quoting_of_identifiers(alice: Dialogue) -> None:
    """An identifier is the same however it is quoted, and letters count as written (3)."""
    said = threads(
        alice,
        message('<"01KF8JCEOCBS0045PS"@xxx.yyy.com>', subject="a", day=1),
        message("<2@x>", "<01KF8JCEOCBS0045PS@xxx.yyy.com>", "b", day=2),
        message("<3@x>", "< 01KF8JCEOCBS0045PS\r\n @ (comment) xxx.yyy.com >", "c", day=3),
        message("<4@x>", "<01kf8jceocbs0045ps@xxx.yyy.com>", "d", day=4),
    )
    assert said == "(1 (2)(3))(4)"


def test_in_reply_to(alice: Dialogue) -> None:
    """In-Reply-To counts where References names nobody, and of it the first identifier (3)."""
    said = threads(
        alice,
        message("<1@x>", subject="a", day=1),
        message("<2@x>", subject="b", day=2),
        message("<3@x>", "nonsense", "c", day=3, reply_to='"A B" of today <2@x> <1@x>'),
        message("<4@x>", "<1@x>", "d", day=4, reply_to="<2@x>"),
        message("<5@x>", subject="e", day=5, reply_to="your mail <joe> of today"),
    )
    assert said == "(1 4)(2 3)(5)"


def test_same_identifier(alice: Dialogue) -> None:
    """Of messages with one identifier the first has it (3)."""
    said = threads(
        alice,
        message("<1@x>", subject="a", day=2),
        message("<1@x>", subject="b", day=1),
        message("<3@x>", "<1@x>", "c", day=3),
    )
    assert said == "(2)(1 3)"


def test_no_identifier(alice: Dialogue) -> None:
    """Messages without one are messages still."""
    assert threads(
        alice, message("", "<9@x>", "a"), message("", "<9@x>", "b"), message("none", "", "c")
    ) == ("((1)(2))(3)")  # fmt: skip


def test_loop(alice: Dialogue) -> None:
    """Messages that refer to each other in a circle are all there."""
    said = threads(
        alice,
        message("<1@x>", "<3@x>", "a", day=1),
        message("<2@x>", "<1@x>", "b", day=2),
        message("<3@x>", "<2@x>", "c", day=3),
        message("<4@x>", "<4@x>", "d", day=4),
    )
    assert said == "(3 1 2)(4)"


def test_sent_dates(alice: Dialogue) -> None:
    """Threads and siblings are in the order of their sent dates, in UTC, else of arrival (2.2)."""
    early = b"Date: 1 Mar 2024 23:00:00 -0800\r\nSubject: early\r\n\r\n"
    alice.append(early, b"Subject: none\r\n\r\n", date=" 2-Mar-2024 06:30:00 +0000")
    alice.append(b"Date: 2 Mar 2024 06:59:59 +0000\r\nSubject: late\r\n\r\n").ok("NOOP")
    assert alice.ok("THREAD REFERENCES UTF-8 ALL") == b"* THREAD (2)(3)(1)\r\n"


def test_subjects(alice: Dialogue) -> None:
    """Threads of one subject become one, by who replies (3, step 5)."""
    said = threads(
        alice,
        message(subject="Re: lunch", day=1),
        message(subject="Lunch", day=2),
        message(subject="[list] RE: lunch (fwd)", day=3),
        message(subject="dinner", day=4),
        message(subject="dinner", day=5),
        message(subject="", day=6),
        message(subject="Re:", day=7),
    )
    assert said == "(2 (1)(3))((4)(5))(6)(7)"


def test_refs(alice: Dialogue) -> None:
    """REFS looks at no subject, and the thread of what arrived last comes last."""
    said = threads(
        alice,
        message("<1@x>", subject="a", day=3),
        message("<2@x>", subject="a", day=1),
        message("<3@x>", "<2@x>", "b", day=5),
        message("<4@x>", "<1@x>", "b", day=4),
        message("<5@x>", "<1@x>", "b", day=2),
        algorithm="REFS",
    )
    assert said == "(2 3)(1 (5)(4))"


def test_changes_are_followed(alice: Dialogue, anywhere: Server) -> None:
    """What comes and goes is threaded with the rest, for everyone who asks."""
    other = anywhere.client(select="INBOX")
    asked = "UID THREAD REFERENCES UTF-8 UNDELETED"
    alice.append(message("<2@x>", "<1@x>", "b", day=2), message("<3@x>", "<1@x>", "c", day=3))
    alice.ok("NOOP")
    assert alice.ok(asked) == b"* THREAD ((1)(2))\r\n"
    other.append(message("<1@x>", subject="a", day=4))
    alice.ok("NOOP")
    assert alice.ok(asked) == b"* THREAD (3 (1)(2))\r\n"
    other.ok("NOOP")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert b"* THREAD (3 2)\r\n" in alice.ok(asked)
    other.ok("STORE 1 -FLAGS.SILENT (\\Deleted)")
    assert b"* THREAD (3 (1)(2))\r\n" in alice.ok(asked)
    other.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    assert alice.ok(asked).startswith(b"* THREAD ((1)(2))\r\n")
    alice.ok("NOOP")
    assert alice.ok("THREAD REFERENCES UTF-8 ALL") == b"* THREAD ((1)(2))\r\n"


def test_removals_wait(alice: Dialogue, anywhere: Server) -> None:
    """Removals are not told during THREAD, but during UID THREAD (3)."""
    alice.fill(3).ok("NOOP")
    other = anywhere.client(select="INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    assert b"EXPUNGE" not in alice.ok("THREAD REFS UTF-8 ALL")
    assert alice.ok("UID THREAD REFS UTF-8 ALL").endswith(b"* 1 EXPUNGE\r\n")


def test_uid_only(server: Server) -> None:
    """A client without sequence numbers has UID THREAD (RFC 9586, 3.5)."""
    client = server.login(enable="UIDONLY").fill(2).select()
    assert client.ok("UID THREAD REFS UTF-8 ALL") == b"* THREAD (1)(2)\r\n"
    for command in ("THREAD REFS UTF-8 ALL", "UID THREAD REFS UTF-8 1"):
        assert client.do(command).startswith(b"a BAD [UIDREQUIRED] ")


def test_utf8(server: Server) -> None:
    """After ENABLE UTF8=ACCEPT there is one charset (RFC 9755, 3)."""
    client = server.login(enable="UTF8=ACCEPT").fill(1).select()
    assert client.ok("THREAD REFS UTF-8 ALL") == b"* THREAD (1)\r\n"
    assert client.do("THREAD REFS US-ASCII ALL").startswith(b"a BAD ")


def test_more_than_the_limit() -> None:
    """A mailbox of more messages than a command may work on is not threaded (RFC 9738, 3.3)."""
    server = Server(limits=Limits(messages=3))
    client = server.login().fill(4).select()
    same(client.do("UID THREAD REFS UTF-8 1:2"), "a NO [MESSAGELIMIT 3 2] {{*}}")
    client.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    assert client.ok("UID THREAD REFS UTF-8 ALL") == b"* THREAD (2)(3)(4)\r\n"
    limited = Server(limits=Limits(saved_messages=1)).login().fill(2).select()
    assert limited.ok("UID THREAD REFS UTF-8 ALL") == b"* THREAD (1)(2)\r\n"


def test_switched_off(server: Server) -> None:
    """Without THREAD=REFS there is no REFS, and the others are there."""
    client = Server(without=["THREAD=REFS"]).login().fill(1).select()
    assert client.do("THREAD REFS UTF-8 ALL").startswith(b"a BAD ")
    assert client.ok("THREAD REFERENCES UTF-8 ALL") == b"* THREAD (1)\r\n"


def test_too_many_references() -> None:
    """More references than the server follows are refused, and the session goes on."""
    client = Server(limits=Limits(thread_references=2)).login().select()
    client.append(message("", "<1@x> <2@x>"), message("", "<3@x>")).ok("NOOP")
    same(client.do("THREAD REFS UTF-8 ALL"), "a NO [LIMIT] {{*}}")
    assert client.ok("THREAD REFS UTF-8 1") == b"* THREAD (1)\r\n"
    assert client.ok("THREAD ORDEREDSUBJECT UTF-8 ALL") == b"* THREAD (1 2)\r\n"


@pytest.fixture
def stored(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that leaves the threads of small mailboxes with the store, in short blocks."""
    monkeypatch.setattr(session_threads, "WORTH_KEEPING", 4)
    monkeypatch.setattr(kept_threads, "_BLOCK", 100)
    letters = [
        message(f"<{each}>", f"<{each // 3}>", subject=f"about {each // 3}", day=1 + each)
        for each in range(12)
    ]
    anywhere.login().append(*letters)
    return anywhere


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages were threaded, each time that some were."""
    counts: list[int] = []
    anew = threaded._anew

    async def noted(source: Any, places: Sequence[int], *rest: Any) -> Any:
        counts.append(len(places))
        return await anew(source, places, *rest)

    monkeypatch.setattr(threaded, "_anew", noted)
    return counts


def _restarted(server: Server) -> Dialogue:
    """A client of a process that has just begun."""
    for client in tuple(server.clients):
        client.hang_up()
    server.factory.policy.images._images.clear()
    return server.login().select()


@pytest.mark.parametrize("algorithm", ["REFERENCES", "REFS", "ORDEREDSUBJECT"])
def test_threads_outlive_the_process(
    stored: Server, monkeypatch: pytest.MonkeyPatch, counted: list[int], algorithm: str
) -> None:
    """After a start they are found made; what came and went since is worked in."""
    first = threads(stored.login().select(), algorithm=algorithm)
    assert counted == [12]
    client = _restarted(stored)
    assert threads(client, algorithm=algorithm) == first
    assert client.ok(f"UID THREAD {algorithm} UTF-8 ALL").decode().strip().endswith(first)
    assert counted == [12]
    client.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    client.append(message("<new>", "<3>", subject="about 2"))
    client = _restarted(stored)
    told = threads(client, algorithm=algorithm)
    assert max(counted[1:], default=0) < 12
    monkeypatch.setattr(session_threads, "WORTH_KEEPING", 1_000)
    assert threads(_restarted(stored), algorithm=algorithm) == told
    assert counted[-1] == 12


def test_threads_are_left_again(stored: Server, counted: list[int]) -> None:
    """When much has changed: else each start would find less of them made."""
    client = stored.login().select()
    threads(client)
    for number in range(20, 24):
        threads(client, message(f"<{number}>"))
    del counted[:]
    threads(_restarted(stored))
    assert counted == []


def test_threads_of_a_part_are_not_left(stored: Server, counted: list[int]) -> None:
    """Nor is one that is asked for a part made to read all that is kept."""
    client = stored.login().select()
    first = threads(client)
    part = client.ok("THREAD REFERENCES UTF-8 1:3")
    client = _restarted(stored)
    assert client.ok("THREAD REFERENCES UTF-8 1:3") == part
    assert threads(client) == first


@pytest.mark.parametrize("damage", [lambda octets: octets[:50], lambda octets: b"", bytes.swapcase])
def test_threads_that_are_damaged(
    stored: Server, monkeypatch: pytest.MonkeyPatch, counted: list[int],
    damage: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    """Then they are made again."""
    pack = kept_threads.pack

    def wrong(answer: Any) -> Any:
        return damage((yield from pack(answer)))

    monkeypatch.setattr(kept_threads, "pack", wrong)
    first = threads(stored.login().select())
    assert threads(_restarted(stored)) == first
    assert counted == [12, 12]


@pytest.mark.parametrize("first", ["REFERENCES", "REFS", "ORDEREDSUBJECT"])
@pytest.mark.parametrize("algorithm", ["REFERENCES", "REFS", "ORDEREDSUBJECT"])
@pytest.mark.parametrize("search", ["ALL", "1:5", "3:6"])
def test_a_removal_that_is_not_told(
    alice: Dialogue, anywhere: Server, first: str, algorithm: str, search: str
) -> None:
    """All others are in threads, however much one algorithm has found out for another of what is gone."""
    alice.append(*(message(f"<{n}@h>", f"<{max(1, n - 1)}@h>", "one", day=n) for n in range(1, 7)))
    alice.ok("NOOP")
    alice.ok(f"THREAD {first} UTF-8 ALL")
    other = anywhere.client(select="INBOX")
    other.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    told = alice.ok(f"THREAD {algorithm} UTF-8 {search}").decode()
    low, _, high = search.replace("ALL", "1:6").partition(":")
    wanted = {n for n in range(int(low), int(high) + 1) if n != 3}
    assert {int(number) for number in re.findall(r"\d+", told)} - {3} == wanted
    assert "* 3 EXPUNGE" in alice.ok("NOOP").decode()
    again = alice.ok(f"UID THREAD {algorithm} UTF-8 ALL").decode()
    assert {int(number) for number in re.findall(r"\d+", again)} == {1, 2, 4, 5, 6}
