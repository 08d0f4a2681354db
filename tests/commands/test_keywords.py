"""Keywords: clients make them up, but not without end."""

from __future__ import annotations

from attrs import evolve

from tests.dialogue import Server, letter, same


def test_their_number_is_bounded(anywhere: Server) -> None:
    """A mailbox takes keywords up to the limit; the next is refused, and nothing is changed."""
    policy = anywhere.factory.policy
    anywhere.factory.policy = evolve(policy, limits=evolve(policy.limits, keywords=2))
    client = anywhere.login(enable="IMAP4rev2").append(letter()).select()
    client.ok("STORE 1 +FLAGS.SILENT (one)")
    client.ok("STORE 1 +FLAGS.SILENT (two \\Seen)")
    same(client.do("STORE 1 +FLAGS (three)"), "a NO [LIMIT] Too many keywords")
    same(client.do("FETCH 1 FLAGS"), "* 1 FETCH (FLAGS (\\Seen one two))", "a OK FETCH completed")
    client.ok("STORE 1 -FLAGS.SILENT (three)")
    client.ok("STORE 1 FLAGS.SILENT (two)")


def test_of_an_appended_message(anywhere: Server) -> None:
    """So does a message that comes in; it is refused before its octets are sent."""
    policy = anywhere.factory.policy
    anywhere.factory.policy = evolve(policy, limits=evolve(policy.limits, keywords=2))
    client = anywhere.login()
    flags = "\\Seen \\Draft \\Deleted \\Flagged \\Answered one two"
    client.append(letter(), flags=flags)
    same(client.do(f"APPEND INBOX ({flags} three)", b"\r\n"), "a NO [LIMIT] Too many keywords")
