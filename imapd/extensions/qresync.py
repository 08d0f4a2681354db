"""QRESYNC: a client that was away learns of everything in one round trip (RFC 7162, 3.2)."""

from __future__ import annotations

from itertools import islice
from typing import Final

from attrs import evolve, frozen

from imapd.commands.fetch import Fetch
from imapd.dialect import Capability, Enable, Feature, FetchModifier, SelectParameter
from imapd.extensions.condstore import changed_spans, modification_sequence
from imapd.model.numset import NumSet, SequenceSet
from imapd.session.outcome import BadCommand
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.answers import settled
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "NAME"]

NAME: Final = "QRESYNC"
#: Messages told of before others get their turn.
_CHUNK: Final = 500


def _installs(session: Session) -> None:
    session.announce = evolve(session.announce, vanished=True, closed=True)


def _check_enabled(session: Session) -> None:
    if NAME not in session.enabled:
        raise BadCommand("Enable QRESYNC first")


# SELECT and EXAMINE


@frozen
class _Known:
    """What the client remembers (RFC 7162, 3.2.5)."""

    uidvalidity: int
    modseq: int
    uids: SequenceSet | None
    #: Some sequence numbers and the UIDs they had.
    numbers: SequenceSet | None
    numbers_uids: SequenceSet | None


def _known(cursor: Cursor) -> _Known:
    """``"(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"``."""
    cursor.space()
    cursor.enter()
    uidvalidity = cursor.nz_number()
    cursor.space()
    modseq = modification_sequence(cursor)
    uids = numbers = numbers_uids = None
    if cursor.peek() == b" ":
        cursor.space()
        if cursor.peek() != b"(":
            uids = _listed(cursor)
            if cursor.peek() == b" ":
                cursor.space()
        if cursor.peek() == b"(":
            cursor.enter()
            numbers = _listed(cursor)
            cursor.space()
            numbers_uids = _listed(cursor)
            cursor.leave()
    cursor.leave()
    return _Known(uidvalidity, modseq, uids, numbers, numbers_uids)


def _listed(cursor: Cursor) -> SequenceSet:
    """``known-uids``: a set without ``*`` and ``$``."""
    found = grammar.sequence_set(cursor)
    if found.saved or any(0 in each for each in found.ranges):
        raise BadSyntax("* and $ mean nothing in what a client knows")
    return found


def _check(session: Session, known: _Known) -> None:
    _check_enabled(session)
    if known.numbers is not None and session.announce.by_uid:
        raise BadCommand("There are no sequence numbers after ENABLE UIDONLY", "UIDREQUIRED")


async def _resynchronise(session: Session, known: _Known) -> None:
    """What happened since the client left, if UIDs and modseqs are still the same (RFC 7162, 3.2.5.1)."""
    view = session.selected
    if known.uidvalidity != view.mailbox.uidvalidity or session.announce.lacks:
        return
    uids = NumSet([(1, (1 << 32) - 1)]) if known.uids is None else known.uids.resolve(0)
    told = _matched(view, known)
    await _tell_vanished(session, uids - NumSet([(1, told)]) if told else uids, known.modseq)
    places = list(view.generation.spans(uids, view.count))
    changed = [
        place
        for start, stop in await changed_spans(view, places, known.modseq)
        for place in range(start, stop)
    ]
    for at in range(0, len(changed), _CHUNK):
        session.write(b"".join(view.flag_rows(changed[at : at + _CHUNK], session.announce)))
        await session.peer.turn()


def _matched(view: View, known: _Known) -> int:
    """The largest UID up to which the client knows of every removal (RFC 7162, 3.2.5.2), or 0.

    A client that lies about its numbers hurts itself: no more pairs are looked at than
    there are messages.
    """
    if known.numbers is None or known.numbers_uids is None:
        return 0
    matched = 0
    pairs = zip(known.numbers.resolve(0), known.numbers_uids.resolve(0))
    for number, uid in islice(pairs, view.count):
        if number > view.count or view.generation.uids[number - 1] != uid:
            break
        matched = uid
    return matched


async def _tell_vanished(session: Session, uids: NumSet, modseq: int) -> None:
    """``* VANISHED (EARLIER)``: those of `uids` that went after `modseq` (RFC 7162, 3.2.10.1)."""
    view = session.selected
    vanished = view.image.vanished_since(modseq)
    if vanished is None:
        vanished = (await settled(view.mailbox.changes_since(modseq))).vanished
    if vanished is None:
        # The store has forgotten: whatever is not there is gone.
        status = await settled(view.mailbox.status())
        gone = uids & NumSet([(1, max(1, status.uidnext - 1))])
    else:
        gone = uids & vanished
    gone -= view.uids_at(view.generation.spans(gone, view.count))
    if gone:
        session.write(b"* VANISHED (EARLIER) %b\r\n" % gone.wire())


# UID FETCH


def _nothing(cursor: Cursor) -> None:
    """Nothing follows the name."""


def _since(fetch: Fetch) -> int | None:
    for modifier, argument in fetch.modifiers:
        if modifier.name == "CHANGEDSINCE":
            return int(argument)
    return None


def _check_vanished(session: Session, fetch: Fetch, _: None) -> None:
    """RFC 7162, 3.2.6: with CHANGEDSINCE, in UID FETCH, once enabled."""
    _check_enabled(session)
    session.needs(frozenset(("CONDSTORE",)))
    if _since(fetch) is None or not fetch.by_uid:
        raise BadCommand("VANISHED goes with CHANGEDSINCE, in UID FETCH")


async def _vanished(session: Session, fetch: Fetch, _: None) -> None:
    since = _since(fetch)
    assert since is not None
    view = session.selected
    numbers = fetch.numbers
    largest = (await settled(view.mailbox.status())).uidnext - 1
    asked = session.saved if numbers.saved else numbers.resolve(max(1, largest))
    await _tell_vanished(session, asked, since)


FEATURE = Feature(
    name=NAME,
    rfc=7162,
    summary="a client that was away learns of everything in one round trip",
    capabilities=(Capability(NAME),),
    enables=(Enable(NAME, implies=("CONDSTORE",), installs=_installs),),
    fetch_modifiers=(FetchModifier("VANISHED", _nothing, _vanished, _check_vanished),),
    select_parameters=(SelectParameter(NAME, _known, check=_check, opened=_resynchronise),),
)
