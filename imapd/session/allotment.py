"""How many messages one command may work on, and what is said when it named more (RFC 9738).

A command that may stop in the middle works on the last so many messages, by UID, and says where
it stopped; one that is all or nothing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.session.view import Span

__all__ = ["cut", "refuse_more", "reported"]


def cut(session: Session, spans: Sequence[Span]) -> tuple[Sequence[Span], int | None]:
    """The last of these places that a command may work on; the lowest UID of them, if some are left out."""
    room = session.policy.limits.messages
    if not room or sum(stop - start for start, stop in spans) <= room:
        return spans, None
    kept: list[Span] = []
    for start, stop in reversed(spans):
        kept.append((max(start, stop - room), stop))
        room -= kept[-1][1] - kept[-1][0]
        if not room:
            break
    kept.reverse()
    return kept, session.selected.generation.uids[kept[0][0]]


def reported(session: Session, outcome: Outcome | None, lowest: int | None) -> Outcome | None:
    """`outcome`, with word of what was left out; beside another code, that comes before (3.1)."""
    if lowest is None:
        return outcome
    most = session.policy.limits.messages
    code = b"MESSAGELIMIT %d %d" % (most, lowest)
    if outcome is not None and outcome.code:
        session.write(session.status(b"NO", code, "Only the last messages were worked on"))
        return outcome
    return evolve(outcome or Outcome(), code=code, text="Only the last messages were worked on")


def refuse_more(session: Session, count: int, spans: Sequence[Span] = ()) -> None:
    """`Refused` when a command that is all or nothing has too many messages (3, 3.1)."""
    limits = session.policy.limits
    most = limits.messages or limits.saved_messages
    if most and count > most:
        lowest = ""
        if spans:
            left = most
            for start, stop in reversed(spans):
                if stop - start >= left:
                    lowest = f" {session.selected.generation.uids[stop - left]}"
                    break
                left -= stop - start
        raise Refused(f"MESSAGELIMIT {most}{lowest}", "Too many messages, try fewer")
