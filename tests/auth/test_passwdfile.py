"""The password file on disk."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from imapd.auth.passwdfile import BadPasswordFile, PasswordFile, hashed, normal

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
TIM = hashed("secret", CHEAP)
URSEL = hashed("xipj3plmq", CHEAP)


@pytest.fixture
def file(tmp_path: Path) -> PasswordFile:
    """A file with a comment, a line as Dovecot has them, and a bare hash."""
    path = tmp_path / "passwords"
    path.write_text(f"# mine\n\ntim:{TIM}:1000:1000::/home/tim::\nursel:{URSEL[10:]}\n")
    return PasswordFile(path)


def test_users(file: PasswordFile) -> None:
    """Names and hashes are read, with and without Dovecot's prefix and further fields."""
    assert file.users() == {"tim": TIM[10:], "ursel": URSEL[10:]}


def test_add(file: PasswordFile) -> None:
    """A new user is a new line; the rest of the file is as before."""
    before = file.path.read_text()
    file.set("Jürgen", TIM, new=True)
    assert file.path.read_text() == before + f"Jürgen:{TIM}\n"


def test_change(file: PasswordFile) -> None:
    """A new hash leaves what else stands in the line."""
    file.set("tim", URSEL, new=False)
    assert file.path.read_text().splitlines() == [
        "# mine",
        "",
        f"tim:{URSEL}:1000:1000::/home/tim::",
        f"ursel:{URSEL[10:]}",
    ]


def test_remove(file: PasswordFile) -> None:
    """A user who is removed is gone, the others stay."""
    file.remove("tim")
    assert file.path.read_text() == f"# mine\n\nursel:{URSEL[10:]}\n"


def test_who_is_there(file: PasswordFile) -> None:
    """Adding a user who is there, or changing or removing one who is not, changes nothing."""
    before = file.path.read_text()
    with pytest.raises(KeyError):
        file.set("tim", URSEL, new=True)
    with pytest.raises(KeyError):
        file.set("nobody", URSEL, new=False)
    with pytest.raises(KeyError):
        file.remove("nobody")
    assert file.path.read_text() == before
    assert [each.name for each in file.path.parent.iterdir()] == ["passwords"]


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "#tim", " tim", "tim\t", "a\0b"])
def test_impossible_names(file: PasswordFile, name: str) -> None:
    """A name that would break the file is refused."""
    before = file.path.read_text()
    with pytest.raises(ValueError, match="a user name"):
        file.set(name, TIM)
    assert file.path.read_text() == before


def test_composed(file: PasswordFile) -> None:
    """A name is the same however its accents are composed (RFC 8265, 3.3)."""
    file.set("Ju\u0308rgen", TIM)
    assert "J\u00fcrgen" in file.users()


def test_mode(tmp_path: Path) -> None:
    """A new file is the owner's alone, in whatever folder it is made."""
    file = PasswordFile(tmp_path / "new" / "passwords")
    file.set("tim", TIM)
    assert os.stat(file.path).st_mode & 0o777 == 0o600


def test_mode_kept(file: PasswordFile) -> None:
    """What the service's group could read it still can; others never."""
    os.chmod(file.path, 0o644)
    file.set("tim", URSEL)
    assert os.stat(file.path).st_mode & 0o777 == 0o640


def test_revision(file: PasswordFile) -> None:
    """Any change shows, also one that keeps the size, and so does the file's end."""
    first = file.revision()
    assert file.revision() == first
    file.set("tim", URSEL)
    second = file.revision()
    assert second != first
    file.path.unlink()
    assert file.revision() is None


def test_at_once(tmp_path: Path) -> None:
    """Changes made at the same time all arrive."""
    file = PasswordFile(tmp_path / "passwords")
    names = [f"user{number}" for number in range(20)]
    threads = [threading.Thread(target=file.set, args=(name, TIM)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(file.users()) == sorted(names)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"tim", "line 1 is not name:hash; `imapd user add NAME` writes such lines"),
        (b"#\n:x", "line 2 is not name:hash; `imapd user add NAME` writes such lines"),
        (
            b"tim:{SHA512-CRYPT}$6$abc",
            "line 1 has a hash for 'tim' that is not Argon2;"
            " `imapd user passwd tim` sets a new password",
        ),
        (b"tim:\xff", "is not UTF-8; write it anew"),
    ],
)
def test_bad_file(tmp_path: Path, content: bytes, says: str) -> None:
    """What is wrong is said with file, line and remedy."""
    path = tmp_path / "passwords"
    path.write_bytes(content)
    with pytest.raises(BadPasswordFile) as caught:
        PasswordFile(path).users()
    assert str(caught.value) == f"{path}: {says}"


def test_forgiving(tmp_path: Path) -> None:
    """While the server runs a bad line keeps nobody out but its own user."""
    path = tmp_path / "passwords"
    path.write_text(f"broken\ntim:{TIM}\n")
    told: list[str] = []
    assert list(PasswordFile(path).forgiving(told.append)) == ["tim"]
    assert told == [f"{path}: line 1 is not name:hash; `imapd user add NAME` writes such lines"]


def test_a_name_without_end() -> None:
    """It is refused at once: putting it into its form could take for ever."""
    with pytest.raises(ValueError, match="too long"):
        normal("a" + "\u0301\u0316" * 2_000_000)
