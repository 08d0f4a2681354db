"""What the benchmarks make of two runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from benchmarks.comparing import compare, stored
from benchmarks.growth import drawn


def _run(pace, **rows):
    """As --json stores it."""
    return {
        "pace_ms": pace,
        "rows": [
            {"row": row, "rate": 1e6 / us, "us": us, "longest_turn_ms": 3.0}
            for row, us in rows.items()
        ],
    }


def test_two_runs():
    """What both have is shown with its ratio, what one has alone; and how fast the machine was."""
    then = _run(2.0, NOOP=20.0, OLD=5.0)
    now = _run(3.0, NOOP=30.0, NEW=7.5)
    assert [" ".join(line.split()) for line in compare(then, now)] == [
        "then now now/then",
        "the machine itself (ms) 2.00 3.00 1.50x",
        "NOOP (us) 20.00 30.00 1.50x",
        "NEW (us) 7.50",
        "OLD (us) 5.00",
    ]


def test_a_run_without_a_pace():
    """Runs that were stored before the machine was measured too are still to be compared."""
    then, now = _run(None, NOOP=0.0001), _run(3.0, NOOP=30.0)
    del then["pace_ms"]
    assert [line.split()[0] for line in compare(then, now)] == ["then", "NOOP"]


def test_a_stored_run(tmp_path):
    """It is read as it was written; what is something else is refused, and the file named."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps(_run(2.0, NOOP=20.0)))
    assert stored(path) == _run(2.0, NOOP=20.0)
    for text in ("", "[]", "{}", '{"rows": [{"us": 1}]}', '{"rows": [{"row": "x", "us": "y"}]}'):
        path.write_text(text)
        with pytest.raises(SystemExit, match=r"run\.json"):
            stored(path)
    with pytest.raises(SystemExit, match="absent"):
        stored(tmp_path / "absent")


def test_growth_is_drawn() -> None:
    """What costs the same in any mailbox is a level line; what costs more there ends above it."""
    picture = drawn({"flat": {10: 5.0, 100: 5.0}, "a list": {10: 5.0, 100: 500.0}})
    rising, level = (
        [float(point.split(",")[1]) for point in points.split()]
        for points in re.findall('polyline points="([^"]+)"', picture)
    )
    assert level[0] == level[1] == rising[0]
    assert rising[1] < rising[0], "heights are counted from the top"


def test_they_can_be_run() -> None:
    """All that they need of imapd is there."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "floor" in done.stdout
