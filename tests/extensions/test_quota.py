"""QUOTA and QUOTASET (RFC 9208): what an account holds, and what it may hold."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer_only

from imapd.config import BadConfig, configured
from imapd.model.quota import Allowance
from imapd.preparing import prepare
from imapd.store.interfaces import IAccount, IQuota
from imapd.store.memory import MemoryAccount, MemoryStore
from tests.backends import MaildirBackend
from tests.dialogue import Server, letter, same
from tests.distant import DistantStore

#: A message of 1,500 octets.
_MESSAGE = letter("x", "y" * (1_500 - len(letter("x", ""))))
assert len(_MESSAGE) == 1_500


@pytest.fixture
def governed(anywhere: Server) -> Server:
    """A server whose administrator is carol."""
    anywhere.factory.policy = evolve(
        anywhere.factory.policy, administrators=frozenset({"carol", "nobody"})
    )
    return anywhere


def _limit(server: Server, limits: str, user: str = "alice") -> None:
    """Carol says what a user may hold, who has logged in before."""
    server.client(user)
    server.client("carol").ok(f"SETQUOTA {user} ({limits})")


# Capabilities.


def test_capabilities(governed: Server) -> None:
    """RFC 9208, 1 and 3.1.1: QUOTA, with each resource; QUOTASET for who may use it."""
    names = governed.client().ok("CAPABILITY").split()
    assert {
        b"QUOTA",
        b"QUOTA=RES-STORAGE",
        b"QUOTA=RES-MESSAGE",
        b"QUOTA=RES-MAILBOX",
        b"QUOTA=RES-ANNOTATION-STORAGE",
    } <= {*names}
    assert b"QUOTASET" not in names
    assert b"QUOTASET" in governed.client("carol").ok("CAPABILITY").split()
    assert b"QUOTASET" not in governed.connect().ok("CAPABILITY").split()


def test_a_store_without_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9208, 3.1.1: a resource that accounts have nothing of is not advertised, and not limited."""

    @implementer_only(IAccount, IQuota)
    class Plain(MemoryAccount):
        """An account that keeps no annotations."""

    monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", Plain)
    client = Server(administrators=["alice"]).client()
    names = client.ok("CAPABILITY").split()
    assert b"QUOTA=RES-MESSAGE" in names
    assert b"QUOTA=RES-ANNOTATION-STORAGE" not in names
    same(
        client.do("SETQUOTA alice (ANNOTATION-STORAGE 5)"),
        "a NO [CANNOT] ANNOTATION-STORAGE cannot be limited here",
    )


def test_a_store_without_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that keeps none has no such capabilities, and says so when it is asked."""

    @implementer_only(IAccount)
    class Plain(MemoryAccount):
        """An account with nothing optional."""

    monkeypatch.setattr("imapd.store.memory.store.MemoryAccount", Plain)
    client = Server(administrators=["alice"]).client()
    assert b"QUOTA" not in client.ok("CAPABILITY")
    for command in ("GETQUOTA alice", "GETQUOTAROOT INBOX", "SETQUOTA alice ()"):
        same(client.do(command), "a NO [CANNOT] There are no quotas here")


def test_switched_off() -> None:
    """Without QUOTA there is no QUOTASET either, and no DELETED-STORAGE."""
    client = Server(without=["QUOTA"], administrators=["alice"]).client()
    assert b"QUOTA" not in client.ok("CAPABILITY")
    for command in ("GETQUOTA alice", "GETQUOTAROOT INBOX", "SETQUOTA alice ()"):
        same(client.do(command), "a BAD There is no such command")
    same(client.do("STATUS INBOX (DELETED-STORAGE)"), "a BAD STATUS has no such item")


# GETQUOTA and GETQUOTAROOT.


def test_getquota(governed: Server) -> None:
    """RFC 9208, 4.1.1 and 4.2.1: usage and limits; storage in units of 1024 octets, what is begun counts."""
    _limit(governed, "STORAGE 10 MESSAGE 42 MAILBOX 1000")
    client = governed.client()
    same(
        client.ok("GETQUOTA alice"),
        '* QUOTA "alice" (STORAGE 0 10 MESSAGE 0 42 MAILBOX 1 1000)',
    )
    client.ok("CREATE box")
    client.append(_MESSAGE).append(_MESSAGE, mailbox="box")
    same(
        client.ok('GETQUOTA "alice"'),
        '* QUOTA "alice" (STORAGE 3 10 MESSAGE 2 42 MAILBOX 2 1000)',
    )


def test_what_is_not_limited_is_not_told(governed: Server) -> None:
    """RFC 9208, 4.2.1: resources that are not named have no limit; an empty list means none at all."""
    client = governed.client()
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" ()')
    _limit(governed, "MESSAGE 5")
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" (MESSAGE 0 5)')


def test_getquotaroot(governed: Server) -> None:
    """RFC 9208, 4.1.2: the root of a mailbox, and its quota; the mailbox need not exist."""
    _limit(governed, "MESSAGE 5")
    client = governed.client()
    quota = '* QUOTA "alice" (MESSAGE 0 5)'
    same(client.ok("GETQUOTAROOT INBOX"), '* QUOTAROOT INBOX "alice"', quota)
    same(client.ok("getquotaroot inbox"), '* QUOTAROOT INBOX "alice"', quota)
    same(client.ok('GETQUOTAROOT "to be made"'), '* QUOTAROOT "to be made" "alice"', quota)
    same(client.ok("GETQUOTAROOT &AOQ-"), '* QUOTAROOT &AOQ- "alice"', quota)


def test_also_when_a_mailbox_is_selected(governed: Server) -> None:
    """The commands are good in the selected state too, and not before log-in."""
    same(governed.client(select="INBOX").ok("GETQUOTA alice"), '* QUOTA "alice" ()')
    client = governed.connect()
    for command in ("GETQUOTA", "GETQUOTAROOT", "SETQUOTA"):
        same(client.do(f"{command} x"), f"a BAD {command} is not for this state")


def test_others_are_not_told_of(governed: Server) -> None:
    """RFC 9208, 8: what other users hold is their affair; not even whether they exist is told."""
    client = governed.client()
    for root in ("bob", "nobody", '""', "Alice"):
        same(client.do(f"GETQUOTA {root}"), "a NO [NONEXISTENT] There is no such quota root")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("GETQUOTA", "expected a space at octet 0"),
        ("GETQUOTA alice bob", "expected the end of the command at octet 6"),
        ("GETQUOTAROOT", "expected a space at octet 0"),
        ("GETQUOTAROOT (INBOX)", "expected a string at octet 1"),
        ("SETQUOTA alice", "expected a space at octet 6"),
        ("SETQUOTA alice STORAGE 1", "expected '(' at octet 7"),
        ("SETQUOTA alice (STORAGE)", "expected a space at octet 15"),
        ("SETQUOTA alice (STORAGE x)", "expected a number at octet 16"),
        ("SETQUOTA alice (STORAGE -1)", "expected a number at octet 16"),
        (
            "SETQUOTA alice (STORAGE 9223372036854775808)",
            "expected a number of 63 bits at octet 35",
        ),
        ("SETQUOTA alice (STORAGE 1 storage 2)", "A resource is there twice"),
    ],
)
def test_bad(governed: Server, command: str, answer: str) -> None:
    """What is not of the grammar is BAD, and changes nothing."""
    governed.client()
    client = governed.client("carol")
    same(client.do(command), f"a BAD {answer}")
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" ()')


def test_a_name_that_is_none(governed: Server) -> None:
    """A mailbox name that is no modified UTF-7 has no quota root."""
    same(
        governed.client().do("GETQUOTAROOT &"),
        "a NO [CANNOT] The name is not in the encoding of mailbox names",
    )


# SETQUOTA.


def test_setquota(governed: Server) -> None:
    """RFC 9208, 4.1.3: limits take the place of all that were there, and are told."""
    governed.client()
    carol = governed.client("carol")
    same(
        carol.ok("SETQUOTA alice (STORAGE 510 MESSAGE 1000)"),
        '* QUOTA "alice" (STORAGE 0 510 MESSAGE 0 1000)',
    )
    same(carol.ok("setquota alice (mailbox 7)"), '* QUOTA "alice" (MAILBOX 1 7)')
    same(governed.client().ok("GETQUOTA alice"), '* QUOTA "alice" (MAILBOX 1 7)')
    same(carol.ok("SETQUOTA alice ()"), '* QUOTA "alice" ()')
    same(governed.client().ok("GETQUOTA alice"), '* QUOTA "alice" ()')


def test_setquota_of_the_largest_number(governed: Server) -> None:
    """RFC 9208, 3.1.2: 63 bits."""
    same(
        governed.client("carol").ok("SETQUOTA carol (MESSAGE 9223372036854775807)"),
        '* QUOTA "carol" (MESSAGE 0 9223372036854775807)',
    )


def test_setquota_is_for_administrators(governed: Server) -> None:
    """A user cannot change even their own limits."""
    client = governed.client()
    same(client.do("SETQUOTA alice (MESSAGE 7)"), "a NO [NOPERM] Only administrators set quotas")
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" ()')


def test_setquota_of_what_cannot_be_limited(governed: Server) -> None:
    """A resource that is none here is NO, and the others named with it are not limited either."""
    governed.client()
    carol = governed.client("carol")
    same(
        carol.do("SETQUOTA alice (MESSAGE 1 X-OTHER 7)"),
        "a NO [CANNOT] X-OTHER cannot be limited here",
    )
    same(carol.ok("GETQUOTA alice"), '* QUOTA "alice" ()')


def test_an_administrator_sees_all(governed: Server) -> None:
    """What a user holds, whether logged in or not."""
    governed.client().append(_MESSAGE)
    _limit(governed, "MESSAGE 5", "bob")
    carol = governed.client("carol")
    carol.ok("SETQUOTA alice (MESSAGE 5)")
    same(carol.ok("GETQUOTA alice"), '* QUOTA "alice" (MESSAGE 1 5)')
    same(carol.ok("GETQUOTA bob"), '* QUOTA "bob" (MESSAGE 0 5)')


def test_an_administrator_makes_no_accounts(governed: Server) -> None:
    """Who never logged in has no account yet, and gets none by being asked for."""
    carol = governed.client("carol")
    for command in ("GETQUOTA bob", "SETQUOTA bob ()", "GETQUOTA bob", 'GETQUOTA ""'):
        same(carol.do(command), "a NO [NONEXISTENT] There is no such quota root")


def test_a_user_who_cannot_be(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A name that would lead out of the place for mail is no quota root, for administrators too."""
    backend = MaildirBackend(tmp_path_factory)
    server = backend.server()
    server.factory.policy = evolve(server.factory.policy, administrators=frozenset({"carol"}))
    carol = server.client("carol")
    same(carol.do("GETQUOTA ../alice"), "a NO [NONEXISTENT] There is no such quota root")
    same(carol.do("SETQUOTA .. ()"), "a NO [NONEXISTENT] There is no such quota root")
    server.close()
    backend.close()


# Enforcement.


_FULL = "a NO [OVERQUOTA] The quota of {} is used up"


def test_append(governed: Server) -> None:
    """RFC 9208, 4.3.1: APPEND of what there is no room for is NO [OVERQUOTA]."""
    _limit(governed, "MESSAGE 1")
    client = governed.client().append(_MESSAGE)
    same(client.do("APPEND INBOX", _MESSAGE), _FULL.format("messages"))
    same(client.ok("STATUS INBOX (MESSAGES UIDNEXT)"), "* STATUS INBOX (MESSAGES 1 UIDNEXT 2)")


def test_append_storage(governed: Server) -> None:
    """Two messages of 1,500 octets have room in 3 KiB, three have not."""
    _limit(governed, "STORAGE 3")
    client = governed.client().append(_MESSAGE, _MESSAGE)
    same(client.do("APPEND INBOX", _MESSAGE), _FULL.format("storage"))
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" (STORAGE 3 3)')


def test_append_of_several(governed: Server) -> None:
    """Of the messages of one APPEND all come in, or none."""
    _limit(governed, "MESSAGE 1")
    client = governed.client()
    two = b"a APPEND INBOX {%d+}\r\n%b {%d+}\r\n%b\r\n" % (1_500, _MESSAGE, 1_500, _MESSAGE)
    same(client.send(two), _FULL.format("messages"))
    same(client.ok("STATUS INBOX (MESSAGES)"), "* STATUS INBOX (MESSAGES 0)")


def test_copy(governed: Server) -> None:
    """RFC 9208, 4.3.1: COPY; none of the messages is copied."""
    client = governed.client()
    client.ok("CREATE box")
    client.append(_MESSAGE, _MESSAGE).select()
    _limit(governed, "MESSAGE 3")
    same(client.do("COPY 1:2 box"), _FULL.format("messages"))
    same(client.do("UID COPY 1:2 INBOX"), _FULL.format("messages"))
    same(client.ok("STATUS box (MESSAGES UIDNEXT)"), "* STATUS box (MESSAGES 0 UIDNEXT 1)")
    client.ok("COPY 2 box")
    same(client.do("COPY 2 box"), _FULL.format("messages"))


def test_move(governed: Server) -> None:
    """A move needs no room: who holds too much can tidy up."""
    client = governed.client()
    client.ok("CREATE box")
    client.append(_MESSAGE, _MESSAGE).select()
    _limit(governed, "MESSAGE 1 STORAGE 1 MAILBOX 1")
    client.ok("MOVE 1:2 box")
    same(client.ok("STATUS box (MESSAGES)"), "* STATUS box (MESSAGES 2)")
    client.ok("SELECT box")
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    client.ok("RENAME box other")
    same(
        client.ok("GETQUOTA alice"),
        '* QUOTA "alice" (STORAGE 2 1 MESSAGE 1 1 MAILBOX 2 1)',
    )


def test_create(governed: Server) -> None:
    """RFC 9208, 5.3: mailboxes are counted exactly; those above a new one with it."""
    _limit(governed, "MAILBOX 3")
    client = governed.client()
    same(client.do("CREATE a/b/c"), _FULL.format("mailboxes"))
    same(client.ok('LIST "" *'), '* LIST (\\HasNoChildren) "/" INBOX')
    client.ok("CREATE a/b")
    same(client.do("CREATE c"), _FULL.format("mailboxes"))
    same(client.do("RENAME INBOX c"), _FULL.format("mailboxes"))
    client.ok("DELETE a/b")
    client.ok("CREATE c")
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" (MAILBOX 3 3)')


def test_every_session_is_held_to_it_at_once(governed: Server) -> None:
    """A limit holds for sessions that were there before, and for other users not at all."""
    client, bob = governed.client(), governed.client("bob")
    _limit(governed, "MESSAGE 0")
    same(client.do("APPEND INBOX", _MESSAGE), _FULL.format("messages"))
    bob.append(_MESSAGE)
    _limit(governed, "MESSAGE 1")
    client.append(_MESSAGE)


def test_of_two_at_once_one_gets_the_last_room() -> None:
    """While the store takes its time, a second APPEND cannot take the same room."""
    store = MemoryStore()
    store.allow_each(Allowance(messages=1))
    clock = MemoryReactorClock()
    server = Server(DistantStore(clock, store=store), clock=clock, patience=5.0)
    clients = [server.client(), server.client()]
    for client in clients:
        client.post(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(_MESSAGE), _MESSAGE))
    server.rest()
    answers = sorted(client.read()[:16] for client in clients)
    assert answers == [b"a NO [OVERQUOTA]", b"a OK [APPENDUID "]


def test_delete_and_storage_that_would_be_free(governed: Server) -> None:
    r"""RFC 9208, 4.1.4: how much an EXPUNGE would free; it is exact."""
    _limit(governed, "STORAGE 100 MESSAGE 100")
    client = governed.client().append(_MESSAGE, _MESSAGE, _MESSAGE).select()
    client.ok("STORE 1,3 +FLAGS (\\Deleted)")
    same(
        client.ok("STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)"),
        "* STATUS INBOX (MESSAGES 3 DELETED 2 DELETED-STORAGE 3000)",
    )
    client.ok("EXPUNGE")
    same(client.ok("GETQUOTA alice"), '* QUOTA "alice" (STORAGE 2 100 MESSAGE 1 100)')


# Configuration.


def _configured(tmp_path, text: str):
    path = tmp_path / "imapd.toml"
    path.write_text(
        'store = "memory:"\nauth = ["static:secret"]\n'
        '[listen]\nimap = ["tcp:0:interface=127.0.0.1"]\n' + text
    )
    return prepare(configured(path), MemoryReactorClock())


def test_configured(tmp_path) -> None:
    """The keys of [quota] are limits of every account, and name the administrators."""
    prepared = _configured(
        tmp_path,
        '[quota]\nstorage = 512\nmailboxes = 9\nadministrators = ["carol"]\n',
    )
    account = prepared.store.open_account("alice")
    assert account.quota().allowance == Allowance(storage=512, messages=None, mailboxes=9)
    assert prepared.factory.policy.administrators == {"carol"}


def test_not_configured(tmp_path) -> None:
    """Without them nothing is limited, and nobody is an administrator."""
    prepared = _configured(tmp_path, "")
    assert prepared.store.open_account("alice").quota().allowance == Allowance()
    assert prepared.factory.policy.administrators == frozenset()


def test_misconfigured(tmp_path) -> None:
    """A limit that is none is said with file, key and remedy."""
    with pytest.raises(BadConfig) as caught:
        _configured(tmp_path, "[quota]\nstorage = -1\n")
    assert str(caught.value).endswith(
        "imapd.toml: quota.storage: -1 is not a whole number, or 0 for no limit; write storage = 0"
    )


def test_a_store_that_cannot_be_limited(tmp_path, monkeypatch) -> None:
    """Limits that nobody would keep are an error, not a promise."""
    monkeypatch.setattr(
        "imapd.preparing.open_store", lambda reactor, name: DistantStore(MemoryReactorClock())
    )
    with pytest.raises(BadConfig, match=r"quota\.messages: this kind of store keeps no quotas$"):
        _configured(tmp_path, "[quota]\nmessages = 5\n")
    assert _configured(tmp_path, "[quota]\nmessages = 0\n")


# Annotations.


def test_annotations(governed: Server) -> None:
    """RFC 9208, 5.4: those of messages, and those of mailboxes; what was begun counts."""
    _limit(governed, "ANNOTATION-STORAGE 2")
    client = governed.client()
    told = '* QUOTA "alice" (ANNOTATION-STORAGE {} 2)'
    same(client.ok("GETQUOTA alice"), told.format(0))
    client.append(_MESSAGE, _MESSAGE).select()
    client.ok(f'STORE 1 ANNOTATION (/x (value.priv "{"x" * 1_000}"))')
    same(client.ok("GETQUOTA alice"), told.format(1))
    client.ok(f'SETMETADATA INBOX (/private/x "{"x" * 1_000}")')
    same(client.ok("GETQUOTA alice"), told.format(2))


def test_annotations_over_quota(governed: Server) -> None:
    """RFC 9208, 4.3.1: NO [OVERQUOTA], whatever sets them, and nothing is half done."""
    client = governed.client()
    client.append(_MESSAGE, _MESSAGE).select()
    client.ok(f'STORE 1 ANNOTATION (/x (value.priv "{"x" * 600}"))')
    _limit(governed, "ANNOTATION-STORAGE 1")
    over = "a NO [OVERQUOTA] The quota of annotations is used up"
    big = f'(value.shared "{"x" * 600}")'
    client.ok("CREATE box")
    for command in (
        f"STORE 1:2 ANNOTATION (/y {big})",
        f'SETMETADATA box (/private/x "{"x" * 600}")',
        "COPY 1 box",
    ):
        same(client.do(command), over)
    same(client.do(f"APPEND box ANNOTATION (/y {big})", _MESSAGE), over)
    same(client.ok("FETCH 1:2 (ANNOTATION (/y size.shared))"),
         '* 1 FETCH (ANNOTATION (/y (size.shared "0")))',
         '* 2 FETCH (ANNOTATION (/y (size.shared "0")))')  # fmt: skip
    same(client.ok("STATUS box (MESSAGES)"), "* STATUS box (MESSAGES 0)")
    client.ok("MOVE 1 box")
    client.ok('STORE 1 ANNOTATION (/y (value.shared "little"))')
