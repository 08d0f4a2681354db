"""From a name to an account."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from attrs import define, field
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.interface.verify import verifyObject

from imapd.auth.realm import MailRealm
from imapd.model.mailbox import MailboxInfo
from imapd.store.errors import StoreUnavailable
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryStore


@define
class _Account:
    """An account that counts how often it is closed."""

    closed: int = 0

    def close(self) -> None:
        self.closed += 1

    def mailboxes(self) -> list[MailboxInfo]:
        raise StoreUnavailable("the disk is full")


@define
class _Store:
    account: _Account = field(factory=_Account)

    def open_account(self, user: str) -> Awaitable[_Account]:
        later: Deferred[_Account] = Deferred()
        later.callback(self.account)
        return later


class RealmTests(SynchronousTestCase):
    """`MailRealm` between a portal and a store."""

    def _avatar(self, realm: MailRealm, name: Any) -> Any:
        return self.successResultOf(realm.requestAvatar(name, None, IAccount))[1]

    def test_provides(self) -> None:
        """It is a realm."""
        self.assertTrue(verifyObject(IRealm, MailRealm(MemoryStore())))

    def test_login(self) -> None:
        """Through a portal, a user gets the account of that name."""
        store = MemoryStore()
        portal = Portal(MailRealm(store), [InMemoryUsernamePasswordDatabaseDontUse(tim=b"x")])
        interface, account, _ = self.successResultOf(
            portal.login(UsernamePassword(b"tim", b"x"), None, IAccount)
        )
        self.assertEqual((interface, account), (IAccount, store.open_account("tim")))

    def test_utf8(self) -> None:
        """A name in UTF-8 is the account of that name in Unicode."""
        store = MemoryStore()
        account = self._avatar(MailRealm(store), "Jürgen".encode())
        self.assertIs(account, store.open_account("Jürgen"))

    def test_bad_names(self) -> None:
        """Who cannot have an account, or is nobody, is not let in."""
        realm = MailRealm(MemoryStore())
        for name in (b"", b"\xff", ()):
            self.failureResultOf(realm.requestAvatar(name, None, IAccount), UnauthorizedLogin)

    def test_other_avatars(self) -> None:
        """It has nothing else than accounts."""

        class ICoffee(Interface):
            """Something no mail store has."""

        with pytest.raises(NotImplementedError):
            MailRealm(MemoryStore()).requestAvatar(b"tim", None, ICoffee)

    def test_logout(self) -> None:
        """Leaving closes the account, once."""
        store = _Store()
        realm = MailRealm(store)  # type: ignore[arg-type]
        leave = self.successResultOf(realm.requestAvatar(b"tim", None, IAccount))[2]
        self.assertEqual(store.account.closed, 0)
        self.successResultOf(leave())
        self.successResultOf(leave())
        self.assertEqual(store.account.closed, 1)

    def test_first_mailboxes(self) -> None:
        """A new account gets its mailboxes, with their use, subscribed."""
        realm = MailRealm(MemoryStore(), {"Sent": "\\Sent", "Notes": ""})
        account = self._avatar(realm, b"tim")
        self.assertEqual(
            [
                (info.name, info.special_use, info.subscribed)
                for info in sorted(account.mailboxes(), key=lambda info: info.name)
                if info.name != "INBOX"
            ],
            [("Notes", frozenset(), True), ("Sent", frozenset({"\\Sent"}), True)],
        )

    def test_old_account(self) -> None:
        """An account with mailboxes of its own keeps those and gets no others."""
        store = MemoryStore()
        store.open_account("tim").create("Gesendet")
        account = self._avatar(MailRealm(store, {"Sent": "\\Sent"}), b"tim")
        self.assertEqual({info.name for info in account.mailboxes()}, {"INBOX", "Gesendet"})

    def test_no_first_mailboxes(self) -> None:
        """When they cannot be made, it is logged, and the user is let in all the same."""
        store = _Store()
        realm = MailRealm(store, {"Sent": "\\Sent"})  # type: ignore[arg-type]
        self.assertIs(self._avatar(realm, b"tim"), store.account)
        self.assertEqual(store.account.closed, 0)
        self.assertEqual(len(self.flushLoggedErrors(StoreUnavailable)), 1)
