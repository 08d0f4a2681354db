"""Features join into one dialect: what is advertised and what runs are the same thing."""

from __future__ import annotations

import re

import pytest
from attrs import fields

from imapd import commands, extensions
from imapd.commands.any_state import nothing
from imapd.dialect import Capability, Command, Dialect, Enable, Feature, FetchItem, Upload
from imapd.model.states import ANY, LOGGED_IN
from tests.dialogue import Server, same

_ALL = [*commands.FEATURES, *extensions.FEATURES]


async def _run(session: object, incoming: object) -> None:
    """Do nothing."""


_COMMAND = Feature("one", 1, commands=(Command("XYZZY", ANY, nothing, lambda s, a: None),))
_UPLOAD = Feature("two", 2, uploads=(Upload("XYZZY", LOGGED_IN, re.compile(b""), _run),))
_ITEM = Feature("three", 3, fetch_items=(FetchItem("FLAGS", nothing),))
_ENABLE = Feature("four", 4, enables=(Enable("IMAP4rev2"),))


@pytest.mark.parametrize(
    ("features", "name"),
    [([_COMMAND, _COMMAND], "XYZZY"), ([_COMMAND, _UPLOAD], "XYZZY"), ([*_ALL, _ITEM], "FLAGS"),
     ([*_ALL, _ENABLE], "IMAP4rev2")],
)  # fmt: skip
def test_one_name_one_feature(features: list[Feature], name: str) -> None:
    """Two features that define one name are refused at start."""
    with pytest.raises(ValueError, match=f"two features define {name}"):
        Dialect.of(features)


def test_a_feature_of_ones_own() -> None:
    """One value is all it takes to add a command and advertise it."""

    def frobnicate(session: object, _: None) -> None:
        session.write(b"* XYZZY nothing happens\r\n")  # type: ignore[attr-defined]

    feature = Feature(
        "XYZZY",
        0,
        capabilities=(Capability("XYZZY"),),
        commands=(Command("XYZZY", ANY, nothing, frobnicate),),
    )
    client = Server(dialect=Dialect.of([*_ALL, feature])).connect()
    assert b" XYZZY" in client.greeting
    same(client.do("xyzzy"), "* XYZZY nothing happens", "a OK XYZZY completed")


def test_less_is_possible() -> None:
    """What is not in the dialect is neither advertised nor there."""
    features = [feature for feature in _ALL if feature.name not in ("MOVE", "IDLE")]
    client = Server(dialect=Dialect.of(features)).client(select="INBOX")
    capabilities = client.do("CAPABILITY").split()
    assert b"MOVE" not in capabilities
    assert b"IDLE" not in capabilities
    same(client.do("MOVE 1 INBOX"), "a BAD There is no such command")
    same(client.do("IDLE"), "a BAD There is no such command")


def test_names_are_upper_case() -> None:
    """Commands are found by the name that the framer makes of what the client sends."""
    dialect = Dialect.of(_ALL)
    for table in (dialect.commands, dialect.uploads, dialect.fetch_items, dialect.search_keys):
        for name in table:
            assert re.fullmatch(rb"(?:UID )?[A-Z0-9.\-]+", name), name


def test_capabilities_are_said_once() -> None:
    """No capability is advertised twice, before log-in or after."""
    client = Server().connect()
    for capabilities in (client.do("CAPABILITY"), client.log_in().do("CAPABILITY")):
        names = capabilities.split(b"\r\n")[0].split()[2:]
        assert len(names) == len(set(names))
        assert names[:2] == [b"IMAP4rev1", b"IMAP4rev2"]


def test_every_feature_says_what_it_is() -> None:
    """Each has a name, an RFC and a sentence, for the table in the README."""
    for feature in _ALL:
        assert feature.name
        assert feature.rfc >= 1730
        assert feature.summary
    assert {"name", "rfc", "summary"} <= {field.name for field in fields(Feature)}
