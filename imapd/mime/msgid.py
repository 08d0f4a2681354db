"""Message identifiers (RFC 5322, 3.6.4) in one form each, however they were quoted (RFC 5256, 3).

Rules:

* An identifier has something before its at sign and after it, between angle brackets.
* Quotation marks, comments and the spaces that folding left are no part of it; letters are as
  they were written.
* What stands around identifiers is passed over.
"""

from __future__ import annotations

import re
from typing import Final

from imapd.mime.headers import unfold
from imapd.mime.tokens import Kind, tokens

__all__ = ["message_ids"]

#: Identifiers as nearly everyone writes them.
_PLAIN: Final = re.compile(rb'<([^\x00-\x20<>()"\\@]+@[^\x00-\x20<>()"\\]+)>')
#: Whatever needs a closer look: quoting, a comment, a space within.
_INTRICATE: Final = re.compile(rb'["(\\]|<[^\x00-\x20<>]*[\x00-\x20]').search


def message_ids(value: bytes) -> list[bytes]:
    """The identifiers in a field's text, in their order, without the brackets."""
    value = unfold(value)
    if _INTRICATE(value) is None:
        return _PLAIN.findall(value)
    found: list[bytes] = []
    #: What there is of an identifier; None outside of one.
    parts: list[bytes] | None = None
    for kind, text, _ in tokens(value):
        if kind is Kind.SPECIAL and text == b"<":
            parts = []
        elif parts is None or kind is Kind.COMMENT:
            continue
        elif kind is Kind.SPECIAL and text == b">":
            identifier = b"".join(parts)
            if 0 < identifier.find(b"@") < len(identifier) - 1:
                found.append(identifier)
            parts = None
        elif kind is Kind.SPECIAL and text in b")\\":
            parts = None
        else:
            parts.append(text)
    return found
