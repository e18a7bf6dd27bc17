"""A context: what all tasks of a run share, by type, each type once.

`from_ctx(T)` finds its object by exactly T, so an object that should be found under the name of a base class, or under
a business name, is given with it: `Context({Database: connection})`. A run borrows the context: it keeps nothing of it,
and what tasks change stays changed. From YOrch (YO-C1 to YO-C11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from hocket.errors import PlanError
from hocket.plan.sources import name_of

__all__ = ["Context", "context"]

T = TypeVar("T")


class Context:
    """Objects by type.

    >>> shared = Context({int: 3, str: "job"})
    >>> shared.get(str), int in shared, float in shared
    ('job', True, False)
    """

    __slots__ = ("_by_type",)

    def __init__(self, by_type: Mapping[type, Any]) -> None:
        self._by_type = dict(by_type)

    @classmethod
    def default(cls, *types: type) -> Context:
        """Each type's default object. Raises TypeError where a type has none (YO-C2)."""
        return cls({kind: kind() for kind in types})

    def get(self, kind: type[T]) -> T:
        """Raises KeyError, naming what is there."""
        if kind not in self._by_type:
            there = ", ".join(map(name_of, self._by_type)) or "nothing"
            raise KeyError(f"the context has no {name_of(kind)}; there is {there}")
        return cast(T, self._by_type[kind])

    def __contains__(self, kind: object) -> bool:
        return kind in self._by_type

    def __iter__(self) -> Iterator[type]:
        return iter(self._by_type)


def context(*objects: Any) -> Context:
    """A context of these objects, each under its own class.

    >>> context(3, "job").get(int)
    3

    Raises PlanError for two of one class: give one of them another name, `Context({Name: object})`.
    """
    by_type: dict[type, Any] = {}
    for thing in objects:
        if type(thing) in by_type:
            cure = "each type is there once: Context({Name: object}) gives one of them another name"
            raise PlanError("context-twice", name_of(type(thing)), "is in the context twice", cure)
        by_type[type(thing)] = thing
    return Context(by_type)
