"""The registered keywords (RFC 5788, RFC 8457, RFC 9979): the server keeps each as any other."""

from __future__ import annotations

import pytest

from tests.dialogue import Server, same

#: RFC 5788, 3; RFC 9051, 2.3.2; RFC 8457, 2; RFC 9979, 3 to 7.
_KEYWORDS = (
    "$MDNSent", "$Forwarded", "$SubmitPending", "$Submitted", "$Junk", "$NotJunk", "$Phishing",
    "$Important", "$MailFlagBit0", "$MailFlagBit1", "$MailFlagBit2", "$hasattachment",
    "$hasnoattachment", "$hasmemo", "$memo", "$canunsubscribe", "$unsubscribed", "$autosent", "$followed",
    "$imported", "$istrusted", "$maskedemail", "$muted", "$new", "$notify",
)  # fmt: skip


@pytest.mark.parametrize("keyword", _KEYWORDS)
def test_keyword(server: Server, keyword: str) -> None:
    """It can be set, is found in any case (RFC 5788, 3), shown as it is registered, and taken away."""
    client = server.client().fill(2).select()
    client.ok(f"STORE 2 +FLAGS.SILENT ({keyword})")
    same(client.ok(f"SEARCH KEYWORD {keyword.upper()}"), "* SEARCH 2")
    same(client.ok("FETCH 2 FLAGS"), f"* 2 FETCH (FLAGS (\\Recent {keyword}))")
    client.ok(f"STORE 2 -FLAGS.SILENT ({keyword.lower()})")
    same(client.ok(f"SEARCH KEYWORD {keyword}"), "* SEARCH")


def test_all_that_go_together(anywhere: Server) -> None:
    """One message can have all of them that RFC 9979 (4, 5 and 7) does not say exclude each other."""
    together = [each for each in _KEYWORDS if each not in ("$hasnoattachment", "$memo", "$muted")]
    client = anywhere.client().fill(1).select()
    client.ok(f"STORE 1 FLAGS.SILENT ({' '.join(together)})")
    keys = " ".join(f"KEYWORD {keyword}" for keyword in together)
    same(anywhere.client(select="INBOX").ok(f"SEARCH {keys}"), "* SEARCH 1")
