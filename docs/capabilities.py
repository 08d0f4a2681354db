"""The table of README.rst that says what works: made from the features the server is built of.

``python docs/capabilities.py`` writes it; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from imapd import commands, extensions

BEGIN = ".. capabilities-begin"
END = ".. capabilities-end"
README = Path(__file__).parent.parent / "README.rst"


def table() -> str:
    """Every feature: its capabilities, its RFC, and what it does."""
    rows = [("Capability", "RFC", "What it is")]
    for feature in (*commands.FEATURES, *extensions.FEATURES, *extensions.BY_CONFIGURATION):
        names = dict.fromkeys(f"``{each.name}``" for each in feature.capabilities)
        summary = feature.summary
        if feature in extensions.BY_CONFIGURATION:
            summary += " (by configuration)"
        rows.append((" ".join(names) or f"({feature.name})", str(feature.rfc), summary))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def with_table(text: str) -> str:
    """README with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
