"""LOGIN and AUTHENTICATE: who the client is (RFC 9051, 6.2.2 and 6.2.3; RFC 4959)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import cast

from twisted.cred.credentials import ICredentials, UsernamePassword
from twisted.cred.error import LoginDenied, LoginFailed, UnauthorizedLogin

from imapd.auth.credentials import from_peer
from imapd.auth.realm import Avatar
from imapd.auth.sasl import BadExchange, Exchange, MayNotActAs
from imapd.dialect import Capability, Command, Feature, When
from imapd.model.states import State
from imapd.session.capabilities import capabilities, may_log_in
from imapd.session.entry import Entry
from imapd.session.outcome import BadCommand, Outcome, Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE"]


def _login_arguments(cursor: Cursor) -> tuple[bytes, bytes]:
    cursor.space()
    user = cursor.astring()
    cursor.space()
    return user, cursor.astring()


async def _login(session: Session, arguments: tuple[bytes, bytes]) -> Outcome:
    if not may_log_in(session):
        raise Refused("PRIVACYREQUIRED", "Start TLS first")
    return await _enter(session, UsernamePassword(*arguments))


def _authenticate_arguments(cursor: Cursor) -> tuple[str, bytes | None]:
    cursor.space()
    mechanism = cursor.word().decode("ascii")
    if cursor.at_end():
        return mechanism, None
    cursor.space()
    initial = cursor.data[cursor.at :]
    cursor.at = len(cursor.data)
    return mechanism, initial


async def _authenticate(session: Session, arguments: tuple[str, bytes | None]) -> Outcome:
    name, initial = arguments
    mechanism = session.policy.mechanisms.get(name)
    if mechanism is None:
        raise Refused("CANNOT", "There is no such mechanism")
    if mechanism.plaintext and not may_log_in(session):
        raise Refused("PRIVACYREQUIRED", "Start TLS first")
    try:
        credentials = await _exchange(session, mechanism.exchange(), initial)
    except MayNotActAs as error:
        _denied(session, "")
        raise Refused("AUTHORIZATIONFAILED", str(error)) from None
    except BadExchange as error:
        raise BadCommand(str(error)) from None
    return await _enter(session, credentials)


async def _exchange(session: Session, exchange: Exchange, initial: bytes | None) -> ICredentials:
    """Challenges and responses, to the credentials they end in (RFC 9051, 6.2.2)."""
    try:
        challenge = next(exchange)
        if initial is not None:
            # RFC 4959, 3: "=" is a response of no octets.
            challenge = exchange.send(b"" if initial == b"=" else _decoded(initial))
        while True:
            session.write(b"+ %b\r\n" % b64encode(challenge))
            line = await session.line()
            if line == b"*":
                raise BadCommand("The exchange was cancelled")
            challenge = exchange.send(_decoded(line))
    except StopIteration as finished:
        credentials: ICredentials = finished.value
        return credentials
    finally:
        exchange.close()


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise BadSyntax("not base64") from None


async def _enter(session: Session, credentials: ICredentials) -> Outcome:
    policy = session.policy
    user = bytes(getattr(credentials, "username", b"")).decode("utf-8", "replace")
    try:
        avatar = await policy.portal.login(
            from_peer(credentials, session.peer.address), None, IAccount
        )
    except (LoginFailed, LoginDenied, UnauthorizedLogin):
        _denied(session, user)
        raise Refused("AUTHENTICATIONFAILED", "Authentication failed") from None
    _, account, logout = cast(Avatar, avatar)
    entry = Entry(session, user, IAccount(account))
    try:
        for admit in policy.dialect.admits:
            admit(entry)
    except BaseException:
        await settled(logout())
        raise
    session.log_in(user, entry.account, logout)
    policy.log.info("login: user={user!r} from {peer}", user=user, peer=session.peer.address)
    return Outcome(entry.text, entry.code or b"CAPABILITY " + capabilities(session))


def _denied(session: Session, user: str) -> None:
    session.failures += 1
    # The name is the client's word: repr keeps it on one line.
    session.policy.log.warn(
        "login failed: user={user!r} from {peer}", user=user, peer=session.peer.address
    )
    if session.failures >= session.policy.limits.bad_logins:
        session.write(session.status(b"BYE", b"", "Too many failed log-ins"))
        session.peer.close()


FEATURE = Feature(
    name="LOGIN and AUTHENTICATE",
    rfc=9051,
    summary="passwords by LOGIN, SASL by AUTHENTICATE, with an initial response",
    base=True,
    capabilities=(
        Capability("SASL-IR", When.BEFORE_LOGIN),
        Capability("LOGINDISABLED", When.BEFORE_LOGIN, lambda session: not may_log_in(session)),
    ),
    commands=(
        Command("LOGIN", State.NOT_AUTHENTICATED, _login_arguments, _login),
        Command("AUTHENTICATE", State.NOT_AUTHENTICATED, _authenticate_arguments, _authenticate),
    ),
)
