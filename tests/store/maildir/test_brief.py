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
from imapd.model.numset import NumSet
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

    place.run(gatherResults([beside("a"), beside("b"), writer.alone(noted("c")), beside("d")]))
    place.run(gatherResults([writer.alone(noted("e"))]))
    assert [name for name, _ in done] == list("abcde")
    pools = ["beside" if "beside" in thread else "apart" for _, thread in done]
    assert pools == ["beside", "beside", "apart", "apart", "apart"]


@pytest.fixture
def following(monkeypatch):
    """Where files follow, each time that they do."""
    places = []

    def noted(work):
        def follow(*arguments):
            thread = threading.current_thread().name
            places.append("beside" if "beside" in thread else "apart")
            return work(*arguments)

        return follow

    for name in ("follow", "follow_briefly"):
        monkeypatch.setattr(namespace, name, noted(getattr(namespace, name)))
    return places


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda box: box.store_flags(NumSet.of(1), FlagChange.ADD, FLAGGED), ["beside"]),
        (lambda box: box.expunge(NumSet.of(1)), ["beside"]),
        (lambda box: box.store_flags(box.uids(), FlagChange.ADD, FLAGGED), ["apart"]),
    ],
    ids=["flags of one", "expunge one", "flags of many"],
)
def test_files_follow_beside_if_they_are_few(place, box, following, change, where):
    """The tree follows small changes where the reactor runs, and others elsewhere."""
    place.add(box, "one", flags=["\\Deleted"])
    place.run(box.append([letter(str(number)).new() for number in range(60)]))
    place.tidied()
    following.clear()
    place.run(maybeDeferred(change, box))
    place.tidied()
    assert following == where
    assert not any(name.endswith(",U=1:2,T") for name in place.names())


@pytest.mark.parametrize("why", ["busy", "many small changes", "somebody renamed it"])
def test_what_is_more_follows_elsewhere(place, box, following, why):
    """Small changes of which more is to be done: what was left, what has gathered, a directory to be read."""
    place.run(box.append([letter(str(number)).new() for number in range(300)]))
    place.tidied()
    following.clear()
    uids = list(box.uids())
    if why == "busy":
        place.run(maybeDeferred(box.store_flags, box.uids(), FlagChange.ADD, FLAGGED))
        with place.files_stay():
            place.run(place.account.changing.tidy())
        other = sqlite3.connect(place.root / "imapd/index.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        place.tidied()
        other.execute("ROLLBACK")
        other.close()
    elif why == "many small changes":
        for at in range(0, 300, 50):
            some = NumSet.of(*uids[at : at + 50])
            place.run(maybeDeferred(box.store_flags, some, FlagChange.ADD, FLAGGED))
    else:
        (name,) = [each for each in place.names() if ",U=1:" in each]
        os.rename(place.root / "cur" / name, place.root / "cur" / (name + "R"))
    following.clear()
    place.run(maybeDeferred(box.store_flags, NumSet.of(1), FlagChange.ADD, interned(["\\Seen"])))
    place.tidied()
    assert following[-1] == "apart"
    assert place.run(place.account.examine()) == []
    first, others = ("RS", "") if why == "somebody renamed it" else ("FS", "F")
    assert {name.partition(",U=")[2] for name in place.names()} == {
        f"1:2,{first}",
        *(f"{uid}:2,{others}" for uid in uids[1:]),
    }


def test_many_mailboxes_follow_elsewhere(place, box, following):
    """Few messages in each of many mailboxes are many."""
    boxes = [place.make(f"box{number}") for number in range(6)]
    for each in boxes:
        place.add(each, "one", "two")
    place.tidied()
    following.clear()
    for each in boxes:
        place.run(maybeDeferred(each.store_flags, NumSet.of(1), FlagChange.ADD, FLAGGED))
    place.tidied()
    assert following == ["beside", "apart"]
    for number in range(6):
        assert {name[-3:] for name in place.names(f".box{number}")} == {":2,", "2,F"}


def test_an_account_that_is_shut_rests(place, box):
    """A MOVE that is answered meanwhile leaves nothing for later."""
    other = place.make("other")
    place.add(box, "one")
    place.tidied()
    may_go, account = threading.Event(), place.account
    account.writer.alone(lambda *_: may_go.wait(10))
    moved = Deferred.fromCoroutine(box.move(NumSet.of(1), other))
    shut = Deferred.fromCoroutine(account.shut())
    may_go.set()
    place.run(gatherResults([moved, shut]))
    place.run(place.pump.pause(0.1))
    assert not account.writer.index.opened
    assert len(place.names(".other")) == 1


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
