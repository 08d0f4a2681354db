"""The console script `imapd`."""

from imapd.cli.program import main

__all__ = ["main"]
