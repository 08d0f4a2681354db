"""What other programs do to the directories, seen by us."""

import os
import shutil
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imapd.model.flags import FlagChange, interned
from imapd.model.message import EMAIL_ID
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.errors import NoSuchMailbox
from imapd.store.maildir import founding
from imapd.store.maildir.alarms import Alarms
from imapd.store.maildir.tree import Tree
from tests.backends import MaildirBackend
from tests.store.maildir.place import Place


def renamed(place, old, new, directory=""):
    """What mutt does."""
    cur = place.root / directory / "cur"
    (cur / old).rename(cur / new)


class TestDelivery:
    """Files in new/."""

    def test_a_file_is_a_message(self, place):
        """It is moved to cur/, with size and UID in its name, and read as it is."""
        octets = b"Subject: hi\r\n\r\nbody\r\n"
        place.deliver("1.M2.host", octets)
        box = place.box()
        assert place.run(box.status()).messages == 1
        assert place.octets(box, 1) == octets
        assert place.names() == ["1.M2.host,S=21,W=21,U=1:2,"]
        assert place.names(part="new") == []

    def test_order(self, place):
        """UIDs follow the order of arrival, then of names."""
        place.deliver("b", b"Subject: 2\n\n", at=1000)
        place.deliver("c", b"Subject: 3\n\n", at=1000)
        place.deliver("a", b"Subject: 4\n\n", at=2000)
        place.deliver("z", b"Subject: 1\n\n", at=500)
        box = place.box()
        assert [place.octets(box, uid)[9:10] for uid in (1, 2, 3, 4)] == [b"1", b"2", b"3", b"4"]

    def test_lone_line_feeds(self, place):
        """A file with bare LF is served with CRLF, and its size is that of what is served."""
        place.deliver("1.h", b"Subject: hi\nX: y\r\n\nbody\n\n.\n")
        box = place.box()
        served = b"Subject: hi\r\nX: y\r\n\r\nbody\r\n\r\n.\r\n"
        assert place.octets(box, 1) == served
        assert place.run(box.status()).size == len(served)
        (batch,) = box.scan(
            NumSet.of(1), frozenset(["size", "header", "envelope", "internal_date"])
        )
        assert batch.columns["size"] == (len(served),)
        assert batch.columns["header"] == (b"Subject: hi\r\nX: y\r\n\r\n",)
        assert batch.columns["envelope"][0].startswith(b'(NIL "hi"')

    def test_an_open_mailbox(self, place):
        """A file that comes while the mailbox is open is told by the next look at it."""
        box = place.box()
        before = place.run(box.status())
        place.deliver("1.h")
        changes = place.run(box.changes_since(before.highest_modseq))
        assert list(changes.uids) == [1]
        assert place.run(box.status()).recent == 1

    def test_one_at_a_time(self, place):
        """Each look sees what came before it, however quickly they follow."""
        box = place.box()
        for count in range(1, 6):
            place.deliver(f"{count}.h")
            place.run(place.pump.pause(0.06))
            assert place.run(box.status()).messages == count

    def test_a_watcher_is_told(self, place):
        """Who watches hears of it within about a second, without asking."""
        box = place.box()
        hints = []
        end = place.account.watch(hints.append)
        place.deliver("1.h")
        place.until(lambda: any(hint.mailbox_id == box.id for hint in hints))
        end()

    def test_strange_files(self, place):
        """Directories, symbolic links, hidden files and unreadable names are survived."""
        new = place.root / "new"
        (new / "directory").mkdir()
        (new / "link").symlink_to("/etc/passwd")
        (new / ".hidden").write_bytes(b"x")
        with open(os.fsencode(new) + b"/\xff\xfe\n", "wb") as file:
            file.write(b"Subject: odd\r\n\r\n")
        (new / ("x" * 240)).write_bytes(b"Subject: long\r\n\r\n")
        (new / "empty").write_bytes(b"")
        box = place.box()
        assert place.run(box.status()).messages == 3
        assert sorted(place.octets(box, uid) for uid in (1, 2, 3)) == [
            b"",
            b"Subject: long\r\n\r\n",
            b"Subject: odd\r\n\r\n",
        ]
        assert sorted(os.listdir(new)) == [".hidden", "directory", "link"]

    def test_letters(self, place):
        """A file that comes with letters has flags."""
        place.deliver("1.h:2,FS", part="cur")
        assert place.flags(place.box()) == {1: {"\\Seen", "\\Flagged"}}

    def test_before_the_first_use(self, tmp_path, place):
        """A Maildir that was there before us is a mailbox with its messages and folders."""
        other = Place(tmp_path / "other")
        for directory in ("", ".Sent", ".a.b"):
            for part in ("cur", "new", "tmp"):
                (other.root / directory / part).mkdir(parents=True)
            other.deliver("1.h:2,S", directory=directory, part="cur")
            other.deliver("2.h", directory=directory)
        other.start()
        try:
            infos = {info.name: info for info in other.run(other.account.mailboxes())}
            assert {name: info.selectable for name, info in infos.items()} == {
                "INBOX": True,
                "Sent": True,
                "a": False,
                "a/b": True,
            }
            for name in ("INBOX", "Sent", "a/b"):
                assert list(other.flags(other.box(name)).values()) == [
                    frozenset(),
                    frozenset(["\\Seen"]),
                ] or list(other.flags(other.box(name)).values()) == [
                    frozenset(["\\Seen"]),
                    frozenset(),
                ]
        finally:
            other.stop()


class TestRenamed:
    """Letters changed by a local mail reader."""

    def test_seen_by_mutt(self, place):
        """A new letter is a new flag, under a new modseq."""
        box = place.box()
        (uid,) = place.add(box, "a")
        before = place.run(box.status()).highest_modseq
        (name,) = place.names()
        renamed(place, name, name + "S")
        changes = place.run(box.changes_since(before))
        assert (list(changes.uids), list(changes.flags)) == ([uid], [frozenset(["\\Seen"])])
        assert place.run(box.status()).unseen == 0

    def test_both(self, place):
        """Letters set by another and a flag set by us, not yet in the name, are both kept."""
        box = place.box()
        (uid,) = place.add(box, "a", flags=["\\Flagged", "keyword"])
        (name,) = place.names()
        assert name.endswith(":2,F")
        place.run(box.store_flags(NumSet.of(uid), FlagChange.ADD, interned(["\\Answered"])))
        renamed(place, name, name[:-1] + "S")
        place.run(box.status())
        assert place.flags(box) == {uid: {"\\Seen", "\\Answered", "keyword"}}
        place.tidied()
        assert place.names()[0].endswith(":2,RS")
        assert place.flags(box) == {uid: {"\\Seen", "\\Answered", "keyword"}}

    def test_our_own_renaming_is_no_change(self, place):
        """Names that follow our flags do not come back as changes."""
        box = place.box()
        (uid,) = place.add(box, "a")
        modseq = place.run(
            box.store_flags(NumSet.of(uid), FlagChange.ADD, interned(["\\Seen", "\\Draft"]))
        ).changes.modseq
        place.tidied()
        assert place.names()[0].endswith(":2,DS")
        place.later()
        assert place.run(box.status()).highest_modseq == modseq

    def test_hidden_by_our_own_change(self, place, monkeypatch):
        """A change in the very instant of ours has its mtime, and is found a while later."""
        monkeypatch.setattr("imapd.store.maildir.lookout._VERIFY", 0.5)
        box = place.box()
        place.later()
        end = place.account.watch(lambda hint: None)
        place.run(place.pump.pause(1.1))
        (uid,) = place.add(box, "a")
        (name,) = place.names()
        stamp = (place.root / "cur").stat().st_mtime_ns
        renamed(place, name, name + "S")
        os.utime(place.root / "cur", ns=(stamp, stamp))
        assert place.run(box.status()).unseen == 1
        place.run(place.pump.pause(1.2))
        end()
        assert place.flags(box) == {uid: {"\\Seen"}}

    def test_forwarded(self, place):
        """P is $Forwarded, both ways."""
        box = place.box()
        (uid,) = place.add(box, "a", flags=["$Forwarded"])
        (name,) = place.names()
        assert name.endswith(":2,P")
        renamed(place, name, name[:-1])
        place.run(box.status())
        assert place.flags(box) == {uid: set()}

    def test_foreign_letters_stay(self, place):
        """Letters of other programs survive our renaming."""
        place.deliver("1.h:2,Sab", part="cur")
        box = place.box()
        place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Flagged"])))
        place.tidied()
        assert place.names() == ["1.h:2,FSab"]

    def test_read_while_renamed(self, place):
        """A message renamed a moment ago is found."""
        box = place.box()
        (uid,) = place.add(box, "a")
        octets = place.octets(box, uid)
        (name,) = place.names()
        renamed(place, name, name + "FS")
        assert place.octets(box, uid) == octets

    def test_copy_while_renamed(self, place):
        """A copy of a message renamed a moment ago is made."""
        box, other = place.box(), place.make("other")
        (uid,) = place.add(box, "a")
        (name,) = place.names()
        renamed(place, name, name + "S")
        place.run(box.copy(NumSet.of(uid), other))
        assert place.flags(other) == {1: {"\\Seen"}}

    def test_a_name_that_is_taken(self, place):
        """Two files that differ by letters only are two messages, and stay two."""
        place.deliver("1.h:2,", b"Subject: a\r\n\r\n", part="cur", at=100)
        place.deliver("1.h:2,S", b"Subject: b\r\n\r\n", part="cur", at=200)
        box = place.box()
        place.run(box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Seen"])))
        place.tidied()
        assert place.octets(box, 1) == b"Subject: a\r\n\r\n"
        assert place.octets(box, 2) == b"Subject: b\r\n\r\n"


class TestRemoved:
    """Files, and directories, that go."""

    def test_a_file(self, place):
        """It is expunged, with a tombstone."""
        box = place.box()
        first, second = place.add(box, "a", "b")
        before = place.run(box.status()).highest_modseq
        place.tick()
        (place.root / "cur" / next(n for n in place.names() if f",U={first}:" in n)).unlink()
        changes = place.run(box.changes_since(before))
        assert list(changes.vanished) == [first]
        status = place.run(box.status())
        assert (status.messages, list(box.uids())) == (1, [second])

    def test_a_file_that_comes_back(self, place):
        """A file put back is a message under a new UID."""
        box = place.box()
        (uid,) = place.add(box, "a")
        (name,) = place.names()
        octets = (place.root / "cur" / name).read_bytes()
        place.tick()
        (place.root / "cur" / name).unlink()
        assert place.run(box.status()).messages == 0
        (place.root / "cur" / name).write_bytes(octets)
        place.run(place.pump.pause(0.06))
        assert place.run(box.status()).messages == 1
        (new,) = box.uids()
        assert new > uid
        assert place.octets(box, new) == octets

    def test_a_folder(self, place):
        """A directory made or removed by others is a mailbox made or removed."""
        for part in ("cur", "new", "tmp"):
            (place.root / ".Work.New" / part).mkdir(parents=True)
        place.deliver("1.h", directory=".Work.New")
        place.run(place.pump.pause(0.06))
        assert "Work/New" in {info.name for info in place.run(place.account.mailboxes())}
        assert place.run(place.box("Work/New").status()).messages == 1
        shutil.rmtree(place.root / ".Work.New")
        place.run(place.pump.pause(0.06))
        assert {info.name for info in place.run(place.account.mailboxes())} == {"INBOX"}

    def test_a_folder_made_while_another_goes(self, place, monkeypatch):
        """It is found, however long that takes."""
        place.make("Gone")
        remove = Tree.remove

        def slow(tree, directory, id):
            remove(tree, directory, id)
            (place.root / ".theirs" / "cur").mkdir(parents=True)
            os.utime(place.root, (1_000_000_000, 1_000_000_000))

        monkeypatch.setattr(Tree, "remove", slow)
        place.run(place.account.delete("Gone"))
        place.until(
            lambda: (
                {info.name for info in place.run(place.account.mailboxes())} == {"INBOX", "theirs"}
            )
        )

    def test_a_mailbox_deleted_while_it_is_looked_at(self, place, complaints):
        """It is no more: nobody is to be told of that in the log."""
        box = place.make("work")
        end = place.account.watch(lambda hint: None)
        for number in range(3):
            place.deliver(f"{number}.h", directory=".work")
        deleting = place.account.delete("work")
        place.account._lookout._look()
        place.run(deleting)
        place.run(place.pump.pause(0.1))
        end()
        assert box.number not in place.account._lookout._open
        assert complaints == []

    def test_a_folder_that_is_a_link(self, place, tmp_path):
        """A symbolic link to a directory elsewhere is no mailbox."""
        for part in ("cur", "new", "tmp"):
            (tmp_path / "elsewhere" / part).mkdir(parents=True)
        (place.root / ".stolen").symlink_to(tmp_path / "elsewhere")
        place.run(place.pump.pause(0.06))
        assert {info.name for info in place.run(place.account.mailboxes())} == {"INBOX"}


def _nothing(place):
    """As it is."""


def _unreadable(place):
    """A message that another user wrote for themselves alone, as `os.open` is told below."""
    place.deliver("unreadable")
    place.deliver("unreadable.too", part="cur")


def _links(place):
    """Links that lead nowhere, and in a circle."""
    for part in ("cur", "new"):
        (place.root / part / "absent").symlink_to("/absent")
        (place.root / part / "circle").symlink_to("circle")


def _directories(place):
    """Directories among the messages, and pipes that nobody writes to."""
    for part in ("cur", "new"):
        (place.root / part / "directory").mkdir()
        os.mkfifo(place.root / part / "pipe")


def _absent(place):
    """A part of the mailbox that is taken away for a while."""
    shutil.rmtree(place.root / "new")


def _twins(place):
    """The same message, or the same UID, under several names."""
    (name,) = place.names()
    octets = (place.root / "cur" / name).read_bytes()
    place.deliver(name + "S", octets, part="cur")
    place.deliver("twin" + name[name.index(",") :], octets, part="cur")


def _strange_flags(place):
    """Names that end as no name should."""
    for name in ("1.h:2,Zq!S", "2.h:3,foo", "3.h:2,:2,S", "4.h:1,x", "5.h:", "6,U=x,S=:2,F"):
        place.deliver(name, part="cur")


def _at(moment):
    """Files, and directories, of that moment."""

    def deliver(place):
        place.deliver("1.h", at=moment)
        place.run(place.pump.pause(0.06))
        place.run(place.box().status())
        for part in ("cur", "new"):
            os.utime(place.root / part, (moment, moment))

    return deliver


class TestNothingHappens:
    """What there is, whatever it is, is looked at once, and not for ever."""

    @pytest.mark.parametrize(
        ("put", "messages"),
        [
            (_nothing, 1),
            (_unreadable, 1),
            (_links, 1),
            (_directories, 1),
            (_absent, 1),
            (_twins, 3),
            (_strange_flags, 7),
            (_at(0), 2),
            (_at(7_258_118_400), 2),
            (_at(10_000_000_000), 2),
        ],
        ids=lambda each: each.__name__.strip("_") if callable(each) else None,
    )  # fmt: skip
    def test_directories_are_not_read(self, place, monkeypatch, complaints, put, messages):
        """However often one asks, and while one watches."""
        monkeypatch.setattr("imapd.store.maildir.turn.SETTLED", 50_000_000)
        box = place.box()
        place.add(box, "a")
        readings = []
        listdir, opening = os.listdir, os.open

        def listed(path):
            readings.append(path)
            return listdir(path)

        def opened(path, *arguments, **named):
            if "unreadable" in str(path):
                raise PermissionError(13, "for somebody else", path)
            return opening(path, *arguments, **named)

        monkeypatch.setattr(os, "listdir", listed)
        monkeypatch.setattr(os, "open", opened)
        end = place.account.watch(lambda hint: None)
        put(place)
        for _ in range(3):
            place.run(place.pump.pause(0.06))
            place.run(box.status())
        assert readings or put in (_nothing, _absent)
        readings.clear()
        for _ in range(20):
            place.run(place.pump.pause(0.06))
            assert place.run(box.status()).messages == messages
        end()
        assert readings == []
        assert complaints == []

    def test_a_mailbox_that_we_change_all_the_time(self, place, monkeypatch):
        """Its directory is always young, and is read all the same only until that hides nothing."""
        box = place.make("Busy")
        readings = []
        listdir = os.listdir
        monkeypatch.setattr(
            os, "listdir", lambda path: (readings.append(str(path)), listdir(path))[1]
        )
        place.deliver("1.theirs", directory=".Busy", part="cur")
        for number in range(30):
            place.add(box, f"subject {number}")
            if number == 15:
                assert readings
                readings.clear()
            place.run(place.pump.pause(0.03))
            assert place.run(box.status()).messages == number + 2
        assert readings == []

    def test_a_mailbox_that_we_have_just_made(self, place, monkeypatch):
        """Nobody else can have put anything there; where somebody has, it is found."""
        readings = []
        listdir = os.listdir
        box = place.make("New")
        monkeypatch.setattr(
            os, "listdir", lambda path: (readings.append(str(path)), listdir(path))[1]
        )
        place.add(box, "a")
        assert place.run(place.box("New").status()).messages == 1
        assert readings == []
        for part in ("tmp", "new", "cur"):
            os.makedirs(place.root / ".Old" / part)
        place.deliver("1.there", directory=".Old", part="cur")
        assert place.run(place.make("Old").status()).messages == 1

    def test_a_change_right_after_a_reading(self, place):
        """It has the mtime of the change before it, as the kernel rounds that; it is found in a moment."""
        box = place.make("Busy")
        cur = place.root / ".Busy" / "cur"
        for number in range(5):
            place.deliver(f"{number}.first", directory=".Busy", part="cur")
            assert place.run(box.status()).messages == 2 * number + 1
            stamp = cur.stat().st_mtime_ns
            place.deliver(f"{number}.second", directory=".Busy", part="cur")
            os.utime(cur, ns=(stamp, stamp))
            place.run(place.pump.pause(0.2))
            assert place.run(box.status()).messages == 2 * number + 2


class TestRandomly:
    """Whatever others do, tree and index agree in the end."""

    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["deliver", "append", "letters", "remove", "store", "expunge"]),
                st.integers(0, 9),
                st.sampled_from(["", "S", "F", "ST", "DFPRST"]),
            ),
            max_size=12,
        )
    )
    def test_they_agree(self, tmp_path_factory, steps):
        """Every file is one message with the letters' flags; every message has its file."""
        place = Place(tmp_path_factory.mktemp("mail")).start()
        try:
            box = place.box()
            for number, (what, which, letters) in enumerate(steps):
                names = place.names()
                name = names[which % len(names)] if names else None
                if what == "deliver":
                    place.deliver(f"{number}.h")
                elif what == "append":
                    place.add(box, "s", flags=["\\Seen"] if letters else [])
                elif what == "letters" and name:
                    renamed(place, name, name.partition(":")[0] + ":2," + letters)
                elif what == "remove" and name:
                    (place.root / "cur" / name).unlink()
                elif what == "store":
                    place.run(
                        box.store_flags(
                            NumSet.of(which), FlagChange.ADD, interned(["\\Deleted", "\\Seen"])
                        )
                    )
                elif what == "expunge":
                    place.run(box.expunge(NumSet([(1, which + 1)])))
            place.run(place.pump.pause(0.06))
            place.run(box.status())
            place.tidied()
            place.later()
            uids = {name: int(name.partition(",U=")[2].partition(":")[0]) for name in place.names()}
            assert sorted(uids.values()) == list(box.uids())
            flags = place.flags(box)
            for name, uid in uids.items():
                assert ("S" in name.partition(":2,")[2]) == ("\\Seen" in flags[uid])
                assert ("T" in name.partition(":2,")[2]) == ("\\Deleted" in flags[uid])
                assert place.octets(box, uid) == (place.root / "cur" / name).read_bytes()
            status = place.run(box.status())
            assert status.messages == len(uids)
            assert status.unseen == sum("\\Seen" not in each for each in flags.values())
        finally:
            place.stop()


def test_a_mailbox_that_is_never_quiet(place, monkeypatch):
    """Alarms are set for what is open, though its directories change all the time."""
    armed = set()
    monkeypatch.setattr(Alarms, "set", lambda self, path, call: armed.add(path) or True)
    box = place.box()
    place.add(box, "just now")
    end = place.account.watch(lambda hint: None)
    assert armed == set()
    place.until(lambda: {str(place.root / part) for part in ("new", "cur")} <= armed)
    end()


def test_who_goes_again_sets_no_alarm(place, monkeypatch):
    """A client that logs in and out is not waited for with alarms."""
    armed = set()
    monkeypatch.setattr(Alarms, "set", lambda self, path, call: armed.add(path) or True)
    place.account.watch(lambda hint: None)()
    place.pump.run(place.pump.pause(0.2))
    assert armed == set()


def test_several_messages_at_once(place):
    """A file that must be converted, one that was renamed and one that is a link are read alone."""
    box = place.box()
    place.deliver("1.lf", b"Subject: x\n\nbody\n", part="cur")
    place.run(box.status())
    uids = [*place.run(box.uids()), *place.add(box, "same", "renamed", "link")]
    names = place.names()
    for uid in uids[2:]:
        (name,) = [each for each in names if f",U={uid}:" in each]
        path = place.root / "cur" / name
        path.rename(path.with_name(name + "S"))
        if uid == uids[3]:
            path.symlink_to(path.with_name(name + "S"))
    assert place.run(box.whole(uids)) == {uids[1]: place.octets(box, uids[1])}
    assert place.octets(box, uids[0]) == b"Subject: x\r\n\r\nbody\r\n"


def test_a_mailbox_that_leads_to_itself(place):
    """A directory of which the disk cannot tell is no reason to lock the user out."""
    box = place.add(place.make("Sound"), "one")
    place.make("Odd")
    shutil.rmtree(place.root / ".Odd")
    (place.root / ".Odd").symlink_to(".Odd")
    place.restart()
    assert place.octets(place.box("Sound"), 1) == letter("one").octets
    assert box == [1]
    names = [info.name for info in place.run(place.account.mailboxes())]
    assert {"INBOX", "Sound"} <= set(names)


class _Instant:
    """What is done in it leaves the mtime that the directory has, unless that is of long ago."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.before = os.stat(self.path).st_mtime_ns

    def __exit__(self, *raised):
        if time.time_ns() - self.before < 5_000_000_000:
            os.utime(self.path, ns=(self.before, self.before))


@pytest.mark.parametrize("part", ["new", "cur"])
def test_a_message_in_the_instant_after_the_account_was_made(tmp_path, part):
    """It is seen, though the clock of the file system has not gone on."""
    place = Place(tmp_path / "mail").start()
    with _Instant(place.root / part):
        place.deliver("1.h" if part == "new" else "1.h:2,", part=part)
    assert place.run(place.box().status()).messages == 1
    place.stop()


def test_a_mailbox_in_the_instant_after_the_account_was_made(tmp_path):
    """The same of what others make."""
    place = Place(tmp_path / "mail").start()
    with _Instant(place.root):
        (place.root / ".more" / "cur").mkdir(parents=True)
    assert len(place.run(place.account.mailboxes())) == 2
    place.stop()


def test_a_mailbox_that_is_being_made_as_the_account_is(tmp_path, monkeypatch):
    """Its directory came before the root was looked into, and what makes it a mailbox after that."""
    aged = founding.age

    def age(path):
        if path.endswith("/alice"):
            os.mkdir(f"{path}/.more")
        aged(path)

    monkeypatch.setattr(founding, "age", age)
    place = Place(tmp_path / "mail").start()
    (place.root / ".more" / "cur").mkdir()
    place.run(place.pump.pause(0.1))
    assert len(place.run(place.account.mailboxes())) == 2
    place.stop()


def test_an_account_whose_directory_was_there(tmp_path):
    """Nobody else's mtimes are changed, and what is delivered at once is seen soon."""
    root = tmp_path / "mail" / "alice"
    for part in ("new", "cur", "tmp"):
        (root / part).mkdir(parents=True)
    before = [os.stat(root / part).st_mtime_ns for part in ("new", "cur")]
    place = Place(tmp_path / "mail").start()
    assert [os.stat(root / part).st_mtime_ns for part in ("new", "cur")] == before
    place.deliver("1.h")
    place.run(place.pump.pause(0.1))
    assert place.run(place.box().status()).messages == 1
    place.stop()


def _removed(place, name):
    """What ``rm -r`` does: the server has not looked since."""
    shutil.rmtree(place.root / f".{name}")


@pytest.mark.parametrize("command", ["append", "copy", "move"])
def test_into_a_mailbox_that_was_removed_a_moment_ago(place, complaints, command):
    """There is no such mailbox: nothing has happened, and nobody is to be told of it in the log."""
    inbox, gone = place.box(), place.make("Gone")
    place.add(inbox, "one")
    _removed(place, "Gone")
    calls = {
        "append": lambda: gone.append([letter("two").new()]),
        "copy": lambda: inbox.copy(NumSet.of(1), gone),
        "move": lambda: inbox.move(NumSet.of(1), gone),
    }
    with pytest.raises(NoSuchMailbox):
        place.run(calls[command]())
    assert place.octets(inbox, 1) == letter("one").octets
    assert complaints == []
    assert {info.name for info in place.run(place.account.mailboxes())} == {"INBOX"}
    assert place.run(inbox.status()).messages == 1
    assert place.names("", "tmp") == []


def test_removed_before_the_files_came(place):
    """Messages that had been moved to it, but for their files, are where these are: at once."""
    inbox, gone = place.box(), place.make("Gone")
    place.add(inbox, "one", "two", flags=["\\Seen"])
    hints = []
    end = place.account.watch(hints.append)
    with place.files_stay():
        place.run(inbox.move(NumSet.of(2), gone))
        hints.clear()
        _removed(place, "Gone")
        place.until(lambda: inbox.id in {hint.mailbox_id for hint in hints})
    assert {info.name for info in place.run(place.account.mailboxes())} == {"INBOX"}
    assert place.flags(inbox) == {1: {"\\Seen"}, 3: {"\\Seen"}}
    assert place.octets(inbox, 3) == letter("two").octets
    end()


@pytest.mark.parametrize("command", ["APPEND Gone {3+}\r\na: ", "COPY 1 Gone", "MOVE 1 Gone"])
def test_the_client_is_told_to_create_it(tmp_path_factory, command):
    """NO [TRYCREATE] (RFC 9051, 6.3.12, 6.4.7), and the message is where it was."""
    backend = MaildirBackend(tmp_path_factory)
    server = backend.server()
    client = server.login()
    client.append(b"Subject: x\r\n\r\n")
    client.ok("CREATE Gone")
    client.ok("SELECT INBOX")
    shutil.rmtree(f"{backend.store._template.place('alice')}/.Gone")
    told = client.do(command)
    assert told.startswith(b"a NO [TRYCREATE] ")
    assert b"* SEARCH 1\r\n" in client.do("SEARCH ALL")
    server.close()
    backend.close()


def _looked(place):
    place.run(place.box().status())
    place.run(place.box("other").status())


@pytest.mark.parametrize(
    "then", [_looked, Place.tidied, Place.restart], ids=["looked at", "tidied", "opened again"]
)
@pytest.mark.parametrize("into", ["F", "FS", ""])
def test_moved_and_then_renamed(place, then, into):
    """A message whose file others rename where it was is where it was moved to, with their flags."""
    inbox, other = place.box(), place.make("other")
    place.add(inbox, "one", "two", flags=["\\Flagged", "kw"])
    place.tidied()
    ids = place.column(inbox, EMAIL_ID)
    with place.files_stay():
        place.run(inbox.move(NumSet.of(1), other))
        (name,) = [each for each in place.names() if ",U=1:" in each]
        place.tick()
        if not name.endswith(into):
            renamed(place, name, name.partition(":")[0] + ":2," + into)
        else:
            renamed(place, name, name.partition(":")[0] + ",x=y:2," + into)
    then(place)
    place.tidied()
    inbox, other = place.box(), place.box("other")
    flags = {"F": "\\Flagged", "S": "\\Seen"}
    assert place.flags(inbox) == {2: {"\\Flagged", "kw"}}
    assert place.flags(other) == {1: {flags[letter] for letter in into} | {"kw"}}
    assert place.column(other, EMAIL_ID) == {1: ids[1]}
    assert place.octets(other, 1) == letter("one").octets
    assert [each.rpartition(",")[2] for each in place.names(".other")] == [into]
    assert len(place.names()) == 1


def test_the_folder_is_removed_when_files_have_followed(place):
    """What was moved out of a folder is not lost with it, a moment later."""
    source, target = place.make("Source"), place.make("Target")
    place.add(source, "one", "two")
    place.run(source.move(NumSet.of(1), target))
    place.run(place.pump.pause(0.1))
    place.run(place.account.writer.when_idle())
    _removed(place, "Source")
    assert place.octets(target, 1) == letter("one").octets
    place.restart()
    assert place.octets(place.box("Target"), 1) == letter("one").octets


@pytest.mark.parametrize("looked", [True, False])
def test_renamed_before_the_name_follows(place, looked):
    """A letter that IMAP removed does not stay in a name that others changed meanwhile."""
    box = place.box()
    (uid,) = place.add(box, "one", flags=["\\Flagged"])
    place.tidied()
    (name,) = place.names()
    place.run(box.store_flags(NumSet.of(uid), FlagChange.REPLACE, interned(["\\Seen"])))
    renamed(place, name, name + "S")
    if looked:
        place.run(box.status())
    place.tidied()
    assert place.flags(box) == {uid: {"\\Seen"}}
    assert place.names()[0].endswith(":2,S")
    place.restart()
    assert place.flags(place.box()) == {uid: {"\\Seen"}}


@pytest.mark.parametrize("looked", [True, False])
def test_expunged_and_then_renamed(place, looked):
    """It does not come back under its new name."""
    box = place.box()
    place.add(box, "one", "two", flags=["\\Deleted"])
    place.tidied()
    (name,) = [each for each in place.names() if ",U=1:" in each]
    place.run(box.expunge(NumSet.of(1)))
    renamed(place, name, name + "S")
    if looked:
        place.run(box.status())
    place.tidied()
    place.later()
    assert place.flags(box) == {2: {"\\Deleted"}}
    assert len(place.names()) == 1


def _restored(place):
    """A message, and its file once more, with other letters, from a backup: one of UID 1 and one of 2."""
    place.add(place.box(), "one")
    place.tidied()
    (name,) = place.names()
    place.tick()
    shutil.copy(place.root / "cur" / name, place.root / "cur" / (name + "FS"))
    place.run(place.box().status())
    place.tidied()
    place.later()
    assert place.flags(place.box()) == {1: set(), 2: {"\\Flagged", "\\Seen"}}


def _remove(place, uid):
    (name,) = [each for each in place.names() if f",U={uid}:" in each]
    (place.root / "cur" / name).unlink()


def test_one_of_two_of_one_unique_part_is_expunged(place):
    """The other stays, also when the file is gone already, as after a crash behind the unlink."""
    _restored(place)
    box = place.box()
    place.run(box.store_flags(NumSet.of(2), FlagChange.ADD, interned(["\\Deleted"])))
    place.tidied()
    place.run(box.expunge(NumSet.of(2)))
    _remove(place, 2)
    place.tidied()
    place.later()
    assert place.flags(box) == {1: set()}
    assert place.octets(box, 1) == letter("one").octets


def test_one_of_two_of_one_unique_part_is_moved(place):
    """When its file is removed it is gone: the other's is not taken for it."""
    _restored(place)
    inbox, other = place.box(), place.make("other")
    with place.files_stay():
        place.run(inbox.move(NumSet.of(2), other))
        _remove(place, 2)
    place.run(other.status())
    place.tidied()
    place.tidied()
    place.later(".other")
    place.later()
    assert place.flags(inbox) == {1: set()}
    assert place.flags(other) == {}
    assert place.octets(inbox, 1) == letter("one").octets


@pytest.fixture
def numbered(place):
    """Files of which all is alike before the first comma; UIDs as in their subjects."""
    for number in range(1, 4):
        octets = b"Subject: %d\r\n\r\n" % number
        place.deliver(f"news,2020-0{number}:2,S", octets, part="cur")
    place.run(place.box().status())
    place.tidied()
    place.later()
    return place.box()


def test_a_name_with_commas_is_expunged(place, numbered):
    """Its neighbours stay, though its file is gone already."""
    place.run(numbered.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Deleted"])))
    place.tidied()
    place.run(numbered.expunge(NumSet.of(1)))
    (place.root / "cur" / "news,2020-01:2,ST").unlink()
    place.tidied()
    place.later()
    assert [place.octets(numbered, uid)[9:10] for uid in place.flags(numbered)] == [b"2", b"3"]


def test_a_name_with_commas_is_moved_and_renamed(place, numbered):
    """Each message keeps its own octets."""
    other = place.make("other")
    with place.files_stay():
        place.run(numbered.move(NumSet.of(2), other))
        renamed(place, "news,2020-02:2,S", "news,2020-02:2,FS")
    place.run(other.status())
    place.tidied()
    place.later(".other")
    place.later()
    assert [place.octets(numbered, uid)[9:10] for uid in place.flags(numbered)] == [b"1", b"3"]
    assert place.flags(other) == {1: {"\\Seen", "\\Flagged"}}
    assert place.octets(other, 1)[9:10] == b"2"


def test_expunged_where_it_was_moved_to_and_then_removed(place):
    """What was expunged does not come back with the removal of the folder."""
    inbox, gone = place.box(), place.make("Gone")
    place.add(inbox, "one", "two")
    place.tidied()
    with place.files_stay():
        place.run(inbox.move(NumSet.of(2), gone))
        place.run(gone.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Deleted"])))
        place.run(gone.expunge(NumSet.of(1)))
        _removed(place, "Gone")
        place.run(place.pump.pause(0.06))
    place.run(place.account.mailboxes())
    assert place.flags(inbox) == {1: set()}
    assert len(place.names()) == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_expunged_while_it_is_renamed_again_and_again(place, monkeypatch, times):
    """It goes, however often another program is faster."""
    box = place.box()
    place.add(box, "one", "two", flags=["\\Deleted"])
    place.tidied()
    place.run(box.expunge(NumSet.of(1)))
    unlink, left = os.unlink, ["RS", "FS", "S"][:times]

    def late(path):
        if left and ",U=1:" in path:
            os.rename(path, path.rpartition(",")[0] + "," + left.pop())
        unlink(path)

    monkeypatch.setattr(os, "unlink", late)
    place.tidied()
    monkeypatch.undo()
    assert left == []
    assert len(place.names()) == 1
    place.later()
    assert place.flags(box) == {2: {"\\Deleted"}}


def test_the_folder_of_files_that_had_not_followed_is_removed(place):
    """The messages that were moved out of it are gone with their files, and counted no more, at once."""
    source, target = place.make("Source"), place.make("Target")
    place.add(source, "one", "two")
    with place.files_stay():
        place.run(source.move(NumSet.of(1), target))
        _removed(place, "Source")
        place.run(place.pump.pause(0.06))
    assert {info.name for info in place.run(place.account.mailboxes())} == {"INBOX", "Target"}
    assert place.run(target.status()).messages == 0
