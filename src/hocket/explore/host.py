"""The actors of a pure model in the execution that they are in, and how it ended.

Where the next execution begins like the last, everything goes back to where the
two part. Actors are generators, which cannot go back; so where an actor stands is
a place in what `recall.py` remembers of its life, and going back is to forget the
last places of a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocket.errors import NondeterminismError
from hocket.explore.execution import Cast, Choice, Execution
from hocket.explore.handles import Spawn, Steps, Thread
from hocket.explore.program import Final, Program
from hocket.explore.recall import AGAIN, Differs, Ended, Life, Raised, Recall, Stand, label
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Failure, Tally
from hocket.trace.operation import Actor, Operation
from hocket.trace.schedule import Schedule

__all__ = ["Host"]

_INNER = object()  # in the labels of answers to inner steps


class Host:
    """Runs one execution of a program after the other."""

    __slots__ = ("ends", "execution", "lives", "program", "raised", "recall", "watched")

    def __init__(self, program: Program, cast: Cast | None = None, recall: Recall | None = None) -> None:
        self.program = program
        self.execution = Execution(cast or Cast())
        self.recall = recall or Recall()
        self.lives: dict[Actor, Life] = {}
        self.ends: dict[Actor, Any] = {}  # how each actor ended: what it returned, or `Raised`
        self.raised: dict[Actor, Raised] = {}
        self.watched: set[Actor] = set()  # whose end is a step
        self._start_all()

    @property
    def steps(self) -> dict[Actor, Steps | None]:
        """For each actor a generator that stands where it stands; for a host that remembers nothing."""
        return {actor: life.path[-1].steps for actor, life in self.lives.items()}

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
        return not execution.is_over() and bool(execution.options())

    def go(self, choice: Choice) -> None:
        """One step."""
        self._advance(choice[0], self.execution.perform(*choice))

    def judge(self, tally: Tally) -> None:
        """Enter the outcome, and the failures if there are any."""
        failures = list(self._failures()) if (
            self.raised or self.program.checks or not self.execution.is_over()) else ()
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
            self._start(actor, Life(*body))

    def _start(self, actor: Actor, life: Life) -> None:
        self.lives[actor] = life
        self._arrive(actor, life.path[0])

    def _advance(self, actor: Actor, result: Any) -> None:
        """An actor got its answer, and comes to its next operation, or to its end."""
        life = self.lives[actor]
        path = life.path
        stand = path[-1]
        key = result if result is None or type(result) is int else label(result)
        if not stand.plain:
            if type(stand.asked) is Ended:
                path.append(stand)
                return self._end(actor, stand)
            if type(stand.asked) is Spawn:
                result = self._begin(actor, stand, stand.asked)
        found = stand.then if stand.key == key else stand.others.get(key)
        if found is None:
            found = self._find_out(actor, life, result, key)
        else:
            found.seen += 1
            if found.seen & AGAIN == 1:
                self._look_again(actor, life, found)
        path.append(found)
        if found.plain:
            self.execution.pending[actor] = found.operation
        else:
            self._arrive(actor, found)

    def _arrive(self, actor: Actor, stand: Stand) -> None:
        """Say what comes next for an actor that stands here."""
        asked = stand.asked
        if type(asked) is Ended:
            return self._end(actor, stand)
        if type(asked) is Operation:
            stand = self._past_inner_steps(actor, stand) if not stand.plain else stand
            asked = stand.asked
        if type(asked) is Operation:
            self.execution.pending[actor] = asked
        elif type(asked) is Ended:
            self._end(actor, stand)
        elif type(asked) is Spawn:
            self.execution.pending[actor] = self._spawn(actor, stand)
        else:
            raise TypeError(
                f"{self.execution.cast.actors[actor]} yielded {asked!r}; expected an operation of an object of the "
                "program, choose(n), join(thread) or Spawn(body); several steps are `yield from`")

    def _end(self, actor: Actor, stand: Stand) -> None:
        """An actor is at its end; of one that is watched this is a step, after which it stands here once more."""
        execution = self.execution
        if actor in self.watched and self.lives[actor].path[-2:] != [stand, stand]:
            stand.operation = stand.operation or Operation("thread.end", (execution.threads[actor],))
            execution.pending[actor] = stand.operation
            return
        how = self.ends[actor] = stand.asked.how
        if type(how) is Raised:
            self.raised[actor] = how
        execution.finish(actor)

    def _rewind(self, length: int) -> None:
        """Back to after the first `length` events."""
        execution, lives, ends = self.execution, self.lives, self.ends
        for actor, operation, _, _, _ in execution.events[:length - 1 if length else None:-1]:
            if actor in ends:
                del ends[actor]
            path = lives[actor].path
            while path.pop().inner:
                pass
            if operation[0] == "thread.spawn":
                del lives[operation[2]]
                ends.pop(operation[2], None)
        if self.raised:
            self.raised = {actor: end for actor, end in self.raised.items() if actor in ends}
        execution.rewind(length)

    # -- asking actors

    def _find_out(self, actor: Actor, life: Life, answer: Any, key: Any) -> Stand:
        try:
            return self.recall.find_out(life, answer, key)
        except Differs as differs:
            raise self._nondeterminism(actor, life, differs) from None

    def _look_again(self, actor: Actor, life: Life, known: Stand) -> None:
        try:
            self.recall.look_again(life, known)
        except Differs as differs:
            raise self._nondeterminism(actor, life, differs) from None

    def _nondeterminism(self, actor: Actor, life: Life, differs: Differs) -> NondeterminismError:
        """At the step that was, or would have been, the differing operation."""
        before = differs.number - sum(stand.inner for stand in life.path[1:differs.number + 1])
        events = self.execution.events
        mine = [number for number, event in enumerate(events, 1) if event.actor == actor]
        step = mine[before] if before < len(mine) else len(events) + 1
        return NondeterminismError(step, self.execution.cast.actors[actor], self._told(differs.then),
                                   self._told(differs.now))

    def _told(self, asked: Any) -> str:
        if type(asked) is Ended:
            return "nothing: it has ended"
        return asked.told(self.execution.cast.objects) if type(asked) is Operation else str(asked)

    # -- starting actors, and re-entrant locks

    def _spawn(self, actor: Actor, stand: Stand) -> Operation:
        """The step by which an actor is started; the actor and its thread are made with it."""
        child = self.execution.new_actor(actor)
        if stand.operation is None:  # the same each time: what an actor makes has its number from what it made before
            stand.operation = Operation("thread.spawn", (self.execution.threads[child],), child)
        operation: Operation = stand.operation
        return operation

    def _begin(self, actor: Actor, stand: Stand, asked: Spawn) -> Thread:
        """Run what was started to its first operation; answers what the other one is to get."""
        thread = Thread(stand.operation.argument, stand.operation.objects[0], asked.watched)
        (self.watched.add if asked.watched else self.watched.discard)(thread.actor)
        life = Life(asked.body, asked.arguments, stand.first)
        if self.recall.room:
            stand.first = life.path[0]
        self._start(thread.actor, life)
        return thread

    def _past_inner_steps(self, actor: Actor, stand: Stand) -> Stand:
        """Inner steps on a re-entrant lock that the actor owns are done at once, and invisible."""
        life = self.lives[actor]
        while type(stand.asked) is Operation and not stand.plain and self._inner(actor, stand.asked):
            answer = None if stand.asked.kind == "rlock.release" else True
            key = (_INNER, answer)
            found = stand.then if stand.key == key else stand.others.get(key)
            stand = found or self._find_out(actor, life, answer, key)
            stand.inner = True
            life.path.append(stand)
        return stand

    def _inner(self, actor: Actor, asked: Operation) -> bool:
        """Do an inner step, if this is one."""
        states, index = self.execution.states, asked.objects[0]
        state = states[index]
        if asked.kind == "rlock.locked" or state is None or state[0] != actor:
            return False
        change = -1 if asked.kind == "rlock.release" else 1
        if state[1] + change == 0:
            return False
        self.execution.set(states, index, (actor, state[1] + change))
        return True

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
