"""Linearizability: does a concurrent object behave like an ordinary sequential class, whatever the threads do?

The object's own code, unmodified, is explored for each scenario (which thread
calls what); each class of interleavings is judged by history.py, which speaks of
every history of that class. Scenarios come in order of their size, so that the
first that fails is the shortest. A failure is an interleaving of that scenario
that replays: begin and return of a call are steps of it. A call that never
returns is legal exactly where the sequential class would wait as well.

Refused: random scenarios (Lincheck, PLDI 2023, draws some; here all up to a size
are run, so that "proved" means something), and comparing final states (what no
call shows is nobody's business).
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product
from threading import Thread
from typing import Any

from hocket.errors import DeadlockError, DivergenceError, Refused
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.failing.failures import Failure, failure_of
from hocket.explore.failing.minimise import minimised
from hocket.explore.linear.history import BEGIN, RETURN, History, Misfit, Point, Span, explained, misfit
from hocket.explore.linear.sequential import Answer, Call, Reference, Waits, answer_of, look
from hocket.explore.options import check_options
from hocket.explore.replaying import STEPS, replayed
from hocket.explore.result import Result
from hocket.explore.search import Search
from hocket.explore.shared.tracker import Visible
from hocket.explore.threads.control import Control, End, current
from hocket.render.timeline import Bar, timeline
from hocket.trace.operation import Operation
from hocket.trace.schedule import Schedule, Step

__all__ = ["LinearResult", "NotLinearizable", "Scenario", "Waits", "linearizable"]

_PATIENCE = 3.0  # seconds to look for a smaller scenario than the one that was given


class NotLinearizable(AssertionError):
    """A history that no sequential order explains; `scenario` replays it, `history` is what was called and returned."""

    def __init__(self, message: str, scenario: Scenario, history: History) -> None:
        self.scenario, self.history = scenario, history
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class LinearResult(Result):
    """What `linearizable` came to, summed over all scenarios.

    `scenarios` counts those that were explored; `scenario` is the one that failed: `hocket.replay(result.scenario,
    result.failure.schedule)` runs it again; `outcomes` counts classes by what was called and answered, as text.
    """

    scenarios: int = 0
    scenario: Scenario | None = None


def linearizable(
    factory: Callable[[], Any],
    sequential_factory: Callable[[], Any],
    operations: Iterable[Any],
    *,
    threads: int = 2,
    size: int = 3,
    before: Iterable[Any] = (),
    after: Iterable[Any] = (),
    seconds: float | None = None,
    executions: int | None = None,
    steps: int | None = None,
    data: str = "track",
    strategy: str = "optimal",
) -> LinearResult:
    """Whether the objects that `factory` makes are linearizable with respect to those that `sequential_factory` makes.

    An operation is the name of a method, or `(name, (argument, ...))`. `operations` is either one list of operations
    for each thread, `[[("put", (1,)), "get"], ["get"]]`; or a table, `[("put", (1,)), "get"]`: then every way to give
    up to `size` operations to up to `threads` threads is explored, smallest first. `before` and `after` are called
    by the main thread, before the threads start and after they have ended. Arguments must not be changed by the object.

    The sequential class is an ordinary one: a method returns, raises, or raises `hocket.Waits` where a caller of the
    concurrent object has to wait. Equal values and exceptions of one type are the same answer. A deadlock is legal if
    every call that never returns waits in the sequential object too; a call that took effect has to return.

    The failure's kind is "assertion" (no order explains the answers), "deadlock", or what `hocket.explore` says.
    Limits hold for all scenarios together. Raises `Refused` for operations that mean nothing.
    Source: Herlihy and Wing (TOPLAS 1990); Wing and Gong (JPDC 1993); Lowe (CCPE 2017); scenarios as in Lincheck.
    """
    around = _operations(before, "before"), _operations(after, "after")
    reference = Reference(sequential_factory)
    listed = list(operations)
    given = bool(listed) and all(isinstance(entry, list) for entry in listed)
    if given:
        scenarios: Iterable[Scenario] = [
            Scenario(factory, reference, [_operations(entry, "operations") for entry in listed], *around)]
    else:
        scenarios = _all_up_to(size, threads, factory, reference, _operations(listed, "operations"), around)
    account = _Account(strategy, data, seconds, executions, steps or STEPS)
    for scenario in scenarios:
        if not account.run(scenario):
            break
    failed = account.failed
    if given and failed is not None:
        account.shrink(failed)
    return account.result()


# -- scenarios --------------------------------------------------------------------------------------------------------


class Scenario:
    """Which thread calls what on a new object; calling it plays it once, and raises `NotLinearizable` if that shows."""

    def __init__(self, factory: Callable[[], Any], reference: Reference, lists: Sequence[Sequence[Call]],
                 before: Sequence[Call] = (), after: Sequence[Call] = ()) -> None:
        self.factory, self.reference = factory, reference
        self.lists, self.before, self.after = lists, before, after
        self.__globals__ = getattr(factory, "__globals__", {})  # names to control, as of any body
        self._judged: dict[Any, Misfit | None] = {}

    def __call__(self) -> None:
        self.play()
        actor = current()
        if actor is None:
            return
        history, order = seen(actor.control)
        reason = self.reason(history.along(order))
        if reason:
            raise NotLinearizable(reason, self, history.along(order))

    def play(self) -> None:
        """Run it, whatever comes of it."""
        thing = self.factory()
        _sing(thing, self.before)
        threads = [Thread(target=_sing, args=(thing, calls)) for calls in self.lists]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _sing(thing, self.after)

    def misfit(self, history: History) -> Misfit | None:
        """As `history.misfit`; many classes have the same history."""
        key = history.stuck, tuple(
            tuple((span.call, look(span.answer), span.begins_after, span.returns_after) for span in lane)
            for lane in history.lanes)
        if key not in self._judged:
            self._judged[key] = misfit(history, self.reference)
        return self._judged[key]

    def reason(self, history: History) -> str:
        """Why nothing explains this history, which is in one order; empty if something does."""
        found = explained(history, self.reference)
        return f"no order explains the answers: {found}" if isinstance(found, str) else ""

    def without(self, left_out: set[Call]) -> Scenario:
        """The same without some calls, and without the threads that have none left."""
        lists = [kept for calls in self.lists if (kept := [call for call in calls if call not in left_out])]
        before, after = ([call for call in calls if call not in left_out] for calls in (self.before, self.after))
        return Scenario(self.factory, self.reference, lists, before, after)

    @property
    def calls(self) -> list[Call]:
        return [*self.before, *(call for calls in self.lists for call in calls), *self.after]

    def __str__(self) -> str:
        lanes = [("before", self.before), *((f"t{n + 1}", calls) for n, calls in enumerate(self.lists)),
                 ("after", self.after)]
        return "; ".join(f"{name}: {', '.join(map(repr, calls))}" for name, calls in lanes if calls)


class _Reply:
    """The argument of a return: which call, and what it came to."""

    __slots__ = ("answer", "call")

    def __init__(self, call: Call, answer: Answer) -> None:
        self.call, self.answer = call, answer

    def __repr__(self) -> str:
        return f"{self.call} → {self.answer}"


def _sing(thing: Any, calls: Sequence[Call]) -> None:
    """The life of a thread of a scenario; outside of an exploration nothing is written down."""
    for call in calls:
        actor = current()
        if actor is not None:
            actor.control.step(actor, Operation(BEGIN, (), call))
        answer = answer_of(thing, call)
        if actor is not None:
            actor.control.step(actor, Operation(RETURN, (), _Reply(call, answer)))


def _operations(entries: Iterable[Any], where: str) -> list[Call]:
    return [_operation(entry, where) for entry in entries]


def _operation(entry: Any, where: str) -> Call:
    if isinstance(entry, str):
        return Call(entry)
    if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], tuple):
        return Call(*entry)
    raise Refused(where, f"given {entry!r}", "no operation", 'the name of a method, or (name, (argument, ...))',
                  'write "get" or ("put", (1,)), one list of them for each thread')


def _all_up_to(size: int, threads: int, factory: Callable[[], Any], reference: Reference, table: list[Call],
               around: tuple[list[Call], list[Call]]) -> Iterator[Scenario]:
    """Every way to deal operations to threads, smallest first; threads are alike, so each set of lists comes once."""
    if not table:
        raise Refused("operations", "given", "empty", "a table of operations, or a list for each thread")
    for total in range(1, size + 1):
        for lengths in _partitions(total, threads):
            for chosen in product(*(product(range(len(table)), repeat=length) for length in lengths)):
                if all(len(a) > len(b) or a <= b for a, b in pairwise(chosen)):
                    lists = [[table[number] for number in numbers] for numbers in chosen]
                    yield Scenario(factory, reference, lists, *around)


def _partitions(total: int, parts: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """The ways to write `total` as at most `parts` numbers, largest first."""
    if not total:
        yield ()
    elif parts:
        for first in range(min(total, largest or total), 0, -1):
            for rest in _partitions(total - first, parts - 1, first):
                yield (first, *rest)


# -- what an execution has seen ---------------------------------------------------------------------------------------


def seen(control: Control, pasts: Sequence[int] | None = None) -> tuple[History, list[Point]]:
    """The calls of an execution, and the points in the order that they had in it.

    `pasts`: for each event the events that happen before it, as bits. Without, the history is that of this order only.
    """
    marks = [number for number, event in enumerate(control.execution.events)
             if event.operation.kind in (BEGIN, RETURN)]
    events = control.execution.events
    actors = sorted({events[number].actor for number in marks})
    lane_of = {actor: lane for lane, actor in enumerate(actors)}
    mine = [sum(1 << number for number in marks if events[number].actor == actor) for actor in actors]
    before: list[list[tuple[int, ...]]] = [[] for _ in actors]
    order: list[Point] = []
    for number in marks:
        lane = lane_of[events[number].actor]
        past = pasts[number] if pasts is not None else (1 << number) - 1
        order.append((lane, len(before[lane])))
        before[lane].append(tuple([(past & points).bit_count() for points in mine]))
    lanes = tuple(_spans([events[number].operation.argument for number in marks if events[number].actor == actor],
                         before[lane]) for lane, actor in enumerate(actors))
    names = tuple(control.session.cast.actors[actor] for actor in actors)
    return History(lanes, names, control.end == End.DEADLOCK), order


def _spans(marks: list[Any], before: list[tuple[int, ...]]) -> tuple[Span, ...]:
    return tuple(
        Span(call, marks[at + 1].answer, before[at], before[at + 1]) if at + 1 < len(marks)
        else Span(call, None, before[at], ())
        for at, call in enumerate(marks) if at % 2 == 0)


def _reordered(execution: Execution, pasts: Sequence[int], order: Sequence[Point]) -> list[int]:
    """The events in another order of the same class, in which begins and returns come in this order."""
    events = execution.events
    marks: dict[int, list[int]] = {}
    for number, event in enumerate(events):
        if event.operation.kind in (BEGIN, RETURN):
            marks.setdefault(event.actor, []).append(number)
    lanes = [marks[actor] for actor in sorted(marks)]
    done: dict[int, None] = {}
    for target in (lanes[lane][at] for lane, at in order):
        done.update((number, None) for number in range(target) if pasts[target] >> number & 1)
        done[target] = None
    done.update((number, None) for number in range(len(events)))
    return list(done)


# -- the search -------------------------------------------------------------------------------------------------------


def _visible(scenario: Scenario, data: str) -> Visible:
    """The code of the object is tracked."""
    home = sys.modules.get(getattr(scenario.factory, "__module__", None) or "")
    return Visible(data=data, track=(home.__name__,) if home is not None and home.__name__ != "builtins" else ())


class _Judged(Search):
    """An exploration in which every class is judged as a history, too."""

    def __init__(self, scenario: Scenario, strategy: str, visible: Visible, seconds: float | None,
                 executions: int | None, steps: int) -> None:
        super().__init__(scenario.play, strategy, None, visible, seconds, executions, steps, None)
        self.scenario = scenario

    def _failure(self, control: Control) -> Failure | None:
        if control.end not in (End.COMPLETE, End.DEADLOCK):
            return failure_of(control)
        events, strategy = control.execution.events, self.strategy
        ordered = [(1 << number) - 1 for number in range(len(events))]  # brute force sees every order by itself
        pasts = strategy.order.past if isinstance(strategy, Optimal) else ordered
        history, _ = seen(control, pasts)
        control.value = _in_words(history)
        found = self.scenario.misfit(history)
        if found is None:
            return None if control.end == End.DEADLOCK else failure_of(control)
        numbers = _reordered(control.execution, pasts, found.order)
        names = control.execution.cast.actors
        schedule = Schedule(tuple(Step(names[events[at].actor], events[at].alternative) for at in numbers))
        failure = _failure(self.scenario, history.along(found.order), found, control)
        return replace(failure, schedule=schedule)

    def _telling(self, control: Control) -> Failure | None:
        """What a single interleaving shows."""
        if control.end != End.DEADLOCK:
            return _plainly(failure_of(control))
        history, order = seen(control)
        found = self.scenario.misfit(history.along(order))
        return _failure(self.scenario, history.along(order), found, control) if found is not None else None

    def _shown(self, first: Failure) -> Failure:
        if first.kind == "nondeterminism" or first.origin == "swallowed":
            return replace(first, body="result.scenario")
        visible = self.visible

        def run(schedule: Schedule) -> Failure | None:
            try:
                return self._telling(replayed(self.scenario, schedule, self.steps, visible))
            except DivergenceError as error:
                return Failure("nondeterminism", schedule, f"the failing interleaving cannot be repeated: {error}")

        shown = minimised(self.scenario, first, run, self.steps, visible, "", telling=self._telling)
        return replace(shown, body="result.scenario")


def _plainly(failure: Failure | None) -> Failure | None:
    """A history that does not fit is told in its own words."""
    if failure is None or not isinstance(failure.exception, NotLinearizable):
        return failure
    return replace(failure, message=f"not linearizable: {failure.exception}")


def _failure(scenario: Scenario, history: History, found: Misfit, control: Control) -> Failure:
    told = failure_of(control) if control.end == End.DEADLOCK else Failure("assertion", Schedule(), "")
    assert told is not None, "a deadlock is told"
    if not found.waiting:
        reason = scenario.reason(history)
        error: BaseException = NotLinearizable(reason, scenario, history)
        return replace(told, kind="assertion", message=f"not linearizable: {reason}", exception=error, origin="")
    waiting = [f"{history.names[lane]}'s {spans[-1].call}" for lane, spans in enumerate(history.lanes)
               if spans and spans[-1].answer is None]
    message = f"{' and '.join(waiting)} never returns, but the sequential object would let it go on; {told.message}"
    return replace(told, message=message, exception=DeadlockError(message, told.waits, told.cycle),
                   origin="a call that never returns")


def _in_words(history: History) -> str:
    return "; ".join(
        f"{name}: " + ", ".join(f"{span.call} → {span.answer if span.answer is not None else 'waits'}" for span in lane)
        for name, lane in zip(history.names, history.lanes, strict=True))


class _Account:
    """The sum over scenarios, and what is left of the limits."""

    def __init__(self, strategy: str, data: str, seconds: float | None, executions: int | None, steps: int) -> None:
        check_options(strategy=strategy, data=data)
        self.strategy, self.data, self.steps = strategy, data, steps
        self.seconds, self.limit = seconds, executions
        self.started = time.monotonic()
        self.results: list[Result] = []
        self.failed: Scenario | None = None
        self.reason = ""

    def run(self, scenario: Scenario) -> bool:
        """Explore one more; whether another is wanted."""
        seconds = None if self.seconds is None else self.seconds - (time.monotonic() - self.started)
        left = None if self.limit is None else self.limit - sum(result.executions for result in self.results)
        if (seconds is not None and seconds <= 0) or (left is not None and left <= 0):
            self.reason = "a limit was reached before the last scenario"
            return False
        result = self._explored(scenario, seconds, left)
        self.results.append(result)
        if result.verdict == "failed":
            self.failed = scenario
        return result.verdict == "proved" or (result.verdict == "incomplete" and bool(result.untracked))

    def _explored(self, scenario: Scenario, seconds: float | None, executions: int | None) -> Result:
        return _Judged(scenario, self.strategy, _visible(scenario, self.data), seconds, executions, self.steps).result()

    def shrink(self, scenario: Scenario) -> None:
        """The smallest part of a failing scenario that fails in the same way, within a few seconds."""
        calls, deadline = scenario.calls, time.monotonic() + _PATIENCE
        kind = self.results[-1].failure.kind if self.results[-1].failure is not None else ""
        for size in range(1, len(calls)):
            for kept in combinations(calls, size):
                smaller = scenario.without(set(calls) - set(kept))
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                result = self._explored(smaller, left, None)
                if result.failure is not None and result.failure.kind == kind:
                    self.failed = smaller
                    self.results[-1] = replace(self.results[-1], failure=result.failure)
                    return

    def result(self) -> LinearResult:
        results = self.results
        last = next((result for result in results if result.verdict != "proved"), results[-1])
        last = results[-1] if self.failed is not None else last
        outcomes: Counter[Any] = Counter()
        for result in results:
            outcomes.update(result.outcomes)
        verdict, reason = last.verdict, last.reason
        if self.reason and verdict == "proved":
            verdict, reason = "incomplete", self.reason
        if last.failure is not None:
            reason = last.failure.message
        untracked = tuple(dict.fromkeys(entry for result in results for entry in result.untracked))
        return LinearResult(
            verdict, sum(result.classes for result in results), sum(result.executions for result in results),
            dict(outcomes), last.failure, untracked, reason, time.monotonic() - self.started,
            sum(result.steps for result in results), notes=_notes(self.failed, last.failure),
            scenarios=len(results), scenario=self.failed)


def _notes(scenario: Scenario | None, failure: Failure | None) -> tuple[str, ...]:
    """The failing scenario and its history as a picture."""
    if scenario is None or failure is None:
        return ()
    notes = [f"the scenario: {scenario}"]
    if isinstance(failure.exception, NotLinearizable):
        notes.append("the history:\n" + drawn(failure.exception.history))
    return tuple(notes)


def drawn(history: History) -> str:
    """A history in one order as a timeline."""
    bars = [
        Bar(row, f"{span.call} → {span.answer}" if span.answer is not None else str(span.call),
            sum(span.begins_after), sum(span.returns_after) if span.answer is not None else -1)
        for row, lane in enumerate(history.lanes) for span in lane]
    return timeline(history.names, bars)
