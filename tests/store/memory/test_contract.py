"""The memory store passes the contract."""

from imapd.store.contract import StoreContract
from imapd.store.memory import MemoryStore


class TestMemoryStore(StoreContract):
    """Every test of the kit."""

    def make_store(self) -> MemoryStore:
        """A store with nothing in it."""
        return MemoryStore()
