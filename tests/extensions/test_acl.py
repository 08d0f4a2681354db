"""ACL, RIGHTS= and LIST-MYRIGHTS (RFC 4314, RFC 8440): every right, seen by two users."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dialogue import Dialogue, Server, letter, same
from tests.sharing.houses import ALICES, opened_up, share

_ALL = "lrswipkxtena"
_BOX = f'"{ALICES}box"'


@pytest.fixture
def shared(anywhere: Server) -> Server:
    """A server over each kind of store in turn, whose users see mailboxes of each other."""
    return opened_up(anywhere)


@pytest.fixture
def alice(shared: Server) -> Dialogue:
    """Who has a mailbox ``box`` with two messages."""
    client = shared.client("alice")
    client.ok("CREATE box")
    client.append(letter("1"), mailbox="box")
    client.append(letter("2"), mailbox="box", flags="\\Seen \\Flagged")
    return client


@pytest.fixture
def bob(shared: Server, alice: Dialogue) -> Dialogue:
    """Whom she may let at it."""
    return shared.client("bob")


# The commands.


def test_the_capabilities(alice: Dialogue) -> None:
    """A client learns of the extension and of the rights that came after RFC 2086."""
    told = alice.ok("CAPABILITY").split()
    assert {b"ACL", b"RIGHTS=texkn", b"LIST-MYRIGHTS"} <= set(told)


def test_nothing_without_configuration(anywhere: Server) -> None:
    """Where sharing is not configured, the commands and the capabilities are not there."""
    client = anywhere.client()
    assert b"ACL" not in client.ok("CAPABILITY")
    for command in ("SETACL INBOX bob lr", "DELETEACL INBOX bob", "GETACL INBOX", "MYRIGHTS INBOX",
                    "LISTRIGHTS INBOX bob"):  # fmt: skip
        same(client.do(command), "a BAD There is no such command")
    same(
        client.do('LIST "" % RETURN (MYRIGHTS)'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        "a OK LIST completed",
    )
    same(client.do("NAMESPACE"), '* NAMESPACE (("" "/")) NIL NIL', "a OK NAMESPACE completed")


def test_nothing_before_login(shared: Server) -> None:
    """Who has not logged in cannot ask."""
    client = shared.connect()
    assert b"ACL" not in client.ok("CAPABILITY")
    same(client.do("MYRIGHTS INBOX"), "a BAD MYRIGHTS is not for this state")


def test_the_owner_has_all_rights(alice: Dialogue) -> None:
    """MYRIGHTS, GETACL and LISTRIGHTS of one's own mailbox say that one can do everything."""
    same(alice.do("MYRIGHTS box"), "* MYRIGHTS box lrswipkxtencda", "a OK MYRIGHTS completed")
    same(alice.do("GETACL box"), "* ACL box alice lrswipkxtencda", "a OK GETACL completed")
    same(
        alice.do("LISTRIGHTS box alice"),
        "* LISTRIGHTS box alice lrswipkxtencda",
        "a OK LISTRIGHTS completed",
    )


def test_what_others_can_be_given(alice: Dialogue) -> None:
    """No right is tied to another, and nobody but the owner has one for certain."""
    same(
        alice.do("LISTRIGHTS box bob"),
        '* LISTRIGHTS box bob "" l r s w i p k x t e n c d a',
        "a OK LISTRIGHTS completed",
    )
    same(
        alice.do("LISTRIGHTS box -alice"),
        '* LISTRIGHTS box "-alice" ""',
        "a OK LISTRIGHTS completed",
    )


@pytest.mark.parametrize(
    "command",
    ["SETACL box alice lr", "SETACL box alice -a", 'SETACL box alice ""', "DELETEACL box alice",
     "SETACL box -alice a", "SETACL box -alice +w"],
)  # fmt: skip
def test_the_owner_is_not_locked_out(alice: Dialogue, command: str) -> None:
    """Nobody, not even they themselves, takes a right from the owner."""
    same(alice.do(command), "a NO [NOPERM] An owner has every right, always")
    same(alice.do("GETACL box"), "* ACL box alice lrswipkxtencda", "a OK GETACL completed")


def test_the_owner_has_them_already(alice: Dialogue) -> None:
    """Giving the owner what they have is no error."""
    alice.commands([f"SETACL box alice {_ALL}", "SETACL box alice +a", "SETACL box -alice -lr"])


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        (["lrswida"], "lrswiteda"),
        (["lrswikda"], "lrswiktecda"),
        (["lrswi", "+cda"], "lrswikxtecda"),
        (["lrswi", "-wi"], "lrs"),
        (["lrswi", "lp"], "lp"),
        (["c"], "kxc"),
        (["d"], "ted"),
        (["x"], "xc"),
        (["lr", "+"], "lr"),
        (["lr", "-"], "lr"),
        (["+lr"], "lr"),
        (["lrlr"], "lr"),
    ],
)
def test_changes_of_rights(alice: Dialogue, changes: list[str], after: str) -> None:
    """Rights are set, added and taken; ``c`` and ``d`` stand for others, and are told with them."""
    for change in changes:
        alice.ok(f'SETACL box bob "{change}"')
    same(
        alice.do("GETACL box"),
        f"* ACL box alice lrswipkxtencda bob {after}",
        "a OK GETACL completed",
    )


@pytest.mark.parametrize(
    "commands",
    [
        ["DELETEACL box bob"],
        ['SETACL box bob ""'],
        ["SETACL box bob -lrs"],
        ["DELETEACL box bob"] * 2,
    ],
)
def test_an_identifier_without_rights(alice: Dialogue, commands: list[str]) -> None:
    """Who has no right any more is not in the list; removing them again is no error."""
    alice.ok("SETACL box bob lrs")
    alice.commands(commands)
    same(alice.do("GETACL box"), "* ACL box alice lrswipkxtencda", "a OK GETACL completed")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("SETACL box bob lrQswicda", "there is no right 'Q'"),
        ("SETACL box bob lrqswicda", "there is no right 'q'"),
        ("SETACL box bob +0", "there is no right '0'"),
        ("SETACL box bob ++l", "there is no right '+'"),
        ("SETACL box bob l-r", "there is no right '-'"),
        ('SETACL box "" lr', "nobody can be called so"),
        ('SETACL box "-" lr', "nobody can be called so"),
        ('SETACL box "\u00ad" lr', "nobody can be called so"),
        ('SETACL box "a\tb" lr', "nobody can be called so"),
        ("SETACL box bob", "expected a space at octet 7"),
        ("SETACL box", "expected a space at octet 3"),
        ("GETACL", "expected a space at octet 0"),
        ("GETACL box bob", "expected the end of the command at octet 3"),
        ("DELETEACL box", "expected a space at octet 3"),
        ("LISTRIGHTS box", "expected a space at octet 3"),
        ("MYRIGHTS box x", "expected the end of the command at octet 3"),
    ],
)
def test_bad_arguments(alice: Dialogue, command: str, text: str) -> None:
    """What is no right, no identifier or no command is BAD, and nothing changes."""
    answer = alice.do(command)
    assert answer.startswith(b"a BAD "), answer
    assert answer.count(b"\r\n") == 1
    if not text.startswith("expected"):
        same(answer, f"a BAD {text}")
    same(alice.do("GETACL box"), "* ACL box alice lrswipkxtencda", "a OK GETACL completed")


def test_identifiers_are_prepared(alice: Dialogue) -> None:
    """One identifier in several forms of Unicode is one; LISTRIGHTS repeats the form it was asked in."""
    alice.ok('SETACL box "I\u00adX" l')
    alice.ok('SETACL box "\u2168" +r')
    alice.ok('SETACL box "J\u00fcrgen Z" s')
    same(
        alice.do("GETACL box"),
        "* ACL box alice lrswipkxtencda IX lr {9}",
        "J\u00fcrgen Z s",
        "a OK GETACL completed",
    )
    same(
        alice.do('LISTRIGHTS box "\u2168"'),
        "* LISTRIGHTS box {3}",
        '\u2168 "" l r s w i p k x t e n c d a',
        "a OK LISTRIGHTS completed",
    )


def test_everything_is_case_insensitive_but_names(alice: Dialogue) -> None:
    """Commands may be written in any case; identifiers differ by it."""
    alice.ok("SeTacl box Bob lr")
    same(alice.do("getacl box"), "* ACL box alice lrswipkxtencda Bob lr", "a OK GETACL completed")


@pytest.mark.parametrize(
    "command",
    ["SETACL nix bob lr", "DELETEACL nix bob", "GETACL nix", "LISTRIGHTS nix bob", "MYRIGHTS nix"],
)
def test_a_mailbox_that_is_not_there(alice: Dialogue, command: str) -> None:
    """There are no rights on what does not exist."""
    assert alice.do(command).startswith(b"a NO [NONEXISTENT] ")


# What the rights of two users come to.


@pytest.mark.parametrize(
    ("entries", "mine"),
    [
        ({"bob": "lr"}, "lr"),
        ({"anyone": "lr"}, "lr"),
        ({"$team": "lr"}, "lr"),
        ({"$others": "lr", "bob": "l"}, "l"),
        ({"bob": "l", "anyone": "r", "$team": "s"}, "lrs"),
        ({"bob": "lrs", "-bob": "s"}, "lr"),
        ({"anyone": "lrs", "-bob": "s"}, "lr"),
        ({"bob": "lrs", "-anyone": "s"}, "lr"),
        ({"bob": "lrs", "-$team": "s"}, "lr"),
        ({"bob": "lrs", "-$others": "s"}, "lrs"),
        ({"bob": "lrs", "-carol": "s"}, "lrs"),
    ],
)
def test_users_everybody_groups_and_negative_rights(
    anywhere: Server, entries: dict[str, str], mine: str
) -> None:
    """A user has what any of their identifiers is granted, without what any of them is denied."""
    opened_up(anywhere, groups={"team": ["bob"], "others": ["carol"]})
    alice = anywhere.client("alice")
    for identifier, rights in entries.items():
        share(alice, "box", rights, identifier)
    same(
        anywhere.client("bob").do(f"MYRIGHTS {_BOX}"),
        f"* MYRIGHTS {_BOX} {mine}",
        "a OK MYRIGHTS completed",
    )


def test_removing_an_identifier_leaves_its_negative(bob: Dialogue, alice: Dialogue) -> None:
    """DELETEACL of a name takes what was granted to it, and not what was denied (RFC 4314, 2)."""
    share(alice, "box", "lrw", "anyone")
    share(alice, "box", "w", "-bob")
    share(alice, "box", "s", "bob")
    alice.ok("DELETEACL box bob")
    same(
        alice.do("GETACL box"),
        '* ACL box alice lrswipkxtencda "-bob" w anyone lrw',
        "a OK GETACL completed",
    )
    assert b" lr\r\n" in bob.ok(f"MYRIGHTS {_BOX}")


# RFC 4314, 4: the table, each cell both ways.

_Check = Callable[[bytes], bool]


def _ok(answer: bytes) -> bool:
    return b"\r\na OK " in b"\r\n" + answer


def _refused(code: str) -> _Check:
    return lambda answer: b"\r\na NO [%b] " % code.encode() in b"\r\n" + answer


def _tells(what: bytes) -> _Check:
    return lambda answer: _ok(answer) and what in answer


def _tells_not(what: bytes) -> _Check:
    return lambda answer: _ok(answer) and what not in answer


_NOPERM = _refused("NOPERM")
_NONEXISTENT = _refused("NONEXISTENT")

#: What is done, the right that it takes, the other rights that are there in both cases, and
#: what the answer is with the right and without it.
_CELLS: list[tuple[str, str, str, _Check, _Check]] = [
    (f'LIST "" "{ALICES}*"', "l", "rswipkxtea", _tells(b"alice/box"), _tells_not(b"alice/box")),
    (f'LSUB "" "{ALICES}*"', "l", "", _tells_not(b"alice/box"), _tells_not(b"alice/box")),
    (f"SUBSCRIBE {_BOX}", "l", "", _ok, _ok),
    (f"UNSUBSCRIBE {_BOX}", "l", "", _ok, _ok),
    (f'CREATE "{ALICES}box/new"', "k", "lrswipxtea", _ok, _NOPERM),
    (f"DELETE {_BOX}", "x", "lrswipktea", _ok, _NOPERM),
    (f"DELETE {_BOX}", "x", "rswipktea", _ok, _NONEXISTENT),
    (f'RENAME {_BOX} "{ALICES}top/new"', "x", "lrswipktea", _ok, _NOPERM),
    (f'RENAME "{ALICES}top/old" "{ALICES}box/new"', "k", "lrswipxtea", _ok, _NOPERM),
    (f"SELECT {_BOX}", "r", "lswipkxtea", _ok, _NOPERM),
    (f"SELECT {_BOX}", "r", "swipkxtea", _ok, _NONEXISTENT),
    (f"EXAMINE {_BOX}", "r", "lswipkxtea", _ok, _NOPERM),
    (f"STATUS {_BOX} (MESSAGES)", "r", "lswipkxtea", _tells(b"(MESSAGES 2)"), _NOPERM),
    (f"STATUS {_BOX} (MESSAGES)", "r", "swipkxtea", _tells(b"(MESSAGES 2)"), _NONEXISTENT),
    (f"SETACL {_BOX} carol lr", "a", "lrswipkxte", _ok, _NOPERM),
    (f"SETACL {_BOX} carol lr", "a", "rswipkxte", _ok, _NONEXISTENT),
    (f"DELETEACL {_BOX} carol", "a", "lrswipkxte", _ok, _NOPERM),
    (f"GETACL {_BOX}", "a", "lrswipkxte", _tells(b"bob lrswipkxtecda"), _NOPERM),
    (f"GETACL {_BOX}", "a", "rswipkxte", _tells(b"bob rswipkxtecda"), _NONEXISTENT),
    (f"LISTRIGHTS {_BOX} carol", "a", "lrswipkxte", _tells(b' "" l r s'), _NOPERM),
    *(
        (f"MYRIGHTS {_BOX}", each, "swpte", _tells(b"MYRIGHTS "), _NONEXISTENT)
        for each in ("l", "r", "i", "k", "x", "a")
    ),
    (f"APPEND {_BOX} {{1+}}\r\nx", "i", "lrswpkxtea", _tells(b"APPENDUID"), _NOPERM),
    (f"APPEND {_BOX} {{1+}}\r\nx", "i", "swpkxtea", _tells(b"APPENDUID"), _refused("TRYCREATE")),
    (f"COPY 1 {_BOX}", "i", "lrswpkxtea", _tells(b"COPYUID"), _NOPERM),
    (f"MOVE 1 {_BOX}", "i", "lrswpkxtea", _tells(b"COPYUID"), _NOPERM),
    (f"UID COPY 1 {_BOX}", "i", "lrswpkxtea", _tells(b"COPYUID"), _NOPERM),
]  # fmt: skip


def _with_own_message(bob: Dialogue) -> None:
    bob.append(letter("mine"))
    bob.select()


@pytest.mark.parametrize(
    ("command", "right", "besides", "granted", "denied"),
    _CELLS,
    ids=[f"{cell[0].split()[0]} {cell[1]} {cell[2][:1]}" for cell in _CELLS],
)
def test_the_table(
    bob: Dialogue,
    alice: Dialogue,
    command: str,
    right: str,
    besides: str,
    granted: _Check,
    denied: _Check,
) -> None:
    """Each command takes the right that the RFC says, and no other; who may not look does not see."""
    share(alice, "top", "lk")
    share(alice, "top/old", "lx")
    _with_own_message(bob)
    share(alice, "box", besides)
    answer = bob.do(command)
    assert denied(answer), answer
    alice.ok(f"SETACL box bob +{right}")
    answer = bob.do(command)
    assert granted(answer), answer


#: What is done in the mailbox, and the answers as above.
_SELECTED: list[tuple[str, str, str, _Check, _Check]] = [
    ("STORE 1 +FLAGS (\\Flagged)", "w", "lrsipkxtea", _tells(b"FLAGS (\\Flagged)"), _NOPERM),
    ("STORE 1 +FLAGS (kw)", "w", "lrsipkxtea", _tells(b"FLAGS (kw)"), _NOPERM),
    ("STORE 2 -FLAGS (\\Flagged)", "w", "lrsipkxtea", _tells(b"FLAGS ()"), _NOPERM),
    ("STORE 2 FLAGS (\\Draft)", "w", "lrsipkxtea", _tells(b"FLAGS (\\Draft)"), _NOPERM),
    ("STORE 1 +FLAGS (\\Seen)", "s", "lrwipkxtea", _tells(b"FLAGS (\\Seen)"), _NOPERM),
    ("STORE 1 +FLAGS (\\Deleted)", "t", "lrswipkxea", _tells(b"FLAGS (\\Deleted)"), _NOPERM),
    ("UID STORE 1 +FLAGS (\\Deleted)", "t", "lrswipkxea", _tells(b"(\\Deleted)"), _NOPERM),
    ("STORE 1 +FLAGS (\\Draft \\Seen)", "s", "lrwipkxtea", _tells(b"FLAGS (\\Seen \\Draft)"),
     _tells(b"FLAGS (\\Draft)")),
    ("STORE 1 +FLAGS (\\Draft \\Seen)", "w", "lrsipkxtea", _tells(b"FLAGS (\\Seen \\Draft)"),
     _tells(b"FLAGS (\\Seen)")),
    ("STORE 1 +FLAGS (\\Draft \\Deleted)", "t", "lrswipkxea", _tells(b"FLAGS (\\Deleted \\Draft)"),
     _tells(b"FLAGS (\\Draft)")),
    ('STORE 1 ANNOTATION (/a (value.shared "x"))', "n", "lrswipkxtea", _ok, _NOPERM),
    ('STORE 1 ANNOTATION (/a (value.priv "x"))', "s", "lr", _ok, _ok),
    ("EXPUNGE", "e", "lrswipkxta", _ok, _NOPERM),
    ("UID EXPUNGE 1:*", "e", "lrswipkxta", _ok, _NOPERM),
    ("FETCH 1 BODY[TEXT]", "s", "lrwipkxtea", _tells(b"FLAGS (\\Seen)"), _tells_not(b"Seen")),
    ("MOVE 1 INBOX", "t", "lrswipkxea", _tells(b"COPYUID"), _NOPERM),
    ("MOVE 1 INBOX", "e", "lrswipkxta", _tells(b"COPYUID"), _NOPERM),
    ("COPY 1 INBOX", "r", "", _tells(b"COPYUID"), _tells(b"COPYUID")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "right", "besides", "granted", "denied"),
    _SELECTED,
    ids=[f"{cell[0]} {cell[1]}" for cell in _SELECTED],
)
def test_the_table_of_the_selected_mailbox(
    bob: Dialogue,
    alice: Dialogue,
    command: str,
    right: str,
    besides: str,
    granted: _Check,
    denied: _Check,
) -> None:
    """Flags are set as far as the rights go; what takes another right is refused whole."""
    share(alice, "box", besides or "lr")
    bob.select(_BOX)
    answer = bob.do(command)
    assert denied(answer), answer
    alice.ok(f"SETACL box bob +{right}")
    bob.select(_BOX)
    answer = bob.do(command)
    assert granted(answer), answer


def test_a_move_that_is_refused_moves_nothing(bob: Dialogue, alice: Dialogue) -> None:
    """Without the right to remove, MOVE does not copy either."""
    share(alice, "box", "lrtwsi")
    bob.select(_BOX)
    assert _NOPERM(bob.do("MOVE 1 INBOX"))
    assert b"(MESSAGES 0)" in bob.ok("STATUS INBOX (MESSAGES)")


def test_close_without_the_right_to_expunge(bob: Dialogue, alice: Dialogue) -> None:
    r"""CLOSE is OK and leaves the mailbox; with the right, it removes what is \Deleted."""
    share(alice, "box", "lrt")
    bob.select(_BOX)
    bob.ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("CLOSE")
    same(bob.do("CHECK"), "a BAD CHECK is not for this state")
    assert b"(MESSAGES 2)" in alice.ok("STATUS box (MESSAGES)")
    alice.ok("SETACL box bob +e")
    bob.select(_BOX)
    bob.ok("CLOSE")
    assert b"(MESSAGES 1)" in alice.ok("STATUS box (MESSAGES)")


@pytest.mark.parametrize(
    ("rights", "kept"),
    [
        ("lri", b"()"),
        ("lris", b"(\\Seen)"),
        ("lrit", b"(\\Deleted)"),
        ("lriw", b"(\\Flagged kw)"),
        ("lriwst", b"(\\Flagged \\Deleted \\Seen kw)"),
    ],
)
def test_flags_of_what_comes_in(bob: Dialogue, alice: Dialogue, rights: str, kept: bytes) -> None:
    """APPEND, COPY and MOVE keep those flags that the user may set, and do not fail for the others."""
    flags = "\\Seen \\Deleted \\Flagged kw"
    share(alice, "box", rights)
    bob.append(letter("3"), mailbox=_BOX, flags=flags)
    bob.append(letter("4"), letter("5"), flags=flags)
    bob.select()
    bob.ok(f"COPY 1 {_BOX}")
    bob.ok(f"MOVE 2 {_BOX}")
    bob.select(_BOX)
    told = bob.ok("FETCH 3:5 (FLAGS)")
    assert told == b"".join(b"* %d FETCH (FLAGS %b)\r\n" % (each, kept) for each in (3, 4, 5))


@pytest.mark.parametrize(
    ("rights", "permanent", "code"),
    [
        ("lr", "()", "READ-ONLY"),
        ("lrs", "(\\Seen)", "READ-ONLY"),
        ("lre", "()", "READ-WRITE"),
        ("lri", "()", "READ-WRITE"),
        ("lrt", "(\\Deleted)", "READ-WRITE"),
        ("lrw", "(\\Answered \\Flagged \\Draft \\*)", "READ-WRITE"),
        ("lrswt", "(\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)", "READ-WRITE"),
    ],
)
def test_what_select_says(
    bob: Dialogue, alice: Dialogue, rights: str, permanent: str, code: str
) -> None:
    """PERMANENTFLAGS are those that the user may change; who can change nothing for others is READ-ONLY."""
    share(alice, "box", rights)
    answer = bob.do(f"SELECT {_BOX}").decode()
    assert f"* OK [PERMANENTFLAGS {permanent}] " in answer
    assert f"\r\na OK [{code}] " in answer


def test_a_right_that_is_taken_back(bob: Dialogue, alice: Dialogue) -> None:
    """What a session may do in the mailbox it has open changes with the ACL, at once."""
    share(alice, "box", "lrwt")
    bob.select(_BOX)
    bob.ok("STORE 1 +FLAGS (\\Flagged)")
    alice.ok("SETACL box bob -w")
    assert _NOPERM(bob.do("STORE 1 +FLAGS (\\Draft)"))
    alice.ok("DELETEACL box bob")
    assert b"\r\na OK" not in b"\r\n" + bob.do("FETCH 1 BODY.PEEK[]")
    assert _NONEXISTENT(bob.do(f"SELECT {_BOX}"))


@pytest.mark.parametrize(
    ("rights", "permanent"),
    [
        ("-w", "(\\Deleted \\Seen)"),
        ("-swt", "()"),
        ("+a", None),
    ],
)
def test_flags_that_may_no_longer_be_changed(
    shared: Server, bob: Dialogue, alice: Dialogue, rights: str, permanent: str | None
) -> None:
    """Every session that has the mailbox open is told which flags it can change now (RFC 4314, 5.1.1)."""
    share(alice, "box", "lrswtei")
    bob.select(_BOX)
    idler = shared.client("bob", _BOX)
    assert idler.send(b"i IDLE\r\n") == b"+ idling\r\n"
    alice.ok(f"SETACL box bob {rights}")
    told = f"* OK [PERMANENTFLAGS {permanent}] Flags that stay\r\n" if permanent else ""
    assert idler.read().decode() == told
    assert bob.ok("NOOP").decode() == told
    assert bob.ok("NOOP") == b""


def test_idling_without_the_right_to_read(shared: Server, bob: Dialogue, alice: Dialogue) -> None:
    """Who loses the right to read while idling goes on to idle, and hears more when it comes back."""
    share(alice, "box", "lr")
    bob.select(_BOX)
    assert bob.send(b"i IDLE\r\n") == b"+ idling\r\n"
    alice.ok("SETACL box bob -r")
    alice.append(letter("3"), mailbox="box")
    assert bob.read() == b""
    alice.ok("SETACL box bob +r")
    same(bob.read(), "* 3 EXISTS", "* 0 RECENT")
    alice.ok("SETACL box bob -r")
    assert bob.send(b"DONE\r\n") == b"i OK IDLE ended\r\n"
    assert _NOPERM(bob.do("NOOP"))
    assert bob.do("CLOSE") == b"a OK CLOSE completed\r\n"


@pytest.mark.parametrize(
    "command",
    ["SELECT {}", "EXAMINE {}", "STATUS {} (MESSAGES)", "DELETE {}", "GETACL {}", "MYRIGHTS {}",
     "SETACL {} bob lr", "DELETEACL {} bob", "LISTRIGHTS {} bob", "APPEND {} {{1}}", "COPY 1 {}",
     "RENAME {} x", 'LIST "" {}', "CREATE {}", "SUBSCRIBE {}", "UNSUBSCRIBE {}"],
)  # fmt: skip
@pytest.mark.parametrize("there", ["alice/secret", "alice/INBOX", "alice", "alice/box/in"])
def test_what_may_not_be_seen_might_not_be_there(
    bob: Dialogue, alice: Dialogue, command: str, there: str
) -> None:
    """A mailbox without the right to look it up, and a user who shares nothing, get the answers of none."""
    share(alice, "secret", "s")
    share(alice, "box/in", "swpte")
    _with_own_message(bob)
    found = bob.do(command.format(f'"Other Users/{there}"'))
    other = bob.do(command.format('"Other Users/nobody/secret"'))
    assert not found.startswith(b"+"), "a message would be taken"
    assert found == other
    assert b"Other Users" not in found


def test_no_account_is_made_for_a_name(shared: Server, bob: Dialogue, alice: Dialogue) -> None:
    """Guessing names of users, or giving rights to nobody, makes no accounts."""
    for command in ("SELECT {}", "CREATE {}", "DELETE {}", "MYRIGHTS {}", "RENAME {} {}x"):
        bob.do(command.format('"Other Users/mallory/box"', '"Other Users/mallory/box"'))
    alice.ok("SETACL box mallory lr")
    bob.ok('LIST "" *')
    made = getattr(shared.store, "_accounts", {})
    assert made
    assert not any("mallory" in str(name) for name in made)


# LIST.


def test_list_with_rights(bob: Dialogue, alice: Dialogue) -> None:
    """LIST RETURN (MYRIGHTS) tells with each mailbox what one may do, and nothing of what is none."""
    share(alice, "box", "lrs")
    same(
        bob.do('LIST "" * RETURN (MYRIGHTS)'),
        '* LIST (\\HasNoChildren) "/" INBOX',
        "* MYRIGHTS INBOX lrswipkxtencda",
        f'* LIST (\\HasNoChildren) "/" {_BOX}',
        f"* MYRIGHTS {_BOX} lrs",
        "a OK LIST completed",
    )
    same(
        bob.do('LIST "" ("Other Users" "Other Users/%") RETURN (MYRIGHTS)'),
        '* LIST (\\NonExistent \\HasChildren) "/" "Other Users/alice"',
        "a OK LIST completed",
    )


def test_rights_of_what_may_not_be_read(bob: Dialogue, alice: Dialogue) -> None:
    """Where STATUS has no answer, MYRIGHTS has one."""
    share(alice, "box", "l")
    same(
        bob.do(f'LIST "" {_BOX} RETURN (STATUS (MESSAGES) MYRIGHTS)'),
        f'* LIST (\\Noselect \\HasNoChildren) "/" {_BOX}',
        f"* MYRIGHTS {_BOX} l",
        "a OK LIST completed",
    )


def test_list_with_rights_takes_nothing_more(bob: Dialogue) -> None:
    """An argument behind MYRIGHTS is BAD."""
    assert bob.do('LIST "" * RETURN (MYRIGHTS (x))').startswith(b"a BAD ")


def test_rights_and_selection(bob: Dialogue, alice: Dialogue) -> None:
    """A name that is shown for what is below it has no MYRIGHTS (RFC 8440, 4)."""
    share(alice, "foo", "lrs")
    share(alice, "foo/bar", "lrs")
    bob.ok(f'SUBSCRIBE "{ALICES}foo/bar"')
    same(
        bob.do(f'LIST (SUBSCRIBED RECURSIVEMATCH) "" "{ALICES}%" RETURN (MYRIGHTS)'),
        f'* LIST (\\HasChildren) "/" "{ALICES}foo" ("CHILDINFO" ("SUBSCRIBED"))',
        "a OK LIST completed",
    )
