"""Which processes have an account open: so that no one takes its index away under another.

It is a lock on the directory of the index, held in common by all who have the account open,
and alone by who makes the index again.  The kernel lets go of it with the process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from typing import Final

from attrs import define, field

from imapd.store.errors import StoreUnavailable

__all__ = ["Presence"]

#: Seconds that others have to let go, which they do when they find the index marked; and between
#: two tries.
_WAIT: Final = 5.0
_AGAIN: Final = 0.02


@define
class Presence:
    """One process's part in it."""

    _directory: str
    _descriptor: int = field(default=-1, init=False)

    def begin(self) -> None:
        """Have the account open.  Raises `StoreUnavailable` while the index is made again."""
        if not self._waited(lambda: self._locked(fcntl.LOCK_SH)):
            raise StoreUnavailable("The index of the account is being made again")

    def alone(self, wanted: Callable[[], bool]) -> bool:
        """Have it alone, as soon as all others have let go; False once it is not `wanted` any more.

        Raises `StoreUnavailable` if another process keeps it open.
        """
        if not self._waited(lambda: not wanted() or self._locked(fcntl.LOCK_EX)):
            raise StoreUnavailable("The index of the account is damaged, and in use elsewhere")
        return wanted()

    @staticmethod
    def _waited(true: Callable[[], bool]) -> bool:
        until = time.monotonic() + _WAIT
        while not true():
            if time.monotonic() >= until:
                return False
            time.sleep(_AGAIN)
        return True

    def _locked(self, kind: int) -> bool:
        if self._descriptor < 0:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self._directory, flags)
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        """Let go of it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
