"""NAMESPACE, from octets to octets."""

from __future__ import annotations

from tests.dialogue import Server


def test_namespace() -> None:
    """All mailboxes are the user's own, without a prefix (RFC 2342, 5, example 1)."""
    assert Server().login().command("NAMESPACE") == [
        '* NAMESPACE (("" "/")) NIL NIL',
        "a OK NAMESPACE completed",
    ]


def test_namespace_takes_nothing() -> None:
    """An argument is BAD."""
    assert Server().login().command("NAMESPACE x") == [
        "a BAD expected the end of the command at octet 0"
    ]


def test_namespace_before_login() -> None:
    """Who has not logged in has no mailboxes."""
    assert Server().connect().command("NAMESPACE") == ["a BAD NAMESPACE is not for this state"]
