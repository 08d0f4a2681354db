"""Another process writes: in between, or without an end, as when it was stopped or its disk is slow."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager

import pytest

from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.errors import StoreUnavailable
from imapd.store.maildir import founding, namespace, writer
from imapd.store.maildir import index as index_module
from imapd.store.maildir.index import Index
from imapd.store.maildir.moving import move_rows
from imapd.store.maildir.turn import transaction
from tests.store.maildir.place import Place


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Nobody waits long."""
    monkeypatch.setattr(index_module, "_STUCK", 0.05)
    for module in (writer, founding):
        monkeypatch.setattr(module, "WAIT_BEHIND", 0.05)
        monkeypatch.setattr(module, "WAIT", 0.2)


@contextmanager
def _writing(place):
    """Hold the lock, and change nothing."""
    other = sqlite3.connect(place.root / "imapd" / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_what_is_known_is_read(place, complaints):
    """Messages are read meanwhile, and what others delivered is seen when it can be entered."""
    box = place.box()
    place.add(box, "one")
    octets = place.octets(box, 1)
    with _writing(place):
        place.deliver("1.h")
        assert place.run(box.status()).messages == 1
        assert place.run(place.account.mailboxes())
        assert place.octets(place.box(), 1) == octets
        assert place.run(box.claim_recent()) == (2, 2)
    place.run(place.pump.pause(0.1))
    assert place.run(box.status()).messages == 2
    assert place.run(box.claim_recent()) == (1, 3)
    assert complaints == []


def test_what_changes_is_refused(place, complaints):
    """Who changes something waits, is told in the end that it cannot be now, and may try again."""
    box = place.box()
    with _writing(place), pytest.raises(StoreUnavailable):
        place.add(box, "one")
    assert place.run(box.status()).messages == 0
    assert place.add(box, "one") == [1]
    assert complaints == []


def test_an_account_is_opened(place, complaints):
    """Who comes new finds what was there."""
    place.add(place.box(), "one")
    (place.root / ".more" / "cur").mkdir(parents=True)
    with _writing(place):
        other = Place(place.path).start()
        assert place.run(other.box().status()).messages == 1
    other.run(other.pump.pause(0.1))
    assert {info.name for info in other.run(other.account.mailboxes())} == {"INBOX", "more"}
    other.stop()
    assert complaints == []


def test_an_account_that_others_write_to_before_it_is_one(place, complaints):
    """Who comes first, while another process holds the index, may come again."""
    place.stop()
    with sqlite3.connect(place.root / "imapd" / "index.sqlite") as index:
        index.execute("DELETE FROM meta WHERE key = 'owner'")
    index.close()
    other = Place(place.path)
    with _writing(place), pytest.raises(StoreUnavailable, match="busy"):
        other.start()
    other = Place(place.path).start()
    assert place.run(other.box().status()).messages == 0
    other.stop()
    assert complaints == []


def test_names_of_files_follow_later(place, complaints):
    """What was to be done behind the answers is done when the account is opened again."""
    box = place.box()
    place.add(box, "one", flags=["\\Seen"])
    with place.files_stay():
        place.run(place.box("INBOX").move(box.uids(), place.make("other")))
    with _writing(place):
        place.tidied()
        assert len(place.names()) == 1
    place.restart()
    assert len(place.names(".other")) == 1
    assert complaints == []


@pytest.mark.parametrize("times", [1, 100])
def test_messages_are_moved_out_of_what_is_deleted(place, monkeypatch, times):
    """Just before it goes: their files are fetched too, and if that never ends nothing is deleted."""
    inbox, gone = place.box(), place.make("Gone")
    place.add(gone, *(f"subject {number}" for number in range(20)))
    place.tidied()
    other = Index(place.account.tree.index, wait=5.0, checkpoints=False)
    fetch, moves = namespace.tidy, []

    def moving_on(index, tree, number, hints):
        fetch(index, tree, number, hints)
        if len(moves) < times:
            moves.append(number)
            with transaction(other, tree, True) as turn:
                move_rows(turn, gone.number, NumSet.of(len(moves)), inbox.number)

    monkeypatch.setattr(namespace, "tidy", moving_on)
    deleting = place.account.delete("Gone")
    if times == 1:
        place.run(deleting)
    else:
        with pytest.raises(StoreUnavailable):
            place.run(deleting)
        assert "Gone" in {info.name for info in place.run(place.account.mailboxes())}
    other.close()
    monkeypatch.undo()
    place.restart()
    found = place.box()
    assert [place.octets(found, uid) for uid in place.flags(found)] == [
        letter(f"subject {number}").octets for number in range(len(moves))
    ]


@pytest.mark.parametrize("comes", [True, False])
def test_nothing_is_lost_with_what_is_deleted(place, monkeypatch, comes):
    """Though another program renames the file of one that has gone; also when another comes in."""
    inbox, gone, other = place.box(), place.make("Gone"), place.make("Other")
    place.add(gone, "goes", "stays")
    place.add(other, "comes")
    place.tidied()
    theirs = Index(place.account.tree.index, wait=5.0, checkpoints=False)
    fetch, done = namespace.tidy, []

    def moving_on(index, tree, number, hints):
        fetch(index, tree, number, hints)
        if not done:
            done.append(number)
            with transaction(theirs, tree, True) as turn:
                move_rows(turn, gone.number, NumSet.of(1), inbox.number)
                if comes:
                    move_rows(turn, other.number, NumSet.of(1), gone.number)
            (name,) = [each for each in place.names(".Gone") if ",U=1:" in each]
            cur = place.root / ".Gone" / "cur"
            (cur / name).rename(cur / (name + "F"))

    monkeypatch.setattr(namespace, "tidy", moving_on)
    place.run(place.account.delete("Gone"))
    theirs.close()
    monkeypatch.undo()
    place.restart()
    assert [place.octets(place.box(), uid) for uid in place.flags(place.box())] == [
        letter("goes").octets
    ]
