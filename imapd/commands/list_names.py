"""Which names of an account LIST and LSUB show, and what is below them (RFC 5258, 3.3 and 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from attrs import define

from imapd.model.mailbox import DELIMITER, INBOX, MailboxInfo

__all__ = ["Row", "rows"]

_BELOW_INBOX: Final = INBOX + DELIMITER
#: Names that are looked at between two moments at which others may have their turn.
_FEW: Final = 16


@define
class Row:
    """One name that is shown; one that the account does not have is a `MailboxInfo` that does not exist."""

    info: MailboxInfo
    #: It was chosen itself; otherwise it is here for what is below it.
    chosen: bool
    #: A mailbox is below it.
    has_children: bool
    #: A name that was chosen is below it, whether it is shown or not.
    holds_chosen: bool


def rows(
    infos: Sequence[MailboxInfo],
    *,
    chosen: Callable[[MailboxInfo], bool],
    matches: Callable[[str], bool],
    holds: Callable[[str], bool] | None,
) -> Iterator[Row | None]:
    """Rows, INBOX first, parents before children; None is a good moment to let others have their turn.

    Shown are the `chosen` that match, and those names above chosen ones for which `holds`
    is true, if one of the chosen below them is not shown.
    """
    shown: dict[str, MailboxInfo | None] = {}
    parents: set[str] = set()
    holding: set[str] = set()
    hiding: set[str] = set()
    for number, info in enumerate(infos):
        name = info.name
        below = DELIMITER in name
        if below and info.exists:
            _add_superiors(parents, name)
        if chosen(info):
            if below:
                _add_superiors(holding, name)
            if matches(name):
                shown[name] = info
            elif below:
                _add_superiors(hiding, name)
        if not number % _FEW:
            yield None
    own = frozenset(shown)
    if holds is not None:
        for name in hiding:
            if holds(name):
                shown[name] = None
            yield None
        for info in infos:
            if info.name in shown:
                shown[info.name] = info
    for number, name in enumerate(sorted(shown, key=_levels)):
        if not number % _FEW:
            yield None
        known = shown[name]
        yield Row(
            info=MailboxInfo(name, exists=False, selectable=False) if known is None else known,
            chosen=name in own,
            has_children=name in parents,
            holds_chosen=name in holding,
        )


def _levels(name: str) -> str:
    """What to sort by: INBOX first, and nothing between a name and what is below it."""
    levels = name.replace(DELIMITER, "\0") if DELIMITER in name else name
    return "\0" + levels if name == INBOX or name.startswith(_BELOW_INBOX) else levels


def _add_superiors(names: set[str], name: str) -> None:
    """Add ``a/b`` and ``a`` for ``a/b/c``; where one is, those above it are."""
    place = name.rfind(DELIMITER)
    while place > 0:
        name = name[:place]
        if name in names:
            break
        names.add(name)
        place = name.rfind(DELIMITER)
