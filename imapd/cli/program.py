"""What `imapd` does: its commands, and how their errors are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from twisted.python.usage import Options, UsageError

from imapd.cli.check import CheckOptions, check
from imapd.cli.deliver import DeliverOptions, deliver
from imapd.cli.demo import DemoOptions
from imapd.cli.indexing import IndexOptions, index
from imapd.cli.users import UserOptions, keep_users
from imapd.config import sample
from imapd.service import Options as ServeOptions

__all__ = ["main"]


class _CheckOptions(ServeOptions):
    """The same options as those of the server, and the file by itself."""

    synopsis = "[options] FILE"

    def parseArgs(self, file: str | None = None) -> None:
        """The file may stand without --config."""
        if file is not None:
            self["config"] = file


class _SampleOptions(Options):
    """Options of the sample, of which there are none."""


class ProgramOptions(Options):
    """`imapd` and its commands."""

    synopsis = "Usage: imapd"
    subCommands = [
        ["serve", None, ServeOptions, "Serve in the foreground (as `twistd -n imapd` does)."],
        ["check", None, CheckOptions, "Compare mail with what is kept of it, and mend that."],
        ["deliver", None, DeliverOptions, "Put a message from standard input into a mailbox."],
        ["user", None, UserOptions, "Keep the password file: add, passwd, remove, list."],
        [
            "index",
            None,
            IndexOptions,
            "The index for searches of a user's mail: status, build, rebuild.",
        ],
        ["check-config", None, _CheckOptions, "Say what is wrong with a configuration file."],
        ["sample-config", None, _SampleOptions, "Print every key with its default."],
        ["demo", None, DemoOptions, "Serve one account with some messages, on this machine."],
    ]

    def opt_version(self) -> None:
        """Print the version."""
        from importlib.metadata import version

        print(f"imapd {version('imapd')}")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Something has to be done."""
        if self.subCommand is None:
            raise UsageError("say what to do")


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    options = ProgramOptions()  # type: ignore[no-untyped-call]
    try:
        options.parseOptions(list(sys.argv[1:] if arguments is None else arguments))  # type: ignore[no-untyped-call]
        status = _run(options)
    except UsageError as error:
        if options.subCommand is None:
            print(options, file=sys.stderr)
        print(f"imapd: {error}", file=sys.stderr)
        status = os.EX_USAGE if options.subCommand == "deliver" else 1
    raise SystemExit(status)


def _run(options: ProgramOptions) -> int:
    sub: Any = options.subOptions
    if options.subCommand == "user":
        keep_users(sub)
    elif options.subCommand == "index":
        from twisted.internet import reactor

        return index(sub, reactor)
    elif options.subCommand == "sample-config":
        sys.stdout.write(sample())
    elif options.subCommand == "check-config":
        print("the configuration is good")
    elif options.subCommand == "check":
        return check(sub)
    elif options.subCommand == "deliver":
        return deliver(sub)
    elif options.subCommand == "demo":
        from imapd.cli.demo import demo

        return demo(sub)
    else:
        return _serve(sub)
    return 0


def _serve(options: ServeOptions) -> int:
    from twisted.internet import reactor

    from imapd.cli.running import run, start_logging
    from imapd.server.workers import Workers
    from imapd.service import makeService

    start_logging(options.config().log_level)
    service = makeService(options)
    status = run(reactor, service)
    return 1 if isinstance(service, Workers) and service.failed else status
