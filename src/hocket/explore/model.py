"""Exploring a pure model: actors are generators that yield operations, and no thread is ever switched.

    program = Program()
    x = program.cell(0, "x")

    def increment():
        value = yield x.load()
        yield x.store(value + 1)

    program.actor(increment)
    program.actor(increment)
    run(program, Optimal()).outcomes           # {(("x", 2),): 2, (("x", 1),): 2}

What an actor keeps between its yields must be local, or an object of the program:
it is run as often as something new may come of it, and else remembered
(recall.py). Several steps that belong together are `yield from`:
`yield from condition.wait()`. It may `yield Spawn(body, ...)`, and gets what it
can join: `yield join(child)`. Assertions are ordinary; `program.check` adds one on
the final states, `program.outcome` says what to count.

Refused: copying generators to go back to a state. Python cannot; the answers that
an actor got say where it stands, and are as good.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from hocket.explore.execution import Cast, Execution
from hocket.explore.failing.livelock import circle_of_model, period, told
from hocket.explore.handles import Cell, Spawn, Thread
from hocket.explore.host import Host
from hocket.explore.program import Final, Program
from hocket.explore.recall import Recall
from hocket.explore.scale.checkpoint import Checkpoint, ModelKeeper
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Failure, Limits, Tally
from hocket.trace.operation import Operation

__all__ = ["Cell", "Final", "Program", "Spawn", "choose", "join", "run"]


def join(thread: Thread) -> Operation:
    """Wait until that actor has ended."""
    return thread.join()


def choose(count: int) -> Operation:
    """A data choice: every number below `count` is tried."""
    return Operation("choose", (), count)


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
    host = Host(program, cast)
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
    schedule, circle = circle_of_model(Host(program, names, Recall(room=0)), choices, len(choices))
    if not circle and tally.looks == 1:
        schedule, circle = circle_of_model(Host(program, names, Recall(room=0)), (), len(choices))
    length = period(execution.events)
    repeats = circle or execution.events[len(choices) - length:]
    suspect = told(repeats, names.actors, names.objects)
    if circle:
        tally.failed += 1
        tally.failures.append(Failure("livelock", schedule, f"{suspect}: this repeats for ever"))
    elif suspect and not tally.suspect:
        tally.suspect = suspect
        tally.reason += f"; what seems to repeat: {suspect}"
