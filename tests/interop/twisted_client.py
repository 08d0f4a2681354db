"""A program: Twisted's `IMAP4Client` reads folders and writes what it found, as JSON.

It runs in a process of its own because a reactor runs once.  Arguments: host, port,
``plain`` | ``starttls`` | ``tls``, a file of the certificate to trust, user, password.
It reads the messages to store from its standard input, as a JSON list of texts.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.internet import endpoints, ssl
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.mail.imap4 import IMAP4Client, MessageSet, Not, Or, Query


class _Client(IMAP4Client):
    """Keeps what it is told without having asked, and says when it was greeted."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.greeted: Deferred[None] = Deferred()
        self.told: list[object] = []

    def serverGreeting(self, caps: Any) -> None:
        self.greeted.callback(None)

    def newMessages(self, exists: object, recent: object) -> None:
        self.told.append(["newMessages", exists, recent])

    def flagsChanged(self, newFlags: dict[int, list[str]]) -> None:
        self.told.append(["flagsChanged", {str(n): flags for n, flags in newFlags.items()}])


async def _converse(reactor: Any) -> None:
    host, port, security, certificate, user, password = sys.argv[1:]
    mail = [text.encode("latin-1") for text in json.load(sys.stdin)]
    trust = ssl.Certificate.loadPEM(Path(certificate).read_bytes())
    context = ssl.optionsForClientTLS(host, trustRoot=trust)
    endpoint: Any = endpoints.TCP4ClientEndpoint(reactor, host, int(port))
    if security == "tls":
        endpoint = endpoints.wrapClientTLS(context, endpoint)
    client = await endpoint.connect(
        Factory.forProtocol(lambda: _Client(context if security == "starttls" else None))
    )
    await client.greeted
    found: dict[str, Any] = {"capabilities": sorted(_texts(await client.getCapabilities()))}
    if security == "starttls":
        await client.startTLS()
    # `authenticate` of Twisted's would need challenges it has an answer for.
    await client.login(user.encode(), password.encode())

    await client.create("Ärger/日本")
    await client.subscribe("Ärger/日本")
    found["list"] = sorted(name for _, _, name in await client.list("", "*"))
    found["lsub"] = sorted(name for _, _, name in await client.lsub("", "*"))
    await client.append("INBOX", BytesIO(mail[0]), ("\\Seen",), "03-Feb-2001 04:05:06 +0000")
    for octets in mail[1:]:
        await client.append("INBOX", BytesIO(octets))
    found["status"] = await client.status("INBOX", "MESSAGES", "UIDNEXT", "UNSEEN")
    found["select"] = await client.select("INBOX")

    everything = MessageSet(1, None)
    found["flags"] = await client.fetchFlags(everything)
    found["uids"] = await client.fetchUID(everything)
    found["sizes"] = await client.fetchSize(everything)
    found["dates"] = await client.fetchInternalDate(MessageSet(1))
    found["messages"] = await client.fetchMessage(MessageSet(2), uid=True)
    found["headers"] = await client.fetchHeaders(MessageSet(2))
    found["bodies"] = await client.fetchBody(MessageSet(2))
    found["envelopes"] = await client.fetchEnvelope(everything)
    found["structures"] = await client.fetchBodyStructure(everything)
    found["simplified"] = await client.fetchSimplifiedBody(everything)
    found["some"] = await client.fetchSpecific(
        MessageSet(1), headerType="HEADER.FIELDS", headerArgs=["MESSAGE-ID"], peek=True
    )
    found["all"] = await client.fetchAll(everything)
    found["fast"] = await client.fetchFast(everything)
    found["full"] = await client.fetchFull(everything)
    found["search"] = await client.search(Or(Query(seen=True), Query(new=True)), uid=True)
    found["search not"] = await client.search(Not(Query(seen=True)))

    found["added"] = await client.addFlags(MessageSet(1), ("\\Flagged", "Mine"), silent=0)
    found["removed"] = await client.removeFlags(MessageSet(1), ("\\Seen",), silent=1)
    found["set"] = await client.setFlags(MessageSet(2), ("\\Deleted",), silent=0)
    await client.copy(MessageSet(1, 2), "Ärger/日本", uid=False)
    found["expunged"] = await client.expunge()
    await client.noop()
    found["examine"] = await client.examine("Ärger/日本")
    await client.close()
    await client.rename("Ärger/日本", "Elsewhere")
    await client.unsubscribe("Ärger/日本")
    await client.delete("Elsewhere")
    found["told"] = client.told
    await client.logout()
    sys.stdout.buffer.write(json.dumps(found, default=_text).encode())


def _text(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else repr(value)


def _texts(values: Any) -> list[str]:
    return [value.decode("latin-1") for value in values]


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(_converse(reactor)))
