r"""How changes are told to one client: by number or UID, EXPUNGE or VANISHED, with \Recent or not.

A feature that changes this (IMAP4rev2, CONDSTORE, QRESYNC, UIDONLY) replaces the
session's `Announce`; no command asks which features are on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from imapd.model.flags import RECENT, Flags, wire
from imapd.model.numset import NumSet

__all__ = ["Announce", "rendered", "rendered_recent"]

#: RFC 9051, 5.2 and 7.5.1 with what RFC 3501 adds.
_SEQUENCE_ROW: Final = b"* %d FETCH ("
#: RFC 9586, 3.3.
_UID_ROW: Final = b"* %d UIDFETCH ("


class _Rendered(dict[Flags, bytes]):
    """The wire form of flag sets and of what is told `besides`, made once each."""

    def __init__(self, *besides: str) -> None:
        super().__init__()
        self._besides = frozenset(besides)

    def __missing__(self, flags: Flags) -> bytes:
        if len(self) > 65_536:
            self.clear()
        octets = self[flags] = wire(flags | self._besides)
        return octets


rendered: Final = _Rendered()
rendered_recent: Final = _Rendered(RECENT)


@frozen
class Announce:
    """What this client is told, and in which words."""

    #: A client of RFC 3501 hears of \Recent.
    recent: bool = True
    #: UIDFETCH instead of FETCH (RFC 9586).
    by_uid: bool = False
    #: VANISHED instead of EXPUNGE (RFC 7162, 3.2.10).
    vanished: bool = False
    #: MODSEQ in every FETCH that tells of flags (RFC 7162, 3.2.4).
    modseq: bool = False
    #: Leaving a mailbox for another is told by CLOSED (RFC 9051, 7.1; RFC 7162, 3.2.11).
    closed: bool = False
    #: Features that the selected mailbox does not have: CONDSTORE where modseqs are not kept.
    lacks: frozenset[str] = frozenset()

    @property
    def tells_modseq(self) -> bool:
        """MODSEQ is told, of messages of the selected mailbox."""
        return self.modseq and not self.lacks

    def highest(self, modseq: int) -> bytes | None:
        """The code of a change that has taken messages away (RFC 7162, 3.2.7 and 3.2.9)."""
        return b"HIGHESTMODSEQ %d" % modseq if self.vanished and not self.lacks else None

    @property
    def row(self) -> bytes:
        """The start of a FETCH response, a format that takes `numbers`."""
        return _UID_ROW if self.by_uid else _SEQUENCE_ROW

    @property
    def uid(self) -> bytes:
        """The UID in a row that need not have been asked for; a row of UIDFETCH begins with it."""
        return b"" if self.by_uid else b"UID %d "

    def numbers(self, places: Sequence[int], uids: Sequence[int]) -> Sequence[int]:
        """What the rows of the messages at these places, with these UIDs, begin with."""
        if self.by_uid:
            return uids
        if isinstance(places, range):
            return range(places.start + 1, places.stop + 1)
        return [place + 1 for place in places]

    def removed(self, spans: Sequence[tuple[int, int]], uids: Sequence[int]) -> bytes:
        """That the messages at these places (ascending) of `uids` are gone."""
        if self.vanished:
            gone = NumSet.from_sorted(uid for start, stop in spans for uid in uids[start:stop])
            return b"* VANISHED %b\r\n" % gone.wire()
        told = []
        for start, stop in reversed(spans):
            told += [b"* %d EXPUNGE\r\n" % number for number in range(stop, start, -1)]
        return b"".join(told)

    def exists(self, count: int, recent: int) -> bytes:
        """How many messages there are now."""
        if self.recent:
            return b"* %d EXISTS\r\n* %d RECENT\r\n" % (count, recent)
        return b"* %d EXISTS\r\n" % count
