"""Mailbox names and directories."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imapd.store.errors import BadMailboxName, NoSuchMailbox
from imapd.store.maildir.names import check, directory_of, name_of, sought, superiors

KNOWN = {
    "INBOX": "",
    "Sent": ".Sent",
    "a/b/c": ".a.b.c",
    "INBOX/x": ".INBOX.x",
    "Entwürfe": ".Entw&APw-rfe",
    "a&b": ".a&-b",
    "v1.2/notes": ".v1&AC4-2.notes",
    "..": ".&AC4-&AC4-",
    ".hidden": ".&AC4-hidden",
    "ü.ü": ".&APw-&AC4-&APw-",
    "cur": ".cur",
}


@pytest.mark.parametrize("name", KNOWN)
def test_known(name):
    """Each name has its directory, and each directory its name."""
    assert directory_of(name) == KNOWN[name]
    assert name_of(KNOWN[name]) == name


@pytest.mark.parametrize(
    "directory",
    [
        ".",
        "..",
        ".a..b",
        ".a.",
        "cur",
        ".Entw\udcfc",
        ".&AGE-",
        ".&",
        ".INBOX",
        ".inbox",
        ".a\nb",
        ".a/b",
    ],
)
def test_not_ours(directory):
    """Directories that no name of ours is written as are no mailboxes."""
    assert name_of(directory) is None


@pytest.mark.parametrize(
    "name",
    ["", "/", "a//b", "a/", "a\0", "a\x7f", "a\u2028b", "\ud800", "x" * 1001, "ü" * 120, "inbox"]
    + ["Inbox/x", "ＩＮＢＯＸ", "\u212anbox".replace("\u212a", "i"), "INBOX/" + "y" * 250],
)
def test_refused(name):
    """Names that cannot be, and look-alikes of INBOX."""
    with pytest.raises(BadMailboxName):
        check(name)
    with pytest.raises(NoSuchMailbox):
        sought(name)


def test_superiors():
    """All that is above a name, from the top."""
    assert list(superiors("a/b/c")) == ["a", "a/b"]
    assert list(superiors("a")) == []


LEVELS = st.lists(
    st.text(
        st.sampled_from("ab.&-~ü😀 ,/\\:%A").filter(lambda c: c != "/"), min_size=1, max_size=8
    ),
    min_size=1,
    max_size=4,
)


@given(LEVELS)
def test_there_and_back(levels):
    """A name that can be comes back from its directory, which stays in the root."""
    name = "/".join(levels)
    try:
        check(name)
    except BadMailboxName:
        return
    directory = directory_of(name)
    assert name_of(directory) == name
    assert directory.startswith(".")
    assert not set(directory) & set("/\0")
    assert directory.strip(".")
    assert ".." not in directory


@given(st.text(st.sampled_from(".&-aüAC4,") | st.characters(), max_size=20))
def test_any_directory(text):
    """Whatever others call a directory, it is one name of ours or none."""
    name = name_of("." + text)
    assert name is None or not text.isascii() or directory_of(name) == "." + text


@given(LEVELS)
@example(["cur"])
@example(["new", "tmp", "imapd", ".hidden", "..", "cur.", "&AGM-ur"])
def test_there_and_back_in_fs(levels):
    """The same of names that are directories inside each other, none of them a mailbox's own."""
    name = "/".join(levels)
    try:
        check(name)
    except BadMailboxName:
        return
    directory = directory_of(name, fs=True)
    assert name_of(directory) == name
    assert "\0" not in directory
    for level in directory.split("/"):
        assert not level.startswith(".")
        assert level not in ("", "cur", "new", "tmp", "imapd")
