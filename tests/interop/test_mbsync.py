"""mbsync (isync): two-way synchronisation of 300 messages in nested, non-ASCII folders."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import SIGTERM

import pytest
from attrs import frozen
from imapclient import imap_utf7

from tests.interop.mail import FOLDERS, Letter, letters
from tests.interop.running import Account, Server

_INSTALL = "apt-get install isync"
_SECURITY = {"plain": "None", "starttls": "STARTTLS", "tls": "IMAPS"}
#: mbsync marks what it copies, to find it again.
_MARK = re.compile(rb"^X-TUID: [^\r\n]*\r\n", re.MULTILINE)

Find = Callable[..., str]


@frozen
class _Mbsync:
    """mbsync with a configuration of its own, and the Maildir it keeps."""

    program: str
    account: Account
    folder: Path

    @property
    def maildir(self) -> Path:
        return self.folder / "Mail"

    def configure(self, security: str) -> None:
        """Write its configuration: everything goes both ways."""
        self.maildir.mkdir()
        (self.folder / "rc").write_text(
            f"""
            IMAPStore far
            Host localhost
            Port {self.account.port(security)}
            User {self.account.user}
            Pass {self.account.password}
            SSLType {_SECURITY[security]}
            CertificateFile {self.account.server.certificate}

            MaildirStore near
            Path {self.maildir}/
            Inbox {self.maildir}/INBOX
            SubFolders Verbatim

            Channel all
            Far :far:
            Near :near:
            Patterns *
            Create Both
            Expunge Both
            Remove Both
            CopyArrivalDate yes
            SyncState *
            """
        )

    def run(self) -> str:
        """Synchronise, and give what it said."""
        done = subprocess.run(
            [self.program, "-c", "rc", "-V", "-a"],
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder)},
            capture_output=True,
            timeout=30,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == 0, said
        assert not re.search("error|warning", said, re.IGNORECASE), said
        return said

    def path(self, mailbox: str) -> Path:
        """A folder's place: this mbsync leaves names as they are on the wire."""
        return self.maildir / imap_utf7.encode(mailbox).decode()

    def add(self, mailbox: str, octets: bytes, flags: str = "", number: int = 0) -> None:
        """A message that some other program has put there."""
        for sub in ("cur", "new", "tmp"):
            (self.path(mailbox) / sub).mkdir(parents=True, exist_ok=True)
        name = f"{1_700_000_000 + number}.{number}.here:2,{flags}"
        path = self.path(mailbox) / "cur" / name
        path.write_bytes(octets.replace(b"\r\n", b"\n"))
        os.utime(path, (1_600_000_000 + number, 1_600_000_000 + number))

    def find(self, mailbox: str, letter: Letter) -> Path:
        """The file that holds a message."""
        (path,) = (
            path
            for path in self.path(mailbox).glob("*/*")
            if path.is_file() and b"Message-ID: " + letter.message_id.encode() in _head(path)
        )
        return path

    def flag(self, mailbox: str, letter: Letter, flags: str) -> None:
        """Give a message these Maildir flags, and no others."""
        path = self.find(mailbox, letter)
        unflagged = path.name.partition(":2,")[0]
        path.rename(self.path(mailbox) / "cur" / f"{unflagged}:2,{flags}")

    def contents(self) -> dict[str, dict[bytes, str]]:
        """By folder: each message, without mbsync's mark, and its Maildir flags."""
        found: dict[str, dict[bytes, str]] = {}
        for cur in self.maildir.rglob("cur"):
            name = imap_utf7.decode(bytes(cur.parent.relative_to(self.maildir)))
            box = found.setdefault(name, {})
            for path in [*cur.iterdir(), *(cur.parent / "new").iterdir()]:
                octets = _MARK.sub(b"", path.read_bytes().replace(b"\n", b"\r\n"), count=1)
                box[octets] = "".join(sorted(path.name.partition(":2,")[2]))
        return found

    def everything(self) -> dict[str, bytes]:
        """Every file with its name: also what mbsync remembers."""
        return {
            str(path.relative_to(self.maildir)): path.read_bytes()
            for path in sorted(self.maildir.rglob("*"))
            if path.is_file()
        }


def _head(path: Path) -> bytes:
    return path.read_bytes().partition(b"\n\n")[0]


_FLAGS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}


def _server_contents(account: Account) -> dict[str, dict[bytes, str]]:
    """As `_Mbsync.contents`."""
    return {
        name: {
            _MARK.sub(b"", octets, count=1): "".join(sorted(_FLAGS[flag] for flag in flags))
            for flags, octets in account.messages(name)
        }
        for name in account.mailboxes()
    }


def _server_state(account: Account) -> dict[str, object]:
    """Everything about the server's mail that a synchronisation without news must leave alone."""
    state: dict[str, object] = {}
    with account.client() as client:
        for _, _, name in client.list_folders():
            selected = client.select_folder(name, readonly=True)
            state[name] = (
                {key: selected[key] for key in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS")},
                client.fetch(client.search(), ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]),
            )
    return state


def _assert_same(
    account: Account, mbsync: _Mbsync, expected: Mapping[str, Mapping[bytes, str]]
) -> None:
    """Both sides hold exactly these messages with these flags."""
    for side in (_server_contents(account), mbsync.contents()):
        assert set(side) - {"INBOX"} == set(expected) - {"INBOX"}
        for name, box in expected.items():
            # One by one: a difference of 300 messages at once nobody can read.
            assert sorted(map(hash, side[name])) == sorted(map(hash, box)), name
            assert side[name] == box


@pytest.fixture
def mbsync(program: Find, account: Account, home: Path) -> _Mbsync:
    """Where it is, with an empty Maildir."""
    return _Mbsync(program("mbsync", _INSTALL), account, home)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_two_ways(mbsync: _Mbsync, account: Account, security: str) -> None:
    """Mail of both sides ends on both sides; then nothing changes; then every change is carried."""
    mbsync.configure(security)
    names = ["INBOX", *(name for name in FOLDERS if '"' not in name)]
    expected: dict[str, dict[bytes, str]] = {name: {} for name in names}
    theirs: dict[str, list[Letter]] = {name: [] for name in names}
    ours: dict[str, list[Letter]] = {name: [] for name in names}
    for number, letter in enumerate(letters(31, 300)):
        name = names[number % len(names)]
        (theirs if number % 3 else ours)[name].append(letter)
        expected[name][letter.octets] = "S" if number % 3 == 0 else ""
    with account.client() as client:
        for name, mail in theirs.items():
            if name != "INBOX":
                client.create_folder(name)
            for letter in mail:
                client.append(name, letter.octets)
    for name, mail in ours.items():
        for number, letter in enumerate(mail):
            mbsync.add(name, letter.octets, "S", number)

    # Everything is on both sides.
    mbsync.run()
    _assert_same(account, mbsync, expected)
    with account.client() as client:
        client.select_folder("日本語", readonly=True)
        client.normalise_times = False
        fetched = client.fetch(client.search(), ["INTERNALDATE"])
    dates = {got[b"INTERNALDATE"].timestamp() for got in fetched.values()}
    assert {1_600_000_000.0 + number for number in range(len(ours["日本語"]))} <= dates

    # A second run changes nothing.
    here, there = mbsync.everything(), _server_state(account)
    mbsync.run()
    assert mbsync.everything() == here
    assert _server_state(account) == there

    # Flags, new and deleted messages of both sides.
    new = letters(32, 20)
    with account.client() as client:
        for index, name in enumerate(names):
            client.select_folder(name)
            flagged, gone = theirs[name][0], theirs[name][1]
            client.add_flags(_uid(client, flagged), [b"\\Flagged", b"\\Answered"])
            client.remove_flags(_uid(client, ours[name][2]), [b"\\Seen"])
            client.delete_messages(_uid(client, gone))
            client.expunge()
            client.append(name, new[index].octets, [b"\\Seen"])
            expected[name] |= {
                flagged.octets: "FR",
                ours[name][2].octets: "",
                new[index].octets: "S",
            }
            del expected[name][gone.octets]
    for index, name in enumerate(names):
        flagged, gone, late = ours[name][0], ours[name][1], new[10 + index]
        mbsync.flag(name, flagged, "FS")
        mbsync.flag(name, gone, "T")
        mbsync.flag(name, theirs[name][3], "RS")
        mbsync.find(name, theirs[name][4]).unlink()
        mbsync.add(name, late.octets, "D", 1000)
        expected[name] |= {flagged.octets: "FS", theirs[name][3].octets: "RS", late.octets: "D"}
        del expected[name][gone.octets]
        del expected[name][theirs[name][4].octets]
    mbsync.run()
    _assert_same(account, mbsync, expected)

    # And again nothing.
    here, there = mbsync.everything(), _server_state(account)
    mbsync.run()
    assert mbsync.everything() == here
    assert _server_state(account) == there


def _uid(client: object, letter: Letter) -> list[int]:
    """The UID of a message, which the server has to find."""
    found: list[int] = client.search(["HEADER", "Message-ID", letter.message_id])  # type: ignore[attr-defined]
    assert len(found) == 1, letter
    return found


def test_up_and_down(mbsync: _Mbsync, account: Account, home: Path) -> None:
    """A Maildir goes up to an empty account, and down from there into an empty Maildir."""
    mbsync.configure("plain")
    mail = letters(34, 8, ["plain", "8-bit", "empty", "quoted"])
    expected = {"INBOX": mail[:3], "日本語": mail[3:6], "a&b": mail[6:]}
    for name, some in expected.items():
        for number, letter in enumerate(some):
            mbsync.add(name, letter.octets, "FS", number)
    contents = {name: {each.octets: "FS" for each in some} for name, some in expected.items()}
    mbsync.run()
    _assert_same(account, mbsync, contents)
    other = _Mbsync(mbsync.program, account, home / "other")
    other.folder.mkdir()
    other.configure("plain")
    other.run()
    assert other.contents() == contents


def test_after_a_restart(program: Find, tmp_path: Path, home: Path) -> None:
    """The server is stopped and started over its Maildir: mbsync finds nothing to do."""
    server = Server("maildir", tmp_path)
    server.start()
    try:
        account = Account(server, "restarted")
        mbsync = _Mbsync(program("mbsync", _INSTALL), account, home)
        mbsync.configure("tls")
        mail = letters(33, 40)
        for name, some in (("日本語/メール", mail[:20]), ("INBOX", mail[20:])):
            account.fill(name, *(letter.octets for letter in some))
        mbsync.run()
        here, there = mbsync.everything(), _server_state(account)
        assert server.stop() == -SIGTERM
        server.start()
        assert _server_state(account) == there
        mbsync.run()
        assert mbsync.everything() == here
        assert _server_state(account) == there
    finally:
        server.stop()
    server.assert_ended()
