"""One call of `explore`: runs its strategy, keeps the account, and says what it came to.

A verdict is given once and conservatively: "proved" needs a strategy that leaves
nothing out, that came to its own end, and a program that shared nothing which
was not tracked. Every failure is made as small as can be found and replayed before
it is shown.

A search knows neither files nor processes. Who keeps it on disk is told of each
execution (`Keeping`), and it may be handed to others to do (`elsewhere`); the front
door puts them together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from hocket.errors import DivergenceError
from hocket.explore.aio.seam import runnable
from hocket.explore.bounded import Bounded
from hocket.explore.certificate import Recorder
from hocket.explore.classes import class_of
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.failing.failures import Failure, failure_of
from hocket.explore.failing.minimise import minimised, simplest
from hocket.explore.failing.polling import livelock_of
from hocket.explore.options import (
    MODELS,
    STRATEGIES,
)
from hocket.explore.progress import Progress
from hocket.explore.replaying import replayed
from hocket.explore.result import Result
from hocket.explore.sampling.sampled import Sample
from hocket.explore.scale.estimate import Estimate, Estimated
from hocket.explore.shared.functions import is_rewritten
from hocket.explore.shared.tracker import Visible, new_session
from hocket.explore.shared.untracked import Watch
from hocket.explore.strategy import Strategy
from hocket.explore.threads.control import RESTART, Control, DataTracker, End
from hocket.explore.threads.naming import target_of
from hocket.explore.threads.runner import Runner
from hocket.trace.schedule import Schedule
from hocket.verdict import Certificate

__all__ = ["POLLED", "Keeping", "Search"]

POLLED = ("a loop polls: who went round it and changed nothing waits for others, since what follows is the same "
          "however often it goes round")


class Keeping(Protocol):
    """Who saves a search from time to time (scale/checkpoint.py)."""

    @property
    def visible(self) -> Visible | None:
        """What was an operation in the search that was saved; None if there is none."""

    def reset(self) -> None:
        """The search has made its strategy and its session anew."""

    def judged(self, execution: Execution, goes_on: bool) -> bool:
        """An execution is in the account; whether to go on."""

    def remove(self) -> None:
        """The search is over."""


class Search:
    """One call of `explore`, from the choice of its strategy to its result."""

    def __init__(self, body: Callable[[], Any], strategy: str, bound: int | None, visible: Visible,
                 seconds: float | None, executions: int | None, steps: int, listen: Callable[[Progress], None] | None,
                 sample: Sample | None = None) -> None:
        self.body, self.strategy_name, self.bound, self.steps = runnable(body), strategy, bound, steps
        self.seconds, self.limit, self.listen = seconds, sample.limit if sample else executions, listen
        self.sample = sample
        self.visible = visible
        self.tracker: DataTracker | None = None
        self.watch = Watch(is_rewritten) if visible.data != "off" else None
        self.strategy: Strategy
        self.started, self.before = time.monotonic(), 0.0  # seconds of earlier calls, if there is a checkpoint
        self.keeper: Keeping | None = None
        self.elsewhere: Callable[[Search], bool] | None = None  # explores all of it; answers False if nobody was asked
        self.rules: tuple[str, ...] = ()
        self.recorder: Recorder | None = None
        self.asked = self.slept = False  # whether the program asks for the time, and a loop that polls has passed some
        self._reset(visible)

    def reduce(self, rules: tuple[str, ...]) -> None:
        """Let this search, which has not begun, use these rules of reductions.py."""
        self.rules = rules
        self._reset(self.visible)

    def record(self) -> None:
        """Write down what this search, which has not begun, covers."""
        self.recorder = Recorder(self.visible.model)

    def keep(self, keeper: Keeping) -> None:
        """Save this search, which has not begun, and go on from what was saved."""
        self.keeper = keeper
        self._reset(keeper.visible or self.visible)

    def elapsed(self) -> float:
        """Seconds of this call, and of those that it goes on from."""
        return self.before + time.monotonic() - self.started

    def _reset(self, visible: Visible) -> None:
        tracker = self.tracker if self.visible == visible else None
        self.visible = visible
        audit = self.bound is not None or self.strategy_name not in ("optimal", "source")
        self.session = new_session(self.body, self.steps, visible, self.watch, audit)
        if tracker is not None:
            self.session.tracker = tracker  # which has learnt which keys there are
        self.tracker = self.session.tracker
        self.strategy = self._new_strategy()
        self.runner = Runner(self.body, self.session)
        self.outcomes: Counter[Any] = Counter()
        self.classes: set[Any] | int = 0 if isinstance(self.strategy, Optimal) else set()
        self.events = 0
        self.first: Failure | None = None
        self.cut: Execution | None = None  # that reached the limit of steps
        self.reason = ""
        self.passed: BaseException | None = None  # an exception that is not for us, e.g. pytest.skip
        self.recorder = Recorder(visible.model) if self.recorder is not None else None
        self.estimate = self._new_estimate()
        self.estimated: Estimated | None = None
        if self.keeper is not None:
            self.keeper.reset()

    def _new_strategy(self) -> Strategy:
        if self.sample is not None:
            return self.sample.begin()
        if self.bound is not None:
            return Bounded(self.bound)
        make = STRATEGIES[self.strategy_name]
        return make(reductions=self.rules) if self.rules else make()

    def _new_estimate(self) -> Estimate | None:
        wanted = self.listen is not None or self.keeper is not None
        return Estimate(self.strategy) if wanted and isinstance(self.strategy, Optimal) else None

    def result(self) -> Result:
        self.run()
        while self.session.stop == RESTART:
            self._reset(self._more_visible())
            self.run()
        if self.passed is not None:
            raise self.passed
        failure = self._shown(self.first) if self.first is not None else self._never_reached()
        untracked = self.untracked()
        verdict, reason = self._verdict(failure, untracked)
        certificate, notes = self._certificate(verdict)
        notes = (*notes, *MODELS[self.visible.model])
        sampled = self.sample.notes() if self.sample and failure is None else ()
        return Result(verdict, self._class_count(), self.runner.executions, dict(self.outcomes), failure, untracked,
                      reason, self.elapsed(), self.events, dict(self.session.sometimes),
                      (*self.session.notes, *notes, *sampled),
                      self.sample.seed if self.sample else None, self.rules, certificate, self.visible.model)

    def untracked(self) -> tuple[str, ...]:
        """What was shared without being tracked."""
        seen = self.watch.findings if self.watch is not None else ()
        return tuple(dict.fromkeys([*seen, *(self.tracker.findings() if self.tracker is not None else ())]))

    def _more_visible(self) -> Visible:
        """With what to begin again."""
        more = self.tracker.again() if self.tracker is not None else None
        return more or replace(self.visible, ends=True)

    def _certificate(self, verdict: str) -> tuple[Certificate | None, tuple[str, ...]]:
        """What was recorded of a proof, or why there is nothing to hand out."""
        if self.recorder is None or verdict != "proved":
            return None, ()
        certificate = self.recorder.certificate()
        return certificate, () if certificate else (f"no certificate: {self.recorder.refusal}",)

    def run(self) -> None:
        """Search until there is nothing left to do, or a reason to stop."""
        self.exhausted = False
        try:
            if self.elsewhere is None:
                self.run_here()
            elif self.elsewhere(self):
                return
        except KeyboardInterrupt as error:
            elapsed = time.monotonic() - self.started
            error.add_note(f"hocket: {self._class_count():,} classes in {elapsed:.1f} s, no failure yet")
            raise
        if self.cut is not None:
            self._look_for_livelock(self.cut)
        stuck = self.runner.stuck
        if stuck is not None:
            how = "runs without a visible operation" if stuck.busy else "blocks outside of the explorer's control"
            self.reason = f"{stuck.actor} {how} at {stuck.place}"
            self.session.notes += [f"the stack of {stuck.actor}:\n{stuck.stack}", stuck.hint]
        complete = self.first is None and not self.reason and not self.session.stop
        self.exhausted = complete and self.strategy.exhaustive
        if self.keeper is not None and (self.exhausted or self.first is not None):
            self.keeper.remove()

    def run_here(self) -> None:
        """Run the strategy in this process, as far as it goes."""
        self.runner.run(self.strategy, self._judge, look=self.look)

    def is_over(self) -> bool:
        """Whether there is a reason not to go on, be it that something was found."""
        return bool(self.first or self.reason or self.session.stop or self.passed or self.cut or self.runner.stuck)

    def _look_for_livelock(self, cut: Execution) -> None:
        self.first, suspect = livelock_of(self.body, cut, self.steps, self.visible)
        self.reason = self._too_long(f"; what seems to repeat: {suspect}" if suspect else "")

    def _too_long(self, repeats: str) -> str:
        return (f"an execution reached the limit of {self.steps:,} steps{repeats}; perhaps a loop that polls: "
                "wait on a Condition or Event, or raise steps=")

    # -- after each execution

    def _judge(self, control: Control) -> bool:
        """Enter an execution into the account; whether to go on."""
        if self.session.stop:
            return False
        self.events += len(control.execution.events)
        if self.tracker is not None and self.tracker.saw_too_little():
            self.session.stop = RESTART
            return False
        if self.tracker is not None and self.tracker.leads:  # so whoever replays it has to put back what it leaves
            self.visible = replace(self.visible, afresh=True)
        if _is_control_flow(control.error):
            self.passed = control.error
            return False
        self.first = self._failure(control)
        if self.first is not None:
            self._count(control, counted_outcome=False)
            return False
        if control.end == End.BOUND:
            self.cut, self.reason = control.execution, self._too_long("")
            return False
        if control.end in (End.COMPLETE, End.DEADLOCK):  # a deadlock that is no failure is an end like any other
            self._count(control)
        if self._polled(control):
            return False
        goes_on = self.within_limits()
        if self.rules and control.timed:
            self.reason = "time passes in the program, and would tell apart what reductions take for the same"
            return False
        if self.estimate is not None:
            self.estimate()
            self.estimated = self.estimate.lately()
        if self.keeper is not None and self.keeper.judged(control.execution, goes_on):
            self.reason, goes_on = "", True
        return goes_on

    def _polled(self, control: Control) -> bool:
        """Enter an execution in which somebody was left polling; whether what is left out of it would matter."""
        session, slept = self.session, False
        if session.spins is not None and session.spins.left:
            slept = any(control.actors[number].clock for number in session.spins.left)
            if POLLED not in session.notes:
                session.notes.append(POLLED)
            if self.recorder is not None:
                self.recorder.refuse("a loop polls, and what it does more often is not recorded")
        if control.end == End.VAIN:
            self._count(control, counted_outcome=False)
        return self.tells_time(control.asked, slept)

    def tells_time(self, asked: bool, slept: bool) -> bool:
        """Whether the program could tell how long it has slept in a loop that polls, which is not explored."""
        self.asked, self.slept = self.asked or asked, self.slept or slept
        if self.asked and self.slept:
            self.reason = ("a loop polls and sleeps, and the program asks what time it is: how long it has slept is "
                           "not explored; wait on a Condition or Event")
        return self.asked and self.slept

    def _failure(self, control: Control) -> Failure | None:
        """What went wrong in an execution; a search for more than the program's own failures judges otherwise."""
        return failure_of(control)

    def _count(self, control: Control, counted_outcome: bool = True) -> None:
        if isinstance(self.classes, int):
            self.classes += 1
        else:
            key: Any = class_of(control.execution)
            if self.sample is not None:
                self.sample.coverage.add(key)
                key = hash(key)  # millions of them are kept
            if key in self.classes:
                return
            self.classes.add(key)
        if counted_outcome:
            self.outcomes[_hashable(control.value)] += 1
        if self.recorder is not None:
            self.recorder.record(control.execution)

    def _class_count(self) -> int:
        return self.classes if isinstance(self.classes, int) else len(self.classes)

    def within_limits(self) -> bool:
        """Whether no limit was reached; else the reason is set."""
        if self.limit is not None and self.runner.executions >= self.limit:
            self.reason = f"the limit of {self.limit:,} executions was reached"
        elif self.seconds is not None and time.monotonic() - self.started >= self.seconds:
            self.reason = f"the limit of {self.seconds:g} seconds was reached"
        return not self.reason

    def look(self) -> None:
        """Called every now and then while the search runs."""
        elapsed = time.monotonic() - self.started
        may_cut = self.keeper is None and not self.session.stop  # a search that is kept ends between two executions
        if self.seconds is not None and elapsed >= self.seconds and may_cut:
            self.reason = f"the limit of {self.seconds:g} seconds was reached"
            self.session.stop = "seconds"
        if self.listen is not None:
            self.listen(Progress(self.runner.executions, self._class_count(), self.elapsed(), self.estimated,
                                 self.estimate is not None))

    # -- at the end

    def _verdict(self, failure: Failure | None, untracked: tuple[str, ...]) -> tuple[str, str]:
        if failure is not None:
            return "failed", failure.message
        if self.sample is not None:
            return "incomplete", self.sample.reason(self.reason or self.session.stop)
        if not self.exhausted:
            return "incomplete", self.reason or self.session.stop
        if untracked:
            return "incomplete", _cured(untracked[0])
        if isinstance(self.strategy, Bounded) and self.strategy.cut:
            return "bounded", f"every class with a schedule of at most {self.bound} preemptions"
        return "proved", ""

    def _never_reached(self) -> Failure | None:
        if not self.exhausted:
            return None
        missing = [label for label, reached in self.session.sometimes.items() if not reached]
        if not missing:
            return None
        told = " and ".join(repr(label) for label in missing)
        message = f"sometimes {told} was reached in none of {self._class_count():,} classes"
        return Failure("assertion", Schedule(), message, replayed=True)

    def fail_at(self, told: Failure) -> None:
        """Another process has seen a failure: see it here as well, if it can be."""
        try:
            again = failure_of(replayed(self.body, told.schedule, self.steps, self.visible))
        except DivergenceError:
            again = None
        self.fail_simply(again if again is not None and again.kind == told.kind else told)

    def fail_simply(self, found: Failure) -> None:
        """Of all failures the one that is told does not depend on who came upon which of them first."""
        self.first = simplest(self.body, found, self.steps, self.visible)

    def _shown(self, first: Failure) -> Failure:
        """The smallest failure of this kind that can be found, seen to happen again."""
        first = replace(first, target=target_of(self.body))
        if first.kind == "nondeterminism" or first.origin == "swallowed":
            return first
        if first.kind == "livelock" and not first.waits:  # as short as its first rounds, seen to close when found
            return replace(first, replayed=True)

        def run(schedule: Schedule) -> Failure | None:
            try:
                return failure_of(replayed(self.body, schedule, self.steps, self.visible))
            except DivergenceError as error:
                return Failure("nondeterminism", schedule, f"the failing interleaving cannot be repeated: {error}")

        smallest = minimised(self.body, first, run, self.steps, self.visible, first.target)
        if smallest.kind == "nondeterminism" and isinstance(first.exception, RecursionError):
            return first  # a replay records more, and so stands higher on the stack: it meets the limit elsewhere
        return smallest


def _cured(finding: str) -> str:
    """What keeps an exploration from proving anything, and what to do about it."""
    if finding.endswith(" orders"):
        return f"{finding}: go through a list of your own, and ask what is in the set"
    first = finding if "not tracked" in finding else f"{finding} and not tracked"
    return f"{first}: use hocket.Atomic, or data='off' if no two threads share it"


def _hashable(value: Any) -> Any:
    """What stands for a value among outcomes; its `__hash__` and `__repr__` are the program's, and may raise."""
    try:
        hash(value)
    except Exception:
        try:
            return repr(value)
        except Exception as error:
            return f"a {type(value).__qualname__}, which cannot be told: {type(error).__name__}"
    return value


def _is_control_flow(error: BaseException | None) -> bool:
    """pytest's skip and exit are messages to pytest, and no failure of the program."""
    kind = type(error)
    from_pytest = any(base.__module__ == "_pytest.outcomes" for base in kind.__mro__)
    return from_pytest and kind.__name__ in ("Skipped", "Exit")
