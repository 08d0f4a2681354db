"""Where an account is: a template with the user's name in it.

``%u`` is the whole name, ``%n`` what stands before the last "@", ``%d`` what follows it,
``%%`` a percent sign.  A name that could reach anything but its own directory is refused.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Final

from attrs import frozen

from imapd.store.errors import BadMailboxName
from imapd.store.maker import UnknownStore

__all__ = ["Template", "folded"]

_VARIABLE: Final = re.compile(r"%(.?)")
#: Octets of one directory's name: where file systems end.
_LONGEST: Final = 255
_HINT: Final = "write for example maildir:/var/mail/%u"


def folded(text: str) -> str:
    """What file systems that do not tell case or forms of Unicode apart would make of it."""
    return unicodedata.normalize("NFKC", text).casefold()


@frozen
class Template:
    """A directory for every user."""

    pattern: str

    @classmethod
    def parse(cls, argument: str) -> Template:
        """Raises `UnknownStore` unless different users get different directories."""
        variables = set(_VARIABLE.findall(argument))
        if not argument or not variables <= {"u", "n", "d", "%"}:
            raise UnknownStore(f"only %u, %n, %d and %% may follow a percent sign; {_HINT}")
        if not variables & {"u", "n"}:
            raise UnknownStore(f"{argument!r} would be one directory for all users; {_HINT}")
        if "\0" in argument:
            raise UnknownStore(f"a directory cannot have NUL in its name; {_HINT}")
        return cls(os.path.abspath(argument))

    def place(self, user: str) -> str:
        """The directory of a user.  Raises `BadMailboxName` for a name that cannot have one."""
        local, at, domain = user.rpartition("@")
        if not at:
            local, domain = user, ""
        values = {"u": user, "n": local, "d": domain, "%": "%"}
        used = set(_VARIABLE.findall(self.pattern)) - {"%"}
        for variable in used | {"u"}:
            _check(values[variable])
        path = _VARIABLE.sub(lambda match: values[match[1]], self.pattern)
        if any(len(os.fsencode(part)) > _LONGEST for part in path.split("/")):
            raise BadMailboxName("the user name is too long")
        return path


def _check(value: str) -> None:
    if not value:
        raise BadMailboxName("the user name, or a part of it, is empty")
    if len(value) > _LONGEST:
        raise BadMailboxName("the user name is too long")
    if value.startswith(".") or "/" in value or os.sep in value:
        raise BadMailboxName("the user name cannot name a directory")
    if any(unicodedata.category(character)[0] in "CZ" for character in value.replace(" ", "x")):
        raise BadMailboxName("the user name has control characters")
    if value != value.strip() or unicodedata.normalize("NFKC", value) != value:
        raise BadMailboxName("the user name looks like another one")
