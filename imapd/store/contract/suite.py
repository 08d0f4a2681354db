"""All topics of the contract as one class."""

from __future__ import annotations

from imapd.store.contract.annotating import AnnotatingMessages
from imapd.store.contract.appending import Appending
from imapd.store.contract.blocks import Blocks
from imapd.store.contract.changing import Changing
from imapd.store.contract.copying import Copying
from imapd.store.contract.expunging import Expunging
from imapd.store.contract.flagging import Flagging
from imapd.store.contract.histories import Histories
from imapd.store.contract.hostile import Hostile
from imapd.store.contract.identity import Identity
from imapd.store.contract.isolation import Isolation
from imapd.store.contract.metadata import Metadata
from imapd.store.contract.naming import Naming
from imapd.store.contract.persistence import Persistence
from imapd.store.contract.quotas import Quotas
from imapd.store.contract.reading import Reading
from imapd.store.contract.recent import Recent
from imapd.store.contract.renaming import Renaming
from imapd.store.contract.replacing import Replacing
from imapd.store.contract.saving import Saving
from imapd.store.contract.shape import Shape
from imapd.store.contract.sharing import Sharing
from imapd.store.contract.spooling import Spooling
from imapd.store.contract.statuses import Statuses
from imapd.store.contract.telling import Telling
from imapd.store.contract.together import Together
from imapd.store.contract.uidvalidity import UidValidity
from imapd.store.contract.urlkeys import UrlKeys
from imapd.store.contract.watching import Watching

__all__ = ["StoreContract"]


class StoreContract(
    Shape,
    Naming,
    Renaming,
    UidValidity,
    Appending,
    Reading,
    Flagging,
    Expunging,
    Changing,
    Copying,
    Replacing,
    Recent,
    UrlKeys,
    Sharing,
    Saving,
    Identity,
    Blocks,
    Watching,
    Spooling,
    Quotas,
    Metadata,
    Statuses,
    AnnotatingMessages,
    Telling,
    Together,
    Hostile,
    Isolation,
    Persistence,
    Histories,
):
    """What every store must do; a subclass whose name begins with ``Test`` is collected by pytest."""
