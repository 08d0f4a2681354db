"""Part numbers read from BODYSTRUCTURE mean what BODY[...] means by them."""

from __future__ import annotations

from itertools import product

from imapd.mime.facts import facts
from imapd.mime.parse import parse
from imapd.mime.partnumbers import has_part
from imapd.mime.section import find

_PLAIN = b'Subject: ( "x\r\n\r\nbody\r\n'
_INNER = b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\none\r\n--y\r\n\r\ntwo\r\n--y--\r\n"
_OUTER = (
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    b'--x\r\nContent-Disposition: attachment; filename="a ) b"\r\nContent-Description: =\xff\r\n\r\none\r\n'
    b"--x\r\nContent-Type: message/rfc822\r\n\r\n%b\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\n%b\r\n"
    b"--x\r\nContent-Type: application/pdf\r\nContent-MD5: abc\r\n\r\nthree\r\n"
    b"--x--\r\n"
) % (_PLAIN, _INNER)
_WRAPPED = b"Content-Type: message/rfc822\r\n\r\n" + _INNER


def test_as_sections() -> None:
    """Numbers down to the third level exist just where `find` finds something."""
    counts = []
    for message in (_PLAIN, _INNER, _OUTER, _WRAPPED, b""):
        structure, root = facts(message).bodystructure, parse(message)
        found = 0
        for depth in (1, 2, 3):
            for numbers in product(range(6), repeat=depth):
                there = find(root, numbers) is not None
                assert has_part(structure, numbers) == there, (message, numbers)
                found += there
        counts.append(found)
    assert counts == [1, 2, 7, 3, 1]
