"""MULTIAPPEND: several messages in one APPEND, all or none of them stored (RFC 3502).

Taking them is APPEND's own work, `imapd.commands.append`; here it is switched on.
"""

from __future__ import annotations

from imapd.dialect import Capability, Feature

__all__ = ["FEATURE"]

FEATURE = Feature(
    name="MULTIAPPEND",
    rfc=3502,
    summary="several messages in one APPEND, all or none",
    capabilities=(Capability("MULTIAPPEND"),),
    appends_several=True,
)
