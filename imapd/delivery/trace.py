"""The header fields that a message gets when it arrives (RFC 5321, 4.4; RFC 9228 for Delivered-To).

A message comes with its own header; these stand before it, so that nothing of it is changed.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from attrs import frozen

__all__ = ["Trace"]


@frozen
class Trace:
    """How one message came; every text is free of line ends."""

    #: The envelope's sender, as it stands between angle brackets.
    sender: str
    #: What the client calls itself, and its IP address if it has one; "" for who is no client.
    client: str
    address: str | None
    #: What this machine calls itself.
    host: str
    #: RFC 3848: LMTP, LMTPS, UTF8LMTP...; "" for none.
    protocol: str
    #: Names the transaction in the log.
    identifier: str
    moment: datetime

    def fields(self, recipient: str, shown: bool) -> bytes:
        """Return-Path, Delivered-To and Received; with `shown`, the last one names the recipient.

        A message to several does not say there for whom: some may be blind copies.
        """
        address = f" ([{self.address}])" if self.address is not None else ""
        came = f"from {self.client}{address}\r\n\t" if self.client else ""
        how = f" with {self.protocol}" if self.protocol else ""
        for_whom = f"\r\n\tfor <{recipient}>" if shown else ""
        return (
            f"Return-Path: <{self.sender}>\r\n"
            f"Delivered-To: {recipient}\r\n"
            f"Received: {came}by {self.host} (imapd){how} id {self.identifier}{for_whom};\r\n"
            f"\t{format_datetime(self.moment)}\r\n"
        ).encode()
