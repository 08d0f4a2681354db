"""URL-PARTIAL: URLs of a range of octets, for CATENATE and URLAUTH (RFC 5550, 5.7.1).

Reading ``;PARTIAL=`` is a matter of the URL's grammar, `imapd.wire.url`; here it is declared.
"""

from __future__ import annotations

from imapd.dialect import Capability, Feature

__all__ = ["FEATURE"]

FEATURE = Feature(
    name="URL-PARTIAL",
    rfc=5550,
    summary="ranges of octets in the URLs of CATENATE",
    capabilities=(Capability("URL-PARTIAL"),),
    needs=("CATENATE",),
)
