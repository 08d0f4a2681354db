"""The moment between a right password and being logged in, for features that have a say in it."""

from __future__ import annotations

from attrs import define

from imapd.session.session import Session
from imapd.store.interfaces import IAccount

__all__ = ["Entry"]


@define
class Entry:
    """Who is about to be logged in, and what will be answered."""

    session: Session
    user: str
    #: What the session will work on; a feature may put something around it.
    account: IAccount
    text: str = "Logged in"
    #: The inside of the answer's brackets; empty: the capabilities.
    code: bytes = b""
