"""One run of a plan, where slots are places in a list: what the stack, threads and event loops share.

A job fetches arguments, calls a task through its adapters, keeps its payload, and hears when a payload is over. Who
runs what when is not its business: the stack walks a list, and everything else is the kernel's.

The lock is held for the moments in which something is decided about the run as a whole, never while a task is called:
nobody enters after the run has ended, and what is told to a watcher is told in the order in which it happened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from hocket.plan.adapters import Outcome
from hocket.plan.attempts import OURS, Conduct, conduct
from hocket.plan.context import Context
from hocket.plan.copies import copy_of
from hocket.plan.layouts import Layout
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.results import OK, Status, StepResult, TaskResult, named
from hocket.plan.sources import Mode, Source

__all__ = ["Ended", "Event", "Job", "Teller", "perform", "perform_async"]

OURS.add(__file__)

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

    def left(self, node: int) -> None:
        if node in self._live:
            del self._live[node]
            self._watch(("leave", self._names[node]))

    def broke(self, node: int, status: Status, entered: bool = True) -> None:
        """The run ends here, one task at a time: everything is left, the innermost first."""
        if entered and node not in self._live:
            self.ended(node, status)
        for live in reversed(list(self._live)):
            self.left(live)


class Job:
    """A run: `result` is None while nothing has ended it."""

    def __init__(
        self, plan: Plan, layout: Layout, context: Context, tell: Teller | None, cancelled: Callable[[], bool]
    ) -> None:
        self.plan, self.context, self.tell, self.cancelled = plan, context, tell, cancelled
        self.result: StepResult | None = None
        self.escaped: BaseException | None = None  # what no task should raise: Ctrl-C, and the like
        self._root = 0 if plan.is_tree else NOBODY  # its branch is everything
        self._place = layout.slot
        self._slots: list[Any] = [None] * layout.count
        self._stages: dict[int, Any] = {}
        self._lock = threading.Lock()

    def steps(self, node: int) -> Conduct:
        """The attempts of a node, to be performed."""
        return conduct(self.plan.tasks[node], partial(self._arguments, node), self.cancelled)

    def enter(self, node: int) -> bool:
        """Whether it may begin: nothing has ended the run."""
        with self._lock:
            if self.result is None and self.cancelled():
                self.result = StepResult.abort_execution()
            if self.result is not None:
                return False
            if self.tell is not None:
                self.tell.entered(node)
            return True

    def finish(self, node: int, outcome: Outcome) -> bool:
        """Keep what came of it; whether what comes after it may run."""
        if outcome.ok:
            outcome = self._keep(node, outcome)
        with self._lock:
            if outcome.ok:
                if self.tell is not None:
                    self.tell.succeeded(node)
                return True
            if self.tell is not None:
                self.tell.ended(node, outcome.status)
            if (outcome.status is not Status.ABORT_BRANCH or node == self._root) and self.result is None:
                self.result = named(_step(outcome), self.plan.names[node])
            return False

    def leave(self, node: int) -> None:
        """Its payload, and what was staged of it, is over."""
        self._stages.pop(node, None)
        if self.plan.owns(node):
            self._slots[self._place[node]] = None
        if self.tell is not None:
            with self._lock:
                self.tell.left(node)

    def escape(self, error: BaseException) -> None:
        with self._lock:
            self.escaped = self.escaped or error
            if self.result is None:
                self.result = StepResult.failure()

    def over(self) -> StepResult:
        """The result, when nothing is at work any more; nothing is kept."""
        self._slots.clear()
        self._stages.clear()
        if self.escaped is not None:
            raise self.escaped
        return OK if self.result is None else self.result

    # -- payloads -----------------------------------------------------------------------------------------------------

    def _keep(self, node: int, outcome: Outcome) -> Outcome:
        """Into its slot, and onto the stage; an exception while a copy is made is a failure of the run (Y-B3)."""
        if isinstance(outcome, TaskResult) and self.plan.owns(node):
            self._slots[self._place[node]] = outcome.value
        if node in self.plan.staged:
            try:
                self._stages[node] = copy_of(self._slots[self._place[self.plan.owner[node]]])
            except Exception as error:
                self._slots[self._place[self.plan.owner[node]]] = None
                return StepResult.failure(error)
        return outcome

    def _arguments(self, node: int) -> tuple[Any, ...]:
        sources = self.plan.tasks[node].sources
        return tuple(map(partial(self._fetch, node), sources, self.plan.feeds(node))) if sources else ()

    def _fetch(self, node: int, source: Source, owner: int) -> Any:
        if source.mode is Mode.VALUE:
            return source.held
        if source.mode is Mode.CONTEXT:
            return self.context.get(source.type)
        assert owner != NOBODY, f"{self.plan.names[node]} takes a payload that nobody has"
        if source.mode is Mode.COPY:
            staged = self.plan.takes_stage(node)
            return copy_of(self._stages[self.plan.parents[node]] if staged else self._slots[self._place[owner]])
        payload = self._slots[self._place[owner]]
        if source.mode is Mode.CONSUME:
            self._slots[self._place[owner]] = None
        return payload


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
            else:
                arguments = ()
                body, arguments = steps.send(raw)
    except StopIteration as settled:
        outcome: Outcome = settled.value
        return outcome


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
            else:
                arguments = ()
                body, arguments = steps.send(raw)
    except StopIteration as settled:
        outcome: Outcome = settled.value
        return outcome


def _step(outcome: Outcome) -> StepResult:
    return outcome.step if isinstance(outcome, TaskResult) else outcome
