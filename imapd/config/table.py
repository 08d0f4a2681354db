"""The table of keys, and the configuration that they make.

Each field of `Config` has its name in the file, its type, its default and one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from attrs import field, frozen

from imapd.config import values
from imapd.config.key import Key
from imapd.config.limits import limit_keys
from imapd.model.limits import Limits
from imapd.model.quota import Allowance

__all__ = ["EXAMPLES", "FIELDS", "KEYS", "BadConfig", "Config"]


class BadConfig(ValueError):
    """Something in the configuration cannot be; the text says where, and what to write."""


def _key(name: str, default: Any, read: Callable[[Any], Any], sentence: str) -> Any:
    made = Key(name, default, sentence, read)
    if isinstance(default, Mapping):
        return field(factory=dict, metadata={"key": made})
    return field(default=default, metadata={"key": made})


@frozen
class Config:
    """What the owner of a server decided."""

    store: str = _key(
        "store", "", values.text,
        "Where mail is kept: \"maildir:/var/mail/%u\" (%u is the user) or \"memory:\".",
    )  # fmt: skip
    auth: tuple[str, ...] = _key(
        "auth", (), values.texts,
        "Who may log in, asked in turn: [\"passwords:/etc/imapd/passwords\"], or any strcred checker.",
    )  # fmt: skip
    workers: int = _key(
        "workers", 1, values.workers,
        "How many processes serve: one for each core.  Any of them serves any user.",
    )  # fmt: skip
    imap: tuple[str, ...] = _key(
        "listen.imap", (), values.texts,
        "Where to serve IMAP, with STARTTLS: Twisted endpoints such as \"tcp:143\".",
    )  # fmt: skip
    imaps: tuple[str, ...] = _key(
        "listen.imaps", (), values.texts,
        "Where to serve IMAP inside TLS: \"tcp:993\" with the certificate below, or"
        " \"ssl:993:privateKey=k.pem:certKey=c.pem\".",
    )  # fmt: skip
    lmtp: tuple[str, ...] = _key(
        "listen.lmtp", (), values.texts,
        "Where to take mail from a transport such as Postfix, by LMTP: \"unix:/run/imapd/lmtp\" or"
        " \"tcp:24:interface=127.0.0.1\".  Whoever reaches it can deliver.",
    )  # fmt: skip
    certificate: str = _key(
        "tls.certificate", "", values.text,
        "A PEM file with the certificate and the chain behind it; SIGHUP reads it again.",
    )  # fmt: skip
    key: str = _key(
        "tls.key", "", values.text,
        "A PEM file with the certificate's key, when that is not in the same file.",
    )  # fmt: skip
    plaintext_login: bool = _key(
        "login.plaintext", False, values.switch,
        "Take passwords from other machines without TLS, for everybody on the way to read.",
    )  # fmt: skip
    mechanisms: tuple[str, ...] = _key(
        "login.mechanisms", ("PLAIN", "LOGIN"), values.texts,
        "The SASL mechanisms to offer.",
    )  # fmt: skip
    remember: float = _key(
        "login.remember", 60.0, values.seconds,
        "Seconds for which a password that was right is not checked again; 0 checks always.",
    )  # fmt: skip
    longest_delay: float = _key(
        "login.longest_delay", 15.0, values.seconds,
        "Seconds that answers to somebody who guesses passwords are delayed at most; 0 delays none.",
    )  # fmt: skip
    submitters: tuple[str, ...] = _key(
        "login.submitters", (), values.texts,
        "Users that are servers of mail submission: they may read what URLs with submit+ name (RFC 4467).",
    )  # fmt: skip
    quota_storage: int = _key(
        "quota.storage", 0, values.most,
        "Units of 1024 octets that the messages of each account may have, unless SETQUOTA said otherwise;"
        " 0 for no limit.",
    )  # fmt: skip
    quota_messages: int = _key(
        "quota.messages", 0, values.most,
        "Messages that each account may have; 0 for no limit.",
    )  # fmt: skip
    quota_mailboxes: int = _key(
        "quota.mailboxes", 0, values.most,
        "Mailboxes that each account may have, INBOX among them; 0 for no limit.",
    )  # fmt: skip
    quota_annotations: int = _key(
        "quota.annotations", 0, values.most,
        "Units of 1024 octets that the annotations of each account may have, those of messages and"
        " those of mailboxes; 0 for no limit.",
    )  # fmt: skip
    administrators: tuple[str, ...] = _key(
        "quota.administrators", (), values.texts,
        "Users who may change the limits of every account, which is called as its user:"
        " SETQUOTA bob (STORAGE 1024).",
    )  # fmt: skip
    metadata_comment: str = _key(
        "metadata.comment", "", values.text,
        "A remark on this server for all its users, told as /shared/comment (METADATA).",
    )  # fmt: skip
    metadata_admin: str = _key(
        "metadata.admin", "", values.uri,
        "A URI by which its administrator can be reached, told as /shared/admin.",
    )  # fmt: skip
    filters: Mapping[str, str] = _key(
        "metadata.filters", {}, values.filters,
        "Searches that all users can name (FILTERS): { unanswered = 'UNANSWERED NOT FROM noreply' }.",
    )  # fmt: skip
    delivery_host: str = _key(
        "delivery.host", "", values.text,
        "What this machine calls itself to transports and in Received; '' is its name.",
    )  # fmt: skip
    delivery_separator: str = _key(
        "delivery.separator", "+", values.text,
        "What stands between a user and the mailbox that mail is for, as in alice+lists; '' if nothing does.",
    )  # fmt: skip
    delivery_full_is_permanent: bool = _key(
        "delivery.full_is_permanent", False, values.switch,
        "Refuse mail for a full mailbox (552), instead of asking the transport to try again (452).",
    )  # fmt: skip
    mailboxes: Mapping[str, str] = _key(
        "accounts.mailboxes", {}, values.mailboxes,
        "Mailboxes to make in an account that has only INBOX, with their use:"
        " { Sent = '\\Sent', Trash = '\\Trash', Notes = '' }.",
    )  # fmt: skip
    sharing_account: str = _key(
        "sharing.account", "", values.text,
        "An account of no user, such as \"public\", for public mailboxes and the list of who shares what;"
        " naming one lets users share mailboxes (ACL).",
    )  # fmt: skip
    sharing_others: str = _key(
        "sharing.others", "Other Users", values.prefix,
        "The name above the mailboxes that other users share, behind their names; '' shows none.",
    )  # fmt: skip
    sharing_public: str = _key(
        "sharing.public", "Shared", values.prefix,
        "The name above the public mailboxes; '' shows none.",
    )  # fmt: skip
    sharing_administrators: tuple[str, ...] = _key(
        "sharing.administrators", (), values.texts,
        "Users who make the public mailboxes and say who sees them: [\"alice\"].",
    )  # fmt: skip
    sharing_groups: Mapping[str, tuple[str, ...]] = _key(
        "sharing.groups", {}, values.lists,
        "Groups and their users, { team = [\"alice\", \"bob\"] }; a mailbox is shared with \"$team\".",
    )  # fmt: skip
    disabled: tuple[str, ...] = _key(
        "capabilities.disabled", (), values.texts,
        "Capabilities to be without, for old clients or to test new ones, such as [\"IDLE\", \"MOVE\"]:"
        " their commands are unknown then, and what builds on them goes too.",
    )  # fmt: skip
    disabled_on: Mapping[str, tuple[str, ...]] = _key(
        "capabilities.disabled_on", {}, values.lists,
        "The same for single places of [listen], besides: { 'tcp:1143' = [\"COMPRESS=DEFLATE\"] }.",
    )  # fmt: skip
    utf8_strict: bool = _key(
        "capabilities.utf8_strict", False, values.switch,
        "Refuse uploads with 8-bit octets in their header from clients that did not ENABLE UTF8=ACCEPT,"
        " as RFC 9755 demands; old mail and spam has such headers.",
    )  # fmt: skip
    utf8_only: bool = _key(
        "capabilities.utf8_only", False, values.switch,
        "Serve only clients that ENABLE UTF8=ACCEPT; the others are refused nearly everything.",
    )  # fmt: skip
    language: str = _key(
        "capabilities.language", "en", values.text,
        "The language that LANGUAGE \"default\" means: en, de, fr or ja.",
    )  # fmt: skip
    referred_users: Mapping[str, str] = _key(
        "referrals.users", {}, values.url,
        "Users whose mail is on another server, with its URL; '*' is all others, %u the user:"
        " { tim = 'imap://tim;AUTH=*@two.example.org/' }.",
    )  # fmt: skip
    referred_enter: bool = _key(
        "referrals.enter", False, values.switch,
        "Let these users in all the same, to what others share with them here.",
    )  # fmt: skip
    referred_mailboxes: Mapping[str, tuple[str, ...]] = _key(
        "referrals.mailboxes", {}, values.urls,
        "Mailboxes, with all below them, that are on other servers, with their URLs:"
        " { 'Shared/News' = ['imap://%u;AUTH=*@two.example.org/News'] }.",
    )  # fmt: skip
    log_level: str = _key(
        "log.level", "info", values.level,
        "What `imapd serve` logs: debug, info, warn, error or critical (twist has --log-level).",
    )  # fmt: skip
    limits: Limits = field(factory=Limits)
    #: Where each value came from, by the key's name; under "" what says which file was read.
    origins: Mapping[str, str] = field(factory=dict, repr=False, eq=False)

    @property
    def allowance(self) -> Allowance:
        """What each account may hold."""
        return Allowance(
            self.quota_storage or None,
            self.quota_messages or None,
            self.quota_mailboxes or None,
            self.quota_annotations or None,
        )

    def error(self, name: str, problem: str) -> BadConfig:
        """What is wrong with the value of a key, said with where it came from."""
        return BadConfig(f"{self.origins.get(name) or self.origins.get('', '') + name}: {problem}")


FIELDS: Final[Mapping[str, str]] = {
    each.metadata["key"].name: each.name for each in attrs.fields(Config) if "key" in each.metadata
}

#: The table.
KEYS: Final[Mapping[str, Key]] = {
    key.name: key
    for key in (
        *(each.metadata["key"] for each in attrs.fields(Config) if "key" in each.metadata),
        *limit_keys(),
    )
}

#: What to write where the default says nothing.
EXAMPLES: Final[Mapping[str, Any]] = {
    "store": "maildir:/var/mail/%u",
    "auth": ["passwords:/etc/imapd/passwords"],
    "listen.imap": ["tcp:143"],
    "listen.imaps": ["tcp:993"],
    "listen.lmtp": ["unix:/run/imapd/lmtp"],
    "delivery.host": "mail.example.org",
    "tls.certificate": "/etc/imapd/fullchain.pem",
    "tls.key": "/etc/imapd/privkey.pem",
    "accounts.mailboxes": {"Sent": "\\Sent"},
    "sharing.account": "public",
    "sharing.administrators": ["alice"],
    "sharing.groups": {"team": ["alice", "bob"]},
    "quota.administrators": ["postmaster"],
    "metadata.comment": "Maintenance on Sundays",
    "metadata.admin": "mailto:postmaster@example.org",
    "metadata.filters": {"unanswered": "UNANSWERED NOT FROM noreply"},
    "capabilities.disabled": ["IDLE"],
    "capabilities.disabled_on": {"tcp:1143": ["COMPRESS=DEFLATE"]},
    "referrals.users": {"tim": "imap://tim;AUTH=*@two.example.org/"},
    "referrals.mailboxes": {"Shared/News": ["imap://%u;AUTH=*@two.example.org/News"]},
}
