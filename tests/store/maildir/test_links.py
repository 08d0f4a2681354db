"""Symbolic links that a user puts into their own tree, and what they gain by it: nothing of another's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from attrs import define, field

from imapd.model.flags import FlagChange, interned
from imapd.model.message import EMAIL_ID, ENVELOPE, FLAGS, HEADER
from imapd.model.numset import NumSet
from imapd.store.answers import each
from imapd.store.contract.letters import letter
from imapd.store.errors import StoreError
from imapd.store.maildir import open_store
from tests.store.maildir.place import EVERYTHING, Place

_SECRET = b"nobody but bob"
_LEVELS = {"maildir++": ("Work", ".Work"), "fs": ("Work", "Work")}


@define
class _Mallory:
    """One who has a tree of their own beside that of another, and writes into it as they like."""

    place: Place
    layout: str
    seen: list[bytes] = field(factory=list)

    @property
    def root(self) -> Path:
        return self.place.root

    @property
    def victim(self) -> Path:
        return self.place.path / "bob"

    @property
    def folder(self) -> str:
        return _LEVELS[self.layout][1]

    def start(self) -> None:
        self.place.store = open_store(self.place.pump, f"{self.place.path}/%u:layout={self.layout}")

    def open(self, user: str) -> None:
        self.place.account = self.place.run(self.place.store.open_account(user))

    def close(self) -> None:
        self.place.run(self.place.account.close())
        self.place.account = None

    def furnish(self, user: str, subject: str) -> None:
        """An account with mail in two mailboxes, as it is on the disk."""
        self.open(user)
        self.place.add(self.place.box(), subject, subject)
        self.place.add(self.place.make("Work"), subject, subject)
        self.place.tidied()
        self.close()

    def stop(self) -> None:
        self.place.run(self.place.store.close())
        self.place.store = None

    def link(self, inside: str, target: Path | str, target_is_message: bool = False) -> None:
        """A link in the place of what is there."""
        path = self.root / inside
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def attempt(self, call, *arguments, **named):
        """What it answers; a store may refuse, and nothing else."""
        try:
            return self.place.run(call(*arguments, **named))
        except StoreError:
            return None

    def use(self) -> None:
        """All that a client can do, noting all that it is told."""
        account = self.place.account
        self._change("INBOX")
        for name in [info.name for info in self.attempt(account.mailboxes) or ()]:
            self._read(name)
            self._change(name)
            self._read(name)
        self.attempt(account.create, "Work/below")
        self.attempt(account.rename, "Work", "Play")
        self.attempt(account.create, "Work")
        self.attempt(account.rename, "Play", "Work/again")
        self._change("Work/again")
        for name in ("Work/below", "Work/again", "Play", "Work"):
            self.attempt(account.delete, name)
        self.place.tidied()
        self.attempt(account.examine)

    def _read(self, name: str) -> None:
        box = self.attempt(self.place.account.open, name)
        if box is None:
            return
        self.attempt(box.status)
        for uid in self.attempt(self._uids, box) or ():
            reader = self.attempt(box.read, uid)
            if reader is not None:
                self.seen.append(self.place.run(reader.read(0, reader.size)))
                reader.close()

    async def _uids(self, box):
        found = []
        async for batch in each(
            box.scan(EVERYTHING, frozenset([ENVELOPE, HEADER, FLAGS, EMAIL_ID]))
        ):
            found += batch.uids
            for column in batch.columns.values():
                self.seen += [repr(value).encode() for value in column]
        return found

    def _change(self, name: str) -> None:
        box = self.attempt(self.place.account.open, name)
        if box is None:
            return
        self.attempt(box.append, [letter("mine").new()])
        self.attempt(box.append, [letter("large", body=b"0123456789abcde\r\n" * 200_000).new()])
        self.attempt(box.store_flags, EVERYTHING, FlagChange.ADD, interned(["\\Seen"]))
        self.place.tidied()
        for other in ("INBOX", "Work"):
            target = self.attempt(self.place.account.open, other)
            if target is not None:
                self.attempt(box.copy, EVERYTHING, target)
                self.attempt(box.move, NumSet.of(1), target)
        self.place.tidied()
        self.attempt(box.store_flags, NumSet.of(2, 3), FlagChange.ADD, interned(["\\Deleted"]))
        self.attempt(box.expunge, EVERYTHING)
        self.place.tidied()


def _tree(root: Path) -> dict[str, object]:
    """All that is there."""
    found: dict[str, object] = {}
    for folder, _, files in os.walk(root):
        found[folder] = (os.lstat(folder).st_mtime_ns, sorted(os.listdir(folder)))
        for file in files:
            path = Path(folder, file)
            found[str(path)] = (path.lstat().st_mtime_ns, path.read_bytes())
    return found


_PLACES = [
    "cur", "new", "tmp", "imapd", "imapd/index.sqlite", "imapd/index.sqlite-wal",
    "imapd/texts.sqlite", "imapd/texts.sqlite-lock", "imapd/damaged", "imapd-mailbox",
    "FOLDER", "FOLDER/cur", "FOLDER/new", "FOLDER/tmp", "FOLDER/imapd-mailbox",
    "FOLDER/maildirfolder", "dovecot-uidlist", "dovecot-keywords", "subscriptions",
    "FOLDER/dovecot-uidlist", "courierimapkeywords", "FOLDER/courierimapkeywords",
]  # fmt: skip


@pytest.fixture(params=["maildir++", "fs"])
def mallory(request, tmp_path):
    """Beside them is bob, with a secret."""
    made = _Mallory(Place(tmp_path / "mail"), request.param)
    made.start()
    made.furnish("bob", _SECRET.decode())
    made.furnish("alice", "mine")
    made.stop()
    return made


def _nothing_gained(mallory: _Mallory, before: dict[str, object]) -> None:
    assert not [octets for octets in mallory.seen if _SECRET in octets]
    assert _tree(mallory.victim) == before


@pytest.mark.parametrize("there", _PLACES)
def test_before_it_is_opened(mallory, there, complaints):
    """A link that is found when the account is opened."""
    before = _tree(mallory.victim)
    inside = there.replace("FOLDER", mallory.folder)
    mallory.link(inside, mallory.victim / inside)
    mallory.start()
    try:
        mallory.open("alice")
    except StoreError:
        pass
    else:
        mallory.use()
        mallory.close()
    mallory.stop()
    _nothing_gained(mallory, before)
    assert complaints == []


@pytest.mark.parametrize("there", [each for each in _PLACES if "index.sqlite" not in each])
def test_while_it_is_open(mallory, there, complaints):
    """A link in the place of what had been in use."""
    before = _tree(mallory.victim)
    inside = there.replace("FOLDER", mallory.folder)
    mallory.start()
    mallory.open("alice")
    for name in ("INBOX", "Work"):
        mallory._read(name)
    mallory.link(inside, mallory.victim / inside)
    mallory.use()
    mallory.close()
    mallory.stop()
    _nothing_gained(mallory, before)
    assert complaints == []


@pytest.mark.parametrize("part", ["cur", "new"])
def test_messages(mallory, part):
    """Links in the place of messages, also under the names of messages that are known, are none."""
    before = _tree(mallory.victim)
    theirs = next((mallory.victim / "cur").iterdir())
    mallory.start()
    mallory.open("alice")
    mallory._read("INBOX")
    ours = next((mallory.root / "cur").iterdir())
    (mallory.root / part / "1.link:2,").symlink_to(theirs)
    (mallory.root / part / "2.absent:2,").symlink_to(mallory.victim / "absent")
    (mallory.root / part / "3.circle:2,").symlink_to("3.circle:2,")
    ours.unlink()
    ours.symlink_to(theirs)
    mallory.use()
    mallory.close()
    mallory.stop()
    _nothing_gained(mallory, before)


def test_names_of_the_same_files(mallory):
    """A mailbox that had files of the same names, and is a link now, shows nothing of the other's."""
    before = _tree(mallory.victim)
    folder = mallory.root / mallory.folder / "cur"
    for path in folder.iterdir():
        path.unlink()
    for path in (mallory.victim / mallory.folder / "cur").iterdir():
        (folder / path.name).write_bytes(b"x" * path.stat().st_size)
    mallory.start()
    mallory.open("alice")
    mallory._read("Work")
    mallory.link(mallory.folder, mallory.victim / mallory.folder)
    mallory.use()
    mallory.close()
    mallory.stop()
    _nothing_gained(mallory, before)
