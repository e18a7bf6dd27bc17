"""An event loop that does no input and no output, and makes choices of what asyncio leaves open.

It is asyncio's own `BaseEventLoop` (tasks, futures, executors, async generators, debug mode and exception handlers
are the standard library's) with another heart. What asyncio promises it keeps: `call_soon` callbacks run in the order
in which they were scheduled, each turn takes those that were ready when it began. What is open is chosen by the
explorer: which of the timers that are due at the same time comes first, and whether the next one falls into the same
turn; whether a timer comes before what another thread hands in; and when somebody outside cancels a task.

A loop runs in the actor that runs it, and its tasks are no actors: between two callbacks nobody else touches what
they touch, and their order is promised, so there is nothing to explore between them. As soon as the program has other
threads, handing in a callback, beginning a turn and waiting become operations on the loop. Time is virtual: computing
takes none, and it passes when nothing is ready.

Refused: a selector of our own under asyncio's `_run_once`, which takes equal timers in the order of its heap, and a
thread for each task, which would make every await a switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from hocket.explore.aio.ordered import OrderedFuture, OrderedTask
from hocket.explore.aio.refused import METHODS, refuse
from hocket.explore.aio.standing import is_of_asyncio, name_of, place_of_task, waits_of
from hocket.explore.aio.timers import SAME, Timers
from hocket.explore.threads.control import ACTORS, Actor, Control, End, Unwind, current
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.values import Deed
from hocket.trace.brief import brief
from hocket.trace.operation import Operation

__all__ = ["Loop"]

_REPEATING = 12  # callbacks that are named where a loop does not come to rest


_Plain: Any = asyncio.BaseEventLoop  # whose own fields and methods typeshed does not know


class Loop(_Plain):  # type: ignore[misc]  # of Any, see above
    """The event loop of an exploration; made in place of asyncio's own."""

    def __init__(self) -> None:
        super().__init__()
        actor = _caller()
        self.control: Control = actor.control
        self.number = self.control.execution.new_object(actor.number, "loop", 0)
        self.tasks: list[Any] = []  # all that were made, kept so that none is gone before its time
        self.futures: list[Any] = []
        self._scheduled: list[Any] = []
        self._clock_resolution = SAME
        self._timers = Timers(self)
        self._closing = self.control.execution.new_object(actor.number, "loop.end", 0)
        self._handed_in = 0  # callbacks that came as operations
        self._known = 0  # of these, when whoever runs the loop last looked
        self._unseen = 0  # callbacks that have become ready since then
        self._runner: Actor | None = None
        self._is_shut = False  # for what is handed in
        self._run_so_far = 0  # callbacks that ran
        self._tasks_made = 0
        self.has_cancelled = False  # somebody, from outside
        self._any = self.control.session.order == "any"
        self._targets = self.control.session.cancel
        self.control.loops.append(self)

    def __del__(self) -> None:
        """Nothing is open that could be left so."""

    # -- what asyncio asks a loop for ---------------------------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds."""
        actor = current()
        return actor.clock if actor is not None else 0.0

    def create_future(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = OrderedFuture(loop=self, place=len(self.futures))
        self.futures.append(future)
        return future

    def create_task(self, coro: Any, *, name: str | None = None, **kwargs: Any) -> Any:
        """A task; without a name it is numbered by this loop, so that it is called the same in every execution."""
        self._tasks_made += 1
        name = name or f"Task-{self._tasks_made}"
        if self._task_factory is None and not self._closed:
            task: Any = OrderedTask(coro, loop=self, name=name, place=self._tasks_made, **kwargs)
            if task._source_traceback:
                del task._source_traceback[-1]
        else:
            task = super().create_task(coro, name=name, **kwargs)
        self.tasks.append(task)
        return task

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        """As ever; from another thread than the loop's it fails, as in debug mode, because it would be a race."""
        control = self.control
        alone = len(control.actors) == 1
        if alone and not (self._debug or self._closed or control.over):
            handle = asyncio.Handle(callback, args, self, context)
            self._ready.append(handle)
            return handle
        if not alone and not control.over:
            self._check_thread()
        return super().call_soon(callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        if len(self.control.actors) > 1 and not self.control.over:
            self._check_thread()
        timer = super().call_at(when, callback, *args, context=context)
        self._timers.made(timer)
        return timer

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        if self.control.over or len(self.control.actors) == 1:
            return super().call_soon(callback, *args, context=context)
        self._hand_in()
        if self._is_shut:
            raise RuntimeError("Event loop is closed")
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        return self._append(callback, args, context)

    def _call_soon(self, callback: Callable[..., Any], args: Any, context: Any) -> Any:
        if len(self.control.actors) > 1:
            self._hand_in()
        return self._append(callback, args, context)

    def _append(self, callback: Callable[..., Any], args: Any, context: Any) -> Any:
        handle = asyncio.Handle(callback, args, self, context)
        if not self.control.over:
            self._ready.append(handle)
            self._unseen += self._has_company() and not self.is_run_by(current())
        return handle

    def is_run_by(self, actor: Actor | None) -> bool:
        """Whether this actor runs the loop, or was the last to."""
        return actor is not None and self._runner is actor

    def _hand_in(self) -> None:
        """The order in which threads hand in callbacks is that in which they run: an operation on the loop."""
        actor = current()
        if actor is None or self.control.over:
            if not self.control.over:
                self.control.used_by_outsider(self._name())
            return
        self.control.plain(actor, "loop.hand_in", self.number)
        self._handed_in += 1
        if self.is_run_by(actor):
            self._see()

    def _write_to_self(self) -> None:
        """Whoever waits is woken by the operation."""

    def _process_events(self, event_list: Any) -> None:
        """There are none."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads, however long: since 3.12 `asyncio.run` gives up on them after five minutes, and warns.

        Time is virtual here, so that would be a choice at the end of every program with an executor.
        """
        await super().shutdown_default_executor()

    def close(self) -> None:
        actor = current()
        if actor is not None and not self.is_running() and not self._closed and self._has_company():
            self._hand_in()  # others may try to
            self._is_shut = True
            self.control.plain(actor, "loop.hand_in", self._closing)
        super().close()

    def is_closed(self) -> bool:
        actor = current()
        if actor is not None and self._has_company():
            self.control.plain(actor, "loop.turn", self._closing)
        return bool(super().is_closed())

    def _has_company(self) -> bool:
        """Whether other actors might do something to this loop."""
        return len(self.control.actors) > 1 and not self.control.over

    def run_until_complete(self, future: Any) -> Any:
        """As ever; a finaliser that comes after the execution, of who runs a loop, finds nothing left to do."""
        actor = current()
        if self.control.over and (actor is None or actor.control is not self.control):
            if asyncio.iscoroutine(future):
                future.close()
            return None
        return super().run_until_complete(future)

    def run_forever(self) -> None:
        if self.control.over or _caller().control is not self.control:
            raise Unwind
        self._runner = current()
        if self._has_company():
            self._hand_in()  # whoever comes from now on finds it running
        super().run_forever()

    def stop(self) -> None:
        """As ever; a loop that runs in another thread would not wake up to hear it, so that is a failure."""
        actor = current()
        if actor is not None and self._has_company() and not self.is_run_by(actor):
            self._hand_in()
            self._check_thread()
        super().stop()

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """What asyncio would only log is a failure of the execution."""
        actor = current()
        if actor is None or self.control.over:
            return
        error = context.get("exception")
        message = str(context.get("message") or "unhandled error in an event loop")
        if error is not None and "never retrieved" not in message:
            error.add_note(f"hocket: {message.splitlines()[0]}; asyncio logs it and goes on")
            self.control.fail(actor, error)
        else:
            self.leak(f"{message.rstrip('!')}{f': {error!r}' if error is not None else ''}")

    def leak(self, told: str) -> None:
        if told not in self.control.leaks:
            self.control.leaks.append(told)

    def _name(self) -> str:
        return self.control.session.cast.objects[self.number]

    # -- a turn -------------------------------------------------------------------------------------------------------

    def _run_once(self) -> None:
        control = self.control
        if control.over:
            raise Unwind
        self._timers.next()  # those that were cancelled are forgotten
        if len(control.actors) > 1:
            self._meet_others()
        elif not self._ready and not self._stopping:
            self._rest_alone()
        if self._scheduled:
            self._timers.bring()
        if self._any:
            self._run_any()
            return
        for _ in self.ready_as_known():
            self.run(self._ready.popleft())
        if self._scheduled:
            self._timers.come_late()

    def _run_any(self) -> None:
        """One callback, whichever."""
        for handle in self.ready_as_known():
            if handle._cancelled:
                self._ready.remove(handle)
        if self._targets and self.ready_as_known():
            self._cancel_from_outside()
        if ready := self.ready_as_known():
            handle = ready[self.choose("loop.next", len(ready))]
            self._ready.remove(handle)
            self.run(handle)

    def run(self, handle: Any) -> None:
        """One callback; before it, somebody outside may cancel."""
        if self._targets and not self._any:
            self._cancel_from_outside()
        if handle._cancelled:
            return
        control = self.control
        self._run_so_far += 1
        if self._run_so_far > control.session.steps:
            self._give_up(handle)
        if control.story is not None:
            self._run_and_tell(handle)
        else:
            handle._run()
        if control.over:
            raise Unwind

    def actor(self) -> Actor:
        """Whoever asks."""
        return _caller()

    def choose(self, kind: str, count: int) -> int:
        """One of so many ways to go on."""
        if count == 1:
            return 0
        actor = _caller()
        operations = self.control.session.operations
        operation = operations.get((kind, count))
        if operation is None:
            operation = operations[kind, count] = Operation(kind, (), count)
        chosen: int = self.control.step(actor, operation)
        return chosen

    def _give_up(self, handle: Any) -> None:
        """The loop does not come to rest; what it repeats is said in a note."""
        turn = [_callback_in_words(each) for each in (handle, *list(self._ready)[:_REPEATING - 1])]
        said = "; ".join(dict.fromkeys(turn))
        self.control.session.notes.append(f"the event loop ran {self._run_so_far - 1:,} callbacks and has not come "
                                          f"to an end; what it goes on with: {said}")
        self.control.stop(_caller(), End.BOUND)

    # -- when nothing is ready ----------------------------------------------------------------------------------------

    def _rest_alone(self) -> None:
        """Time passes until the next timer; without one, nothing will ever happen again."""
        if not self._scheduled:
            self._wait_for_others()
            raise AssertionError("nobody could have woken this loop")
        if not self._is_cancelled_at_rest():
            self._timers.pass_time()

    def _is_cancelled_at_rest(self) -> bool:
        """Whether somebody outside has chosen this moment, in which nothing was to be done."""
        if self._targets:
            self._cancel_from_outside()
            if self.ready_as_known():
                self._timers.follow_on_heels()
        return bool(self.ready_as_known())

    def ready_as_known(self) -> list[Any]:
        """The callbacks that are ready, as far as whoever runs this loop can know without looking."""
        return list(self._ready)[:len(self._ready) - self._unseen]

    def _see(self) -> bool:
        """By an operation on the loop its runner knows what was handed in; answers whether it is news."""
        news, self._known, self._unseen = self._unseen > 0, self._handed_in, 0
        return news

    def _meet_others(self) -> None:
        """Look what other threads have handed in, and wait for them if there is nothing else to do."""
        if self.ready_as_known() or self._stopping:
            self._look()
        elif not self._is_cancelled_at_rest():
            self._wait_in_company()

    def _look(self) -> None:
        self.control.plain(self.actor(), "loop.turn", self.number)
        self._see()

    def _wait_in_company(self) -> None:
        """Until somebody hands in a callback, or it is the time of the next timer."""
        if self._timers.is_due():
            self._look()
            return
        if not self._scheduled:
            self._wait_for_others()
        elif not self.control.step(self.actor(), Operation("loop.timed", (self.number,), self._known)):
            self._timers.pass_time()
        if self._see():
            self._timers.follow_on_heels()

    def _wait_for_others(self) -> None:
        """Until somebody hands in a callback; if nobody ever does, it is told where the tasks stood."""
        try:
            self.control.step(self.actor(), Operation("loop.wait", (self.number,), self._known))
        except Unwind:
            self.control.tales[self.number] = self.tales()
            raise

    # -- cancellation from outside ------------------------------------------------------------------------------------

    def _cancel_from_outside(self) -> None:
        """Between two callbacks somebody outside may cancel one of the tasks that are under threat: once, or never."""
        at_risk = [task for task in self.tasks if not task.done() and self._is_target(task)]
        if not at_risk:
            return
        chosen = self.choose("loop.cancel", len(at_risk) + 1)
        if chosen:
            self._targets, self.has_cancelled = (), True
            task = at_risk[chosen - 1]
            self._tell(name_of(task), "is cancelled from outside", place_of_task(task))
            task.cancel()

    def _is_target(self, task: Any) -> bool:
        if "each" in self._targets and task is not self.tasks[0] and not is_of_asyncio(task):
            return True
        return task.get_name() in self._targets or getattr(task.get_coro(), "__name__", "") in self._targets

    # -- for reports --------------------------------------------------------------------------------------------------

    def _tell(self, who: str, what: str, place: Any) -> None:
        control = self.control
        if control.story is not None and control.values is not None:
            control.values.settle()
            control.story.append(Deed(len(control.execution.events), who, what, place))

    def at_work(self) -> str:
        """The task that is running, as reports call it; nobody outside of tasks, or if it is asyncio's own."""
        task = asyncio.current_task(self) if self.is_running() else None
        return name_of(task) if task is not None and not is_of_asyncio(task) else ""

    def _run_and_tell(self, handle: Any) -> None:
        task = getattr(handle._callback, "__self__", None)
        if not isinstance(task, asyncio.Task):
            name = _callback_in_words(handle)
            if not _is_plumbing(handle):
                self._tell(_caller().name, f"the loop calls {name}", None)
            handle._run()
            return
        got = self._got(handle)
        handle._run()
        if is_of_asyncio(task):
            return
        if task.done():
            self._tell(name_of(task), got + self._end_of(task), None)
        else:
            self._tell(name_of(task), got + waits_of(task), place_of_task(task))

    def _in_words(self, value: Any) -> str:
        values = self.control.values
        return brief(value, values.called) if values is not None else ""

    def _got(self, handle: Any) -> str:
        """What the task has waited for, with which it goes on."""
        awaited = next(iter(handle._args or ()), None)
        if not isinstance(awaited, asyncio.Future) or not awaited.done() or awaited.cancelled():
            return ""
        error = getattr(awaited, "_exception", None)
        result = None if error is not None else getattr(awaited, "_result", None)
        return "" if result is None else f"got {self._in_words(result)}, "

    def _end_of(self, task: Any) -> str:
        if task.cancelled():
            return "ends: cancelled"
        error = getattr(task, "_exception", None)
        if error is not None:
            return f"ends with {type(error).__name__}"
        return "ends" if task._result is None else f"ends → {self._in_words(task._result)}"

    def tales(self) -> list[tuple[str, str, Any]]:
        """Of each task that has not ended: who, what it waits for, and where."""
        return [(name_of(task), waits_of(task), place_of_task(task)) for task in self.tasks if not task.done()]

    def stands_still(self) -> tuple[int, int, int]:
        """Equal at two moments only if no callback has run and none was scheduled between: for a livelock."""
        return self._run_so_far, len(self._ready), len(self._scheduled)

    # -- the end of an execution --------------------------------------------------------------------------------------

    def tell_leaks(self) -> None:
        """What asyncio would complain of when it came to delete it."""
        for task in self.tasks:
            if not task.done():
                self.leak(f"task {name_of(task)} is destroyed while it is pending: it {waits_of(task)}")
        for future in (*self.tasks, *self.futures):
            if getattr(future, "_log_traceback", False):
                who = f"task {name_of(future)}" if isinstance(future, asyncio.Task) else "a future"
                self.leak(f"the exception of {who} was never retrieved: {getattr(future, '_exception', None)!r}")

    def dissolve(self) -> None:
        """Close what is suspended and let go of everything, now, and not when the garbage collector comes by."""
        for task in self.tasks:
            task._log_destroy_pending = False
            asyncio.tasks._unregister_task(task)  # nobody is to cancel it now
            if not task.done():
                with suppress(BaseException):
                    task.get_coro().close()
        for future in (*self.tasks, *self.futures):
            with suppress(AttributeError):
                future._log_traceback = False
        self._ready.clear()
        self._scheduled.clear()
        self.tasks.clear()
        self.futures.clear()
        self._closed = True


def _caller() -> Actor:
    actor = ACTORS.get(_get_ident())
    if actor is None:
        refuse("used", "run by a thread that the explorer does not know", "an event loop of an explored program",
               "start threads through threading")
    assert actor is not None
    return actor


def _callback_in_words(handle: Any) -> str:
    callback: Any = handle._callback
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        place = place_of_task(task)
        return name_of(task) + (f" at {place[0].rpartition('/')[2]}:{place[1]}" if place else "")
    while isinstance(callback, partial):
        callback = callback.func
    return str(getattr(callback, "__qualname__", None) or type(callback).__name__)


def _is_plumbing(handle: Any) -> bool:
    callback: Any = handle._callback
    while isinstance(callback, partial):
        callback = callback.func
    return str(getattr(callback, "__module__", "")).startswith(("asyncio", "_asyncio"))


for _name, _method in METHODS.items():
    setattr(Loop, _name, _method)
