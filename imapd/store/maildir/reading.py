"""``cur`` of a mailbox beside the rows of the files that should be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define

from imapd.store.maildir.filename import FileName, safe
from imapd.store.maildir.index import UID_BITS, UID_MASK, Index, MailboxRow, base_of
from imapd.store.maildir.tree import Tree, is_there

__all__ = ["Reading", "found_again", "free"]


@define(eq=False)
class Reading:
    """What there is and what is missing; files of moved messages stay for a while where they were."""

    #: Keys of the rows by the names that are missing, and names that no row has.
    missing: dict[str, int]
    fresh: set[str]
    #: Keys of messages whose file is still in another directory, by name.
    away: dict[str, int]
    #: Those of which it was renamed there: the name they had, and the one they have.
    strays: dict[int, tuple[str, str]]
    #: Keys of other mailboxes' messages whose file is still here, by the names that are missing.
    guests: dict[str, int]

    @classmethod
    def of(cls, index: Index, tree: Tree, row: MailboxRow) -> Reading | None:
        """Read the directory, then the rows; None if the directory is not there."""
        base = base_of(row.number)
        names = tree.listed(row.directory)
        if names is None:
            return None
        there = set(names)
        known: dict[str, int] = {}
        away: dict[str, int] = {}
        lost: dict[int, dict[str, int]] = {}
        for id, name, home in index.sql(
            "SELECT id, name, home FROM files WHERE id BETWEEN ? AND ?", (base, base + UID_MASK)
        ).fetchall():
            if home is None or home == row.number:
                known[name] = id
            elif is_there(tree.file(index.directory(home), name)):
                away[name] = id
            else:
                lost.setdefault(home, {})[name] = id
        strangers = {
            name: id
            for id, name in index.sql("SELECT id, name FROM files WHERE home = ?", (row.number,))
            if id >> UID_BITS != row.number
        }
        # Step by step: what is done with all at once holds Python's lock for long.
        missing = {name: id for name, id in known.items() if name not in there}
        fresh = {name for name in names if name not in known and name not in strangers}
        guests = {name: id for name, id in strangers.items() if name not in there}
        strays: dict[int, tuple[str, str]] = {}
        for home, gone in lost.items():
            strays |= found_again(gone, free(index, tree, home))
            missing |= {name: id for name, id in gone.items() if id not in strays}
        return cls(missing, fresh, away, strays, guests)

    @property
    def differs(self) -> bool:
        """Whether there is anything to enter."""
        return bool(self.missing or self.fresh or self.strays)

    def renamed(self) -> dict[int, tuple[str, str]]:
        """Keys of the files that have another name in this directory: what it was, and what it is."""
        return found_again({**self.guests, **self.missing}, self.fresh, self.away)


def free(index: Index, tree: Tree, number: int) -> list[str]:
    """The names in that mailbox's ``cur`` that no message has."""
    base = base_of(number)
    known = {
        name
        for (name,) in index.sql(
            "SELECT name FROM files WHERE id BETWEEN ? AND ? AND home IS NULL"
            " UNION ALL SELECT name FROM files WHERE home = ?",
            (base, base + UID_MASK, number),
        )
    }
    return [name for name in tree.listed(index.directory(number)) or () if name not in known]


def found_again(
    missing: Mapping[str, int], names: Iterable[str], away: Mapping[str, int] | None = None
) -> dict[int, tuple[str, str]]:
    """Which of `names`, that no message has, are those of files that are missing, or were `away`, by key.

    Others that rename a file leave what is before the letters, or the unique part at least.  That may be
    another file's as well: it says something only where there is one that is missing, and one name.
    """
    turned: dict[int, tuple[str, str]] = {}
    if not (missing or away):
        return turned
    by_base = {FileName.parse(name).base: (name, id) for name, id in missing.items()}
    others: dict[str, list[str]] = {}
    for name in sorted(filter(safe, names)):
        parsed = FileName.parse(name)
        match = by_base.pop(parsed.base, None)
        if match is None:
            others.setdefault(parsed.unique, []).append(name)
        else:
            turned[match[1]] = (match[0], name)
    by_unique: dict[str, list[tuple[str, int]]] = {}
    for name, id in [*by_base.values(), *(away or {}).items()]:
        by_unique.setdefault(FileName.parse(name).unique, []).append((name, id))
    for unique, found in by_unique.items():
        if len(found) == 1 and len(others.get(unique, ())) == 1:
            turned[found[0][1]] = (found[0][0], others[unique][0])
    return turned
