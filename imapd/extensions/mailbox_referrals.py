"""MAILBOX-REFERRALS: mailboxes of other servers, RLIST and RLSUB (RFC 2193).

By configuration: ``referrals.mailboxes`` has the URLs of each name, which is then a mailbox
of another server with all below it.  Rules of this file:

* Whatever opens, makes, deletes or renames such a name is refused with where to go, by an
  account put around the user's own.
* LIST and LSUB do not show these names; RLIST, RLSUB and ``LIST (REMOTE)`` do (3, RFC 5258, 3.1).
* Subscriptions of all names are kept here, so that RLSUB can tell them.
* That no two servers refer to each other (3) is the owner's to see to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

from attrs import evolve
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from imapd.commands import list as listing
from imapd.commands import lsub
from imapd.dialect import Capability, Command, Feature
from imapd.model.mailbox import DELIMITER, MailboxInfo
from imapd.model.states import LOGGED_IN
from imapd.session.entry import Entry
from imapd.session.outcome import Refused
from imapd.session.session import Session
from imapd.store.answers import settled
from imapd.store.interfaces import Answer, IAccount, IMailbox, WatchCallback
from imapd.store.remote import IRemoteMailboxes

__all__ = ["feature"]

_URLs = Sequence[str]


@implementer(IAccount, IRemoteMailboxes)
class _Referring:
    """An account that knows which of its names are elsewhere."""

    def __init__(self, account: IAccount, remote: Mapping[str, _URLs]) -> None:
        self._account = account
        self._remote = remote

    def __conform__(self, interface: InterfaceClass) -> Any:
        """What the account can do besides, it still can."""
        return interface(self._account, None)

    def _urls(self, name: str) -> list[str]:
        """Where the mailbox is; empty if it is here."""
        top = name
        while top not in self._remote:
            top, _, _ = top.rpartition(DELIMITER)
            if not top:
                return []
        return [url + quote(name[len(top) :]) for url in self._remote[top]]

    def _check(self, name: str) -> None:
        urls = self._urls(name)
        if urls:
            _refer(urls)

    async def mailboxes(self) -> list[MailboxInfo]:
        """As `IAccount`."""
        infos = await settled(self._account.mailboxes())
        return [info for info in infos if not self._urls(info.name)]

    async def everywhere(self) -> list[MailboxInfo]:
        """As `IRemoteMailboxes`."""
        infos = {info.name: info for info in await settled(self._account.mailboxes())}
        for name, info in infos.items():
            if self._urls(name):
                infos[name] = evolve(info, exists=name in self._remote, remote=True)
        for name in self._remote:
            infos.setdefault(name, MailboxInfo(name, remote=True))
        return list(infos.values())

    def create(self, name: str, special_use: frozenset[str] = frozenset()) -> Answer[MailboxInfo]:
        """As `IAccount`."""
        self._check(name)
        return self._account.create(name, special_use)

    def delete(self, name: str) -> Answer[None]:
        """As `IAccount`."""
        self._check(name)
        return self._account.delete(name)

    def rename(self, old: str, new: str) -> Answer[None]:
        """As `IAccount`; pairs of URLs, both on the server of `old` if `new` is nowhere (4.3)."""
        source, target = self._urls(old), self._urls(new)
        if source:
            targets = target or [_beside(url, new) for url in source]
            _refer([url for pair in zip(source, targets) for url in pair])
        if target:
            raise Refused("CANNOT", "The mailbox is on another server")
        return self._account.rename(old, new)

    def subscribe(self, name: str, subscribed: bool) -> Answer[None]:
        """As `IAccount`."""
        return self._account.subscribe(name, subscribed)

    def open(self, name: str) -> Answer[IMailbox]:
        """As `IAccount`."""
        self._check(name)
        return self._account.open(name)

    def watch(self, callback: WatchCallback) -> Callable[[], None]:
        """As `IAccount`."""
        return self._account.watch(callback)

    def close(self) -> Answer[None]:
        """As `IAccount`."""
        return self._account.close()


def _refer(urls: _URLs) -> NoReturn:
    raise Refused(f"REFERRAL {' '.join(urls)}", "The mailbox is on another server")


def _beside(url: str, name: str) -> str:
    """Another mailbox of the same server."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{quote(name)}"


# RLIST and RLSUB.


(_LIST,) = listing.FEATURE.commands
(_LSUB,) = lsub.FEATURE.commands


async def _rlist(session: Session, arguments: listing.Listing) -> None:
    await listing.tell(session, evolve(arguments, remote=True))


async def _rlsub(session: Session, arguments: tuple[str, str]) -> None:
    await lsub.tell(session, arguments, remote=True)


def feature(mailboxes: Mapping[str, _URLs]) -> Feature:
    """With the IMAP URLs of each name, the preferred one first; ``%u`` in them is the user."""

    def admit(entry: Entry) -> None:
        user = quote(entry.user, safe="")
        remote = {
            name: [url.replace("%u", user).removesuffix("/") for url in urls]
            for name, urls in mailboxes.items()
        }
        entry.account = _Referring(entry.account, remote)

    return Feature(
        name="MAILBOX-REFERRALS",
        rfc=2193,
        summary="mailboxes that are elsewhere: who asks for them is told where; RLIST, RLSUB",
        capabilities=(Capability("MAILBOX-REFERRALS"),),
        commands=(
            Command("RLIST", LOGGED_IN, _LIST.grammar, _rlist),
            Command("RLSUB", LOGGED_IN, _LSUB.grammar, _rlsub),
        ),
        admits=admit,
    )
