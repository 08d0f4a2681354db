"""What operations cost by the size of a mailbox, drawn: ``python -m benchmarks.growth PICTURE.svg``.

The picture is SVG, written here: both axes are logarithmic, so that what is flat costs the same
in any mailbox, and what rises by a decade each decade costs the same for each message.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from math import ceil, floor, log10
from pathlib import Path
from typing import Final

from benchmarks.corpus import letters
from benchmarks.measuring import Client, Server

__all__ = ["drawn"]

_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
#: Messages that are appended; the rest are copies of them.
_APPENDED: Final = 1_000
_TOGETHER: Final = 200
#: Messages that have changed for who asks what did.
_CHANGED: Final = 10

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_WIDTH: Final = 820
_HEIGHT: Final = 520
_LEFT: Final = 80
_RIGHT: Final = 560
_TOP: Final = 50
_BOTTOM: Final = 460

#: Microseconds of CPU by the size of the mailbox.
Costs = Mapping[int, float]


def measure(store: str, sizes: Sequence[int]) -> dict[str, dict[int, float]]:
    """The costs of each operation; each size is a mailbox of one account."""
    server = Server(store)
    costs: dict[str, dict[int, float]] = {}
    try:
        client = Client(server.port)
        _append(client)
        for size in sizes:
            client.command(b"CREATE of%d" % size)
            client.command(b"SELECT source")
            for _ in range(size // _APPENDED):
                client.command(b"COPY 1:* of%d" % size)
            for name, times, work in _work(client, size):
                cost = _cost(server, times, work)
                costs.setdefault(name, {})[size] = cost
                print(f"{size:>9,} {name:<36}{cost:>12,.1f} us", flush=True)
    finally:
        server.close()
    return costs


def _append(client: Client) -> None:
    client.command(b"CREATE empty")
    client.command(b"CREATE source")
    mail = iter(letters(_APPENDED))
    while batch := list(islice(mail, _TOGETHER)):
        parts = [b" (\\Seen) {%d+}\r\n%b" % (len(each), each) for each in batch]
        client.command(b"APPEND source" + b"".join(parts))


def _work(client: Client, size: int) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """Operations, and how often each is done to be measured."""
    answer = client.answer(b"SELECT of%d" % size)
    modseq = re.search(rb"HIGHESTMODSEQ (\d+)", answer)
    assert modseq is not None
    changed = b",".join(b"%d" % number for number in range(1, size, size // _CHANGED))
    client.command(b"STORE %b +FLAGS.SILENT (\\Answered)" % changed)
    middle = size // 2
    since = b"FETCH 1:* (FLAGS) (CHANGEDSINCE %b)" % modseq[1]

    def select() -> None:
        client.command(b"SELECT empty")
        client.command(b"SELECT of%d" % size)

    def store() -> None:
        client.command(b"STORE %d +FLAGS (\\Flagged)" % middle)
        client.command(b"STORE %d -FLAGS (\\Flagged)" % middle)

    yield "NOOP", 200, lambda: client.command(b"NOOP")
    yield (
        "FETCH of one message's octets",
        100,
        lambda: client.command(b"FETCH %d BODY.PEEK[]" % middle),
    )
    yield "STORE of one message, twice", 50, store
    yield f"CHANGEDSINCE, {_CHANGED} changed", 50, lambda: client.command(since)
    yield "SELECT, known to the process", 50, select
    yield "FETCH 1:* (UID FLAGS)", 1, lambda: client.command(b"FETCH 1:* (UID FLAGS)")
    yield "FETCH 1:* (ENVELOPE)", 1, lambda: client.command(b"FETCH 1:* (ENVELOPE)")


def _cost(server: Server, times: int, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        before = server.ask()[0]
        for _ in range(times):
            work()
        best = min(best, server.ask()[0] - before)
    return best / times * 1e6


def drawn(costs: Mapping[str, Costs]) -> str:
    """The picture."""
    sizes = sorted({size for each in costs.values() for size in each})
    every = [cost for each in costs.values() for cost in each.values()]
    low, high = floor(log10(min(every))), ceil(log10(max(every)))

    def across(size: float) -> float:
        share = log10(size / sizes[0]) / max(1e-9, log10(sizes[-1] / sizes[0]))
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    def down(cost: float) -> float:
        share = (log10(cost) - low) / max(1, high - low)
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="28">CPU of the server by messages in the mailbox</text>',
    ]
    for size in sizes:
        x = across(size)
        parts.append(f'<path d="M{x} {_TOP}V{_BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{_BOTTOM + 20}" text-anchor="middle">{size:,}</text>')
    for power in range(low, high + 1):
        y = down(10.0**power)
        parts.append(f'<path d="M{_LEFT} {y}H{_RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{_time(power)}</text>')
    # What the last points have nearly in common must not be written over one another.
    last = sorted((down(each[max(each)]), name) for name, each in costs.items())
    free = float(_TOP)
    for y, name in last:
        free = max(y + 4, free)
        each, colour = costs[name], _COLOURS[list(costs).index(name) % len(_COLOURS)]
        points = " ".join(f"{across(size)},{down(each[size])}" for size in sorted(each))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<text x="{_RIGHT + 10}" y="{free:.1f}" fill="{colour}">{name}</text>')
        free += 16
    return "\n".join([*parts, "</svg>\n"])


def _time(power: int) -> str:
    unit, name = ((0, "us"), (3, "ms"), (6, "s"))[min(2, max(0, power // 3))]
    return f"{10 ** (power - unit):g} {name}"


def main() -> None:
    """Measure, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        costs = measure(f"maildir:{scratch}/%u", options.sizes)
    options.picture.write_text(drawn(costs))


if __name__ == "__main__":
    main()
