"""The contract of a feature: everything it adds, declared once, and the tables built from that.

A `Feature` says what it advertises, the grammar it takes, and what is to be done;
`Dialect.of` joins features into the tables that a connection looks things up in, and
refuses two that define one name.  Nothing else lists commands or capabilities.

This module knows nothing of sessions: what runs is given one, of type `Any` here,
`imapd.session.session.Session` there.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar

from attrs import field, frozen
from zope.interface.interface import InterfaceClass

from imapd.model.search import Program
from imapd.model.states import State
from imapd.wire.cursor import Cursor

__all__ = [
    "AppendOption", "AppendPart", "Capability", "Command", "CreateParameter", "Dialect", "Enable",
    "Feature", "FetchItem", "FetchModifier", "ListReturn", "ListSelection", "SearchKey",
    "SearchReturn", "SelectParameter", "SortKey", "StatusItem", "StoreItem", "StoreModifier",
    "URLParameter", "Upload", "When",
]  # fmt: skip


class When(Enum):
    """When a capability is advertised."""

    ALWAYS = "always"
    BEFORE_LOGIN = "before login"
    AFTER_LOGIN = "after login"


@frozen
class Capability:
    """One name in CAPABILITY."""

    name: str
    when: When = When.ALWAYS
    #: Given the session: whether it holds just now (STARTTLS needs a certificate).
    available: Callable[[Any], bool] | None = None
    #: Given the session: what follows the name, behind an equals sign.
    value: Callable[[Any], int] | None = None


@frozen
class Command:
    """A command whose arguments are whole before it runs.

    `run` may return an `Outcome`, None for a plain OK, or an awaitable of either.
    """

    name: str
    states: State
    grammar: Callable[[Cursor], Any]
    run: Callable[[Any, Any], Any]
    #: Whether messages may be told to be gone before its tagged answer
    #: (RFC 9051, 7.5.1: not during FETCH, STORE, SEARCH by number); a test of its arguments
    #: where these decide it.
    expunges: bool | Callable[[Any], bool] = True
    #: Whether what changed meanwhile is told at all before its tagged answer.
    announces: bool = True
    #: It is there to hear what changed: when that cannot be told, it fails.  The others have
    #: done what they were to do, and are OK.
    asks: bool = False
    #: Its arguments are sequence numbers (RFC 9586, 3.2).
    by_number: bool = False


@frozen
class Upload:
    """A command with a message in it.

    `argument` matches what stands before a literal that is an ordinary argument still;
    any other literal is a message.  `run` gets the session and an
    `imapd.session.session.Incoming`.
    """

    name: str
    states: State
    argument: re.Pattern[bytes]
    run: Callable[[Any, Any], Awaitable[Any]]
    #: As of `Command`.
    by_number: bool = False


@frozen
class AppendPart:
    """What may stand in the place of a message in APPEND (RFC 4466, 2.5: append-data).

    ``~`` is a literal8.  `receive` gets the `imapd.commands.append.Letter` to be written, when
    the name was taken, and takes all that belongs to the part.
    """

    name: str
    receive: Callable[[Any], Awaitable[None]]


@frozen
class AppendOption:
    """What may stand before a message of APPEND, behind its date (RFC 4466, 2.5: append-ext).

    `grammar` takes what follows the name, a list in parentheses.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    #: Given the session, the mailbox and what the grammar made, before the message comes: may refuse.
    check: Callable[[Any, Any, Any], Awaitable[None]]
    #: Given the `NewMessage` and what the grammar made: the message as it is to be stored.
    apply: Callable[[Any, Any], Any]


@frozen
class FetchItem:
    """What FETCH can be asked for; `grammar` takes what follows the name.

    It returns the `imapd.commands.fetch_items.Fetched` that writes the item.
    """

    name: str
    grammar: Callable[[Cursor], Any]


@frozen
class SearchKey:
    """What SEARCH can ask; `grammar` takes what follows the name, and the charset."""

    name: str
    grammar: Callable[[Cursor], Program]
    #: A feature that is on for who asks it.
    enables: str | None = None


@frozen
class SearchReturn:
    """What SEARCH RETURN can ask; `grammar` takes what follows the name.

    The functions get an `imapd.query.results.Found` and what `grammar` made.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    #: What ESEARCH says of it (RFC 4466, 2.6.2: search-return-value); None: nothing.
    data: Callable[[Any, Any], bytes | None]
    #: The places that ``$`` then holds (RFC 5182, 2.4); without it, it has no say.
    saves: Callable[[Any, Any], Sequence[int]] | None = None
    #: How many of the first matches are enough for it, or, below 0, of the last; without it,
    #: or None: all.
    most: Callable[[Any], int | None] | None = None
    #: Options that cannot be asked for with it; its own name: it cannot be there twice.
    excludes: Sequence[str] = ()
    #: A search key whose use asks for this too (RFC 7162, 3.1.5: MODSEQ).
    implied_by: str = ""
    #: A search key without which it cannot be asked for.
    needs: str = ""
    #: A column of the messages that were found, in `Found.values` by place.
    column: str = ""
    #: Given the session and the `imapd.commands.search.Search`, before it begins: may raise.
    check: Callable[[Any, Any], None] | None = None
    #: Given those, the program that ran, the `Found` and what `grammar` made, when all is told.
    follows: Callable[[Any, Any, Program, Any, Any], None] | None = None


@frozen
class SortKey:
    """What SORT can put messages in order by; `grammar` takes what follows the name.

    It returns an `imapd.query.criteria.Criterion`.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    #: A search key without which it cannot be asked for.
    needs: str = ""


@frozen
class StatusItem:
    """What STATUS can ask; `value` makes it from `model.mailbox.Status`: a number, or octets to be sent."""

    name: str
    value: Callable[[Any], int | bytes]
    #: `value` is given the session: it is the same for every mailbox.
    of_session: bool = False
    #: A feature that is on for who asks it.
    enables: str | None = None


@frozen
class ListSelection:
    """What LIST can choose names by (RFC 5258, 3.1); all that are given must hold."""

    name: str
    #: Whether it holds for a `model.mailbox.MailboxInfo`; None: it chooses nothing by itself.
    holds: Callable[[Any], bool] | None = None
    #: The return option that it implies.
    implies: str = ""


def _nothing(cursor: Cursor) -> None:
    """No argument."""


@frozen
class ListReturn:
    """What LIST can tell of each name (RFC 5258, 3.2); `grammar` takes what follows the name."""

    name: str
    grammar: Callable[[Cursor], Any] = _nothing
    #: An attribute for those `MailboxInfo` of which `has_attribute` is true.
    attribute: str = ""
    has_attribute: Callable[[Any], bool] | None = None
    #: Untagged responses after the row, given the session, the `MailboxInfo` and the argument;
    #: asked for existing names only.  A store's `NotSelectable` makes the row say so.
    responses: Callable[[Any, Any, Any], Awaitable[bytes]] | None = None


@frozen
class CreateParameter:
    """What CREATE can be told in parentheses (RFC 4466, 2.2); `grammar` takes what follows the name."""

    name: str
    grammar: Callable[[Cursor], Any]
    #: Given the session and the argument: keyword arguments of `IAccount.create`.
    keywords: Callable[[Any, Any], Mapping[str, Any]]


@frozen
class URLParameter:
    """What URLFETCH can be asked of a URL (RFC 5524, 3.1).

    `pieces` gets the `imapd.session.content.Content`, the `imapd.wire.url.MessageURL` and the
    names of all that is asked; it gives octets, and places of the message's octets, to be sent.
    """

    name: str
    pieces: Callable[[Any, Any, frozenset[bytes]], Awaitable[Sequence[Any]]]
    #: Names that cannot be asked for with it.
    excludes: Sequence[str] = ()


@frozen
class Enable:
    """What ENABLE can switch on; `implies` names others that go with it."""

    name: str
    implies: tuple[str, ...] = ()
    #: Given the session, once, when it is switched on: puts in place what changes with it
    #: (`session.announce`, `session.utf8`, `session.notices`).
    installs: Callable[[Any], None] | None = None
    #: Given the session, whether it can be; without it, always.
    available: Callable[[Any], bool] | None = None


@frozen
class FetchModifier:
    """What may stand in parentheses behind the items of FETCH (RFC 4466, 2.4).

    `apply` gets the session, the `imapd.commands.fetch.Fetch` it may change before rows are
    written, and what the grammar made; `check` gets the same before any is applied, to refuse.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    apply: Callable[[Any, Any, Any], Awaitable[None] | None]
    check: Callable[[Any, Any, Any], None] | None = None
    #: Applied before those that are not so, wherever it stands.
    early: bool = False


@frozen
class StoreItem:
    """What STORE can change (RFC 4466, 2.5: store-att-flags); `grammar` takes what follows the name.

    It returns the `imapd.commands.store.Change` that is to be made.
    """

    name: str
    grammar: Callable[[Cursor], Any]


@frozen
class StoreModifier:
    """What may stand in parentheses before the item of STORE (RFC 4466, 2.5).

    `apply` gets the session, the `imapd.commands.store.Store` it may change before messages are,
    and what the grammar made.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    apply: Callable[[Any, Any, Any], None]


@frozen
class SelectParameter:
    """What may stand in parentheses behind the mailbox of SELECT and EXAMINE (RFC 4466, 2.1).

    Each gets the session and what the grammar made: `check` before anything is done, to
    refuse; `prepare` when nothing is selected any more; `opened` when the mailbox has been
    told of.
    """

    name: str
    grammar: Callable[[Cursor], Any]
    check: Callable[[Any, Any], None] | None = None
    prepare: Callable[[Any, Any], None] | None = None
    opened: Callable[[Any, Any], Awaitable[None]] | None = None


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
    opens: Callable[[Any], bytes | Awaitable[bytes]] | None = None
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


_Named = TypeVar(
    "_Named", Command, Upload, AppendPart, AppendOption, FetchItem, SearchKey, SearchReturn, SortKey,
    StatusItem, ListSelection, ListReturn, CreateParameter, URLParameter, Enable, FetchModifier,
    StoreItem, StoreModifier, SelectParameter,
)  # fmt: skip


def _table(groups: Iterable[Iterable[_Named]]) -> dict[bytes, _Named]:
    table: dict[bytes, _Named] = {}
    for group in groups:
        for each in group:
            name = each.name.encode("ascii")
            if name in table:
                raise ValueError(f"two features define {each.name}")
            table[name] = each
    return table


def _remaining(features: tuple[Feature, ...], without: Iterable[str]) -> tuple[Feature, ...]:
    """Those that are there when capabilities are switched off; ValueError if that cannot be."""
    names = {each.name.upper(): feature for feature in features for each in feature.capabilities}
    gone: set[str] = set()
    for name in without:
        feature = names.get(name.upper())
        if feature is None:
            near = get_close_matches(name.upper(), names, 1, 0.0)
            raise ValueError(f"there is no capability {name!r}; did you mean {near[0]!r}?")
        if feature.base:
            raise ValueError(f"{name} is part of the base protocol and cannot be switched off")
        gone |= _names(feature)
    while True:
        also = [feature for feature in features if not gone.isdisjoint(feature.needs)]
        more = gone.union(*map(_names, also))
        if more == gone:
            return tuple(
                each for each in features if each not in also and gone.isdisjoint(_names(each))
            )
        gone = more


def _names(feature: Feature) -> set[str]:
    return {each.name for each in feature.capabilities}


@frozen(eq=False)
class Dialect:
    """All that a listener speaks: built once at start, shared by its connections."""

    features: tuple[Feature, ...]
    commands: Mapping[bytes, Command] = field(repr=False)
    uploads: Mapping[bytes, Upload] = field(repr=False)
    append_parts: Mapping[bytes, AppendPart] = field(repr=False)
    append_options: Mapping[bytes, AppendOption] = field(repr=False)
    appends_several: bool
    fetch_items: Mapping[bytes, FetchItem] = field(repr=False)
    fetch_macros: Mapping[bytes, tuple[str, ...]] = field(repr=False)
    fetch_modifiers: Mapping[bytes, FetchModifier] = field(repr=False)
    store_items: Mapping[bytes, StoreItem] = field(repr=False)
    store_modifiers: Mapping[bytes, StoreModifier] = field(repr=False)
    select_parameters: Mapping[bytes, SelectParameter] = field(repr=False)
    search_keys: Mapping[bytes, SearchKey] = field(repr=False)
    search_returns: Mapping[bytes, SearchReturn] = field(repr=False)
    sort_keys: Mapping[bytes, SortKey] = field(repr=False)
    status_items: Mapping[bytes, StatusItem] = field(repr=False)
    list_selections: Mapping[bytes, ListSelection] = field(repr=False)
    list_returns: Mapping[bytes, ListReturn] = field(repr=False)
    create_parameters: Mapping[bytes, CreateParameter] = field(repr=False)
    url_parameters: Mapping[bytes, URLParameter] = field(repr=False)
    creates: tuple[Callable[[Any, Any], bytes], ...] = field(repr=False)
    opens: tuple[Callable[[Any], bytes | Awaitable[bytes]], ...] = field(repr=False)
    tells: tuple[Callable[[Any], Awaitable[None]], ...] = field(repr=False)
    reports: tuple[Callable[[Any, int | None, int | None], None], ...] = field(repr=False)
    enables: Mapping[bytes, Enable] = field(repr=False)
    admits: tuple[Callable[[Any], None], ...] = field(repr=False)
    guards: tuple[Callable[[Any, Any], None], ...] = field(repr=False)
    receives: tuple[Callable[[Any, Any], None], ...] = field(repr=False)
    annotates: tuple[Callable[[Any, str, Mapping[str, bytes | None]], Awaitable[None]], ...] = (
        field(repr=False)
    )
    #: For `wire.connection.Connection`.
    upload_arguments: Mapping[bytes, re.Pattern[bytes]] = field(repr=False)

    def has(self, capability: str) -> bool:
        """Whether a feature with a capability of that name is there."""
        return any(
            each.name == capability for feature in self.features for each in feature.capabilities
        )

    @classmethod
    def of(cls, features: Iterable[Feature], without: Iterable[str] = ()) -> Dialect:
        """Join features; ValueError if two define one name.

        Features with a capability of `without` are left out whole, and with them those that
        need it; ValueError if there is no such capability, or it cannot be switched off.
        """
        features = _remaining(tuple(features), without)
        uploads = _table(feature.uploads for feature in features)
        commands = _table(feature.commands for feature in features)
        both = uploads.keys() & commands.keys()
        if both:
            raise ValueError(f"two features define {sorted(both)[0].decode('ascii')}")
        macros: dict[bytes, tuple[str, ...]] = {}
        for feature in features:
            macros.update(
                (name.encode("ascii"), items) for name, items in feature.fetch_macros.items()
            )
        return cls(
            features=features,
            commands=commands,
            uploads=uploads,
            append_parts=_table(feature.append_parts for feature in features),
            append_options=_table(feature.append_options for feature in features),
            appends_several=any(feature.appends_several for feature in features),
            fetch_items=_table(feature.fetch_items for feature in features),
            fetch_macros=macros,
            fetch_modifiers=_table(feature.fetch_modifiers for feature in features),
            store_items=_table(feature.store_items for feature in features),
            store_modifiers=_table(feature.store_modifiers for feature in features),
            select_parameters=_table(feature.select_parameters for feature in features),
            search_keys=_table(feature.search_keys for feature in features),
            search_returns=_table(feature.search_returns for feature in features),
            sort_keys=_table(feature.sort_keys for feature in features),
            status_items=_table(feature.status_items for feature in features),
            list_selections=_table(feature.list_selections for feature in features),
            list_returns=_table(feature.list_returns for feature in features),
            create_parameters=_table(feature.create_parameters for feature in features),
            url_parameters=_table(feature.url_parameters for feature in features),
            creates=tuple(each.creates for each in features if each.creates is not None),
            opens=tuple(each.opens for each in features if each.opens is not None),
            tells=tuple(each.tells for each in features if each.tells is not None),
            reports=tuple(each.reports for each in features if each.reports is not None),
            enables=_table(feature.enables for feature in features),
            admits=tuple(each.admits for each in features if each.admits is not None),
            guards=tuple(each.guards for each in features if each.guards is not None),
            receives=tuple(each.receives for each in features if each.receives is not None),
            annotates=tuple(each.annotates for each in features if each.annotates is not None),
            upload_arguments={name: upload.argument for name, upload in uploads.items()},
        )
