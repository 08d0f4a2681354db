"""What annotations become when some are set, within bounds: the same for every store (RFC 5464)."""

from __future__ import annotations

from collections.abc import Mapping

from imapd.store.errors import OverQuota, TooManyEntries

__all__ = ["annotated", "changed_entries"]


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
    growth = _octets(after) - _octets(before)
    if growth > 0 and held + growth > octets:
        raise OverQuota("There is no room for more annotations")
    return after


def changed_entries(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, ...]:
    """Those that came, went, or have another value."""
    return tuple(
        entry for entry in dict.fromkeys((*before, *after)) if before.get(entry) != after.get(entry)
    )


def _octets(entries: Mapping[str, bytes]) -> int:
    return sum(map(len, entries.values()))
