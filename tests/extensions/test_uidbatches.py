"""UIDBATCHES as a client sees it (RFC 10022)."""

from __future__ import annotations

import pytest

from imapd.extensions import uidbatches
from tests.dialogue import Dialogue, Server, same


def _filled(client: Dialogue, doublings: int) -> Dialogue:
    """INBOX has so many messages as a power of two, with the UIDs from 1 on."""
    client.fill(1).select()
    for _ in range(doublings):
        client.ok("UID COPY 1:* INBOX")
    return client


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client that has selected 2048 messages, with the UIDs from 1 on."""
    return _filled(anywhere.login(enable="IMAP4rev2"), 11)


@pytest.fixture
def few(anywhere: Server) -> Dialogue:
    """A client that has selected two messages."""
    return anywhere.client().fill(2).select()


def test_all(alice: Dialogue) -> None:
    """The mailbox in batches of that size, the latest first, the last one to UID 1 (3.1, 3.1.4)."""
    same(
        alice.do("UIDBATCHES 600"),
        '* UIDBATCHES (TAG "a") 2048:1449,1448:849,848:249,248:1',
        "a OK UIDBATCHES completed",
    )


def test_batches_hold_so_many_messages(alice: Dialogue) -> None:
    """Batches count messages, not UIDs: each has no more than was asked for, and just so many (3.1.3)."""
    alice.ok("UID STORE 1001:1500,2001:2048 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    same(
        alice.do("UIDBATCHES 500"),
        '* UIDBATCHES (TAG "a") 2000:1501,1500:501,500:1',
        "a OK UIDBATCHES completed",
    )
    found = [alice.ok(f"UID SEARCH RETURN (COUNT) UID {uids}").split()[-1]
             for uids in ("2000:1501", "1500:501", "500:1")]  # fmt: skip
    assert found == [b"500", b"500", b"500"]


@pytest.mark.parametrize("size", [2048, 2049, 4294967295])
def test_one_batch(alice: Dialogue, size: int) -> None:
    """A size of all messages or more gives a single range (3.1.3.3.1)."""
    assert alice.ok(f"UIDBATCHES {size}") == b'* UIDBATCHES (TAG "a") 2048:1\r\n'


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1:1", " 2048:1549"),
        ("2:3", " 1548:1049,1048:549"),
        ("4:4", " 548:49"),
        ("5:5", " 48:1"),
        ("4:9", " 548:49,48:1"),
        ("6:8", ""),
        ("4294967295:4294967295", ""),
    ],
)
def test_batch_range(alice: Dialogue, asked: str, told: str) -> None:
    """Only the batches asked for; those that there are not are left out, if need be all (3.1.5, 3.1.6)."""
    same(
        alice.do(f"UIDBATCHES 500 {asked}"),
        f'* UIDBATCHES (TAG "a"){told}',
        "a OK UIDBATCHES completed",
    )


def test_empty_mailbox(anywhere: Server) -> None:
    """An empty mailbox has no batch, and the response comes all the same (3.1.6)."""
    client = anywhere.client(select="INBOX")
    assert client.ok("UIDBATCHES 2000") == b'* UIDBATCHES (TAG "a")\r\n'


def test_tag(alice: Dialogue) -> None:
    """The response has the tag of its command (3.1.2)."""
    assert alice.send(b"A143 uidbatches 2000 1:1\r\n").startswith(b'* UIDBATCHES (TAG "A143") ')


@pytest.mark.parametrize("size", [1, 499])
def test_too_few(few: Dialogue, size: int) -> None:
    """A size below 500 is refused, and 500 is the smallest (3.1.3.2)."""
    same(few.do(f"UIDBATCHES {size}"), "a NO [TOOFEW] Minimum batch size is 500")


def test_too_many(alice: Dialogue) -> None:
    """A range of batches holds 100,000 messages at most (3.1.5)."""
    same(alice.do("UIDBATCHES 2000 1:51"), "a NO [TOOMANY] Too many messages")
    same(alice.do("UIDBATCHES 100001 7:7"), "a NO [TOOMANY] Too many messages")
    assert alice.ok("UIDBATCHES 2000 1:50").endswith(b" 2048:49,48:1\r\n")


def test_wrong_order(few: Dialogue) -> None:
    """A range from high to low is a client's bug (3.1.5)."""
    same(few.do("UIDBATCHES 2000 4:1"), "a BAD [CLIENTBUG] Invalid batch range")


@pytest.mark.parametrize(
    "command",
    ["UIDBATCHES", "UIDBATCHES 0", "UIDBATCHES 500 1", "UIDBATCHES 500 0:1", "UIDBATCHES 500 1:*",
     "UIDBATCHES 500 1:2,3:4", "UIDBATCHES x", "UIDBATCHES 500 1:2 x", "UIDBATCHES 4294967296"],
)  # fmt: skip
def test_wrong_parameters(few: Dialogue, command: str) -> None:
    """What the grammar has not is BAD."""
    assert few.do(command).startswith(b"a BAD ")


def test_only_when_selected(server: Server) -> None:
    """There must be a mailbox to cut."""
    assert server.client().do("UIDBATCHES 500").startswith(b"a BAD ")


def test_the_same_question_again(alice: Dialogue) -> None:
    """A client that asks again though nothing has changed is refused (3.1.1)."""
    alice.ok("UIDBATCHES 1000 1:2")
    alice.ok("UIDBATCHES 1000 2:3")
    for again in ("1:2", "2:2", "1:3"):
        assert alice.do(f"UIDBATCHES 1000 {again}").startswith(b"a NO [LIMIT] ")
    # What brings something new, another size, another mailbox:
    assert alice.ok("UIDBATCHES 1000 3:4").endswith(b'(TAG "a") 48:1\r\n')
    assert alice.do("UIDBATCHES 1000").startswith(b"a NO [LIMIT] ")
    assert alice.ok("UIDBATCHES 1000 4:5") == b'* UIDBATCHES (TAG "a")\r\n'
    alice.ok("UIDBATCHES 2000")
    alice.select()
    alice.ok("UIDBATCHES 2000")


def test_again_after_removals(alice: Dialogue) -> None:
    """When more than half a batch went away it may ask again, not before (3.1.1)."""
    alice.ok("UIDBATCHES 1000")
    alice.ok("UID STORE 1:500 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    assert alice.do("UIDBATCHES 1000").startswith(b"a NO [LIMIT] ")
    alice.ok("UID STORE 501 +FLAGS.SILENT (\\Deleted)")
    alice.ok("EXPUNGE")
    assert alice.ok("UIDBATCHES 1000").endswith(b" 2048:1049,1048:1\r\n")


def test_again_after_arrivals(alice: Dialogue) -> None:
    """The same when more than half a batch is new (3.1.1)."""
    alice.ok("UIDBATCHES 1000")
    alice.ok("UID COPY 1:500 INBOX")
    assert alice.do("UIDBATCHES 1000").startswith(b"a NO [LIMIT] ")
    alice.ok("UID COPY 1 INBOX")
    assert alice.ok("UIDBATCHES 1000").endswith(b" 2549:1550,1549:550,549:1\r\n")


def test_with_uidonly(alice: Dialogue) -> None:
    """It is what a client without sequence numbers cuts a mailbox with (3.3)."""
    alice.ok("ENABLE UIDONLY")
    assert alice.ok("UIDBATCHES 2000").endswith(b" 2048:49,48:1\r\n")


def test_saved_result_stays(alice: Dialogue) -> None:
    """``$`` is not touched (3.4)."""
    alice.ok("UID SEARCH RETURN (SAVE) UID 5:7")
    alice.ok("UIDBATCHES 2000")
    assert alice.ok("UID SEARCH $").endswith(b" ALL 5:7\r\n")


def test_batches_are_of_what_was_told(anywhere: Server, alice: Dialogue) -> None:
    """Messages the client has not heard of are in no batch: their EXISTS comes with the answer."""
    anywhere.client().fill(1)
    same(
        alice.do("UIDBATCHES 2000"),
        '* UIDBATCHES (TAG "a") 2048:49,48:1',
        "* 2049 EXISTS",
        "a OK UIDBATCHES completed",
    )


def test_many_ranges(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long answer is written in pieces, and is one line all the same."""
    monkeypatch.setattr(uidbatches, "_RANGES", 2)
    client = _filled(server.login(enable="IMAP4rev2"), 11)
    assert client.ok("UIDBATCHES 500") == (
        b'* UIDBATCHES (TAG "a") 2048:1549,1548:1049,1048:549,548:49,48:1\r\n'
    )
    assert client.ok("UIDBATCHES 512") == (
        b'* UIDBATCHES (TAG "a") 2048:1537,1536:1025,1024:513,512:1\r\n'
    )
