"""A package that can be called: `hocket.explore(body)` and `hocket.explore.dpor` are both meant.

Python binds a package's name on its parent whenever any part of it is imported,
so a function `hocket.explore` would turn into the module `hocket.explore` behind
the user's back. Refused: renaming the packages, because the names are those of
the house. So the package's module is given a class with `__call__`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from types import ModuleType
from typing import Any

__all__ = ["callable_package"]


def callable_package(name: str, function: Callable[..., Any]) -> None:
    """Make the module called `name` answer calls with `function`; its help and signature are the function's."""

    class Door(ModuleType):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        __signature__ = property(lambda self: __import__("inspect").signature(function))

    update_wrapper(Door.__call__, function)
    sys.modules[name].__class__ = Door
