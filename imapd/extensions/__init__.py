"""The extensions, one module an RFC; each is listed here once."""

from imapd.dialect import Feature

__all__ = ["FEATURES"]

FEATURES: tuple[Feature, ...] = ()
