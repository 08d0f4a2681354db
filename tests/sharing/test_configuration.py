"""The table ``[sharing]`` of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd.config import BadConfig, configured
from imapd.preparing import prepare
from imapd.sharing import Sharing

_BASE = """
store = "memory:"
auth = ["static:secret"]
[listen]
imap = ["tcp:143:interface=127.0.0.1"]
[sharing]
"""


def _prepared(folder: Path, text: str) -> Sharing | None:
    file = folder / "imapd.toml"
    file.write_text(_BASE + text, "utf-8")
    prepared = prepare(configured(file), MemoryReactorClock())
    realm: Any = prepared.factory.policy.portal.realm
    sharing: Sharing | None = realm._sharing
    return sharing


def test_off(tmp_path: Path) -> None:
    """Without an account for it, nothing is shared, whatever else is said."""
    assert _prepared(tmp_path, 'groups = { team = ["bob"] }') is None


def test_defaults(tmp_path: Path) -> None:
    """The account is enough; the namespaces have their usual names."""
    sharing = _prepared(tmp_path, 'account = "public"')
    assert sharing is not None
    assert (sharing.account, sharing.others, sharing.public) == (
        "public",
        "Other Users/",
        "Shared/",
    )
    assert sharing.owners("public") == ()


def test_everything(tmp_path: Path) -> None:
    """Names, administrators and groups are those of the file; an empty name is no namespace."""
    sharing = _prepared(
        tmp_path,
        'account = "all"\nothers = ""\npublic = "Team/\u00c4mter"\nadministrators = ["alice"]\n'
        'groups = { team = ["alice", "bob"], "the rest" = [] }',
    )
    assert sharing is not None
    assert (sharing.others, sharing.public) == ("", "Team/\u00c4mter/")
    assert sharing.owners("all") == ("alice",)
    assert sharing.identifiers("bob") == {"anyone", "bob", "$team"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'others = "a*"',
            "sharing.others: \"a*\" is not a name without * and %, not below INBOX, or '' for none;"
            ' write others = "Other Users"',
        ),
        (
            'public = "inbox/x"',
            "sharing.public: \"inbox/x\" is not a name without * and %, not below INBOX, or '' for"
            ' none; write public = "Shared"',
        ),
        (
            'public = "Shared/"',
            "sharing.public: \"Shared/\" is not a name without * and %, not below INBOX, or '' for"
            ' none; write public = "Shared"',
        ),
        (
            "public = 5",
            "sharing.public: 5 is not a name without * and %, not below INBOX, or '' for none;"
            ' write public = "Shared"',
        ),
        (
            'groups = ["team"]',
            'sharing.groups: ["team"] is not a table of names and lists, in braces;'
            ' write groups = { team = ["alice", "bob"] }',
        ),
        (
            'groups = { team = "bob" }',
            'sharing.groups: { team = "bob" } is not a list of texts, in brackets;'
            ' write groups = { team = ["alice", "bob"] }',
        ),
        (
            'account = "public"\npublic = "Other Users/public"',
            "sharing.public: 'Other Users/public' and 'Other Users' are one below the other;"
            " write public = 'Shared' and others = 'Other Users'",
        ),
        (
            'account = "public"\npublic = "A"\nothers = "A"',
            "sharing.public: 'A' and 'A' are one below the other;"
            " write public = 'Shared' and others = 'Other Users'",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, says: str) -> None:
    """What cannot be is said with file, key and remedy."""
    with pytest.raises(BadConfig) as caught:
        _prepared(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/imapd.toml: {says}"


def test_names_beside_each_other(tmp_path: Path) -> None:
    """Namespaces whose names only begin alike are two."""
    sharing = _prepared(tmp_path, 'account = "x"\npublic = "Share"\nothers = "Shared"')
    assert sharing is not None
    assert evolve(sharing, public="").others == "Shared/"
