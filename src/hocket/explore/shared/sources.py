"""What a source compiles to: plain, to be told by; and rewritten, to be run in its place.

Rewriting takes three to four times as long as compiling, because a tree of Python objects has to be made and read
again (that alone is 1.6 to 2 times). So what came of it is kept: in memory by file and time stamp, and on disk by the
text (stored.py), for the next run of the tests.
"""

from __future__ import annotations

import ast
import builtins
import gc
import linecache
import os
import pickle
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared.grammar import NewSyntaxError
from hocket.explore.shared.rewrite import is_probe, rewrite
from hocket.explore.shared.scopes import CELLS, Scopes
from hocket.explore.shared.stored import keep, kept, key_of, place_of

__all__ = [
    "CHANGED",
    "NEW_SYNTAX",
    "ORIGINAL",
    "PROBES",
    "TOO_DEEP",
    "Source",
    "copied",
    "is_rewritten",
    "original",
    "rewrite_source",
    "source_of",
]

CHANGED = "its source does not compile to its code: it has changed since it was loaded, or an import hook rewrites it"
NEW_SYNTAX = "its source holds syntax that is newer than this version of Hocket"
TOO_DEEP = "its source is nested too deeply to be rewritten"
PROBES = "__hocket__"
_IGNORE: list[Any] = [("ignore", None, Warning, None, 0)]
ORIGINAL: dict[int, tuple[CodeType, CodeType]] = {}  # by the identity of rewritten code: itself, and the plain one


Text = str | bytes | ast.Module | ast.Expression
"""What `compile` takes."""


class Source(NamedTuple):
    """What a source compiles to, plain and rewritten."""

    code: CodeType | None  # the top, rewritten
    pairs: dict[CodeType, CodeType]
    ambiguous: frozenset[CodeType]
    unstable: frozenset[str]  # the globals that its functions rebind: all others are read without a probe
    problem: str | None = None


def is_rewritten(code: CodeType) -> bool:
    """Whether `code` came out of the rewriter, so that whatever it shares is seen."""
    found = ORIGINAL.get(id(code))
    return (found is not None and found[0] is code) or is_probe(code)


def original(code: CodeType) -> CodeType:
    """The plain code that `code` was rewritten from; `code` itself if it was not."""
    found = ORIGINAL.get(id(code))
    return found[1] if found is not None and found[0] is code else code


def rewrite_source(text: Text, filename: str = "<string>", mode: str = "exec", flags: int = 0,
                   ) -> CodeType:
    """What `exec` (or `eval`, by `mode`) should run in place of a text or tree. Raises what `compile` raises."""
    probes = getattr(builtins, PROBES, None)
    return _executed(text, filename, mode, flags, _are_direct(probes), _mind_cells(probes))


@lru_cache(maxsize=512)
def _executed(text: Text, filename: str, mode: str, flags: int, direct: bool, cells: bool) -> CodeType:
    plain: CodeType = compile(text, filename, mode, flags, dont_inherit=True)
    try:
        with _again():
            tree: Any = compile(text, filename, mode, flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            tree = copied(tree) if tree is text else tree
            tree = rewrite(tree, scopes=Scopes(tree, executed=True, cells=cells), direct=direct)
            code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True)
    except (RecursionError, NewSyntaxError):
        return plain  # it runs as it is, and is watched
    _paired(plain, code, {}, set())
    return code


def copied(tree: Any) -> Any:
    """A tree of its own; not by `copy`, which is code that may be explored itself."""
    return pickle.loads(pickle.dumps(tree))


def _are_direct(probes: object) -> bool:
    """Whether `probes` want calls to be made by the caller itself."""
    return hasattr(probes, "callee")


def _mind_cells(probes: object) -> bool:
    """Whether somebody writes what cells hold without a name."""
    return CELLS in getattr(probes, "replaced", ())


class _How(NamedTuple):
    """All that besides the text decides what a source compiles to."""

    filename: str
    by_pytest: bool  # its asserts are rewritten
    flags: int  # what a generated text inherited from the code that compiled it
    direct: bool
    blocks: bool  # nobody comes between some accesses
    cells: bool  # no cell is stable

    def words(self) -> str:
        """The options in the name of the file that keeps what came of them."""
        told = {"-asserts": self.by_pytest, "-gil": self.blocks, "-called": not self.direct,
                "-cells": self.cells}
        return "".join(word for word, holds in told.items() if holds)


class _Made(NamedTuple):
    """What is kept of a source: of code and constants only."""

    plain: CodeType
    code: CodeType
    unstable: tuple[str, ...]


def source_of(module: ModuleType, filename: str, flags: int, probes: object) -> Source | None:
    """What the source of the functions with `filename` in `module` compiles to; None if there is no source."""
    how = _How(filename, "@pytest_ar" in module.__dict__, flags, _are_direct(probes), hasattr(probes, "together"),
               _mind_cells(probes))
    path = _path(module, filename)
    if path is not None:
        status = os.stat(path)
        return _of_file(path, how._replace(flags=0), status.st_mtime_ns, status.st_size)
    text = "".join(linecache.getlines(filename, module.__dict__))
    return _of_text(text.encode(), how) if text else None


def _path(module: ModuleType, filename: str) -> str | None:
    if os.path.isfile(filename):
        return filename
    own = getattr(module, "__file__", None)
    if own is None or not own.endswith(".py") or not os.path.isfile(own):
        return None
    moved = os.path.basename(filename) == os.path.basename(own)  # compiled elsewhere, or under a relative path
    return own if moved or filename.startswith("<frozen ") else None


@lru_cache(maxsize=1024)
def _of_file(path: str, how: _How, mtime_ns: int, size: int) -> Source:
    with open(path, "rb") as file:
        text = file.read()
    place, key = place_of(path, how.words()), key_of(text, repr(how), _version_of_pytest() if how.by_pytest else "")
    if place is None or key is None:
        return _source(lambda: _made(text, how))
    found = kept(place, key)
    return _source(lambda: _Made(*found) if found else _kept(place, key, _made(text, how)))


def _kept(place: Path, key: bytes, made: _Made) -> _Made:
    keep(place, key, tuple(made))
    return made


@lru_cache(maxsize=64)
def _of_text(text: bytes, how: _How) -> Source:
    return _source(lambda: _made(text, how))


def _source(make: Callable[[], _Made]) -> Source:
    nothing = Source(None, {}, frozenset(), frozenset())
    try:
        with _again():
            plain, code, unstable = make()
    except RecursionError:
        return nothing._replace(problem=TOO_DEEP)
    except NewSyntaxError as unknown:
        return nothing._replace(problem=f"{NEW_SYNTAX}: {unknown}")
    except (SyntaxError, ValueError):
        return nothing._replace(problem=CHANGED)
    pairs: dict[CodeType, CodeType] = {}
    ambiguous: set[CodeType] = set()
    _paired(plain, code, pairs, ambiguous)
    return Source(code, pairs, frozenset(ambiguous), frozenset(unstable))


def _made(text: bytes, how: _How) -> _Made:
    """Raises `RecursionError`, `SyntaxError`, `ValueError` and `NewSyntaxError` for what cannot be rewritten."""
    tree = ast.parse(text, how.filename)
    if how.by_pytest:
        _with_pytests_asserts(tree, text, how.filename)
    plain = compile(tree, how.filename, "exec", how.flags, dont_inherit=True)
    scopes = Scopes(tree, cells=how.cells)
    tree = rewrite(tree, scopes=scopes, direct=how.direct, blocks=how.blocks)
    code = compile(tree, how.filename, "exec", how.flags, dont_inherit=True)
    return _Made(plain, code, tuple(sorted(scopes.unstable_globals())))


@contextmanager
def _again() -> Iterator[None]:
    """For what is compiled a second time: Python has warned of it when it was first compiled, or has decided not to.

    A tree is many objects and no circle: looking through them again and again would find nothing and cost a third.
    The filters are exchanged as `catch_warnings` would, which is code of the library: in a thread of the program it
    would be taken for what the program does.
    """
    collecting, filters = gc.isenabled(), warnings.filters
    gc.disable()
    warnings.filters = _IGNORE
    try:
        yield
    finally:
        warnings.filters = filters
        if collecting:
            gc.enable()


def _with_pytests_asserts(tree: ast.Module, text: bytes, filename: str) -> None:
    from _pytest.assertion.rewrite import rewrite_asserts  # it has rewritten the live code, so it is there

    rewrite_asserts(tree, decode_source(text).encode(), filename, None)


def _version_of_pytest() -> str:
    from _pytest import __version__

    return str(__version__)


def _paired(plain: CodeType, new: CodeType, pairs: dict[CodeType, CodeType], ambiguous: set[CodeType]) -> None:
    """Enter into `pairs` what `plain` and the functions within have become."""
    if plain.co_freevars != new.co_freevars or plain.co_argcount != new.co_argcount:
        ambiguous.add(plain)
        return
    pairs[plain] = new
    ORIGINAL[id(new)] = (new, plain)
    theirs, ours = _by_spot(plain), _by_spot(new)
    for spot, codes in theirs.items():
        if len(codes) == len(ours[spot]):
            for inner, inner_new in zip(codes, ours[spot], strict=True):
                _paired(inner, inner_new, pairs, ambiguous)
        else:
            ambiguous.update(codes)


def _by_spot(code: CodeType) -> dict[tuple[str, int], list[CodeType]]:
    """The code objects of the functions in `code`, by name and line, in the order in which they are made."""
    spots: dict[tuple[str, int], list[CodeType]] = defaultdict(list)
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not is_probe(constant):
            spots[constant.co_name, constant.co_firstlineno].append(constant)
    return spots
