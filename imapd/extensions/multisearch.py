r"""MULTISEARCH: ESEARCH looks through several mailboxes, whether one is selected or not (RFC 7377).

Rules of this file:

* A mailbox is looked through once, however often it is named, in the order of LIST; the selected
  one as the client knows it, others as they are.  They are not selected by that: \Recent stays
  what it is, and `$` means nothing there.
* What may not be read, or, if it was not named itself, not be looked up, is passed over without
  a word (2.2); so is what goes away meanwhile.
* Where nothing was found nothing is told (2.1).
* Which mailboxes mail may be delivered to is not known, so inboxes are personal, as for NOTIFY.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from attrs import frozen

from imapd.commands.search import Search, find, in_charset, look_through, names_no_number, prepared
from imapd.commands.search_keys import search_keys
from imapd.commands.search_returns import ALL, return_options
from imapd.commands.search_source import Selected
from imapd.dialect import Capability, Command, Feature
from imapd.extensions.notify_filters import parent_of
from imapd.model.mailbox import MailboxInfo, Status
from imapd.model.search import Program, Recent
from imapd.model.states import LOGGED_IN
from imapd.query.search import leaves_of
from imapd.session.outcome import BadCommand, Outcome, Refused
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.access import INamespaces
from imapd.store.answers import settled
from imapd.store.errors import BadMailboxName, NoPermission, NoSuchMailbox, NotSelectable
from imapd.store.interfaces import IMailbox
from imapd.wire import grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]

NAME: Final = "MULTISEARCH"

_BARE: Final = (b"SELECTED", b"INBOXES", b"PERSONAL", b"SUBSCRIBED")
_NAMED: Final = (b"MAILBOXES", b"SUBTREE", b"SUBTREE-ONE")
#: What may happen to a mailbox that is to be looked through.
_AWAY: Final = (NoSuchMailbox, NotSelectable, NoPermission, BadMailboxName)


@frozen
class _Sources:
    """``source-mbox``: the words that were said, and the names behind each."""

    words: frozenset[bytes]
    names: dict[bytes, frozenset[str]]

    @property
    def is_selected_alone(self) -> bool:
        """Only the selected mailbox is meant."""
        return self.words == {b"SELECTED"}

    def mean(self, info: MailboxInfo, own: bool) -> bool:
        """Whether a mailbox is one of them; `own` says that it is personal."""
        if not (info.exists and info.selectable) or info.remote:
            return False
        if own and not self.words.isdisjoint((b"INBOXES", b"PERSONAL")):
            return True
        if info.subscribed and b"SUBSCRIBED" in self.words:
            return True
        above = parent_of(info.name)
        return (
            info.name in self.names[b"MAILBOXES"]
            or not self.names[b"SUBTREE"].isdisjoint(_and_above(info.name))
            or not self.names[b"SUBTREE-ONE"].isdisjoint(
                (info.name, above) if above else (info.name,)
            )
        )

    @property
    def named(self) -> Iterator[str]:
        """The mailboxes that are named themselves."""
        for names in self.names.values():
            yield from sorted(names)


def _and_above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = parent_of(name)


@frozen
class _Asked:
    search: Search
    sources: _Sources


# The grammar.


def _arguments(cursor: Cursor) -> _Asked:
    """``"ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program``."""
    cursor.space()
    sources = _Sources(frozenset((b"SELECTED",)), {})
    if cursor.skip_word(b"IN"):
        cursor.space()
        sources = _sources(cursor)
        cursor.space()
    options = return_options(cursor) or ((ALL, None),)
    name = None
    if cursor.skip_word(b"CHARSET"):
        cursor.space()
        name = in_charset(cursor)
        cursor.space()
    search = Search(True, options, name, search_keys(cursor), by_mailbox=True)
    if search.saves and not sources.is_selected_alone:
        raise BadSyntax("SAVE is for the selected mailbox alone")
    return _Asked(search, sources)


def _sources(cursor: Cursor) -> _Sources:
    """``"(" source-mbox [SP "(" scope-options ")"] ")"``; there are no scope-options yet."""
    words: set[bytes] = set()
    names: dict[bytes, frozenset[str]] = dict.fromkeys(_NAMED, frozenset())
    cursor.enter()
    while True:
        word = cursor.word()
        if word in _NAMED:
            cursor.space()
            names[word] |= frozenset(grammar.one_or_more_mailbox(cursor))
        elif word not in _BARE:
            raise BadSyntax("ESEARCH knows no mailboxes of that word")
        words.add(word)
        if sum(map(len, names.values())) > cursor.limits.list_length:
            raise BadSyntax("the list is too long")
        if cursor.peek() != b" ":
            break
        cursor.space()
        if cursor.peek() == b"(":
            raise BadSyntax("ESEARCH has no scope options")
    cursor.leave()
    return _Sources(frozenset(words), names)


# The command.


async def _esearch(session: Session, asked: _Asked) -> Outcome | None:
    if session.view is None and (
        b"SELECTED" in asked.sources.words
        # RFC 7377, 2.2: UPDATE applies to the selected mailbox only.
        or any(option.follows is not None for option, _ in asked.search.options or ())
    ):
        raise BadCommand("No mailbox is selected")
    if asked.sources.is_selected_alone:
        return await find(session, asked.search)
    wanted, used = await prepared(session, asked.search)
    boxes = await _boxes(session, asked.sources)
    goal, most = sum(status.messages for _, _, status in boxes), session.policy.limits.messages
    if most and goal > most:
        raise Refused("LIMIT", "Too many messages, search fewer mailboxes")
    before = 0
    for name, mailbox, status in boxes:
        try:
            async with _viewed(session, name, mailbox, wanted) as view:
                source = Selected(session, wanted, view, (before, goal))
                await look_through(session, asked.search, wanted, used, source)
        except _AWAY:
            pass
        before += status.messages
        await session.peer.turn()
    return None


async def _boxes(session: Session, sources: _Sources) -> Sequence[tuple[str, IMailbox, Status]]:
    """Those that are meant, may be read and have messages, or are selected, each once."""
    namespaces = INamespaces(session.account, None)
    names: dict[str, None] = {}
    for info in await settled(session.account.mailboxes()):
        if sources.mean(info, namespaces is None or namespaces.is_own(info.name)):
            names[info.name] = None
        await session.peer.turn()
    # What is not listed may be there for who knows its name.
    names.update(dict.fromkeys(sources.named))
    if len(names) > session.policy.limits.search_mailboxes:
        raise Refused("LIMIT", "Too many mailboxes")
    found: dict[str, tuple[str, IMailbox, Status]] = {}
    if b"SELECTED" in sources.words:
        # It may have another name by now.
        view = session.selected
        with suppress(*_AWAY):
            status = await settled(view.mailbox.status())
            found[view.mailbox.id] = view.name, view.mailbox, status
    for name in names:
        try:
            mailbox = await settled(session.account.open(name))
            status = await settled(mailbox.status())
        except _AWAY:
            continue
        if status.messages or (session.view and session.view.mailbox.id == mailbox.id):
            found.setdefault(mailbox.id, (name, mailbox, status))
        await session.peer.turn()
    return list(found.values())


@asynccontextmanager
async def _viewed(
    session: Session, name: str, mailbox: IMailbox, program: Program
) -> AsyncIterator[View]:
    """A mailbox as it is at this moment, selected by nobody; or as the client has it selected."""
    if session.view is not None and session.view.mailbox.id == mailbox.id:
        yield session.view
        return
    view = View(name, mailbox, True, lambda: None)
    images = session.policy.images
    image = await images.join(mailbox, view)
    try:
        view.attach(image)
        if any(isinstance(leaf, Recent) for leaf in leaves_of(program)):
            view.see_recent((await settled(mailbox.status())).recent)
        yield view
    finally:
        images.leave(image, view)


_ESEARCH: Final = Command(
    "ESEARCH",
    LOGGED_IN,
    _arguments,
    _esearch,
    expunges=lambda asked: names_no_number(asked.search),
)

FEATURE = Feature(
    name=NAME,
    rfc=7377,
    summary="one search through several mailboxes",
    capabilities=(Capability(NAME),),
    needs=("ESEARCH",),
    commands=(_ESEARCH,),
)
