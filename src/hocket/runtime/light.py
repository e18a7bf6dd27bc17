"""Tasks that have no node, for as long as everything goes well: what most schedulers are full of.

A task that is armed as it is made, has one body and comes after others of its kind or after none needs little of the
kernel: the rows come down to a number. It waits for so many, is ready at zero, and then runs and has finished. Such a
task is *light*: its handle says the number, and who comes after it. Whoever asks for more (a child, a cancellation, a
story, a watch; a failure is more as well) has it *entered* into the kernel, which is told what has happened so far;
from then on it is a task like any other. What is related is entered together, and so is all that is light then: an edge
between a node and a light task would be a rule of its own.

Refused: light tasks where one failure stops all the others, for the kernel cannot stop what it does not know. `flat.py`
does the same for a graph that is run as a whole, of which nobody holds a task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Edge, Kernel, Node, Phase, Stimulus
from hocket.kernel.node import finished
from hocket.runtime.build import refuse_cycles
from hocket.runtime.building import Building, H
from hocket.runtime.flat import is_flat
from hocket.runtime.handle import CLOSED, RUNNING, Built
from hocket.runtime.pickers import OUR_OWN, Picker
from hocket.runtime.primitives import Lock
from hocket.runtime.task import NOBODY, PLAIN, After, More, tasks_of

__all__ = ["Light"]

# an enum's member costs a look-up in its class each time, and these are read for every task
_ARMED, _STARTED, _AFTER = Stimulus.ARMED, Stimulus.STARTED, Edge.AFTER
_HAS_CLOSED = Phase.CLOSED
_FEW = 64  # so many are not worth forgetting, as long as others are light


class Light(Building[H]):
    """A scheduler that makes no node before somebody asks for it."""

    def __init__(self, kernel: Kernel, lock: Lock, picker: Picker[H]) -> None:
        super().__init__(kernel, lock)
        self._ready = picker  # not begun, or put aside between two bodies
        self._stopped = False  # nothing begins any more, and nothing more is drawn
        self._light = 0  # open tasks that have no node
        # all of these, in the order of creation; and at most as many, and a few, that have closed or been entered
        self._came: list[H] = []
        self._makes_light = type(picker) in OUR_OWN and not kernel.scope.stops  # another may ask for nodes

    def _offer(self, task: H) -> None:
        """It is ready, as if the kernel had said RUN; the lock is held."""
        raise NotImplementedError

    # -- making them --------------------------------------------------------------------------------------------------

    def _spawn_armed(self, name: str, body: Callable[..., Any], more: More, after: After) -> H:
        if not self._makes_light:
            return self._spawn(name, body, more, after, None, run=True)
        before: Sequence[Any] = NOBODY
        if after:
            mine = self._handle
            before = [
                one if type(one) is mine and one.scheduler is self else self._mine(one) for one in tasks_of(after)
            ]
        with self._lock:
            if self._closed or self._awaits:  # a loop refuses strangers as well
                self._refuse_when_closed(name)
            if self._kernel.watch is not None or self._stopped or (before and not _need_no_node(before)):
                return self._add(name, body, more, before, None, run=True)
            handle = self._handle.light(self, name, body, more)
            for earlier in before:
                if earlier._node is None and earlier.standing > CLOSED:
                    _relate(earlier, handle)
            self._came.append(handle)
            self._light += 1
            if not handle.standing:
                self._offer(handle)
        return handle

    def _add_armed(self, graph: Graph) -> list[H]:
        if not self._makes_light or self._kernel.watch is not None or self._stopped or not is_flat(graph):
            return super()._add_armed(graph)
        refuse_cycles(graph)
        light = self._handle.light
        handles = [light(self, task.name, task.body, PLAIN) for task in graph.tasks]
        for number, waited_for in graph.after:
            _relate(handles[waited_for], handles[number])
        self._came += handles
        self._light += len(handles)
        for ready in [handle for handle in handles if not handle.standing]:
            self._offer(ready)
        return handles

    def _sweep(self) -> None:
        """Forget those that are light no longer: O(1) for each of them, because at least half of all are."""
        if self._light:
            self._came = self._light_ones()
        else:
            self._came.clear()

    def _light_ones(self) -> list[H]:
        return [task for task in self._came if task._node is None and task.standing > CLOSED]

    def _check(self) -> None:
        super()._check()
        ones = self._light_ones()
        assert self._light == len(ones), f"{self._light} tasks are said to be light, and {len(ones)} are"
        assert len(self._came) <= 2 * len(ones) + _FEW, f"{len(self._came)} tasks are kept for {len(ones)} light ones"
        waits = Counter(id(later) for task in ones for later in _those_after(task))
        for task in ones:
            assert waits[id(task)] == max(task.standing, 0), f"{task.name} waits for {waits[id(task)]}, not as it says"

    # -- what happens to them -----------------------------------------------------------------------------------------

    def _finish_light(self, task: H) -> int:
        """The body of a light task has returned: it has finished, and so many that waited for it are in the queue."""
        task.standing = CLOSED
        self._light = left = self._light - 1
        if not left or len(self._came) > 2 * left + _FEW:
            self._sweep()
        if (later := task.later) is None:
            return 0
        task.later = None
        freed, ready = 0, self._ready
        for one in later if type(later) is list else (later,):
            one.standing = left = one.standing - 1
            if not left:
                ready.append(one)
                freed += 1
        return freed

    # -- entering them ------------------------------------------------------------------------------------------------

    def enter(self, task: H) -> Node:
        """The node that a light task has from now on, and all that is related to it; the lock is held."""
        if task.standing == CLOSED:
            task._node = node = finished(task.name, self._kernel.scope)
            node.load = task
            return node
        if task.standing > 0 or task.later is not None:
            self._enter_all()
        else:
            self._enter([task])
        return task.entered()

    def node_of(self, task: H) -> Node:
        """The same, for somebody who does not hold the lock."""
        with self._lock:
            return task.entered()

    def _enter_all(self) -> None:
        if self._light:
            self._enter(self._light_ones())

    def _enter(self, tasks: Sequence[H]) -> None:
        """Tell the kernel of light tasks, all or those that nothing relates, and what has happened to them so far."""
        kernel = self._kernel
        self._light -= len(tasks)
        for task in tasks:
            task._node = kernel.add(task.name)
            task._node.load = task
        for task in tasks:
            for later in _those_after(task):
                kernel.hold(_AFTER, task.entered(), later.entered())
            task.later = None
        for task in tasks:
            node = task.entered()
            assert node.start == 1 + max(task.standing, 0), f"{task.name} waits for {node.start - 1}, not as it said"
            kernel.receive(_ARMED, node)  # it says RUN of what is ready: whoever is to run that has it already
            if task.standing == RUNNING:
                kernel.receive(_STARTED, node)
        if not self._light or len(self._came) > 2 * self._light + _FEW:
            self._sweep()


def _need_no_node(tasks: Sequence[Built]) -> bool:
    """Whether each of these is light, or was and has finished: so what comes after them needs no node either."""
    for task in tasks:
        node = task._node
        if node is not None and (node.phase is not _HAS_CLOSED or node.fate):
            return False
    return True


def _relate(earlier: Built, later: Built) -> None:
    """A light task comes after a light one. Most often it is the only one: a list for each costs as much as a task."""
    later.standing += 1
    known = earlier.later
    if known is None:
        earlier.later = later
    elif type(known) is list:
        known.append(later)
    else:
        earlier.later = [known, later]


def _those_after(task: Built) -> Sequence[Built]:
    later = task.later
    if later is None:
        return ()
    return later if type(later) is list else (later,)
