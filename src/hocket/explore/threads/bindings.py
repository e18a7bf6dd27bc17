"""The names by which modules know what is replaced, and the replacement of them all.

Who has written `from threading import Lock` keeps the real one under a name of his own, so each exploration goes
through the namespaces of all modules. What was found there is remembered for the modules of the standard library, as
long as they have as many names as then, and what the names are bound to is compared; such a module does
not bind its locks anew. Any other is gone through each time. Put back are the names, as they were bound.

Refused: asking for each name whether it is to be replaced; modules bind a hundred of them. Where all names of a module
have the same replacement each time, they are exchanged by two calls into C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import is_
from typing import Any, NamedTuple

from hocket.explore.threads.naming import is_hocket, is_library
from hocket.explore.threads.primitives import LOCKS
from hocket.explore.threads.spaces import Spaces

__all__ = ["Bindings", "bind_again"]

Space = dict[str, Any]
Instead = Callable[[Any, str], Any]


class _Known(NamedTuple):
    """A namespace of the standard library or of our own, and its names that may have to be replaced.

    `now` and `instead`: what they are bound to and what they get; nothing where that is not the same each time.
    """

    space: Space
    size: int
    names: list[str]
    now: Space
    instead: Space

    def is_of(self, space: Space) -> bool:
        return self.space is space and self.size == len(space)


class Bindings:
    """Where the objects of `instead`, by `id` of what they stand for, and real locks are bound to names."""

    def __init__(self, instead: dict[int, Any]) -> None:
        self._instead = instead
        self._known: dict[int, _Known] = {}
        self._spaces = Spaces(self._may_matter)

    def spaces(self, extra: tuple[Space, ...] = ()) -> Iterator[Space]:
        """The namespaces of modules, and `extra` ones, that may have names to be replaced, each once."""
        found = self._spaces.now()
        yield from found
        seen = set(map(id, found))
        for space in extra:
            if id(space) not in seen and self._may_matter(space):
                seen.add(id(space))
                yield space

    def replace(self, space: Space, stand_in: Instead | None, before: list[tuple[Space, Space]]) -> None:
        """Replace the names of a namespace; notes in `before` how they were bound.

        `stand_in`: what to put in place of a real lock, under its name, if it is to be replaced.
        """
        known = self._known.get(id(space))
        if known is not None and known.now and known.is_of(space) and all(
                map(is_, map(space.get, known.now), known.now.values())):  # they are bound as they were
            now, instead = known.now, known.instead
        else:
            instead = dict(self._instead_in(space, stand_in))
            now = {name: space[name] for name in instead}
        if instead:
            before.append((space, now))  # first, should anything come between
            space.update(instead)

    def _instead_in(self, space: Space, stand_in: Instead | None) -> Iterator[tuple[str, Any]]:
        for name in self._names_in(space):
            value = space.get(name)
            replacement = self._instead.get(id(value))
            if replacement is None and stand_in is not None:
                replacement = stand_in(value, name)
            if replacement is not None:
                yield name, replacement

    def _may_matter(self, space: Space) -> bool:
        known = self._known.get(id(space))
        if known is not None and known.is_of(space):
            return bool(known.names)
        if is_hocket(str(space.get("__file__", ""))):
            self._remember(space, [])
            return False
        return True

    def _names_in(self, space: Space) -> list[str]:
        known = self._known.get(id(space))
        if known is not None and known.is_of(space):
            return known.names
        values = tuple(space.values())
        if self._instead.keys().isdisjoint(map(id, values)) and LOCKS.isdisjoint(map(type, values)):
            found = []
        else:
            found = [name for name, value in list(space.items()) if id(value) in self._instead or type(value) in LOCKS]
        if is_library(space):
            self._remember(space, found)
        return found

    def _remember(self, space: Space, names: list[str]) -> None:
        now = {name: space[name] for name in names}
        instead = {name: self._instead[id(value)] for name, value in now.items() if id(value) in self._instead}
        always = len(instead) == len(names)
        self._known[id(space)] = _Known(space, len(space), names, now if always else {}, instead if always else {})


def bind_again(before: list[tuple[Space, Space]]) -> None:
    """All names are bound as they were."""
    while before:
        space, names = before[-1]
        space.update(names)
        before.pop()
