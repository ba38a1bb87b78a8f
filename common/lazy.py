"""Modules that are imported when something of them is used for the first time."""

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands in for a module, which it imports when one of its attributes is asked for.

    Args:
        name: of the module, as in an import statement.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)
