"""What is on the disk when a change is answered, by the calls that were made until then."""

from __future__ import annotations

import os
from threading import Event

import pytest
from twisted.internet.defer import Deferred, gatherResults

from imapd.model.flags import FlagChange, interned
from imapd.model.numset import NumSet
from imapd.store.contract.letters import letter
from imapd.store.maildir import open_store
from tests.store.maildir.calls import Calls
from tests.store.maildir.place import EVERYTHING


@pytest.fixture
def filled(place):
    """Some messages in two mailboxes, and all else done."""
    place.add(place.box(), "one", "two", "three")
    place.add(place.box(), "four", flags=["\\Deleted"])
    place.make("other/below")
    settled(place)
    return place


def settled(place):
    """Nothing is behind the answers."""
    place.tidied()
    place.run(place.account.writer.when_idle())


def made(place, monkeypatch, operation):
    """The calls until the answer that matter, without the root's path; unique names are stars."""
    calls = Calls(monkeypatch, place.path)
    # Connections that were made before do not tell.
    place.account.index.close()
    place.account.writer.index.close()
    box, other = place.box(), place.box("other/below")
    place.account.writer.index.open()
    calls.active = True
    place.run(operation(place, box, other))
    calls.active = False
    monkeypatch.undo()
    said = []
    for call in calls.made:
        path = call.path.removeprefix(str(place.root))
        if call.name in ("fsync", "link", "rename", "mkdir", "COMMIT"):
            if os.path.basename(os.path.dirname(path)) in ("tmp", "cur"):
                path = os.path.dirname(path) + "/*"
            said.append(f"{call.name} {path}".strip())
    return said


def flags(place, box, other):
    r"""\Flagged, on the reactor's thread."""
    return box.store_flags(NumSet.of(1), FlagChange.ADD, interned(["\\Flagged"]))


BELOW = "/.other.below/cur"

OPERATIONS = {
    "append": (
        lambda place, box, other: box.append([letter("new").new(), letter("newer").new()]),
        ["fsync /tmp/*", "fsync /tmp/*", "link /cur/*", "link /cur/*", "fsync /cur", "COMMIT FULL"],
    ),
    "copy": (
        lambda place, box, other: box.copy(NumSet.of(1), other),
        [f"link {BELOW}/*", f"fsync {BELOW}", "COMMIT FULL"],
    ),
    "move": (lambda place, box, other: box.move(NumSet.of(1), other), ["COMMIT FULL"]),
    "expunge": (lambda place, box, other: box.expunge(EVERYTHING), ["COMMIT FULL"]),
    "replace": (
        lambda place, box, other: box.replace(1, letter("new").new(), other),
        ["fsync /tmp/*", f"link {BELOW}/*", f"fsync {BELOW}", "COMMIT FULL"],
    ),
    "flags": (flags, ["COMMIT NORMAL"]),
}


def _ours(said, commit):
    """The calls, less the commits of what the store does by itself meanwhile."""
    others = [call for call in said if call.startswith("COMMIT") and call != commit]
    assert set(others) <= {"COMMIT NORMAL"}
    return [call for call in said if call not in others][: said.index(commit) + 1]


@pytest.mark.parametrize("name", OPERATIONS)
def test_before_the_answer(name, filled, monkeypatch):
    """The file, the directory that has its name, and the index, in that order; flags need not wait."""
    operation, expected = OPERATIONS[name]
    assert _ours(made(filled, monkeypatch, operation), expected[-1]) == expected


def test_a_new_mailbox(filled, monkeypatch):
    """CREATE is answered when its directory, and the one above, are on the disk; and the index."""
    said = made(filled, monkeypatch, lambda place, box, other: place.account.create("new"))
    commit = said.index("COMMIT FULL")
    assert max(said.index("fsync /.new"), said.index("fsync")) < commit


@pytest.mark.parametrize(
    "operation",
    [
        lambda place, box, other: place.account.rename("other/below", "another"),
        lambda place, box, other: place.account.delete("other/below"),
    ],
)
def test_mailboxes_that_move_or_go(operation, filled, monkeypatch):
    """What is to be is on the disk before a directory is touched, and directories before what was done."""
    said = made(filled, monkeypatch, operation)
    first = said.index("COMMIT FULL")
    moved = next(place for place, call in enumerate(said) if call.startswith("rename"))
    assert first < moved < said.index("fsync") < said.index("COMMIT FULL", moved)


def test_files_that_follow(filled, monkeypatch):
    """The index says where a file has gone when the disk knows it: both directories are synced first."""
    with filled.files_stay():
        filled.run(filled.box().move(NumSet.of(1), filled.box("other/below")))
    filled.run(filled.box().expunge(EVERYTHING))
    said = made(filled, monkeypatch, lambda place, box, other: place.account.changing.tidy())
    moved = said.index(f"rename {BELOW}/*")
    commit = next(n for n in range(moved, len(said)) if said[n].startswith("COMMIT"))
    assert {f"fsync {BELOW}", "fsync /cur"} <= set(said[moved:commit])


def test_flags_that_are_synced(place, monkeypatch):
    """With ``flags=synced`` a change of flags is on the disk, and so is the name that tells it later."""
    place.stop()
    place.store = open_store(place.pump, f"{place.path}/%u:flags=synced")
    place.account = place.run(place.store.open_account("alice"))
    place.add(place.box(), "one")
    place.make("other/below")
    settled(place)
    assert _ours(made(place, monkeypatch, flags), "COMMIT FULL") == ["COMMIT FULL"]
    said = made(place, monkeypatch, lambda place, box, other: place.account.changing.tidy())
    moved = said.index("rename /cur/*")
    assert said[moved : moved + 3] == ["rename /cur/*", "fsync /cur", "COMMIT NORMAL"]


def test_appends_share_what_is_synced(filled, monkeypatch):
    """Fifty at once need an fsync each for their octets, and few for directory and index together."""
    busy = Event()

    def many(place, box, other):
        # However fast the disk is, they wait together behind a change that takes long.
        place.account.writer.alone(lambda *_: busy.wait(10))
        place.pump.callLater(0.1, busy.set)
        each = [Deferred.fromCoroutine(box.append([letter(f"n{n}").new()])) for n in range(50)]
        return gatherResults(each)

    said = made(filled, monkeypatch, many)
    assert said.count("fsync /tmp/*") == 50
    assert said.count("COMMIT FULL") == said.count("fsync /cur") == 1
