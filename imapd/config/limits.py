"""The keys of ``[limits]``: one for each bound of `imapd.model.limits.Limits`."""

from __future__ import annotations

from typing import Final

import attrs

from imapd.config.key import Key
from imapd.config.values import most, seconds, whole
from imapd.model.limits import Limits

__all__ = ["limit_keys"]

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
    "fuzzy_strings": "Strings of one search that are looked for in other forms (SEARCH=FUZZY).",
    "search_mailboxes": "Mailboxes that one ESEARCH looks through (MULTISEARCH).",
    "contexts": "Results of one session that are kept up to date (CONTEXT).",
    "context_messages": "Messages in all of these together.",
    "notify_mailboxes": "Mailboxes that one NOTIFY may watch.",
    "input": "Octets a client may send ahead while a command runs.",
    "output": "Octets of answers a client has not read yet before its command waits.",
    "lmtp_line": "Octets of one line of LMTP.",
    "lmtp_timeout": "Seconds that an LMTP client has for a command.",
    "recipients": "Recipients of one message by LMTP.",
    "bad_commands": "Commands in a row that make no sense before the connection ends.",
    "bad_logins": "Failed log-ins before the connection ends.",
    "mime_parts": "MIME parts of one message that are told apart.",
    "mime_depth": "MIME parts inside parts that are told apart.",
    "mime_header": "Octets of one header that are interpreted.",
    "metadata_value": "Octets of one annotation, of a mailbox (METADATA) or of a message (ANNOTATE).",
    "metadata_entries": "Annotations of one mailbox; of one message, those of one user and those shared.",
    "metadata": "Octets of all annotations of mailboxes of one account, and of all those of its messages.",
    "mailbox_name": "Characters of a mailbox name.",
    "mailbox_level": "Octets of one level of a mailbox name.",
    "thread_references": "References of all messages together that THREAD follows.",
    "idle_timeout": "Seconds without a command before the connection ends; RFC 9051 asks for 1800.",
    "login_timeout": "Seconds before log-in.",
    "write_timeout": "Seconds that answers may wait for a client that does not read them.",
}


def limit_keys() -> tuple[Key, ...]:
    """One for each field of `Limits`."""
    return tuple(
        Key(
            f"limits.{each.name}",
            each.default,
            _LIMITS.get(each.name, ""),
            seconds if isinstance(each.default, float) else whole if each.default else most,
        )
        for each in attrs.fields(Limits)
    )
