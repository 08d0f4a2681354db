"""Several processes serve one account: real ones, each with clients of its own."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.drills.eyes import disagreements, looked
from tests.drills.letters import octets
from tests.drills.serving import PASSWORD, USER
from tests.serving import Running, running
from tests.several.clients import KEPT, Client, Ledger, is_kept

#: What each client does.
_STEPS = 70
#: How often a client asks before it is too late.
_TRIES = 200
_COMPLAINT = re.compile(r"Traceback \(most recent call last\)|Unhandled|#(error|critical)\]")


def _options(folder: Path) -> Sequence[str]:
    return "--store", f"maildir:{folder}/mail/%u"


@contextmanager
def _serving(folder: Path, count: int) -> Iterator[list[tuple[Running, int]]]:
    """So many processes on one tree, and their ports; they say nothing that is wrong."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                running(
                    "imapd", "--imap", "tcp:0:interface=127.0.0.1", "--auth", f"static:{PASSWORD}",
                    *_options(folder), folder=folder,
                )
            )
            for _ in range(count)
        ]  # fmt: skip
        yield [(each, each.ports(1)[0]) for each in started]
        for each in started:
            if each.process.poll() is None:
                each.process.terminate()
                each.end()
            assert not _COMPLAINT.search(each.text), each.text


def _deliver(folder: Path, ledger: Ledger) -> None:
    """Mail by another program, on no one's port."""
    for number in (2, 4):
        subprocess.run(
            [sys.executable, "-c", "from imapd.cli import main; main()",
             "deliver", USER, *_options(folder)],
            cwd=folder, input=octets(f"mta1/{number}"), check=True, timeout=60,
        )  # fmt: skip
        ledger.came(f"mta1/{number}")


def _together(calls: Sequence[threading.Thread]) -> None:
    for each in calls:
        each.start()
    for each in calls:
        each.join()


def _work(client: Client) -> None:
    try:
        for _ in range(_STEPS):
            client.step()
    except (AssertionError, OSError) as error:
        client.ledger.wrong.append(f"{client.name}: {error!r}")


def _view(client: Client) -> list[tuple[object, object, object]]:
    """What a client has been told that there is."""
    client.sync()
    return [(each.uid, each.flags, client.modseqs.get(each.uid or 0)) for each in client.messages]


def _settled(port: int, clients: Sequence[Client], ledger: Ledger) -> None:
    """Each is told all that one who comes new finds; news of another process may take a moment."""
    fresh = Client("fresh", port, ledger, "")
    # Mailboxes have other names by now, or are deleted.
    names = {box.uidvalidity: name for name, box in looked(port)[0].items()}
    for client in clients:
        there: list[tuple[object, object, object]] = []
        if client.uidvalidity in names:
            fresh.select(names[client.uidvalidity])
            there = _view(fresh)
        for _ in range(_TRIES):
            view = _view(client)
            if view == there:
                break
            client.idle()
        assert view == there, f"{client.name} in {client.selected}"
    fresh.close()


def test_whatever_they_do_at_once(tmp_path: Path) -> None:
    """Everyone is told everything, whoever did it where; nothing is lost, and in the end all agree."""
    seed = random.randrange(1 << 32)
    # A failure shows it, wherever it happens.
    print(f"seed {seed}")
    ledger = Ledger()
    with _serving(tmp_path, 3) as servers:
        ports = [port for _, port in servers]
        clients = [
            Client(f"c{number}", ports[number % 3], ledger, str(seed)) for number in range(6)
        ]
        clients[0].told(b"CREATE shared")
        clients[0].told(b"CREATE named/0")
        for client in clients:
            client.select("INBOX")
        workers = [threading.Thread(target=_work, args=(client,)) for client in clients]
        _together([*workers, threading.Thread(target=_deliver, args=(tmp_path, ledger))])
        assert ledger.wrong == []
        for port in ports:
            _settled(port, clients, ledger)
        for client in clients:
            client.close()
        views = [looked(port) for port in ports]
        assert [wrong for _, wrong in views] == [[], [], []]
        assert views[0] == views[1] == views[2]
    with _serving(tmp_path, 1) as [(_, port)]:
        seen, wrong = looked(port)
        assert (wrong, seen) == ([], views[0][0])
    assert list(disagreements(tmp_path / "mail" / USER)) == []
    assert [each for name, box in seen.items() for each in ledger.history.seen(name, box)] == []
    there = Counter(
        message.name
        for name in KEPT
        if name in seen
        for message in seen[name].messages.values()
        if is_kept(message.name)
    )
    assert there == ledger.put, f"seed {seed}"
    assert ledger.wrong == []
    assert os.listdir(tmp_path / "mail" / USER / "tmp") == []


def _holds(index: Path) -> bool:
    """Whether somebody is writing to the index at this very moment."""
    connection = sqlite3.connect(index, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


def _stopped_while_it_writes(server: Running, index: Path) -> None:
    """Stop it with the lock in its hands."""
    for number in range(20_000):
        server.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
        if _holds(index):
            return
        server.signal(signal.SIGCONT)
        # It has time to come to its next write, now more, now less.
        time.sleep(number % 20 / 5_000)
    raise AssertionError("it never writes")


def _write(client: Client, stop: threading.Event) -> None:
    with suppress(OSError):
        while not stop.is_set():
            client.append()


@pytest.mark.parametrize("end", [signal.SIGCONT, signal.SIGKILL])
def test_one_stops_while_it_writes(tmp_path: Path, end: signal.Signals) -> None:
    """The others go on reading, also who comes new, and they write as soon as it goes on or dies."""
    ledger, stop = Ledger(), threading.Event()
    index = tmp_path / "mail" / USER / "imapd" / "index.sqlite"
    with _serving(tmp_path, 3) as [(first, port), (_, other), (_, third)]:
        writers = [Client(f"c{number}", port, ledger, "0") for number in range(3)]
        reader = Client("c3", other, ledger, "0")
        reader.told(b"CREATE shared")
        reader.append()
        threads = [threading.Thread(target=_write, args=(each, stop)) for each in writers]
        for thread in threads:
            thread.start()
        _stopped_while_it_writes(first, index)
        try:
            for client in (
                reader,
                Client("c4", other, ledger, "0"),
                Client("c5", third, ledger, "0"),
            ):
                client.select("INBOX")
                client.told(b"STATUS shared (MESSAGES)")
                client.told(b'LIST "" *')
            waiting = threading.Thread(target=reader.append)
            waiting.start()
        finally:
            stop.set()
            first.signal(end)
        waiting.join()
        for thread in threads:
            thread.join()
        assert reader.answered.startswith(b"t OK"), reader.answered
        seen, wrong = looked(other)
        there = {message.name for box in seen.values() for message in box.messages.values()}
        assert wrong == ledger.wrong == []
        assert there >= set(ledger.put)
    assert list(disagreements(tmp_path / "mail" / USER)) == []
