"""The crew of a scheduler: workers and helpers, and how they share what is ready.

An *executor* is a worker or a thread that helps while it joins; each has a seat
with a condition of its own. Three rules make a lost wake-up impossible, and the
explorer tries them in every interleaving:

1. whoever parks looks for work and lies down under the lock;
2. whoever puts work into the queue, more than it will take itself, wakes a sleeper
   under the lock, unless one is on its way already; and whoever has taken work
   wakes the next while more is left;
3. whoever leaves hands on: if work is left and somebody sleeps, it wakes them.

What Choir got wrong here, and why it cannot happen: it notified without the lock
(C-B1), let a helper sleep where new work did not wake it (C-B6), and returned from
`run_attached` after one step (C-B7).
"""

from __future__ import annotations

import reprlib
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from warnings import warn

from hocket.errors import Refused, Stranded, TaskLost
from hocket.graph import Graph
from hocket.kernel import Command, Commands, Kernel, Phase, Stimulus
from hocket.runtime.flat import Drawing
from hocket.runtime.handle import RUNNING, Context, Handle
from hocket.runtime.light import Light
from hocket.runtime.pickers import Picker
from hocket.runtime.primitives import Lock, Primitives
from hocket.runtime.seats import Seat, Seats
from hocket.runtime.task import PLAIN

__all__ = ["Crew", "names_of"]

# an enum's member costs a look-up in its class each time, and these are read for every task
_STARTED, _RETURNED, _RAISED = Stimulus.STARTED, Stimulus.RETURNED, Stimulus.RAISED
_RUN, _SETTLE = Command.RUN, Command.SETTLE
_READY, _RUNNING = Phase.READY, Phase.RUNNING


def names_of(workers: int | Iterable[str]) -> list[str]:
    """The names of workers that are given by number or by name. Raises TypeError or ValueError."""
    if isinstance(workers, str):
        raise TypeError(f"workers is a number or a list of names, not one name: say [{workers!r}]")
    if isinstance(workers, int):
        if workers < 0:
            raise ValueError(f"there cannot be {workers} workers; a number of workers is 0 or more")
        return [f"worker-{number}" for number in range(workers)]
    names = list(workers)
    if len(set(names)) < len(names):
        raise ValueError(f"two workers of one name: {', '.join(map(repr, names))}; give each its own")
    return names


class Crew(Light[Handle]):
    """The executors of a kernel, and the queue that they take from."""

    _handle = Handle
    _awaits = False

    def __init__(self, kernel: Kernel, primitives: Primitives, picker: Picker[Handle]) -> None:
        super().__init__(kernel, primitives.lock(), picker)
        self._primitives = primitives
        # running tasks of many bodies, which one more may join; perhaps all drawn
        self._shared: deque[Handle] = deque()
        self._asleep = Seats()
        self._workers: dict[str, Seat] = {}
        self._seats: dict[int, Seat] = {}  # by thread: whoever executes bodies at the moment

    def _lock_for_items(self) -> Lock:
        return self._primitives.lock()

    def _body_here(self) -> Handle | None:
        seat = self._seats.get(self._primitives.get_ident())
        return seat.stack[-1] if seat is not None and seat.stack else None  # type: ignore[return-value]  # its own

    def _offer(self, task: Handle) -> None:
        self._ready.append(task)
        if self._asleep.parked:
            self._asleep.wake()

    # -- workers ------------------------------------------------------------------------------------------------------

    def add_worker(self, name: str) -> None:
        """Start a worker thread, at any time. Raises Refused when one of that name is at work."""
        with self._lock:
            self._refuse_when_closed(name)
            if name in self._workers:
                raise Refused(name, "added", "at work already", "a name that no worker has")
            seat = self._seat(name)
            seat.thread = self._primitives.thread(lambda: self._worker(seat), name)
            seat.thread.start()  # under the lock, so that nobody can remove what has not begun
            self._workers[name] = seat

    def remove_worker(self, name: str) -> None:
        """Let a worker finish the body that it is in, and end; returns when it has.

        Called from one of its own bodies, it returns at once, and the worker ends after that body. What waits in the
        queue stays there for others; if there are none, joiners of it are told (DeadlockError), and so is the caller,
        by the warning `Stranded`, which names what waits. Raises Refused when no worker is called so.
        """
        with self._lock:
            if name not in self._workers:
                raise Refused(name, "removed", "no worker", " or ".join(self._workers) or "a worker, and there is none")
            seat = self._workers.pop(name)
            self._dismiss(seat)
            own = seat.owner == self._primitives.get_ident()
            stranded = self._stranded_without(seat)
        if not own and seat.thread is not None:
            seat.thread.join()
        if stranded:
            warn(Stranded(name, stranded), stacklevel=2)

    def _stranded_without(self, leaving: Seat) -> list[str]:
        """The tasks that wait for an executor, or for others, when the last one leaves; none while another is there."""
        if self._workers or any(seat is not leaving for seat in self._seats.values()):
            return []
        self._enter_all()
        return [node.name for node in self._kernel.nodes if Phase.IDLE < node.phase < _RUNNING]

    def _dismiss(self, seat: Seat) -> None:
        seat.alive = False
        self._asleep.rouse(seat)

    def _worker(self, seat: Seat) -> None:
        """A worker's life."""
        with self._lock:
            self._serve(seat, lambda: not seat.alive)

    def _seat(self, name: str) -> Seat:
        return Seat(name, self._primitives.condition(self._lock))

    # -- executing: all of it is entered and left with the lock held --------------------------------------------------

    def _serve(self, seat: Seat, done: Callable[[], bool]) -> None:
        """Execute what is ready, and sleep when nothing is, until `done`: whoever makes that true rouses the seat."""
        me = seat.owner = self._primitives.get_ident()
        before = self._seats.get(me)
        self._seats[me] = seat
        ready, asleep = self._ready, self._asleep
        seat.called = True  # perhaps it is done already
        try:
            while not (seat.called and done()):
                seat.called = False
                task = ready.popleft() if ready else self._share()
                if task is None:
                    self._park(seat)
                    continue
                if asleep.parked and (ready or self._shared):
                    asleep.wake()
                self._perform(seat, task)
        finally:
            if before is None:
                del self._seats[me]
            else:
                self._seats[me] = before
            self._hand_on()

    def _share(self) -> Handle | None:
        """Nothing is ready; a part in a task of many bodies that others are at already, or None."""
        while self._shared:
            task = self._shared[0]
            node = task.entered()
            if node.phase is _RUNNING and task.left():
                self._kernel.receive(Stimulus.SPLIT, node)
                return task
            self._shared.popleft()
        return None

    def draw(self, graph: Graph) -> Drawing:
        """Run a flat graph as one task of many bodies, until all have run or one has failed. Raises CycleError."""
        drawing = Drawing(graph, self._primitives.lock())
        whole = self._many("graph", drawing, drawing.one, run=False)
        drawing.more = partial(self.offer_more, whole)
        try:
            whole.run().join(help=not self._workers)
        except BaseException:  # Ctrl-C, for nothing that a body raises comes out of it
            drawing.stop()
            raise
        for _, error in drawing.broken:
            if isinstance(error, KeyboardInterrupt) and not self._workers:
                raise error  # it was meant for this thread, which alone has drawn
        return drawing

    def offer_more(self, task: Handle) -> None:
        """There is more to draw of a task of many bodies than those have taken who are at it."""
        with self._lock:
            if task.entered().phase is _RUNNING and task not in self._shared:
                self._shared.append(task)
            self._asleep.wake()

    def _park(self, seat: Seat) -> None:
        last_awake = len(self._asleep.parked) + 1 == len(self._seats)
        if not (last_awake and self._rest()):
            self._asleep.park(seat, self._primitives.longest_sleep())

    def _rest(self) -> bool:
        """Nothing is ready, and no body runs; whether something could be done about it."""
        return False

    def _hand_on(self) -> None:
        """Somebody leaves: a wake-up that was meant for it must not be lost, nor hope where nobody is left."""
        if self._ready or self._shared:
            self._asleep.wake()
        if not self._workers and not self._seats:
            self._nobody_is_left()

    def _nobody_is_left(self) -> None:
        """The last executor has left."""

    def _perform(self, seat: Seat, task: Handle) -> None:
        """Run bodies of one task: its only one, or as many as there are before somebody wants something else done."""
        node = task._node
        if node is None:
            task.standing = RUNNING
        elif node.phase is _READY:
            commands = self._kernel.receive(_STARTED, node)
            if commands:
                self._do(commands)
            if task._more.work is not None and task.left() > 1:
                self._shared.append(task)
                self._asleep.wake()
        elif node.phase is not _RUNNING:
            return  # it was cancelled in the queue
        error = self._call(seat, task)
        if error is not None:
            self._fail(task, error)
            self._do(self._kernel.receive(_RAISED, task.entered()), takes_one=True)
            if isinstance(error, KeyboardInterrupt) and seat.thread is None and not seat.stack:
                raise error  # it was meant for this thread, which only helps
        elif task._node is None:  # nobody has asked for more meanwhile
            if task.waiters or task._more is not PLAIN:
                self._settle(task)
            if self._finish_light(task) > 1:
                self._asleep.wake()
        elif task._more.work is not None and task.left():
            self._ready.append(task)
        else:
            self._do(self._kernel.receive(_RETURNED if task._error is None else _RAISED, task._node), takes_one=True)
        if self._builds:
            self._builds_no_more(task)

    def _call(self, seat: Seat, task: Handle) -> BaseException | None:
        """Without the lock, call what there is to call; the exception that ended it, or None."""
        lock, stack = self._lock, seat.stack
        stack.append(task)
        lock.release()
        try:
            more = task._more
            if more is PLAIN:
                task._value = task.body()  # type: ignore[misc]  # the kernel runs no task without a body
            elif more.work is None:
                task.call(Context(task.scheduler, task) if more.wants_context else None)
            else:
                self._call_each(seat, task)
        except BaseException as error:
            return error
        finally:
            lock.acquire()
            stack.pop()
        return None

    def _call_each(self, seat: Seat, task: Handle) -> None:
        """Draw arguments and call the body, until others are waiting, or this executor is wanted elsewhere.

        Both are read without the lock: a wrong guess costs a turn, never correctness.
        """
        body, work, ready = self._bound(task), task.work, self._ready
        assert work is not None, f"{task.name} has no arguments"
        for argument in work:
            try:
                body(argument)
            except BaseException as error:
                error.add_note(f"{task.name!r} was called with {reprlib.repr(argument)}")
                raise
            if seat.called or (ready and self._others_wait(task)):
                return

    def _bound(self, task: Handle) -> Callable[..., Any]:
        """The body of a task of many bodies, with its context and with what it is given by name."""
        assert task.body is not None, f"{task.name} has arguments and no body"
        if not task.given and not task.wants_context:
            return task.body
        return partial(task.body, *[Context(task.scheduler, task)] * task.wants_context, **task.values())

    def _others_wait(self, task: Handle) -> bool:
        try:
            return self._ready[0] is not task
        except IndexError:  # somebody took it
            return False

    def _stop(self) -> None:
        """Nothing begins any more, and nothing more is drawn of tasks of many bodies, which have failed then."""
        self._stopped = True
        self._cancel_what_waits()
        for node in self._kernel.nodes:
            task: Any = node.load
            if node.phase is _RUNNING and task.left():
                task.draw_no_more()
                task._error = task._error or TaskLost(task.name, "interrupted", "")

    def _fail(self, task: Handle, error: BaseException) -> None:
        if task.failed_with(error):
            self._failed.append(task)
            if task._more.work is not None:
                task.draw_no_more()

    def _settle(self, task: Handle) -> None:
        """It has closed."""
        if task._more.given:
            task.forget_what_was_given()
        for seat in task.waiters:
            self._asleep.rouse(seat)

    def _do(self, commands: Commands, takes_one: bool = False) -> None:
        """What the kernel says. With `takes_one`, the caller goes on to take one piece of work itself (rule 2)."""
        added = 0
        for command, node in commands:
            task: Any = node.load  # a Handle, because only `spawn` and `add_graph` add nodes
            if command is _RUN:
                if not self._stopped:
                    self._ready.append(task)
                    added += 1
                elif node.phase is _READY:
                    self._do(self._kernel.receive(Stimulus.CANCELLED, node))
            elif command is _SETTLE:
                self._settle(task)
        if added > takes_one:
            self._asleep.wake()
