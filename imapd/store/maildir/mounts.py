"""Whether the kernel tells of all changes of a directory: it does where the files are its own.

Of what is done on another machine to directories that are here over the network, it tells nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Final

__all__ = ["is_local"]

#: Types of file systems that no other machine writes to.
_LOCAL: Final = frozenset(
    ("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs",
     "tmpfs", "xfs", "zfs")
)  # fmt: skip
_MOUNTS: Final = "/proc/self/mountinfo"
_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")
#: What was found out, by device.
_known: dict[int, bool] = {}


def is_local(path: str) -> bool:
    """Whether a directory is of a kind that is known to be on this machine."""
    try:
        device = os.stat(path).st_dev
    except OSError:
        return False
    if device not in _known:
        _known[device] = _type(os.path.realpath(path)) in _LOCAL
    return _known[device]


def _type(path: str) -> str:
    """The type of the file system at a path; of mounts at one place the last counts (proc(5))."""
    found, longest = b"", -1
    with suppress(OSError), open(_MOUNTS, "rb") as lines:
        for line in lines:
            front, _, behind = line.partition(b" - ")
            point = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), front.split(b" ")[4])
            inside = os.fsencode(path) + b"/"
            if len(point) >= longest and inside.startswith(point.rstrip(b"/") + b"/"):
                found, longest = behind.split(b" ")[0], len(point)
    return found.decode("ascii", "replace")
