"""Mailboxes of others and ACL, by clients that know them: imaplib, IMAPClient and Mail::IMAPClient."""

from __future__ import annotations

import imaplib
import subprocess
from collections.abc import Callable, Iterator
from signal import SIGTERM

import pytest

from tests.interop.mail import letters
from tests.interop.running import PASSWORD, Account, Server

_CONFIGURATION = """
[sharing]
account = "public"
administrators = ["carol"]
groups = { team = ["bob"] }
"""

_PERL = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($port, $password) = @ARGV;
my $imap = Mail::IMAPClient->new(
    Server => '127.0.0.1', Port => $port, User => 'alice', Password => $password, Uid => 1,
) or die "cannot log in: $@";
$imap->create('perl') or die $imap->LastError;
$imap->setacl('perl', 'bob', 'lrs') or die $imap->LastError;
my $acl = $imap->getacl('perl') or die $imap->LastError;
print join(',', map { "$_=$acl->{$_}" } sort keys %$acl), "\n";
print join(',', $imap->listrights('perl', 'bob')), "\n";
$imap->deleteacl('perl', 'bob') or die $imap->LastError;
$acl = $imap->getacl('perl') or die $imap->LastError;
print join(',', map { "$_=$acl->{$_}" } sort keys %$acl), "\n";
$imap->logout;
"""


@pytest.fixture(params=["memory", "maildir"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The shipped program with a table ``[sharing]``; its log must hold nothing that went wrong."""
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "imapd.toml").write_text(_CONFIGURATION)
    server = Server(request.param, folder, ("--config", "imapd.toml"))
    server.start()
    yield server
    server.assert_calm()
    assert server.stop() == -SIGTERM, server.log()
    server.assert_ended()


def _imaplib(server: Server, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=20)
    client.login(user, PASSWORD)
    return client


def test_imaplib_and_imapclient(shared: Server) -> None:
    """One client gives rights, the other uses them: lists, reads, marks as read, is refused the rest."""
    alice = Account(shared, "alice")
    alice.fill("Projects/2026", *(each.octets for each in letters(5, 2)))
    owner = _imaplib(shared, "alice")
    assert owner.setacl("Projects/2026", "$team", "lrsi")[0] == "OK"
    assert owner.getacl("Projects/2026") == (
        "OK",
        [b'Projects/2026 alice lrswipkxtencda "$team" lrsi'],
    )
    assert owner.myrights("Projects/2026") == ("OK", [b"Projects/2026 lrswipkxtencda"])
    with Account(shared, "bob").client() as bob:
        name = "Other Users/alice/Projects/2026"
        spaces = bob.namespace()
        assert (spaces.other, spaces.shared) == ((("Other Users/", "/"),), (("Shared/", "/"),))
        assert [each for _, _, each in bob.list_folders()] == ["INBOX", name]
        assert bob.select_folder(name)[b"EXISTS"] == 2
        bob.add_flags([1], [b"\\Seen"])
        assert bob.search("UNSEEN") == [2]
        with pytest.raises(imaplib.IMAP4.error, match="NOPERM"):
            bob.add_flags([1], [b"\\Flagged"])
        with pytest.raises(imaplib.IMAP4.error, match="NOPERM"):
            bob.getacl(name)
        bob.create_folder("mine")
        bob.setacl("mine", "alice", "lri")
        assert bob.getacl("mine") == [(b"bob", b"lrswipkxtencda"), (b"alice", b"lri")]
    owner.select("Projects/2026")
    assert owner.search(None, "UNSEEN") == ("OK", [b"1 2"])
    assert owner.append('"Other Users/bob/mine"', None, None, b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
    assert owner.deleteacl("Projects/2026", "$team")[0] == "OK"
    assert owner.logout()[0] == "BYE"
    with Account(shared, "bob").client() as bob:
        assert [each for _, _, each in bob.list_folders()] == ["INBOX", "mine"]
        assert bob.folder_status("mine", ["MESSAGES"]) == {b"MESSAGES": 1}


def test_public_mailboxes(shared: Server) -> None:
    """An administrator makes a mailbox for everybody by IMAPClient."""
    with Account(shared, "carol").client() as carol:
        carol.create_folder("Shared/News")
        carol.setacl("Shared/News", "anyone", "lr")
        carol.append("Shared/News", b"Subject: x\r\n\r\nx\r\n")
    with Account(shared, "dave").client() as dave:
        assert dave.folder_exists("Shared/News")
        # imaplib, on which this client is built, takes READ-ONLY for an error otherwise.
        assert dave.select_folder("Shared/News", readonly=True)[b"EXISTS"] == 1
        assert dave.search("ALL") == [1]


def test_mail_imapclient(program: Callable[..., str], shared: Server) -> None:
    """Perl's client sets, reads and deletes rights."""
    perl = program("perl", "apt-get install perl")
    if subprocess.run([perl, "-MMail::IMAPClient", "-e", "1"], capture_output=True).returncode:
        pytest.skip("install with: apt-get install libmail-imapclient-perl")
    done = subprocess.run(
        [perl, "-e", _PERL, str(shared.imap), PASSWORD], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == [
        "alice=lrswipkxtencda,bob=lrs",
        "l,r,s,w,i,p,k,x,t,e,n,c,d,a",
        "alice=lrswipkxtencda",
    ]
