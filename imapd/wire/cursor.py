"""A place in one command's octets, and the ways of moving it on.

Rules: a method either takes what it names and moves past it, or raises
`BadSyntax` and the whole command is refused; nothing here backtracks.  Literals
lie in the octets as the client sent them, ``{3}CRLFabc``: the framer has made
sure that they are whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from imapd.model.limits import Limits

__all__ = ["BadSyntax", "Cursor"]

_T = TypeVar("_T")

_ATOM: Final = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_ASTRING: Final = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
#: RFC 9051, 9: QUOTED-CHAR; octets above 7 bits are judged by whoever decodes.
_QUOTED: Final = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL: Final = re.compile(rb"~?\{(\d{1,10})\+?\}\r\n")
_NUMBER: Final = re.compile(rb"\d{1,20}")
_WORD: Final = re.compile(rb"[A-Za-z0-9.\-+=_]+")

#: Octets that are remembered, and how many such; clients ask for the same again and again.
_SHORT: Final = 200
_REMEMBERED: Final = 512


class BadSyntax(Exception):
    """The command is not of the grammar's form; the text, for the client, says where."""


class Cursor:
    """Reads one command from left to right."""

    __slots__ = ("at", "charset", "data", "depth", "limits", "memory", "utf8", "vocabulary")

    def __init__(
        self,
        data: bytes,
        limits: Limits,
        utf8: bool = False,
        vocabulary: Any = None,
        memory: dict[Any, Any] | None = None,
    ) -> None:
        self.data = data
        self.at = 0
        self.depth = 0
        self.limits = limits
        #: Names and strings of this client are UTF-8 (IMAP4rev2 or UTF8=ACCEPT enabled).
        self.utf8 = utf8
        #: The tables of the `imapd.dialect.Dialect` that is spoken, for those commands
        #: whose grammar features add to.
        self.vocabulary = vocabulary
        #: What `remembered` knows, of cursors with these limits and this vocabulary.
        self.memory = memory
        #: What CHARSET said of the strings of a search.
        self.charset = "utf-8"

    @staticmethod
    def recalled(
        memory: dict[Any, Any] | None, parse: Callable[[Cursor], Any], octets: bytes, utf8: bool
    ) -> Any:
        """What `remembered` gave for the whole of these octets, if that is known; or None."""
        known = None if memory is None else memory.get((parse, utf8, octets))
        return known[0] if known is not None and known[1] == len(octets) else None

    def bad(self, expected: str) -> BadSyntax:
        """What to raise when `expected` is not here."""
        return BadSyntax(f"expected {expected} at octet {self.at}")

    def remembered(self, parse: Callable[[Cursor], _T]) -> _T:
        """What `parse` takes here, or has taken when the same octets were left of a command.

        It must depend on nothing else, and what it gives must never change.
        """
        memory = self.memory
        left = self.data[self.at :]
        if memory is None or len(left) > _SHORT:
            return parse(self)
        key = parse, self.utf8, left
        known = memory.get(key)
        if known is None:
            start = self.at
            taken = parse(self)
            if len(memory) >= _REMEMBERED:
                memory.clear()
            memory[key] = taken, self.at - start
            return taken
        self.at += known[1]
        return cast(_T, known[0])

    def at_end(self) -> bool:
        """Nothing is left."""
        return self.at >= len(self.data)

    def end(self) -> None:
        """Nothing is left; some clients leave a space there."""
        if self.data[self.at :].strip(b" "):
            raise self.bad("the end of the command")

    def peek(self) -> bytes:
        """The next octet, or nothing."""
        return self.data[self.at : self.at + 1]

    def skip(self, octets: bytes) -> bool:
        """Move past `octets` if they are next."""
        if self.data.startswith(octets, self.at):
            self.at += len(octets)
            return True
        return False

    def skip_word(self, word: bytes) -> bool:
        """Move past `word`, in any case, if it is next and ends there."""
        end = self.at + len(word)
        if self.data[self.at : end].upper() != word:
            return False
        if _WORD.match(self.data, end):
            return False
        self.at = end
        return True

    def expect(self, octets: bytes) -> None:
        """Move past `octets`."""
        if not self.skip(octets):
            raise self.bad(repr(octets.decode("ascii")))

    def space(self) -> None:
        """SP; more than one is taken for one, as other servers do."""
        if not self.skip(b" "):
            raise self.bad("a space")
        while self.data.startswith(b" ", self.at):
            self.at += 1

    def take(self, pattern: re.Pattern[bytes], expected: str) -> bytes:
        """What `pattern` matches here."""
        match = pattern.match(self.data, self.at)
        if match is None:
            raise self.bad(expected)
        self.at = match.end()
        return match[0]

    def atom(self) -> bytes:
        """``atom = 1*ATOM-CHAR``."""
        return self.take(_ATOM, "an atom")

    def word(self) -> bytes:
        """A keyword of the grammar, in upper case."""
        return self.take(_WORD, "a word").upper()

    def number(self, bits: int = 32) -> int:
        """``number`` or ``number64`` (63 bits)."""
        number = int(self.take(_NUMBER, "a number"))
        if number >> bits:
            raise self.bad(f"a number of {bits} bits")
        return number

    def nz_number(self) -> int:
        """``nz-number = digit-nz *DIGIT``, 32 bits."""
        number = self.number()
        if number == 0:
            raise self.bad("a number above 0")
        return number

    def string(self) -> bytes:
        """``string = quoted / literal``."""
        match = _QUOTED.match(self.data, self.at)
        if match is not None:
            self.at = match.end()
            text = match[1]
            if self.utf8 and not text.isascii():
                # RFC 9755, 3: BAD.
                try:
                    text.decode("utf-8")
                except ValueError:
                    raise self.bad("UTF-8 before") from None
            return _ESCAPE.sub(rb"\1", text) if b"\\" in text else text
        match = _LITERAL.match(self.data, self.at)
        if match is None:
            raise self.bad("a string")
        end = match.end() + int(match[1])
        if end > len(self.data):
            raise self.bad("a whole literal")
        self.at = end
        return self.data[match.end() : end]

    def astring(self) -> bytes:
        """``astring = 1*ASTRING-CHAR / string``."""
        match = _ASTRING.match(self.data, self.at)
        if match is None:
            return self.string()
        self.at = match.end()
        return match[0]

    def nstring(self) -> bytes | None:
        """``nstring = string / nil``."""
        return None if self.skip_word(b"NIL") else self.string()

    def listed(self, member: Callable[[Cursor], _T], *, empty: bool = False) -> list[_T]:
        """``"(" member *(SP member) ")"``; with `empty`, ``()`` too."""
        self.enter()
        members: list[_T] = []
        while self.data.startswith(b" ", self.at):
            self.at += 1
        if not (self.peek() == b")" and (empty or members)):
            members.append(member(self))
            while self.peek() == b" ":
                self.space()
                if self.peek() == b")":
                    break
                if len(members) >= self.limits.list_length:
                    raise BadSyntax("the list is too long")
                members.append(member(self))
        self.leave()
        return members

    def enter(self) -> None:
        """An opening parenthesis, counted."""
        self.expect(b"(")
        self.deepen()

    def leave(self) -> None:
        """The closing parenthesis of an `enter`."""
        self.expect(b")")
        self.depth -= 1

    def deepen(self) -> None:
        """One level more of nesting; the caller takes it back."""
        self.depth += 1
        if self.depth > self.limits.nesting:
            raise BadSyntax("nested too deeply")
