"""What objects of C do when they are called, or their methods are: streams, contexts, packed bytes, getters.

C reads and writes without a probe, so what it does is said in its place. A stream has one state, and each of its
methods is a step on all of it; `attrgetter` and its like say of themselves what they ask for, so that is asked by
probes; what copying is given of an object are its attributes.
"""

from __future__ import annotations

import copyreg
import functools
import operator
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodDescriptorType, MethodType, MethodWrapperType, WrapperDescriptorType
from typing import Any

from hocket.explore.shared.announce import _is_plain, _is_stack
from hocket.explore.shared.databases import note_files
from hocket.explore.shared.heap import SIZE
from hocket.explore.shared.holding import _entries
from hocket.explore.shared.memo import CACHED
from hocket.explore.shared.observed import Observing
from hocket.explore.shared.parts import METHODS_OF_C, is_made_by_python, is_stepping, is_value
from hocket.explore.shared.stateful import is_read_by_nobody, is_stateful
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.files import note_method
from hocket.explore.threads.pool import _get_ident

__all__ = ["ASKED", "OfC"]

ASKED = frozenset({
    *METHODS_OF_C, MethodWrapperType, WrapperDescriptorType, MethodDescriptorType, partial, CACHED,
    operator.attrgetter, operator.itemgetter, operator.methodcaller})
"""What is called by C, reads unseen, and is no sequence."""

_OF_DESCRIPTORS = {"__get__": "get_raw", "__set__": "set_raw", "__delete__": "delete_raw"}


class OfC(Observing):
    """The probes of calls of such objects."""

    def _in_one_piece(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of something of C that has a state of its own, such as a stream: each is one step on all of it."""
        more = self._places_in((*args, *named.values()), deep=True)
        args = tuple([self.iterate(value) if hasattr(type(value), "__next__") else value for value in args])
        for value in (*args, *named.values()):
            if type(value) in (FunctionType, MethodType):  # which will be called from there
                self.heap.escape(value, actor)
        self._in_one_step(f.__self__, f.__name__, more)
        if hasattr(f.__self__, "fileno"):
            note_method(actor, f.__self__, f.__name__)
        note_files(actor, f.__self__, f.__name__, args)
        if f.__name__ == "readinto":
            self._filled(actor, args)
        return f(*args, **named)

    def manager(self, o: Any) -> Any:
        """What `with o:` is to enter, where that is none of the program's doing."""
        actor, kind = ACTORS.get(_get_ident()), type(o)
        if actor is None or id(o) not in self._known:
            return o
        if _is_stack(o):  # which several push to
            self._suspect(actor, o.__exit__, (o,))
        return _Entered(self, o) if is_stateful(kind) else o

    def _resumed(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`send`, `throw` or `close` of a generator."""
        thing = self._known.get(id(f.__self__))
        for value in args:
            self.heap.escape(value, actor)
        if thing is None:
            return f(*args)
        return self.advanced(actor, thing, self.standing(f.__self__, thing), partial(f, *args))

    def _asynchronously(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of an asynchronous generator."""
        self.asynchronous(f.__self__)
        for value in args:
            self.heap.escape(value, actor)
        return f(*args, **named)

    def told(self, o: Any, how: int) -> Any:
        """What to show in the place of `o` in an f-string: others may come after each method that tells of a part.

        `how`: the conversion, as `ast` numbers it; 0: it is `o` that reads the format.
        """
        if _is_plain(o) or how == 0 or is_stepping(type(o)) or not self._is_asked_to_tell(o):
            return self.whole(o)
        return _Told(self.in_step(_TOLD_AS[how], o))

    def _is_asked_to_tell(self, o: Any) -> bool:
        """Whether the text of a container that several use is made by code of the program, for what it holds."""
        held = self._within((o,))
        return not self._known.keys().isdisjoint(map(id, held)) and any(
            is_made_by_python(type(part)) for each in held for part in _entries(each))

    def _printed(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`print`: what it shows is read, and then the stream is written, in one go; unless the program tells of it."""
        args = tuple([self.in_step(str, value) if self._is_asked_to_tell(value) else value for value in args])
        stream, more = named.get("file") or sys.stdout, self._places_in(args, deep=True)
        if is_stateful(type(stream)) and not is_read_by_nobody(stream):
            self.heap.meet(stream)
            self._in_one_step(stream, "write", more)
        elif more:
            self._announce(actor, "data.read", more)
        return f(*args, **named)

    def _filled(self, actor: Actor, buffers: tuple[Any, ...]) -> None:
        """These are changed as a whole, those of them that are shared."""
        for value in buffers:
            buffer = value.obj if type(value) is memoryview else value
            thing = self._known.get(id(buffer))
            if thing is not None and self._base(type(buffer)) is not None:
                self._touch(actor, thing, buffer, "shape", ())

    def _ran(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of a Context: while one runs in it, others are refused; so its beginning and end are steps."""
        thing = self._known.get(id(f.__self__))
        if thing is None or f.__name__ != "run":
            return self._in_one_piece(actor, f, args, named)
        self._announce(actor, "data.write", [(thing, SIZE)])
        if id(f.__self__) in self.advancing:
            raise RuntimeError(f"cannot enter context: {f.__self__} is already entered")
        self.advancing.add(id(f.__self__))
        try:
            return f(partial(self.call, args[0]), *args[1:], **named)
        finally:
            try:
                self._announce(actor, "data.write", [(thing, SIZE)])
            finally:
                self.advancing.discard(id(f.__self__))

    def _packed(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`struct`: what is unpacked is read, what is packed into is changed."""
        if f.__name__ != "pack_into":
            return self._looking(actor, f, args, named)
        self._filled(actor, args[:2])
        return f(*args, **named)

    def _by_descriptor(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`C.slot.__get__(o)` and its like: the attribute of `o`."""
        method = _OF_DESCRIPTORS.get(f.__name__)
        if method is None or named or not args or args[0] is None:
            return f(*args, **named)
        of_it = args[1:] if f.__name__ == "__set__" else ()
        return getattr(self, method)(args[0], f.__self__.__name__, *of_it, lambda *_: f(*args))

    def _reduced(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What copying and pickling ask an object of the program for: the attributes that it has."""
        owner = f.__self__
        thing = self._known.get(id(owner))
        if thing is not None:
            self._announce(actor, "data.read", self._attributes(thing))
            if hasattr(owner, "__dict__"):
                self.get(owner, "__dict__")
        return self._fresh(f, f(*args, **named))

    def _pickled(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """`pickle.dumps` and `dump`: what is read without code of the program, however deep, is read in one go."""
        whole = [*args[:1], *([named["obj"]] if "obj" in named else ())]
        reached = _pickle_reaches(whole)
        if reached is None:
            return self._given_away(actor, f, args, named, [*args, *named.values()])
        self._looked(reached)
        things = [self._known[id(each)] for each in reached if id(each) in self._known]
        if things:
            self._announce(actor, "data.read", list(dict.fromkeys(
                place for thing in things for place in self._attributes(thing))))
        for stream in args[1:]:
            self._in_one_step(stream, "write")
        return f(*args, **named)

    def _got(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A call of what `operator.attrgetter`, `itemgetter` or `methodcaller` made: it says itself of what."""
        made, given = f.__reduce__()
        if len(args) != 1 or named:
            return f(*args, **named)
        if type(f) is operator.methodcaller:
            more = made.keywords if type(made) is partial else {}
            name, *rest = (*made.args, *given) if type(made) is partial else given
            return self.method(args[0], name, *rest, **more)
        one = self.item if type(f) is operator.itemgetter else self._dotted
        found = tuple([one(args[0], each) for each in given])
        return found if len(given) > 1 else found[0]

    def _dotted(self, o: Any, path: str) -> Any:
        return functools.reduce(self.get, path.split("."), o)

    def _given_away(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any], given: list[Any]) -> Any:
        raise NotImplementedError

    def _looking(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _fresh(self, f: Any, result: Any) -> Any:
        raise NotImplementedError


class _Entered:
    """A stream that is closed when its block is left: a step as if the program closed it."""

    __slots__ = ("_o", "_probes")

    def __init__(self, probes: OfC, o: Any) -> None:
        self._probes, self._o = probes, o

    def __enter__(self) -> Any:
        return self._probes.method(self._o, "__enter__")

    def __exit__(self, *raised: Any) -> Any:
        return self._probes.method(self._o, "__exit__", *raised)


class _Told(str):
    """A text that was made already, whatever is asked for."""

    __slots__ = ()
    __repr__ = str.__str__


_TOLD_AS: dict[int, Callable[[Any], str]] = {-1: format, 97: ascii, 114: repr, 115: str}
_EXACT = (dict, list, tuple, set, frozenset, OrderedDict, deque)
_OF_PICKLING = ("__reduce_ex__", "__reduce__", "__getstate__", "__getattribute__")
_ASKED_FOR = ("__getnewargs__", "__getnewargs_ex__", "__slots__", "__getattr__")


def _pickle_reaches(values: list[Any]) -> list[Any] | None:
    """All objects and containers that pickling reads; None if it calls code that the program has written."""
    found: dict[int, Any] = {}
    todo = list(values)
    while todo:
        value = todo.pop()
        if id(value) in found or is_value(type(value)) or issubclass(type(value), type):
            continue
        found[id(value)] = value
        if type(value) in _EXACT:
            todo += _entries(value)
        elif _is_pickled_plainly(type(value)):
            todo += vars(value).values()
        else:
            return None
    return list(found.values())


def _is_pickled_plainly(kind: type) -> bool:
    """Whether an instance is pickled as its class and its `__dict__`, and nothing is called for it."""
    return (type(kind) is type and bool(kind.__dictoffset__) and kind not in copyreg.dispatch_table
            and all(getattr(kind, name) is getattr(object, name) for name in _OF_PICKLING)
            and not any(hasattr(kind, name) for name in _ASKED_FOR)
            and not issubclass(kind, (dict, list, tuple, set, frozenset, deque, BaseException)))
