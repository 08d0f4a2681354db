"""The extensions, one module an RFC; each is listed here once."""

from imapd.extensions import (
    acl,
    appendlimit,
    binary,
    catenate,
    compress,
    condstore,
    i18nlevel,
    id,
    language,
    literal_plus,
    login_referrals,
    mailbox_referrals,
    multiappend,
    partial,
    qresync,
    quota,
    replace,
    savedate,
    uidbatches,
    uidonly,
    unauthenticate,
    url_partial,
    urlauth,
    urlauth_binary,
    utf8_accept,
    utf8_only,
)

__all__ = ["BY_CONFIGURATION", "FEATURES"]

#: Those that are there when the owner of a server asks for them.
BY_CONFIGURATION = (
    utf8_only.FEATURE,
    login_referrals.feature({}),
    mailbox_referrals.feature({}),
)

FEATURES = (
    literal_plus.FEATURE,
    condstore.FEATURE,
    qresync.FEATURE,
    uidonly.FEATURE,
    multiappend.FEATURE,
    binary.FEATURE,
    appendlimit.FEATURE,
    compress.FEATURE,
    catenate.FEATURE,
    url_partial.FEATURE,
    id.FEATURE,
    unauthenticate.FEATURE,
    partial.FEATURE,
    utf8_accept.FEATURE,
    quota.FEATURE,
    quota.QUOTASET,
    replace.FEATURE,
    uidbatches.FEATURE,
    urlauth.FEATURE,
    urlauth_binary.FEATURE,
    savedate.FEATURE,
    language.FEATURE,
    i18nlevel.LEVEL_1,
    i18nlevel.FEATURE,
    acl.FEATURE,
    acl.LIST_MYRIGHTS,
)
