"""The base protocol, RFC 9051 and RFC 3501: one module a family of commands."""

from imapd.commands import any_state, enable, idle, login, select, starttls

__all__ = ["FEATURES"]

FEATURES = (
    any_state.FEATURE,
    starttls.FEATURE,
    login.FEATURE,
    enable.FEATURE,
    select.FEATURE,
    select.UNSELECT,
    idle.FEATURE,
)
