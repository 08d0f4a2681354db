"""METADATA and METADATA-SERVER: annotations of mailboxes and of the server (RFC 5464).

* Entries are told in lower case, but for those that a client named: as it wrote them.
* An entry that was asked for by its name and is not there is told to be NIL.
* What the server shares with all users (``/shared/comment`` and ``/shared/admin``) is
  configured; nobody sets it by IMAP.
* Options are taken before the mailbox, as the grammar has them, and behind it, as the
  examples have them (RFC 5464, 4.2.1 and 5).
* Changes that others make are told to who has enabled that: `imapd.extensions.metadata_news`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import frozen

from imapd.dialect import Capability, Command, Enable, Feature, When
from imapd.extensions.metadata_news import announce
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.interfaces import IMetadata
from imapd.wire import encode, grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "Wanted", "entries", "entry", "feature", "of_mailbox", "told"]

_SCOPES: Final = ("private", "shared")
#: RFC 5464, 3.2: no "*", "%", no controls up to 0x19, nothing above ASCII, nothing between slashes.
_NAME: Final = re.compile(rb"(?:/[^/*%\x00-\x19\x80-\xff]+)+")
_LONGEST: Final = 1_000
_DEPTHS: Final[Mapping[bytes, int | None]] = {b"0": 0, b"1": 1, b"INFINITY": None}


# The grammar.


@frozen
class Wanted:
    """Entries that are asked for: as they were written, by what they mean."""

    entries: Mapping[str, bytes]
    #: Levels below them that are wanted too; None: all.
    depth: int | None = 0
    #: Values of more octets are not.
    maxsize: int | None = None


@frozen
class _Get:
    name: str
    wanted: Wanted


@frozen
class _Set:
    name: str
    values: Mapping[str, bytes | None]


def entry(octets: bytes, begins: bool = False) -> str:
    """``entry``; with `begins`, what entries begin with will do.  Case has no meaning."""
    if _NAME.fullmatch(octets) is None or len(octets) > _LONGEST:
        raise BadSyntax("That is no name of an entry")
    name = octets.decode("ascii").lower()
    levels = name.split("/")[1:]
    if levels[0] not in _SCOPES:
        raise BadSyntax("An entry begins with /private or /shared")
    # RFC 5464, 3.2: two levels; four for what vendors make up.
    least = 4 if levels[1:2] == ["vendor"] else 2
    if len(levels) < least and not begins:
        raise BadSyntax(f"Such an entry has {least} levels or more")
    return name


def entries(cursor: Cursor) -> Sequence[bytes]:
    """``"(" entry *(SP entry) ")"``."""
    return cursor.listed(Cursor.astring)


def _get(cursor: Cursor) -> _Get:
    """``getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries``."""
    cursor.space()
    options: Mapping[bytes, int | None] = {}
    if cursor.peek() == b"(":
        options = _options(cursor)
        cursor.space()
    name = grammar.mailbox(cursor)
    cursor.space()
    if not options and re.match(rb"\([A-Za-z]", cursor.data[cursor.at : cursor.at + 2]):
        options = _options(cursor)
        cursor.space()
    depth, maxsize = options.get(b"DEPTH", 0), options.get(b"MAXSIZE")
    sent = entries(cursor) if cursor.peek() == b"(" else _unbracketed(cursor)
    wanted = {entry(octets, begins=depth != 0): octets for octets in sent}
    return _Get(name, Wanted(wanted, depth, maxsize))


def _unbracketed(cursor: Cursor) -> Sequence[bytes]:
    """``entry``; several, as in the examples (RFC 5464, 4.4.1)."""
    found = [cursor.astring()]
    while not cursor.at_end():
        cursor.space()
        if cursor.at_end():
            break
        found.append(cursor.astring())
        if len(found) > cursor.limits.list_length:
            raise BadSyntax("the list is too long")
    return found


def _options(cursor: Cursor) -> Mapping[bytes, int | None]:
    """``getmetadata-options``."""
    found = cursor.listed(_option)
    if len(dict(found)) < len(found):
        raise BadSyntax("An option is there twice")
    return dict(found)


def _option(cursor: Cursor) -> tuple[bytes, int | None]:
    """``maxsize-opt`` and ``scope-opt``."""
    name = cursor.word()
    if name not in (b"MAXSIZE", b"DEPTH"):
        raise BadSyntax("GETMETADATA has no such option")
    cursor.space()
    if name == b"MAXSIZE":
        return name, cursor.number()
    depth = cursor.word()
    if depth not in _DEPTHS:
        raise BadSyntax("DEPTH is 0, 1 or infinity")
    return name, _DEPTHS[depth]


def _set(cursor: Cursor) -> _Set:
    """``setmetadata = "SETMETADATA" SP mailbox SP entry-values``."""
    cursor.space()
    name = grammar.mailbox(cursor)
    cursor.space()
    return _Set(name, dict(cursor.listed(_value)))


def _value(cursor: Cursor) -> tuple[str, bytes | None]:
    """``entry-value = entry SP (nstring / literal8)``."""
    name = entry(cursor.astring())
    cursor.space()
    return name, cursor.nstring()


# What is told.


def _found(there: Mapping[str, bytes], wanted: Wanted) -> dict[bytes, bytes | None]:
    """Values by entry, in the order in which they were asked for."""
    found: dict[bytes, bytes | None] = {}
    for name, sent in wanted.entries.items():
        if name in there or wanted.depth == 0:
            found[sent] = there.get(name)
        below = [
            each
            for each in sorted(there)
            if wanted.depth != 0
            and each.startswith(name + "/")
            and (wanted.depth is None or "/" not in each[len(name) + 1 :])
        ]
        found.update((each.encode("ascii"), there[each]) for each in below)
        if not below and name not in there:
            found[sent] = None
    return found


def told(session: Session, name: str, there: Mapping[str, bytes], wanted: Wanted) -> bytes:
    """``metadata-resp`` of a mailbox that has these, or nothing if nothing is to be told."""
    said = [
        encode.astring(sent) + b" " + encode.value(value)
        for sent, value in _found(there, wanted).items()
        if value is None or wanted.maxsize is None or len(value) <= wanted.maxsize
    ]
    if not said:
        return b""
    return b"* METADATA %b (%b)\r\n" % (session.mailbox_name(name), b" ".join(said))


# What is done.


def _able(session: Session) -> IMetadata | None:
    return None if session.account is None else IMetadata(session.account, None)


async def of_mailbox(session: Session, name: str) -> Mapping[str, bytes]:
    """What a mailbox has, or the user of the server by themselves."""
    able = _able(session)
    if able is not None:
        return await settled(able.annotations(name))
    if name:
        raise Refused("CANNOT", "Mailboxes have no annotations here")
    return {}


async def _setmetadata(session: Session, asked: _Set) -> None:
    limits = session.policy.limits
    able = _able(session)
    if able is None:
        raise Refused("CANNOT", "Annotations cannot be set here")
    if not asked.name and any(name.startswith("/shared/") for name in asked.values):
        raise Refused("NOPERM", "What the server shares with all is configured")
    if max((len(value) for value in asked.values.values() if value), default=0) > (
        limits.metadata_value
    ):
        raise Refused(f"METADATA MAXSIZE {limits.metadata_value}", "The value is too long")
    for check in session.policy.dialect.annotates:
        await check(session, asked.name, asked.values)
    changed = await settled(
        able.annotate(asked.name, asked.values, limits.metadata_entries, limits.metadata)
    )
    session.notices.annotated(asked.name, changed)


def feature(shared: Mapping[str, str] = MappingProxyType({})) -> Feature:
    """With what the server shares with all its users: the value of each entry."""
    of_server = {name: value.encode("utf-8") for name, value in shared.items() if value}

    async def getmetadata(session: Session, asked: _Get) -> Outcome | None:
        there = await of_mailbox(session, asked.name)
        if not asked.name:
            there = {**there, **of_server}
        wanted = asked.wanted
        session.write(told(session, asked.name, there, wanted))
        sizes = [len(value) for value in _found(there, wanted).values() if value is not None]
        longest = max(sizes, default=0)
        if wanted.maxsize is not None and longest > wanted.maxsize:
            return Outcome(code=b"METADATA LONGENTRIES %d" % longest)
        return None

    def is_servers_alone(session: Session) -> bool:
        return _able(session) is None and bool(of_server)

    return Feature(
        name="METADATA",
        rfc=5464,
        summary="annotations of mailboxes and of the server",
        capabilities=(
            Capability(
                "METADATA",
                available=lambda session: session.account is None or _able(session) is not None,
            ),
            Capability(
                "METADATA-SERVER",
                When.AFTER_LOGIN,
                available=is_servers_alone,
            ),
        ),
        enables=(
            Enable(
                "METADATA",
                installs=announce,
                available=lambda session: _able(session) is not None,
            ),
            # What is configured does not change.
            Enable("METADATA-SERVER", available=is_servers_alone),
        ),
        commands=(
            Command("GETMETADATA", LOGGED_IN, _get, getmetadata),
            Command("SETMETADATA", LOGGED_IN, _set, _setmetadata),
        ),
    )


FEATURE: Final = feature()
