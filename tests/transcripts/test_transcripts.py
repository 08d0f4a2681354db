"""The RFCs' own examples, replayed: fed whole, by 7 octets and by 1, on every store.

A file in ``rfcNNNN/`` holds one conversation.  Its lines are::

    #  words for the reader
    @  what is done before: "@ fill NAME COUNT", "@ message NAME ..." with lines "| ..." after
       it, "@ sharing" if users see mailboxes of each other, "@ as USER ..." for a command of
       another user, "@ state greeted|logged-in|compressed|selected NAME|examined NAME",
       "@ peer ADDRESS", or what is changed about the server:
           "@ administrator NAME", "@ submitter NAME", "@ limit NAME NUMBER", "@ certificate",
           "@ elsewhere NAME URL ..." for mailboxes and "@ moved USER URL [enters]" for users that
           are on another server, "@ slow SECONDS" for the reading and copying of each message
       or any command, which another session of the user sends, and which must succeed
    O: what that other session sends meanwhile, or "arrives in NAME" for a new message
    C: what the client sends, and
    S: what the server must say, with {{*}} for any text and {{name}} for a word it chose; in a
       line of the client's, {{name}} is the last such word of that name
    [NUMBER seconds later]

CRLF ends every line of both, so a literal is simply the lines that follow.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.backends import Backend
from tests.dialogue import Dialogue, same
from tests.extensions.test_compress import Compressed
from tests.transcripts.preparing import prepared

_FILES = sorted(Path(__file__).parent.glob("rfc*/*.txt"))


@pytest.mark.parametrize("step", [0, 7, 1], ids=["whole", "by 7", "by 1"])
@pytest.mark.parametrize("path", _FILES, ids=[f"{p.parent.name}/{p.stem}" for p in _FILES])
def test_example(backend: Backend, path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says what the RFC's example says."""
    lines = path.read_text("utf-8").splitlines()
    server = backend.server()
    client, other = prepared(
        server, [line for line in lines if line.startswith(("@", "|"))], step, monkeypatch
    )
    talk = _Talk(client)
    for line in lines:
        kind, text = line[:3].strip(), line[3:]
        if kind == "O:":
            talk.exchange()
            if text.startswith("arrives in "):
                other.append(b"\r\n", mailbox=text.removeprefix("arrives in "))
            else:
                other.ok(text)
        elif kind == "C:":
            if talk.heard:
                talk.exchange()
            talk.said.append(text)
        elif kind == "S:":
            talk.heard.append(text)
        elif later := re.fullmatch(r"\[(\d+) seconds? later\]", line):
            talk.exchange()
            server.advance(int(later[1]))
        else:
            assert kind == "" or kind[0] in "#@|", f"{path}: {line}"
    talk.exchange()
    server.close()
    backend.close()


class _Talk:
    """What was said, what must be heard, and the words that were heard before."""

    def __init__(self, client: Dialogue | Compressed) -> None:
        self.client = client
        self.said: list[str] = []
        self.heard: list[str] = []
        self.words: dict[str, str] = {}

    def exchange(self) -> None:
        """AssertionError unless the answer is what must be heard."""
        if not self.said and not self.heard:
            return
        said = "".join(line + "\r\n" for line in self.said)
        for name, word in self.words.items():
            said = said.replace("{{" + name + "}}", word)
        answer = self.client.send(said.encode("utf-8"))
        for name, word in same(answer, *self.heard).items():
            self.words[name] = word.decode("utf-8")
        self.said.clear()
        self.heard.clear()


def test_examples_are_there() -> None:
    """Each RFC that the server says it speaks has its examples here."""
    names = {path.parent.name for path in _FILES}
    assert {
        "rfc9051", "rfc3501", "rfc7888", "rfc2177", "rfc4315", "rfc6851", "rfc3516", "rfc5182", "rfc4731",
        "rfc5258", "rfc5819", "rfc6154", "rfc3691", "rfc5161", "rfc4959", "rfc2342",
        "rfc5032", "rfc5256", "rfc5466", "rfc6203", "rfc7377", "rfc8970", "rfc8474", "rfc8514",
        "rfc9394", "rfc10022",
        "rfc7162", "rfc9586",
        "rfc2193", "rfc2221", "rfc4469", "rfc4978", "rfc5524", "rfc5550", "rfc8438", "rfc9585", "rfc9738",
    } <= names  # fmt: skip


def test_a_wrong_answer_is_noticed(backend: Backend) -> None:
    """The gate can fail."""
    for wrong in ("a OK CHECK completed", "a OK {{word}}"):
        talk = _Talk(backend.server().connect())
        talk.said.append("a NOOP")
        talk.heard.append(wrong)
        with pytest.raises(AssertionError):
            talk.exchange()
