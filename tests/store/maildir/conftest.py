"""Fixtures of the Maildir store's tests."""

from __future__ import annotations

import pytest
from twisted.logger import globalLogPublisher

from tests.store.maildir.place import Place


@pytest.fixture
def place(tmp_path):
    """A store that has been started."""
    made = Place(tmp_path / "mail").start()
    yield made
    made.stop()


@pytest.fixture
def after(tmp_path):
    """What a crash at this moment leaves: call it with the place; the copy is started."""
    started = []

    def crash(place):
        copy = place.crashed(tmp_path / f"crashed{len(started)}")
        started.append(copy)
        return copy

    yield crash
    for copy in started:
        copy.stop()


@pytest.fixture
def complaints():
    """What is logged as a failure, or as an error."""
    heard = []

    def hear(event):
        if "log_failure" in event or event["log_level"].name in ("error", "critical"):
            heard.append(event)

    globalLogPublisher.addObserver(hear)
    yield heard
    globalLogPublisher.removeObserver(hear)
