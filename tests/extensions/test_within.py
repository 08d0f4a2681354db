"""WITHIN as a client sees it (RFC 5032); the clock stands at 9-Sep-2001 01:46:40 UTC."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from tests.dialogue import Dialogue, Server, letter

_DATES = (
    " 9-Sep-2001 01:46:40 +0000",  # this moment
    " 9-Sep-2001 01:46:39 +0000",  # one second old
    " 8-Sep-2001 23:46:40 -0100",  # one hour old
    " 9-Sep-2001 14:46:40 +1400",  # the same moment, in another zone
    " 6-Sep-2001 01:46:40 +0000",  # three days old
    "10-Sep-2001 01:46:40 +0000",  # of tomorrow
    "17-Jul-1996 02:44:25 -0700",
)


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected messages of different ages."""
    client = anywhere.login()
    for date in _DATES:
        client.append(letter(), date=date)
    return client.select()


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "WITHIN" in server.connect().command("CAPABILITY")[0].split(" ")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("YOUNGER 1", "1 2 6"),
        ("OLDER 1", "2 3 4 5 7"),
        ("YOUNGER 3599", "1 2 6"),
        ("YOUNGER 3600", "1 2 3 4 6"),
        ("OLDER 3600", "3 4 5 7"),
        ("OLDER 3601", "5 7"),
        ("YOUNGER 259200", "1 2 3 4 5 6"),
        ("OLDER 259200", "5 7"),
        ("OLDER 259201", "7"),
        ("younger 4294967295", "1 2 3 4 5 6 7"),
        ("OLDER 4294967295", ""),
        ("OLDER 60 YOUNGER 86400", "3 4"),
        ("NOT OLDER 1", "1 6"),
        ("OR OLDER 300000 NOT YOUNGER 5", "3 4 5 7"),
        ("UNSEEN (YOUNGER 1 1:2)", "1 2"),
    ],
)
def test_search(alice: Dialogue, keys: str, found: str) -> None:
    """The age is to the second, whatever the zone, and a message of that age is both (2)."""
    assert alice.command(f"SEARCH {keys}")[0] == f"* SEARCH {found}".rstrip()


def test_the_clock_goes_on(alice: Dialogue) -> None:
    """The moment is that of the search."""
    assert alice.command("SEARCH YOUNGER 60")[0] == "* SEARCH 1 2 6"
    session = alice.protocol.session
    later = session.policy.now() + timedelta(seconds=60)
    session.policy = evolve(session.policy, now=lambda: later)
    assert alice.command("SEARCH YOUNGER 60")[0] == "* SEARCH 1 6"


@pytest.mark.parametrize(
    "keys",
    ["OLDER", "YOUNGER 0", "OLDER -1", "YOUNGER 4294967296", "OLDER x", "YOUNGER 1.5", "OLDER 1-Jan-2001"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, keys: str) -> None:
    """An interval is a number of 32 bits above 0 (3)."""
    assert alice.do(f"SEARCH {keys}").startswith(b"a BAD ")
