"""All that a listener speaks: features joined into the tables that a connection looks things up in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, Union

from attrs import field, frozen

from imapd.dialect.feature import Feature
from imapd.dialect.parts import (
    AppendOption,
    AppendPart,
    Capability,
    Command,
    CreateParameter,
    Enable,
    FetchItem,
    FetchModifier,
    ListReturn,
    ListSelection,
    SearchKey,
    SearchReturn,
    SelectParameter,
    SortKey,
    StatusItem,
    StoreItem,
    StoreModifier,
    Upload,
    URLParameter,
    When,
)

__all__ = ["Advertised", "Dialect"]

#: Names of capabilities with spaces between them, or one that is not always told, or not always so.
Advertised = tuple[Union[str, tuple[Feature, Capability]], ...]  # noqa: UP007  (evaluated)

_Named = TypeVar(
    "_Named", Command, Upload, AppendPart, AppendOption, FetchItem, SearchKey, SearchReturn, SortKey,
    StatusItem, ListSelection, ListReturn, CreateParameter, URLParameter, Enable, FetchModifier,
    StoreItem, StoreModifier, SelectParameter,
)  # fmt: skip


def _table(groups: Iterable[Iterable[_Named]]) -> dict[bytes, _Named]:
    table: dict[bytes, _Named] = {}
    for group in groups:
        for each in group:
            name = each.name.encode("ascii")
            if name in table:
                raise ValueError(f"two features define {each.name}")
            table[name] = each
    return table


def _remaining(features: tuple[Feature, ...], without: Iterable[str]) -> tuple[Feature, ...]:
    """Those that are there when capabilities are switched off; ValueError if that cannot be."""
    names = {each.name.upper(): feature for feature in features for each in feature.capabilities}
    gone: set[str] = set()
    for name in without:
        feature = names.get(name.upper())
        if feature is None:
            near = get_close_matches(name.upper(), names, 1, 0.0)
            raise ValueError(f"there is no capability {name!r}; did you mean {near[0]!r}?")
        if feature.base:
            raise ValueError(f"{name} is part of the base protocol and cannot be switched off")
        gone |= _names(feature)
    while True:
        also = [feature for feature in features if not gone.isdisjoint(feature.needs)]
        more = gone.union(*map(_names, also))
        if more == gone:
            return tuple(
                each for each in features if each not in also and gone.isdisjoint(_names(each))
            )
        gone = more


def _advertised(features: Iterable[Feature], when: When) -> Advertised:
    other = When.AFTER_LOGIN if when is When.BEFORE_LOGIN else When.BEFORE_LOGIN
    found: list[str | tuple[Feature, Capability]] = []
    for feature in features:
        for each in feature.capabilities:
            if each.when is other:
                continue
            given = when is When.BEFORE_LOGIN or feature.requires is None
            if not given or each.available is not None or each.value is not None:
                found.append((feature, each))
            elif found and isinstance(found[-1], str):
                found[-1] += f" {each.name}"
            else:
                found.append(each.name)
    return tuple(found)


def _names(feature: Feature) -> set[str]:
    return {each.name for each in feature.capabilities}


@frozen(eq=False)
class Dialect:
    """All that a listener speaks: built once at start, shared by its connections."""

    features: tuple[Feature, ...]
    commands: Mapping[bytes, Command] = field(repr=False)
    uploads: Mapping[bytes, Upload] = field(repr=False)
    append_parts: Mapping[bytes, AppendPart] = field(repr=False)
    append_options: Mapping[bytes, AppendOption] = field(repr=False)
    appends_several: bool
    fetch_items: Mapping[bytes, FetchItem] = field(repr=False)
    fetch_macros: Mapping[bytes, tuple[str, ...]] = field(repr=False)
    fetch_modifiers: Mapping[bytes, FetchModifier] = field(repr=False)
    store_items: Mapping[bytes, StoreItem] = field(repr=False)
    store_modifiers: Mapping[bytes, StoreModifier] = field(repr=False)
    select_parameters: Mapping[bytes, SelectParameter] = field(repr=False)
    search_keys: Mapping[bytes, SearchKey] = field(repr=False)
    search_returns: Mapping[bytes, SearchReturn] = field(repr=False)
    sort_keys: Mapping[bytes, SortKey] = field(repr=False)
    status_items: Mapping[bytes, StatusItem] = field(repr=False)
    list_selections: Mapping[bytes, ListSelection] = field(repr=False)
    list_returns: Mapping[bytes, ListReturn] = field(repr=False)
    create_parameters: Mapping[bytes, CreateParameter] = field(repr=False)
    url_parameters: Mapping[bytes, URLParameter] = field(repr=False)
    creates: tuple[Callable[[Any, Any], bytes], ...] = field(repr=False)
    opens: tuple[Callable[[Any], bytes], ...] = field(repr=False)
    tells: tuple[Callable[[Any], Awaitable[None]], ...] = field(repr=False)
    reports: tuple[Callable[[Any, int | None, int | None], None], ...] = field(repr=False)
    enables: Mapping[bytes, Enable] = field(repr=False)
    admits: tuple[Callable[[Any], None], ...] = field(repr=False)
    guards: tuple[Callable[[Any, Any], None], ...] = field(repr=False)
    receives: tuple[Callable[[Any, Any], None], ...] = field(repr=False)
    annotates: tuple[Callable[[Any, str, Mapping[str, bytes | None]], Awaitable[None]], ...] = (
        field(repr=False)
    )
    #: What is advertised before log-in, and after it.
    advertised_before: Advertised = field(repr=False)
    advertised_after: Advertised = field(repr=False)
    #: For `wire.connection.Connection`.
    upload_arguments: Mapping[bytes, re.Pattern[bytes]] = field(repr=False)

    def has(self, capability: str) -> bool:
        """Whether a feature with a capability of that name is there."""
        return any(
            each.name == capability for feature in self.features for each in feature.capabilities
        )

    @classmethod
    def of(cls, features: Iterable[Feature], without: Iterable[str] = ()) -> Dialect:
        """Join features; ValueError if two define one name.

        Features with a capability of `without` are left out whole, and with them those that
        need it; ValueError if there is no such capability, or it cannot be switched off.
        """
        features = _remaining(tuple(features), without)
        uploads = _table(feature.uploads for feature in features)
        commands = _table(feature.commands for feature in features)
        both = uploads.keys() & commands.keys()
        if both:
            raise ValueError(f"two features define {sorted(both)[0].decode('ascii')}")
        macros: dict[bytes, tuple[str, ...]] = {}
        for feature in features:
            macros.update(
                (name.encode("ascii"), items) for name, items in feature.fetch_macros.items()
            )
        return cls(
            features=features,
            commands=commands,
            uploads=uploads,
            append_parts=_table(feature.append_parts for feature in features),
            append_options=_table(feature.append_options for feature in features),
            appends_several=any(feature.appends_several for feature in features),
            fetch_items=_table(feature.fetch_items for feature in features),
            fetch_macros=macros,
            fetch_modifiers=_table(feature.fetch_modifiers for feature in features),
            store_items=_table(feature.store_items for feature in features),
            store_modifiers=_table(feature.store_modifiers for feature in features),
            select_parameters=_table(feature.select_parameters for feature in features),
            search_keys=_table(feature.search_keys for feature in features),
            search_returns=_table(feature.search_returns for feature in features),
            sort_keys=_table(feature.sort_keys for feature in features),
            status_items=_table(feature.status_items for feature in features),
            list_selections=_table(feature.list_selections for feature in features),
            list_returns=_table(feature.list_returns for feature in features),
            create_parameters=_table(feature.create_parameters for feature in features),
            url_parameters=_table(feature.url_parameters for feature in features),
            creates=tuple(each.creates for each in features if each.creates is not None),
            opens=tuple(each.opens for each in features if each.opens is not None),
            tells=tuple(each.tells for each in features if each.tells is not None),
            reports=tuple(each.reports for each in features if each.reports is not None),
            enables=_table(feature.enables for feature in features),
            admits=tuple(each.admits for each in features if each.admits is not None),
            guards=tuple(each.guards for each in features if each.guards is not None),
            receives=tuple(each.receives for each in features if each.receives is not None),
            annotates=tuple(each.annotates for each in features if each.annotates is not None),
            advertised_before=_advertised(features, When.BEFORE_LOGIN),
            advertised_after=_advertised(features, When.AFTER_LOGIN),
            upload_arguments={name: upload.argument for name, upload in uploads.items()},
        )
