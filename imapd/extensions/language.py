"""LANGUAGE: what the server says to people, in their language (RFC 5255, 3).

Texts are written in English where they arise, and translated where they are sent,
`imapd.session.session.Session.status`, by the catalogues in ``imapd/texts``: one file a
language, English on the left.  What a catalogue lacks stays English.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from imapd.dialect import Capability, Command, Feature
from imapd.model.states import ANY, LOGGED_IN
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.wire.cursor import BadSyntax, Cursor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["FEATURE", "LANGUAGES", "Catalogue", "feature"]

#: By their tags; "i-default" is English for everybody, in ASCII (RFC 2277, 4.5).
LANGUAGES: Final = ("en", "de", "fr", "ja", "i-default")
#: Those whose texts are as they are in the code.
_ENGLISH: Final = ("en", "i-default")
#: Ranges of one command.  Nobody speaks more.
_RANGES: Final = 100
#: Texts whose translation is remembered; most come again and again.
_REMEMBERED: Final = 1_000

#: RFC 4647, 2.1: ``language-range``.
_RANGE: Final = re.compile(rb"(?:[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)")
_HOLE: Final = re.compile(r"\\{\d?\\}")


class Catalogue:
    """Puts English texts into a language."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._known = dict(texts)
        #: Those with holes, the most special first.
        self._forms = [
            (re.compile(_HOLE.sub("(.+)", re.escape(text)), re.DOTALL), texts[text])
            for text in sorted(texts, key=len, reverse=True)
            if "{}" in text
        ]

    def __call__(self, text: str) -> str:
        """The text in the language, or as it is."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) > _REMEMBERED:
                return self._formed(text)
            known = self._known[text] = self._formed(text)
        return known

    def _formed(self, text: str) -> str:
        for form, said in self._forms:
            match = form.fullmatch(text)
            if match is not None:
                return said.format(*(self._known.get(each, each) for each in match.groups()))
        return text


@cache
def _catalogue(tag: str) -> Catalogue:
    text = (files("imapd") / "texts" / f"{tag}.toml").read_text("utf-8")
    return Catalogue(tomllib.loads(text))


# The command.


def _ranges(cursor: Cursor) -> list[str]:
    """``language-cmd = "LANGUAGE" *(SP lang-range-quoted)``."""
    ranges: list[str] = []
    while not cursor.at_end():
        cursor.space()
        if cursor.at_end():
            break
        octets = cursor.astring()
        if _RANGE.fullmatch(octets) is None or len(ranges) >= _RANGES:
            raise BadSyntax("no language is called so")
        ranges.append(octets.decode("ascii"))
    return ranges


def _lookup(wanted: str, preferred: str) -> str | None:
    """The language for a range: RFC 4647, 3.4; "default" is what the owner of the server prefers."""
    tag = wanted.lower()
    if tag in ("default", "*"):
        return preferred
    while tag:
        if tag in LANGUAGES:
            return tag
        tag = tag.rpartition("-")[0]
        if tag[-2:-1] == "-":
            tag = tag[:-2]
    return None


def feature(preferred: str) -> Feature:
    """With the language that "default" means."""

    def language(session: Session, ranges: list[str]) -> Outcome:
        if not ranges:
            session.write(b"* LANGUAGE (%b)\r\n" % " ".join(LANGUAGES).encode("ascii"))
            return Outcome("Supported languages have been enumerated")
        for each in ranges:
            tag = _lookup(each, preferred)
            if tag is not None:
                session.translate = None if tag in _ENGLISH else _catalogue(tag)
                session.write(b"* LANGUAGE (%b)\r\n" % tag.encode("ascii"))
                if session.state in LOGGED_IN:
                    # With the prefixes in that language (3.4).
                    session.policy.dialect.commands[b"NAMESPACE"].run(session, None)
                return Outcome("Now speaking English")
        raise Refused("", f"Unsupported language {' '.join(ranges)}")

    run: Callable[[Session, list[str]], Outcome] = language
    return Feature(
        name="LANGUAGE",
        rfc=5255,
        summary="what the server says, in English, German, French or Japanese",
        capabilities=(Capability("LANGUAGE"),),
        needs=("NAMESPACE",),
        commands=(Command("LANGUAGE", ANY, _ranges, run),),
    )


FEATURE = feature("en")
