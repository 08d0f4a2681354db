"""The threads that messages of a mailbox were put in, kept with its image.

An answer serves whoever asks for the threads of nearly the same messages: those that came or
went since are worked in (`imapd.query.threaded`).  That of all of a large mailbox is left with the
store, again when many have come or gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from imapd.model.limits import Limits
from imapd.query.source import Columns
from imapd.query.thread import Algorithm
from imapd.query.threaded import Threaded, threaded
from imapd.session.kept_threads import WORTH_KEEPING, keep, load
from imapd.session.view import View

__all__ = ["leave", "threads"]

#: Answers that are kept of one mailbox, each of about a hundred octets a message.
_KEPT: Final = 2
#: It is left with the store again when one in so many messages has come or gone.
_CHANGED: Final = 64


async def threads(
    view: View, source: Columns, places: Sequence[int], algorithm: Algorithm, limits: Limits
) -> Threaded:
    """The threads of the messages of the view at `places`, which ascend.

    Raises `TooManyReferences`.
    """
    answers: list[Threaded] = view.image.kept.setdefault(__name__, [])
    nearest = min(
        (each for each in answers if each.algorithm is algorithm),
        key=lambda each: abs(len(each.uids) - len(places)),
        default=None,
    )
    count = len(source.uids)
    if nearest is None and count >= WORTH_KEEPING and 2 * len(places) > count:
        nearest = await load(view.mailbox, algorithm, source.turn)
    answer = await threaded(source, places, algorithm, nearest, limits)
    # The one that was asked for last is the last to be forgotten.
    others = [each for each in answers if each is not answer and each is not nearest]
    answers[:] = [answer, *others][:_KEPT]
    return answer


async def leave(view: View, source: Columns, answer: Threaded) -> None:
    """Leave an answer with the store, if it is worth that."""
    count = len(source.uids)
    if len(answer.uids) < count or count < WORTH_KEEPING:
        return
    if answer.changed is None or answer.changed * _CHANGED > count:
        answer.changed = 0
        await keep(view.mailbox, answer, source.turn)
