"""A Maildir store on a temporary directory, and what other programs do to it."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from imapd.model.message import FLAGS
from imapd.model.numset import NumSet
from imapd.store.answers import each, settled
from imapd.store.contract import Pump
from imapd.store.contract.letters import letter
from imapd.store.maildir import namespace, open_store

EVERYTHING = NumSet([(1, (1 << 32) - 1)])


class Place:
    """One user's Maildir and the store that serves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "alice"
        self.pump = Pump()
        self.store = None
        self.account = None

    def run(self, answer):
        """The answer, waited for."""

        async def wait():
            return await settled(answer)

        return self.pump.run(wait())

    def start(self):
        """Open the account."""
        self.store = open_store(self.pump, f"{self.path}/%u")
        self.account = self.run(self.store.open_account("alice"))
        return self

    def stop(self):
        """Close all."""
        if self.store is not None:
            self.run(self.account.close())
            self.run(self.store.close())
            self.store = None

    def restart(self):
        """As after an orderly end."""
        self.stop()
        return self.start()

    def crashed(self, path: Path) -> Place:
        """The same directory as a kill -9 at this moment would leave it, in another place."""
        shutil.copytree(self.path, path, symlinks=True)
        (path / "alice" / "imapd" / "index.sqlite-shm").unlink(missing_ok=True)
        return Place(path)

    def box(self, name="INBOX"):
        """A mailbox."""
        return self.run(self.account.open(name))

    def make(self, name):
        """A new mailbox."""
        self.run(self.account.create(name))
        return self.box(name)

    def add(self, box, *subjects, flags=()):
        """Append; the UIDs."""
        messages = [letter(subject, flags).new() for subject in subjects]
        return list(self.run(box.append(messages)).uids)

    def flags(self, box):
        """Flags by UID."""
        return self.column(box, FLAGS)

    def column(self, box, name):
        """The values of a column by UID."""

        async def read():
            found = {}
            async for batch in each(box.scan(EVERYTHING, frozenset([name]))):
                found.update(zip(batch.uids, batch.columns[name]))
            return found

        return self.pump.run(read())

    def octets(self, box, uid):
        """A whole message."""
        reader = self.run(box.read(uid))
        try:
            return self.run(reader.read(0, reader.size))
        finally:
            reader.close()

    def tidied(self):
        """Wait until the tree has followed the index."""
        self.run(self.account.changing.tidy())

    def until(self, condition):
        """Wait until it holds."""
        for _ in range(500):
            if condition():
                return
            self.run(self.pump.pause(0.02))
        raise AssertionError("it does not come to hold")

    @staticmethod
    @contextmanager
    def files_stay():
        """Meanwhile no file follows what the index says."""
        with (
            patch.object(namespace, "follow", lambda index, tree, hints: None),
            patch.object(namespace, "follow_briefly", lambda index, tree, hints: True),
        ):
            yield

    @staticmethod
    def tick():
        """Until the clock of the file system goes on, so that the next change has another mtime."""
        time.sleep(0.01)

    def later(self, directory=""):
        """As if the directories had been changed long ago and read since."""
        for part in ("new", "cur"):
            path = self.root / directory / part
            os.utime(path, (1, 1))
        self.run(self.box("INBOX" if not directory else directory[1:]).status())

    def names(self, directory="", part="cur"):
        """Names of files."""
        return sorted(os.listdir(self.root / directory / part))

    def deliver(
        self, name, octets=b"Subject: x\r\n\r\nbody\r\n", directory="", part="new", at=None
    ):
        """What an MDA does."""
        draft = self.root / directory / "tmp" / name
        draft.write_bytes(octets)
        if at is not None:
            os.utime(draft, (at, at))
        path = self.root / directory / part / name
        draft.rename(path)
        return path
