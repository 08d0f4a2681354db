"""APPEND: what comes in stays as it came, under UIDs that ascend."""

from __future__ import annotations

import pytest

from imapd.model.flags import RECENT
from imapd.model.message import INTERNAL_DATE, SIZE
from imapd.store.answers import settled
from imapd.store.contract.letters import Awaited, Broken, Held, Octets, letter
from imapd.store.contract.sessions import applied
from imapd.store.contract.subject import Subject, promise
from imapd.store.errors import StoreError

__all__ = ["Appending"]


class Appending(Subject):
    """Messages that come in."""

    @promise
    async def test_append_one_message(self) -> None:
        """It is there with its octets, flags, date and size."""
        box = await self.inbox()
        sent = letter("one", ["\\Seen", "\\Flagged"], b" 1-Feb-2003 04:05:06 +0530")
        (uid,) = (await box.append(sent)).uids
        assert await box.octets(uid) == sent.octets
        assert await box.flags() == {uid: {"\\Seen", "\\Flagged"}}
        assert await box.column(INTERNAL_DATE) == {uid: b" 1-Feb-2003 04:05:06 +0530"}
        assert await box.column(SIZE) == {uid: len(sent.octets)}

    @promise
    async def test_append_uids_ascend(self) -> None:
        """Every message has a larger UID than all before it, and at least the UIDNEXT foretold."""
        box = await self.inbox()
        last = 0
        for _ in range(5):
            foretold = (await box.status()).uidnext
            (uid,) = await box.add()
            assert uid >= foretold > last
            last = uid
        assert (await box.status()).uidnext > last

    @promise
    async def test_append_several_at_once(self) -> None:
        """UIDs are answered in the order in which the messages were given (RFC 3502)."""
        box = await self.inbox()
        sent = [letter(f"n{number}") for number in range(7)]
        uids = list((await box.append(*sent)).uids)
        assert uids == sorted(set(uids))
        assert [await box.octets(uid) for uid in uids] == [each.octets for each in sent]

    @promise
    async def test_append_one_append_is_one_change(self) -> None:
        """All messages of one append have one modseq, larger than any before."""
        box = await self.inbox()
        await box.add()
        before = await box.modseq()
        appended = await box.append(letter("a"), letter("b"))
        assert appended.changes.modseq == await box.modseq() > before
        assert {modseq for _, modseq in (await box.snapshot()).values()} == {
            before,
            appended.changes.modseq,
        }

    @promise
    async def test_append_two_appends_are_two_changes(self) -> None:
        """No two changes have one modseq."""
        box = await self.inbox()
        first = (await box.append(letter("a"))).changes.modseq
        second = (await box.append(letter("b"))).changes.modseq
        assert first < second

    @promise
    async def test_append_the_answer_tells_the_change(self) -> None:
        """`Appended.changes` brings who knew the mailbox before to what it is now."""
        box = await self.inbox()
        await box.add(2)
        before, modseq = await box.snapshot(), await box.modseq()
        appended = await box.append(letter("new", ["\\Draft"]))
        assert appended.uidvalidity == box.uidvalidity
        assert appended.changes.since <= modseq
        assert list(appended.changes.uids) == list(appended.uids)
        assert applied(before, appended.changes, await box.uids()) == await box.snapshot()

    @promise
    async def test_append_nothing(self) -> None:
        """To append no messages changes nothing."""
        box = await self.inbox()
        before = await box.status()
        appended = await box.append()
        assert list(appended.uids) == []
        assert await box.status() == before

    @promise
    async def test_append_the_same_twice(self) -> None:
        """One message given twice is two messages."""
        box = await self.inbox()
        sent = letter("twin")
        uids = [*(await box.append(sent, sent)).uids, *(await box.append(sent)).uids]
        assert len(set(uids)) == 3
        assert [await box.octets(uid) for uid in uids] == [sent.octets] * 3

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="no body"),
            pytest.param(b"no line end", id="no line end"),
            pytest.param(b"a\r\n.\r\n..\r\nFrom b\r\n>From c\r\n", id="dots and From"),
            pytest.param(bytes(range(256)), id="every octet"),
            pytest.param(b"bare\nline\rends\n\r\n", id="bare CR and LF"),
            pytest.param(b"\r\n\r\n\r\n", id="empty lines"),
            pytest.param("Grüße aus Москва\r\n".encode(), id="UTF-8"),
            pytest.param(b"x" * 100_000 + b"\r\n", id="one long line"),
        ],
    )
    @promise
    async def test_append_octets_stay(self, body: bytes) -> None:
        """Nothing that a client stored is altered by an octet."""
        box = await self.inbox()
        sent = letter("exact", body=body)
        (uid,) = (await box.append(sent)).uids
        assert await box.octets(uid) == sent.octets
        assert await box.column(SIZE) == {uid: len(sent.octets)}

    @promise
    async def test_append_a_large_message(self) -> None:
        """Three megabytes come back as they were."""
        box = await self.inbox()
        sent = letter("large", body=b"0123456789abcde\r\n" * 200_000)
        (uid,) = (await box.append(sent)).uids
        assert await box.octets(uid) == sent.octets

    @promise
    async def test_append_recent_is_not_kept(self) -> None:
        r"""\Recent belongs to a session, whoever sends it."""
        box = await self.inbox()
        (uid,) = await box.add(1, RECENT, "\\Seen")
        assert await box.flags() == {uid: {"\\Seen"}}

    @promise
    async def test_append_content_that_is_waited_for(self) -> None:
        """The octets of a message may come by coroutines or Deferreds as well."""
        box = await self.inbox()
        sent = [letter(name) for name in ("value", "coroutine", "deferred")]
        held = Held(sent[2].octets)
        held.let_go()
        contents = [Octets(sent[0].octets), Awaited(sent[1].octets), held]
        news = [each.new(content) for each, content in zip(sent, contents)]
        uids = (await settled(box.mailbox.append(news))).uids
        assert [await box.octets(uid) for uid in uids] == [each.octets for each in sent]

    @promise
    async def test_append_all_or_none(self) -> None:
        """When one of several messages cannot be read, none is added, and mail goes on coming."""
        box = await self.inbox()
        before, modseq = await box.snapshot(), await box.modseq()
        news = [letter("good").new(), letter("bad").new(Broken()), letter("late").new()]
        with pytest.raises(StoreError):
            await settled(box.mailbox.append(news))
        assert await box.snapshot() == before
        assert not (await box.changes(modseq)).uids
        await box.add()
        assert (await box.status()).messages == 1

    @promise
    async def test_append_another_session_sees_it(self) -> None:
        """What one session appended, another reads."""
        first, second = await self.inbox(), await self.inbox()
        sent = letter("seen")
        (uid,) = (await first.append(sent)).uids
        assert await second.uids() == [uid]
        assert await second.octets(uid) == sent.octets

    @promise
    async def test_append_dates_keep_their_zone(self) -> None:
        """An internal date comes back as its 26 octets, whatever the zone (RFC 9051, 2.3.3)."""
        box = await self.inbox()
        dates = [
            b"31-Dec-1999 23:59:59 +0000",
            b" 1-Jan-1970 00:00:00 -1200",
            b"29-Feb-2024 12:00:00 +1345",
            b" 1-Jan-2100 00:00:00 +0000",
        ]
        await box.append(*[letter("dated", date_time=each) for each in dates])
        assert list((await box.column(INTERNAL_DATE)).values()) == dates
