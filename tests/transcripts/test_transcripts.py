"""The RFCs' own examples, replayed: fed whole, by 7 octets and by 1, on every store.

A file in ``rfcNNNN/`` holds one conversation.  Its lines are::

    #  words for the reader
    @  what is done before: "@ fill NAME COUNT", "@ message NAME ..." with lines "| ..." after
       it, "@ sharing" if users see mailboxes of each other, "@ as USER ..." for a command of
       another user, "@ state greeted|logged-in|selected NAME|examined NAME", "@ peer ADDRESS",
       "@ administrator NAME", or any command, which another session of the user sends, and which
       must succeed
    O: what that other session sends meanwhile, or "arrives in NAME" for a new message
    C: what the client sends, and
    S: what the server must say, with {{*}} for any text and {{name}} for a word it chose

CRLF ends every line of both, so a literal is simply the lines that follow.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from tests.backends import Backend
from tests.dialogue import Dialogue, Server, same
from tests.sharing.houses import opened_up

_FILES = sorted(Path(__file__).parent.glob("rfc*/*.txt"))


@pytest.mark.parametrize("step", [0, 7, 1], ids=["whole", "by 7", "by 1"])
@pytest.mark.parametrize("path", _FILES, ids=[f"{p.parent.name}/{p.stem}" for p in _FILES])
def test_example(backend: Backend, path: Path, step: int) -> None:
    """The server says what the RFC's example says."""
    lines = path.read_text("utf-8").splitlines()
    server = backend.server()
    client, other = _prepared(server, [line for line in lines if line.startswith(("@", "|"))])
    client.step = step
    said: list[str] = []
    heard: list[str] = []
    for line in lines:
        kind, text = line[:3].strip(), line[3:]
        if kind == "O:":
            _exchange(client, said, heard)
            if text.startswith("arrives in "):
                other.append(b"\r\n", mailbox=text.removeprefix("arrives in "))
            else:
                other.ok(text)
        elif kind == "C:":
            if heard:
                _exchange(client, said, heard)
            said.append(text)
        elif kind == "S:":
            heard.append(text)
        else:
            assert kind == "" or kind[0] in "#@|", f"{path}: {line}"
    _exchange(client, said, heard)
    server.close()
    backend.close()


def _exchange(client: Dialogue, said: list[str], heard: list[str]) -> None:
    if not said and not heard:
        return
    answer = client.send("".join(line + "\r\n" for line in said).encode("utf-8"))
    same(answer, *heard)
    said.clear()
    heard.clear()


def _prepared(server: Server, lines: list[str]) -> tuple[Dialogue, Dialogue]:
    """The client in its state, and the other session."""
    governors = [line.split()[2] for line in lines if line.startswith("@ administrator ")]
    server.factory.policy = evolve(server.factory.policy, administrators=frozenset(governors))
    other = server.client()
    state, peer = "greeted", "127.0.0.1"
    at = 0
    while at < len(lines):
        words = lines[at].split()[1:]
        at += 1
        if words[0] == "fill":
            other.fill(int(words[2]), words[1]).ok(f"SELECT {words[1]}")
        elif words[0] == "message":
            message = ""
            while at < len(lines) and lines[at].startswith("|"):
                message += lines[at][2:] + "\r\n"
                at += 1
            other.ok("APPEND " + " ".join(words[1:]), message.encode("utf-8"))
        elif words[0] == "state":
            state = " ".join(words[1:])
        elif words[0] == "peer":
            peer = words[1]
        elif words[0] == "sharing":
            opened_up(server)
            other = server.client()
        elif words[0] == "as":
            server.client(words[1]).ok(" ".join(words[2:]))
        elif words[0] != "administrator":
            other.ok(" ".join(words))
    client = server.connect(peer)
    if state != "greeted":
        client.log_in()
    if state.startswith(("selected", "examined")):
        word, name = state.split(" ", 1)
        client.ok(f"{'SELECT' if word == 'selected' else 'EXAMINE'} {name}")
    return client, other


def test_examples_are_there() -> None:
    """Each RFC that the server says it speaks has its examples here."""
    names = {path.parent.name for path in _FILES}
    assert {
        "rfc9051", "rfc3501", "rfc7888", "rfc2177", "rfc4315", "rfc6851", "rfc3516", "rfc5182", "rfc4731",
        "rfc5258", "rfc5819", "rfc6154", "rfc3691", "rfc5161", "rfc4959", "rfc2342",
        "rfc5032", "rfc5256", "rfc5466", "rfc6203", "rfc7377", "rfc8970", "rfc8474", "rfc8514",
        "rfc9394", "rfc10022",
        "rfc7162", "rfc9586",
    } <= names  # fmt: skip


def test_a_wrong_answer_is_noticed(backend: Backend, tmp_path: Path) -> None:
    """The gate can fail."""
    client = backend.server().connect()
    with pytest.raises(AssertionError):
        _exchange(client, ["a NOOP"], ["a OK CHECK completed"])
    with pytest.raises(AssertionError):
        _exchange(client, ["a NOOP"], ["a OK {{word}}"])
