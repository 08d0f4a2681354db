"""The server that `benchmarks.floor` compares with does what is asked of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from twisted.internet.testing import StringTransport

from benchmarks.bare import BOXES, MESSAGES, Bare, Mail
from benchmarks.corpus import letters


class _Transport(StringTransport):
    def setTcpNoDelay(self, enabled: bool) -> None:
        """As `ITCPTransport`."""


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Mail:
    """An account."""
    return Mail(Path(tmp_path_factory.mktemp("bare")) / "mail")


@pytest.fixture
def ask(mail: Mail):
    """The answer to lines of a client."""
    transport = _Transport()
    protocol = Bare(mail)
    protocol.makeConnection(transport)

    def answer(*lines: bytes) -> bytes:
        transport.clear()
        protocol.dataReceived(b"".join(b"t%d %b\r\n" % each for each in enumerate(lines)))
        answered: bytes = transport.value()
        assert re.findall(rb"^t\d+ OK", answered, re.M) == [
            b"t%d OK" % n for n in range(len(lines))
        ]
        return answered

    return answer


def test_many_in_one_write(ask) -> None:
    """Each is answered."""
    assert ask(*[b"NOOP"] * 100).count(b"\r\n") == 100


def test_names_and_figures(ask) -> None:
    """LIST has a line for each mailbox, STATUS one."""
    assert ask(b'LIST "" *').count(b"* LIST") == BOXES
    assert b"* STATUS box007 (MESSAGES 0 " in ask(b"STATUS box007 (MESSAGES UNSEEN)")


def test_messages(ask) -> None:
    """Octets are those of the files, header fields those that were asked for, rows one for each."""
    first = next(letters(MESSAGES))
    assert b"BODY[] {%d}\r\n%b)\r\n" % (len(first), first) in ask(
        b"SELECT big", b"FETCH 1 BODY.PEEK[]"
    )
    fields = ask(
        b"FETCH 1:%d (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])" % MESSAGES
    )
    assert fields.count(b"FETCH (BODY[HEADER.FIELDS") == MESSAGES
    assert fields.count(b"\r\nSubject: ") + fields.count(b"}\r\nSubject: ") >= MESSAGES
    assert b"\r\nMIME-Version" not in fields


def test_flags(ask) -> None:
    """One row for each that was changed."""
    assert ask(b"STORE 3 +FLAGS (\\Flagged)").count(b"FETCH (FLAGS") == 1
    assert ask(b"STORE 1:%d +FLAGS (\\Draft)" % MESSAGES).count(b"FETCH (FLAGS") == MESSAGES


def test_mail_that_comes(mail: Mail, ask) -> None:
    """It is in a file, and counts."""
    before = mail.next
    mail.deliver([b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n2\r\n"])
    assert (mail.place / "cur" / str(before + 1)).read_bytes() == b"Subject: two\r\n\r\n2\r\n"
    assert b"* %d EXISTS" % (before + 2) in ask(b"SELECT big")
