"""What a Maildir's index keeps of sharing its mailboxes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.model.mailbox import Hint
from imapd.model.numset import NumSet
from imapd.model.rights import ACL, NO_RIGHTS, Rights, RightsChange, changed_rights
from imapd.store.access import IShareable, Mark, Offer
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import Answer
from imapd.store.maildir.index import Index
from imapd.store.maildir.spans import parsed, written
from imapd.store.maildir.troubles import reporting
from imapd.store.maildir.turn import Turn

if TYPE_CHECKING:
    from imapd.store.maildir.account import MaildirAccount

__all__ = ["MaildirSharing", "inherit"]


@reporting
@implementer(IShareable)
@define(eq=False)
class MaildirSharing:
    """As `IShareable`."""

    _account: MaildirAccount = field(repr=False)

    def damaged(self, error: Exception) -> None:
        """As of the account."""
        self._account.damaged(error)

    def acl(self, mailbox_id: str) -> ACL:
        """As `IShareable`."""
        found = self._account.index.sql(
            "SELECT identifier, rights FROM acl"
            " WHERE mailbox = (SELECT number FROM mailboxes WHERE id = ?) ORDER BY identifier",
            (mailbox_id,),
        )
        return {identifier: frozenset(letters) for identifier, letters in found}

    def acls(self) -> Sequence[tuple[str, ACL]]:
        """As `IShareable`."""
        acls: dict[str, dict[str, Rights]] = {}
        for id, identifier, letters in self._account.index.sql(
            "SELECT m.id, a.identifier, a.rights FROM acl a JOIN mailboxes m ON m.number = a.mailbox"
        ):
            acls.setdefault(id, {})[identifier] = frozenset(letters)
        return list(acls.items())

    def change_acl(
        self, mailbox_id: str, identifier: str, change: RightsChange, rights: Rights
    ) -> Deferred[None]:
        """As `IShareable`."""

        def work(turn: Turn) -> None:
            _change(turn.index, mailbox_id, identifier, change, rights)
            turn.hints.append(Hint(""))

        return self._account.writer.do(work, durable=True)

    def marks(self, mailbox_id: str, user: str, after: int) -> Sequence[Mark]:
        """As `IShareable`."""
        found = self._account.index.sql(
            "SELECT at, uids, seen FROM seen_marks"
            " WHERE mailbox = (SELECT number FROM mailboxes WHERE id = ?) AND user = ? AND number > ?"
            " ORDER BY number",
            (mailbox_id, user, after),
        )
        return [Mark(at, parsed([uids]), bool(seen)) for at, uids, seen in found]

    def mark(self, mailbox_id: str, user: str, uids: NumSet, seen: bool) -> Answer[None]:
        """As `IShareable`."""

        def work(turn: Turn) -> None:
            mailbox = _number(turn.index, mailbox_id)
            modseq = turn.index.mailbox(mailbox).modseq
            turn.index.sql(
                "INSERT INTO seen_marks (mailbox, user, number, at, uids, seen) SELECT ?, ?,"
                " 1 + coalesce((SELECT max(number) FROM seen_marks WHERE mailbox = ? AND user = ?), 0),"
                " ?, ?, ?",
                (mailbox, user, mailbox, user, modseq, written(uids), seen),
            )
            turn.hints.append(Hint(mailbox_id, modseq))

        return self._account.changing.now(work)

    def offers(self, identifiers: Collection[str]) -> Sequence[str]:
        """As `IShareable`."""
        sql = self._account.index.sql
        return [
            owner
            for identifier in identifiers
            for (owner,) in sql("SELECT owner FROM offers WHERE identifier = ?", (identifier,))
        ]

    def offer(self, offer: Offer, stands: bool) -> Deferred[None]:
        """As `IShareable`."""
        sql = (
            "INSERT OR IGNORE INTO offers (identifier, owner) VALUES (?, ?)"
            if stands
            else "DELETE FROM offers WHERE identifier = ? AND owner = ?"
        )

        def work(turn: Turn) -> None:
            turn.index.sql(sql, (offer.identifier, offer.owner))

        return self._account.writer.do(work, durable=True)


def inherit(index: Index, mailbox: int, above: int) -> None:
    """A new mailbox gets the ACL of the one above it."""
    index.sql(
        "INSERT INTO acl (mailbox, identifier, rights)"
        " SELECT ?, identifier, rights FROM acl WHERE mailbox = ?",
        (mailbox, above),
    )


def _number(index: Index, mailbox_id: str) -> int:
    row: tuple[int] | None = index.sql(
        "SELECT number FROM mailboxes WHERE id = ?", (mailbox_id,)
    ).fetchone()
    if row is None:
        raise NoSuchMailbox("the mailbox was deleted")
    return row[0]


def _change(
    index: Index, mailbox_id: str, identifier: str, change: RightsChange, rights: Rights
) -> None:
    mailbox = _number(index, mailbox_id)
    row = index.sql(
        "SELECT rights FROM acl WHERE mailbox = ? AND identifier = ?", (mailbox, identifier)
    ).fetchone()
    new = changed_rights(frozenset(row[0]) if row else NO_RIGHTS, change, rights)
    if new:
        index.sql(
            "INSERT OR REPLACE INTO acl (mailbox, identifier, rights) VALUES (?, ?, ?)",
            (mailbox, identifier, "".join(sorted(new))),
        )
    else:
        index.sql("DELETE FROM acl WHERE mailbox = ? AND identifier = ?", (mailbox, identifier))
