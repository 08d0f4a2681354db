"""A gate has a test that it can fail: stores broken on purpose, each caught by the test named."""

# ruff: noqa: D101, D102  (a broken store is named for what it does wrong)

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer

from imapd.mime.parse import parse
from imapd.model.dates import timestamp_of
from imapd.model.flags import SEEN
from imapd.model.mailbox import Copied, Hint, Status
from imapd.model.message import ANNOTATIONS, FLAGS, INTERNAL_DATE, SAVED
from imapd.model.numset import EMPTY, NumSet
from imapd.model.text import Place, Told
from imapd.query.text import MessageText, header_text
from imapd.store.contract import StoreContract
from imapd.store.contract.telling import Telling
from imapd.store.interfaces import ITextIndex
from imapd.store.memory import MemoryAccount, MemoryMailbox, MemoryStore
from imapd.store.memory.annotating import MemoryAnnotations
from imapd.store.statuses import IOpenedStatus
from imapd.store.watching import Watching
from imapd.store.whole import IWholeMessages


class UsesUidsAgain(MemoryMailbox):
    def _remove(self, places):
        removed = super()._remove(places)
        self._uidnext = self._uids[-1] + 1 if self._uids else 1
        return removed


class ForgetsTombstones(MemoryMailbox):
    def changes_since(self, modseq):
        return attrs.evolve(super().changes_since(modseq), vanished=EMPTY)


class ForgetsSomeTombstones(MemoryMailbox):
    """Only of messages at the end: no single test looks there."""

    def changes_since(self, modseq):
        changes = super().changes_since(modseq)
        last = self._uids[-1] if self._uids else 0
        return attrs.evolve(
            changes, vanished=NumSet.of(*(uid for uid in changes.vanished if uid < last + 2))
        )


class TellsOldFlags(MemoryMailbox):
    def changes_since(self, modseq):
        changes = super().changes_since(modseq)
        return attrs.evolve(changes, flags=[frozenset()] * len(changes.flags))


class ChangesForNothing(MemoryMailbox):
    def store_flags(self, uids, change, flags, unchanged_since=None):
        stored = super().store_flags(uids, change, flags, unchanged_since)
        self._log.modseq += 1
        return stored


class RepeatsModseqs(MemoryMailbox):
    def _commit(self, touched):
        changes = super()._commit(touched)
        if self._log.modseq % 3 == 0:
            self._log.modseq -= 1
        return changes


class AppendsOneByOne(MemoryMailbox):
    async def append(self, messages):
        answers = [await MemoryMailbox.append(self, [message]) for message in messages]
        return answers[-1] if answers else await MemoryMailbox.append(self, [])


class LosesZones(MemoryMailbox):
    def _add(self, rows):
        dates = [date[:21] + b"+0000" for date in rows[INTERNAL_DATE]]
        return super()._add({**rows, INTERNAL_DATE: dates})


class MendsLineEnds(MemoryMailbox):
    def _add(self, rows):
        octets = [data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for data in rows["octets"]]
        return super()._add({**rows, "octets": octets})


class KeepsRecent(MemoryMailbox):
    def _spelt(self, flags):
        return flags


class ScansAsAsked(MemoryMailbox):
    def scan(self, uids, columns):
        return reversed(list(super().scan(uids, columns)))


class RepeatsABatch(MemoryMailbox):
    def scan(self, uids, columns):
        for batch in super().scan(uids, columns):
            yield batch
            if len(batch.uids) == 1_000:
                yield batch


class ServesWhatWasNotAsked(MemoryMailbox):
    def scan(self, uids, columns):
        return super().scan(uids, columns | {FLAGS})


class ExpungesWhatIsNotDeleted(MemoryMailbox):
    def expunge(self, uids):
        changes = self._commit(self._remove(self._places(uids)))
        self._tell(changes)
        return changes


class ExpungesTooMuch(MemoryMailbox):
    def expunge(self, uids):
        return super().expunge(NumSet([(1, 1 << 32)]))


class HintsTooEarly(MemoryMailbox):
    def store_flags(self, uids, change, flags, unchanged_since=None):
        self._publish(Hint(self.id, self._log.modseq + 1))
        return super().store_flags(uids, change, flags, unchanged_since)


class NeverHints(MemoryMailbox):
    def _tell(self, changes):
        pass


class CopiesForMove(MemoryMailbox):
    def move(self, uids, destination):
        copied = self.copy(uids, destination)
        return attrs.evolve(copied, removed=self._commit([]))


class ReplacesByTwoChanges(MemoryMailbox):
    async def replace(self, uid, message, destination):
        appended = await destination.append([message])
        removed = self._commit(self._remove(self._places(NumSet.of(uid))))
        return Copied(appended.uidvalidity, [uid], appended.uids, appended.changes, removed)


class LosesFlagsOfCopies(MemoryMailbox):
    def _rows(self, places):
        rows = super()._rows(places)
        return {**rows, FLAGS: [frozenset() for _ in places]}


class Miscounts(MemoryMailbox):
    def _tally(self, place, sign):
        if sign > 0 or SEEN not in self._columns[FLAGS][place]:
            super()._tally(place, sign)


class IgnoresUnchangedSince(MemoryMailbox):
    def store_flags(self, uids, change, flags, unchanged_since=None):
        return super().store_flags(uids, change, flags)


class ComparesUnchangedSinceWrongly(MemoryMailbox):
    def store_flags(self, uids, change, flags, unchanged_since=None):
        bound = None if unchanged_since is None else unchanged_since - 1
        return super().store_flags(uids, change, flags, bound)


class SavesAgain(MemoryMailbox):
    def _commit(self, touched):
        self._columns[SAVED] = [moment + 1 for moment in self._columns[SAVED]]
        return super()._commit(touched)


class TakesInternalDateForSaved(MemoryMailbox):
    def _add(self, rows):
        uids = super()._add(rows)
        for place, date in enumerate(self._columns[INTERNAL_DATE]):
            self._columns[SAVED][place] = timestamp_of(date)
        return uids


class MixesColumnsUp(MemoryMailbox):
    def keep_blocks(self, blocks, numbers):
        super().keep_blocks(
            {("a 1", number): each for (_, number), each in blocks.items()}, numbers
        )


class GivesBlocksNotAskedFor(MemoryMailbox):
    def kept_blocks(self, column, numbers):
        return super().kept_blocks(column, NumSet([(1, 1 << 32)]))


class KeepsBlocksForEver(MemoryMailbox):
    def keep_blocks(self, blocks, numbers):
        super().keep_blocks(blocks, NumSet([(1, 1 << 32)]))


class SharesBlocks(MemoryMailbox):
    shared: dict[Any, Any] = {}

    def kept_blocks(self, column, numbers):
        self._check()
        self._blocks = self.shared
        return super().kept_blocks(column, numbers)

    def keep_blocks(self, blocks, numbers):
        super().keep_blocks(blocks, numbers)
        self.shared.update(self._blocks)


class TellsOfBlocks(MemoryMailbox):
    def keep_blocks(self, blocks, numbers):
        super().keep_blocks(blocks, numbers)
        self._log.modseq += 1


class GivesRecentTwice(MemoryMailbox):
    def claim_recent(self):
        return self._recent_from, self._uidnext


class OutlivesItsDeletion(MemoryMailbox):
    def _check(self):
        pass


class CutsReadersOff(MemoryMailbox):
    def read(self, uid):
        mailbox, reader = self, super().read(uid)

        class Cut:
            size = reader.size

            def read(self, offset, length):
                return reader.read(offset, length) if mailbox._place(uid) is not None else b""

            def close(self):
                pass

        return Cut()


class OneAccountForAll(MemoryStore):
    def open_account(self, user):
        return super().open_account("everyone")


class FollowsPaths(MemoryStore):
    def open_account(self, user):
        return super().open_account(user.rsplit("/", 1)[-1].partition("\0")[0])


class RepeatsUidvalidity(MemoryStore):
    def _new_uidvalidity(self):
        super()._new_uidvalidity()
        return self._uidvalidity // 4


class DotsAreDelimiters(MemoryAccount):
    def create(self, name, special_use=frozenset()):
        return super().create(name.replace(".", "/"), special_use)

    def open(self, name):
        return super().open(name.replace(".", "/"))


class LeavesChildrenBehind(MemoryAccount):
    def rename(self, old, new):
        below = {
            name: self._mailboxes.pop(name)
            for name in list(self._mailboxes)
            if name.startswith(old + "/")
        }
        try:
            super().rename(old, new)
        finally:
            self._mailboxes.update(below)


class RenamesSubscriptions(MemoryAccount):
    def rename(self, old, new):
        super().rename(old, new)
        if old in self._subscribed:
            self._subscribed.discard(old)
            self._subscribed.add(new)


class TakesAnyName(MemoryAccount):
    def _check(self, name):
        pass


class TellsEveryone(MemoryAccount):
    everyone = Watching()

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        self._watching = self.everyone


class StandsStill(MemoryMailbox):
    def step(self):
        pass


class GivesEveryMessageAnId(MemoryMailbox):
    async def append(self, messages):
        return await super().append([attrs.evolve(each, email_id=None) for each in messages])


class ForgetsThreads(MemoryMailbox):
    async def append(self, messages):
        return await super().append([attrs.evolve(each, thread_id=None) for each in messages])


class ReplacesByItsOwn(MemoryMailbox):
    async def replace(self, uid, message, destination):
        return await super().replace(uid, attrs.evolve(message, email_id=None), destination)


@implementer(IWholeMessages)
class ReadsWhole(MemoryMailbox):
    """Honest."""

    def whole(self, uids):
        self._check()
        places = {uid: self._place(uid) for uid in uids}
        octets = self._columns["octets"]
        return {uid: octets[place] for uid, place in places.items() if place is not None}


class ReadsPieces(ReadsWhole):
    def whole(self, uids):
        return {uid: octets[:50] for uid, octets in super().whole(uids).items()}


class ReadsWhatIsGone(ReadsWhole):
    def whole(self, uids):
        return {**dict.fromkeys(uids, b""), **super().whole(uids)}


@implementer(IOpenedStatus)
class KnowsItsStatus(MemoryMailbox):
    """Honest."""

    @property
    def opened_status(self):
        return self.status()


class KnowsAnOldStatus(KnowsItsStatus):
    first = None

    @property
    def opened_status(self):
        if self.first is None:
            self.first = self.status()
        return self.first


class TellsOldStatuses(MemoryAccount):
    first = None

    def statuses(self, names):
        if self.first is None:
            type(self).first = super().statuses(names)
        return self.first


class TellsStatusesOfAll(MemoryAccount):
    def statuses(self, names):
        return {**super().statuses(names), "a": Status(0, 1, 1, 0, 0, 0, 0, 1)}


class TellsAnnotationsThatStay(MemoryAccount):
    def annotate(self, mailbox, values, entries, octets):
        super().annotate(mailbox, values, entries, octets)
        self._tell(Hint(self._annotated(mailbox), entries=tuple(values)))
        return tuple(values)


class TellsAnnotationsTwice(MemoryAccount):
    def _tell(self, hint):
        super()._tell(hint)
        if hint.entries:
            super()._tell(hint)


class TellsAnnotationsTooEarly(MemoryAccount):
    def annotate(self, mailbox, values, entries, octets):
        self._tell(Hint(self._annotated(mailbox), entries=tuple(values)))
        return super().annotate(mailbox, values, entries, octets)


class RunsOut(MemoryAnnotations):
    """The first message of an account that goes beyond a bound is changed still."""

    def annotate(self, uids, values, entries, octets, unchanged_since=None):
        return super().annotate(uids, values, entries + 1, octets + 50, unchanged_since)


class AnnotatesInSecret(MemoryAnnotations):
    def annotate(self, uids, values, entries, octets, unchanged_since=None):
        stored = super().annotate(uids, values, entries, octets, unchanged_since)
        return attrs.evolve(stored, changes=attrs.evolve(stored.changes, uids=[]))


class AnnotatesAnyway(MemoryAnnotations):
    def annotate(self, uids, values, entries, octets, unchanged_since=None):
        return super().annotate(uids, values, entries, octets)


class ForgetsRemovals(MemoryAnnotations):
    def annotated_since(self, modseq):
        has = dict(zip(self._mailbox._uids, self._mailbox._columns[ANNOTATIONS]))
        return [
            attrs.evolve(
                each,
                uids=NumSet.of(*(uid for uid in each.uids if each.annotations & has[uid].keys())),
            )
            for each in super().annotated_since(modseq)
        ]


class AnnotatesBeyondQuota(MemoryAccount):
    def _admit(self, storage=0, messages=0, mailboxes=0, annotations=0):
        super()._admit(storage, messages, mailboxes)


class CountsMailboxesAlone(MemoryAccount):
    def _message_annotations(self):
        return 0


class NotesTooLate(MemoryMailbox):
    def reannotate(self, becomes, growth, note):
        changes = super().reannotate(becomes, growth, lambda modseq: None)
        note(changes.modseq)
        return changes


class CopiesWhatIsOthers(MemoryMailbox):
    def _rows(self, places):
        rows = super()._rows(places)
        return {**rows, ANNOTATIONS: [self._columns[ANNOTATIONS][place] for place in places]}


class CopiesNoAnnotations(MemoryMailbox):
    def _rows(self, places):
        return {**super()._rows(places), ANNOTATIONS: [{} for _ in places]}


class MiscountsAnnotations(MemoryMailbox):
    def _remove(self, places):
        before = self.annotation_octets
        removed = super()._remove(places)
        self.annotation_octets = before
        return removed


@implementer(ITextIndex)
class TellsTexts(MemoryMailbox):
    """Honest, and as simple as can be: it looks at the messages themselves."""

    def told(self, sought, low, high):
        self._check()
        for uid in self._known(low, high):
            text = self._text(uid)
            holds = any(
                all(string in each for string in sought.strings)
                for place in sought.places
                for each in text[place]
            )
            yield Told([uid], [uid] if holds else [], [])

    def _known(self, low, high):
        return [uid for uid in self._uids if low <= uid <= high]

    def _text(self, uid):
        octets = self._columns["octets"][self._place(uid)]
        text = MessageText(octets, parse(octets))
        header = [header_text(octets[: text.part.body_start])]
        return {
            Place.HEADER: header,
            Place.PARTS: text.part_headers(),
            Place.BODY: list(text.bodies()),
        }


class TellsOfTheHeaderOnly(TellsTexts):
    def _text(self, uid):
        return {**super()._text(uid), Place.BODY: []}


class TellsOfRawOctets(TellsTexts):
    def _text(self, uid):
        octets = self._columns["octets"][self._place(uid)].decode("latin-1").lower()
        return {place: [octets] for place in Place}


class TellsOfWholeWords(TellsTexts):
    def told(self, sought, low, high):
        for told in super().told(sought, low, high):
            texts = self._text(told.uids[0]).values()
            words = {word for place in texts for text in place for word in text.split()}
            holds = [uid for uid in told.holds if words.issuperset(sought.strings)]
            yield Told(told.uids, holds, [])


class TellsOfTheDead(TellsTexts):
    _check = object.__init__


class TellsInAnyOrder(TellsTexts):
    def _known(self, low, high):
        return list(reversed(super()._known(low, high)))


class TellsOfNoneThatCameLater(TellsTexts):
    def _known(self, low, high):
        return super()._known(low, high)[:6]


class TellsOfUidsAsPlaces(TellsTexts):
    def _known(self, low, high):
        return [place + 1 for place in range(len(self._uids)) if place + 1 in self._uids]


class TellsWithoutBounds(TellsTexts):
    def _known(self, low, high):
        return list(self._uids)


TEXT_SABOTAGE = [
    (TellsOfTheHeaderOnly, "test_told_is_so"),
    (TellsOfRawOctets, "test_told_is_so"),
    (TellsOfWholeWords, "test_told_is_so"),
    (TellsInAnyOrder, "test_told_is_so"),
    (TellsOfNoneThatCameLater, "test_told_of_what_came_later"),
    (TellsOfUidsAsPlaces, "test_told_of_what_is_left"),
    (TellsOfTheDead, "test_told_of_a_deleted_mailbox"),
    (TellsWithoutBounds, "test_told_of_a_range"),
]
MORE_SABOTAGE = [
    (ReadsWhole, ReadsPieces, "test_whole_is_as_read"),
    (ReadsWhole, ReadsWhatIsGone, "test_whole_is_as_read"),
    (KnowsItsStatus, KnowsAnOldStatus, "test_status_of_what_is_opened"),
]


@pytest.mark.parametrize(
    ("broken", "test"),
    TEXT_SABOTAGE,
    ids=[f"{each.__name__}-{test}" for each, test in TEXT_SABOTAGE],
)
def test_sabotage_of_an_index_is_caught(
    broken: type[Any], test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above; the memory store has no index, so an honest one comes first."""
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", TellsTexts)
    assert failures(MemoryStore, test) == []
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", broken)
    assert failures(MemoryStore, test) != []


@pytest.mark.parametrize(
    ("honest", "broken", "test"), MORE_SABOTAGE, ids=[each.__name__ for _, each, _ in MORE_SABOTAGE]
)
def test_sabotage_of_what_memory_lacks_is_caught(
    honest: type[Any], broken: type[Any], test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above."""
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", honest)
    assert failures(MemoryStore, test) == []
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", broken)
    assert failures(MemoryStore, test) != []


@pytest.mark.parametrize(
    "test", sorted(name for name in dir(Telling) if name.startswith("test_told"))
)
def test_an_honest_index_passes(test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks at the messages themselves is never wrong."""
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", TellsTexts)
    if test != "test_told_after_a_restart":
        assert failures(MemoryStore, test) == []


SABOTAGE = [
    (TellsOldStatuses, "test_statuses_are_those_of_each"),
    (TellsStatusesOfAll, "test_statuses_of_what_there_is"),
    (UsesUidsAgain, "test_expunge_the_last_uid_is_not_used_again"),
    (UsesUidsAgain, "test_any_history"),
    (ForgetsTombstones, "test_changes_a_message_went"),
    (ForgetsTombstones, "test_any_history"),
    (ForgetsSomeTombstones, "test_any_history"),
    (TellsOldFlags, "test_changes_a_message_came"),
    (ChangesForNothing, "test_store_what_is_so_already"),
    (ChangesForNothing, "test_any_history"),
    (RepeatsModseqs, "test_append_two_appends_are_two_changes"),
    (RepeatsModseqs, "test_any_history"),
    (AppendsOneByOne, "test_append_all_or_none"),
    (AppendsOneByOne, "test_append_one_append_is_one_change"),
    (LosesZones, "test_append_dates_keep_their_zone"),
    (MendsLineEnds, "test_append_octets_stay"),
    (KeepsRecent, "test_append_recent_is_not_kept"),
    (KeepsRecent, "test_store_a_keyword_has_one_spelling"),
    (ScansAsAsked, "test_scan_in_batches"),
    (RepeatsABatch, "test_scan_in_batches"),
    (ServesWhatWasNotAsked, "test_scan_gives_only_what_was_asked"),
    (ExpungesWhatIsNotDeleted, "test_expunge_what_is_not_deleted_stays"),
    (ExpungesTooMuch, "test_expunge_only_those_named"),
    (HintsTooEarly, "test_watch_the_change_is_there_when_the_hint_comes"),
    (NeverHints, "test_watch_messages"),
    (CopiesForMove, "test_move"),
    (CopiesForMove, "test_any_history"),
    (ReplacesByTwoChanges, "test_replace_is_one_change"),
    (ReplacesByTwoChanges, "test_replace_what_is_not_there"),
    (LosesFlagsOfCopies, "test_copy"),
    (Miscounts, "test_store_remove"),
    (IgnoresUnchangedSince, "test_store_unchanged_since_leaves_what_changed"),
    (ComparesUnchangedSinceWrongly, "test_store_unchanged_since_its_own_modseq"),
    (ComparesUnchangedSinceWrongly, "test_any_history"),
    (SavesAgain, "test_saved_stays"),
    (TakesInternalDateForSaved, "test_saved_is_of_the_clock"),
    (MixesColumnsUp, "test_blocks_are_kept"),
    (GivesBlocksNotAskedFor, "test_blocks_are_kept"),
    (KeepsBlocksForEver, "test_blocks_of_other_numbers_go"),
    (SharesBlocks, "test_blocks_of_mailboxes_are_apart"),
    (TellsOfBlocks, "test_blocks_are_no_news"),
    (GivesRecentTwice, "test_recent_the_first_to_claim_has_it"),
    (OutlivesItsDeletion, "test_a_deleted_mailbox_is_gone_for_who_has_it_open"),
    (CutsReadersOff, "test_a_reader_outlives_its_message"),
    (OneAccountForAll, "test_users_names"),
    (OneAccountForAll, "test_users_mail"),
    (FollowsPaths, "test_a_strange_user"),
    (RepeatsUidvalidity, "test_uidvalidity_a_name_made_again_has_a_larger_one"),
    (RepeatsUidvalidity, "test_uidvalidity_names_swapped_by_rename"),
    (DotsAreDelimiters, "test_names_that_look_alike"),
    (LeavesChildrenBehind, "test_rename_takes_along_what_is_below"),
    (RenamesSubscriptions, "test_rename_leaves_subscriptions"),
    (TakesAnyName, "test_a_name_that_cannot_be"),
    (TellsEveryone, "test_users_hints"),
    (GivesEveryMessageAnId, "test_ids_that_are_given"),
    (ForgetsThreads, "test_ids_that_are_given"),
    (ReplacesByItsOwn, "test_id_of_what_replaces"),
    (StandsStill, "test_metadata_is_a_change"),
    (TellsAnnotationsThatStay, "test_metadata_hints"),
    (TellsAnnotationsTwice, "test_metadata_hints"),
    (TellsAnnotationsTooEarly, "test_metadata_no_hint_of_what_failed"),
    (RunsOut, "test_annotate_too_many"),
    (RunsOut, "test_annotate_too_large"),
    (AnnotatesInSecret, "test_annotate_is_one_change"),
    (AnnotatesAnyway, "test_annotate_unchanged_since"),
    (ForgetsRemovals, "test_annotate_says_what_changed"),
    (AnnotatesBeyondQuota, "test_quota_of_annotations_of_mailboxes"),
    (AnnotatesBeyondQuota, "test_quota_of_annotations_of_messages"),
    (CountsMailboxesAlone, "test_quota_of_annotations_of_messages"),
    (NotesTooLate, "test_annotate_is_known_when_the_hint_comes"),
    (CopiesWhatIsOthers, "test_annotate_copy"),
    (CopiesWhatIsOthers, "test_annotate_move"),
    (CopiesNoAnnotations, "test_annotate_copy"),
    (MiscountsAnnotations, "test_annotate_too_large"),
]


class Kit(StoreContract):
    """The kit over whatever store it is given; not collected by pytest."""

    def __init__(self, make_store: Callable[[], MemoryStore]) -> None:
        self.make_store = make_store


def arguments(test: Callable[..., None]) -> Iterator[dict[str, object]]:
    """The arguments of each run of a test that may be parametrized."""
    for mark in getattr(test, "pytestmark", []):
        names, rows = mark.args
        names = names.split(",") if isinstance(names, str) else names
        for row in rows:
            values = getattr(row, "values", None)
            yield dict(zip(names, values if isinstance(values, tuple) else (row,)))
        return
    yield {}


def failures(make_store: Callable[[], MemoryStore], name: str) -> list[BaseException]:
    """What a test of the kit says against a store."""
    failed = []
    for given in arguments(getattr(StoreContract, name)):
        try:
            getattr(Kit(make_store), name)(**given)
        except (Exception, pytest.fail.Exception) as failure:
            failed.append(failure)
    return failed


@pytest.mark.parametrize(
    ("broken", "test"), SABOTAGE, ids=[f"{each.__name__}-{test}" for each, test in SABOTAGE]
)
def test_sabotage_is_caught(broken: type[Any], test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test fails for the broken store, and not for the store that it was made of."""
    # Without Hypothesis, which takes seconds to find the shortest history; see below.
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    assert failures(MemoryStore, test) == []
    if issubclass(broken, MemoryMailbox):
        monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", broken)
    elif issubclass(broken, MemoryAnnotations):
        monkeypatch.setattr("imapd.store.memory.mailbox.MemoryAnnotations", broken)
    elif issubclass(broken, MemoryAccount):
        monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", broken)
    make_store = broken if issubclass(broken, MemoryStore) else MemoryStore
    assert failures(make_store, test) != []


def test_hypothesis_finds_sabotage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories are tried by Hypothesis where it is installed."""
    pytest.importorskip("hypothesis")
    monkeypatch.setattr("imapd.store.memory.account.MemoryMailbox", RepeatsModseqs)
    (failure,) = failures(MemoryStore, "test_any_history")
    told = str(failure).splitlines()
    assert len(told[told.index("in mailboxes A and B:") + 1 :]) == 2, "not the shortest history"


def test_a_failure_tells_values() -> None:
    """The kit's asserts are rewritten by pytest: they say what was there instead."""
    (failure,) = failures(OneAccountForAll, "test_users_names")
    assert "private" in str(failure)


def test_a_store_that_waits_is_told_of_run() -> None:
    """A store with threads and no `run` of its own hears what to do, instead of hanging."""

    class Waits(MemoryStore):
        def open_account(self, user: str) -> Any:
            return Deferred()

    (failure,) = failures(Waits, "test_inbox_is_there")
    assert "override `run`" in str(failure)


def test_no_test_hides_another() -> None:
    """`StoreContract` joins topics by inheritance, so every test has a name of its own."""
    names = [
        name for topic in StoreContract.__mro__ for name in vars(topic) if name.startswith("test_")
    ]
    assert len(names) == len(set(names))
    assert len(names) > 200


def test_every_test_says_what_it_promises() -> None:
    """A store author reads the docstring of the test that failed."""
    for name in dir(StoreContract):
        if name.startswith("test_"):
            assert getattr(StoreContract, name).__doc__, name
