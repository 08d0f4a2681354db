"""Imports point down (DESIGN, 4), and no module knows a store by name but its own package."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import imapd

_ROOT = Path(imapd.__file__ or "").parent

#: The layer of each package or module, the longest name that fits deciding.
_LAYERS: Mapping[str, int] = {
    "imapd": 0,
    "imapd.model": 0,
    "imapd.wire": 1,
    "imapd.mime": 1,
    "imapd.query": 1,
    "imapd.dialect": 2,
    "imapd.store": 2,
    "imapd.store.contract": 7,
    "imapd.store.memory": 3,
    "imapd.store.maildir": 3,
    "imapd.store.postgres": 3,
    "imapd.sharing": 3,
    "imapd.auth": 3,
    "imapd.session": 4,
    "imapd.commands": 5,
    "imapd.extensions": 6,
    "imapd.delivery": 6,
    "imapd.server": 7,
    "imapd.config": 8,
    "imapd.preparing": 8,
    "imapd.service": 8,
    "imapd.cli": 9,
    "imapd.testing": 9,
}

#: Packages of one layer that must not know each other.
_APART = (
    ("imapd.wire", "imapd.mime"),
    ("imapd.wire", "imapd.query"),
)

#: (who, whom): climbs and neighbours that have a reason.
_EXCEPTIONS: Mapping[tuple[str, str], str] = {}

_DRIVERS = ("imapd.store.memory", "imapd.store.maildir", "imapd.store.postgres")


def _modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, ast.parse(path.read_text("utf-8"))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that is imported, also inside functions; names are tried as modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("imapd"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if (node.module or "").split(".")[0] == "imapd":
                for each in node.names:
                    whole = f"{node.module}.{each.name}"
                    path = _ROOT.parent.joinpath(*whole.split("."))
                    is_module = path.is_dir() or path.with_suffix(".py").is_file()
                    yield whole if is_module else str(node.module)


def _layer(name: str) -> int:
    while name not in _LAYERS:
        name = name.rpartition(".")[0]
    return _LAYERS[name]


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _wrong(name: str, imported: str) -> bool:
    if any(_within(name, who) and _within(imported, whom) for who, whom in _EXCEPTIONS):
        return False
    if _layer(imported) > _layer(name):
        return True
    return any(
        (_within(name, one) and _within(imported, other))
        or (_within(name, other) and _within(imported, one))
        for one, other in _APART
    )


def _climbs(root: Path) -> list[str]:
    return [
        f"{name} imports {imported}"
        for name, tree in _modules(root)
        for imported in _imports(tree)
        if _wrong(name, imported)
    ]


def _named_drivers(root: Path) -> list[str]:
    return [
        f"{name} imports {imported}"
        for name, tree in _modules(root)
        for imported in _imports(tree)
        for driver in _DRIVERS
        if _within(imported, driver) and not _within(name, driver)
    ]


def test_modules_are_found() -> None:
    """The gate looks at the modules that are installed, in every layer."""
    names = {name for name, _ in _modules(_ROOT)}
    assert {"imapd.model.flags", "imapd.wire.cursor", "imapd.server.imap", "imapd.config"} <= names
    assert len(names) > 80


def test_every_module_has_a_layer() -> None:
    """A new package must be given its place."""
    tops = {".".join(name.split(".")[:2]) for name, _ in _modules(_ROOT)}
    assert tops <= _LAYERS.keys()


def test_imports_point_down() -> None:
    """No module imports from a layer above its own."""
    assert _climbs(_ROOT) == []


def test_drivers_are_found_by_name() -> None:
    """No store is imported by anything but itself: plugins name it as text."""
    assert _named_drivers(_ROOT) == []


def test_exceptions_are_used() -> None:
    """An exception that nothing needs any more goes."""
    imports = [(name, each) for name, tree in _modules(_ROOT) for each in _imports(tree)]
    for who, whom in _EXCEPTIONS:
        assert any(_within(a, who) and _within(b, whom) for a, b in imports), (who, whom)


def _tree(folder: Path, **files: str) -> Path:
    root = folder / "imapd"
    for name, text in files.items():
        path = root.joinpath(*name.split("_")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def test_a_climb_is_caught(tmp_path: Path) -> None:
    """The gate can fail: at the top, in a function, of one name, of a neighbour, by a store's name."""
    root = _tree(
        tmp_path,
        model_flags="import imapd.wire.cursor\n",
        wire_cursor="def late():\n    from imapd.session.session import Session\n",
        session_view="from imapd import commands\n",
        mime_parse="from imapd.wire.cursor import Cursor\n",
        server_imap="from imapd.store.memory import MemoryStore\n",
        commands_fetch="from imapd.session.view import View\nimport twisted\n",
    )
    assert _climbs(root) == [
        "imapd.mime.parse imports imapd.wire.cursor",
        "imapd.model.flags imports imapd.wire.cursor",
        "imapd.session.view imports imapd.commands",
        "imapd.wire.cursor imports imapd.session.session",
    ]
    assert _named_drivers(root) == ["imapd.server.imap imports imapd.store.memory"]
