"""watch: a hint after each change.  Hints may be merged or repeated, so only their effect is tested."""

from __future__ import annotations

import threading

from twisted.internet.defer import Deferred

from imapd.model.mailbox import Hint
from imapd.store.answers import settled
from imapd.store.contract.sessions import Box
from imapd.store.contract.subject import Subject, promise

__all__ = ["Watching"]


class Watching(Subject):
    """Who watches is told where to look."""

    async def _told(self, hints: list[Hint], *boxes: Box | None) -> None:
        """The hints tell of the present state of each box, or of the list (None); then forget them."""
        await settled(self.settle())
        for box in boxes:
            modseqs = [hint.modseq for hint in hints if hint.mailbox_id == (box.id if box else "")]
            assert modseqs, "there was no hint"
            assert box is None or max(modseqs) == await box.modseq()
        hints.clear()

    @promise
    async def test_watch_messages(self) -> None:
        """Append, flags and expunge are each followed by a hint with the new modseq."""
        session = await self.session()
        box = await session.open("INBOX")
        hints, _ = session.watch()
        uids = await box.add(2)
        await self._told(hints, box)
        await box.flag(uids, "\\Deleted")
        await self._told(hints, box)
        await box.expunge()
        await self._told(hints, box)

    @promise
    async def test_watch_any_mailbox(self) -> None:
        """A hint names the mailbox that changed, open or not."""
        session, other = await self.session(), await self.session()
        hints, _ = session.watch()
        box = await other.make("elsewhere")
        await box.add()
        await self._told(hints, box)

    @promise
    async def test_watch_every_session(self) -> None:
        """Each session of the user is told, the one that made the change too."""
        first, second = await self.session(), await self.session()
        (mine, _), (theirs, _) = first.watch(), second.watch()
        box = await first.open("INBOX")
        await box.add()
        await self._told(mine, box)
        await self._told(theirs, await second.open("INBOX"))

    @promise
    async def test_watch_copy(self) -> None:
        """The destination of a copy is told of."""
        session = await self.session()
        source, destination = await session.make("source"), await session.make("destination")
        uids = await source.add()
        hints, _ = session.watch()
        await source.copy(uids, destination)
        await self._told(hints, destination)

    @promise
    async def test_watch_move(self) -> None:
        """Both sides of a move are told of."""
        session = await self.session()
        source, destination = await session.make("source"), await session.make("destination")
        uids = await source.add()
        hints, _ = session.watch()
        await source.move(uids, destination)
        await self._told(hints, source, destination)

    @promise
    async def test_watch_names(self) -> None:
        """CREATE, RENAME, SUBSCRIBE and DELETE are each followed by a hint that names no mailbox."""
        session, other = await self.session(), await self.session()
        hints, _ = other.watch()
        await session.create("one")
        await self._told(hints, None)
        await session.rename("one", "two")
        await self._told(hints, None)
        await session.subscribe("two")
        await self._told(hints, None)
        await session.delete("two")
        await self._told(hints, None)

    @promise
    async def test_watch_rename_of_inbox(self) -> None:
        """The list has changed, and so has INBOX."""
        session = await self.session()
        inbox = await session.open("INBOX")
        await inbox.add()
        hints, _ = session.watch()
        await session.rename("INBOX", "old")
        await self._told(hints, inbox, None)

    @promise
    async def test_watch_the_end(self) -> None:
        """Who has ended the watch is told nothing more; to end it twice is no error."""
        session = await self.session()
        hints, end = session.watch()
        others, _ = session.watch()
        end()
        end()
        box = await session.open("INBOX")
        await box.add()
        await self._told(others, box)
        assert hints == []

    @promise
    async def test_watch_the_change_is_there_when_the_hint_comes(self) -> None:
        """Who looks as soon as it is told sees at least what it was told of."""
        session = await self.session()
        box = await session.open("INBOX")
        looks: list[Deferred[tuple[int, int]]] = []

        async def look(hint: Hint) -> tuple[int, int]:
            return hint.modseq, (await box.status()).highest_modseq

        end = session.account.watch(
            lambda hint: (
                looks.append(Deferred.fromCoroutine(look(hint)))
                if hint.mailbox_id == box.id
                else None
            )
        )
        uids = await box.add(2)
        await box.flag(uids, "\\Seen")
        await settled(self.settle())
        end()
        assert looks
        for waiting in looks:
            told, found = await waiting
            assert told <= found

    @promise
    async def test_watch_the_thread(self) -> None:
        """Callbacks come on the reactor's thread."""
        session = await self.session()
        threads: set[int] = set()
        session.account.watch(lambda hint: threads.add(threading.get_ident()))
        await (await session.open("INBOX")).add()
        await settled(self.settle())
        assert threads == {threading.get_ident()}
