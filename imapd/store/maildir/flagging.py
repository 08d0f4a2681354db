"""STORE: flags of messages, under UNCHANGEDSINCE or not (RFC 7162, 3.1.3)."""

from __future__ import annotations

from imapd.model.flags import FlagChange, Flags, changed
from imapd.model.mailbox import Stored
from imapd.model.numset import EMPTY, NumSet
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.index import base_of
from imapd.store.maildir.lookup import rows
from imapd.store.maildir.turn import Turn

__all__ = ["store"]


def store(
    turn: Turn,
    number: int,
    uids: NumSet,
    change: FlagChange,
    flags: Flags,
    unchanged_since: int | None,
) -> Stored:
    """As `IMailbox.store_flags`; the files' names follow behind the answer."""
    edit = Edit(turn, turn.index.mailbox(number))
    flagsets = turn.index.flagsets
    if change is not FlagChange.REMOVE:
        flags = flagsets.spelt(flags)
    base = base_of(number)
    decode = flagsets.flags
    becomes: dict[int, int] = {}
    same: set[int] = set()
    found = []
    modified = []
    for some in rows(turn.index, number, uids, "m.flags, m.size, m.modseq", "messages m"):
        for row in some:
            if unchanged_since is not None and row[3] > unchanged_since:
                modified.append(row[0] - base)
                continue
            old = row[1]
            if old in becomes:
                found.append(row[:3])
            elif old not in same:
                new = flagsets.number(changed(decode[old], change, flags))
                if new == old:
                    same.add(old)
                else:
                    becomes[old] = new
                    found.append(row[:3])
    if found:
        edit.reflag(found, becomes)
    return Stored(edit.finish(), NumSet.from_sorted(modified) if modified else EMPTY)
