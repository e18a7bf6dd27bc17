"""Calls: rewritten code speaks for itself, built-in functions are known, all else is foreign.

Foreign code may keep what it is given, so it escapes; and it may read it unseen, which
is reported if somebody else could write it at the same time. What foreign code returns
is its caller's alone if nobody else holds it, and that is a question for the reference count.
"""

from __future__ import annotations

import operator
import pickle
import struct
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextvars import Context
from enum import EnumType
from functools import partial
from struct import Struct
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from hocket.explore.shared.announce import (
    _FRESH,
    _HELD_ONCE,
    _PLAIN,
    SHARING,
    _code_behind,
    _is_plain,
    _is_plain_exception,
    _is_stack,
    _stood_for,
    unseen,
)
from hocket.explore.shared.containers import CALLING, DEEP, LAZY, LOOKS, PURE, SHAPES, TELLING, TOLD
from hocket.explore.shared.fields import read_fields
from hocket.explore.shared.generated import exchange_generated
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.holding import _entries
from hocket.explore.shared.iterating import _behind, _is_iterator_of_c
from hocket.explore.shared.looking_back import FOR_THE_USER, as_called_by, rewritten_text, users
from hocket.explore.shared.memo import CACHED, Memo
from hocket.explore.shared.of_c import ASKED, OfC
from hocket.explore.shared.parts import LIFE, METHODS_OF_C, given_to, is_stepping, plainly
from hocket.explore.shared.replaced import OF_CALLS, unseen_change
from hocket.explore.shared.special import RAW, SPECIAL
from hocket.explore.shared.stateful import is_stateful
from hocket.explore.threads.atomic import ATOMIC_OPERATIONS, Atomic
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.patch import START, THREAD_OPERATIONS
from hocket.explore.threads.pool import _allocate_lock, _get_ident

__all__ = ["PROMISES", "Calling", "rewritten_text"]

_RLock: Any = __import__("_thread").RLock  # the one of C
_RealQueue: Any = __import__("_queue").SimpleQueue


class Calling(OfC):
    """The probes of calls."""

    # -- calls --------------------------------------------------------------------------------------------------------

    def callee(self, f: Any) -> Any:
        """What to call for `f(…)`: rewritten code itself, so that no frame of ours stands between it and its caller.

        Who is no actor calls everything itself, but for what C may do to something shared.
        """
        if type(f) is type and f in _MAKERS:
            return partial(_MAKERS[f], self)
        if self._speaks(f):
            return f
        kind = type(f)
        of_c = kind in METHODS_OF_C or kind is type
        if ACTORS.get(_get_ident()) is None and (not of_c or f in FOR_THE_USER):
            return f
        return partial(self._unspoken, f)

    def _speaks(self, f: Any) -> bool:
        """Whether calling `f` runs rewritten code at once, which speaks for itself."""
        kind = type(f)
        if kind is MethodType:
            f = f.__func__
            kind = type(f)
        if kind is FunctionType:
            if self.replaced:
                self._look_at_code(f)
            return self._is_rewritten(f.__code__)
        return self._is_own(f) if issubclass(kind, type) else self._answers(kind)

    def _look_at_code(self, f: Any) -> None:
        """A function is about to be called, whose code or defaults may be replaced meanwhile."""
        thing, actor = self._known.get(id(f)), ACTORS.get(_get_ident())
        touched = [name for name in OF_CALLS if name in self.replaced]
        if thing is not None and actor is not None and touched:
            self._announce(actor, "data.read", [(thing, name) for name in touched])

    def _look_at_class(self, o: Any) -> None:
        """The class of `o` is asked for, which may be replaced meanwhile."""
        if "__class__" in self.replaced:
            thing, actor = self._known.get(id(o)), ACTORS.get(_get_ident())
            if thing is not None and actor is not None:
                self._announce(actor, "data.read", [(thing, "__class__")])

    def bound(self, o: Any, name: str) -> Any:
        """What to call for `o.name(…)`."""
        kind = type(o)
        if kind in _WITH_OPERATIONS:
            f = getattr(o, name)
            if type(f) is MethodType:
                if f.__func__ in _OPERATIONS and id(o) in self._known:
                    return partial(self._operate, f)
                if f.__func__ is START:
                    return partial(self._begin, f)
        elif self._base(kind) is not None and self._is_builtin(kind, name):
            getattr(o, name)  # raises what there is to raise before the arguments are evaluated
            return partial(self._call_bound, o, name)
        return self.callee(self.get(o, name))

    def _operate(self, f: Any, /, *args: Any, **named: Any) -> Any:
        """`f(*args, **named)`, of something shared: with plain arguments it is an operation and nothing else."""
        if named or (args and not _PLAIN.issuperset(map(type, args))):
            return self._unspoken(f, *args, **named)
        result = f(*args)
        return result if type(result) in _PLAIN else self._fresh(f, result)

    def _begin(self, f: Any, /, *args: Any, **named: Any) -> Any:
        """`thread.start()`: the thread is anybody's from now on, and what it was given has been since it was made."""
        actor = ACTORS.get(_get_ident())
        if actor is None or args or named:
            return self._unspoken(f, *args, **named)
        try:
            self.heap.escape(f.__self__, actor)
            return f()
        finally:
            self._listen(actor)

    def _call_bound(self, o: Any, name: str, /, *args: Any, **named: Any) -> Any:
        return self._called_on(o, name, args, named)

    def call(self, f: Any, /, *args: Any, **named: Any) -> Any:
        """`f(*args, **named)`"""
        return f(*args, **named) if self._speaks(f) else self._unspoken(f, *args, **named)

    def _unspoken(self, f: Any, /, *args: Any, **named: Any) -> Any:
        """The same, of what does not speak for itself."""
        kind = type(f)
        if kind in METHODS_OF_C or kind is MethodWrapperType:
            owner = f.__self__
            if self._base(type(owner)) is not None:
                return self._called_on(owner, f.__name__, args, named, f)
            if type(owner) is MappingProxyType:
                return self.method(_behind(owner), f.__name__, *args, **named)
        elif kind in _UNBOUND:
            if args and self._base(f.__objclass__) is not None and issubclass(type(args[0]), f.__objclass__):
                return self._called_on(args[0], f.__name__, args[1:], named, partial(f, args[0]))
        elif kind is partial:
            return self.call(f.func, *given_to(f, args), **{**f.keywords, **named})
        elif kind is MethodType:
            owner = f.__self__
            if type(f.__func__) is CACHED:
                return self._foreign(f.__func__, (owner, *args), named)
            if self._base(type(owner)) is not None and self._is_builtin(type(owner), f.__name__):
                return self._called_on(owner, f.__name__, args, named, f)
        return self._foreign(f, args, named)

    def method(self, o: Any, name: str, /, *args: Any, **named: Any) -> Any:
        """`o.name(*args, **named)`"""
        kind = type(o)
        if self._base(kind) is not None and self._is_builtin(kind, name):
            return self._called_on(o, name, args, named)
        return self.call(self.get(o, name), *args, **named)

    def _called_on(self, o: Any, name: str, args: tuple[Any, ...], named: dict[str, Any], method: Any = None) -> Any:
        """`method` is the one that was found, which may be that of a base of the class of `o`."""
        thing = self._known.get(id(o))
        if thing is not None:
            return self._used(thing, o, name, args, named, method)
        self._looked(args)  # a container of one's own
        return (method or getattr(o, name))(*map(self.followed, args), **named)

    def _foreign(self, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A call of code that was not rewritten."""
        actor = ACTORS.get(_get_ident())
        if actor is None:
            if not self._known.keys().isdisjoint(map(id, args)):
                SHARING[_get_ident()]  # is told of it
            return f(*args, **named)
        kind = weakref.ref if type(f).__call__ is weakref.ref.__call__ else type(f)  # and so are those below it
        if kind in _HASHABLE:
            special = SPECIAL.get(f)
            if special is not None:
                return special(self, *args, **named)
        mock = plainly(f, "__self__") if kind is MethodType else self.mocks.behind(f)
        if self.mocks.has(mock):
            return self.mocks.called(actor, mock, f, args, named)
        perform = _of_owner(type(plainly(f, "__self__"))) or _OF_KIND.get(kind)
        if perform is not None:
            return perform(self, actor, f, args, named)
        if kind in _UNBOUND and args and f.__name__ in _REDUCING:
            f, args, kind = f.__get__(args[0]), args[1:], BuiltinFunctionType
        if kind in METHODS_OF_C and f.__name__ in _REDUCING:
            return self._reduced(actor, f, args, named)
        if kind is type and "__dataclass_fields__" in vars(f):
            exchange_generated(f)
        return self._handed_over(actor, f, args, named)

    def _handed_over(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What `f` does with what it is given depends on what it is for; until it is asked, nobody else's code runs."""
        kind = type(f)
        if kind not in _OPENLY:
            self._listen(actor)
        owner = plainly(f, "__self__")
        given = [*args, *named.values()]
        if not METHODS_OF_C.isdisjoint(map(type, given)):
            args = tuple([self._speaking(value) for value in args])
            named = {name: self._speaking(value) for name, value in named.items()}
            given = [*args, *named.values()]
        if kind is not FunctionType and kind not in _UNBOUND and not issubclass(type(f), type):
            given.append(owner if owner is not None and not issubclass(type(owner), ModuleType) else f)
        if not _REAL.keys().isdisjoint((type(owner), *map(type, given))):
            self._beware_of_locks(actor, given, owner)
        perform = _PURPOSES.get(f) if kind in _HASHABLE else None
        if perform is None and kind in METHODS_OF_C and type(owner) in _FIXED:
            perform = Calling._looking
        if perform is not None:
            self._listen(actor)
            return perform(self, actor, f, args, named)
        if kind is FunctionType and _is_told(f) and all(self._is_transparent(value) for value in given):
            self._looked(given, deep=True)
            self._listen(actor)
            with unseen(actor):
                return f(*args, **named)
        return self._given_away(actor, f, args, named, given)

    def _given_away(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any], given: list[Any]) -> Any:
        """Nothing is known of `f`, unless it hands on what it is given to code that speaks for itself."""
        real = _stood_for(f)
        code = _code_behind(real) if real is not f else None
        if code is not None and self._is_rewritten(code):
            self._listen(actor)
            return self._fresh(f, f(*args, **named))
        changed = unseen_change(f)
        if changed and not self.heap.alone(actor.control):
            self._report(changed)
        self._suspect(actor, f, given)
        for value in given[:-1] if given and _is_stack(given[-1]) else given:
            if id(value) not in self._known:
                self.heap.escape(value, actor)
        self._listen(actor)
        return self._fresh(f, f(*args, **named))

    def _listen(self, actor: Actor) -> None:
        """From here on code of others may run: whoever watches it is told (see untracked.py)."""
        if type(actor) is not Actor:  # a predicate is asked (question.py), and all of that is watched
            return
        if actor.control.observer is not None and actor.control.fresh:
            actor.control.observer.resume()

    def _beware_of_locks(self, actor: Actor, given: list[Any], owner: Any) -> None:
        if not self.heap.alone(actor.control):
            found = next(_REAL[type(value)] for value in (*given, owner) if type(value) in _REAL)
            self._report(f"{found} is used that was made outside of the exploration")

    # -- what code of C is for ----------------------------------------------------------------------------------------

    def _enumerated(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A member, or a new enumeration, that notes the module where it was made."""
        makes = len(args) > 1 or "names" in named
        return self._handed_over(actor, as_called_by(users(sys._getframe(1)), f) if makes else f, args, named)

    def _plainly(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return f(*args, **named)

    def _lazily(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        follow = self.awaited if f in CALLING else self.iterate
        return f(*[follow(self._asked(value)) for value in args], **named)

    def _looking(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        owner = plainly(f, "__self__")
        of_an_object = owner is not None and not issubclass(type(owner), ModuleType)
        given = [*args, *named.values(), *([owner] if of_an_object else ())]
        if type(owner) is str and f.__name__ in ("format", "format_map"):
            keys: Any = named if f.__name__ == "format" or not args else args[0]
            read_fields(owner, args, keys, self.get)
        touched = self._places_in(given, type(owner) in (*_FIXED, bytearray) or (type(f) in _HASHABLE and f in DEEP))
        if touched:
            self._announce(actor, "data.read", touched)
        args = tuple(map(self.shown if type(f) in _HASHABLE and f in TELLING else self.followed, args))
        if not touched or f is sorted:  # which makes a list of its own, in one go
            return self._fresh(f, f(*args, **{name: self._asked(value) for name, value in named.items()}))
        named = {name: self._answering(value) for name, value in named.items()}
        return self._fresh(f, self.in_company(actor, "data.read", touched, partial(f, *args, **named)))

    def _answering(self, value: Any) -> Any:
        """What C is to call in place of a function that it is given, so that it is seen to go on after each answer."""
        if not callable(value) or value is None:
            return value
        return lambda *args: self.answered(self.call(value, *args))

    def _shaping(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        first = args[0] if args else None
        if type(first) is memoryview:
            self._through(first)
        thing = self._known.get(id(first))
        if is_stepping(type(first)):
            self._looked(args[1:])
            return self.taken(actor, first, lambda iterator: f(iterator, *args[1:], **named))
        if thing is None:
            self._looked(args[1:])
            return f(*args, **named)
        for value in args[1:]:
            self.heap.escape(value, actor)
        if self._base(type(first)) is None:  # an iterator that several use
            self._looked(args[1:])
            iterator = self.standing(first, thing) if _is_iterator_of_c(first) else first
            return self.advanced(actor, thing, iterator, partial(f, iterator, *args[1:], **named))
        self._touch(actor, thing, first, "shape", (), self._places_in((*args[1:], *_entries(first)), deep=True))
        named = {name: self._answering(value) for name, value in named.items()}
        result = self.in_company(
            actor, "data.write", self._everywhere(thing, first), partial(f, *args, **named))
        self._settle(actor, thing, first)
        return self._loaded(result)

    # -- what is asked of an object of C ------------------------------------------------------------------------------

    def _viewed(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of a memoryview."""
        if f.__name__ == "__setitem__":
            self._through(f.__self__)
        return self._looking(actor, f, args, named)

    def _wrapped(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of `object` or `type` by way of `super()`."""
        owner, name = f.__self__, f.__name__
        if name in RAW:  # super().__setattr__
            return getattr(self, RAW[name])(owner, *args, lambda o, *rest: f(*rest))
        if name == "__call__" and issubclass(type(owner), type) and self._makes_own(owner):  # of a metaclass
            return f(*args, **named)
        return self._handed_over(actor, f, args, named)

    def _asked_weakly(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Whether it is still there depends on who lets go of it."""
        _, holder = self.heap.referred.get(id(f), (None, None))
        if holder is not None and self.heap.mortal:
            self._announce(actor, "data.write", [(holder, LIFE)])
        return self._loaded(f(*args, **named))

    def _remembered(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A call of what `lru_cache` has wrapped."""
        memo, thing = self._memo(f)
        key = memo.key(args, named)
        named_place = self._canonical(key) if memo.limit is None else None
        place = [(thing, SIZE if named_place is None else named_place)]
        self._announce(actor, "data.write" if named_place is None else "data.read", place)
        value, known = memo.found(key)
        if known:
            return self._loaded(value)
        value = self.call(f.__wrapped__, *args, **named)
        self.heap.escape(value, actor, thing.name)
        self._announce(actor, "data.write", list(dict.fromkeys([*place, (thing, SIZE)])))
        memo.remember(key, value)
        return value

    def _of_cache(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`cache_clear` or `cache_info` of it."""
        memo, thing = self._memo(f.__self__)
        clears = f.__name__ == "cache_clear"
        touched = [(thing, SIZE), *((thing, key) for key in self.heap.keys_of(thing))]
        self._announce(actor, "data.write" if clears else "data.read", touched)
        if not clears and not self.heap.alone(actor.control):
            self._report("the hits of a cache are asked for while others use it")
        return memo.clear() if clears else memo.info() if f.__name__ == "cache_info" else f(*args, **named)

    def _memo(self, wrapper: Any) -> tuple[Memo, Thing]:
        memo = self.memos.get(id(wrapper))
        if memo is None:
            memo = self.memos[id(wrapper)] = Memo(wrapper)
        thing = self.heap.meet(wrapper, plainly(wrapper, "__name__", ""))
        assert thing is not None, "a wrapper has a cache that can be changed"
        return memo, thing

    def _speaking(self, value: Any) -> Any:
        """A method of a container that is handed over speaks for itself when it is called."""
        if type(value) not in METHODS_OF_C or (
                self._base(type(value.__self__)) is None and _of_owner(type(value.__self__)) is None):
            return value
        key = id(value.__self__), value.__name__
        known = self._handed.get(key)
        method = known() if known is not None else None
        if method is None:
            def method(*args: Any, **named: Any) -> Any:
                return self.call(value, *args, **named)

            self._handed[key] = weakref.ref(method, lambda dead: self._forget_handed(key, dead))
        return method

    def _forget_handed(self, key: tuple[int, str], dead: Any) -> None:
        if self._handed.get(key) is dead:
            del self._handed[key]

    def _is_transparent(self, value: Any) -> bool:
        """Whether it can be read without a line of the program's code."""
        if type(value) is FunctionType:
            return not vars(value).keys() & {"__wrapped__", "__signature__"}
        inside = self._within((value,))
        return _is_plain(value) or _is_plain_exception(value) or (bool(inside) and all(
            type(container) in _EXACT and all(_is_plain(part) or type(part) in _EXACT for part in _entries(container))
            for container in inside))

    def _asked(self, value: Any) -> Any:
        """A function of C that is asked for each of several speaks for itself then: `key=len`, `map(str, …)`."""
        kind = type(value)
        if kind in ASKED or (kind is type and value in LOOKS):
            return partial(self.call, value)
        return value

    def _fresh(self, f: Any, result: Any) -> Any:
        """What foreign code returned; it may be something that others have, too."""
        if issubclass(type(f), type) or _is_plain(result):
            return result
        if type(result) in (list, tuple, set):
            for value in result:
                if not _is_plain(value) and sys.getrefcount(value) > _HELD_ONCE:
                    self.heap.meet(value)
        if sys.getrefcount(result) > _FRESH:
            self.heap.meet(result)
        return result


_FIXED = (str, bytes, tuple, frozenset)
_EXACT = (dict, list, tuple, set, frozenset, deque)
_UNBOUND = (WrapperDescriptorType, MethodDescriptorType)  # dict.get, dict.__getitem__
_REAL = {type(_allocate_lock()): "a lock", type(_RLock()): "a lock", _RealQueue: "a SimpleQueue"}
_HASHABLE = frozenset({*METHODS_OF_C, FunctionType, WrapperDescriptorType, type})  # and no code is run for it
_WITH_OPERATIONS = frozenset({Atomic, threading.Thread})
_OPERATIONS = ATOMIC_OPERATIONS | THREAD_OPERATIONS
_THREAD_INIT = threading.Thread.__init__
_OF_THREAD = {"target", "args", "kwargs", "name", "daemon"}
_OPENLY = _HASHABLE | {MethodType}  # no code of the program runs when such a thing is looked at


def _make_atomic(probes: Calling, *args: Any, **named: Any) -> Any:
    """`Atomic(value)`, which keeps the value and does not look at it."""
    actor = ACTORS.get(_get_ident())
    if actor is None or named or len(args) != 1:
        return probes.call(Atomic, *args, **named)
    try:
        probes.heap.escape(args[0], actor)
        return Atomic(args[0])
    finally:
        probes._listen(actor)


def _make_thread(probes: Calling, *args: Any, **named: Any) -> Any:
    """`Thread(target=…)`, which keeps what it is given; of a function, and of a text, it asks nothing that is code."""
    actor = ACTORS.get(_get_ident())
    target = named.get("target")
    if (actor is None or args or not _OF_THREAD.issuperset(named) or type(named.get("name", "")) is not str
            or type(getattr(target, "__func__", None) if type(target) is MethodType else target) is not FunctionType
            or threading.Thread.__init__ is not _THREAD_INIT):
        return probes.call(threading.Thread, *args, **named)
    try:
        for value in named.values():
            probes.heap.escape(value, actor)
        return threading.Thread(**named)
    finally:
        probes._listen(actor)


_MAKERS: dict[type, Callable[..., Any]] = {Atomic: _make_atomic, threading.Thread: _make_thread}
PROMISES = (Calling._handed_over, Calling._begin, _make_atomic, _make_thread)
"""Whoever enters one of these comes to a `_listen` before code that is not ours, or before it is left."""


def _is_told(f: Any) -> bool:
    """Whether `f` is a function of TOLD, and not another one of that name."""
    if f"{f.__module__}.{f.__name__}" not in TOLD:
        return False
    return getattr(sys.modules.get(f.__module__), f.__name__, None) is f


_Perform = Callable[[Calling, Actor, Any, tuple[Any, ...], dict[str, Any]], Any]
_PURPOSES: dict[Callable[..., Any], _Perform] = {  # the last one counts: `iter` looks, and is lazy
    **dict.fromkeys(PURE, Calling._plainly), **dict.fromkeys(SHAPES, Calling._shaping),
    **dict.fromkeys(LOOKS, Calling._looking), **dict.fromkeys(LAZY, Calling._lazily),
    **dict.fromkeys((struct.pack_into, struct.unpack, struct.unpack_from, struct.iter_unpack), Calling._packed),
    pickle.dumps: Calling._pickled, pickle.dump: Calling._pickled, print: Calling._printed,
}
_OF_KIND: dict[type, _Perform] = {
    weakref.ref: Calling._asked_weakly, CACHED: Calling._remembered, MethodWrapperType: Calling._wrapped,
    EnumType: Calling._enumerated,
    **dict.fromkeys((operator.attrgetter, operator.itemgetter, operator.methodcaller), Calling._got),
}
_OF_OWNER: dict[type, _Perform] = {
    GeneratorType: Calling._resumed, memoryview: Calling._viewed, CACHED: Calling._of_cache,
    CoroutineType: Calling._resumed, AsyncGeneratorType: Calling._asynchronously, Context: Calling._ran,
    Struct: Calling._packed, MemberDescriptorType: Calling._by_descriptor,
    GetSetDescriptorType: Calling._by_descriptor,
}


def _of_owner(kind: type) -> _Perform | None:
    """What a method of such an object of C does."""
    return _OF_OWNER.get(kind) or (Calling._in_one_piece if is_stateful(kind) else None)


_REDUCING = frozenset({"__reduce_ex__", "__reduce__", "__getstate__", "__replace__"})
