"""Ids of messages and threads (RFC 8474): skipped without IObjectIDs, and without IThreads."""

from __future__ import annotations

from attrs import evolve

from imapd.model.message import EMAIL_ID, THREAD_ID
from imapd.store.answers import settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import Box, Session, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.interfaces import (
    IObjectIDs,
    IServerCopy,
    IServerMove,
    IServerReplace,
    IThreads,
)

__all__ = ["Identity"]

_A, _B, _C, _D = (letter * 16 for letter in (b"a", b"b", b"c", b"d"))


async def _emails(box: Box) -> dict[int, bytes]:
    return await box.column(EMAIL_ID)


async def _join(box: Box, *messages: tuple[int, list[bytes]]) -> list[bytes]:
    return list(await settled(provided(IThreads, box.mailbox).join_threads(messages)))


class Identity(Subject):
    """An id says that two messages are one, wherever they are."""

    async def _session(self) -> Session:
        session = await self.session()
        provided(IObjectIDs, session.account)
        return session

    @promise
    async def test_email_ids_differ(self) -> None:
        """Each message has an id of its own, also if another has the same octets."""
        box = await (await self._session()).open("INBOX")
        await box.add(3)
        found = await _emails(box)
        assert len(set(found.values())) == 3
        assert all(isinstance(each, bytes) and 0 < len(each) <= 100 for each in found.values())

    @promise
    async def test_email_id_of_copies(self) -> None:
        """A copy has the id of its source, in the same mailbox and in another."""
        session = await self._session()
        box, other = await session.open("INBOX"), await session.make("other")
        provided(IServerCopy, box.mailbox)
        uids = await box.add(2)
        before = await _emails(box)
        inside, outside = await box.copy(uids, box), await box.copy(uids, other)
        after, others = await _emails(box), await _emails(other)
        assert [after[uid] for uid in uids] == [before[uid] for uid in uids]
        assert [after[uid] for uid in inside.uids] == [before[uid] for uid in inside.sources]
        assert [others[uid] for uid in outside.uids] == [before[uid] for uid in outside.sources]

    @promise
    async def test_email_id_of_moved(self) -> None:
        """A message that was moved keeps its id, and so do those of INBOX when that is renamed."""
        session = await self._session()
        box, other = await session.open("INBOX"), await session.make("other")
        provided(IServerMove, box.mailbox)
        uids = await box.add(2)
        before = await _emails(box)
        moved = await box.move(uids[:1], other)
        assert await _emails(other) == {moved.uids[0]: before[uids[0]]}
        await session.rename("INBOX", "old")
        assert list((await _emails(await session.open("old"))).values()) == [before[uids[1]]]

    @promise
    async def test_ids_that_are_given(self) -> None:
        """A copy that is appended has the ids it is given, and keeps them; another gets its own."""
        session = await self._session()
        box = await session.open("INBOX")
        given = evolve(letter("copy").new(), email_id=_A, thread_id=_B)
        appended = await settled(box.mailbox.append([letter("own").new(), given]))
        own, copy = appended.uids
        found = await _emails(box)
        assert found[copy] == _A
        assert found[own] not in (_A, None)
        if IThreads(box.mailbox, None) is not None:
            assert await box.column(THREAD_ID) == {own: None, copy: _B}
        if IServerCopy(box.mailbox, None) is not None:
            copied = await box.copy([copy], await session.make("other"))
            assert await _emails(await session.open("other")) == {copied.uids[0]: _A}

    @promise
    async def test_id_of_what_replaces(self) -> None:
        """What takes the place of a message has the ids it is given, too."""
        box = await (await self._session()).open("INBOX")
        able = provided(IServerReplace, box.mailbox)
        one, two = await box.add(2)
        given = evolve(letter("new").new(), email_id=_A)
        copied = await settled(able.replace(one, given, box.mailbox))
        found = await _emails(box)
        assert found[copied.uids[0]] == _A
        assert found[two] != _A

    @promise
    async def test_email_id_stays(self) -> None:
        """Nothing that happens to a message changes its id, nor a new name of its mailbox."""
        session = await self._session()
        box = await session.make("box")
        uids = await box.add(2)
        before = await _emails(box)
        await box.flag(uids, "\\Seen")
        await session.rename("box", "cube")
        assert await _emails(await session.open("cube")) == before

    @promise
    async def test_threads_are_joined_by_keys(self) -> None:
        """Messages that have a key in common are of one thread, in all mailboxes of the account."""
        session = await self._session()
        box, other = await session.open("INBOX"), await session.make("other")
        one, two, three = await box.add(3)
        (four,) = await other.add(1)
        first, alone = await _join(box, (one, [_A]), (two, [_D]))
        assert first != alone
        assert await _join(box, (three, [_B, _A])) == [first]
        assert await _join(other, (four, [_C, _B])) == [first]
        assert await box.column(THREAD_ID) == {one: first, two: alone, three: first}
        assert await other.column(THREAD_ID) == {four: first}

    @promise
    async def test_threads_stay(self) -> None:
        """A thread that was told stays, though a later message belongs to two."""
        box = await (await self._session()).open("INBOX")
        one, two, three = await box.add(3)
        first, second = await _join(box, (one, [_A]), (two, [_B]))
        assert await _join(box, (three, [_C, _B, _A])) == [second]
        assert await _join(box, (one, [_A]), (three, [_C, _A])) == [first, second]

    @promise
    async def test_threads_nobody_asked_for(self) -> None:
        """A message that nobody asked for has no thread yet."""
        box = await (await self._session()).open("INBOX")
        provided(IThreads, box.mailbox)
        (uid,) = await box.add()
        assert await box.column(THREAD_ID) == {uid: None}

    @promise
    async def test_thread_of_copies(self) -> None:
        """A copy is of the thread of its source."""
        box = await (await self._session()).open("INBOX")
        provided(IServerCopy, box.mailbox)
        (uid,) = await box.add()
        (thread,) = await _join(box, (uid, [_A]))
        copied = await box.copy([uid], box)
        assert (await box.column(THREAD_ID))[copied.uids[0]] == thread

    @promise
    async def test_threads_of_users_are_apart(self) -> None:
        """What one user's mail says of threads, another's does not know."""
        mine = await (await self._session()).open("INBOX")
        theirs = await self.inbox(self.other_user)
        (one,), (two,) = await mine.add(), await theirs.add()
        (thread,) = await _join(mine, (one, [_B, _A]))
        assert await _join(theirs, (two, [_C, _B])) != [thread]

    @promise
    async def test_reopen_ids(self) -> None:
        """Ids of messages and of threads outlive the process, and so does what joins threads."""
        box = await (await self._session()).open("INBOX")
        uids = await box.add(3)
        await _join(box, (uids[0], [_B, _A]))
        known = await _emails(box), await box.column(THREAD_ID)
        await self.restart()
        box = await self.inbox()
        assert (await _emails(box), await box.column(THREAD_ID)) == known
        assert await _join(box, (uids[1], [_C, _B])) == [known[1][uids[0]]]
