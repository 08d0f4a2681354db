"""`imapd user`: who is in the password file."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from imapd.auth.passwdfile import PasswordFile
from imapd.cli import main, users
from imapd.cli.users import generated


@pytest.fixture
def file(tmp_path: Path) -> PasswordFile:
    """A password file that is not there yet."""
    return PasswordFile(tmp_path / "passwords")


def _imapd(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    code = caught.value.code
    assert isinstance(code, int)
    return code


def _knows(file: PasswordFile, user: str, password: str) -> bool:
    return PasswordHasher().verify(file.users()[user], password)


def _say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_life_of_a_user(
    file: PasswordFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user is added, gets a new password, is listed, and is removed."""
    _say(monkeypatch, "first secret \n")
    assert _imapd("user", "--file", file.path, "add", "tim", "--password-stdin") == 0
    assert _knows(file, "tim", "first secret ")
    assert os.stat(file.path).st_mode & 0o777 == 0o600
    _say(monkeypatch, "second\r\n")
    assert _imapd("user", "passwd", "tim", "--password-stdin", "--file", file.path) == 0
    assert _knows(file, "tim", "second")
    assert _imapd("user", "list", "--file", file.path) == 0
    assert capsys.readouterr().out == "tim\n"
    assert _imapd("user", "remove", "tim", "--file", file.path) == 0
    assert file.users() == {}


def test_generated(file: PasswordFile, capsys: pytest.CaptureFixture[str]) -> None:
    """A made-up password is printed, and is the one that counts."""
    assert _imapd("user", "add", "tim", "--generate", "--file", file.path) == 0
    password = capsys.readouterr().out.strip()
    assert len(password) == 20
    assert _knows(file, "tim", password)


def test_made_up() -> None:
    """No two made-up passwords are the same, and any client takes them."""
    assert len({generated() for _ in range(100)}) == 100
    assert all(generated().isalnum() for _ in range(100))


def test_asked(file: PasswordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an option the password is asked for, twice."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    monkeypatch.setattr(users, "getpass", answer)
    assert _imapd("user", "add", "tim", "--file", file.path) == 0
    assert asked == ["Password: ", "Again: "]
    assert _knows(file, "tim", "secret")


def test_mistyped(
    file: PasswordFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two different answers change nothing."""
    answers = iter(["secret", "secrte"])
    monkeypatch.setattr(users, "getpass", lambda prompt: next(answers))
    assert _imapd("user", "add", "tim", "--file", file.path) == 1
    assert capsys.readouterr().err == "imapd: the two are not the same; nothing was changed\n"
    assert not file.path.exists()


def test_file_of_the_configuration(file: PasswordFile, tmp_path: Path) -> None:
    """The server's configuration says which file."""
    (tmp_path / "imapd.toml").write_text(f'auth = ["passwords:{file.path}"]\n')
    assert _imapd("user", "--config", tmp_path / "imapd.toml", "add", "tim", "--generate") == 0
    assert list(file.users()) == ["tim"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["add", "tim", "--generate"],
            "there is a user 'tim' already; `imapd user passwd` sets a new password",
        ),
        (
            ["passwd", "tom", "--generate"],
            "there is no user 'tom'; `imapd user list` shows all there are",
        ),
        (["remove", "tom"], "there is no user 'tom'; `imapd user list` shows all there are"),
        (["add", "a:b", "--generate"], "a user name contains no colon and no control character"),
        (
            ["add", "tom", "--generate", "--password-stdin"],
            "--generate and --password-stdin do not go together",
        ),
        (["add", "tom", "--password-stdin"], "the password is empty; nothing was changed"),
        (["add"], "Wrong number of arguments."),
        (["add", "tom", "--colour"], "option --colour not recognized"),
        (["drop", "tom"], "Unknown command: drop"),
        ([], "say add, passwd, remove or list"),
    ],
)
def test_errors(
    file: PasswordFile,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be done is said in one line, and changes nothing."""
    assert _imapd("user", "add", "tim", "--generate", "--file", file.path) == 0
    before = file.path.read_bytes()
    _say(monkeypatch, "\n")
    capsys.readouterr()
    assert _imapd("user", "--file", file.path, *arguments) == 1
    assert capsys.readouterr().err == f"imapd: {says}\n"
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    ("auth", "says"),
    [("'static:x'", "no"), ("'passwords:a', 'passwords:b'", "2")],
)
def test_which_file(
    tmp_path: Path, auth: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """When it is not clear which file is meant, that is said."""
    config = tmp_path / "imapd.toml"
    config.write_text(f"auth = [{auth}]\n")
    assert _imapd("user", "--config", config, "list") == 1
    assert capsys.readouterr().err == (
        f"imapd: {config}: auth: names {says} password files; say which with --file FILE\n"
    )
    assert _imapd("user", "list") == 1
    assert capsys.readouterr().err == (
        "imapd: say which password file: --file FILE, or --config FILE that names it\n"
    )
