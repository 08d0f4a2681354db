"""Random histories against a model of a few lines; Hypothesis finds the short ones, if it is there."""

from __future__ import annotations

from random import Random

from attrs import define, field

from imapd.model.flags import FlagChange, Flags
from imapd.store.contract.changing import well_formed
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import Box, Session, Snapshot, applied
from imapd.store.contract.subject import Subject
from imapd.store.interfaces import IServerCopy, IServerMove

__all__ = ["Histories"]

_FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "$Label")
_CHANGES = tuple(FlagChange)


@define
class _Told:
    """What the model says is in a mailbox, and what was seen there at every modseq."""

    #: Octets and flags by UID; every UID ever given; and the state at each modseq.
    messages: dict[int, tuple[bytes, Flags]] = field(factory=dict)
    given: list[int] = field(factory=list)
    moments: dict[int, Snapshot] = field(factory=dict)

    def came(self, uids: list[int], messages: list[tuple[bytes, Flags]]) -> None:
        """New messages, under UIDs larger than all before."""
        for uid, message in zip(uids, messages, strict=True):
            assert not self.given or uid > self.given[-1], "a UID was used again, or out of order"
            self.given.append(uid)
            self.messages[uid] = message


class _History:
    """Two mailboxes, each open in two sessions, and what was done to them."""

    def __init__(self, choice: Random, name: str, session: Session, other: Session) -> None:
        self.choice = choice
        self.sessions = (session, other)
        self.names = (f"{name}-a", f"{name}-b")
        self.boxes: list[list[Box]] = []
        self.told = [_Told(), _Told()]
        #: What was done, in words.
        self.steps: list[str] = []

    async def begin(self) -> None:
        for name in self.names:
            await self.sessions[0].create(name)
            self.boxes.append([await session.open(name) for session in self.sessions])
        for place in (0, 1):
            await self.look(place)

    def note(self, place: int, *words: object) -> None:
        self.steps.append(" ".join(["AB"[place], *map(str, words)]))

    def some_uids(self, place: int) -> list[int]:
        """Of those ever given, and now and then one that was not."""
        given = self.told[place].given
        uids = [uid for uid in given if self.choice.randrange(2)]
        if self.choice.randrange(4) == 3:
            uids.append((given[-1] if given else 0) + 1_000)
        return uids

    def some_flags(self) -> Flags:
        return frozenset(flag for flag in _FLAGS if self.choice.randrange(3) == 2)

    async def step(self) -> None:
        """One change, the same in the store and in the model, and a look at both mailboxes."""
        place = self.choice.randrange(2)
        box = self.boxes[place][self.choice.randrange(2)]
        steps = (self.append, self.append, self.flag, self.flag, self.expunge, self.copy, self.move)
        changed = await steps[self.choice.randrange(len(steps))](place, box)
        for each in (0, 1):
            await self.look(each, changed=each in changed)

    async def append(self, place: int, box: Box) -> set[int]:
        sent = [letter(f"n{n}", self.some_flags()) for n in range(self.choice.randrange(4))]
        self.note(place, "append", *[sorted(each.flags) for each in sent])
        uids = list((await box.append(*sent)).uids)
        self.told[place].came(uids, [(each.octets, each.flags) for each in sent])
        return {place} if sent else set()

    async def flag(self, place: int, box: Box) -> set[int]:
        told = self.told[place]
        change = _CHANGES[self.choice.randrange(3)]
        flags, uids = self.some_flags(), self.some_uids(place)
        known, now = None, told.moments[max(told.moments)]
        if self.choice.randrange(3) == 2:
            known = self.choice.randrange(max(told.moments) + 1)
        self.note(place, change.value, uids, sorted(flags), "unchanged since", known)
        stored = await box.store(change, uids, *flags, unchanged_since=known)
        modified, changed = [], []
        for uid in sorted(set(uids) & told.messages.keys()):
            octets, old = told.messages[uid]
            if known is not None and now[uid][1] > known:
                modified.append(uid)
                continue
            new = {
                FlagChange.ADD: old | flags,
                FlagChange.REMOVE: old - flags,
                FlagChange.REPLACE: flags,
            }[change]
            if new != old:
                told.messages[uid] = octets, new
                changed.append(uid)
        assert list(stored.modified) == modified
        assert list(stored.changes.uids) == changed
        return {place} if changed else set()

    async def expunge(self, place: int, box: Box) -> set[int]:
        told, uids = self.told[place], self.some_uids(place)
        gone = [uid for uid in uids if "\\Deleted" in told.messages.get(uid, (b"", ()))[1]]
        self.note(place, "expunge", uids)
        await box.expunge(uids)
        for uid in gone:
            del told.messages[uid]
        return {place} if gone else set()

    async def copy(self, place: int, box: Box) -> set[int]:
        if IServerCopy(box.mailbox, None) is None:
            return set()
        target = self.choice.randrange(2)
        uids = self.some_uids(place)
        self.note(place, "copy", uids, "to", "AB"[target])
        copied = await box.copy(uids, self.boxes[target][0])
        return self.arrived(place, target, uids, list(copied.sources), list(copied.uids))

    async def move(self, place: int, box: Box) -> set[int]:
        if IServerMove(box.mailbox, None) is None:
            return set()
        target = self.choice.randrange(2)
        uids = self.some_uids(place)
        self.note(place, "move", uids, "to", "AB"[target])
        moved = await box.move(uids, self.boxes[target][0])
        changed = self.arrived(place, target, uids, list(moved.sources), list(moved.uids))
        for uid in moved.sources:
            del self.told[place].messages[uid]
        return changed | {place} if changed else set()

    def arrived(
        self, place: int, target: int, asked: list[int], sources: list[int], uids: list[int]
    ) -> set[int]:
        messages = self.told[place].messages
        assert sources == sorted(set(asked) & messages.keys())
        self.told[target].came(uids, [messages[uid] for uid in sources])
        return {target} if uids else set()

    async def look(self, place: int, changed: bool = True) -> None:
        """The store says what the model says, from every earlier moment on."""
        told, boxes = self.told[place], self.boxes[place]
        status = await boxes[0].status()
        now = await boxes[1].snapshot()
        modseq = status.highest_modseq
        assert {uid: flags for uid, (flags, _) in now.items()} == {
            uid: flags for uid, (_, flags) in sorted(told.messages.items())
        }
        if told.moments:
            last = max(told.moments)
            known = told.moments[last]
            if changed:
                assert modseq > last, "something changed under the old modseq"
            else:
                assert (modseq, now) == (last, known), "nothing was to change"
            for uid, (flags, own) in now.items():
                if uid not in known or known[uid][0] != flags:
                    assert own == modseq, "a change has not the modseq of its moment"
                else:
                    assert own == known[uid][1], "a modseq moved without a change"
        told.moments[modseq] = now
        for since, before in told.moments.items():
            changes = await boxes[since % 2].changes(since)
            well_formed(changes)
            assert changes.modseq == modseq
            assert applied(before, changes, list(now)) == now

    async def end(self) -> None:
        """Every message still has its own octets."""
        for told, boxes in zip(self.told, self.boxes):
            for uid, (octets, _) in told.messages.items():
                assert await boxes[0].octets(uid) == octets


class Histories(Subject):
    """Whatever is done in whatever order, the store and a naive model agree."""

    async def _history(self, choice: Random, name: str) -> None:
        history = _History(choice, name, await self.session(), await self.session())
        try:
            await history.begin()
            for _ in range(self.history_length):
                await history.step()
            await history.end()
        except Exception as failure:
            told = "\n    ".join(["in mailboxes A and B:", *history.steps])
            raise AssertionError(f"{failure}\n{told}") from failure

    def test_any_history(self) -> None:
        """UIDs ascend and are never used again, every change has its own modseq, and from every
        earlier modseq changes_since leads exactly to the present.
        """  # noqa: D205
        self.run(self.open())
        try:
            self._try_histories()
            self.run(self.audit())
        finally:
            self.run(self.close())

    def _try_histories(self) -> None:
        count = 0

        def attempt(choice: Random) -> None:
            nonlocal count
            count += 1
            self.run(self._history(choice, f"h{count}"))

        try:
            from hypothesis import HealthCheck, given, settings, strategies
        except ImportError:
            for seed in range(self.histories):
                attempt(Random(seed))  # noqa: S311
            return
        settings(
            max_examples=self.histories,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )(given(strategies.randoms(use_true_random=False))(attempt))()
