"""Bugs planted in the asyncio runtime, one for each rule of its protocol: each is refused, by whom and how soon.

As in `plants.py`: a plant replaces one function by one that breaks one rule, as somebody might who writes it anew.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any

from hocket.kernel import Edge, Stimulus
from hocket.runtime import aio_crew, aio_hosts
from hocket.runtime.aio import AsyncScheduler
from hocket.runtime.aio_crew import AsyncCrew
from hocket.runtime.aio_hosts import Hosts
from hocket.runtime.aio_threads import Threads
from hocket.runtime.joins import Joins
from tests.chain.plants import Plant, _nothing

_take_up, _make, _report, _draw = AsyncCrew._take_up, AsyncCrew._make, AsyncCrew._report, AsyncCrew._draw
_begin_one, _fill, _stop, _ends = AsyncCrew._begin_one_of_many, AsyncCrew._fill, AsyncCrew._stop, AsyncCrew._ends
_is_born, _add, _link = AsyncCrew._is_born, AsyncCrew._add, AsyncCrew._link
_step_back, _all_closed, _close_of = AsyncCrew._step_back, AsyncScheduler._all_closed, AsyncScheduler._close_of
_drawn, _end = AsyncCrew._drawn, Threads.end


def _without_after(self: Any, name: str, body: Any, more: Any, before: Any, above: Any, run: bool) -> Any:
    return _add(self, name, body, more, (), above, run)


def _without_parent(self: Any, name: str, body: Any, more: Any, before: Any, above: Any, run: bool) -> Any:
    return _add(self, name, body, more, before, None, run)


def _without_adoption(self: Any, edge: Edge, pairs: Any) -> None:
    if edge is not Edge.HOLD:
        _link(self, edge, pairs)


def _not_woken(self: Any, commands: Any) -> None:
    """Whoever awaits a task is not told of its end."""
    _take_up(self, [(command, node) for command, node in commands if command is not aio_crew._SETTLE])


def _started_anyway(self: Any, task: Any) -> bool:
    """A body that was cancelled before its first turn has it all the same."""
    if task.node.phase is aio_crew._READY:
        self._take_up(self._kernel.receive(Stimulus.STARTED, task.node))
    return True


def _silent(self: Any, task: Any, error: Any) -> None:
    """What a body raised is dropped."""
    _report(self, task, None)


def _forgotten(self: Any, task: Any, is_new: bool, error: Any) -> None:
    """A task of asyncio's that is cancelled before its first turn takes the place with it."""
    self._unborn -= 1


def _kept_place(self: Any, life: Any) -> None:
    """A body keeps its place while it awaits a task."""
    if life is not None:
        self._joined[life] = self._joined.get(life, 0) + 1


async def _back_at_once(self: Any, life: Any, at_once: bool) -> None:
    """A body that has awaited a task goes on without a place."""
    await _step_back(self, life, at_once=True)


def _unlimited(self: Any) -> None:
    """Places are not counted."""
    self._places = float("inf")
    _fill(self)


def _not_interrupted(self: Any) -> None:
    """Whoever is cancelled waits for what runs, and does not pass it on."""
    lives, self._lives = self._lives, {}
    _stop(self)
    self._lives = lives


def _left_in_the_queue(self: Any) -> None:
    """When the caller is cancelled, what waits is not."""
    self._closing = Stimulus.CANCELLED
    for life in list(self._lives):
        life.cancel()


async def _waits_no_more(self: Any) -> Any:
    if not self._in_flight and not self._kernel.nodes:
        return None
    closer = self._loop.create_future()
    self._closers.append(closer)
    try:
        await closer
    except CancelledError as error:
        self._stop()
        return error
    return None


def _turn_closes(self: Any, task: Any, argument: Any, more: bool) -> None:
    """The turn to draw is no body of the task: it closes as soon as nobody is at work."""
    tell = self._tell_kernel
    self._tell_kernel = lambda *_: []
    try:
        _drawn(self, task, argument, more)
    finally:
        self._tell_kernel = tell


def _drawn_on(self: Any, task: Any, argument: Any, more: bool) -> None:
    """Two turns to draw are in the queue at once."""
    _drawn(self, task, argument, more)
    if more:
        self._ready.append(task)


async def _waiter_left(self: Any, task: Any, timeout: float | None) -> bool:
    """A waiter stays with the task when its time is up."""
    waiter = self._loop.create_future()
    task.waiters = {waiter: None}
    if timeout is not None:
        self._loop.call_later(timeout, lambda: waiter.done() or waiter.set_result(False))
    answer: bool = await waiter
    return answer


def _from_the_thread(self: Any, commands: Any) -> None:
    """What a thread builds is taken up there and then, beside the loop."""
    _take_up(self, commands)


def _on_the_loop_only(self: Any) -> Any:
    """Who builds, where that is a body on the loop."""
    return self._lives.get(self._life_here())


def _hears_nothing(self: Any) -> None:
    """A thread that came back is not free."""


AIO = (
    Plant(
        "whoever awaits a task is woken",
        ((AsyncCrew, "_take_up", _not_woken),),
        "three bodies and a joiner",
        "deadlock",
        1,
    ),
    Plant(
        "what was cancelled before its first turn has none",
        ((AsyncCrew, "_starts", _started_anyway),),
        "cancelled in the queue",
        "leak",
        13,
    ),
    Plant(
        "what a body raised is told", ((AsyncCrew, "_report", _silent),), "a prong fails, isolate", "tasks ended as", 1
    ),
    Plant(
        "a body that never began gives its place back",
        ((AsyncCrew, "_never_began", _forgotten),),
        "a body is cancelled by asyncio: two of one task",
        "deadlock",
        11,
    ),
    Plant(
        "a host that goes is replaced",
        ((Hosts, "_replace", _nothing),),
        "a body is cancelled by asyncio: diamond",
        "deadlock",
        52,
    ),
    Plant(
        "a host that somebody knows begins nothing more",
        ((aio_hosts, "_known", lambda host: None),),
        "a body whose task of asyncio's is known outside",
        "tasks ended as",
        1,
    ),
    Plant(
        "a body that awaits gives its place away",
        ((AsyncCrew, "_step_aside", _kept_place),),
        "a body awaits its child, one place",
        "deadlock",
        1,
    ),
    Plant(
        "it has one again before it goes on",
        ((AsyncCrew, "_step_back", _back_at_once),),
        "a body awaits its child, one place",
        "tasks ended as",
        1,
    ),
    Plant(
        "places are counted",
        ((AsyncCrew, "_fill", _unlimited),),
        "an async iterator, one place",
        "each once, one at a time",
        2,
    ),
    Plant(
        "a cancellation is passed on to what runs",
        ((AsyncCrew, "_stop", _not_interrupted),),
        "the caller is cancelled: diamond",
        "tasks ended as",
        64,
    ),
    Plant(
        "and to what waits",
        ((AsyncCrew, "_stop", _left_in_the_queue),),
        "the caller is cancelled: diamond",
        "tasks ended as",
        11,
    ),
    Plant(
        "whoever is cancelled waits for the end all the same",
        ((AsyncScheduler, "_all_closed", _waits_no_more),),
        "the caller is cancelled: diamond",
        "have not closed",
        4,
    ),
    Plant(
        "the turn to draw counts as a body",
        ((AsyncCrew, "_drawn", _turn_closes),),
        "three bodies and a joiner",
        "each index once",
        1,
    ),
    Plant(
        "there is one turn to draw",
        ((AsyncCrew, "_drawn", _drawn_on),),
        "three bodies and a joiner",
        "leak",
        1,
    ),
    Plant(
        "no waiter is left when its time is up",
        ((AsyncScheduler, "_close_of", _waiter_left),),
        "a timeout at the time of the close",
        "a waiter is left",
        1,
    ),
    Plant(
        "what a thread builds is taken up by the loop",
        ((AsyncCrew, "_do", _from_the_thread),),
        "a sync body makes an async child",
        "deadlock",
        1,
    ),
    Plant("threads come back", ((Threads, "came_back", _hears_nothing),), "spawn two deep, in a thread", "deadlock", 1),
    Plant(
        "where no worker is left, whoever joins is told",
        ((AsyncScheduler, "_nobody_is_left", _nothing),),
        "workers come and go",
        "deadlock",
        1,
    ),
    Plant(
        "what a body builds is its own until it has said run()",
        ((AsyncScheduler, "_body_here", _nothing),),
        "a body builds at the end",
        "what it waits for has happened",
        1,
    ),
    Plant(
        "what a body in a thread builds is its own",
        ((AsyncScheduler, "_body_here", _on_the_loop_only),),
        "a body in a thread builds at the end",
        "tasks ended as",
        7,
    ),
    Plant(
        "at the end, idle tasks are armed",
        ((AsyncScheduler, "_tell_the_idle", _nothing),),
        "spawn two deep",
        "deadlock",
        1,
    ),
    Plant(
        "at rest, idle tasks are looked for again",
        ((AsyncScheduler, "_is_at_rest", lambda self: False),),
        "an idle task is made last",
        "deadlock",
        1,
    ),
    Plant(
        "a spawned task waits for those it comes after",
        ((AsyncCrew, "_add", _without_after),),
        "interrupted",
        "what it waits for has happened",
        1,
    ),
    Plant(
        "a child is held by its parent",
        ((AsyncCrew, "_add", _without_parent),),
        "spawn two deep",
        "all its children have closed",
        1,
    ),
    Plant(
        "a running task may be held by another",
        ((AsyncCrew, "_link", _without_adoption),),
        "a running task is adopted",
        "all its children have closed",
        2,
    ),
    Plant(
        "a join that waits for itself is refused",
        ((Joins, "circle_by_join", lambda *_: []),),
        "a body joins what waits for it",
        "deadlock",
        1,
    ),
)
