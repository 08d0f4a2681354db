"""Rights: letters and what they come to, and the names that have them."""

from __future__ import annotations

import pytest

from imapd.model.rights import (
    ALL_RIGHTS,
    RightsChange,
    changed_rights,
    effective,
    letters,
    prepared,
    right_of_flag,
    rights,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "written"),
    [("", ""), ("lr", "lr"), ("rl", "lr"), ("c", "kxc"), ("d", "ted"), ("x", "xc"), ("e", "ed"),
     ("cd", "kxtecd"), ("lrswipkxtencda", "lrswipkxtencda")],
)  # fmt: skip
def test_letters(text: str, written: str) -> None:
    """A list of rights is written in one order, with the obsolete ones that it comes to."""
    assert letters(rights(text)) == written


@pytest.mark.parametrize("text", ["L", "q", "l r", "0", "+", "\u00e9"])
def test_no_right(text: str) -> None:
    """What is no right is not passed over."""
    with pytest.raises(ValueError, match="there is no right"):
        rights(text)


def test_all_rights() -> None:
    """The obsolete rights are none of their own."""
    assert frozenset("lrswipkxtena") == ALL_RIGHTS


def test_changes() -> None:
    """Rights are replaced, added and taken."""
    old, some = frozenset("lr"), frozenset("rs")
    assert changed_rights(old, RightsChange.REPLACE, some) == frozenset("rs")
    assert changed_rights(old, RightsChange.ADD, some) == frozenset("lrs")
    assert changed_rights(old, RightsChange.REMOVE, some) == frozenset("l")


def test_effective() -> None:
    """The union of what is granted, without the union of what is denied."""
    acl = {"a": frozenset("lr"), "b": frozenset("sw"), "-b": frozenset("rw"), "c": frozenset("x")}
    assert effective(acl, ["a", "b"]) == frozenset("ls")
    assert effective(acl, ["a"]) == frozenset("lr")
    assert effective(acl, ["d"]) == frozenset()


@pytest.mark.parametrize(
    ("flag", "right"),
    [("\\Seen", "s"), ("\\SEEN", "s"), ("\\Deleted", "t"), ("\\Draft", "w"), ("kw", "w")],
)
def test_right_of_flag(flag: str, right: str) -> None:
    r"""\Seen and \Deleted have rights of their own."""
    assert right_of_flag(flag) == right


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        # RFC 4013, 3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("-bob", "-bob"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_prepared(sent: str, kept: str) -> None:
    """Identifiers are kept in the form of SASLprep."""
    assert prepared(sent) == kept


@pytest.mark.parametrize(
    "sent", ["", "-", "\u00ad", "\u0007", "\u06271", "\u0627a\u0628", "\ue000", "\u0221", "\ufffd"]
)
def test_unprepared(sent: str) -> None:
    """What is prohibited, mixed in direction or empty is nobody's name."""
    with pytest.raises(ValueError, match=r"nobody can be called so|run both ways"):
        prepared(sent)


def test_an_identifier_without_end() -> None:
    """What is longer than any name is refused at once: putting it into its form could take for ever."""
    with pytest.raises(ValueError, match="nobody"):
        prepared("a" + "\u0301\u0316" * 2_000_000)
