"""Quotas: what an account holds, and that it holds no more than it may; skipped without IQuota."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from imapd.model.annotation import SHARED, Annotation
from imapd.model.quota import Allowance, Usage
from imapd.store.answers import settled
from imapd.store.contract.letters import Letter, letter
from imapd.store.contract.sessions import ALL, Box, Session, numbers, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import MailboxExists, OverQuota
from imapd.store.interfaces import IAnnotations, IMetadata, IQuota, IQuotas, IServerReplace

__all__ = ["Quotas"]

#: A message of 2,000 octets.
_HEAVY = letter("heavy", body=b"x" * (2_000 - len(letter("heavy", body=b"").octets)))
assert len(_HEAVY.octets) == 2_000


@define(eq=False)
class _Account:
    """A session with its quota."""

    session: Session
    able: IQuota = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.able = provided(IQuota, self.session.account)

    async def usage(self) -> Usage:
        return (await settled(self.able.quota())).usage

    async def allow(self, **limits: int) -> None:
        await settled(self.able.allow(Allowance(**limits)))

    async def refuses(self, change: Coroutine[Deferred[Any], Any, object]) -> None:
        """The change raises OverQuota, and the account holds what it held."""
        before = await self.usage()
        with pytest.raises(OverQuota):
            await change
        assert await self.usage() == before


class Quotas(Subject):
    """Usage is exact; limits hold at every door."""

    async def _account(self) -> _Account:
        return _Account(await self.session())

    @promise
    async def test_quota_usage(self) -> None:
        """Octets, messages and mailboxes are counted, of all mailboxes together."""
        account = await self._account()
        assert await account.usage() == Usage(storage=0, messages=0, mailboxes=1)
        box = await account.session.make("a/b")
        inbox = await account.session.open("INBOX")
        uids = list((await box.append(_HEAVY, _HEAVY)).uids)
        await inbox.append(_HEAVY)
        assert await account.usage() == Usage(storage=6_000, messages=3, mailboxes=3)
        await box.remove(uids[0])
        assert await account.usage() == Usage(storage=4_000, messages=2, mailboxes=3)
        await account.session.delete("a/b")
        assert await account.usage() == Usage(storage=2_000, messages=1, mailboxes=2)

    @promise
    async def test_quota_usage_is_of_one_account(self) -> None:
        """What another user has does not count."""
        await (await self.inbox(self.other_user)).append(_HEAVY)
        assert (await (await self._account()).usage()).messages == 0

    @promise
    async def test_quota_is_unlimited_at_first(self) -> None:
        """As long as nobody said anything there are no limits."""
        account = await self._account()
        assert (await settled(account.able.quota())).allowance == Allowance()

    @promise
    async def test_quota_is_what_was_allowed(self) -> None:
        """Limits take the place of all there were before; every session sees them."""
        account = await self._account()
        other = await self._account()
        await account.allow(storage=10, messages=20)
        assert (await settled(other.able.quota())).allowance == Allowance(storage=10, messages=20)
        await other.allow(mailboxes=(1 << 63) - 1)
        allowance = (await settled(account.able.quota())).allowance
        assert allowance == Allowance(mailboxes=(1 << 63) - 1)
        await account.allow()
        assert (await settled(account.able.quota())).allowance == Allowance()

    @promise
    async def test_quota_of_each(self) -> None:
        """What every account may hold is so for those without limits of their own, also open ones."""
        account, other = await self._account(), _Account(await self.session(self.other_user))
        await other.allow(messages=5)
        provided(IQuotas, self.store).allow_each(Allowance(messages=1))
        assert (await settled(account.able.quota())).allowance == Allowance(messages=1)
        assert (await settled(other.able.quota())).allowance == Allowance(messages=5)
        box = await account.session.open("INBOX")
        await account.refuses(box.append(_HEAVY, _HEAVY))
        await box.append(_HEAVY)
        await account.allow()
        await box.append(_HEAVY)

    @promise
    async def test_quota_append_messages(self) -> None:
        """The last message that there is room for comes in, the next does not."""
        account = await self._account()
        box = await account.session.open("INBOX")
        await account.allow(messages=2)
        await box.append(_HEAVY)
        await account.refuses(box.append(_HEAVY, _HEAVY))
        await box.append(_HEAVY)
        await account.refuses(box.append(_HEAVY))
        assert len(await box.uids()) == 2

    @promise
    async def test_quota_append_storage(self) -> None:
        """Room is counted in octets, to the last of 4 KiB (4,096)."""
        account = await self._account()
        box = await account.session.open("INBOX")
        await account.allow(storage=4)
        await box.append(_HEAVY, _sized(1_999))
        await account.refuses(box.append(_sized(298)))
        await box.remove((await box.uids())[1])
        await box.append(_sized(2_096))
        assert (await account.usage()).storage == 4_096
        await account.refuses(box.append(_sized(200)))

    @promise
    async def test_quota_nothing_is_allowed(self) -> None:
        """A limit of 0 is a limit (RFC 9208, 3.1.2)."""
        account = await self._account()
        await account.allow(messages=0)
        await account.refuses((await account.session.open("INBOX")).append(_HEAVY))

    @promise
    async def test_quota_a_refused_append_takes_no_modseq(self) -> None:
        """Nothing half done: the mailbox is as it was, its next UID too, and nobody is told."""
        account = await self._account()
        box = await account.session.open("INBOX")
        await account.allow(messages=1)
        before = await box.status()
        hints, stop = account.session.watch()
        await account.refuses(box.append(_HEAVY, _HEAVY))
        await settled(self.settle())
        stop()
        assert await box.status() == before
        assert hints == []

    @promise
    async def test_quota_two_at_once(self) -> None:
        """Of many that want the last room at once, one gets it."""
        account = await self._account()
        boxes = [await account.session.open("INBOX"), await account.session.make("other")]
        await account.allow(messages=3)
        waiting = [Deferred.fromCoroutine(boxes[n % 2].append(_HEAVY)) for n in range(10)]
        failed = 0
        for one in waiting:
            try:
                await one
            except OverQuota:
                failed += 1
        assert failed == 7
        assert (await account.usage()).messages == 3

    @promise
    async def test_quota_copy(self) -> None:
        """Copies need room: all of them, or none is made."""
        account = await self._account()
        source, target = await self._filled(account, 2)
        await account.allow(messages=3)
        await account.refuses(source.copy(ALL, target))
        assert await target.uids() == []
        await source.copy([(await source.uids())[0]], target)
        await account.allow(storage=6)
        await account.refuses(source.copy([(await source.uids())[0]], target))

    @promise
    async def test_quota_move(self) -> None:
        """A move within the account needs no room, though it holds more than it may."""
        account = await self._account()
        source, target = await self._filled(account, 2)
        await account.allow(messages=1, storage=1)
        await source.move(ALL, target)
        assert (len(await source.uids()), len(await target.uids())) == (0, 2)
        assert await account.usage() == Usage(storage=4_000, messages=2, mailboxes=3)

    @promise
    async def test_quota_replace(self) -> None:
        """Only the difference counts when a message takes the place of another."""
        account = await self._account()
        source, target = await self._filled(account, 2)
        able: IServerReplace = provided(IServerReplace, source.mailbox)
        await account.allow(messages=2, storage=4)
        uid = (await source.uids())[0]
        await account.refuses(settled(able.replace(uid, _sized(2_097).new(), target.mailbox)))
        assert uid in await source.uids()
        await settled(able.replace(uid, _sized(2_096).new(), target.mailbox))
        assert await account.usage() == Usage(storage=4_096, messages=2, mailboxes=3)

    @promise
    async def test_quota_less_is_always_possible(self) -> None:
        """Over the limit, messages are flagged and expunged, and mailboxes deleted, as before."""
        account = await self._account()
        source, _ = await self._filled(account, 2)
        await account.allow(storage=0, messages=0, mailboxes=0)
        uids = await source.uids()
        await source.flag(uids, "\\Seen")
        await source.remove(uids[0])
        await account.session.delete("target")
        await account.session.rename("source", "renamed")
        assert await account.usage() == Usage(storage=2_000, messages=1, mailboxes=2)

    @promise
    async def test_quota_create(self) -> None:
        """Mailboxes that are made above another count as well: all are made, or none."""
        account = await self._account()
        await account.allow(mailboxes=3)
        await account.refuses(account.session.create("a/b/c"))
        assert await account.session.names() == {"INBOX"}
        await account.session.create("a/b")
        await account.refuses(account.session.create("c"))
        with pytest.raises(MailboxExists):
            await account.session.create("a/b")

    @promise
    async def test_quota_rename(self) -> None:
        """A new name needs no room; mailboxes made above it do, and so does what INBOX becomes."""
        account = await self._account()
        await account.session.create("a")
        await account.allow(mailboxes=2)
        await account.session.rename("a", "b")
        await account.refuses(account.session.rename("b", "c/d"))
        await account.refuses(account.session.rename("INBOX", "e"))
        assert await account.session.names() == {"INBOX", "b"}
        await account.allow(mailboxes=3)
        await account.session.rename("b", "c/d")
        assert await account.session.names() == {"INBOX", "c", "c/d"}

    @promise
    async def test_quota_of_annotations_of_mailboxes(self) -> None:
        """Names and values are counted; what would go beyond is not set, what frees room is."""
        account = await self._account()
        metadata: IMetadata = provided(IMetadata, account.session.account)
        await account.session.create("a")

        async def annotate(mailbox: str, **values: bytes | None) -> None:
            entries = {f"/{name}": value for name, value in values.items()}
            await settled(metadata.annotate(mailbox, entries, 100, 1 << 24))

        await annotate("a", x=b"x" * 500, y=b"")
        await annotate("", x=b"x" * 500)
        assert (await account.usage()).annotations == 1_006
        await account.allow(annotations=1)
        await account.refuses(annotate("INBOX", z=b"x" * 17))
        assert await settled(metadata.annotations("INBOX")) == {}
        await annotate("INBOX", z=b"x" * 16)
        await account.refuses(annotate("INBOX", z=b"x" * 17))
        await account.refuses(account.session.rename("INBOX", "b"))
        assert await account.session.names() == {"INBOX", "a"}
        await annotate("a", x=None)
        await account.session.delete("a")
        assert (await account.usage()).annotations == 520

    @promise
    async def test_quota_of_annotations_of_messages(self) -> None:
        """They count too, at every door: when they are set, appended and copied; a move is free."""
        account = await self._account()
        source, target = await self._filled(account, 2)
        able: IAnnotations = provided(IAnnotations, source.mailbox)
        name = Annotation("/x", SHARED)

        async def annotate(uids: Sequence[int], value: bytes | None) -> None:
            await settled(able.annotate(numbers(uids), {name: value}, 10, 1 << 24))

        uids = await source.uids()
        await account.allow(annotations=1)
        await account.refuses(annotate(uids, b"x" * 511))
        await annotate(uids, b"x" * 510)
        assert (await account.usage()).annotations == 1_024
        await account.refuses(source.append(letter("a", annotations={name: b""})))
        await account.refuses(source.copy(uids[:1], target))
        await source.move(uids[:1], target)
        assert (await account.usage()).annotations == 1_024
        await source.remove(uids[1])
        assert (await account.usage()).annotations == 512
        await target.copy(ALL, source)
        await account.session.delete("source")
        await target.append(letter("a", annotations={name: b"x" * 510}))
        assert (await account.usage()).annotations == 1_024

    @promise
    async def test_quota_stays(self) -> None:
        """What an account may hold, and holds, is the same after a restart."""
        account = await self._account()
        await account.allow(storage=7, mailboxes=1)
        await (await account.session.open("INBOX")).append(_HEAVY)
        known = await settled(account.able.quota())
        await self.restart()
        assert await settled((await self._account()).able.quota()) == known

    async def _filled(self, account: _Account, count: int) -> tuple[Box, Box]:
        source = await account.session.make("source")
        await source.append(*[_HEAVY] * count)
        return source, await account.session.make("target")


def _sized(octets: int) -> Letter:
    """A message of that size."""
    head = len(letter("sized", body=b"").octets)
    return letter("sized", body=b"x" * (octets - head))
