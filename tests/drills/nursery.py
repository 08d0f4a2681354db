"""Servers that start at once: a process that has loaded the program, and forks for each line it reads.

A line is the arguments of `imapd` in JSON.  ``started PID`` is said when there is a process, and
``ended`` when it has gone.  An argument of the program names a lie of `tests.drills.liars`.
"""

from __future__ import annotations

import json
import os
import sys

import imapd.service
import imapd.store.maildir  # noqa: F401
from imapd.cli import main
from tests.drills.liars import LIES


def serve() -> None:
    """Fork for each line."""
    for lie in sys.argv[1:]:
        LIES[lie]()
    for line in sys.stdin:
        arguments = json.loads(line)
        pid = os.fork()
        if not pid:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            main(arguments)
        print(f"started {pid}", flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    serve()
