r"""Names: CREATE, DELETE, SUBSCRIBE and the list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from imapd.model.numset import NumSet
from imapd.store.answers import settled
from imapd.store.contract.sessions import ALL
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import (
    BadMailboxName,
    HasChildren,
    MailboxExists,
    NoSuchMailbox,
    NotSelectable,
)

__all__ = ["Naming"]


async def _refused(attempt: Callable[[], Awaitable[object]]) -> bool:
    """Whether it raises NoSuchMailbox."""
    try:
        await attempt()
    except NoSuchMailbox:
        return True
    return False


class Naming(Subject):
    """The names of one account."""

    @promise
    async def test_inbox_is_there(self) -> None:
        """A user who was never here has INBOX and nothing else that can be opened."""
        session = await self.session()
        assert await session.names() == {"INBOX"}
        assert (await session.open("INBOX")).id

    @promise
    async def test_an_account_may_be_opened_twice(self) -> None:
        """Two sessions of a user see one set of mailboxes."""
        first, second = await self.session(), await self.session()
        await first.create("shared")
        assert "shared" in await second.names()

    @promise
    async def test_an_account_outlives_its_sessions(self) -> None:
        """What one session made is there for the next, after the first has closed."""
        first = await self.session()
        await (await first.make("kept")).add()
        await first.close()
        second = await self.session()
        assert (await (await second.open("kept")).status()).messages == 1

    @promise
    async def test_closing_one_session_leaves_the_other(self) -> None:
        """A session that ends takes nothing from another of the same user."""
        first, second = await self.session(), await self.session()
        box = await second.open("INBOX")
        await first.close()
        await box.add()
        assert await second.names() == {"INBOX"}
        assert (await box.status()).messages == 1

    @promise
    async def test_create(self) -> None:
        """A created mailbox is listed, selectable, not subscribed, and can be opened."""
        session = await self.session()
        made = await session.create("work")
        assert (made.name, made.exists, made.selectable) == ("work", True, True)
        info = (await session.mailboxes())["work"]
        assert (info.exists, info.selectable, info.subscribed) == (True, True, False)
        assert info.special_use == frozenset()
        assert (await session.open("work")).id == made.id == info.id

    @promise
    async def test_create_again(self) -> None:
        """A name can be given once; the mailbox that has it keeps its mail."""
        session = await self.session()
        box = await session.make("work")
        await box.add()
        with pytest.raises(MailboxExists):
            await session.create("work")
        assert (await (await session.open("work")).status()).messages == 1

    @promise
    async def test_create_inbox(self) -> None:
        """INBOX exists already."""
        with pytest.raises(MailboxExists):
            await (await self.session()).create("INBOX")

    @promise
    async def test_create_makes_what_is_above(self) -> None:
        """CREATE a/b/c makes a and a/b too, as mailboxes (RFC 9051, 6.3.4)."""
        session = await self.session()
        await session.create("a/b/c")
        assert await session.names() == {"INBOX", "a", "a/b", "a/b/c"}
        await (await session.open("a/b")).add()

    @promise
    async def test_create_leaves_what_is_above(self) -> None:
        """A mailbox above stays the same, with its mail."""
        session = await self.session()
        box = await session.make("a")
        await box.add()
        await session.create("a/b")
        again = await session.open("a")
        assert (again.id, (await again.status()).messages) == (box.id, 1)

    @promise
    async def test_create_below_inbox(self) -> None:
        """INBOX can have mailboxes below it."""
        session = await self.session()
        await session.create("INBOX/lists")
        assert await session.names() == {"INBOX", "INBOX/lists"}

    @promise
    async def test_create_with_special_use(self) -> None:
        r"""\Sent given at CREATE is told in the list (RFC 6154, 3)."""
        session = await self.session()
        made = await session.create("gone out", "\\Sent")
        assert made.special_use == {"\\Sent"}
        assert (await session.mailboxes())["gone out"].special_use == {"\\Sent"}

    @promise
    async def test_ids_are_distinct(self) -> None:
        """No two mailboxes have one id, not even one after the other."""
        session = await self.session()
        ids = [(await session.open("INBOX")).id]
        for _ in range(3):
            ids.append((await session.make("again")).id)
            await session.delete("again")
        assert len(set(ids)) == 4

    @promise
    async def test_delete(self) -> None:
        """A deleted mailbox is not listed and cannot be opened."""
        session = await self.session()
        await (await session.make("work")).add()
        await session.delete("work")
        assert "work" not in await session.mailboxes()
        with pytest.raises(NoSuchMailbox):
            await session.open("work")

    @promise
    async def test_delete_what_is_not_there(self) -> None:
        """There is nothing to delete."""
        with pytest.raises(NoSuchMailbox):
            await (await self.session()).delete("nothing")

    @promise
    async def test_delete_inbox(self) -> None:
        """INBOX cannot be deleted, and keeps its mail."""
        session = await self.session()
        box = await session.open("INBOX")
        await box.add()
        with pytest.raises(BadMailboxName):
            await session.delete("INBOX")
        assert (await box.status()).messages == 1

    @promise
    async def test_delete_below(self) -> None:
        """Deleting a mailbox leaves the one above it."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a/b")
        assert await session.names() == {"INBOX", "a"}

    @promise
    async def test_delete_above(self) -> None:
        r"""A deleted mailbox with others below leaves its name, \Noselect, and loses its mail."""
        session = await self.session()
        await session.create("a/b")
        await (await session.open("a")).add()
        below = await session.open("a/b")
        await below.add()
        await session.delete("a")
        info = (await session.mailboxes())["a"]
        assert (info.exists, info.selectable) == (True, False)
        with pytest.raises(NotSelectable):
            await session.open("a")
        assert (await below.status()).messages == 1

    @promise
    async def test_delete_a_name_that_holds_others(self) -> None:
        r"""A \Noselect name with mailboxes below cannot go (RFC 9051, 6.3.5)."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        with pytest.raises(HasChildren):
            await session.delete("a")
        assert "a/b" in await session.names()

    @promise
    async def test_create_a_name_that_holds_others(self) -> None:
        r"""A \Noselect name can become a mailbox again: a new and empty one."""
        session = await self.session()
        await session.create("a/b")
        old = await session.open("a")
        await old.add()
        await session.delete("a")
        new = await session.make("a")
        assert (await new.status()).messages == 0
        assert new.id != old.id
        assert await session.names() == {"INBOX", "a", "a/b"}

    @promise
    async def test_create_beside_below_a_name_that_holds_others(self) -> None:
        r"""A \Noselect name is not made a mailbox by CREATE of another one below it."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        await session.create("a/c")
        assert await session.names() == {"INBOX", "a/b", "a/c"}

    @promise
    async def test_create_after_the_last_below_went(self) -> None:
        r"""When nothing is left below a \Noselect name, the name can be used again."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        await session.delete("a/b")
        assert await session.names() == {"INBOX"}
        await session.create("a")
        assert await session.names() == {"INBOX", "a"}

    @promise
    async def test_open_what_is_not_there(self) -> None:
        """There is nothing to open."""
        with pytest.raises(NoSuchMailbox):
            await (await self.session()).open("nothing")

    @promise
    async def test_a_prefix_is_not_a_parent(self) -> None:
        """Ab is not below a."""
        session = await self.session()
        await session.create("a")
        await session.create("ab")
        await session.delete("a")
        assert set(await session.mailboxes()) == {"INBOX", "ab"}

    @promise
    async def test_a_deleted_mailbox_is_gone_for_who_has_it_open(self) -> None:
        """Every method of a mailbox that was deleted meanwhile raises NoSuchMailbox."""
        session, other = await self.session(), await self.session()
        box = await session.make("work")
        (uid,) = await box.add(1, "\\Deleted")
        await other.delete("work")
        attempts: dict[str, Callable[[], Awaitable[object]]] = {
            "status": box.status,
            "uids": box.uids,
            "scan": lambda: box.batches(ALL, "flags"),
            "read": lambda: settled(box.mailbox.read(uid)),
            "append": box.add,
            "store_flags": lambda: box.flag([uid], "\\Seen"),
            "expunge": box.expunge,
            "changes_since": lambda: box.changes(1),
        }
        answering = [name for name, attempt in attempts.items() if not await _refused(attempt)]
        assert answering == []

    @promise
    async def test_a_mailbox_made_again_is_not_the_old_one(self) -> None:
        """Who has the old mailbox open does not get at the new one of the same name."""
        session = await self.session()
        old = await session.make("work")
        await session.delete("work")
        new = await session.make("work")
        with pytest.raises(NoSuchMailbox):
            await old.add()
        assert (await new.status()).messages == 0

    @promise
    async def test_subscribe(self) -> None:
        """A subscription is told in the list, and goes when it is taken back."""
        session = await self.session()
        await session.create("work")
        await session.subscribe("work")
        assert (await session.mailboxes())["work"].subscribed
        await session.subscribe("work", False)
        assert not (await session.mailboxes())["work"].subscribed

    @promise
    async def test_subscribe_twice(self) -> None:
        """To subscribe, or to unsubscribe, what is so already is no error."""
        session = await self.session()
        await session.subscribe("INBOX")
        await session.subscribe("INBOX")
        assert (await session.mailboxes())["INBOX"].subscribed
        await session.subscribe("INBOX", False)
        await session.subscribe("INBOX", False)
        assert not (await session.mailboxes())["INBOX"].subscribed

    @promise
    async def test_subscribe_what_is_not_there(self) -> None:
        """A name may be subscribed before it exists; it is listed as not existing."""
        session = await self.session()
        await session.subscribe("later")
        info = (await session.mailboxes())["later"]
        assert (info.exists, info.subscribed) == (False, True)
        with pytest.raises(NoSuchMailbox):
            await session.open("later")
        await session.create("later")
        info = (await session.mailboxes())["later"]
        assert (info.exists, info.subscribed) == (True, True)

    @promise
    async def test_subscribe_below_what_is_not_there(self) -> None:
        """A subscription to x/y makes neither x nor x/y."""
        session = await self.session()
        await session.subscribe("x/y")
        assert await session.names() == {"INBOX"}
        await session.subscribe("x/y", False)
        assert set(await session.mailboxes()) == {"INBOX"}

    @promise
    async def test_delete_leaves_the_subscription(self) -> None:
        """Only the user ends a subscription (RFC 9051, 6.3.7)."""
        session = await self.session()
        await session.create("work")
        await session.subscribe("work")
        await session.delete("work")
        info = (await session.mailboxes())["work"]
        assert (info.exists, info.subscribed) == (False, True)

    @promise
    async def test_subscribe_a_name_that_holds_others(self) -> None:
        r"""A \Noselect name can be subscribed."""
        session = await self.session()
        await session.create("a/b")
        await session.delete("a")
        await session.subscribe("a")
        info = (await session.mailboxes())["a"]
        assert (info.exists, info.selectable, info.subscribed) == (True, False, True)

    @promise
    async def test_many_mailboxes(self) -> None:
        """A hundred mailboxes are listed, each with its own mail."""
        session = await self.session()
        for number in range(100):
            await session.create(f"box/{number}")
        assert len(await session.names()) == 102
        box = await session.open("box/7")
        await box.append()
        assert await (await session.open("box/8")).batches(NumSet(), "flags") == []
