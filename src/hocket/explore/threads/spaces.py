"""The namespaces of all loaded modules, which each exploration looks through and a large program has thousands of.

As long as the same modules are loaded and none has more or fewer names than it had, what was found out about them
the last time is still so. That is asked in C, a few nanoseconds for each, and without keeping any module
alive. Refused: asking `sys.modules` whether it has changed, because it does not tell.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from itertools import compress
from operator import is_
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Spaces", "file_of", "identities", "space_of"]

Space = dict[str, Any]

space_of: Callable[[ModuleType], Space] = vars(ModuleType)["__dict__"].__get__
"""The namespace of a module, which `vars` asks of the module: one that loads itself when it is asked would."""


def file_of(module: Any) -> Any:
    """Where the source of a module is, as far as it says; what it has in place of `__getattr__` is not asked."""
    known = space_of(module) if issubclass(type(module), ModuleType) else {}
    return known.get("__file__")


def identities() -> frozenset[int]:
    """The namespaces of what is in `sys.modules` and is a module, each by `id`."""
    return frozenset(map(id, map(space_of, _modules())))


def _modules() -> list[ModuleType]:
    values: list[Any] = list(sys.modules.values())
    kinds = list(map(type, values))
    modules = {kind for kind in set(kinds) if issubclass(kind, ModuleType)}
    return list(compress(values, map(modules.__contains__, kinds)))


class _Mark(NamedTuple):
    """Which modules there were, and how many names each had."""

    modules: list[weakref.ref[ModuleType]]
    sizes: list[int]

    def is_same(self, other: _Mark) -> bool:
        """Whether nothing has changed; no module is asked what it is equal to."""
        return self.sizes == other.sizes and all(map(is_, self.modules, other.modules))


class Spaces:
    """Those namespaces that `asked` says may matter, as long as it has no reason to say anything else.

    It is asked anew for those of which it said so, and for all of them when one has come, gone, or changed its size.
    """

    def __init__(self, asked: Callable[[Space], bool]) -> None:
        self._asked = asked
        self._mark = _Mark([], [])
        self._modules: list[weakref.ref[ModuleType]] = []  # those that may matter

    def now(self) -> list[Space]:
        """Each once."""
        modules = _modules()
        mark = _Mark(list(map(weakref.ref, modules)), list(map(len, map(space_of, modules))))
        if mark.is_same(self._mark):
            modules = [module for module in [reference() for reference in self._modules] if module is not None]
        once = {id(space_of(module)): module for module in modules}
        found = [module for module in once.values() if self._asked(space_of(module))]
        self._mark, self._modules = mark, list(map(weakref.ref, found))
        return list(map(space_of, found))
