"""The states of a connection (RFC 9051, 3), as a set of those a command is good in."""

from __future__ import annotations

from enum import Flag

__all__ = ["ANY", "LOGGED_IN", "State"]


class State(Flag):
    """Where a connection is."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 4
    LOGOUT = 8


LOGGED_IN = State.AUTHENTICATED | State.SELECTED
ANY = State.NOT_AUTHENTICATED | LOGGED_IN
