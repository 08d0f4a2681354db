"""What a message is annotated with: octets by the name of each annotation (RFC 5257, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from attrs import frozen

from imapd.model.numset import NumSet

__all__ = ["PRIVATE", "SHARED", "Annotated", "Annotation", "Annotations", "octets_of"]

#: Whose an annotation is: everybody's, or the owner's of the account.  One of another user has
#: a name that begins with `PRIVATE` and a colon.
SHARED: Final = "shared"
PRIVATE: Final = "priv"


class Annotation(NamedTuple):
    """The name of one annotation of a message."""

    #: As ``/comment``.
    entry: str
    whose: str


Annotations = Mapping[Annotation, bytes]


@frozen
class Annotated:
    """One change: under `modseq`, these annotations of these messages were set or removed."""

    modseq: int
    uids: NumSet
    annotations: frozenset[Annotation]


def octets_of(annotations: Annotations) -> int:
    """What they take: a name is kept with each value."""
    return sum(len(each.entry) + len(value) for each, value in annotations.items())
