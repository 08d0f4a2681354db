"""Which processes have an account open: so that no one takes its index away under another.

It is a lock on the directory of the index, held in common by all who have the account open,
and alone by who makes the index again.  The kernel lets go of it with the process.
"""

from __future__ import annotations

import fcntl
import os

from attrs import define, field

from imapd.store.errors import StoreUnavailable

__all__ = ["Presence"]


@define
class Presence:
    """One process's part in it."""

    _directory: str
    _descriptor: int = field(default=-1, init=False)

    def begin(self) -> None:
        """Have the account open.  Raises `StoreUnavailable` while the index is made again."""
        if not self._locked(fcntl.LOCK_SH):
            raise StoreUnavailable("The index of the account is being made again")

    def alone(self) -> None:
        """Have it alone.  Raises `StoreUnavailable` if another process has it open."""
        if not self._locked(fcntl.LOCK_EX):
            raise StoreUnavailable("The index of the account is damaged, and in use elsewhere")

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
