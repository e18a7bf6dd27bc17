"""`unittest.mock` in explored tests: what a mock records of its calls is shared data of the threads that call it.

A call is written down in five places (`called`, `call_count`, `call_args`, `call_args_list`, `mock_calls`, and the last
of these again in each parent), without a lock: `call_count` can lose calls, and who looks at `called` may look before
`call_args` is there. Each of them is a place of its own here, read and written where `mock.py` does it, but only if the
program reads it at all: what nobody reads cannot tell in which order it was written. The first that is read makes the
exploration begin again, with steps for it (`Visible.replaced` says which).

A function that `create_autospec` makes keeps what its mock records: who asks it asks the mock.

The rest of `mock.py` runs as it is: that children, return values and magic methods are made when they are asked for is
taken for nobody's business (it is done under a lock, but for return values). Refused: rewriting it, with some thirty
steps a call, of which hardly any test sees one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from hocket.explore.shared.heap import Heap, Thing
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.pool import _get_ident

__all__ = ["HOME", "Mocks"]

HOME = "unittest.mock"
_RECORDED = {"NonCallableMock": ("called", "call_count", "call_args", "call_args_list", "mock_calls",
                                 "method_calls"),
             "AsyncMockMixin": ("await_count", "await_args", "await_args_list")}
_SET = ("side_effect", "return_value")
_PATCHING = {"_patch": ("__enter__", "__exit__"), "_patch_dict": ("_patch_dict", "_unpatch_dict")}

_DELEGATED = {*_RECORDED["NonCallableMock"], *_SET} - {"method_calls"}
_EFFECTS = {"_mock_side_effect", "side_effect"}  # of a mock, and of a function that hands on to one
_KEPT = {*(f"_mock_{name}" for names in _RECORDED.values() for name in names), *(f"_mock_{name}" for name in _SET),
         *_DELEGATED, "method_calls"}
_REAL: dict[tuple[type, str], Any] = {}  # what is exchanged, as the library has it: a replay exchanges it once more


def _plain(name: str) -> property:
    """Of an attribute that stands in the mock itself."""
    return property(lambda mock: mock.__dict__[name], lambda mock, value: mock.__dict__.__setitem__(name, value))


def _another(iterator: Any) -> Any:
    """An iterator of C that stands where this one stands."""
    make, given, *state = iterator.__reduce__()
    made = make(*given)
    if state:
        made.__setstate__(state[0])
    return made


class Mocks:
    """The mocks of one exploration; `kinds` is empty where `unittest.mock` is not loaded."""

    def __init__(self, probes: Any) -> None:
        self._probes = probes
        self._library: Any = None
        self.kinds: tuple[type, ...] = ()
        self._before: dict[int, tuple[dict[str, Any], dict[str, Any], list[tuple[list[Any], list[Any]]]]] = {}
        self._records: set[CodeType] = set()  # the code that writes a call down
        self._performs: set[CodeType] = set()  # and the code that then does what it is for
        self._makes: set[CodeType] = set()  # what makes children, which are nobody's yet

    def is_late(self) -> bool:
        """Whether the program has loaded `unittest.mock` after this was made, and its mocks went unseen."""
        return self._library is None and hasattr(sys.modules.get(HOME), "seal")  # it is loaded to its end

    def begin(self) -> None:
        """Before an execution: what the last one has recorded is taken back; a fixture's mock outlives them all."""
        for own, held, lists in self._before.values():
            own.update(held)
            for each, content in lists:
                each[:] = content
        self._before.clear()

    def _keep(self, mock: Any) -> None:
        """`mock` is about to change."""
        delegate = mock._mock_delegate
        for own in (object.__getattribute__(mock, "__dict__"), *([vars(delegate)] if delegate is not None else ())):
            self._keep_all(own)

    def _keep_all(self, own: dict[str, Any]) -> None:
        if id(own) not in self._before:
            held = {name: value for name, value in own.items() if name in _KEPT}
            for name in held.keys() & _EFFECTS:
                if hasattr(type(held[name]), "__next__") and not self.has(held[name]):
                    with suppress(TypeError):  # a generator, which nobody can take back
                        own[name] = _another(held[name])
            lists = [(value, value[:]) for value in held.values() if isinstance(value, list)]
            self._before[id(own)] = own, held, lists

    def has(self, o: Any) -> bool:
        return issubclass(type(o), self.kinds)

    def thing(self, mock: Any) -> Thing | None:
        """The shared thing that a mock is: what is made of one that is shared is so, under its name there."""
        heap: Heap = self._probes.heap
        known = heap.known.get(id(mock))
        own = object.__getattribute__(mock, "__dict__") if known is None else {}
        parent, delegate = own.get("_mock_new_parent"), own.get("_mock_delegate")
        if delegate is not None:
            return heap.meet(delegate)
        above = self.thing(parent) if parent is not None else None
        return known if above is None else heap.derived(above, str(own.get("_mock_new_name")), mock)

    def behind(self, o: Any, name: str = "called") -> Any:
        """The mock that a function hands its calls to, and is asked for `name` in its place; else `o` itself."""
        is_made = type(o) is FunctionType and o.__code__.co_filename == "<string>" and name in _DELEGATED
        mock = vars(o).get("mock") if is_made else None
        return mock if mock is not None and self.has(mock) and mock._mock_delegate is o else o

    def derive(self, value: Any) -> Thing | None:
        return self.thing(value) if self.has(value) else None

    def called(self, actor: Actor, mock: Any, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A call of it, or of one of its methods: what it is given it keeps."""
        probes = self._probes
        if self.thing(mock) is not None:
            for value in (*args, *named.values()):
                probes.heap.escape(value, actor)
        probes._listen(actor)
        return probes._fresh(f, f(*args, **named))

    @contextmanager
    def active(self) -> Iterator[None]:
        """For the time in which executions run."""
        library = self._library = sys.modules.get(HOME)
        if library is None:
            yield
            return
        self.kinds = (library.NonCallableMock,)
        self._records = {library.CallableMixin._increment_mock_call.__code__}
        self._performs = {kind._execute_mock_call.__code__ for kind in (library.CallableMixin, library.AsyncMockMixin)}
        with ExitStack() as put_back:
            put_back.callback(self.begin)
            put_back.callback(setattr, library.NonCallableMock, "_lock", library.NonCallableMock._lock)
            library.NonCallableMock._lock = nullcontext()  # no step is made under it, and nobody has to wait
            for home, names in _RECORDED.items():
                for name in names:
                    self._exchange(put_back, getattr(library, home), name, self._recorded)
            for name in _SET:
                self._exchange(put_back, library.NonCallableMock, name, self._settable)
            for home, names in _PATCHING.items():
                for name in names:
                    self._exchange(put_back, getattr(library, home), name, self._patching)
            makers = library.CallableMixin.__init__, _REAL[library.NonCallableMock, "return_value"].fget
            self._makes = {function.__code__ for function in makers}
            yield

    def _exchange(self, put_back: ExitStack, owner: type, name: str, made: Callable[[str, Any], Any]) -> None:
        before = vars(owner).get(name)
        real = _REAL.setdefault((owner, name), before or _plain(name))
        setattr(owner, name, made(name, real))
        put_back.callback(*((setattr, owner, name, before) if before is not None else (delattr, owner, name)))

    # -- what is recorded ---------------------------------------------------------------------------------------------

    def _recorded(self, name: str, real: Any) -> property:
        def get(mock: Any) -> Any:
            actor = ACTORS.get(_get_ident())
            if actor is not None:
                self._read(actor, mock, name, real.fget(mock), sys._getframe(1).f_code)
            return real.fget(mock)

        def set_(mock: Any, value: Any) -> None:
            actor = ACTORS.get(_get_ident())
            thing = self.thing(mock) if actor is not None else None
            if actor is not None:
                self._keep(mock)
            if actor is not None and thing is not None:
                if issubclass(type(value), list) and not self._probes.heap.alone(actor.control):
                    self._probes._report(f"{thing.name} is reset while several threads live")
                self._announce(actor, "data.write", thing, name)
            real.fset(mock, value)

        return property(get, set_)

    def _read(self, actor: Actor, mock: Any, name: str, value: Any, code: CodeType) -> None:
        """Within the recording of a call a list is looked up to be added to, and a number to be counted up."""
        thing, probes = self.thing(mock), self._probes
        records = code in self._records or code in self._performs
        if records:
            self._keep(mock)
        if not records and self._key(name) not in probes.replaced:
            probes.replacing[self._key(name)] = None
        if thing is None:
            return
        if not issubclass(type(value), list):
            self._announce(actor, "data.read", thing, name)
        elif self._key(name) in probes.replaced:
            listed = probes.heap.known.get(id(value)) or probes.heap.derived(thing, name, value)
            probes._touch(actor, listed, value, "shape" if records else "look", ())
            if not records:
                probes._looked(value, deep=True)

    def _key(self, name: str) -> str:
        return f"{HOME}.{name}"

    def _announce(self, actor: Actor, kind: str, thing: Thing, name: str) -> None:
        if self._key(name) in self._probes.replaced:
            self._probes._announce(actor, kind, [(thing, self._key(name))])

    # -- what a test says that it does --------------------------------------------------------------------------------

    def _settable(self, name: str, real: Any) -> property:
        def get(mock: Any) -> Any:
            actor = ACTORS.get(_get_ident())
            thing = self.thing(mock) if actor is not None else None
            if actor is None or thing is None:
                return real.fget(mock)
            self._announce(actor, "data.read", thing, name)
            value = real.fget(mock)
            return self._performed(actor, thing, mock, value) if sys._getframe(1).f_code in self._performs else value

        def set_(mock: Any, value: Any) -> None:
            actor, probes = ACTORS.get(_get_ident()), self._probes
            thing = self.thing(mock) if actor is not None else None
            if actor is not None and "_mock_return_value" in mock.__dict__:
                self._keep(mock)
            if actor is not None and thing is not None and sys._getframe(2).f_code not in self._makes:
                probes.heap.escape(value, actor)
                if self._key(name) not in probes.replaced and not probes.heap.alone(actor.control):
                    probes.replacing[self._key(name)] = None
                self._announce(actor, "data.write", thing, name)
            real.fset(mock, value)

        return property(get, set_)

    def _performed(self, actor: Actor, thing: Thing, mock: Any, effect: Any) -> Any:
        """What `mock.py` is about to call, or to take the next value from."""
        probes = self._probes
        for called in (effect, mock._mock_wraps):
            if type(called) in (FunctionType, MethodType, type(None)) or self.has(called) or isinstance(called, type):
                continue
            if hasattr(type(called), "__next__"):
                self._keep(mock)
                probes._announce(actor, "data.write", [(thing, f"{HOME}.effects")])
            elif called is mock._mock_wraps and not probes.heap.alone(actor.control):
                probes._report(f"{thing.name} wraps a {type(called).__qualname__}, which is called unseen")
        speaks = not callable(effect) or type(effect) is FunctionType or self.has(effect) or isinstance(effect, type)
        return effect if speaks or isinstance(effect, BaseException) else partial(probes.call, effect)

    def _patching(self, name: str, real: Any) -> Any:
        def perform(patch: Any, *args: Any) -> Any:
            actor, probes = ACTORS.get(_get_ident()), self._probes
            if actor is not None and not probes.heap.alone(actor.control):
                probes._report("patch exchanges what all threads use while several of them live")
            found = real(patch, *args)
            if actor is not None and self.has(found):
                probes.heap.escape(found, actor)
            return found

        return perform
