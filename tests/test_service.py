"""The service: what is refused before it starts, how it serves, reloads and ends."""

from __future__ import annotations

import imaplib
import re
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from cryptography import x509
from twisted.application.service import IService, IServiceMaker
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.plugin import getPlugins
from zope.interface.verify import verifyObject

import imapd
from imapd.auth.chain import FirstOf
from imapd.auth.passwdfile import PasswordFile, hashed
from imapd.auth.throttle import ThrottlingChecker
from imapd.config import KEYS, BadConfig, Config
from imapd.preparing import prepare
from imapd.server.factory import IMAPFactory
from imapd.server.serving import MailService, Prepared
from imapd.server.tls import self_signed, write_self_signed
from imapd.service import Options
from imapd.store.memory import MemoryStore
from tests.serving import PROGRAMS, running
from tests.unhandled import unhandled

GOOD = Config(store="memory:", auth=("static:x",), imap=("tcp:143:interface=127.0.0.1",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder but for a certificate, made as `openssl req -x509` would."""
    write_self_signed(tmp_path / "c.pem", tmp_path / "k.pem")
    return tmp_path


def _trust(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "c.pem"))


def _shown(client: imaplib.IMAP4) -> x509.Certificate:
    """The certificate that a client was shown."""
    seen = client.sock.getpeercert(binary_form=True)  # type: ignore[attr-defined]
    return x509.load_der_x509_certificate(seen)


# What is refused.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"imap": ()},
            'listen.imap: nowhere to listen; write imap = ["tcp:143"] or --imap tcp:143',
        ),
        (
            {"store": ""},
            'store: no store; write store = "maildir:/var/mail/%u" or --store memory:',
        ),
        ({"store": "memory:x"}, "store: write 'memory:' with nothing behind it, not 'x'"),
        (
            {"auth": ()},
            'auth: nobody could log in; write auth = ["passwords:FILE"] or --auth passwords:FILE',
        ),
        ({"auth": ("static:",)}, "auth: static: needs a password; write static:PASSWORD"),
        (
            {"auth": ("passwords:/none/here",)},
            "auth: /none/here: there is no such file;"
            " `imapd user --file /none/here add NAME` makes it",
        ),
        (
            {"imap": ("tcp:143",)},
            "auth: static: is for this machine only, and tcp:143 is open to others;"
            " add :interface=127.0.0.1 to it, or use passwords:FILE",
        ),
        (
            {"auth": ("memory:tim:x", "static:x"), "imap": ("tcp:143:interface=0.0.0.0",)},
            "auth: static: is for this machine only, and tcp:143:interface=0.0.0.0 is open to"
            " others; add :interface=127.0.0.1 to it, or use passwords:FILE",
        ),
        (
            {"imaps": ("tcp:993",)},
            "listen.imaps: 'tcp:993' needs a certificate; write tls.certificate (--certificate),"
            " or ssl:993:privateKey=k.pem:certKey=c.pem",
        ),
        (
            {"imaps": ("ssl:993:privateKey=/none/k.pem",)},
            "listen.imaps: /none/k.pem: there is no such file;"
            " name the PEM file of the certificate",
        ),
        (
            {"certificate": "/none/c.pem"},
            "tls.certificate: /none/c.pem: there is no such file;"
            " name the PEM file of the certificate",
        ),
        ({"key": "k.pem"}, "tls.key: a key without its certificate; write tls.certificate too"),
        (
            {"workers": 2},
            "workers: what memory: keeps is in one process; write workers = 1, or"
            ' store = "maildir:/var/mail/%u"',
        ),
        (
            {"workers": 2, "store": "maildir:/none/%u", "imap": ("stdio:",)},
            "workers: 'stdio:' is of one process; write workers = 1",
        ),
        (
            {"mechanisms": ("PLANE",)},
            "login.mechanisms: 'PLANE' is none of PLAIN, LOGIN; write for example 'PLAIN'",
        ),
    ],
)
def test_refused(change: dict[str, Any], says: str) -> None:
    """What cannot be is said with key and remedy, and no socket was opened."""
    reactor = MemoryReactorClock()
    with pytest.raises(BadConfig) as caught:
        prepare(evolve(GOOD, **change), reactor)
    assert str(caught.value) == says
    assert (reactor.tcpServers, reactor.sslServers, reactor.unixServers) == ([], [], [])


def test_unknown_store() -> None:
    """A store nobody provides is refused with those there are."""
    with pytest.raises(BadConfig, match=r"^store: no store is called 'mbox'; there are .*memory:"):
        prepare(evolve(GOOD, store="mbox:/var/mail"), MemoryReactorClock())


def test_prepared() -> None:
    """A good configuration opens nothing before the service starts, and then what was asked for."""
    reactor = MemoryReactorClock()
    service = MailService(prepare(GOOD, reactor))
    assert verifyObject(IService, service)
    assert reactor.tcpServers == []
    service.privilegedStartService()
    service.startService()
    try:
        assert [(port, interface) for port, _, _, interface in reactor.tcpServers] == [
            (143, "127.0.0.1")
        ]
    finally:
        service.stopService()


def test_trial_is_not_slowed_down(tmp_path: Path) -> None:
    """Guessing is slowed down for real passwords, not where one password is for everybody."""

    def checker(auth: str) -> object:
        portal = prepare(evolve(GOOD, auth=(auth,)), MemoryReactorClock()).factory.policy.portal
        (only,) = portal.checkers.values()
        return only

    file = PasswordFile(tmp_path / "passwords")
    file.set("tim", hashed("secret"))
    assert isinstance(checker("static:x"), FirstOf)
    assert isinstance(checker(f"passwords:{file.path}"), ThrottlingChecker)


# How it ends and reloads.


@define
class _Store(MemoryStore):
    """A store that notes when it is closed."""

    events: list[str] = field(factory=list)

    def close(self) -> None:
        self.events.append("store closed")


@define
class _Factory:
    """Sessions that end when they are told to."""

    events: list[str]
    ended: Deferred[None] = field(factory=Deferred)

    def shutdown(self) -> Deferred[None]:
        self.events.append("BYE")
        return self.ended


def test_ends_in_order() -> None:
    """Sessions are told and have ended before the store is closed."""
    store = _Store()
    factory: Any = _Factory(store.events)
    service = MailService(Prepared(MemoryReactorClock(), store, factory, [], []))
    service.startService()
    stopped = service.stopService()
    assert store.events == ["BYE"]
    factory.ended.callback(None)
    assert store.events == ["BYE", "store closed"]
    assert stopped.called


def test_ends_anyway() -> None:
    """A client that does not read its BYE does not keep the server from ending, nor is it a failure."""

    def end() -> list[str]:
        store = _Store()
        factory: Any = _Factory(store.events)
        reactor = MemoryReactorClock()
        service = MailService(Prepared(reactor, store, factory, [], []))
        service.startService()
        stopped = service.stopService()
        reactor.advance(10)
        assert stopped.called
        return store.events

    with unhandled() as left:
        assert end() == ["BYE", "store closed"]
    assert left == []


def test_hangup_is_shared() -> None:
    """What SIGHUP did before is still done, and again alone when the service has ended."""
    got: list[str] = []
    before = signal.signal(signal.SIGHUP, lambda number, frame: got.append("before"))
    try:

        class _Service(MailService):
            def reload(self) -> None:
                got.append("reload")

        class _Reactor(MemoryReactorClock):
            def callFromThread(self, call: Callable[..., Any], *args: Any, **kw: Any) -> None:
                call(*args, **kw)

        factory: Any = _Factory([], succeed(None))
        service = _Service(Prepared(_Reactor(), MemoryStore(), factory, [], []))
        service.startService()
        signal.raise_signal(signal.SIGHUP)
        assert got == ["reload", "before"]
        service.stopService()
        signal.raise_signal(signal.SIGHUP)
        assert got == ["reload", "before", "before"]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_plugin() -> None:
    """Twistd and twist find the server under its name, without loading it."""
    (maker,) = [each for each in getPlugins(IServiceMaker) if each.tapname == "imapd"]
    assert verifyObject(IServiceMaker, maker)
    assert (maker.module, maker.description) == ("imapd.service", "An IMAP server")


# For real.


@pytest.mark.parametrize("store", ["memory:", "maildir:DIR/%u"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_one_line(folder: Path, program: str, store: str) -> None:
    """The one line that anybody can try works in an empty folder, three ways and on two stores."""
    with running(
        program,
        "--imap", "tcp:0:interface=127.0.0.1",
        "--imaps", "ssl:0:privateKey=k.pem:certKey=c.pem",
        "--store", store,
        "--auth", "static:testpass",
        folder=folder,
    ) as server:  # fmt: skip
        imap, imaps = server.ports(2)
        with imaplib.IMAP4("127.0.0.1", imap) as one:
            one.starttls(_trust(folder))
            one.login("tim", "testpass")
            one.append("INBOX", "", "", b"Subject: kept\r\n\r\nThe same in every session.\r\n")  # type: ignore[arg-type]
        two = imaplib.IMAP4_SSL("127.0.0.1", imaps, ssl_context=_trust(folder))
        two.login("tim", "testpass")
        assert two.select() == ("OK", [b"1"])
        _, fetched = two.fetch("1", "(BODY[HEADER.FIELDS (SUBJECT)])")
        assert fetched[0][1] == b"Subject: kept\r\n\r\n"  # type: ignore[index]
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            imaplib.IMAP4_SSL("127.0.0.1", imaps, ssl_context=_trust(folder)).login("tim", "x")
        server.signal(signal.SIGTERM)
        assert two.sock.recv(1000).startswith(b"* BYE ")
        two.shutdown()
        status = server.end()
    assert "Traceback" not in server.text
    # Twisted ends with the signal that stopped it.
    assert status in (0, -signal.SIGTERM)


def test_sighup(folder: Path) -> None:
    """After SIGHUP new connections see the new certificates; old sessions go on."""
    write_self_signed(folder / "starttls.pem", folder / "starttls.key")
    with running(
        "twistd",
        "--imap", "tcp:0:interface=127.0.0.1",
        "--imaps", "ssl:0:privateKey=k.pem:certKey=c.pem:interface=127.0.0.1",
        "--certificate", "starttls.pem",
        "--key", "starttls.key",
        "--store", "memory:",
        "--auth", "static:x",
        folder=folder,
    ) as server:  # fmt: skip
        imap, imaps = server.ports(2)
        blind = ssl.create_default_context()
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE

        def inside() -> imaplib.IMAP4:
            return imaplib.IMAP4_SSL("127.0.0.1", imaps, ssl_context=blind)

        def started() -> imaplib.IMAP4:
            client = imaplib.IMAP4("127.0.0.1", imap)
            client.starttls(blind)
            return client

        old = [inside(), started()]
        files = [("c.pem", "k.pem"), ("starttls.pem", "starttls.key")]
        before = [x509.load_pem_x509_certificate((folder / name).read_bytes()) for name, _ in files]
        assert [_shown(client) for client in old] == before
        after = []
        for name, key in files:
            certificate, secret = self_signed()
            (folder / name).write_bytes(certificate)
            (folder / key).write_bytes(secret)
            after.append(x509.load_pem_x509_certificate(certificate))

        server.signal(signal.SIGHUP)
        for _ in files:
            server.expect("certificate read again")
        assert [_shown(client) for client in (inside(), started())] == after
        assert [client.login("tim", "x")[0] for client in old] == ["OK", "OK"]

        (folder / "c.pem").write_bytes(b"half a file")
        server.signal(signal.SIGHUP)
        server.expect("the old certificate stays in use: .*c.pem: is not a certificate in PEM")
        assert _shown(inside()) == after[0]
        assert [client.noop()[0] for client in old] == ["OK", "OK"]


def test_passwords(folder: Path) -> None:
    """A user of the password file logs in; a new password counts at once, the old no more."""
    file = PasswordFile(folder / "passwords")
    file.set("jürgen", hashed("geheim"))
    with running(
        "twistd",
        "--imaps", "ssl:0:privateKey=k.pem:certKey=c.pem:interface=127.0.0.1",
        "--store", "memory:",
        "--auth", "passwords:passwords",
        folder=folder,
    ) as server:  # fmt: skip
        (imaps,) = server.ports(1)

        def login(password: str) -> str:
            client = imaplib.IMAP4_SSL("127.0.0.1", imaps, ssl_context=_trust(folder))
            message = f"\0jürgen\0{password}".encode()
            try:
                return client.authenticate("PLAIN", lambda _: message)[0]
            except imaplib.IMAP4.error as error:
                return str(error)

        assert login("geheim") == "OK"
        file.set("jürgen", hashed("neu"))
        assert "[AUTHENTICATIONFAILED]" in login("geheim")
        assert login("neu") == "OK"


def test_config_file(folder: Path) -> None:
    """The file is used, and options override it."""
    (folder / "imapd.toml").write_text(
        'store = "memory:"\n'
        'auth = ["static:file"]\n'
        "[listen]\n"
        'imap = ["tcp:0:interface=127.0.0.1"]\n'
        "[accounts]\n"
        "mailboxes = { Gesendet = '\\Sent' }\n"
    )
    with running(
        "twistd", "--config", "imapd.toml", "--auth", "static:option", folder=folder
    ) as server:
        (imap,) = server.ports(1)
        with imaplib.IMAP4("127.0.0.1", imap) as client:
            client.login("tim", "option")
            _, listed = client.list('""', "Gesendet")
            assert b"\\Sent" in listed[0]  # type: ignore[operator]


@pytest.mark.parametrize("program", PROGRAMS)
def test_refused_for_real(folder: Path, program: str) -> None:
    """static: on an open port: the program says why and ends, and shows no traceback."""
    with running(
        program, "--imap", "tcp:0", "--store", "memory:", "--auth", "static:x", folder=folder
    ) as server:
        status = server.end()
    # twistd of Twisted 24 ends with 0 after an error of usage.
    assert status != 0 or program == "twistd"
    assert "static: is for this machine only" in server.text
    assert "Traceback" not in server.text
    assert "listening on" not in server.text


def test_port_taken(folder: Path) -> None:
    """A port that another server has: one line says so, and the program ends with a failure."""
    options = ("--store", "memory:", "--auth", "static:x")
    with running("imapd", "--imap", "tcp:0:interface=127.0.0.1", *options, folder=folder) as first:
        (port,) = first.ports(1)
        taken = f"tcp:{port}:interface=127.0.0.1"
        with running("imapd", "--imap", taken, *options, folder=folder) as second:
            assert second.end() == 1
    assert f"cannot listen on {taken}" in second.text
    assert "Traceback" not in second.text


def test_factory_is_one() -> None:
    """IMAP and IMAPS are served by one factory, with one set of limits."""
    prepared = prepare(GOOD, MemoryReactorClock())
    assert isinstance(prepared.factory, IMAPFactory)
    assert prepared.factory.policy.limits == GOOD.limits


def test_options_are_documented() -> None:
    """Every option of the command line stands in the page about configuration, and no other."""
    page = (Path(imapd.__file__).parent.parent / "docs" / "configuration.rst").read_text()
    options = {each.rstrip("=") for each in Options().longOpt} - {"help", "version"}  # type: ignore[no-untyped-call]
    assert set(re.findall(r"^``--([a-z-]+)", page, flags=re.MULTILINE)) == options
    assert set(re.findall(r"^``--\S.*``  +``([a-z_.]+)``", page, flags=re.MULTILINE)) <= set(KEYS)
