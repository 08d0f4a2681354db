"""The selected mailbox as one client knows it: sequence numbers, and what it has not been told.

Rules of this file:

* A sequence number is a place in `generation.uids`, among the first `count`; it
  changes only in `news`, which writes what the client is told.
* The view holds references into its `Image`; per session it costs a few words.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from imapd.model.flags import Flags, wire
from imapd.model.mailbox import Changes
from imapd.model.numset import EMPTY, NumSet, SequenceSet
from imapd.model.rights import Rights, right_of_flag
from imapd.session.announce import Announce, rendered, rendered_recent
from imapd.session.generation import at
from imapd.session.image import Image
from imapd.session.outcome import BadCommand
from imapd.store.interfaces import IMailbox

__all__ = ["Follower", "Span", "View", "vanished"]

#: Neighbours that are compared at once: most have not vanished.
_ALIKE: Final = 512

#: Neighbours that are read as such: fewer are read one by one, together with others.
_ALONE: Final = 64

#: Places from the first to before the second.
Span = tuple[int, int]


class Follower(Protocol):
    """What tells a client more of what changes than the changes themselves (RFC 5267)."""

    @property
    def behind(self) -> bool:
        """It has not told of everything that the view has told of."""

    def leaving(self) -> bytes:
        """What comes before removals are told, whether they can be now or not."""

    async def follow(self) -> None:
        """Tell what comes after all else has been told."""


def vanished(old: Sequence[int], count: int, new: Sequence[int]) -> tuple[list[Span], int]:
    """The places of the first `count` of some UIDs that are not there any more, and how many are."""
    spans: list[Span] = []
    place = there = 0
    while place < count:
        stop = min(place + _ALIKE, count)
        if new[there : there + stop - place] == old[place:stop]:
            there += stop - place
            place = stop
            continue
        while place < stop:
            if there < len(new) and new[there] == old[place]:
                there += 1
            elif spans and spans[-1][1] == place:
                spans[-1] = (spans[-1][0], place + 1)
            else:
                spans.append((place, place + 1))
            place += 1
    return spans, there


class View:
    """One session's selected mailbox; a `session.image.Watcher`."""

    __slots__ = ("_changed", "count", "examined", "follower", "generation", "image", "kept", "keywords",
                 "mailbox", "name", "notices", "own", "read_only", "recent", "rights",
                 "rights_doubted", "told")  # fmt: skip

    def __init__(
        self, name: str, mailbox: IMailbox, read_only: bool, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self.mailbox = mailbox
        self.read_only = read_only
        #: It is so because the client wants it so.
        self.examined = False
        self._changed = changed
        #: UIDs whose \\Recent is this session's.
        self.recent = EMPTY
        #: Modseqs of changes that this client made itself and has been told of.
        self.own: Collection[int] = ()
        #: Flags that an untagged FLAGS has named.
        self.keywords: frozenset[str] = frozenset()
        #: Untagged responses that are due, besides what changed.
        self.notices: list[bytes] = []
        #: What the client was told that it may do; None: everything.
        self.rights: Rights | None = None
        #: It may be something else by now.
        self.rights_doubted = False
        self.follower: Follower | None = None
        #: What features remember while the mailbox is selected, by their name.
        self.kept: dict[str, Any] = {}

    def attach(self, image: Image) -> None:
        """Begin with what is there."""
        self.image = image
        self.generation = image.generation
        self.count = len(image.generation.uids)
        self.told = image.modseq

    def changed(self) -> None:
        """As `Watcher`."""
        self._changed()

    def notice(self, line: bytes) -> None:
        """Tell the client this with its next news."""
        if line not in self.notices:
            self.notices.append(line)
        self._changed()

    # What the client may name.

    def spans(self, numbers: SequenceSet, by_uid: bool, saved: NumSet) -> list[Span]:
        """The places a client means.  Raises `BadCommand` for a number beyond the last message."""
        uids = self.generation.uids
        if numbers.saved:
            return list(self.generation.spans(saved, self.count))
        if by_uid:
            largest = uids[self.count - 1] if self.count else 0
            return list(self.generation.spans(numbers.resolve(largest), self.count))
        if (
            len(numbers.ranges) == 1
            and 0 < numbers.ranges[0][0] == numbers.ranges[0][1] <= self.count
        ):
            ((number, _),) = numbers.ranges
            return [(number - 1, number)]
        for low, high in numbers.ranges:
            # RFC 9051, 9: seq-number; the asterisk is none either where there is nothing.
            if low > self.count or high > self.count or not self.count:
                raise BadCommand("There is no message of that number")
        return [(low - 1, high) for low, high in numbers.resolve(self.count).ranges]

    def uids(self, spans: Sequence[Span]) -> NumSet:
        """A set of UIDs that means the messages at these places."""
        if len(spans) == 1 and spans[0] == (0, self.count) and self.count:
            # Every message: one range says the same, whatever holes there are.
            return NumSet([(self.generation.uids[0], self.generation.uids[self.count - 1])])
        return self.uids_at(spans)

    def uids_at(self, spans: Iterable[Span]) -> NumSet:
        """The UIDs at these places, and no others between them."""
        column = array("I")
        for start, stop in spans:
            column += self.generation.uids[start:stop]
        return NumSet.of_column(column)

    def chunks(self, spans: Sequence[Span], most: int) -> Iterator[Sequence[int]]:
        """The same places one by one, no more than `most` at once; neighbours are a range."""
        scattered: list[int] = []
        for start, stop in spans:
            if stop - start < _ALONE and len(spans) > 1:
                scattered += range(start, stop)
                if len(scattered) >= most:
                    yield scattered[:most]
                    del scattered[:most]
                continue
            if scattered:
                yield scattered
                scattered = []
            for low in range(start, stop, most):
                yield range(low, min(low + most, stop))
        if scattered:
            yield scattered

    # What is known of them.

    def uids_of(self, places: Sequence[int]) -> Sequence[int]:
        """The UIDs of the messages there, one for each place."""
        return at(self.generation.uids, places)

    def flags(self, places: Sequence[int]) -> Sequence[Flags]:
        """The flags of the messages there, as they are now; of vanished ones, as they were."""
        return self._columns(places, lambda generation: generation.flags)

    def modseqs(self, places: Sequence[int]) -> Sequence[int]:
        """The modification sequences of the messages there."""
        return self._columns(places, lambda generation: generation.modseqs)

    def _columns(self, places: Sequence[int], column: Callable[..., Sequence]) -> Sequence:  # type: ignore[type-arg]
        now = self.image.generation
        then = column(self.generation)
        if now is self.generation:
            return at(then, places)
        values = []
        for place in places:
            there = now.position(self.generation.uids[place])
            values.append(column(now)[there] if there >= 0 else then[place])
        return values

    def shown_flags(self, places: Sequence[int], announce: Announce) -> list[bytes]:
        r"""The flags there, in ascending order, in wire form, with \Recent for who hears of it."""
        return self._shown(self.flags(places), self.uids_of(places), announce)

    def _shown(
        self, flags: Sequence[Flags], uids: Sequence[int], announce: Announce
    ) -> list[bytes]:
        if not (uids and announce.recent and self.recent) or uids[-1] < self.recent.first:
            return list(map(rendered.__getitem__, flags))
        if len(uids) < len(self.recent.ranges):
            return [
                (rendered_recent if uid in self.recent else rendered)[each]
                for uid, each in zip(uids, flags)
            ]
        told = list(map(rendered.__getitem__, flags))
        for low, high in self.recent.ranges:
            start, stop = bisect_left(uids, low), bisect_right(uids, high)
            told[start:stop] = map(rendered_recent.__getitem__, flags[start:stop])
        return told

    def is_recent(self, uid: int) -> bool:
        r"""Whether this session has the message's \Recent."""
        return uid in self.recent

    def recent_uids(self) -> NumSet:
        r"""The messages whose \Recent this session has."""
        if not self.recent:
            return EMPTY
        return self.uids_at(self.generation.spans(self.recent, self.count))

    def see_recent(self, count: int) -> None:
        r"""The last `count` messages are nobody's yet: EXAMINE shows \Recent and leaves it."""
        uids = self.image.generation.uids
        if count and uids:
            self.recent |= NumSet([(uids[-min(count, len(uids))], uids[-1])])

    # What the client is told.

    def made(self, changes: Changes) -> None:
        """Take in flag changes that this client made; it is told of them by whoever calls this."""
        image = self.image
        # Who idles may have taken it in already.
        alone = image.modseq == changes.since or (
            image.modseq == changes.modseq and image.before == changes.since
        )
        image.apply(changes)
        # Together with another's changes they cannot be told apart, and are told again.
        if not alone or not changes.uids:
            return
        # It knew all before: there is nothing to tell but what features remember.
        if self.told == changes.since and image.modseq == changes.modseq and not self.kept:
            self.told = changes.modseq
        else:
            self.own = {*self.own, changes.modseq}

    def has_news(self) -> bool:
        """There is something to tell, now or later."""
        return (
            self.generation is not self.image.generation
            or self.count < len(self.generation.uids)
            or self.told < self.image.modseq
            or bool(self.notices)
            or self.rights_doubted
        )

    def wants_recent(self) -> int:
        r"""The largest UID here whose \Recent nobody has claimed yet, or 0."""
        uids = self.image.generation.uids
        last = uids[-1] if uids else 0
        return last if last > self.image.recent_claimed else 0

    def news(
        self,
        announce: Announce,
        expunges: bool,
        flags: bool = True,
        more: bool = True,
        arrivals: bool = True,
    ) -> bytes:
        """What has happened since the client was told last, in the words of `announce`.

        Without `flags`, changes of flags are passed over, and without `more` those that leave
        flags as they were; without `arrivals`, new messages wait.
        """
        image = self.image
        leaving = b""
        if self.generation is not image.generation and self.follower is not None:
            leaving = self.follower.leaving()
        if self.generation is not image.generation and not expunges:
            return leaving
        told, self.notices = self.notices, []
        last = self.generation.uids[self.count - 1] if self.count else 0
        if self.generation is not image.generation:
            told += [leaving, self._removals(announce)]
        if self.told < image.modseq:
            if flags:
                told += self._flag_changes(announce, last, more)
            self.told = image.modseq
            self.own = ()
        if arrivals and self.count < len(self.generation.uids):
            self.count = len(self.generation.uids)
            told.append(
                announce.exists(self.count, len(self.recent_uids()) if announce.recent else 0)
            )
        return b"".join(told)

    def _removals(self, announce: Announce) -> bytes:
        old = self.generation.uids
        spans, self.count = vanished(old, self.count, self.image.generation.uids)
        self.generation = self.image.generation
        return announce.removed(spans, old) if spans else b""

    def _flag_changes(self, announce: Announce, last: int, more: bool) -> Iterator[bytes]:
        generation = self.generation
        found = self.image.changed_since(self.told, self.own, more)
        if found is None:
            places = [place for place in range(self.count) if generation.modseqs[place] > self.told]
        else:
            places = sorted(
                place
                for place in (generation.position(uid) for uid in found if uid <= last)
                if 0 <= place < self.count
            )
        return self.flag_rows(places, announce)

    def flag_rows(
        self, places: Sequence[int], announce: Announce, uid: bool = True, flags: bool = True
    ) -> Iterator[bytes]:
        """The responses that tell the flags there, behind FLAGS if it must tell of keywords.

        With their UIDs and, who hears of them, their modseqs; or without `uid`, or these alone.
        """
        uids = self.uids_of(places)
        row = announce.row
        columns: list[Sequence[Any]] = [announce.numbers(places, uids)]
        items: list[bytes] = []
        if uid and not announce.by_uid:
            row += announce.uid
            columns.append(uids)
        if flags:
            yield self.unknown_keywords(places)
            items.append(b"FLAGS %b")
            columns.append(self.shown_flags(places, announce))
        if announce.tells_modseq:
            items.append(b"MODSEQ (%d)")
            columns.append(self.modseqs(places))
        row += b" ".join(items) + b")\r\n"
        for each in zip(*columns):
            yield row % each

    def unknown_keywords(self, places: Sequence[int]) -> bytes:
        """The FLAGS response that must come before the flags of the messages there are told."""
        used = frozenset[str]().union(*set(self.flags(places)))
        if used <= self.keywords:
            return b""
        self.keywords |= used
        return self.flags_line()

    def permanent_flags(self) -> bytes:
        """``flag-perm`` of PERMANENTFLAGS: those that the client can change for good (RFC 4314, 5.1.1)."""
        if self.read_only:
            return b"()"
        rights = self.rights
        if rights is None:
            told = rendered[self.keywords]
        else:
            told = wire(each for each in self.keywords if right_of_flag(each) in rights)
        if self.mailbox.new_keywords and (rights is None or "w" in rights):
            return told[:-1] + b" \\*)"
        return told

    def flags_line(self) -> bytes:
        """The untagged FLAGS response (RFC 9051, 7.3.5)."""
        return b"* FLAGS %b\r\n" % rendered[self.keywords]
