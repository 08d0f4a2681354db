"""THREAD and UID THREAD: ORDEREDSUBJECT and REFERENCES (RFC 5256), and REFS.

REFS is of draft-ietf-morg-inthread-01, which never became an RFC; Dovecot and Cyrus have it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from attrs import frozen

from imapd.commands.search import Search, in_charset, prepared
from imapd.commands.search_keys import search_keys
from imapd.commands.search_source import Selected
from imapd.dialect import Capability, Command, Feature
from imapd.model.states import State
from imapd.query.references import TooManyReferences
from imapd.query.search import search
from imapd.query.thread import ALGORITHMS, Algorithm
from imapd.query.threaded import Threaded, positions
from imapd.session.allotment import refuse_more
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.session.threads import leave, threads
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "REFS"]


@frozen
class _Thread:
    algorithm: Algorithm
    search: Search


def _arguments(by_uid: bool) -> Callable[[Cursor], _Thread]:
    def arguments(cursor: Cursor) -> _Thread:
        """``"THREAD" SP thread-alg SP charset 1*(SP search-key)``."""
        cursor.space()
        algorithm = ALGORITHMS.get(cursor.word().decode("ascii"))
        if algorithm is None or not cursor.vocabulary.has("THREAD=" + algorithm.name):
            raise BadSyntax("THREAD has no algorithm of that name")
        cursor.space()
        charset = in_charset(cursor)
        cursor.space()
        return _Thread(algorithm, Search(by_uid, None, charset, search_keys(cursor), b"THREAD"))

    return arguments


async def _thread(session: Session, asked: _Thread) -> None:
    program, _ = await prepared(session, asked.search)
    source = Selected(session)
    if session.policy.limits.messages:
        # RFC 9738, 3.3: of a part, the threads would be others.
        refuse_more(session, len(source.uids), [(0, len(source.uids))])
    found = await search(program, source)
    every = range(len(source.uids))
    places: Sequence[int] = every if len(found) == len(every) else list(found)
    try:
        answer = await threads(
            session.selected, source, places, asked.algorithm, session.policy.limits
        )
    except TooManyReferences:
        raise Refused("LIMIT", "These messages refer to too many others") from None
    await _write(session, source, places, answer, asked.search.by_uid)
    await leave(session.selected, source, answer)


async def _write(
    session: Session, source: Selected, places: Sequence[int], answer: Threaded, by_uid: bool
) -> None:
    """``thread-data = "THREAD" [SP 1*thread-list]``."""
    members = answer.members if by_uid else await positions(source, answer)
    if len(places) > len(answer.uids):
        # Some are gone.
        places = [bisect_left(source.uids, uid) for uid in answer.uids]
    # The same thing said faster, of all.
    number = (1).__add__ if isinstance(places, range) else lambda each: places[each] + 1
    session.write(b"* THREAD")
    before = b" "
    for shape, some in answer.written():
        called = members[some] if by_uid else map(number, members[some])
        session.write(before + shape % tuple(called))
        before = b""
        await source.turn()
    session.write(b"\r\n")


FEATURE = Feature(
    name="THREAD",
    rfc=5256,
    summary="conversations, by what messages refer to or by their subjects",
    capabilities=(Capability("THREAD=ORDEREDSUBJECT"), Capability("THREAD=REFERENCES")),
    commands=(
        Command(
            "THREAD", State.SELECTED, _arguments(False), _thread, expunges=False, by_number=True
        ),
        Command("UID THREAD", State.SELECTED, _arguments(True), _thread),
    ),
)

REFS = Feature(
    name="THREAD=REFS",
    rfc=5256,
    summary="conversations by what messages refer to alone, the latest last (an expired draft)",
    capabilities=(Capability("THREAD=REFS"),),
    needs=("THREAD=REFERENCES",),
)
