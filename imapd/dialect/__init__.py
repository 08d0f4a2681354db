"""The contract of a feature: everything it adds, declared once, and the tables built from that.

A `Feature` says what it advertises, the grammar it takes, and what is to be done;
`Dialect.of` joins features into the tables that a connection looks things up in, and
refuses two that define one name.  Nothing else lists commands or capabilities.

This package knows nothing of sessions: what runs is given one, of type `Any` here,
`imapd.session.session.Session` there.
"""

from imapd.dialect.feature import Feature
from imapd.dialect.parts import (
    AppendOption,
    AppendPart,
    Capability,
    Command,
    CreateParameter,
    Enable,
    FetchItem,
    FetchModifier,
    ListReturn,
    ListSelection,
    SearchKey,
    SearchReturn,
    SelectParameter,
    SortKey,
    StatusItem,
    StoreItem,
    StoreModifier,
    Upload,
    URLParameter,
    When,
    nothing,
)
from imapd.dialect.tables import Dialect

__all__ = [
    "AppendOption",
    "AppendPart",
    "Capability",
    "Command",
    "CreateParameter",
    "Dialect",
    "Enable",
    "Feature",
    "FetchItem",
    "FetchModifier",
    "ListReturn",
    "ListSelection",
    "SearchKey",
    "SearchReturn",
    "SelectParameter",
    "SortKey",
    "StatusItem",
    "StoreItem",
    "StoreModifier",
    "URLParameter",
    "Upload",
    "When",
    "nothing",
]
