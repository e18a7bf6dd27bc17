"""What every reduction rests on: operations that are called independent may be swapped, from any state.

For every pair of operation kinds, on all ways to share their objects, from random states that executions reach or
could reach: if the footprints do not conflict, then neither operation enables or disables the other, and both orders
end in the same states with the same results. The exceptions are the edges that cannot be reversed: a row that `wakes`
an actor may enable that actor's next operation, and an actor's end its join.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from hocket.explore import footprint, semantics
from hocket.explore.footprint import Footprints, conflict
from hocket.explore.reductions import ADDS, EQUAL, RULES, Change, Question
from hocket.explore.semantics import FINISHED, ROWS, RUNNING, Raise
from hocket.trace.operation import Operation

PRINTS = [Footprints(rules) for rules in ((), tuple(RULES), tuple(rule for rule in RULES if rule != EQUAL))]
ONE, TWO = 1, 2  # the two actors; 3 is a third that may own things


BARRIERS = [(2, (), 0), (2, (TWO,), 1), (2, (ONE,), 1), (3, (3, 4), 1), (3, (ONE, TWO), 1), (2, (), 2)]


def _cell(rng: random.Random) -> Any: return rng.randrange(3)
def _data(rng: random.Random) -> Any: return None
def _lock(rng: random.Random) -> Any: return rng.choice([None, None, (ONE, 1), (TWO, 1), (TWO, 2), (3, 1)])
def _semaphore(rng: random.Random) -> Any: return rng.choice([(0, None), (1, None), (2, None), (0, 2), (1, 2), (2, 2)])
def _event(rng: random.Random) -> Any: return rng.random() < 0.5
def _barrier(rng: random.Random) -> Any: return rng.choice(BARRIERS)
def _thread(rng: random.Random) -> Any: return rng.choice([None, RUNNING, FINISHED])


def _condition(rng: random.Random) -> Any:
    where = {actor: rng.choice("wn-") for actor in (ONE, TWO, 3, 4)}
    waiting = [(actor, 1) for actor, place in where.items() if place == "w"]
    rng.shuffle(waiting)
    return tuple(waiting), frozenset((actor, 1) for actor, place in where.items() if place == "n")


def _queue(rng: random.Random) -> Any:
    capacity = rng.choice([0, 1, 2])
    return tuple(rng.randrange(3) for _ in range(rng.randint(0, capacity or 3))), capacity


def _there(rng: random.Random) -> Any:
    return rng.random() < 0.5


STATES = {
    "cell": (_cell,), "data": (_there, _data), "lock": (_lock,), "rlock": (_lock,), "semaphore": (_semaphore,),
    "condition": (_condition, _lock), "event": (_event,), "barrier": (_barrier,), "queue": (_queue,),
    "thread": (_thread,), "loop": (_cell,), "poll": (), "": (),
}
ARGUMENTS = {
    "cell.compare_exchange": lambda rng: (rng.randrange(2), rng.randrange(3)),
    "cell.update": lambda rng: (lambda value: 2 * value + 1),
    "cell.await": lambda rng: (lambda value: value >= 1),
    "cell.until": lambda rng: rng.choice([lambda value: value >= 1, lambda value: value % 2, lambda value: 1 // value]),
    "condition.notify": lambda rng: rng.choice([1, 2, None]),
    "thread.spawn": lambda rng: 3, "thread.join": lambda rng: 3,
    "choose": lambda rng: 2,
}


def _kinds_of_objects(kind: str) -> tuple[Any, ...]:
    if kind == "condition.reacquire":
        return (_lock,)
    return STATES[kind.rpartition(".")[0]][: len(ROWS[kind].modes_for(0))]


def _operation(kind: str, objects: tuple[int, ...], rng: random.Random) -> Operation:
    return Operation(kind, objects, ARGUMENTS.get(kind, lambda rng: rng.randrange(1, 3))(rng))


def _sharings(first: str, second: str) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All ways in which the two operations' objects may be the same: 0, 1 are the first's, 10, 11 are others."""
    mine, yours = _kinds_of_objects(first), _kinds_of_objects(second)
    found: list[tuple[int, ...]] = [()]
    for number, kind in enumerate(yours):
        found = [
            (*before, index) for before in found
            for index in [*(i for i, other in enumerate(mine) if other is kind and i not in before), 10 + number]
        ]
    return [(tuple(range(len(mine))), objects) for objects in found]


def _possible(states: dict[int, Any], actor: int, operation: Operation, way: int) -> bool:
    row = ROWS[operation.kind]
    return bool(row.enabled(_state(states, operation), actor, operation.argument, way))


def _state(states: dict[int, Any], operation: Operation) -> Any:
    objects = operation.objects
    return states[objects[0]] if len(objects) == 1 else tuple(states[index] for index in objects)


def _perform(states: dict[int, Any], actor: int, operation: Operation, way: int) -> tuple[dict[int, Any], Any]:
    row, objects = ROWS[operation.kind], operation.objects
    new, result = row.perform(_state(states, operation), actor, operation.argument, way)
    return states | (dict(zip(objects, (new,), strict=True)) if len(objects) == 1 else
                     dict(zip(objects, new, strict=True))), result


def _wakes(operation: Operation, result: Any, actor: int) -> bool:
    return type(result) is not Raise and actor in ROWS[operation.kind].wakes(operation.argument, result)


Told = tuple[Operation, int, Any, Any]
"""An operation, its alternative, its result, and the state that it met."""


def _independent(a: Told, b: Told) -> bool:
    """Whether the footprints, sharpened by the results, do not conflict: by themselves, or by the rules."""
    return any(not conflict(*(prints.of(operation, way, not ROWS[operation.kind].changed(result), before)
                              for operation, way, result, before in (a, b))) for prints in PRINTS)


@pytest.mark.parametrize("first", sorted(ROWS))
def test_operations_that_do_not_conflict_may_be_swapped(first: str):
    rng = random.Random(first)
    for prints in PRINTS:
        prints._known.clear()  # a test may have put another row there
    for second in sorted(ROWS):
        if first <= second:
            for mine, yours in _sharings(first, second):
                _check_pair(first, mine, second, yours, rng)


def _check_pair(first: str, mine: tuple[int, ...], second: str, yours: tuple[int, ...], rng: random.Random) -> None:
    kinds = dict(zip(mine + yours, _kinds_of_objects(first) + _kinds_of_objects(second), strict=True))
    for _ in range(50):
        a, b = _operation(first, mine, rng), _operation(second, yours, rng)
        states = {index: kind(rng) for index, kind in kinds.items()}
        for way in range(ROWS[first].alternatives(a.argument)):
            for other in range(ROWS[second].alternatives(b.argument)):
                _check_swap(states, a, way, b, other)
                _check_swap(states, b, other, a, way)


def _check_swap(states: dict[int, Any], a: Operation, way: int, b: Operation, other: int) -> None:
    """Actor ONE may do `a` now: then `b` of actor TWO is no less and no more possible after it, and they commute."""
    if not (_meant(states, ONE, a) and _meant(states, TWO, b) and _possible(states, ONE, a, way)):
        return
    after, result = _perform(states, ONE, a, way)
    before = _possible(states, TWO, b, other)
    half, second_result = _perform(states, TWO, b, other) if before else (states, True)
    met = [(a, way, result, _state(states, a)), (b, other, second_result, _state(states, b))]
    later = (b, other, _perform(after, TWO, b, other)[1] if _possible(after, TWO, b, other) else True, _state(after, b))
    assert before != _possible(after, TWO, b, other) or _independent(*met) == _independent(met[0], later), f"{a}, {b}"
    if not _independent(*met):
        return
    if not before and (_wakes(a, result, TWO) or (a.kind == "thread.end" and ROWS[b.kind].follows)):
        return  # an edge that cannot be reversed
    assert before == _possible(after, TWO, b, other), f"{a}/{way} enables or disables {b}/{other} from {states}"
    if before:
        assert _possible(half, ONE, a, way), f"{b}/{other} disables {a}/{way} from {states}"
        assert _perform(half, ONE, a, way) == (_perform(after, TWO, b, other)[0], result), f"{a}, {b} from {states}"
        assert _perform(after, TWO, b, other)[1] == second_result, f"{a} changes what {b} sees, from {states}"


def _meant(states: dict[int, Any], actor: int, operation: Operation) -> bool:
    """Whether a host asks for this in such a state: nobody starts a thread twice, or passes without arriving."""
    state = states.get(operation.objects[0]) if operation.objects else None
    match operation.kind:
        case "thread.spawn": return state is None
        case "thread.end" | "thread.begin": return bool(state == RUNNING)
        case "barrier.pass": return actor in state[1] or state[2] > operation.argument
        case _: return True


def test_the_law_catches_a_write_that_is_called_a_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ROWS, "cell.swap", replace(ROWS["cell.swap"], modes="r"))
    semantics._modes.cache_clear()
    with pytest.raises(AssertionError, match="cell"):
        test_operations_that_do_not_conflict_may_be_swapped("cell.load")
    semantics._modes.cache_clear()


def test_the_law_catches_a_notify_that_is_said_to_leave_the_waiters_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ROWS, "condition.notify", replace(ROWS["condition.notify"], modes="-r"))
    semantics._modes.cache_clear()
    with pytest.raises(AssertionError):
        test_operations_that_do_not_conflict_may_be_swapped("condition.notify")
    semantics._modes.cache_clear()


@pytest.mark.parametrize(("kind", "alike"), [
    ("cell.add", ADDS), ("cell.swap", ADDS), ("cell.swap", EQUAL), ("cell.store", ADDS), ("cell.update", ADDS),
    ("semaphore.try", EQUAL), ("queue.put", ADDS), ("lock.acquire", EQUAL), ("lock.release", EQUAL), ("event.set", ""),
])
def test_the_law_catches_a_row_that_says_it_commutes_with_itself(kind: str, alike: str, monkeypatch: Any):
    """Except the last, which says nothing, and is left alone."""
    monkeypatch.setitem(ROWS, kind, replace(ROWS[kind], alike=alike))
    if not alike:
        test_operations_that_do_not_conflict_may_be_swapped(kind)
        return
    with pytest.raises(AssertionError):
        test_operations_that_do_not_conflict_may_be_swapped(kind)


def test_the_law_catches_a_wait_that_commutes_with_every_store(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(footprint, "commute", lambda a, b: {type(a), type(b)} == {Change, Question})
    with pytest.raises(AssertionError, match="until"):
        test_operations_that_do_not_conflict_may_be_swapped("cell.store")


def test_the_law_catches_an_addition_that_is_called_an_overwriting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(ROWS, "cell.add", replace(ROWS["cell.add"], overwrites=True))
    with pytest.raises(AssertionError, match="until"):
        test_operations_that_do_not_conflict_may_be_swapped("cell.add")
