"""The Maildir store passes the contract."""

import shutil
import tempfile
from pathlib import Path

import pytest

from imapd.store.contract import Pump, StoreContract
from imapd.store.maildir import MaildirStore, open_store


class TestMaildirStore(StoreContract):
    """Every test of the kit."""

    many = 1_100
    histories = 10

    @pytest.fixture(autouse=True)
    def _place(self) -> None:
        self.pump = Pump()
        self.places: list[str] = []
        yield
        for place in self.places:
            shutil.rmtree(place)

    def run(self, coroutine):
        """In real time, with threads."""
        return self.pump.run(coroutine)

    def make_store(self) -> MaildirStore:
        """A store in a directory of its own."""
        self.places.append(tempfile.mkdtemp(prefix="imapd-"))
        return open_store(self.pump, f"{self.places[-1]}/%u")

    async def reopen(self, store: MaildirStore) -> MaildirStore:
        """The same directory again."""
        await store.close()
        return open_store(self.pump, str(Path(self.places[-1]) / "%u"))
