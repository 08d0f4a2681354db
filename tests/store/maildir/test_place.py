"""Where accounts are."""

import os

import pytest

from imapd.store.errors import BadMailboxName
from imapd.store.maildir import open_store
from imapd.store.maildir.place import Template
from imapd.store.maker import UnknownStore


@pytest.mark.parametrize(
    ("pattern", "user", "place"),
    [
        ("/m/%u", "alice", "/m/alice"),
        ("/m/%u/Maildir", "alice@example.org", "/m/alice@example.org/Maildir"),
        ("/m/%d/%n", "alice@example.org", "/m/example.org/alice"),
        ("/m/%d/%n", "a@b@example.org", "/m/example.org/a@b"),
        ("/m/%n", "alice", "/m/alice"),
        ("/m/100%%/%u", "alice", "/m/100%/alice"),
        ("/m/%u", "%u", "/m/%u"),
        ("/m/%u", "Jörg", "/m/Jörg"),
    ],
)
def test_known(pattern, user, place):
    """Each user's directory."""
    assert Template.parse(pattern).place(user) == place


@pytest.mark.parametrize("pattern", ["", "/m", "/m/%d", "/m/%x", "/m/%u%", "/m/\0%u"])
def test_no_template(pattern):
    """What would put users together, or means nothing, is refused, saying what to write."""
    with pytest.raises(UnknownStore, match="maildir:/var/mail/%u"):
        open_store(None, pattern)


@pytest.mark.parametrize(
    ("pattern", "user"),
    [
        ("/m/%u", user)
        for user in ["", ".", "..", ".x", "a/b", "a\0", "a\n", " a", "a ", "ﬁ", "ａlice", "a\ud800"]
        + ["x" * 256, "ü" * 128, "a\u200bb", "a\u00a0b"]
    ]
    + [("/m/%d/%n", "alice"), ("/m/%d/%n", "alice@.."), ("/m/%d/%n", "@d"), ("/m/%d/%n", "../x@d")],
)
def test_refused(pattern, user):
    """Users who could reach anything but their own directory, or look like another."""
    with pytest.raises(BadMailboxName):
        Template.parse(pattern).place(user)


def test_relative():
    """A relative directory is one of where the server was started."""
    assert Template.parse("mail/%u").place("a") == os.path.abspath("mail/a")


def test_a_user_name_without_end():
    """It is refused at once: comparing its forms could take for ever."""
    with pytest.raises(BadMailboxName, match="too long"):
        Template.parse("/m/%u").place("a" + "\u0301\u0316" * 2_000_000)
