"""The index: figures, log, group commit, and what comes between."""

import os
import sqlite3
import threading

import pytest
from twisted.internet.defer import Deferred, gatherResults

from imapd.model.flags import FlagChange, interned
from imapd.model.message import ENVELOPE, HEADER, PREVIEW
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.maildir import edit as edits
from imapd.store.maildir import store
from imapd.store.maildir.index import Index
from imapd.store.maildir.indexing import Indexing
from tests.store.maildir.place import EVERYTHING, Place

#: What PRAGMA synchronous says of a connection whose commits are on the disk when they return.
_FULL = 2


def test_appends_share_a_commit(place, monkeypatch):
    """Appends that come together are committed together, each with its modseq."""
    commits = []
    commit = Index.commit

    def noted(index):
        commits.extend(index.sql("PRAGMA synchronous").fetchone())
        commit(index)

    monkeypatch.setattr(Index, "commit", noted)
    box = place.box()
    commits.clear()
    # However fast the disk is, they wait together behind a change that takes long.
    busy = threading.Event()
    place.account.writer.alone(lambda *_: busy.wait(10))
    place.pump.callLater(0.1, busy.set)
    answers = place.run(
        gatherResults(
            [Deferred.fromCoroutine(box.append([letter(f"{n}").new()])) for n in range(30)]
        )
    )
    assert len({answer.changes.modseq for answer in answers}) == 30
    assert [answer.uids for answer in answers] == [[n] for n in range(1, 31)]
    # The others, of what is done behind the answers, are not synced.
    assert commits.count(_FULL) == 1


def test_small_changes_are_made_at_once(place):
    """A STORE of one message needs no thread, unless one is at work; its answer is there."""
    box = place.box()
    place.add(box, "one")
    place.run(place.account.writer.when_idle())
    stored = box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Seen"]))
    assert list(stored.changes.uids) == [1]


def test_a_change_waits_for_another_process(place):
    """While another process writes, a STORE waits in a thread, and reads go on."""
    box = place.box()
    place.add(box, "one")
    other = Index(str(place.root / "imapd" / "index.sqlite"), 1.0, False)
    other.begin(False)
    stored = box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Seen"]))
    assert isinstance(stored, Deferred)
    assert place.run(box.status()).unseen == 1
    threading.Timer(0.1, other.roll_back).start()
    assert list(place.run(stored).changes.uids) == [1]
    other.close()


def test_rows_are_as_they_are_now(place):
    """What was read of a mailbox is read again when anybody has written, or undone it."""
    path = str(place.root / "imapd" / "index.sqlite")
    here, there = Index(path, 1.0, False), Index(path, 1.0, False)
    change = "UPDATE mailboxes SET unseen = unseen + 1"
    try:
        row = here.named("INBOX")
        assert here.mailbox(row.number) is row
        there.sql(change)
        assert here.mailbox(row.number).unseen == here.named("INBOX").unseen == 1
        here.sql(change)
        assert here.mailbox(row.number).unseen == there.mailbox(row.number).unseen == 2
        here.begin(False)
        here.sql(change)
        assert (here.named("INBOX").unseen, there.named("INBOX").unseen) == (3, 2)
        here.roll_back()
        assert here.named("INBOX").unseen == here.mailbox(row.number).unseen == 2
        here.sql("UPDATE mailboxes SET name = 'other'")
        assert here.named("INBOX") is there.named("INBOX") is None
        here.close()
        there.sql(change)
        assert here.mailbox(row.number).unseen == 3
    finally:
        here.close()
        there.close()


@pytest.mark.parametrize("end", ["commit", "roll_back", "close"])
def test_what_others_write_after_a_transaction(place, end):
    """It is seen, whatever was asked for in the transaction, and however that came to its end."""
    place.account.writer.index.close()
    here, there = (Index(place.account.tree.index, wait=5.0, checkpoints=False) for _ in range(2))
    for uidnext in (10, 20, 30):
        here.begin(True)
        here.mailbox(1)
        getattr(here, end)()
        here.mailbox(1)
        there.begin(True)
        there.sql("UPDATE mailboxes SET uidnext = ? WHERE number = 1", (uidnext,))
        there.commit()
        assert here.mailbox(1).uidnext == uidnext
    here.close()
    there.close()


def test_another_process(place):
    """Two processes on one tree see each other's changes, and tell of them."""
    other = Place(place.path).start()
    try:
        box, theirs = place.box(), other.box()
        hints = []
        end = place.account.watch(hints.append)
        place.run(place.pump.pause(1.1))
        other.add(theirs, "from there", flags=["keyword"])
        assert place.flags(box) == {1: {"keyword"}}
        place.run(place.pump.pause(1.2))
        assert any(hint.mailbox_id == box.id for hint in hints)
        end()
        place.add(box, "from here", flags=["KEYWORD", "more"])
        assert other.flags(theirs) == {1: {"keyword"}, 2: {"keyword", "more"}}
        other.run(other.account.create("made there"))
        assert place.box("made there").id == other.box("made there").id
    finally:
        other.stop()


def test_another_process_annotates(place):
    """Which annotations another process changed is told within seconds, each change once."""
    other = Place(place.path).start()

    def annotate(who, mailbox, **values):
        values = {f"/{entry}": value for entry, value in values.items()}
        return who.run(who.account.annotate(mailbox, values, 100, 10_000))

    try:
        id = place.box().id
        annotate(other, "INBOX", before=b"1")
        hints = []
        end = place.account.watch(hints.append)
        annotate(other, "INBOX", x=b"1", y=b"2")
        assert annotate(place, "INBOX", x=b"3") == ("/x",)
        annotate(other, "", z=b"1")
        place.run(place.pump.pause(2.3))
        # A hint that says only when to look may come at any time.
        assert [(hint.mailbox_id, hint.entries) for hint in hints if hint.entries] == [
            (id, ("/x", "/y")),
            (id, ("/x",)),
            ("", ("/z",)),
        ]
        end()
    finally:
        other.stop()


def test_annotations_in_thousands(place):
    """Of changes of annotations only the last are noted in the index."""
    for number in range(25):
        values = {f"/{number}/{each}": b"x" for each in range(100)}
        place.run(place.account.annotate("", values, 10_000, 1_000_000))
    (count,) = place.account.index.sql("SELECT count(*) FROM annotation_log").fetchone()
    assert count == 1_000


def test_the_log_is_joined(place, monkeypatch):
    """Old entries of the log are joined, and every answer stays right."""
    monkeypatch.setattr(edits, "_APART", 8)
    monkeypatch.setattr(edits, "_JOINED", 4)
    box = place.box()
    snapshots = []

    def snapshot():
        (batch,) = box.scan(EVERYTHING, frozenset(["flags", "modseq"])) if box.uids() else (None,)
        known = (
            dict(zip(batch.uids, zip(batch.columns["flags"], batch.columns["modseq"])))
            if batch
            else {}
        )
        snapshots.append((place.run(box.status()).highest_modseq, known))

    snapshot()
    for turn in range(12):
        place.add(box, "a", "b")
        snapshot()
        place.run(box.store_flags(NumSet.of(2 * turn + 1), FlagChange.ADD, interned(["\\Deleted"])))
        snapshot()
        if turn % 2:
            place.run(box.expunge(EVERYTHING))
            snapshot()
    rows = place.account.index.sql("SELECT count(*) FROM log").fetchone()[0]
    assert rows < 20
    modseq, now = snapshots[-1]
    for since, known in snapshots:
        changes = place.run(box.changes_since(since))
        told = {uid: each for uid, each in known.items() if uid not in changes.vanished}
        told.update(zip(changes.uids, zip(changes.flags, changes.modseqs)))
        assert told == now
        assert changes.modseq == modseq
    assert set(box.uids()) == now.keys()


def test_facts_are_kept(place):
    """Facts offered for a message are there the next time; others are left out."""
    box = place.box()
    place.deliver("1.h", b"Subject: x\n\n")
    place.run(box.status())
    facts = letter("other").facts
    place.run(box.keep_facts([(1, facts), (99, facts)]))
    (batch,) = box.scan(EVERYTHING, frozenset([ENVELOPE, HEADER]))
    assert batch.columns == {ENVELOPE: (facts.envelope,), HEADER: (facts.header,)}
    assert place.account.index.sql("SELECT count(*) FROM facts").fetchone() == (1,)


def test_an_index_without_previews(place):
    """An index that an older program made is opened, and keeps previews from then on."""
    box = place.box()
    place.add(box, "one", "two")
    place.stop()
    with sqlite3.connect(place.root / "imapd" / "index.sqlite") as older:
        older.execute("DROP TABLE previews")
    older.close()
    box = place.start().box()
    (batch,) = box.scan(EVERYTHING, frozenset([ENVELOPE, PREVIEW]))
    assert None not in batch.columns[ENVELOPE]
    assert batch.columns[PREVIEW] == (None, None)
    place.run(box.keep_facts([(1, letter("one").facts)]))
    box = place.restart().box()
    (batch,) = box.scan(EVERYTHING, frozenset([PREVIEW]))
    assert batch.columns == {PREVIEW: (letter("one").facts.preview, None)}


def test_nothing_is_left_of_what_went(place):
    """Rows of expunged messages and deleted mailboxes go."""
    box, work = place.box(), place.make("work")
    place.add(box, "a", "b", flags=["\\Deleted"])
    place.add(work, "c")
    place.run(box.expunge(EVERYTHING))
    place.run(place.account.delete("work"))
    place.tidied()
    for table in ("messages", "files", "facts", "headers", "previews"):
        assert place.account.index.sql(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_the_account_stays_for_a_moment(place):
    """A user who comes again soon finds the account open."""
    account = place.account
    place.run(account.close())
    assert place.run(place.store.open_account("alice")) is account


def test_two_at_once(place):
    """Two sessions that open an account at the same time share it."""
    first, second = place.run(
        gatherResults([Deferred.fromCoroutine(place.store.open_account("bob")) for _ in range(2)])
    )
    assert first is second
    place.run(first.close())
    place.run(second.close())


def test_the_last_to_let_go_shuts_nobody_out(place, monkeypatch):
    """While a long log is brought home, in a thread, the index is held here: who comes can read."""
    monkeypatch.setattr("imapd.store.maildir.resting._REST", 1.5)
    monkeypatch.setattr("imapd.store.maildir.schema._OPENING", 0.0)
    box = place.box()
    place.add(box, "one")
    place.later()
    writer, reader, close = place.account.writer.index, place.account.index, Index.close
    closed = []

    def closes(index):
        if index.opened and index in (writer, reader):
            closed.append(index)
            if index is writer:
                assert reader.opened
            else:
                _, pages, home = index.sql("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                assert pages == home
        close(index)

    monkeypatch.setattr(Index, "close", closes)
    end = place.account.watch(lambda hint: None)
    place.run(place.pump.pause(4.2))
    end()
    assert closed[:2] == [writer, reader]


def test_opening_waits_for_who_lets_go(place):
    """A connection that is made while another process lets go of the index as the last waits for that."""
    path = str(place.root / "imapd" / "index.sqlite")
    place.run(place.store.close())
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("COMMIT")
    threading.Timer(0.1, other.close).start()
    index = Index(path, 0.01, False)
    assert index.sql("SELECT count(*) FROM mailboxes").fetchone() == (1,)
    assert index.sql("PRAGMA busy_timeout").fetchone() == (10,)
    index.close()


def test_an_idle_account_lets_go(place, monkeypatch):
    """An account that only waits holds no connection, hears of changes, and works when it is used."""
    monkeypatch.setattr("imapd.store.maildir.resting._REST", 1.5)
    box = place.box()
    place.add(box, "one", flags=["keyword"])
    place.later()
    hints = []
    end = place.account.watch(hints.append)
    place.run(place.pump.pause(4.2))
    assert not place.account.index.opened
    assert not place.account.writer.index.opened
    assert not (place.root / "imapd" / "index.sqlite-wal").exists()
    hints.clear()
    place.deliver("1.h")
    place.run(place.pump.pause(1.2))
    assert {hint.mailbox_id for hint in hints} == {box.id}
    end()
    assert place.flags(box) == {1: {"keyword"}, 2: frozenset()}


def test_accounts_have_indexes_of_their_own(place, tmp_path):
    """An empty index is made once and copied; what is written to one is not in the next."""
    place.add(place.box(), "one")
    other = Place(tmp_path / "other").start()
    assert other.run(other.box().status()).messages == 0
    assert other.box().id != place.box().id
    for each in (place, other):
        assert each.account.index.sql("PRAGMA journal_mode").fetchone() == ("wal",)
        assert each.run(each.account.examine()) == []
        assert os.stat(each.root / "imapd" / "index.sqlite").st_mode & 0o777 == 0o600
        assert os.listdir(each.root / "imapd").count("index.sqlite") == 1
    other.stop()


def test_an_account_without_mail_is_not_indexed(place, monkeypatch):
    """Nobody begins to index the texts of an account that has none; the first message is reason to."""
    stirred = []
    monkeypatch.setattr(Indexing, "stir", lambda self: stirred.append(True))
    place.restart()
    place.run(place.pump.pause(0.1))
    assert stirred == []
    place.add(place.box(), "one")
    place.restart()
    assert stirred


def test_an_account_that_takes_long_to_open(place, monkeypatch):
    """Others that are opened meanwhile hardly wait for it."""
    stuck = threading.Event()
    opened = store.opened

    def slowly(root, fs):
        if root.endswith("/bob"):
            assert stuck.wait(10)
        return opened(root, fs)

    monkeypatch.setattr(store, "opened", slowly)
    waiting = Deferred.fromCoroutine(place.store.open_account("bob"))
    other = place.run(place.store.open_account("carol"))
    assert not waiting.called
    stuck.set()
    place.run(place.run(waiting).close())
    place.run(other.close())
    assert not place.store._making.locked
    # Once it is over, those that come are opened in turn.
    place.run(place.run(place.store.open_account("dave")).close())


def test_many_mailboxes_one_after_the_other(place):
    """Whoever goes through all of them, in whatever order, is told of each what is so just now."""
    names = [f"box{number:03}" for number in range(150)]
    for name in names:
        place.run(place.account.create(name))
    place.add(place.box("box007"), "one")
    place.add(place.box("box120"), "one", "two")

    def messages(some):
        found = {}
        for name in some:
            found.update(place.run(place.account.statuses([name])))
        return {name: status.messages for name, status in found.items()}

    wanted = {name: {"box007": 1, "box120": 2}.get(name, 0) for name in names}
    assert messages(names) == wanted
    place.add(place.box("box100"), "one")
    wanted["box100"] = 1
    assert messages([*reversed(names), "box", "box0075", "boxes", "\ud800"]) == wanted
    assert {
        name: status.messages for name, status in place.run(place.account.statuses(names)).items()
    } == wanted
