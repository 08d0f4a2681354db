"""The kinds of store that a client's view of things is tested on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.dialogue import Server

__all__ = ["BACKENDS", "Backend"]


class Backend:
    """One place for mail; the memory store, unless a subclass says another."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders

    def server(self) -> Server:
        """A server over a fresh, empty store."""
        return Server()

    def close(self) -> None:
        """Let go of the place."""


BACKENDS: Mapping[str, Callable[[pytest.TempPathFactory], Backend]] = {"memory": Backend}
