r"""Clients of one account that do at random what clients do, and believe what they are told.

Rules of this file:

* Messages with an even number are kept: no client sets their \Deleted, or puts them where
  mailboxes are deleted.  So each is there in the end as often as it was put there.
* What several do at once may be refused; it is never wrong.
"""

from __future__ import annotations

import random
import re
import select
import socket
from collections import Counter
from threading import Lock

from attrs import define, field

from tests.drills.ledger import History
from tests.drills.letters import octets
from tests.drills.serving import PASSWORD, USER
from tests.session.imitation import Believer, Seen

__all__ = ["KEPT", "Client", "Ledger", "is_kept"]

#: Mailboxes that stay, those that are renamed, and those that come and go.
_STAYING = ("INBOX", "shared")
_RENAMED = tuple(f"named/{number}" for number in range(4))
KEPT = (*_STAYING, *_RENAMED)
_PASSING = tuple(f"passing/{number}" for number in range(3))
_WORDS = ("\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "several")

_PATIENCE = 60.0
_NAME = re.compile(rb'"((?:c|mta)\d+/\d+)"')
_MODSEQ = re.compile(rb"MODSEQ \((\d+)\)")
_UIDVALIDITY = re.compile(rb"UIDVALIDITY (\d+)\]")
_COPIED = re.compile(rb"\[COPYUID \d+ ([\d,:]+) ")
#: What a store that is shared may say no to.
_REFUSALS = re.compile(
    rb"NO (\[(NONEXISTENT|TRYCREATE|ALREADYEXISTS|HASCHILDREN|CANNOT|EXPUNGEISSUED)\]|.*\bselect)"
)


def is_kept(name: str) -> bool:
    """Whether nobody may remove the message of that name."""
    return int(name.partition("/")[2]) % 2 == 0


@define
class Ledger:
    """What all clients know together."""

    history: History = field(factory=History)
    #: How often each message that is kept was put somewhere.
    put: Counter[str] = field(factory=Counter)
    wrong: list[str] = field(factory=list)
    _lock: Lock = field(factory=Lock)

    def came(self, name: str) -> None:
        """A message was put into a mailbox."""
        with self._lock:
            self.put[name] += is_kept(name)

    def told(self, uidvalidity: int, uid: int, name: str) -> None:
        """A client was told that the message has that UID."""
        with self._lock:
            self.wrong += self.history.told(uidvalidity, uid, name)


@define
class _Wire:
    """A connection, as a `Believer` wants it."""

    socket: socket.socket

    def post(self, data: bytes) -> None:
        """Send."""
        self.socket.sendall(data)

    def read(self) -> bytes:
        """Wait for octets."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server hung up")
        return data

    def waiting(self, seconds: float) -> bool:
        """Whether there are some, or will be soon."""
        return bool(select.select([self.socket], [], [], seconds)[0])


class Client(Believer):
    """One connection; it selects mailboxes, and remembers names and modseqs by UID."""

    client: _Wire

    def __init__(self, name: str, port: int, ledger: Ledger, seed: str) -> None:
        connection = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(_Wire(connection))
        self.name, self.ledger, self.chance = name, ledger, random.Random(f"{seed}/{name}")
        self.selected, self.uidvalidity = "", 0
        self.names: dict[int, str] = {}
        self.modseqs: dict[int, int] = {}
        self.number = 0
        self._heard = b""
        self.told(b"LOGIN %b %b" % (USER.encode(), PASSWORD.encode()))
        self.told(b"ENABLE CONDSTORE")

    # -- the wire

    def told(self, command: bytes) -> bytes:
        """All that comes up to the tagged answer, which must be sensible."""
        self._heard = b""
        self.begin(command)
        self._finish()
        if not self.answered.startswith(b"t OK") and not _REFUSALS.search(self.answered):
            raise AssertionError(f"{self.name}: {command[:200]!r} was answered {self.answered!r}")
        return self._heard

    def _finish(self) -> None:
        while self.running:
            self.listen()

    def _believe(self, response: bytes) -> None:
        self._heard += response + b"\r\n"
        super()._believe(response)
        if b"[CLOSED]" in response:
            # The mailbox was deleted.
            self._forget()

    def _fetched(self, message: Seen, rest: bytes) -> None:
        super()._fetched(message, rest)
        modseq, name = _MODSEQ.search(rest), _NAME.search(rest)
        assert message.uid is not None
        if modseq is not None:
            before = self.modseqs.get(message.uid, 0)
            assert int(modseq[1]) >= before, f"{self.name}: the modseq of {message} was {before}"
            self.modseqs[message.uid] = int(modseq[1])
        if name is not None:
            self.names[message.uid] = name[1].decode()
            self.ledger.told(self.uidvalidity, message.uid, self.names[message.uid])

    def close(self) -> None:
        """Hang up."""
        self.client.socket.close()

    # -- what it does

    def step(self) -> None:
        """One thing, or nothing if it makes no sense just now."""
        steps = {
            self.select: 8, self.append: 20, self.store: 20, self.move: 12, self.copy: 6,
            self.expunge: 8, self.idle: 8, self.sync: 12, self.create: 4, self.rename: 3,
            self.delete: 2,
        }  # fmt: skip
        self.chance.choices(list(steps), list(steps.values()))[0]()

    def select(self, name: str = "") -> None:
        """Another mailbox, and all that is in it."""
        if self.selected:
            self.told(b"UNSELECT")
        self._forget()
        name = name or self.chance.choice((*KEPT, *_PASSING, *_STAYING))
        heard = self.told(b"SELECT " + name.encode())
        validity = _UIDVALIDITY.search(heard)
        if self.answered.startswith(b"t OK"):
            assert validity is not None
            self.selected, self.uidvalidity = name, int(validity[1])
            self.sync()

    def _forget(self) -> None:
        self.selected, self.uidvalidity = "", 0
        self.messages.clear()
        self.names.clear()
        self.modseqs.clear()

    def sync(self) -> None:
        """What is new is asked for."""
        if self.selected:
            self.told(b"NOOP")
            unknown = [place for place, each in enumerate(self.messages, 1) if not each.uid]
            if unknown:
                self.told(b"FETCH %d:* (UID FLAGS MODSEQ ENVELOPE)" % unknown[0])

    def append(self) -> None:
        """A message of its own."""
        self.number += 1
        name = f"{self.name}/{self.number}"
        places = KEPT if is_kept(name) else (*KEPT, *_PASSING)
        message, place = octets(name), self.chance.choice(places)
        flags = " ".join(self._flags(name)).encode()
        self.told(b"APPEND %b (%b) {%d+}\r\n%b" % (place.encode(), flags, len(message), message))
        if self.answered.startswith(b"t OK"):
            self.ledger.came(name)

    def store(self) -> None:
        """Other flags for some; one that may go may be deleted."""
        for uid in self._some():
            flags = " ".join(self._flags(self.names[uid])).encode()
            how = self.chance.choice((b"+FLAGS", b"-FLAGS", b"FLAGS"))
            self.told(b"UID STORE %d %b (%b)" % (uid, how, flags))

    def _flags(self, name: str) -> list[str]:
        words = _WORDS if is_kept(name) else (*_WORDS, "\\Deleted")
        return self.chance.sample(words, self.chance.choice((0, 1, 2)))

    def copy(self) -> None:
        """Some to another mailbox, or to this one."""
        self._carry(b"COPY")

    def move(self) -> None:
        """The same, and they go from here."""
        self._carry(b"MOVE")

    def _carry(self, verb: bytes) -> None:
        uids = self._some()
        if not uids:
            return
        lasting = any(is_kept(self.names[uid]) for uid in uids)
        place = self.chance.choice(KEPT if lasting else (*KEPT, *_PASSING))
        numbers = b",".join(b"%d" % uid for uid in uids)
        names = {uid: self.names[uid] for uid in uids}
        heard = self.told(b"UID %b %b %b" % (verb, numbers, place.encode()))
        copied = _COPIED.search(heard)
        if verb == b"COPY" and self.answered.startswith(b"t OK") and copied is not None:
            for part in copied[1].split(b","):
                low, _, high = part.partition(b":")
                for uid in range(int(low), int(high or low) + 1):
                    if uid in names:
                        self.ledger.came(names[uid])

    def _some(self) -> list[int]:
        known = [each.uid for each in self.messages if each.uid and each.uid in self.names]
        return sorted(self.chance.sample(known, min(len(known), self.chance.choice((1, 1, 2, 4)))))

    def expunge(self) -> None:
        """What is deleted goes."""
        if self.selected:
            self.told(b"EXPUNGE")

    def idle(self) -> None:
        """Listen for a moment."""
        if not self.selected:
            return
        self.begin(b"IDLE")
        while self.client.waiting(self.chance.uniform(0, 0.05)):
            self.listen()
        self.client.post(b"DONE\r\n")
        self._finish()

    def create(self) -> None:
        """A mailbox."""
        self.told(b"CREATE " + self.chance.choice((*_RENAMED, *_PASSING)).encode())

    def rename(self) -> None:
        """A mailbox, or INBOX, whose messages move then."""
        some = self.chance.choice((_RENAMED, _RENAMED, _PASSING))
        old, new = self.chance.sample(some, 2)
        if some is _RENAMED and not self.chance.randrange(4):
            old = "INBOX"
        self.told(b"RENAME %b %b" % (old.encode(), new.encode()))

    def delete(self) -> None:
        """A mailbox, whoever has it selected."""
        self.told(b"DELETE " + self.chance.choice(_PASSING).encode())
