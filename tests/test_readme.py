"""README.rst says what works, and only that."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_capabilities() -> None:
    """The table of capabilities is the one that the code's own features make."""
    made = runpy.run_path(str(ROOT / "docs" / "capabilities.py"))
    readme = (ROOT / "README.rst").read_text()
    assert made["BEGIN"] in readme
    assert readme == made["with_table"](readme)


def test_it_can_fail() -> None:
    """A row that no feature has is noticed."""
    made = runpy.run_path(str(ROOT / "docs" / "capabilities.py"))
    readme = (ROOT / "README.rst").read_text()
    changed = readme.replace("``IDLE``", "``IDLED``")
    assert changed != readme
    assert changed != made["with_table"](changed)


def test_comparison() -> None:
    """The table of other servers is the one that what was measured makes."""
    made = runpy.run_path(str(ROOT / "docs" / "comparison.py"))
    readme = (ROOT / "README.rst").read_text()
    assert made["BEGIN"] in readme
    assert readme == made["with_table"](readme)


def test_a_comparison_that_was_not_measured() -> None:
    """Another figure is noticed; so is one that nobody has."""
    made = runpy.run_path(str(ROOT / "docs" / "comparison.py"))
    results = {
        "when": "2026-01-02 03:04:05",
        "python": "3.11.7",
        "summary": {
            "noop": {
                "targets": {
                    "dovecot-maildir": {"cpu_us_per_op": 26.57},
                    "cyrus": {"cpu_us_per_op": None},
                    "imapd": {"cpu_us_per_op": 1.234},
                    "another": {"cpu_us_per_op": 1.0},
                }
            }
        },
    }
    kept = made["kept"]([results])
    assert kept["rows"]["noop"] == {"dovecot-maildir": 26.57, "imapd": 1.234}
    others = [json.loads(json.dumps(results).replace("1.234", each)) for each in ("9.5", "0.25")]
    assert made["kept"]([*others, results])["rows"]["noop"]["imapd"] == 1.234
    (row,) = [line for line in made["table"](kept).splitlines() if line.startswith("NOOP  ")]
    assert row.split() == ["NOOP", "27", "\\-", "\\-", "**1.23**"]
    readme = (ROOT / "README.rst").read_text()
    changed = readme.replace("NOOP, many sent at once", "NOOP, many sent in one")
    assert changed != readme
    assert changed != made["with_table"](changed)
