"""The list of what a caller can do wrong, on every runtime: the same clear error at the call, and nothing has changed.

After each, everything that was there before still runs, once, and so does new work, at two bodies at a time where there
are two executors: no task was lost and no worker died.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hocket.errors import CycleError, DeadlockError, HocketError, Refused
from hocket.graph import Graph, Task
from hocket.kernel import Outcome
from hocket.runtime import RUNTIMES, Scheduler, run
from hocket.runtime.aio import AsyncScheduler
from hocket.runtime.ecs import World
from hocket.runtime.ticks import TaskComponent
from tests.runtimes import GUARD, Inline, every

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
    for task in [s.spawn(f"meets {n}", lambda: meeting.wait(GUARD)) for n in range(workers)]:
        task.join()


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


def test_a_world_refuses_the_same_and_goes_on():
    seen: list[str] = []
    world, other = World(), World()
    task, later = (world.make_task(lambda name=name: seen.append(name)) for name in ("task", "later"))
    world.join(later, task)
    rows: list[tuple[Callable[[], object], type[BaseException]]] = [
        (lambda: world.make_task(7), TypeError),  # type: ignore[arg-type]
        (lambda: world.join(task, later), CycleError),
        (lambda: world.join(task, task), HocketError),
        (lambda: world.join(task, 999), HocketError),
        (lambda: world.finalize(task), HocketError),  # it has a parent
        (lambda: world.finalize(other.make_fork() + 99), HocketError),
    ]
    for do, error in rows:
        with pytest.raises(error):
            do()
    failing = world.make_task(_raises_base)
    world.finalize(later)
    world.finalize(failing)
    with pytest.raises(BaseException, match="from a body"):
        world.run()
    world.run()
    assert seen == ["task", "later"]


def test_a_component_that_says_neither_true_nor_false_fails_alone():
    class Undecided(TaskComponent):
        def run(self, data: Any) -> Any:
            return "perhaps"

    with pytest.raises(TypeError, match="return True when the task is complete"):
        run(Graph((Task("t", Undecided()),)), "ticks")
