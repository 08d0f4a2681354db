"""The configuration: one table of keys, read from a file, overridden by options.

The table is the fields of `Config` and of `imapd.model.limits.Limits`; each has its name in
the file, its type, its default and one sentence.  `sample` writes ``etc/imapd.toml`` from it.
Every error names the file, the key, and what to write instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import attrs
from attrs import field, frozen

from imapd.model.limits import Limits
from imapd.model.mailbox import DELIMITER, INBOX, SPECIAL_USES
from imapd.model.quota import Allowance

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["KEYS", "BadConfig", "Config", "Key", "configured", "sample"]


class BadConfig(ValueError):
    """Something in the configuration cannot be; the text says where, and what to write."""


class _Unfit(ValueError):
    """A value does not fit its key; the text says what would."""


@frozen
class Key:
    """One line of the table."""

    #: As in the file, with its table: ``limits.line``.
    name: str
    default: Any
    sentence: str
    #: The value as the program wants it; raises `_Unfit`.
    read: Callable[[Any], Any] = field(repr=False)

    @property
    def table(self) -> str:
        """The part of the file it stands in; empty at the top."""
        return self.name.rpartition(".")[0]

    @property
    def short(self) -> str:
        """What stands before the equals sign."""
        return self.name.rpartition(".")[2]

    def written(self, value: Any) -> str:
        """A line of the file."""
        return f"{self.short} = {_toml(value)}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Unfit("a text in quotes")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise _Unfit("a list of texts, in brackets")


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("true or false")


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise _Unfit("a whole number above 0")


_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def _uri(value: Any) -> str:
    if value == "" or (isinstance(value, str) and _URI.fullmatch(value)):
        return str(value)
    raise _Unfit("a URI")


def _most(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    raise _Unfit("a whole number, or 0 for no limit")


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    raise _Unfit("a number of seconds")


_LEVELS: Final = ("debug", "info", "warn", "error", "critical")


def _level(value: Any) -> str:
    if value in _LEVELS:
        return str(value)
    raise _Unfit(f"one of {', '.join(_LEVELS)}")


def _mailboxes(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise _Unfit("a table of names and uses, in braces")
    uses = {use.lower(): use for use in ("", *SPECIAL_USES)}
    if any(not name or use.lower() not in uses for name, use in value.items()):
        raise _Unfit(f"a table whose uses are '' or of {', '.join(SPECIAL_USES)}")
    return {name: uses[use.lower()] for name, use in value.items()}


#: RFC 5092, with a user, lest a client come as "anonymous" (RFC 2193, 3).
_IMAP_URL: Final = re.compile(r"(?i:imap)://[^][/@\\\s]+@[^][/@\\\s]+/[^][\\\s]*")


def _is_imap_url(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and _IMAP_URL.fullmatch(value) is not None
    )


def _urls(value: Any) -> Mapping[str, tuple[str, ...]]:
    wanted = 'a table of names and IMAP URLs, such as "imap://%u;AUTH=*@host.example/"'
    if not isinstance(value, Mapping):
        raise _Unfit(wanted)
    table = {
        name: (urls,) if isinstance(urls, str) else tuple(urls) if isinstance(urls, list) else ()
        for name, urls in value.items()
    }
    for urls in table.values():
        if not urls or not all(map(_is_imap_url, urls)):
            raise _Unfit(wanted)
    return table


def _url(value: Any) -> Mapping[str, str]:
    table = _urls(value)
    if any(len(urls) > 1 for urls in table.values()):
        raise _Unfit("a table with one IMAP URL for each user")
    return {name: urls[0] for name, urls in table.items()}


def _prefix(value: Any) -> str:
    levels = value.split(DELIMITER) if isinstance(value, str) else [""]
    if value == "" or (all(levels) and levels[0].upper() != INBOX and not set(value) & set("*%")):
        return str(value)
    raise _Unfit("a name without * and %, not below INBOX, or '' for none")


def _groups(value: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise _Unfit("a table of groups and their users, in braces")
    return {name: _texts(users) for name, users in value.items()}


def _key(name: str, default: Any, read: Callable[[Any], Any], sentence: str) -> Any:
    made = Key(name, default, sentence, read)
    if isinstance(default, Mapping):
        return field(factory=dict, metadata={"key": made})
    return field(default=default, metadata={"key": made})


@frozen
class Config:
    """What the owner of a server decided."""

    store: str = _key(
        "store", "", _text,
        "Where mail is kept: \"maildir:/var/mail/%u\" (%u is the user) or \"memory:\".",
    )  # fmt: skip
    auth: tuple[str, ...] = _key(
        "auth", (), _texts,
        "Who may log in, asked in turn: [\"passwords:/etc/imapd/passwords\"], or any strcred checker.",
    )  # fmt: skip
    imap: tuple[str, ...] = _key(
        "listen.imap", (), _texts,
        "Where to serve IMAP, with STARTTLS: Twisted endpoints such as \"tcp:143\".",
    )  # fmt: skip
    imaps: tuple[str, ...] = _key(
        "listen.imaps", (), _texts,
        "Where to serve IMAP inside TLS: \"tcp:993\" with the certificate below, or"
        " \"ssl:993:privateKey=k.pem:certKey=c.pem\".",
    )  # fmt: skip
    certificate: str = _key(
        "tls.certificate", "", _text,
        "A PEM file with the certificate and the chain behind it; SIGHUP reads it again.",
    )  # fmt: skip
    key: str = _key(
        "tls.key", "", _text,
        "A PEM file with the certificate's key, when that is not in the same file.",
    )  # fmt: skip
    plaintext_login: bool = _key(
        "login.plaintext", False, _switch,
        "Take passwords from other machines without TLS, for everybody on the way to read.",
    )  # fmt: skip
    mechanisms: tuple[str, ...] = _key(
        "login.mechanisms", ("PLAIN", "LOGIN"), _texts,
        "The SASL mechanisms to offer.",
    )  # fmt: skip
    remember: float = _key(
        "login.remember", 60.0, _seconds,
        "Seconds for which a password that was right is not checked again; 0 checks always.",
    )  # fmt: skip
    longest_delay: float = _key(
        "login.longest_delay", 15.0, _seconds,
        "Seconds that answers to somebody who guesses passwords are delayed at most; 0 delays none.",
    )  # fmt: skip
    submitters: tuple[str, ...] = _key(
        "login.submitters", (), _texts,
        "Users that are servers of mail submission: they may read what URLs with submit+ name (RFC 4467).",
    )  # fmt: skip
    quota_storage: int = _key(
        "quota.storage", 0, _most,
        "Units of 1024 octets that the messages of each account may have, unless SETQUOTA said otherwise;"
        " 0 for no limit.",
    )  # fmt: skip
    quota_messages: int = _key(
        "quota.messages", 0, _most,
        "Messages that each account may have; 0 for no limit.",
    )  # fmt: skip
    quota_mailboxes: int = _key(
        "quota.mailboxes", 0, _most,
        "Mailboxes that each account may have, INBOX among them; 0 for no limit.",
    )  # fmt: skip
    administrators: tuple[str, ...] = _key(
        "quota.administrators", (), _texts,
        "Users who may change the limits of every account, which is called as its user:"
        " SETQUOTA bob (STORAGE 1024).",
    )  # fmt: skip
    metadata_comment: str = _key(
        "metadata.comment", "", _text,
        "A remark on this server for all its users, told as /shared/comment (METADATA).",
    )  # fmt: skip
    metadata_admin: str = _key(
        "metadata.admin", "", _uri,
        "A URI by which its administrator can be reached, told as /shared/admin.",
    )  # fmt: skip
    mailboxes: Mapping[str, str] = _key(
        "accounts.mailboxes", {}, _mailboxes,
        "Mailboxes to make in an account that has only INBOX, with their use:"
        " { Sent = '\\Sent', Trash = '\\Trash', Notes = '' }.",
    )  # fmt: skip
    sharing_account: str = _key(
        "sharing.account", "", _text,
        "An account of no user, such as \"public\", for public mailboxes and the list of who shares what;"
        " naming one lets users share mailboxes (ACL).",
    )  # fmt: skip
    sharing_others: str = _key(
        "sharing.others", "Other Users", _prefix,
        "The name above the mailboxes that other users share, behind their names; '' shows none.",
    )  # fmt: skip
    sharing_public: str = _key(
        "sharing.public", "Shared", _prefix,
        "The name above the public mailboxes; '' shows none.",
    )  # fmt: skip
    sharing_administrators: tuple[str, ...] = _key(
        "sharing.administrators", (), _texts,
        "Users who make the public mailboxes and say who sees them: [\"alice\"].",
    )  # fmt: skip
    sharing_groups: Mapping[str, tuple[str, ...]] = _key(
        "sharing.groups", {}, _groups,
        "Groups and their users, { team = [\"alice\", \"bob\"] }; a mailbox is shared with \"$team\".",
    )  # fmt: skip
    disabled: tuple[str, ...] = _key(
        "capabilities.disabled", (), _texts,
        "Capabilities to be without, for old clients or to test new ones, such as [\"IDLE\", \"MOVE\"]:"
        " their commands are unknown then, and what builds on them goes too.",
    )  # fmt: skip
    utf8_strict: bool = _key(
        "capabilities.utf8_strict", False, _switch,
        "Refuse uploads with 8-bit octets in their header from clients that did not ENABLE UTF8=ACCEPT,"
        " as RFC 9755 demands; old mail and spam has such headers.",
    )  # fmt: skip
    utf8_only: bool = _key(
        "capabilities.utf8_only", False, _switch,
        "Serve only clients that ENABLE UTF8=ACCEPT; the others are refused nearly everything.",
    )  # fmt: skip
    language: str = _key(
        "capabilities.language", "en", _text,
        "The language that LANGUAGE \"default\" means: en, de, fr or ja.",
    )  # fmt: skip
    referred_users: Mapping[str, str] = _key(
        "referrals.users", {}, _url,
        "Users whose mail is on another server, with its URL; '*' is all others, %u the user:"
        " { tim = 'imap://tim;AUTH=*@two.example.org/' }.",
    )  # fmt: skip
    referred_enter: bool = _key(
        "referrals.enter", False, _switch,
        "Let these users in all the same, to what others share with them here.",
    )  # fmt: skip
    referred_mailboxes: Mapping[str, tuple[str, ...]] = _key(
        "referrals.mailboxes", {}, _urls,
        "Mailboxes, with all below them, that are on other servers, with their URLs:"
        " { 'Shared/News' = ['imap://%u;AUTH=*@two.example.org/News'] }.",
    )  # fmt: skip
    log_level: str = _key(
        "log.level", "info", _level,
        "What `imapd serve` logs: debug, info, warn, error or critical (twist has --log-level).",
    )  # fmt: skip
    limits: Limits = field(factory=Limits)
    #: Where each value came from, by the key's name; under "" what says which file was read.
    origins: Mapping[str, str] = field(factory=dict, repr=False, eq=False)

    @property
    def allowance(self) -> Allowance:
        """What each account may hold."""
        return Allowance(
            self.quota_storage or None, self.quota_messages or None, self.quota_mailboxes or None
        )

    def error(self, name: str, problem: str) -> BadConfig:
        """What is wrong with the value of a key, said with where it came from."""
        return BadConfig(f"{self.origins.get(name) or self.origins.get('', '') + name}: {problem}")


#: What each limit bounds.
_LIMITS: Final = {
    "line": "Octets of one command line without its literals.",
    "literal": "Octets of one literal that is an argument, such as a name or a search string.",
    "command": "Octets of one whole command that is not an upload.",
    "exchange_line": "Octets of one line of the client's while it authenticates.",
    "command_before_login": "Octets of one command before log-in.",
    "message": "Octets of one message that is uploaded.",
    "spool": "Octets of incoming messages that a command holds in memory; what is more waits on disk.",
    "append_messages": "Messages of one APPEND.",
    "messages": "Messages that one command works on (MESSAGELIMIT); 0 for no limit, 1000 or more otherwise.",
    "saved_messages": "Messages that one COPY or APPEND takes (SAVELIMIT); 0 for no limit.",
    "append_parts": "Parts that one message is catenated of.",
    "urls": "URLs of one GENURLAUTH or URLFETCH.",
    "nesting": "Parentheses inside parentheses.",
    "list_length": "Members of one list in parentheses.",
    "keywords": "Keywords of one message, and of a mailbox as clients add to them.",
    "set_ranges": "Ranges of one sequence set.",
    "list_patterns": "Patterns with wildcards of one LIST.",
    "search_keys": "Keys of one search.",
    "saved_ranges": "Ranges of the result that SEARCH RETURN (SAVE) keeps.",
    "notify_mailboxes": "Mailboxes that one NOTIFY may watch.",
    "input": "Octets a client may send ahead while a command runs.",
    "output": "Octets of answers a client has not read yet before its command waits.",
    "bad_commands": "Commands in a row that make no sense before the connection ends.",
    "bad_logins": "Failed log-ins before the connection ends.",
    "mime_parts": "MIME parts of one message that are told apart.",
    "mime_depth": "MIME parts inside parts that are told apart.",
    "mime_header": "Octets of one header that are interpreted.",
    "metadata_value": "Octets of one annotation (METADATA).",
    "metadata_entries": "Annotations of one mailbox.",
    "metadata": "Octets of all annotations of one account.",
    "mailbox_name": "Characters of a mailbox name.",
    "mailbox_level": "Octets of one level of a mailbox name.",
    "idle_timeout": "Seconds without a command before the connection ends; RFC 9051 asks for 1800.",
    "login_timeout": "Seconds before log-in.",
    "write_timeout": "Seconds that answers may wait for a client that does not read them.",
}


def _limit_keys() -> tuple[Key, ...]:
    return tuple(
        Key(
            f"limits.{each.name}",
            each.default,
            _LIMITS.get(each.name, ""),
            _seconds if isinstance(each.default, float) else _whole if each.default else _most,
        )
        for each in attrs.fields(Limits)
    )


_FIELDS: Final[Mapping[str, str]] = {
    each.metadata["key"].name: each.name for each in attrs.fields(Config) if "key" in each.metadata
}

#: The table.
KEYS: Final[Mapping[str, Key]] = {
    key.name: key
    for key in (
        *(each.metadata["key"] for each in attrs.fields(Config) if "key" in each.metadata),
        *_limit_keys(),
    )
}


def configured(path: Path | None, options: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a file, if there is one, and of options, by key name, which win.

    Raises `BadConfig`.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if path is not None:
        origins[""] = f"{path}: "
        for name, value in _flat(path).items():
            values[name] = _fitting(KEYS[name], value, f"{path}: {name}")
            origins[name] = f"{path}: {name}"
    for name, value in (options or {}).items():
        origins[name] = f"--{_option(name)}"
        values[name] = _fitting(KEYS[name], value, origins[name])
    limits = {
        KEYS[name].short: values.pop(name) for name in tuple(values) if name.startswith("limits.")
    }
    return Config(
        **{_FIELDS[name]: value for name, value in values.items()},
        limits=Limits(**limits),
        origins=origins,
    )


def _option(name: str) -> str:
    return _FIELDS.get(name, name).replace("_", "-")


def _flat(path: Path) -> dict[str, Any]:
    """What the file says, by key name."""
    try:
        with open(path, "rb") as file:
            read = tomllib.load(file)
    except FileNotFoundError:
        raise BadConfig(
            f"{path}: there is no such file; `imapd sample-config` writes one to begin with"
        ) from None
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}; let the server's user read it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(
            f"{path}: is not TOML: {error}; texts stand in quotes, lists in brackets"
        ) from error
    tables = {key.table for key in KEYS.values() if key.table}
    flat: dict[str, Any] = {}
    for outer, value in read.items():
        if outer in tables:
            if not isinstance(value, dict):
                raise BadConfig(
                    f"{path}: {outer}: is a table; write [{outer}] on a line of its own"
                )
            flat.update({f"{outer}.{inner}": each for inner, each in value.items()})
        elif isinstance(value, dict):
            near = get_close_matches(outer, tables, 1, 0.0)[0]
            raise BadConfig(f"{path}: {outer}: there is no such table; did you mean [{near}]?")
        else:
            flat[outer] = value
    for name in flat:
        if name not in KEYS:
            raise BadConfig(f"{path}: {name}: {_unknown(name)}")
    return flat


def _unknown(name: str) -> str:
    """What to write in place of a name that is none."""
    short = name.rpartition(".")[2]
    near = get_close_matches(name, KEYS, 1, 0.6) or [
        key.name
        for key in KEYS.values()
        if key.short in get_close_matches(short, [each.short for each in KEYS.values()], 1, 0.6)
    ]
    if not near:
        return "there is no such key; `imapd sample-config` shows all there are"
    key = KEYS[near[0]]
    place = f" in [{key.table}]" if key.table else ", above all tables"
    return f"there is no such key; did you mean {key.short}{place}?"


def _fitting(key: Key, value: Any, origin: str) -> Any:
    try:
        return key.read(value)
    except _Unfit as unfit:
        example = key.written(
            key.default if key.default not in ("", (), {}) else _EXAMPLES[key.name]
        )
        raise BadConfig(f"{origin}: {_toml(value)} is not {unfit}; write {example}") from None


#: What to write where the default says nothing.
_EXAMPLES: Final[Mapping[str, Any]] = {
    "store": "maildir:/var/mail/%u",
    "auth": ["passwords:/etc/imapd/passwords"],
    "listen.imap": ["tcp:143"],
    "listen.imaps": ["tcp:993"],
    "tls.certificate": "/etc/imapd/fullchain.pem",
    "tls.key": "/etc/imapd/privkey.pem",
    "accounts.mailboxes": {"Sent": "\\Sent"},
    "sharing.account": "public",
    "sharing.administrators": ["alice"],
    "sharing.groups": {"team": ["alice", "bob"]},
    "quota.administrators": ["postmaster"],
    "metadata.comment": "Maintenance on Sundays",
    "metadata.admin": "mailto:postmaster@example.org",
    "capabilities.disabled": ["IDLE"],
    "referrals.users": {"tim": "imap://tim;AUTH=*@two.example.org/"},
    "referrals.mailboxes": {"Shared/News": ["imap://%u;AUTH=*@two.example.org/News"]},
}


def _toml(value: Any) -> str:
    """A value as the file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "\\" in value and "'" not in value:
            return f"'{value}'"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        members = (f"{_bare(name)} = {_toml(each)}" for name, each in value.items())
        return "{ " + ", ".join(members) + " }"
    return str(value)


def _bare(name: str) -> str:
    """A key as the file has it."""
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else _toml(name)


def sample() -> str:
    """``etc/imapd.toml``: every key with its default, switched off, and its sentence."""
    lines = [
        "# imapd: every key, with its default and what it is for.  Take the # away to change one.",
        "# Options of `twistd imapd` and `imapd serve` override what stands here.",
        "# `imapd check-config FILE` says what is wrong, before the server does.",
    ]
    table = ""
    for key in KEYS.values():
        if key.table != table:
            table = key.table
            lines += ["", f"[{table}]"]
        lines += ["", f"# {key.sentence}", f"#{key.written(key.default)}"]
    return "\n".join(lines) + "\n"
