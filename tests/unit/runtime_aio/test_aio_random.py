"""Random programs that spawn, fork, join and fail: one ending on every runtime, and every run is one of the model."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.graph import Graph, Task
from hocket.kernel import Policy
from hocket.runtime import Scheduler, run
from hocket.runtime.aio import AsyncScheduler
from hocket.spec.refine import Accepted
from models.run import acceptor
from models.run import graph as model_graph
from tests.chain.bridge import Event, recorder
from tests.strategies import task_graphs
from tests.unit.runtime.test_runs_agree import _expected


class Planned(Exception):
    """What bodies raise here."""


# -- programs: what a body makes, and how it ends ----------------------------------------------------------------------


@dataclass(frozen=True)
class Child:
    """A task that a body makes: held by it or not, after the one before it or not, joined at once or not."""

    held: bool
    follows: bool
    joined: bool
    fails: bool
    children: tuple[Child, ...]


_FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from([False, False, False, True]))


def _child(inner: Any) -> Any:
    return st.builds(lambda flags, children: Child(*flags, tuple(children)), _FLAGS, inner)


_FORESTS = (
    st.recursive(st.just([]), lambda inner: st.lists(_child(inner), min_size=1, max_size=3), max_leaves=8)
    .filter(bool)
    .map(tuple)
)


class Program:
    """One run: the graph that came about, what happened, and how each task ended, by its path."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.after: list[tuple[str, str]] = []
        self.hold: list[tuple[str, str]] = []
        self.events: list[Event] = []

    def made(self, child: Child, path: str, parent: str, before: str | None) -> None:
        self.paths.append(path)
        if child.held and parent:
            self.hold.append((parent, path))
        if before is not None:
            self.after.append((path, before))

    def make(self, context: Any, children: tuple[Child, ...], parent: str, body: Any) -> Any:
        """Make each, and yield those that are to be joined."""
        before = None
        for number, child in enumerate(children):
            path = f"{parent}/{number}"
            follows = [before] if child.follows and before is not None else []
            self.made(child, path, parent, follows[0].name if follows else None)
            spawn = context.fork if child.held and parent else context.spawn
            before = spawn(path, body(self, child, path), after=follows, context=True)
            if child.joined:
                yield before

    @property
    def outcomes(self) -> dict[str, str]:
        return {event[1]: event[2] for event in self.events if event[0] == "close"}

    def accepted(self, policy: str) -> None:
        """The whole of it is a run of the model; each of its tasks has closed."""
        assert sorted(self.outcomes) == sorted(self.paths)
        number = {path: number for number, path in enumerate(self.paths)}
        relations = [[(number[one], number[other]) for one, other in pairs] for pairs in (self.after, self.hold)]
        model = acceptor(model_graph(range(len(number)), relations[0], (), relations[1], (), policy))
        answer = model.accepts([(event[0], number[event[1]], *event[2:]) for event in self.events])
        assert isinstance(answer, Accepted), str(answer)

    def recorder(self) -> Any:
        return recorder(self.events, lambda node: node.name)


def plain(program: Program, child: Child, path: str) -> Any:
    def body(context: Any) -> None:
        for handle in program.make(context, child.children, path, plain):
            handle.join()
        if child.fails:
            raise Planned(path)

    return body


def awaited(program: Program, child: Child, path: str) -> Any:
    async def body(context: Any) -> None:
        for handle in program.make(context, child.children, path, awaited):
            await handle
            await asyncio.sleep(0)
        if child.fails:
            raise Planned(path)

    return body


def unjoined(program: Program, child: Child, path: str) -> Any:
    """For bodies in threads of a loop, which cannot wait."""

    def body(context: Any) -> None:
        list(program.make(context, child.children, path, unjoined))
        if child.fails:
            raise Planned(path)

    return body


def on_threads(forest: tuple[Child, ...], policy: str, workers: int, body: Any = plain) -> Program:
    program = Program()
    scheduler = Scheduler(workers, policy=policy, watch=program.recorder())
    list(program.make(scheduler, forest, "", body))
    scheduler.close()
    return program


def on_a_loop(forest: tuple[Child, ...], policy: str, workers: int | None, body: Any = awaited) -> Program:
    program = Program()

    async def main() -> None:
        scheduler = AsyncScheduler(workers, threads=2, policy=policy, watch=program.recorder())
        await scheduler.__aenter__()
        list(program.make(scheduler, forest, "", body))
        await scheduler.close()
        scheduler.check()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    return program


@settings(max_examples=60)
@given(_FORESTS, st.sampled_from([None, 1, 2, 3]), st.sampled_from(["isolate", "branch"]))
def test_programs_that_spawn_join_and_fail_end_alike_on_every_runtime(forest, workers, policy):
    ran = [on_threads(forest, policy, 0), on_threads(forest, policy, 2), on_a_loop(forest, policy, workers)]
    for program in ran:
        program.accepted(policy)
    assert ran[0].outcomes == ran[1].outcomes == ran[2].outcomes


@settings(max_examples=30)
@given(_FORESTS, st.sampled_from([None, 1, 2]))
def test_bodies_in_threads_of_a_loop_build_as_bodies_on_it(forest, workers):
    inline = on_threads(forest, "isolate", 0, unjoined)
    looped = on_a_loop(forest, "isolate", workers, unjoined)
    looped.accepted("isolate")
    assert looped.outcomes == inline.outcomes


@settings(max_examples=40)
@given(task_graphs(body=lambda name: int), st.data())
@pytest.mark.parametrize("policy", [Policy.ISOLATE, Policy.BRANCH], ids=lambda policy: policy.value)
def test_graphs_of_async_and_sync_bodies_end_as_the_policy_says(policy, graph, data):
    failing = data.draw(st.sets(st.integers(0, len(graph.tasks) - 1), max_size=3))
    kinds = data.draw(st.lists(st.integers(0, 2), min_size=len(graph.tasks), max_size=len(graph.tasks)))

    async def coroutine(fails: bool) -> None:
        await asyncio.sleep(0)
        if fails:
            raise Planned

    def body(number: int) -> Any:
        fails = number in failing

        async def on_the_loop() -> None:
            await coroutine(fails)

        def in_a_thread() -> None:
            if fails:
                raise Planned

        return (on_the_loop, in_a_thread, lambda: coroutine(fails))[kinds[number]]

    tasks = tuple(Task(task.name, task.body and body(number)) for number, task in enumerate(graph.tasks))
    mixed = Graph(tasks, graph.after, graph.inside, graph.hold)
    events: list[Event] = []
    watch = recorder(events, lambda node: int(node.name[1:]))
    workers = data.draw(st.sampled_from([None, 1, 2]))
    result = run(mixed, "asyncio", workers=workers, policy=policy, watch=watch, check=False)
    assert [task.outcome for task in result.tasks] == _expected(graph, failing, policy)
    bodiless = [number for number, task in enumerate(tasks) if task.body is None]
    model = acceptor(model_graph(range(len(tasks)), graph.after, graph.inside, graph.hold, bodiless, policy.value))
    answer = model.accepts(events)
    assert isinstance(answer, Accepted), str(answer)


@settings(max_examples=40)
@given(_FORESTS, st.integers(0, 12), st.sampled_from([None, 1, 2]))
def test_whoever_is_cancelled_at_any_turn_leaves_nothing_behind(forest, turns, workers):
    """After so many turns of the loop; what had begun to run ends, what had not is cancelled, and all has closed."""
    program = Program()

    async def caller(scheduler: AsyncScheduler) -> None:
        async with scheduler:
            list(program.make(scheduler, forest, "", awaited))

    async def main() -> None:
        scheduler = AsyncScheduler(workers, watch=program.recorder())
        task = asyncio.create_task(caller(scheduler))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        assert (scheduler._in_flight, scheduler._unborn, scheduler._lives, len(scheduler._joins)) == (0, 0, {}, 0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert sorted(program.outcomes) == sorted(program.paths)


def test_random_orders_of_a_crowd_keep_the_number_of_places():
    """A hundred bodies that suspend at random and join each other at random, seven at most between their awaits."""
    chance, inside, most = random.Random(11), [0], [0]

    async def body(before: list[Any]) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        inside[0] -= 1
        if before and chance.random() < 0.5:
            await chance.choice(before)
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        await asyncio.sleep(0)
        inside[0] -= 1

    async def main() -> None:
        async with AsyncScheduler(workers=7) as scheduler:
            tasks: list[Any] = []
            for number in range(100):
                before = list(tasks)
                tasks.append(scheduler.spawn(str(number), partial(body, before=before)))

    asyncio.run(main())
    assert most == [7]
