"""One command, from its octets to its tagged answer.

Rules of this file:

* Every command is answered once, whatever it raises: by `outcome`'s table.
* What changed meanwhile is told before the tagged answer, as far as the command permits.
* What was done is not said to have failed because what else changed cannot be told just now.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from twisted.python.failure import Failure

from imapd.dialect import Command, Upload, nothing
from imapd.model.gone import Gone
from imapd.session.incoming import Incoming
from imapd.session.outcome import BadCommand, Outcome, of_exception
from imapd.session.session import USUAL, Session
from imapd.store.errors import AccountClosed
from imapd.wire.cursor import Cursor
from imapd.wire.events import (
    CommandReceived,
    ContinuationDue,
    Event,
    Malformed,
    TooLong,
    UploadStarted,
)  # fmt: skip

__all__ = ["answer"]

_CONTINUE: Final = b"+ Go ahead\r\n"
_PLAIN: Final = Outcome()


def answer(session: Session, event: Event) -> Awaitable[None] | None:
    """Do what the client asks; what is to be awaited until it is done, unless it is done already.

    Raises `Gone`, as that does, if the client has left meanwhile.
    """
    if not isinstance(event, CommandReceived):
        return _other(session, event)
    dialect = session.policy.dialect
    command = dialect.commands.get(event.name)
    if command is None and event.name in dialect.uploads:
        return _upload(session, event)
    if command is None:
        _bad(session, event.tag, "", "There is no such command")
        return None
    if session.state not in command.where:
        _bad(session, event.tag, "", f"{command.name} is not for this state")
        return None
    if command.by_number and session.announce.by_uid:
        # RFC 9586, 3.2.
        _bad(session, event.tag, "UIDREQUIRED", "There are no sequence numbers here")
        return None
    session.tag = event.tag
    expunges = command.expunges is True
    try:
        if session.notices is not USUAL:
            session.notices.begins(command.name)
        for guard in dialect.guards:
            guard(session, command)
        arguments = None
        if event.arguments or command.grammar is not nothing:
            arguments = _arguments(session, command, event.arguments)
        if callable(command.expunges):
            expunges = command.expunges(arguments)
        result = command.run(session, arguments)
    except Gone:
        raise
    except Exception as error:
        return _failed(session, event.tag, error, expunges, command.name)
    if (result is not None and not isinstance(result, Outcome)) or (
        command.announces and (session.view is not None or session.notices is not USUAL)
    ):
        return _rest(session, event.tag, command, expunges, result)
    _done(session, event.tag, command, result)
    return None


def _arguments(session: Session, command: Command, octets: bytes) -> Any:
    parse = command.grammar
    if command.plain:
        known = Cursor.recalled(session.policy.memory, parse, octets, session.utf8)
        if known is not None:
            return known
    cursor = session.cursor(octets)
    arguments = cursor.remembered(parse) if command.plain else parse(cursor)
    if cursor.at < len(cursor.data):
        cursor.end()
    return arguments


async def _rest(
    session: Session, tag: bytes, command: Command, expunges: bool, result: Any
) -> None:
    """What of a command has to be waited for: what it does, and what changed meanwhile."""
    try:
        if result is not None and not isinstance(result, Outcome):
            session.progress.begin()
            result = await result
        if command.announces and (session.view is not None or session.notices is not USUAL):
            news = session.news(expunges)
            await (news if command.asks else session.told(news))
            result = _held_back(session, result)
    except Gone:
        raise
    except Exception as error:
        await _failed(session, tag, error, expunges, command.name)
    else:
        _done(session, tag, command, result)


async def _other(session: Session, event: Event) -> None:
    if isinstance(event, UploadStarted):
        await _upload(session, event)
    elif isinstance(event, ContinuationDue):
        session.write(_CONTINUE)
    elif isinstance(event, Malformed):
        _bad(session, event.tag, event.code, event.text)
    elif isinstance(event, TooLong):
        session.peer.bye(event.text)


async def _upload(session: Session, event: UploadStarted | CommandReceived) -> None:
    """A command that can have a message in it, whether one has been announced or not."""
    upload = session.policy.dialect.uploads[event.name]
    session.tag = event.tag
    incoming = Incoming(session, event)
    try:
        if session.state not in upload.states:
            raise BadCommand(f"{upload.name} is not for this state")
        if upload.by_number and session.announce.by_uid:
            # RFC 9586, 3.2.
            raise BadCommand("There are no sequence numbers here", "UIDREQUIRED")
        if session.notices is not USUAL:
            session.notices.begins(upload.name)
        for guard in session.policy.dialect.guards:
            guard(session, upload)
        result = await upload.run(session, incoming)
        if session.view is not None or session.notices is not USUAL:
            await session.told(session.news(expunges=True))
    except Gone:
        raise
    except Exception as error:
        incoming.abandon()
        await _failed(session, event.tag, error, True, upload.name)
    else:
        _done(session, event.tag, upload, result)


def _held_back(session: Session, outcome: Outcome | None) -> Outcome | None:
    """While removals are not told, a client of QRESYNC must not believe itself to be further.

    RFC 7162, 6: MODSEQ of other messages may be larger than those of the removals.  Beside
    another code, it is told before.
    """
    view = session.view
    if view is None or view.generation is view.image.generation:
        return outcome
    code = session.announce.highest(view.told)
    if code is None:
        return outcome
    if outcome is None:
        return Outcome(code=code)
    session.write(session.status(b"OK", code, "Highest"))
    return outcome


def _done(session: Session, tag: bytes, command: Command | Upload, result: Outcome | None) -> None:
    session.bad = 0
    if result is None:
        if session.translate is None:
            session.peer.write(tag + command.completed)
            return
        result = _PLAIN
    text = result.text or f"{command.name} completed"
    session.write(session.status(b"OK", result.code, text, tag))
    if result.after is not None:
        result.after()


async def _failed(
    session: Session, tag: bytes, error: Exception, expunges: bool, name: str
) -> None:
    failure = of_exception(error)
    if failure.fault:
        session.policy.log.failure("{command} failed", Failure(error), command=name)  # type: ignore[no-untyped-call]  # Twisted has no types for it
    if failure.word == b"BAD":
        _bad(session, tag, failure.code, failure.text)
        return
    await session.told(session.news(expunges))
    _held_back(session, _PLAIN)
    session.write(session.status(b"NO", failure.code.encode("ascii"), failure.text, tag))
    if isinstance(error, AccountClosed):
        session.account_closed()


def _bad(session: Session, tag: bytes, code: str, text: str) -> None:
    session.write(session.status(b"BAD", code.encode("ascii"), text, tag))
    session.bad += 1
    if session.bad >= session.policy.limits.bad_commands:
        session.peer.bye("Too many bad commands")
