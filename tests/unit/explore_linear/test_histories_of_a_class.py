"""One execution of a class speaks for every history of that class: held against depth-first search and permutations.

Random small objects: each method is a few loads, stores, additions and exchanges on two cells, or a piece under a lock.
Depth-first search runs every interleaving of these steps and of the begins and returns, and so sees every history. The
histories that the order of each class allows must be exactly these; and what `misfit` and `explained` say of them must
be what trying all orders of the calls says.
"""

from __future__ import annotations

import random
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.linear.history import BEGIN, RETURN, History, Point, explained, misfit
from hocket.explore.linear.linearizable import _reordered, _Reply, seen
from hocket.explore.linear.sequential import Answer, Call, Kind, Reference
from hocket.explore.model import Program, run
from hocket.explore.threads.control import End
from hocket.trace.operation import Operation

STEPS = ["load", "store", "copy", "add", "cas", "lock"]


def draw(rng: random.Random) -> tuple[dict[str, list[Any]], list[list[str]]]:
    """Two methods, and who calls what: at most three calls."""
    methods = {
        name: [(rng.choice(STEPS), rng.randrange(2), rng.randrange(1, 3)) for _ in range(rng.randint(1, 2))]
        for name in "fg"}
    shapes = [[1, 1], [1, 1], [2, 1]]
    return methods, [[rng.choice("fg") for _ in range(length)] for length in rng.choice(shapes)]


class Sequential:
    """The methods, each in one go."""

    methods: dict[str, list[Any]]

    def __init__(self) -> None:
        self.cells = [0, 0]

    def f(self) -> tuple[Any, ...]: return self.do("f")
    def g(self) -> tuple[Any, ...]: return self.do("g")

    def do(self, name: str) -> tuple[Any, ...]:
        got: list[Any] = [0]
        for step, x, value in self.methods[name]:
            before = self.cells[x]
            if step == "store":
                self.cells[x] = value
            elif step == "copy":
                self.cells[x] = got[-1]
            elif step in ("add", "lock"):
                self.cells[x] += value
            elif step == "cas" and before == 0:
                self.cells[x] = value
            got.append(None if step in ("store", "copy") else before == 0 if step == "cas" else before)
            if got[-1] is None:
                got[-1] = 0
        return tuple(got)


def program_of(methods: dict[str, list[Any]], lists: list[list[Call]]) -> Program:
    program = Program()
    cells, lock = [program.cell(0, "x"), program.cell(0, "y")], program.lock("l")

    def step(name: str, x: int, value: int, last: Any) -> Any:
        if name == "load":
            return (yield cells[x].load())
        if name in ("store", "copy"):
            yield cells[x].store(value if name == "store" else last)
            return 0
        if name == "add":
            return (yield cells[x].add(value))
        if name == "cas":
            return (yield cells[x].compare_exchange(0, value))
        yield lock.acquire()
        before = yield cells[x].add(value)
        yield lock.release()
        return before

    def sing(calls: list[Call]) -> Any:
        for call in calls:
            yield Operation(BEGIN, (), call)
            got: list[Any] = [0]
            for name, x, value in methods[call.method]:
                got.append((yield from step(name, x, value, got[-1])))
            yield Operation(RETURN, (), _Reply(call, Answer(Kind.RETURNED, tuple(got))))

    for calls in lists:
        program.actor(sing, calls)
    return program


def history_of(execution: Any, pasts: Any = None) -> tuple[History, list[Point]]:
    control = SimpleNamespace(execution=execution, session=SimpleNamespace(cast=execution.cast), end=End.COMPLETE)
    return seen(control, pasts)  # type: ignore[arg-type]


def told(history: History, order: Any) -> tuple[Any, ...]:
    """A history as it could be heard: who begins what, who returns what, in order."""
    return tuple((lane, history.lanes[lane][at // 2].answer if at % 2 else history.lanes[lane][at // 2].call)
                 for lane, at in order)


def orders(history: History, done: tuple[int, ...] | None = None) -> Any:
    """Every order of the points that the class allows, one step at a time and without cleverness."""
    done = done or (0,) * len(history.lanes)
    if done == history.ends:
        yield ()
    for lane, at in enumerate(done):
        if at == history.ends[lane]:
            continue
        span = history.lanes[lane][at // 2]
        after = span.returns_after if at % 2 else span.begins_after
        if all(have >= need for have, need in zip(done, after, strict=True)):
            for rest in orders(history, (*done[:lane], at + 1, *done[lane + 1:])):
                yield ((lane, at), *rest)


def fits(history: History, order: Any, factory: Any) -> bool:
    """Whether some permutation of the calls explains this one order."""
    place = {point: number for number, point in enumerate(order)}
    calls = [(lane, at) for lane, spans in enumerate(history.lanes) for at in range(len(spans))]
    for chosen in permutations(calls):
        if any(place[b[0], 2 * b[1] + 1] < place[a[0], 2 * a[1]]
               for number, a in enumerate(chosen) for b in chosen[number + 1:]):
            continue
        thing = factory()
        if all(getattr(thing, history.lanes[lane][at].call.method)() == history.lanes[lane][at].answer.value
               for lane, at in chosen):
            return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_the_histories_of_all_classes_are_those_of_all_interleavings(seed):
    rng = random.Random(seed)
    methods, names = draw(rng)
    lists = [[Call(name) for name in lane] for lane in names]
    kind = type("Kind", (Sequential,), {"methods": methods})
    reference = Reference(kind)

    heard: dict[Any, bool] = {}

    def listen(execution: Any) -> None:
        history, order = history_of(execution)
        words = told(history, order)
        if words not in heard:
            heard[words] = fits(history, order, kind)
            line = history.along(order)
            assert (misfit(line, reference) is None) == heard[words]
            assert (not isinstance(explained(line, reference), str)) == heard[words]

    run(program_of(methods, lists), DepthFirst(), watch=listen)

    allowed: set[Any] = set()
    optimal = Optimal()

    def judge(execution: Any) -> None:
        pasts = list(optimal.order.past)
        history, _ = history_of(execution, pasts)
        mine = {told(history, order) for order in orders(history)}
        allowed.update(mine)
        found = misfit(history, reference)
        assert (found is None) == all(heard[words] for words in mine)
        if found is not None:
            assert not heard[told(history, found.order)]
            _check_reordered(execution, pasts, found.order)

    classes = run(program_of(methods, lists), optimal, watch=judge)
    assert allowed == set(heard)
    assert classes.executions <= len(heard)


def _check_reordered(execution: Any, pasts: list[int], order: Any) -> None:
    """The schedule of the bad history is one of the same class: all events once, none before what precedes it."""
    numbers = _reordered(execution, pasts, order)
    assert sorted(numbers) == list(range(len(execution.events)))
    place = {number: at for at, number in enumerate(numbers)}
    assert all(place[a] < place[b] for b in numbers for a in range(b) if pasts[b] >> a & 1)


def test_the_random_objects_are_of_both_kinds():
    """Else the test above would hold of objects that are all right, or all wrong."""
    verdicts = []
    for seed in range(40):
        methods, names = draw(random.Random(seed))
        reference = Reference(type("Kind", (Sequential,), {"methods": methods}))
        optimal, found = Optimal(), []

        def judge(execution: Any, optimal: Any = optimal, found: Any = found, reference: Any = reference) -> None:
            found.append(misfit(history_of(execution, optimal.order.past)[0], reference))

        run(program_of(methods, [[Call(name) for name in lane] for lane in names]), optimal, watch=judge)
        verdicts.append(any(found))
    assert 8 <= sum(verdicts) <= 32
