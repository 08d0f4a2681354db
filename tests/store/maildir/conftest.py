"""Fixtures of the Maildir store's tests."""

from __future__ import annotations

import pytest

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
