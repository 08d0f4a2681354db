"""Blocks of a few messages, so that tests fill many."""

from __future__ import annotations

import pytest

from imapd.session import block_pieces, content
from imapd.session import blocks as module
from tests.session.small_blocks import SPAN


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few messages fill blocks, a few blocks are asked for in several goes."""
    monkeypatch.setattr(block_pieces, "_SPAN", SPAN)
    monkeypatch.setattr(module, "_TOGETHER", 2)
    monkeypatch.setattr(module, "_GROWN", 3)
    monkeypatch.setattr(content, "_VALUES", 2)
