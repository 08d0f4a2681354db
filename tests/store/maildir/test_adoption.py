"""Maildirs of Dovecot and Courier are taken over: clients find everything as they know it."""

from __future__ import annotations

import os

import pytest

from imapd.model.flags import FLAGGED, SEEN, interned
from imapd.model.message import INTERNAL_DATE, MODSEQ, SIZE
from imapd.model.numset import NumSet
from imapd.model.quota import Allowance
from imapd.store.access import IShareable
from tests.store.maildir.legacies import COURIER, DOVECOT, DOVECOT_FS, lay
from tests.store.maildir.place import Place


def _adopted(tree, tmp_path):
    """The account of whoever had that tree."""
    place = Place(tmp_path / "mail")
    lay(tree, place.root)
    return place.start()


@pytest.fixture(params=["maildir++", "fs"])
def dovecot(request, tmp_path):
    """An account that Dovecot served."""
    place = _adopted(DOVECOT if request.param == "maildir++" else DOVECOT_FS, tmp_path)
    yield place
    place.stop()


@pytest.fixture
def courier(tmp_path):
    """An account that Courier served."""
    place = _adopted(COURIER, tmp_path)
    yield place
    place.stop()


def test_dovecot_mailbox(dovecot):
    """UIDVALIDITY, UIDs, the next UID, flags, keywords, dates and sizes are those clients know."""
    box = dovecot.box()
    status = dovecot.run(box.status())
    assert (box.uidvalidity, status.uidnext, status.messages) == (1795648242, 6, 4)
    assert dovecot.flags(box) == {
        1: interned(()),
        3: interned(()),
        4: interned((SEEN, "$Forwarded", "Custom3")),
        5: interned(()),
    }
    assert dovecot.column(box, INTERNAL_DATE)[3] == b" 1-Jan-2020 09:02:00 +0000"
    assert set(dovecot.column(box, SIZE).values()) == {21}
    assert dovecot.octets(box, 4) == b"Subject: m3\r\n\r\nbody\r\n"
    # None of it was delivered just now.
    assert status.recent == 0


def test_dovecot_names(dovecot):
    """Every mailbox is there with its UIDVALIDITY, whatever the layout; so are subscriptions."""
    found = {info.name: info for info in dovecot.run(dovecot.account.mailboxes())}
    expected = {"INBOX", "Sent", "lists", "lists/twisted", "Résumé"}
    assert found.keys() - {"a.b"} == expected
    assert {name for name, info in found.items() if info.subscribed} == {
        "Sent", "lists/twisted", "Résumé", "INBOX",
    }  # fmt: skip
    assert dovecot.box("lists/twisted").uidvalidity == 1795648243
    assert dovecot.flags(dovecot.box("lists/twisted")) == {1: interned((FLAGGED, "NonJunk"))}
    assert dovecot.box("Résumé").uidvalidity == 1795648244


def test_dovecot_rights_and_quota(dovecot):
    """Who may do what, and how much there may be, is kept."""
    shared = IShareable(dovecot.account)
    assert dovecot.run(shared.acl(dovecot.box("lists/twisted").id)) == {
        "$staff": frozenset("klr"),
        "bob": frozenset("lr"),
        "-eve": frozenset("l"),
    }
    assert dovecot.account.quota().allowance == Allowance(storage=102_400, messages=1_000)


def test_courier_mailbox(courier):
    """The same of Courier, whose keywords are in files of their own."""
    box = courier.box()
    status = courier.run(box.status())
    assert (box.uidvalidity, status.uidnext) == (795648307, 5)
    assert courier.flags(box) == {
        1: interned((SEEN, "$Forwarded", "Custom1")),
        3: interned(("Custom1", "NonJunk")),
        4: interned(()),
    }
    found = {info.name: info for info in courier.run(courier.account.mailboxes())}
    assert found.keys() == {"INBOX", "Sent", "lists", "lists/twisted", "Résumé"}
    assert {name for name, info in found.items() if info.subscribed} == {
        "Sent", "lists/twisted", "Résumé",
    }  # fmt: skip
    assert courier.run(IShareable(courier.account).acl(courier.box("lists/twisted").id)) == {
        "bob": frozenset("lr"),
        "anyone": frozenset("l"),
    }


def test_what_comes_after(dovecot):
    """New mail gets UIDs that were never given out, also what lies in ``new`` unknown to Dovecot."""
    dovecot.deliver("1795650000.M1P1.vm", directory="")
    box = dovecot.box()
    assert dovecot.add(box, "ours") in ([7], [6])
    uids = list(dovecot.run(box.uids()))
    assert uids == [1, 3, 4, 5, 6, 7]
    assert dovecot.run(box.status()).recent == 2


def test_the_old_files_stay(dovecot):
    """Nothing of the other server is changed, not even the names of its messages' files."""
    before = {path: path.read_bytes() for path in dovecot.root.rglob("dovecot-*")}
    names = dovecot.names()
    box = dovecot.box()
    dovecot.add(box, "ours")
    dovecot.tidied()
    assert {path: path.read_bytes() for path in dovecot.root.rglob("dovecot-*")} == before
    assert set(dovecot.names()) >= set(names)


def test_resynchronising(dovecot):
    """A client that knew the mailbox by Dovecot's modseqs hears all flags, and what was expunged."""
    box = dovecot.box()
    assert min(dovecot.column(box, MODSEQ).values()) > 1 << 40
    changes = dovecot.run(box.changes_since(17))
    assert list(changes.uids) == [1, 3, 4, 5]
    assert changes.vanished == NumSet.of(2)


def test_it_is_done_once(dovecot, tmp_path):
    """After that our own index is what counts, whatever the old files say."""
    box = dovecot.box()
    uid = dovecot.add(box, "ours")[0]
    (dovecot.root / "dovecot-uidlist").write_text("3 V5 N1\n")
    dovecot.restart()
    assert dovecot.box().uidvalidity == 1795648242
    assert uid in dovecot.run(dovecot.box().uids())


def test_creating_in_the_layout_that_is_there(dovecot):
    """A new mailbox lies among the others; it can be renamed and removed, its children stay."""
    account = dovecot.account
    dovecot.make("lists/zope")
    dovecot.add(dovecot.box("lists/zope"), "hello")
    dovecot.make("a.b/cur")
    dovecot.run(account.rename("lists", "archive/lists"))
    names = {info.name for info in dovecot.run(account.mailboxes())}
    assert names >= {"archive", "archive/lists", "archive/lists/zope", "archive/lists/twisted"}
    assert dovecot.box("archive/lists/twisted").uidvalidity == 1795648243
    assert dovecot.flags(dovecot.box("archive/lists/zope")) == {1: interned(())}
    dovecot.run(account.delete("archive/lists"))
    assert dovecot.flags(dovecot.box("archive/lists/twisted")) == {
        1: interned((FLAGGED, "NonJunk"))
    }
    dovecot.restart()
    left = {info.name for info in dovecot.run(dovecot.account.mailboxes()) if info.selectable}
    assert left >= {"archive/lists/zope", "archive/lists/twisted", "a.b/cur"}
    assert "archive/lists" not in left
    assert dovecot.octets(dovecot.box("archive/lists/twisted"), 1).startswith(b"Subject: t")


def test_others_make_mailboxes_there(dovecot):
    """A mailbox that another program makes, at any depth, is found."""
    fs = (dovecot.root / "Sent").is_dir()
    folder = dovecot.root / ("lists/twisted/deep" if fs else ".lists.twisted.deep")
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    names = {info.name for info in dovecot.run(dovecot.account.mailboxes())}
    assert "lists/twisted/deep" in names


@pytest.mark.parametrize(
    "uidlist",
    [
        b"",
        b"\0\xff",
        b"3\n",
        b"3 Vx Ny\n1 :a\n",
        b"3 V0 N1\n",
        b"3 V99999999999 N1\n",
        b"9 V1 N1\n",
        b"1 5\n",
    ],
)
def test_a_list_that_cannot_be_read(tmp_path, uidlist):
    """Then it is a new mailbox, and its messages are there all the same."""
    place = _adopted({**DOVECOT, "dovecot-uidlist": uidlist}, tmp_path)
    box = place.box()
    assert place.run(box.uids()) == NumSet([(1, 4)])
    assert box.uidvalidity > 0
    place.stop()


def test_torn_lines(tmp_path):
    """What is understood counts; a UID that is there twice, or goes back, is nobody's."""
    lines = DOVECOT["dovecot-uidlist"].splitlines(keepends=True)
    torn = [lines[0], b"nonsense\n", lines[1], lines[5], lines[3], lines[4][:20]]
    place = _adopted({**DOVECOT, "dovecot-uidlist": b"".join(torn)}, tmp_path)
    box = place.box()
    found = {uid: place.octets(box, uid)[9:11] for uid in place.run(box.uids())}
    assert found == {1: b"m0", 5: b"m4", 6: b"m2", 7: b"m3"}
    place.stop()


def test_links_are_not_followed(tmp_path):
    """A list that is a symbolic link to somewhere else is not read."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"3 V42 N100\n")
    place = Place(tmp_path / "mail")
    lay({path: octets for path, octets in DOVECOT.items() if path != "dovecot-uidlist"}, place.root)
    (place.root / "dovecot-uidlist").symlink_to(elsewhere)
    place.start()
    assert place.box().uidvalidity != 42
    place.stop()


def test_subscriptions_that_cannot_be(tmp_path):
    """A name that is none is left out, and the others are kept; a namespace's prefix is none of them."""
    listed = b"INBOX.Sent\n&\xff\n&AAA\na..b\n\n&BBAE-\nlists.twisted\n"
    place = _adopted({**DOVECOT, "subscriptions": listed}, tmp_path)
    found = place.run(place.account.mailboxes())
    assert {info.name for info in found if info.subscribed} == {"Sent", "lists/twisted"}
    place.stop()


def test_an_emptied_inbox(tmp_path):
    """Nothing is in it, and the next message gets the UID that the other server would have given."""
    root = tmp_path / "mail" / "alice"
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True)
        os.utime(root / part, (1_000_000_000, 1_000_000_000))
    (root / "dovecot-uidlist").write_text(f"3 V1234567890 N500 G{'0' * 32}\n")
    place = Place(tmp_path / "mail").start()
    box = place.box()
    assert (box.uidvalidity, place.run(box.status()).uidnext) == (1_234_567_890, 500)
    assert place.add(box, "one") == [500]
    place.stop()
