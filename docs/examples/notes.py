"""A folder of text notes, served as a mailbox: ``python notes.py FOLDER PASSWORD [PORT]``."""

import sys
from datetime import datetime, timezone
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred

from imapd.auth.static import StaticPassword
from imapd.mime.facts import facts
from imapd.model.dates import from_datetime
from imapd.model.flags import DELETED, FlagChange
from imapd.model.numset import NumSet
from imapd.server.factory import imap_factory
from imapd.store.interfaces import NewMessage
from imapd.store.memory import MemoryStore
from imapd.store.readers import BytesReader


def letter(note: Path) -> NewMessage:
    """A note as a message: its name is the subject, its text the text."""
    written = datetime.fromtimestamp(note.stat().st_mtime, timezone.utc)
    message = EmailMessage(SMTP)
    message["Subject"], message["Date"], message["From"] = note.stem, written, "notes@localhost"
    message.set_content(note.read_text("utf-8"))
    data = message.as_bytes()
    return NewMessage(BytesReader(data), frozenset(), from_datetime(written), facts(data))


class Notes(MemoryStore):
    """A store whose INBOX holds the folder's ``*.txt``, as they are when somebody logs in."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.shown: dict[tuple[str, Path, int], int] = {}

    async def open_account(self, user: str):
        account = super().open_account(user)
        inbox = account.open("INBOX")
        inbox.read_only = True
        notes = {(user, note, note.stat().st_mtime_ns) for note in self.folder.glob("*.txt")}
        for gone in [key for key in self.shown if key[0] == user and key not in notes]:
            uid = NumSet.of(self.shown.pop(gone))
            inbox.store_flags(uid, FlagChange.ADD, frozenset({DELETED}))
            inbox.expunge(uid)
        for new in sorted(notes - self.shown.keys()):
            self.shown[new] = (await inbox.append([letter(new[1])])).uids[0]
        return account


async def main(reactor, folder: str, password: str, port: str = "1143") -> None:
    factory = imap_factory(Notes(Path(folder)), checkers=[StaticPassword(password.encode())])
    endpoint = endpoints.serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1")
    listening = await endpoint.listen(factory)
    print(f"IMAP on 127.0.0.1:{listening.getHost().port}, any user name", flush=True)
    await Deferred()  # until Ctrl-C


if __name__ == "__main__":
    task.react(lambda reactor, *said: Deferred.fromCoroutine(main(reactor, *said)), sys.argv[1:])
