"""What a client does: commands, what an OK to them promises, and what may have become of them without."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Protocol

from attrs import evolve, frozen

from tests.drills.ledger import Box, Flags, Message, State, with_known, with_loose, without
from tests.drills.letters import octets

__all__ = ["SHARED", "Step", "chosen", "fresh_state"]

#: Mailboxes that everybody uses.
SHARED = ("INBOX", "shared")

_DELETED = "\\Deleted"
_WORDS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$Forwarded", "drill")
#: Messages that a client keeps, and mailboxes.
_MANY, _BOXES = 40, 6


class Step(Protocol):
    """One command."""

    #: The mailbox that has to be selected.
    selected: str | None

    @property
    def text(self) -> bytes:
        """The command."""

    def done(self, state: State, answer: bytes) -> State:
        """What is promised by an OK."""

    def outcomes(self, state: State) -> Iterator[State]:
        """What may be without an answer, besides the state as it was."""


def _numbers(text: bytes) -> list[int]:
    found: list[int] = []
    for part in text.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found


def _set(uids: Iterable[int]) -> bytes:
    return b",".join(b"%d" % uid for uid in sorted(uids))


def _some(messages: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    for count in range(1, len(messages) + 1):
        yield from combinations([evolve(each, flags=None) for each in messages], count)


@frozen
class Append:
    """APPEND, or MULTIAPPEND."""

    box: str
    messages: tuple[Message, ...]
    selected: None = None

    @property
    def text(self) -> bytes:
        """As `Step`."""
        parts = [
            b"(%b) {%d+}\r\n%b"
            % (" ".join(each.flags or ()).encode(), len(octets(each.name)), octets(each.name))
            for each in self.messages
        ]
        return b"APPEND %b %b" % (self.box.encode(), b" ".join(parts))

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        match = re.search(rb"\[APPENDUID (\d+) ([\d,:]+)\]", answer)
        assert match is not None, answer
        new = dict(zip(_numbers(match[2]), self.messages))
        box = evolve(state[self.box], uidvalidity=int(match[1]))
        return {**state, self.box: with_known(box, new)}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`: some of the files may be found, and entered."""
        for some in _some(self.messages):
            yield {**state, self.box: with_loose(state[self.box], some)}


@frozen
class Copy:
    """COPY."""

    selected: str
    uids: tuple[int, ...]
    to: str

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"UID COPY %b %b" % (_set(self.uids), self.to.encode())

    def _messages(self, state: State) -> list[Message]:
        return [state[self.selected].known[uid] for uid in sorted(self.uids)]

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        uidvalidity, new = _copied(answer, self.uids)
        box = evolve(state[self.to], uidvalidity=uidvalidity)
        return {**state, self.to: with_known(box, dict(zip(new, self._messages(state))))}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`: some of the files may be found, and entered."""
        for some in _some(self._messages(state)):
            yield {**state, self.to: with_loose(state[self.to], some)}


def _copied(answer: bytes, uids: Iterable[int]) -> tuple[int, list[int]]:
    match = re.search(rb"\[COPYUID (\d+) ([\d,:]+) ([\d,:]+)\]", answer)
    assert match is not None, answer
    assert sorted(_numbers(match[2])) == sorted(uids), answer
    where = dict(zip(_numbers(match[2]), _numbers(match[3])))
    return int(match[1]), [where[uid] for uid in sorted(uids)]


@frozen
class Move(Copy):
    """MOVE."""

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"UID MOVE %b %b" % (_set(self.uids), self.to.encode())

    def _left(self, state: State) -> State:
        return {**state, self.selected: without(state[self.selected], self.uids)}

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        left = self._left(state)
        uidvalidity, new = _copied(answer, self.uids)
        box = evolve(left[self.to], uidvalidity=uidvalidity)
        return {**left, self.to: with_known(box, dict(zip(new, self._messages(state))))}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`: all of it or nothing."""
        left = self._left(state)
        yield {**left, self.to: with_loose(left[self.to], self._messages(state))}


@frozen
class Store:
    """STORE; `sign` is that of FLAGS."""

    selected: str
    uids: tuple[int, ...]
    sign: str
    flags: Flags

    @property
    def text(self) -> bytes:
        """As `Step`."""
        words = " ".join(sorted(self.flags))
        return b"UID STORE %b %bFLAGS (%b)" % (_set(self.uids), self.sign.encode(), words.encode())

    def _becomes(self, flags: Flags | None) -> Flags:
        assert flags is not None
        if self.sign == "+":
            return flags | self.flags
        return flags - self.flags if self.sign == "-" else self.flags

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        box = state[self.selected]
        new = {uid: box.known[uid] for uid in self.uids}
        new = {uid: evolve(each, flags=self._becomes(each.flags)) for uid, each in new.items()}
        return {**state, self.selected: with_known(box, new)}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`: all of it or nothing."""
        yield self.done(state, b"")


@frozen
class Expunge:
    r"""UID EXPUNGE of messages with \Deleted."""

    selected: str
    uids: tuple[int, ...]

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"UID EXPUNGE %b" % _set(self.uids)

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        return {**state, self.selected: without(state[self.selected], self.uids)}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`: all of it or nothing."""
        yield self.done(state, b"")


@frozen
class Create:
    """CREATE."""

    name: str
    selected: None = None

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"CREATE " + self.name.encode()

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        return {**state, self.name: Box()}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`."""
        yield self.done(state, b"")


@frozen
class Delete:
    """DELETE."""

    name: str
    selected: None = None

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"DELETE " + self.name.encode()

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        return {name: box for name, box in state.items() if name != self.name}

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`."""
        yield self.done(state, b"")


@frozen
class Rename:
    """RENAME, of those below, too."""

    old: str
    new: str
    selected: None = None

    @property
    def text(self) -> bytes:
        """As `Step`."""
        return b"RENAME %b %b" % (self.old.encode(), self.new.encode())

    def done(self, state: State, answer: bytes) -> State:
        """As `Step`."""
        return {
            self.new + name[len(self.old) :] if _inside(name, self.old) else name: box
            for name, box in state.items()
        }

    def outcomes(self, state: State) -> Iterator[State]:
        """As `Step`."""
        yield self.done(state, b"")


def _inside(name: str, above: str) -> bool:
    return name == above or name.startswith(above + "/")


def chosen(client: str, state: State, chance: random.Random, names: Iterator[int]) -> Step:
    """What the client does next."""
    own = [name for name in state if name not in (*SHARED, client)]
    total = sum(len(box.known) for box in state.values())
    full = [name for name, box in state.items() if box.known]
    kind = chance.choices(
        ("append", "copy", "move", "store", "expunge", "create", "delete", "rename"),
        (30, 12, 20, 20, 16 if total < _MANY else 60, 6, 4, 5),
    )[0]
    if kind == "create" and len(own) < _BOXES:
        above = chance.choice([client, client, *own[:2]])
        return Create(f"{above}/{next(names)}")
    leaves = [
        name for name in own if not any(each.startswith(name + "/") for each in own)
    ]  # fmt: skip
    if kind == "delete" and leaves:
        return Delete(chance.choice(leaves))
    if kind == "rename" and own:
        return Rename(chance.choice(own), f"{client}/{next(names)}")
    if not full or kind in ("append", "create", "delete", "rename"):
        count = chance.choice((1, 1, 1, 2, 3))
        messages = tuple(Message(f"{client}/{next(names)}", _flags(chance)) for _ in range(count))
        return Append(chance.choice(list(state)), messages)
    name = chance.choice(full)
    known = state[name].known
    uids = tuple(sorted(chance.sample(list(known), chance.randint(1, min(4, len(known))))))
    if kind in ("copy", "move"):
        to = chance.choice([each for each in state if each != name])
        return (Copy if kind == "copy" else Move)(name, uids, to)
    if kind == "store":
        return Store(name, uids, chance.choice(("+", "-", "")), _flags(chance))
    deleted = tuple(uid for uid in known if _DELETED in (known[uid].flags or ()))
    if deleted:
        return Expunge(name, deleted)
    return Store(name, uids, "+", frozenset([_DELETED]))


def _flags(chance: random.Random) -> Flags:
    return frozenset(chance.sample(_WORDS, chance.choice((0, 1, 2))))


def fresh_state(client: str) -> Mapping[str, Box]:
    """Before a client has done anything."""
    return {name: Box() for name in (*SHARED, client)}
