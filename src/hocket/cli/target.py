"""What a command is to work on: `path/to/file.py::function`, `package.module::function`, or either without `::`."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    path = Path(where)
    if where.endswith(".py") or "/" in where or path.is_file():
        return _from_file(path)
    if not where:
        raise SourceError("no file and no module is named", cure="write FILE.py::FUNCTION or package.module::FUNCTION")
    with _importing(where, ""):  # what lies in the current folder can be named, as with `python -m`
        return import_module(where)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise SourceError("this is a folder" if path.is_dir() else "there is no such file", str(path),
                          cure="name a file of Python")
    root, name = _named(path.resolve())
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path.resolve()):
        return known
    if "." in name:  # of a package: its neighbours may be named from there
        with _importing(str(path), str(root)):
            return import_module(name)
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError("this is no Python file", str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing(str(path), str(root)):
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _named(path: Path) -> tuple[Path, str]:
    """The folder from which a file can be imported, and the name that it has there."""
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        folder, parts = folder.parent, [folder.name, *parts]
    return folder, ".".join(parts)


@contextmanager
def _importing(where: str, folder: str) -> Iterator[None]:
    """With `folder` to import from; what goes wrong is said of the module. One that ends the program passed nothing."""
    sys.path.insert(0, folder)
    try:
        yield
    except SystemExit:
        cure = 'put what it runs below: if __name__ == "__main__":'
        raise SourceError("it ends the program while it is imported (SystemExit)", where, cure=cure) from None
    except SyntaxError as error:
        at = (error.lineno or 0, error.offset or 0)
        raise SourceError(f"is not Python: {error.msg}", error.filename or where, *at) from None
    except ModuleNotFoundError as error:
        itself = error.name is not None and f"{where}.".startswith(f"{error.name}.")
        said = "there is no such file, and no such module" if itself else f"cannot be imported: {error}"
        raise SourceError(said, where) from None
    except BrokenPipeError:  # of what it prints: nobody reads any more, which `main` knows
        raise
    except Exception as error:
        raise SourceError(f"cannot be imported: {type(error).__name__}: {error}", where) from error
    finally:
        sys.path.remove(folder)
