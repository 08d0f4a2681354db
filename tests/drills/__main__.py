"""Hundreds of rounds: ``python -m tests.drills [--rounds N] [--seed N] [--forked]``."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.drills.drill import Failed, drill


def main() -> None:
    """Drill until the rounds are done or something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--forked", action="store_true", help="start the program once, and fork")
    parser.add_argument("--options", default="", help="of the store, such as :flags=synced")
    options = parser.parse_args()
    print(f"{options.rounds} rounds, seed {options.seed}", flush=True)
    started = time.monotonic()

    def each(number: int, answers: int) -> None:
        print(f"\rround {number + 1}: killed after {answers} answers  ", end="", flush=True)

    try:
        held = drill(
            options.rounds,
            options.seed,
            fresh=not options.forked,
            options=options.options,
            each=each,
        )
    except Failed as failed:
        print(f"\n{failed}")
        sys.exit(1)
    print(f"\n{held} answers kept, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
