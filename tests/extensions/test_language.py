"""LANGUAGE, from octets to octets (RFC 5255, 3)."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from imapd import commands, extensions
from imapd.config import BadConfig
from imapd.dialect import Dialect, Feature
from imapd.extensions.language import LANGUAGES, Catalogue, feature
from imapd.preparing import prepare
from imapd.session.entry import Entry
from imapd.store.access import INamespaces
from tests.dialogue import Dialogue, Server, same
from tests.test_switching import CONFIG

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAMESPACE = '* NAMESPACE (("" "/")) NIL NIL'

_HOLE = re.compile(r"\{\d?\}")


def _texts(tag: str) -> dict[str, str]:
    return tomllib.loads((files("imapd") / "texts" / f"{tag}.toml").read_text("utf-8"))


@pytest.fixture
def german(server: Server) -> Dialogue:
    """A user who speaks German."""
    client = server.client()
    same(client.do("LANGUAGE DE"), "* LANGUAGE (de)", NAMESPACE, "a OK Ab jetzt auf Deutsch")
    return client


def test_advertised(server: Server) -> None:
    """LANGUAGE is in the greeting, and in CAPABILITY in every state (3.1)."""
    client = server.connect()
    assert b" LANGUAGE" in client.greeting
    assert "LANGUAGE" in client.command("CAPABILITY")[0].split()
    assert {"LANGUAGE", "NAMESPACE"} <= set(client.log_in().command("CAPABILITY")[0].split())


def test_not_without_namespace() -> None:
    """Where there is no NAMESPACE there is no LANGUAGE (3.1)."""
    assert b"LANGUAGE" not in Server(without=["NAMESPACE"]).connect().greeting


def test_default(server: Server) -> None:
    """Until a client asks, everything is English, in ASCII (3.1)."""
    same(server.connect().do("NOOP"), "a OK NOOP completed")


def test_enumeration(server: Server) -> None:
    """Without arguments the server says what it speaks, with i-default, and nothing changes (3.2)."""
    client = server.connect()
    same(
        client.do("LANGUAGE"),
        "* LANGUAGE (en de fr ja i-default)",
        "a OK Supported languages have been enumerated",
    )
    same(client.do("NOOP"), "a OK NOOP completed")


@pytest.mark.parametrize(
    ("tag", "chosen", "noop"),
    [
        ("de", "Ab jetzt auf Deutsch", "NOOP erledigt"),
        ("fr", "Désormais en français", "NOOP terminé"),
        ("ja", "日本語に切り替えました", "NOOP を完了しました"),
        ("en", "Now speaking English", "NOOP completed"),
        ("i-default", "Now speaking English", "NOOP completed"),
    ],
)
@pytest.mark.parametrize("state", ["greeted", "logged in", "selected"])
def test_languages(server: Server, state: str, tag: str, chosen: str, noop: str) -> None:
    """Each language in every state; it holds from the answer to LANGUAGE itself on (3.1, 3.2)."""
    client = server.connect() if state == "greeted" else server.client()
    if state == "selected":
        client.select()
    namespace = [] if state == "greeted" else [NAMESPACE]
    same(client.do(f"LANGUAGE {tag}"), f"* LANGUAGE ({tag})", *namespace, f"a OK {chosen}")
    same(client.do("NOOP"), f"a OK {noop}")


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("DE", "de"),
        ('"de"', "de"),
        ("de-AT", "de"),
        ("de-Latn-CH-1996", "de"),
        ("de-x-mine", "de"),
        ("fr-CA en-CA", "fr"),
        ("it-IT pt ja", "ja"),
        ("mul en-GB de", "en"),
        ("I-DEFAULT", "i-default"),
    ],
)
def test_matching(server: Server, asked: str, tag: str) -> None:
    """The first language that is spoken, by its tag or a part of it, is chosen and told (3.2)."""
    assert server.connect().do(f"LANGUAGE {asked}").startswith(f"* LANGUAGE ({tag})\r\n".encode())


def test_literal(server: Server) -> None:
    """A range may be a literal (3.5: astring)."""
    client = server.connect()
    client.send(b"a LANGUAGE {2}\r\n")
    assert client.send(b"de\r\n").startswith(b"* LANGUAGE (de)\r\n")


def test_unsupported(german: Dialogue) -> None:
    """What is not spoken is NO, and the language stays what it was (3.2)."""
    same(german.do("LANGUAGE MUL"), "a NO Die Sprache MUL wird nicht unterstützt")
    same(german.do("NOOP"), "a OK NOOP erledigt")


@pytest.mark.parametrize(
    "argument", ['""', "d_e", "deutschland", "de-", "-de", "de--at", "(de)", '"de fr"', "dé"]
)
def test_bad(german: Dialogue, argument: str) -> None:
    """What is no range is BAD, and the language stays what it was."""
    assert german.do(f"LANGUAGE {argument}").startswith(b"a BAD ")
    same(german.do("NOOP"), "a OK NOOP erledigt")


def test_too_many(server: Server) -> None:
    """Nobody speaks a thousand languages."""
    assert server.connect().do("LANGUAGE" + " xx" * 1_000).startswith(b"a BAD ")


@pytest.mark.parametrize("asked", ["default", '"DEFAULT"', '"*"'])
def test_preferred(asked: str) -> None:
    """The range "default" is what the owner of the server prefers (3.2)."""
    server = Server(dialect=Dialect.of([*commands.FEATURES, feature("fr")]))
    same(
        server.connect().do(f"LANGUAGE {asked}"),
        "* LANGUAGE (fr)",
        "a OK Désormais en français",
    )


def test_preferred_by_configuration() -> None:
    """The owner says it by ``capabilities.language``."""
    prepared = prepare(evolve(CONFIG, language="ja"), MemoryReactorClock())
    client = Server(dialect=prepared.factory.policy.dialect).connect()
    assert client.do("LANGUAGE default").startswith(b"* LANGUAGE (ja)\r\n")


def test_preferred_is_known() -> None:
    """An owner who prefers what there is not hears of it."""
    with pytest.raises(BadConfig, match="is none of en, de, fr, ja"):
        prepare(evolve(CONFIG, language="it"), MemoryReactorClock())


def test_refusals(german: Dialogue) -> None:
    """NO and BAD are translated, with their codes; names in them stay."""
    told = german.do("SELECT Nirgends").decode()
    assert told == "a NO [NONEXISTENT] Es gibt keinen Ordner Nirgends\r\n"
    same(german.do("STARTTLS"), "a BAD STARTTLS ist in diesem Zustand nicht möglich")
    same(german.do("XYZZY"), "a BAD Diesen Befehl gibt es nicht")
    same(german.do("NOOP x"), "a BAD Erwartet: das Ende des Befehls, bei Oktett 0")
    same(german.do("APPEND Nirgends", b"x: y\r\n\r\n"),
         "a NO [TRYCREATE] Diesen Ordner gibt es nicht; er muss erst angelegt werden")  # fmt: skip


def test_login(server: Server) -> None:
    """A stranger's language is that of log-in, and stays afterwards (3.1)."""
    client = server.connect()
    client.ok("LANGUAGE FR")
    same(client.do("LOGIN alice wrong"), "a NO [AUTHENTICATIONFAILED] L'authentification a échoué")
    same(client.do("LOGIN alice secret"), "a OK [CAPABILITY {{*}}] Connecté")


def test_select(german: Dialogue) -> None:
    """Untagged texts are translated as well."""
    told = german.ok("SELECT INBOX").decode()
    assert "* OK [UIDNEXT 1] Nächste UID\r\n" in told
    assert "] Bleibende Markierungen\r\n" in told


def test_farewells(server: Server, german: Dialogue) -> None:
    """So are the last words, the client's and the server's."""
    same(german.do("LOGOUT"), "* BYE Auf Wiedersehen", "a OK LOGOUT erledigt")
    other = server.client()
    other.ok("LANGUAGE ja")
    server.advance(2_000)
    same(other.read(), "* BYE コマンドのない時間が長すぎます")


def test_untranslated(german: Dialogue) -> None:
    """What nobody has translated is said in English."""
    session = german.protocol.session
    assert session.status(b"OK", b"", "Nobody says this", b"a") == b"a OK Nobody says this\r\n"


def test_no_bracket_first(german: Dialogue) -> None:
    """No text begins with a bracket: it would be taken for a code (3.5)."""
    session = german.protocol.session
    assert session.status(b"OK", b"", "[x] y", b"a") == b"a OK x] y\r\n"


def test_one_session(server: Server, german: Dialogue) -> None:
    """Others hear their own language."""
    same(server.client("bob").do("NOOP"), "a OK NOOP completed")
    same(german.do("NOOP"), "a OK NOOP erledigt")


def test_back_to_english(german: Dialogue) -> None:
    """A client can go back."""
    same(german.do("LANGUAGE en"), "* LANGUAGE (en)", NAMESPACE, "a OK Now speaking English")
    same(german.do("NOOP"), "a OK NOOP completed")


def test_unauthenticate(german: Dialogue) -> None:
    """UNAUTHENTICATE goes back to i-default (RFC 8437, 4.1)."""
    german.do("UNAUTHENTICATE")
    same(german.do("NOOP"), "a OK NOOP completed")


def test_not_in_data(anywhere: Server) -> None:
    """What is in messages is nobody's to translate."""
    client = anywhere.client()
    text = b"Subject: x\r\n\r\n* BYE Logging out\r\n"
    client.append(text).select().do("LANGUAGE de")
    assert text in client.do("FETCH 1 BODY.PEEK[]")


class _Namespaces:
    """As `INamespaces`."""

    others = ("Other Users/",)
    shared = ("Shared/", "Nobody's Word/")


class _Account:
    """An account with namespaces of others, whatever the store."""

    def __init__(self, account: Any) -> None:
        self._account = account

    def __conform__(self, interface: Any) -> Any:
        return _Namespaces() if interface is INamespaces else interface(self._account, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)


@pytest.fixture
def sharing() -> Dialogue:
    """A user of a server where mailboxes are shared."""

    def admit(entry: Entry) -> None:
        entry.account = _Account(entry.account)  # type: ignore[assignment]

    around = Feature(name="SHARING", rfc=2342, admits=admit)
    dialect = Dialect.of([*commands.FEATURES, *extensions.FEATURES, around])
    return Server(dialect=dialect).client()


def test_namespaces(sharing: Dialogue) -> None:
    """Prefixes that have a word in the language are told with it, in modified UTF-7 (3.4)."""
    same(
        sharing.do("LANGUAGE fr"),
        "* LANGUAGE (fr)",
        '* NAMESPACE (("" "/")) (("Other Users/" "/" "TRANSLATION" ("Autres utilisateurs/")))'
        ' (("Shared/" "/" "TRANSLATION" ("Partag&AOk-/"))("Nobody\'s Word/" "/"))',
        "a OK Désormais en français",
    )
    assert b'"TRANSLATION" ("Partag&AOk-/")' in sharing.do("NAMESPACE")


def test_namespaces_in_utf8(sharing: Dialogue) -> None:
    """Who enabled UTF8=ACCEPT gets them in UTF-8, as all names (RFC 9755, 3)."""
    sharing.ok("ENABLE UTF8=ACCEPT")
    assert '"TRANSLATION" ("共有/")'.encode() in sharing.do("LANGUAGE ja")


def test_namespaces_in_english(sharing: Dialogue) -> None:
    """In English they are what they are."""
    assert b"TRANSLATION" not in sharing.do("LANGUAGE en")
    assert b"TRANSLATION" not in sharing.do("NAMESPACE")


# The catalogues.


@pytest.mark.parametrize("tag", ["de", "fr", "ja"])
def test_catalogue(tag: str) -> None:
    """Each says the same things as the others, with everything that stands in them."""
    texts = _texts(tag)
    assert texts.keys() == _texts("de").keys()
    for english, said in texts.items():
        assert said.strip() == said != ""
        assert len(_HOLE.findall(said)) == len(_HOLE.findall(english)), english
        assert not said.startswith("[")
        said.format(*_HOLE.findall(english))


def test_every_language_has_a_catalogue() -> None:
    """English needs none; every other tag that is offered has a file, and every file a tag."""
    found = {path.name for path in (files("imapd") / "texts").iterdir()}
    assert {f"{tag}.toml" for tag in LANGUAGES} - {"en.toml", "i-default.toml"} == found


def test_holes() -> None:
    """What stands in a text stands in its translation, in that language's order, itself translated."""
    said = Catalogue({"expected {} at octet {}": "bei {1}: {0}", "a space": "Leerzeichen"})
    assert said("expected a space at octet 7") == "bei 7: Leerzeichen"
    assert said("expected a horse at octet 7") == "bei 7: a horse"


def test_braces_of_clients() -> None:
    """What looks like a hole in what a client sent is only text."""
    said = Catalogue({"there is no mailbox {}": "kein Ordner {}"})
    assert said("there is no mailbox {0}{x}") == "kein Ordner {0}{x}"


def test_memory() -> None:
    """However many names are in texts, what is remembered is bounded."""
    said = Catalogue({"there is no mailbox {}": "kein Ordner {}"})
    for number in range(5_000):
        assert said(f"there is no mailbox {number}") == f"kein Ordner {number}"
    assert len(said._known) <= 1_001
