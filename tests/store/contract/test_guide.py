"""docs/stores.rst says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

import imapd
from imapd.store import access, arrivals, interfaces, statuses, whole
from imapd.store.contract import Pump, StoreContract
from imapd.store.contract.subject import Subject

GUIDE = (Path(imapd.__file__).parent.parent / "docs" / "stores.rst").read_text()
CODE = [dedent(block) for block in re.findall(r"::\n\n((?:    .*\n|\n)+)", GUIDE)]


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.strip().splitlines()[0])
def test_code_runs(code: str) -> None:
    """Every block of code can be run as it stands."""
    exec(compile(code, "docs/stores.rst", "exec"), {"pytest": pytest})


def test_there_is_code() -> None:
    """The blocks are found."""
    assert len(CODE) == 4


@pytest.mark.parametrize("name", sorted(set(re.findall(r"``(I[A-Z][a-z]\w+)``", GUIDE))))
def test_interfaces_exist(name: str) -> None:
    """Every interface spoken of is in the contract."""
    assert name in (
        *interfaces.__all__,
        *access.__all__,
        *statuses.__all__,
        *whole.__all__,
        *arrivals.__all__,
    )


def test_every_interface_is_told() -> None:
    """A store author hears of all there is to provide."""
    inner = {"ISpool"}
    told = {name for name in interfaces.__all__ if re.fullmatch(r"I[A-Z][a-z]\w+", name)} - inner
    assert {name for name in told if f"``{name}``" not in GUIDE} == set()


def test_every_hook_is_told() -> None:
    """What a subclass can give is in the table."""
    hooks = ("make_store", "reopen", "run", "settle", "user", "other_user", "many", "histories")
    for name in (*hooks, "history_length"):
        assert hasattr(StoreContract, name)
        assert re.search(rf"^``{name}|`` ``{name}``|``{name}\(", GUIDE, re.MULTILINE), name
    assert (Subject.many, Subject.histories, Subject.history_length) == (1100, 20, 20)
    assert all(hasattr(Pump, name) for name in ("callFromThread", "callLater", "seconds", "pause"))
