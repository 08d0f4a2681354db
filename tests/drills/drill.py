"""Rounds of a drill: start, look, load, kill."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from imapclient import IMAPClient

from tests.drills.clients import Client, Deliverer
from tests.drills.eyes import disagreements, looked
from tests.drills.ledger import History
from tests.drills.serving import PASSWORD, USER, Forked, Fresh

__all__ = ["Failed", "drill"]

_CLIENTS = ("c1", "c2", "c3", "c4")
_DELIVERERS = ("mta1",)
#: Seconds that a round may take to be answered so often.
_PATIENCE = 30.0
#: Rounds after which the account is a new one, before it grows large.
_RENEWED = 40


class Failed(AssertionError):
    """What was wrong, and how to have it again."""


class _Rounds:
    def __init__(self, server: Fresh, seed: str) -> None:
        self.server, self.seed = server, seed
        self.chance = random.Random(seed)
        self.history = History()
        self.clients: list[Client] = [Client(name, self.history) for name in _CLIENTS]
        self.clients += [Deliverer(name, self.history) for name in _DELIVERERS]
        self.answers = 0
        self.acknowledged = 0
        self._more = threading.Condition()

    def settle(self) -> None:
        """The mailboxes that there are before the first round."""
        self.server.start()
        with IMAPClient("127.0.0.1", self.server.port, ssl=False) as client:
            client.login(USER, PASSWORD)
            for name in ("shared", *_CLIENTS):
                client.create_folder(name)

    def load(self, number: int) -> None:
        """Work from all sides, until a moment that nobody knows."""
        self.answers = 0
        stop = threading.Event()
        wanted = self.chance.choice((1, 20, 60, 120))
        behind = self.chance.random() < 0.3
        for client in self.clients:
            client.start(self.server, f"{self.seed}/{number}", stop, self._told)
        with self._more:
            self._more.wait_for(lambda: self.answers >= wanted or self._trouble(), _PATIENCE)
        if behind:
            # When the tree follows the index, 0.3 s after the first answer.
            stop.set()
            time.sleep(self.chance.uniform(0.0, 0.35))
        else:
            time.sleep(self.chance.uniform(0.0, 0.02))
        self.server.kill()
        for client in self.clients:
            client.join()
        self.acknowledged += self.answers

    def check(self) -> list[str]:
        """What is wrong."""
        seen, wrong = looked(self.server.port)
        for client in self.clients:
            wrong += client.check(seen)
        for name, box in seen.items():
            wrong += self.history.seen(name, box)
            for uid, message in box.messages.items():
                if message.name.partition("/")[0] not in (*_CLIENTS, *_DELIVERERS):
                    wrong.append(f"{name}: UID {uid} is a stranger: {message.name}")
        wrong += disagreements(self.server.root)
        return wrong + self._trouble() + self.server.calm()

    def _trouble(self) -> list[str]:
        return [each for client in self.clients for each in client.trouble]

    def _told(self) -> None:
        with self._more:
            self.answers += 1
            self._more.notify()


def drill(
    rounds: int,
    seed: int,
    *,
    fresh: bool = False,
    lie: str = "",
    options: str = "",
    where: str | None = None,
    each: Callable[[int, int], object] = lambda number, answers: None,
) -> int:
    """So many rounds; how many answers were held to their word.  Raises `Failed`.

    `fresh` starts the program anew each time; the folder is made in `where`; `each` is told of
    each round.
    """
    acknowledged = 0
    for begun in range(0, rounds, _RENEWED):
        folder = Path(tempfile.mkdtemp(prefix="drill", dir=where))
        server = Fresh(folder, options) if fresh else Forked(folder, options, lie)
        some = _Rounds(server, f"{seed}/{begun}")
        try:
            some.settle()
            for number in range(begun, min(begun + _RENEWED, rounds)):
                some.load(number)
                wrong = some._trouble() + server.calm()
                if not wrong:
                    server.start()
                    wrong = some.check()
                each(number, some.answers)
                if wrong:
                    raise Failed(
                        f"round {number} of seed {seed} (python -m tests.drills --seed {seed}"
                        f" --rounds {rounds}), in {folder}:\n" + "\n".join(wrong[:30])
                    )
        finally:
            server.close()
        shutil.rmtree(folder)
        acknowledged += some.acknowledged
    return acknowledged
