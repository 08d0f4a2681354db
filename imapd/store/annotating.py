"""What annotations become when some are set, within bounds: the same for every store.

Those of mailboxes (RFC 5464) and those of messages (RFC 5257).
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from imapd.model.annotation import (
    PRIVATE,
    SHARED,
    Annotated,
    Annotation,
    Annotations,
    octets_of,
)
from imapd.model.numset import NumSet
from imapd.store.errors import OverQuota, TooManyEntries

__all__ = [
    "Annotating",
    "annotated",
    "carried",
    "changed_entries",
    "check_growth",
    "octets_of_entries",
]


def annotated(
    before: Mapping[str, bytes],
    values: Mapping[str, bytes | None],
    *,
    held: int,
    entries: int,
    octets: int,
) -> dict[str, bytes]:
    """The entries of a mailbox after `values`, of which those that are None go.

    `held` are the octets of all annotations of the account before.  Raises `TooManyEntries` and
    `OverQuota`; whatever does not grow is allowed.
    """
    after = dict(before)
    for entry, value in values.items():
        if value is None:
            after.pop(entry, None)
        else:
            after[entry] = value
    if len(after) > max(entries, len(before)):
        raise TooManyEntries(f"There can be {entries} annotations")
    check_growth(held, octets_of_entries(after) - octets_of_entries(before), octets)
    return after


@define(eq=False)
class Annotating:
    """One change of annotations of messages while it is made; `values` as of `IAnnotations.annotate`."""

    _values: Mapping[Annotation, bytes | None]
    _entries: int
    #: Octets that messages came to take more, or less, so far.
    growth: int = field(default=0, init=False)
    _changed: dict[frozenset[Annotation], list[int]] = field(factory=dict, init=False)

    def becomes(self, uid: int, before: Annotations) -> Annotations | None:
        """What the next message has after it; None if it has all that already.

        Raises `TooManyEntries`.
        """
        changed = frozenset(
            each for each, value in self._values.items() if before.get(each) != value
        )
        if not changed:
            return None
        after = {each: value for each, value in before.items() if each not in changed}
        for each in changed:
            value = self._values[each]
            if value is not None:
                after[each] = value
        for whose in {each.whose for each in changed}:
            if _count(after, whose) > max(self._entries, _count(before, whose)):
                raise TooManyEntries(f"There can be {self._entries} annotations")
        self.growth += octets_of(after) - octets_of(before)
        self._changed.setdefault(changed, []).append(uid)
        return after

    def made(self, modseq: int) -> list[Annotated]:
        """What was changed."""
        return [
            Annotated(modseq, NumSet.from_sorted(uids), changed)
            for changed, uids in self._changed.items()
        ]


def check_growth(held: int, growth: int, octets: int) -> None:
    """Raises `OverQuota` when what holds `held` octets grows beyond `octets`."""
    if growth > 0 and held + growth > octets:
        raise OverQuota("There is no room for more annotations")


def carried(annotations: Annotations) -> Annotations:
    """What goes along with a copy of a message (RFC 5257, 4.6)."""
    return {each: value for each, value in annotations.items() if each.whose in (SHARED, PRIVATE)}


def _count(annotations: Annotations, whose: str) -> int:
    return sum(each.whose == whose for each in annotations)


def changed_entries(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, ...]:
    """Those that came, went, or have another value."""
    return tuple(
        entry for entry in dict.fromkeys((*before, *after)) if before.get(entry) != after.get(entry)
    )


def octets_of_entries(entries: Mapping[str, bytes]) -> int:
    """What annotations of a mailbox take: a name is kept with each value."""
    return sum(len(entry) + len(value) for entry, value in entries.items())
