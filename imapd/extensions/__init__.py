"""The extensions, one module an RFC; each is listed here once."""

from imapd.extensions import literal_plus

__all__ = ["FEATURES"]

FEATURES = (literal_plus.FEATURE,)
