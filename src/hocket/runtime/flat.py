"""A graph of plain tasks run in lists of numbers, for as long as everything goes well.

Where nobody watches, no task holds another and no body has failed yet, the rows of
the kernel come down to one sentence: a task whose last predecessor has finished is
ready, and one that returned has finished. So a number for each task is enough, and
nothing is made for a task that nobody asks about. When a body raises, what has run
so far is told to the kernel, which goes on; it must have wanted the same tasks in the
same order, and that is asserted. Refused: rules for failures here, which would be a
second kernel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from hocket.graph import Graph, ranks
from hocket.kernel.node import Scope, finished
from hocket.runtime.primitives import Lock
from hocket.runtime.task import Task

__all__ = ["AllFinished", "Broken", "Drawing", "is_flat", "run_flat"]


_TURN = range(31, -1, -1)  # by how many tasks an executor goes on before it looks whether it is wanted elsewhere


def is_flat(graph: Graph) -> bool:
    """Whether every task has a body and nothing but order relates them."""
    return not graph.inside and not graph.hold and all([task.body is not None for task in graph.tasks])  # noqa: C419  # a list is made faster


class Broken(Exception):
    """A body raised `error`: `ran` are the tasks that had run, in order, the last of which is the one that raised."""

    def __init__(self, ran: list[int], values: list[Any], error: BaseException) -> None:
        self.ran, self.values, self.error = ran, values, error
        super().__init__(f"task {ran[-1]} raised {error!r}")


def run_flat(graph: Graph) -> AllFinished:
    """Run every task of a flat graph in the caller's thread, first in, first out. Raises CycleError, Broken."""
    waits, following = _edges(graph)
    tasks, values = graph.tasks, [None] * len(graph.tasks)
    ready = [number for number, waiting in enumerate(waits) if not waiting]
    number = -1
    try:
        for number in ready:  # grows while it is read
            values[number] = tasks[number].body()  # type: ignore[misc]  # is_flat: every task has a body
            if (later := following[number]) is None:
                continue
            if isinstance(later, int):
                waits[later] = left = waits[later] - 1
                if not left:
                    ready.append(later)
                continue
            for number_after in later:
                waits[number_after] = left = waits[number_after] - 1
                if not left:
                    ready.append(number_after)
    except KeyboardInterrupt:  # meant for the caller, whose thread this is
        raise
    except BaseException as error:
        raise Broken(ready[: ready.index(number) + 1], values, error) from None
    assert len(ready) == len(waits), "the graph has no cycle, and some tasks have not run"
    return AllFinished(graph, values)


Later = int | list[int] | None
"""Who comes after a task: most often one, and a list for each of these took half of the time of a chain."""


def _edges(graph: Graph) -> tuple[list[int], list[Later]]:
    """By task: how many it comes after, and who comes after it. Raises CycleError."""
    waits, following = [0] * len(graph.tasks), [None] * len(graph.tasks)  # type: list[int], list[Later]
    leads_on = True  # every edge, to a later place in the list: then there is no cycle
    for later, earlier in graph.after:
        waits[later] += 1
        if later <= earlier:
            leads_on = False
        if (known := following[earlier]) is None:
            following[earlier] = later
        elif isinstance(known, int):
            following[earlier] = [known, later]
        else:
            known.append(later)
    if not leads_on:
        ranks(graph)
    return waits, following


class Drawing:
    """A flat graph as the arguments of one task of many bodies, which executors draw and run by `one`.

    Drawing is one call of a deque, which is atomic. What a task frees is counted under a lock of its own; where that is
    more than whoever freed it takes itself, `more` is told, without the lock. An executor goes away when it finds
    nothing to draw: what is freed later, somebody else has freed, who is still there. Once a body has raised nothing
    else is drawn.
    """

    def __init__(self, graph: Graph, lock: Lock) -> None:
        self.values: list[Any] = [None] * len(graph.tasks)
        self.ran: list[int] = []  # in the order of their ends
        self.broken: list[tuple[int, BaseException]] = []
        self.more: Callable[[], None] = _nobody_else
        self._over = False  # nothing else is drawn
        self._tasks, self._lock = graph.tasks, lock
        self._waits, self._following = _edges(graph)
        self._ready = deque(number for number, waiting in enumerate(self._waits) if not waiting)

    def __iter__(self) -> Drawing:
        return self

    def __next__(self) -> int:
        try:
            return self._ready.popleft()
        except IndexError:
            raise StopIteration from None

    def __length_hint__(self) -> int:
        return len(self._ready)

    def one(self, number: int) -> None:
        """Run a task that was drawn, and after it some that can be drawn: a call costs as much as running one does."""
        tasks, values, ready, following = self._tasks, self.values, self._ready, self._following
        waits, lock, ran = self._waits, self._lock, self.ran
        for more_of_this_turn in _TURN:
            try:
                values[number] = tasks[number].body()  # type: ignore[misc]  # is_flat: every task has a body
            except BaseException as error:
                self.broken.append((number, error))
                self.stop()
                return
            ran.append(number)
            if (later := following[number]) is not None:
                freed = 0
                with lock:
                    if self._over:
                        return
                    for number_after in (later,) if isinstance(later, int) else later:
                        waits[number_after] = left = waits[number_after] - 1
                        if not left:
                            ready.append(number_after)
                            freed += 1
                if freed > 1:
                    self.more()
            if not more_of_this_turn:
                return
            try:
                number = ready.popleft()
            except IndexError:
                return

    def stop(self) -> None:
        """Let nothing else be drawn."""
        with self._lock:
            self._over = True
            self._ready.clear()


def _nobody_else() -> None:
    """Where nobody shares the work, there is nobody to be told of more."""


class AllFinished(Sequence[Task]):
    """Closed tasks that have all finished, in the graph's order; each is made when it is asked for, and then kept."""

    def __init__(self, graph: Graph, values: Sequence[Any]) -> None:
        self._graph, self._values, self._made = graph, values, dict[int, Task]()
        self._scope = Scope()

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> list[Task]: ...
    def __getitem__(self, index: int | slice) -> Task | list[Task]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        number = range(len(self))[index]
        if number not in self._made:
            said = self._graph.tasks[number]
            task = self._made[number] = Task(finished(said.name, self._scope), said.body)
            task.gave(self._values[number])
        return self._made[number]

    def __iter__(self) -> Iterator[Task]:
        return map(self.__getitem__, range(len(self)))
