"""Brief changes: their rows are written at once, what waits for the disk is done in a thread."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from contextlib import contextmanager

import pytest
from twisted.internet.defer import Deferred, DeferredList, gatherResults, maybeDeferred

from imapd.model.flags import FlagChange, interned
from imapd.store.contract.letters import letter
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir import namespace
from imapd.store.maildir.index import Index
from imapd.store.maildir.spool import Draft

FLAGGED = interned(["\\Flagged"])


def appended(box, *subjects):
    """One message after the other, none of them waited for."""
    return [Deferred.fromCoroutine(box.append([letter(each).new()])) for each in subjects]


@contextmanager
def slow_disk(monkeypatch):
    """While it lasts nothing that is synced comes to the disk; then all that waits."""
    written, fsync = threading.Event(), os.fsync

    def slowly(descriptor):
        assert written.wait(10)
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", slowly)
        try:
            yield
        finally:
            written.set()


@pytest.fixture
def box(place):
    """INBOX, when the writer has been at work before."""
    place.add(place.make("Any"), "any")
    place.later()
    place.run(place.account.writer.when_idle())
    return place.box()


def test_what_is_not_on_the_disk_is_not_seen(place, box, monkeypatch):
    """Who asks meanwhile is answered at once, and told nothing of it."""
    with slow_disk(monkeypatch):
        (answer,) = appended(box, "one")
        place.run(place.pump.pause(0.05))
        assert not answer.called
        assert place.run(box.status()).messages == 0
        assert not place.run(box.changes_since(0)).uids
    assert place.run(answer).uids == [1]
    assert place.run(box.status()).messages == 1


def test_what_comes_meanwhile_is_committed_together(place, box, monkeypatch):
    """The first has its commit; those that came while it was waited for share the next."""
    commits, commit = [], Index.commit

    def noted(index):
        commits.extend(index.sql("PRAGMA synchronous").fetchone())
        commit(index)

    monkeypatch.setattr(Index, "commit", noted)
    with slow_disk(monkeypatch):
        answers = appended(box, *map(str, range(10)))
    found = place.run(gatherResults(answers))
    assert [each.uids for each in found] == [[uid] for uid in range(1, 11)]
    assert commits.count(2) == 2


@pytest.mark.parametrize("first", [False, True], ids=["among others", "alone"])
def test_one_that_fails_fails_alone(place, box, monkeypatch, first):
    """The disk refuses one: nothing of it stays, and the others get the UIDs without a gap."""
    sync, bad = Draft.sync, []

    def refused(draft, date):
        if b"Subject: bad" in (draft.octets or b""):
            bad.append(draft)
        if draft in bad:
            raise OSError(errno.EIO, "the disk does not take it")
        sync(draft, date)

    monkeypatch.setattr(Draft, "sync", refused)
    names = ["bad", "one", "two"] if first else ["one", "two", "bad", "three"]
    outcomes = place.run(DeferredList(appended(box, *names), consumeErrors=True))
    kept = [name for name in names if name != "bad"]
    assert [ok for ok, _ in outcomes] == [name != "bad" for name in names]
    assert [answer.uids[0] for ok, answer in outcomes if ok] == list(range(1, len(kept) + 1))
    (failure,) = [answer for ok, answer in outcomes if not ok]
    assert failure.check(StoreUnavailable)
    assert len(place.names()) == place.run(box.status()).messages == len(kept)
    assert place.names(part="tmp") == []


@pytest.mark.parametrize("subjects", [["one"], ["one", "two", "three"]], ids=len)
@pytest.mark.parametrize("call", ["write", "fsync", "link", "commit"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_failure_is_not_forgotten(place, box, monkeypatch, call, number, subjects):
    """What failed once is not tried again and called good: the kernel tells of a lost page once.

    Who is told that a message is kept finds all its octets.
    """
    where = Index if call == "commit" else os
    works, calls = getattr(where, call), []

    def fails_once(*arguments, **named):
        calls.append(arguments)
        if len(calls) == number:
            raise OSError(errno.EIO, "lost")
        return works(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(where, call, fails_once)
        outcomes = place.run(DeferredList(appended(box, *subjects), consumeErrors=True))
        place.run(place.account.writer.when_idle())
    kept = [answer.uids[0] for ok, answer in outcomes if ok]
    if call != "link" and number == 1:
        # The first of them, or all that share a commit with it.
        assert not outcomes[0][0]
    assert list(place.run(box.status()) and box.uids()) == kept
    for (ok, answer), subject in zip(outcomes, subjects):
        if ok:
            assert place.octets(box, answer.uids[0]) == letter(subject).octets
    assert len(place.names()) == len(kept)
    assert place.add(box, "next")


def test_what_is_long_is_done_elsewhere(place, box):
    """Brief work runs where the reactor does, whatever waits before it; all of it in order."""
    writer, done = place.account.writer, []

    def noted(name):
        return lambda *_: done.append((name, threading.current_thread().name))

    def beside(name):
        return writer.behind(noted(name), brief=True)

    place.run(
        gatherResults(
            [beside("a"), beside("b"), writer.alone(noted("c")), writer.behind(noted("d"))]
        )
    )
    place.run(gatherResults([writer.alone(noted("e"))]))
    assert [name for name, _ in done] == list("abcde")
    pools = ["beside" if "beside" in thread else "apart" for _, thread in done]
    assert pools == ["beside", "beside", "apart", "apart", "apart"]


@pytest.mark.parametrize(
    ("change", "pool"),
    [
        (lambda box: box.store_flags(box.uids(), FlagChange.ADD, FLAGGED), "beside"),
        (lambda box: box.expunge(box.uids()), "beside"),
        (lambda box: Deferred.fromCoroutine(box.append([letter("x").new()] * 5)), "apart"),
    ],
    ids=["flags", "expunge", "many that come"],
)
def test_files_follow_beside_if_they_are_few(place, box, monkeypatch, change, pool):
    """The tree follows small changes where the reactor runs, and what may be many elsewhere."""
    place.add(box, "one")
    place.tidied()
    threads, tidy = [], namespace.tidy_all

    def noted(*arguments):
        threads.append(threading.current_thread().name)
        tidy(*arguments)

    monkeypatch.setattr(namespace, "tidy_all", noted)
    place.run(maybeDeferred(change, box))
    place.tidied()
    assert ["beside" if "beside" in name else "apart" for name in threads] == [pool]


def test_a_draft_that_was_lost(place, monkeypatch):
    """One that could not be brought to the disk is refused for good, whoever asks next."""
    boxes = [place.make("one"), place.make("two")]
    place.tidied()
    spool = place.account.spool()
    spool.write(letter("lost").octets)
    sent = letter("lost").new(spool.reader())
    fsync, failed = os.fsync, []

    def fails_once(descriptor):
        if not failed:
            failed.append(descriptor)
            raise OSError(errno.EIO, "lost")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fails_once)
    for box in boxes:
        with pytest.raises(StoreUnavailable):
            place.run(box.append([sent]))
        assert place.run(box.status()).messages == 0
    spool.close()
    assert failed


def test_another_process_writes(place, box):
    """It waits, while others are answered, and is done when that comes to an end."""
    other = sqlite3.connect(place.root / "imapd" / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (answer,) = appended(box, "one")
    place.run(place.pump.pause(0.1))
    assert not answer.called
    assert place.run(box.status()).messages == 0
    other.close()
    assert place.run(answer).uids == [1]
