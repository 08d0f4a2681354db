"""UIDBATCHES: ranges of UIDs that cut a mailbox into batches of so many messages (RFC 10022).

Rules of this file:

* Batches are exact and of what the client has been told of: counted from the last message,
  each begins where the one before it ended, and the last ends at 1 (3.1.4).
* A question that was answered already, for the same size, is refused (3.1.1) until more
  than half a batch of messages came or went.  Batches asked for in pieces may overlap
  (3.1.5): only what brings nothing new is the same question, and batches that there are
  not are no question at all (3.1.6).
"""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from imapd.dialect import Capability, Command, Feature
from imapd.model.numset import EMPTY, NumSet
from imapd.model.states import State
from imapd.session.outcome import BadCommand, Refused
from imapd.session.session import Session
from imapd.session.view import View
from imapd.wire import encode
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE"]

NAME: Final = "UIDBATCHES"

#: Messages of a batch (3.1.3.2), and of all batches that are asked for by number (3.1.5).
_LEAST: Final = 500
_MOST: Final = 100_000
#: Ranges that are written before others get their turn.
_RANGES: Final = 2_000


@frozen
class _Batches:
    size: int
    #: The first and the last batch; None: all.
    wanted: tuple[int, int] | None


@define
class _Told:
    """What a client knows of batches of one size, and the mailbox as it was then."""

    size: int
    count: int
    last: int
    batches: NumSet = field(default=EMPTY)

    def is_stale(self, view: View) -> bool:
        """More than half a batch came or went since (3.1.1)."""
        spans = view.generation.spans(NumSet([(1, self.last)]), view.count)
        there = sum(stop - start for start, stop in spans)
        return max(self.count - there, view.count - there) * 2 > self.size


def _arguments(cursor: Cursor) -> _Batches:
    """``message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]``."""
    cursor.space()
    size = cursor.nz_number()
    if cursor.peek() != b" " or cursor.data[cursor.at :].isspace():
        return _Batches(size, None)
    cursor.space()
    first = cursor.nz_number()
    cursor.expect(b":")
    last = cursor.nz_number()
    if first > last:
        raise BadCommand("Invalid batch range", "CLIENTBUG")
    return _Batches(size, (first, last))


async def _uidbatches(session: Session, asked: _Batches) -> None:
    if asked.size < _LEAST:
        raise Refused("TOOFEW", f"Minimum batch size is {_LEAST}")
    if asked.wanted is not None:
        low, high = asked.wanted
        if (high - low + 1) * asked.size > _MOST:
            raise Refused("TOOMANY", "Too many messages")
    view = session.selected
    uids, size, count = view.generation.uids, asked.size, view.count
    there = -(-count // size)
    low, high = asked.wanted or (1, there)
    if low <= there:
        _note(view, size, NumSet([(low, high)]))
    session.write(b"* UIDBATCHES (TAG %b)" % encode.quoted(session.tag))
    told: list[bytes] = []
    between = b" "
    for batch in range(low, min(high, there) + 1):
        start = count - batch * size
        # Beside the one before, so that no UID is between two batches.
        highest = uids[start + size] - 1 if batch > 1 else uids[count - 1]
        told.append(b"%d:%d" % (highest, uids[start] if start > 0 else 1))
        if len(told) == _RANGES:
            session.write(between + b",".join(told))
            told, between = [], b","
            await session.peer.turn()
    session.write((between + b",".join(told) if told else b"") + b"\r\n")


def _note(view: View, size: int, batches: NumSet) -> None:
    """Remember that these batches are told; `Refused` if all of them were."""
    told: _Told | None = view.kept.get(NAME)
    if told is None or told.size != size or told.is_stale(view):
        told = _Told(size, view.count, view.generation.uids[view.count - 1])
        view.kept[NAME] = told
    if not batches - told.batches:
        raise Refused("LIMIT", "These batches were told already, and hardly anything has changed")
    told.batches |= batches


FEATURE = Feature(
    name=NAME,
    rfc=10022,
    summary="ranges of UIDs that cut a mailbox into batches",
    capabilities=(Capability(NAME),),
    commands=(Command(NAME, State.SELECTED, _arguments, _uidbatches),),
)
