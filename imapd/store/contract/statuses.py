"""The figures of many mailboxes at once; skipped for a store that tells them one at a time."""

from __future__ import annotations

from attrs import evolve
from zope.interface.verify import verifyObject

from imapd.store.answers import settled
from imapd.store.contract.sessions import provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.statuses import IOpenedStatus, IStatuses

__all__ = ["Statuses"]


class Statuses(Subject):
    """They are those of each alone."""

    @promise
    async def test_statuses_are_those_of_each(self) -> None:
        """Whatever happened a moment ago, and from wherever."""
        session, other = await self.session(), await self.session()
        statuses: IStatuses = provided(IStatuses, session.account)
        assert verifyObject(IStatuses, statuses)
        names = ["INBOX", "work", "work/reports"]
        boxes = [await session.open("INBOX"), *[await session.make(name) for name in names[1:]]]
        for number, box in enumerate(boxes):
            for _ in range(number + 1):
                await box.add()
            found = await settled(statuses.statuses(names))
            assert list(found) == names
            for name in names:
                alone = await other.open(name)
                status = await alone.status()
                assert found[name] == evolve(status, mailbox_id=alone.id)
        await boxes[2].flag((await boxes[2].uids())[:2], "\\Seen")
        await (await other.open("work")).remove((await boxes[1].uids())[0])
        found = await settled(statuses.statuses(names))
        assert [each.unseen for each in found.values()] == [1, 1, 1]
        assert [each.messages for each in found.values()] == [1, 1, 3]

    @promise
    async def test_status_of_what_is_opened(self) -> None:
        """Opening a mailbox again, whoever does, tells what has happened until then."""
        session, other = await self.session(), await self.session()
        made = await session.make("work")
        for number in range(3):
            box = await other.open("work")
            told: IOpenedStatus = provided(IOpenedStatus, box.mailbox)
            assert verifyObject(IOpenedStatus, told)
            assert told.opened_status == await settled(box.mailbox.status())
            assert told.opened_status.messages == number
            await made.add()

    @promise
    async def test_statuses_of_what_there_is(self) -> None:
        """Names that are no mailbox, or were one, are left out; no name is a fault."""
        session = await self.session()
        statuses: IStatuses = provided(IStatuses, session.account)
        await session.make("a/b")
        await session.make("gone")
        await session.delete("gone")
        await session.delete("a")
        names = ["a", "a/b", "gone", "nothing", "", "\0", "\ud800", "x" * 5_000]
        assert list(await settled(statuses.statuses(names))) == ["a/b"]
        assert await settled(statuses.statuses([])) == {}
