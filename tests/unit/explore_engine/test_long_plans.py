"""A long sequence that is planned is kept as a set of events, and not step by step; nobody but the memory can tell."""

from __future__ import annotations

import json
import tracemalloc

import pytest

import hocket.explore.wakeup as wakeup
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast
from hocket.explore.model import Program, run
from hocket.explore.scale.stack import restore, snapshot
from hocket.explore.tally import Limits
from tests import explorer_programs as programs
from tests.benchmarks.explorer.bench_memory import far
from tests.fuzz_explorer import judge, program_of


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is planned is a stretch, but for its first step."""
    monkeypatch.setattr(wakeup, "SHORT", 1)


@pytest.mark.usefixtures("stretched")
@pytest.mark.parametrize(("program", "classes"), [
    (programs.counter(3), 36), (programs.lastzero(6), 144), (programs.philosophers(3), 7), (programs.trylock(3), 24),
    (programs.sigma(3), 15), (programs.workers(3), 6), (programs.tricky_predecessors(), 124), (far(24), 8),
    (programs.ssb_exponential(6), 12), (programs.treiber(2, 1), 22), (programs.msqueue(2, 0), 22),
], ids=["counter", "lastzero", "philosophers", "trylock", "sigma", "workers", "tricky", "far", "ssb", "stack", "queue"])
def test_the_published_counts_are_those_of_stretches_too(program: Program, classes: int):
    strategy = Optimal()
    assert (run(program, strategy).executions, strategy.given_up) == (classes, 0)


@pytest.mark.usefixtures("stretched")
def test_ten_random_programs_have_the_classes_of_brute_force_with_stretches():
    for seed in range(40, 50):
        source, ends, _ = program_of(seed, 50)
        judge(source, ends)


@pytest.mark.usefixtures("stretched")
def test_a_search_that_is_written_down_in_the_middle_of_stretches_goes_on_as_it_would_have():
    """lastzero 5 has 64 classes: after each number of executions, those and the rest are 64."""
    for done in range(1, 64, 7):
        first, cast = Optimal(), Cast()
        run(programs.lastzero(5), first, Limits(executions=done), cast=cast)
        saved = json.loads(json.dumps(snapshot(first, cast)))
        second, other = Optimal(), Cast()
        restore(second, other, saved)
        assert done + run(programs.lastzero(5), second, cast=other).executions == 64


def test_twice_as_many_far_races_take_about_twice_the_memory():
    """40 and 80 races, 160 and 320 steps apart: 0.3 and 0.6 MB. Step by step they took 0.8 and 2.7."""
    taken = []
    for depth in (320, 640):
        tracemalloc.start()
        try:
            run(far(depth), Optimal(), Limits(executions=1))
            taken.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert taken[1] < 2.6 * taken[0]
