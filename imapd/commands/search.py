"""SEARCH and UID SEARCH (RFC 9051, 6.4.4).

SORT and THREAD search by what is here too: `in_charset`, `prepared`, `find`.

Rules of this file:

* A client of RFC 3501 that says no RETURN hears ``* SEARCH``; with RETURN, or after
  ENABLE IMAP4rev2, ``* ESEARCH``.
* An unknown charset is NO, not BAD, and a NO empties ``$`` where SAVE was asked for.  So
  it is noted while parsing, and refused when the command runs.
* A sequence number beyond the last message matches nothing: RFC 9051, 6.4.4 has the key
  match "messages with message sequence numbers corresponding", and Dovecot and Cyrus
  answer OK too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from attrs import frozen

from imapd.commands.search_keys import KEYS, resolved, search_keys
from imapd.commands.search_returns import ALL, Option, return_options
from imapd.commands.search_source import Selected
from imapd.dialect import Command, Feature
from imapd.model.message import Column
from imapd.model.numset import EMPTY, NumSet, SequenceSet
from imapd.model.search import And, Key, Program, SequenceNumbers, UIDs, Unresolved
from imapd.model.states import State
from imapd.query import charset
from imapd.query.criteria import Criterion
from imapd.query.results import Found
from imapd.query.search import leaves_of, search
from imapd.query.source import values
from imapd.session.allotment import cut, refuse_more, reported
from imapd.session.orders import ordered
from imapd.session.outcome import BadCommand, Outcome, Refused
from imapd.session.session import Session
from imapd.session.view import View
from imapd.wire import encode
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = [
    "FEATURE", "Search", "esearch", "find", "in_charset", "look_through", "names_no_number", "prepared",
]  # fmt: skip


_EVERY: Final = NumSet([(1, (1 << 32) - 1)])


@frozen
class Search:
    """What one command asks."""

    by_uid: bool
    #: None: there was no RETURN.
    options: tuple[Option, ...] | None
    #: As the client spelt it; None: there was no CHARSET.
    charset: bytes | None
    program: Program
    #: The untagged response to a command without RETURN.
    word: bytes = b"SEARCH"
    #: Search keys without which what is asked has no meaning.
    needs: frozenset[str] = frozenset()
    #: The order that was asked for; without any it is the mailbox's.
    criteria: tuple[Criterion, ...] = ()
    #: The answer names the mailbox, and there is none where nothing was found (RFC 7377, 2.1).
    by_mailbox: bool = False

    @property
    def saves(self) -> bool:
        """It sets ``$``."""
        return any(option.name == "SAVE" for option, _ in self.options or ())


# The grammar.


def _arguments(by_uid: bool) -> Callable[[Cursor], Search]:
    def arguments(cursor: Cursor) -> Search:
        """``search = "SEARCH" [search-return-opts] SP search-program``."""
        cursor.space()
        options = return_options(cursor)
        name = None
        if cursor.skip_word(b"CHARSET"):
            cursor.space()
            name = in_charset(cursor)
            cursor.space()
        return Search(by_uid, options, name, search_keys(cursor))

    return arguments


def in_charset(cursor: Cursor) -> bytes:
    """``charset``: that of all strings that follow."""
    name = cursor.astring()
    cursor.charset = charset.codec(name) or "latin-1"
    return name


# The command.


async def find(session: Session, asked: Search) -> Outcome | None:
    """Search, and tell what was found."""
    try:
        return await _answer(session, asked)
    except BadSyntax:
        raise
    except Exception:
        if asked.saves:
            session.saved = EMPTY
        raise


async def _answer(session: Session, asked: Search) -> Outcome | None:
    wanted, used = await prepared(session, asked)
    lowest = await look_through(session, asked, wanted, used, Selected(session, wanted))
    return reported(session, None, lowest)


async def look_through(
    session: Session, asked: Search, wanted: Program, used: frozenset[str], source: Selected
) -> int | None:
    """Search one mailbox, and tell what was found; the lowest UID, if not all could be looked at.

    `wanted` and `used` are what `prepared` made of what is asked.
    """
    returns = session.policy.dialect.search_returns
    by_default = asked.word == b"SEARCH" and "IMAP4rev2" in session.enabled
    extended = asked.options is not None or by_default or asked.by_mailbox
    options = list(asked.options or ((ALL, None),))
    names = {option.name for option, _ in options}
    options += [
        (option, None)
        for option in returns.values()
        if option.implied_by in used and option.name not in names
    ]
    program, lowest = _cut(session, wanted, source) if source.selected else (wanted, None)
    in_order = bool(asked.criteria)
    if in_order and lowest is not None:
        # The first of some would not be the first of all.
        refuse_more(session, len(source.uids), [(0, len(source.uids))])
    places = await search(program, source, None if in_order else _most(options))
    if in_order:
        places = await ordered(source.view, source, places, asked.criteria)
    found = Found(
        places,
        source.uids,
        asked.by_uid,
        frozenset(names),
        source.known,
        in_order,
        said={option.name: said for option, said in options},
        values=await _values(source, places, options),
    )
    if asked.saves:
        _save(session, found, options)
    if not extended:
        await _write_search(session, asked.word, found, options)
    elif names != {"SAVE"} and (found.places or not asked.by_mailbox):
        if "ALL" in names:
            found.gather()
            await source.turn()
        _write_esearch(session, found, options, source.view if asked.by_mailbox else None)
    for option, said in options:
        if option.follows is not None and source.selected:
            option.follows(session, asked, wanted, found, said)
    return lowest


async def _values(
    source: Selected, places: Sequence[int], options: Iterable[Option]
) -> Mapping[Column, Mapping[int, Any]]:
    """The columns that options tell of the messages that were found."""
    columns = frozenset(option.column for option, _ in options if option.column)
    if not columns:
        return {}
    found = await values(source, sorted(places), columns)
    return {name: dict(zip(found.places, found.columns[name])) for name in columns}


async def prepared(session: Session, asked: Search) -> tuple[Program, frozenset[str]]:
    """The program that this session runs, and the names of its keys; what they enable is on.

    Raises `Refused` for a charset that is not known, and `BadCommand` for numbers where there are
    none, and when what is asked needs keys that are not there.
    """
    for option, _ in asked.options or ():
        if option.check is not None:
            option.check(session, asked)
    _check_charset(session, asked)
    program = await resolved(session, asked.program)
    limits = session.policy.limits
    leaves = list(islice(leaves_of(program), limits.search_keys + 1))
    scored = sum(isinstance(leaf, Key) and leaf.score is not None for leaf in leaves)
    # TEXT is looked for in two steps.
    if len(leaves) > limits.search_keys or scored > 2 * limits.fuzzy_strings:
        raise Refused("LIMIT", "The search has too many keys")
    if session.announce.by_uid and any(map(_is_by_number, leaves)):
        raise BadCommand("There are no sequence numbers here", "UIDREQUIRED")  # RFC 9586, 3.5
    used = frozenset(leaf.name for leaf in leaves if isinstance(leaf, Key))
    needed = asked.needs.union(option.needs for option, _ in asked.options or () if option.needs)
    if not needed <= used:
        raise BadCommand(f"That is for a search with {', '.join(sorted(needed))}")
    keys = session.policy.dialect.search_keys
    switched = (keys[name.encode("ascii")].enables for name in used if name.encode("ascii") in keys)
    enabled = frozenset(filter(None, switched))
    session.needs(enabled)
    session.enable(*sorted(enabled))
    return program, used


def _cut(session: Session, program: Program, source: Selected) -> tuple[Program, int | None]:
    """The same of the last messages that may be looked at, and the lowest UID of them (RFC 9738, 3.1).

    Those are looked at that all sets of numbers at the top of the program name.
    """
    if not session.policy.limits.messages:
        return program, None
    keys = program.programs if isinstance(program, And) else (program,)
    meant = _EVERY
    for key in dict.fromkeys(keys):
        if isinstance(key, (SequenceNumbers, UIDs)):
            meant &= NumSet((start + 1, stop) for start, stop in source.spans(key))
    count = len(source.uids)
    places = meant & NumSet([(1, count)]) if count else EMPTY
    _, lowest = cut(session, [(low - 1, high) for low, high in places.ranges])
    if lowest is None:
        return program, None
    return And((UIDs(SequenceSet(((lowest, _EVERY.last),))), program)), lowest


def names_no_number(asked: Search) -> bool:
    """Whether removals may be told: numbers that are named stay what they are (RFC 7162, 3.2.10.2)."""
    return not any(
        leaf.may_number if isinstance(leaf, Unresolved) else _is_by_number(leaf)
        for leaf in leaves_of(asked.program)
    )


def _is_by_number(leaf: Program) -> bool:
    return isinstance(leaf, SequenceNumbers) and not leaf.numbers.saved


def _check_charset(session: Session, asked: Search) -> None:
    if asked.charset is None:
        return
    codec = charset.codec(asked.charset)
    if "UTF8=ACCEPT" in session.enabled and "IMAP4rev2" not in session.enabled:
        # RFC 9755, 3.
        if asked.word == b"SEARCH":
            raise BadCommand("After ENABLE UTF8=ACCEPT there is no CHARSET")
        if codec != "utf-8":
            raise BadCommand("After ENABLE UTF8=ACCEPT there is no charset but UTF-8")
    if codec is None:
        raise Refused("BADCHARSET (US-ASCII UTF-8)", "That charset is not known here")


def _most(options: Iterable[Option]) -> int | None:
    """How many of the first matches are enough, below 0 of the last; None: all are needed."""
    first = last = 0
    for option, said in options:
        most = None if option.most is None else option.most(said)
        if most is None:
            return None
        first, last = max(first, most), min(last, most)
    return None if first and last else (first or last or None)


def _save(session: Session, found: Found, options: Iterable[Option]) -> None:
    """What ``$`` is from now on: RFC 9051, 6.4.4.1, Table 4."""
    chosen = [option.saves(found, said) for option, said in options if option.saves is not None]
    places: Sequence[int] = found.places
    if chosen and not any(each is places for each in chosen):
        places = sorted(set[int]().union(*chosen))
    elif found.in_order:
        places = sorted(places)
    saved = found.saved(places)
    if len(saved.ranges) > session.policy.limits.saved_ranges:
        raise Refused("NOTSAVED", "The result is too large to be saved")
    session.saved = saved


async def _write_search(
    session: Session, word: bytes, found: Found, options: Iterable[Option]
) -> None:
    """``* SEARCH`` or ``* SORT``, also when nothing matches; extra data as in RFC 7162, 3.1.5."""
    session.write(b"* " + word)
    for piece in found.decimals():
        session.write(piece)
        await session.peer.turn()
    for option, said in options:
        if option.implied_by:
            data = option.data(found, said)
            if data is not None:
                session.write(b" (%b %b)" % (option.name.encode("ascii"), data))
    session.write(b"\r\n")


def esearch(session: Session, tag: bytes, view: View | None, by_uid: bool) -> bytes:
    """How an ``esearch-response`` begins; with a view it says of which mailbox it is (RFC 7377, 2.1)."""
    correlators = b"TAG " + encode.quoted(tag)
    if view is not None:
        name = session.mailbox_name(view.name)
        correlators += b" MAILBOX %b UIDVALIDITY %d" % (name, view.mailbox.uidvalidity)
    return b"* ESEARCH (%b)%b" % (correlators, b" UID" if by_uid else b"")


def _write_esearch(
    session: Session, found: Found, options: Sequence[Option], view: View | None
) -> None:
    """``esearch-response``, its items in the order in which features declare them."""
    told = [esearch(session, session.tag, view, found.by_uid)]
    asked = {option.name: said for option, said in options}
    for option in session.policy.dialect.search_returns.values():
        if option.name in asked:
            data = option.data(found, asked[option.name])
            if data is not None:
                told.append(b"%b %b" % (option.name.encode("ascii"), data))
    session.write(b" ".join(told) + b"\r\n")


FEATURE = Feature(
    name="SEARCH",
    rfc=9051,
    summary="finding messages by flags, dates, sizes, headers and text",
    commands=(
        Command("SEARCH", State.SELECTED, _arguments(False), find, expunges=False, by_number=True),
        Command("UID SEARCH", State.SELECTED, _arguments(True), find, expunges=names_no_number),
    ),
    search_keys=KEYS,
)
