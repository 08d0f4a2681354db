"""What is true of every mailbox at every moment; looked at after every test."""

from __future__ import annotations

from itertools import pairwise

from imapd.model.flags import DELETED, RECENT, SEEN
from imapd.model.message import FLAGS, MODSEQ, SIZE
from imapd.store.contract.sessions import ALL, Box, Session, applied

__all__ = ["audit", "audit_mailbox"]


async def audit(session: Session) -> None:
    """All mailboxes of a user agree with themselves, and their ids are distinct."""
    names = await session.mailboxes()
    assert "INBOX" in names, "INBOX is gone"
    found = [info for info in names.values() if info.exists and info.selectable]
    assert len({info.id for info in found}) == len(found), "two mailboxes have one id"
    for info in found:
        box = await session.open(info.name)
        assert box.id == info.id, f"{info.name} has another id when it is opened"
        await audit_mailbox(box)


async def audit_mailbox(box: Box) -> None:
    """Figures, columns and the log of changes tell the same."""
    status = await box.status()
    uids = await box.uids()
    batches = await box.batches(ALL, FLAGS, MODSEQ, SIZE)
    scanned = [uid for batch in batches for uid in batch.uids]
    assert scanned == uids, "scan and uids disagree"
    assert all(low < high for low, high in pairwise(scanned)), "UIDs do not ascend"
    assert all(len(batch.columns[FLAGS]) == len(batch.uids) for batch in batches)
    flags = [entry for batch in batches for entry in batch.columns[FLAGS]]
    modseqs = [entry for batch in batches for entry in batch.columns[MODSEQ]]
    sizes = [entry for batch in batches for entry in batch.columns[SIZE]]

    assert status.uidvalidity == box.uidvalidity
    assert status.messages == len(uids)
    assert status.unseen == sum(SEEN not in entry for entry in flags)
    assert status.deleted == sum(DELETED in entry for entry in flags)
    assert status.size == sum(sizes)
    assert status.deleted_size == sum(size for entry, size in zip(flags, sizes) if DELETED in entry)
    assert 0 <= status.recent <= status.messages
    assert status.uidnext > (uids[-1] if uids else 0), "UIDNEXT is a UID in use"
    assert status.highest_modseq >= max(modseqs, default=1), "a message is ahead of HIGHESTMODSEQ"
    assert all(modseq >= 1 for modseq in modseqs)
    assert not any(RECENT in entry for entry in flags), r"\Recent was kept"

    everything = await box.changes(0)
    assert everything.modseq == status.highest_modseq
    assert applied({}, everything, uids) == await box.snapshot(), "changes_since(0) is not all"
    nothing = await box.changes(status.highest_modseq)
    assert not nothing.uids, "something changed after HIGHESTMODSEQ"
