"""Iterators that several threads use, and those that read what several threads use.

An iterator of C is a place of its own, which each step writes; and a step reads what lies behind it, through as many
`zip`, `enumerate` and generator expressions as there are. That is asked when the step is taken: when the iterator was
made, nobody else may have known the list. A container that is gone through by rewritten code is looked at again at
each step. Where C calls the program between two looks (`map`, `filter`), each look is announced, whoever knows the
container by then.
"""

from __future__ import annotations

import gc
import operator
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from types import AsyncGeneratorType, CoroutineType, GeneratorType, MappingProxyType, WrapperDescriptorType
from typing import Any

from hocket.explore.shared.announce import SHARING, Announcer, together, unseen
from hocket.explore.shared.databases import note_files
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.parts import is_stepping
from hocket.explore.shared.stateful import is_beyond_reach
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.pool import _get_ident

__all__ = ["Iterating"]


_DICTS: tuple[Any, ...] = ({}, OrderedDict())
_KEYS = tuple(type(each.keys()) for each in _DICTS)
_VIEWS: tuple[type, ...] = (*_KEYS, *(type(view) for each in _DICTS for view in (each.values(), each.items())))
_MINDED = (dict, set, deque)


class Iterating(Announcer):
    """The probes of iteration."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.going_on: dict[int, int] = {}  # asynchronous generators, and who has gone on with them first

    def begin(self) -> None:
        super().begin()
        self.going_on.clear()

    def iterate(self, o: Any) -> Any:
        """`for … in o`"""
        kind = type(o)
        if kind in _VIEWS:
            mapping = _behind(o)
            wide = kind not in _KEYS or id(mapping) in self.heap.namespaces
            return o if id(mapping) not in self._known else self._begun(mapping, o, wide)
        if kind is MappingProxyType:
            return self.iterate(_behind(o))
        if kind is memoryview:
            return self.iterate(iter(o))
        if is_stepping(kind):
            return _Follower(self, o, o, wide=False) if self._at_stake(o, self._known.get(id(o)))[1] else o
        if id(o) not in self._known:
            return o
        if self._base(kind) is not None:
            return self._begun(o, o, id(o) in self.heap.namespaces)
        return _Follower(self, o, o, wide=False) if _is_iterator_of_c(o) else o

    def asynchronous(self, o: Any) -> Any:
        """`async for … in o`, and whatever else an asynchronous generator goes on by: no step says when it does."""
        thing = self._known.get(id(o)) if type(o) is AsyncGeneratorType else None
        actor = SHARING[_get_ident()] if thing is not None else None
        if thing is None or actor is None or actor.control.over:
            return o
        if thing.is_older():
            self._left_changed(thing.name)
        if self.going_on.setdefault(id(o), actor.number) != actor.number and not self.heap.alone(actor.control):
            self._report(f"{thing.name} is an asynchronous generator, and several threads go on with it")
        return o

    def _begun(self, container: Any, o: Any, wide: bool) -> _Follower:
        """An iterator of `o`. Those of dicts, sets and deques note the size when they are made, and mind another."""
        thing, actor = self._known[id(container)], SHARING[_get_ident()]
        if actor is not None and issubclass(type(container), _MINDED) and not self.heap.alone(actor.control):
            self._announce(actor, "data.read", [(thing, SIZE)])
        return _Follower(self, container, iter(o), wide=wide)

    def followed(self, value: Any) -> Any:
        """What to give to C in place of `value`, which goes through it if it is an iterator."""
        return self.iterate(value) if is_stepping(type(value)) else value

    def awaited(self, value: Any) -> Any:
        """The same, for what C goes through later, calling the program in between: others may know it by then."""
        if id(value) not in self._known and self._base(type(value)) is not None:
            return _Follower(self, value, iter(value), wide=True)
        return self.iterate(value)

    def advanced(self, actor: Actor, thing: Thing, iterator: Any, step: Callable[[], Any]) -> Any:
        """What `step` takes from an iterator that several use; who comes while a generator runs is refused by it.

        A generator at work is one for a while: its beginning and its end are operations, and in between others may
        find it running. CPython says so by a ValueError, also where nothing in its body is shared.
        """
        self._announce(actor, *self._at_stake(iterator, thing))
        running = [id(each) for each in _behind_iterator(iterator) if type(each) in _RUNNING]
        if self.advancing.intersection(running):
            raise ValueError(f"{'coroutine' if type(iterator) is CoroutineType else 'generator'} already executing")
        if not running:
            found = step()
            if type(iterator) is groupby:  # a group is taken from the same source
                self.heap.lend(thing, None, found[1])
            return self._loaded(found)
        self.advancing.update(running)
        try:
            return self._loaded(step())
        finally:
            try:
                self._announce(actor, "data.write", [(thing, SIZE)])
            finally:
                self.advancing.difference_update(running)

    def face(self, o: Any, name: str, value: Any) -> Any:
        """What an attribute of a generator says; of one that an actor is within, not what `value` says: it is between
        its beginning and its end, whatever C has done of it."""
        self.asynchronous(o)
        if id(o) not in self.advancing:
            return value
        return _WHILE_RUNNING.get(name[2:], value)

    def taken(self, actor: Actor, iterator: Any, step: Callable[[Any], Any]) -> Any:
        """What `step` takes from an iterator of C."""
        if is_beyond_reach(iterator):
            self._in_one_step(iterator, "__next__")
            note_files(actor, iterator, "__next__")
            return self._loaded(step(iterator))
        thing = self._known.get(id(iterator))
        kind, touched = self._at_stake(iterator, thing)
        if thing is not None:
            stand_in = self.standing(iterator, thing)
            return self.advanced(actor, thing, stand_in, partial(step, stand_in))
        if not touched:
            return step(iterator)
        self._announce(actor, kind, touched)
        return self._loaded(step(iterator))

    def standing(self, iterator: Any, thing: Thing) -> Any:
        """The iterator itself, or what this execution has in its place, if it was there before."""
        if not thing.is_older():
            return iterator
        with unseen(ACTORS.get(_get_ident())):
            stand_in = self.heap.kept.iterators.stands_for(iterator, self._speaking)
        if stand_in is None:
            self.findings.setdefault(f"{thing.name} was there before and moves on, and it cannot be put back")
            return iterator
        return stand_in

    def shown(self, value: Any) -> Any:
        """What to give to code of C that tells of `value` and takes nothing from it."""
        thing = self._known.get(id(value))
        return value if thing is None or not is_stepping(type(value)) else self.standing(value, thing)

    def _at_stake(self, iterator: Any, thing: Thing | None) -> tuple[str, list[tuple[Thing, Any]]]:
        """What the next step of an iterator of C writes and reads of what several use; of a shared one always the same.

        One that has come to its end has let go of its list. But what a step touches may not depend on who came before.
        """
        behind = thing.behind if thing is not None else None
        if behind is None:
            found = [self._one_behind(each, thing) for each in _behind_iterator(iterator) if each is not iterator]
            behind = [each for each in found if each is not None]
        if thing is not None:
            thing.behind = behind
        itself = [(thing, SIZE)] if thing is not None else []
        written = [*itself, *((each, SIZE) for each, is_iterator in behind if is_iterator)]
        read = [place for each, is_iterator in behind if not is_iterator and (held := each.get()) is not None
                for place in self._everywhere(each, held)]
        return together("data.write", written, read) if written else ("data.read", read)

    def _one_behind(self, value: Any, thing: Thing | None) -> tuple[Thing, bool] | None:
        """It as a thing, and whether it is an iterator; what is behind a shared iterator is shared."""
        is_iterator = is_stepping(type(value))
        if not is_iterator and self._base(type(value)) is None:
            return None
        known = self._known.get(id(value)) if thing is None else self.heap.meet(value)
        return None if known is None else (known, is_iterator)

    def _speaking(self, value: Any) -> Any:
        """A method of a container that is handed over."""
        raise NotImplementedError

    def _everywhere(self, thing: Thing, o: Any) -> list[tuple[Thing, Any]]:
        """All places of a container."""
        raise NotImplementedError


class _Follower:
    """An iterator over something shared: each step looks at it again."""

    __slots__ = ("_iterator", "_o", "_position", "_probes", "_wide")

    def __init__(self, probes: Iterating, o: Any, iterator: Iterator[Any], *, wide: bool) -> None:
        self._probes, self._o, self._iterator, self._wide = probes, o, iterator, wide
        self._position = 0

    def __iter__(self) -> _Follower:
        return self

    def __next__(self) -> Any:
        probes = self._probes
        thing = probes._known.get(id(self._o))
        actor = SHARING[_get_ident()] if thing is not None else ACTORS.get(_get_ident())
        if actor is not None and self._iterator is self._o:
            return probes.taken(actor, self._o, next)
        if actor is None or thing is None:
            return next(self._iterator)
        probes._announce(actor, "data.read", self._looked_at(thing))
        self._position += 1
        return probes._loaded(next(self._iterator))

    def _looked_at(self, thing: Thing) -> list[tuple[Thing, Any]]:
        if thing.lump:
            return [(thing, SIZE)]
        if self._wide:
            return self._probes._everywhere(thing, self._o)
        here = (self._position,)
        listed = self._probes.heap.has_key(thing, here) and not issubclass(type(self._o), (dict, set))
        return [(thing, SIZE), (thing, here)] if listed else [(thing, SIZE)]

    def __length_hint__(self) -> int:
        return operator.length_hint(self._iterator)


def _behind_iterator(iterator: Any) -> list[Any]:
    """What is asked with `iterator`: itself, what is behind an `enumerate` or a `zip`, and the containers at the end.

    A generator has in its frame the iterators that its loops go through; a `zip` keeps what it gave last, too.
    """
    found: dict[int, Any] = {}
    todo: list[tuple[Any, bool]] = [(iterator, False)]
    while todo:
        each, only_iterators = todo.pop()
        kind = type(each)
        if id(each) in found or (only_iterators and kind is not tuple and not is_stepping(kind)):
            continue
        found[id(each)] = each
        if kind in _ASIDE or kind in _ENTERED or is_stepping(kind):
            aside = kind in _ASIDE or (only_iterators and kind is tuple)
            todo += [(part, aside) for part in ([each.obj] if kind is memoryview else gc.get_referents(each))]
    return list(found.values())


_RUNNING = frozenset({GeneratorType, CoroutineType})
_WHILE_RUNNING = {"_running": True, "_suspended": False, "_yieldfrom": None, "_await": None}
_ENTERED = frozenset({tuple, memoryview})
_ASIDE = frozenset({GeneratorType, zip, enumerate})
"""These hold other things than what they go through."""


def _behind(o: Any) -> Any:
    """The mapping that a view or a `mappingproxy` shows."""
    return gc.get_referents(o)[0]


def _is_iterator_of_c(o: Any) -> bool:
    """Whether all that can be asked of `o`, a file or a reader, is the next one, and C gives it."""
    step = getattr(type(o), "__next__", None)
    return type(step) is WrapperDescriptorType and iter(o) is o
