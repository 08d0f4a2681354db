"""LITERAL+: literals that do not wait for leave (RFC 7888).

Taking them is the framer's work, `imapd.wire.connection`; here it is declared.
"""

from __future__ import annotations

from imapd.dialect import Capability, Feature

__all__ = ["FEATURE"]

FEATURE = Feature(
    name="LITERAL+",
    rfc=7888,
    summary="literals that do not wait for leave",
    capabilities=(Capability("LITERAL+"),),
)
