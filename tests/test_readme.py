"""README.rst says what works, and only that."""

from __future__ import annotations

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
