"""The table of keys, the sample file, and what is said of a wrong one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

import imapd
from imapd.config import KEYS, BadConfig, Config, configured, sample, stated
from imapd.model.limits import Limits

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SAMPLE = Path(imapd.__file__).parent.parent / "etc" / "imapd.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its configuration."""
    return tmp_path / "imapd.toml"


def _error(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(BadConfig) as caught:
        configured(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    return message[len(f"{file}: ") :]


def test_sample_file() -> None:
    """The file in etc/ is the table: every key, its default, its sentence."""
    assert SAMPLE.read_text() == sample()


def test_sample_says_the_defaults(file: Path) -> None:
    """Switching every key of the sample on changes nothing."""
    file.write_text(re.sub(r"^#(?=\w+ = )", "", sample(), flags=re.MULTILINE))
    flat = tomllib.loads(file.read_text())
    names = {
        f"{outer}.{inner}" if isinstance(value, dict) else outer
        for outer, value in flat.items()
        for inner in (value if isinstance(value, dict) else [""])
    }
    assert names == set(KEYS)
    assert configured(file) == Config()


def test_sentences() -> None:
    """Each key is explained in one sentence of at most two lines."""
    for key in KEYS.values():
        assert key.sentence.endswith("."), key.name
        assert len(key.sentence) < 160, key.name


def test_every_limit() -> None:
    """Every bound of the server can be set, with the type it has there."""
    assert {key.short: type(key.default) for key in KEYS.values() if key.table == "limits"} == {
        each.name: type(each.default) for each in attrs.fields(Limits)
    }


def test_defaults() -> None:
    """Without a file and options there are the defaults."""
    assert configured(None) == Config()


def test_file(file: Path) -> None:
    """What the file says arrives, with its type."""
    file.write_text(
        'store = "memory:"\n'
        'auth = ["static:x"]\n'
        "[listen]\n"
        'imap = ["tcp:143", "unix:/run/imap"]\n'
        "[login]\n"
        "plaintext = true\n"
        "remember = 5\n"
        "[accounts]\n"
        "mailboxes = { Sent = '\\SENT', Notes = '' }\n"
        "[limits]\n"
        "line = 9000\n"
    )
    config = configured(file)
    assert config == Config(
        store="memory:",
        auth=("static:x",),
        imap=("tcp:143", "unix:/run/imap"),
        plaintext_login=True,
        remember=5.0,
        mailboxes={"Sent": "\\Sent", "Notes": ""},
        limits=Limits(line=9000),
    )


def test_options_win(file: Path) -> None:
    """What the command line says takes the place of what the file says."""
    file.write_text('store = "memory:"\n[listen]\nimap = ["tcp:143"]\n')
    config = configured(file, {"listen.imap": ["tcp:1143"], "auth": ["static:x"]})
    assert (config.store, config.imap, config.auth) == ("memory:", ("tcp:1143",), ("static:x",))
    assert str(config.error("listen.imap", "taken")) == "--imap: taken"
    assert str(config.error("store", "full")) == f"{file}: store: full"
    assert str(config.error("tls.key", "missing")) == f"{file}: tls.key: missing"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stor = 'memory:'", "stor: there is no such key; did you mean store, above all tables?"),
        (
            "[listen]\nimap4 = ['tcp:143']",
            "listen.imap4: there is no such key; did you mean imap in [listen]?",
        ),
        (
            "imap = ['tcp:143']",
            "imap: there is no such key; did you mean imap in [listen]?",
        ),
        (
            "[limit]\nline = 5",
            "limit: there is no such table; did you mean [limits]?",
        ),
        (
            "zzz = 1",
            "zzz: there is no such key; `imapd sample-config` shows all there are",
        ),
        ("limits = 5", "limits: is a table; write [limits] on a line of its own"),
        (
            "[limits]\nline = 'big'",
            'limits.line: "big" is not a whole number above 0; write line = 65536',
        ),
        ("[limits]\nline = 0", "limits.line: 0 is not a whole number above 0; write line = 65536"),
        (
            "[limits]\nline = true",
            "limits.line: true is not a whole number above 0; write line = 65536",
        ),
        (
            "[limits]\nlogin_timeout = -1",
            "limits.login_timeout: -1 is not a number of seconds; write login_timeout = 60.0",
        ),
        ("store = 5", 'store: 5 is not a text in quotes; write store = "maildir:/var/mail/%u"'),
        (
            "[listen]\nimap = 'tcp:143'",
            'listen.imap: "tcp:143" is not a list of texts, in brackets; write imap = ["tcp:143"]',
        ),
        (
            "[login]\nplaintext = 'yes'",
            'login.plaintext: "yes" is not true or false; write plaintext = false',
        ),
        (
            "[log]\nlevel = 'loud'",
            'log.level: "loud" is not one of debug, info, warn, error, critical;'
            ' write level = "info"',
        ),
        (
            "[capabilities]\ndisabled_on = { 'tcp:1143' = 'MOVE' }",
            'capabilities.disabled_on: { "tcp:1143" = "MOVE" } is not a list of texts, in brackets;'
            ' write disabled_on = { "tcp:1143" = ["COMPRESS=DEFLATE"] }',
        ),
        (
            "[accounts]\nmailboxes = { Sent = '\\Sended' }",
            "accounts.mailboxes: { Sent = '\\Sended' } is not a table whose uses are '' or of"
            " \\All, \\Archive, \\Drafts, \\Flagged, \\Important, \\Junk, \\Memos, \\Scheduled, \\Sent,"
            " \\Snoozed, \\Trash;"
            " write mailboxes = { Sent = '\\Sent' }",
        ),
    ],
)
def test_errors(file: Path, text: str, says: str) -> None:
    """Each error names the file, the key, and what to write instead."""
    assert _error(file, text) == says


def test_not_toml(file: Path) -> None:
    """A file that cannot be read as TOML is refused with the place."""
    message = _error(file, "store = memory:\n")
    assert message.startswith("is not TOML: ")
    assert "line 1" in message


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is refused with what makes one."""
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path / "none.toml")
    assert str(caught.value) == (
        f"{tmp_path}/none.toml: there is no such file;"
        " `imapd sample-config` writes one to begin with"
    )


@pytest.mark.parametrize("value", ["a", 'a"b', "a\\b", "a'b\\c", "Entwürfe", True, 5, 2.5, ["a"]])
def test_written(value: Any) -> None:
    """What an error suggests to write is read as it was meant."""
    key = KEYS["store"]
    assert tomllib.loads(key.written(value)) == {"store": value}


def test_written_table() -> None:
    """A table with names that need quotes is written so."""
    value = {"Sent Items": "\\Sent", "Notes": ""}
    assert tomllib.loads(KEYS["accounts.mailboxes"].written(value)) == {"mailboxes": value}


def test_stated(file: Path) -> None:
    """What a configuration states, written and read as JSON, makes the same one."""
    file.write_text(
        'store = "maildir:/var/mail/%u"\nworkers = 3\n[listen]\nimap = ["tcp:143"]\n'
        "[limits]\nline = 9000\nidle_timeout = 1900.5\n[sharing]\ngroups = { team = ['a', 'b'] }\n"
        "[referrals]\nusers = { tim = 'imap://tim;AUTH=*@two.example.org/' }\n"
        "mailboxes = { News = ['imap://tim@two.example.org/News'] }\n"
    )
    config = configured(file)
    assert config != Config()
    assert configured(None, json.loads(json.dumps(stated(config)))) == config
    assert configured(None, json.loads(json.dumps(stated(Config())))) == Config()
