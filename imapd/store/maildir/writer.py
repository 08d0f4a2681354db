"""The writer of one account: changes that wait for the disk, one after the other, in a thread.

* Changes that wait together are committed together, so that they share the syncs.
* Of a brief change the rows are written where it is asked for, on the reactor's thread, and only
  what waits for the disk is done in a thread: two threads that write rows and answer clients
  wait for each other at every statement.
* A change that fails takes nothing from the others; when the commit fails, all fail.
* A thread is used only while there is something to do.
* Who finds that another process writes, and does not come to an end, is told that it is `Busy`.
* Hints are told, then answers given, on the reactor's thread, in the order of the commits.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, Final, TypeVar, cast

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from imapd.model.mailbox import Hint
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir.index import Index, closed
from imapd.store.maildir.schema import is_damage
from imapd.store.maildir.threads import BesideThreads
from imapd.store.maildir.tree import Tree, unavailable
from imapd.store.maildir.turn import Turn, transaction

__all__ = ["WAIT", "WAIT_BEHIND", "Alone", "Busy", "Work", "Writer"]

_T = TypeVar("_T")

#: A change inside a transaction.
Work = Callable[[Turn], _T]
#: What makes its own transactions; the list is for hints.
Alone = Callable[[Index, Tree, list[Hint]], _T]

#: Changes committed together; and brief ones whose rows are written at once.
_TOGETHER: Final = 64
_AT_ONCE: Final = 16
#: Seconds to wait for another process that writes; and with what can be done later as well.
WAIT: Final = 30.0
WAIT_BEHIND: Final = 1.0


class Busy(StoreUnavailable):
    """Another process has been writing all the time."""


@frozen
class _Job:
    answer: Deferred[Any]
    work: Work[Any] | None
    alone: Alone[Any] | None
    prepare: Callable[[], object] | None
    durable: bool
    done: Callable[[], object] | None = None
    wait: float = WAIT
    brief: bool = False

    @property
    def beside(self) -> bool:
        """It is done where the reactor runs: it is brief, and does not wait long for others who write."""
        return self.brief and self.work is None


@define(eq=False)
class Writer:
    """Changes in order; `do` and `alone` are called on the reactor's thread."""

    _reactor: IReactorFromThreads
    _pool: ThreadPool
    #: For what is brief, once nobody else writes.
    _beside: BesideThreads
    _tree: Tree
    _publish: Callable[[Sequence[Hint]], object]
    #: Called on the reactor's thread with what says that the index has wrong octets.
    _damaged: Callable[[Exception], object]
    index: Index = field(init=False, repr=False)
    _jobs: deque[_Job] = field(factory=deque, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _running: bool = field(default=False, init=False)
    _ended: bool = field(default=False, init=False)
    _waiting: int = field(default=0, init=False)
    _idle: list[Deferred[None]] = field(factory=list, init=False)
    #: The log has been told so.
    _busy: bool = field(default=False, init=False)

    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self.index = Index(self._tree.index, wait=WAIT, checkpoints=True)

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is being done, all was told."""
        return self._waiting == 0

    @property
    def stuck(self) -> bool:
        """Another process writes, and does not come to an end."""
        return self.index.stuck

    def do(
        self,
        work: Work[_T],
        durable: bool,
        prepare: Callable[[], object] | None = None,
        done: Callable[[], object] | None = None,
        patient: bool = True,
        brief: bool = False,
    ) -> Deferred[_T]:
        """Do `work` in a transaction, after `prepare` outside of it.

        `done` is called before the answer is given, also when no one waits for that any more.
        A `brief` work takes a millisecond; what waits for the disk it leaves to `Turn.last`.  It
        may be done before `prepare`, and again.
        Raises `Busy`; unless `patient`, as soon as `behind` does.
        """
        wait = WAIT if patient else WAIT_BEHIND
        job = _Job(Deferred(), work, None, prepare, durable, done, wait, brief)
        return cast("Deferred[_T]", self._put(job))

    def alone(self, call: Alone[_T]) -> Deferred[_T]:
        """Do what makes its own transactions."""
        return cast("Deferred[_T]", self._put(_Job(Deferred(), None, call, None, False)))

    def behind(self, call: Alone[_T], brief: bool = False) -> Deferred[_T]:
        """Do what can be done later as well, and is `brief` if it takes some milliseconds.

        Raises `Busy` soon: it must not keep others waiting.
        """
        answer: Deferred[_T] = Deferred()
        return self._put(_Job(answer, None, call, None, False, wait=WAIT_BEHIND, brief=brief))

    def end(self) -> None:
        """What waits is not done any more: it raises `AccountClosed`, and so does what comes."""
        self._ended = True

    def when_idle(self) -> Deferred[None]:
        """Fires when nothing waits."""
        waiting: Deferred[None] = Deferred()
        if self.idle:
            waiting.callback(None)
        else:
            self._idle.append(waiting)
        return waiting

    def _put(self, job: _Job) -> Deferred[Any]:
        self._waiting += 1
        with self._lock:
            self._jobs.append(job)
            start, self._running = not self._running, True
        if start:
            self._start()
        return job.answer

    def _start(self) -> None:
        if not self._begun():
            beside = self._jobs[0].beside
            (self._beside if beside else self._pool).callInThread(self._run, beside)

    # -- brief changes, on the reactor's thread and in the thread

    def _begun(self) -> bool:
        """Write the rows of the brief changes that wait first; False if it cannot be done here."""
        batch: list[_Job] = []
        with self._lock:
            for job in self._jobs:
                if not job.brief or job.work is None or len(batch) == _AT_ONCE:
                    break
                batch.append(job)
        if not batch or self._ended or not self.index.opened:
            return False
        index = self.index
        index.patience = 0.0
        turn = Turn(index, self._tree, True)
        try:
            index.begin(any(job.durable for job in batch))
            outcomes = self._worked(batch, turn, settle=False)
        except Exception:
            # What it is shows in the thread.
            self._give_up(turn)
            return False
        with self._lock:
            for _ in batch:
                self._jobs.popleft()
        self._beside.callInThread(self._end, batch, outcomes, turn)
        return True

    def _end(self, batch: Sequence[_Job], outcomes: list[Any], turn: Turn) -> None:
        """The rest of it, in the thread.

        When something of one change fails, the others' rows are written again without it.  When a
        sync or the commit fails, all fail: what the disk has lost, it says but once.
        """
        hints: list[Hint] = []
        failures = self._prepared(batch)
        apart = any(failures)
        try:
            if not apart:
                try:
                    turn.settle()
                except Exception:
                    apart = True
                else:
                    turn.finish()
                    self.index.commit()
                    hints, self._busy = turn.hints, False
        except Exception as error:
            self._give_up(turn)
            outcomes = [self._failure(error)] * len(batch)
        if apart:
            self._give_up(turn)
            outcomes = self._completed(batch, failures, hints)
        self._reactor.callFromThread(self._ended_here, batch, outcomes, hints)

    def _give_up(self, turn: Turn) -> None:
        with suppress(sqlite3.Error):
            self.index.roll_back()
        turn.revert()

    def _ended_here(
        self, batch: Sequence[_Job], outcomes: Sequence[Any], hints: list[Hint]
    ) -> None:
        self._deliver(batch, outcomes, hints)
        with self._lock:
            self._running = bool(self._jobs)
        if self._running:
            self._start()

    # -- in the thread

    def _run(self, beside: bool) -> None:
        """What waits; `beside` the reactor, nothing else than what belongs there."""
        while True:
            with self._lock:
                if not self._jobs:
                    self._running = False
                    return
                batch = self._next(beside)
            if not batch:
                self._reactor.callFromThread(self._start)
                return
            hints: list[Hint] = []
            outcomes = self._tried(batch, hints)
            self._reactor.callFromThread(self._deliver, batch, outcomes, hints)

    def _next(self, beside: bool) -> list[_Job]:
        """Changes that are made together, or what makes its own transactions."""
        jobs, batch = self._jobs, list[_Job]()
        while jobs and jobs[0].beside >= beside and len(batch) < _TOGETHER:
            if batch and not (batch[0].work and jobs[0].work):
                break
            batch.append(jobs.popleft())
        return batch

    def _tried(self, batch: Sequence[_Job], hints: list[Hint]) -> list[Any]:
        try:
            if self._ended:
                self.index.end()
            if batch[0].alone is not None:
                self.index.patience = batch[0].wait
                return [self._alone(batch[0].alone, self.index, hints)]
            return self._completed(batch, self._prepared(batch), hints)
        except Exception as error:
            return [self._failure(error)] * len(batch)

    def _alone(self, call: Alone[Any], index: Index, hints: list[Hint]) -> Any:
        try:
            answer = call(index, self._tree, hints)
            self._busy = False
            return answer
        except Exception as error:
            return self._failure(error)

    def _prepared(self, batch: Sequence[_Job]) -> list[Failure | None]:
        """What each could not be prepared for."""
        failures: list[Failure | None] = []
        for job in batch:
            try:
                if job.prepare is not None:
                    job.prepare()
                failures.append(None)
            except Exception as error:
                failures.append(self._failure(error))
        return failures

    def _completed(
        self, batch: Sequence[_Job], failures: Sequence[Failure | None], hints: list[Hint]
    ) -> list[Any]:
        """Do what was prepared, in one transaction; the outcomes of all."""
        outcomes: list[Any] = list(failures)
        ready = [place for place, failure in enumerate(failures) if failure is None]
        if not ready:
            return outcomes
        jobs = [batch[place] for place in ready]
        self.index.patience = max(job.wait for job in jobs)
        try:
            with transaction(self.index, self._tree, any(job.durable for job in jobs)) as turn:
                done = self._worked(jobs, turn, settle=True)
            hints.extend(turn.hints)
            self._busy = False
        except Exception as error:
            done = [self._failure(error)] * len(jobs)
        for place, outcome in zip(ready, done):
            outcomes[place] = outcome
        return outcomes

    def _worked(self, jobs: Sequence[_Job], turn: Turn, settle: bool) -> list[Any]:
        """Do what changes rows, and with `settle` what was left for `Turn.last`."""
        outcomes: list[Any] = []
        for job in jobs:
            assert job.work is not None
            if len(jobs) == 1:
                # The transaction fails with it.
                outcomes.append(job.work(turn))
                continue
            try:
                with turn.step():
                    outcome = job.work(turn)
                    if settle:
                        turn.settle()
                outcomes.append(outcome)
            except sqlite3.OperationalError:
                raise
            except Exception as error:
                outcomes.append(self._failure(error))
        return outcomes

    def _failure(self, error: Exception) -> Failure:
        if isinstance(error, sqlite3.OperationalError) and self.index.locked(error):
            if not self._busy:
                self._busy = True
                self._log.warn("{root}: another process writes all the time", root=self._tree.root)
            busy = Busy("the mail store is busy just now; nothing was lost")
            return Failure(busy)  # type: ignore[no-untyped-call]  # Twisted has no types for it
        failure = Failure(error)  # type: ignore[no-untyped-call]  # as above
        if is_damage(error):
            self._reactor.callFromThread(self._damaged, error)
            return Failure(closed())  # type: ignore[no-untyped-call]  # as above
        if isinstance(error, (OSError, sqlite3.Error)):
            self._log.failure("{root}: the store failed", failure, root=self._tree.root)
            return Failure(unavailable(error))  # type: ignore[no-untyped-call]  # as above
        return failure

    # -- on the reactor's thread

    def _deliver(self, batch: Sequence[_Job], outcomes: Sequence[Any], hints: list[Hint]) -> None:
        self._waiting -= len(batch)
        if hints:
            self._publish(hints)
        for job, outcome in zip(batch, outcomes):
            if job.done is not None:
                job.done()
            job.answer.callback(outcome)
        if self.idle:
            waiting, self._idle = self._idle, []
            for one in waiting:
                one.callback(None)


def attempt(index: Index, tree: Tree, work: Work[_T]) -> tuple[_T, list[Hint]] | None:
    """Do `work` here and now, if no one else writes; None if someone does.  It is not synced."""
    try:
        index.begin(False)
    except sqlite3.OperationalError as error:
        with suppress(sqlite3.OperationalError):
            index.roll_back()
        if index.locked(error):
            return None
        raise
    turn = Turn(index, tree, False)
    try:
        answer = work(turn)
        turn.finish()
        index.commit()
    except BaseException:
        index.roll_back()
        turn.revert()
        raise
    return answer, turn.hints
