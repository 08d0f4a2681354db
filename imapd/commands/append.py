"""APPEND: messages come in (RFC 9051, 6.3.12; RFC 4466, 2.5).

Rules of this file:

* The messages of a command are stored by one call of the store: all or none.
* What can be refused is refused before the octets come.
* One command holds `Limits.spool` octets in memory, however many messages it has; what
  goes beyond is spooled.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import define, field

from imapd.commands.append_options import Options, argument, options
from imapd.dialect import Feature, Upload
from imapd.model.dates import from_datetime
from imapd.model.numset import NumSet
from imapd.model.states import LOGGED_IN
from imapd.session.allotment import refuse_more
from imapd.session.content import facts_of
from imapd.session.incoming import Incoming
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.store.access import require
from imapd.store.answers import settled
from imapd.store.errors import NoSuchMailbox, NotSelectable
from imapd.store.interfaces import IMailbox, ISpools, NewMessage
from imapd.store.written import Written
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax

__all__ = [
    "FEATURE", "Letter", "Letters", "destination", "to_be_created",
]  # fmt: skip

#: Only the mailbox can be an ordinary literal: nothing stands before it.
_ARGUMENT: Final = re.compile(rb" *")


async def destination(session: Session, name: str) -> IMailbox:
    """The mailbox to put messages into; its absence is said as RFC 9051, 7.1 wants: TRYCREATE."""
    try:
        mailbox = await settled(session.account.open(name))
        await require(mailbox, "i")
    except (NoSuchMailbox, NotSelectable):
        raise to_be_created() from None
    if mailbox.read_only:
        raise Refused("NOPERM", "Nothing can be put into that mailbox")
    return mailbox


def to_be_created() -> Refused:
    """What to raise when the mailbox is not there."""
    return Refused("TRYCREATE", "There is no such mailbox; create it first")


@define(eq=False)
class Letter:
    """One message while it comes."""

    session: Session
    incoming: Incoming
    written: Written

    def expect(self, octets: int) -> None:
        """Refuse so many more octets if the message would be too large."""
        if self.written.size + octets > self.session.policy.limits.message:
            raise Refused("TOOBIG", "The message is too large")

    async def write(self, data: bytes) -> None:
        """Add octets that were expected."""
        await self.written.write(data)
        await self.session.peer.turn()

    async def literal(self) -> None:
        """Add the literal that stands here; `incoming` is then at what follows it."""
        incoming = self.incoming
        literal = incoming.literal
        if literal is None or not incoming.cursor.at_end():
            raise incoming.cursor.bad("a literal")
        self.expect(literal.size)
        await self.written.make_room(literal.size)
        incoming.accept()
        async for data in incoming.chunks():
            await self.write(data)
        await incoming.rest()

    async def astring(self) -> bytes:
        """An argument inside a message's place, be it the literal that stands here."""
        incoming = self.incoming
        if incoming.literal is None or not incoming.cursor.at_end():
            return incoming.cursor.astring()
        return await argument(incoming)


@define(eq=False)
class Letters:
    """The messages of one command; to be closed."""

    _session: Session
    _incoming: Incoming
    #: Where they go.
    _mailbox: IMailbox
    messages: list[NewMessage] = field(factory=list, init=False)
    _letters: list[Letter] = field(factory=list, init=False)
    #: Octets of them that are in memory.
    _held: int = field(default=0, init=False)

    async def take(self, options: Options) -> None:
        """One more message."""
        session = self._session
        limits = session.policy.limits
        refuse_more(session, len(self._letters) + 1)
        session.check_keywords(options.flags)
        if len(self._letters) >= limits.append_messages:
            raise Refused("LIMIT", "Too many messages in one command")
        for option, said in options.others:
            await option.check(session, self._mailbox, said)
        written = Written(ISpools(session.account, None), max(0, limits.spool - self._held))
        letter = Letter(session, self._incoming, written)
        self._letters.append(letter)
        await self._receive(letter)
        self._held += written.held
        reader = await letter.written.reader()
        message = NewMessage(
            content=reader,
            flags=options.flags,
            internal_date=options.date or from_datetime(session.policy.now()),
            facts=await facts_of(reader),
        )
        for option, said in options.others:
            message = option.apply(message, said)
        for check in session.policy.dialect.receives:
            check(session, message)
        self.messages.append(message)

    async def _receive(self, letter: Letter) -> None:
        dialect = self._session.policy.dialect
        literal, cursor = self._incoming.literal, self._incoming.cursor
        if literal is None or not cursor.at_end():
            part = dialect.append_parts.get(cursor.word())
            if part is None:
                raise cursor.bad("a message")
            await part.receive(letter)
        elif literal.size == 0 and dialect.appends_several:
            # RFC 3502, 6.3.11: "this can be used to cancel the append".
            raise Refused("", "A message without octets: nothing was stored")
        elif literal.binary:
            part = dialect.append_parts.get(b"~")
            if part is None:
                raise Refused("UNKNOWN-CTE", "Binary content is not taken here")
            await part.receive(letter)
        else:
            await letter.literal()

    def more(self) -> bool:
        """The command goes on behind the messages taken so far."""
        cursor = self._incoming.cursor
        return self._incoming.literal is not None or bool(cursor.data[cursor.at :].strip(b" "))

    def close(self) -> None:
        """Let go of what came."""
        for letter in self._letters:
            letter.written.close()


async def _append(session: Session, incoming: Incoming) -> Outcome:
    cursor = incoming.cursor
    cursor.space()
    name = grammar.mailbox(cursor)
    first = await options(incoming)
    if incoming.cursor.at_end() and incoming.literal is None:
        raise incoming.cursor.bad("a message")
    mailbox = await destination(session, name)
    letters = Letters(session, incoming, mailbox)
    try:
        await letters.take(first)
        while letters.more():
            if not session.policy.dialect.appends_several:
                raise BadSyntax("APPEND takes one message")
            await letters.take(await options(incoming))
        try:
            appended = await settled(mailbox.append(letters.messages))
        except NoSuchMailbox:
            raise to_be_created() from None
    finally:
        letters.close()
    session.policy.images.note(mailbox.id, appended.changes, appended.uids)
    uids = NumSet.from_sorted(appended.uids)
    return Outcome(code=b"APPENDUID %d %b" % (appended.uidvalidity, uids.wire()))


FEATURE = Feature(
    name="APPEND",
    rfc=9051,
    summary="a message comes in",
    uploads=(Upload("APPEND", LOGGED_IN, _ARGUMENT, _append),),
)
