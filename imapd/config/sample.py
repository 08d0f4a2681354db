"""The file to begin with."""

from __future__ import annotations

from imapd.config.table import KEYS

__all__ = ["sample"]


def sample() -> str:
    """``etc/imapd.toml``: every key with its default, switched off, and its sentence."""
    lines = [
        "# imapd: every key, with its default and what it is for.  Take the # away to change one.",
        "# Options of `twistd imapd` and `imapd serve` override what stands here.",
        "# `imapd check-config FILE` says what is wrong, before the server does.",
    ]
    table = ""
    for key in KEYS.values():
        if key.table != table:
            table = key.table
            lines += ["", f"[{table}]"]
        lines += ["", f"# {key.sentence}", f"#{key.written(key.default)}"]
    return "\n".join(lines) + "\n"
