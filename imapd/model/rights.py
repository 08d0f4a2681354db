r"""Rights on mailboxes: the letters of RFC 4314, lists of them, and what they come to for a user.

Where the RFC leaves a choice:

* ``c`` means ``kx`` and ``d`` means ``et`` (2.1.1, the first of both readings).
* A user has what is granted to any identifier that is theirs, without what is taken from
  any of these by a negative one; in whatever order they were set.
* No right is tied to another.
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

__all__ = [
    "ACL", "ALL_RIGHTS", "ANYONE", "NO_RIGHTS", "Rights", "RightsChange", "changed_rights",
    "effective", "letters", "prepared", "right_of_flag", "rights",
]  # fmt: skip

#: Letters of RFC 4314, 2.1, and of RFC 5257, 3.4: ``n``, to annotate messages for all.
Rights = frozenset[str]

#: Who may do what, by identifier.
ACL = Mapping[str, Rights]

#: Everybody.
ANYONE: Final = "anyone"

_ORDER: Final = "lrswipkxtencda"
_VIRTUAL: Final = {"c": "kx", "d": "et"}

ALL_RIGHTS: Final[Rights] = frozenset(_ORDER) - _VIRTUAL.keys()
NO_RIGHTS: Final[Rights] = frozenset()


class RightsChange(Enum):
    """How SETACL applies its list (RFC 4314, 3.1)."""

    REPLACE = ""
    ADD = "+"
    REMOVE = "-"


def rights(text: str) -> Rights:
    """The rights of a list of letters.  Raises ValueError for one that is none."""
    unknown = [letter for letter in text if letter not in _ORDER]
    if unknown:
        raise ValueError(f"there is no right {unknown[0]!r}")
    return frozenset("".join(_VIRTUAL.get(letter, letter) for letter in text))


def letters(rights: Rights) -> str:
    """The list in writing, with the virtual ``c`` and ``d`` (RFC 4314, 2.1.1)."""
    return "".join(
        letter for letter in _ORDER if not rights.isdisjoint(_VIRTUAL.get(letter, letter))
    )


def changed_rights(old: Rights, change: RightsChange, rights: Rights) -> Rights:
    """What `change` of `rights` makes of `old`."""
    if change is RightsChange.ADD:
        return old | rights
    return old - rights if change is RightsChange.REMOVE else rights


def effective(acl: ACL, identifiers: Iterable[str]) -> Rights:
    """What who goes by `identifiers` may do."""
    granted: set[str] = set()
    denied: set[str] = set()
    for identifier in identifiers:
        granted |= acl.get(identifier, NO_RIGHTS)
        denied |= acl.get("-" + identifier, NO_RIGHTS)
    return frozenset(granted - denied)


def right_of_flag(flag: str) -> str:
    r"""The right to set or clear a flag (RFC 4314, 4: changing flags)."""
    return {"\\seen": "s", "\\deleted": "t"}.get(flag.lower(), "w")


_FORBIDDEN: Final = (
    stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
    stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
    stringprep.in_table_c8, stringprep.in_table_c9,
)  # fmt: skip


#: Characters of an identifier: normalising takes time with the square of the marks on one letter.
_LONGEST: Final = 1_000


def prepared(identifier: str) -> str:
    """An identifier in the form of SASLprep (RFC 4013), for storing.

    Raises ValueError if it cannot be, is too long, or nothing is left of it.
    """
    if len(identifier) > _LONGEST:
        raise ValueError("nobody can be called so")
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each
        for each in identifier
        if not stringprep.in_table_b1(each)
    )
    made = unicodedata.normalize("NFKC", mapped)
    if not made or made == "-" or any(test(each) for each in made for test in _FORBIDDEN):
        raise ValueError("nobody can be called so")
    if any(map(stringprep.in_table_d1, made)) and (
        any(map(stringprep.in_table_d2, made))
        or not (stringprep.in_table_d1(made[0]) and stringprep.in_table_d1(made[-1]))
    ):
        raise ValueError("letters that run both ways are mixed")
    return made
