"""An index of the texts; skipped without ITextIndex, and without ITextIndexing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from imapd.mime.parse import parse
from imapd.model.flags import DELETED, FlagChange
from imapd.model.text import Place, Sought, Told
from imapd.query.fold import fold
from imapd.query.text import MessageText, header_text
from imapd.store.answers import each, settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import Box, Session, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IServerCopy, IServerMove, ITextIndex, ITextIndexing

__all__ = ["Telling"]

_LAST: Final = (1 << 32) - 1
_BODIES: Final = (
    b"How are you?\r\n",
    b"The deadline is tomorrow.\r\n",
    "Überm\xe4\xdfig: caf\xe9, \u65e5\u672c\u8a9e and \u0394\u03b5\u03bb\u03c4\u03b1.\r\n".encode(),
    b"x" * 3_000 + b"deadline" + b"y" * 3_000 + b"\r\n",
    b"dead-line dead\r\nline\r\n",
    b"",
)
_STRINGS: Final = (
    "deadline", "DEADLINE", "adlin", "dead", "dead-line", "the deadline", "deadline is", "line\r\n",
    "xdead", "x" * 40, "x" * 17 + "deadline" + "y" * 17,
    "CAF\xc9", "\u672c", "\u672c\u8a9e", "-", "example.com", "subject: n", "n1", "nowhere",
)  # fmt: skip
_PLACES: Final = ((Place.HEADER,), (Place.PARTS, Place.BODY), (Place.BODY,))


async def _told(box: Box, sought: Sought, low: int = 1, high: int = _LAST) -> list[Told]:
    index = provided(ITextIndex, box.mailbox)
    return [told async for told in each(index.told(sought, low, high))]


async def _texts(box: Box, uid: int) -> dict[Place, Sequence[str]]:
    octets = await box.octets(uid)
    text = MessageText(octets, parse(octets))
    header = header_text(octets[: text.part.body_start])
    return {
        Place.HEADER: [header],
        Place.PARTS: text.part_headers(),
        Place.BODY: list(text.bodies()),
    }


def _meets(texts: dict[Place, Sequence[str]], sought: Sought) -> bool:
    return any(
        all(string in text for string in sought.strings)
        for place in sought.places
        for text in texts[place]
    )


async def _check(box: Box, everything: bool) -> None:
    """Whatever is told is so; and all is told of, if everything is indexed."""
    texts = {uid: await _texts(box, uid) for uid in await box.uids()}
    for string in _STRINGS:
        for places in _PLACES:
            sought = Sought(places, (fold(string),))
            told = await _told(box, sought)
            known = [uid for some in told for uid in some.uids]
            assert known == sorted(set(known)), "not in ascending order, or one twice"
            if everything and string == "deadline":
                assert set(known) >= texts.keys(), "not all are indexed"
            for some in told:
                for uid in texts.keys() & set(some.uids):
                    met = _meets(texts[uid], sought)
                    if uid in some.holds:
                        assert met, f"{uid} does not have {string!r}"
                    elif uid not in some.may:
                        assert not met, f"{uid} has {string!r}"


async def _filled(session: Session) -> Box:
    box = await session.open("INBOX")
    provided(ITextIndex, box.mailbox)
    await box.append(*(letter(f"n{place}", body=body) for place, body in enumerate(_BODIES)))
    return box


async def _index(session: Session, again: bool = False) -> None:
    """Everything, for stores that do it when they are asked to."""
    indexing = ITextIndexing(session.account, None)
    if indexing is not None:
        await settled(indexing.index_texts(again))


class Telling(Subject):
    """What an index tells is so; what it does not know, it does not tell."""

    @promise
    async def test_told_is_so(self) -> None:
        """Before anything was indexed, and after: of no message anything false is told."""
        session = await self.session()
        box = await _filled(session)
        await _check(box, everything=False)
        await _index(session)
        await _check(box, everything=True)

    @promise
    async def test_told_of_what_came_later(self) -> None:
        """Messages that come one after the other are told of when they are indexed."""
        session = await self.session()
        box = await _filled(session)
        await _index(session)
        for number in range(20):
            await box.append(letter(f"later{number}", body=b"deadline %d\r\n" % number))
            if number % 3 == 0:
                await _index(session)
        await _check(box, everything=False)
        await _index(session)
        await _check(box, everything=True)

    @promise
    async def test_told_of_what_is_left(self) -> None:
        """After an expunge the others are told of, and what came since."""
        session = await self.session()
        box = await _filled(session)
        await _index(session)
        uids = await box.uids()
        for gone in (uids[1:2], uids[2:]):
            await box.store(FlagChange.ADD, gone, DELETED)
            await box.expunge(gone)
            await box.append(letter("later", body=b"deadline\r\n"))
            await _index(session)
            await _check(box, everything=True)

    @promise
    async def test_told_of_copies(self) -> None:
        """A copied or moved message is told of where it is now."""
        session = await self.session()
        box = await _filled(session)
        other = await session.make("other")
        provided(IServerCopy, box.mailbox)
        provided(IServerMove, box.mailbox)
        await _index(session)
        uids = await box.uids()
        await box.copy(uids[:2], other)
        await box.move(uids[1:3], other)
        await _check(other, everything=False)
        await _index(session)
        await _check(box, everything=True)
        await _check(other, everything=True)

    @promise
    async def test_told_of_a_range(self) -> None:
        """Who asks for some UIDs hears of them; who asks for none that exist may hear of none."""
        session = await self.session()
        box = await _filled(session)
        await _index(session)
        uids = await box.uids()
        sought = Sought((Place.BODY,), ("deadline",))
        everything = {uid for told in await _told(box, sought) for uid in told.uids}
        some = {uid for told in await _told(box, sought, uids[1], uids[2]) for uid in told.uids}
        assert everything & set(uids[1:3]) <= some
        assert await _told(box, sought, uids[-1] + 1, _LAST) == []

    @promise
    async def test_told_after_a_rename(self) -> None:
        """The index goes along with its mailbox; one made under the old name has its own."""
        session = await self.session()
        box = await session.make("before")
        provided(ITextIndex, box.mailbox)
        await box.append(letter("n1", body=b"deadline\r\n"))
        await _index(session)
        await session.rename("before", "after")
        again = await session.make("before")
        await again.append(letter("n2", body=b"nothing\r\n"))
        await _check(again, everything=False)
        await _index(session)
        await _check(await session.open("after"), everything=True)
        await _check(again, everything=True)

    @promise
    async def test_told_of_a_deleted_mailbox(self) -> None:
        """Nothing is told of a mailbox that is no more."""
        session = await self.session()
        box = await session.make("gone")
        provided(ITextIndex, box.mailbox)
        await box.append(letter("n1", body=b"deadline\r\n"))
        await _index(session)
        await session.delete("gone")
        with pytest.raises(NoSuchMailbox):
            await _told(box, Sought((Place.BODY,), ("deadline",)))
        await _index(session)

    @promise
    async def test_told_after_a_restart(self) -> None:
        """What is kept is good the next time; what is not, is made again."""
        session = await self.session()
        await _filled(session)
        await _index(session)
        await self.restart()
        session = await self.session()
        box = await session.open("INBOX")
        await _check(box, everything=False)
        await _index(session)
        await _check(box, everything=True)

    @promise
    async def test_indexing_progress(self) -> None:
        """How many messages of each mailbox are indexed can be seen; it can be made again."""
        session = await self.session()
        indexing = provided(ITextIndexing, session.account)
        box = await _filled(session)
        other = await session.make("other")
        await other.add(2)
        for again in (False, True):
            await _index(session, again)
            told = await settled(indexing.text_progress())
            found = {each.name: (each.messages, each.indexed) for each in told.mailboxes}
            count = len(_BODIES)
            assert found == {"INBOX": (count, count), "other": (2, 2)}
            assert told.octets > 0
        await _check(box, everything=True)
        await box.add()
        told = await settled(indexing.text_progress())
        (inbox,) = (each for each in told.mailboxes if each.name == "INBOX")
        assert inbox.messages == count + 1
        assert inbox.indexed in (count, count + 1)
