"""What commands that open the store themselves have in common: which store, said by options or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.python.usage import Options

from imapd.config import Config, configured

__all__ = ["StoreOptions"]


class StoreOptions(Options):
    """Options that name the store; users may stand before them."""

    optParameters = [
        ["config", "c", None, "The server's configuration file."],
        ["store", None, None, "Where mail is kept, if the file does not say it."],
    ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """As `Options`."""
        words = list(options or ())
        while words and not words[0].startswith("-") and any(w.startswith("-") for w in words):
            words.append(words.pop(0))
        super().parseOptions(words)  # type: ignore[no-untyped-call]

    def configuration(self) -> Config:
        """One that names a store.  Raises `BadConfig`."""
        said = {} if self["store"] is None else {"store": self["store"]}
        config = configured(Path(self["config"]) if self["config"] else None, said)
        if not config.store:
            raise config.error("store", "no store; write --config FILE or --store NAME:ARG")
        return config
