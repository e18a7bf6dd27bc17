"""Which modules have to be tracked besides those that were named, because shared data is in their hands.

A test names what it tests by calling it. If an object that several threads can
reach is handed to a function whose module is not tracked, that module's source is as
good as that of the test: the exploration begins again with it tracked, and says so in a
note. Only what has no source that could be rewritten, or is the machinery of explorations and of
test runners, is left, and reported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from hocket.explore.threads.naming import is_hocket, is_machinery
from hocket.explore.threads.spaces import file_of

__all__ = ["home_of", "homes_of", "is_trackable"]

_LEFT_ALONE = {  # they carry explorations, or judge and print what these come to
    "reprlib", "pprint", "difflib", "iniconfig", "rich", "pygments",
    "_pytest", "pytest", "pluggy", "xdist", "hypothesis", "coverage", "unittest", "pdb", "bdb", "_frozen_importlib",
    "_frozen_importlib_external", "importlib", "linecache", "tokenize", "traceback", "ast", "dis", "opcode",
    "warnings", "subprocess", "socket", "selectors", "tempfile",
}
_TRACKED = {  # but handlers of `caplog` and stacks of exits are used by several threads, and `pytest.raises` in any
    "_pytest.logging", "_pytest.raises", "_pytest._code.code", "_pytest.approx", "_pytest.python_api", "contextlib",
}


def is_trackable(module: ModuleType | None) -> bool:
    """Whether a module has a source that may be rewritten."""
    file = file_of(module)
    if module is None or not isinstance(file, str) or not file.endswith(".py"):
        return False
    left = is_machinery(file) or module.__name__.partition(".")[0] in _LEFT_ALONE
    return module.__name__ in _TRACKED or not (left or is_hocket(file))


def home_of(f: Any) -> str | None:
    """The module with the source of what is called; None if that cannot be tracked."""
    if issubclass(type(f), MethodType):
        f = f.__func__
    if issubclass(type(f), BuiltinFunctionType):
        return None
    if issubclass(type(f), FunctionType):
        name = f.__globals__.get("__name__")
    else:
        name = getattr(f if issubclass(type(f), type) else type(f), "__module__", None)
    return name if isinstance(name, str) and is_trackable(sys.modules.get(name)) else None


def homes_of(files: Iterable[str]) -> list[str]:
    """The modules that have these files as their source, those that can be tracked."""
    wanted = set(files)
    return [name for name, module in list(sys.modules.items())
            if file_of(module) in wanted and is_trackable(module)
            ] if wanted else []
