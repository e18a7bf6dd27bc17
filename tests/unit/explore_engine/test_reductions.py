"""Fewer runs than classes: nothing is lost, nothing is run twice, and each rule's next larger neighbour is killed.

CI runs 2,000 small random programs; `python -m tests.explorer_reductions 2000` is the long run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from itertools import combinations_with_replacement, product
from typing import Any
from unittest import mock

import pytest

import hocket
from hocket import Atomic
from hocket.errors import NondeterminismError, Refused
from hocket.explore import dpor, footprint, order, reductions, wakeup
from hocket.explore.dpor import Optimal, Source
from hocket.explore.model import Program, run
from hocket.explore.races import Races
from hocket.explore.reductions import ADDS, AWAITS, EQUAL, RULES, Change, Question
from hocket.explore.semantics import ROWS
from tests import explorer_programs as programs
from tests.explorer_reductions import SETS, brute_force, drawn, fuzz, judge
from tests.programs import build
from tests.together import together

PARTS, PER_PART = 3, 100  # for each set of rules

# -- counts -----------------------------------------------------------------------------------------------------------


def increments(n: int) -> Program:
    """n actors: x = x + 1 in one step, without an answer."""
    program = Program()
    x = program.cell(0, "x")

    def body() -> Any:
        yield x.increment()

    for _ in range(n):
        program.actor(body)
    return program


def setters(n: int) -> Program:
    """n actors store the same to x."""
    program = Program()
    x = program.cell(0, "x")

    def body() -> Any:
        yield x.store(1)

    for _ in range(n):
        program.actor(body)
    return program


def opened(n: int) -> Program:
    """One actor stores 1 to n, another waits for at least 1."""
    program = Program()
    x = program.cell(0, "x")

    def write() -> Any:
        for value in range(1, n + 1):
            yield x.store(value)

    def wait() -> Any:
        yield x.block_until(lambda value: value >= 1)

    program.actor(write)
    program.actor(wait)
    return program


COUNTS = [
    # Concuerror's observers and the prototype of explorer.md report 3, 25 and 363 for n = 2, 3, 4
    *[(EQUAL, programs.counter, n, classes, fewer) for n, classes, fewer in [(2, 4, 3), (3, 36, 25), (4, 576, 363)]],
    *[(EQUAL, setters, n, classes, 1) for n, classes in [(2, 2), (3, 6), (5, 120)]],
    (EQUAL, programs.writers, 4, 24, 24),  # different values: nothing to gain
    (EQUAL, programs.readers, 6, 64, 64),
    (EQUAL, programs.lastzero, 5, 64, 64),
    *[(ADDS, increments, n, classes, 1) for n, classes in [(2, 2), (3, 6), (5, 120)]],
    (ADDS, programs.workers, 3, 6, 6),  # its tickets are answers
    # the waiter passes after any of n stores, or at once when the first has been made
    *[(AWAITS, opened, n, n, 1) for n in (1, 2, 5)],
    (AWAITS, programs.token_ring, 4, 1, 1),
]


@pytest.mark.parametrize(("rule", "make", "n", "classes", "fewer"), COUNTS)
def test_the_rules_save_exactly_so_many_runs(
    rule: str, make: Callable[[int], Program], n: int, classes: int, fewer: int
):
    plain, tally = run(make(n), Optimal()), run(make(n), strategy := Optimal(reductions=(rule,)))
    assert (plain.executions, tally.executions, strategy.given_up) == (classes, fewer, 0)
    assert set(tally.outcomes) == set(plain.outcomes)
    assert tally.verdict == "proved"
    lighter = run(make(n), Source(reductions=(rule,)))
    assert lighter.executions - lighter.abandoned == fewer


def test_without_rules_a_wait_has_one_class_for_each_store_that_it_may_follow():
    assert run(opened(5), Optimal()).executions == 5


# -- nothing is lost --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("rules", SETS, ids="+".join)
def test_endings_failures_and_classes_are_those_of_brute_force(rules: tuple[str, ...], part: int):
    account = fuzz(PER_PART, rules, part, largest=40)
    assert account["programs"] == PER_PART
    assert account["runs"] <= account["classes"]


SMALL = {
    (EQUAL,): [("store", 0, 1), ("store", 0, 2), ("load", 0), ("await", 0, 2), ("cas", 0, 1, 0)],
    (ADDS,): [("increment", 0, 1), ("increment", 0, 2), ("load", 0), ("untileven", 0, 1), ("store", 0, 0)],
    (AWAITS,): [("store", 0, 1), ("store", 0, 2), ("swap", 0, 0), ("until", 0, 1), ("untileven", 0, 0)],
}


@pytest.mark.parametrize("rules", SMALL, ids="+".join)
def test_all_programs_of_three_actors_and_four_steps_are_right(rules: tuple[str, ...]):
    """One actor of two steps and two of one each, over five operations on one cell: 25 · 15 = 375 programs."""
    ones = [[step] for step in SMALL[rules]]
    twos = [[*pair] for pair in product(SMALL[rules], repeat=2)]
    sources = [[two, *others] for two in twos for others in combinations_with_replacement(ones, 2)]
    assert len(sources) == 375
    for source in sources:
        truth = brute_force(source, rules, 100)
        assert truth is not None
        judge(source, rules, truth)


# -- what is a little larger is killed --------------------------------------------------------------------------------

# each of these is right only if several events that commute are left out at once
SEVERAL = {
    (EQUAL,): [[("clear",), ("eventwait",)], [("clear",)], [("eventwait",)], [("set",)]],
    (ADDS,): [[("increment", 0, 1)], [("increment", 0, 1)], [("increment", 0, 1)], [("untileven", 0, 1)]],
}


@pytest.mark.parametrize("rules", SEVERAL, ids="+".join)
def test_what_blocks_may_be_freed_only_by_leaving_out_several_events(rules: tuple[str, ...]):
    truth = brute_force(SEVERAL[rules], rules, 1_000)
    assert truth is not None
    judge(SEVERAL[rules], rules, truth)
    with pytest.raises(AssertionError, match="missed"):
        judge(SEVERAL[rules], rules, truth, _searching(_NothingElseDropped, rules))


def test_increments_are_left_out_in_any_combination_and_not_all_or_nothing():
    rules = (ADDS,)
    truth = brute_force(SEVERAL[rules], rules, 1_000)
    assert truth is not None
    with pytest.raises(AssertionError, match="missed"):
        judge(SEVERAL[rules], rules, truth, _searching(_AllOrNothing, rules))


class _NothingElseDropped(Races):
    """A race leaves out one event and what depends on it."""

    __slots__ = ()

    def _drops(self, *_: Any) -> Any:
        return (0,)


class _AllOrNothing(Races):
    """Of events that commute, all are left out or none."""

    __slots__ = ()

    def _drops(self, *about: Any) -> Any:
        return {0, max(super()._drops(*about))}


class _FirstStateTrusted(Races):
    """What is kept behind an event that touches an object does not change it: true only if it conflicts."""

    __slots__ = ()

    def _before(self, execution: Any, item: int, at: int, kept: int) -> Any:
        return super()._before(execution, item, at, kept) or (
            (execution.before[at],) if self.order.prints[at].touch >> item & 1 else None)


class _OldValueTrusted(Races):
    """A store that is moved changes the answer wherever it did before."""

    __slots__ = ()

    def _sharpened(self, row: Any, state: Any, actor: int, operation: Any, way: int, footprint: Any) -> Any:
        return footprint if row.always_changes else super()._sharpened(row, state, actor, operation, way, footprint)


def _searching(races: type[Races], rules: Collection[str]) -> Callable[[], Optimal]:
    class Wrong(Optimal):
        def _new_races(self) -> Races:
            return races(self.order)

    return lambda: Wrong(reductions=rules)


def _row(kind: str, **changes: Any) -> AbstractContextManager[Any]:
    return mock.patch.dict(ROWS, {kind: replace(ROWS[kind], **changes)})


def _commuting(more: Callable[[Any, Any], bool]) -> AbstractContextManager[Any]:
    right, stack = reductions.commute, ExitStack()
    for module in (footprint, order, wakeup, dpor):
        stack.enter_context(mock.patch.object(module, "commute", lambda a, b: more(a, b) or right(a, b)))
    return stack


MUTANTS: dict[str, tuple[tuple[str, ...], Callable[[], AbstractContextManager[Any]], type[Races] | None]] = {
    "values are not looked at": ((EQUAL,), lambda: mock.patch.object(reductions, "_label", return_value=1), None),
    "swaps of one value commute": ((EQUAL,), lambda: _row("cell.swap", alike=EQUAL), None),
    "adds that answer commute": ((ADDS,), lambda: _row("cell.add", alike=ADDS), None),
    "the first state, equal": ((EQUAL,), nullcontext, _FirstStateTrusted),
    "the first state, adds": ((ADDS,), nullcontext, _FirstStateTrusted),
    "the first state, awaits": ((AWAITS,), nullcontext, _FirstStateTrusted),
    "a wait commutes with every store": (
        (AWAITS,), lambda: _commuting(lambda a, b: {type(a), type(b)} == {Change, Question}), None),
    "an increment overwrites": ((AWAITS,), lambda: _row("cell.increment", overwrites=True), None),
    "a wait that answers asks only": ((AWAITS,), lambda: _row("cell.await", asks=True), None),
    "the old value": ((AWAITS,), nullcontext, _OldValueTrusted),
    "equal writes commute with waits": (tuple(RULES), lambda: _commuting(
        lambda a, b: {type(a).__name__, type(b).__name__} == {"Alike", "Question"}), None),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_fuzz_kills_a_rule_that_goes_a_little_further(name: str):
    rules, change, races = MUTANTS[name]
    for number, source in enumerate(drawn(1, rules)):
        assert number < 1_500, f"survived: {name}"
        truth = brute_force(source, rules, 90)
        if truth is None:
            continue
        try:
            with change():
                judge(source, rules, truth, _searching(races, rules) if races is not None else None)
        except (AssertionError, NondeterminismError):
            break
    judge(source, rules, truth)  # the rule itself stands


@pytest.mark.parametrize(("one", "other"), [(1, True), (0.0, -0.0), (1, 1.0), ((1,), (True,)), ("a", b"a")])
def test_values_that_a_program_can_tell_apart_are_not_equal_though_python_may_say_so(one: Any, other: Any):
    assert _runs_of_two_stores(one, other) == 2
    assert _runs_of_two_stores(one, one) == 1


def test_values_that_may_change_are_never_equal():
    assert _runs_of_two_stores([], []) == 2
    assert _runs_of_two_stores(shared := [1], shared) == 2


def _runs_of_two_stores(one: Any, other: Any) -> int:
    program = Program()
    x = program.cell(0, "x")

    def body(value: Any) -> Any:
        yield x.store(value)

    program.actor(body, one)
    program.actor(body, other)
    program.outcome = lambda final: repr(final[x])
    return run(program, Optimal(reductions=(EQUAL,))).executions


# -- refused: critical sections on one lock that conflict in nothing --------------------------------------------------


@pytest.mark.parametrize("locked", [True, False])
def test_readers_under_one_lock_exclude_each_other_which_they_can_see(locked: bool):
    """Two sections that only read, and two stores outside: if the sections might overlap, they could disagree on which
    store came first. So a lock may not be shared between readers, though no reader conflicts with the other."""
    program = Program()
    x, y, lock = program.cell(0, "x"), program.cell(0, "y"), program.lock("lock")

    def read(first: Any, second: Any) -> Any:
        if locked:
            yield lock.acquire()
        seen = (yield first.load()), (yield second.load())
        if locked:
            yield lock.release()
        return seen

    def write(cell: Any) -> Any:
        yield cell.store(1)

    for body, *cells in [(read, x, y), (read, y, x), (write, x), (write, y)]:
        program.actor(body, *cells)
    program.outcome = lambda final: (final.results[1], final.results[2])
    # the one saw y's store and not x's, the other x's and not y's: each began before the other ended
    assert (((0, 1), (0, 1)) in run(program, Optimal()).outcomes) is not locked


# -- through the front door -------------------------------------------------------------------------------------------


def counter() -> int:
    x = Atomic(0)
    together(*[lambda: x.store(x.load() + 1)] * 3)
    return x.load()


def counted() -> int:
    x = Atomic(0)
    together(*[x.increment] * 4)
    return x.load()


def released() -> int:
    x = Atomic(0)
    together(lambda: x.block_until(lambda value: value > 0), *[lambda value=value: x.store(value) for value in (1, 2)])
    return x.load()


@pytest.mark.parametrize(("body", "rule", "classes", "fewer"), [
    (counter, EQUAL, 36, 25), (counted, ADDS, 24, 1), (released, AWAITS, 4, 2)])
def test_the_front_door_takes_rules_and_the_result_names_them(body: Any, rule: str, classes: int, fewer: int):
    plain, result = hocket.explore(body), hocket.explore(body, reductions=(rule,))
    assert (plain.verdict, plain.executions, plain.classes, plain.reductions) == ("proved", classes, classes, ())
    assert (result.verdict, result.executions, result.classes, result.reductions) == ("proved", fewer, fewer, (rule,))
    assert set(result.outcomes) == set(plain.outcomes)
    assert f"under {rule}" in str(result)


def test_a_failure_found_under_rules_replays_without_them():
    def body() -> None:
        assert counter() > 1

    failure = hocket.explore(body, reductions=tuple(RULES)).failure
    assert failure is not None
    with pytest.raises(AssertionError):
        hocket.replay(body, failure.schedule)


@pytest.mark.parametrize("options", [
    {"reductions": ["no-such"]}, {"reductions": [EQUAL], "strategy": "dfs"}, {"reductions": [EQUAL], "bound": 1},
    {"reductions": [EQUAL], "checkpoint": "never-written"}])
def test_rules_that_do_not_exist_or_are_of_no_use_are_refused(options: dict[str, Any]):
    with pytest.raises(Refused, match="reductions"):
        hocket.explore(counter, **options)


def test_where_time_passes_rules_prove_nothing_because_a_clock_tells_equal_writes_apart():
    import time

    def body() -> float:
        x = Atomic(0)
        after = []

        def slow() -> None:
            time.sleep(5)
            x.store(1)

        def quick() -> None:
            x.store(1)
            after.append(time.monotonic())

        together(slow, quick)
        return round(after[0])

    result = hocket.explore(body, reductions=(EQUAL,), data="off")
    assert (result.verdict, "time passes" in result.reason) == ("incomplete", True)


# -- waiting for a predicate ------------------------------------------------------------------------------------------


def test_waiting_ends_as_polling_does_and_takes_fewer_runs():
    """The polling form gives up after two looks that fail; where it does not, it ends in the same ways."""

    def polling() -> Any:
        x, seen = Atomic(0), []
        together(lambda: x.store(1), lambda: x.store(2),
                 lambda: seen.append(next((value for value in (x.load(), x.load()) if value), None)))
        return seen[0], x.load()

    def waiting() -> Any:
        x, seen = Atomic(0), []
        together(lambda: x.store(1), lambda: x.store(2), lambda: seen.append(x.wait_until(lambda value: value > 0)))
        return seen[0], x.load()

    polled, waited = hocket.explore(polling, data="off"), hocket.explore(waiting, data="off")
    assert {outcome for outcome in polled.outcomes if outcome[0] is not None} == set(waited.outcomes)
    assert set(waited.outcomes) == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert (waited.classes, waited.classes < polled.classes) == (4, True)


def test_a_wait_that_nobody_ends_is_a_deadlock():
    def body() -> None:
        x = Atomic(0)
        together(lambda: x.store(1), lambda: x.wait_until(lambda value: value == 2))

    failure = hocket.explore(body).failure
    assert failure is not None
    assert failure.kind == "deadlock"


def test_what_a_predicate_raises_is_raised_by_the_wait_in_every_order():
    def body() -> Any:
        x = Atomic(0)
        said = []

        def wait() -> None:
            try:
                x.block_until(lambda value: 1 // value)
            except ZeroDivisionError:
                said.append("divided")

        together(wait, lambda: x.store(1), lambda: x.store(-1))
        return said

    assert set(hocket.explore(body, data="off").outcomes) == {"[]", "['divided']"}


@pytest.mark.parametrize("look", [lambda other: other.load(), lambda other: hocket.choose(2)], ids=["load", "choose"])
def test_a_predicate_that_looks_elsewhere_is_refused(look: Callable[[Any], Any]):
    def body() -> None:
        x, other = Atomic(0), Atomic(0)
        together(lambda: x.block_until(lambda value: value == look(other)))

    failure = hocket.explore(body).failure
    assert failure is not None
    assert isinstance(failure.exception, Refused)
    assert "a function of the value alone" in failure.message


def test_outside_of_an_exploration_a_wait_is_woken_by_whoever_makes_it_true():
    x = Atomic(0)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(x.wait_until(lambda value: value >= 3)))
    thread.start()
    for change in (x.increment, lambda: x.add(1), lambda: x.swap(2), lambda: x.compare_exchange(2, 3)):
        change()
    x.block_until(lambda value: value == 3)
    thread.join(10)
    assert seen == [3]


@pytest.mark.parametrize(("value", "amount"), [("a", 1), (0.5, 1), (1, 0.5)])
def test_an_increment_counts_in_whole_numbers_only(value: Any, amount: Any):
    x = Atomic(value)
    with pytest.raises(TypeError, match="whole numbers"):
        x.increment(amount)
    assert x.load() == value

    def body() -> None:
        Atomic(value).increment(amount)

    failure = hocket.explore(body).failure
    assert failure is not None
    assert isinstance(failure.exception, TypeError)
    assert "increment(" in str(failure)
    assert "raises TypeError" in str(failure).replace("\n", " ")


def test_programs_of_the_fuzz_use_every_statement_that_a_rule_speaks_of():
    for rules, kinds in {(EQUAL,): {"cell.store", "event.set"}, (ADDS,): {"cell.increment"},
                         (AWAITS,): {"cell.until", "cell.swap"}}.items():
        seen: set[str] = set()
        for _, source in zip(range(30), drawn(0, rules), strict=False):
            run(build(source), Optimal(), watch=lambda e, seen=seen: seen.update(x.operation.kind for x in e.events))
        assert kinds <= seen
