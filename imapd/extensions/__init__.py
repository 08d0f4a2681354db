"""The extensions, one module an RFC; each is listed here once."""

from imapd.extensions import (
    binary,
    compress,
    condstore,
    literal_plus,
    multiappend,
    qresync,
    uidonly,
)

__all__ = ["FEATURES"]

FEATURES = (
    literal_plus.FEATURE,
    condstore.FEATURE,
    qresync.FEATURE,
    uidonly.FEATURE,
    multiappend.FEATURE,
    binary.FEATURE,
    compress.FEATURE,
)
