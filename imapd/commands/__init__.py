"""The base protocol, RFC 9051 and RFC 3501: one module a family of commands."""

from imapd.commands import (
    any_state,
    append,
    copy,
    enable,
    expunge,
    fetch,
    fetch_body,
    fetch_items,
    idle,
    login,
    select,
    starttls,
    store,
)

__all__ = ["FEATURES"]

FEATURES = (
    any_state.FEATURE,
    starttls.FEATURE,
    login.FEATURE,
    enable.FEATURE,
    select.FEATURE,
    select.UNSELECT,
    idle.FEATURE,
    append.FEATURE,
    fetch.FEATURE,
    fetch_items.FEATURE,
    fetch_body.FEATURE,
    fetch_body.BINARY,
    store.FEATURE,
    copy.FEATURE,
    copy.MOVE,
    expunge.FEATURE,
    expunge.UIDPLUS,
)
