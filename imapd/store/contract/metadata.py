"""Annotations of mailboxes and of the account (RFC 5464); skipped without IMetadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from imapd.store.answers import settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import Session, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox, OverQuota, TooManyEntries
from imapd.store.interfaces import IMetadata

__all__ = ["Metadata"]


@define(eq=False)
class _Account:
    """A session with its annotations."""

    session: Session
    able: IMetadata = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.able = provided(IMetadata, self.session.account)

    async def has(self, mailbox: str) -> Mapping[str, bytes]:
        return dict(await settled(self.able.annotations(mailbox)))

    async def set(
        self,
        mailbox: str,
        values: Mapping[str, bytes | None],
        entries: int = 10,
        octets: int = 10_000,
    ) -> Sequence[str]:
        return await settled(self.able.annotate(mailbox, values, entries, octets))


class Metadata(Subject):
    """What was set is there, for every session, and goes where its mailbox goes."""

    async def _annotated(self) -> _Account:
        return _Account(await self.session())

    @promise
    async def test_metadata_nothing_at_first(self) -> None:
        """Neither mailboxes nor the account have annotations that nobody set."""
        account = await self._annotated()
        assert await account.has("INBOX") == {}
        assert await account.has("") == {}

    @promise
    async def test_metadata_any_octets(self) -> None:
        """Values are octets, also none; every session reads what one has set."""
        values = {"/private/comment": bytes(range(256)), "/shared/comment": b"", "/x": b"y" * 5_000}
        await (await self._annotated()).set("INBOX", values)
        assert await (await self._annotated()).has("INBOX") == values

    @promise
    async def test_metadata_change_and_remove(self) -> None:
        """One call changes, adds and removes; the rest stays."""
        account = await self._annotated()
        await account.set("INBOX", {"/a": b"1", "/b": b"2", "/c": b"3"})
        await account.set("INBOX", {"/a": None, "/b": b"two", "/d": b"4", "/never": None})
        assert await account.has("INBOX") == {"/b": b"two", "/c": b"3", "/d": b"4"}

    @promise
    async def test_metadata_hints(self) -> None:
        """Every session of the user is told once which entries have changed, and of which mailbox."""
        account, other = await self._annotated(), await self._annotated()
        await account.session.create("a")
        await account.set("a", {"/gone": b"1", "/same": b"2", "/other": b"3"})
        box = await account.session.open("a")
        (mine, _), (theirs, end) = account.session.watch(), other.session.watch()
        values = {"/gone": None, "/same": b"2", "/other": b"4", "/new": b"5", "/never": None}
        assert {*await account.set("a", values)} == {"/gone", "/other", "/new"}
        assert [{*await account.set("", {"/x": b"1"})}, *await account.set("", {"/x": b"1"})] == [
            {"/x"}
        ]
        await settled(self.settle())
        for hints in (mine, theirs):
            assert sorted((hint.mailbox_id, *sorted(hint.entries)) for hint in hints) == [
                ("", "/x"),
                (box.id, "/gone", "/new", "/other"),
            ]
        end()
        await account.set("a", {"/gone": b"1"})
        assert len(mine) == 3
        assert len(theirs) == 2

    @promise
    async def test_metadata_no_hint_of_what_failed(self) -> None:
        """What could not be changed is not told of."""
        account = await self._annotated()
        hints, _ = account.session.watch()
        with pytest.raises(OverQuota):
            await account.set("INBOX", {"/x": b"x"}, octets=0)
        await settled(self.settle())
        assert hints == []

    @promise
    async def test_metadata_of_each_its_own(self) -> None:
        """Mailboxes, the account and other users have nothing of each other's."""
        account = await self._annotated()
        await account.session.create("a")
        await account.session.create("a/b")
        await account.set("a", {"/x": b"a"})
        await account.set("", {"/x": b"account"})
        assert await account.has("a") == {"/x": b"a"}
        assert await account.has("a/b") == {}
        assert await account.has("") == {"/x": b"account"}
        other = _Account(await self.session(self.other_user))
        assert await other.has("") == {}

    @promise
    async def test_metadata_is_a_change(self) -> None:
        """It raises the mailbox's modseq, and no message's (RFC 7162, 3.2); what changes nothing does not."""
        account = await self._annotated()
        box = await account.session.open("INBOX")
        await box.add()
        before = (await settled(box.mailbox.status())).highest_modseq
        await account.set("INBOX", {"/x": b"1"})
        after = (await settled(box.mailbox.status())).highest_modseq
        assert after > before
        await account.set("INBOX", {"/x": b"1", "/never": None})
        await account.set("", {"/x": b"1"})
        assert (await settled(box.mailbox.status())).highest_modseq == after
        changes = await box.changes(before)
        assert (list(changes.uids), list(changes.vanished or ())) == ([], [])
        assert (await box.append(letter("two"))).changes.modseq > after

    @promise
    async def test_metadata_no_such_mailbox(self) -> None:
        """What is not there has no annotations, and gets none."""
        account = await self._annotated()
        with pytest.raises(NoSuchMailbox):
            await account.has("none")
        with pytest.raises(NoSuchMailbox):
            await account.set("none", {"/x": b"y"})
        await account.session.create("none")
        assert await account.has("none") == {}

    @promise
    async def test_metadata_rename(self) -> None:
        """Annotations follow a mailbox, and those below it, to the new name."""
        account = await self._annotated()
        await account.session.create("a")
        await account.session.create("a/b")
        await account.set("a", {"/x": b"a"})
        await account.set("a/b", {"/x": b"b"})
        await account.session.rename("a", "c")
        assert await account.has("c") == {"/x": b"a"}
        assert await account.has("c/b") == {"/x": b"b"}
        await account.session.create("a")
        assert await account.has("a") == {}

    @promise
    async def test_metadata_rename_of_inbox(self) -> None:
        """What INBOX becomes has a copy; INBOX keeps its own (RFC 5464, 4.1)."""
        account = await self._annotated()
        await account.set("INBOX", {"/x": b"1"})
        await account.session.rename("INBOX", "old")
        await account.set("INBOX", {"/x": b"2"})
        assert await account.has("old") == {"/x": b"1"}
        assert await account.has("INBOX") == {"/x": b"2"}

    @promise
    async def test_metadata_delete(self) -> None:
        """A mailbox that is made again has none of those of its predecessor (RFC 5464, 4.1)."""
        account = await self._annotated()
        await account.session.create("a")
        await account.set("a", {"/x": b"1"})
        await account.session.delete("a")
        await account.session.create("a")
        assert await account.has("a") == {}

    @promise
    async def test_metadata_too_many(self) -> None:
        """Up to the bound all are kept; beyond it nothing is changed; others can be changed still."""
        account = await self._annotated()
        full: dict[str, bytes | None] = {f"/n{n}": b"x" for n in range(3)}
        await account.set("INBOX", full, entries=3)
        with pytest.raises(TooManyEntries):
            await account.set("INBOX", {"/n0": b"other", "/more": b"x"}, entries=3)
        assert await account.has("INBOX") == full
        await account.set("INBOX", {"/n0": None, "/more": b"x"}, entries=3)
        await account.set("INBOX", {"/more": b"y"}, entries=1)
        assert await account.has("INBOX") == {"/n1": b"x", "/n2": b"x", "/more": b"y"}

    @promise
    async def test_metadata_too_large(self) -> None:
        """All annotations of an account are bounded, names and values; less is always possible."""
        account = await self._annotated()
        await account.session.create("a")
        await account.set("a", {"/x": b"x" * 58}, octets=100)
        with pytest.raises(OverQuota):
            await account.set("INBOX", {"/x": b"x" * 39}, octets=100)
        assert await account.has("INBOX") == {}
        await account.set("INBOX", {"/x": b"x" * 38}, octets=100)
        await account.set("INBOX", {"/x": b"x" * 37}, octets=1)
        await account.set("a", {"/x": None}, octets=1)
        assert await account.has("a") == {}

    @promise
    async def test_metadata_two_at_once(self) -> None:
        """Of many that want the last place at once, one gets it."""
        accounts = [await self._annotated() for _ in range(4)]
        waiting = [
            Deferred.fromCoroutine(account.set("INBOX", {f"/n{n}": b"x"}, entries=2))
            for n, account in enumerate(accounts)
        ]
        failed = 0
        for one in waiting:
            try:
                await one
            except TooManyEntries:
                failed += 1
        assert failed == 2
        assert len(await accounts[0].has("INBOX")) == 2

    @promise
    async def test_metadata_stays(self) -> None:
        """After a restart annotations are as they were."""
        account = await self._annotated()
        await account.set("INBOX", {"/x": b"\x00\xff"})
        await account.set("", {"/y": b"z"})
        await self.restart()
        account = await self._annotated()
        assert await account.has("INBOX") == {"/x": b"\x00\xff"}
        assert await account.has("") == {"/y": b"z"}
