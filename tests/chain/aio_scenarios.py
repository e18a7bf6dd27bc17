"""What the scheduler of event loops is explored on, and how often each scenario interleaves.

The code that ships runs on the explorer's loop. With `order="any"` every callback that is ready may come next, which
is more than asyncio allows and all that another loop might do; sync bodies run in real threads beside it; `cancel`
cancels a task of asyncio's from outside between any two callbacks. Each run is given to the model event by event, as
those of the thread runtime are (`scenarios.py`); at the end everything has closed and no task of asyncio's is left.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import hocket
from hocket.errors import DeadlockError, Refused, Stranded, TaskLost
from hocket.graph import Graph, Task
from hocket.kernel import Policy
from hocket.runtime.aio import AsyncScheduler
from hocket.runtime.aio_handle import AsyncHandle
from hocket.spec.refine import Accepted, Run
from models.run import acceptor
from models.run import graph as model_graph
from tests.chain import scenarios
from tests.chain.bridge import Event, recorder
from tests.chain.scenarios import with_cancellations

FINISHED = ("finished",)

Outcomes = set[tuple[str, ...]]


@dataclass(frozen=True)
class Scenario:
    """`graph` is what the model knows; `give` tells the scheduler; `classes` and `outcomes` are all that there are."""

    graph: Graph
    give: Callable[[AsyncScheduler], Awaitable[object] | object]
    classes: int
    outcomes: Outcomes
    policy: str = "isolate"
    workers: int | None = None
    threads: int = 1
    how: dict[str, Any] = field(default_factory=lambda: {"order": "any"})
    cancels: bool = False  # whether tasks are cancelled or interrupted in some runs


# -- bodies ------------------------------------------------------------------------------------------------------------


async def work() -> None:
    """Let others go on once."""
    await asyncio.sleep(0)


async def fail() -> None:
    raise LookupError("planted")


def threaded() -> None:
    """A sync body."""


def graph_with(graph: Graph, body: Any, failing: Any = fail) -> Graph:
    """The same graph with other bodies; those that raise raise here too."""
    bodies = {None: None, scenarios.fail: failing}
    tasks = tuple(Task(task.name, bodies.get(task.body, body)) for task in graph.tasks)
    return Graph(tasks, graph.after, graph.inside, graph.hold)


def load(graph: Graph, body: Any = work, failing: Any = fail) -> Callable[[AsyncScheduler], object]:
    return lambda scheduler: scheduler.add_graph(graph_with(graph, body, failing))


def diamond() -> Graph:
    return Graph(tuple(Task(name, scenarios.work) for name in "abcd"), after=((1, 0), (2, 0), (3, 1), (3, 2)))


def alone() -> Graph:
    return Graph((Task("a", scenarios.work),))


# -- what is done ------------------------------------------------------------------------------------------------------


def family(scheduler: AsyncScheduler) -> None:
    """Spawn from a running task, two deep; the last task comes after the first."""

    async def parent(context: Any) -> None:
        context.fork("child", child, context=True)
        await asyncio.sleep(0)

    async def child(context: Any) -> None:
        context.fork("grandchild", work)
        await asyncio.sleep(0)

    first = scheduler.spawn("parent", parent, context=True, run=False)
    scheduler.spawn("after", work, after=[first], run=False)


def family_in_threads(scheduler: AsyncScheduler) -> None:
    """The same from sync bodies: what they spawn is handed to the loop."""
    scenarios.family(scheduler)  # type: ignore[arg-type]  # it is given what spawns


def adopting(scheduler: AsyncScheduler) -> None:
    """A body says that it is held by a task that may be waiting, running or over."""
    kept = scheduler.spawn("kept", work)

    async def keeper(context: Any) -> None:
        context.add_fork(kept)
        await asyncio.sleep(0)

    first = scheduler.spawn("keeper", keeper, context=True)
    scheduler.spawn("after", work, after=[first])


async def multi_and_joiner(scheduler: AsyncScheduler) -> None:
    """Three bodies of one task, one after it, and somebody outside who awaits both."""
    drawn: list[int] = []

    async def draw(number: int) -> None:
        await asyncio.sleep(0)
        drawn.append(number)

    many = scheduler.multi("m", 3, draw)

    async def last() -> list[int]:
        return sorted(drawn)

    after = scheduler.spawn("after", last, after=[many])
    assert await many is None
    assert await after == [0, 1, 2], f"each index once, and this was drawn: {drawn}"


async def streamed(scheduler: AsyncScheduler) -> None:
    """Items of an async generator, at most one at work."""
    seen: list[int] = []
    most = [0, 0]

    async def numbers() -> Any:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def take(number: int) -> None:
        most[0] += 1
        most[1] = max(most)
        await asyncio.sleep(0)
        most[0] -= 1
        seen.append(number)

    many = scheduler.iter("m", numbers(), take)
    after = scheduler.spawn("after", work, after=[many])
    await after
    assert (seen, most) == ([0, 1, 2], [0, 1]), f"each once, one at a time, and it was {seen}, {most[1]} at a time"


async def stream_fails(scheduler: AsyncScheduler) -> None:
    """The first of two bodies at a time fails: no item is asked for any more, and the generator is closed."""
    closed: list[bool] = []

    async def numbers() -> Any:
        try:
            for number in range(9):
                yield number
        finally:
            closed.append(True)

    async def take(number: int) -> None:
        await asyncio.sleep(0)
        if number == 0:
            raise LookupError("planted")

    many = scheduler.iter("m", numbers(), take)
    scheduler.spawn("after", work, after=[many])
    with suppress(LookupError):
        await many
    assert closed == [True], "the generator is left open"


def parent_child_other() -> Graph:
    """A task and its child, and a third that has nothing to do with them."""
    names = ("parent", "child", "other")
    return Graph(tuple(Task(name, scenarios.work) for name in names), inside=((1, 0),), hold=((0, 1),))


def joined_inside(scheduler: AsyncScheduler) -> None:
    """One place, and a body that awaits its child: the place is another's meanwhile, and never two bodies'."""
    at_work: list[str] = []

    async def works(name: str = "child") -> None:
        at_work.append(name)
        assert at_work == [name], f"{at_work} have one place"
        try:
            await asyncio.sleep(0)
        finally:
            at_work.remove(name)

    async def parent(context: Any) -> None:
        child = context.fork("child", works)
        context.spawn("other", partial(works, "other"))
        await child
        await works("parent")

    scheduler.spawn("parent", parent, context=True)


def half_and_half(scheduler: AsyncScheduler) -> None:
    """A sync body and an async one, at the same time."""
    scheduler.spawn("a", threaded)
    scheduler.spawn("b", work)


def onto_the_loop(scheduler: AsyncScheduler) -> None:
    """A sync body makes an async child."""
    scheduler.spawn("parent", lambda context: context.fork("child", work) and None, context=True)


def joined_by_parts(scheduler: AsyncScheduler) -> None:
    """A body with one place gathers two tasks at once, in tasks of asyncio's of its own."""
    others = [scheduler.spawn(name, work, run=False) for name in "ab"]

    async def both() -> None:
        await asyncio.gather(*others)

    scheduler.spawn("both", both)


async def joining_in_a_circle(scheduler: AsyncScheduler) -> None:
    later: list[AsyncHandle] = []

    async def first() -> None:
        with suppress(DeadlockError):
            await later[0]

    a = scheduler.spawn("a", first, run=False)
    later.append(scheduler.spawn("b", work, after=[a], run=False))


async def cancelled_in_the_queue(scheduler: AsyncScheduler) -> None:
    """Somebody outside keeps a task from starting, if it has not."""
    a = scheduler.spawn("a", work)
    scheduler.spawn("b", work)
    await asyncio.sleep(0)
    with suppress(Refused):
        a.cancel()


async def interrupted(scheduler: AsyncScheduler) -> None:
    """Somebody outside ends a body that runs; who comes after it is skipped."""
    a = scheduler.spawn("a", work)
    scheduler.spawn("b", work, after=[a])
    await asyncio.sleep(0)
    with suppress(Refused):
        a.interrupt()
    with suppress(TaskLost):
        await a


async def in_time_or_not(scheduler: AsyncScheduler) -> None:
    """A join and the task that it awaits have the same time: either may come first, and no waiter is left."""

    async def slow() -> None:
        await asyncio.sleep(1)

    a = scheduler.spawn("a", slow)
    with suppress(TimeoutError):
        await a.join(timeout=1)
    assert not a.waiters, "a waiter is left"


def from_a_thread(scheduler: AsyncScheduler) -> None:
    """A sync body that makes a coroutine, which is awaited on the loop."""
    scheduler.spawn("a", lambda: work())


async def two_runs(scheduler: AsyncScheduler) -> None:
    """A run that fails and is stopped, and when it is over, another in the same scheduler."""
    with suppress(LookupError):
        await scheduler.spawn("a", fail)
    scheduler.spawn("b", work)


def known_outside(scheduler: AsyncScheduler) -> None:
    """A body that awaits nothing leaves word to cancel the task of asyncio's that it was in: nobody else hears that."""

    async def leaves_word() -> None:
        task: Any = asyncio.current_task()
        asyncio.get_running_loop().call_soon(task.cancel)

    scheduler.spawn("a", leaves_word)
    scheduler.spawn("b", work)


def at_once(scheduler: AsyncScheduler) -> None:
    """Bodies that await nothing, two after one."""

    async def returns() -> None:
        """At once."""

    scheduler.add_graph(graph_with(diamond(), returns))


async def two_of_many(scheduler: AsyncScheduler) -> None:
    async def draw(_: int) -> None:
        await asyncio.sleep(0)

    scheduler.multi("a", 2, draw)


def idle_last(scheduler: AsyncScheduler) -> None:
    """While the scheduler closes, a body makes a task that nobody arms, and awaits it."""

    async def parent(context: Any) -> None:
        await context.fork("child", work, run=False)

    scheduler.spawn("parent", parent, context=True)


async def building_at_the_end(scheduler: AsyncScheduler) -> None:
    """A body builds, and lets others have their turn, while the scheduler closes: what it builds is its own."""

    async def maker(context: Any) -> None:
        first, second = (context.spawn(name, work, run=False) for name in ("first", "second"))
        await asyncio.sleep(0)
        second.depend_on(first).run()
        first.run()

    scheduler.spawn("maker", maker, context=True)
    await asyncio.sleep(0)


async def workers_come_and_go(scheduler: AsyncScheduler) -> None:
    """The only worker comes when there is work, and leaves; whoever joins is told if nobody is left, or helps."""
    a, b = scheduler.spawn("a", work), scheduler.spawn("b", work)
    scheduler.add_worker("w")
    await asyncio.sleep(0)
    with suppress(Stranded):
        scheduler.remove_worker("w")
    with suppress(DeadlockError):
        await b
    await b.join(help=True)
    await a


# -- the table ---------------------------------------------------------------------------------------------------------

# what the caller of a scheduler, or any task of asyncio's but the caller's, is subject to
_CALLER = {"order": "fifo", "cancel": "caller"}
_CALLER_ANY = {"order": "any", "cancel": "caller"}
_EACH_ANY = {"order": "any", "cancel": "each"}
_PROMISED = {"order": "fifo"}  # what asyncio leaves open, and threads

_BROKEN, _SPAWNING, _DIAMOND = scenarios.broken_prong(), scenarios.spawning(), diamond()
_FORKS, _NESTED, _CROWD = scenarios.fork_join(), scenarios.nested_forks(), scenarios.crowd()
_ORDER, _TWO, _CHILD = scenarios.one_after_another(), scenarios.two_tasks(), scenarios.parent_and_child()


def _all(*words: str) -> Outcomes:
    """Sets of outcomes, each task's by its first letter."""
    long = {"f": "finished", "x": "failed", "s": "skipped", "c": "cancelled", "-": "never made"}
    return {tuple(long[letter] for letter in word) for word in words}


SCENARIOS = {
    "diamond": Scenario(_DIAMOND, load(_DIAMOND), 6, {FINISHED * 4}),
    "fork join": Scenario(_FORKS, load(_FORKS), 90, {FINISHED * 6}),
    "nested forks": Scenario(_NESTED, load(_NESTED), 168, {FINISHED * 8}),
    "spawn two deep": Scenario(_SPAWNING, family, 15, {FINISHED * 4}),
    "spawn two deep, one place": Scenario(_SPAWNING, family, 1, {FINISHED * 4}, workers=1),
    "a running task is adopted": Scenario(scenarios.pair_and_third(), adopting, 3, {FINISHED * 3}),
    "three bodies and a joiner": Scenario(_CROWD, multi_and_joiner, 180, {FINISHED * 2}),
    "three bodies and a joiner, two places": Scenario(_CROWD, multi_and_joiner, 48, {FINISHED * 2}, workers=2),
    "an async iterator, one place": Scenario(_CROWD, streamed, 1, {FINISHED * 2}, workers=1),
    "an async iterator, two places, a body fails": Scenario(_CROWD, stream_fails, 609, _all("xs"), workers=2),
    "a prong fails, isolate": Scenario(_BROKEN, load(_BROKEN), 1, _all("xxfs")),
    "a prong fails, branch": Scenario(_BROKEN, load(_BROKEN), 1, _all("fxff"), policy="branch"),
    "a prong fails, fail_fast": Scenario(_BROKEN, load(_BROKEN), 1, _all("xxcc"), policy="fail_fast"),
    "two runs": Scenario(_TWO, two_runs, 1, _all("xf"), policy="fail_fast"),
    "a body awaits its child, one place": Scenario(parent_child_other(), joined_inside, 3, {FINISHED * 3}, workers=1),
    "a body gathers two tasks, one place": Scenario(
        Graph((*_TWO.tasks, Task("both", scenarios.work))), joined_by_parts, 153, {FINISHED * 3}, workers=1
    ),
    "a body joins what waits for it": Scenario(_ORDER, joining_in_a_circle, 1, {FINISHED * 2}),
    "a sync body makes an async child": Scenario(_CHILD, onto_the_loop, 12, {FINISHED * 2}, how=_PROMISED),
    "a body whose task of asyncio's is known outside": Scenario(_TWO, known_outside, 9, {FINISHED * 2}),
    "bodies that await nothing": Scenario(_DIAMOND, at_once, 1, {FINISHED * 4}),
    "an idle task is made last": Scenario(_CHILD, idle_last, 1, {FINISHED * 2}),
    "a body builds at the end": Scenario(scenarios.maker_of_two(), building_at_the_end, 7, {FINISHED * 3}),
    "a body in a thread builds at the end": Scenario(
        scenarios.maker_of_two(), scenarios.building_at_the_end, 12, {FINISHED * 3}, how=_PROMISED
    ),
    "workers come and go": Scenario(_TWO, workers_come_and_go, 5, {FINISHED * 2}, workers=0),
    "cancelled in the queue": Scenario(_TWO, cancelled_in_the_queue, 13, _all("cf", "ff"), cancels=True),
    "cancelled in the queue, one place": Scenario(
        _TWO, cancelled_in_the_queue, 5, _all("cf", "ff"), workers=1, cancels=True
    ),
    "interrupted": Scenario(_ORDER, interrupted, 36, _all("ff", "xs"), cancels=True),
    "a timeout at the time of the close": Scenario(alone(), in_time_or_not, 5, {FINISHED * 1}, how=_PROMISED),
    "a sync body makes a coroutine": Scenario(alone(), from_a_thread, 1, {FINISHED * 1}, how=_PROMISED),
    "diamond, in a thread": Scenario(_DIAMOND, load(_DIAMOND, threaded), 1, {FINISHED * 4}, how=_PROMISED),
    "two threads": Scenario(_TWO, load(_TWO, threaded), 96, {FINISHED * 2}, threads=2, how=_PROMISED),
    "a thread and the loop": Scenario(_TWO, half_and_half, 5, {FINISHED * 2}, how=_PROMISED),
    "spawn two deep, in a thread": Scenario(_SPAWNING, family_in_threads, 4, {FINISHED * 4}, how=_PROMISED),
    "the caller is cancelled: diamond": Scenario(
        _DIAMOND,
        load(_DIAMOND),
        242,
        _all("csss", "fccs", "fcfs", "fcxc", "ffcs", "fffc", "ffff", "fffx", "ffxc", "fxcc", "fxfc", "fxxc", "xccs"),
        how=_CALLER_ANY,
        cancels=True,
    ),
    "the caller is cancelled: spawn two deep": Scenario(
        _SPAWNING,
        family,
        615,
        _all("c--s", "fffc", "ffff", "fffx", "xc-c", "xffc", "xxcc", "xxfc", "xxxc"),
        how=_CALLER_ANY,
        cancels=True,
    ),
    "the caller is cancelled: three bodies": Scenario(
        _CROWD, multi_and_joiner, 11, _all("fc", "ff", "xc"), workers=2, how=_CALLER, cancels=True
    ),
    "the caller is cancelled: an async iterator": Scenario(
        _CROWD, streamed, 18, _all("fc", "ff", "fx", "xc"), workers=1, how=_CALLER, cancels=True
    ),
    "the caller is cancelled: a body awaits its child": Scenario(
        parent_child_other(),
        joined_inside,
        11,
        _all("fff", "xcc", "xfc", "xff", "xfx", "xxc"),
        workers=1,
        how=_CALLER,
        cancels=True,
    ),
    "the caller is cancelled: sync bodies": Scenario(
        _ORDER, load(_ORDER, threaded), 10, _all("fc", "ff"), how=_CALLER, cancels=True
    ),
    "a body is cancelled by asyncio: diamond": Scenario(
        _DIAMOND,
        load(_DIAMOND),
        57,
        _all("fcfs", "ffcs", "fffc", "ffff", "fffx", "ffxs", "fxfs", "xsss"),
        how=_EACH_ANY,
        cancels=True,
    ),
    "the caller is cancelled: bodies that await nothing": Scenario(
        _DIAMOND, at_once, 5, _all("csss", "ffff"), how=_CALLER_ANY, cancels=True
    ),
    "a body is cancelled by asyncio: bodies that await nothing": Scenario(
        _DIAMOND, at_once, 2, _all("ffff"), how=_EACH_ANY, cancels=True
    ),
    "a body is cancelled by asyncio: two of one task": Scenario(
        alone(), two_of_many, 38, _all("f", "x"), how=_EACH_ANY, cancels=True
    ),
    "a body is cancelled by asyncio: spawn two deep": Scenario(
        _SPAWNING,
        family,
        221,
        _all("fffc", "ffff", "fffx", "xffs", "xxfs", "xxxs"),
        how=_EACH_ANY,
        cancels=True,
    ),
}


def explored(name: str) -> tuple[Any, Outcomes]:
    """Explore the scheduler on one scenario; the result, and the sets of outcomes that occurred."""
    return explore(SCENARIOS[name], second_run="two runs" in name)


def explore(case: Scenario, second_run: bool = False) -> tuple[Any, Outcomes]:
    graph, tasks = case.graph, range(len(case.graph.tasks))
    number = {task.name: index for index, task in enumerate(graph.tasks)}
    scopes = {0: "first", 1: "second"} if second_run else None
    accepted: set[tuple[Event, ...]] = set()
    outcomes: Outcomes = set()

    def judge(events: list[Event], came: frozenset[int]) -> None:
        told = tuple(with_cancellations(events) if case.cancels else events)
        if told not in accepted:
            answer = _model(graph, came, case.policy, case.cancels, scopes).accepts(told)
            assert isinstance(answer, Accepted), str(answer)
            accepted.add(told)
        ended = {event[1]: event[2] for event in events if event[0] == "close"}
        assert came == set(ended), f"{came - set(ended)} have not closed"
        outcome = tuple(ended.get(index, "never made") for index in tasks)
        assert outcome in case.outcomes, f"tasks ended as {outcome}"
        outcomes.add(outcome)

    async def caller() -> None:
        events: list[Event] = []
        watch = recorder(events, lambda node: number[node.name])
        scheduler = AsyncScheduler(case.workers, threads=case.threads, policy=Policy(case.policy), watch=watch)
        came = _names_of_all_that_come(scheduler)
        try:
            await scheduler.__aenter__()
            given = case.give(scheduler)
            if given is not None and hasattr(given, "__await__"):
                await given
            await scheduler.close()
        except CancelledError:
            await scheduler.close(cancel=True)
            judge(events, frozenset(number[name] for name in came))
            _nothing_is_left(scheduler)
            raise
        judge(events, frozenset(number[name] for name in came))
        _nothing_is_left(scheduler)

    return hocket.explore(caller, data="off", executions=case.classes + 1_000, **case.how), outcomes


def _model(graph: Graph, came: frozenset[int], policy: str, cancels: bool, scopes: Any) -> Run:
    """Of the tasks that were made: where a parent was cancelled, it has no children."""
    tasks = sorted(came)
    relations = [[pair for pair in pairs if came >= set(pair)] for pairs in (graph.after, graph.inside, graph.hold)]
    bodiless = [index for index in tasks if graph.tasks[index].body is None]
    may_be_cancelled = tasks if cancels else ()
    return acceptor(model_graph(tasks, *relations, bodiless, policy, scope=scopes, may_be_cancelled=may_be_cancelled))


def _names_of_all_that_come(scheduler: AsyncScheduler) -> set[str]:
    came: set[str] = set()
    kernel: Any = scheduler._kernel
    add = kernel.add
    kernel.add = lambda name, *what: came.add(name) or add(name, *what)
    return came


def _nothing_is_left(scheduler: AsyncScheduler) -> None:
    scheduler.check()
    assert not scheduler._kernel.nodes, "something is open"
    assert (scheduler._in_flight, scheduler._unborn, scheduler._lives) == (0, 0, {}), "a body has not ended"
    assert (list(scheduler._back), scheduler._joined, len(scheduler._joins)) == ([], {}, 0), "somebody waits"
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others, f"tasks of asyncio's are left: {others}"
