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

import builtins
import gc
import linecache
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import compress
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared.generated import EXCHANGED, rewritten_of
from hocket.explore.shared.sources import (
    CHANGED,
    ORIGINAL,
    PROBES,
    TOO_DEEP,
    Source,
    is_rewritten,
    original,
    rewrite_source,
    source_of,
)
from hocket.explore.shared.survey import Survey, functions_in

__all__ = ["CHANGED", "NO_SOURCE", "TOO_DEEP", "Generated", "Refused", "Rewritten", "is_rewritten", "original",
           "rewrite_source", "rewritten"]

NO_SOURCE = "no source: made by exec"
AMBIGUOUS = "its rewritten form cannot be told from another function's on the same line"
_INHERITED = __future__.annotations.compiler_flag


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
        self._survey = _OF_MODULES

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
        setattr(builtins, PROBES, self.probes)
        found: dict[tuple[int, str], list[FunctionType]] = defaultdict(list)
        by_names = {id(module.__dict__): module for module in self.modules}
        texts = {name for name in linecache.cache if name[:1] == "<"}
        gc.unfreeze()  # what is frozen, the collector does not list; from 3.12 on some is from the start
        self._survey = _WITH_TEXTS if texts else _OF_MODULES
        called = frozenset(module.__name__ for module in self.modules if texts)
        find = _functions if texts else partial(_functions_of, self.modules)
        everything = self._survey.functions(self.modules, find, partial(_is_of, frozenset(by_names), called))
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
        source = source_of(module, filename, flags, self.probes)
        if source is not None and source.unstable:
            known = self.unstable.get(module.__name__, frozenset())
            self.unstable[module.__name__] = known | source.unstable
        for function in functions:
            plain = function.__code__
            new = source.pairs.get(plain) if source else rewritten_of(plain)
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
            function.__globals__[PROBES] = self.probes
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
        for function, plain in (*self._before, *EXCHANGED):
            if is_rewritten(function.__code__):  # nobody has exchanged it meanwhile
                function.__code__ = plain
        EXCHANGED.clear()
        self._look_for_leftovers()
        if self.suspended:  # perhaps in a circle that nobody needs any more
            self.suspended.clear()
            gc.collect()
            self._look_for_leftovers()
        for names in self._namespaces:
            names.pop(PROBES, None)
        if not self.suspended and getattr(builtins, PROBES, None) is self.probes:
            delattr(builtins, PROBES)

    def _look_for_leftovers(self) -> None:
        """Functions that rewritten functions made get their own code; generators of rewritten code go on with it."""
        things = gc.get_objects()
        for thing in compress(things, map(_HAVE_CODE.__contains__, map(type, things))):
            if type(thing) is not FunctionType:
                self.suspended += [thing] if _is_suspended(thing) else []
            elif id(thing.__code__) in ORIGINAL:
                thing.__code__ = original(thing.__code__)


_FRAMED = {GeneratorType: "gi", CoroutineType: "cr", AsyncGeneratorType: "ag"}
_HAVE_CODE = {FunctionType, *_FRAMED}


def _is_suspended(thing: Any) -> bool:
    prefix = _FRAMED[type(thing)]
    return getattr(thing, f"{prefix}_frame") is not None and is_rewritten(getattr(thing, f"{prefix}_code"))


_WITH_TEXTS, _OF_MODULES = Survey(), Survey()


def _is_of(homes: frozenset[int], names: frozenset[str], function: FunctionType) -> bool:
    """Whether its globals are among these, or it says that it is of a module called so: one made from a text does."""
    return id(function.__globals__) in homes or (
        bool(names) and type(function.__module__) is str and function.__module__ in names)


def _functions_of(modules: Iterable[ModuleType]) -> list[FunctionType]:
    """Every function whose globals are those of one of these, and perhaps others."""
    things = gc.get_referrers(*[module.__dict__ for module in modules])  # at half the price of listing all there is
    return [each for each in things if type(each) is FunctionType]


def _functions() -> list[FunctionType]:
    """Every function there is."""
    return functions_in(gc.get_objects())
