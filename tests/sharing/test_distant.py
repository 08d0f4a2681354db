"""Sharing over a store whose every answer comes later, in whatever order."""

from __future__ import annotations

import gc
import random
from typing import Any

import pytest
from twisted.internet.task import Clock

from imapd.store.access import IShareable
from imapd.store.errors import StoreUnavailable
from tests.dialogue import Dialogue, Server, letter
from tests.distant import DistantStore, _Account, _Far
from tests.sharing.houses import ALICES, opened_up, share

_BOX = f'"{ALICES}box"'


class _SharingAccount(_Account):
    """What is kept of sharing is behind the door too."""

    def __conform__(self, interface: Any) -> Any:
        if interface is IShareable:
            return _Far(self._store, IShareable(self._near))
        return None


class _SharingStore(DistantStore):
    def open_account(self, user: str) -> Any:
        """As `IMailStore`."""
        return self.answer(
            "open_account", lambda: _SharingAccount(self, self.store.open_account(user))
        )


@pytest.fixture
def store() -> _SharingStore:
    """On a clock of its own."""
    return _SharingStore(Clock())


@pytest.fixture
def shared(store: _SharingStore) -> Server:
    """A server over it, whose users see mailboxes of each other, and no public ones."""
    return opened_up(Server(store, clock=store.clock), public="")


def _known(client: Dialogue) -> bytes:
    return b"".join(sorted(client.ok("UID FETCH 1:* (FLAGS)").splitlines(keepends=True)))


@pytest.mark.parametrize("seed", range(8))
def test_all_at_once(shared: Server, seed: int) -> None:
    """Sessions that change one mailbox at the same time come to know the same of it as a new one."""
    chance = random.Random(seed)
    alice = shared.client("alice")
    share(alice, "box", "lrswite", "bob")
    alice.append(*(letter(str(number)) for number in range(4)), mailbox="box")
    alice.select("box")
    bobs = [shared.client("bob", _BOX) for _ in range(3)]
    for _ in range(5):
        for client in (alice, *bobs):
            for _ in range(chance.randint(0, 3)):
                flag = chance.choice(("\\Seen", "\\Flagged", "\\Seen kw", "kw"))
                sign = chance.choice(("+", "-", ""))
                silent = chance.choice(("", ".SILENT"))
                client.post(
                    b"x UID STORE %d %bFLAGS%b (%b)\r\n"
                    % (chance.randint(1, 4), sign.encode(), silent.encode(), flag.encode())
                )
            shared.clock.advance(chance.choice((0, 0.05, 0.1)))
        shared.rest()
        for client in bobs:
            assert b"x NO" not in client.read()
        fresh = shared.client("bob", _BOX)
        expected = _known(fresh)
        for client in bobs:
            client.do("NOOP")
            assert _known(client) == expected
            assert client.do("SEARCH UNSEEN") == fresh.do("SEARCH UNSEEN")
        assert alice.do("NOOP").endswith(b"a OK NOOP completed\r\n")
        fresh.ok("LOGOUT")


def test_an_owner_whose_store_fails(shared: Server, store: _SharingStore) -> None:
    """A LIST is not lost because the mailboxes of one other user cannot be listed just now."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    store.faults["acls"] = StoreUnavailable()
    assert bob.ok('LIST "" *') == b'* LIST (\\HasNoChildren) "/" INBOX\r\n'
    shared.logged("StoreUnavailable")
    del store.faults["acls"]
    assert _BOX.encode() in bob.ok('LIST "" *')


def test_what_was_appended_stays(shared: Server, store: _SharingStore) -> None:
    r"""If \Seen cannot be kept, the message that came with it is there all the same, once."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lrsi")
    store.faults["mark"] = StoreUnavailable()
    bob.append(letter(), mailbox=_BOX, flags="\\Seen")
    assert bob.do(f"STATUS {_BOX} (MESSAGES UNSEEN)").startswith(
        b"* STATUS %b (MESSAGES 1 UNSEEN 1)" % _BOX.encode()
    )
    bob.select(_BOX)
    assert bob.do("STORE 1 +FLAGS (\\Seen)").startswith(b"a NO [UNAVAILABLE] ")


def test_two_who_come_at_once(shared: Server) -> None:
    """Sessions that learn at the same time what their user has seen learn it once."""
    alice = shared.client("alice")
    share(alice, "box", "lrs")
    alice.append(letter("1"), letter("2"), mailbox="box")
    before = shared.client("bob", _BOX)
    before.commands(
        ["STORE 1 +FLAGS (\\Seen)", "STORE 2 +FLAGS (\\Seen)", "STORE 1 -FLAGS (\\Seen)"]
    )
    before.ok("UNSELECT")
    figures = before.ok(f"STATUS {_BOX} (UNSEEN HIGHESTMODSEQ)")
    before.ok("LOGOUT")
    shared.rest()
    del before
    gc.collect()
    bobs = [shared.client("bob") for _ in range(3)]
    for client in bobs:
        client.post(b"a STATUS %b (UNSEEN HIGHESTMODSEQ)\r\n" % _BOX.encode())
    shared.rest()
    for client in bobs:
        assert client.read().startswith(figures)
    assert bobs[0].ok(f"STATUS {_BOX} (UNSEEN HIGHESTMODSEQ)") == figures


@pytest.mark.parametrize("tenths", range(24))
def test_unchanged_since_to_the_last(shared: Server, tenths: int) -> None:
    """What the owner changes before UNCHANGEDSINCE has done its work counts as changed, however late."""
    alice = shared.client("alice")
    share(alice, "box", "lrw")
    alice.append(letter(), mailbox="box")
    alice.select("box")
    bob = shared.client("bob", _BOX)
    modseq = bob.ok("FETCH 1 (MODSEQ)").split(b"MODSEQ (")[1].split(b")")[0]
    bob.post(b"b STORE 1 (UNCHANGEDSINCE %b) +FLAGS.SILENT (late)\r\n" % modseq)
    for _ in range(tenths):
        shared.clock.advance(0.05)
    alice.post(b"c STORE 1 +FLAGS (early)\r\n")
    shared.rest()
    first = b" FETCH (FLAGS (\\Recent early))" in alice.read()
    assert not first or b"b OK [MODIFIED 1] " in bob.read()
