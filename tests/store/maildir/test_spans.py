"""Plans for looking up UIDs."""

from hypothesis import given
from hypothesis import strategies as st

from imapd.model.numset import NumSet
from imapd.store.maildir.spans import Span, parsed, spans, written

SETS = st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 700)), max_size=40).map(
    lambda pairs: NumSet([(low, low + more) for low, more in pairs])
)


def test_one_range():
    """A range is one span, however long."""
    assert list(spans(NumSet([(1, (1 << 32) - 1)]))) == [Span(1, (1 << 32) - 1)]


def test_holes():
    """A set with holes is one span with its members."""
    assert list(spans(NumSet.of(1, 3, 4))) == [Span(1, 4, frozenset((1, 3, 4)))]


def test_far_apart():
    """Members far apart are looked up apart."""
    assert list(spans(NumSet.of(1, 1000))) == [Span(1, 1), Span(1000, 1000)]


@given(SETS)
def test_cover(uids):
    """Spans ascend and have just the members of the set."""
    found = list(spans(uids))
    members = [
        uid
        for span in found
        for uid in range(span.low, span.high + 1)
        if span.only is None or uid in span.only
    ]
    assert members == list(uids)


@given(SETS, SETS)
def test_kept(one, other):
    """What the index keeps of sets is their union."""
    assert parsed([written(one), "", written(other)]) == one | other
