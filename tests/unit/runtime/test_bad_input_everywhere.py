"""The list of what a caller can do wrong, on every runtime: the same clear error at the call, and nothing has changed.

After each, everything that was there before still runs, once, and so does new work, at two bodies at a time where there
are two executors: no task was lost and no worker died.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hocket.errors import (
    AlreadyJoined,
    CycleError,
    DeadlockError,
    EntityError,
    ExpectedFork,
    HasParent,
    Refused,
    Tampered,
)
from hocket.graph import Graph, Task, seq, task
from hocket.kernel import Outcome
from hocket.runtime import RUNTIMES, Scheduler, run
from hocket.runtime.aio import AsyncScheduler
from hocket.runtime.ecs import World
from hocket.runtime.ticks import TaskComponent
from tests.runtimes import GUARD, Inline, every
from tests.tick_worlds import WORLDS

# what is wrong, what is done (to a scheduler with the tasks `idle`, `follows` after it, and `done`), what is raised
Wrong = tuple[str, Callable[[Any, Any], object], type[BaseException], str]


def _midway() -> Any:
    yield 1
    raise LookupError("midway")


def _of_another(do: Callable[[Any, Any], object]) -> Callable[[Any, Any], object]:
    def called(s: Any, tasks: Any) -> object:
        with Scheduler(0) as other:
            return do(s, other.spawn("stranger", None))

    return called


STRANGER = "'stranger' was used here but it is not a task of this scheduler"

WRONG: list[Wrong] = [
    ("a number as body", lambda s, t: s.spawn("x", 7), TypeError, "the body of 'x' cannot be called: it is 7"),
    ("text as body", lambda s, t: s.multi("x", 3, "f"), TypeError, "the body of 'x' cannot be called: it is 'f'"),
    ("a list as body", lambda s, t: s.iter("x", [1], [print]), TypeError, "the body of 'x' cannot be called"),
    ("no body for many", lambda s, t: s.multi("x", 3, None), TypeError, "'x' needs a body to call for each index"),
    ("run twice", lambda s, t: t["done"].run(), Refused, "'done' was armed but it is closed; expected: idle"),
    ("a dependency of what is scheduled", lambda s, t: t["done"].depend_on(t["idle"]), Refused,
     "'done' was told to wait for 'idle' (after) but it is closed; expected: idle"),
    ("a dependency of what is scheduled, said from the other end", lambda s, t: t["idle"].before(t["done"]), Refused,
     "'done' was told to wait for 'idle' (after) but it is closed; expected: idle"),
    ("a stranger to come after", _of_another(lambda s, x: s.spawn("x", int, after=[x])), Refused, STRANGER),
    ("a stranger by name", _of_another(lambda s, x: s.spawn("x", int, after={"x": x})), Refused, STRANGER),
    ("a stranger as parent", _of_another(lambda s, x: s.spawn("x", int, parent=x)), Refused, STRANGER),
    ("a stranger to cancel", _of_another(lambda s, x: s.cancel(x)), Refused, STRANGER),
    ("no task at all", lambda s, t: s.spawn("x", int, after=["idle"]), Refused, "not a task of this scheduler"),
    ("nothing to come after", lambda s, t: s.spawn("x", int, after=None), TypeError, "is a list of tasks"),
    ("a negative count", lambda s, t: s.multi("x", -1, int), ValueError, "'x' was given a count of -1"),
    ("half a count", lambda s, t: s.multi("x", 2.5, int), TypeError, "interpreted as an integer"),
    ("an iterator that raises midway", lambda s, t: s.iter("x", _midway(), int), LookupError, "midway"),
    ("no iterator", lambda s, t: s.iter("x", 7, int), TypeError, "not iterable"),
    ("itself", lambda s, t: t["idle"].depend_on(t["idle"]), CycleError, "idle → idle"),
    ("a circle", lambda s, t: t["idle"].depend_on(t["follows"]), CycleError, "→"),
    ("a child after what waits for its parent", lambda s, t: s.spawn("x", int, parent=t["idle"], after=[t["follows"]]),
     CycleError, "x"),
    ("a child of what has closed", lambda s, t: s.spawn("x", int, parent=t["done"]), Refused,
     "'done' was given the child 'x' but it is closed"),
    ("cancelled when it has closed", lambda s, t: t["done"].cancel(), Refused, "'done' was cancelled but it is closed"),
]


def _state(s: Any, tasks: dict[str, Any]) -> object:
    stories = {name: s.story(task) for name, task in tasks.items()}
    return stories, sorted(node.name for node in s._kernel.nodes), len(s._ready), s._closed


def _two_at_once(s: Any) -> None:
    """Every worker is alive: as many bodies as there are workers meet."""
    workers = 1 if isinstance(s, Inline) else 2
    meeting = threading.Barrier(workers)
    for each in [s.spawn(f"meets {n}", lambda: meeting.wait(GUARD)) for n in range(workers)]:
        each.join()


@every
@pytest.mark.parametrize(("do", "error", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_call_is_refused_and_changes_nothing(scheduler, do, error, message):
    ran: list[str] = []
    with scheduler(2) as s:
        tasks = {"done": s.spawn("done", lambda: ran.append("done"))}
        tasks["done"].join()
        tasks["idle"] = s.spawn("idle", lambda: ran.append("idle"), run=False)
        tasks["follows"] = s.spawn("follows", lambda: ran.append("follows"), after=[tasks["idle"]], run=False)
        before = _state(s, tasks)
        with pytest.raises(error) as caught:
            do(s, tasks)
        assert message in str(caught.value)
        assert _state(s, tasks) == before
        _two_at_once(s)
        s.check()
    assert ran == ["done", "idle", "follows"]


@every
@pytest.mark.parametrize("error", [GeneratorExit, BaseException, StopIteration, asyncio.CancelledError])
def test_whatever_a_body_raises_the_others_run_and_no_worker_dies(scheduler, error):
    """SystemExit, which asyncio lets out of its loop, is asked of each loop and thread in its own tests."""

    def raises() -> None:
        raise error("from a body")

    with scheduler(2) as s:
        failing = s.spawn("fails", raises)
        after = s.spawn("after", pytest.fail, after=[failing])
        with pytest.raises(BaseException) as caught:  # noqa: PT011  # CancelledError is TaskLost on a loop
            failing.join()
        assert any(isinstance(one, error) for one in (caught.value, caught.value.__cause__))
        _two_at_once(s)
        while not after.is_done:
            _two_at_once(s)
    assert (failing.outcome, after.outcome) == (Outcome.FAILED, Outcome.SKIPPED)


@pytest.mark.parametrize("scheduler", [Inline, Scheduler], ids=["inline", "threads"])
def test_a_join_from_inside_its_own_task_is_refused_at_the_call(scheduler):
    def body(context: Any) -> Any:
        with pytest.raises(DeadlockError, match="'own' joined 'own', which cannot close before 'own' does") as caught:
            context.self_task.join()
        return caught.value.cycle

    with scheduler(2) as s:
        assert list(s.spawn("own", body, context=True).join()) == ["own"]
        _two_at_once(s)


def test_an_await_from_inside_its_own_task_is_refused_at_the_call():
    async def body(context: Any) -> Any:
        with pytest.raises(DeadlockError, match="'own' joined 'own', which cannot close before 'own' does") as caught:
            await context.self_task
        return caught.value.cycle

    async def main() -> Any:
        async with AsyncScheduler(2) as s:
            cycle = await s.spawn("own", body, context=True)
            meeting = asyncio.Barrier(2)
            for name in "ab":
                s.spawn(name, meeting.wait)
        return cycle

    assert list(asyncio.run(main())) == ["own"]


# -- whole graphs ------------------------------------------------------------------------------------------------------


def _raises_base() -> None:
    raise BaseException("from a body")


GRAPHS = [
    ("a number as body", Graph((Task("ok", int), Task("x", 7))), TypeError),  # type: ignore[arg-type]
    ("a circle", Graph((Task("a", pytest.fail), Task("b", pytest.fail)), after=((0, 1), (1, 0))), CycleError),
    ("itself", Graph((Task("a", pytest.fail),), after=((0, 0),)), CycleError),
    ("a fork after its own parent", Graph((Task("p", pytest.fail), Task("c", pytest.fail)), after=((1, 0),),
                                          hold=((0, 1),)), CycleError),
    ("two hold each other", Graph((Task("a", pytest.fail), Task("b", pytest.fail)), hold=((0, 1), (1, 0))), CycleError),
    ("a body that raises BaseException", Graph((Task("a", _raises_base),)), BaseException),
]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("graph", "error"), [row[1:] for row in GRAPHS], ids=[row[0] for row in GRAPHS])
def test_a_wrong_graph_is_refused_by_every_runtime_and_leaves_no_thread(runtime, graph, error):
    before = threading.active_count()
    with pytest.raises(error):
        run(graph, runtime)
    assert threading.active_count() == before


# -- a world of ticks --------------------------------------------------------------------------------------------------


async def _awaits() -> None:
    """Nobody awaits it in a world."""


def _yields() -> Iterator[int]:
    yield 1


# what is wrong, what is done to a world with `task`, `later` after it and `fork` with the prong `later`; and `over`,
# which has closed and which `last`, an idle task, comes after
WRONG_IN_A_WORLD: list[tuple[str, Callable[[Any, Any], object], type[BaseException], str]] = [
    ("a number as body", lambda w, e: w.make_task(7), TypeError, "a TaskComponent, a callable or None, not 7"),
    ("a final task of text", lambda w, e: w.make_final_task("f"), TypeError, "not 'f'"),
    ("a coroutine function", lambda w, e: w.make_task(_awaits), TypeError, "is async, and nobody awaits it"),
    ("a generator function", lambda w, e: w.make_task(_yields, "x"), TypeError, "'x' is a generator function"),
    ("an expression with a number", lambda w, e: w.assemble(seq(task(int), task(7))), TypeError, "7"),
    ("no expression", lambda w, e: w.assemble(7), TypeError, "7"),
    ("a coroutine function in a graph", lambda w, e: w.assemble(seq(task(int), task(_awaits))), TypeError, "is async"),
    ("joined twice", lambda w, e: w.join(e["later"], e["fork"]), AlreadyJoined, "already comes after"),
    ("a dependency of what has closed", lambda w, e: w.join(e["over"], e["task"]), Refused, "but it is closed"),
    ("itself", lambda w, e: w.join(e["task"], e["task"]), CycleError, "→"),
    ("a circle", lambda w, e: w.join(e["task"], e["later"]), CycleError, "→"),
    ("a fork within itself", lambda w, e: w.add_prong(e["fork"], e["fork"]), CycleError, "→"),
    ("a fork before its prong", lambda w, e: w.join(e["task"], e["fork"]), CycleError, "→"),
    ("a prong of a task", lambda w, e: w.add_prong(e["task"], e["last"]), ExpectedFork, "is a task, and only a fork"),
    ("no such entity", lambda w, e: w.join(e["task"], 999_999), EntityError, "no task or fork 999999 in this world"),
    ("a name for an entity", lambda w, e: w.finalize("task"), EntityError, "no task or fork 'task' in this world"),
    ("a list for an entity", lambda w, e: w.finalize([e["task"]]), EntityError, "no task or fork ["),
    ("an entity of another world", lambda w, e: w.join(e["last"], World().make_task(int)), EntityError,
     "no task or fork 1 in this world: it was made in another world"),
    ("finalised with a parent", lambda w, e: w.finalize(e["task"]), HasParent, "cannot be finalised"),
    ("an unknown completion", lambda w, e: w.finalize(e["fork"], "burn"), ValueError, "'burn'"),
    ("an unknown completion of a new task", lambda w, e: w.make_final_task(int, "burn"), ValueError, "'burn'"),
    ("a negative count of ticks", lambda w, e: w.run(-1), ValueError, "-1 ticks"),
    ("half a tick", lambda w, e: w.run(1.5), TypeError, "integer"),
    ("a runner of no type", lambda w, e: w.add_runner(int), TypeError, "a runner is for a type of TaskComponent"),
    ("a second runner", lambda w, e: [w.add_runner(_Kind), w.add_runner(_Kind)], Refused, "one runner for each type"),
    ("a turn of nobody", lambda w, e: w.run_tasks(float), Refused, "'float' was run but it is without a runner"),
    ("tampering", lambda w, e: setattr(w.progress(e["task"]), "is_complete", True), Tampered, "is_complete of task"),
]


class _Kind(TaskComponent):
    def run(self, data: Any) -> bool:
        return True


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize(
    ("do", "error", "message"), [row[1:] for row in WRONG_IN_A_WORLD], ids=[row[0] for row in WRONG_IN_A_WORLD]
)
def test_a_wrong_call_to_a_world_is_refused_and_changes_nothing(kind, do, error, message):
    ran: list[str] = []
    with WORLDS[kind]() as world:
        made = {name: world.make_task(lambda name=name: ran.append(name), name) for name in ("over", "task", "later")}
        world.finalize(made["over"])
        world.run()
        made |= {"fork": world.make_fork(), "last": world.make_task(lambda: ran.append("last"), "last")}
        world.join(made["later"], made["task"])
        world.add_prong(made["fork"], made["later"])
        world.join(made["last"], made["over"])
        before = _world(world, made)
        with pytest.raises(error) as caught:
            do(world, made)
        assert message in str(caught.value)
        assert _world(world, made) == before
        world.check()
        for root in ("fork", "last"):
            world.finalize(made[root])
        world.run()
        world.close()
    assert sorted(ran) == ["last", "later", "over", "task"]
    assert ran.index("task") < ran.index("later")


def _world(world: Any, made: dict[str, int]) -> object:
    stories = {name: world.story(entity) for name, entity in made.items() if world.task(entity).outcome is None}
    edges = {name: (world.progress(entity).single, world.progress(entity).prongs) for name, entity in made.items()}
    return stories, edges, sorted(world._entities), world.orphans()


@pytest.mark.parametrize("kind", WORLDS)
def test_a_body_that_raises_anything_is_told_and_the_others_of_its_world_go_on(kind):
    ran: list[str] = []
    with WORLDS[kind]() as world:
        failing, after = world.make_task(_raises_base), world.make_task(pytest.fail)
        world.join(after, failing)
        world.finalize(after)
        world.make_final_task(lambda: ran.append("other"))
        handle = world.task(after)
        with pytest.raises(BaseException, match="from a body"):
            world.run()
        world.run()
    assert (ran, str(handle.outcome)) == (["other"], "skipped")


@pytest.mark.parametrize(("run", "message"), [(_awaits, "is async"), (_yields, "is a generator function")])
def test_a_component_whose_run_would_run_nothing_is_refused_when_its_class_is_made(run, message):
    with pytest.raises(TypeError, match=f"'Never.run' {message}"):
        type("Never", (TaskComponent,), {"run": run})


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("do", ["tick", "manage", "run"])
def test_a_tick_from_inside_a_body_is_refused_at_the_call(kind, do):
    told: list[str] = []

    def body() -> None:
        with pytest.raises(Refused, match="in the middle of a tick") as caught:
            getattr(world, do)()
        told.append(str(caught.value))

    with WORLDS[kind]() as world:
        world.make_final_task(body)
        world.run()
    assert len(told) == 1


def test_a_component_that_says_neither_true_nor_false_fails_alone():
    class Undecided(TaskComponent):
        def run(self, data: Any) -> Any:
            return "perhaps"

    with pytest.raises(TypeError, match="return True when the task is complete"):
        run(Graph((Task("t", Undecided()),)), "ticks")
