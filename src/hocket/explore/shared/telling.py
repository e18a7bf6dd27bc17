"""The probes of an execution that is shown: they also say what is at the places that are touched.

Nothing else about them differs, so that the execution is the one that was found: after its operation an actor
goes on alone, and what it is about to read is looked at where it stands, without a line of the program's code: in
namespaces, slots, cells and built-in containers. Where a value comes from code (a property, a `__getattr__`), nothing
is claimed.
"""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import partial
from types import CellType, MemberDescriptorType
from typing import Any

from hocket.explore.semantics import modes_of
from hocket.explore.shared.announce import Places, _lookup, _missing
from hocket.explore.shared.blocks import Blocks
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.holding import _READING, Holding
from hocket.explore.shared.keys import OTHER
from hocket.explore.shared.parts import LIFE, own_names, told_key
from hocket.explore.shared.probes import Probes
from hocket.explore.shared.racing import Access
from hocket.explore.threads.atomic import Controlled
from hocket.explore.threads.control import Actor, Control
from hocket.explore.threads.naming import place_of
from hocket.explore.threads.values import ABSENT, Deed, Value, Values, altered, now
from hocket.trace.brief import brief, class_name
from hocket.trace.event import Event

__all__ = ["TELLING"]

_INDEXED = (list, deque, bytearray)
_SHOWN = (list, dict, set, deque, bytearray, OrderedDict, defaultdict)
_OF_KEYS = frozenset({"read", "put", "ensure", "drop"})
_OF_PLACES = frozenset({"place", "replace"})
_KEYS = frozenset({str, int, bool, float, bytes, tuple, type(None)})
_MOST_KEYS = 10_000  # of a dict that is looked through
_LONGEST_STORY = 5_000  # what tasks do to data is told no further
_plainly: Any = object.__getattribute__

Touched = list[tuple[Thing, Any]]


class _Telling(Holding):
    """What is added to probes of either kind."""

    def _announce(self, actor: Actor, kind: str, touched: Touched, state: Any = None) -> Any:
        watched = len(self.accesses or ())
        answered = super()._announce(actor, kind, touched, state)
        control = actor.control
        if control.values is not None and control.story is not None and not control.over and touched:
            control.values.called = self._named
            task = control.loops[-1].at_work() if control.loops else ""
            events = control.execution.events
            if self.accesses is not None:
                self._tell_of_watched(control.values, self.accesses, watched, touched)
            elif task and self.heap.alone(control):
                self._tell_of_task(control, control.values, task, kind, touched[0])
            elif events and events[-1].actor == actor.number:
                self._tell(control.values, events[-1], touched)
        return answered

    def _touch(self, actor: Actor, thing: Thing, o: Any, touch: str, args: tuple[Any, ...], more: Places = ()) -> None:
        """What an actor who is alone does to a container is announced to nobody."""
        super()._touch(actor, thing, o, touch, args, more)
        control = actor.control
        task = control.loops[-1].at_work() if control.loops and not control.over else ""
        if task and control.values is not None and self.heap.alone(control):
            control.values.called = self._named
            kind = "data.read" if touch in _READING else "data.write"
            self._tell_of_task(control, control.values, task, kind, (thing, self._touched_key(touch, args)))

    def _touched_key(self, touch: str, args: tuple[Any, ...]) -> Any:
        if touch in _OF_KEYS and args:
            return self._canonical(args[0]) or SIZE
        return (args[0],) if touch in _OF_PLACES and type(args[0]) is int and args[0] >= 0 else SIZE

    def _tell_of_watched(self, values: Values, accesses: list[Access], first: int, touched: Touched) -> None:
        """Of accesses that are no operations but only noted (`data="race-check"`), from the `first` of them."""
        places = {thing.places.get(key): (thing, key) for thing, key in touched}
        written: list[tuple[int, Callable[[], str]]] = []
        for number, access in enumerate(accesses[first:], first):
            look = partial(self._at, *places[access.place])
            accesses[number] = altered(access, value=now(Value(writes=access.mode == "w"), look))
            written += [(number, look)] if access.mode == "w" else []

        def enter() -> None:
            for number, look in written:
                access = accesses[number]
                accesses[number] = altered(access, value=altered(access.value, text=look()))

        values.settle()
        values.later(enter)

    def _tell_of_task(self, control: Control, values: Values, task: str, kind: str, touched: tuple[Thing, Any]) -> None:
        """Tasks of one loop take turns of their own accord: what they do to data is no operation, but is told."""
        thing, key = touched
        assert control.story is not None
        if key is LIFE or len(control.story) >= _LONGEST_STORY:
            return
        name = thing.name if key is SIZE or thing.lump else f"{thing.name}{told_key(key)}"
        deed = Deed(len(control.execution.events), task, "", place_of(sys._getframe(2)), name,
                    Value(writes=kind != "data.read"))
        values.did(control.story, deed, partial(self._at, thing, key))

    def _tell(self, values: Values, event: Event, touched: Touched) -> None:
        """Of all the places that an event touches, one is told about: the most particular that it writes, or reads."""
        places = {thing.places.get(key): (thing, key) for thing, key in reversed(touched)}
        modes = modes_of(event.operation, event.alternative, event.reads_only)
        written = [index for index, mode in modes if mode == "w"]
        told = [index for index in written or (index for index, _ in modes) if index in places]
        if not event.operation.kind.startswith("data.") or not told:
            return
        chief = told[1] if len(told) == 2 and not written and _is_within(places[told[1]], places[told[0]]) else told[0]
        values.looked(chief, bool(written), partial(self._at, *places[chief]))

    def _at(self, thing: Thing, key: Any) -> str:
        """What is at a place, in words."""
        found = self._held(thing.held() if type(thing.held) is weakref.ref else thing.held, key)
        return str(found) if type(found) is _Words else brief(found, self._named)

    def _held(self, held: Any, key: Any) -> Any:
        if type(held) is CellType:
            return _in_cell(held)
        base = self._base(type(held))
        if base is not None and key is SIZE:
            return _whole(held, base)
        if base is not None and type(key) is tuple:
            return self._entry(held, base, key)
        return _attribute(held, key) if type(key) is str and key[:1] != "\0" else _UNKNOWN

    def _entry(self, held: Any, base: Any, key: Any) -> Any:
        """Of a container: found by going through it, because a look-up would ask keys of the program for their hash."""
        if issubclass(base, _INDEXED):
            there = type(key[0]) is int and 0 <= key[0] < base.__len__(held)
            return base.__getitem__(held, key[0]) if there else _ABSENT
        if not issubclass(base, (dict, set)) or base.__len__(held) > _MOST_KEYS or key is OTHER:
            return _UNKNOWN
        if issubclass(base, set):
            return _PRESENT if any(self._means(each, key) for each in base.__iter__(held)) else _ABSENT
        return next((value for each, value in dict.items(held) if self._means(each, key)), _ABSENT)

    def _means(self, each: Any, key: Any) -> bool:
        kind = type(each)
        asked = kind in _KEYS or issubclass(kind, type) or id(each) in self._known  # nothing else can be named
        return asked and bool(self._canonical(each) == key)

    def _named(self, value: Any) -> str:
        """What the report calls an object that others can reach: its class and its name."""
        control = self.heap.control
        if Controlled in type(value).__mro__ and control is not None and _plainly(value, "_home") is control:
            return f"{_plainly(value, '_family')} {control.session.cast.objects[_plainly(value, '_number')]}"
        thing = self._known.get(id(value))
        if thing is None or thing.lump:
            return ""
        kind = class_name(type(value))
        return f"{kind} {thing.name.removeprefix(f'{kind}()')}".rstrip()  # `Future()#2` was named by its class only


class _Words(str):
    """Said instead of a value."""

    __slots__ = ()


_ABSENT, _PRESENT, _UNKNOWN = _Words(ABSENT), _Words("present"), _Words()


def _in_cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _ABSENT


def _whole(held: Any, base: Any) -> Any:
    """A container; of one of a class of the program's only how much is in it."""
    if type(held) is base and base in _SHOWN:
        return held
    return _Words(f"{base.__len__(held)} entries") if base in _SHOWN else _UNKNOWN


def _attribute(held: Any, name: str) -> Any:
    """Of an object, a class or a module, as far as it is there without asking code."""
    kind = type(held)
    own = _own(held)
    if name in own:
        return own[name]
    of_a_class = issubclass(kind, type)
    _, found = _lookup(held if of_a_class else kind, name)
    if type(found) is MemberDescriptorType and not of_a_class:
        return _in_slot(held, found)
    if found is not _missing:
        return _UNKNOWN if hasattr(type(found), "__get__") else found
    return _UNKNOWN if any("__getattr__" in vars(each) for each in kind.__mro__) else _ABSENT


def _own(held: Any) -> dict[str, Any]:
    own = own_names(held)
    return own if type(own) is dict else {}


def _in_slot(held: Any, slot: Any) -> Any:
    try:
        return slot.__get__(held)
    except AttributeError:
        return _ABSENT


def _is_within(one: tuple[Thing, Any], whole: tuple[Thing, Any]) -> bool:
    return one[0] is whole[0] and whole[1] is SIZE


class _Probes(_Telling, Probes):
    """Those of `model="free"`."""


class _Blocks(_Telling, Blocks):
    """Those of `model="gil"`."""


TELLING: dict[str, type[Probes]] = {"free": _Probes, "gil": _Blocks}
