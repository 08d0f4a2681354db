"""MULTISEARCH as a client sees it (RFC 7377)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from imapd import commands, extensions
from imapd.dialect import Dialect, Feature, SearchReturn
from imapd.model.limits import Limits
from imapd.query.results import Found
from imapd.server import flow
from imapd.store.errors import NoSuchMailbox, StoreUnavailable
from imapd.store.memory import mailbox as memory
from tests.dialogue import Dialogue, Server, letter
from tests.sharing.houses import ALICES, opened_up, share

_PLACES = ("INBOX", "work", "work/a", "work/a/b", "other", "empty")


@pytest.fixture
def alice(anywhere: Server) -> Dialogue:
    """A client with some mailboxes, of which none is selected; each has a message that names it."""
    client = anywhere.login()
    for name in _PLACES[1:]:
        client.ok(f"CREATE {name}")
    for name in _PLACES[:-1]:
        client.append(letter("first"), letter(f"of {name}"), mailbox=name)
    client.ok("SUBSCRIBE work/a")
    client.ok("SUBSCRIBE other")
    return client


def _told(answer: bytes) -> dict[str, str]:
    """What is said of each mailbox."""
    told: dict[str, str] = {}
    for line in answer.decode().split("\r\n"):
        if line.startswith("* ESEARCH"):
            match = re.fullmatch(
                r'\* ESEARCH \(TAG "a" MAILBOX (\S+|"[^"]*") UIDVALIDITY [1-9]\d*\) UID (.*)', line
            )
            assert match is not None, line
            name = match[1].strip('"')
            assert name not in told, "told twice"
            told[name] = match[2]
    return told


def _found(client: Dialogue, arguments: str) -> dict[str, str]:
    return _told(client.ok(f"ESEARCH {arguments}"))


def test_capability(server: Server) -> None:
    """It is advertised."""
    assert "MULTISEARCH" in server.connect().command("CAPABILITY")[0].split(" ")


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ("personal", ["INBOX", "other", "work", "work/a", "work/a/b"]),
        ("inboxes", ["INBOX", "other", "work", "work/a", "work/a/b"]),
        ("subscribed", ["other", "work/a"]),
        ("subtree work", ["work", "work/a", "work/a/b"]),
        ("subtree work/a/", ["work/a", "work/a/b"]),
        ("SUBTREE-ONE work", ["work", "work/a"]),
        ("subtree-one (work/a other)", ["other", "work/a", "work/a/b"]),
        ("mailboxes inbox", ["INBOX"]),
        ("mailboxes (other work)", ["other", "work"]),
        ("mailboxes other subtree work/a subscribed", ["other", "work/a", "work/a/b"]),
        ("mailboxes nowhere", []),
        ("mailboxes empty", []),
        ('mailboxes "wor*"', []),
        ('mailboxes ("%" "*")', []),
        ("subtree nowhere", []),
        ("mailboxes (INBOX INBOX) personal personal", ["INBOX", "other", "work", "work/a", "work/a/b"]),
    ],
)  # fmt: skip
def test_sources(alice: Dialogue, sources: str, names: list[str]) -> None:
    """Each way of naming mailboxes; each is told of once, and only where something was found (2.1, 2.2)."""
    found = _found(alice, f"IN ({sources}) SUBJECT first")
    assert found == dict.fromkeys(found, "ALL 1")
    assert sorted(found) == names


def test_only_where_something_was_found(alice: Dialogue) -> None:
    """Also COUNT, MIN and MAX tell of no mailbox without a match (2.1: MUST NOT)."""
    assert _found(alice, 'IN (personal) RETURN (COUNT MIN MAX ALL) SUBJECT "of work"') == {
        "work": "MIN 2 MAX 2 ALL 2 COUNT 1",
        "work/a": "MIN 2 MAX 2 ALL 2 COUNT 1",
        "work/a/b": "MIN 2 MAX 2 ALL 2 COUNT 1",
    }
    assert alice.ok("ESEARCH IN (personal) RETURN (COUNT) SUBJECT nowhere") == b""


def test_return(alice: Dialogue) -> None:
    """Without RETURN it is ALL (2.1); PARTIAL is of each mailbox (2.2)."""
    assert _found(alice, "IN (mailboxes work) ALL") == {"work": "ALL 1:2"}
    assert _found(alice, "IN (mailboxes work) RETURN () ALL") == {"work": "ALL 1:2"}
    assert _found(alice, "IN (subtree work/a) RETURN (PARTIAL -1:-1) ALL") == {
        "work/a": "PARTIAL (-1:-1 2)",
        "work/a/b": "PARTIAL (-1:-1 2)",
    }
    assert _found(alice, "IN (mailboxes work) RETURN (RELEVANCY ALL) FUZZY SUBJECT frist") == {
        "work": "ALL 1 RELEVANCY (55)"
    }
    assert alice.do("ESEARCH IN (personal) RETURN (RELEVANCY) ALL").startswith(b"a BAD ")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("1:1", "ALL 1"),
        ("*", "ALL 2"),
        ("2:9", "ALL 2"),
        ("UID 2:*", "ALL 2"),
        ("UNSEEN NOT SUBJECT first", "ALL 2"),
        ("BODY hello", "ALL 1:2"),
        ("CHARSET UTF-8 TEXT hello", "ALL 1:2"),
        ("YOUNGER 4294967295", "ALL 1:2"),
        ("SAVEDATESUPPORTED", "ALL 1:2"),
        ("FUZZY TEXT helo", "ALL 1:2"),
        ("NOT EMAILID Mx", "ALL 1:2"),
        ("UIDAFTER 1", "ALL 2"),
        ("RECENT", "ALL 1:2"),
        ("OLD", ""),
        ("$", ""),
        ("UID $", ""),
    ],
)
def test_keys(alice: Dialogue, keys: str, found: str) -> None:
    """Every key works where nothing is selected; numbers beyond the last match nothing (2)."""
    assert _found(alice, f"IN (mailboxes other) {keys}") == ({"other": found} if found else {})


def test_modseq(alice: Dialogue) -> None:
    """MODSEQ tells the highest of each mailbox."""
    found = _found(alice, "IN (mailboxes (work other)) MODSEQ 1")
    assert set(found) == {"work", "other"}
    assert all(re.fullmatch(r"ALL 1:2 MODSEQ \d+", said) for said in found.values())


def test_threads_and_ids(alice: Dialogue) -> None:
    """A message is found by its id wherever a copy of it is."""
    alice.select("work")
    alice.ok("COPY 1 other")
    email, thread = re.findall(rb"\((\w+)\)", alice.ok("FETCH 1 (EMAILID THREADID)"))
    assert _found(alice, f"IN (personal) EMAILID {email.decode()}") == {
        "work": "ALL 1",
        "other": "ALL 3",
    }
    assert _found(alice, f"IN (personal) THREADID {thread.decode()}") == {
        "work": "ALL 1",
        "other": "ALL 3",
    }


def test_selected(alice: Dialogue) -> None:
    """Without IN it is the selected mailbox that is looked through; still the answer names it (2.1)."""
    alice.select("work/a")
    assert _found(alice, "SUBJECT first") == {"work/a": "ALL 1"}
    assert _found(alice, "RETURN (COUNT) ALL") == {"work/a": "COUNT 2"}
    assert _found(alice, "IN (selected) SUBJECT first") == {"work/a": "ALL 1"}
    assert sorted(_found(alice, "IN (selected mailboxes other) ALL")) == ["other", "work/a"]
    assert alice.ok("ESEARCH SUBJECT nowhere") == b""


@pytest.mark.parametrize("arguments", ["ALL", "IN (selected) ALL", "IN (selected personal) ALL"])
def test_nothing_selected(alice: Dialogue, arguments: str) -> None:
    """Where nothing is selected, the selected mailbox cannot be meant: BAD (2.2: MUST)."""
    assert alice.do(f"ESEARCH {arguments}").startswith(b"a BAD ")


def test_it_stays_selected(alice: Dialogue) -> None:
    """What is selected is neither changed nor disturbed (2.2); numbers are told when it may be."""
    alice.select("work")
    assert _found(alice, "IN (personal) ALL").keys() >= {"INBOX", "other"}
    assert alice.ok("FETCH 1 UID") == b"* 1 FETCH (UID 1)\r\n"
    alice.ok("STORE 1 +FLAGS.SILENT (\\Flagged)")
    assert _found(alice, "IN (personal) FLAGGED") == {"work": "ALL 1"}


def test_recent_stays(anywhere: Server, alice: Dialogue) -> None:
    r"""\Recent is as it was: the next who selects the mailbox has it."""
    _found(alice, "IN (personal) RECENT")
    _found(alice, "IN (personal) ALL")
    assert b"* 2 RECENT\r\n" in anywhere.client().do("SELECT other")
    assert _found(alice, "IN (mailboxes other) RECENT") == {}


def test_save(alice: Dialogue) -> None:
    """SAVE is for the selected mailbox alone: else it is BAD (2.2: MUST), and $ stays."""
    alice.select("work")
    assert alice.ok("ESEARCH RETURN (SAVE) SUBJECT first") == b""
    assert alice.command("SEARCH $")[0] == "* SEARCH 1"
    assert _found(alice, "IN (selected) RETURN (SAVE COUNT) ALL") == {"work": "COUNT 2"}
    assert alice.command("SEARCH $")[0] == "* SEARCH 1 2"
    for sources in ("personal", "selected personal", "mailboxes work"):
        assert alice.do(f"ESEARCH IN ({sources}) RETURN (SAVE) 1").startswith(b"a BAD ")
    assert alice.command("SEARCH $")[0] == "* SEARCH 1 2"
    # It names messages of the selected mailbox only.
    assert _found(alice, "IN (subtree work) $") == {"work": "ALL 1:2"}
    assert alice.ok("ESEARCH RETURN (SAVE) SUBJECT nowhere") == b""
    assert alice.command("SEARCH $")[0] == "* SEARCH"


def test_pipelined(alice: Dialogue) -> None:
    """Commands sent at once are told apart by their tags (2.1)."""
    answer = alice.send(
        b"t1 ESEARCH IN (mailboxes work) 1\r\nt2 ESEARCH IN (mailboxes (work other)) 2\r\n"
    ).decode()
    lines = [re.sub(r"UIDVALIDITY \d+", "UIDVALIDITY n", line) for line in answer.split("\r\n")]
    assert lines == [
        '* ESEARCH (TAG "t1" MAILBOX work UIDVALIDITY n) UID ALL 1',
        "t1 OK ESEARCH completed",
        '* ESEARCH (TAG "t2" MAILBOX other UIDVALIDITY n) UID ALL 2',
        '* ESEARCH (TAG "t2" MAILBOX work UIDVALIDITY n) UID ALL 2',
        "t2 OK ESEARCH completed",
        "",
    ]


def test_names_of_all_kinds(alice: Dialogue) -> None:
    """Names are written as this client writes them, and as it reads them."""
    alice.ok("CREATE &AOk-t&AOk-")
    alice.ok('CREATE "two words"')
    alice.append(letter("hello"), mailbox="&AOk-t&AOk-").append(
        letter("hello"), mailbox='"two words"'
    )
    assert _found(alice, "IN (personal) SUBJECT hello") == {
        "&AOk-t&AOk-": "ALL 1",
        "two words": "ALL 1",
    }
    alice.ok("ENABLE IMAP4rev2")
    assert set(_found(alice, 'IN (mailboxes ("été" "two words")) ALL')) == {"été", "two words"}


def test_not_selectable(alice: Dialogue) -> None:
    """A name that only holds others is passed over."""
    alice.ok("DELETE work")
    assert sorted(_found(alice, "IN (subtree work) ALL")) == ["work/a", "work/a/b"]
    assert _found(alice, "IN (mailboxes work) ALL") == {}


@pytest.mark.parametrize(
    "arguments",
    ["", "IN", "IN (personal)", "IN () ALL", "IN personal ALL", "IN (selected-delayed) ALL",
     "IN (everywhere) ALL", "IN (mailboxes) ALL", "IN (mailboxes ()) ALL", "IN (subtree) ALL",
     "IN (personal ALL", "IN (personal) RETURN ALL", "IN (personal (depth 1)) ALL",
     "IN (personal) IN (personal) ALL", "RETURN (MIN) IN (personal) ALL", "IN (personal) FOO",
     "IN (personal) RETURN (FOO) ALL", "IN ((personal)) ALL"],
)  # fmt: skip
def test_wrong_parameters(alice: Dialogue, arguments: str) -> None:
    """What the grammar has not is BAD, selected-delayed among it (2.2)."""
    assert alice.do(f"ESEARCH {arguments}").startswith(b"a BAD ")


def test_charset(alice: Dialogue) -> None:
    """An unknown charset is NO, whatever is to be looked through."""
    assert alice.do("ESEARCH IN (personal) CHARSET x-none ALL").startswith(
        b"a NO [BADCHARSET (US-ASCII UTF-8)] "
    )


def test_uidonly(alice: Dialogue) -> None:
    """Without sequence numbers it works as before, but for keys that are such (RFC 9586)."""
    alice.ok("ENABLE UIDONLY")
    assert _found(alice, "IN (mailboxes work) UID 1") == {"work": "ALL 1"}
    assert alice.do("ESEARCH IN (mailboxes work) 1").startswith(b"a BAD [UIDREQUIRED] ")


def test_news(anywhere: Server, alice: Dialogue) -> None:
    """Removals are told before its answer, unless it names messages by number."""
    alice.select("work")
    other = anywhere.client(select="work")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    assert b"EXPUNGE" not in alice.do("ESEARCH IN (mailboxes other) 1")
    assert b"* 1 EXPUNGE\r\n" in alice.do("ESEARCH IN (mailboxes other) ALL")


def test_what_follows() -> None:
    """An option that goes on after the answer is for the selected mailbox alone (2.2: MUST)."""
    followed: list[list[int]] = []

    def follows(
        session: object, asked: object, program: object, found: Found, said: object
    ) -> None:
        followed.append(list(found.numbers()))

    option = SearchReturn(
        "X-FOLLOW", lambda cursor: None, lambda found, said: None, follows=follows
    )
    features = [*commands.FEATURES, *extensions.FEATURES]
    feature = Feature("X", 0, search_returns=(option,))
    client = _filled(Server(dialect=Dialect.of([*features, feature])))
    assert client.do("ESEARCH IN (personal) RETURN (X-FOLLOW) ALL").startswith(b"a BAD ")
    client.select("b")
    client.ok("ESEARCH IN (personal) RETURN (X-FOLLOW) 2")
    client.ok("ESEARCH RETURN (X-FOLLOW) ALL")
    client.ok("ESEARCH IN (mailboxes a) RETURN (X-FOLLOW) ALL")
    client.select("INBOX")
    client.ok("ESEARCH IN (personal) RETURN (X-FOLLOW) ALL")
    assert followed == [[2], [1, 2], []]


# Others' mailboxes.


@pytest.fixture
def bob(anywhere: Server, alice: Dialogue) -> Dialogue:
    """A client whom alice lets look at some of her mailboxes."""
    opened_up(anywhere)
    owner = anywhere.client()
    share(owner, "work", "lr")
    share(owner, "work/a", "r")
    share(owner, "work/a/b", "l")
    return anywhere.client("bob")


def test_rights(bob: Dialogue) -> None:
    """What may not be read is passed over; what may not be looked up is for who names it (2.2: MUST)."""
    assert set(_found(bob, 'IN (subtree "Other Users/alice") ALL')) == {ALICES + "work"}
    named = " ".join(f'"{ALICES}{name}"' for name in (*_PLACES, "nowhere"))
    assert set(_found(bob, f"IN (mailboxes ({named})) ALL")) == {ALICES + "work", ALICES + "work/a"}


def test_personal_is_ones_own(bob: Dialogue) -> None:
    """Mailboxes of others are not personal; subscribed they can be."""
    bob.append(letter("own"))
    assert set(_found(bob, "IN (personal) ALL")) == {"INBOX"}
    bob.ok(f'SUBSCRIBE "{ALICES}work"')
    assert set(_found(bob, "IN (subscribed) ALL")) == {ALICES + "work"}


def test_own_flags(bob: Dialogue, anywhere: Server) -> None:
    """What another has seen is another's."""
    anywhere.client(select="work").ok("STORE 1 +FLAGS (\\Seen)")
    assert _found(bob, f'IN (mailboxes "{ALICES}work") UNSEEN') == {ALICES + "work": "ALL 1:2"}


# Limits, and what happens meanwhile.


def _filled(server: Server) -> Dialogue:
    client = server.login()
    for name in ("a", "b", "c"):
        client.ok(f"CREATE {name}")
        client.append(letter(name), letter(name), mailbox=name)
    return client


def test_too_many_mailboxes() -> None:
    """More mailboxes than one command may look through are refused before work begins (2.4)."""
    client = _filled(Server(limits=Limits(search_mailboxes=3)))
    assert client.do("ESEARCH IN (personal) ALL").startswith(b"a NO [LIMIT] ")
    assert set(_found(client, "IN (mailboxes (a b c)) ALL")) == {"a", "b", "c"}
    assert client.do("ESEARCH IN (mailboxes (a b c d)) ALL").startswith(b"a NO [LIMIT] ")


def test_too_many_messages() -> None:
    """Where the messages of a command are limited, those of all mailboxes count (2.4)."""
    client = _filled(Server(limits=Limits(messages=5)))
    assert client.do("ESEARCH IN (personal) ALL").startswith(b"a NO [LIMIT] ")
    assert set(_found(client, "IN (mailboxes (a b)) ALL")) == {"a", "b"}


def test_too_many_names() -> None:
    """A list of names is as long as any other."""
    client = _filled(Server(limits=Limits(list_length=3)))
    for sources in ("mailboxes (a b c d)", "mailboxes (a b) subtree (c d)"):
        assert client.do(f"ESEARCH IN ({sources}) ALL").startswith(b"a BAD ")


def test_deleted_meanwhile(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that goes away while others are looked through is passed over."""
    client = _filled(server)
    original = memory.MemoryMailbox.read

    def read(self: Any, uid: int) -> Any:
        account = server.store._accounts["alice"]
        if "b" in account._mailboxes and self is account._mailboxes["a"]:
            account.delete("b")
        return original(self, uid)

    monkeypatch.setattr(memory.MemoryMailbox, "read", read)
    assert set(_found(client, "IN (personal) BODY hello")) == {"a", "c"}


def test_deleted_while_it_is_looked_through(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one that goes away while it is looked through itself."""
    client = _filled(server)
    original = memory.MemoryMailbox.read

    def read(self: Any, uid: int) -> Any:
        if self is server.store._accounts["alice"]._mailboxes.get("b"):
            raise NoSuchMailbox
        return original(self, uid)

    monkeypatch.setattr(memory.MemoryMailbox, "read", read)
    assert set(_found(client, "IN (personal) BODY hello")) == {"a", "c"}


def test_a_store_that_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store cannot be asked the command says so, and the next one works."""
    client = _filled(server)

    def fail(self: Any, uid: int) -> Any:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(memory.MemoryMailbox, "read", fail)
        assert client.do("ESEARCH IN (personal) BODY hello").startswith(b"a NO [UNAVAILABLE] ")
    assert set(_found(client, "IN (personal) BODY hello")) == {"a", "b", "c"}


def test_abandoned(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client hangs up, its search stops, and nothing is held of what it looked at."""
    opened: list[int] = []
    original = memory.MemoryMailbox.read

    def read(self: Any, uid: int) -> Any:
        opened.append(uid)
        return original(self, uid)

    client = _filled(server)
    monkeypatch.setattr(memory.MemoryMailbox, "read", read)
    monkeypatch.setattr(flow, "_SLICE", -1.0)
    client.post(b"a ESEARCH IN (personal) BODY nowhere\r\n")
    client.hang_up()
    assert len(opened) < 3
    images = server.factory.policy.images._images.values()
    assert not any(image.watchers for image in images)
