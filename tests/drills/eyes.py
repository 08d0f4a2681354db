"""What is there: through the server, by a client that is not ours; and on the disk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from imapclient import IMAPClient

from imapd.store.maildir.flagsets import BIT
from tests.drills.ledger import Message, Seen
from tests.drills.letters import named
from tests.drills.serving import PASSWORD, USER

__all__ = ["disagreements", "looked"]

_LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}


def looked(port: int) -> tuple[dict[str, Seen], list[str]]:
    """Every mailbox, and every octet of it; and messages that are no one's."""
    found: dict[str, Seen] = {}
    wrong: list[str] = []
    with IMAPClient("127.0.0.1", port, ssl=False, timeout=30) as client:
        client.login(USER, PASSWORD)
        for flags, _, name in client.list_folders():
            if b"\\Noselect" in flags or b"\\NonExistent" in flags:
                continue
            status = client.select_folder(name, readonly=True)
            items = ["FLAGS", "MODSEQ", "BODY.PEEK[]"]
            fetched = client.fetch(client.search(), items) if status[b"EXISTS"] else {}
            assert len(fetched) == status[b"EXISTS"]
            messages, modseqs = {}, {}
            for uid, got in fetched.items():
                letter = named(got[b"BODY[]"])
                if letter is None:
                    wrong.append(
                        f"{name}: UID {uid} is not as it was sent: {got[b'BODY[]'][:300]!r}"
                    )
                    continue
                kept = frozenset(flag.decode() for flag in got[b"FLAGS"]) - {"\\Recent"}
                messages[uid], modseqs[uid] = Message(letter, kept), got[b"MODSEQ"][0]
            found[name] = Seen(
                status[b"UIDVALIDITY"],
                status[b"UIDNEXT"],
                status[b"HIGHESTMODSEQ"],
                messages,
                modseqs,
            )
    return found, wrong


def disagreements(root: Path) -> Iterator[str]:
    """Between files and rows, when every mailbox has been looked at.

    Files may only be named for older flags where the tree has not followed yet.
    """
    index = sqlite3.connect(
        f"file:{root}/imapd/index.sqlite?mode=ro", uri=True, isolation_level=None
    )
    try:
        index.execute("BEGIN")
        yield from _between(index, root)
    finally:
        index.close()


def _between(index: sqlite3.Connection, root: Path) -> Iterator[str]:
    (verdict,) = index.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        yield f"the index: {verdict}"
    for table in ("doomed", "mailboxes WHERE moving IS NOT NULL"):
        if index.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            yield f"there are still {table}"
    boxes = index.execute(
        "SELECT number, name, directory, uidnext, modseq, tidied, messages, unseen, deleted, size"
        " FROM mailboxes"
    ).fetchall()
    directories = {box[0]: box[2] for box in boxes}
    files = {
        (number, name)
        for number, directory in directories.items()
        for name in os.listdir(root / directory / "cur")
    }
    for number, called, _, uidnext, modseq, tidied, *counts in boxes:
        rows = index.execute(
            "SELECT m.id & 4294967295, m.flags, m.modseq, m.size, f.name, f.home"
            " FROM messages m LEFT JOIN files f ON f.id = m.id WHERE m.id >> 32 = ?", (number,)
        ).fetchall()  # fmt: skip
        flags = [{str(flag) for flag, bit in BIT.items() if row[1] & bit} for row in rows]
        counted = [
            len(rows),
            sum("\\Seen" not in each for each in flags),
            sum("\\Deleted" in each for each in flags),
            sum(row[3] for row in rows),
        ]
        if counted != counts:
            yield f"{called}: messages, unseen, deleted, size are {counted} and said to be {counts}"
        for (uid, _, changed, size, name, home), each in zip(rows, flags):
            if uid >= uidnext or changed > modseq:
                yield f"{called}: UID {uid} of UIDNEXT {uidnext}, modseq {changed} of {modseq}"
            place = number if home is None else home
            if (place, name) not in files:
                yield f"{called}: UID {uid} has no file {name} in {directories.get(place)!r}"
                continue
            files.discard((place, name))
            path = root / directories[place] / "cur" / name
            if path.stat().st_size != size:
                yield f"{called}: UID {uid} has {size} octets, and its file {path.stat().st_size}"
            letters = {
                _LETTERS[letter] for letter in name.partition(":2,")[2] if letter in _LETTERS
            }
            if changed <= tidied and (home is not None or letters != each):
                yield f"{called}: UID {uid} has {sorted(each)}, home {home} and the file {name}"
    for id, name, home in index.execute(
        "SELECT id, name, home FROM files WHERE id NOT IN (SELECT id FROM messages)"
    ):
        # Expunged, and to be removed.
        files.discard((id >> 32 if home is None else home, name))
    for number, name in sorted(files):
        yield f"the file {name} in {directories[number]!r} is no message's"
