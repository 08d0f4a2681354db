"""PREVIEW as a client sees it (RFC 8970)."""

from __future__ import annotations

import pytest

from imapd.model.message import FLAGS, HEADER_SIZE, INTERNAL_DATE, MODSEQ, PREVIEW, SIZE
from imapd.store.maildir import MaildirStore
from imapd.store.memory import MemoryStore
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server, letter, same

_HTML = "Content-Type: text/html; charset=utf-8"


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected a few messages."""
    client = anywhere.login()
    client.append(
        letter("plain", 'He said "hi".\r\n'),
        letter("html", "<p>Grüße <b>aus</b> Köln</p>", _HTML),
        letter("image", "PNG", "Content-Type: image/png"),
    )
    return client.select()


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "PREVIEW" in server.connect().command("CAPABILITY")[0].split(" ")


@pytest.mark.parametrize("modifier", ["", " (LAZY)", " (lazy)", " ( LAZY LAZY )"])
def test_fetch(alice: Dialogue, modifier: str) -> None:
    """What was appended here has its preview at once; what has no text an empty string (3.2)."""
    same(
        alice.do(f"FETCH 1:3 (PREVIEW{modifier})"),
        '* 1 FETCH (PREVIEW "He said \\"hi\\".")',
        "* 2 FETCH (PREVIEW {17}",
        "Grüße aus Köln)",
        '* 3 FETCH (PREVIEW "")',
        "a OK FETCH completed",
    )


def test_with_others(alice: Dialogue) -> None:
    """It may stand among other items, alone, by UID, and before the modifiers of FETCH."""
    assert alice.ok("FETCH 1 (UID preview RFC822.SIZE)").startswith(
        b'* 1 FETCH (UID 1 PREVIEW "He said \\"hi\\"." RFC822.SIZE '
    )
    assert alice.ok("UID FETCH 3 PREVIEW") == b'* 3 FETCH (UID 3 PREVIEW "")\r\n'
    assert alice.ok("UID FETCH 3 PREVIEW (LAZY)") == b'* 3 FETCH (UID 3 PREVIEW "")\r\n'
    alice.ok("ENABLE CONDSTORE")
    assert alice.ok("UID FETCH 1:3 PREVIEW (LAZY) (CHANGEDSINCE 999)") == b""
    assert alice.ok("UID FETCH 1:3 PREVIEW (CHANGEDSINCE 999)") == b""


def test_seen_stays(alice: Dialogue) -> None:
    r"""Asking for it does not set \Seen."""
    alice.ok("FETCH 1:3 PREVIEW")
    assert alice.command("SEARCH SEEN")[0] == "* SEARCH"


@pytest.mark.parametrize(
    "items",
    ["(PREVIEW (FUZZY))", "(PREVIEW ())", "(PREVIEW (LAZY)", "PREVIEW LAZY", "(PREVIEW (LAZY FUZZY))",
     "PREVIEW (FUZZY)", "PREVIEW[1]", "(PREVIEW(LAZY))"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, items: str) -> None:
    """What the grammar has not is BAD (6)."""
    assert alice.do(f"FETCH 1 {items}").startswith(b"a BAD ")


def test_copies(alice: Dialogue) -> None:
    """A copy, a moved message and one in a renamed mailbox have theirs at once."""
    alice.ok("CREATE box")
    alice.ok("COPY 2 box")
    alice.ok("MOVE 1 box")
    alice.ok("RENAME box cube")
    alice.select("cube")
    assert (
        alice.ok("FETCH 1:2 PREVIEW (LAZY)")
        == (
            "* 1 FETCH (PREVIEW {17}\r\nGrüße aus Köln)\r\n"
            '* 2 FETCH (PREVIEW "He said \\"hi\\".")\r\n'
        ).encode()
    )


def _forget(server: Server) -> None:
    """As if an older program had put the messages there."""
    if isinstance(server.store, MemoryStore):
        for account in server.store._accounts.values():
            for box in account._mailboxes.values():
                box._columns[PREVIEW] = [None] * len(box._columns[PREVIEW])
    else:
        assert isinstance(server.store, MaildirStore)
        for account in server.store._accounts.values():
            account.index.sql("DELETE FROM previews")


def test_lazy(anywhere: Server, alice: Dialogue) -> None:
    """LAZY does not wait for a preview that is still to be made; without it, it is made, and stays (4.1)."""
    _forget(anywhere)
    assert alice.ok("FETCH 1:3 (PREVIEW (LAZY))") == (
        b"* 1 FETCH (PREVIEW NIL)\r\n* 2 FETCH (PREVIEW NIL)\r\n* 3 FETCH (PREVIEW NIL)\r\n"
    )
    assert alice.ok("FETCH 1 (PREVIEW)") == b'* 1 FETCH (PREVIEW "He said \\"hi\\".")\r\n'
    assert alice.ok("FETCH 1,3 (ENVELOPE PREVIEW (LAZY))").count(b"PREVIEW NIL") == 1
    assert alice.ok("FETCH 1:3 (PREVIEW)").count(b"PREVIEW NIL") == 0
    assert alice.ok("FETCH 1:3 (PREVIEW (LAZY))").count(b"PREVIEW NIL") == 0


def test_lazy_and_not(anywhere: Server, alice: Dialogue) -> None:
    """Asked for in both ways it is told once, and not NIL (3.2)."""
    for items in ("(PREVIEW (LAZY) PREVIEW)", "(PREVIEW PREVIEW (LAZY))"):
        _forget(anywhere)
        assert alice.ok(f"FETCH 3 {items}") == b'* 3 FETCH (PREVIEW "")\r\n'


def test_a_store_that_keeps_none(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a store keeps no previews they are made each time, but for LAZY."""
    kept = frozenset((FLAGS, MODSEQ, INTERNAL_DATE, SIZE, HEADER_SIZE))
    client = server.login().append(letter()).select()
    monkeypatch.setattr(memory, "_SERVED", kept)
    assert client.ok("FETCH 1 (PREVIEW (LAZY))") == b"* 1 FETCH (PREVIEW NIL)\r\n"
    assert client.ok("FETCH 1 (PREVIEW)") == b'* 1 FETCH (PREVIEW "Hello.")\r\n'


def test_gone(alice: Dialogue, anywhere: Server) -> None:
    """Of a message that another client removed nothing is told, and never NIL."""
    other = anywhere.client(select="INBOX")
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    assert b"PREVIEW" not in alice.do("FETCH 2 PREVIEW")
