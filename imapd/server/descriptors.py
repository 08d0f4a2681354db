"""Room for connections: as many descriptors as the process may have."""

from __future__ import annotations

import resource
from contextlib import suppress

__all__ = ["raise_descriptors"]


def raise_descriptors() -> None:
    """Raise the soft limit of open descriptors to the hard one, for this process and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Some systems say "unlimited" and refuse to give as many.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
