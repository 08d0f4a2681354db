"""A message while it comes in: in memory as long as it is small, then on a disk."""

from __future__ import annotations

from attrs import define, field

from imapd.store.answers import settled
from imapd.store.interfaces import IMessageReader, ISpool, ISpools
from imapd.store.readers import BytesReader, TemporarySpool

__all__ = ["Written"]


@define(eq=False)
class Written:
    """Octets that come in: in memory while there is room for them, else in a spool; to be closed."""

    #: Where there is room on a disk; without it, in a temporary file.
    spools: ISpools | None
    #: Octets that may be in memory.
    room: int
    size: int = field(default=0, init=False)
    _memory: bytearray = field(factory=bytearray, init=False, repr=False)
    _spool: ISpool | None = field(default=None, init=False)
    _reader: IMessageReader | None = field(default=None, init=False)

    @property
    def held(self) -> int:
        """Octets that are in memory."""
        return 0 if self._spool is not None else self.size

    async def make_room(self, octets: int) -> None:
        """So many are about to come: have a place for them."""
        if self._spool is None and self.size + octets > self.room:
            spools = self.spools
            self._spool = TemporarySpool() if spools is None else await settled(spools.spool())
            if self._memory:
                await settled(self._spool.write(bytes(self._memory)))
                self._memory = bytearray()

    async def write(self, data: bytes) -> None:
        """Add octets."""
        await self.make_room(len(data))
        self.size += len(data)
        if self._spool is None:
            self._memory += data
        else:
            await settled(self._spool.write(data))

    async def reader(self) -> IMessageReader:
        """What was written; nothing is written any more."""
        if self._reader is None:
            if self._spool is None:
                self._reader = BytesReader(bytes(self._memory))
                self._memory = bytearray()
            else:
                self._reader = await settled(self._spool.reader())
        return self._reader

    def close(self) -> None:
        """Let go of it."""
        if self._reader is not None:
            self._reader.close()
        if self._spool is not None:
            self._spool.close()
