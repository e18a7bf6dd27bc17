"""What a command is to work on: `path/to/file.py::function`, `package.module::function`, or either without `::`."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hocket.errors import SourceError

__all__ = ["function_of", "functions_of"]

Named = tuple[str, Callable[[], Any]]


def function_of(target: str) -> Named:
    """The one function that `target` names; raises `SourceError` if it is not there."""
    where, mark, name = target.partition("::")
    if not mark or not name:
        raise SourceError("no function is named", target, cure=f"write {where}::FUNCTION")
    found: Any = _module(where)
    for part in name.replace("::", ".").split("."):
        found = getattr(found, part, None)
    if not callable(found):
        near = ", ".join(name for name, _ in _candidates(_module(where))) or "none that could be explored"
        raise SourceError(f"there is no function {name!r}", where, cure=f"its functions are: {near}")
    return f"{where}::{name}", _plain(found)


def functions_of(target: str) -> list[Named]:
    """The function that `target` names, or every test of the file or module."""
    if "::" in target:
        return [function_of(target)]
    found = [(f"{target}::{name}", _plain(function)) for name, function in _candidates(_module(target))
             if name.startswith(("test_", "explore_"))]
    if not found:
        raise SourceError("it has no function test_... or explore_... without parameters", target,
                          cure=f"name one: {target}::FUNCTION")
    return found


def _candidates(module: ModuleType) -> list[Named]:
    functions = [(name, value) for name, value in vars(module).items()
                 if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")]
    return [(name, value) for name, value in functions if not inspect.signature(value).parameters]


def _plain(function: Any) -> Any:
    """The body below `@hocket.explore.test`, which would explore inside of the exploration."""
    return getattr(function, "__hocket_body__", function)


def _module(where: str) -> ModuleType:
    if where.endswith(".py") or "/" in where or Path(where).exists():
        return _from_file(Path(where))
    try:
        return import_module(where)
    except ModuleNotFoundError as error:
        raise SourceError(f"there is no such file, and no such module ({error})", where) from None
    except Exception as error:
        raise SourceError(f"cannot be imported: {type(error).__name__}: {error}", where) from error


def _from_file(path: Path) -> ModuleType:
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path.resolve()):
        return known
    if not path.is_file():
        raise SourceError("there is no such file", str(path))
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError("this is no Python file", str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise SourceError(f"is not Python: {error.msg}", str(path), error.lineno or 0, error.offset or 0) from None
    except Exception as error:
        del sys.modules[name]
        raise SourceError(f"cannot be imported: {type(error).__name__}: {error}", str(path)) from error
    finally:
        sys.path.pop(0)
    return module
