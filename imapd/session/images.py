"""The images of a process: one for each mailbox that somebody has selected, or may select soon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from twisted.internet.defer import Deferred

from imapd.model.mailbox import Changes
from imapd.session.image import Image, Watcher
from imapd.store.errors import NoSuchMailbox
from imapd.store.interfaces import IMailbox

__all__ = ["Images"]

#: What is kept of mailboxes that nobody has selected: 20 octets a message.
_KEPT_IMAGES: Final = 64
_KEPT_MESSAGES: Final = 400_000
#: Messages that an image begins with: more take a turn too long.
_BEGUN_WITH: Final = 10_000


class Images:
    """The images of this process, each shared by the sessions that have its mailbox selected.

    Those that nobody has selected just now are kept while they are few and small; so are those of
    mailboxes that were empty until messages came in here.
    """

    def __init__(
        self,
        turn: Callable[[], Awaitable[None]],
        grown: Callable[[Image], object] = lambda image: None,
    ) -> None:
        """As `grown` is to be told when messages have come into one."""
        self._images: dict[str, Image] = {}
        #: Of those that nobody has selected, how many messages each counts for; who was deselected
        #: last is the last.
        self._unwatched: dict[str, int] = {}
        self._messages = 0
        self._loading: dict[str, list[Deferred[None]]] = {}
        self._turn = turn
        self._grown = grown

    def at_hand(self, mailbox_id: str, watcher: Watcher, modseq: int) -> Image | None:
        """As `join`, where there is nothing to wait for."""
        image = self._images.get(mailbox_id)
        if (
            image is None
            or image.modseq != modseq
            or image.behind
            or image.gone
            or mailbox_id in self._loading
        ):
            return None
        self._select(image, watcher)
        return image

    def _select(self, image: Image, watcher: Watcher) -> None:
        image.selected = True
        self._count(image, None)
        image.watchers[watcher] = None

    async def join(self, mailbox: IMailbox, watcher: Watcher, modseq: int = 0) -> Image:
        """The image of `mailbox`, up to date, with one watcher more.

        The store is not asked if it said just now that the mailbox is at `modseq`, and so is the image.
        """
        while mailbox.id in self._loading:
            waiting: Deferred[None] = Deferred()
            self._loading[mailbox.id].append(waiting)
            await waiting
        image = self._images.get(mailbox.id)
        if image is None:
            image = await self._load(mailbox)
            image.watchers[watcher] = None
            # Who waited for it as well may have come and gone.
            self._count(image, None)
        else:
            self._select(image, watcher)
            try:
                if image.modseq != modseq or image.behind:
                    await image.refresh(mailbox)
            except BaseException:
                self.leave(image, watcher)
                raise
        if image.gone:
            self.leave(image, watcher)
            raise NoSuchMailbox
        return image

    async def _load(self, mailbox: IMailbox) -> Image:
        waiters = self._loading[mailbox.id] = []
        image = Image(mailbox.id, self._grown)
        try:
            await image.load(mailbox, self._turn)
            self._images[mailbox.id] = image
        finally:
            del self._loading[mailbox.id]
            for waiter in waiters:
                waiter.callback(None)
        return image

    def known(self, mailbox_id: str) -> Image | None:
        """The image of a mailbox, if there is one."""
        return self._images.get(mailbox_id)

    def note(self, mailbox_id: str, changes: Changes, came: Sequence[int] = ()) -> None:
        """A mutation returned this: whoever has the mailbox, or selects it soon, need not ask its store.

        The UIDs that it gave out are those that `came`.
        """
        image = self._images.get(mailbox_id)
        if image is None:
            if mailbox_id in self._loading or not _begins(changes, came):
                return
            image = self._images[mailbox_id] = Image.begun(mailbox_id, self._grown, changes.since)
        if image.watchers:
            image.apply(changes)
            return
        nobody_asks = image.log_floor == image.modseq
        if image.apply(changes) and nobody_asks:
            image.forget_log()
        self._count(image, len(image.generation.uids))
        self._let_go()

    def leave(self, image: Image, watcher: Watcher) -> None:
        """A session has deselected it."""
        image.watchers.pop(watcher, None)
        if image.watchers or self._images.get(image.mailbox_id) is not image:
            return
        self._count(image, None)
        if image.gone:
            del self._images[image.mailbox_id]
            return
        self._count(image, len(image.generation.uids))
        self._let_go()

    def _count(self, image: Image, messages: int | None) -> None:
        """How many messages one that nobody has selected counts for; None: it is none of those."""
        unwatched = self._unwatched
        if messages is None:
            self._messages -= unwatched.pop(image.mailbox_id, 0)
        else:
            self._messages += messages - unwatched.get(image.mailbox_id, 0)
            unwatched[image.mailbox_id] = messages

    def _let_go(self) -> None:
        """Forget those that nobody has selected while they are too many, but for two.

        First those that nobody ever had.
        """
        unwatched = self._unwatched
        # The last two stay, however large: a client goes from one mailbox to another and back.
        while len(unwatched) > _KEPT_IMAGES or (
            self._messages > _KEPT_MESSAGES and len(unwatched) > 2
        ):
            never = (id for id in unwatched if not self._images[id].selected)
            oldest = self._images.pop(next(never, "") or next(iter(unwatched)))
            self._count(oldest, None)


def _begins(changes: Changes, came: Sequence[int]) -> bool:
    """Whether the mailbox has no other messages than those that `came`: before UID 1 there are none."""
    return 0 < len(came) <= _BEGUN_WITH and came[0] == 1 and len(changes.uids) == len(came)
