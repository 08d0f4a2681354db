"""How well messages match a program, from 1 to 100 (RFC 6203, 4).

Keys that have a score say it of themselves.  Of several that must all hold, it is the average; of
several of which one must, it is the best of those that cost least to be asked.  Others, and what
is not to be, have no say; where none has, everything matches as well as can be.
"""

from __future__ import annotations

from typing import Any, Final

from imapd.model.message import RELEVANCY, Batch, Column
from imapd.model.search import And, Cost, Key, Or, Program
from imapd.query.search import leaves_of
from imapd.query.source import Source
from imapd.query.text import MessageText

__all__ = ["columns_of", "with_relevancy"]

_MOST: Final = 100
#: Not known without the message itself.
_UNKNOWN: Final = -1.0


def columns_of(program: Program) -> frozenset[Column]:
    """What `with_relevancy` needs to be in a batch."""
    scored = [leaf for leaf in leaves_of(program) if isinstance(leaf, Key) and leaf.score]
    return frozenset[Column]().union(*(key.columns for key in scored))


async def with_relevancy(
    program: Program, source: Source, batch: Batch, known: dict[int, int]
) -> Batch:
    """A batch of messages that match, with the column RELEVANCY; it is kept in `known`, by UID."""
    for at, uid in enumerate(batch.uids):
        if uid in known:
            continue
        row = {name: column[at] for name, column in batch.columns.items()}
        score = _score(program, row, None)
        if score == _UNKNOWN:
            message = await source.message(uid)
            if message is not None:
                try:
                    score = _score(program, row, message)
                finally:
                    message.close()
        known[uid] = _MOST if score is None else max(1, round(score * _MOST))
        await source.turn()
    relevancies = list(map(known.__getitem__, batch.uids))
    return Batch(batch.uids, {**batch.columns, RELEVANCY: relevancies})


def _score(program: Program, row: dict[Column, Any], message: MessageText | None) -> float | None:
    if isinstance(program, Key):
        return _score_of(program, row, message) if program.score is not None else None
    if isinstance(program, (And, Or)):
        found = [_score(each, row, message) for each in program.programs]
        said = [each for each in found if each is not None]
        if not said:
            return None
        if isinstance(program, Or):
            best = max(said)
            # What was found without the message is not looked for in it.
            return best if best > 0 or _UNKNOWN not in said else _UNKNOWN
        return _UNKNOWN if _UNKNOWN in said else sum(said) / len(said)
    return None


def _score_of(key: Key, row: dict[Column, Any], message: MessageText | None) -> float:
    assert key.score is not None
    if key.cost is not Cost.CONTENT:
        return key.score(*(row[name] for name in key.columns))
    return _UNKNOWN if message is None else key.score(message)
