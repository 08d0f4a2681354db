"""``python -m tests.fuzz [TARGET [SECONDS]]``: look for octets that break a target; all by turns.

What breaks one is written to ``crash-…`` in the working directory, with the traceback on
the terminal.  When it has been mended, move the file into ``tests/fuzz/corpus/TARGET/``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_TURN = 60


def main(arguments: list[str]) -> int:
    """The exit status."""
    if arguments[:1] == ["--in-process"]:
        return _fuzz(arguments[1], int(arguments[2]))
    # Not before: what is imported above cannot be instrumented any more.
    from tests.fuzz.targets import TARGETS

    names = arguments[:1] or sorted(TARGETS)
    if names[0] not in TARGETS:
        print(f"there is no target {names[0]!r}; there are {', '.join(sorted(TARGETS))}")
        return 2
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("make fuzz needs atheris, which has no build for this Python; 3.11 and 3.12 have one")
        return 0
    seconds = int(arguments[1]) if len(arguments) > 1 else 0
    while True:
        for name in names:
            # A process each: libFuzzer ends its own.
            command = [sys.executable, "-m", "tests.fuzz", "--in-process", name]
            status = subprocess.call([*command, str(seconds or _TURN)])
            if status:
                return status
        if seconds:
            return 0


def _fuzz(name: str, seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["imapd"]):
        from tests.fuzz import targets

    found = Path(tempfile.gettempdir()) / f"imapd-fuzz-{os.getuid()}" / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [sys.argv[0], str(found), str(targets.CORPUS / name), f"-max_total_time={seconds}", "-max_len=2048",
         "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=0", "-verbosity=1"],
        targets.TARGETS[name],
    )  # fmt: skip
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
