"""A strict reader of what a server says (RFC 9051, 9: response): what it refuses, a client may refuse.

It shares nothing with the code it checks.
"""

from __future__ import annotations

import re
from typing import Any

from tests.mime.wire_grammar import NotInGrammar, Reader

__all__ = ["Answers", "NotInGrammar", "read_answers"]

_ATOM = rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+'
_ASTRING = rb'[^\x00-\x20\x7f-\xff(){%*"\\]+'
_TAG = rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+'
_TEXT = rb"[\x01-\x09\x0b\x0c\x0e-\x7f]+"
_CODE = rb'\[[A-Z][A-Z0-9-]*(?: (?:"(?:[^"\\\r\n]|\\["\\])*"|[^\]"\r\n\x00\x80-\xff])+)?\] '
_FLAG = rb"\\?" + _ATOM
_SET = rb"\d+(?::\d+)?(?:,\d+(?::\d+)?)*"
_LITERAL8 = rb"~\{(0|[1-9][0-9]*)\}\r\n"
_SECTION = re.compile(
    rb'\[(?:[1-9]\d*(?:\.[1-9]\d*)*(?:\.(?=[A-Z]))?)?(?:HEADER\.FIELDS(?:\.NOT)?|HEADER|TEXT|MIME)?'
    rb'( \((?:[^()\r\n\x00\x80-\xff"]|"(?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*")+\))?\](?:<\d+>)?',
    re.IGNORECASE,
)  # fmt: skip


class Answers(Reader):
    """Reads responses one after another."""

    def __init__(self, octets: bytes, utf8: bool = False) -> None:
        super().__init__(octets)
        self.utf8 = utf8

    def quoted(self) -> bytes:
        """As `Reader`; UTF-8 for whoever enabled IMAP4rev2."""
        if not self.utf8:
            return super().quoted()
        found = self.match(rb'"((?:[^\x00\r\n"\\]|\\["\\])*)"', "quoted")
        found[1].decode("utf-8")
        return re.sub(rb"\\(.)", rb"\1", found[1])

    def _astring(self) -> bytes:
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self.match(_ASTRING, "astring")[0]

    def listed(self, pattern: bytes) -> list[bytes]:
        """Words in parentheses, perhaps none."""
        found = self.match(rb"\((?:%b(?: %b)*)?\)" % (pattern, pattern), "list")[0]
        return found[1:-1].split()

    def response(self) -> tuple[Any, ...]:
        """One response, with its CRLF: its tag, ``*`` or ``+``, its word, and what else there is."""
        if self.peek(b"+"):
            self.match(rb"\+ [\x01-\x09\x0b\x0c\x0e-\x7f]*", "continuation")
            said: tuple[Any, ...] = (b"+",)
        elif self.peek(b"* "):
            self.at += 2
            said = (b"*", *self._untagged())
        else:
            tag = self.match(_TAG, "a tag")[0]
            self.take(b" ")
            said = (tag, *self.condition(rb"OK|NO|BAD"))
        self.take(b"\r\n")
        return said

    def condition(self, words: bytes) -> tuple[Any, ...]:
        """``resp-cond-state``: never without a text."""
        text = rb"[^\x00\r\n]+" if self.utf8 else _TEXT
        found = self.match(rb"(%b) (%b)?(%b)" % (words, _CODE, text), "a condition")
        found[3].decode("utf-8")
        return found[1].upper(), (found[2] or b"").strip(b"[] "), found[3]

    def _untagged(self) -> tuple[Any, ...]:
        number = re.compile(rb"(\d+) (EXISTS|RECENT|EXPUNGE|FETCH)").match(self.octets, self.at)
        if number is not None:
            self.at = number.end()
            if number[2] == b"FETCH":
                self.take(b" ")
                return b"FETCH", int(number[1]), self.message()
            return number[2], int(number[1])
        word = re.compile(rb"[A-Z]+").match(self.octets, self.at)
        if word is None:
            raise self.fail("a response")
        name = word[0]
        if name in (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"):
            return self.condition(name)
        self.at = word.end()
        read = getattr(self, "_read_" + name.decode().lower(), None)
        if read is None:
            raise self.fail("a response that is known")
        return name, read()

    def _read_capability(self) -> list[bytes]:
        found = self.match(rb"(?: %b)+" % _ATOM, "capabilities")[0].split()
        assert b"IMAP4rev1" in found
        return found

    def _read_enabled(self) -> list[bytes]:
        return self.match(rb"(?: %b)*" % _ATOM, "capabilities")[0].split()

    def _read_id(self) -> None:
        self.take(b" ")
        self._tagged_value()

    def _read_language(self) -> list[bytes]:
        return self.match(rb" \([A-Za-z-]+(?: [A-Za-z-]+)*\)", "languages")[0].split()

    def _read_comparator(self) -> bytes:
        return self.match(rb" " + _ASTRING, "a comparator")[0]

    def _read_flags(self) -> list[bytes]:
        self.take(b" ")
        return self.listed(_FLAG)

    def _read_search(self) -> list[bytes]:
        return self.match(rb"(?: [1-9]\d*)*", "numbers")[0].split()

    def _read_thread(self) -> list[int]:
        """RFC 5256, 5: thread-data; no message is there twice."""
        numbers: list[int] = []
        if self.peek(b" "):
            self.at += 1
            depth = 0
            lists = [0]
            while depth or self.peek(b"(") or not lists[0]:
                if self.peek(b")"):
                    # thread-nested has two lists at least.
                    assert lists.pop() != 1 or depth == 0
                    self.at += 1
                    depth -= 1
                    continue
                self.take(b"(")
                depth += 1
                lists[-1] += 1
                lists.append(0)
                if not self.peek(b"("):
                    found = self.match(rb"[1-9]\d*(?: [1-9]\d*)*(?: (?=\())?", "thread-members")[0]
                    numbers += map(int, found.split())
        assert len(set(numbers)) == len(numbers)
        return numbers

    def _read_esearch(self) -> bytes:
        self.match(rb' \(TAG "%b"' % _TAG, "a correlator")
        if self.peek(b" MAILBOX "):
            self.take(b" MAILBOX ")
            self._astring()
            self.match(rb" UIDVALIDITY \d+", "a UIDVALIDITY")
        self.match(rb"\)(?: UID)?", "the end of correlators")
        return self.match(
            rb"(?: (?:MIN|MAX|COUNT|MODSEQ) \d+| ALL %b| PARTIAL \(.*?\)| RELEVANCY \([0-9 ]*\))*"
            % _SET,
            "results",
        )[0]

    def _read_uidbatches(self) -> bytes:
        return self.match(rb' \(TAG "%b"\)(?: %b)?' % (_TAG, _SET), "batches")[0]

    def _read_list(self) -> bytes:
        self.take(b" ")
        self.listed(rb"\\" + _ATOM)
        self.match(rb' (?:"(?:[^"\\]|\\["\\])"|NIL) ', "a separator")
        name = self._astring()
        if self.peek(b" ("):
            self.at += 2
            while True:
                self._astring()
                self.take(b" ")
                self._tagged_value()
                if not self.peek(b" "):
                    break
                self.at += 1
            self.take(b")")
        return name

    _read_lsub = _read_list

    def _strings(self) -> list[bytes]:
        """All that is left of the line: astrings, each behind a space."""
        found = []
        while self.peek(b" "):
            self.at += 1
            found.append(self._astring())
        return found

    def _read_acl(self) -> list[bytes]:
        """RFC 4314, 7: acl-data."""
        found = self._strings()
        assert len(found) % 2 == 1
        return found

    def _read_listrights(self) -> list[bytes]:
        """RFC 4314, 7: listrights-data; no right is there twice."""
        found = self._strings()
        assert len(found) >= 3
        rights = b"".join(found[2:])
        assert len(set(rights)) == len(rights)
        return found

    def _read_myrights(self) -> list[bytes]:
        """RFC 4314, 7: myrights-data."""
        found = self._strings()
        assert len(found) == 2
        assert found[1].islower()
        return found

    def _read_genurlauth(self) -> list[bytes]:
        """RFC 4467, 9: genurlauth-data."""
        urls = []
        while self.peek(b" "):
            self.at += 1
            urls.append(self._astring())
        assert urls
        return urls

    def _read_urlfetch(self) -> tuple[bytes, Any]:
        """RFC 5524, 5: urlfetch-data, of one URL."""
        self.take(b" ")
        url = self._astring()
        self.take(b" ")
        if not self.peek(b"("):
            return url, self.nstring()
        items: dict[bytes, Any] = {}
        while True:
            name = self.match(rb"\((BODYPARTSTRUCTURE|BINARY|BODY) ", "url-metadata-el")[1]
            structure = name == b"BODYPARTSTRUCTURE"
            items[name] = self.body(False) if structure else self._value(name, b"[]")
            self.take(b")")
            if not self.peek(b" "):
                return url, items
            self.at += 1

    def _tagged_value(self) -> None:
        if self.peek(b"("):
            self.at += 1
            while not self.peek(b")"):
                self._tagged_value()
                if self.peek(b" "):
                    self.at += 1
            self.at += 1
        else:
            self._astring()

    def _read_status(self) -> bytes:
        self.take(b" ")
        name = self._astring()
        self.match(rb" \((?:[A-Z]+ \d+(?: [A-Z]+ \d+)*)?\)", "figures")
        return name

    def _read_namespace(self) -> None:
        for _ in range(3):
            self.take(b" ")
            self.nil_or(lambda: self._tagged_value())

    def message(self) -> dict[bytes, Any]:
        """``msg-att``."""
        items: dict[bytes, Any] = {}
        self.take(b"(")
        while True:
            name, value = self._item()
            items[name] = value
            if self.peek(b")"):
                self.at += 1
                return items
            self.take(b" ")

    def _item(self) -> tuple[bytes, Any]:
        name = self.match(rb"[A-Z][A-Z0-9.]*", "an item")[0].upper()
        section = b""
        if name in (b"BODY", b"BINARY", b"BINARY.SIZE") and self.peek(b"["):
            found = _SECTION.match(self.octets, self.at)
            if found is None:
                raise self.fail("a section")
            self.at = found.end()
            section = found[0]
        self.take(b" ")
        return name + section, self._value(name, section)

    def _value(self, name: bytes, section: bytes) -> Any:
        if name == b"FLAGS":
            return self.listed(_FLAG)
        if name in (b"UID", b"RFC822.SIZE", b"BINARY.SIZE"):
            return int(self.match(rb"\d+", "a number")[0])
        if name == b"MODSEQ":
            return int(self.match(rb"\((\d+)\)", "a modseq")[1])
        if name == b"INTERNALDATE":
            return self.match(rb'"[ \d]\d-[A-Z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"', "a date")[0]
        if name == b"ENVELOPE":
            return self.envelope()
        if name == b"BODYSTRUCTURE" or (name == b"BODY" and not section):
            return self.body(name == b"BODYSTRUCTURE")
        if name == b"BINARY" and self.peek(b"~"):
            return self._literal8()
        if name == b"ANNOTATION":
            return self._annotations()
        if name == b"SAVEDATE":
            return self.match(rb'"[^"]{26}"|NIL', "a date")[0]
        if name in (b"EMAILID", b"THREADID"):
            return self.match(rb"\([A-Za-z0-9_-]+\)|NIL", "an id")[0]
        if name in (b"BODY", b"BINARY", b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT", b"PREVIEW"):
            return self.nstring()
        raise self.fail("an item that is known")

    def _literal8(self) -> bytes:
        count = int(self.match(_LITERAL8, "a literal8")[1])
        self.at += count
        return self.octets[self.at - count : self.at]

    def _annotations(self) -> dict[bytes, Any]:
        """RFC 5257, 5: msg-att-dynamic; no entry is there twice."""
        entries: dict[bytes, Any] = {}
        between = b"("
        while self.peek(between):
            self.take(between)
            entry = self._astring()
            assert entry not in entries
            values = entries[entry] = {}
            start = b" ("
            while self.peek(start):
                self.take(start)
                name = self.match(rb"((?:value|size)\.(?:priv|shared)) ", "an attribute")[1]
                values[name] = self._literal8() if self.peek(b"~") else self.nstring()
                start = b" "
            if values:
                self.take(b")")
            between = b" "
        self.take(b")")
        return entries


def read_answers(octets: bytes, utf8: bool = False) -> list[tuple[Any, ...]]:
    """Every response; NotInGrammar if something is none."""
    reader = Answers(octets, utf8)
    found = []
    while reader.at < len(octets):
        found.append(reader.response())
    return found
