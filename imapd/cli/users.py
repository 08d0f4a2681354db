"""`imapd user`: keeping the password file."""

from __future__ import annotations

import getopt
import secrets
import string
import sys
from getpass import getpass
from pathlib import Path
from typing import Any, Final

from twisted.python.usage import Options, UsageError

from imapd.auth.passwdfile import BadPasswordFile, PasswordFile, hashed, normal
from imapd.config import BadConfig, configured

__all__ = ["UserOptions", "generated", "keep_users"]

_ALPHABET: Final = string.ascii_letters + string.digits


def generated(length: int = 20) -> str:
    """A password that nobody guesses (119 bits), and that any client takes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class _FileOptions(Options):
    """Which password file; said before the command or behind it."""

    optParameters = [
        ["file", "f", None, "The password file."],
        ["config", "c", None, "The server's configuration, which names the password file."],
    ]

    def parseOptions(self, options: Any = None) -> None:
        """Options may stand behind the name too."""
        try:
            said, names = getopt.gnu_getopt(options, self.shortOpt, self.longOpt)
        except getopt.error as error:
            raise UsageError(str(error)) from error
        words = [word for option in said for word in option if word]
        super().parseOptions([*words, "--", *names])  # type: ignore[no-untyped-call]


class _Name(_FileOptions):
    """Options of a command about one user."""

    synopsis = "[options] NAME"

    def parseArgs(self, name: str) -> None:  # type: ignore[override]  # as Twisted means it
        """The user's name."""
        self["name"] = name


class _Password(_Name):
    """Options of a command that sets a password."""

    synopsis = "[options] NAME"
    optFlags = [
        ["password-stdin", None, "Read the password from standard input, one line."],
        ["generate", None, "Make a password up, and print it."],
    ]


class _List(_FileOptions):
    """Options of the list, of which there are none."""

    synopsis = "[options]"


class UserOptions(Options):
    """Which file, and what to do with it."""

    synopsis = ""
    optParameters = _FileOptions.optParameters
    subCommands = [
        ["add", None, _Password, "A new user."],
        ["passwd", None, _Password, "A new password for a user."],
        ["remove", None, _Name, "A user can no longer log in; the mail stays."],
        ["list", None, _List, "Every user, one a line."],
    ]

    def postOptions(self) -> None:
        """Something has to be done."""
        if self.subCommand is None:
            raise UsageError("say add, passwd, remove or list")


def _password(options: Any) -> str:
    """The new password, in the way that the options ask for."""
    if options["generate"] and options["password-stdin"]:
        raise UsageError("--generate and --password-stdin do not go together")
    if options["generate"]:
        return generated()
    if options["password-stdin"]:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass("Password: ")
        if password != getpass("Again: "):
            raise UsageError("the two are not the same; nothing was changed")
    if not password:
        raise UsageError("the password is empty; nothing was changed")
    return password


def keep_users(options: UserOptions) -> None:
    """Do it.  Raises UsageError with what to do instead."""
    file = _file(options)
    sub: Any = options.subOptions
    try:
        if options.subCommand == "list":
            _list(file)
        elif options.subCommand == "remove":
            file.remove(sub["name"])
        else:
            _set(file, options.subCommand == "add", sub)
    except KeyError:
        raise UsageError(_who(options.subCommand, sub["name"])) from None
    except OSError as error:
        raise UsageError(f"{file.path}: {error.strerror}") from error
    except (BadPasswordFile, ValueError) as error:
        raise UsageError(str(error)) from error


def _set(file: PasswordFile, new: bool, options: Any) -> None:
    name = options["name"]
    known = normal(name) in (file.users() if file.path.exists() else {})
    if known == new:
        raise KeyError(name)
    password = _password(options)
    file.set(name, hashed(password), new=new)
    if options["generate"]:
        print(password)


def _who(command: str | None, name: str) -> str:
    if command == "add":
        return f"there is a user {name!r} already; `imapd user passwd` sets a new password"
    return f"there is no user {name!r}; `imapd user list` shows all there are"


def _list(file: PasswordFile) -> None:
    try:
        users = file.users()
    except FileNotFoundError:
        users = {}
    for user in sorted(users):
        print(user)


def _file(options: UserOptions) -> PasswordFile:
    sub: Any = options.subOptions
    file, config = (sub[name] or options[name] for name in ("file", "config"))
    if file:
        return PasswordFile(Path(file))
    if not config:
        raise UsageError("say which password file: --file FILE, or --config FILE that names it")
    try:
        auth = configured(Path(config)).auth
    except BadConfig as error:
        raise UsageError(str(error)) from error
    files = [each.partition(":")[2] for each in auth if each.startswith("passwords:")]
    if len(files) != 1:
        raise UsageError(
            f"{config}: auth: names {len(files) or 'no'} password files; say which with --file FILE"
        )
    return PasswordFile(Path(files[0]))
