"""Which objects several actors may reach, and the numbers of the places in them.

An object that only one actor can reach is its own affair, and most are so: their
accesses are no operations. An object *escapes* when it is stored into something that has
escaped, is held by a function that is handed over, or is passed to code that was not
rewritten; with it goes everything it holds. So whoever comes by a foreign object has
read it from a place that is an operation, and no access that matters is missed.

An object is named by who let it escape, as its how-many-th, which is the same in
every execution: `id()` is not, and creation is seen by nobody. What was there before the
exploration keeps its number through all of it. What rewritten code did not make and
nobody let escape has no such name; all of one type then count as one object: more
classes than there are, but none too few.

A *place* is an attribute, a key, an index, or the size and order of a container.
While an actor is alone (nobody else lives, and all who did have been joined), places
are no operations either, and are forgotten: the next threads begin a new epoch.
"""

from __future__ import annotations

import ast
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import groupby
from types import CellType, FunctionType, ModuleType
from typing import Any, NamedTuple
from zlib import crc32

from hocket.explore.shared.afresh import ABSENT, Kept, glimpse, is_container
from hocket.explore.shared.keys import Identities, steady
from hocket.explore.shared.memo import CACHED
from hocket.explore.shared.parts import (
    ENVELOPES,
    LIFE,
    OPEN,
    WEAK,
    is_made_by_python,
    is_settled,
    is_stepping,
    is_value,
    parts,
    plainly,
    referred,
    told_key,
)
from hocket.explore.threads.control import ACTORS, Actor, Control
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.spaces import identities

__all__ = ["CONTAINERS", "SIZE", "Heap", "Thing"]

SIZE = "\0size"
"""The place that stands for how many entries a container has, and in which order."""

CONTAINERS = (list, dict, set, deque, bytearray)
_THROUGH = {CACHED, CellType}  # what they hold is read without a probe, or by C
_ENTANGLED = {groupby, type(next(groupby("a"))[1])}  # whoever takes from one takes from the others
_OUTSIDE = -1  # the creator of what was there before
_LUMP = -2  # of what came from nowhere
_MANY = 4096  # classes, of which a program may make new ones in each execution


class Thing:
    """An object that several actors may reach."""

    __slots__ = ("behind", "creator", "held", "lump", "name", "number", "places", "stamp")

    def __init__(self, held: Any, creator: int, number: int, name: str, lump: bool = False) -> None:
        self.held = held  # the object, or a weak reference to it
        self.creator, self.number, self.name, self.lump = creator, number, name, lump
        self.places: dict[Any, int] = {}
        self.stamp: object = None
        self.behind: list[tuple[Thing, bool]] | None = None  # what an iterator goes through; whether it is one, too

    def get(self) -> Any:
        """The object, if it is still there."""
        return self.held() if type(self.held) is weakref.ref else self.held

    def is_older(self) -> bool:
        """Whether it was there before the exploration."""
        return self.creator == _OUTSIDE


class Shown(NamedTuple):
    """What a place held when an execution touched it first, and what an earlier execution found there."""

    thing: Thing
    key: Any
    name: str
    now: Any
    before: Any
    places: dict[Any, int]  # those of the thing, before anybody was alone again
    place: int
    whole: bool  # whether it is a container, whose places are one

    def was_read(self, deeds: Iterable[tuple[bool, tuple[int, ...]]]) -> bool:
        """Whether it was read before anybody wrote there; `deeds`: whether they only write, and where."""
        if self.whole:
            own = set(self.places.values())
            return any(not blind and not own.isdisjoint(places) for blind, places in deeds)
        return next((not blind for blind, places in deeds if self.place in places), False)

    def was_left(self) -> bool:
        """Whether an earlier execution has left something there."""
        return bool(self.now != self.before)

    def is_left(self, is_old: Callable[[Any], bool]) -> bool:
        """Whether this execution leaves something there."""
        return bool(glimpse(self.thing.held, self.key, is_old) != self.now)


class Heap:
    """What is shared in one exploration; `begin` starts an execution.

    `is_own(type)`: whether instances of it are made of rewritten code; others are not looked into.
    """

    def __init__(self, is_own: Callable[[type], bool]) -> None:
        self.is_own = is_own
        self.known: dict[int, Thing] = {}
        self.identities = Identities(self.known)
        self.namespaces: dict[int, dict[str, Any]] = {}  # the `__dict__` of a thing, which is known as that thing
        self._spaces: dict[int, dict[str, Any]] = {}  # those of modules
        self.described: dict[tuple[type, str], type | None] = {}  # who has, or had, a descriptor of that name
        self._outside: dict[int, Thing] = {}
        self._modules: dict[str, int] = {}  # their numbers, by name
        self._before = identities()
        self._keys: dict[tuple[int, int], dict[Any, None]] = {}  # of each container, in all executions
        self._wide: set[tuple[int, int]] = set()  # containers of which somebody touched all keys at once
        self._names: dict[str, int] = {}
        self._named: dict[tuple[int, int], str] = {}
        self._numbers: set[int] = set()  # of what was there before
        self._lumps: dict[str, int] = {}
        self._escapes: dict[int, int] = {}
        self.control: Control | None = None
        self._stamp: object = object()
        self._epoch = 0
        self._seen = 0  # events that were looked through for joins
        self._joined: set[int] = set()
        self._weak: dict[type, bool] = {}  # whether such objects refer to others weakly
        self._dying: list[Any] = []  # what watches over those who are referred to weakly
        self.referred: dict[int, tuple[Any, Thing]] = {}  # by the identity of a weak reference: it, and to what
        self.lethal: dict[int, dict[int, None]] = {}  # by place: the lives that a step there has ended
        self.mortal = False  # lives are operations: somebody has died while others could have asked
        self.bereaved = False  # that has turned out
        self.mourn: Callable[[str], None] = _nothing  # is told what cannot be seen
        self.derive: Callable[[Any], Thing | None] = _none  # what is shared because somebody else is (mocks.py)
        self.stale = False  # a key has appeared after all keys of its container were touched: begin again
        self.kept = Kept()
        self._first: dict[tuple[int, Any], Any] = {}  # what a place showed to the execution that touched it first
        self.shown: dict[tuple[int, Any], Shown] = {}  # what it showed when this execution touched it first
        self._lent: list[Any] = []  # what has its state from elsewhere: kept, so that its id stays its own
        self._alone: set[int] = set()  # the numbers of what was there before, and was read by an actor who was alone

    # -- executions ---------------------------------------------------------------------------------------------------

    def begin(self, control: Control) -> None:
        self.control, self._stamp, self._epoch, self._seen = control, object(), 0, 0
        self.known.clear()  # the same dict always: probes keep it at hand
        self.known.update(self._outside)
        self.identities.begin()
        self.namespaces.clear()
        self.namespaces.update(self._spaces)
        self._escapes.clear()
        self.described.clear()
        self._joined.clear()
        self._dying.clear()
        self.referred.clear()
        self.shown.clear()
        self._lent.clear()
        self._alone.clear()
        self.kept.iterators.begin()

    def end(self) -> None:
        self.known.clear()
        self.namespaces.clear()
        self._dying.clear()
        self.referred.clear()
        self._lent.clear()
        self.control = None

    def alone(self, control: Control) -> bool:
        """Whether everything that other actors did in this execution happened before what is done now."""
        if control.alive != 1:
            return False
        if len(control.actors) == 1:
            return True
        events = control.execution.events
        for event in events[self._seen:]:
            kind = event.operation.kind
            if kind == "thread.join" or (kind == "thread.join_timed" and event.alternative == 0):
                self._joined.add(event.operation.objects[0])
        if len(events) != self._seen:
            self._seen = len(events)
        if len(self._joined) < len(control.actors) - 1:
            return False
        if self._stamp is not None:
            self._stamp = None
        return True

    def read_alone(self, touched: Iterable[tuple[Thing, Any]]) -> None:
        """That is no operation, but what an earlier execution has left behind is seen all the same."""
        for thing, _ in touched:
            if thing.creator == _OUTSIDE:
                self._alone.add(thing.number)

    def was_read_alone(self, thing: Thing) -> bool:
        return thing.number in self._alone

    # -- things -------------------------------------------------------------------------------------------------------

    def adopt(self, values: Iterable[tuple[Any, str]]) -> None:
        """What the program's modules hold, before the first execution; what was adopted before keeps its number."""
        self.known.update(self._outside)
        self._first.clear()
        self.kept.keep_anew(thing.held for thing in self._outside.values())
        for value, hint in values:
            if not is_value(type(value)) and id(value) not in self.known:
                self._spread(value, hint, _OUTSIDE, deep=False)
        self.kept.keep_all([thing.held for thing in self._outside.values()], self._is_entered)

    def _is_entered(self, kind: type) -> bool:
        return kind in _THROUGH or kind in ENVELOPES or self._is_open(kind)

    def _is_open(self, kind: type) -> bool:
        """Whether what it holds goes where it goes."""
        return kind in OPEN or is_stepping(kind) or self.is_own(kind)

    def escape(self, value: Any, actor: Actor, hint: str = "") -> None:
        """Others may reach `value` from now on, and what it holds."""
        if is_value(type(value)) or id(value) in self.known or (type(value) is tuple and self._are_known(value)):
            return
        self._spread(value, hint, actor.number, deep=True)

    def _are_known(self, values: tuple[Any, ...]) -> bool:
        """Whether there is nothing in them that others could not reach yet; most are the arguments of a thread."""
        known = self.known
        for value in values:  # noqa: SIM110  # `all` would make a generator each time
            if id(value) not in known and not is_value(type(value)):
                return False
        return True

    def meet(self, value: Any, hint: str = "") -> Thing | None:
        """`value` was found where others may reach, and nobody here let it escape; None if it has nothing to share."""
        if is_value(type(value)) or (issubclass(type(value), type) and not is_made_by_python(value)):
            return None
        thing = self.known.get(id(value)) or self.derive(value)
        if thing is not None:
            return thing
        old = self.kept.is_older(value)
        if self.kept.may_have_missed(value):
            self.mourn(f"a {type(value).__name__} may be older than the exploration, and what is left in it unnoticed")
        self._spread(value, hint, _OUTSIDE if old else _LUMP, deep=False)
        return self.known.get(id(value))

    def derived(self, thing: Thing, name: str, value: Any) -> Thing:
        """`value`, which `thing` holds under `name`: the same thing in every execution, whoever comes by it first."""
        number = 1 << 40 | crc32(f"{thing.number} {name}".encode())
        found = self.known[id(value)] = Thing(value, thing.creator, number, f"{thing.name}.{name}", thing.lump)
        return found

    def module(self, value: ModuleType) -> Thing:
        """Modules are always shared, and never looked into; one that an execution makes is known by its name."""
        thing = self.known.get(id(value))
        if thing is None:
            name, own = value.__name__, vars(value)
            number = self._modules.get(name)
            if number is None:
                number = self._modules[name] = self._number_outside(f"module {name}")
            thing = Thing(value, _OUTSIDE, number, self._name((_OUTSIDE, number), name.rpartition(".")[2]))
            self.known[id(value)] = self.known[id(own)] = thing
            self.namespaces[id(own)] = own
            if id(own) in self._before:  # and it stays what it is until the exploration ends
                self._outside[id(value)] = self._outside[id(own)] = thing
                self._spaces[id(own)] = own
        return thing

    def lend(self, thing: Thing, names: dict[str, Any] | None, *others: Any) -> None:
        """What is done to one of `others` is done to `thing`: they have its dict `names` as namespace, or its state."""
        self._lent += others
        if names is not None:
            self.namespaces[id(names)] = names
            self.known[id(names)] = thing
        self.known.update((id(each), thing) for each in others)

    def _spread(self, value: Any, hint: str, creator: int, *, deep: bool) -> None:
        todo: list[tuple[Any, str]] = [(value, hint)]
        passed: dict[int, Any] = {}  # envelopes, kept so that their id stays theirs
        weak: list[Any] = []
        while todo:
            value, hint = todo.pop()
            kind = type(value)
            if is_value(kind) or id(value) in self.known or id(value) in passed:
                continue
            if self._refers_weakly(kind):
                weak.append(value)
            if kind in ENVELOPES:
                passed[id(value)] = value
            elif kind is FunctionType:
                self._register(value, f"function {value.__name__}", _OUTSIDE if is_settled(value) else creator)
            elif issubclass(type(value), type):
                if not is_made_by_python(value):
                    continue
                settled = is_settled(value)
                hint = self._register(value, plainly(value, "__name__"), _OUTSIDE if settled else creator).name
                if settled:
                    continue
            else:
                name = self._register(value, hint, creator).name
                hint = hint if kind is CellType else name
                if is_made_by_python(kind) and id(kind) not in self.known and not is_settled(kind):
                    todo.append((kind, plainly(kind, "__name__")))
                if kind not in _THROUGH and (not deep or not self._is_open(kind)):
                    continue
            todo.extend(reversed(list(parts(value, hint))))
        if weak:
            self._watch_all(weak)

    # -- weak references ----------------------------------------------------------------------------------------------

    def _refers_weakly(self, kind: type) -> bool:
        found = self._weak.get(kind)
        if found is None:
            if len(self._weak) >= _MANY:
                self._weak.clear()
            found = self._weak[kind] = issubclass(kind, (weakref.ref, *WEAK))
        return found

    def watch(self, holder: Thing, value: Any) -> None:
        """Watch over `value`, which `holder` refers to weakly (or which is the thing of `holder` itself)."""
        with suppress(TypeError):  # nobody can refer to it weakly
            self._dying.append(weakref.ref(value, partial(self._died, holder, type(value).__qualname__)))

    def _watch_all(self, weak: list[Any]) -> None:
        for value in weak:
            for target in referred(value):
                holder = self.known.get(id(target if issubclass(type(value), weakref.ref) else value))
                if holder is not None:
                    self.watch(holder, target)
                if issubclass(type(value), weakref.ref) and holder is not None:
                    self.referred[id(value)] = (value, holder)

    def _died(self, holder: Thing, told: str, reference: object) -> None:
        """Somebody was let go of, and whoever did is ordered from now on with all who ask whether it is there.

        That finds mistakes, and proves nothing: a reference in a local variable ends without an operation, so another
        order may have another last holder. Who has died is always reported.
        """
        control = self.control
        if control is None or control.over or self.alone(control):
            return
        actor = ACTORS.get(_get_ident())
        last = next((event for event in reversed(control.execution.events)
                     if actor is not None and event.actor == actor.number), None)
        self.mourn(f"a {told} is let go of by its last holder, and others refer to it weakly")
        if holder.lump or last is None or not last.operation.kind.startswith("data."):
            return
        life, deed = self.place(holder, LIFE), last.operation.objects[0]
        if life not in self.lethal.setdefault(deed, {}):
            self.lethal[deed][life] = None
            self.stale = self.mortal
            self.bereaved = not self.mortal

    def also_touched(self, places: list[int]) -> list[int]:
        """What else is at stake where these places are touched: the lives that such a step was seen to end."""
        control = self.control
        assert control is not None, "asked within an execution"
        found = [life for place in places for life in self.lethal.get(place, ())]
        for life in found:
            if life not in control.execution.states:
                control.execution.set(control.execution.states, life, None)
                control.execution.set(control.execution.initial, life, None)
        return found

    def _register(self, value: Any, hint: str, creator: int) -> Thing:
        if creator == _LUMP:
            name = f"a {type(value).__name__}"
            number = self._lumps.setdefault(name, len(self._lumps))
        elif creator == _OUTSIDE:
            number, name = self._number_outside(hint or type(value).__qualname__), ""
        else:
            number, name = self._escapes.get(creator, 0), ""
            self._escapes[creator] = number + 1
        if type(value) in _ENTANGLED and creator != _OUTSIDE:
            self.mourn(f"a {type(value).__name__} is in the hands of several threads: its groups move on with it")
        if not name:
            name = self._named.get((creator, number)) or self._name((creator, number), _wanted(value, hint))
        thing = Thing(value, creator, number, name, creator == _LUMP)
        if creator == _OUTSIDE:
            self._outside[id(value)] = thing  # and it stays what it is until the exploration ends
            self.kept.keep(value)
        elif type(value).__weakrefoffset__:
            thing.held = weakref.ref(value, partial(self._forget, id(value)))
        self.known[id(value)] = thing
        return thing

    def _number_outside(self, path: str) -> int:
        """The same in every process that comes by the object on the same path first."""
        number = crc32(path.encode())
        while number in self._numbers:
            number += 1
        self._numbers.add(number)
        return number

    def _forget(self, number: int, reference: object) -> None:
        thing = self.known.get(number)
        if thing is not None and thing.held is reference:
            del self.known[number]

    def _name(self, key: tuple[int, int], wanted: str) -> str:
        """For people, and one for each thing."""
        name = self._named.get(key)
        if name is None:
            count = self._names[wanted] = self._names.get(wanted, 0) + 1
            name = self._named[key] = wanted if count == 1 else f"{wanted}#{count}"
        return name

    # -- places -------------------------------------------------------------------------------------------------------

    def place(self, thing: Thing, key: Any, state: Any = None) -> int:
        """The number of a place of `thing`; `state` is its first state, if this execution sees it first."""
        if thing.stamp is not self._stamp or self._stamp is None:
            self._enter_epoch(thing)
        index = thing.places.get(key)
        if index is None:
            index = thing.places[key] = self._new_place(thing, key, state)
        return index

    def unplaced(self, thing: Thing, keys: Iterable[Any]) -> list[Any]:
        """Which of these this execution has not touched yet."""
        if thing.stamp is not self._stamp or self._stamp is None:
            self._enter_epoch(thing)
        return [key for key in keys if key not in thing.places]

    def keys_of(self, thing: Thing) -> list[Any]:
        """The keys of a container that have places; should another one appear, the heap is `stale`."""
        whole = (thing.creator, thing.number)
        self._wide.add(whole)
        return list(self._keys.setdefault(whole, {}))

    def has_key(self, thing: Thing, key: Any) -> bool:
        """Whether one of these is `key`."""
        whole = (thing.creator, thing.number)
        self._wide.add(whole)
        return key in self._keys.get(whole, ())

    def saved(self) -> str:
        """The keys that are known of each container, as a text for `recall`."""
        return repr([(whole, list(keys)) for whole, keys in self._keys.items()])

    def recall(self, text: str) -> None:
        """Go on with the keys that another process knew."""
        for whole, keys in ast.literal_eval(text):
            self._keys.setdefault(whole, {}).update(dict.fromkeys(keys))

    def _enter_epoch(self, thing: Thing) -> None:
        if self._stamp is None:  # after a time of solitude
            self._stamp = object()
            self._epoch += 1
        if thing.stamp is not self._stamp:
            thing.stamp = self._stamp
            thing.places = {}

    def _new_place(self, thing: Thing, key: Any, state: Any) -> int:
        control = self.control
        assert control is not None, "places are asked for within an execution"
        if thing.lump:
            family, told = "data", thing.name
        else:
            told = thing.name if key is SIZE else f"{thing.name}{told_key(key)}"
            known = steady(key, self.identities) if type(key) is str else key
            family = f"data {known!r}" if key is not SIZE else "data size"
            if key is not SIZE:
                self._new_key((thing.creator, thing.number), known)
        if self._epoch:
            family += f" {self._epoch}"
        cast, execution = control.execution.cast, control.execution
        index = cast.object(thing.creator, thing.number, family, told)
        if index not in execution.states:
            execution.set(execution.states, index, state)
            execution.set(execution.initial, index, state)
        control.session.named = max(control.session.named, len(cast.objects))
        if thing.creator == _OUTSIDE and not self._epoch:  # later it may well depend on what happened before
            self._show(thing, key, told, index)
        return index

    def _show(self, thing: Thing, key: Any, told: str, index: int) -> None:
        """Note what a place held when it was touched first; of a container, when anything in it was."""
        whole = is_container(thing.held)
        if whole and thing.places:
            return
        here = (thing.number, None if whole else key)
        now = glimpse(thing.held, key, self.kept.is_old)
        if now is ABSENT and not self.kept.knows(thing.held):
            return  # a module that nobody tracks, and that imports what it is asked for
        self.shown[here] = Shown(thing, key, told, now, self._first.setdefault(here, now), thing.places, index, whole)

    def _new_key(self, whole: tuple[int, int], key: Any) -> None:
        known = self._keys.setdefault(whole, {})
        if key not in known:
            known[key] = None
            if whole in self._wide:
                self.stale = True


def _wanted(value: Any, hint: str) -> str:
    """What to call something that was found under the name `hint`."""
    if type(value) is CellType and hint:
        return f"variable {hint}"
    return hint or f"{type(value).__name__}()"


def _nothing(told: str) -> None:
    """Nobody listens."""


def _none(value: Any) -> None:
    """Nothing is."""
