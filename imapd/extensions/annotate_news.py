"""Which annotations others changed, told to who wants it (RFC 5257, 4.2 and 4.4; RFC 5465, 5.1).

Names of entries only; that messages changed at all, and their modseqs, is told to everybody.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

from imapd.model.mailbox import Stored
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.answers import settled
from imapd.store.interfaces import IAnnotations
from imapd.wire import encode

__all__ = ["begin", "end", "made", "tell"]

#: In `View.kept`.
_KEY: Final = "ANNOTATE"
#: Rows written before others get their turn.
_CHUNK: Final = 500


@define
class _News:
    #: The modseq up to which the client has been told.
    told: int
    #: SELECT had ANNOTATE.
    selected: bool
    #: Modseqs of what it changed itself.
    own: set[int] = field(factory=set)


def begin(view: View, selected: bool) -> None:
    """The client wants to be told, of the mailbox that it has selected; with `selected`, SELECT said so."""
    if _KEY not in view.kept:
        view.kept[_KEY] = _News(view.told, selected)


def end(view: View) -> None:
    """The client wants it no longer, unless SELECT said so."""
    news: _News | None = view.kept.get(_KEY)
    if news is not None and not news.selected:
        del view.kept[_KEY]


def made(view: View, stored: Stored) -> None:
    """The client itself changed this."""
    news: _News | None = view.kept.get(_KEY)
    if news is not None:
        news.own.add(stored.changes.modseq)


async def tell(session: Session) -> None:
    """``msg-att-dynamic =/ "ANNOTATION" SP "(" entry *(SP entry) ")"`` of what changed meanwhile."""
    view = session.view
    news: _News | None = None if view is None else view.kept.get(_KEY)
    if view is None or news is None or news.told >= view.image.modseq:
        return
    able = IAnnotations(view.mailbox, None)
    if able is None:
        return
    until = view.image.modseq
    changes = await settled(able.annotated_since(news.told))
    names: dict[int, dict[str, None]] = {}
    for each in changes:
        if each.modseq <= until and each.modseq not in news.own:
            for start, stop in view.generation.spans(each.uids, view.count):
                for place in range(start, stop):
                    entries = sorted(name.entry for name in each.annotations)
                    names.setdefault(place, {}).update(dict.fromkeys(entries))
    news.told = until
    news.own = {modseq for modseq in news.own if modseq > until}
    announce = session.announce
    row = announce.row + announce.uid + b"ANNOTATION (%b)"
    row += b" MODSEQ (%d))\r\n" if announce.tells_modseq else b")\r\n"
    for number, place in enumerate(sorted(names)):
        uid = view.generation.uids[place]
        told = b" ".join(encode.astring(name.encode("ascii")) for name in names[place])
        values: list[int | bytes] = [uid] if announce.by_uid else [place + 1, uid]
        values.append(told)
        if announce.tells_modseq:
            values.append(view.modseqs((place,))[0])
        session.write(row % tuple(values))
        if number % _CHUNK == 0:
            await session.peer.turn()
