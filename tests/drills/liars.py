"""Servers that are wrong on purpose: the drill must find each of them out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from imapd.model.mailbox import Changes, Copied, Stored
from imapd.store.maildir import delivery, flagging, moving, tidy
from imapd.store.maildir.edit import Edit
from imapd.store.maildir.index import Index
from imapd.store.maildir.spool import Draft

__all__ = ["LIES"]


def _answer_before_the_commit() -> None:
    begin, commit = Index.begin, Index.commit
    waiting: set[Index] = set()

    def late_begin(self: Index, durable: bool) -> None:
        if self in waiting:
            waiting.discard(self)
            commit(self)
        begin(self, durable)

    def no_commit(self: Index) -> None:
        if self._checkpoints:
            # The writer's: others cannot write until it begins again.
            waiting.add(self)
        else:
            commit(self)

    Index.begin, Index.commit = late_begin, no_commit  # type: ignore[method-assign]


def _undone(module: Any, name: str) -> None:
    work = getattr(module, name)

    def undone(turn: Any, *arguments: Any) -> Any:
        turn.index.sql("SAVEPOINT lie")
        answer = work(turn, *arguments)
        turn.index.sql("ROLLBACK TO lie")
        turn.index.sql("RELEASE lie")
        return answer

    setattr(module, name, undone)


def _lose_what_moves() -> None:
    def lose(turn: Any, number: int, ids: Any) -> bool:
        for id in ids:
            turn.index.sql("DELETE FROM messages WHERE id = ? AND id IN"
                           " (SELECT id FROM files WHERE home IS NOT NULL)", (id,))  # fmt: skip
        return True

    tidy._rename = lose


def _keep_the_source_of_a_move() -> None:
    def keep(turn: Any, number: int, uids: Any, destination: int) -> Copied:
        modseq = turn.index.mailbox(number).modseq
        copied = delivery.copy(turn, number, uids, destination)
        return evolve(copied, removed=Changes(modseq, modseq))

    moving.move = keep


def _forget_flags() -> None:
    def forget(turn: Any, number: int, *rest: Any) -> Stored:
        row = turn.index.mailbox(number)
        return Stored(Changes(row.modseq, row.modseq))

    flagging.store = forget


def _give_uids_again() -> None:
    finish = Edit.finish

    def again(self: Edit) -> Changes:
        changes = finish(self)
        if self._gone:
            self.turn.index.sql(
                "UPDATE mailboxes SET uidnext = max(1, ? - 1) WHERE number = ?",
                (self.uidnext, self.row.number),
            )
        return changes

    Edit.finish = again  # type: ignore[method-assign]


def _cut_large_messages() -> None:
    write = Draft.write
    Draft.write = lambda self, data: write(self, data[:8_000])  # type: ignore[method-assign]


def _keep_expunged_files() -> None:
    def keep(path: str) -> None:
        if "/cur/" not in path:
            unlink(path)

    unlink = os.unlink
    os.unlink = keep  # type: ignore[assignment]


#: What makes the store of this process lie, by name.
LIES: Mapping[str, Callable[[], None]] = {
    "answers before the commit": _answer_before_the_commit,
    "says that it moved": lambda: _undone(moving, "move"),
    "loses what moves": _lose_what_moves,
    "keeps the source of a move": _keep_the_source_of_a_move,
    "forgets flags": _forget_flags,
    "says that it expunged": lambda: _undone(moving, "expunge"),
    "gives UIDs again": _give_uids_again,
    "cuts large messages": _cut_large_messages,
    "keeps expunged files": _keep_expunged_files,
}
