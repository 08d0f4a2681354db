"""One key of the configuration, and its value as the file has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

__all__ = ["Key", "toml"]


@frozen
class Key:
    """One line of the table."""

    #: As in the file, with its table: ``limits.line``.
    name: str
    default: Any
    sentence: str
    #: The value as the program wants it; raises `Unfit`.
    read: Callable[[Any], Any] = field(repr=False)

    @property
    def table(self) -> str:
        """The part of the file it stands in; empty at the top."""
        return self.name.rpartition(".")[0]

    @property
    def short(self) -> str:
        """What stands before the equals sign."""
        return self.name.rpartition(".")[2]

    def written(self, value: Any) -> str:
        """A line of the file."""
        return f"{self.short} = {toml(value)}"


def toml(value: Any) -> str:
    """A value as the file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "\\" in value and "'" not in value:
            return f"'{value}'"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        members = (f"{_bare(name)} = {toml(each)}" for name, each in value.items())
        return "{ " + ", ".join(members) + " }"
    return str(value)


def _bare(name: str) -> str:
    """A key as the file has it."""
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else toml(name)
