"""`imapd` and its smaller commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from imapd.cli import main
from imapd.config import sample


def _imapd(*arguments: object) -> object:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    return caught.value.code


def test_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """The sample configuration can be had without the source tree."""
    assert _imapd("sample-config") == 0
    assert capsys.readouterr().out == sample()


def test_check_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that a server could start with is good."""
    config = tmp_path / "imapd.toml"
    config.write_text(
        'store = "memory:"\nauth = ["static:x"]\n[listen]\nimap = ["tcp:143:interface=127.0.0.1"]\n'
    )
    assert _imapd("check-config", config) == 0
    assert capsys.readouterr().out == "the configuration is good\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stor = 5", "stor: there is no such key; did you mean store, above all tables?"),
        ("", 'listen.imap: nowhere to listen; write imap = ["tcp:143"] or --imap tcp:143'),
        (
            "store = 'memory:'\nauth = ['static:x']\n[listen]\nimap = ['tcp:143']",
            "auth: static: is for this machine only, and tcp:143 is open to others;"
            " add :interface=127.0.0.1 to it, or use passwords:FILE",
        ),
    ],
)
def test_check_bad(
    tmp_path: Path, text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is said as the server would say it."""
    config = tmp_path / "imapd.toml"
    config.write_text(text)
    assert _imapd("check-config", config) == 1
    assert capsys.readouterr().err == f"imapd: {config}: {says}\n"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command is in the help, and has help of its own."""
    assert _imapd("--help") == 0
    text = capsys.readouterr().out
    for command in ("serve", "user", "index", "check-config", "sample-config", "demo"):
        assert f"\n    {command} " in text
        assert _imapd(command, "--help") == 0
        assert f"imapd {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["--dance"]])
def test_nothing_to_do(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command that there is, the help is shown."""
    assert _imapd(*arguments) == 1
    assert "check-config" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is that of the package."""
    assert _imapd("--version") == 0
    assert capsys.readouterr().out.startswith("imapd 0.")
