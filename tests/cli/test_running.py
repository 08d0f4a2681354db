"""A server that has started."""

from __future__ import annotations

import gc

from twisted.application.service import Service
from twisted.internet.testing import MemoryReactorClock

from imapd.cli.running import run


def test_what_stays_is_not_gone_through_again() -> None:
    """The garbage collector's longest runs are no longer than what came since makes them."""
    gc.unfreeze()
    try:
        assert run(MemoryReactorClock(), Service()) == 0
        assert gc.get_freeze_count() > 1_000
    finally:
        gc.unfreeze()
