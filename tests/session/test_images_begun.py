"""Mailboxes that were empty until messages came in through this process, and are selected later."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from imapd.model.flags import interned
from imapd.model.mailbox import Changes
from imapd.model.numset import EMPTY
from imapd.session import images as module
from imapd.session.image import Image
from imapd.session.images import Images
from tests.dialogue import Dialogue, Server, letter

_ROW = re.compile(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\)\)")


def _all(server: Server, mailbox: str = "INBOX") -> list[tuple[object, ...]]:
    r"""Every message that a client finds, with its flags, but for \Recent, and its modseq."""
    client = server.login()
    client.ok(f"SELECT {mailbox} (CONDSTORE)")
    told = client.do("FETCH 1:* (UID FLAGS MODSEQ)")
    client.hang_up()
    return [
        (number, uid, set(flags.split()) - {b"\\Recent"}, modseq)
        for number, uid, flags, modseq in _ROW.findall(told)
    ]


@pytest.fixture
def client(anywhere: Server) -> Dialogue:
    """Somebody who sends messages and selects nothing."""
    client = anywhere.login()
    client.append(*map(letter, "abc"), flags="\\Seen $Work")
    return client.append(letter("d"))


def _other(server: Server) -> Server:
    """Another process over the same store."""
    return Server(server.store, clock=server.clock, pump=server._pump)


def test_nothing_is_read(
    client: Dialogue, anywhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in is known; the same is found where it must be read."""
    read = _all(_other(anywhere))

    def never(*arguments: object) -> None:
        raise AssertionError("the mailbox was read")

    monkeypatch.setattr(Image, "load", never)
    known = _all(anywhere)
    assert known == read
    assert [row[1] for row in known] == [b"1", b"2", b"3", b"4"]
    assert known[0][2] == {b"\\Seen", b"$Work"}
    assert known[3][2] == set()


def test_copies(client: Dialogue, anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is with messages that were copied, and moved."""
    client.select()
    client.ok("CREATE Copies")
    client.ok("COPY 1:2 Copies")
    client.ok("MOVE 4 Copies")
    read = _all(_other(anywhere), "Copies")
    monkeypatch.delattr(Image, "load")
    assert len(read) == 3
    assert _all(anywhere, "Copies") == read


def test_what_others_do_meanwhile(client: Dialogue, anywhere: Server) -> None:
    """Flags, removals and messages of another process, before this one has selected it."""
    other = _other(anywhere).login()
    other.select()
    other.ok("STORE 2 FLAGS (\\Deleted)")
    other.ok("STORE 3 +FLAGS (\\Flagged)")
    other.ok("EXPUNGE")
    other.append(letter("e"))
    other.hang_up()
    client.append(letter("f"))
    found = _all(anywhere)
    assert found == _all(_other(anywhere))
    assert [row[1] for row in found] == [b"1", b"3", b"4", b"5", b"6"]


def test_a_name_that_is_used_again(client: Dialogue, anywhere: Server) -> None:
    """A new mailbox of the name of a deleted one has nothing of it."""
    client.ok("CREATE Brief")
    client.ok("APPEND Brief", letter("x"))
    client.ok("DELETE Brief")
    client.ok("CREATE Brief")
    assert _all(anywhere, "Brief") == []


def test_resynchronized(client: Dialogue, anywhere: Server) -> None:
    """Who was told of a part is told of what came after it (RFC 7162, 3.2.5)."""
    other = _other(anywhere).login()
    told = other.ok("SELECT INBOX")
    other.hang_up()
    validity = re.search(rb"UIDVALIDITY (\d+)", told)
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", told)
    assert validity is not None
    assert modseq is not None
    client.append(letter("e"), flags="\\Answered")
    back = anywhere.login()
    back.ok("ENABLE QRESYNC")
    news = back.ok(f"SELECT INBOX (QRESYNC ({validity[1].decode()} {modseq[1].decode()}))")
    assert re.findall(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\)", news) in (
        [(b"5", b"5", b"\\Answered")],
        [(b"5", b"5", b"\\Answered \\Recent")],
    )


def test_too_many(client: Dialogue, anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody selects takes no memory for ever: the oldest are forgotten, but for the last two."""
    monkeypatch.setattr(module, "_KEPT_MESSAGES", 6)
    known = anywhere.factory.policy.images.known

    def id_of(mailbox: str) -> str:
        return _id(client, mailbox)

    for name in ("one", "two"):
        client.ok(f"CREATE {name}")
        client.ok(f"APPEND {name}", letter(name))
    assert known(id_of("INBOX")) is not None
    client.ok("APPEND two", letter("more"))
    assert known(id_of("INBOX")) is None
    for _ in range(5):
        client.ok("APPEND two", letter("many"))
    assert None not in (known(id_of("one")), known(id_of("two")))
    assert [len(_all(anywhere, name)) for name in ("INBOX", "one", "two")] == [4, 1, 7]


def _id(client: Dialogue, mailbox: str) -> str:
    found = re.search(rb"MAILBOXID \(F([^)]+)\)", client.do(f"STATUS {mailbox} (MAILBOXID)"))
    assert found is not None
    return found[1].decode()


def _noted(images: Images, id: str, *uids: int, since: int = 0, came: tuple[int, ...] = ()) -> None:
    flags = [interned(())] * len(uids)
    changes = Changes(since, since + 1, uids, flags, [since + 1] * len(uids), EMPTY)
    images.note(id, changes, came or uids)


def test_changes_of_others_among_them(server: Server) -> None:
    """Where a change tells of more than what came, it does not tell of all there is."""
    images = server.factory.policy.images
    _noted(images, "wide", 1, 10, since=5, came=(10,))
    assert images.known("wide") is None
    _noted(images, "late", 10, since=5)
    assert images.known("late") is None
    _noted(images, "new", 1, 2, since=5)
    assert images.known("new") is not None


def test_those_in_use_stay(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that was selected is not forgotten for such as never were."""
    monkeypatch.setattr(module, "_KEPT_IMAGES", 3)
    images = server.factory.policy.images
    client = server.client()
    client.fill(1).select()
    client.ok("UNSELECT")
    used = _id(client, "INBOX")
    for number in range(9):
        _noted(images, f"new {number}", 1)
    assert images.known(used) is not None
    new = [images.known(f"new {number}") for number in range(9)]
    assert new[:7] == [None] * 7
    assert None not in new[7:]


class _Session:
    """One that has a mailbox selected."""

    def __init__(self, mailbox: Any) -> None:
        self.mailbox = mailbox

    def changed(self) -> None:
        """It hears nothing here."""


def test_two_at_a_mailbox_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first selects is not forgotten, though another waited for it too, and left at once."""
    loading: Deferred[None] = Deferred()

    async def load(self: Image, mailbox: Any, turn: Any) -> None:
        await loading

    async def soon() -> None:
        """It is always soon."""

    async def come_and_go() -> None:
        images.leave(await images.join(mailbox, second), second)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "load", load)
    monkeypatch.setattr(module, "_KEPT_IMAGES", 2)
    images, mailbox = Images(soon), SimpleNamespace(id="shared")
    first, second = _Session(mailbox), _Session(mailbox)
    joining = Deferred.fromCoroutine(images.join(mailbox, first))  # type: ignore[arg-type]
    Deferred.fromCoroutine(come_and_go())
    loading.callback(None)
    for number in range(9):
        _noted(images, f"new {number}", 1)
    assert images.known("shared") is joining.result
