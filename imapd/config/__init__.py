"""The configuration: one table of keys, read from a file, overridden by options.

`sample` writes ``etc/imapd.toml`` from the table.  Every error names the file, the key, and
what to write instead.
"""

from imapd.config.key import Key
from imapd.config.reading import configured, stated
from imapd.config.sample import sample
from imapd.config.table import KEYS, BadConfig, Config

__all__ = ["KEYS", "BadConfig", "Config", "Key", "configured", "sample", "stated"]
