"""What stands in the place of the subject of a `match`: each look that a pattern takes is announced when it is taken.

Python's own matching asks for the length, goes through the items, gets keys and attributes, compares; each of these is
a method here, which makes the access that it stands for, and gives what it finds as something observed, too. To
`isinstance`, and so to a class pattern, it is of the subject's class. What is a value stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hocket.explore.shared.holding import Holding
from hocket.explore.shared.parts import is_value
from hocket.explore.threads.control import ACTORS
from hocket.explore.threads.pool import _get_ident

__all__ = ["Observing"]

_SEQUENCE, _MAPPING = 1 << 5, 1 << 6  # flags of a class, by which patterns tell what they may look within


class Observing(Holding):
    """The probes of `match`, where others may come between two looks."""

    def observed(self, o: Any) -> Any:
        """What to match in the place of `o`."""
        actor = ACTORS.get(_get_ident())
        alone = actor is None or actor.control.over or self.heap.alone(actor.control)
        return o if alone else self.stand_in(o)

    def stand_in(self, o: Any) -> Any:
        kind = type(o)
        if is_value(kind) or issubclass(kind, type):
            return o
        flags = kind.__flags__
        made = _OfSequence if flags & _SEQUENCE else _OfMapping if flags & _MAPPING else _Observed
        return made(self, o)

    def captured(self, value: Any) -> Any:
        """What a pattern has bound; what `*` and `**` have gathered is a list or a dict of their own."""
        kind = type(value)
        if kind in _OURS:
            return _of(value)[1]
        if kind is list and not _OURS.isdisjoint(map(type, value)):
            value[:] = map(self.captured, value)
        elif kind is dict and not _OURS.isdisjoint(map(type, value.values())):
            value.update([(key, self.captured(held)) for key, held in value.items()])
        return value

    def size(self, o: Any) -> int:
        """`len(o)`"""
        self.truth(o)
        return len(o)

    def all_of(self, o: Any, every: Any) -> Any:
        """`every(o)`, in one go if `o` is a container of C."""
        self._looked((o,))
        return every(o)

    def get(self, o: Any, name: str) -> Any:
        """`o.name`"""
        raise NotImplementedError

    def method(self, o: Any, name: str, /, *args: Any, **named: Any) -> Any:
        """`o.name(*args, **named)`"""
        raise NotImplementedError


class _Observed:
    """Of an object that patterns do not look within, other than for attributes."""

    def __init__(self, probes: Observing, o: Any) -> None:
        object.__setattr__(self, "\0of", (probes, o))

    @property  # type: ignore[misc]  # it can be set, of other objects
    def __class__(self) -> Any:
        return type(_of(self)[1])

    def __getattr__(self, name: str) -> Any:
        probes, o = _of(self)
        return probes.stand_in(probes.get(o, name))

    def __eq__(self, other: object) -> bool:
        probes, o = _of(self)
        return bool(probes.truth(probes.compare("==", o, other)))

    __hash__ = None  # type: ignore[assignment]  # no pattern asks for it


class _OfSequence(_Observed):
    def __len__(self) -> int:
        probes, o = _of(self)
        return probes.size(o)

    def __iter__(self) -> Iterator[Any]:
        probes, o = _of(self)
        return map(probes.stand_in, probes.all_of(o, list if probes._base(type(o)) or type(o) is tuple else iter))

    def __getitem__(self, index: Any) -> Any:
        probes, o = _of(self)
        return probes.stand_in(probes.item(o, index))


class _OfMapping(_Observed):
    def __len__(self) -> int:
        probes, o = _of(self)
        return probes.size(o)

    def get(self, key: Any, default: Any) -> Any:
        probes, o = _of(self)
        found = probes.method(o, "get", key, default)
        return found if found is default else probes.stand_in(found)

    def keys(self) -> Iterable[Any]:
        """What `**rest` begins with: all of it, at once."""
        probes, o = _of(self)
        self._all = dict[Any, Any](probes.all_of(o, dict))
        return self._all.keys()

    def __getitem__(self, key: Any) -> Any:
        return _of(self)[0].stand_in(self._all[key])


Sequence.register(_OfSequence)
Mapping.register(_OfMapping)
_OURS = frozenset({_Observed, _OfSequence, _OfMapping})


def _of(stand_in: _Observed) -> tuple[Observing, Any]:
    found: tuple[Observing, Any] = vars(stand_in)["\0of"]
    return found
