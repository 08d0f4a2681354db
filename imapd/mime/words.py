"""Encoded words (RFC 2047) in header text, decoded."""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import Final

from imapd.mime.charsets import decode as decode_charset
from imapd.mime.headers import unfold
from imapd.mime.transfer import decode_base64

__all__ = ["decode"]

#: encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
#: The text may hold spaces, which RFC 2047 forbids and some senders write.
_WORD: Final = re.compile(rb"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?([BbQq])\?([^?\r\n]*)\?=")


def decode(value: bytes) -> str:
    """A field's text, unfolded, as people read it.

    Spaces between two encoded words vanish (6.2), and words of one charset are joined before
    they are decoded, since many senders split in the middle of a character.
    """
    value = unfold(value)
    if b"=?" not in value:
        return decode_charset(value, None)
    text: list[str] = []
    pending: list[bytes] = []
    charset = b""
    end = 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        adjacent = bool(pending) and not between.strip(b" \t\r\n")
        if not adjacent or match[1].lower() != charset:
            text.append(decode_charset(b"".join(pending), charset) if pending else "")
            pending = []
            charset = match[1].lower()
        if not adjacent:
            text.append(decode_charset(between, None))
        pending.append(_undo(match[2], match[3]))
        end = match.end()
    if pending:
        text.append(decode_charset(b"".join(pending), charset))
    text.append(decode_charset(value[end:], None))
    return "".join(text)


def _undo(encoding: bytes, word: bytes) -> bytes:
    if encoding in b"Bb":
        return decode_base64(word)
    return a2b_qp(word, header=True)
