r"""LIST, also in its extended form, with CHILDREN and SPECIAL-USE (RFC 9051, 6.3.9; RFC 5258).

Rules of this file:

* What exists and cannot be selected is \Noselect.  What does not exist is \NonExistent
  to who used the extended syntax or enabled IMAP4rev2, \Noselect to others.
* A name that is not there, but above mailboxes that are, is shown to patterns that end
  in ``%``, unless all of those below it are shown too (RFC 5258, 5, example 11).
* Attributes of children and special uses are always told, \Subscribed when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from imapd.commands.list_names import Row, rows
from imapd.commands.list_patterns import Patterns
from imapd.dialect import Capability, Command, Feature, ListReturn, ListSelection
from imapd.model.mailbox import MailboxInfo
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.errors import AccountClosed, NoPermission, NoSuchMailbox, NotSelectable, StoreError
from imapd.store.remote import IRemoteMailboxes
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["CHILDREN", "EXTENDED", "FEATURE", "SPECIAL_USE", "Listing", "names", "patterns", "tell"]

_RECURSIVE: Final = "RECURSIVEMATCH"
_REMOTE: Final = "REMOTE"
#: Names that the store is asked about at once.
_TOGETHER: Final = 100


@frozen
class Listing:
    """The arguments of one LIST."""

    reference: str
    names: Sequence[str]
    extended: bool
    selections: Sequence[ListSelection] = ()
    returns: Sequence[tuple[ListReturn, Any]] = ()
    #: Mailboxes of other servers are shown too.
    remote: bool = False

    @property
    def recursive(self) -> bool:
        """Names above those that are chosen are wanted."""
        return any(each.name == _RECURSIVE for each in self.selections)


# The grammar.


def _arguments(cursor: Cursor) -> Listing:
    """``list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]``."""
    cursor.space()
    extended = cursor.peek() == b"("
    selections: list[ListSelection] = []
    if extended:
        selections = _once(cursor.listed(_selection, empty=True))
        _check_recursive(selections)
        cursor.space()
    reference = grammar.mailbox(cursor)
    cursor.space()
    if cursor.peek() == b"(":
        extended = True
        names = cursor.listed(grammar.list_mailbox)
    else:
        names = [grammar.list_mailbox(cursor)]
    returns = _returns(cursor)
    extended = extended or returns is not None
    asked = {option.name: (option, argument) for option, argument in returns or ()}
    for selection in selections:
        if selection.implies and selection.implies not in asked:
            implied = cursor.vocabulary.list_returns[selection.implies.encode("ascii")]
            asked[implied.name] = (implied, None)
    remote = any(selection.name == _REMOTE for selection in selections)
    return Listing(reference, names, extended, selections, tuple(asked.values()), remote)


def _selection(cursor: Cursor) -> ListSelection:
    found: ListSelection | None = cursor.vocabulary.list_selections.get(cursor.word())
    if found is None:
        raise BadSyntax("LIST has no such selection option")
    return found


def _once(selections: Iterable[ListSelection]) -> list[ListSelection]:
    return list({selection.name: selection for selection in selections}.values())


def _check_recursive(selections: Sequence[ListSelection]) -> None:
    """RFC 5258, 3.1: it says how to choose, not what, and is BAD alone."""
    names = {each.name for each in selections}
    if _RECURSIVE in names and all(each.holds is None for each in selections):
        raise BadSyntax("RECURSIVEMATCH needs another selection option")


def _returns(cursor: Cursor) -> list[tuple[ListReturn, Any]] | None:
    """``list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"``."""
    if cursor.at_end():
        return None
    cursor.space()
    if cursor.at_end():
        return None
    if not cursor.skip_word(b"RETURN"):
        raise cursor.bad("RETURN")
    cursor.space()
    return cursor.listed(_return, empty=True)


def _return(cursor: Cursor) -> tuple[ListReturn, Any]:
    found: ListReturn | None = cursor.vocabulary.list_returns.get(cursor.word())
    if found is None:
        raise BadSyntax("LIST has no such return option")
    return found, found.grammar(cursor)


# What is shown.


def patterns(session: Session, reference: str, names: Iterable[str]) -> Patterns:
    """Canonical patterns: each name with the reference before it; empty names mean nothing.

    Raises `Refused` if there are too many.
    """
    made = Patterns(
        (reference + name for name in names if name), session.policy.limits.mailbox_name
    )
    most = session.policy.limits.list_patterns
    if made.cost > most:
        raise Refused("LIMIT", f"LIST takes {most} patterns with wildcards")
    return made


async def names(session: Session, remote: bool) -> Sequence[MailboxInfo]:
    """Every name, with or without those of other servers."""
    everywhere = IRemoteMailboxes(session.account, None) if remote else None
    if everywhere is None:
        return await settled(session.account.mailboxes())
    found: Sequence[MailboxInfo] = await settled(everywhere.everywhere())
    return found


async def tell(session: Session, arguments: Listing) -> None:
    """As LIST."""
    if not arguments.extended and arguments.names == [""]:
        # No name here is rooted: the root of every reference is the empty one.
        session.write(b'* LIST (\\Noselect) "/" ""\r\n')
        return
    asked = patterns(session, arguments.reference, arguments.names)
    infos = await names(session, arguments.remote)
    some: list[Row] = []
    for row in _rows(arguments, asked, infos):
        if row is None:
            await session.peer.turn()
            continue
        some.append(row)
        if len(some) == _TOGETHER:
            await _tell(session, arguments, some)
            some.clear()
    await _tell(session, arguments, some)


def _rows(
    arguments: Listing, asked: Patterns, infos: Sequence[MailboxInfo]
) -> Iterator[Row | None]:
    tests = [each.holds for each in arguments.selections if each.holds is not None]
    if not tests:
        return rows(infos, chosen=_exists, matches=asked.match, holds=asked.match_level)
    return rows(
        infos,
        chosen=tests[0] if len(tests) == 1 else lambda info: all(test(info) for test in tests),
        matches=asked.match,
        holds=asked.match if arguments.recursive else None,
    )


def _exists(info: MailboxInfo) -> bool:
    return info.exists


async def _tell(session: Session, arguments: Listing, rows: Sequence[Row]) -> None:
    """The rows of names, each with the responses that were asked for with it."""
    returns = arguments.returns
    infos = [row.info for row in rows if _has_responses(row)] if returns else []
    known = [await _known(session, option, infos, argument) for option, argument in returns]
    extended = arguments.extended or "IMAP4rev2" in session.enabled
    attributes = [option for option, _ in returns if option.has_attribute is not None]
    at_hand = known[0] if len(known) == 1 else {}
    told: list[bytes] = []
    for row in rows:
        info, responses = row.info, b""
        if returns and _has_responses(row):
            found = at_hand.get(info.name)
            if found is None:
                info, responses = await _responses(session, arguments, info, known)
            else:
                responses = found
        child_info = b""
        if row.holds_chosen and arguments.recursive:
            child_info = b' ("CHILDINFO" (%b))' % b" ".join(
                b'"%b"' % each.name.encode("ascii")
                for each in arguments.selections
                if each.holds is not None
            )
        told.append(
            b'* LIST (%b) "/" %b%b\r\n%b'
            % (
                _attributes(info, row.has_children, attributes, extended),
                session.mailbox_name(info.name),
                child_info,
                responses,
            )
        )
    session.write(b"".join(told))


async def _known(
    session: Session, option: ListReturn, infos: Sequence[MailboxInfo], argument: Any
) -> Mapping[str, bytes]:
    """Responses that can be had together; where there is trouble, each is asked for alone."""
    if option.of_many is None or not infos:
        return {}
    try:
        return await option.of_many(session, infos, argument)
    except AccountClosed:
        raise
    except StoreError:
        return {}


def _has_responses(row: Row) -> bool:
    return row.chosen and row.info.exists and not row.info.remote


async def _responses(
    session: Session, arguments: Listing, info: MailboxInfo, known: Sequence[Mapping[str, bytes]]
) -> tuple[MailboxInfo, bytes]:
    r"""The responses of a name, of which some may be known, and what has turned out of it.

    A mailbox that is not open to this user is \Noselect (RFC 5819, 2); other trouble of the
    store costs the response, not the whole LIST.
    """
    told, name, responses = info, info.name, []
    for (option, argument), found in zip(arguments.returns, known):
        if name in found:
            responses.append(found[name])
        elif option.responses is not None:
            await session.peer.turn()
            try:
                responses.append(await option.responses(session, info, argument))
            except (NoSuchMailbox, NotSelectable, NoPermission):
                told = evolve(info, selectable=False)
            except AccountClosed:
                raise
            except StoreError:
                session.policy.log.failure("LIST: {name!r} has no answer", name=name)
    return told, b"".join(responses)


def _attributes(
    info: MailboxInfo,
    has_children: bool,
    attributes: Sequence[ListReturn],
    extended: bool,
) -> bytes:
    """``mbx-list-flags`` (RFC 9051, 7.3.1)."""
    children = b"\\HasChildren" if has_children else b"\\HasNoChildren"
    if info.exists and info.selectable and not (attributes or info.remote or info.special_use):
        return children
    told = []
    if not info.exists:
        told.append(b"\\NonExistent" if extended else b"\\Noselect")
    elif not info.selectable:
        told.append(b"\\Noselect")
    if info.remote:
        told.append(b"\\Remote")
    for option in attributes:
        if option.has_attribute is not None and option.has_attribute(info):
            told.append(option.attribute.encode("ascii"))
    told.append(children)
    told += [use.encode("ascii") for use in sorted(info.special_use)]
    return b" ".join(told)


# The declarations.


def _is_subscribed(info: MailboxInfo) -> bool:
    return info.subscribed


def _has_use(info: MailboxInfo) -> bool:
    return bool(info.special_use)


FEATURE = Feature(
    name="LIST",
    rfc=9051,
    summary="the names of mailboxes",
    commands=(Command("LIST", LOGGED_IN, _arguments, tell),),
)

EXTENDED = Feature(
    name="LIST-EXTENDED",
    rfc=5258,
    summary="what LIST is to choose and to tell, several patterns at once",
    capabilities=(Capability("LIST-EXTENDED"),),
    list_selections=(
        ListSelection("SUBSCRIBED", _is_subscribed, implies="SUBSCRIBED"),
        # It adds mailboxes of other servers, where there are any (RFC 2193).
        ListSelection(_REMOTE),
        ListSelection(_RECURSIVE),
    ),
    list_returns=(
        ListReturn("SUBSCRIBED", attribute="\\Subscribed", has_attribute=_is_subscribed),
        # Told always.
        ListReturn("CHILDREN"),
    ),
)

CHILDREN = Feature(
    name="CHILDREN",
    rfc=3348,
    summary="LIST tells which names have others below them",
    capabilities=(Capability("CHILDREN"),),
)

SPECIAL_USE = Feature(
    name="SPECIAL-USE",
    rfc=6154,
    summary="LIST tells which mailboxes are for drafts, sent mail, junk and so on",
    capabilities=(Capability("SPECIAL-USE"),),
    # RFC 6154, 6 has it among the independent options; since it chooses names as SUBSCRIBED
    # does, RECURSIVEMATCH is taken with it.
    list_selections=(ListSelection("SPECIAL-USE", _has_use, implies="SPECIAL-USE"),),
    # Told always.
    list_returns=(ListReturn("SPECIAL-USE"),),
)
