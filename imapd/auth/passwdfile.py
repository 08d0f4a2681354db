"""The password file: one user a line, ``name:hash``, as in Dovecot's passwd-file.

What follows a second colon is kept and not looked at, as are comments (``#``) and
blank lines.  The hash is Argon2 (RFC 9106), with or without Dovecot's ``{ARGON2ID}``
before it.  Names and passwords are compared in Unicode's NFC (RFC 8265, 3.3 and 4.2).
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unicodedata import category, normalize

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHash
from attrs import field, frozen

__all__ = ["BadPasswordFile", "PasswordFile", "hashed", "normal"]

#: Octets of a name or a password.  Normalising takes time with the square of the marks on one
#: letter, and anybody can send some.
_LONGEST: Final = 1_024
_PREFIX: Final = re.compile(r"\{ARGON2(?:I|ID)?\}", re.IGNORECASE)


class BadPasswordFile(ValueError):
    """The file is not one; the text names file, line and remedy."""


def normal(text: bytes | str) -> str:
    """A name or password as it is compared.  ValueError if it is not UTF-8, or too long to be one."""
    if len(text) > _LONGEST:
        raise ValueError("is too long")
    return normalize("NFC", text.decode("utf-8") if isinstance(text, bytes) else text)


def hashed(password: str, hasher: PasswordHasher | None = None) -> str:
    """What to write in the file for a password."""
    return "{ARGON2ID}" + (hasher or PasswordHasher()).hash(normal(password))


@frozen
class _Line:
    """One line of the file; one without a user is kept as it is."""

    text: str
    user: str | None = None
    hash: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> _Line:
        """Raises ValueError with what is wrong and what to do."""
        if not text.strip() or text.lstrip().startswith("#"):
            return cls(text)
        user, colon, rest = text.partition(":")
        if not colon or not user:
            raise ValueError("is not name:hash; `imapd user add NAME` writes such lines")
        hash_ = _PREFIX.sub("", rest.partition(":")[0].strip(), count=1)
        try:
            extract_parameters(hash_)
        except InvalidHash:
            raise ValueError(
                f"has a hash for {user!r} that is not Argon2;"
                f" `imapd user passwd {user}` sets a new password"
            ) from None
        return cls(text, normal(user), hash_)


@frozen
class PasswordFile:
    """The file itself: read whole, changed in one step."""

    path: Path = field(converter=Path)

    def users(self) -> Mapping[str, str]:
        """Hashes by name.  Raises `BadPasswordFile` at the first line that is none, and OSError."""
        return {line.user: line.hash for line in self._lines() if line.user is not None}

    def set(self, user: str, hash_: str, *, new: bool | None = None) -> None:
        """Give a user a hash.  With `new`, KeyError unless the user is (or is not) there."""
        user = _user_name(user)
        with self._changing() as lines:
            found = [at for at, line in enumerate(lines) if line.user == user]
            if new is not None and new == bool(found):
                raise KeyError(user)
            if found:
                old = lines[found[-1]].text.split(":", 2)
                lines[found[-1]] = _Line.read(":".join([user, hash_, *old[2:]]))
            else:
                lines.append(_Line.read(f"{user}:{hash_}"))

    def remove(self, user: str) -> None:
        """Take a user out.  KeyError if there is none."""
        user = normal(user)
        with self._changing() as lines:
            kept = [line for line in lines if line.user != user]
            if len(kept) == len(lines):
                raise KeyError(user)
            lines[:] = kept

    def revision(self) -> Hashable:
        """Differs when the file has been changed; None when there is no file."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _lines(self, *, bad: Callable[[str], None] | None = None) -> list[_Line]:
        """Every line; what is wrong with one is told to `bad`, or raised."""
        try:
            text = self.path.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise BadPasswordFile(f"{self.path}: is not UTF-8; write it anew") from error
        lines = []
        for number, each in enumerate(text.splitlines(), 1):
            try:
                lines.append(_Line.read(each))
            except ValueError as error:
                problem = f"{self.path}: line {number} {error}"
                if bad is None:
                    raise BadPasswordFile(problem) from error
                bad(problem)
        return lines

    def forgiving(self, bad: Callable[[str], None]) -> Mapping[str, str]:
        """Hashes by name; a line that is none is reported, and lets nobody in."""
        return {line.user: line.hash for line in self._lines(bad=bad) if line.user is not None}

    @contextmanager
    def _changing(self) -> Iterator[list[_Line]]:
        """The lines to change; written whole beside the file, then put in its place."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Who changes the file holds its folder, so that no lock file stays behind.
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            lines = self._lines() if self.path.exists() else []
            yield lines
            self._write("".join(f"{line.text}\n" for line in lines))
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, text: str) -> None:
        handle, beside = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                self._keep_owner(file.fileno())
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        except BaseException:
            os.unlink(beside)
            raise

    def _keep_owner(self, descriptor: int) -> None:
        """Mode 0600; a file that the service's group could read stays that group's."""
        try:
            old = os.stat(self.path)
        except FileNotFoundError:
            return
        mine = os.fstat(descriptor)
        if (old.st_uid, old.st_gid) != (mine.st_uid, mine.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, 0o600 | (old.st_mode & 0o040))


def _user_name(user: str) -> str:
    """A name that can stand in the file."""
    user = normal(user)
    if not user or user != user.strip() or user.startswith("#"):
        raise ValueError("a user name is not empty, and starts with neither a blank nor '#'")
    if ":" in user or any(category(each) == "Cc" for each in user):
        raise ValueError("a user name contains no colon and no control character")
    return user
