"""A Maildir that was copied or moved with its index: no two accounts share what is known of mailboxes."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from tests.store.maildir.place import Place


@pytest.fixture
def place(tmp_path):
    """Alice's account, closed, with a message in each of two mailboxes."""
    place = Place(tmp_path / "mail").start()
    place.add(place.box(), "one")
    place.add(place.make("other"), "two")
    place.run(place.account.annotate("other", {"/private/comment": b"mine"}, 10, 1_000))
    place.stop()
    return place


class _Other:
    """Another account of the same store."""

    def __init__(self, place, user):
        self.place = place
        self.account = place.run(place.store.open_account(user))

    def ids(self):
        """The ids of mailboxes by name."""
        return _ids(self.place, self.account)

    def close(self):
        """Have it closed when the place is."""
        self.place.run(self.account.close())


def _ids(place, account):
    return {info.name: info.id for info in place.run(account.mailboxes())}


def _opened(place, user):
    """The ids of that user's mailboxes, now that the account has been opened and closed."""
    place.start()
    other = _Other(place, user)
    ids = other.ids()
    other.close()
    place.stop()
    return ids


def test_copied(place):
    """Mailboxes that were copied have ids of their own, and keep what was said of them."""
    shutil.copytree(place.root, place.path / "bob")
    before = _opened(place, "alice")
    place.start()
    bob = _Other(place, "bob")
    ids = bob.ids()
    assert ids.keys() == before.keys()
    assert not {*ids.values()} & {*before.values()}
    noted = place.run(bob.account.annotations("other"))
    assert noted == {"/private/comment": b"mine"}
    bob.close()
    place.stop()
    assert _opened(place, "bob") == ids
    assert _opened(place, "alice") == before


def test_copied_twice(place):
    """So have copies of copies."""
    shutil.copytree(place.root, place.path / "bob")
    bob = _opened(place, "bob")
    shutil.copytree(place.path / "bob", place.path / "carol")
    carol, alice = _opened(place, "carol"), _opened(place, "alice")
    assert len({*alice.values(), *bob.values(), *carol.values()}) == 6


def test_what_is_copied_is_apart(place):
    """What one does to his messages is not seen at the other's, though both are open."""
    shutil.copytree(place.root, place.path / "bob")
    place.start()
    bob = _Other(place, "bob")
    seen = interned(["\\Seen"])
    mine, his = place.box(), place.run(bob.account.open("INBOX"))
    place.run(mine.store_flags(NumSet.of(1), FlagChange.ADD, seen))
    assert mine.id != his.id
    assert place.flags(mine) == {1: seen}
    assert place.flags(his) == {1: interned([])}
    bob.close()
    place.stop()


def test_moved(place):
    """An account that was moved is the same, by whatever name; also if there is a new one where it was."""
    before = _opened(place, "alice")
    place.root.rename(place.path / "bob")
    assert _opened(place, "bob") == before
    (place.path / "bob").rename(place.path / "carol")
    _opened(place, "bob")
    assert _opened(place, "carol") == before


def test_linked(place):
    """One account with two names is one."""
    before = _opened(place, "alice")
    (place.path / "bob").symlink_to(place.root)
    assert _opened(place, "bob") == before
    assert _opened(place, "alice") == before


@pytest.mark.parametrize("owner", ["", "a\0b", "/", "relative", "x" * 10_000])
def test_no_place(place, owner):
    """An index that names no place of any account is taken as it is."""
    before = _opened(place, "alice")
    with closing(sqlite3.connect(place.root / "imapd" / "index.sqlite")) as index, index:
        index.execute("UPDATE meta SET value = ? WHERE key = 'owner'", (owner,))
    assert _opened(place, "alice") == before


@pytest.mark.parametrize("octets", [b"", b"no index at all"])
def test_unreadable(place, octets):
    """One that names an account whose index cannot be read may be a copy of that."""
    before = _opened(place, "alice")
    shutil.copytree(place.root, place.path / "bob")
    (place.root / "imapd" / "index.sqlite").write_bytes(octets)
    assert not {*_opened(place, "bob").values()} & {*before.values()}


def test_lost_index(place):
    """If the index of a copy is lost, its mailboxes into which mail has come since are not the other's."""
    shutil.copytree(place.root, place.path / "bob")
    place.start()
    bob = _Other(place, "bob")
    inbox = place.run(bob.account.open("INBOX"))
    place.add(inbox, "three")
    bob.close()
    place.stop()
    shutil.rmtree(place.path / "bob" / "imapd")
    assert _opened(place, "bob")["INBOX"] == inbox.id
