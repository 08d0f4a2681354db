"""The table of README.rst that shows imapd beside other servers: made from what was measured.

``python docs/comparison.py RESULTS.json ...`` takes what the harness wrote by ``--json`` in each of some
runs, keeps the medians that the table needs in ``docs/comparison.json``, and writes the table.
A test compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

BEGIN = ".. comparison-begin"
END = ".. comparison-end"
README = Path(__file__).parent.parent / "README.rst"
KEPT = Path(__file__).parent / "comparison.json"

#: The harness's name of each server, and what the table calls it.
SERVERS = {
    "dovecot-maildir": "Dovecot",
    "dovecot-sdbox": "Dovecot sdbox",
    "cyrus": "Cyrus",
    "imapd": "imapd",
}
#: The harness's name of each row, and what is done in it.
ROWS = {
    "login+logout": "log in and out",
    "noop": "NOOP",
    "noop pipelined": "NOOP, many sent at once",
    "noop selected": "NOOP, a mailbox selected",
    "select Big warm": "SELECT of 10,000 messages, and of none",
    "select Huge first": "SELECT of 100,000, the first",
    "select Huge warm": "SELECT of 100,000, again, and of none",
    "fetch FLAGS": "FETCH FLAGS, a message",
    "fetch ENVELOPE first": "FETCH ENVELOPE and dates, the first, a message",
    "fetch ENVELOPE": "FETCH ENVELOPE and dates, again",
    "fetch BODYSTRUCTURE first": "FETCH BODYSTRUCTURE, the first, a message",
    "fetch BODYSTRUCTURE": "FETCH BODYSTRUCTURE, again",
    "fetch HEADER.FIELDS": "FETCH of five header fields, a message",
    "fetch BODY[] bulk": "FETCH BODY[] of many, a MB",
    "fetch BODY[] random": "FETCH BODY[] of one",
    "store 1 msg": "STORE of one message",
    "store 1:* add": "STORE 1:\\*, a message",
    "append 1 client": "APPEND of 8 KB",
    "append 8 clients": "APPEND of 8 KB by 8 users at once",
    "multiappend 100": "APPEND of 100 in one command, a message",
    "search UNSEEN": "SEARCH UNSEEN, 10,000 messages",
    "search ARRIVAL RANGE": "SEARCH SINCE BEFORE",
    "search SUBJECT": "SEARCH SUBJECT",
    "search BODY rare": "SEARCH BODY, a rare word",
    "search TEXT common": "SEARCH TEXT, a common word",
    "sort REVERSE DATE Huge first": "SORT (REVERSE DATE) of 100,000, the first",
    "sort REVERSE DATE Huge": "SORT (REVERSE DATE) of 100,000, again",
    "thread REFS Huge first": "THREAD of 100,000, the first",
    "thread REFS Huge": "THREAD of 100,000, again",
    "copy 1:*": "COPY 1:\\*, a message",
    "move 1:*": "MOVE 1:\\*, a message",
    "expunge all": "EXPUNGE, a message",
    "status x100 pipelined": "STATUS of one of 100 mailboxes",
    "list return status": "LIST with STATUS of 100 mailboxes, each",
    "CHANGEDSINCE fetch": "FETCH CHANGEDSINCE, 1 % changed",
    "QRESYNC select": "SELECT with QRESYNC, 1 % changed",
    "mixed load": "a command of 20 clients that do everything",
}


def kept(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of runs of the harness, what the table shows: microseconds of CPU for one operation, the median."""
    rows: dict[str, dict[str, float]] = {}
    for name in ROWS:
        rows[name] = {}
        for server in SERVERS:
            found = [
                run["summary"].get(name, {}).get("targets", {}).get(server, {}).get("cpu_us_per_op")
                for run in runs
            ]
            if None not in found:
                rows[name][server] = round(median(found), 3)
    last = max(runs, key=lambda run: str(run["when"]))
    return {"when": last["when"], "python": last["python"], "runs": len(runs), "rows": rows}


def _figure(value: float | None) -> str:
    if value is None:
        return "\\-"
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def table(measured: Mapping[str, Any]) -> str:
    """A row for each kind of work; the least of each row is bold."""
    rows = [["CPU of the server in microseconds", *SERVERS.values()]]
    for name, text in ROWS.items():
        values = measured["rows"].get(name, {})
        best = min(values.values(), default=None)
        cells = [text]
        for server in SERVERS:
            value = values.get(server)
            figure = _figure(value)
            cells.append(f"**{figure}**" if value is not None and value == best else figure)
        rows.append(cells)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def with_table(text: str) -> str:
    """README with the table between its marks."""
    measured = json.loads(KEPT.read_text())
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    date = measured["when"].partition(" ")[0]
    said = f"Measured on {date}, the median of {measured['runs']} runs:"
    return f"{before}{BEGIN}\n\n{said}\n\n{table(measured)}\n\n{END}{after}"


if __name__ == "__main__":
    if sys.argv[1:]:
        runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
        KEPT.write_text(json.dumps(kept(runs), indent=1) + "\n")
    README.write_text(with_table(README.read_text()))
