"""What real clients once said, said again: the server answers as it did, without the clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.recording import Connection, Recorder, Replay, comparable, read, written
from tests.interop.running import Account

_DIALOGUES = sorted(Path(__file__).with_name("dialogues").glob("*.txt"))


@pytest.mark.parametrize("path", _DIALOGUES, ids=lambda path: path.stem)
def test_dialogue(account: Account, path: Path) -> None:
    """The answers to a recorded client are those that it worked with."""
    replay = Replay((account.host, account.server.imap))
    for connection in read(path.read_text(encoding="ascii")):
        expected = b"".join(octets for who, octets in connection.turns if who == "S")
        answers = replay.run(connection)
        assert comparable(answers) == comparable(expected)


def test_recording(account: Account) -> None:
    """What is recorded is what was said, and comes back from its text."""
    with Recorder((account.host, account.server.imap)) as recorder:
        said = [("C", b"a NOOP\r\nb X \xff\\\r\n"), ("S", b"a OK\r\nb BAD\r\n")]
        greeting = Connection([("S", b"* OK\r\n"), *said, ("C", b"c LOGOUT\r\n")])
        Replay((account.host, recorder.port)).run(greeting)
    (recorded,) = recorder.connections()
    assert [who for who, _ in recorded.turns][:3] == ["S", "C", "S"]
    assert recorded.turns[1] == said[0]
    assert comparable(recorded.turns[2][1]) == [b"a OK #", b"b BAD #"]
    assert read(written([greeting])) == [greeting]


def test_a_changed_answer_is_seen(account: Account) -> None:
    """A dialogue with other answers than the server's does not pass."""
    replay = Replay((account.host, account.server.imap))
    dialogue = "-- connection\nS: * OK hello\nC: a NOOP\nS: a NO really\n"
    (connection,) = read(dialogue)
    assert comparable(replay.run(connection)) == [b"* OK [CAPABILITY #] #", b"a OK #"]
