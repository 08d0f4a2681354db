"""What of a header ties messages into threads (RFC 5256, 3)."""

from __future__ import annotations

from imapd.query.links import LINKS, SUBJECT


def links(*lines: str) -> tuple[int, ...]:
    """Of a header of these lines."""
    found: tuple[int, ...] = LINKS.of("".join(f"{line}\r\n" for line in (*lines, "")).encode())
    return found


def subject(text: str) -> int | None:
    """Of a header with this Subject."""
    found: int | None = SUBJECT.of(f"Subject: {text}\r\n\r\n".encode())
    return found


def test_own_and_references() -> None:
    """The identifier, then the references in their order; of two fields the first counts."""
    a, b, c = (links(f"Message-ID: <{name}@x>")[0] for name in "abc")
    assert len({0, a, b, c}) == 4
    assert links("Message-ID: <a@x> <b@x>", "Message-ID: <c@x>") == (a,)
    assert links("references: <b@x>", " <c@x> <b@x>", "MESSAGE-ID: <a@x>") == (a, b, c, b)
    assert links("References: <b@x>", "References: <c@x>") == (0, b)
    assert links("Message-ID: a@x", "In-Reply-To: <b@x> <c@x>") == (0, b)
    assert links("References: b@x", "In-Reply-To: <c@x>") == (0, c)
    assert links("References: <b@x>", "In-Reply-To: <c@x>") == (0, b)
    assert links("Subject: <a@x>") == (0,)


def test_very_many_references() -> None:
    """Of thousands of references the first counts, and the nearest."""
    many = [f"<{number}@x>" for number in range(5_000)]
    found = links("References: " + "\r\n ".join(many))
    wanted = [many[0], *many[-49:]]
    assert found == (0, *(links(f"Message-ID: {each}")[0] for each in wanted))
    assert len(links("References: " + " ".join(many[:50]))) == 51


def test_subjects() -> None:
    """Texts that compare alike are one number, whose last bit says who replies."""
    plain = subject("Grüße")
    assert plain is not None
    assert plain & 1 == 0
    assert subject("  GRÜSSE") != plain
    assert subject("=?iso-8859-1?q?GR=DC=DFE?=") == plain
    assert {subject("Re: grüße"), subject("[Fwd: [list] grüße]"), subject("grüße (fwd)")} == {
        plain + 1
    }
    assert subject("other") not in (plain, plain + 1)
    assert [subject(text) for text in ("", "Re: ", "[Fwd: ]", "(fwd)")] == [None] * 4
    assert SUBJECT.of(b"\r\n") is None
