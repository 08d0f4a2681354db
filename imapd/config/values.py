"""What the value of a key may be, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from imapd.model.mailbox import DELIMITER, INBOX, SPECIAL_USES

__all__ = [
    "Unfit", "level", "lists", "mailboxes", "most", "prefix", "seconds", "switch", "text", "texts",
    "uri", "url", "urls", "whole", "workers",
]  # fmt: skip


class Unfit(ValueError):
    """A value does not fit its key; the text says what would."""


#: More processes than cores are of no use, and each takes its memory.
_WORKERS: Final = 512


def text(value: Any) -> str:
    """A text."""
    if isinstance(value, str):
        return value
    raise Unfit("a text in quotes")


def texts(value: Any) -> tuple[str, ...]:
    """Several texts."""
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise Unfit("a list of texts, in brackets")


def switch(value: Any) -> bool:
    """On or off."""
    if isinstance(value, bool):
        return value
    raise Unfit("true or false")


def whole(value: Any) -> int:
    """A number of something of which there must be some."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise Unfit("a whole number above 0")


def workers(value: Any) -> int:
    """A number of processes on one machine."""
    if whole(value) <= _WORKERS:
        return int(value)
    raise Unfit(f"a whole number from 1 to {_WORKERS}")


_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def uri(value: Any) -> str:
    """A URI, or nothing."""
    if value == "" or (isinstance(value, str) and _URI.fullmatch(value)):
        return str(value)
    raise Unfit("a URI")


def most(value: Any) -> int:
    """A bound; 0 is none."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    raise Unfit("a whole number, or 0 for no limit")


def seconds(value: Any) -> float:
    """A length of time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    raise Unfit("a number of seconds")


_LEVELS: Final = ("debug", "info", "warn", "error", "critical")


def level(value: Any) -> str:
    """A level of the log."""
    if value in _LEVELS:
        return str(value)
    raise Unfit(f"one of {', '.join(_LEVELS)}")


def mailboxes(value: Any) -> Mapping[str, str]:
    """Names of mailboxes, and their uses (RFC 6154) in the case that the RFC has."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise Unfit("a table of names and uses, in braces")
    uses = {use.lower(): use for use in ("", *SPECIAL_USES)}
    if any(not name or use.lower() not in uses for name, use in value.items()):
        raise Unfit(f"a table whose uses are '' or of {', '.join(SPECIAL_USES)}")
    return {name: uses[use.lower()] for name, use in value.items()}


#: RFC 5466, 4: filter-name.
_FILTER: Final = re.compile(r'[^\x00-\x20\x7f-\uffff(){%*"\\\]/]+')


def filters(value: Any) -> Mapping[str, str]:
    """Searches by name; what they say is looked at when it is known what can be searched for."""
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise Unfit("a table of names and searches, in braces")
    if not all(map(_FILTER.fullmatch, value)):
        raise Unfit("a table whose names are atoms without a slash")
    return dict(value)


#: RFC 5092, with a user, lest a client come as "anonymous" (RFC 2193, 3).
_IMAP_URL: Final = re.compile(r"(?i:imap)://[^][/@\\\s]+@[^][/@\\\s]+/[^][\\\s]*")


def _is_imap_url(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and _IMAP_URL.fullmatch(value) is not None
    )


def urls(value: Any) -> Mapping[str, tuple[str, ...]]:
    """IMAP URLs by name; one may stand without brackets."""
    wanted = 'a table of names and IMAP URLs, such as "imap://%u;AUTH=*@host.example/"'
    if not isinstance(value, Mapping):
        raise Unfit(wanted)
    table = {
        name: (each,) if isinstance(each, str) else tuple(each) if isinstance(each, list) else ()
        for name, each in value.items()
    }
    for each in table.values():
        if not each or not all(map(_is_imap_url, each)):
            raise Unfit(wanted)
    return table


def url(value: Any) -> Mapping[str, str]:
    """One IMAP URL by name."""
    table = urls(value)
    if any(len(each) > 1 for each in table.values()):
        raise Unfit("a table with one IMAP URL for each user")
    return {name: each[0] for name, each in table.items()}


def prefix(value: Any) -> str:
    """A name to show others below, or nothing."""
    levels = value.split(DELIMITER) if isinstance(value, str) else [""]
    if value == "" or (all(levels) and levels[0].upper() != INBOX and not set(value) & set("*%")):
        return str(value)
    raise Unfit("a name without * and %, not below INBOX, or '' for none")


def lists(value: Any) -> Mapping[str, tuple[str, ...]]:
    """Several texts by name."""
    if not isinstance(value, Mapping):
        raise Unfit("a table of names and lists, in braces")
    return {name: texts(each) for name, each in value.items()}
