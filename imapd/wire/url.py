"""IMAP URLs of messages and their parts, from octets to values (RFC 5092, 11).

Only those are known here: URLs of servers, mailboxes and searches are of no use to CATENATE
and URLAUTH, which must refuse them (RFC 4467, 7: URLFETCH).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Final
from urllib.parse import unquote_to_bytes

from attrs import field, frozen

from imapd.model.limits import Limits
from imapd.model.mailbox import canonical
from imapd.model.structure import Partial, Section
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["Access", "BadURL", "MessageURL", "Who", "message_url"]


class BadURL(ValueError):
    """The octets are no URL of a message; the text, for the client, says why."""


class Who(Enum):
    """Whom an access identifier lets in (RFC 5092, 6.1.2)."""

    SUBMIT = "submit+"
    USER = "user+"
    AUTHUSER = "authuser"
    ANONYMOUS = "anonymous"


@frozen
class Access:
    """``access``: `user` is there for SUBMIT and USER."""

    who: Who
    user: str = ""


_WHOLE_MESSAGE: Final = Section()


@frozen
class MessageURL:
    """``imessagepart [iurlauth]`` with the server before it, if it has one."""

    uid: int
    #: None when the URL is relative to a mailbox.
    mailbox: str | None = None
    uidvalidity: int | None = None
    section: Section = _WHOLE_MESSAGE
    partial: Partial | None = None
    #: Whether it names a server; then perhaps a user there.
    absolute: bool = False
    user: str | None = None
    expire: datetime | None = None
    access: Access | None = None
    #: With the token: what it vouches for, and how.
    rump: bytes = field(default=b"", repr=False)
    mechanism: str = ""
    token: bytes = field(default=b"", repr=False)


_UCHAR: Final = rb"[A-Za-z0-9\-._~!$'()*+,]|%[0-9A-Fa-f]{2}"
_ACHAR: Final = rb"(?:" + _UCHAR + rb"|[&=])"
_BCHAR: Final = rb"(?:" + _UCHAR + rb"|[&=:@/])"

#: ``"imap://" iserver``; an address of IPv6 is in brackets.
_SERVER: Final = re.compile(
    rb"imap://(?:(" + _ACHAR + rb"*)(?:;AUTH=(?:\*|" + _ACHAR + rb"+))?@)?"
    rb"(?:" + _UCHAR + rb"|\[[0-9a-f:.]+\])+(?::\d*)?(?=/)",
    re.IGNORECASE,
)
#: ``imessagepart [iurlauth]``, the mailbox perhaps missing.
_MESSAGE: Final = re.compile(
    rb"(?:/(?P<mailbox>(?!/)" + _BCHAR + rb"+?)(?:;UIDVALIDITY=(?P<uidvalidity>\d+))?/)?"
    rb";UID=(?P<uid>\d+)"
    rb"(?:/;SECTION=(?P<section>" + _BCHAR + rb"+?))?"
    rb"(?:/;PARTIAL=(?P<offset>\d+)(?:\.(?P<length>\d+))?)?"
    rb"(?P<auth>(?:;EXPIRE=(?P<expire>[0-9TZ:.+\-]+))?;URLAUTH="
    rb"(?:(?P<for>submit\+|user\+)(?P<user>" + _ACHAR + rb"+)|(?P<all>authuser|anonymous))"
    rb"(?P<verifier>:(?P<mechanism>[A-Z0-9\-.]+):(?P<token>[0-9A-F]{32,}))?)?",
    re.IGNORECASE,
)
#: RFC 3339, 5.6: date-time.
_DATE_TIME: Final = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-]\d\d):(\d\d))", re.IGNORECASE
)
#: To the end of whatever it is.
_WHOLE: Final = (1 << 63) - 1


def message_url(octets: bytes, limits: Limits) -> MessageURL:
    """The URL of a message or of a part of it.  Raises `BadURL`."""
    server = _SERVER.match(octets)
    path = octets[server.end() :] if server is not None else octets
    if path.startswith(b"/"):
        path = _without_dots(path)
    match = _MESSAGE.fullmatch(path)
    if match is None or (server is not None and match["mailbox"] is None):
        raise BadURL("It is no URL of a message")
    partial = None
    if match["offset"] is not None:
        length = _WHOLE if match["length"] is None else _number(match["length"], 63)
        partial = Partial(_number(match["offset"], 63, 0), length)
    user = server[1] if server is not None else None
    verifier = match["verifier"]
    return MessageURL(
        uid=_number(match["uid"]),
        mailbox=None if match["mailbox"] is None else canonical(_text(match["mailbox"])),
        uidvalidity=None if match["uidvalidity"] is None else _number(match["uidvalidity"]),
        section=_WHOLE_MESSAGE if match["section"] is None else _section(match["section"], limits),
        partial=partial,
        absolute=server is not None,
        user=_text(user) if user else None,
        expire=None if match["expire"] is None else _moment(match["expire"]),
        access=None if match["auth"] is None else _access(match),
        rump=octets[: -len(verifier)] if verifier else octets,
        mechanism="" if verifier is None else match["mechanism"].decode("ascii").upper(),
        token=b"" if verifier is None else match["token"],
    )


def _text(encoded: bytes) -> str:
    """RFC 5092, 8: names are UTF-8, percent-encoded."""
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except ValueError:
        raise BadURL("A name in it is not UTF-8") from None


def _number(digits: bytes, bits: int = 32, least: int = 1) -> int:
    number = int(digits) if len(digits) <= 20 else -1
    if number < least or number >> bits:
        raise BadURL("A number in it cannot be")
    return number


def _section(encoded: bytes, limits: Limits) -> Section:
    """``enc-section``: the inside of BODY's brackets."""
    cursor = Cursor(b"[%b]" % unquote_to_bytes(encoded), limits)
    try:
        section = grammar.section(cursor)
        cursor.end()
    except BadSyntax:
        raise BadURL("Its section cannot be") from None
    return section


def _access(match: re.Match[bytes]) -> Access:
    if match["for"] is None:
        return Access(Who(match["all"].decode("ascii").lower()))
    return Access(Who(match["for"].decode("ascii").lower()), _text(match["user"]))


def _moment(text: bytes) -> datetime:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise BadURL("Its EXPIRE is no date-time")
    *numbers, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    zone = timedelta()
    if hours is not None:
        zone = timedelta(hours=abs(int(hours)), minutes=int(minutes))
    try:
        if second == 60:  # a leap second (RFC 3339, 5.7)
            second = 59
        there = timezone(-zone if hours is not None and hours.startswith(b"-") else zone)
        return datetime(year, month, day, hour, minute, second, tzinfo=there)
    except (ValueError, OverflowError):
        raise BadURL("Its EXPIRE is no date-time") from None


def _without_dots(path: bytes) -> bytes:
    """Without the segments ``.`` and ``..`` (RFC 3986, 5.2.4)."""
    if b"/." not in path:
        return path
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)
