"""`imapd index`: the index of what a user's messages say: how far it is, and to make it."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.python.usage import Options, UsageError

from imapd.config import BadConfig, configured
from imapd.model.text import Indexed
from imapd.store.answers import settled
from imapd.store.interfaces import IMailStore, IOtherAccounts, ITextIndexing
from imapd.store.maker import UnknownStore, open_store

__all__ = ["IndexOptions", "index"]

#: Seconds between two lines that say how far it is.
_EVERY: Final = 5.0


class _User(Options):
    """Options of a command about one user, of which there are none."""

    synopsis = "USER"

    def parseArgs(self, user: str) -> None:  # type: ignore[override]  # as Twisted means it
        """The user's name."""
        self["user"] = user


class IndexOptions(Options):
    """Which store, and what to do with it."""

    synopsis = ""
    optParameters = [
        ["config", "c", None, "The server's configuration, which names the store."],
        ["store", None, None, "The store, as the configuration names it: maildir:DIRECTORY/%u"],
    ]
    subCommands = [
        ["status", None, _User, "How many messages of each mailbox are indexed."],
        ["build", None, _User, "Index now what is not indexed yet."],
        ["rebuild", None, _User, "Throw the index away, and make it again."],
    ]
    longdesc = (
        "The server indexes what messages say by itself, behind its answers; searches are right"
        " without an index, and slower.  These commands may be used while it runs."
    )

    def postOptions(self) -> None:
        """Something has to be done."""
        if self.subCommand is None:
            raise UsageError("say status, build or rebuild")


def index(options: IndexOptions, reactor: Any) -> int:
    """Do it; the exit status.  Raises `UsageError`."""
    try:
        store = open_store(reactor, _store(options))
    except UnknownStore as error:
        raise UsageError(str(error)) from error
    sub: Any = options.subOptions
    return _run(reactor, _index(reactor, store, options.subCommand or "", sub["user"]))


def _store(options: IndexOptions) -> str:
    if options["store"]:
        return str(options["store"])
    if not options["config"]:
        raise UsageError(
            "say which store: --config FILE that names it, or --store maildir:DIRECTORY/%u"
        )
    try:
        store = configured(Path(options["config"])).store
    except BadConfig as error:
        raise UsageError(str(error)) from error
    if not store:
        raise UsageError(f"{options['config']} names no store; say --store maildir:DIRECTORY/%u")
    return store


def _run(reactor: Any, work: Coroutine[Any, Any, None]) -> int:
    failed: list[BaseException] = []

    def done(outcome: object) -> None:
        if isinstance(outcome, Failure) and outcome.value is not None:
            failed.append(outcome.value)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work).addBoth(done))
    reactor.run()
    for error in failed:
        if isinstance(error, UsageError):
            raise error
        print(f"imapd: {type(error).__name__}: {error}", file=sys.stderr)
    return 1 if failed else 0


async def _index(reactor: Any, store: IMailStore, command: str, user: str) -> None:
    others = IOtherAccounts(store, None)
    account = None if others is None else await settled(others.open_existing(user))
    try:
        if account is None:
            raise UsageError(f"there is no mail of a user {user!r} in that store")
        indexing = ITextIndexing(account, None)
        if indexing is None:
            raise UsageError("that kind of store keeps no index of texts")
        if command == "status":
            for each in (await settled(indexing.text_progress())).mailboxes:
                print(f"{each.indexed:>10,} of {each.messages:>10,}  {each.name}")
        else:
            await _build(reactor, indexing, command == "rebuild")
        print(_line(await settled(indexing.text_progress())))
    finally:
        if account is not None:
            await settled(account.close())
        await settled(store.close())


async def _build(reactor: Any, indexing: ITextIndexing, again: bool) -> None:
    async def tell() -> None:
        print(_line(await settled(indexing.text_progress())), flush=True)

    telling = LoopingCall(lambda: Deferred.fromCoroutine(tell()))
    telling.clock = reactor
    telling.start(_EVERY, now=False)
    try:
        await settled(indexing.index_texts(again))
    finally:
        telling.stop()


def _line(told: Indexed) -> str:
    messages = sum(each.messages for each in told.mailboxes)
    indexed = sum(each.indexed for each in told.mailboxes)
    return f"{indexed:,} of {messages:,} messages are indexed; the index has {told.octets:,} octets"
