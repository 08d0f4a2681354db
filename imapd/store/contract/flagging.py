"""STORE: flags, and the modification sequences that tell of them (RFC 7162)."""

from __future__ import annotations

import pytest

from imapd.model.flags import RECENT, FlagChange
from imapd.store.contract.letters import letter
from imapd.store.contract.sessions import ALL, Box, applied
from imapd.store.contract.subject import Subject, promise

__all__ = ["Flagging"]

ADD, REMOVE, REPLACE = FlagChange.ADD, FlagChange.REMOVE, FlagChange.REPLACE


class Flagging(Subject):
    """Flags change; what is so already does not."""

    @promise
    async def test_store_add(self) -> None:
        """+FLAGS leaves the flags that were there."""
        box = await self.inbox()
        (uid,) = await box.add(1, "\\Seen")
        await box.store(ADD, [uid], "\\Flagged", "\\Seen")
        assert await box.flags() == {uid: {"\\Seen", "\\Flagged"}}

    @promise
    async def test_store_remove(self) -> None:
        """-FLAGS takes only what it names."""
        box = await self.inbox()
        (uid,) = await box.add(1, "\\Seen", "\\Flagged")
        await box.store(REMOVE, [uid], "\\Flagged", "\\Draft")
        assert await box.flags() == {uid: {"\\Seen"}}

    @promise
    async def test_store_replace(self) -> None:
        """FLAGS leaves nothing that it does not name."""
        box = await self.inbox()
        (uid,) = await box.add(1, "\\Seen", "\\Flagged")
        await box.store(REPLACE, [uid], "\\Draft")
        assert await box.flags() == {uid: {"\\Draft"}}

    @promise
    async def test_store_replace_by_nothing(self) -> None:
        """FLAGS () clears all."""
        box = await self.inbox()
        (uid,) = await box.add(1, "\\Seen", "\\Flagged")
        await box.store(REPLACE, [uid])
        assert await box.flags() == {uid: frozenset()}

    @promise
    async def test_store_every_system_flag(self) -> None:
        """All five can be set and are counted as themselves."""
        box = await self.inbox()
        (uid,) = await box.add()
        every = {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"}
        await box.flag([uid], *every)
        assert await box.flags() == {uid: every}

    @promise
    async def test_store_only_those_named(self) -> None:
        """Other messages keep flags and modseq; UIDs that do not exist are passed over."""
        box = await self.inbox()
        uids = await box.add(3)
        before = await box.snapshot()
        stored = await box.flag([uids[1], uids[2] + 5], "\\Seen")
        after = await box.snapshot()
        assert after[uids[1]] == (frozenset({"\\Seen"}), await box.modseq())
        assert {uid: after[uid] for uid in (uids[0], uids[2])} == {
            uid: before[uid] for uid in (uids[0], uids[2])
        }
        assert list(stored.changes.uids) == [uids[1]]

    @promise
    async def test_store_only_this_mailbox(self) -> None:
        """The same UID in another mailbox is another message."""
        session = await self.session()
        one, two = await session.make("one"), await session.make("two")
        (uid,) = await one.add()
        await two.add()
        before = await two.snapshot()
        await one.flag([uid], "\\Seen")
        assert await two.snapshot() == before

    @promise
    async def test_store_one_store_is_one_change(self) -> None:
        """All messages of one STORE get one modseq, larger than any before."""
        box = await self.inbox()
        uids = await box.add(4)
        before = await box.modseq()
        stored = await box.flag(uids[:3], "\\Seen")
        assert stored.changes.modseq == await box.modseq() > before
        assert [modseq for _, modseq in (await box.snapshot()).values()] == [
            *[stored.changes.modseq] * 3,
            before,
        ]

    @promise
    async def test_store_the_answer_tells_the_change(self) -> None:
        """`Stored.changes` brings who knew the mailbox before to what it is now."""
        box = await self.inbox()
        uids = await box.add(3, "\\Flagged")
        before, modseq = await box.snapshot(), await box.modseq()
        stored = await box.flag(uids[:2], "\\Seen")
        assert stored.changes.since <= modseq
        assert not stored.modified
        assert applied(before, stored.changes, uids) == await box.snapshot()

    @pytest.mark.parametrize(
        ("change", "flags"),
        [
            pytest.param(ADD, ["\\Seen"], id="add what is there"),
            pytest.param(ADD, [], id="add nothing"),
            pytest.param(REMOVE, ["\\Draft"], id="remove what is not there"),
            pytest.param(REMOVE, [], id="remove nothing"),
            pytest.param(REPLACE, ["\\Flagged", "\\Seen"], id="replace by the same"),
        ],
    )
    @promise
    async def test_store_what_is_so_already(self, change: FlagChange, flags: list[str]) -> None:
        """A message whose flags are so already keeps its modseq, and so does the mailbox."""
        box = await self.inbox()
        uids = await box.add(2, "\\Seen", "\\Flagged")
        before, modseq = await box.snapshot(), await box.modseq()
        stored = await box.store(change, uids, *flags)
        assert await box.snapshot() == before
        assert await box.modseq() == modseq
        assert not stored.changes.uids

    @promise
    async def test_store_what_is_so_in_part(self) -> None:
        """Only the messages that change get the new modseq."""
        box = await self.inbox()
        (seen,) = await box.add(1, "\\Seen")
        (unseen,) = await box.add()
        before = await box.snapshot()
        stored = await box.flag([seen, unseen], "\\Seen")
        after = await box.snapshot()
        assert after[seen] == before[seen]
        assert after[unseen] == (frozenset({"\\Seen"}), stored.changes.modseq)
        assert list(stored.changes.uids) == [unseen]

    @promise
    async def test_store_nothing_there(self) -> None:
        """STORE on UIDs that do not exist changes nothing."""
        box = await self.inbox()
        (uid,) = await box.add()
        modseq = await box.modseq()
        stored = await box.flag([uid + 1, uid + 2], "\\Seen")
        assert (await box.modseq(), list(stored.changes.uids)) == (modseq, [])

    @promise
    async def test_store_recent_is_not_kept(self) -> None:
        r"""\Recent cannot be stored."""
        box = await self.inbox()
        (uid,) = await box.add()
        await box.store(ADD, [uid], RECENT)
        await box.store(REPLACE, [uid], RECENT, "\\Seen")
        assert await box.flags() == {uid: {"\\Seen"}}

    @promise
    async def test_store_another_session_sees_it(self) -> None:
        """Flags belong to the mailbox, not to a session."""
        first, second = await self.inbox(), await self.inbox()
        (uid,) = await first.add()
        await second.flag([uid], "\\Seen")
        assert await first.flags() == {uid: {"\\Seen"}}

    @promise
    async def test_store_many(self) -> None:
        """Thousands of messages change in one step."""
        box = await self.inbox()
        uids = await box.add(self.many)
        stored = await box.flag(ALL, "\\Seen")
        assert list(stored.changes.uids) == uids
        assert (await box.status()).unseen == 0

    # -- unchanged_since (RFC 7162, 3.1.3)

    @promise
    async def test_store_unchanged_since_leaves_what_changed(self) -> None:
        """A message changed after the modseq is left alone and reported; the others change."""
        box, other = await self.inbox(), await self.inbox()
        uids = await box.add(3)
        known = await box.modseq()
        await other.flag([uids[1]], "\\Answered")
        stored = await box.store(ADD, uids, "\\Seen", unchanged_since=known)
        assert list(stored.modified) == [uids[1]]
        assert list(stored.changes.uids) == [uids[0], uids[2]]
        assert await box.flags() == {
            uids[0]: {"\\Seen"},
            uids[1]: {"\\Answered"},
            uids[2]: {"\\Seen"},
        }

    @promise
    async def test_store_unchanged_since_its_own_modseq(self) -> None:
        """A message with exactly that modseq has not changed since."""
        box = await self.inbox()
        (uid,) = await box.add()
        stored = await box.store(ADD, [uid], "\\Seen", unchanged_since=await box.modseq())
        assert not stored.modified
        assert await box.flags() == {uid: {"\\Seen"}}

    @promise
    async def test_store_unchanged_since_nothing(self) -> None:
        """UNCHANGEDSINCE 0 fails for every message there is (RFC 7162, 3.1.3, example 7)."""
        box = await self.inbox()
        uids = await box.add(2)
        modseq = await box.modseq()
        stored = await box.store(ADD, [*uids, uids[-1] + 1], "\\Seen", unchanged_since=0)
        assert list(stored.modified) == uids
        assert await box.modseq() == modseq
        assert (await box.status()).unseen == 2

    # -- keywords

    async def _with_keywords(self) -> Box:
        box = await self.inbox()
        if not box.mailbox.new_keywords:
            pytest.skip("the store takes no new keywords")
        return box

    @promise
    async def test_store_keywords(self) -> None:
        """Keywords come with a message or by STORE, and go."""
        box = await self._with_keywords()
        (uid,) = (await box.append(letter("tagged", ["$Forwarded", "NonJunk"]))).uids
        await box.store(ADD, [uid], "$label1", "work")
        await box.store(REMOVE, [uid], "NonJunk")
        assert await box.flags() == {uid: {"$Forwarded", "$label1", "work"}}

    @promise
    async def test_store_many_keywords(self) -> None:
        """A mailbox has more keywords than the alphabet has letters."""
        box = await self._with_keywords()
        keywords = [f"keyword-{number}" for number in range(60)]
        (uid,) = await box.add()
        await box.flag([uid], *keywords)
        assert await box.flags() == {uid: set(keywords)}

    @promise
    async def test_store_keywords_compare_without_case(self) -> None:
        """A keyword in another case is the same (RFC 9051, 9): nothing changes."""
        box = await self._with_keywords()
        (uid,) = await box.add(1, "$Label1")
        modseq = await box.modseq()
        await box.store(ADD, [uid], "$LABEL1")
        await box.store(REPLACE, [uid], "$label1")
        assert await box.flags() == {uid: {"$Label1"}}
        assert await box.modseq() == modseq
        await box.store(REMOVE, [uid], "$laBEL1")
        assert await box.flags() == {uid: frozenset()}

    @promise
    async def test_store_a_keyword_has_one_spelling(self) -> None:
        """In one mailbox a keyword is spelt as on the message that has it already."""
        box = await self._with_keywords()
        (first,) = await box.add(1, "Project")
        (second,) = await box.add(1, "PROJECT")
        (third,) = await box.add()
        await box.flag([third], "project")
        assert await box.flags() == {uid: {"Project"} for uid in (first, second, third)}
