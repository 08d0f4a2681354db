"""Annotations of mailboxes of others (RFC 5464, 3.3).

What is shared is kept by the owner's account, with the mailbox.  What is private is kept by
the user's own, among what is the account's own, under entries that no client can name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from attrs import define, evolve, field
from zope.interface import implementer

from imapd.model.mailbox import Hint
from imapd.model.rights import Rights
from imapd.sharing.mailbox import shared_id
from imapd.sharing.place import Place
from imapd.store.answers import settled
from imapd.store.errors import NoPermission, NoSuchMailbox
from imapd.store.interfaces import IAccount, IMailbox, IMetadata

__all__ = ["SharingMetadata", "shared_entries", "told_of_own"]

#: Before the id of a mailbox.
_OTHERS = "/others/"
_SHARED = "/shared/"

#: The account of a place, its mailbox, and the user's rights on it.
_Found = Callable[[Place], AbstractAsyncContextManager[tuple[IAccount, IMailbox, Rights]]]


def shared_entries(entries: Iterable[str]) -> tuple[str, ...]:
    """Those that others have a part in."""
    return tuple(entry for entry in entries if entry.startswith(_SHARED))


def told_of_own(hint: Hint) -> Iterator[Hint]:
    """What a hint of the user's own account says: what is kept for mailboxes of others is theirs."""
    rest = tuple(entry for entry in hint.entries if not entry.startswith(_OTHERS))
    if rest or not hint.entries:
        yield evolve(hint, entries=rest)
    for entry in hint.entries:
        if entry.startswith(_OTHERS):
            id, slash, name = entry.removeprefix(_OTHERS).partition("/")
            yield Hint(id, entries=(slash + name,))


@implementer(IMetadata)
@define(eq=False)
class SharingMetadata:
    """As `IMetadata`, of all mailboxes that a user sees."""

    _own: IMetadata = field(repr=False)
    _user: str
    _place: Callable[[str], Place | None] = field(repr=False)
    _found: _Found = field(repr=False)

    async def annotations(self, mailbox: str) -> Mapping[str, bytes]:
        """As `IMetadata`."""
        place = self._place(mailbox) if mailbox else None
        if place is not None:
            async with self._annotated(place) as (owners, prefix):
                shared = await settled(owners.annotations(place.name))
                private = await settled(self._own.annotations(""))
            return {
                **{entry: value for entry, value in shared.items() if entry.startswith(_SHARED)},
                **{
                    entry.removeprefix(prefix): value
                    for entry, value in private.items()
                    if entry.startswith(prefix)
                },
            }
        found = await settled(self._own.annotations(mailbox))
        return {entry: value for entry, value in found.items() if not entry.startswith(_OTHERS)}

    async def annotate(
        self, mailbox: str, values: Mapping[str, bytes | None], entries: int, octets: int
    ) -> Sequence[str]:
        """As `IMetadata`."""
        place = self._place(mailbox) if mailbox else None
        if place is None:
            return await settled(self._own.annotate(mailbox, values, entries, octets))
        shared = {entry: values[entry] for entry in shared_entries(values)}
        changed: list[str] = []
        async with self._annotated(place) as (owners, prefix):
            private = {prefix + entry: values[entry] for entry in values.keys() - shared.keys()}
            before = await settled(owners.annotations(place.name))
            if shared:
                changed += await settled(owners.annotate(place.name, shared, entries, octets))
            try:
                if private:
                    also = await settled(self._own.annotate("", private, entries, octets))
                    changed += [entry.removeprefix(prefix) for entry in also]
            except BaseException:
                back = {entry: before.get(entry) for entry in shared}
                await settled(owners.annotate(place.name, back, entries, octets))
                raise
        return changed

    @asynccontextmanager
    async def _annotated(self, place: Place) -> AsyncIterator[tuple[IMetadata, str]]:
        """Where the shared ones are, and what the user's private ones begin with."""
        async with self._found(place) as (account, mailbox, rights):
            if "l" not in rights:
                raise NoSuchMailbox
            if rights.isdisjoint("rswip"):
                raise NoPermission
            yield IMetadata(account), f"{_OTHERS}{shared_id(mailbox.id, self._user)}"
