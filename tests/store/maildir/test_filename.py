"""Names of message files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imapd.store.maildir.filename import FileName, copied, fresh, plain, renumbered, safe, sizes

KNOWN = {
    "1.h": FileName("1.h"),
    "1.h:2,": FileName("1.h"),
    "1.h:2,FS": FileName("1.h", letters="FS"),
    "1.h,S=12,W=13,U=7:2,RSa": FileName("1.h", 12, 13, 7, "RSa"),
    "1.h,S=12:2,S": FileName("1.h", 12, letters="S"),
    "1.h,Z=9,S=12:2,S": FileName("1.h", 12, letters="S", others=",Z=9"),
    "1.h,U=x:2,S": FileName("1.h", letters="S", others=",U=x"),
    "1.h:1,x": FileName("1.h"),
    "1.h,": FileName("1.h", others=","),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known(name):
    """Each name means this."""
    assert FileName.parse(name) == KNOWN[name]


def test_written():
    """Fields stand in one order, whatever order they came in."""
    assert str(FileName("1.h", 12, 13, 7, "RS")) == "1.h,S=12,W=13,U=7:2,RS"
    assert str(FileName.parse("1.h,U=1,S=2:2,S")) == "1.h,S=2,U=1:2,S"


def test_letters():
    """Ours are replaced, others stay, in order."""
    assert FileName("u", letters="Sab").lettered("FT").letters == "FTab"


@pytest.mark.parametrize("name", KNOWN)
def test_copied(name):
    """A copy has the sizes, a UID and letters of its own, and a unique part that is new."""
    known, copy = KNOWN[name], FileName.parse(copied(name, 99, "FT"))
    assert (copy.size, copy.wire_size) == (known.size, known.wire_size)
    assert (copy.uid, copy.letters, copy.others) == (99, "FT", "")
    assert copy.unique not in (known.unique, FileName.parse(copied(name, 99, "FT")).unique)


@given(st.text(st.sampled_from("a1.,:=SWU2"), max_size=30))
def test_any_name(name):
    """Any name can be read, and what is written reads the same."""
    parsed = FileName.parse(name)
    assert FileName.parse(str(parsed)) == parsed


@pytest.mark.parametrize("name", [*KNOWN, "1.h,S=3,W=5,U=7:2,Sa", "news,2020-02,U=3:2,", "x"])
def test_renumbered(name):
    """It has the UID and our letters; what others wrote, and what it says of sizes, stays."""
    before, after = FileName.parse(name), FileName.parse(renumbered(name, 99, "FT"))
    assert (after.uid, after.unique, after.others) == (99, before.unique, before.others)
    assert (after.size, after.wire_size) == (before.size, before.wire_size)
    foreign = set(before.letters) - set("DFPRST")
    assert after.letters == "".join(sorted({"F", "T"} | foreign))


def test_fresh():
    """Unique parts differ, sort by time, and are safe."""
    made = [fresh() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(safe(name) and FileName.parse(name) == FileName(name) for name in made)


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\udcff", "ü"])
def test_unsafe(name):
    """Names that a message cannot keep."""
    assert not safe(name)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("1.h:2,", ""),
        ("1.h:2,FS", "FS"),
        ("1.h,S=12:2,S", "S"),
        ("1.h,S=12,W=13:2,RS", "RS"),
        ("1.h", None),
        ("1.h:2,SF", None),
        ("1.h:2,Sa", None),
        ("1.h,W=13,S=12:2,S", None),
        ("1.h,S=12,W=13,U=7:2,S", None),
        ("1.h,Z=9:2,S", None),
        ("1.\u00e4:2,S", None),
        ("x" * 300 + ":2,S", None),
    ],
)
def test_plain(name, letters):
    """Names that another server gives, and that need no more to be ours."""
    assert plain(name) == letters


@given(st.text(st.sampled_from("a1.,:=SWU2"), max_size=30))
def test_what_any_name_says(name):
    """The same in whatever way it is found out."""
    parsed = FileName.parse(name)
    assert sizes(name) == (parsed.size, parsed.wire_size)
    letters = plain(name)
    if letters is not None:
        assert letters == parsed.letters
        assert parsed.uid is None
        assert not parsed.others
