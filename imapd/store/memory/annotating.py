"""Annotations of the messages of one mailbox in memory (RFC 5257)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from attrs import define, field
from zope.interface import implementer

from imapd.model.annotation import Annotated, Annotation, Annotations
from imapd.model.mailbox import Stored
from imapd.model.message import ANNOTATIONS, MODSEQ
from imapd.model.numset import NumSet
from imapd.store.annotating import Annotating, check_growth
from imapd.store.interfaces import IAnnotations

if TYPE_CHECKING:
    from imapd.store.memory.mailbox import MemoryMailbox

__all__ = ["MemoryAnnotations"]

#: Changes that are remembered.
_CHANGES: Final = 1_000


@implementer(IAnnotations)
@define(eq=False)
class MemoryAnnotations:
    """As `IAnnotations`; the mailbox has them in a column."""

    _mailbox: MemoryMailbox = field(repr=False)
    #: The octets of all annotations of messages of the account.
    _held: Callable[[], int] = field(repr=False)
    private_annotations: bool = True
    _log: deque[Annotated] = field(factory=lambda: deque(maxlen=_CHANGES), init=False, repr=False)

    def annotate(
        self,
        uids: NumSet,
        values: Mapping[Annotation, bytes | None],
        entries: int,
        octets: int,
        unchanged_since: int | None = None,
    ) -> Stored:
        """As `IAnnotations`."""
        annotating = Annotating(values, entries)
        becomes: dict[int, Annotations] = {}
        modified: list[int] = []
        for batch in self._mailbox.scan(uids, frozenset((ANNOTATIONS, MODSEQ))):
            rows = zip(batch.uids, batch.columns[ANNOTATIONS], batch.columns[MODSEQ])
            for uid, before, modseq in rows:
                if unchanged_since is not None and modseq > unchanged_since:
                    modified.append(uid)
                    continue
                after = annotating.becomes(uid, before)
                if after is not None:
                    becomes[uid] = after
        check_growth(self._held(), annotating.growth, octets)
        changes = self._mailbox.reannotate(
            becomes,
            annotating.growth,
            lambda modseq: self._log.extend(annotating.made(modseq)),
        )
        return Stored(changes, NumSet.from_sorted(modified))

    def annotated_since(self, modseq: int) -> Sequence[Annotated]:
        """As `IAnnotations`."""
        return [each for each in self._log if each.modseq > modseq]
