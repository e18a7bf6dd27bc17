"""Living functions get the rewritten code in place, and their own code back in the end.

Exploring needs no import hook: a function that is loaded already, in a module, a class, a property, a closure or
behind a decorator, is found among the objects that the garbage collector knows and its `__code__` is exchanged. So
code runs at full speed before and after, and functions that rewritten functions create come out rewritten.

A source is trusted only as far as it is proved: it is compiled as it stands, and a function is exchanged only if that
gives *equal* code (names, constants, line and column of every instruction). The pairs of plain and rewritten code are
kept in a dictionary by plain code, so that one look-up both finds and verifies. What has no equal is refused, with
the reason.

The probes stand in `builtins` while an exploration runs: module dictionaries, and those that `exec` is given, are the
user's data and may be looked at. Refused: an import hook alone (the module under test is loaded before any test can
ask), and a copy of the module (its classes would not be the ones that others have imported).
"""

from __future__ import annotations
import __future__

import ast
import builtins
import gc
import linecache
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from importlib.util import decode_source
from itertools import compress
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared.rewrite import is_probe, rewrite
from hocket.explore.shared.scopes import Scopes
from hocket.explore.shared.survey import Survey, functions_in

__all__ = ["Generated", "Refused", "Rewritten", "is_rewritten", "original", "rewrite_source", "rewritten"]

CHANGED = "its source does not compile to its code: it has changed since it was loaded, or an import hook rewrites it"
NO_SOURCE = "no source: made by exec"
TOO_DEEP = "its source is nested too deeply to be rewritten"
AMBIGUOUS = "its rewritten form cannot be told from another function's on the same line"
_PROBES = "__hocket__"
_INHERITED = __future__.annotations.compiler_flag
_ORIGINAL: dict[int, tuple[CodeType, CodeType]] = {}  # by the identity of rewritten code: itself, and the plain one


class Refused(NamedTuple):
    """A function of a tracked module that keeps its plain code."""

    function: FunctionType
    reason: str

    def __str__(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}: {self.reason}"


class Generated(NamedTuple):
    """A function that a library made from a text that nobody kept; `kind` says which library ("dataclass")."""

    function: FunctionType
    kind: str


class Source(NamedTuple):
    """What a source compiles to, plain and rewritten."""

    code: CodeType | None  # the top, rewritten
    pairs: dict[CodeType, CodeType]
    ambiguous: frozenset[CodeType]
    unstable: frozenset[str]  # the globals that its functions rebind: all others are read without a probe
    problem: str | None = None


def is_rewritten(code: CodeType) -> bool:
    """Whether `code` came out of the rewriter, so that whatever it shares is seen."""
    found = _ORIGINAL.get(id(code))
    return (found is not None and found[0] is code) or is_probe(code)


def original(code: CodeType) -> CodeType:
    """The plain code that `code` was rewritten from; `code` itself if it was not."""
    found = _ORIGINAL.get(id(code))
    return found[1] if found is not None and found[0] is code else code


def rewrite_source(text: str | bytes, filename: str = "<string>", mode: str = "exec", flags: int = 0) -> CodeType:
    """What `exec` (or `eval`, by `mode`) should run in place of `text`. Raises what `compile` raises."""
    return _executed(text, filename, mode, flags, _are_direct(getattr(builtins, _PROBES, None)))


@lru_cache(maxsize=512)
def _executed(text: str | bytes, filename: str, mode: str, flags: int, direct: bool) -> CodeType:
    plain = compile(text, filename, mode, flags, dont_inherit=True)
    tree = compile(text, filename, mode, flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    tree = rewrite(tree, executed=True, direct=direct)
    code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True)
    _paired(plain, code, {}, set())
    return code


def _are_direct(probes: object) -> bool:
    """Whether `probes` want calls to be made by the caller itself."""
    return hasattr(probes, "callee")


def rewritten(modules: Iterable[ModuleType], probes: object) -> Rewritten:
    """A context in which the functions of `modules` run with `probes` at every access to data that may be shared."""
    return Rewritten(modules, probes)


class Rewritten:
    """The functions of some modules, rewritten from `__enter__` to `__exit__`.

    `functions`: those that were exchanged. `refused`, `generated`: those that were not. `unstable`: by the name of a
    module, the globals that are read with a probe. `suspended`: generators and coroutines of rewritten code that
    outlived the exploration; only while there are any do the probes stay in `builtins`, because they need them.
    """

    def __init__(self, modules: Iterable[ModuleType], probes: object) -> None:
        self.modules = tuple(modules)
        self.probes = probes
        self.functions: list[FunctionType] = []
        self.refused: list[Refused] = []
        self.generated: list[Generated] = []
        self.unstable: dict[str, frozenset[str]] = {}
        self.suspended: list[Any] = []
        self._before: list[tuple[FunctionType, CodeType]] = []
        self._namespaces: list[dict[str, Any]] = []
        self._survey = _ALL

    def __enter__(self) -> Rewritten:
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._end()
        except BaseException:  # an interrupt: nothing may stay behind
            self._end()
            raise

    def freeze(self) -> None:
        """What the collector lists from now on is new: also for the clearing up."""
        self._survey.freeze()

    def thaw(self) -> None:
        """After `__exit__`: what was frozen is as it was."""
        self._survey.thaw()

    # -- private ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        setattr(builtins, _PROBES, self.probes)
        found: dict[tuple[int, str], list[FunctionType]] = defaultdict(list)
        by_names = {id(module.__dict__): module for module in self.modules}
        texts = {name for name in linecache.cache if name[:1] == "<"}
        self._survey = _ALL if texts else _OF_MODULES
        everything = (_ALL.functions((), _functions) if texts
                      else _OF_MODULES.functions(self.modules, partial(_functions_of, self.modules)))
        by_names.update(self._made_by_exec(everything, texts))
        for function in everything:
            if id(function.__globals__) in by_names:
                found[id(function.__globals__), function.__code__.co_filename].append(function)
        for (names, filename), functions in found.items():
            self._exchange(by_names[names], filename, functions)

    def _made_by_exec(self, functions: list[FunctionType], texts: set[str]) -> Iterator[tuple[int, ModuleType]]:
        """The globals of functions that a tracked module made from a text, if `linecache` knows the text."""
        named = {module.__name__: module for module in self.modules}
        for each in functions if texts else ():
            if each.__code__.co_filename in texts and each.__module__ in named:
                yield id(each.__globals__), named[each.__module__]

    def _exchange(self, module: ModuleType, filename: str, functions: list[FunctionType]) -> None:
        flags = functions[0].__code__.co_flags & _INHERITED
        source = _source(module, filename, flags, self.probes)
        if source is not None and source.unstable:
            known = self.unstable.get(module.__name__, frozenset())
            self.unstable[module.__name__] = known | source.unstable
        for function in functions:
            plain = function.__code__
            new = source.pairs.get(plain) if source else None
            if new is not None:
                self.functions.append(function)
                self._before.append((function, plain))
                self._reach_probes(function)
                function.__code__ = new
            elif not is_rewritten(plain):
                self._refuse(function, source)

    def _reach_probes(self, function: FunctionType) -> None:
        """A function with builtins of its own finds the probes in its globals."""
        own = getattr(function, "__builtins__")  # noqa: B009  # some typesheds have it
        if own is not builtins.__dict__:
            function.__globals__[_PROBES] = self.probes
            self._namespaces.append(function.__globals__)

    def _refuse(self, function: FunctionType, source: Source | None) -> None:
        code = function.__code__
        if "__create_fn__" in code.co_qualname:
            self.generated.append(Generated(function, "dataclass"))
        elif source is None:
            self.refused.append(Refused(function, NO_SOURCE))
        elif source.problem is not None:
            self.refused.append(Refused(function, source.problem))
        else:
            self.refused.append(Refused(function, AMBIGUOUS if code in source.ambiguous else CHANGED))

    def _end(self) -> None:
        for function, plain in self._before:
            if is_rewritten(function.__code__):  # nobody has exchanged it meanwhile
                function.__code__ = plain
        self._look_for_leftovers()
        if self.suspended:  # perhaps in a circle that nobody needs any more
            self.suspended.clear()
            gc.collect()
            self._look_for_leftovers()
        for names in self._namespaces:
            names.pop(_PROBES, None)
        if not self.suspended and getattr(builtins, _PROBES, None) is self.probes:
            delattr(builtins, _PROBES)

    def _look_for_leftovers(self) -> None:
        """Functions that rewritten functions made get their own code; generators of rewritten code go on with it."""
        things = gc.get_objects()
        for thing in compress(things, map(_HAVE_CODE.__contains__, map(type, things))):
            if type(thing) is not FunctionType:
                self.suspended += [thing] if _is_suspended(thing) else []
            elif id(thing.__code__) in _ORIGINAL:
                thing.__code__ = original(thing.__code__)


_FRAMED = {GeneratorType: "gi", CoroutineType: "cr", AsyncGeneratorType: "ag"}
_HAVE_CODE = {FunctionType, *_FRAMED}


def _is_suspended(thing: Any) -> bool:
    prefix = _FRAMED[type(thing)]
    return getattr(thing, f"{prefix}_frame") is not None and is_rewritten(getattr(thing, f"{prefix}_code"))


_ALL, _OF_MODULES = Survey(), Survey()


def _functions_of(modules: Iterable[ModuleType]) -> list[FunctionType]:
    """Every function whose globals are those of one of these, and perhaps others."""
    if gc.get_freeze_count():
        return _functions()
    things = gc.get_referrers(*[module.__dict__ for module in modules])  # at half the price of listing all there is
    return [each for each in things if type(each) is FunctionType]


def _functions() -> list[FunctionType]:
    """Every function there is."""
    found = functions_in(gc.get_objects())
    return list({id(each): each for each in (*found, *_frozen())}.values()) if gc.get_freeze_count() else found


def _frozen() -> Iterator[FunctionType]:
    """The functions that can be reached from loaded modules: the collector does not list what `gc.freeze` took away."""
    seen: dict[int, Any] = {}
    waiting: list[Any] = [sys.modules]
    while waiting:
        reached = [each for each in gc.get_referents(*waiting) if id(each) not in seen]
        seen.update((id(each), each) for each in reached)
        waiting = [each for each in {id(each): each for each in reached}.values() if gc.is_tracked(each)]
    return (each for each in seen.values() if type(each) is FunctionType)


# -- sources ----------------------------------------------------------------------------------------------------------


class _How(NamedTuple):
    """All that besides the text decides what a source compiles to."""

    filename: str
    by_pytest: bool  # its asserts are rewritten
    flags: int  # what a generated text inherited from the code that compiled it
    direct: bool
    blocks: bool  # nobody comes between some accesses


def _source(module: ModuleType, filename: str, flags: int, probes: object) -> Source | None:
    """What the source of the functions with `filename` in `module` compiles to; None if there is no source."""
    how = _How(filename, "@pytest_ar" in module.__dict__, flags, _are_direct(probes), hasattr(probes, "together"))
    path = _path(module, filename)
    if path is not None:
        status = os.stat(path)
        return _compiled_file(path, how._replace(flags=0), status.st_mtime_ns, status.st_size)
    text = "".join(linecache.getlines(filename, module.__dict__))
    return _compiled(text.encode(), how) if text else None


def _path(module: ModuleType, filename: str) -> str | None:
    if os.path.isfile(filename):
        return filename
    own = getattr(module, "__file__", None)
    if own is None or not own.endswith(".py") or not os.path.isfile(own):
        return None
    moved = os.path.basename(filename) == os.path.basename(own)  # compiled elsewhere, or under a relative path
    return own if moved or filename.startswith("<frozen ") else None


@lru_cache(maxsize=1024)
def _compiled_file(path: str, how: _How, mtime_ns: int, size: int) -> Source:
    with open(path, "rb") as file:
        return _compiled(file.read(), how)


@lru_cache(maxsize=64)
def _compiled(text: bytes, how: _How) -> Source:
    nothing = Source(None, {}, frozenset(), frozenset())
    filename, by_pytest, flags, direct, blocks = how
    try:
        tree = ast.parse(text, filename)
        if by_pytest:
            _with_pytests_asserts(tree, text, filename)
        plain = compile(tree, filename, "exec", flags, dont_inherit=True)
        scopes = Scopes(tree)
        tree = rewrite(tree, scopes=scopes, direct=direct, blocks=blocks)
        code = compile(tree, filename, "exec", flags, dont_inherit=True)
    except RecursionError:
        return nothing._replace(problem=TOO_DEEP)
    except (SyntaxError, ValueError):
        return nothing._replace(problem=CHANGED)
    pairs: dict[CodeType, CodeType] = {}
    ambiguous: set[CodeType] = set()
    _paired(plain, code, pairs, ambiguous)
    return Source(code, pairs, frozenset(ambiguous), scopes.unstable_globals())


def _with_pytests_asserts(tree: ast.Module, text: bytes, filename: str) -> None:
    from _pytest.assertion.rewrite import rewrite_asserts  # it has rewritten the live code, so it is there

    rewrite_asserts(tree, decode_source(text).encode(), filename, None)


def _paired(plain: CodeType, new: CodeType, pairs: dict[CodeType, CodeType], ambiguous: set[CodeType]) -> None:
    """Enter into `pairs` what `plain` and the functions within have become."""
    if plain.co_freevars != new.co_freevars or plain.co_argcount != new.co_argcount:
        ambiguous.add(plain)
        return
    pairs[plain] = new
    _ORIGINAL[id(new)] = (new, plain)
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
