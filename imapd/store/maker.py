"""Stores by name: ``maildir:/var/mail/%u`` names a plugin, which names a module, loaded when chosen."""

from __future__ import annotations

from attrs import frozen
from twisted.plugin import IPlugin, getPlugins
from twisted.python.reflect import namedAny
from zope.interface import Attribute, Interface, implementer

from imapd.store.interfaces import IMailStore

__all__ = ["IStoreMaker", "StoreMaker", "UnknownStore", "open_store"]


class UnknownStore(ValueError):
    """No plugin provides a store of that name, or its arguments are wrong; the text says what to write."""


class IStoreMaker(Interface):
    """A plugin in `twisted.plugins` that makes one kind of store."""

    name: str = Attribute("What stands before the colon.")
    help: str = Attribute("One line: what follows the colon.")

    def open(reactor: object, argument: str) -> IMailStore:
        """The store that `argument` describes.  Raises `UnknownStore` if it makes no sense."""


@implementer(IPlugin, IStoreMaker)
@frozen
class StoreMaker:
    """A maker that names its factory as text: ``factory(reactor, argument)``."""

    name: str
    help: str
    factory: str

    def open(self, reactor: object, argument: str) -> IMailStore:
        """As `IStoreMaker`."""
        store: IMailStore = namedAny(self.factory)(reactor, argument)  # type: ignore[no-untyped-call]
        return store


def open_store(reactor: object, description: str) -> IMailStore:
    """The store of ``name:argument``."""
    name, _, argument = description.partition(":")
    makers = {maker.name: maker for maker in getPlugins(IStoreMaker)}
    maker = makers.get(name)
    if maker is None:
        known = ", ".join(f"{each.name}:{each.help}" for each in makers.values())
        raise UnknownStore(f"no store is called {name!r}; there are {known}")
    return maker.open(reactor, argument)
