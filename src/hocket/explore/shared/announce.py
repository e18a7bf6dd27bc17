"""From an access to an operation: what the probes have in common.

An announcement names the places that are touched; the actor goes on with the plain
access once it is chosen. Where accesses are only watched (`data="race-check"`) they are
noted instead. What is found in something shared is made known as shared.
"""

from __future__ import annotations

import _weakrefset
import re
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, nullcontext
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
)
from typing import Any, cast

from hocket.explore.shared.containers import base_of
from hocket.explore.shared.heap import SIZE, Heap, Thing
from hocket.explore.shared.memo import Memo
from hocket.explore.shared.mocks import HOME, Mocks
from hocket.explore.shared.names import Names, names_of
from hocket.explore.shared.parts import METHODS_OF_C, is_made_by_python, is_value, items_of, members_of, plainly
from hocket.explore.shared.racing import Access
from hocket.explore.shared.reaching import home_of, is_trackable
from hocket.explore.shared.stateful import BLIND, READING, beneath, is_read_by_nobody, state_of
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.naming import caller, is_hocket, is_machinery, place_text
from hocket.explore.threads.pool import _get_ident
from hocket.trace.operation import Operation

__all__ = ["MOST_WRITTEN", "SHARING", "Announcer", "Places", "together"]

_KEEP_NOTHING = frozenset({object, type, tuple, weakref.ref})  # or what they keep is gone through
_STACKS: frozenset[type] = frozenset({ExitStack, AsyncExitStack})
_missing = object()
_PATIENCE = 100_000  # accesses on the way out
_DEEPEST = 12  # frames of a stack that is shown
_SILENT_MODULES = {"_thread", "threading", "queue", "_queue", "time", "builtins", "math", "_weakref", "weakref",
                   "concurrent.futures._base", "concurrent.futures.thread", "_functools", "functools", "contextlib"}
_SILENT_KINDS = _SILENT_MODULES | {
    "types", "operator", "_asyncio", "asyncio", "contextvars", "_contextvars", "itertools"}
_SET_ON_EXCEPTIONS = {"__init__", "__setstate__", "with_traceback"}  # they change what an exception holds
_NOT_SILENT = {"<frozen os>", weakref.__file__, _weakrefset.__file__}  # os.environ, WeakSet.add(seen, element)
_PLAIN: set[type] = {int, float, complex, str, bytes, bool, type(None), range, slice, type(Ellipsis)}


SHARING = cast("dict[int, Actor | None]", ACTORS)
"""The actors, for `SHARING[ident]`: who touches something shared; a thread that is no actor is told of."""

Places = Sequence[tuple[Thing, Any]]
MOST_WRITTEN = 4
"""Places that an operation writes while it reads others: for more there is no row, and all of them are written."""


class Announcer:
    """Knows what is shared (`heap`), and turns accesses to it into operations of the actor that calls."""

    def __init__(self, heap: Heap, is_rewritten: Callable[[Any], bool], names: Names) -> None:
        self.heap = heap
        self.written = names.written  # attributes that rewritten code assigns outside of __init__
        self.elsewhere = names.elsewhere  # those that it may assign to classes
        self.everything = False  # announce reads of all other attributes, too
        self.surprised = False  # one of them was assigned
        self.replaced: frozenset[str] = frozenset()  # what is looked up is a step under these names (replaced.py)
        self.asks = False  # whether any of it asks for classes by `isinstance`, unseen
        self.replacing: dict[str, None] = {}  # names that have to be among them
        self.findings: dict[str, None] = {}
        self.wanted: dict[str, None] = {}  # modules that are to be tracked as well
        self.accesses: list[Access] | None = None  # where they are only watched
        self.advancing: set[int] = set()  # shared generators that an actor is within
        # methods of containers that were handed over, by container and name: equal as long as somebody has one
        self._handed: dict[tuple[int, str], Any] = {}
        self.memos: dict[int, Memo] = {}  # of what lru_cache has wrapped, by identity
        self.asked_above: dict[Any, list[Thing]] = {}  # which classes may have what an object has not, by its class
        self.within: dict[int, tuple[str, list[tuple[Thing, Any]]]] = {}  # what C goes through, by actor
        self.moved: dict[int, set[str]] = {}  # what executions did to what was there before and is not put back
        self.left: dict[str, None] = {}  # and went by
        self.locks: dict[int, Any] = {}  # instead of those of a cached_property, by their identity
        self.late: dict[int, int] = {}  # accesses of each actor since the execution was over
        self._known = heap.known
        self._links: dict[int, Any] = {}  # of chained comparisons, by thread
        self._is_rewritten = is_rewritten
        heap.mourn = self._report
        self.mocks = Mocks(self)
        heap.derive = self.mocks.derive
        self._bases: dict[type, type | None] = {}
        self._class_data: dict[type, dict[str, type]] = {}
        self._touching: dict[tuple[type, str, str], list[type]] = {}

    def begin(self) -> None:
        """What one execution knows, the next does not."""
        self.late.clear()
        self.within.clear()
        self.advancing.clear()
        self.memos.clear()
        self.asked_above.clear()

    def _announce(self, actor: Actor, kind: str, touched: list[tuple[Thing, Any]], state: Any = None) -> Any:
        """One operation on these places; what it answers, or None where it is none."""
        control = actor.control
        heap = self.heap
        if control.over:
            return self._afterwards(actor)
        if heap.alone(control):
            if kind == "data.read":
                heap.read_alone(touched)
            return None
        if len(touched) == 1:
            (thing, key), = touched
            places = [heap.place(thing, key, state if key is not SIZE else None)]
        else:
            places = list(dict.fromkeys(
                [heap.place(thing, key, state if key is not SIZE else None) for thing, key in touched]))
            if not places:
                return None
        if heap.mortal:
            places = list(dict.fromkeys([*places, *heap.also_touched(places)]))
            kind = "data.read" if kind == "data.read" else "data.write"
        if self.accesses is not None:
            self._note(actor, kind, places)
            return None
        return control.touch(actor, kind, tuple(places))

    def in_company(self, actor: Actor, kind: str, touched: Places, call: Callable[[], Any]) -> Any:
        """`call()`, by which C goes through what is `touched` and may call the program in between: after each of these
        calls it looks again, and so others may have come meanwhile."""
        if not touched or self.heap.alone(actor.control):
            return call()
        outer = self.within.get(actor.number)
        self.within[actor.number] = (kind, list(touched))
        try:
            return call()
        finally:
            if outer is None:
                self.within.pop(actor.number, None)
            else:
                self.within[actor.number] = outer

    def answered(self, value: Any) -> Any:
        """A special method returns, or what was given to C to be called; if it was C that asked, it goes on."""
        actor = ACTORS.get(_get_ident()) if self.within else None
        found = self.within.get(actor.number) if actor is not None else None
        if actor is not None and found is not None:
            self._announce(actor, *found)
        return value

    def _in_one_step(self, o: Any, name: str, more: Places = ()) -> None:
        """A method of C is a step on all of the state of `o`, and of what lies beneath; it reads `more`."""
        things = [self._known[id(each)] for each in beneath(o) if id(each) in self._known]
        actor = SHARING[_get_ident()] if things else ACTORS.get(_get_ident())
        if actor is None:
            return
        if is_read_by_nobody(o):
            things = []
        touched = [(thing, key) for thing in things for key in (SIZE, *self.heap.keys_of(thing))]
        for thing in things:
            self._moved_on(thing, name)
        if touched or more:
            kind = "data.read" if name in READING or not touched else "data.write"
            self._announce(actor, *together(kind, touched, more))

    def _moved_on(self, thing: Thing, name: str) -> None:
        """A method of C, of what may have a state that is not put back: no harm as long as nobody goes by it."""
        if not thing.is_older() or state_of(thing.held) is not None or type(thing.held) is CellType:
            return
        seen = self.moved.setdefault(thing.number, set())
        seen.update(("read",) if name in READING else ("changed",) if name in BLIND else ("read", "changed"))
        if len(seen) == 2:
            self._left_changed(thing.name)

    def _left_changed(self, what: str) -> None:
        told = f"{what} was there before and changes, and it cannot be put back: make it in the body"
        self.left[told] = self.findings.setdefault(told)

    def _afterwards(self, actor: Actor) -> None:
        """The execution is over, and its code on its way out may do what it has to; but not for ever."""
        late = self.late[actor.number] = self.late.get(actor.number, 0) + 1
        if late > _PATIENCE:
            actor.control.step(actor, Operation("thread.sleep"))

    def _look_out(self, actor: Actor, thing: Thing, kind: type, name: str, touched: str) -> None:
        """An attribute that code which is not tracked may touch unseen: `touched` is "written" or "mentioned"."""
        if self.heap.is_own(kind) or self.heap.alone(actor.control):
            return
        for above in self._who_touches(actor, kind, name, touched):
            what, home = "read" if touched == "written" else "written", home_of(above)
            if home is not None:
                self.wanted[home] = None
            self._report(f"attribute {name!r} of {thing.name} is {what}, and {above.__module__} touches it unseen")

    def _who_touches(self, actor: Actor, kind: type, name: str, touched: str) -> list[type]:
        """The classes of `kind` whose code is not tracked and touches an attribute of that name."""
        known = self._touching.get((kind, name, touched))
        if known is None:
            with unseen(actor):
                known = self._touching[kind, name, touched] = [
                    above for above in kind.__mro__
                    if not self.heap.is_own(above) and name in getattr(names_of(above), touched)]
        return known

    def _report(self, what: str) -> None:
        frame = caller(sys._getframe(1))
        where = place_text((frame.f_code.co_filename, frame.f_lineno)) if frame is not None else "?"
        self.findings.setdefault(f"{where} {what}")

    def met_stranger(self) -> None:
        """A thread that is no actor is about to touch something shared."""
        control = self.heap.control
        if control is not None and not control.over:
            self._report("a thread that the explorer does not know touches what is shared, in no order but that of the "
                         "system: it has to be started by threading or _thread")

    def _note(self, actor: Actor, kind: str, places: list[int]) -> None:
        """Only watched: who, after how many events, does what, where."""
        assert self.accesses is not None
        deep = actor.control.places is not None  # when it is replayed, to be shown
        stack = _stack(sys._getframe(2), _DEEPEST if deep else 1)
        events, mode = len(actor.control.execution.events), "r" if kind == "data.read" else "w"
        self.accesses += [Access(actor.number, events, mode, index, stack) for index in places]

    def _loaded(self, value: Any, hint: str = "") -> Any:
        """What was found in something shared is shared."""
        if not _is_plain(value) and id(value) not in self._known:
            if type(value) is tuple:
                self._met(value)
            else:
                self.heap.meet(value, hint)
        return value

    def _met(self, values: Any) -> None:
        for value in [value for _, value in items_of(values)] if issubclass(type(values), dict) else members_of(values):
            if not _is_plain(value) and id(value) not in self._known:
                if type(value) is tuple:
                    self._met(value)
                else:
                    self.heap.meet(value)

    def _base(self, kind: type) -> type | None:
        """The built-in container whose methods `kind` has."""
        try:
            return self._bases[kind]
        except KeyError:
            found = self._bases[kind] = base_of(kind)
            return found

    def _is_builtin(self, kind: type, name: str) -> bool:
        """Whether the method is that of a built-in container."""
        if self._base(kind) is None:
            return False
        if self._base(kind) is kind and kind.__module__ in ("builtins", "collections"):
            return True
        method = getattr(kind, name, None)
        return not isinstance(method, FunctionType) or (not self._is_rewritten(method.__code__) and (
            method.__module__ == "weakref" or method.__module__ == "_weakrefset"))

    def _is_own(self, kind: type) -> bool:
        """Whether making an instance runs rewritten code only, that of its metaclass included."""
        call = type(kind).__call__
        if issubclass(type(call), FunctionType):
            return self._is_rewritten(call.__code__)
        return call is type.__call__ and self._makes_own(kind)

    def _answers(self, kind: type) -> bool:
        """Whether calling an instance runs rewritten code at once."""
        call = getattr(kind, "__call__", None) if is_made_by_python(kind) else None  # noqa: B004  # of a class
        return isinstance(call, FunctionType) and self._is_rewritten(call.__code__)

    def _makes_own(self, kind: type) -> bool:
        """The same, if the metaclass has been asked."""
        for name in ("__new__", "__init__"):
            method = getattr(kind, name)
            if issubclass(type(method), FunctionType) and not self._is_rewritten(method.__code__):
                return False
        return is_made_by_python(kind) and not self._keeps_unseen(kind.__new__)

    def _keeps_unseen(self, maker: Any) -> bool:
        """Whether `maker`, a `__new__`, is that of a class of C which may keep what it is given where nobody looks."""
        home: Any = maker.__self__ if type(maker) is BuiltinFunctionType else object
        return not (home in _KEEP_NOTHING or issubclass(home, BaseException) or is_value(home)
                    or self._base(home) is not None)

    def _suspect(self, actor: Actor, f: Any, given: Iterable[Any]) -> None:
        """Foreign code may read what it is given, unseen."""
        f = _stood_for(f)
        for value in given:
            shared = self._known.get(id(value))
            if shared is not None and not (
                    self._is_heard(f, value) or _is_on_its_loop(f, value, actor) or _is_number_to(f, value)):
                break
        else:
            return
        if self.heap.alone(actor.control) or self._is_silent(f):
            return
        home = home_of(f)
        if home is not None:
            self.wanted[home] = None
        module = plainly(f, "__module__") or type(f).__module__
        name = plainly(f, "__qualname__") or type(f).__qualname__
        cure = f" (track={module.partition('.')[0]!r} would)" if is_trackable(sys.modules.get(module)) else ""
        self._report(f"{module}.{name} is given {shared.name}, and what it reads of it is not tracked{cure}")

    def _is_heard(self, f: Any, value: Any) -> bool:
        """Whether C calls it, and it says then what it does: code of the program, or a method that was handed over."""
        return type(f) in METHODS_OF_C and (
            (type(value) is FunctionType and self._is_rewritten(value.__code__))
            or any(method() is value for method in self._handed.values()))

    def _is_silent(self, f: Any) -> bool:
        """Whether foreign code is known to leave alone what it is given, or to speak for itself."""
        code = _code_behind(f)
        if code is not None:
            if self._is_rewritten(code):
                return True
            if code.co_filename in _NOT_SILENT:
                return False
            if _is_stack(plainly(f, "__self__")):
                return id(f.__self__) not in self._known  # else several push to it
            return is_machinery(code.co_filename) or (
                code.co_filename.startswith("<") and code.co_name != "__init__")
        if issubclass(type(f), type):
            init = getattr(_lookup(f, "__init__")[1], "__code__", None)
            if init is None and not is_made_by_python(f):  # C may well read what it makes an object of
                return f.__module__ in _SILENT_KINDS or f.__module__.startswith("hocket.")
            return init is None or is_machinery(init.co_filename) or init.co_filename.startswith("<")
        home = plainly(f, "__objclass__") or type(plainly(f, "__self__"))
        if issubclass(home, BaseException) and plainly(f, "__name__") in _SET_ON_EXCEPTIONS:
            return False
        module = plainly(f, "__module__") or home.__module__
        return module.startswith("hocket.") or module in _SILENT_MODULES or module == HOME


def together(kind: str, touched: list[tuple[Thing, Any]], more: Places) -> tuple[str, list[tuple[Thing, Any]]]:
    """The operation that does `kind` to what is touched, and reads `more`."""
    if not more or kind == "data.read":
        return kind, [*touched, *more]
    written = list(dict.fromkeys(touched))
    read = [place for place in more if place not in written]
    return f"data.mixed{len(written)}" if len(written) <= MOST_WRITTEN and read else "data.write", [*written, *read]


def _is_on_its_loop(f: Any, value: Any, actor: Actor) -> bool:
    """Whether `f` is a method of an asyncio future that is called where its loop runs; elsewhere it is reported."""
    if type(value).__module__ != "_asyncio" or plainly(f, "__self__") is not value:
        return False
    is_run_by = getattr(getattr(value, "_loop", None), "is_run_by", None)  # of a loop of the explorer (aio/loop.py)
    return is_run_by is not None and bool(is_run_by(actor))


def _is_number_to(f: Any, value: Any) -> bool:
    """Whether `f` is a method of a pattern, which asks no more of a number than how large it is (`count` of `sub`)."""
    kind = type(value)
    return type(plainly(f, "__self__")) is re.Pattern and issubclass(kind, int) and kind.__index__ is int.__index__


def _code(f: Any) -> CodeType | None:
    """Of a function of Python; `FunctionType` itself has a descriptor of that name."""
    code = plainly(f, "__code__")
    return code if type(code) is CodeType else None


def _code_behind(f: Any) -> CodeType | None:
    """Of a function, or of that which a method is bound to."""
    return _code(plainly(f, "__func__", f))


def _is_stack(o: Any) -> bool:
    """Whether it is an `ExitStack`, which is as private with what it keeps as without."""
    return not _STACKS.isdisjoint(type(o).__mro__)


def _stood_for(f: Any) -> Any:
    """The function of the library that one of ours stands in for, and to which it hands on what it is given."""
    code = _code(f)
    return plainly(f, "__wrapped__", f) if code is not None and is_hocket(code.co_filename) else f


def _count_of_fresh() -> int:
    def make() -> Any:
        return object()

    def received(value: Any) -> int:
        return sys.getrefcount(value)

    return received(make())


_FRESH = max(3, _count_of_fresh() + 1)
_HELD_ONCE = 3  # by its container, by the loop and by the question


def unseen(actor: Actor | None) -> AbstractContextManager[None]:
    """For work of ours that is no code of the program."""
    observer = actor.control.observer if actor is not None else None
    return observer.paused() if observer is not None else nullcontext()


def _stack(frame: FrameType | None, deepest: int) -> tuple[tuple[str, int, str], ...]:
    """Where the program stands, innermost first, without what is not the program's."""
    places: list[tuple[str, int, str]] = []
    while frame is not None and len(places) < deepest:
        if not is_machinery(frame.f_code.co_filename):
            places.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return tuple(places)


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN


def _is_plain_exception(value: Any) -> bool:
    """Whether it is a class of exceptions, or one that is told of without any code of the program."""
    kind = value if issubclass(type(value), type) else type(value)
    if not issubclass(kind, BaseException) or is_made_by_python(kind):
        return False
    return kind is value or (
        not vars(value) and all(map(_is_plain, (*value.args, getattr(value, "filename", None)))))


def _lookup(kind: type, name: str) -> tuple[type | None, Any]:
    """The class that has the attribute, and what is there."""
    for owner in kind.__mro__:
        names = owner.__dict__  # no call into C, of which the watch of Python 3.11 would be told twice
        if name in names:
            return owner, names[name]
    return None, _missing
