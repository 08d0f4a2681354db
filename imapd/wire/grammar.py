"""The productions that several commands share, each named as in RFC 9051, 9."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date as calendar_date
from typing import Final

from imapd.model.dates import MONTHS, InternalDate, parse_internal_date
from imapd.model.flags import SYSTEM, canonical, interned
from imapd.model.flags import Flags as FlagSet
from imapd.model.mailbox import DELIMITER
from imapd.model.mailbox import canonical as canonical_name
from imapd.model.numset import STAR, SequenceSet
from imapd.model.structure import Partial, Section
from imapd.wire import mutf7
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = [
    "UNDECODABLE", "date", "date_time", "flag", "flag_list", "list_mailbox", "mailbox",
    "one_or_more_mailbox", "partial",
    "section", "section_binary", "sequence_set",
]  # fmt: skip

#: Begins a name whose octets are no name in the client's encoding: no mailbox can
#: be called so, thus SELECT finds none and LIST matches none.
UNDECODABLE: Final = "\0"

_SET: Final = re.compile(rb"[0-9*:,]+")
_DATE: Final = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_MONTH: Final = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_FLAG: Final = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_LIST_PATTERN: Final = re.compile(rb'[^\x00-\x20\x7f(){"\\]+')


def _text(cursor: Cursor, octets: bytes) -> str:
    try:
        if cursor.utf8 or not octets.isascii():
            # Before ENABLE, 8-bit names are wrong but meant as UTF-8 by all who send them.
            return octets.decode("utf-8")
        return mutf7.decode(octets)
    except ValueError:
        return UNDECODABLE + octets.decode("latin-1")


def mailbox(cursor: Cursor) -> str:
    """``mailbox = "INBOX" / astring``, a trailing separator of CREATE included."""
    return canonical_name(_text(cursor, cursor.astring()))


def one_or_more_mailbox(cursor: Cursor) -> Sequence[str]:
    """``one-or-more-mailbox = mailbox / many-mailboxes`` (RFC 5465, 8); wildcards are no such here."""
    if cursor.peek() == b"(":
        return cursor.listed(_level)
    return (_level(cursor),)


def _level(cursor: Cursor) -> str:
    return mailbox(cursor).removesuffix(DELIMITER)


def list_mailbox(cursor: Cursor) -> str:
    """``list-mailbox = 1*list-char / string``; list-char adds the wildcards."""
    if cursor.peek() in (b'"', b"{"):
        return _text(cursor, cursor.string())
    return _text(cursor, cursor.take(_LIST_PATTERN, "a mailbox pattern"))


def _number(octets: bytes) -> int:
    if octets == b"*":
        return STAR
    if not octets.isdigit() or len(octets) > 10 or octets.strip(b"0") == b"":
        raise BadSyntax("a message number is a number above 0 or *")
    number = int(octets)
    if number >> 32:
        raise BadSyntax("a message number has 32 bits")
    return number


def sequence_set(cursor: Cursor) -> SequenceSet:
    """``sequence-set = (seq-number / seq-range) ["," sequence-set] / "$"``."""
    if cursor.skip(b"$"):
        return SequenceSet(saved=True)
    ranges = []
    members = cursor.take(_SET, "a message set")
    if members.isdigit():
        number = _number(members)
        return SequenceSet(((number, number),))
    for member in members.split(b","):
        low, colon, high = member.partition(b":")
        first = _number(low)
        ranges.append((first, _number(high) if colon else first))
    if len(ranges) > cursor.limits.set_ranges:
        raise BadSyntax("the message set has too many ranges")
    return SequenceSet(tuple(ranges))


def flag(cursor: Cursor) -> str:
    r"""``flag``; \Recent and unknown system flags are refused where flags are set."""
    octets = cursor.take(_FLAG, "a flag")
    name = canonical(octets.decode("ascii"))
    if name.startswith("\\") and name not in SYSTEM:
        raise BadSyntax(f"{name} is no flag that can be set")
    return name


def flag_list(cursor: Cursor) -> FlagSet:
    """``flag-list = "(" [flag *(SP flag)] ")"``."""
    return interned(cursor.listed(flag, empty=True))


def date(cursor: Cursor) -> int:
    """``date = date-text / DQUOTE date-text DQUOTE``, as a proleptic ordinal."""
    quoted = cursor.skip(b'"')
    match = _DATE.fullmatch(cursor.take(_DATE, "a date"))
    if quoted:
        cursor.expect(b'"')
    assert match is not None
    month = _MONTH.get(match[2].lower())
    if month is None:
        raise BadSyntax("no month has that name")
    try:
        return calendar_date(int(match[3]), month, int(match[1])).toordinal()
    except ValueError:
        raise BadSyntax("there is no such day") from None


def date_time(cursor: Cursor) -> InternalDate:
    """``date-time``, quoted."""
    text = cursor.string()
    try:
        return parse_internal_date(text)
    except (ValueError, OverflowError):
        raise BadSyntax("not a date-time") from None


_FIELD: Final = re.compile(rb"[\x20-\x7e]*")


def _field(cursor: Cursor) -> bytes:
    """``header-fld-name = astring``; it is echoed, so it must be one that can be."""
    name = cursor.astring()
    if _FIELD.fullmatch(name) is None:
        raise BadSyntax("no header field is called so")
    return name.upper()


_SECTION_TEXTS: Final = ("HEADER.FIELDS.NOT", "HEADER.FIELDS", "HEADER", "TEXT", "MIME")


def section(cursor: Cursor) -> Section:
    """``section = "[" [section-spec] "]"``."""
    cursor.expect(b"[")
    start = cursor.at
    numbers: list[int] = []
    text = ""
    fields: tuple[bytes, ...] = ()
    while cursor.peek().isdigit():
        numbers.append(cursor.nz_number())
        if len(numbers) > cursor.limits.mime_depth:
            raise BadSyntax("the part number is too long")
        if not cursor.skip(b"."):
            break
        if not cursor.peek().isalnum():
            raise cursor.bad("a part")
    else:
        if cursor.peek() != b"]":
            word = cursor.word().decode("ascii")
            if word not in _SECTION_TEXTS or (word == "MIME" and not numbers):
                raise BadSyntax("no section is called so")
            text = word
            if text.startswith("HEADER.FIELDS"):
                cursor.space()
                fields = tuple(cursor.listed(_field))
    echo = cursor.data[start : cursor.at]
    cursor.expect(b"]")
    if b"{" in echo:
        names = b" ".join(
            b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') for name in fields
        )
        numbered = b".".join(b"%d" % number for number in numbers)
        echo = b"%b%b (%b)" % (numbered + b"." if numbers else b"", text.encode("ascii"), names)
    return Section(tuple(numbers), text, fields, echo)


def section_binary(cursor: Cursor) -> Section:
    """``section-binary = "[" [section-part] "]"``."""
    found = section(cursor)
    if found.text:
        raise BadSyntax("BINARY takes part numbers only")
    return found


def partial(cursor: Cursor) -> Partial | None:
    """``partial = "<" number64 "." nz-number64 ">"``, if it is there."""
    if not cursor.skip(b"<"):
        return None
    offset = cursor.number(63)
    cursor.expect(b".")
    length = cursor.number(63)
    if length == 0:
        raise BadSyntax("a partial fetch takes at least one octet")
    cursor.expect(b">")
    return Partial(offset, length)
