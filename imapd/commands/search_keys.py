"""The grammar of search programs, and the keys of RFC 9051, 6.4.4 and RFC 3501, 6.4.4.

A feature adds a key by a `dialect.SearchKey`; one that contains another key reads it with
`search_key`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from attrs import define, field

from imapd.dialect import SearchKey
from imapd.model.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from imapd.model.search import (
    And,
    Not,
    Or,
    Program,
    Recent,
    SequenceNumbers,
    UIDs,
    Unresolved,
)
from imapd.query import charset, keys
from imapd.query.keys import Relation
from imapd.query.search import leaves_of, with_leaves
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["KEYS", "resolved", "search_key", "search_keys", "string"]


def search_keys(cursor: Cursor) -> Program:
    """``search-key *(SP search-key)``, to the end of the command."""
    programs = [search_key(cursor)]
    while not cursor.at_end():
        cursor.space()
        if cursor.at_end():
            break
        programs.append(search_key(cursor))
        if len(programs) > cursor.limits.search_keys:
            raise _too_many()
    program = programs[0] if len(programs) == 1 else And(tuple(programs))
    if sum(1 for _ in leaves_of(program)) > cursor.limits.search_keys:
        raise _too_many()
    return program


def search_key(cursor: Cursor) -> Program:
    """``search-key``.

    Without recursion: some clients write an OR of hundreds, each inside the one before.
    Such a chain becomes one `Or`, so that it is not deep afterwards either.
    """
    waiting: list[_Waiting] = []
    count = 0
    while True:
        if max(count, len(waiting)) >= cursor.limits.search_keys:
            raise _too_many()
        started = _start(cursor)
        if isinstance(started, _Waiting):
            waiting.append(started)
            continue
        count += 1
        done = started
        while waiting:
            above = waiting[-1]
            above.programs.append(done)
            if not above.is_full(cursor):
                break
            done = waiting.pop().end(cursor)
        else:
            return done


@define
class _Waiting:
    """A key that has keys in it, while they come: "(", OR with 2, NOT with 1."""

    count: int
    programs: list[Program] = field(factory=list)

    def is_full(self, cursor: Cursor) -> bool:
        """Whether it has all its keys; if not, the cursor is then at the next."""
        if self.count:
            if len(self.programs) == self.count:
                return True
            cursor.space()
            return False
        if cursor.peek() == b")":
            return True
        cursor.space()
        return cursor.peek() == b")"

    def end(self, cursor: Cursor) -> Program:
        """The whole key."""
        first = self.programs[0]
        if self.count == 2:
            return Or(tuple(_alternatives(self.programs)))
        if self.count == 1:
            cursor.depth -= 1
            return first.program if isinstance(first, Not) else Not(first)
        cursor.leave()
        return first if len(self.programs) == 1 else And(tuple(self.programs))


def _start(cursor: Cursor) -> Program | _Waiting:
    """A whole key, or one that waits for the keys in it."""
    first = cursor.peek()
    if first == b"(":
        cursor.enter()
        if cursor.peek() == b" ":
            cursor.space()
        return _Waiting(0)
    if first.isdigit() or first in (b"*", b"$"):
        return SequenceNumbers(grammar.sequence_set(cursor))
    name = cursor.word()
    if name == b"OR":
        cursor.space()
        return _Waiting(2)
    if name == b"NOT":
        cursor.space()
        cursor.deepen()
        return _Waiting(1)
    key = cursor.vocabulary.search_keys.get(name)
    if key is None:
        raise BadSyntax("SEARCH has no key of that name")
    program: Program = key.grammar(cursor)
    return program


def _alternatives(programs: list[Program]) -> Iterator[Program]:
    for program in programs:
        if isinstance(program, Or):
            yield from program.programs
        else:
            yield program


async def resolved(session: Any, program: Program) -> Program:
    """The program that it is for this session, at this moment: with nothing unresolved in it."""
    meant: dict[Unresolved, Program] = {}
    for leaf in leaves_of(program):
        if isinstance(leaf, Unresolved) and leaf not in meant:
            found = leaf.resolve(session)
            meant[leaf] = await found if isinstance(found, Awaitable) else found
    if not meant:
        return program
    return with_leaves(program, lambda leaf: meant[leaf] if isinstance(leaf, Unresolved) else leaf)


def _too_many() -> BadSyntax:
    return BadSyntax("the search has too many keys")


def string(cursor: Cursor) -> str:
    """``SP astring`` in the charset of the search."""
    cursor.space()
    return charset.decode(cursor.astring(), cursor.charset)


# The keys.

_Grammar = Callable[[Cursor], Program]


def _plain(program: Program) -> _Grammar:
    def plain(cursor: Cursor) -> Program:
        return program

    return plain


def _flag(name: str) -> _Grammar:
    def flag(cursor: Cursor) -> Program:
        return keys.flag(name)

    return flag


def _no_flag(name: str) -> _Grammar:
    def no_flag(cursor: Cursor) -> Program:
        return Not(keys.flag(name))

    return no_flag


def _keyword(cursor: Cursor) -> Program:
    """``SP flag-keyword``."""
    cursor.space()
    return keys.keyword(cursor.atom().decode("ascii"))


def _date(relation: Relation) -> _Grammar:
    """``SP date``."""

    def date(cursor: Cursor) -> Program:
        cursor.space()
        return keys.internal_date(relation, grammar.date(cursor))

    return date


def _sent(relation: Relation) -> _Grammar:
    def sent(cursor: Cursor) -> Program:
        cursor.space()
        return keys.sent(relation, grammar.date(cursor))

    return sent


def _size(cursor: Cursor) -> int:
    """``SP number64``."""
    cursor.space()
    return cursor.number(63)


def _header(cursor: Cursor) -> Program:
    """``SP header-fld-name SP astring``."""
    cursor.space()
    name = cursor.astring()
    return keys.header(name, string(cursor))


def _address(name: bytes) -> _Grammar:
    def address(cursor: Cursor) -> Program:
        return keys.address(name, string(cursor))

    return address


def _uids(cursor: Cursor) -> Program:
    """``SP sequence-set``."""
    cursor.space()
    return UIDs(grammar.sequence_set(cursor))


#: All but OR, NOT, parentheses and sequence sets, which `search_key` reads itself.
KEYS: Final = (
    SearchKey("ALL", _plain(keys.ALL)),
    SearchKey("ANSWERED", _flag(ANSWERED)),
    SearchKey("BCC", _address(b"bcc")),
    SearchKey("BEFORE", _date(Relation.BEFORE)),
    SearchKey("BODY", lambda cursor: keys.body(string(cursor))),
    SearchKey("CC", _address(b"cc")),
    SearchKey("DELETED", _flag(DELETED)),
    SearchKey("DRAFT", _flag(DRAFT)),
    SearchKey("FLAGGED", _flag(FLAGGED)),
    SearchKey("FROM", _address(b"from")),
    SearchKey("HEADER", _header),
    SearchKey("KEYWORD", _keyword),
    SearchKey("LARGER", lambda cursor: keys.larger(_size(cursor))),
    # NEW, OLD and RECENT are of RFC 3501 only; who enabled IMAP4rev2 may ask and finds none recent.
    SearchKey("NEW", lambda cursor: And((Recent(), Not(keys.flag(SEEN))))),
    SearchKey("OLD", _plain(Not(Recent()))),
    SearchKey("ON", _date(Relation.ON)),
    SearchKey("RECENT", _plain(Recent())),
    SearchKey("SEEN", _flag(SEEN)),
    SearchKey("SENTBEFORE", _sent(Relation.BEFORE)),
    SearchKey("SENTON", _sent(Relation.ON)),
    SearchKey("SENTSINCE", _sent(Relation.SINCE)),
    SearchKey("SINCE", _date(Relation.SINCE)),
    SearchKey("SMALLER", lambda cursor: keys.smaller(_size(cursor))),
    SearchKey("SUBJECT", lambda cursor: keys.header(b"subject", string(cursor))),
    SearchKey("TEXT", lambda cursor: keys.text(string(cursor))),
    SearchKey("TO", _address(b"to")),
    SearchKey("UID", _uids),
    SearchKey("UNANSWERED", _no_flag(ANSWERED)),
    SearchKey("UNDELETED", _no_flag(DELETED)),
    SearchKey("UNDRAFT", _no_flag(DRAFT)),
    SearchKey("UNFLAGGED", _no_flag(FLAGGED)),
    SearchKey("UNKEYWORD", lambda cursor: Not(_keyword(cursor))),
    SearchKey("UNSEEN", _no_flag(SEEN)),
)
