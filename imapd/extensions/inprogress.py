"""INPROGRESS: a client that waits is told how far its command has come (RFC 9585).

When it is told is the affair of `imapd.session.progress`; here are the words.  SEARCH, FETCH,
COPY, MOVE and the removal of messages tell of it.
"""

from __future__ import annotations

from imapd.dialect import Capability, Feature
from imapd.session.session import Session
from imapd.wire import encode

__all__ = ["FEATURE"]


def _tell(session: Session, done: int | None, goal: int | None) -> None:
    """An untagged OK; a tag that would end the brackets is NIL (4)."""
    tag = b"NIL" if b"]" in session.tag or not session.tag else encode.quoted(session.tag)
    if done is None or goal is None:
        code = b"INPROGRESS (%b NIL NIL)" % tag
        session.write(session.status(b"OK", code, "Still working on this"))
        return
    percent = 100 * done // goal
    code = b"INPROGRESS (%b %d %d)" % (tag, done, goal)
    session.write(session.status(b"OK", code, f"Processed {percent}% of the messages"))


FEATURE = Feature(
    name="INPROGRESS",
    rfc=9585,
    summary="a client that waits is told how far its command has come",
    capabilities=(Capability("INPROGRESS"),),
    reports=_tell,
)
