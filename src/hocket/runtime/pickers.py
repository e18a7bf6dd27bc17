"""Which of the tasks that are ready is taken next: first in, first out; last in; by priority; or drawn at random.

A picker restricts the order in which ready tasks are taken and nothing else: what may run is the kernel's to say,
so safety never depends on it (decision 12 of the design). It is whatever speaks as a `collections.deque` does in four
calls, so that the usual one is a deque and costs no call of Python. Entered and left with the scheduler's lock held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Generic, Protocol, TypeVar

__all__ = ["OUR_OWN", "PICKERS", "Picker", "Prioritised", "picker_of"]


class Prioritised(Protocol):
    """What can be picked: a higher priority is taken earlier, by the picker that asks for it."""

    @property
    def priority(self) -> float: ...


T = TypeVar("T", bound=Prioritised)


class Picker(Protocol[T]):
    """The tasks that are ready, of which one is next."""

    def append(self, task: T, /) -> None:
        """One more is ready."""

    def popleft(self) -> T:
        """Take the next one; IndexError when there is none."""

    def __getitem__(self, index: int, /) -> T:
        """`self[0]`: what `popleft` would give; IndexError when there is none."""

    def __len__(self) -> int: ...


class _Lifo(list[T]):
    """The last that came is next: a spawn tree is walked in depth, and so needs little memory."""

    popleft = list.pop

    def __getitem__(self, index: int, /) -> T:  # type: ignore[override]  # there are no slices of a picker
        return super().__getitem__(-1 - index)


class _Priority(Generic[T]):
    """The highest priority is next; of equal ones, the first that came."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._came = count()

    def append(self, task: T, /) -> None:
        heappush(self._heap, (-task.priority, next(self._came), task))

    def popleft(self) -> T:
        return heappop(self._heap)[-1]

    def __getitem__(self, index: int, /) -> T:
        return self._heap[index][-1]

    def __len__(self) -> int:
        return len(self._heap)


class _Drawn(_Lifo[T]):
    """Any of them is next, all alike; the same seed and the same coming give the same order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)

    def append(self, task: T, /) -> None:
        super().append(task)
        place = self._random.randrange(len(self))  # shuffled while it comes (Fisher and Yates, inside out)
        last = list.__getitem__(self, -1)
        self[-1] = list.__getitem__(self, place)
        self[place] = last


OUR_OWN: tuple[type, ...] = (deque, _Lifo, _Priority, _Drawn)
"""Those that ask a task for nothing but its priority."""

PICKERS: Mapping[str, Callable[[int], Picker[Prioritised]]] = {
    "fifo": lambda seed: deque(),
    "lifo": lambda seed: _Lifo(),
    "priority": lambda seed: _Priority(),
    "random": _Drawn,
}
"""Each picker by name, made from a seed."""


def picker_of(name: str | Picker[T], seed: int = 0) -> Picker[T]:
    """The picker of that name, or one of one's own. Raises ValueError for an unknown name, TypeError for no picker."""
    if not isinstance(name, str):
        missing = [call for call in ("append", "popleft", "__getitem__", "__len__") if not hasattr(name, call)]
        if missing:
            raise TypeError(f"{name!r} is no picker: it lacks {', '.join(missing)}; say one of {', '.join(PICKERS)}")
        return name
    if name not in PICKERS:
        raise ValueError(f"there is no picker {name!r}; there are {', '.join(map(repr, PICKERS))}")
    return PICKERS[name](seed)  # type: ignore[return-value]  # made for whatever it will be given
