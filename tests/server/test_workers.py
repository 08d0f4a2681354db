"""Several processes on one port: they show each other's changes, and are replaced when they die."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from imapclient import IMAPClient
from twisted.internet.error import ProcessDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from imapd.auth.passwdfile import PasswordFile, hashed
from imapd.server.tls import self_signed, write_self_signed
from imapd.server.workers import Workers
from tests.serving import Running, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are handed over")

_PATIENCE = 30.0
_PORT = "tcp:0:interface=127.0.0.1"


class Client:
    """A connection that says lines, and waits for others."""

    def __init__(self, where: int | str, user: str | None = "tim") -> None:
        if isinstance(where, int):
            self.socket = socket.create_connection(("127.0.0.1", where), _PATIENCE)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(_PATIENCE)
            self.socket.connect(where)
        self._file = self.socket.makefile("rb")
        self.greeting = self.line()
        if user is not None:
            assert self.command(f"LOGIN {user} testpass")[-1].startswith(b"a OK")

    def line(self) -> bytes:
        """The next line; b"" when the server has gone."""
        return self._file.readline()

    def say(self, text: str) -> None:
        """Send a line."""
        self.socket.sendall(text.encode() + b"\r\n")

    def command(self, text: str) -> list[bytes]:
        """The lines of the answer; with a last one that is empty, if the server went."""
        self.say(f"a {text}")
        return self.until(b"a ")

    def until(self, start: bytes) -> list[bytes]:
        """Lines, the first that begins so being the last."""
        lines = [self.line()]
        while lines[-1] and not lines[-1].startswith(start):
            lines.append(self.line())
        return lines

    def close(self) -> None:
        """Go without a word."""
        self._file.close()
        self.socket.close()


class Two:
    """A server with two workers, on Maildirs."""

    def __init__(self, server: Running) -> None:
        self.server = server
        (self.port,) = server.ports(1)
        self.workers: dict[int, int] = {}
        self.await_workers(2)

    def await_workers(self, count: int) -> None:
        """So many have begun."""
        for _ in range(count):
            match = self.server.expect(r"worker (\d) serves, process (\d+)")
            self.workers[int(match[1])] = int(match[2])

    def client(self, user: str = "tim") -> tuple[Client, int]:
        """A client, and the worker that serves it."""
        client = Client(self.port, user)
        return client, int(
            self.server.expect(rf"\[worker (\d), imapd#info\] login: user='{user}'")[1]
        )

    def apart(self, user: str) -> tuple[Client, Client]:
        """Two clients of different workers."""
        clients: dict[int, Client] = {}
        for _ in range(20):
            client, its = self.client(user)
            clients.setdefault(its, client)
            if len(clients) == 2:
                return clients[1], clients[2]
        raise AssertionError("one worker serves them all")


def _options(*more: str) -> tuple[str, ...]:
    return ("--store", "maildir:mail/%u", "--auth", "static:testpass", "--workers", "2", *more)


def _with_passwords(folder: Path, options: tuple[str, ...]) -> tuple[str, ...]:
    """Where clients may come from elsewhere, static: is refused."""
    PasswordFile(folder / "passwords").set("tim", hashed("testpass"))
    return tuple(each.replace("static:testpass", "passwords:passwords") for each in options)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A server; nothing may have gone wrong, and at the end nothing of it is left."""
    folder = tmp_path_factory.mktemp("two")
    with running("imapd", *_options("--imap", _PORT), folder=folder) as server:
        made = Two(server)
        yield made
        server.signal(signal.SIGTERM)
        assert server.end() == 0
        assert "Traceback" not in server.text, server.text
        _await_end(*made.workers.values())


def _await_end(*pids: int) -> None:
    """Wait until processes have ended, and are no zombies."""
    until = time.monotonic() + _PATIENCE
    for pid in pids:
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < until, f"process {pid} has not ended"
            select.select([], [], [], 0.02)


# What one does, the other shows.


def test_idle(two: Two, request: pytest.FixtureRequest) -> None:
    """Who idles in one worker sees what comes, is flagged and goes by way of the other."""
    idler, other = two.apart(request.node.name)
    for client in (idler, other):
        client.command("SELECT INBOX")
    idler.say("i IDLE")
    idler.until(b"+ ")
    other.say("a APPEND INBOX {1+}\r\nx")
    assert idler.line() == b"* 1 EXISTS\r\n"
    other.until(b"a OK")
    other.command("STORE 1 +FLAGS (\\Deleted)")
    assert b"\\Deleted" in idler.until(b"* 1 FETCH")[-1]
    other.command("EXPUNGE")
    assert idler.until(b"* 1 EXPUNGE")[-1] == b"* 1 EXPUNGE\r\n"
    idler.say("DONE")
    assert idler.until(b"i ")[-1].startswith(b"i OK")


def test_notify(two: Two, request: pytest.FixtureRequest) -> None:
    """Who asked to be told hears of names, of other mailboxes, and of annotations."""
    asker, other = two.apart(request.node.name)
    asker.command(
        "NOTIFY SET (PERSONAL (MessageNew MessageExpunge MailboxName MailboxMetadataChange))"
    )
    other.command("CREATE News")
    assert b"News" in asker.line()
    other.command("APPEND News {1+}\r\nx")
    assert b"News" in asker.until(b"* STATUS")[-1]
    other.command('SETMETADATA News (/shared/comment "x")')
    assert b"/shared/comment" in asker.until(b"* METADATA")[-1]
    other.command("RENAME News Old")
    assert b"Old" in asker.until(b"* LIST")[-1]


def test_shared_mailbox(tmp_path: Path) -> None:
    """What the owner does in one worker is seen in the other by whom the mailbox is shared with."""
    (tmp_path / "imapd.toml").write_text('[sharing]\naccount = "public"\n')
    options = _options("--imap", _PORT, "--config", "imapd.toml")
    with running("imapd", *options, folder=tmp_path) as server:
        (port,) = server.ports(1)
        server.expect("serves, process")
        server.expect("serves, process")
        owner, reader = Client(port, "ann"), Client(port, "bob")
        owner.command("CREATE Team")
        assert owner.command("SETACL Team bob lrs")[-1].startswith(b"a OK")
        assert reader.command('SELECT "Other Users/ann/Team"')[-1].startswith(b"a OK")
        reader.say("i IDLE")
        reader.until(b"+ ")
        owner.command("APPEND Team {1+}\r\nx")
        assert reader.until(b"* 1 EXISTS")[-1] == b"* 1 EXISTS\r\n"


def test_even(two: Two) -> None:
    """Connections that come at once are shared out evenly, and those that end count no more."""
    clients = [Client(two.port) for _ in range(20)]
    places = [int(two.server.expect(r"\[worker (\d), imapd#info\] login")[1]) for _ in clients]
    assert sorted(places) == [1] * 10 + [2] * 10
    for client, place in zip(clients, places):
        if place == 1:
            client.command("LOGOUT")
    # Its worker says so now and then.
    until = time.monotonic() + _PATIENCE
    while True:
        select.select([], [], [], 0.1)
        again = [two.client()[1] for _ in range(10)]
        if again == [1] * 10:
            break
        assert time.monotonic() < until, again


# What dies.


class Appender(threading.Thread):
    """A client that appends, and connects again when it is cut off; it knows what was acknowledged."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.label = name
        self.kept: list[str] = []
        self.cut = 0
        self.enough = threading.Event()

    def run(self) -> None:
        """Until it is enough."""
        client: Client | None = None
        number = 0
        while not self.enough.is_set():
            try:
                if client is None:
                    client = Client(self.port)
                subject = f"{self.label}-{number}"
                number += 1
                text = f"Subject: {subject}\r\n\r\n"
                if client.command(f"APPEND INBOX {{{len(text)}+}}\r\n{text}")[-1].startswith(
                    b"a OK"
                ):
                    self.kept.append(subject)
                    continue
            except (OSError, AssertionError):
                pass
            self.cut += 1
            if client is not None:
                client.close()
                client = None


def test_killed(two: Two) -> None:
    """A worker is killed while clients append: another serves, and nothing acknowledged is lost."""
    appenders: list[Appender] = []
    served: set[int] = set()
    # Where they are depends on who was here before.
    while len(appenders) < 4 or len(served) < 2:
        appenders.append(Appender(two.port, f"c{len(appenders)}"))
        appenders[-1].start()
        served.add(int(two.server.expect(r"\[worker (\d), imapd#info\] login: user='tim'")[1]))
    until = time.monotonic() + _PATIENCE
    killed = []
    for _ in range(2):
        marks = [len(each.kept) for each in appenders]
        while any(len(each.kept) < mark + 5 for each, mark in zip(appenders, marks)):
            assert time.monotonic() < until, [each.kept for each in appenders]
            select.select([], [], [], 0.02)
        killed.append(two.workers[1])
        os.kill(two.workers[1], signal.SIGKILL)
        two.await_workers(1)
        assert two.workers[1] not in killed
    for each in appenders:
        each.enough.set()
        each.join(_PATIENCE)
    assert sum(each.cut for each in appenders) > 0
    _await_end(*killed)
    client = Client(two.port)
    client.command("SELECT INBOX")
    found = client.command("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    subjects = [line.split()[1].decode() for line in found if line.startswith(b"Subject:")]
    assert len(subjects) == len(set(subjects))
    assert set(subjects) >= {kept for each in appenders for kept in each.kept}
    assert re.search(r"worker 1 has ended \(.*signal 9", two.server.text)


def test_descriptors(two: Two) -> None:
    """Connections that were handed over, and workers that died, leave nothing open in the parent."""

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{two.server.process.pid}/fd"))

    before = descriptors()
    for number in (1, 2):
        clients = [Client(two.port) for _ in range(20)]
        os.kill(two.workers[number], signal.SIGKILL)
        two.await_workers(1)
        for client in clients:
            client.close()
    assert descriptors() == before


def test_asked_to_end(two: Two, request: pytest.FixtureRequest) -> None:
    """One worker that gets SIGTERM says BYE to its clients, and is replaced; the other goes on."""
    one, other = two.apart(request.node.name)
    os.kill(two.workers[1], signal.SIGTERM)
    assert one.line().startswith(b"* BYE ")
    assert one.line() == b""
    two.await_workers(1)
    assert other.command("NOOP")[-1].startswith(b"a OK")
    assert Client(two.port).greeting.startswith(b"* OK")


def test_parent_killed(tmp_path: Path) -> None:
    """No worker outlives its parent; clients are told."""
    with running("imapd", *_options("--imap", _PORT), folder=tmp_path) as server:
        two = Two(server)
        client, _ = two.client()
        server.process.kill()
        assert client.line().startswith(b"* BYE ")
        server.end()
        _await_end(*two.workers.values())


_CANNOT_BEGIN = """
import sys
from twisted.internet import reactor
from imapd.cli.running import run, start_logging
from imapd.server.listening import imap_listener
from imapd.server.workers import Workers
start_logging("info")
listener = imap_listener(reactor, "tcp:0:interface=127.0.0.1")
command = (sys.executable, "-c", "raise SystemExit('there is no mail here')")
service = Workers(reactor, [listener], 2, command, {})
run(reactor, service)
sys.exit(7 if service.failed else 0)
"""


def test_cannot_begin(tmp_path: Path) -> None:
    """Workers that cannot begin end the server, and the log says why."""
    program = tmp_path / "program.py"
    program.write_text(_CANNOT_BEGIN)
    with running(str(program), folder=tmp_path) as server:
        assert server.end() == 7
    assert "says: there is no mail here" in server.text
    assert len(re.findall("cannot begin; see above why", server.text)) == 1
    assert "another begins" not in server.text


_BAD_FOR_WORKERS = """
import os, sys
from twisted.internet import reactor
from imapd.cli.running import run, start_logging
from imapd.service import Options, makeService
start_logging("info")
options = Options()
options.parseOptions(sys.argv[1:])
service = makeService(options)
os.unlink("passwords")
run(reactor, service)
"""


def test_bad_configuration(tmp_path: Path) -> None:
    """What only the workers find wrong (they may have fewer rights) is told with key and remedy."""
    program = tmp_path / "program.py"
    program.write_text(_BAD_FOR_WORKERS)
    options = _with_passwords(tmp_path, _options("--imap", _PORT))
    with running(str(program), *options, folder=tmp_path) as server:
        server.end()
    assert re.search(
        r"\[worker \d, imapd#critical\] --auth: passwords: there is no such file; ", server.text
    )
    assert "cannot begin" in server.text


# How it reloads and ends.


def test_reload(tmp_path: Path) -> None:
    """After SIGHUP every worker shows the new certificate."""
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem")
    blind = ssl.create_default_context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    endpoint = "ssl:0:privateKey=k.pem:certKey=c.pem:interface=127.0.0.1"
    with running("imapd", *_options("--imaps", endpoint), folder=tmp_path) as server:
        (port,) = server.ports(1)
        server.expect("serves, process")
        server.expect("serves, process")

        def shown() -> set[bytes]:
            clients = [
                IMAPClient("127.0.0.1", port, ssl_context=blind, timeout=_PATIENCE)
                for _ in range(2)
            ]
            seen = {client.socket().getpeercert(True) for client in clients}
            for client in clients:
                client.logout()
            return seen

        def der(certificate: bytes) -> bytes:
            from cryptography.hazmat.primitives.serialization import Encoding

            return x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)

        assert shown() == {der((tmp_path / "c.pem").read_bytes())}
        certificate, key = self_signed()
        (tmp_path / "c.pem").write_bytes(certificate)
        (tmp_path / "k.pem").write_bytes(key)
        server.signal(signal.SIGHUP)
        assert {
            server.expect(r"\[worker (\d), imapd#info\].*certificate read again")[1] for _ in "12"
        } == {"1", "2"}
        assert shown() == {der(certificate)}


@pytest.mark.parametrize("program", ["twistd", "twist", "imapd"])
def test_end(tmp_path: Path, program: str) -> None:
    """At the end all clients are told, ports are closed, sockets removed, processes gone."""
    place = str(tmp_path / "imap")
    options = _options("--imap", _PORT, "--imap", f"unix:{place}")
    with running(program, *options, folder=tmp_path) as server:
        (port,) = server.ports(1)
        pids = [int(server.expect(r"serves, process (\d+)")[1]) for _ in "12"]
        clients = [Client(where) for where in (port, place, port, place)]
        server.signal(signal.SIGTERM)
        assert [client.line() for client in clients] == [
            b"* BYE The server is shutting down\r\n"
        ] * 4
        assert [client.line() for client in clients] == [b""] * 4
        assert server.end() in (0, -signal.SIGTERM)
    _await_end(*pids)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not os.path.exists(place)
    assert "Traceback" not in server.text, server.text


# Where it listens.


def test_starttls_and_proxy(tmp_path: Path) -> None:
    """STARTTLS, and the address that a proxy tells, are the affair of the worker."""
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem")
    options = _options(
        "--imap", _PORT, "--imap", f"haproxy:{_PORT}", "--certificate", "c.pem", "--key", "k.pem"
    )
    options = _with_passwords(tmp_path, options)
    with running("imapd", *options, folder=tmp_path) as server:
        plain, proxied = server.ports(2)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
        with IMAPClient("127.0.0.1", plain, ssl=False, timeout=_PATIENCE) as client:
            client.starttls(trusting)
            client.login("tim", "testpass")
        connection = socket.create_connection(("127.0.0.1", proxied), _PATIENCE)
        connection.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 999 143\r\na LOGIN tim testpass\r\n")
        with connection, connection.makefile("rb") as said:
            assert said.readline().startswith(b"* OK")
            # From there, not without TLS.
            assert said.readline().startswith(b"a NO [PRIVACYREQUIRED]")


def test_lmtp(tmp_path: Path) -> None:
    """Mail that comes in through one worker shows in the others."""
    place = str(tmp_path / "lmtp")
    options = _options("--imap", _PORT, "--lmtp", f"unix:{place}")
    with running("imapd", *options, folder=tmp_path) as server:
        (port,) = server.ports(1)
        idlers = [Client(port), Client(port)]
        for idler in idlers:
            idler.command("SELECT INBOX")
            idler.say("i IDLE")
            idler.until(b"+ ")
        transport = Client(place, None)
        for line in ("LHLO here", "MAIL FROM:<>", "RCPT TO:<tim>", "DATA"):
            transport.say(line)
        transport.until(b"354")
        transport.say("Subject: x\r\n\r\nhello\r\n.")
        assert transport.line().startswith(b"250")
        assert [idler.until(b"* 1 EXISTS")[-1] for idler in idlers] == [b"* 1 EXISTS\r\n"] * 2


_ACTIVATED = """
import os, socket, sys
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()
print("activated", listening.getsockname()[1], flush=True)
if listening.fileno() != 3:
    os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "imap"}
os.execv(sys.executable, [sys.executable, "-c", "from imapd.cli import main; main()", *sys.argv[1:]])
"""


def test_systemd(tmp_path: Path) -> None:
    """A socket that systemd has opened is shared as any other."""
    program = tmp_path / "program.py"
    program.write_text(_ACTIVATED)
    options = _with_passwords(tmp_path, _options("--imap", "systemd:domain=INET:index=0"))
    with running(str(program), "serve", *options, folder=tmp_path) as server:
        port = int(server.expect(r"activated (\d+)")[1])
        pids = [int(server.expect(r"serves, process (\d+)")[1]) for _ in "12"]
        clients = [Client(port), Client(port)]
        assert [client.command("NOOP")[-1] for client in clients] == [
            b"a OK NOOP completed\r\n"
        ] * 2
        os.kill(pids[0], signal.SIGKILL)
        server.expect("serves, process")
        assert Client(port).greeting.startswith(b"* OK")
        server.signal(signal.SIGTERM)
        assert server.end() == 0
    _await_end(*pids)


# How they are replaced.


class _Process:
    """A process that does as it is told."""

    pid = 1

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.signals: list[str] = []

    def write(self, data: bytes) -> None:
        """As `IProcessTransport`."""

    def closeStdin(self) -> None:
        """As `IProcessTransport`."""

    def signalProcess(self, name: str) -> None:
        """As `IProcessTransport`."""
        self.signals.append(name)

    def end(self) -> None:
        """It ends."""
        self.worker.processEnded(Failure(ProcessDone(0)))


class _Reactor(MemoryReactorClock):
    """Processes that exist only here."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[_Process] = []
        self.refuses = False

    def spawnProcess(self, processProtocol: Any, *how: Any, **more: Any) -> Any:
        """As `IReactorProcess`."""
        if self.refuses:
            raise OSError(11, "Resource temporarily unavailable")
        self.processes.append(_Process(processProtocol))
        return self.processes[-1]

    def adoptStreamConnection(self, fileDescriptor: int, addressFamily: int, factory: Any) -> None:
        """As `IReactorSocket`."""


@pytest.fixture
def reactor() -> _Reactor:
    """With a clock that stands."""
    return _Reactor()


@pytest.fixture
def service(reactor: _Reactor) -> Workers:
    """One worker, which serves nothing."""
    made = Workers(reactor, [], 1, ("worker",), {})
    made.startService()
    reactor.run()
    return made


def _pause(reactor: _Reactor) -> float:
    """Seconds until there is another process."""
    count, since = len(reactor.processes), reactor.seconds()
    reactor.advance(0)
    while len(reactor.processes) == count:
        assert reactor.seconds() - since < 100
        reactor.advance(0.5)
    return reactor.seconds() - since


def test_later_and_later(reactor: _Reactor, service: Workers) -> None:
    """A worker that dies again and again comes back later and later, and at once if it had served."""
    reactor.processes[0].worker.began()
    pauses = []
    for _ in range(9):
        reactor.processes[-1].end()
        pauses.append(_pause(reactor))
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    reactor.processes[-1].worker.began()
    reactor.advance(60)
    reactor.processes[-1].end()
    assert _pause(reactor) == 0
    reactor.processes[-1].worker.began()
    reactor.processes[-1].end()
    assert _pause(reactor) == 0.5
    service.stopService()


def test_no_process(reactor: _Reactor, service: Workers) -> None:
    """When no process can be started for a while, it is tried again."""
    reactor.processes[0].worker.began()
    reactor.refuses = True
    reactor.processes[0].end()
    reactor.advance(0.5)
    reactor.refuses = False
    assert len(reactor.processes) == 1
    assert _pause(reactor) == 1
    service.stopService()


def test_does_not_end(reactor: _Reactor, service: Workers) -> None:
    """A worker that does not end when it is asked to is ended, and then the service has stopped."""
    (process,) = reactor.processes
    process.worker.began()
    stopped = service.stopService()
    assert process.signals == ["TERM"]
    reactor.advance(30)
    assert process.signals == ["TERM", "KILL"]
    assert not stopped.called
    process.end()
    assert stopped.called
    reactor.advance(100)
    assert len(reactor.processes) == 1


def test_reload_while_it_begins(reactor: _Reactor, service: Workers) -> None:
    """A worker that had begun to read certificates when they changed reads them again."""
    (process,) = reactor.processes
    service.reload()
    assert process.signals == []
    process.worker.began()
    assert process.signals == ["HUP"]
    stopped = service.stopService()
    process.end()
    assert stopped.called


def test_stopped_while_there_is_none(reactor: _Reactor, service: Workers) -> None:
    """At the end no process is waited for that was only to come."""
    reactor.processes[0].worker.began()
    reactor.processes[0].end()
    assert service.stopService().called
    reactor.advance(100)
    assert len(reactor.processes) == 1
    assert reactor.getDelayedCalls() == []
