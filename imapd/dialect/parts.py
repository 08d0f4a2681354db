"""What a feature can be made of: each part of the protocol's grammar that a feature may add to.

Names are in upper case, as commands are looked up.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import field, frozen

from imapd.model.search import Program
from imapd.model.states import State
from imapd.wire.cursor import Cursor

__all__ = [
    "AppendOption",
    "AppendPart",
    "Capability",
    "Command",
    "CreateParameter",
    "Enable",
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


def _completed(name: str) -> bytes:
    return b" OK %b completed\r\n" % name.encode("ascii")


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
    #: What `grammar` makes is as for `Cursor.remembered`, and is asked for again and again.
    plain: bool = False
    #: The `states`, one by one; and what a plain OK says behind the tag.
    where: tuple[State, ...] = field(init=False, repr=False)
    completed: bytes = field(init=False, repr=False)

    @where.default
    def _where(self) -> tuple[State, ...]:
        return tuple(state for state in State if state in self.states)

    @completed.default
    def _completed(self) -> bytes:
        return _completed(self.name)


def nothing(cursor: Cursor) -> None:
    """The grammar of no arguments."""


@frozen
class Upload:
    """A command with a message in it.

    `argument` matches what stands before a literal that is an ordinary argument still;
    any other literal is a message.  `run` gets the session and an
    `imapd.session.incoming.Incoming`.
    """

    name: str
    states: State
    argument: re.Pattern[bytes]
    run: Callable[[Any, Any], Awaitable[Any]]
    #: As of `Command`.
    by_number: bool = False
    completed: bytes = field(init=False, repr=False)

    @completed.default
    def _completed(self) -> bytes:
        return _completed(self.name)


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
    #: `value` is right only of a status that is `sized`.
    of_sizes: bool = False
    #: The name as it is sent.
    octets: bytes = field(init=False)

    @octets.default
    def _name_sent(self) -> bytes:
        return self.name.encode("ascii")


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
    #: The same of many, by name, given the `MailboxInfo`s; `responses` is asked of those left out.
    of_many: Callable[[Any, Any, Any], Awaitable[Mapping[str, bytes]]] | None = None


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
