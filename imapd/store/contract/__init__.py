"""The conformance kit: a store that passes it serves the engine well.

Subclass `StoreContract` in a test module of yours, say how a store is made, and pytest
collects some two hundred tests that use nothing but `imapd.store.interfaces`::

    class TestMyStore(StoreContract):
        def make_store(self):
            return MyStore()

`imapd.store.contract.subject.Subject` says what else can be told; docs/stores.rst tells the rest.
"""

# The tests' plain asserts explain themselves only when pytest rewrites them, and it
# rewrites only what it was told of before the import.
import pkgutil

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__))
)

from imapd.store.contract.pump import Pump  # noqa: E402
from imapd.store.contract.suite import StoreContract  # noqa: E402

__all__ = ["Pump", "StoreContract"]
