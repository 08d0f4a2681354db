"""`imapd index`, as it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.maildir.place import Place

_IMAPD = [sys.executable, "-c", "from imapd.cli import main; main()"]


def _index(*arguments: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [*_IMAPD, "index", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A configuration that names a store; alice has three messages there, two in INBOX."""
    place = Place(tmp_path / "mail").start()
    place.add(place.box(), "one", "two")
    place.add(place.make("Sent"), "three")
    place.stop()
    config = tmp_path / "imapd.toml"
    config.write_text(f'store = "maildir:{tmp_path}/mail/%u"\n')
    return config


def test_status_build_and_rebuild(mail: Path) -> None:
    """How far it is can be seen, before and after it was made, and made again."""
    code, told, _ = _index("--config", mail, "status", "alice")
    assert (code, told.splitlines()[:2]) == (
        0,
        ["         0 of          2  INBOX", "         0 of          1  Sent"],
    )
    assert told.splitlines()[2].startswith("0 of 3 messages are indexed; ")
    for command in ("build", "build", "rebuild"):
        code, told, _ = _index("--config", mail, command, "alice")
        assert code == 0
        assert told.splitlines()[-1].startswith("3 of 3 messages are indexed; ")
    code, told, _ = _index("--store", f"maildir:{mail.parent}/mail/%u", "status", "alice")
    assert (code, told.splitlines()[:2]) == (
        0,
        ["         2 of          2  INBOX", "         1 of          1  Sent"],
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say status, build or rebuild"),
        (("status", "alice"), "say which store: --config FILE that names it, or --store"),
        (("--store", "floppy:a", "status", "alice"), "no store is called 'floppy'"),
        (("--store", "memory:", "status", "alice"), "there is no mail of a user 'alice'"),
        (("--store", "maildir:/nowhere/%u", "build", "bob"), "there is no mail of a user 'bob'"),
        (("--config", "/nowhere", "build", "bob"), "/nowhere: "),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], says: str) -> None:
    """Who asks for what cannot be is told so in one line, and nothing is made."""
    code, _, told = _index(*arguments)
    assert code == 1
    assert says in told
    assert "Traceback" not in told
    assert not Path("/nowhere").exists()


def test_a_configuration_without_a_store(tmp_path: Path) -> None:
    """A file that names none says so."""
    config = tmp_path / "imapd.toml"
    config.write_text("")
    code, _, told = _index("--config", config, "status", "alice")
    assert (code, "names no store" in told) == (1, True)
