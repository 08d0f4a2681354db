r"""Addresses and parameters of MAIL and RCPT (RFC 5321, 4.1.2; RFC 6531, 3.3).

A source route is read and forgotten (RFC 5321, appendix C).  A local part is its meaning:
``"a b"`` and ``a\ b`` in quotes are ``a b``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from imapd.delivery.replies import Rejected, Reply

__all__ = ["Path", "read_path"]

_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_LABEL: Final = (
    r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9_\x80-\U0010ffff-]*[A-Za-z0-9\x80-\U0010ffff])?"
)
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[!-Z^-~]+\])"
_PATH: Final = re.compile(
    rf"<(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
    rf'(?:({_ATEXT}(?:\.{_ATEXT})*)|"((?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*)")'
    rf"(?:@({_DOMAIN}))?>"
)
_PARAMETER: Final = re.compile(r" ([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
#: RFC 5321, 4.5.3.1.1 has 64 for a local part, but longer ones are in use (VERP, SRS).
_LONGEST: Final = 512


@frozen
class Path:
    """A mailbox's address; one without a local part is the null reverse-path."""

    local: str
    domain: str

    def __str__(self) -> str:
        """As it stands in a header field: between angle brackets."""
        local = self.local
        if local and re.fullmatch(rf"{_ATEXT}(?:\.{_ATEXT})*", local) is None:
            local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
        return f"{local}@{self.domain}" if self.domain else local


def read_path(
    argument: bytes, word: bytes, *, empty: bool
) -> tuple[Path, Mapping[str, str | None]]:
    """``FROM:<path> *(SP parameter)`` behind the command's name; parameters by name, in upper case.

    Raises `Rejected`.  With `empty`, ``<>`` is a path.
    """
    start = argument[: len(word) + 1]
    if start.upper() != word + b":":
        raise Rejected(Reply(501, "5.5.4", f"Write {word.decode('ascii')}:<address>"))
    try:
        text = argument[len(start) :].decode("utf-8").lstrip(" ")
    except UnicodeDecodeError:
        raise Rejected(Reply(501, "5.1.3", "The address is not UTF-8")) from None
    if empty and text.startswith("<>"):
        path, end = Path("", ""), 2
    else:
        match = _PATH.match(text)
        if match is None or match.end() > _LONGEST:
            raise Rejected(
                Reply(501, "5.1.7" if word == b"FROM" else "5.1.3", "That is no address")
            )
        plain, quoted, domain = match.groups()
        local = plain if plain is not None else re.sub(r"\\(.)", r"\1", quoted)
        path, end = Path(local, (domain or "").rstrip(".")), match.end()
    return path, _parameters(text[end:])


def _parameters(text: str) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    at = 0
    text = text.rstrip(" ")
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None or match[1].upper() in found:
            raise Rejected(Reply(501, "5.5.4", "Those parameters are not understood"))
        found[match[1].upper()] = match[2]
        at = match.end()
    return found
