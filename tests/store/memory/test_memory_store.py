"""The memory store, where it promises more than the contract."""

from __future__ import annotations

import time
from typing import TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from imapd.model.flags import FlagChange, interned
from imapd.model.limits import Limits
from imapd.model.mailbox import Changes, Hint
from imapd.model.message import ENVELOPE, FLAGS, INTERNAL_DATE, MODSEQ, SIZE, Facts
from imapd.model.numset import NumSet
from imapd.store import maker
from imapd.store.contract.letters import letter
from imapd.store.errors import BadMailboxName, MessageGone, StoreError
from imapd.store.interfaces import IMapped, IMessageReader, NewMessage
from imapd.store.maker import UnknownStore
from imapd.store.memory import (
    BytesReader,
    MemoryAccount,
    MemoryMailbox,
    MemoryStore,
    open_store,
)

_T = TypeVar("_T")

SEEN = interned(["\\Seen"])
DELETED = interned(["\\Deleted"])
ALL = NumSet([(1, 1 << 32)])


def account() -> MemoryAccount:
    """An account in a store of its own."""
    return MemoryStore(Clock().seconds).open_account("alice")


def added(mailbox: MemoryMailbox, *messages: NewMessage) -> list[int]:
    """UIDs of messages appended at once."""
    waiting = Deferred.fromCoroutine(mailbox.append(messages))
    found: list[list[int]] = []
    failed: list[BaseException] = []
    waiting.addCallbacks(
        lambda appended: found.append(list(appended.uids)),
        lambda failure: failed.append(failure.value),
    )
    if failed:
        raise failed[0]
    return found[0]


def inbox(count: int = 0) -> MemoryMailbox:
    """INBOX with some messages."""
    mailbox = account().open("INBOX")
    added(mailbox, *[letter(f"n{number}").new() for number in range(count)])
    return mailbox


class TestStore:
    """`MemoryStore` and its factory."""

    def test_found_by_name(self) -> None:
        """``memory:`` is a store."""
        assert isinstance(maker.open_store(Clock(), "memory:"), MemoryStore)

    def test_takes_no_argument(self) -> None:
        """The refusal says what to write."""
        with pytest.raises(UnknownStore, match="write 'memory:'"):
            open_store(Clock(), "/var/mail")

    def test_uidvalidity_is_the_time(self) -> None:
        """So that a store of a later process has other ones; within a second they are counted on."""
        clock = Clock()
        clock.advance(1_000_000)
        alice = MemoryStore(clock.seconds).open_account("alice")
        assert alice.open("INBOX").uidvalidity == 1_000_000
        alice.create("a")
        clock.advance(500)
        alice.create("b")
        assert alice.open("a").uidvalidity == 1_000_001
        assert alice.open("b").uidvalidity == 1_000_500

    def test_uidvalidity_has_32_bits(self) -> None:
        """Also after 2106."""
        clock = Clock()
        clock.advance(5_000_000_000)
        mailbox = MemoryStore(clock.seconds).open_account("alice").open("INBOX")
        assert mailbox.uidvalidity == 5_000_000_000 - (1 << 32)

    def test_two_sessions_have_one_account(self) -> None:
        """The account of a user is one object."""
        store = MemoryStore()
        assert store.open_account("alice") is store.open_account("alice")
        assert store.open_account("alice") is not store.open_account("bob")

    def test_close_forgets(self) -> None:
        """Mail lives as long as the store."""
        store = MemoryStore()
        store.open_account("alice").create("work")
        store.close()
        assert [info.name for info in store.open_account("alice").mailboxes()] == ["INBOX"]

    def test_limits(self) -> None:
        """The longest name is that of the limits."""
        alice = MemoryStore(limits=Limits(mailbox_name=5)).open_account("alice")
        alice.create("12345")
        with pytest.raises(BadMailboxName):
            alice.create("123456")
        with pytest.raises(BadMailboxName):
            alice.subscribe("123456", True)

    def test_rename_makes_no_name_too_long(self) -> None:
        """A mailbox below must have room too; otherwise nothing is renamed."""
        alice = MemoryStore(limits=Limits(mailbox_name=5)).open_account("alice")
        alice.create("a/bcd")
        with pytest.raises(BadMailboxName):
            alice.rename("a", "x/y")
        assert [info.name for info in alice.mailboxes()] == ["INBOX", "a", "a/bcd"]


class TestReader:
    """`BytesReader`."""

    def test_provides_its_interface(self) -> None:
        """It can be the content of a new message."""
        assert verifyObject(IMessageReader, BytesReader(b"x"))

    def test_reads(self) -> None:
        """Any part, fewer octets only at the end."""
        reader = BytesReader(b"0123456789")
        assert reader.size == 10
        assert [reader.read(2, 3), reader.read(8, 5), reader.read(10, 1)] == [b"234", b"89", b""]
        reader.close()

    def test_messages_are_served_without_a_copy(self) -> None:
        """A reader of the store gives the octets themselves."""
        mailbox = inbox()
        data = letter().octets
        added(mailbox, letter().new(BytesReader(data)))
        reader = mailbox.read(1)
        assert IMapped(reader).buffer() is data


class TestAppending:
    """What comes in."""

    def test_content_that_ends_early(self) -> None:
        """A message cut short is not stored."""

        class Cut:
            size = 10

            def read(self, offset: int, length: int) -> bytes:
                return b"123"[offset : offset + length]

            def close(self) -> None:
                pass

        mailbox = inbox()
        with pytest.raises(MessageGone):
            added(mailbox, letter().new(Cut()))  # type: ignore[arg-type]  # provides by shape
        assert mailbox.status().messages == 0

    def test_deleted_while_the_octets_come(self) -> None:
        """The append fails; nothing is stored in a mailbox that is gone."""
        alice = account()
        alice.create("work")
        mailbox = alice.open("work")
        answer: Deferred[bytes] = Deferred()

        class Slow:
            size = 1

            def read(self, offset: int, length: int) -> Deferred[bytes]:
                return answer

            def close(self) -> None:
                pass

        failed: list[BaseException] = []
        waiting = Deferred.fromCoroutine(
            mailbox.append([letter().new(Slow())])  # type: ignore[arg-type]  # provides by shape
        )
        waiting.addErrback(lambda failure: failed.append(failure.value))
        alice.delete("work")
        answer.callback(b"x")
        assert isinstance(failed[0], StoreError)

    def test_flags_are_shared(self) -> None:
        """Messages with equal flags share one set of them, whoever made it."""
        mailbox = inbox()
        added(mailbox, letter("a", ["\\Seen"]).new(), letter("b").new())
        mailbox.store_flags(NumSet.of(2), FlagChange.ADD, frozenset(["\\Seen"]))
        (batch,) = mailbox.scan(ALL, frozenset([FLAGS]))
        assert batch.columns[FLAGS][0] is batch.columns[FLAGS][1]


class TestChanges:
    """The log and its shortening."""

    def test_a_long_log_is_shortened(self) -> None:
        """Its length is bounded by messages, not by changes; every answer stays exact."""
        mailbox = inbox(20)
        known: dict[int, Changes] = {}
        for number in range(3_000):
            uid = number % 10 + 1
            change = FlagChange.REMOVE if number // 10 % 2 else FlagChange.ADD
            mailbox.store_flags(NumSet.of(uid), change, SEEN)
            if number == 1_500:
                mailbox.store_flags(NumSet.of(15), FlagChange.ADD, DELETED)
                mailbox.expunge(ALL)
        assert len(mailbox._log) < 2_000
        now = mailbox.status().highest_modseq
        for since in (0, 2, 1_000, 1_503, 2_000, now - 5, now):
            known[since] = mailbox.changes_since(since)
            (batch,) = mailbox.scan(ALL, frozenset([MODSEQ]))
            assert list(known[since].uids) == [
                uid for uid, modseq in zip(batch.uids, batch.columns[MODSEQ]) if modseq > since
            ]
        assert known[1_000].vanished == NumSet.of(15)
        assert known[2_000].vanished == NumSet()

    def test_ten_thousand_messages(self) -> None:
        """A listing takes milliseconds, and one change among them costs nothing to tell."""
        mailbox = inbox(10_000)
        began = time.perf_counter()
        columns = frozenset([FLAGS, MODSEQ, INTERNAL_DATE, SIZE, ENVELOPE])
        assert [len(batch.uids) for batch in mailbox.scan(ALL, columns)] == [1_000] * 10
        modseq = mailbox.status().highest_modseq
        for uid in range(1, 1_001):
            mailbox.store_flags(NumSet.of(uid), FlagChange.ADD, SEEN)
            assert len(mailbox.changes_since(modseq + uid - 1).uids) == 1
        # A hundred times what it takes, so that a busy machine does not fail it.
        assert time.perf_counter() - began < 2


class TestKeepFacts:
    """`IFactsKept`."""

    def test_facts_are_replaced(self) -> None:
        """Facts computed again are served; a UID that is gone is passed over."""
        mailbox = inbox(2)
        new = Facts(1, 2, b"(envelope)", b"(structure)", b"header", None, "")
        mailbox.keep_facts([(2, new), (7, new)])
        (batch,) = mailbox.scan(NumSet.of(2), frozenset([ENVELOPE, SIZE]))
        assert batch.columns[ENVELOPE] == [b"(envelope)"]
        assert batch.columns[SIZE] == [len(letter("n1").octets)]


class TestHints:
    """Hints are exact here: one for each change, in the order of changes."""

    def test_one_for_each_change(self) -> None:
        """None is merged, none is sent for what changed nothing."""
        alice = account()
        mailbox = alice.open("INBOX")
        hints: list[Hint] = []
        alice.watch(hints.append)
        added(mailbox, letter().new())
        mailbox.store_flags(ALL, FlagChange.ADD, SEEN)
        mailbox.store_flags(ALL, FlagChange.ADD, SEEN)
        mailbox.expunge(ALL)
        alice.create("work")
        alice.delete("work")
        deleted = hints[3].mailbox_id
        assert hints == [
            Hint(mailbox.id, 2),
            Hint(mailbox.id, 3),
            Hint(""),
            Hint(deleted, 1),
            Hint(""),
        ]

    def test_a_change_made_by_a_watcher_comes_after(self) -> None:
        """Every watcher is told in the order of commits, though one of them changes something."""
        alice = account()
        mailbox = alice.open("INBOX")
        told: list[tuple[str, int]] = []

        def first(hint: Hint) -> None:
            told.append(("first", hint.modseq))
            mailbox.store_flags(ALL, FlagChange.ADD, SEEN)

        alice.watch(first)
        alice.watch(lambda hint: told.append(("second", hint.modseq)))
        added(mailbox, letter().new())
        assert told == [("first", 2), ("second", 2), ("first", 3), ("second", 3)]

    def test_a_watcher_that_ends_another(self) -> None:
        """Who was ended is not called, not even for the same change."""
        alice = account()
        told: list[Hint] = []
        alice.watch(lambda hint: end())
        end = alice.watch(told.append)
        alice.create("work")
        assert told == []

    def test_one_callback_given_twice(self) -> None:
        """It is called twice, and each watch ends for itself."""
        alice = account()
        told: list[Hint] = []
        callback = told.append
        end = alice.watch(callback)
        alice.watch(callback)
        alice.create("a")
        end()
        alice.create("b")
        assert len(told) == 3

    def test_a_watcher_that_fails(self) -> None:
        """The change is made and the others are told."""
        alice = account()
        told: list[Hint] = []

        def fails(hint: Hint) -> None:
            raise ValueError("broken watcher")

        alice.watch(fails)
        alice.watch(told.append)
        alice.create("work")
        assert told == [Hint("")]


class TestCopying:
    """The limits of copy and move."""

    def test_into_another_store(self) -> None:
        """A destination that is no mailbox of a memory store is a fault of the caller."""
        with pytest.raises(TypeError):
            inbox(1).copy(ALL, object())  # type: ignore[arg-type]  # that is the fault

    def test_into_another_account(self) -> None:
        """The watchers of the destination's account are told."""
        store = MemoryStore()
        source, target = store.open_account("alice"), store.open_account("bob")
        hints: list[Hint] = []
        target.watch(hints.append)
        added(source.open("INBOX"), letter().new())
        copied = source.open("INBOX").copy(ALL, target.open("INBOX"))
        assert list(copied.uids) == [1]
        assert hints == [Hint(target.open("INBOX").id, 2)]

    def test_move_into_itself_is_one_change(self) -> None:
        """Both halves are told by one `Changes` with one modseq."""
        mailbox = inbox(2)
        moved = mailbox.move(NumSet.of(1), mailbox)
        assert moved.removed == moved.changes
        assert (moved.changes.since, moved.changes.modseq) == (2, 3)
        assert (list(moved.changes.uids), moved.changes.vanished) == ([3], NumSet.of(1))
