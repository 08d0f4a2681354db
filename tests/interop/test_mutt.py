"""Mutt and NeoMutt: mail programs at a terminal, driven by the keys a person would press."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from attrs import frozen

from tests.interop.mail import FOLDERS, Letter, letters
from tests.interop.recording import Recorder, inflated
from tests.interop.running import Account

_PATIENCE = 15.0
_ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[()][A-Z0-9]|[=>])")
#: They write these into what it saves.
_ADDED = re.compile(rb"^(Status|X-Status|Content-Length|Lines): [^\n]*\n", re.MULTILINE)


@frozen
class _Mutt:
    """One of them with a configuration of its own."""

    program: str
    account: Account
    folder: Path

    def configure(self, security: str, *more: str) -> None:
        """Write its configuration."""
        scheme = "imaps" if security == "tls" else "imap"
        url = f"{scheme}://{self.account.user}@localhost:{self.account.port(security)}/"
        certificates = self.folder / "certificates"
        certificates.write_bytes(self.account.server.certificate.read_bytes())
        settings = {
            "imap_user": self.account.user,
            "imap_pass": self.account.password,
            "folder": url,
            "spoolfile": "+INBOX",
            "record": "+Sent",
            "postponed": "",
            "certificate_file": str(certificates),
            "ssl_starttls": "yes",
            "ssl_force_tls": "no" if security == "plain" else "yes",
            "mbox_type": "Maildir",
            "sendmail": "/bin/true",
            "from": "me@example.org",
            "realname": "Jürgen Müller",
            "charset": "utf-8",
            "sort": "mailbox-order",
            "header_cache": str(self.folder / "cache"),
            "message_cachedir": str(self.folder / "cache"),
        }
        if security == "plain":
            settings["ssl_starttls"] = "no"
        # Nothing asks, nothing waits.
        answers = (
            "confirmappend=no", "confirmcreate=no", "delete=yes", "quit=yes", "wait_key=no",
            "mark_old=no", "beep=no", "copy=yes", "abort_nosubject=no", "abort_unmodified=no",
            "keep_flagged=yes", "imap_check_subscribed=no", "imap_list_subscribed=no",
            "resolve=no", "collapse_unread=no", "text_flowed=no", "pipe_decode=no", "sleep_time=0",
        )  # fmt: skip
        (self.folder / "rc").write_text(
            "".join(f'set {name}="{value}"\n' for name, value in settings.items())
            + "".join(f"set {each}\n" for each in answers)
            + "".join(f"{each}\n" for each in more),
            encoding="utf-8",
        )

    def press(self, keys: str, *arguments: str, then: Sequence[tuple[str, str]] = ()) -> str:
        """Press keys until the program ends, and give what it has shown.

        `then` is what is typed when something is shown.
        """
        later = list(then)
        command = [self.program, "-n", "-F", "rc", "-e", f"push '{keys}'", *arguments]
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=self._environment(),
        )
        os.close(theirs)
        shown = b""
        until = time.monotonic() + _PATIENCE
        try:
            while time.monotonic() < until:
                ready, _, _ = select.select([ours], [], [], until - time.monotonic())
                if not ready:
                    break
                with contextlib.suppress(OSError):
                    data = os.read(ours, 65536)
                    shown += data
                    if later and later[0][0] in _text(shown):
                        os.write(ours, later.pop(0)[1].encode())
                    if data:
                        continue
                # Linux says EIO when the other end is closed.
                break
            text = _text(shown)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            assert process.returncode == 0, text[-3000:]
            return text
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(ours)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "MAILCAPS": "/dev/null",
        }

    def local(self, name: str, mail: Sequence[Letter] = ()) -> Path:
        """A Maildir here, with messages in it."""
        path = self.folder / name
        for sub in ("cur", "new", "tmp"):
            (path / sub).mkdir(parents=True)
        for number, letter in enumerate(mail):
            file = path / "cur" / f"{1_700_000_000 + number}.{number}.here:2,S"
            file.write_bytes(letter.octets.replace(b"\r\n", b"\n"))
        return path


def _text(shown: bytes) -> str:
    """What a terminal was sent, without what moves its cursor."""
    return " ".join(_ESCAPES.sub(b" ", shown).decode("utf-8", "replace").split())


def _octets(folder: Path) -> list[bytes]:
    """The messages of a Maildir."""
    return sorted(_plain(path.read_bytes()) for path in folder.glob("[cn]*/*"))


def _plain(octets: bytes) -> bytes:
    """A message without what they put into it, with line ends as IMAP has them."""
    head, empty, body = octets.replace(b"\r\n", b"\n").partition(b"\n\n")
    return (_ADDED.sub(b"", head + b"\n")[:-1] + empty + body).replace(b"\n", b"\r\n")


@pytest.fixture(params=["neomutt", "mutt"])
def mutt(
    request: pytest.FixtureRequest, program: Callable[..., str], account: Account, home: Path
) -> _Mutt:
    """Where it is, with an empty home."""
    return _Mutt(program(request.param, f"apt-get install {request.param}"), account, home)


def test_reads(mutt: _Mutt, account: Account, security: str) -> None:
    """It opens the mailbox, shows who wrote what, and copies every message out unchanged."""
    mail = letters(51, 8)
    account.fill("INBOX", *(letter.octets for letter in mail))
    mutt.configure(security)
    out = mutt.local("out")
    shown = mutt.press(f"<tag-pattern>~A<enter><tag-prefix><copy-message>{out}<enter><quit>")
    assert "Msgs:8" in shown
    assert "plain old subject" in shown
    assert {letter.sender for letter in mail} & set(re.findall(r"\w+ \w+|山田太郎", shown))
    assert _octets(out) == sorted(letter.octets for letter in mail)
    # It was only looked at; a message is read when it is opened.
    assert {flags for flags, _ in account.messages("INBOX")} <= {
        frozenset(), frozenset({"\\Seen"}),
    }  # fmt: skip


def test_compressed(mutt: _Mutt, account: Account) -> None:
    """Mutt compresses when it is told to, writes messages that way and copies them out unchanged."""
    asked = subprocess.run([mutt.program, "-n", "-Q", "imap_deflate"], capture_output=True)
    if asked.returncode:
        pytest.skip("this one does not compress")
    mail = letters(58, 8)
    source, out = mutt.local("source", mail), mutt.local("out")
    copy = "<tag-pattern>~A<enter><tag-prefix><copy-message>"
    with Recorder((account.host, account.server.imap)) as recorder:
        account.recorded = recorder.port
        mutt.configure("plain", "set imap_deflate")
        mutt.press(f"{copy}+INBOX<enter><quit>", "-f", str(source))
        mutt.press(f"{copy}{out}<enter><quit>")
    assert sorted(_plain(octets) for _, octets in account.messages("INBOX")) == sorted(
        letter.octets for letter in mail
    )
    assert _octets(out) == sorted(letter.octets for letter in mail)
    assert [b"APPEND" in said for said in map(inflated, recorder.connections())] == [True, False]
    assert [b"FETCH" in said for said in map(inflated, recorder.connections())] == [False, True]


def test_lists_folders(mutt: _Mutt, account: Account) -> None:
    """Its browser shows every folder, and opens one that has a name to be encoded."""
    for name in FOLDERS:
        account.fill(name)
    account.fill("日本語/メール", letters(52, 1)[0].octets)
    mutt.configure("starttls", "set imap_delim_chars=/")
    # NeoMutt's browser begins with a list of its own.
    toggle = "<toggle-mailboxes>" if mutt.program.endswith("neomutt") else ""
    shown = mutt.press(
        f"<change-folder>?{toggle}",
        then=[("with space", "qc+日本語/メール\r"), ("Msgs:1", "q")],
    )
    for name in FOLDERS:
        if "/" not in name:
            assert name in shown
    assert "Msgs:1" in shown


def test_writes(mutt: _Mutt, account: Account) -> None:
    """Messages copied from a local folder arrive unchanged in one on the server."""
    mail = letters(53, 8)
    account.fill("Ablage/Ärger & Co")
    mutt.configure("tls")
    source = mutt.local("source", mail)
    mutt.press(
        # A space alone would complete the name.
        "<tag-pattern>~A<enter><tag-prefix><copy-message>"
        "+Ablage/Ärger<quote-char> &<quote-char> Co<enter><quit>",
        "-f",
        str(source),
    )
    stored = account.messages("Ablage/Ärger & Co")
    assert sorted(_plain(octets) for _, octets in stored) == sorted(
        letter.octets for letter in mail
    )
    assert {flags for flags, _ in stored} == {frozenset({"\\Seen"})}


def test_up_and_down(mutt: _Mutt, account: Account) -> None:
    """What it has put there, it finds there: messages, flags, and what it has deleted."""
    mail = letters(56, 4, ["plain", "8-bit", "empty", "quoted"])
    mutt.configure("plain")
    source, out = mutt.local("source", mail), mutt.local("out")
    copy = "<tag-pattern>~A<enter><tag-prefix><copy-message>"
    mutt.press(f"{copy}+INBOX<enter><quit>", "-f", str(source))
    # Of the files of a Maildir any may be the first.
    stored = [_plain(octets) for _, octets in account.messages("INBOX")]
    assert sorted(stored) == sorted(letter.octets for letter in mail)
    mutt.press("1<enter><flag-message>2<enter><delete-message><sync-mailbox><quit>")
    mutt.press(f"{copy}{out}<enter><quit>")
    left = [stored[0], *stored[2:]]
    assert _octets(out) == sorted(left)
    assert [_plain(octets) for _, octets in account.messages("INBOX")] == left
    assert account.messages("INBOX")[0][0] == {"\\Flagged", "\\Seen"}


def test_comes_back_to_a_changed_mailbox(mutt: _Mutt, account: Account) -> None:
    """By QRESYNC and its cache it shows what was deleted, flagged and added while it was away."""
    mail = letters(57, 6)
    account.fill("INBOX", *(letter.octets for letter in mail[:5]))
    mutt.configure("tls", "set imap_condstore=yes", "set imap_qresync=yes")
    out, flagged = mutt.local("out"), mutt.local("flagged")
    assert "Msgs:5" in mutt.press("<quit>")
    with account.client() as client:
        client.select_folder("INBOX")
        client.add_flags([2, 4], [b"\\Flagged"])
        client.delete_messages([1, 3])
        client.expunge()
        client.append("INBOX", mail[5].octets)
    copy = "<tag-prefix><copy-message>"
    shown = mutt.press(
        f"<tag-pattern>~A<enter>{copy}{out}<enter><untag-pattern>~A<enter>"
        f"<tag-pattern>~F<enter>{copy}{flagged}<enter><quit>"
    )
    assert "Msgs:4" in shown
    assert _octets(out) == sorted(mail[n].octets for n in (1, 3, 4, 5))
    assert _octets(flagged) == sorted(mail[n].octets for n in (1, 3))


def test_flags_moves_and_deletes(mutt: _Mutt, account: Account) -> None:
    """Flags are set, messages moved to another folder, and what was deleted is gone."""
    mail = letters(54, 6)
    account.fill("INBOX", *(letter.octets for letter in mail))
    account.fill("Archive")
    mutt.configure("starttls")
    mutt.press(
        "1<enter><flag-message>"
        "2<enter><set-flag>r"
        "3<enter><save-message>+Archive<enter>"
        "4<enter><delete-message>"
        "5<enter><display-message><exit>"
        "<sync-mailbox><quit>"
    )
    # \Answered comes with \Seen, as one has read what one answers.
    left = account.messages("INBOX")
    assert [octets for _, octets in left] == [
        mail[0].octets, mail[1].octets, mail[4].octets, mail[5].octets,
    ]  # fmt: skip
    assert [flags - {"Old"} for flags, _ in left] == [
        {"\\Flagged"}, {"\\Answered", "\\Seen"}, {"\\Seen"}, frozenset(),
    ]  # fmt: skip
    assert [octets for _, octets in account.messages("Archive")] == [mail[2].octets]


def test_keeps_what_it_sends(mutt: _Mutt, account: Account, tmp_path: Path) -> None:
    """A copy of a sent mail with an attachment is filed in a folder on the server."""
    account.fill("Sent")
    mutt.configure("tls", 'set editor="true"', "set fast_reply")
    attachment = tmp_path / "Übersicht.bin"
    attachment.write_bytes(bytes(range(256)))
    asked = [] if mutt.program.endswith("neomutt") else [("To: you@example.org", "\r")]
    mutt.press(
        "",
        *("-s", "Ein Gruß", "-a", str(attachment), "--", "you@example.org"),
        # Mutt asks for the address in any case.
        then=[*asked, ("Security:", "y")],
    )
    ((flags, octets),) = account.messages("Sent")
    assert flags == {"\\Seen"}
    assert b"\nTo: you@example.org\r\n" in octets
    sent = message_from_bytes(octets, policy=default)
    assert sent["Subject"] == "Ein Gruß"
    (part,) = sent.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("Übersicht.bin", bytes(range(256)))
