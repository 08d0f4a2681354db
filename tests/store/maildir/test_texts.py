"""The index of texts beside a Maildir: damage, interruptions, and other processes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from twisted.internet.defer import Deferred

from imapd.model.flags import DELETED, FlagChange, interned
from imapd.model.numset import NumSet
from imapd.model.text import Place, Sought
from imapd.query import indexed
from imapd.store.contract.letters import letter
from imapd.store.maildir import building, indexing, texts
from imapd.store.maildir.building import Builder
from imapd.store.maildir.texts import Texts
from imapd.store.maildir.tree import Tree

WORDS = ("deadline", "xylophone", "tomorrow", "caf\u00e9", "meeting")


def body(number):
    """Some words, by the number."""
    words = [word for place, word in enumerate(WORDS) if number >> place & 1]
    return " ".join([*words, f"only{number}"]).encode("utf-8") + b"\r\n"


def fill(place, count, name="INBOX"):
    """So many messages; the mailbox."""
    box = place.box(name)
    place.run(
        box.append([letter(f"n{number}", body=body(number)).new() for number in range(count)])
    )
    return box


def index(place, again=False):
    """All of it, now."""
    place.run(place.account.texts.index_texts(again))


def told(place, box, *strings):
    """What is told of strings in bodies: UIDs it knows, those that hold, those that may."""

    async def ask():
        known, holds, may = set(), set(), set()
        sought = Sought((Place.BODY,), strings)
        async for some in box.told(sought, 1, (1 << 32) - 1):
            known.update(some.uids)
            holds.update(some.holds)
            may.update(some.may)
        return known, holds, may

    return place.pump.run(ask())


def right(place, box):
    """How many are known of; nothing false is told of any."""
    uids = list(box.uids())
    known = set()
    for word in (*WORDS, "only7", "absent"):
        word = word.replace("\u00e9", "e\u0301")
        known, holds, may = told(place, box, word)
        has = {
            uid
            for uid in uids
            if word in place.octets(box, uid).decode().replace("\u00e9", "e\u0301")
        }
        assert holds & set(uids) <= has
        assert has <= holds | may | (set(uids) - known)
    return len(known & set(uids))


def indexed_of(place):
    """Messages that are indexed, by mailbox."""
    progress = place.run(place.account.texts.text_progress())
    return {each.name: each.indexed for each in progress.mailboxes}


def ruin(path, source, times=1):
    """Change some octets."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for _ in range(times):
            file.seek(source.randrange(size))
            file.write(bytes([source.randrange(256)]))


@pytest.mark.parametrize("seed", range(12))
def test_damage_at_random(place, seed):
    """Whatever octets are changed, nothing false is told; then it is made again."""
    source = random.Random(seed)
    box = fill(place, 40)
    place.make("other")
    fill(place, 20, "other")
    index(place)
    assert right(place, box) == 40
    place.run(place.account.texts._in_thread(place.account.texts._texts.close))
    path = Tree(str(place.root)).texts
    assert not os.path.exists(path + "-wal")
    ruin(path, source, source.choice((1, 5, 200)))
    right(place, box)
    index(place)
    right(place, box)
    right(place, place.box("other"))
    assert sum(indexed_of(place).values()) <= 60


@pytest.mark.parametrize(
    "octets", [b"", b"SQLite format 3\0", b"\0" * 10_000, b"x" * 100_000], ids=len
)
def test_no_database_at_all(place, octets):
    """A file that is something else is thrown away, and the index is made."""
    box = fill(place, 10)
    with open(Tree(str(place.root)).texts, "wb") as file:
        file.write(octets)
    right(place, box)
    index(place)
    assert right(place, box) == 10


def test_a_piece_is_gone(place):
    """Rows that are missing are damage, too."""
    box = fill(place, 10)
    index(place)
    place.run(place.account.texts._in_thread(place.account.texts._texts.close))
    with sqlite3.connect(Tree(str(place.root)).texts) as connection:
        connection.execute("DELETE FROM pieces")
    connection.close()
    assert right(place, box) == 0
    index(place)
    assert right(place, box) == 10


def until_all(place, box, count):
    """Wait until so many are indexed."""
    deadline = time.monotonic() + 15
    while right(place, box) < count and time.monotonic() < deadline:
        place.run(place.pump.pause(0.05))
    assert right(place, box) == count


def test_it_heals_by_itself(place, monkeypatch):
    """Nobody has to ask for it: after a damaged index was noticed, it is made again."""
    box = fill(place, 10)
    index(place)
    monkeypatch.setattr(indexing, "_DELAY", 0.1)
    place.run(place.account.texts._in_thread(place.account.texts._texts.close))
    ruin(Tree(str(place.root)).texts, random.Random(1), 20_000)
    assert right(place, box) == 0
    until_all(place, box, 10)


def test_damage_that_writing_finds(place):
    """An index that cannot be added to is made again at once, of all mailboxes."""
    box = fill(place, 10)
    place.make("other")
    other = fill(place, 5, "other")
    index(place)
    place.run(place.account.texts._in_thread(place.account.texts._texts.close))
    with sqlite3.connect(Tree(str(place.root)).texts) as connection:
        connection.execute("DROP TABLE pieces")
    connection.close()
    fill(place, 1, "other")
    index(place)
    assert (right(place, box), right(place, other)) == (10, 6)


def test_it_is_made_behind_the_answers(place, monkeypatch):
    """Soon after messages came in, they are indexed."""
    monkeypatch.setattr(indexing, "_DELAY", 0.1)
    box = fill(place, 10)
    until_all(place, box, 10)


def test_what_comes_one_after_the_other(place, monkeypatch):
    """It is indexed together, when no more comes."""
    monkeypatch.setattr(indexing, "_DELAY", 4.0)
    put, puts = Texts.put, []

    def counted(*arguments):
        puts.append(arguments)
        return put(*arguments)

    monkeypatch.setattr(Texts, "put", counted)
    for _ in range(25):
        box = fill(place, 1)
        place.run(place.pump.pause(0.2))
    assert right(place, box) == 0
    until_all(place, box, 25)
    assert len(puts) == 1


def test_what_comes_without_end(place, monkeypatch):
    """It is indexed though there is never a moment without anything new."""
    monkeypatch.setattr(indexing, "_DELAY", 1.0)
    monkeypatch.setattr(indexing, "_PATIENCE", 0.5)
    deadline = time.monotonic() + 30
    while right(place, box := fill(place, 1)) == 0 and time.monotonic() < deadline:
        place.run(place.pump.pause(0.05))
    assert right(place, box) > 0


def test_another_version(place, monkeypatch):
    """An index by a program that makes other words is made again."""
    box = fill(place, 5)
    index(place)
    monkeypatch.setattr(texts, "VERSION", "2 of another")
    place.restart()
    box = place.box()
    assert right(place, box) == 0
    index(place)
    assert right(place, box) == 5
    assert indexed.VERSION != "2 of another"


def test_an_older_index_of_the_mail(place, tmp_path):
    """The mail's index came from a backup: what was told of UIDs that will be given again is forgotten."""
    fill(place, 5)
    place.stop()
    kept = (place.root / "imapd" / "index.sqlite").read_bytes()
    place.start()
    box = place.box()
    uids = place.add(box, "later")
    index(place)
    place.run(box.store_flags(NumSet.of(*uids), FlagChange.ADD, interned([DELETED])))
    place.run(box.expunge(NumSet.of(*uids)))
    place.stop()
    (place.root / "imapd" / "index.sqlite").write_bytes(kept)
    place.start()
    box = place.box()
    assert right(place, box) == 0
    assert list(place.run(box.append([letter("x", body=b"deadline\r\n").new()])).uids) == uids
    index(place)
    assert right(place, box) == 6


def test_interrupted_everywhere(place, after):
    """Killed between any two steps, it is right, and goes on where it was."""
    box = fill(place, 60)
    builder = Builder(place.account.tree, Texts(place.account.tree.texts))
    steps = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_MESSAGES", 5)
        while not builder.work(0.0):
            steps += 1
            if steps % 12 == 0:
                copy = after(place).start()
                again = copy.box()
                right(copy, again)
                index(copy)
                assert right(copy, again) == 60
    assert steps > 60
    assert right(place, box) == 60


_KILLED = """
import sys
from imapd.store.maildir import building
from imapd.store.maildir.texts import Texts
from imapd.store.maildir.tree import Tree
building._MESSAGES = 3
tree = Tree(sys.argv[1])
builder = building.Builder(tree, Texts(tree.texts))
print("begun", flush=True)
builder.work(1e9)
print("done", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_killed_while_it_builds(place, seconds):
    """A process that is killed leaves no lock, and an index that others make whole."""
    box = fill(place, 300)
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(place.root)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    index(place)
    assert right(place, box) == 300


def test_one_builds_at_a_time(place):
    """While one process builds, another leaves it to it."""
    fill(place, 5)
    tree = place.account.tree
    first, second = (Builder(tree, Texts(tree.texts)) for _ in range(2))
    assert not first.work(0.0)
    assert second.work(0.0)
    assert second.messages == 0
    assert first.work(100.0)
    assert first.messages == 5
    assert second.work(0.0)


def test_what_another_process_made_is_seen(place):
    """An index that a command made is used at once, and so is one that was made anew."""
    box = fill(place, 5)
    other = Texts(place.account.tree.texts)
    assert right(place, box) == 0
    Builder(place.account.tree, other).work(100.0)
    assert right(place, box) == 5
    other.discard()
    assert right(place, box) == 0
    place.add(box, "later")
    assert Builder(place.account.tree, other).work(100.0)
    assert right(place, box) == 6
    other.discard()
    index(place)
    assert right(place, box) == 6


def test_who_waits_for_another_process(place):
    """Who asks for all to be indexed while another process does it, waits for that."""
    box = fill(place, 5)
    tree = place.account.tree
    other = Builder(tree, Texts(tree.texts))
    assert not other.work(0.0)
    waiting = Deferred.fromCoroutine(place.account.texts.index_texts(False))
    place.run(place.pump.pause(0.1))
    assert not waiting.called
    assert other.work(100.0)
    place.run(waiting)
    assert right(place, box) == 5


def test_a_file_renamed_by_others(place):
    """A file that a mail program renamed while it was indexed is found under its new name."""
    box = fill(place, 5)
    place.tidied()
    for name in place.names():
        os.rename(place.root / "cur" / name, place.root / "cur" / (name.partition(":")[0] + ":2,F"))
    index(place)
    known, holds, may = told(place, box, "deadline")
    assert (known, may) == ({1, 2, 3, 4, 5}, set())
    assert holds == {2, 4}


def test_a_file_that_cannot_be_read(place, monkeypatch):
    """A message whose file cannot be opened now has to be looked at; the others are indexed."""
    box = fill(place, 3)
    place.tidied()
    (name, *_) = place.names()
    original = os.open

    def opened(path, *args, **kwargs):
        if str(path).endswith(name):
            raise PermissionError(13, "no")
        return original(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", opened)
    index(place)
    assert told(place, box, "deadline") == ({1, 2, 3}, {2}, {1})


def test_very_many_words(place, monkeypatch):
    """A message with too many words to be indexed has to be looked at."""
    box = fill(place, 3)
    monkeypatch.setattr(indexed, "_WORDS", 30)
    place.run(box.append([letter("n9", body=b" ".join(b"%d" % n for n in range(50))).new()]))
    index(place)
    assert told(place, box, "deadline") == ({1, 2, 3, 4}, {2}, {4})


def test_line_ends(place):
    """A file with bare LF is indexed as it is served."""
    place.deliver("1", b"Subject: x\n\nfirst\nsecond\n")
    box = place.box()
    index(place)
    assert told(place, box, "first\r\nsecond") == ({1}, set(), {1})
    assert told(place, box, "second") == ({1}, {1}, set())


def test_words_of_what_is_gone_go(place):
    """When most of a segment's messages are gone, its words are written again without theirs."""
    box = fill(place, 40)
    index(place)
    gone = NumSet([(1, 30)])
    place.run(box.store_flags(gone, FlagChange.ADD, interned([DELETED])))
    place.run(box.expunge(gone))
    index(place)
    assert told(place, box, "deadline")[0] == set(range(31, 41))
    rest = NumSet([(31, 40)])
    place.run(box.store_flags(rest, FlagChange.ADD, interned([DELETED])))
    place.run(box.expunge(rest))
    index(place)
    assert told(place, box, "deadline") == (set(), set(), set())


def test_a_deleted_mailbox_leaves_nothing(place):
    """The words of a mailbox that was deleted are removed from the file."""
    place.make("other")
    fill(place, 40, "other")
    fill(place, 2)
    index(place)
    place.run(place.account.delete("other"))
    index(place)
    assert len(Texts(place.account.tree.texts).mailboxes()) == 1


def test_many_small_batches_become_few_segments(place):
    """Messages that come one by one end in few segments."""
    box = place.box()
    for number in range(70):
        place.add(box, f"n{number}")
        index(place)
    rows = Texts(place.account.tree.texts).rows(box.id)
    assert len(rows) <= 14
    assert sum(row.messages for row in rows) == 70
    assert [row.low for row in rows] == [1, *(row.high + 1 for row in rows[:-1])]


def test_a_full_disk(place, monkeypatch):
    """When there is no room for it, the mail is served all the same, and it is tried again later."""
    box = fill(place, 5)
    original = Texts._insert

    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Texts, "_insert", full)
    index(place)
    assert right(place, box) == 0
    monkeypatch.setattr(Texts, "_insert", original)
    index(place)
    assert right(place, box) == 5


def test_a_file_that_cannot_be_used(place, monkeypatch):
    """Whatever the system says of the file, the mail is searched without it."""
    box = fill(place, 5)

    def refused(self):
        raise PermissionError(13, "no")

    with monkeypatch.context() as patch:
        patch.setattr(Texts, "_open", refused)
        index(place)
        assert right(place, box) == 0
    index(place)
    assert right(place, box) == 5


def test_the_end_comes_soon(place):
    """A store that is closed while it indexes does not wait for all of it; what is done is kept."""
    fill(place, 200)
    working = Deferred.fromCoroutine(place.account.texts.index_texts(False))
    place.run(place.pump.pause(0.05))
    place.stop()
    assert working.called
    place.start()
    index(place)
    assert right(place, place.box()) == 200


def test_everything_matters(place):
    """The helper of these tests can fail: an index that lies is noticed."""
    box = fill(place, 8)
    index(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imapd.query.segment._matches", lambda vocabulary, pattern, most: [])
        with pytest.raises(AssertionError):
            right(place, box)
