"""Annotations of messages of others (RFC 5257, 3.4): what is shared, and the user's own.

All are kept with the message, in the owner's account; a user's own under their name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

from attrs import define, field
from zope.interface import implementer

from imapd.model.annotation import PRIVATE, SHARED, Annotated, Annotation, Annotations
from imapd.model.mailbox import Stored
from imapd.model.numset import NumSet
from imapd.sharing.ledger import Ledger
from imapd.store.answers import settled
from imapd.store.interfaces import IAnnotations

__all__ = ["RIGHT_OF", "SharedAnnotations", "as_kept", "as_seen"]

#: What it takes to change them.
RIGHT_OF: Final[Mapping[str, str]] = {SHARED: "n", PRIVATE: "r"}

_V = TypeVar("_V", bytes, "bytes | None")


def _names(user: str) -> Mapping[str, str]:
    """Whose annotations are in the owner's account, by what they are for the user."""
    return {SHARED: SHARED, PRIVATE: f"{PRIVATE}:{user}"}


def as_kept(annotations: Mapping[Annotation, _V], user: str) -> Mapping[Annotation, _V]:
    """The user's annotations under the names that they have in the owner's account."""
    names = _names(user)
    return {Annotation(each.entry, names[each.whose]): value for each, value in annotations.items()}


def as_seen(annotations: Annotations, user: str) -> Annotations:
    """What of annotations in the owner's account the user sees, under the names they have for them."""
    if not annotations:
        return annotations
    seen = _seen(annotations, user)
    return {name: annotations[each] for each, name in seen.items()}


def _seen(annotations: Collection[Annotation], user: str) -> Mapping[Annotation, Annotation]:
    names = {kept: whose for whose, kept in _names(user).items()}
    return {
        each: Annotation(each.entry, names[each.whose])
        for each in annotations
        if each.whose in names
    }


#: Makes a change for who has the rights: of these messages, if they have not changed since.
_Guarded = Callable[
    [Collection[str], NumSet, "int | None", Callable[[NumSet, "int | None"], Awaitable[Stored]]],
    Awaitable[Stored],
]


@implementer(IAnnotations)
@define(eq=False)
class SharedAnnotations:
    """As `IAnnotations`, for one user."""

    _able: IAnnotations = field(repr=False)
    _user: str
    _ledger: Ledger = field(repr=False)
    _guarded: _Guarded = field(repr=False)

    @property
    def private_annotations(self) -> bool:
        """As `IAnnotations`."""
        return bool(self._able.private_annotations)

    async def annotate(
        self,
        uids: NumSet,
        values: Mapping[Annotation, bytes | None],
        entries: int,
        octets: int,
        unchanged_since: int | None = None,
    ) -> Stored:
        """As `IAnnotations`."""
        kept = as_kept(values, self._user)

        async def change(uids: NumSet, since: int | None) -> Stored:
            return await settled(self._able.annotate(uids, kept, entries, octets, since))

        needed = {RIGHT_OF[each.whose] for each in values}
        return await self._guarded(needed, uids, unchanged_since, change)

    async def annotated_since(self, modseq: int) -> Sequence[Annotated]:
        """As `IAnnotations`."""
        changes = await settled(self._able.annotated_since(self._ledger.split(modseq)[0]))
        told = [
            Annotated(
                self._ledger.numbered(each.modseq),
                each.uids,
                frozenset(_seen(each.annotations, self._user).values()),
            )
            for each in changes
        ]
        return [each for each in told if each.annotations]
