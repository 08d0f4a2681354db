"""A file and options become a configuration; errors name the file, the key, and what to write instead."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from imapd.config.key import Key, toml
from imapd.config.table import EXAMPLES, FIELDS, KEYS, BadConfig, Config
from imapd.config.values import Unfit
from imapd.model.limits import Limits

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["configured", "stated"]


def configured(path: Path | None, options: Mapping[str, Any] | None = None) -> Config:
    """The configuration of a file, if there is one, and of options, by key name, which win.

    Raises `BadConfig`.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if path is not None:
        origins[""] = f"{path}: "
        for name, value in _flat(path).items():
            values[name] = _fitting(KEYS[name], value, f"{path}: {name}")
            origins[name] = f"{path}: {name}"
    for name, value in (options or {}).items():
        origins[name] = f"--{_option(name)}"
        values[name] = _fitting(KEYS[name], value, origins[name])
    limits = {
        KEYS[name].short: values.pop(name) for name in tuple(values) if name.startswith("limits.")
    }
    return Config(
        **{FIELDS[name]: value for name, value in values.items()},
        limits=Limits(**limits),
        origins=origins,
    )


def stated(config: Config) -> dict[str, Any]:
    """The values of all keys, by name: what `configured` makes the same of as options."""
    return {
        name: getattr(config, FIELDS[name])
        if name in FIELDS
        else getattr(config.limits, KEYS[name].short)
        for name in KEYS
    }


def _option(name: str) -> str:
    return FIELDS.get(name, name).replace("_", "-")


def _flat(path: Path) -> dict[str, Any]:
    """What the file says, by key name."""
    try:
        with open(path, "rb") as file:
            read = tomllib.load(file)
    except FileNotFoundError:
        raise BadConfig(
            f"{path}: there is no such file; `imapd sample-config` writes one to begin with"
        ) from None
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}; let the server's user read it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(
            f"{path}: is not TOML: {error}; texts stand in quotes, lists in brackets"
        ) from error
    tables = {key.table for key in KEYS.values() if key.table}
    flat: dict[str, Any] = {}
    for outer, value in read.items():
        if outer in tables:
            if not isinstance(value, dict):
                raise BadConfig(
                    f"{path}: {outer}: is a table; write [{outer}] on a line of its own"
                )
            flat.update({f"{outer}.{inner}": each for inner, each in value.items()})
        elif isinstance(value, dict):
            near = get_close_matches(outer, tables, 1, 0.0)[0]
            raise BadConfig(f"{path}: {outer}: there is no such table; did you mean [{near}]?")
        else:
            flat[outer] = value
    for name in flat:
        if name not in KEYS:
            raise BadConfig(f"{path}: {name}: {_unknown(name)}")
    return flat


def _unknown(name: str) -> str:
    """What to write in place of a name that is none."""
    short = name.rpartition(".")[2]
    near = get_close_matches(name, KEYS, 1, 0.6) or [
        key.name
        for key in KEYS.values()
        if key.short in get_close_matches(short, [each.short for each in KEYS.values()], 1, 0.6)
    ]
    if not near:
        return "there is no such key; `imapd sample-config` shows all there are"
    key = KEYS[near[0]]
    place = f" in [{key.table}]" if key.table else ", above all tables"
    return f"there is no such key; did you mean {key.short}{place}?"


def _fitting(key: Key, value: Any, origin: str) -> Any:
    try:
        return key.read(value)
    except Unfit as unfit:
        example = key.written(
            key.default if key.default not in ("", (), {}) else EXAMPLES[key.name]
        )
        raise BadConfig(f"{origin}: {toml(value)} is not {unfit}; write {example}") from None
