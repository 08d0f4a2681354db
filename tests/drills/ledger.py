"""What a client was told, and whether what is there agrees with it.

A `State` is a client's knowledge of its mailboxes and messages.  After a crash what is there must be
the state before the command that was not answered, or one of those it may have led to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, evolve, field, frozen

from tests.drills.letters import owner

__all__ = ["Box", "History", "Message", "Seen", "State", "agreeing"]

Flags = frozenset[str]


@frozen
class Message:
    """A message by its name; flags are None where nothing was promised of them."""

    name: str
    flags: Flags | None = frozenset()


@frozen
class Box:
    """A mailbox as a client knows it: `loose` messages have UIDs that it was not told."""

    #: None if the client was not told.
    uidvalidity: int | None = None
    known: Mapping[int, Message] = field(factory=dict)
    loose: tuple[Message, ...] = ()

    def complaints(self, name: str, seen: Mapping[int, Message]) -> Iterable[str]:
        """In which ways it is not so."""
        rest = dict(seen)
        for uid, message in self.known.items():
            there = rest.pop(uid, None)
            if there is None:
                yield f"{name}: UID {uid}, {message.name}, is gone"
            elif there.name != message.name:
                yield f"{name}: UID {uid} is {there.name} and was {message.name}"
            elif message.flags not in (None, there.flags):
                yield f"{name}: UID {uid} has {_said(there)} and had {_said(message)}"
        for message in self.loose:
            found = [
                uid
                for uid, there in rest.items()
                if there.name == message.name and message.flags in (None, there.flags)
            ]
            if found:
                del rest[found[0]]
            else:
                yield f"{name}: {message.name} with {_said(message)} is not there"
        for uid, there in rest.items():
            yield f"{name}: UID {uid}, {there.name} with {_said(there)}, is one too many"


def _said(message: Message) -> str:
    return f"({' '.join(sorted(message.flags or ()))})"


#: Mailboxes by name.
State = Mapping[str, Box]


@frozen
class Seen:
    """A mailbox as it is."""

    uidvalidity: int
    uidnext: int
    modseq: int
    messages: Mapping[int, Message]
    modseqs: Mapping[int, int]


def agreeing(
    client: str, outcomes: Iterable[State], seen: Mapping[str, Seen]
) -> tuple[State, list[str]]:
    """The first of the outcomes that is so, and all UIDs known in it.

    If none is: the first of all, and what is wrong with it.
    """
    first: list[str] | None = None
    state: State = {}
    for state in outcomes:
        complaints = list(_complaints(client, state, seen))
        if not complaints:
            return {
                name: Box(seen[name].uidvalidity, _own(client, seen[name])) for name in state
            }, []
        first = first or complaints
    return state, first or []


def _complaints(client: str, state: State, seen: Mapping[str, Seen]) -> Iterable[str]:
    for name, box in state.items():
        there = seen.get(name)
        if there is None:
            yield f"{name} is gone"
            continue
        if box.uidvalidity not in (None, there.uidvalidity):
            yield f"{name} has UIDVALIDITY {there.uidvalidity} and had {box.uidvalidity}"
        yield from box.complaints(name, _own(client, there))
    for name in seen:
        if name not in state and name.partition("/")[0] == client:
            yield f"{name} should not be there"


def _own(client: str, seen: Seen) -> dict[int, Message]:
    return {uid: each for uid, each in seen.messages.items() if owner(each.name) == client}


@define
class History:
    """What was ever seen of an account, by UIDVALIDITY: it binds for ever."""

    _names: dict[tuple[int, int], str] = field(factory=dict)
    _uidnext: dict[int, int] = field(factory=dict)
    _modseq: dict[int, int] = field(factory=dict)
    _modseqs: dict[tuple[int, int], int] = field(factory=dict)

    def told(self, uidvalidity: int, uid: int, name: str) -> Iterable[str]:
        """A message has, or had, that UID."""
        before = self._names.setdefault((uidvalidity, uid), name)
        if before != name:
            yield f"UID {uid} of UIDVALIDITY {uidvalidity} was {before} and is {name}"
        self._uidnext[uidvalidity] = max(self._uidnext.get(uidvalidity, 0), uid + 1)

    def told_modseq(self, uidvalidity: int, modseq: int) -> None:
        """The mailbox had got that far."""
        self._modseq[uidvalidity] = max(self._modseq.get(uidvalidity, 0), modseq)

    def seen(self, name: str, box: Seen) -> Iterable[str]:
        """Nothing goes back."""
        key = box.uidvalidity
        for uid, message in box.messages.items():
            yield from self.told(key, uid, message.name)
            modseq, before = box.modseqs[uid], self._modseqs.get((key, uid), 0)
            if modseq < before:
                yield f"{name}: the modseq of UID {uid} was {before} and is {modseq}"
            if modseq > box.modseq:
                yield f"{name}: UID {uid} has {modseq}, beyond HIGHESTMODSEQ {box.modseq}"
            self._modseqs[key, uid] = modseq
        if box.uidnext < self._uidnext.get(key, 0):
            yield f"{name}: UIDNEXT was {self._uidnext[key]} and is {box.uidnext}"
        if box.modseq < self._modseq.get(key, 0):
            yield f"{name}: HIGHESTMODSEQ was {self._modseq[key]} and is {box.modseq}"
        self._uidnext[key] = box.uidnext
        self.told_modseq(key, box.modseq)


def without(box: Box, uids: Iterable[int]) -> Box:
    """The mailbox, and those messages not."""
    gone = set(uids)
    return evolve(box, known={uid: each for uid, each in box.known.items() if uid not in gone})


def with_known(box: Box, messages: Mapping[int, Message]) -> Box:
    """The mailbox, and those messages too."""
    return evolve(box, known={**box.known, **messages})


def with_loose(box: Box, messages: Iterable[Message]) -> Box:
    """The mailbox, and those messages too, under whatever UIDs."""
    return evolve(box, loose=(*box.loose, *messages))
