"""Accounts in which users see mailboxes of each other: namespaces, names, and what becomes of ACLs."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from imapd.model.rights import RightsChange
from imapd.sharing import Sharing, SharingAccount
from imapd.store.access import IAccess, INamespaces, IShareable, Offer
from imapd.store.answers import settled
from imapd.store.interfaces import IAccount
from imapd.store.memory import MemoryStore
from tests.dialogue import Dialogue, Server, letter, same
from tests.sharing.houses import ALICES, opened_up, share


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn; Carol administers the public mailboxes."""
    return opened_up(anywhere)


def _names(client: Dialogue, command: str = 'LIST "" *') -> list[str]:
    return [line.rpartition('"/" ')[2].strip('"') for line in client.command(command)[:-1]]


def test_provides() -> None:
    """It is an account, with namespaces and rights."""
    store = MemoryStore()
    account = SharingAccount(Sharing(store, "public"), "alice", store.open_account("alice"))
    for interface in (IAccount, IAccess, INamespaces):
        assert verifyObject(interface, account)


def test_a_store_that_keeps_no_rights() -> None:
    """The accounts of a store without ACLs stay what they are."""
    own = object()
    assert Sharing(MemoryStore(), "public").around("alice", own) is own  # type: ignore[arg-type]


def test_namespaces(shared: Server) -> None:
    """NAMESPACE tells where the mailboxes of others and of all are."""
    same(
        shared.client().do("NAMESPACE"),
        '* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))',
        "a OK NAMESPACE completed",
    )


@pytest.mark.parametrize(
    ("others", "public", "told"),
    [
        ("", "Shared/", 'NIL (("Shared/" "/"))'),
        ("Other Users/", "", '(("Other Users/" "/")) NIL'),
        ("~\u00e9/", "#all/", '(("~&AOk-/" "/")) (("#all/" "/"))'),
    ],
)
def test_other_prefixes(anywhere: Server, others: str, public: str, told: str) -> None:
    """Each namespace can have another prefix, or none and not be there."""
    opened_up(anywhere, others=others, public=public)
    client = anywhere.client()
    same(client.do("NAMESPACE"), f'* NAMESPACE (("" "/")) {told}', "a OK NAMESPACE completed")
    share(client, "box", "lr")
    found = [f"{others}alice/box"] if others else []
    names = _names(anywhere.login("bob", "IMAP4rev2"), 'LIST "" *')
    assert names == ["INBOX", *found]


def test_figures_of_all_at_once(anywhere: Server) -> None:
    """Those of others are theirs, though an own mailbox had that name before there was sharing."""
    bob = anywhere.client("bob")
    bob.ok(f'CREATE "{ALICES}box"')
    bob.fill(1, f'"{ALICES}box"').fill(1)
    bob.hang_up()
    opened_up(anywhere)
    alice, bob = anywhere.client("alice"), anywhere.client("bob")
    share(alice, "box", "lr")
    alice.fill(2, "box")
    lines = bob.command('LIST "" * RETURN (STATUS (MESSAGES))')
    assert f'* STATUS "{ALICES}box" (MESSAGES 2)' in lines
    assert "* STATUS INBOX (MESSAGES 1)" in lines
    same(
        bob.do(f'STATUS "{ALICES}box" (MESSAGES)'),
        f'* STATUS "{ALICES}box" (MESSAGES 2)',
        "a OK STATUS completed",
    )


def test_what_is_listed(shared: Server) -> None:
    """LIST shows of others what may be looked up, and levels above it as names that are not there."""
    alice, bob = shared.client("alice"), shared.client("bob")
    alice.ok("CREATE A (USE (\\Sent))")
    alice.ok("CREATE A/B/C")
    share(alice, "A/B/C", "lr")
    share(alice, "A", "r")
    assert _names(bob) == ["INBOX", f"{ALICES}A/B/C"]
    same(
        bob.do('LIST "" % RETURN ()'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        '* LIST (\\NonExistent \\HasChildren) "/" "Other Users"',
        "a OK LIST completed",
    )
    same(
        bob.do('LIST "" "Other Users/%"'),
        '* LIST (\\Noselect \\HasChildren) "/" "Other Users/alice"',
        "a OK LIST completed",
    )
    same(
        bob.do('LIST "" "Other Users/alice/%" RETURN (CHILDREN)'),
        f'* LIST (\\NonExistent \\HasChildren) "/" "{ALICES}A"',
        "a OK LIST completed",
    )
    assert bob.do('SELECT "Other Users"').startswith(b"a NO [NONEXISTENT] ")
    assert bob.do('SELECT "Other Users/alice"').startswith(b"a NO [NONEXISTENT] ")


@pytest.mark.parametrize(
    "command",
    [
        "SELECT {}",
        "EXAMINE {}",
        "STATUS {} (MESSAGES)",
        "DELETE {}",
        'RENAME {} "Other Users/alice/other"',
        "GETACL {}",
        "MYRIGHTS {}",
        "LISTRIGHTS {} bob",
        "SETACL {} bob lr",
        "GETMETADATA {} /shared/comment",
        'SETMETADATA {} (/shared/comment "x")',
    ],
)
def test_what_is_hidden_is_as_if_it_were_not_there(shared: Server, command: str) -> None:
    """What may not be looked up is refused in the very words of what is not there (RFC 4314, 6)."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    alice.ok("CREATE hidden/below")
    alice.ok("CREATE between/below")
    told = {
        bob.do(command.format(f'"{ALICES}{name}"'))
        for name in ("hidden", "hidden/below", "between", "nowhere", "no/where")
    }
    assert told == {b"a NO [NONEXISTENT] No such mailbox\r\n"}


def test_no_special_use_of_others(shared: Server) -> None:
    r"""The owner's \Sent is not the reader's."""
    alice, bob = shared.client("alice"), shared.client("bob")
    alice.ok("CREATE Out (USE (\\Sent))")
    share(alice, "Out", "lrkx")
    assert b"\\Sent" in alice.ok('LIST "" *')
    same(
        bob.do(f'LIST "" "{ALICES}*" RETURN (SPECIAL-USE)'),
        f'* LIST (\\HasNoChildren) "/" {ALICES}Out'.replace(ALICES, f'"{ALICES}') + '"',
        "a OK LIST completed",
    )
    same(bob.do('LIST (SPECIAL-USE) "" *'), "a OK LIST completed")
    answer = bob.do(f'CREATE "{ALICES}Out/x" (USE (\\Junk))')
    assert answer.startswith(b"a NO [NOPERM] ")


def test_inbox_of_another(shared: Server) -> None:
    """INBOX can be shared, and is INBOX in any case below its owner too."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "INBOX", "lr")
    alice.append(letter())
    assert _names(bob) == ["INBOX", f"{ALICES}INBOX"]
    assert b"(MESSAGES 1)" in bob.ok(f'STATUS "{ALICES}inbox" (MESSAGES)')


def test_subscriptions(shared: Server) -> None:
    """Subscriptions to mailboxes of others are the reader's, and stay when a right goes."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    bob.ok(f'SUBSCRIBE "{ALICES}box"')
    same(
        bob.do('LIST (SUBSCRIBED) "" *'),
        f'* LIST (\\Subscribed \\HasNoChildren) "/" "{ALICES}box"',
        "a OK LIST completed",
    )
    alice.ok("DELETEACL box bob")
    same(
        bob.do('LIST (SUBSCRIBED) "" *'),
        f'* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" "{ALICES}box"',
        "a OK LIST completed",
    )
    bob.ok(f'UNSUBSCRIBE "{ALICES}box"')
    assert _names(bob, 'LIST (SUBSCRIBED) "" *') == []
    assert _names(alice, 'LIST (SUBSCRIBED) "" *') == []


def test_list_status(shared: Server) -> None:
    """LIST with STATUS tells figures of what may be read; what may only be looked up is no trouble."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    share(alice, "closed", "l")
    same(
        bob.do(f'LIST "" "{ALICES}*" RETURN (STATUS (MESSAGES))'),
        f'* LIST (\\HasNoChildren) "/" "{ALICES}box"',
        f'* STATUS "{ALICES}box" (MESSAGES 0)',
        f'* LIST (\\Noselect \\HasNoChildren) "/" "{ALICES}closed"',
        "a OK LIST completed",
    )


def test_a_new_mailbox_has_the_rights_of_the_one_above(shared: Server) -> None:
    """Who may create below a mailbox gets one with the same rights, which its owner has too."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lrki")
    bob.ok(f'CREATE "{ALICES}box/a/b"')
    for name in ("box/a", "box/a/b"):
        same(
            alice.do(f"GETACL {name}"),
            f"* ACL {name} alice lrswipkxtencda bob lrikc",
            "a OK GETACL completed",
        )
    alice.ok("CREATE box/c")
    alice.ok("SETACL box bob l")
    assert b"MYRIGHTS" in bob.ok(f'MYRIGHTS "{ALICES}box/c"')
    assert bob.ok(f'MYRIGHTS "{ALICES}box/c"').endswith(b" lrikc\r\n")


def test_rights_move_along(shared: Server) -> None:
    """RENAME keeps the ACL, below too; DELETE ends it, and a name used again begins without."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "old", "lr")
    share(alice, "old/in", "lrs")
    alice.ok("RENAME old new")
    assert _names(bob) == ["INBOX", f"{ALICES}new", f"{ALICES}new/in"]
    assert bob.ok(f'MYRIGHTS "{ALICES}new/in"').endswith(b" lrs\r\n")
    alice.ok("DELETE new/in")
    alice.ok("DELETE new")
    alice.ok("CREATE new")
    assert _names(bob) == ["INBOX"]


def test_renaming_what_is_open(shared: Server) -> None:
    """A reader's session goes on when the owner renames the mailbox."""
    alice = shared.client("alice")
    share(alice, "old", "lrs")
    alice.append(letter(), mailbox="old")
    bob = shared.client("bob", f'"{ALICES}old"')
    alice.ok("RENAME old new")
    bob.ok("STORE 1 +FLAGS (\\Seen)")
    bob.select(f'"{ALICES}new"')
    assert bob.ok("SEARCH SEEN") == b"* SEARCH 1\r\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mine", "{}box/mine"),
        ("{}box", "mine2"),
        ("{}box", "Shared/box"),
        ("{}box", "Other Users/carol/x"),
    ],
)
def test_nothing_moves_from_account_to_account(shared: Server, old: str, new: str) -> None:
    """RENAME from one user to another is refused, and everything stays where it was."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lrswipkxtena")
    bob.ok("CREATE mine")
    answer = bob.do(f'RENAME "{old.format(ALICES)}" "{new.format(ALICES)}"')
    same(answer, "a NO [CANNOT] Mailboxes cannot be moved from one user to another")
    assert _names(bob) == ["INBOX", f"{ALICES}box", "mine"]


@pytest.mark.parametrize(
    "name", ["Other Users", "Other Users/x", "Other Users/x/y", "Shared", "Shared/x"]
)
def test_nobody_makes_names_there(shared: Server, name: str) -> None:
    """The names of the namespaces are nobody's to create."""
    bob = shared.client("bob")
    assert bob.do(f'CREATE "{name}"').startswith(b"a NO [NOPERM] ")
    bob.ok("CREATE Sharedx")
    assert _names(bob) == ["INBOX", "Sharedx"]


def test_nobody_sees_themselves(shared: Server) -> None:
    """One's own mailboxes are not in the namespace of others, whoever they are shared with."""
    alice = shared.client("alice")
    share(alice, "box", "lr", "anyone")
    assert _names(alice) == ["INBOX", "box"]
    assert alice.do(f'SELECT "{ALICES}box"').startswith(b"a NO [NONEXISTENT] ")
    assert _names(shared.client("bob")) == ["INBOX", f"{ALICES}box"]


def test_an_offer_that_is_taken_back(shared: Server) -> None:
    """Who had rights on two mailboxes sees the second until that is taken back too."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "one", "lr")
    share(alice, "two", "lr")
    alice.ok("DELETEACL one bob")
    assert _names(bob) == ["INBOX", f"{ALICES}two"]
    alice.ok("SETACL two bob -lr")
    assert _names(bob) == ["INBOX"]


# Public mailboxes.


def test_public_mailboxes(shared: Server) -> None:
    """An administrator makes mailboxes of nobody, and says who sees them."""
    carol, bob = shared.client("carol"), shared.client("bob")
    carol.ok("CREATE Shared/news")
    assert _names(bob) == ["INBOX"]
    assert _names(carol) == ["INBOX", "Shared/news"]
    carol.ok("SETACL Shared/news anyone lrsp")
    carol.append(letter(), mailbox="Shared/news")
    assert _names(bob) == ["INBOX", "Shared/news"]
    assert b"* 1 EXISTS\r\n" in bob.do("SELECT Shared/news")
    assert bob.do("APPEND Shared/news {1+}\r\nx").startswith(b"a NO [NOPERM] ")
    same(
        carol.do("GETACL Shared/news"),
        "* ACL Shared/news carol lrswipkxtencda anyone lrsp",
        "a OK GETACL completed",
    )
    assert carol.do("SETACL Shared/news carol l").startswith(b"a NO [NOPERM] ")
    carol.ok("DELETE Shared/news")
    bob.ok("UNSELECT")
    assert _names(bob) == ["INBOX"]


def test_seen_is_ones_own_there_too(shared: Server) -> None:
    r"""Also administrators have only their own \Seen of a public mailbox."""
    carol, bob = shared.client("carol"), shared.client("bob")
    carol.ok("CREATE Shared/news")
    carol.ok("SETACL Shared/news anyone lrs")
    carol.append(letter(), mailbox="Shared/news", flags="\\Seen")
    assert carol.select("Shared/news").ok("SEARCH SEEN") == b"* SEARCH 1\r\n"
    assert bob.select("Shared/news").ok("SEARCH UNSEEN") == b"* SEARCH 1\r\n"


@pytest.mark.parametrize(
    "name", ["Shared/INBOX", "Other Users/public/news", "Other Users/public/INBOX"]
)
def test_the_account_of_nobody(shared: Server, name: str) -> None:
    """The public account is no user: it has no INBOX, and is not among the others."""
    carol = shared.client("carol")
    carol.ok("CREATE Shared/news")
    assert carol.do(f'SELECT "{name}"').startswith(b"a NO [NONEXISTENT] ")


def test_names_that_are_no_users(anywhere: Server) -> None:
    """A user who is called like a group, or like everybody, gets nothing by that."""
    opened_up(anywhere, groups={"team": ["bob"]})
    realm = anywhere.factory.policy.portal.realm
    sharing: Sharing = realm._sharing  # type: ignore[attr-defined]
    assert sharing.identifiers("$team") == {"anyone"}
    assert sharing.identifiers("-bob") == {"anyone"}
    assert sharing.identifiers("anyone") == {"anyone"}
    assert sharing.identifiers("bob") == {"anyone", "bob", "$team"}


def test_own_mailboxes_are_the_stores(server: Server) -> None:
    """One's own mailboxes cost nothing: they are the store's, with nothing around them."""
    opened_up(server)
    client = server.client()
    session = client.select().protocol.session
    assert session.account.__class__ is SharingAccount
    assert session.selected.mailbox is server.store.open_account("alice").open("INBOX")


def test_the_quota_of_others(shared: Server) -> None:
    """A mailbox of another has no quota root of the reader's, and nothing is told of its owner's."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    same(
        bob.do(f'GETQUOTAROOT "{ALICES}box"'),
        f'* QUOTAROOT "{ALICES}box"',
        "a OK GETQUOTAROOT completed",
    )
    assert b"* QUOTA " in bob.ok("GETQUOTAROOT INBOX")


def test_replacing_in_a_mailbox_of_another(shared: Server) -> None:
    """REPLACE takes the rights to remove the old message and to insert the new one, or does nothing."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lrite")
    alice.append(letter("old"), mailbox="box")
    for missing in "ite":
        alice.ok(f"SETACL box bob -{missing}")
        bob.select(f'"{ALICES}box"')
        answer = bob.do(f'REPLACE 1 "{ALICES}box" {{1+}}\r\nx')
        assert answer.startswith(b"a NO [NOPERM] "), answer
        alice.ok(f"SETACL box bob +{missing}")
    bob.select(f'"{ALICES}box"')
    assert b"APPENDUID" in bob.ok(f'REPLACE 1 "{ALICES}box" {{1+}}\r\nx')
    assert b"(MESSAGES 1 UIDNEXT 3)" in alice.ok("STATUS box (MESSAGES UIDNEXT)")


def test_a_user_who_has_gone(shared: Server) -> None:
    """What was shared by a user whose account is no more is not there, and no account is made of it."""
    alice, bob = shared.client("alice"), shared.client("bob")
    share(alice, "box", "lr")
    outcome: list[object] = []

    async def leave_behind() -> None:
        account = await settled(shared.store.open_account("public"))
        await settled(IShareable(account).offer(Offer("bob", "mallory"), True))
        await settled(account.close())

    Deferred.fromCoroutine(leave_behind()).addBoth(outcome.append)
    shared.rest()
    assert outcome == [None]
    assert _names(bob) == ["INBOX", f"{ALICES}box"]
    assert bob.do('SELECT "Other Users/mallory/INBOX"').startswith(b"a NO [NONEXISTENT] ")
    assert bob.do('CREATE "Other Users/mallory/x"').startswith(b"a NO [NOPERM] ")
    assert not any("mallory" in str(name) for name in shared.store._accounts)


def test_rights_that_came_with_the_store(anywhere: Server) -> None:
    """What an owner shared before this server knew of it is seen once the owner has been here."""
    alice = anywhere.client()
    alice.ok("CREATE Adopted")

    async def adopted() -> None:
        account = await settled(anywhere.store.open_account("alice"))
        (info,) = [each for each in await settled(account.mailboxes()) if each.name == "Adopted"]
        change = RightsChange.REPLACE
        await settled(IShareable(account).change_acl(info.id, "bob", change, frozenset("lr")))
        await settled(account.close())

    anywhere.wait(adopted())
    opened_up(anywhere)
    bob = anywhere.client("bob")
    assert ALICES + "Adopted" not in _names(bob)
    assert "Adopted" in _names(anywhere.client())
    assert ALICES + "Adopted" in _names(bob)
