"""CATENATE: a message made of what is sent and of parts of messages that are there (RFC 4469).

Octets are copied a buffer at a time, and as they are: nothing is converted, nothing marked
as read.  A URL is looked up when it has come, so one that is bad ends the command before
more is sent.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

from imapd.commands.append import Letter
from imapd.commands.fetch_body import cut, octets
from imapd.commands.fetch_items import Value
from imapd.dialect import AppendPart, Capability, Feature
from imapd.session.content import Content
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.errors import (
    BadMailboxName,
    MessageGone,
    NoPermission,
    NoSuchMailbox,
    NotSelectable,
)
from imapd.store.interfaces import IAccount, IMailbox
from imapd.wire.cursor import BadSyntax
from imapd.wire.url import BadURL, MessageURL, message_url

__all__ = ["FEATURE", "Source", "opened"]

#: What may stand in a response code (RFC 4469, 5: url-resp-text) and in quotes as it is.
_SHOWN: Final = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\]')


async def opened(account: IAccount, url: MessageURL) -> IMailbox:
    """The mailbox of a URL that names one.  Raises `BadURL`."""
    assert url.mailbox is not None
    try:
        mailbox = await settled(account.open(url.mailbox))
    except (NoSuchMailbox, NotSelectable, NoPermission, BadMailboxName):
        raise BadURL("There is no such mailbox") from None
    if url.uidvalidity not in (None, mailbox.uidvalidity):
        raise BadURL("It is of a mailbox that is no more")
    return mailbox


@define(eq=False)
class Source:
    """What URLs mean; the message of the last one stays open.  To be closed."""

    _content: Content | None = field(default=None, init=False)
    _of: tuple[str, int] = field(default=("", 0), init=False)

    async def find(self, mailbox: IMailbox, url: MessageURL) -> tuple[Content, Value]:
        """The message, and which of its octets or what made of them.  Raises `BadURL`."""
        if self._content is None or self._of != (mailbox.id, url.uid):
            self.close()
            self._content = Content(mailbox, url.uid)
            self._of = mailbox.id, url.uid
        try:
            value = await octets(self._content, url.section)
        except (MessageGone, NoSuchMailbox):
            raise BadURL("There is no such message") from None
        if value is None:
            raise BadURL("The message has no such part")
        return self._content, cut(value, url.partial)

    def close(self) -> None:
        """Let go of it."""
        content, self._content = self._content, None
        if content is not None:
            content.close()


async def _receive(letter: Letter) -> None:
    """``"CATENATE" SP "(" cat-part *(SP cat-part) ")"``."""
    incoming = letter.incoming
    incoming.cursor.space()
    incoming.cursor.expect(b"(")
    source = Source()
    try:
        for _ in range(letter.session.policy.limits.append_parts):
            await _part(letter, source)
            if incoming.cursor.skip(b")"):
                break
            incoming.cursor.space()
        else:
            raise Refused("LIMIT", "Too many parts in one message")
    finally:
        source.close()
    if not letter.written.size:
        raise Refused("", "A message without octets: nothing was stored")


async def _part(letter: Letter, source: Source) -> None:
    """``cat-part = text-literal / url``."""
    cursor = letter.incoming.cursor
    word = cursor.word()
    cursor.space()
    if word == b"TEXT":
        literal = letter.incoming.literal
        if literal is not None and literal.binary:
            raise cursor.bad("a literal")
        await letter.literal()
    elif word == b"URL":
        given = await letter.astring()
        try:
            await _copied(letter, source, given)
        except BadURL as error:
            raise Refused(f'BADURL "{_shown(given)}"', str(error)) from None
    else:
        raise BadSyntax("expected TEXT or URL")


async def _copied(letter: Letter, source: Source, given: bytes) -> None:
    """Add the octets that a URL means."""
    session = letter.session
    url = message_url(given, session.policy.limits)
    if url.absolute or url.access is not None:
        raise BadURL("Only messages of this session can be catenated")
    content, value = await source.find(await _mailbox(session, url), url)
    if not isinstance(value, tuple):
        assert value is not None
        letter.expect(len(value))
        await letter.write(value)
        return
    letter.expect(value[1] - value[0])
    try:
        async for data in content.pieces(*value):
            await letter.write(data)
    except MessageGone:
        raise BadURL("There is no such message") from None


async def _mailbox(session: Session, url: MessageURL) -> IMailbox:
    if url.mailbox is not None:
        return await opened(session.account, url)
    if session.view is None:
        raise BadURL("No mailbox is selected that it could be of")
    return session.view.mailbox


def _shown(url: bytes) -> str:
    """A URL as it may stand in a response code."""
    return "".join(chr(octet) if octet in _SHOWN else f"%{octet:02X}" for octet in url)


FEATURE: Final = Feature(
    name="CATENATE",
    rfc=4469,
    summary="messages made of parts of other messages",
    capabilities=(Capability("CATENATE"),),
    append_parts=(AppendPart("CATENATE", _receive),),
)
