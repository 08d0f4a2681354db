"""What was made of many messages, at hand while it is used.

What nobody has used for a few minutes is forgotten; so is what was not used for longest, when there
are too many octets.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["AtHand"]

#: Seconds after which what nobody has used since the last time is forgotten.
_IDLE: Final = 120.0


class _Sized(Protocol):
    @property
    def size(self) -> int:
        """Octets of memory, about."""


class AtHand:
    """Of this process, shared by all its sessions: anything that knows its size, by a key."""

    def __init__(self, clock: IReactorTime, most: int) -> None:
        """No more than `most` octets, about."""
        self._clock = clock
        self._most = most
        #: Used since the last time, and before that only; the one used last at the end.
        self._young: OrderedDict[Hashable, _Sized] = OrderedDict()
        self._old: OrderedDict[Hashable, _Sized] = OrderedDict()
        #: Octets of memory, about.
        self.size = 0
        self._aging: IDelayedCall | None = None

    def get(self, key: Hashable) -> Any:
        """What was put there; None if that is forgotten."""
        found = self._young.pop(key, None) or self._old.pop(key, None)
        if found is not None:
            self._young[key] = found
        return found

    def put(self, key: Hashable, value: _Sized) -> None:
        """Have it at hand, in place of what was there."""
        before = self._young.pop(key, None) or self._old.pop(key, None)
        self.size += value.size - (0 if before is None else before.size)
        self._young[key] = value
        while self.size > self._most:
            _, oldest = (self._old or self._young).popitem(last=False)
            self.size -= oldest.size
        if self._aging is None:
            self._aging = self._clock.callLater(_IDLE, self._age)

    def _age(self) -> None:
        self._aging = None
        self._old, self._young = self._young, OrderedDict()
        self.size = sum(value.size for value in self._old.values())
        if self._old:
            self._aging = self._clock.callLater(_IDLE, self._age)

    def clear(self) -> None:
        """Forget all."""
        self._young, self._old, self.size = OrderedDict(), OrderedDict(), 0
        if self._aging is not None:
            self._aging.cancel()
            self._aging = None
