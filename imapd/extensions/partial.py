"""PARTIAL: a page of what SEARCH finds, or of what UID FETCH names (RFC 9394).

Rules of this file:

* A page is counted from the first message, or with a minus from the last; its two ends may
  be in either order, and the answer repeats them as they were sent.
* What lies beyond the messages that there are is left out, and is no error.
* For UID FETCH the page is taken of the messages named, before any other modifier narrows
  them (3.4), wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from imapd.commands.fetch import Fetch
from imapd.dialect import Capability, Feature, FetchModifier, SearchReturn
from imapd.query.results import Found
from imapd.session.outcome import BadCommand
from imapd.session.session import Session
from imapd.session.view import Span
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "Page"]

_RANGE: Final = re.compile(rb"[1-9][0-9]{0,9}:[1-9][0-9]{0,9}|-[1-9][0-9]{0,9}:-[1-9][0-9]{0,9}")


@frozen
class Page:
    """``partial-range``: both ends count, and both are above 0, or both below."""

    first: int
    last: int

    def wire(self) -> bytes:
        """As it was sent."""
        return b"%d:%d" % (self.first, self.last)

    def span(self, count: int) -> Span:
        """From which to before which of `count` results; the same twice when there are none."""
        low, high = sorted((self.first, self.last))
        if low < 0:
            low, high = count + low + 1, count + high + 1
        start = min(max(low - 1, 0), count)
        return start, max(start, min(high, count))

    @property
    def most(self) -> int:
        """How many of the first results decide it; below 0, how many of the last."""
        return max(self.first, self.last) if self.first > 0 else min(self.first, self.last)


def _page(cursor: Cursor) -> Page:
    """``SP partial-range``: ``nz-number ":" nz-number``, both with a minus or both without."""
    cursor.space()
    first, _, last = cursor.take(_RANGE, "a range").partition(b":")
    page = Page(int(first), int(last))
    if max(abs(page.first), abs(page.last)) >> 32:
        raise cursor.bad("numbers of 32 bits")
    return page


# SEARCH


def _places(found: Found, page: Page) -> Sequence[int]:
    start, stop = page.span(len(found.places))
    return found.places[start:stop]


def _data(found: Found, page: Page) -> bytes:
    """``"PARTIAL" SP "(" partial-range SP partial-results ")"``."""
    places = _places(found, page)
    return b"(%b %b)" % (page.wire(), found.sequence(places) if places else b"NIL")


# UID FETCH


def _check(session: Session, fetch: Fetch, page: Page) -> None:
    if not fetch.by_uid:
        raise BadCommand("PARTIAL is for UID FETCH")


def _narrow(session: Session, fetch: Fetch, page: Page) -> None:
    start, stop = page.span(sum(high - low for low, high in fetch.spans))
    spans: list[Span] = []
    before = 0
    for low, high in fetch.spans:
        first = max(low, low + start - before)
        last = min(high, low + stop - before)
        if first < last:
            spans.append((first, last))
        before += high - low
    fetch.spans = spans


FEATURE = Feature(
    name="PARTIAL",
    rfc=9394,
    summary="a page of what SEARCH finds or UID FETCH names",
    capabilities=(Capability("PARTIAL"),),
    needs=("ESEARCH",),
    fetch_modifiers=(FetchModifier("PARTIAL", _page, _narrow, _check, early=True),),
    search_returns=(
        SearchReturn(
            "PARTIAL",
            _page,
            _data,
            _places,
            most=lambda page: page.most,
            excludes=("ALL", "PARTIAL"),
        ),
    ),
)
