"""What is on the disk, for others to read."""

import mailbox
import os
import shutil
import stat

import pytest
from attrs import evolve

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from imapd.store.answers import settled
from imapd.store.contract.letters import Octets, letter
from imapd.store.errors import BadMailboxName
from imapd.store.interfaces import ISpools
from imapd.store.maildir import open_store
from tests.store.maildir.place import EVERYTHING, Place


def test_it_is_private(place):
    """Directories are the owner's alone, and so are files."""
    place.add(place.box(), "one")
    for directory in ("", "cur", "new", "tmp"):
        assert stat.S_IMODE((place.root / directory).stat().st_mode) == 0o700
    for file in [place.root / "imapd" / "index.sqlite", *(place.root / "cur").iterdir()]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_standard_library_reads_it(place):
    """Python's mailbox.Maildir finds the messages with their flags, and the folders."""
    sent = letter("for others", ["\\Seen", "\\Flagged"])
    place.run(place.box().append([sent.new()]))
    place.add(place.make("Work/2024.05"), "below")
    other = mailbox.Maildir(place.root, create=False)
    (message,) = list(other)
    assert message.get_flags() == "FS"
    assert message.as_bytes() == sent.octets.replace(b"\r\n", b"\n")
    assert sorted(other.list_folders()) == ["Work", "Work.2024&AC4-05"]
    assert len(other.get_folder("Work.2024&AC4-05")) == 1


def test_the_standard_library_writes_it(place):
    """What it adds, flags and removes is seen."""
    box = place.box()
    other = mailbox.Maildir(place.root, create=False)
    key = other.add(b"Subject: from elsewhere\n\nbody\n")
    assert place.run(box.status()).messages == 1
    other = mailbox.Maildir(place.root, create=False)
    (key,) = other.keys()
    message = other[key]
    message.add_flag("S")
    other[key] = message
    place.run(place.pump.pause(0.06))
    assert place.run(box.status()).unseen == 0
    assert list(place.flags(box).values()) == [{"\\Seen"}]
    mailbox.Maildir(place.root, create=False).clear()
    place.run(place.pump.pause(0.06))
    assert place.run(box.status()).messages == 0


def test_names_of_files(place):
    """Size, size with CRLF, UID and flags are in the name; the date is the file's."""
    place.add(place.box(), "one", flags=["\\Answered", "\\Draft", "x"])
    (name,) = place.names()
    size = len(letter("one").octets)
    assert name.endswith(f",S={size},W={size},U=1:2,DR")
    assert (place.root / "cur" / name).stat().st_mtime == 837596665


def test_octets_are_kept(place):
    """What comes by APPEND is kept byte for byte, also lone LFs, CRs and NULs."""
    box = place.box()
    odd = b"Subject: odd\n\nlone\nline\rfeeds\0\r\n.\r\nFrom x\n"
    message = letter("x").new()
    place.run(box.append([evolve(message, content=Octets(odd))]))
    place.restart()
    assert place.octets(place.box(), 1) == odd


def test_a_large_message(place):
    """A message larger than what is held in memory comes through a file in tmp, and tmp is empty after."""
    box = place.box()
    large = letter("large", body=b"0123456789abcde\r\n" * 200_000)
    place.run(box.append([large.new()]))
    assert place.octets(box, 1) == large.octets
    assert place.names(part="tmp") == []


def test_a_spool_for_several(place):
    """One spooled message can be appended to two mailboxes; they share one file."""
    box, other = place.box(), place.make("other")
    sent = letter("spooled")
    spool = ISpools(place.account).spool()
    place.run(settled(spool.write(sent.octets)))
    for each in (box, other):
        place.run(each.append([sent.new(spool.reader())]))
    spool.close()
    (first,), (second,) = place.names(), place.names(".other")
    assert os.path.samefile(place.root / "cur" / first, place.root / ".other/cur" / second)
    assert place.octets(box, 1) == place.octets(other, 1) == sent.octets
    assert place.names(part="tmp") == []


def test_moves_and_removals_follow(place):
    """Moved files get their names, expunged ones go, directories are renamed."""
    box, work = place.box(), place.make("work")
    place.add(box, "a", "b", "c")
    place.run(box.move(NumSet.of(1, 2), work))
    place.run(box.store_flags(NumSet.of(3), FlagChange.ADD, interned(["\\Deleted"])))
    place.run(box.expunge(EVERYTHING))
    place.tidied()
    assert place.names() == []
    assert [name.partition(",U=")[2] for name in place.names(".work")] == ["1:2,", "2:2,"]
    place.run(place.account.rename("work", "play/more"))
    assert sorted(name for name in os.listdir(place.root) if name.startswith(".")) == [
        ".play",
        ".play.more",
    ]
    place.run(place.account.delete("play/more"))
    assert not (place.root / ".play.more").exists()
    assert place.names(part="tmp") == []


def test_a_mailbox_deleted_behind_a_move(place):
    """Messages that were moved into a mailbox go with it: none comes back where it came from."""
    box, work = place.box(), place.make("work")
    place.add(box, "a", "b", "c")
    with place.files_stay():
        place.run(box.move(NumSet.of(1, 2), work))
        place.run(work.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Deleted"])))
        place.run(work.expunge(EVERYTHING))
    place.run(place.account.delete("work"))
    place.tidied()
    place.later()
    assert list(place.box().uids()) == [3]
    assert len(place.names()) == 1


def test_directories_of_a_hierarchy(place):
    """RENAME moves the directories of what is below, and a swap of names ends right."""
    for name in ("a/x", "b"):
        place.add(place.make(name), name.replace("/", "-"))
    for old, new in (("a", "t"), ("b", "a"), ("t", "b")):
        place.run(place.account.rename(old, new))
    assert {n for n in os.listdir(place.root) if n.startswith(".")} == {".a", ".b", ".b.x"}
    assert b"Subject: a-x" in place.octets(place.box("b/x"), 1)
    assert b"Subject: b" in place.octets(place.box("a"), 1)


def test_stray_drafts_go(place):
    """What a process that died left in tmp goes after a day and a half."""
    draft = place.root / "tmp" / "stray"
    draft.write_bytes(b"x")
    os.utime(draft, (1, 1))
    place.restart()
    # Its ctime is of now: it is not old enough.
    assert place.names(part="tmp") == ["stray"]


def test_an_index_lost(place):
    """A tree without its index is read again: messages keep their UIDs, flags and dates."""
    box = place.box()
    place.add(box, "a", "b", "c", "d", flags=["\\Seen"])
    place.run(box.store_flags(NumSet.of(2), FlagChange.ADD, interned(["\\Deleted"])))
    place.run(box.expunge(EVERYTHING))
    place.tidied()
    before = {uid: place.octets(box, uid) for uid in box.uids()}
    place.stop()
    shutil.rmtree(place.root / "imapd")
    place.start()
    box = place.box()
    assert {uid: place.octets(box, uid) for uid in box.uids()} == before
    assert set(place.flags(box).values()) == {frozenset(["\\Seen"])}
    (batch,) = box.scan(EVERYTHING, frozenset(["internal_date"]))
    assert batch.columns["internal_date"][0] == b"17-Jul-1996 09:44:25 +0000"


def test_users_that_file_systems_confuse(place, monkeypatch):
    """A user whose directory the file system takes for another's is refused."""
    place.run(place.account.close())
    place.run(place.store.close())
    (place.path / "ALICE").symlink_to(place.root)
    other = Place(place.path)
    other.store = open_store(other.pump, f"{place.path}/%u")
    with pytest.raises(BadMailboxName):
        other.run(other.store.open_account("ALICE"))
    other.run(other.store.close())
    place.start()
