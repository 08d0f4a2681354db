"""The threads that messages of a mailbox were put in, kept with its image.

An answer serves whoever asks for the threads of nearly the same messages: those that came or
went since are worked in (`imapd.query.threaded`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from imapd.model.limits import Limits
from imapd.query.source import Source
from imapd.query.thread import Algorithm
from imapd.query.threaded import Threaded, threaded
from imapd.session.view import View

__all__ = ["threads"]

#: Answers that are kept of one mailbox, each of about a hundred octets a message.
_KEPT: Final = 2


async def threads(
    view: View, source: Source, places: Sequence[int], algorithm: Algorithm, limits: Limits
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
    answer = await threaded(source, places, algorithm, nearest, limits)
    # The one that was asked for last is the last to be forgotten.
    others = [each for each in answers if each is not answer and each is not nearest]
    answers[:] = [answer, *others][:_KEPT]
    return answer
