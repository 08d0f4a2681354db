"""URLAUTH: URLs that let others read a message, or a part of it (RFC 4467; RFC 5092, 6.1).

Rules of this file:

* A token is made of a URL's octets as they are, with a key of the mailbox that only the store
  knows; its first octet says by which algorithm.
* Whatever cannot be validated is NIL, and comes no sooner than `_PAUSE` after it was asked for:
  nobody learns by answers or by their time whether a user or a mailbox exists.
* A URL never makes an account: only one that is there is opened, and it is closed again.
* SELECT tells of URLMECH only under TLS (RFC 4467, 10).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sized
from typing import Any, Final

from attrs import define, field, frozen

from imapd.commands.fetch_items import Value
from imapd.dialect import Capability, Command, Feature, URLParameter
from imapd.extensions.catenate import Source, opened
from imapd.model.states import LOGGED_IN
from imapd.session.content import Content
from imapd.session.outcome import Outcome, Refused
from imapd.session.session import Session
from imapd.session.view import View
from imapd.store.answers import settled
from imapd.store.errors import StoreError
from imapd.store.interfaces import IAccount, IMailbox, IOtherAccounts, IURLKeys
from imapd.wire import encode, grammar
from imapd.wire.cursor import BadSyntax, Cursor
from imapd.wire.url import Access, BadURL, MessageURL, Who, message_url

__all__ = ["FEATURE", "string"]

#: HMAC with SHA-256.
_ALGORITHM: Final = b"01"
#: Seconds before a URL is said to be no good; more than any account takes to be opened.
_PAUSE: Final = 0.5
_INTERNAL: Final = b"INTERNAL"
_URLMECH: Final = b"URLMECH INTERNAL"
_TOLD: Final = b"* OK [URLMECH INTERNAL] Mechanisms\r\n"


def _token(key: bytes, rump: bytes) -> bytes:
    return _ALGORITHM + hmac.digest(key, rump, "sha256").hex().encode("ascii")


def _keys(account: IAccount) -> IURLKeys:
    keys: IURLKeys | None = IURLKeys(account, None)
    if keys is None:
        raise Refused("CANNOT", "There are no authorized URLs for this account")
    return keys


# RESETKEY.


def _reset_arguments(cursor: Cursor) -> tuple[str | None, list[bytes]]:
    """``resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]``."""
    if cursor.at_end():
        return None, []
    cursor.space()
    name = grammar.mailbox(cursor)
    mechanisms = []
    while cursor.data[cursor.at :].strip(b" "):
        cursor.space()
        mechanisms.append(cursor.word())
    return name, mechanisms


async def _reset(session: Session, arguments: tuple[str | None, list[bytes]]) -> Outcome:
    name, mechanisms = arguments
    keys = _keys(session.account)
    if any(mechanism != _INTERNAL for mechanism in mechanisms):
        raise Refused("CANNOT", "The only mechanism is INTERNAL")
    if name is None:
        await settled(keys.reset_url_keys(None))
        return Outcome("All keys are removed")
    mailbox = await settled(session.account.open(name))
    await settled(keys.reset_url_keys(mailbox.id))
    image = session.policy.images.known(mailbox.id)
    for view in image.watchers if image is not None else ():
        if isinstance(view, View) and view is not session.view:
            view.notice(_TOLD)
    return Outcome("The key has changed", _URLMECH)


def _opens(session: Session) -> bytes:
    if not session.peer.secure or IURLKeys(session.account, None) is None:
        return b""
    return _TOLD


# GENURLAUTH.


def _more(cursor: Cursor, so_far: Sized) -> bool:
    """There is another URL, or must be; some clients leave a space at the end."""
    if so_far and not cursor.data[cursor.at :].strip(b" "):
        return False
    if len(so_far) >= cursor.limits.urls:
        raise BadSyntax("too many URLs")
    cursor.space()
    return True


def _generate_arguments(cursor: Cursor) -> list[tuple[bytes, bytes]]:
    """``genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism)``."""
    pairs: list[tuple[bytes, bytes]] = []
    while _more(cursor, pairs):
        url = cursor.astring()
        cursor.space()
        pairs.append((url, cursor.word()))
    return pairs


async def _generate(session: Session, pairs: list[tuple[bytes, bytes]]) -> None:
    """What is wrong with a URL is BAD, says RFC 4467, 7."""
    keys = _keys(session.account)
    told = [b"* GENURLAUTH"]
    for given, mechanism in pairs:
        if mechanism != _INTERNAL:
            raise BadSyntax("The only mechanism is INTERNAL")
        try:
            url = message_url(given, session.policy.limits)
            _check_rump(session, url)
            mailbox = await opened(session.account, url)
        except BadURL as error:
            raise BadSyntax(str(error)) from None
        key = await settled(keys.url_key(mailbox.id, make=True))
        assert key is not None
        told.append(encode.string(b"%b:internal:%b" % (given, _token(key, given))))
    session.write(b" ".join(told) + b"\r\n")


def _check_rump(session: Session, url: MessageURL) -> None:
    if url.user is None:
        raise BadURL("The URL does not name the owner of the mailbox")
    if url.access is None:
        raise BadURL("The URL has no access identifier")
    if url.token:
        raise BadURL("The URL is authorized already")
    if url.user != session.user:
        raise BadURL("The URL is of another user")


# URLFETCH.


@frozen
class _Asked:
    """One URL, and what is asked of it; nothing: its octets."""

    given: bytes
    parameters: tuple[URLParameter, ...] = ()
    names: frozenset[bytes] = frozenset()


def _fetch_arguments(cursor: Cursor) -> list[_Asked]:
    """``urlfetch = "URLFETCH" 1*(SP url-fetch-arg)``."""
    asked: list[_Asked] = []
    while _more(cursor, asked):
        extended = cursor.vocabulary.url_parameters and cursor.peek() == b"("
        asked.append(_extended(cursor) if extended else _Asked(cursor.astring()))
    return asked


def _extended(cursor: Cursor) -> _Asked:
    """``url-fetch-ext = "(" url-full *(SP url-fetch-param) ")"`` (RFC 5524, 5)."""
    cursor.enter()
    given = cursor.astring()
    found: dict[bytes, URLParameter] = {}
    while cursor.peek() == b" ":
        cursor.space()
        name = cursor.word()
        parameter = cursor.vocabulary.url_parameters.get(name)
        if parameter is None or name in found:
            raise BadSyntax("a URL is asked once for each of what there is")
        found[name] = parameter
    cursor.leave()
    if any(name.encode("ascii") in found for each in found.values() for name in each.excludes):
        raise BadSyntax("these do not go together")
    order = list(cursor.vocabulary.url_parameters)
    return _Asked(given, tuple(found[n] for n in sorted(found, key=order.index)), frozenset(found))


@define(eq=False)
class _Accounts:
    """Accounts of the owners of URLs, as far as they are there; to be closed."""

    _session: Session
    _opened: dict[str, IAccount | None] = field(factory=dict, init=False)

    async def of(self, user: str) -> IAccount | None:
        """The account; the session's own is open already."""
        session = self._session
        if user == session.user:
            return session.account
        if user not in self._opened:
            others = IOtherAccounts(session.policy.portal.realm, None)
            account = None
            if others is not None:
                try:
                    account = await settled(others.open_existing(user))
                except StoreError:
                    session.policy.log.info("a URL of an account that cannot be opened")
            self._opened[user] = account
        return self._opened[user]

    async def close(self) -> None:
        """Let go of them."""
        for account in self._opened.values():
            if account is not None:
                await settled(account.close())


async def _fetch(session: Session, asked: list[_Asked]) -> None:
    """Whatever is asked, the answer is OK, and NIL for what is not to be had (RFC 4467, 7)."""
    pause = session.policy.later(_PAUSE)
    pause.addErrback(lambda _: None)
    accounts, source = _Accounts(session), Source()
    try:
        found = [await _validated(session, accounts, each.given) for each in asked]
        if None in found:
            await pause
        for each, valid in zip(asked, found):
            content, pieces = None, [b"NIL"]
            if valid is not None:
                content, pieces = await _found(source, each, *valid)
            session.write(b"* URLFETCH %b " % encode.string(each.given))
            await _write(session, content, pieces)
            session.write(b"\r\n")
            await session.peer.turn()
    finally:
        pause.cancel()
        source.close()
        await accounts.close()


async def _validated(
    session: Session, accounts: _Accounts, given: bytes
) -> tuple[MessageURL, IMailbox] | None:
    """RFC 4467, 6: a token is computed whether there is a mailbox or not."""
    try:
        url = message_url(given, session.policy.limits)
    except BadURL:
        return None
    mailbox, key = None, None
    if url.user is not None and url.access is not None and url.mechanism == "INTERNAL":
        mailbox, key = await _owned(await accounts.of(url.user), url)
    expected = _token(key or secrets.token_bytes(32), url.rump)
    valid = hmac.compare_digest(expected, url.token.lower())
    if not valid or mailbox is None or key is None:
        return None
    assert url.access is not None
    if url.expire is not None and url.expire < session.policy.now():
        return None
    return (url, mailbox) if _lets_in(session, url.access) else None


async def _owned(account: IAccount | None, url: MessageURL) -> tuple[IMailbox | None, bytes | None]:
    """The mailbox of a URL, and its key."""
    keys = IURLKeys(account, None) if account is not None else None
    if account is None or keys is None:
        return None, None
    try:
        mailbox = await opened(account, url)
        return mailbox, await settled(keys.url_key(mailbox.id, make=False))
    except (BadURL, StoreError):
        return None, None


def _lets_in(session: Session, access: Access) -> bool:
    """RFC 4467, 3: who may use the URL; there are no anonymous sessions here."""
    if access.who is Who.USER:
        return access.user == session.user
    if access.who is Who.SUBMIT:
        return session.user in session.policy.submitters
    return True


async def _found(
    source: Source, asked: _Asked, url: MessageURL, mailbox: IMailbox
) -> tuple[Content | None, list[Any]]:
    """What stands behind the URL: an nstring, or what was asked for in parentheses."""
    try:
        content, value = await source.find(mailbox, url)
        if not asked.parameters:
            return content, string(value)
        pieces: list[Any] = []
        for parameter in asked.parameters:
            pieces.append(b" (" if pieces else b"(")
            pieces += await parameter.pieces(content, url, asked.names)
            pieces.append(b")")
    except (BadURL, StoreError):
        return None, [b"NIL"]
    return content, pieces


async def _write(session: Session, content: Content | None, pieces: list[Any]) -> None:
    for piece in pieces:
        if isinstance(piece, bytes):
            session.write(piece)
            continue
        assert content is not None
        try:
            async for data in content.pieces(*piece):
                session.write(_without_nul(data))
                await session.peer.turn()
        except Exception:
            # The literal was announced and cannot be finished.
            session.peer.abort()
            raise


def string(value: Value) -> list[Any]:
    """The pieces of an ``nstring``."""
    if isinstance(value, tuple):
        return [b"{%d}\r\n" % (value[1] - value[0]), value]
    return [encode.nstring(None if value is None else _without_nul(value))]


def _without_nul(octets: bytes) -> bytes:
    """A string cannot hold NUL (RFC 9051, 9); 0x80 stands for it, as in FETCH."""
    return octets.replace(b"\0", b"\x80") if b"\0" in octets else octets


FEATURE: Final = Feature(
    name="URLAUTH",
    rfc=4467,
    summary="URLs that let others read a message or a part of it",
    capabilities=(Capability("URLAUTH"),),
    requires=IURLKeys,
    opens=_opens,
    commands=(
        Command("RESETKEY", LOGGED_IN, _reset_arguments, _reset),
        Command("GENURLAUTH", LOGGED_IN, _generate_arguments, _generate),
        Command("URLFETCH", LOGGED_IN, _fetch_arguments, _fetch),
    ),
)
