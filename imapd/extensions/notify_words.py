"""The untagged responses that NOTIFY sends: LIST and STATUS (RFC 5465, 5.1 to 5.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imapd.extensions.notify_names import Names
from imapd.model.mailbox import MailboxInfo, Status
from imapd.session.session import Session

__all__ = ["figures", "listed"]


def figures(session: Session, name: str, status: Status, items: Sequence[str]) -> bytes:
    """The STATUS response with these items."""
    known = session.policy.dialect.status_items
    return b"* STATUS %b (%b)\r\n" % (
        session.mailbox_name(name),
        b" ".join(
            b"%b %d" % (item.encode("ascii"), int(known[item.encode("ascii")].value(status)))
            for item in items
        ),
    )


def listed(session: Session, names: Names, name: str, old_name: str) -> bytes:
    """The LIST response of a name as it is now; attributes are exact (RFC 5465, 5.5)."""
    info = names.infos.get(name) or MailboxInfo(name, exists=False, selectable=False)
    extended = b""
    if old_name:
        extended = b' ("OLDNAME" (%b))' % session.mailbox_name(old_name)
    return b'* LIST (%b) "/" %b%b\r\n' % (
        b" ".join(_attributes(info, name in names.parents)),
        session.mailbox_name(name),
        extended,
    )


def _attributes(info: MailboxInfo, has_children: bool) -> Iterator[bytes]:
    r"""RFC 5465, 5.4: what is no mailbox is \NonExistent, also where others hang below it."""
    if not info.id:
        yield b"\\NonExistent"
    elif not info.selectable:
        yield b"\\Noselect"
    if info.subscribed:
        yield b"\\Subscribed"
    yield b"\\HasChildren" if has_children else b"\\HasNoChildren"
    for use in sorted(info.special_use):
        yield use.encode("ascii")
