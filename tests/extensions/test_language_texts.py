"""Every text that clients can be told is in every catalogue, and nothing else is (RFC 5255, 3)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import pytest

import imapd
from imapd.session import outcome
from imapd.store import errors

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_ROOT = Path(imapd.__file__ or "").parent

#: Which argument of a call is a text for clients, by the name of what is called.
_TOLD: Mapping[str, int] = {
    "Outcome": 0,
    "oks": 1,
    "Refused": 1,
    "BadCommand": 0,
    "BadSyntax": 0,
    "BadURL": 0,
    "BadExchange": 0,
    "MayNotActAs": 0,
    "TooLong": 0,
    "Malformed": 1,
    "_malformed": 1,
    "_refused": 0,
    # What a grammar expected, and what a SASL mechanism was sent.
    "bad": 0,
    "take": 1,
    "words": 1,
    "status": 2,
    "bye": 0,
    **dict.fromkeys(errors.__all__, 0),
}
#: Modules whose ValueError is told.
_VALUE_ERRORS = frozenset(("model/rights.py",))
#: Packages that say nothing to clients.
_SILENT = ("cli", "config", "store/contract", "testing", "auth/passwdfile.py")
#: What is passed on there was collected where it was made, or is said here.
_PASSED_ON: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("commands/login.py", "entry.text"): (
        "Logged in",
        "Your own mailboxes are on another server",
    ),
    ("commands/login.py", "str(error)"): (),
    ("extensions/acl.py", "str(error)"): (),
    ("extensions/catenate.py", "str(error)"): (),
    # UIDs that are taken out of a result.
    ("extensions/context_updates.py", "frozenset(gone)"): (),
    ("extensions/urlauth.py", "str(error)"): (),
    ("server/imap.py", "text"): (),
    ("session/dispatch.py", "text"): ("{} completed",),
    ("session/dispatch.py", "failure.text"): (
        *outcome._TEXTS.values(),
        "Internal server error",
        "Bad command",
    ),
    ("session/dispatch.py", "event.text"): (),
    ("wire/connection.py", "text"): (),
    ("wire/connection.py", "refusal"): ("The literal is too long", "The command is too long"),
    ("wire/cursor.py", "expected"): (),
    # Of one octet, in quotes.
    ("wire/cursor.py", "repr(octets.decode('ascii'))"): (),
}
#: Said without a status response: prefixes of NAMESPACE, and the form of what a grammar expected.
_BESIDES = ("Other Users", "Shared", "Public", "expected {} at octet {}")


def _said(node: ast.expr) -> Iterator[str | None]:
    """The texts that an argument can be; None for what is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from _said(node.body)
        yield from _said(node.orelse)
    elif isinstance(node, ast.Tuple):
        for each in node.elts:
            yield from _said(each)
    else:
        yield None


def _arguments(tree: ast.AST, told: Mapping[str, int]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in told:
            yield from node.args[told[name] : told[name] + 1]
            yield from (each.value for each in node.keywords if each.arg == "text")


def _collected(module: str, tree: ast.AST) -> Iterator[str | tuple[str, str]]:
    """What a module says: a text, or where one is that is no literal."""
    told = {**_TOLD, "ValueError": 0} if module in _VALUE_ERRORS else {**_TOLD}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            # A kind of refusal of the module's own is made as others are.
            told.update(
                (node.name, told[each]) for each in map(ast.unparse, node.bases) if each in told
            )
    for argument in _arguments(tree, told):
        for text in _said(argument):
            yield (module, ast.unparse(argument)) if text is None else text


def _of_the_server() -> Iterator[str | tuple[str, str]]:
    for path in sorted(_ROOT.rglob("*.py")):
        module = path.relative_to(_ROOT).as_posix()
        if not module.startswith(_SILENT):
            yield from _collected(module, ast.parse(path.read_text("utf-8")))


def test_nothing_is_hidden() -> None:
    """Where a text is no literal is known, and what it can be."""
    assert {each for each in _of_the_server() if isinstance(each, tuple)} == _PASSED_ON.keys()


@pytest.mark.parametrize("tag", ["de", "fr", "ja"])
def test_nothing_is_missing(tag: str) -> None:
    """What the code says is in the catalogue, and what is there is said by the code."""
    known = tomllib.loads((files("imapd") / "texts" / f"{tag}.toml").read_text("utf-8")).keys()
    said = {each for each in _of_the_server() if isinstance(each, str)}
    said.update(_BESIDES, *_PASSED_ON.values())
    # A word of the language is the same in all; no text is none.
    said = {text for text in said if text and re.fullmatch("[A-Z]+", text) is None}
    assert sorted(said - known) == []
    assert sorted(known - said) == []


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ('raise Refused("LIMIT", "Too many" " things")', ["Too many things"]),
        ('raise Refused("", f"There is no {name} here")', ["There is no {} here"]),
        ('session.status(b"OK", code, "Done" if done else "Begun")', ["Done", "Begun"]),
        ('Outcome(code=b"X", text="Good")', ["Good"]),
        ('session.oks(codes, ("One", "Two" if two else "Three"))', ["One", "Two", "Three"]),
        ('raise NoSuchMailbox(f"there is no mailbox {name}")', ["there is no mailbox {}"]),
        ('class _No(Refused): "a"\nraise _No("LIMIT", "No more")', ["No more"]),
        ("Outcome(code=b'X')", []),
        ("print('Hello')", []),
    ],
)
def test_what_is_collected(line: str, texts: list[str]) -> None:
    """A text is found however it is written."""
    assert list(_collected("x.py", ast.parse(line))) == texts


def test_what_is_no_literal() -> None:
    """A text that is made in another way is found too, as something to be looked at."""
    tree = ast.parse('Refused("", "Too " + many)')
    assert list(_collected("x.py", tree)) == [("x.py", "'Too ' + many")]
