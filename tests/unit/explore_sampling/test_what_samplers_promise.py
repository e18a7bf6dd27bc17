"""What each sampler promises, exactly: every answer that its random source can give is tried, with its probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import comb
from random import Random
from typing import Any

import pytest

from hocket.errors import Refused
from hocket.explore.classes import class_of
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.model import Program, Spawn, run
from hocket.explore.sampling.portfolio import SAMPLERS, Coverage, Pct, Pos, RandomWalk, Surw, Urw
from tests import explorer_programs as programs


class Answers:
    """A random source that gives one answer after the other, along a path, and knows how likely the path is."""

    def __init__(self, path: list[int]) -> None:
        self.path, self.at, self.likely, self.sizes = path, 0, Fraction(1), list[int]()

    def _one(self, weights: list[Fraction]) -> int:
        if self.at == len(self.path):
            self.path.append(0)
        number = self.path[self.at]
        self.at += 1
        self.sizes.append(len(weights))
        self.likely *= weights[number] / sum(weights)
        return number

    def choice(self, options: list[Any]) -> Any:
        return options[self._one([Fraction(1)] * len(options))]

    def choices(self, options: list[Any], weights: list[float]) -> list[Any]:
        return [options[self._one([Fraction(weight) for weight in weights])]]

    def randint(self, least: int, most: int) -> int:
        return least + self._one([Fraction(1)] * (most - least + 1))

    def next_path(self) -> list[int] | None:
        path = list(self.path)
        while path:
            path[-1] += 1
            if path[-1] < self.sizes[len(path) - 1]:
                return path
            path.pop()
        return None


def distribution(
        program: Program, sampler: Any, key: Callable[[Execution], Any], learn: int = 3) -> dict[Any, Fraction]:
    """The exact probability of each `key` in one execution of `sampler`, after it has learned from some."""
    sampler.executions = learn
    run(program, sampler)
    found: dict[Any, Fraction] = {}
    path: list[int] | None = []
    while path is not None:
        answers = Answers(path)
        sampler.random = lambda text, answers=answers: answers
        sampler.executions = sampler.number + 1
        seen: list[Any] = []
        run(program, sampler, watch=lambda execution, seen=seen: seen.append(key(execution)))
        found[seen[0]] = found.get(seen[0], Fraction(0)) + answers.likely
        path = answers.next_path()
    assert sum(found.values()) == 1
    return {key: likely for key, likely in found.items() if likely}


def order(execution: Execution) -> tuple[int, ...]:
    return tuple(event.actor for event in execution.events)


def stuck(execution: Execution) -> bool:
    return bool(execution.blocked())


def chains(*lengths: int) -> Program:
    """Actors with so many steps each, all on one cell."""
    program = Program()
    x = program.cell(0, "x")

    def steps(count: int) -> Any:
        for _ in range(count):
            yield x.add(1)

    for length in lengths:
        program.actor(steps, length)
    return program


# -- random walk ------------------------------------------------------------------------------------------------------


def test_a_random_walk_takes_each_actor_with_equal_probability():
    # one step against three: first with 1/2, second with 1/4, third or last with 1/8 each
    places = distribution(chains(1, 3), RandomWalk(), lambda execution: order(execution).index(1))
    assert places == {0: Fraction(1, 2), 1: Fraction(1, 4), 2: Fraction(1, 8), 3: Fraction(1, 8)}


def test_a_random_walk_loses_every_other_update():
    # the first load is anybody's; the update is lost if the other's load comes next, and else the store is done
    lost = distribution(programs.counter(2), RandomWalk(), lambda execution: execution.states[0] == 1)
    assert lost == {True: Fraction(1, 2), False: Fraction(1, 2)}


# -- URW and SURW -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(1, 5), (2, 2), (2, 2, 2), (1, 2, 3)])
def test_urw_draws_every_interleaving_with_exactly_the_same_probability(lengths: tuple[int, ...]):
    # (sum of the lengths)! / product of (length!): 6, 6, 90, 60
    number, total = 1, 0
    for length in lengths:
        total += length
        number *= comb(total, length)
    interleavings = distribution(chains(*lengths), Urw(), order)
    assert len(interleavings) == number
    assert set(interleavings.values()) == {Fraction(1, number)}


def test_urw_counts_what_children_will_do_for_whoever_spawns_them():
    """main spawns two actors of two steps each: 6! / (6·3·2·2) = 10 orders, by the hook formula of a tree."""
    program = Program()
    x = program.cell(0, "x")

    def child() -> Any:
        yield x.add(1)
        yield x.add(1)

    def main() -> Any:
        yield Spawn(child)
        yield Spawn(child)

    program.body(main)
    interleavings = distribution(program, Urw(), order)
    assert len(interleavings) == 10
    assert set(interleavings.values()) == {Fraction(1, 10)}


def noisy() -> Program:
    """One actor with one step on x and four elsewhere, one with two on x and one elsewhere between them."""
    program = Program()
    x, mine, other = program.cell(0, "x"), program.cell(0, "mine"), program.cell(0, "other")

    def first() -> Any:
        for _ in range(4):
            yield mine.add(1)
        yield x.add(1)

    def second() -> Any:
        yield x.add(1)
        yield other.add(1)
        yield x.add(1)

    program.actor(first)
    program.actor(second)
    return program


def on_x(execution: Execution) -> tuple[int, ...]:
    return tuple(event.actor for event in execution.events if event.operation.objects == (0,))


class OnX(Surw):
    """Surw that is interested in the first object."""

    def draw_focus(self) -> frozenset[int]:
        return frozenset([0])


def test_surw_orders_the_interesting_operations_evenly_whatever_else_happens():
    # three orders of one and two steps on x
    assert set(distribution(noisy(), OnX(), on_x).values()) == {Fraction(1, 3)}
    # in a random walk first is nearly always too late: at least three heads in seven throws, 1 - (1 + 7 + 21)/128
    assert distribution(noisy(), RandomWalk(), on_x)[2, 2, 1] == Fraction(99, 128)


def test_surw_with_a_child_to_be_spawned_is_even_too():
    """An actor with one step on x; main works elsewhere, spawns a child with two, then has one of its own."""
    program = Program()
    x, mine = program.cell(0, "x"), program.cell(0, "mine")

    def steps(count: int) -> Any:
        for _ in range(count):
            yield x.add(1)

    def main() -> Any:
        yield mine.add(1)
        yield Spawn(steps, (2,))
        yield x.add(1)

    program.actor(steps, 1)
    program.body(main)
    # 4 steps on x: one actor with 1, main with 1, the child with 2: 4! / 2! = 12
    orders = distribution(program, OnX(), on_x)
    assert len(orders) == 12
    assert set(orders.values()) == {Fraction(1, 12)}


def test_surw_takes_interest_only_in_what_several_actors_use_and_one_writes():
    sampler = Surw(50, 1)
    program = noisy()
    foci: set[frozenset[int]] = set()
    run(program, sampler, watch=lambda execution: foci.add(sampler.focus))
    assert foci == {frozenset(), frozenset([0])}  # nothing is known in the first execution


# -- PCT --------------------------------------------------------------------------------------------------------------


def crossed() -> Program:
    """Fails only if t1's second step comes before t2's first, whose third comes before t1's third: depth 2."""
    program = Program()
    x, y = program.cell(0, "x"), program.cell(0, "y")

    def first() -> Any:
        yield x.load()
        yield x.store(1)
        yield y.load()
        yield y.load()

    def second() -> Any:
        if (yield x.load()):
            yield x.load()
            yield y.store(1)

    program.actor(first)
    program.actor(second)
    return program


def lost(execution: Execution) -> bool:
    return bool(execution.states[0] < len(execution.pending) - 1)


def crossing(execution: Execution) -> bool:
    loads = [event.result for event in execution.events if event.actor == 1 and event.operation.objects == (1,)]
    return loads == [0, 1]


def nested() -> Program:
    """Three actors that count x up to 5 only in the order t1, t2, t3, t2, t1: who falls behind first must end last."""
    program = Program()
    x = program.cell(0, "x")

    def steps(*numbers: int) -> Any:
        for number in numbers:
            yield x.compare_exchange(number, number + 1)

    for numbers in ((0, 4), (1, 3), (2,)):
        program.actor(steps, *numbers)
    return program


BUGS = [
    # program, whether an execution shows the bug, its depth
    (lambda: programs.writers_readers(1, 2), lambda execution: order(execution)[-1] == 1, 1),
    (lambda: programs.counter(2), lost, 2),
    (lambda: programs.counter(3), lost, 2),
    (lambda: programs.philosophers(2), stuck, 2),
    (crossed, crossing, 2),
    (lambda: programs.philosophers(3), stuck, 3),
]


@pytest.mark.parametrize(("make", "shows", "depth"), BUGS)
def test_pct_hits_a_bug_of_its_depth_with_at_least_the_probability_that_it_promises(make, shows, depth):
    sampler = Pct(depth=depth)
    likely = distribution(make(), sampler, shows, learn=60)[True]
    assert likely >= Fraction(1, sampler.actors * sampler.longest ** (depth - 1))
    assert float(likely) >= sampler.probability > 0


def test_a_change_that_comes_later_may_lower_less():
    """Of three priorities only one order will do (1/6), and of two changes among four steps only one pair (1/16), in
    which t2, lowered after t1, still comes before it. Changes sorted by time would never do it."""
    counted = distribution(nested(), Pct(depth=3), lambda execution: execution.states[0] == 5, learn=60)
    assert counted[True] == Fraction(1, 96)


def test_pct_of_less_than_the_depth_cannot_hit_the_bug():
    # no order of priorities alone lets two actors overlap: depth 2 is needed
    assert distribution(programs.counter(2), Pct(depth=1), lost) == {False: Fraction(1)}
    # where actors block each other, they switch without a change, and more is possible than was promised
    assert 0 < distribution(programs.philosophers(3), Pct(depth=2), stuck, learn=60)[True] < Fraction(1, 20)


def test_pct_keeps_its_promise_over_a_thousand_seeds():
    """Two actors, at most three choices: an execution loses an update with at least 1/6."""
    hits = 0
    for seed in range(1, 1001):
        hits += run(programs.counter(2), Pct(1, seed, depth=2, steps=3)).outcomes[("x", 1),]
    assert hits >= 1000 / 6


def test_pct_says_its_bound_and_with_what_probability_such_a_bug_escapes():
    sampler = Pct(100, 1, depth=2)
    run(programs.counter(2), sampler)
    # steps 1 to 3 are choices; when the last is due, one actor has ended
    assert (sampler.actors, sampler.longest, sampler.probability) == (2, 3, 1 / 6)
    assert sampler.promise() == (
        "PCT: with 2 actors and 3 choices, each execution hits a bug of depth 2 with probability at least "
        "1/(2·3^1) = 0.17; such a bug escapes all 100 with at most 1.2e-08")


def test_pct_lets_an_actor_that_polls_not_keep_out_the_one_it_waits_for():
    program = Program()
    x = program.cell(0, "x")

    def poll() -> Any:
        while not (yield x.load()):
            pass

    def write() -> Any:
        yield x.store(1)

    program.actor(poll)
    program.actor(write)
    sampler = Pct(20, 1, depth=1, fair_after=50)
    tally = run(program, sampler)
    assert (tally.executions, tally.abandoned) == (20, 0)
    assert sampler.promise() == f"PCT promises nothing: executions have {sampler.longest} choices, more than 50"


def test_pct_refuses_a_depth_of_nothing():
    with pytest.raises(Refused, match="'depth' was set to 0"):
        Pct(depth=0)


# -- POS --------------------------------------------------------------------------------------------------------------


def test_pos_draws_again_only_what_conflicts():
    """One writer, two readers. The writer first: 1/3. A reader first, 1/3 each: the writer draws again and meets a
    priority that lost against another (mean 3/8, not 1/2), so it is next with 5/8 and last with 3/8."""
    sampler, drawn = Pos(6000, 1), Counter[int]()
    run(programs.readers(2), sampler, watch=lambda execution: drawn.update([order(execution).index(1)]))
    shares = [drawn[place] / 6000 for place in range(3)]
    # four standard deviations are 0.025
    assert shares == pytest.approx([1 / 3, 5 / 12, 1 / 4], abs=0.025)


def test_pos_is_even_where_everything_conflicts():
    drawn = Counter[Any]()
    run(programs.writers(3), Pos(6000, 2), watch=lambda execution: drawn.update([order(execution)]))
    assert len(drawn) == 6
    assert all(count / 6000 == pytest.approx(1 / 6, abs=0.02) for count in drawn.values())


# -- what was seen, and what was not ----------------------------------------------------------------------------------


def sample(program: Program, sampler: Any) -> tuple[Coverage, set[Any]]:
    """What the account of a sample says, and the classes that it has in fact seen."""
    coverage, seen = Coverage(), set[Any]()

    def watch(execution: Execution) -> None:
        coverage.see(execution)
        seen.add(class_of(execution))

    run(program, sampler, watch=watch)
    return coverage, seen


@pytest.mark.parametrize("name", list(SAMPLERS))
@pytest.mark.parametrize(("make", "classes"), [
    (lambda: programs.counter(2), 4), (lambda: programs.readers(3), 8), (lambda: programs.philosophers(3), 7),
    (lambda: programs.lastzero(3), 12), (lambda: programs.sigma(2), 3), (lambda: programs.trylock(3), 24)])
def test_distinct_classes_never_exceed_the_true_number(name, make, classes):
    known: set[Any] = set()
    assert run(make(), Optimal(), watch=lambda execution: known.add(class_of(execution))).executions == classes
    coverage, seen = sample(make(), SAMPLERS[name](120, 4))
    assert seen <= known
    assert coverage.distinct == len(seen) <= classes
    assert coverage.executions == 120


def test_the_estimate_of_the_unseen_is_right_on_average():
    """Of counter 3 the exact probability of each class is known; the mean of 200 estimates meets that of the truth."""
    true = distribution(programs.counter(3), RandomWalk(), class_of)
    assert len(true) == 36
    estimated = real = 0.0
    for seed in range(200):
        coverage, seen = sample(programs.counter(3), RandomWalk(20, seed))
        estimated += coverage.unseen
        real += float(1 - sum(true[key] for key in seen))
    # Good-Turing is biased by less than 1/N = 0.05, upwards
    assert 0 < (estimated - real) / 200 < 0.05


def test_the_account_of_a_sample_in_words():
    coverage = Coverage(key=lambda execution: execution)
    assert (coverage.unseen, coverage.missing, coverage.distinct) == (1.0, 0.0, 0)
    for key in (1, 1, 1, 2, 2, 3, 4, 5):
        coverage.see(key)
    # five classes in eight executions, three of them seen once: 3/8; Chao: 3·2 / (2·(1+1)) = 1.5 more
    assert (coverage.distinct, coverage.unseen, coverage.missing) == (5, 3 / 8, 1.5)
    assert str(coverage) == "sampled: 8 executions, 5 distinct classes, about 37.5% of the probability unseen"
    for key in (3, 4, 5):
        coverage.see(key)
    assert str(coverage).endswith("11 executions, 5 distinct classes, less than about 9.1% of the probability unseen")


def test_a_source_that_gives_every_answer_gives_each_path_once():
    paths: list[list[int]] = []
    path: list[int] | None = []
    while path is not None:
        answers = Answers(path)
        if answers.choice(["a", "b"]) == "a":
            answers.randint(1, 3)
        paths.append(list(answers.path))
        path = answers.next_path()
    assert paths == [[0, 0], [0, 1], [0, 2], [1]]
    assert isinstance(Random("1 1").random(), float)
