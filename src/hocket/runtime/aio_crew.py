"""The bodies in flight on an event loop: who begins next, on the loop or in a worker thread, and how each one ends.

Everything that happens to a task happens on the loop, in callbacks and coroutines of
ours between which nobody else runs; so there are no sleepers and no wake-ups to lose.
Tasks may be built from other threads (a body in a worker thread does so), which is
why the kernel has a lock here too, and what such a call comes to is handed to the loop.

Three things are worth knowing:

1. *Places.* `workers` bodies are in flight at most. A body that awaits a task of its
   own scheduler gives its place away meanwhile, and takes one again before it goes on:
   waiting bodies cannot starve the rest. Only a body that is cancelled, or whose
   time is up, goes on without having been given one.
2. *A body is a task of asyncio's of its own*, or, where bodies await nothing, as good as
   one (`aio_hosts.py`), in the context in which it was spawned.
3. *Few begin at a time.* At most `_AT_ONCE` bodies are made that have not had their
   first turn. That costs less than half of making all at once (memory is used again
   while it is warm), and other callbacks of the loop get their turn between 100,000
   tasks.

A body has started with its first turn, and not before: until then it can be
cancelled like anything in the queue.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context as Variables
from functools import partial
from inspect import iscoroutine
from math import inf
from threading import RLock, get_ident
from typing import Any

from hocket.kernel import Command, Commands, Kernel, Node, Phase, Stimulus
from hocket.runtime.aio_handle import AsyncHandle
from hocket.runtime.aio_hosts import LIVES, Hosts, Life, pause
from hocket.runtime.aio_threads import Threads
from hocket.runtime.handle import RUNNING, Context
from hocket.runtime.light import Light
from hocket.runtime.pickers import Picker, picker_of
from hocket.runtime.primitives import Lock
from hocket.runtime.task import PLAIN

__all__ = ["AsyncCrew", "wake"]

# an enum's member costs a look-up in its class each time, and these are read for every task
_STARTED, _RETURNED, _RAISED = Stimulus.STARTED, Stimulus.RETURNED, Stimulus.RAISED
_RUN, _SETTLE = Command.RUN, Command.SETTLE
_READY, _DRAINING = Phase.READY, Phase.DRAINING

_AT_ONCE = 100  # bodies that have been made and have not had their first turn
_FEW = 50  # where there are so many, others are made


class AsyncCrew(Light[AsyncHandle]):
    """The bodies of a kernel's tasks on one event loop, and the queue that they are taken from."""

    _handle = AsyncHandle
    _awaits = True

    def __init__(
        self, kernel: Kernel, workers: int | None, threads: int, picker: str | Picker[AsyncHandle], seed: int
    ) -> None:
        super().__init__(kernel, RLock(), picker_of(picker, seed))  # re-entrant: a loop may run a task as it is made
        self._loop: Any = None  # from when it is entered
        self._places: float = inf if workers is None else workers
        self._in_flight = 0  # bodies that have a place
        self._aside: deque[AsyncHandle] = deque()  # ready, and waiting for a thread
        self._back: deque[Future[bool]] = deque()  # of bodies that have joined, and wait for a place to go on
        self._hosts = Hosts(self)  # of bodies on the loop that are the only ones of their tasks
        self._lives: dict[Life, AsyncHandle] = {}  # bodies on the loop, from their first turn to their end
        self._turns: dict[AsyncHandle, Future[bool]] = {}  # of those that draw from async iterators, and wait to do so
        self._joined: dict[Life, int] = {}  # those that have given their place away, and in how many joins they are
        self._in_threads: dict[int, AsyncHandle] = {}  # by thread: whose body it is in
        self._unborn = 0  # bodies on the loop that have not had their first turn
        self._threads = Threads(threads)
        self._alone = True  # no body has been in a thread: only the loop's thread touches the kernel
        self._filling = False

    def _lock_for_items(self) -> Lock:
        return RLock()

    def _body_here(self) -> AsyncHandle | None:
        # asked first: in a thread, the variables are those of whoever spawned the task
        task = self._in_threads.get(get_ident())
        life = self._life_here() if task is None else None
        return task if life is None else self._lives.get(life)  # it may end while another thread asks

    # -- what the kernel says -----------------------------------------------------------------------------------------

    def _do(self, commands: Commands) -> None:
        if asyncio._get_running_loop() is self._loop:
            self._take_up(commands)
        elif commands:
            self._loop.call_soon_threadsafe(self._take_up, commands)

    def _offer(self, task: AsyncHandle) -> None:
        if asyncio._get_running_loop() is not self._loop:
            self._loop.call_soon_threadsafe(self._offer, task)
        elif not self._stopped:  # else it was entered and cancelled on its way here
            self._ready.append(task)
            self._go_on()

    def _take_up(self, commands: Commands) -> None:
        """On the loop: queue what is ready, wake who awaited what has closed, and begin what there is room for."""
        for command, node in commands:
            task: Any = node.load  # an AsyncHandle, because only `spawn` and `add_graph` add nodes
            if command is _RUN:
                if not self._stopped:
                    self._ready.append(task)
                elif node.phase is _READY:
                    self._take_up(self._tell_kernel(Stimulus.CANCELLED, node))
            elif command is _SETTLE:
                self._settle(task)
                if not node.fate:  # nobody asks it for its handle: both are freed without the collector
                    node.load = None
        self._go_on()

    def _settle(self, task: AsyncHandle) -> None:
        """It has closed."""
        for waiter in task.waiters:
            wake(waiter)
        if task._more.given:
            task.forget_what_was_given()

    def _go_on(self) -> None:
        """Begin what there is room for; when nobody is left, see to that."""
        if self._unborn < _FEW and not self._filling and (self._ready or self._back or self._aside):
            self._fill()
        if not self._in_flight:
            if self._closing is not None:
                self._look_after_the_end()
            elif not self._places:
                self._nobody_is_left()

    def _tell_kernel(self, stimulus: Stimulus, node: Node) -> Commands:
        if self._alone:
            return self._kernel.receive(stimulus, node)
        with self._lock:
            return self._kernel.receive(stimulus, node)

    def _look_after_the_end(self) -> None:
        """It is closing, and nobody is in flight."""
        raise NotImplementedError

    def _nobody_is_left(self) -> None:
        """Nobody is in flight, and there is no worker."""
        raise NotImplementedError

    # -- who begins next ----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Give away free places, first to bodies that have one to go on to, then to what is ready."""
        self._filling = True  # a loop may run tasks as they are made, and an iterator may spawn: not in here again
        try:
            while self._in_flight < self._places and self._unborn < _AT_ONCE:
                if self._back:
                    self._in_flight += wake(self._back.popleft())
                elif self._aside and self._threads.free > 0:
                    self._begin(self._aside.popleft())
                elif self._ready:
                    task = self._ready.popleft()
                    if task.is_async and task._more.work is None:
                        if not self._hosts.takes(task):
                            self._make(task, self._live(task), task.context)
                    elif task.is_async or self._threads.free > 0:
                        self._begin(task)
                    else:  # sync bodies wait aside while all threads are at work
                        self._aside.append(task)
                else:
                    return
        finally:
            self._filling = False

    def _begin(self, task: AsyncHandle) -> None:
        """A task of many bodies, or one for a thread, if it may begin: it may have been cancelled in the queue."""
        if task.work is not None:
            self._begin_one_of_many(task)
        elif self._starts(task):
            self._send(task, ())

    def _starts(self, task: AsyncHandle) -> bool:
        """Whether it may begin, and has."""
        if self._alone:
            commands = self._started(task)
        else:
            with self._lock:
                commands = self._started(task)
        if commands:
            self._take_up(commands)
        return commands is not None

    def _started(self, task: AsyncHandle) -> Commands | None:
        """What follows; None when it may not begin."""
        node = task._node
        if node is None:
            task.standing = RUNNING
            return ()
        return self._kernel.receive(_STARTED, node) if node.phase is _READY else None

    def _report(self, task: AsyncHandle, error: BaseException | None) -> None:
        """A body of it is over."""
        if error is not None and task.failed_with(error) and not isinstance(error, CancelledError):
            self._failed.append(task)
        if self._alone:
            commands = self._ended(task, error is None)
        else:
            with self._lock:
                commands = self._ended(task, error is None)
        self._take_up(commands)
        if self._builds:
            self._lets_go(task)

    def _ended(self, task: AsyncHandle, well: bool) -> Commands:
        """What follows when a body of it is over."""
        node = task._node
        if node is not None or not well:
            return self._kernel.receive(_RETURNED if well else _RAISED, node or task.entered())
        if task.waiters or task._more is not PLAIN:
            self._settle(task)
        self._finish_light(task)
        return ()

    def _lets_go(self, task: AsyncHandle) -> None:
        with self._lock:
            self._builds_no_more(task)

    # -- bodies on the loop -------------------------------------------------------------------------------------------

    def _make(self, task: AsyncHandle, life: Coroutine[Any, Any, None], variables: Variables) -> None:
        self._in_flight += 1
        self._unborn += 1
        life.send(None)
        self._loop.create_task(life, name=task.name, context=variables)

    async def _live(self, task: AsyncHandle, drawn: Sequence[Any] = (), called: Any = None) -> None:
        """The life of one body; `called` is the coroutine that a sync body returned."""
        is_new = called is None and task.work is None
        try:
            await pause()
        except BaseException as error:
            self._never_began(task, is_new, error)
            if called is not None:
                called.close()
            raise
        self._unborn -= 1
        if is_new and not self._starts(task):
            self._leaves()
            return
        me = self._is_born(task)
        try:
            value = await (called or task.begin(Context(self, task) if task.wants_context else None, *drawn))
        except BaseException as error:
            self._fails(me, task, error)
        else:
            if not drawn:
                task.gave(value)
            self._ends(me, task, None)
        finally:
            LIVES.set(())  # the asyncio task has its variables, and would have itself

    def _is_born(self, task: AsyncHandle) -> Life:
        """It has its first turn."""
        me = asyncio.current_task(self._loop)
        assert me is not None, f"{task.name} is run by no task of asyncio's"
        me.set_name(task.name)  # which a loop that runs a task as it is made has not done yet
        self._lives[me] = task
        outer = LIVES.get()
        LIVES.set((me, *[life for life in outer if life not in self._lives and not life.done()]) if outer else (me,))
        return me

    def _never_began(self, task: AsyncHandle, is_new: bool, error: BaseException) -> None:
        """It was cancelled as a task of asyncio's, or its loop was closed, before its first turn."""
        if self._loop.is_closed():
            return
        self._unborn -= 1
        if not is_new:
            self._in_flight -= 1
            self._report(task, error)
        elif task.node.phase is _READY:
            self._in_flight -= 1
            self._take_up(self._tell_kernel(Stimulus.CANCELLED, task.node))
        else:
            self._leaves()

    def _leaves(self) -> None:
        """A body goes that had a place and has not started."""
        self._in_flight -= 1
        self._take_up([])

    def _fails(self, me: Life, task: AsyncHandle, error: BaseException) -> None:
        self._ends(me, task, error)
        if isinstance(error, KeyboardInterrupt):  # meant for the loop, and told to whoever runs it
            me.add_done_callback(asyncio.Task.exception)
            raise error

    def _ends(self, me: Life, task: AsyncHandle, error: BaseException | None) -> None:
        if error is not None and self._loop.is_closed():  # it was left behind, and is taken down
            return
        del self._lives[me]
        if not (self._joined and self._joined.pop(me, 0)):  # else it has given its place away already
            self._in_flight -= 1
        self._report(task, error)

    # -- bodies that join ---------------------------------------------------------------------------------------------

    def _life_here(self) -> Life | None:
        """The body of this scheduler that one is in, if it has not ended."""
        return next((life for life in LIVES.get() if life in self._lives), None)

    def _step_aside(self, life: Life | None) -> None:
        """A body begins to wait for a task: its place is another's. It may do so several times at once."""
        if life is None:
            return
        self._joined[life] = self._joined.get(life, 0) + 1
        if self._joined[life] == 1:
            self._in_flight -= 1
            self._take_up([])

    async def _step_back(self, life: Life | None, at_once: bool) -> None:
        """It goes on, when it has a place again; `at_once`, whether there is one or not."""
        if life is None or life not in self._joined:  # the body has ended, and left this part of it behind
            return
        self._joined[life] -= 1
        if self._joined[life]:
            return
        del self._joined[life]
        if at_once or self._in_flight < self._places:
            self._in_flight += 1
            return
        place: Future[bool] = self._loop.create_future()
        self._back.append(place)
        try:
            await place
        except CancelledError:
            if place.cancelled():  # else it has been given one
                self._in_flight += 1
            raise

    # -- bodies in threads --------------------------------------------------------------------------------------------

    def _send(self, task: AsyncHandle, drawn: Sequence[Any]) -> None:
        self._in_flight += 1
        self._alone = False
        variables = task.context.copy() if drawn else task.context
        self._threads.send(partial(variables.run, self._call, task, drawn))

    def _call(self, task: AsyncHandle, drawn: Sequence[Any]) -> None:
        """In a thread; its end is handed to the loop."""
        value: Any = None
        error: BaseException | None = None
        me = get_ident()
        self._in_threads[me] = task
        try:
            value = task.begin(Context(self, task) if task.wants_context else None, *drawn)
        except BaseException as raised:
            error = raised
        del self._in_threads[me]
        with suppress(RuntimeError):  # the loop is closed: it was left behind
            self._loop.call_soon_threadsafe(self._back_from_thread, task, drawn, value, error)

    def _back_from_thread(self, task: AsyncHandle, drawn: Sequence[Any], value: Any, error: Any) -> None:
        self._threads.came_back()
        self._in_flight -= 1
        if iscoroutine(value):  # of a lambda, for instance: it is awaited, in the same place
            self._make(task, self._live(task, drawn, value), task.context.copy())
            return
        if not drawn:
            task.gave(value)
        self._report(task, error)
        if isinstance(error, KeyboardInterrupt):
            raise error

    # -- tasks of many bodies -----------------------------------------------------------------------------------------

    def _begin_one_of_many(self, task: AsyncHandle) -> None:
        """Draw for one body more.

        There is one turn to draw, which is in the queue or in use; so nothing is drawn twice. It counts as a body of
        the task, so that the task does not close between two. When one has failed, nothing more is drawn.
        """
        is_new = self._starts(task)
        if task.node.phase >= _DRAINING:  # it was cancelled in the queue
            return
        if isinstance(task.work, AsyncIterator):
            if is_new:
                self._make(task, self._draw(task, task.work), task.context)
            elif task in self._turns:  # else whoever drew has been interrupted meanwhile
                self._in_flight += wake(self._turns[task])
            return
        assert task.work is not None, f"{task.name} has no arguments"
        try:
            argument = None if self._is_enough(task) else task.context.run(next, task.work)
        except BaseException as error:
            self._report(task, None if isinstance(error, StopIteration) else error)
            return
        if self._is_enough(task):
            self._report(task, CancelledError() if self._stopped else None)
        else:
            self._drawn(task, argument, task.left() > 0)

    def _is_enough(self, task: AsyncHandle) -> bool:
        return self._stopped or task._error is not None

    def _drawn(self, task: AsyncHandle, argument: Any, more: bool) -> None:
        self._tell_kernel(Stimulus.SPLIT, task.node)
        if task.is_async:
            self._make(task, self._live(task, (argument,)), task.context.copy())
        else:
            self._send(task, (argument,))
        if more:
            self._ready.append(task)
        else:
            self._report(task, None)

    async def _draw(self, task: AsyncHandle, items: AsyncIterator[Any]) -> None:
        """The life of whoever draws from an async iterator: one task of asyncio's from the first item to the last."""
        try:
            await pause()
        except BaseException as error:
            self._never_began(task, False, error)
            raise
        self._unborn -= 1
        me = self._is_born(task)
        ended: BaseException | None = None
        try:
            while not self._is_enough(task):
                await self._next_turn(task, await anext(items))
        except BaseException as error:
            ended = None if isinstance(error, StopAsyncIteration) else error
        try:
            await _closed(items)
        except BaseException as error:
            ended = ended or error
        self._ends(me, task, ended or (CancelledError() if self._stopped else None))

    async def _next_turn(self, task: AsyncHandle, argument: Any) -> None:
        """The place is the body's; wait for another, as the queue goes. Whoever is cancelled goes on without."""
        turn: Future[bool] = self._loop.create_future()
        self._turns[task] = turn
        self._in_flight -= 1
        self._drawn(task, argument, more=True)
        self._take_up([])
        try:
            await turn
        except CancelledError:
            self._in_flight += turn.cancelled()  # else it has been given one
            raise
        finally:
            del self._turns[task]

    # -- the end ------------------------------------------------------------------------------------------------------

    def _is_at_rest(self) -> bool:
        """Nothing is in flight, and nothing is ready."""
        return not (self._in_flight or self._ready or self._aside or self._back)

    def _stop(self) -> None:
        """Nothing begins any more, and what runs on the loop is interrupted where it awaits."""
        self._stopped, self._closing = True, Stimulus.CANCELLED
        with self._lock:
            self._cancel_what_waits()
            self._tell_the_idle(at_rest=False)
        for life in list(self._lives):
            life.cancel()


async def _closed(items: Any) -> None:
    """An async generator is closed when nothing more is drawn from it."""
    if hasattr(items, "aclose"):
        await items.aclose()


def wake(waiter: Future[bool]) -> bool:
    """Whether it was still waiting."""
    if waiter.done():
        return False
    waiter.set_result(True)
    return True
