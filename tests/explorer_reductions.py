"""Random programs with and without the rules of reductions.py: `python -m tests.explorer_reductions 2000 [seed]`.

For each program every interleaving is run. A search under rules must end in exactly the same ways (all states, all
that every actor saw, who is blocked, every failure), give up nothing, and run each of the larger classes once. These
are computed here by definition, from the words of the page and not from the code: who may be swapped with whom, and
the order that is left.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from hocket.explore.classes import marks_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal, Source
from hocket.explore.execution import Execution
from hocket.explore.model import run
from hocket.explore.reductions import ADDS, AWAITS, EQUAL, RULES
from hocket.explore.tally import Limits
from tests import programs
from tests.fuzz_explorer import ending
from tests.programs import build

SETS = [(EQUAL,), (ADDS,), (AWAITS,), tuple(RULES)]
_CELLS = ["load", "guard", "add", "swap", "cas", "if"]
_DENSE = {
    EQUAL: ["store", "store", "set", "clear", "eventwait", "await", "load", "cas"],
    ADDS: ["increment", "increment", "untileven", "until", "store", "load"],
    AWAITS: ["store", "store", "swap", "until", "untileven", "cas", "await"],
}
_NAMES = {
    EQUAL: ["store", "store", "store", "set", "set", "clear", "isset", "eventwait", "await", *_CELLS],
    ADDS: ["increment", "increment", "increment", "store", "await", "until", *_CELLS],
    AWAITS: ["store", "store", "until", "until", "untileven", "swap", "increment", "await", *_CELLS],
}
_MORE = [["lock", "trylock"], ["spawn", "join"], ["choose"], ["up", "down"], [], [], []]


def drawn(seed: int, rules: Collection[str]) -> Iterator[list[Any]]:
    """Random programs on which the rules have something to say, one after the other."""
    rng = random.Random(f"{seed} {sorted(rules)}")
    while True:
        actors, dense = rng.choice([2, 3, 3, 4, 4, 5]), rng.random() < 0.5
        table, more = (_DENSE, []) if dense else (_NAMES, rng.choice(_MORE))
        names = [name for rule in RULES if rule in rules for name in table[rule]] + more
        cells = 1 if dense else rng.choice([1, 1, 2])
        sizes = [rng.randint(1, {2: 5, 3: 3, 4: 2, 5: 1}[actors]) for _ in range(actors)]
        yield [_closer(programs._draw_block(rng, names, size, 2), cells) for size in sizes]


_ON_CELLS = {"load", "store", "add", "swap", "cas", "await", "increment", "until", "untileven", "guard"}


def _closer(block: list[Any], cells: int) -> list[Any]:
    """The same statements on so many cells, where actors meet more often."""
    found = []
    for name, *rest in block:
        if name in _ON_CELLS:
            rest[0] %= cells
        found.append((name, *(_closer(part, cells) if type(part) is list else part for part in rest)))
    return found


class Truth(NamedTuple):
    """What brute force finds: the ways to end, the failures, and the classes, each with the ways in which it ends."""

    endings: set[str]
    failures: set[Any]
    classes: dict[Any, set[str]]
    interleavings: int


def brute_force(source: list[Any], rules: Collection[str], largest: int) -> Truth | None:
    """Every interleaving of a program; None if there are more than `largest`."""
    classes: dict[Any, set[str]] = {}

    def see(execution: Execution) -> None:
        classes.setdefault(larger_class(execution, rules), set()).add(repr(ending(execution)))

    tally = run(build(source), DepthFirst(), Limits(executions=largest), watch=see)
    if tally.reason:
        return None
    failures = {(failure.kind, failure.message) for failure in tally.failures}
    return Truth(set().union(*classes.values()), failures, classes, tally.executions)


def larger_class(execution: Execution, rules: Collection[str]) -> Any:
    """The class of an execution when what the rules allow is swapped as well: the events and their order, by name."""
    events, marks = execution.events, marks_of(execution.events)
    before: list[set[int]] = []
    for j, event in enumerate(events):
        direct = {i for i in range(j) if events[i].actor == event.actor or i in marks[j].after or (
            _meet(marks[i].touched, marks[j].touched) and not _excused(execution, i, j, rules)) or (
            AWAITS in rules and _exchanged_while_waiting(event.operation, events[i].operation))}
        before.append(direct.union(*(before[i] for i in direct)))
    seen: Counter[Any] = Counter()
    names = []
    for event in events:
        names.append((event.actor, seen[event.actor]))
        seen[event.actor] += 1
    cast = execution.cast
    return frozenset(
        (cast.actors[names[j][0]], names[j][1], event.operation.kind, event.alternative,
         tuple(cast.births[index] for index in event.operation.objects),
         frozenset((cast.actors[names[i][0]], names[i][1]) for i in before[j]))
        for j, event in enumerate(events))


def _meet(first: Any, second: Any) -> bool:
    return any(x == y and "w" in (m, n) for x, m in first for y, n in second)


def _exchanged_while_waiting(first: Any, second: Any) -> bool:
    """A compare-exchange and a question are in order even if the first fails: the page says why."""
    return first.objects == second.objects and {first.kind, second.kind} == {"cell.until", "cell.compare_exchange"}


def _excused(execution: Execution, i: int, j: int, rules: Collection[str]) -> bool:
    """Whether a rule says that these two events on one object commute."""
    first, second = (execution.events[k].operation for k in (i, j))
    kinds = {first.kind, second.kind}
    if EQUAL in rules and len(kinds) == 1 and kinds <= {"cell.store", "event.set", "event.clear"}:
        return repr(first.argument) == repr(second.argument)
    if ADDS in rules and kinds == {"cell.increment"}:
        return True
    if AWAITS in rules and "cell.until" in kinds and len(kinds) == 2:
        write, asks = (i, second.argument) if second.kind == "cell.until" else (j, first.argument)
        operation = execution.events[write].operation
        if operation.kind == "cell.swap" or (operation.kind == "cell.store" and EQUAL not in rules):
            return bool(asks(execution.before[write])) == bool(asks(operation.argument))
    return False


def judge(source: list[Any], rules: Collection[str], truth: Truth,
          optimal: Callable[[], Any] | None = None) -> tuple[int, int]:
    """Raise AssertionError unless the search under rules is right; else its executions, and those without rules."""
    strategy = optimal() if optimal is not None else Optimal(reductions=rules)
    found: list[Any] = []
    endings: set[str] = set()

    def see(execution: Execution) -> None:
        found.append(larger_class(execution, rules))
        endings.add(repr(ending(execution)))

    tally = run(build(source), strategy, watch=see)
    assert endings == truth.endings, f"{len(truth.endings - endings)} ways to end are missed: {source}"
    assert {(failure.kind, failure.message) for failure in tally.failures} == truth.failures, f"failures of {source}"
    assert strategy.given_up == 0, f"{strategy.given_up} executions were given up: {source}"
    assert set(found) == set(truth.classes), f"{len(set(truth.classes) - set(found))} classes are missed: {source}"
    assert len(found) == len(set(found)), f"a class was run twice: {source}"
    return len(found), run(build(source), Optimal()).executions


def fuzz(count: int, rules: Collection[str], seed: int = 0, largest: int = 150) -> Counter[str]:
    """Judge `count` random programs under some rules."""
    account: Counter[str] = Counter()
    for source in drawn(seed, rules):
        truth = brute_force(source, rules, largest)
        if truth is None or truth.interleavings < 2:
            continue
        assert all(len(ends) == 1 for ends in truth.classes.values()), f"one class ends in two ways: {source}"
        fewer, classes = judge(source, rules, truth)
        lighter: set[str] = set()
        run(build(source), Source(reductions=rules),
            watch=lambda e, lighter=lighter: lighter.add(repr(ending(e))) if not e.options() else None)
        assert lighter == truth.endings, f"source misses ways to end of {source}"
        account.update(programs=1, interleavings=truth.interleavings, classes=classes, runs=fewer,
                       deadlocks=any(kind == "deadlock" for kind, _ in truth.failures))
        if account["programs"] == count:
            return account
    raise AssertionError("there is always another program")


if __name__ == "__main__":
    for chosen in SETS:
        start = time.perf_counter()
        result = fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000, chosen,
                      int(sys.argv[2]) if len(sys.argv) > 2 else 0)
        print(", ".join(chosen), dict(result), f"{time.perf_counter() - start:.0f} s", flush=True)
