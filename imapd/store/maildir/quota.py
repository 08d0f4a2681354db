"""What an account holds, by the counts of its mailboxes, and what it may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from imapd.model.quota import Allowance, Quota, Usage
from imapd.store.errors import OverQuota
from imapd.store.maildir import annotating, metadata
from imapd.store.maildir.index import Index

__all__ = ["allow", "allowed", "quota"]

#: In `meta`: what this account was allowed, as a JSON object; not there while it is as all others.
_ALLOWANCE: Final = "allowance"


def quota(index: Index, each: Allowance) -> Quota:
    """What it holds; and may hold, where `each` is what every account may."""
    return Quota(_usage(index), _allowance(index, each))


def allow(index: Index, allowance: Allowance) -> None:
    """Keep what this account may hold."""
    index.set_meta(_ALLOWANCE, json.dumps(attrs.asdict(allowance)))


@contextmanager
def allowed(index: Index, each: Allowance) -> Iterator[None]:
    """Inside a transaction: raise `OverQuota` at the end if more is held than is allowed.

    What was held before is allowed.
    """
    allowance = _allowance(index, each)
    if allowance == Allowance():
        yield
        return
    before = _usage(index)
    yield
    resource = allowance.forbids(before, _usage(index))
    if resource:
        raise OverQuota(f"The quota of {resource} is used up")


def _usage(index: Index) -> Usage:
    row = index.sql(
        "SELECT coalesce(sum(size), 0), coalesce(sum(messages), 0), count(*) FROM mailboxes"
    ).fetchone()
    annotations = annotating.held(index) + metadata.held(index)
    return Usage(storage=row[0], messages=row[1], mailboxes=row[2], annotations=annotations)


def _allowance(index: Index, each: Allowance) -> Allowance:
    said = index.meta(_ALLOWANCE)
    return each if said is None else Allowance(**json.loads(said))
