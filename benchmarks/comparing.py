"""A run beside an earlier one that was stored with --json."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["compare", "pace", "stored"]


def pace() -> float:
    """Milliseconds of CPU that a certain piece of Python takes here and now: how fast the machine is."""
    best = float("inf")
    for _ in range(7):
        before = time.thread_time()
        numbers: dict[int, bytes] = {}
        for number in range(20_000):
            numbers[number % 1_000] = b"%d" % number
        best = min(best, time.thread_time() - before)
    return best * 1e3


def stored(path: Path) -> Mapping[str, Any]:
    """What --json wrote.  Raises `SystemExit` for a file that is something else."""
    try:
        found: Mapping[str, Any] = json.loads(path.read_text())
        list(_figures(found["rows"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path} is no run that --json has stored: {error}") from error
    return found


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The lines of a table: each figure of a row that both have, then and now."""
    earlier = dict(_figures(before["rows"]))
    then, today = before.get("pace_ms"), now.get("pace_ms")
    lines = [f"{'':<60}{'then':>12}{'now':>12}{'now/then':>10}"]
    if then and today:
        lines.append(
            f"{'the machine itself (ms)':<60}{then:>12,.2f}{today:>12,.2f}{today / then:>9.2f}x"
        )
    for name, value in _figures(now["rows"]):
        if name in earlier:
            ratio = f"{value / earlier[name]:>9.2f}x" if earlier[name] else f"{'':>10}"
            lines.append(f"{name:<60}{earlier[name]:>12,.2f}{value:>12,.2f}{ratio}")
        else:
            lines.append(f"{name:<60}{'':>12}{value:>12,.2f}")
    here = dict(_figures(now["rows"]))
    lines += [f"{name:<60}{value:>12,.2f}" for name, value in earlier.items() if name not in here]
    return lines


def _figures(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """What less is better of; a turn's length is another thing each time."""
    for each in rows:
        for what, value in each.items():
            if what not in ("row", "rate") and "turn" not in what:
                yield f"{each['row']} ({what})", float(value)
