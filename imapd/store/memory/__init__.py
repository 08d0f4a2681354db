"""A store in memory: the reference of the contract, and the fake that tests run against.

Mail lives as long as the `MemoryStore`; two sessions of one user share one account.
One process only: nothing travels to others.
"""

from imapd.store.memory.account import MemoryAccount
from imapd.store.memory.mailbox import MemoryMailbox
from imapd.store.memory.store import MemoryStore, open_store
from imapd.store.readers import BytesReader

__all__ = ["BytesReader", "MemoryAccount", "MemoryMailbox", "MemoryStore", "open_store"]
