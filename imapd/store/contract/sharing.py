"""What a store keeps of sharing: skipped for one without `IShareable`."""

from __future__ import annotations

import pytest

from imapd.model.numset import NumSet
from imapd.model.rights import RightsChange, letters, rights
from imapd.store.access import IShareable, Mark, Offer
from imapd.store.answers import settled
from imapd.store.contract.sessions import Box, Session, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox

__all__ = ["Sharing"]

_REPLACE = RightsChange.REPLACE


async def _share(session: Session, name: str, identifier: str, text: str) -> Box:
    able: IShareable = provided(IShareable, session.account)
    box = await session.open(name)
    await settled(able.change_acl(box.id, identifier, _REPLACE, rights(text)))
    return box


async def _acl(session: Session, box: Box) -> dict[str, str]:
    able: IShareable = provided(IShareable, session.account)
    acl = await settled(able.acl(box.id))
    return {identifier: letters(each) for identifier, each in acl.items()}


async def _acls(session: Session) -> dict[str, dict[str, str]]:
    able: IShareable = provided(IShareable, session.account)
    return {
        id: {identifier: letters(each) for identifier, each in acl.items()}
        for id, acl in await settled(able.acls())
        if acl
    }


class Sharing(Subject):
    """ACLs, marks and offers are kept where their mailbox is."""

    @promise
    async def test_acl_changes(self) -> None:
        """Rights are set, added and taken, one identifier at a time; none left is none kept."""
        session = await self.session()
        able: IShareable = provided(IShareable, session.account)
        box = await _share(session, "INBOX", "bob", "lr")
        await _share(session, "INBOX", "-\u00e9 %", "k")
        await settled(able.change_acl(box.id, "bob", RightsChange.ADD, rights("sr")))
        assert await _acl(session, box) == {"bob": "lrs", "-\u00e9 %": "kc"}
        await settled(able.change_acl(box.id, "bob", RightsChange.REMOVE, rights("rx")))
        await settled(able.change_acl(box.id, "-\u00e9 %", RightsChange.REMOVE, rights("k")))
        assert await _acl(session, box) == {"bob": "ls"}
        assert await _acls(session) == {box.id: {"bob": "ls"}}
        await settled(able.change_acl(box.id, "bob", _REPLACE, rights("")))
        assert await _acls(session) == {}

    @promise
    async def test_acl_is_of_the_mailbox(self) -> None:
        """Another session has it too; another mailbox and another user do not."""
        session = await self.session()
        box = await _share(session, "INBOX", "bob", "lr")
        assert await _acl(await self.session(), box) == {"bob": "lr"}
        other = await session.make("other")
        assert await _acl(session, other) == {}
        assert await _acls(await self.session(self.other_user)) == {}

    @promise
    async def test_acl_moves_along(self) -> None:
        """RENAME keeps the ACLs of a mailbox and of those below it."""
        session = await self.session()
        await session.make("a/b")
        box = await _share(session, "a/b", "bob", "lr")
        await settled(session.account.rename("a", "c"))
        assert await _acl(session, await session.open("c/b")) == {"bob": "lr"}
        assert (await session.open("c/b")).id == box.id

    @promise
    async def test_acl_of_a_new_mailbox(self) -> None:
        """CREATE takes the ACL of the nearest mailbox above; later changes there are not its own."""
        session = await self.session()
        await session.make("a")
        await _share(session, "a", "bob", "lrk")
        await session.make("a/b/c")
        await _share(session, "a", "bob", "l")
        for name in ("a/b", "a/b/c"):
            assert await _acl(session, await session.open(name)) == {"bob": "lrkc"}
        assert await _acl(session, await session.make("d")) == {}

    @promise
    async def test_acl_goes_with_the_mailbox(self) -> None:
        """DELETE forgets ACL and marks; a mailbox of that name begins without."""
        session = await self.session()
        await session.make("a")
        box = await _share(session, "a", "bob", "lr")
        able: IShareable = provided(IShareable, session.account)
        await settled(able.mark(box.id, "bob", NumSet.of(1), True))
        await settled(session.account.delete("a"))
        assert await _acls(session) == {}
        assert await _acl(session, box) == {}
        assert list(await settled(able.marks(box.id, "bob", 0))) == []
        with pytest.raises(NoSuchMailbox):
            await settled(able.change_acl(box.id, "bob", _REPLACE, rights("l")))
        with pytest.raises(NoSuchMailbox):
            await settled(able.mark(box.id, "bob", NumSet.of(1), True))
        assert await _acl(session, await session.make("a")) == {}

    @promise
    async def test_marks(self) -> None:
        """Marks of each user are kept in their order, with the modseq that the mailbox had."""
        session = await self.session()
        able: IShareable = provided(IShareable, session.account)
        box = await session.open("INBOX")
        first = await box.modseq()
        await settled(able.mark(box.id, "bob", NumSet.of(1, 2, 9), True))
        await settled(able.mark(box.id, "carol", NumSet.of(2), True))
        await box.add(2)
        second = await box.modseq()
        await settled(able.mark(box.id, "bob", NumSet.of(2), False))
        marks = [Mark(first, NumSet.of(1, 2, 9), True), Mark(second, NumSet.of(2), False)]
        assert list(await settled(able.marks(box.id, "bob", 0))) == marks
        assert list(await settled(able.marks(box.id, "bob", 1))) == marks[1:]
        assert list(await settled(able.marks(box.id, "bob", 2))) == []
        assert list(await settled(able.marks(box.id, "dave", 0))) == []
        assert await box.modseq() == second

    @promise
    async def test_offers(self) -> None:
        """Owners are found by any of the identifiers; an offer is noted once, and can be taken back."""
        session = await self.session()
        able: IShareable = provided(IShareable, session.account)
        for offer in (Offer("bob", "alice"), Offer("bob", "alice"), Offer("$team", "carol")):
            await settled(able.offer(offer, True))
        assert sorted(await settled(able.offers(["bob", "$team"]))) == ["alice", "carol"]
        assert list(await settled(able.offers(["bob"]))) == ["alice"]
        await settled(able.offer(Offer("bob", "alice"), False))
        await settled(able.offer(Offer("bob", "nobody"), False))
        assert list(await settled(able.offers(["bob", "$team"]))) == ["carol"]
        assert list(await settled(able.offers([]))) == []

    @promise
    async def test_sharing_is_kept(self) -> None:
        """Rights, marks and offers are there when the store is opened again."""
        session = await self.session()
        able: IShareable = provided(IShareable, session.account)
        box = await _share(session, "INBOX", "bob", "lr")
        await settled(able.mark(box.id, "bob", NumSet.of(3), True))
        await settled(able.offer(Offer("bob", "alice"), True))
        marks = list(await settled(able.marks(box.id, "bob", 0)))
        await self.restart()
        session = await self.session()
        able = provided(IShareable, session.account)
        assert await _acl(session, box) == {"bob": "lr"}
        assert list(await settled(able.marks(box.id, "bob", 0))) == marks
        assert list(await settled(able.offers(["bob"]))) == ["alice"]
