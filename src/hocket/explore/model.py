"""Exploring a pure model: actors are generators that yield operations, and no thread is ever switched.

    program = Program()
    x = program.cell(0, "x")

    def increment():
        value = yield x.load()
        yield x.store(value + 1)

    program.actor(increment)
    program.actor(increment)
    run(program, Optimal()).outcomes           # {(("x", 2),): 2, (("x", 1),): 2}

An actor runs again in every execution, so what it keeps between its yields must
be local, or an object of the program. Several steps that belong together are
`yield from`: `yield from condition.wait()`. It may `yield Spawn(body, ...)`, and
gets what it can join: `yield join(child)`. Assertions are ordinary; `program.check`
adds one on the final states, `program.outcome` says what to count.

Refused: copying generators to save the replay of a prefix. Python cannot, and the
replay costs less than the analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, NamedTuple, TypeVar

from hocket.errors import NondeterminismError
from hocket.explore.execution import Cast, Execution
from hocket.explore.failing.livelock import circle_of_model, period, told
from hocket.explore.handles import (
    Barrier,
    Cell,
    Condition,
    Data,
    Event,
    Handle,
    Lock,
    Queue,
    RLock,
    Semaphore,
    Steps,
    Thread,
)
from hocket.explore.scale.checkpoint import Checkpoint, ModelKeeper
from hocket.explore.semantics import Raise
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Failure, Limits, Tally
from hocket.trace.operation import Actor, Operation
from hocket.trace.schedule import Schedule

__all__ = ["Final", "Program", "Spawn", "choose", "join", "run"]

Body = Callable[..., Steps]
_H = TypeVar("_H", bound=Handle)


class Spawn(NamedTuple):
    """A request, yielded: start `body(*arguments)` as a new actor; the answer is its `Thread`.

    `watched`: its end is a step of its own, so that `timed_join` and `is_alive` may be asked of it.
    """

    body: Body
    arguments: tuple[Any, ...] = ()
    watched: bool = False


def join(thread: Thread) -> Operation:
    """Wait until that actor has ended."""
    return thread.join()


def choose(count: int) -> Operation:
    """A data choice: every number below `count` is tried."""
    return Operation("choose", (), count)


class Final(NamedTuple):
    """How an execution ended: the states of the objects, and what the actors returned (by actor)."""

    states: dict[int, Any]
    results: dict[Actor, Any]

    def __getitem__(self, handle: Handle) -> Any:  # type: ignore[override]  # a final state is asked for an object
        return self.states[handle.index]


class Program:
    """Objects and actors, from which every execution starts afresh."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.initial: list[tuple[str, Any, str]] = []
        self.bodies: list[tuple[Body, tuple[Any, ...]]] = []
        self.main: tuple[Body, tuple[Any, ...]] | None = None
        self.checks: list[Callable[[Final], None]] = []
        self.outcome: Callable[[Final], Any] = self._cells

    def cell(self, value: Any = 0, name: str = "") -> Cell: return self._add("cell", value, name, Cell)
    def data(self, name: str = "") -> Data: return self._add("data", None, name, Data)
    def lock(self, name: str = "") -> Lock: return self._add("lock", None, name, Lock)
    def rlock(self, name: str = "") -> RLock: return self._add("rlock", None, name, RLock)
    def event(self, name: str = "") -> Event: return self._add("event", False, name, Event)

    def semaphore(self, value: int = 1, bound: int | None = None, name: str = "") -> Semaphore:
        return self._add("semaphore", (value, bound), name, Semaphore)

    def queue(self, capacity: int = 0, name: str = "") -> Queue:
        return self._add("queue", ((), capacity), name, Queue)

    def condition(self, lock: Lock, name: str = "") -> Condition:
        return self._add("condition", ((), frozenset()), name, lambda _, index, name: Condition(index, name, lock))

    def barrier(self, parties: int, name: str = "") -> Barrier:
        return self._add("barrier", (parties, (), 0), name, lambda _, index, name: Barrier(index, name, parties))

    def actor(self, body: Body, *arguments: Any) -> None:
        """An actor that runs from the start."""
        self.bodies.append((body, arguments))

    def body(self, body: Body, *arguments: Any) -> None:
        """What the main actor does; without it, main does nothing."""
        self.main = (body, arguments)

    def check(self, holds: Callable[[Final], None]) -> None:
        """Assert something of every final state."""
        self.checks.append(holds)

    def _add(self, family: str, state: Any, name: str, make: Callable[[str, int, str], _H]) -> _H:
        index = len(self.handles)
        handle = make(family, index, name or f"{family}{index}")
        self.handles.append(handle)
        self.initial.append((family, state, handle.name))
        return handle

    def _cells(self, final: Final) -> Any:
        return tuple((handle.name, final.states[handle.index]) for handle in self.handles if handle.family == "cell")


_LOOKS = 20  # executions cut at their limit of steps in which a livelock is looked for


def run(program: Program, strategy: Strategy, limits: Limits | None = None,
        watch: Callable[[Execution], None] | None = None,
        checkpoint: Checkpoint | str | PathLike[str] | None = None, cast: Cast | None = None) -> Tally:
    """Every execution of `program` that `strategy` asks for; `watch` is shown each one as it ended.

    What `watch` is shown is taken back when the next execution begins: it must copy what it wants to keep.
    With `checkpoint`, a path, the search is saved there from time to time and goes on from what is there; see
    checkpoint.py. Raises `CheckpointError` if that is of another search. `cast`: one that knows some actors already.
    Source: Godefroid, POPL 1997 (stateless search).
    """
    tally, cast = Tally(limits or Limits()), cast or Cast()
    keeper = ModelKeeper(checkpoint, program, strategy, tally, cast) if checkpoint is not None else None
    host = _Host(program, cast)
    execution = host.execution
    while tally.may_go_on():
        if not strategy.begin():
            tally.exhausted = strategy.exhaustive
            break
        abandoned = host.run(strategy, tally)
        strategy.ended(execution)
        tally.executions += 1
        tally.events += len(execution.events)
        if abandoned:
            tally.abandoned += 1
            if len(execution.events) == tally.limits.steps and tally.looks < _LOOKS:
                tally.looks += 1
                _look_for_livelock(program, execution, tally)
        else:
            host.judge(tally)
        if watch is not None:
            watch(execution)
        if keeper is not None:
            keeper.ended(execution)
    if keeper is not None:
        keeper.over()
    return tally


def _look_for_livelock(program: Program, execution: Execution, tally: Tally) -> None:
    """The execution was cut at the limit of steps: whether it would never have ended, or what seems to repeat.

    Not only from there: with turns for everybody from the start actors keep in step, which few interleavings do.
    """
    names = execution.cast
    choices = [(event.actor, event.alternative) for event in execution.events]
    schedule, circle = circle_of_model(_Host(program, names), choices, len(choices))
    if not circle and tally.looks == 1:
        schedule, circle = circle_of_model(_Host(program, names), (), len(choices))
    length = period(execution.events)
    repeats = circle or execution.events[len(choices) - length:]
    suspect = told(repeats, names.actors, names.objects)
    if circle:
        tally.failed += 1
        tally.failures.append(Failure("livelock", schedule, f"{suspect}: this repeats for ever"))
    elif suspect and not tally.suspect:
        tally.suspect = suspect
        tally.reason += f"; what seems to repeat: {suspect}"


class _Host:
    """The actors of a program, and the execution that they are in.

    Where the next execution begins like the last, it is rewound to where they part, and only the actors that had
    gone further are fed their results again: what did not change costs nothing.
    """

    __slots__ = ("bodies", "ending", "ends", "execution", "fed", "heard", "program", "raised", "spawning", "steps",
                 "watched")

    def __init__(self, program: Program, cast: Cast | None = None) -> None:
        self.program = program
        self.execution = Execution(cast or Cast())
        self.bodies: dict[Actor, tuple[Body, tuple[Any, ...]]] = {}
        self.steps: dict[Actor, Steps] = {}
        self.heard: dict[Actor, list[Any]] = {}  # for each actor all answers that it got, in this execution
        self.fed: dict[Actor, int] = {}  # how many of them its generator has got
        self.spawning: dict[Actor, tuple[Thread, Spawn]] = {}
        self.ends: dict[Actor, Any] = {}  # how each actor ended: what it returned, or _Raised
        self.raised: dict[Actor, _Raised] = {}
        self.watched: set[Actor] = set()  # whose end is a step
        self.ending: dict[Actor, Any] = {}  # how those will have ended that stand before this step
        self._start_all()

    def run(self, strategy: Strategy, tally: Tally) -> bool:
        """Run to the end; answers whether it was abandoned before it."""
        execution, advance = self.execution, self._advance
        choose, perform, limit = strategy.choose, execution.perform, tally.limits.steps
        steps = strategy.fixed
        self._rewind(steps)
        while (choice := choose(execution)) is not None:
            actor, alternative = choice
            advance(actor, perform(actor, alternative))
            steps += 1
            if steps == limit and execution.options():
                return tally.too_long(steps)
        return bool(execution.blocked() and execution.options())

    def go(self, choice: tuple[Actor, int]) -> None:
        """One step."""
        self._advance(choice[0], self.execution.perform(*choice))

    def judge(self, tally: Tally) -> None:
        """Enter the outcome, and the failures if there are any."""
        failures = list(self._failures()) if self.raised or self.program.checks or self.execution.blocked() else ()
        if failures:
            tally.failed += 1
            tally.failures += failures
        else:
            tally.outcomes[self.program.outcome(self._final())] += 1

    # -- running actors

    def _start_all(self) -> None:
        execution, program = self.execution, self.program
        for family, state, name in program.initial:
            execution.new_object(0, family, state, name)
        actors = [(execution.new_actor(0), body) for body in program.bodies]
        for actor, body in [*actors, *([(0, program.main)] if program.main is not None else [])]:
            self._start(actor, *body)

    def _start(self, actor: Actor, body: Body, arguments: tuple[Any, ...]) -> None:
        self.bodies[actor] = (body, arguments)
        self.steps[actor], self.fed[actor] = body(*arguments), 0
        self.heard[actor] = []
        self._go_on(actor, None)

    def _advance(self, actor: Actor, result: Any) -> None:
        """Run one actor to its next operation, or to its end."""
        if actor in self.spawning:
            result = self._spawned(actor)
        elif actor in self.ending:
            self.heard[actor].append(result)
            return self._end(actor, self.ending[actor])
        heard = self.heard[actor]
        if self.fed[actor] != len(heard):
            self._catch_up(actor)
        heard.append(result)
        self.fed[actor] = len(heard)
        self._go_on(actor, result)

    def _go_on(self, actor: Actor, result: Any) -> None:
        steps = self.steps[actor]
        try:
            asked = steps.send(result) if type(result) is not Raise else steps.throw(result.type(result.message))
            while type(asked) is Operation and asked.kind[:5] == "rlock" and self._inner(actor, asked):
                asked = steps.send(self._inner_answer(actor, asked))
        except StopIteration as stop:
            self._end(actor, stop.value)
        except Exception as error:
            self._end(actor, _Raised(error))
        else:
            self.execution.pending[actor] = asked if type(asked) is Operation else self._spawn(actor, asked)

    def _end(self, actor: Actor, how: Any) -> None:
        if actor in self.watched and actor not in self.ending:
            self.execution.set(self.ending, actor, how)
            self.execution.pending[actor] = Operation("thread.end", (self.execution.threads[actor],))
            return
        self.execution.set(self.ends, actor, how)
        if type(how) is _Raised:
            self.execution.set(self.raised, actor, how)
        self.execution.finish(actor)

    # -- going back

    def _rewind(self, length: int) -> None:
        """Back to after the first `length` events; generators cannot go back, and catch up when their turn comes."""
        heard = self.heard
        for event in reversed(self.execution.events[length:]):
            answers = heard[event.actor]
            while type(answers.pop()) is _Inner:  # what it got without an event, after this event's answer
                pass
        self.execution.rewind(length)

    def _catch_up(self, actor: Actor) -> None:
        """A fresh generator, fed the answers that the actor got before the operation at which it stands."""
        body, arguments = self.bodies[actor]
        steps = self.steps[actor] = body(*arguments)
        asked = steps.send(None)
        for answer in self.heard[actor]:
            if type(answer) is Raise:
                asked = steps.throw(answer.type(answer.message))
            else:
                asked = steps.send(answer.answer if type(answer) is _Inner else answer)
        done = self.execution.events[-1]
        if type(asked) is Operation and not asked.same_as(done.operation):
            raise NondeterminismError(len(self.execution.events), self.execution.cast.actors[actor],
                                      str(done.operation), str(asked))

    # -- starting actors, and re-entrant locks

    def _spawn(self, actor: Actor, asked: Any) -> Operation:
        if type(asked) is not Spawn:
            raise TypeError(
                f"{self.execution.cast.actors[actor]} yielded {asked!r}; expected an operation of an object of the "
                "program, choose(n), join(thread) or Spawn(body); several steps are `yield from`")
        child = self.execution.new_actor(actor)
        thread = Thread(child, self.execution.threads[child], asked.watched)
        self.execution.set(self.spawning, actor, (thread, asked))
        return Operation("thread.spawn", (thread.object,), child)

    def _spawned(self, actor: Actor) -> Thread:
        thread, asked = self.spawning[actor]
        self.execution.drop(self.spawning, actor)
        (self.watched.add if asked.watched else self.watched.discard)(thread.actor)
        self._start(thread.actor, asked.body, asked.arguments)
        return thread

    def _inner(self, actor: Actor, asked: Operation) -> bool:
        """Whether this is an inner step on a re-entrant lock that the actor owns; then it is done, and invisible."""
        states, index = self.execution.states, asked.objects[0]
        state = states[index]
        if asked.kind == "rlock.locked" or state is None or state[0] != actor:
            return False
        change = -1 if asked.kind == "rlock.release" else 1
        if state[1] + change == 0:
            return False
        self.execution.set(states, index, (actor, state[1] + change))
        return True

    def _inner_answer(self, actor: Actor, asked: Operation) -> Any:
        answer = None if asked.kind == "rlock.release" else True
        self.heard[actor].append(_Inner(answer))
        self.fed[actor] += 1
        return answer

    # -- what came of it

    def _final(self) -> Final:
        return Final(self.execution.states, self.ends)

    def _failures(self) -> Iterator[Failure]:
        execution = self.execution
        raised = [(actor, end.error) for actor, end in self.raised.items()]
        blocked = execution.blocked()
        schedule, names = execution.schedule(), execution.cast.actors
        for actor, error in raised:
            kind = "assertion" if isinstance(error, AssertionError) else "exception"
            yield Failure(kind, schedule, f"{names[actor]} raised {type(error).__name__}: {error}", error)
        if blocked:
            waits = tuple(self._waits(blocked))
            yield Failure("deadlock", schedule, "nobody can go on: " + "; ".join(waits), waits=waits)
        elif not raised:
            yield from self._broken_checks(schedule)

    def _waits(self, blocked: list[Actor]) -> Iterator[str]:
        cast, pending = self.execution.cast, self.execution.pending
        for actor in blocked:
            operation = pending[actor]
            assert operation is not None
            yield f"{cast.actors[actor]} waits for {operation.told(cast.objects)}{_lost_wakeup(self.execution, actor)}"

    def _broken_checks(self, schedule: Schedule) -> Iterator[Failure]:
        for holds in self.program.checks:
            try:
                holds(self._final())
            except AssertionError as error:
                yield Failure("assertion", schedule, str(error) or f"{holds.__name__} does not hold", error)


def _lost_wakeup(execution: Execution, actor: Actor) -> str:
    """The last notify that found nobody, before `actor` began to wait for one; nothing if there is none."""
    operation, events = execution.pending[actor], execution.events
    if operation is None or not operation.kind.startswith("condition.resume"):
        return ""
    since = max(number for number, event in enumerate(events) if event.actor == actor)
    for number in range(since - 1, -1, -1):
        event = events[number]
        if event.operation.kind.startswith("condition.notify") and event.result == () and (
                event.operation.objects == operation.objects):
            who = execution.cast.actors[event.actor]
            return (f": a lost wake-up, {who} notified in step {number + 1}, when nobody waited yet; "
                    f"it waits since step {since + 1}")
    return ""


class _Raised(NamedTuple):
    """An actor that ended by an exception."""

    error: Exception


class _Inner(NamedTuple):
    """An answer that an actor got without an event: an inner step of a re-entrant lock."""

    answer: Any
