"""Annotations of messages (RFC 5257); skipped without IAnnotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from imapd.model.annotation import PRIVATE, SHARED, Annotated, Annotation, Annotations
from imapd.model.mailbox import Stored
from imapd.model.message import ANNOTATIONS
from imapd.model.numset import NumSet
from imapd.store.answers import settled
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import ALL, Box, applied, numbers, provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import NoSuchMailbox, OverQuota, TooManyEntries
from imapd.store.interfaces import Answer, IAnnotations

__all__ = ["AnnotatingMessages"]

_OURS = Annotation("/comment", SHARED)
_MINE = Annotation("/comment", PRIVATE)
_OTHER = Annotation("/altsubject", SHARED)
_BOBS = Annotation("/comment", PRIVATE + ":bob")


@define(eq=False)
class _Annotated:
    """A mailbox with its annotations."""

    box: Box
    able: IAnnotations = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.able = provided(IAnnotations, self.box.mailbox)

    async def has(self) -> Mapping[int, Annotations]:
        """Of those messages that have any."""
        found = await self.box.column(ANNOTATIONS)
        return {uid: dict(each) for uid, each in found.items() if each}

    async def set(
        self,
        uids: NumSet | Iterable[int],
        values: Mapping[Annotation, bytes | None],
        entries: int = 10,
        octets: int = 100_000,
        unchanged_since: int | None = None,
    ) -> Stored:
        """As `IAnnotations.annotate`."""
        answer = self.able.annotate(numbers(uids), values, entries, octets, unchanged_since)
        return await settled(answer)

    async def since(self, modseq: int) -> Sequence[Annotated]:
        """As `IAnnotations.annotated_since`."""
        return list(await settled(self.able.annotated_since(modseq)))


class AnnotatingMessages(Subject):
    """What was set is there, is a change like any other, and goes where its message goes."""

    async def _inbox(self, count: int = 2) -> tuple[_Annotated, list[int]]:
        found = _Annotated(await self.inbox())
        return found, await found.box.add(count)

    @promise
    async def test_annotate_nothing_at_first(self) -> None:
        """A message has no annotations that nobody set; the column is there if it is asked for."""
        inbox, uids = await self._inbox()
        assert {uid: dict(each) for uid, each in (await inbox.box.column(ANNOTATIONS)).items()} == {
            uid: {} for uid in uids
        }

    @promise
    async def test_annotate_any_octets(self) -> None:
        """Values are octets, also none; every session reads what one has set."""
        inbox, (_, two) = await self._inbox()
        values = {_OURS: bytes(range(256)), _MINE: b"", _OTHER: b"y" * 5_000, _BOBS: b"bob's"}
        await inbox.set([two], values)
        assert await _Annotated(await self.inbox()).has() == {two: values}

    @promise
    async def test_annotate_change_and_remove(self) -> None:
        """One call changes, adds and removes; what it does not name stays."""
        inbox, (one, two) = await self._inbox()
        await inbox.set([one], {_OURS: b"1", _MINE: b"2", _OTHER: b"3"})
        await inbox.set(ALL, {_OURS: None, _MINE: b"two", _BOBS: b"4"})
        assert await inbox.has() == {
            one: {_MINE: b"two", _OTHER: b"3", _BOBS: b"4"},
            two: {_MINE: b"two", _BOBS: b"4"},
        }

    @promise
    async def test_annotate_is_one_change(self) -> None:
        """All messages get one new modseq, which the answer and `changes_since` tell."""
        inbox, uids = await self._inbox(3)
        before, modseq = await inbox.box.snapshot(), await inbox.box.modseq()
        stored = await inbox.set(uids[1:], {_MINE: b"x"})
        assert list(stored.changes.uids) == uids[1:]
        assert set(stored.changes.modseqs) == {stored.changes.modseq}
        assert (stored.changes.since, stored.changes.modseq) == (modseq, await inbox.box.modseq())
        now = await inbox.box.snapshot()
        assert [now[uid][1] > modseq for uid in uids] == [False, True, True]
        for changes in (stored.changes, await inbox.box.changes(modseq)):
            assert applied(before, changes, uids) == now

    @promise
    async def test_annotate_what_is_so_already(self) -> None:
        """A message that has all that already keeps its modseq; if all have, nothing changes."""
        inbox, (one, two) = await self._inbox()
        await inbox.set([one], {_OURS: b"x"})
        known = (await inbox.box.snapshot())[one]
        assert list((await inbox.set(ALL, {_OURS: b"x", _MINE: None})).changes.uids) == [two]
        assert (await inbox.box.snapshot())[one] == known
        before = await inbox.box.status()
        stored = await inbox.set(ALL, {_OURS: b"x"})
        assert await inbox.box.status() == before
        assert stored.changes.since == stored.changes.modseq

    @promise
    async def test_annotate_what_is_not_there(self) -> None:
        """UIDs that do not exist are passed over."""
        inbox, (one, two) = await self._inbox()
        await inbox.box.remove(one)
        await inbox.set([one, two, two + 1], {_OURS: b"x"})
        assert await inbox.has() == {two: {_OURS: b"x"}}

    @promise
    async def test_annotate_unchanged_since(self) -> None:
        """Messages with a larger modseq are left alone and told (RFC 7162, 3.1.3)."""
        inbox, (one, two) = await self._inbox()
        known = await inbox.box.modseq()
        await inbox.set([one], {_OURS: b"1"})
        stored = await inbox.set(ALL, {_OURS: b"2"}, unchanged_since=known)
        assert list(stored.modified) == [one]
        assert await inbox.has() == {one: {_OURS: b"1"}, two: {_OURS: b"2"}}
        now = await inbox.box.modseq()
        assert not (await inbox.set(ALL, {_OURS: b"3"}, unchanged_since=now)).modified

    @promise
    async def test_annotate_gives_hints(self) -> None:
        """Other sessions are told that something changed."""
        inbox, uids = await self._inbox()
        hints, stop = (await self.session()).watch()
        await inbox.set(uids, {_OURS: b"x"})
        await settled(self.settle())
        stop()
        assert max(hint.modseq for hint in hints) == await inbox.box.modseq()

    @promise
    async def test_annotate_is_known_when_the_hint_comes(self) -> None:
        """Who asks what was annotated as soon as they hear of it is told."""
        inbox, uids = await self._inbox()
        known = await inbox.box.modseq()
        asked: list[Answer[Sequence[Annotated]]] = []
        stop = (await self.session()).account.watch(
            lambda hint: asked.append(inbox.able.annotated_since(known))
        )
        await inbox.set(uids, {_OURS: b"x"})
        await settled(self.settle())
        stop()
        told = await settled(asked[0])
        assert [each.annotations for each in told] == [{_OURS}]

    @promise
    async def test_annotate_says_what_changed(self) -> None:
        """`annotated_since` names what was set and what was removed, of the messages it was changed of."""
        inbox, (one, two) = await self._inbox()
        await inbox.set([one], {_OURS: b"x"})
        known = await inbox.box.modseq()
        assert await inbox.since(known) == []
        await inbox.set(ALL, {_OURS: b"x", _MINE: b"y"})
        first = await inbox.box.modseq()
        await inbox.set([one], {_OURS: None, _OTHER: None})
        second = await inbox.box.modseq()
        told = {
            (each.modseq, uid, name)
            for each in await inbox.since(known)
            for uid in each.uids
            for name in each.annotations
        }
        assert told == {
            (first, one, _MINE), (first, two, _MINE), (first, two, _OURS), (second, one, _OURS),
        }  # fmt: skip
        assert {each.modseq for each in await inbox.since(first)} == {second}

    @promise
    async def test_annotate_many(self) -> None:
        """Of many messages each has its own, in every batch."""
        inbox, uids = await self._inbox(self.many)
        await inbox.set(ALL, {_OURS: b"x" * 1_000}, octets=10_000_000)
        await inbox.set(uids[::2], {_MINE: b"y"}, octets=10_000_000)
        found = await inbox.has()
        assert list(found) == uids
        assert [_MINE in each for each in found.values()] == [
            place % 2 == 0 for place in range(len(uids))
        ]

    @promise
    async def test_annotate_too_many(self) -> None:
        """Up to the bound all are kept; beyond it no message is changed; whose they are counts apart."""
        inbox, (_, two) = await self._inbox()
        names = [Annotation(f"/n{n}", SHARED) for n in range(4)]
        await inbox.set([two], dict.fromkeys(names[:3], b"x"), entries=3)
        before = await inbox.has()
        with pytest.raises(TooManyEntries):
            await inbox.set(ALL, {names[3]: b"x"}, entries=3)
        assert await inbox.has() == before
        await inbox.set([two], {names[0]: None, names[3]: b"x", _MINE: b"x"}, entries=3)
        await inbox.set([two], {names[3]: b"y"}, entries=1)
        assert len((await inbox.has())[two]) == 4

    @promise
    async def test_annotate_too_large(self) -> None:
        """All annotations of messages of an account are bounded together; less is always possible."""
        inbox, (one, two) = await self._inbox()
        box = _Annotated(await (await self.session()).make("box"))
        (uid,) = await box.box.add()
        name = Annotation("/x", PRIVATE)
        await box.set([uid], {name: b"x" * 58}, octets=100)
        with pytest.raises(OverQuota):
            await inbox.set([one, two], {name: b"x" * 19}, octets=100)
        assert await inbox.has() == {}
        await inbox.set([one, two], {name: b"x" * 18}, octets=100)
        await inbox.set([one, two], {name: b"x" * 17}, octets=1)
        await box.set([uid], {name: None}, octets=1)
        await inbox.set([one], {name: b"x" * 79}, octets=100)
        await inbox.box.remove(one)
        await inbox.set([two], {name: b"x" * 98}, octets=100)

    @promise
    async def test_annotate_two_at_once(self) -> None:
        """Of many that want the last place at once, one gets it."""
        inbox, (one, _) = await self._inbox()
        waiting = [
            Deferred.fromCoroutine(
                inbox.set([one], {Annotation(f"/n{n}", SHARED): b"x"}, entries=2)
            )
            for n in range(4)
        ]
        failed = 0
        for each in waiting:
            try:
                await each
            except TooManyEntries:
                failed += 1
        assert failed == 2
        assert len((await inbox.has())[one]) == 2

    @promise
    async def test_annotate_append(self) -> None:
        """What a new message comes with is there with it, in one change."""
        inbox, _ = await self._inbox()
        modseq = await inbox.box.modseq()
        appended = await inbox.box.append(
            letter("a", annotations={_OURS: b"x", _BOBS: b"y"}), letter("b")
        )
        assert await inbox.has() == {appended.uids[0]: {_OURS: b"x", _BOBS: b"y"}}
        assert appended.changes.since == modseq

    @promise
    async def test_annotate_copy(self) -> None:
        """Copies have what is shared and the owner's own, nothing of others (RFC 5257, 4.6)."""
        inbox, (one, _) = await self._inbox()
        box = _Annotated(await (await self.session()).make("box"))
        await inbox.set([one], {_OURS: b"1", _MINE: b"2", _BOBS: b"3"})
        copied = await inbox.box.copy(ALL, box.box)
        assert await box.has() == {copied.uids[0]: {_OURS: b"1", _MINE: b"2"}}
        await box.set(copied.uids, {_OURS: b"other"})
        assert await inbox.has() == {one: {_OURS: b"1", _MINE: b"2", _BOBS: b"3"}}

    @promise
    async def test_annotate_move(self) -> None:
        """The same goes along with a move; nothing stays behind."""
        inbox, (one, two) = await self._inbox()
        box = _Annotated(await (await self.session()).make("box"))
        await inbox.set(ALL, {_OURS: b"1", _MINE: b"2", _BOBS: b"3"})
        moved = await inbox.box.move([two], box.box)
        assert await box.has() == {moved.uids[0]: {_OURS: b"1", _MINE: b"2"}}
        assert list(await inbox.has()) == [one]

    @promise
    async def test_annotate_replace(self) -> None:
        """What takes a message's place inherits none of its annotations (RFC 8508, 3.4)."""
        inbox, (one, two) = await self._inbox()
        await inbox.set(ALL, {_OURS: b"x"})
        await inbox.box.replace(one, letter("new"), inbox.box)
        assert await inbox.has() == {two: {_OURS: b"x"}}

    @promise
    async def test_annotate_rename(self) -> None:
        """A mailbox that is renamed keeps them, and so do the messages that leave INBOX by it."""
        inbox, uids = await self._inbox()
        await inbox.set(ALL, {_OURS: b"x"})
        session = await self.session()
        await session.rename("INBOX", "old")
        await session.rename("old", "new")
        found = await _Annotated(await session.open("new")).has()
        assert list(found.values()) == [{_OURS: b"x"}] * len(uids)

    @promise
    async def test_annotate_of_a_deleted_mailbox(self) -> None:
        """There is nothing to annotate; a mailbox that is made again has none."""
        session = await self.session()
        box = _Annotated(await session.make("box"))
        (uid,) = await box.box.add()
        await box.set([uid], {_OURS: b"x" * 50}, octets=60)
        await session.delete("box")
        with pytest.raises(NoSuchMailbox):
            await box.set([uid], {_OURS: b"y"})
        again = _Annotated(await session.make("box"))
        (uid,) = await again.box.add()
        assert await again.has() == {}
        await again.set([uid], {_OURS: b"x" * 50}, octets=60)

    @promise
    async def test_annotate_stays(self) -> None:
        """After a restart annotations are as they were."""
        inbox, (one, _) = await self._inbox()
        await inbox.set([one], {_OURS: b"\x00\xff", _BOBS: b"x"})
        known = await inbox.since(0)
        await self.restart()
        inbox = _Annotated(await self.inbox())
        assert await inbox.has() == {one: {_OURS: b"\x00\xff", _BOBS: b"x"}}
        assert await inbox.since(0) == known
