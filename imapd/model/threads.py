"""Threads as sets of messages that name each other: the rule by which a message gets its own.

A message has keys: first its own, then those of the messages it refers to, nearest first.
Each key belongs to one thread, for good, from the first time that a message has it.  So a
message's thread never changes, in whatever order messages are looked at, and related
messages that came before anyone knew what relates them may stay apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["thread_of"]


def thread_of(keys: Sequence[bytes], known: Mapping[bytes, bytes]) -> bytes:
    """The thread of a message, given the threads of known keys.

    Those of `keys` that were not known belong to it from now on.  A new thread is called
    after its root: so it would be called the same again.
    """
    for key in keys:
        thread = known.get(key)
        if thread is not None:
            return thread
    return keys[-1]
