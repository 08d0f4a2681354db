"""QUOTA and QUOTASET: what an account holds and may hold (RFC 9208).

* There is one quota root for each account, called as its user.
* Limits are hard, and kept by the store: whatever would go beyond one is refused with
  OVERQUOTA.  Nothing is refused that makes an account hold less, or as much.
* Annotations count with their names; those of mailboxes and of the account (METADATA) as those of
  messages do (ANNOTATE), what is private to others in the account that has the message.
* An administrator sees and sets the limits of every account that is there; others see their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from attrs import frozen

from imapd.commands.status import Number
from imapd.dialect import Capability, Command, Feature, StatusItem, When
from imapd.model.quota import UNITS, Allowance, Quota
from imapd.model.states import LOGGED_IN
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.access import INamespaces
from imapd.store.answers import settled
from imapd.store.interfaces import IAnnotated, IMetadata, IOtherAccounts, IQuota
from imapd.wire import encode, grammar
from imapd.wire.cursor import BadSyntax, Cursor

__all__ = ["FEATURE", "QUOTASET"]

#: RFC 9208, 5: the fields of `Usage` and `Allowance`.
_RESOURCES: Final[Mapping[str, str]] = {
    "STORAGE": "storage",
    "MESSAGE": "messages",
    "MAILBOX": "mailboxes",
    "ANNOTATION-STORAGE": "annotations",
}


# The grammar.


def _root(cursor: Cursor) -> str:
    """``quota-root-name = astring``."""
    cursor.space()
    return cursor.astring().decode("utf-8", "replace")


def _mailbox(cursor: Cursor) -> str:
    cursor.space()
    return grammar.mailbox(cursor)


@frozen
class _Set:
    root: str
    limits: Sequence[tuple[str, int]]


def _setquota(cursor: Cursor) -> _Set:
    """``setquota = "SETQUOTA" SP quota-root-name SP setquota-list``."""
    root = _root(cursor)
    cursor.space()
    limits = cursor.listed(_limit, empty=True)
    if len({name for name, _ in limits}) < len(limits):
        raise BadSyntax("A resource is there twice")
    return _Set(root, limits)


def _limit(cursor: Cursor) -> tuple[str, int]:
    """``setquota-resource = resource-name SP resource-limit``."""
    name = cursor.atom().decode("ascii").upper()
    cursor.space()
    return name, cursor.number(63)


# What is done.


async def _getquota(session: Session, root: str) -> None:
    async with _able(session, root) as able:
        session.write(_quota(root, await settled(able.quota())))


async def _getquotaroot(session: Session, name: str) -> None:
    """The mailbox need not exist (RFC 9208, 4.1.2)."""
    if name.startswith(grammar.UNDECODABLE):
        raise Refused("CANNOT", "The name is not in the encoding of mailbox names")
    namespaces = INamespaces(session.account, None)
    if namespaces is not None and not namespaces.is_own(name):
        # What others have room for is not told.
        session.write(b"* QUOTAROOT %b\r\n" % session.mailbox_name(name))
        return
    root = _own(session)
    async with _able(session, root) as able:
        quota = await settled(able.quota())
    session.write(b"* QUOTAROOT %b %b\r\n" % (session.mailbox_name(name), _name(root)))
    session.write(_quota(root, quota))


async def _set(session: Session, asked: _Set) -> None:
    """Limits that are not said are no more (RFC 9208, 4.1.3)."""
    if not _may_set(session):
        raise Refused("NOPERM", "Only administrators set quotas")
    limits = {}
    for name, limit in asked.limits:
        if name not in _RESOURCES or not _is_counted(name, session):
            raise Refused("CANNOT", f"{name} cannot be limited here")
        limits[_RESOURCES[name]] = limit
    async with _able(session, asked.root) as able:
        await settled(able.allow(Allowance(**limits)))
        session.write(_quota(asked.root, await settled(able.quota())))


@asynccontextmanager
async def _able(session: Session, root: str) -> AsyncIterator[IQuota]:
    """The account of a root, if this user may see it; others are not even known to be there."""
    if root == _own(session):
        yield _provided(session.account)
        return
    if not _may_set(session) or not root:
        raise _unknown()
    others = IOtherAccounts(session.policy.portal.realm, None)
    account = None if others is None else await settled(others.open_existing(root))
    if account is None:
        raise _unknown()
    try:
        yield _provided(account)
    finally:
        await settled(account.close())


def _provided(account: Any) -> IQuota:
    able = IQuota(account, None)
    if able is None:
        raise Refused("CANNOT", "There are no quotas here")
    return able


def _unknown() -> Refused:
    return Refused("NONEXISTENT", "There is no such quota root")


def _own(session: Session) -> str:
    assert session.user is not None
    return session.user


def _is_counted(name: str, session: Session) -> bool:
    """Whether accounts have any of a resource."""
    account = session.account
    if name != "ANNOTATION-STORAGE" or account is None:
        return True
    return IAnnotated(account, None) is not None or IMetadata(account, None) is not None


def _may_set(session: Session) -> bool:
    return session.user in session.policy.administrators


def _name(root: str) -> bytes:
    return encode.string(root.encode("utf-8"))


def _quota(root: str, quota: Quota) -> bytes:
    """``quota-response``: only of what is limited (RFC 9208, 4.2.1)."""
    told = []
    for name, resource in _RESOURCES.items():
        limit = getattr(quota.allowance, resource)
        if limit is not None:
            # What was begun is used: less would look like room that is not there.
            used = -(-getattr(quota.usage, resource) // UNITS[resource])
            told.append(b"%b %d %d" % (name.encode("ascii"), used, limit))
    return b"* QUOTA %b (%b)\r\n" % (_name(root), b" ".join(told))


FEATURE = Feature(
    name="QUOTA",
    rfc=9208,
    summary="what an account holds and may hold",
    capabilities=(
        Capability("QUOTA"),
        *(
            Capability(f"QUOTA=RES-{name}", available=partial(_is_counted, name))
            for name in _RESOURCES
        ),
    ),
    requires=IQuota,
    commands=(
        Command("GETQUOTA", LOGGED_IN, _root, _getquota),
        Command("GETQUOTAROOT", LOGGED_IN, _mailbox, _getquotaroot),
    ),
    status_items=(StatusItem("DELETED-STORAGE", Number("deleted_size"), of_sizes=True),),
)

QUOTASET = Feature(
    name="QUOTASET",
    rfc=9208,
    summary="administrators set what an account may hold",
    capabilities=(Capability("QUOTASET", When.AFTER_LOGIN, available=_may_set),),
    needs=("QUOTA",),
    requires=IQuota,
    commands=(Command("SETQUOTA", LOGGED_IN, _setquota, _set),),
)
