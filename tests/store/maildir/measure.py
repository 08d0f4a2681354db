"""What the Maildir store costs: ``python -m tests.store.maildir.measure [MESSAGES]``.

Process time and wall time of the best of three, by message or by call.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults

from imapd.model.flags import FlagChange, interned
from imapd.model.message import BODYSTRUCTURE, ENVELOPE, FLAGS, HEADER, INTERNAL_DATE, MODSEQ, SIZE
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from tests.store.maildir.place import EVERYTHING, Place

FLAGGED = interned(["\\Flagged"])


def measured(name, call, count, times=3):
    """Print the best."""
    spent, waited = [], []
    for _ in range(times):
        process, wall = time.process_time(), time.perf_counter()
        call()
        spent.append(time.process_time() - process)
        waited.append(time.perf_counter() - wall)
    print(
        f"{name:36} {min(spent) / count * 1e6:9.2f} us process"
        f" {min(waited) / count * 1e6:9.2f} us wall"
    )


def main(messages):
    """Fill a mailbox, and work with it."""
    path = Path(tempfile.mkdtemp(prefix="imapd-measure-"))
    place = Place(path).start()
    place.pump.patience = 600
    try:
        box = place.box()
        letters = [letter(f"s{n}", ["\\Seen"] if n % 3 else []).new() for n in range(messages)]
        parts = iter([letters[at : at + 500] for at in range(0, messages, 500)])
        rounds = (messages + 499) // 500
        measured(
            "append, 500 at once",
            lambda: [place.run(box.append(next(parts))) for _ in range(rounds)],
            messages,
            1,
        )
        for columns in (
            (FLAGS, MODSEQ),
            (INTERNAL_DATE, SIZE, ENVELOPE),
            (BODYSTRUCTURE,),
            (HEADER,),
        ):
            measured(
                "scan " + " ".join(columns),
                lambda columns=columns: [None for _ in box.scan(EVERYTHING, frozenset(columns))],
                messages,
            )
        modseq = place.run(box.status()).highest_modseq
        for name, call in {
            "changes_since, nothing changed": lambda: box.changes_since(modseq),
            "status": box.status,
            "mailboxes": place.account.mailboxes,
        }.items():
            measured(name, lambda call=call: [call() for _ in range(500)], 500)
        few = min(messages, 300)
        ways = [FlagChange.ADD, FlagChange.REMOVE] * 8

        def one_by_one():
            change = ways.pop()
            for uid in range(1, few + 1):
                box.store_flags(NumSet.of(uid), change, FLAGGED)

        measured("store_flags of one", one_by_one, few)
        measured(
            "store_flags of all",
            lambda: place.run(box.store_flags(EVERYTHING, ways.pop(), FLAGGED)),
            messages,
        )
        measured("read of one", lambda: [place.octets(box, n) for n in range(1, few + 1)], few)
        large = letter("8 KB", body=b"0123456789abcde\r\n" * 480)
        measured(
            "append of 8 KB, one after the other",
            lambda: [place.run(box.append([large.new()])) for _ in range(50)],
            50,
        )
        measured(
            "append of 8 KB, 50 at once",
            lambda: place.run(
                gatherResults(
                    [Deferred.fromCoroutine(box.append([large.new()])) for _ in range(50)]
                )
            ),
            50,
        )
        other = place.make("other")
        measured("copy", lambda: place.run(box.copy(NumSet([(1, few)]), other)), few)
        starts = iter(range(1, few, few // 3))

        def move():
            start = next(starts)
            place.run(box.move(NumSet([(start, start + few // 3 - 1)]), other))

        measured("move", move, few // 3)
        place.run(other.store_flags(EVERYTHING, FlagChange.ADD, interned(["\\Deleted"])))
        count = place.run(other.status()).messages
        measured("expunge", lambda: place.run(other.expunge(EVERYTHING)), count, 1)
    finally:
        place.stop()
        shutil.rmtree(path)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
