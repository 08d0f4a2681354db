"""One client's conversation: its state, its account, its selected mailbox, and its way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from attrs import evolve

from imapd.model.flags import SYSTEM, Flags
from imapd.model.gone import Gone
from imapd.model.mailbox import Hint
from imapd.model.numset import EMPTY, NumSet
from imapd.model.states import State
from imapd.session.announce import Announce
from imapd.session.outcome import BadCommand, Refused
from imapd.session.peer import Peer
from imapd.session.policy import Policy
from imapd.session.progress import Progress
from imapd.session.view import View
from imapd.store.access import allowed
from imapd.store.answers import settled
from imapd.store.errors import AccountClosed, StoreError
from imapd.store.interfaces import IAccount, IMailbox, IRecent
from imapd.wire import encode
from imapd.wire.connection import Connection
from imapd.wire.cursor import Cursor
from imapd.wire.events import LineReceived

__all__ = ["USUAL", "Notices", "Session"]


class Notices:
    """Which changes reach the client, and when: those of the selected mailbox, when it asks.

    A feature that changes this (NOTIFY) replaces the session's `notices`.
    """

    __slots__ = ()

    def begins(self, command: str) -> None:
        """A command begins."""

    def pending(self, session: Session) -> bool:
        """There is, or may be, something that `tell` tells."""
        view = session.view
        return view is not None and (view.image.behind or view.has_news())

    def speaks(self, session: Session) -> bool:
        """There is something to tell a client that has not asked, between two commands."""
        return False

    def tell(self, session: Session, expunges: bool) -> Awaitable[None]:
        """Tell the client what has changed; that messages are gone only with `expunges`."""
        return session.selected_news(expunges)

    async def speak(self, session: Session) -> None:
        """Tell what `speaks` meant."""

    def left(self, session: Session, view: View) -> None:
        """A mailbox is no longer selected."""

    def annotated(self, name: str, entries: Sequence[str]) -> None:
        """The client has changed annotations of a mailbox, or, without a name, of the server."""

    def close(self) -> None:
        """The session has ended."""


#: Until the client asks for others.
USUAL: Final = Notices()


@lru_cache(maxsize=64)
def _form_of_oks(texts: tuple[str, ...]) -> bytes:
    """What takes the codes: texts of ours are ASCII, and need no more."""
    return b"".join(
        [b"* OK [%%b] %b\r\n" % encode.text(text).replace(b"%", b"%%") for text in texts]
    )


#: One for all: an empty set costs as much as one of four.
_NOTHING: Final[frozenset[str]] = frozenset()


class Session:
    """What the server keeps of one connection."""

    __slots__ = ("_logout", "_unwatch", "account", "announce", "bad", "connection", "enabled", "failures",
                 "identity", "notices", "peer", "policy", "progress", "saved", "state", "tag", "translate",
                 "user", "utf8", "view")  # fmt: skip

    def __init__(self, policy: Policy, peer: Peer, connection: Connection) -> None:
        self.policy = policy
        self.peer = peer
        self.connection = connection
        #: Of the command that runs (RFC 9051, 7.3.4 has it in ESEARCH).
        self.tag = b""
        self.progress = Progress(self, policy.dialect.reports, policy.seconds, policy.later)
        #: Failed log-ins.
        self.failures = 0
        #: Commands in a row that were BAD.
        self.bad = 0
        #: The program that the client says it is, for the log.
        self.identity = ""
        self._begin()

    def _begin(self) -> None:
        """What a client finds that has not logged in: UNAUTHENTICATE comes back to it."""
        self.state = State.NOT_AUTHENTICATED
        self.connection.command_limit = self.policy.limits.command_before_login
        self.user: str | None = None
        self.account: IAccount = None  # type: ignore[assignment]  # there once logged in
        self._logout: Callable[[], Any] | None = None
        self._unwatch: Callable[[], None] | None = None
        self.enabled = _NOTHING
        self.announce = Announce()
        self.notices: Notices = USUAL
        #: Names and strings are UTF-8 for this client.
        self.utf8 = False
        self.view: View | None = None
        #: The result of the last SEARCH RETURN (SAVE), by UID (RFC 9051, 6.4.4.4).
        self.saved: NumSet = EMPTY
        #: Puts a text into the client's language; None: it is English, in ASCII.
        self.translate: Callable[[str], str] | None = None

    # Writing.

    def write(self, data: bytes) -> None:
        """Send octets: whole untagged responses, or the parts of a large one in turn."""
        self.peer.write(data)

    def status(self, word: bytes, code: bytes, text: str, tag: bytes = b"*") -> bytes:
        """A status response (RFC 9051, 7.1), its text in the client's language."""
        if self.translate is None:
            said = encode.text(text, self.utf8)
        else:
            # RFC 5255, 3.5: no "[" begins it.
            said = encode.text(self.translate(text).lstrip("["), True)
        if code:
            return b"%b %b [%b] %b\r\n" % (tag, word, code, said)
        return b"%b %b %b\r\n" % (tag, word, said)

    def oks(self, codes: tuple[bytes, ...], texts: tuple[str, ...]) -> bytes:
        """Untagged OKs, one for each code and its text."""
        if self.translate is None:
            return _form_of_oks(texts) % codes
        return b"".join([self.status(b"OK", *each) for each in zip(codes, texts)])

    def check_keywords(self, flags: Flags) -> None:
        """Raises `Refused` when these are more than one message or mailbox may have (RFC 5530: LIMIT)."""
        if len(flags) > self.policy.limits.keywords + len(SYSTEM):
            raise Refused("LIMIT", "Too many keywords")

    def mailbox_name(self, name: str) -> bytes:
        """A mailbox name as this client writes it."""
        return encode.mailbox(name, self.utf8)

    def cursor(self, data: bytes) -> Cursor:
        """What reads this client's arguments."""
        policy = self.policy
        return Cursor(data, policy.limits, self.utf8, policy.dialect, policy.memory)

    async def line(self) -> bytes:
        """The client's next line, whatever it says (an exchange of AUTHENTICATE)."""
        self.connection.expect_line()
        event = await self.peer.event()
        if not isinstance(event, LineReceived):
            raise BadCommand("The line is too long")
        return event.data

    # Logging in and out.

    def log_in(self, user: str, account: IAccount, logout: Callable[[], Any]) -> None:
        """The client has shown who it is."""
        self.user = user
        self.account = account
        self._logout = logout
        self._unwatch = account.watch(self._hint)
        self.state = State.AUTHENTICATED
        self.connection.command_limit = self.policy.limits.command

    async def log_out(self) -> None:
        """The client is nobody again; of what it was nothing is left (RFC 8437, 3)."""
        try:
            await self.close()
        finally:
            self._begin()

    async def close(self) -> None:
        """The connection has ended: let go of everything."""
        self.state = State.LOGOUT
        self.deselect()
        self.notices.close()
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        logout, self._logout = self._logout, None
        if logout is not None:
            await settled(logout())

    def account_closed(self) -> None:
        """The store has closed the account: who logs in again finds it in order."""
        self.peer.bye("Your mailboxes are put in order, log in again")

    def _hint(self, hint: Hint) -> None:
        if hint.entries:
            return
        if not hint.mailbox_id and self.view is not None:
            # A mailbox came or went: it may be this one.
            self.view.image.doubted = True
            self.view.rights_doubted = self.view.rights is not None
            self.view.changed()
        image = self.policy.images.known(hint.mailbox_id)
        if image is not None:
            image.hint(hint.modseq)

    # The selected mailbox.

    @property
    def selected(self) -> View:
        """The view, in a command that is only good when there is one."""
        assert self.view is not None
        return self.view

    async def select(self, name: str, mailbox: IMailbox, read_only: bool, modseq: int = 0) -> View:
        """Leave what was selected, and select `mailbox`; `modseq` as in `Images.join`."""
        self.deselect()
        view = View(name, mailbox, read_only or mailbox.read_only, self.peer.wake)
        view.examined = read_only
        images = self.policy.images
        view.attach(
            images.at_hand(mailbox.id, view, modseq) or await images.join(mailbox, view, modseq)
        )
        self.view = view
        self.state = State.SELECTED
        if self.announce.recent and view.wants_recent():
            await self._claim_recent(view)
        return view

    def deselect(self) -> None:
        """Nothing is selected any more."""
        view, self.view = self.view, None
        self.saved = EMPTY
        if view is not None:
            self.notices.left(self, view)
            self.policy.images.leave(view.image, view)
            if self.announce.lacks:
                self.announce = evolve(self.announce, lacks=_NOTHING)
            if self.state is State.SELECTED:
                self.state = State.AUTHENTICATED

    def writable(self) -> View:
        """The view, if messages can be changed in it."""
        view = self.selected
        if view.read_only:
            raise Refused("NOPERM", "The mailbox is selected read-only")
        return view

    def news(self, expunges: bool) -> Awaitable[None]:
        """Tell the client what has changed, if there is anything."""
        return self.notices.tell(self, expunges)

    async def selected_news(self, expunges: bool, flags: bool = True, more: bool = True) -> None:
        """Tell what has changed in the selected mailbox: `flags`, and what is `more` than these."""
        view = self.view
        if view is None:
            return
        if view.image.behind:
            await view.image.refresh(view.mailbox)
        if view.rights_doubted:
            await self._tell_rights(view)
        if view.has_news():
            await self._claim_recent(view)
            told = view.news(self.announce, expunges, flags, more)
            if told:
                self.write(told)
            if more:
                for tells in self.policy.dialect.tells:
                    await tells(self)
        if view.follower is not None and view.follower.behind:
            await view.follower.follow()

    async def _tell_rights(self, view: View) -> None:
        """RFC 4314, 5.1.1: what the client can change from now on, if that is something else."""
        view.rights_doubted = False
        before = view.permanent_flags()
        try:
            view.rights = await settled(allowed(view.mailbox))
        except BaseException:
            view.rights_doubted = True
            raise
        permanent = view.permanent_flags()
        if permanent != before:
            self.write(self.status(b"OK", b"PERMANENTFLAGS %b" % permanent, "Flags that stay"))

    async def speak(self) -> bool:
        """Between two commands, tell what the client wants to hear at any time; whether it worked."""
        return await self.told(self.notices.speak(self))

    async def told(self, telling: Awaitable[None]) -> bool:
        """Whether what changed could be told; trouble with that is none of what the client asked."""
        try:
            await telling
        except Gone:
            raise
        except AccountClosed:
            self.account_closed()
            return False
        except StoreError:
            # It is told when the store can be asked again.
            return False
        except Exception:
            self.policy.log.failure("telling what changed failed")
            return False
        return True

    async def _claim_recent(self, view: View) -> None:
        if not self.announce.recent:
            return
        last = view.wants_recent()
        if last and view.read_only:
            view.see_recent((await settled(view.mailbox.status())).recent)
        elif last:
            recent = IRecent(view.mailbox, None)
            if recent is None:
                view.image.recent_claimed = last
                return
            first, after = await settled(recent.claim_recent())
            view.image.recent_claimed = max(view.image.recent_claimed, after - 1)
            if first < after:
                view.recent |= NumSet([(first, after - 1)])

    def needs(self, features: frozenset[str]) -> None:
        """Raises `BadCommand` if the selected mailbox lacks one of these features."""
        if not self.announce.lacks.isdisjoint(features):
            raise BadCommand("Modification sequences are not kept in this mailbox")

    def enable(self, *names: str) -> list[str]:
        """Switch features on, with what they imply; those of them that were off.

        What they change is a policy, which each installs once.
        """
        known = self.policy.dialect.enables
        wanted: dict[str, None] = {}
        for name in names:
            wanted[name] = None
            wanted.update(dict.fromkeys(known[name.encode("ascii")].implies))
        new = [name for name in wanted if name not in self.enabled]
        self.enabled |= frozenset(new)
        for name in new:
            installs = known[name.encode("ascii")].installs
            if installs is not None:
                installs(self)
        return new
