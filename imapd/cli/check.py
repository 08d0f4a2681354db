"""`imapd check`: whether what a store keeps of its users agrees with itself, and mending it."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from imapd.cli.store_options import StoreOptions
from imapd.config import BadConfig, Config
from imapd.preparing import store_of
from imapd.store.answers import settled
from imapd.store.interfaces import IExamined, IMailStore, IOtherAccounts

__all__ = ["CheckOptions", "check"]


class CheckOptions(StoreOptions):
    """Options of `imapd check`."""

    synopsis = "[options] USER ..."
    longdesc = (
        "Compares the mail of users with what is kept of it, says what is wrong, and mends it."
        "  The server may run.  The exit status is 1 if anything was wrong."
    )

    def parseArgs(self, *users: str) -> None:
        """Whose mail."""
        if not users:
            raise UsageError("say whose mail to check")
        self["users"] = users

    def postOptions(self) -> None:
        """Say what is wrong before anything is looked at."""
        try:
            self["prepared"] = self.configuration()
        except BadConfig as error:
            raise UsageError(str(error)) from error


async def _examined(store: IMailStore, user: str) -> bool:
    """Whether all was well with a user's mail; what was not is looked at again when it is mended."""
    well = await _looked_at(store, user)
    if well is False:
        # An index that could not be read throughout has been made again then.
        await _looked_at(store, user)
    return bool(well)


async def _looked_at(store: IMailStore, user: str) -> bool | None:
    """The same of one look; None if there is nothing to look at."""
    existing = IOtherAccounts(store, None)
    account = None if existing is None else await settled(existing.open_existing(user))
    if account is None:
        print(f"{user}: there is no such account")
        return None
    try:
        examined = IExamined(account, None)
        if examined is None:
            print(f"{user}: this kind of store has nothing to check")
            return True
        found = await settled(examined.examine())
    finally:
        await settled(account.close())
    for each in found:
        print(f"{user}: {each}")
    return not found


def check(options: CheckOptions) -> int:
    """Check; the exit status."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    config: Config = options["prepared"]
    well = True

    async def run() -> None:
        nonlocal well
        store = store_of(config, reactor)
        try:
            for user in options["users"]:
                try:
                    well &= await _examined(store, user)
                except Exception as error:
                    well = False
                    print(f"{user}: {error}")
        finally:
            await settled(store.close())

    def ended(outcome: object) -> None:
        nonlocal well
        if isinstance(outcome, Failure):
            well = False
            print(f"imapd: {outcome.getErrorMessage()}", file=sys.stderr)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run()).addBoth(ended))
    reactor.run()
    return 0 if well else 1
