"""LOGIN-REFERRALS: users whose mail is on another server are told where (RFC 2221).

By configuration: ``referrals.users`` has their URLs.  A user is told when the password was
right, and not before (6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from imapd.dialect import Capability, Feature
from imapd.session.entry import Entry
from imapd.session.outcome import Refused

__all__ = ["EVERYBODY", "feature"]

#: The name under which the table has a URL for all others.
EVERYBODY: Final = "*"


def feature(users: Mapping[str, str], enter: bool = False) -> Feature:
    """With the IMAP URL of each user, ``%u`` in it being the user's name.

    `enter`: they are let in all the same, to mailboxes that others share with them here.
    """

    def admit(entry: Entry) -> None:
        url = users.get(entry.user) or users.get(EVERYBODY)
        if url is None:
            return
        code = f"REFERRAL {url.replace('%u', quote(entry.user, safe=''))}"
        if not enter:
            raise Refused(code, "Your mail is on another server")
        entry.code = code.encode("ascii")
        entry.text = "Your own mailboxes are on another server"

    return Feature(
        name="LOGIN-REFERRALS",
        rfc=2221,
        summary="users whose mail is elsewhere are told where",
        capabilities=(Capability("LOGIN-REFERRALS"),),
        admits=admit,
    )
