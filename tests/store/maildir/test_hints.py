"""Processes that serve one account tell each other; what is not told is found all the same."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from imapd.model.flags import FLAGGED, FlagChange
from imapd.model.mailbox import Hint
from imapd.store.interfaces import IManyProcesses
from tests.store.maildir.place import Place


@pytest.fixture
def other(place):
    """Another process's store, for the same mail."""
    made = Place(place.path).start()
    yield made
    made.stop()


@pytest.fixture
def heard(place, other):
    """What a client of the other process hears of a mailbox it has open; its looks are far away."""
    other.box()
    place.store.tell_others(other.store.told)
    hints = []
    other.account.watch(hints.append)
    return hints


def test_provides(place):
    """Several processes may serve it."""
    assert verifyObject(IManyProcesses, place.store)


def test_told_at_once(place, other, heard):
    """A change is told before it is answered, and once, whatever is found besides."""
    box = place.box()
    place.add(box, "one")
    assert heard == [Hint(box.id, place.run(box.status()).highest_modseq)]
    assert other.run(other.box().uids()) == place.run(box.uids())
    other.account._lookout._look()
    assert len(heard) == 1


def test_flags(place, other, heard):
    """A change that is made without waiting is told too."""
    box = place.box()
    place.add(box, "one")
    heard.clear()
    uids = place.run(box.uids())
    place.run(box.store_flags(uids, FlagChange.ADD, frozenset([FLAGGED])))
    assert heard == [Hint(box.id, place.run(box.status()).highest_modseq)]
    assert list(other.flags(other.box()).values()) == [frozenset([FLAGGED])]


def test_names(place, other, heard):
    """That a mailbox came is told, and it is there."""
    place.run(place.account.create("New"))
    assert Hint("") in heard
    assert "New" in {info.name for info in other.run(other.account.mailboxes())}


def test_annotations(place, other, heard):
    """Annotations are told once, though the index is looked at again."""
    place.run(place.account.annotate("", {"/shared/comment": b"x"}, 10, 1000))
    assert heard == [Hint("", entries=("/shared/comment",))]
    other.account._lookout.annotated()
    assert len(heard) == 1


def test_to_nobody(place, other, heard):
    """What is told of an account that nobody has open, or of no account, does nothing."""
    other.store.told("/none", [Hint("x", 1)])
    other.store.told(str(place.root), [])
    assert heard == []


def test_what_is_not_told_is_found(place, other, heard):
    """A hint that is lost costs time, and nothing else."""
    place.store.tell_others(lambda account, hints: None)
    box = place.box()
    place.add(box, "one")
    assert heard == []
    other.account._lookout._look()
    assert heard == [Hint(box.id, place.run(box.status()).highest_modseq)]


def test_found_before_it_is_told(place, other, heard):
    """What a look finds first is told then, though nobody had looked before."""
    told = []
    place.store.tell_others(lambda *news: told.append(news))
    box = place.box()
    place.add(box, "one")
    other.account._lookout._look()
    for account, hints in told:
        other.store.told(account, hints)
    assert heard == [Hint(box.id, place.run(box.status()).highest_modseq)]


def test_nothing_is_told_of_what_was(place, other):
    """The first look tells nothing, if nothing has happened."""
    place.add(place.box(), "one")
    hints = []
    other.box()
    other.account.watch(hints.append)
    other.account._lookout._look()
    assert hints == []
