"""What objects of C do when they are called, or their methods are: streams, contexts, packed bytes, getters.

C reads and writes without a probe, so what it does is said in its place. A stream has one state, and each of its
methods is a step on all of it; `attrgetter` and its like say of themselves what they ask for, so that is asked by
probes; what copying is given of an object are its attributes.
"""

from __future__ import annotations

import functools
import operator
from functools import partial
from types import BuiltinFunctionType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType
from typing import Any

from hocket.explore.shared.heap import SIZE
from hocket.explore.shared.holding import Holding
from hocket.explore.shared.memo import CACHED
from hocket.explore.threads.control import Actor

__all__ = ["ASKED", "OfC"]

_READING = {
    "getvalue", "tell", "readable", "writable", "seekable", "getbuffer", "get", "keys", "values", "items", "copy"}
ASKED = frozenset({
    BuiltinFunctionType, MethodWrapperType, WrapperDescriptorType, MethodDescriptorType, partial, CACHED,
    operator.attrgetter, operator.itemgetter, operator.methodcaller})
"""What is called by C, reads unseen, and is no sequence."""


class OfC(Holding):
    """The probes of calls of such objects."""

    def _in_one_piece(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A method of something of C that has a state of its own, such as a stream: each is one step on all of it."""
        thing = self._known.get(id(f.__self__))
        self._looked((*args, *named.values()))
        if thing is not None:
            self._announce(actor, "data.read" if f.__name__ in _READING else "data.write", [(thing, SIZE)])
        if f.__name__ == "readinto":
            self._filled(actor, args)
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

    def _reduced(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What copying and pickling ask an object of the program for: the attributes that it has."""
        owner = f.__self__
        thing = self._known.get(id(owner))
        if thing is not None:
            self._announce(actor, "data.read", self._attributes(thing))
            if hasattr(owner, "__dict__"):
                self.get(owner, "__dict__")
        return self._fresh(f, f(*args, **named))

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

    def get(self, o: Any, name: str) -> Any:
        """`o.name`, of which a method call begins with."""
        raise NotImplementedError

    def method(self, o: Any, name: str, /, *args: Any, **named: Any) -> Any:
        """`o.name(*args, **named)`"""
        raise NotImplementedError

    def _looking(self, actor: Actor, f: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _fresh(self, f: Any, result: Any) -> Any:
        raise NotImplementedError
