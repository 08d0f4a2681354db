"""One RFC, or one part of the base protocol, declared whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from zope.interface.interface import InterfaceClass

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
)

__all__ = ["Feature"]


@frozen
class Feature:
    """One RFC, or one part of the base protocol, whole."""

    name: str
    rfc: int
    summary: str = ""
    capabilities: Sequence[Capability] = ()
    #: It cannot be switched off.
    base: bool = False
    #: Capabilities without which it is not there: when one is switched off, so is this.
    needs: Sequence[str] = ()
    #: An interface of the store without which the feature is not there.
    requires: InterfaceClass | None = None
    enables: Sequence[Enable] = ()
    commands: Sequence[Command] = ()
    uploads: Sequence[Upload] = ()
    append_parts: Sequence[AppendPart] = ()
    append_options: Sequence[AppendOption] = ()
    #: APPEND takes several messages (RFC 3502).
    appends_several: bool = False
    fetch_items: Sequence[FetchItem] = ()
    fetch_macros: Mapping[str, tuple[str, ...]] = field(factory=dict)
    fetch_modifiers: Sequence[FetchModifier] = ()
    store_items: Sequence[StoreItem] = ()
    store_modifiers: Sequence[StoreModifier] = ()
    select_parameters: Sequence[SelectParameter] = ()
    search_keys: Sequence[SearchKey] = ()
    search_returns: Sequence[SearchReturn] = ()
    sort_keys: Sequence[SortKey] = ()
    status_items: Sequence[StatusItem] = ()
    list_selections: Sequence[ListSelection] = ()
    list_returns: Sequence[ListReturn] = ()
    create_parameters: Sequence[CreateParameter] = ()
    url_parameters: Sequence[URLParameter] = ()
    #: Given the session and the `MailboxInfo` of a mailbox that CREATE has made: the inside of
    #: the answer's brackets, or nothing.
    creates: Callable[[Any, Any], bytes] | None = None
    #: Given the session: untagged responses to SELECT and EXAMINE besides the usual ones.
    opens: Callable[[Any], bytes] | None = None
    #: Given the session, when it has been told of changes in the selected mailbox: tells more of them.
    tells: Callable[[Any], Awaitable[None]] | None = None
    #: Given the session, how many messages a long command is through with, and of how many;
    #: None: not known.  Called between two responses, now and then.
    reports: Callable[[Any, int | None, int | None], None] | None = None
    #: Given the `imapd.session.entry.Entry` of a user who has shown who they are: may change
    #: it, or raise `Refused`.
    admits: Callable[[Any], None] | None = None
    #: Given the session and the `Command` or `Upload` that is about to run: may raise `Refused`.
    guards: Callable[[Any, Any], None] | None = None
    #: Given the session and a `NewMessage` that has come: may raise `Refused`.
    receives: Callable[[Any, Any], None] | None = None
    #: Given the session, the name of a mailbox, or "", and annotations that it is about to get,
    #: None for those it is to lose: may raise `Refused`.
    annotates: Callable[[Any, str, Mapping[str, bytes | None]], Awaitable[None]] | None = None
