"""The rule of threads."""

from __future__ import annotations

import random

from imapd.model.threads import thread_of


def test_new_thread_is_called_after_its_root() -> None:
    """A message alone founds a thread; one that refers to unknown messages, that of the first of them."""
    assert thread_of([b"own"], {}) == b"own"
    assert thread_of([b"own", b"near", b"root"], {}) == b"root"


def test_nearest_relative_decides() -> None:
    """A message is of the thread that its own key is of, else of that of its nearest relative."""
    known = {b"near": b"1", b"root": b"2"}
    assert thread_of([b"own", b"near", b"root"], known) == b"1"
    assert thread_of([b"own", b"near", b"root"], {**known, b"own": b"3"}) == b"3"


def test_a_thread_never_changes() -> None:
    """In whatever order messages are looked at, again and again, each stays in its first thread."""
    chance = random.Random(8474)
    known: dict[bytes, bytes] = {}
    told: dict[tuple[bytes, ...], bytes] = {}
    for _ in range(2_000):
        keys = tuple(b"%d" % number for number in chance.sample(range(60), chance.randint(1, 4)))
        thread = thread_of(keys, known)
        for key in keys:
            known.setdefault(key, thread)
        assert told.setdefault(keys, thread) == thread
