"""A server whose users see mailboxes of each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from imapd.auth.realm import MailRealm
from imapd.sharing import Sharing
from tests.dialogue import Dialogue, Server

__all__ = ["ALICES", "opened_up", "share"]

#: Alice's mailbox of that name, as others see it.
ALICES = "Other Users/alice/"


def opened_up(
    server: Server,
    administrators: Collection[str] = ("carol",),
    groups: Mapping[str, Collection[str]] | None = None,
    **options: Any,
) -> Server:
    """The same server, with the namespaces of others and of all."""
    sharing = Sharing(
        server.store, "public", administrators=administrators, groups=groups or {}, **options
    )
    portal: Any = server.factory.policy.portal
    portal.realm = MailRealm(server.store, sharing=sharing)
    return server


def share(owner: Dialogue, name: str, rights: str, identifier: str = "bob") -> None:
    """Let somebody at a mailbox of one's own, and make it if it is not there."""
    owner.do(f'CREATE "{name}"')
    owner.ok(f'SETACL "{name}" {identifier} "{rights}"')
