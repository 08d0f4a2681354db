"""OBJECTID: names of mailboxes, messages and threads that stay when these are moved (RFC 8474).

Rules of this file:

* An id begins with a letter that says of what it is (8.1), so that no EMAILID is a THREADID.
* What comes by APPEND is a new message, whatever its octets are (5.1 allows that): its
  internal date may be another.  A copy is not, in whosever account (5.1 and 5.2).
* A message is of the thread of the messages its header refers to, in all mailboxes of the
  account; it is found out when somebody asks first, and stays (`imapd.model.threads`).
* Where the store knows no threads, THREADID is NIL and matches nothing (5.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from imapd.commands.fetch_items import Fetched, Rows
from imapd.dialect import Capability, Feature, FetchItem, SearchKey, StatusItem
from imapd.model.mailbox import MailboxInfo
from imapd.model.message import EMAIL_ID, THREAD_ID, Column
from imapd.model.search import Cost, Key
from imapd.session.session import Session
from imapd.store.interfaces import IObjectIDs
from imapd.wire.cursor import Cursor

__all__ = ["FEATURE", "mailbox_id"]

NAME: Final = "OBJECTID"

#: RFC 8474, 7: objectid.
_OBJECT_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,255}(?![^ )])")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")


def mailbox_id(id: str) -> bytes:
    """The MAILBOXID of an `IMailbox.id`, which may hold whatever its store likes."""
    if _PLAIN.fullmatch(id):
        return b"(F%b)" % id.encode("ascii")
    return b"(G%b)" % sha256(id.encode("utf-8", "surrogatepass")).hexdigest().encode("ascii")


def _created(session: Session, info: MailboxInfo) -> bytes:
    """RFC 8474, 4.1."""
    if IObjectIDs(session.account, None) is None:
        return b""
    return b"MAILBOXID " + mailbox_id(info.id)


def _opened(session: Session) -> bytes:
    """RFC 8474, 4.2."""
    if IObjectIDs(session.account, None) is None:
        return b""
    return session.status(b"OK", b"MAILBOXID " + mailbox_id(session.selected.mailbox.id), "Its id")


def _item(name: bytes, column: Column, letter: bytes) -> Callable[[Cursor], Fetched]:
    def values(rows: Rows) -> Sequence[bytes]:
        return [
            b"NIL" if raw is None else b"(%b%b)" % (letter, raw.hex().encode("ascii"))
            for raw in rows.columns[column]
        ]

    fetched = Fetched(name + b" %b", frozenset((column,)), values)
    return lambda cursor: fetched


def _key(name: str, column: Column, letter: bytes) -> Callable[[Cursor], Key]:
    def key(cursor: Cursor) -> Key:
        """``"EMAILID" SP objectid``: case counts, so only what we write ourselves can match."""
        cursor.space()
        sought = cursor.take(_OBJECT_ID, "an object id")
        raw = _raw(sought, letter)

        def test(each: bytes | None) -> bool:
            return raw is not None and each == raw

        return Key(name, Cost.COLUMN, (column,), test, (sought,))

    return key


def _raw(sought: bytes, letter: bytes) -> bytes | None:
    try:
        raw = bytes.fromhex(sought[1:].decode("ascii"))
    except ValueError:
        return None
    return raw if letter + raw.hex().encode("ascii") == sought else None


FEATURE = Feature(
    name=NAME,
    rfc=8474,
    summary="ids of mailboxes, messages and threads that stay when these are moved",
    capabilities=(Capability(NAME),),
    requires=IObjectIDs,
    fetch_items=(
        FetchItem("EMAILID", _item(b"EMAILID", EMAIL_ID, b"M")),
        FetchItem("THREADID", _item(b"THREADID", THREAD_ID, b"T")),
    ),
    search_keys=(
        SearchKey("EMAILID", _key("EMAILID", EMAIL_ID, b"M")),
        SearchKey("THREADID", _key("THREADID", THREAD_ID, b"T")),
    ),
    status_items=(StatusItem("MAILBOXID", lambda status: mailbox_id(status.mailbox_id)),),
    creates=_created,
    opens=_opened,
)
