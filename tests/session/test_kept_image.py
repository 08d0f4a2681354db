"""A large mailbox that a process opens for the first time, when another has had it open before."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from imapd.model.numset import NumSet
from imapd.session import image, kept_image
from imapd.session.block_pieces import LAST
from imapd.session.image import Image
from imapd.store.answers import settled
from tests.dialogue import Dialogue, Server, letter

_ROW = re.compile(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\)\)")


def _all(client: Dialogue) -> list[tuple[object, ...]]:
    r"""Every message with its flags, but for \Recent, and its modseq."""
    told = client.do("FETCH 1:* (UID FLAGS MODSEQ)")
    return [
        (number, uid, set(flags.split()) - {b"\\Recent"}, modseq)
        for number, uid, flags, modseq in _ROW.findall(told)
    ]


@pytest.fixture
def kept(anywhere: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """One where mailboxes of four messages are large, and five changes many."""
    monkeypatch.setattr(kept_image, "WORTH_KEEPING", 4)
    monkeypatch.setattr(kept_image, "_TOGETHER", 3)
    monkeypatch.setattr(image, "_WORTH_KEEPING", 5)
    client = anywhere.login()
    client.append(*map(letter, "abcdefgh"), flags="\\Seen $Work")
    client.select()
    client.ok("STORE 2,5 FLAGS (\\Flagged other)")
    return anywhere


def _process(server: Server) -> Server:
    """Another one over the same store."""
    return Server(server.store, clock=server.clock, pump=server._pump)


def _found(server: Server) -> list[tuple[object, ...]]:
    """What a client of another process finds."""
    client = _process(server).login()
    client.ok("SELECT INBOX (CONDSTORE)")
    told = _all(client)
    client.hang_up()
    return told


def _never(*arguments: object) -> None:
    raise AssertionError("all of it was read")


def _keeping(client: Dialogue, server: Server, octets: bytes) -> None:
    mailbox = client.protocol.session.selected.mailbox

    async def keep() -> None:
        await settled(mailbox.keep_blocks({("image 1", LAST): octets}, NumSet.of(LAST)))

    server.wait(keep())


def test_it_is_not_read_again(kept: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept, and what happened since, is all that there is."""
    _found(kept)
    monkeypatch.setattr(Image, "_read", _never)
    client = kept.login()
    client.ok("SELECT INBOX (CONDSTORE)")
    client.ok("STORE 1,2 +FLAGS.SILENT (\\Answered new)")
    client.ok("STORE 4 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    client.append(letter("i"))
    client.ok("NOOP")
    assert _found(kept) == _all(client)


def test_after_many_changes(kept: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept as it is then: the next process has nothing to catch up with."""
    _found(kept)
    client = kept.login()
    client.ok("SELECT INBOX (CONDSTORE)")
    for number in range(1, 9):
        client.ok(f"STORE {number} +FLAGS.SILENT (k{number})")
    told = _all(client)
    monkeypatch.setattr(Image, "_read", _never)
    assert len(told) == 8
    assert _found(kept) == told
    monkeypatch.setattr(kept_image, "keep", _never)
    assert _found(kept) == told


def test_after_one_change_of_more_than_is_remembered(
    kept: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept as it is then, once."""
    _found(kept)
    client = kept.login()
    client.ok("SELECT INBOX (CONDSTORE)")
    client.ok("STORE 1:* +FLAGS.SILENT (all)")
    monkeypatch.setattr(image, "_LOG_MOST", 3)
    times = []
    keep = kept_image.keep

    async def counted(*arguments: Any) -> None:
        times.append(arguments)
        await keep(*arguments)

    monkeypatch.setattr(kept_image, "keep", counted)
    assert _found(kept) == _found(kept) == _all(client)
    assert len(times) == 1


@pytest.mark.parametrize("octets", [b"", b"x" * 3, b"x" * 500])
def test_damaged(kept: Server, octets: bytes) -> None:
    """What is not as it was written is as good as lost."""
    told = _found(kept)
    client = kept.login().select()
    _keeping(client, kept, octets)
    assert _found(kept) == told


def test_of_another_mailbox(kept: Server) -> None:
    """What cannot be, by the number of messages, or of a modseq that is not reached, is not believed."""
    client = kept.login()
    client.ok("CREATE other")
    client.append(*map(letter, "abcd"), mailbox="other")
    _found(kept)
    mailbox = client.select().protocol.session.selected.mailbox
    blocks: dict[int, bytes] = {}

    async def read() -> None:
        blocks.update(await settled(mailbox.kept_blocks("image 1", NumSet.of(LAST))))

    kept.wait(read())
    client.select("other")
    _keeping(client, kept, blocks[LAST])
    other = _process(kept).login()
    assert b"* 4 EXISTS" in other.do("SELECT other")
    other.hang_up()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens(kept: Server, seed: int) -> None:
    """Between any changes, a new process finds what one finds that was there all the time."""
    chance = random.Random(seed)
    client = kept.login()
    client.ok("SELECT INBOX (CONDSTORE)")
    for _ in range(12):
        for _ in range(chance.randrange(4)):
            count = len(client.do("SEARCH ALL").split(b"\r\n")[0].split()) - 2
            number = chance.randint(1, max(1, count))
            what = chance.randrange(4)
            if what == 0 or not count:
                client.append(letter("new"), flags=chance.choice(["", "\\Seen", "x y"]))
                client.ok("NOOP")
            elif what == 1:
                client.ok(f"STORE {number} FLAGS.SILENT ({chance.choice(['', 'x', 'Later'])})")
            elif what == 2:
                client.ok(f"STORE {number}:* +FLAGS.SILENT (\\Answered)")
            else:
                client.ok(f"STORE {number} +FLAGS.SILENT (\\Deleted)")
                client.ok("EXPUNGE")
        assert _found(kept) == _all(client)
