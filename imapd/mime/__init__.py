"""A message's octets to its parts and what IMAP tells of them; pure, and total over any octets."""

from imapd.mime.bodystructure import body, bodystructure
from imapd.mime.envelope import envelope
from imapd.mime.facts import facts
from imapd.mime.headers import select
from imapd.mime.octets import Octets
from imapd.mime.parse import Kind, Part, parse
from imapd.mime.preview import preview
from imapd.mime.section import SectionText, find, span
from imapd.mime.sent import sent_day
from imapd.mime.text import decoded_text
from imapd.mime.transfer import UnknownEncoding

__all__ = [
    "Kind",
    "Octets",
    "Part",
    "SectionText",
    "UnknownEncoding",
    "body",
    "bodystructure",
    "decoded_text",
    "envelope",
    "facts",
    "find",
    "parse",
    "preview",
    "select",
    "sent_day",
    "span",
]
