"""A server on real sockets in a process of its own: for what only TLS and TCP can show.

``python -m tests.looping`` is that process.  (Twisted's TLS uses the one reactor of a
process, so a thread of the test's would not do.)
"""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from types import TracebackType

__all__ = ["Looping"]


class Looping:
    """In a ``with``: `plain` and `secure` are its ports; alice's password is "secret"."""

    def __enter__(self) -> Looping:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.looping"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.plain, self.secure = map(int, self._process.stdout.readline().split())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _, failures = self._process.communicate("", 20)
        assert failures == ""
        assert self._process.returncode == 0


def main() -> None:
    """Serve until standard input ends; what is logged as a failure goes to standard error."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
    from twisted.internet import reactor, stdio
    from twisted.internet.protocol import Protocol
    from twisted.internet.ssl import PrivateCertificate
    from twisted.logger import globalLogPublisher
    from twisted.python.failure import Failure

    from imapd.server.factory import imap_factory
    from imapd.store.memory import MemoryStore

    def observe(event: dict[str, object]) -> None:
        failure = event.get("log_failure")
        if isinstance(failure, Failure):
            sys.stderr.write(failure.getTraceback())

    class UntilTheEnd(Protocol):
        def connectionLost(self, reason: object = None) -> None:
            reactor.stop()

    globalLogPublisher.addObserver(observe)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate = PrivateCertificate.loadPEM(pem)
    checker = InMemoryUsernamePasswordDatabaseDontUse(alice=b"secret")
    factory = imap_factory(MemoryStore(), checkers=[checker], tls=certificate)
    plain = reactor.listenTCP(0, factory, interface="127.0.0.1")
    secure = reactor.listenSSL(0, factory, certificate.options(), interface="127.0.0.1")
    print(plain.getHost().port, secure.getHost().port, flush=True)
    stdio.StandardIO(UntilTheEnd())
    reactor.run()


if __name__ == "__main__":
    main()
