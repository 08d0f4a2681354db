"""What a worker and its parent say to each other, by AMP.

* News are octets of a kind: the parent passes them on to the other workers and does not look.
* News are hints.  To a process that does not read them they are not sent, and that is all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.amp import AMP, Command, Integer, String
from twisted.python.failure import Failure
from zope.interface import implementer

from imapd.model.mailbox import Hint

__all__ = [
    "FAILURE",
    "HINTS",
    "Between",
    "Hints",
    "Leaving",
    "Load",
    "News",
    "Ready",
    "failure_from",
    "failure_of",
    "hints_from",
]  # fmt: skip

#: Kinds of news: changes of mailboxes, and a log-in that failed.
HINTS: Final = b"hints"
FAILURE: Final = b"failure"

#: Seconds in which changes are gathered before others are told.
_TOGETHER: Final = 0.002
#: Octets of a piece of news: AMP takes 65,535.
_MOST: Final = 60_000


class Ready(Command):
    """A worker takes connections from now on."""

    arguments = []
    requiresAnswer = False


class Load(Command):
    """How many connections a worker has taken since it began, and how many are open."""

    arguments = [(b"taken", Integer()), (b"open", Integer())]  # type: ignore[no-untyped-call]
    requiresAnswer = False


class Leaving(Command):
    """A worker is about to end: once answered, it is given no more connections."""

    arguments = []
    response = []


class News(Command):
    """Something that other workers may want to know."""

    arguments = [(b"kind", String()), (b"what", String())]  # type: ignore[no-untyped-call]
    requiresAnswer = False


@implementer(IPushProducer)
class Between(AMP):
    """One end; `told` is called with news, `lost` when the other process has ended or let go."""

    def __init__(
        self, told: Callable[[bytes, bytes], object], lost: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._told = told
        self._lost = lost
        self._full = False
        self._up = False

    def connectionMade(self) -> None:
        """As `Protocol`."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self._up = True
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As `Protocol`."""
        self._up = False
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._lost()

    def pauseProducing(self) -> None:
        """As `IPushProducer`: the other process does not keep up."""
        self._full = True

    def resumeProducing(self) -> None:
        """As `IPushProducer`."""
        self._full = False

    def stopProducing(self) -> None:
        """As `IPushProducer`."""

    def say(self, command: type[Command], **arguments: Any) -> None:
        """Say something that has no answer, if there is somebody to hear it."""
        if self._up:
            self.callRemote(command, **arguments)  # type: ignore[no-untyped-call]

    def tell(self, kind: bytes, what: bytes) -> None:
        """Pass news on, unless the other process is behind with reading them."""
        if not self._full:
            self.say(News, kind=kind, what=what)

    def ask(self, command: type[Command]) -> Deferred[Any]:
        """Say something, and wait until it has been heard."""
        answer: Deferred[Any] = self.callRemote(command)  # type: ignore[no-untyped-call]
        return answer

    @News.responder
    def _news(self, kind: bytes, what: bytes) -> dict[str, Any]:
        self._told(kind, what)
        return {}


@define(eq=False)
class Hints:
    """Gathers what changes in this process; of a mailbox the last change says it all."""

    _clock: IReactorTime
    _tell: Callable[[bytes], object]
    _marks: dict[tuple[str, str], int] = field(factory=dict, init=False)
    _others: dict[tuple[str, Hint], None] = field(factory=dict, init=False)
    _later: IDelayedCall | None = field(default=None, init=False)

    def add(self, account: str, hints: Sequence[Hint]) -> None:
        """Changes of an account."""
        for hint in hints:
            if hint.mailbox_id and not hint.entries:
                key = account, hint.mailbox_id
                self._marks[key] = max(hint.modseq, self._marks.get(key, 0))
            else:
                self._others[account, hint] = None
        if self._later is None and (self._marks or self._others):
            self._later = self._clock.callLater(_TOGETHER, self._flush)

    def stop(self) -> None:
        """Tell what has not been told yet."""
        if self._later is not None:
            self._later.cancel()
            self._flush()

    def _flush(self) -> None:
        self._later = None
        rows = [[account, id, modseq, []] for (account, id), modseq in self._marks.items()]
        rows += [
            [account, hint.mailbox_id, hint.modseq, hint.entries] for account, hint in self._others
        ]
        self._marks.clear()
        self._others.clear()
        self._send(rows)

    def _send(self, rows: list[list[Any]]) -> None:
        what = json.dumps(rows, separators=(",", ":")).encode()
        if len(what) <= _MOST:
            self._tell(what)
        elif len(rows) > 1:
            # A single one as long as this is lost, as hints may be.
            middle = len(rows) // 2
            self._send(rows[:middle])
            self._send(rows[middle:])


def hints_from(what: bytes) -> dict[str, list[Hint]]:
    """What `Hints` told, by account."""
    hints: dict[str, list[Hint]] = {}
    for account, mailbox_id, modseq, entries in json.loads(what):
        hints.setdefault(account, []).append(Hint(mailbox_id, modseq, tuple(entries)))
    return hints


def failure_of(key: str, mark: bytes) -> bytes:
    """A log-in that failed, as news."""
    return json.dumps([key, mark.hex()]).encode()


def failure_from(what: bytes) -> tuple[str, bytes]:
    """The reverse of `failure_of`."""
    key, mark = json.loads(what)
    return key, bytes.fromhex(mark)
