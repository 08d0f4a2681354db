"""What all sessions of a listener have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from imapd.auth.sasl import Mechanism
from imapd.dialect import Dialect
from imapd.model.limits import Limits
from imapd.session.at_hand import AtHand
from imapd.session.blocks import Blocks
from imapd.session.images import Images

__all__ = ["Policy"]


@frozen(eq=False)
class Policy:
    """What a listener's owner decided; shared by its sessions."""

    dialect: Dialect
    images: Images
    #: What rows of FETCH are made of (`imapd.commands.fetch_lasting`).
    texts: AtHand
    blocks: Blocks
    limits: Limits
    #: By name, as AUTHENTICATE has it.
    mechanisms: Mapping[str, Mechanism]
    portal: Portal
    #: Passwords without TLS are taken from other machines too.
    plaintext_login: bool
    log: Logger
    #: This moment, in the zone of this place.
    now: Callable[[], datetime]
    #: A Deferred that fires after so many seconds.
    later: Callable[[float], Deferred[None]]
    #: The clock of that.
    seconds: Callable[[], float]
    #: Users that are servers of mail submission (RFC 4467, 3: "submit+").
    submitters: frozenset[str]
    #: Users who may say what accounts may hold (RFC 9208, 4.1.3).
    administrators: frozenset[str] = frozenset()
    #: What its grammar remembers, as `Cursor.remembered` has it.
    memory: dict[Any, Any] = field(factory=dict, repr=False)
