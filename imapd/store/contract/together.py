"""Several at once: changes that begin before others have ended."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from imapd.model.flags import FlagChange
from imapd.store.answers import settled
from imapd.store.contract.letters import Held, letter
from imapd.store.contract.sessions import ALL, applied
from imapd.store.contract.subject import Subject, promise

__all__ = ["Together"]

_T = TypeVar("_T")


def _begun(coroutine: Coroutine[Deferred[Any], Any, _T]) -> Deferred[_T]:
    return Deferred.fromCoroutine(coroutine)


class Together(Subject):
    """Whoever wins, nothing is lost, doubled or out of order."""

    @promise
    async def test_together_appends(self) -> None:
        """Every message gets its own UID and modseq, and its own octets."""
        boxes = [await self.inbox() for _ in range(3)]
        sent = [letter(f"n{number}") for number in range(12)]
        waiting = [_begun(boxes[number % 3].append(one)) for number, one in enumerate(sent)]
        answers = [await one for one in waiting]
        uids = [answer.uids[0] for answer in answers]
        assert len(set(uids)) == 12
        assert len({answer.changes.modseq for answer in answers}) == 12
        assert [await boxes[0].octets(uid) for uid in uids] == [one.octets for one in sent]

    @promise
    async def test_together_uids_and_modseqs_agree(self) -> None:
        """Of two appends, the one with the larger modseq has the larger UIDs."""
        box = await self.inbox()
        waiting = [_begun(box.add(2)) for _ in range(8)]
        for one in waiting:
            await one
        modseqs = [modseq for _, modseq in (await box.snapshot()).values()]
        assert modseqs == sorted(modseqs)

    @promise
    async def test_together_a_slow_message(self) -> None:
        """A message whose octets are late does not mix with one that comes meanwhile."""
        box = await self.inbox()
        slow, quick = letter("slow"), letter("quick")
        held = Held(slow.octets)
        late = _begun(settled(box.mailbox.append([slow.new(held)])))
        soon = _begun(box.append(quick))
        held.let_go()
        (late_uid,), (soon_uid,) = (await late).uids, (await soon).uids
        assert await box.octets(late_uid) == slow.octets
        assert await box.octets(soon_uid) == quick.octets

    @promise
    async def test_together_flags(self) -> None:
        """Flags that several sessions add to one message are all there."""
        boxes = [await self.inbox() for _ in range(4)]
        uids = await boxes[0].add(3)
        flags = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft"]
        waiting = [_begun(box.flag(uids, flag)) for box, flag in zip(boxes, flags)]
        modseqs = {(await one).changes.modseq for one in waiting}
        assert len(modseqs) == 4
        assert await boxes[0].flags() == {uid: set(flags) for uid in uids}

    @promise
    async def test_together_two_with_one_condition(self) -> None:
        """Of two STOREs with one UNCHANGEDSINCE, one wins (RFC 7162, 3.1.3)."""
        first, second = await self.inbox(), await self.inbox()
        (uid,) = await first.add()
        known = await first.modseq()
        waiting = [
            _begun(box.store(FlagChange.ADD, [uid], flag, unchanged_since=known))
            for box, flag in ((first, "\\Seen"), (second, "\\Flagged"))
        ]
        losers = [bool((await one).modified) for one in waiting]
        assert sorted(losers) == [False, True]
        assert len((await first.flags())[uid]) == 1

    @promise
    async def test_together_everything(self) -> None:
        """Appends, flags and expunges at once leave a history that adds up."""
        boxes = [await self.inbox() for _ in range(2)]
        uids = await boxes[0].add(10)
        before, known = await boxes[0].snapshot(), await boxes[0].modseq()
        waiting: list[Deferred[Any]] = []
        for number, uid in enumerate(uids):
            box = boxes[number % 2]
            waiting.append(_begun(box.add()))
            waiting.append(_begun(box.flag([uid], "\\Deleted" if number % 3 else "\\Seen")))
            waiting.append(_begun(box.expunge(ALL)))
        for one in waiting:
            await one
        await boxes[0].expunge(ALL)
        present = await boxes[1].uids()
        assert [uid for uid in present if uid in uids] == uids[::3]
        changes = await boxes[1].changes(known)
        assert applied(before, changes, present) == await boxes[1].snapshot()

    @promise
    async def test_together_creates(self) -> None:
        """Of two that create one name, one is told that it exists; there is one mailbox."""
        first, second = await self.session(), await self.session()
        waiting = [_begun(session.create("a/b")) for session in (first, second)]
        failures = 0
        for one in waiting:
            try:
                await one
            except Exception:
                failures += 1
        assert failures == 1
        assert await first.names() == {"INBOX", "a", "a/b"}
