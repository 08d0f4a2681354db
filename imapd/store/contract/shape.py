"""The shape: interfaces are provided, attributes are what they say."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from imapd.store.answers import settled
from imapd.store.contract.sessions import provided
from imapd.store.contract.subject import Subject, promise
from imapd.store.interfaces import (
    IAccount,
    IBlocksKept,
    IFactsKept,
    IMailbox,
    IMailStore,
    IMessageReader,
    IMetadata,
    IQuota,
    IQuotas,
    IRecent,
    IServerCopy,
    IServerMove,
    IServerReplace,
    ISpools,
    IThreads,
)

__all__ = ["Shape"]

#: What a mailbox may provide.
_OPTIONAL = (
    IRecent, IServerCopy, IServerMove, IServerReplace, IFactsKept, IBlocksKept, IThreads,
)  # fmt: skip


class Shape(Subject):
    """Interfaces and attributes."""

    @promise
    async def test_store_provides_its_interface(self) -> None:
        """The store provides IMailStore, with every method and its arguments."""
        assert verifyObject(IMailStore, self.store)

    @promise
    async def test_account_provides_its_interface(self) -> None:
        """What open_account answers provides IAccount."""
        assert verifyObject(IAccount, (await self.session()).account)

    @promise
    async def test_mailbox_provides_its_interface(self) -> None:
        """What open answers provides IMailbox."""
        assert verifyObject(IMailbox, (await self.inbox()).mailbox)

    @promise
    async def test_reader_provides_its_interface(self) -> None:
        """What read answers provides IMessageReader."""
        box = await self.inbox()
        (uid,) = await box.add()
        reader = await settled(box.mailbox.read(uid))
        assert verifyObject(IMessageReader, reader)
        reader.close()

    @promise
    async def test_optional_interfaces_are_whole(self) -> None:
        """An optional interface that is claimed is there with all its methods."""
        box = await self.inbox()
        for interface in _OPTIONAL:
            able = interface(box.mailbox, None)
            assert able is None or verifyObject(interface, able)

    @promise
    async def test_spools_are_whole(self) -> None:
        """If the account claims ISpools, it has all of it."""
        assert verifyObject(ISpools, provided(ISpools, (await self.session()).account))

    @promise
    async def test_quotas_are_whole(self) -> None:
        """If the account claims IQuota, or the store IQuotas, they have all of it."""
        assert verifyObject(IQuota, provided(IQuota, (await self.session()).account))
        assert verifyObject(IQuotas, provided(IQuotas, self.store))

    @promise
    async def test_metadata_is_whole(self) -> None:
        """If the account claims IMetadata, it has all of it."""
        assert verifyObject(IMetadata, provided(IMetadata, (await self.session()).account))

    @promise
    async def test_uidvalidity_is_a_number_of_32_bits(self) -> None:
        """UIDVALIDITY is above 0 and fits 32 bits (RFC 9051, 9: nz-number)."""
        assert 0 < (await self.inbox()).uidvalidity < 1 << 32

    @promise
    async def test_id_is_text(self) -> None:
        """A mailbox has an id that is not empty."""
        box = await self.inbox()
        assert isinstance(box.id, str)
        assert box.id

    @promise
    async def test_what_may_be_done_is_told(self) -> None:
        """read_only and new_keywords are true or false; a new INBOX can be written."""
        mailbox = (await self.inbox()).mailbox
        assert mailbox.read_only is False
        assert mailbox.new_keywords in (True, False)

    @promise
    async def test_an_empty_mailbox_has_a_modseq(self) -> None:
        """HIGHESTMODSEQ is never 0: clients take 0 for a mailbox without modseqs (RFC 7162, 3.1.2.2)."""
        assert await (await self.inbox()).modseq() >= 1

    @promise
    async def test_figures_of_an_empty_mailbox(self) -> None:
        """An empty mailbox has no messages, and its first UID is at least 1."""
        status = await (await self.inbox()).status()
        assert (status.messages, status.unseen, status.deleted, status.recent) == (0, 0, 0, 0)
        assert (status.size, status.deleted_size) == (0, 0)
        assert status.uidnext >= 1
