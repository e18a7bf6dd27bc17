"""One run of a plan, where slots are places in a list: what the stack, threads and event loops share.

`Slots` fetches arguments, keeps payloads, and lets them go; `Job` is a run of which several tasks may be at work. Who
runs what when is the business of neither: the stack walks a list, and everything else is the kernel's.

An exception keeps its frames, and those their callers: whatever stands in a variable of theirs when they return lives
as long as the exception. So the functions below a task keep neither arguments nor outcomes in variables when they
return: else an exception would be part of a circle, and what its task had in hand would wait for the collector.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import Any, cast

from hocket.plan.adapters import Outcome
from hocket.plan.attempts import OURS, Conduct, conduct
from hocket.plan.context import Context
from hocket.plan.copies import copy_of
from hocket.plan.layouts import Layout
from hocket.plan.plan import Plan
from hocket.plan.results import OK, Status, StepResult, TaskResult, named
from hocket.plan.sources import Mode, Source

__all__ = ["Ended", "Event", "Job", "Slots", "Teller", "ending", "perform", "perform_async", "stops"]

OURS.add(__file__)

_BORROW, _BORROW_MUT = Mode.BORROW, Mode.BORROW_MUT  # read for every argument

Event = tuple[str, ...]
"""("enter", task), ("succeed", task), ("end", task, status) or ("leave", task): the deeds of `models/plans.py`."""


class Ended(Exception):
    """A task of a plan did not succeed, or was not let in: what comes after it is lost."""


class Teller:
    """Tells a watcher what happens; who succeeded is left when its children, or whoever takes from it, are over."""

    def __init__(self, plan: Plan, watch: Callable[[Event], object]) -> None:
        self._names, self._watch = plan.names, watch
        self._live: dict[int, None] = {}

    def entered(self, node: int) -> None:
        self._watch(("enter", self._names[node]))

    def succeeded(self, node: int) -> None:
        self._live[node] = None
        self._watch(("succeed", self._names[node]))

    def ended(self, node: int, status: Status) -> None:
        self._watch(("end", self._names[node], status.value))

    def came_of(self, node: int, outcome: Outcome) -> None:
        if outcome.ok:
            self.succeeded(node)
        else:
            self.ended(node, outcome.status)

    def left(self, node: int) -> None:
        if node in self._live:
            del self._live[node]
            self._watch(("leave", self._names[node]))

    def broke(self) -> None:
        """The run has ended: everything is left, the innermost first."""
        for live in reversed(list(self._live)):
            self.left(live)


class Slots:
    """The payloads of a run, and the tasks that take and give them."""

    def __init__(self, plan: Plan, layout: Layout, context: Context, cancelled: Callable[[], bool]) -> None:
        self.plan, self._context, self._cancelled = plan, context, cancelled
        self._place = layout.slot
        self._slots: list[Any] = [None] * layout.count
        self._stages: dict[int, Any] = {}

    def steps(self, node: int) -> Conduct:
        """The attempts of a node, to be performed."""
        task = self.plan.tasks[node]
        return conduct(task, partial(self._arguments, node) if task.sources else tuple, self._cancelled)

    def keep(self, node: int, outcome: Outcome) -> Outcome:
        """Put a payload into its slot and onto the stage; what raises while it is copied fails the run (Y-B3)."""
        if isinstance(outcome, TaskResult) and outcome.ok and self.plan.owns(node):
            self._slots[self._place[node]] = outcome.value
        if outcome.ok and node in self.plan.staged:
            try:
                self._stages[node] = copy_of(self._slots[self._place[self.plan.owner[node]]])
            except Exception as error:
                return StepResult.failure(error)
        return outcome

    def release(self, node: int) -> None:
        """Its payload, and what was staged of it, is over."""
        if self._stages:
            self._stages.pop(node, None)
        if self.plan.owns(node):
            self._slots[self._place[node]] = None

    def clear(self) -> None:
        """The run is over."""
        self._slots.clear()
        self._stages.clear()

    def _arguments(self, node: int) -> tuple[Any, ...]:
        return tuple(map(self._fetch, self.plan.tasks[node].sources, self.plan.feeds(node), repeat(node)))

    def _fetch(self, source: Source, owner: int, node: int) -> Any:
        mode = source.mode
        if mode is _BORROW or mode is _BORROW_MUT:
            return self._slots[self._place[owner]]
        if mode is Mode.VALUE:
            return source.held
        if mode is Mode.CONTEXT:
            return self._context.get(source.type)
        if mode is Mode.COPY:
            staged = self.plan.takes_stage(node)
            return copy_of(self._stages[self.plan.parents[node]] if staged else self._slots[self._place[owner]])
        payload, self._slots[self._place[owner]] = self._slots[self._place[owner]], None
        return payload


class Job:
    """A run of which several may have a part: `result` is None while nothing has ended it.

    The lock is held for the moments in which something is decided about the run as a whole, never while a task is
    called: nobody enters after the run has ended, and a watcher is told everything in the order in which it happened.
    """

    def __init__(self, slots: Slots, tell: Teller | None, cancelled: Callable[[], bool], isolate: bool = False) -> None:
        self.slots, self.plan, self._tell, self._cancelled = slots, slots.plan, tell, cancelled
        self._isolate = isolate
        self.result: StepResult | None = None
        self._lost: StepResult | None = None  # what will be the result if nothing ends the run
        self.escaped: BaseException | None = None  # what no task should raise: Ctrl-C, and the like
        self._lock = threading.Lock()

    def enter(self, node: int) -> bool:
        """Whether it may begin: nothing has ended the run."""
        with self._lock:
            if self.result is None and self._cancelled():
                self.result = StepResult.abort_execution()
            if self.result is not None:
                return False
            if self._tell is not None:
                self._tell.entered(node)
            return True

    def finish(self, node: int, outcome: Outcome) -> bool:
        """Keep what came of it; whether what comes after it may run."""
        outcome = self.slots.keep(node, outcome)
        with self._lock:
            if self._tell is not None:
                self._tell.came_of(node, outcome)
            result = ending(self.plan, node, outcome)
            if result is not None and self.result is None:
                if stops(result, self._isolate):
                    self.result = result
                elif self._lost is None:
                    self._lost = result
        return outcome.ok

    def leave(self, node: int) -> None:
        """Its payload is over. Once something has ended the run nothing is left singly: see `over`."""
        with self._lock:
            if self.result is not None:
                return
        self.slots.release(node)
        if self._tell is not None:
            with self._lock:
                self._tell.left(node)

    def escape(self, error: BaseException) -> None:
        with self._lock:
            self.escaped = self.escaped or error
            if self.result is None:
                self.result = StepResult.failure()

    def over(self) -> StepResult:
        """The result, when nothing is at work any more: whatever still lives is left, the innermost first."""
        if self._tell is not None:
            self._tell.broke()
        if self.escaped is not None:
            raise self.escaped
        result = self._lost if self.result is None else self.result
        return OK if result is None else result

    def clear(self) -> None:
        """Keep nothing: what stands here would be kept by an exception, whose frames know this job."""
        self.slots.clear()
        self.result = self._lost = self.escaped = None


def stops(result: StepResult, isolate: bool) -> bool:
    """Whether nothing else is to run. Isolated, a failure (or a retry that nobody granted) ends its branch only."""
    return not isolate or result.status is Status.ABORT_EXECUTION


def ending(plan: Plan, node: int, outcome: Outcome) -> StepResult | None:
    """What this outcome makes of the run: nothing if it is a success, or a branch that is aborted and not the whole."""
    if outcome.ok or (outcome.status is Status.ABORT_BRANCH and not (plan.is_tree and node == 0)):
        return None
    return named(outcome.step if isinstance(outcome, TaskResult) else outcome, plan.names[node])


def perform(steps: Conduct) -> Outcome:
    """Call what is to be called, until it is settled what came of it."""
    try:
        body, arguments = next(steps)
        while True:
            try:
                raw = body(*arguments)
            except Exception as error:
                arguments = ()  # the exception's traceback keeps this frame
                body, arguments = steps.throw(error)
            except BaseException:
                arguments = ()
                raise
            else:
                arguments = ()
                body, arguments = steps.send(raw)
    except StopIteration as settled:
        return cast(Outcome, settled.value)  # in no variable: see above


async def perform_async(steps: Conduct) -> Outcome:
    """The same, for a body that is awaited."""
    try:
        body, arguments = next(steps)
        while True:
            try:
                raw = await body(*arguments)
            except Exception as error:
                arguments = ()
                body, arguments = steps.throw(error)
            except BaseException:
                arguments = ()
                raise
            else:
                arguments = ()
                body, arguments = steps.send(raw)
    except StopIteration as settled:
        return cast(Outcome, settled.value)  # in no variable: see above
