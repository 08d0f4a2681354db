"""Where a mailbox of others is: whose it is, and what it is called there."""

from __future__ import annotations

from attrs import frozen

from imapd.model.mailbox import DELIMITER, canonical

__all__ = ["Place", "below"]


@frozen
class Place:
    """A name in another account; no mailbox has an empty owner or an empty name."""

    owner: str
    #: What stands before the owner's own name of a mailbox.
    prefix: str
    name: str


def below(name: str, prefix: str, owner: str = "") -> Place | None:
    """Where a name leads that begins with the prefix, or is the prefix; None for others.

    The first level is the owner, unless there is one owner to it all.
    """
    if not prefix or not (name + DELIMITER).startswith(prefix):
        return None
    rest = name[len(prefix) :]
    if not owner:
        owner, _, rest = rest.partition(DELIMITER)
        prefix += owner + DELIMITER
    return Place(owner, prefix, canonical(rest))
