"""One search by many processes has the counts of one process, exactly, in whatever order the pieces come back."""

from __future__ import annotations

import os
import pickle
import random
from collections import Counter
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from operator import methodcaller

import pytest

import hocket
from hocket.errors import ExplorationError, Refused
from hocket.explore.dpor import Optimal
from hocket.explore.model import run
from hocket.explore.scale.parallel import Coordinator, Workers, run_in_parallel
from hocket.explore.scale.shard import Program, run_model
from hocket.explore.tally import Limits
from tests import explorer_programs as p
from tests.explorer_counts import FAST
from tests.programs import build, draw
from tests.unit.explore_scale import parallel_bodies as bodies


class Here:
    """A program that is in this process already; `load` is what a worker asks it for."""

    def __init__(self, make) -> None:
        self.load = lambda: make


def _shared_out(make, rng: random.Random, each: int, width: int):
    """Explore in pieces of at most `each` executions, up to `width` + 1 out at a time, that come back in random order.

    Tasks and reports are pickled, as they would be between processes. Answers executions, failures and outcomes.
    """
    coordinator, out = Coordinator(width), []
    executions, failed, outcomes = 0, 0, Counter()
    while not coordinator.finished:
        while len(out) <= width and (piece := coordinator.next()) is not None:
            out.append((piece, pickle.dumps(coordinator.task(piece, rng.randint(1, each), None, None, {}))))
        piece, task = out.pop(rng.randrange(len(out)))
        report = pickle.loads(pickle.dumps(run_model(Here(make), pickle.loads(task))))
        assert "error" not in report, report
        executions += report["executions"]
        failed += report["failed"]
        outcomes += Counter(report["outcomes"])
        coordinator.done(piece, report)
    return executions, failed, outcomes


_SMALL = [row for row in FAST if 2 <= row.classes <= 150 and row.name not in ("filesystem 19", "filesystem 20")]


@pytest.mark.parametrize("row", _SMALL, ids=lambda row: row.name)
def test_every_published_count_is_the_same_shared_out(row):
    rng, alone = random.Random(row.name), run(row.make(), Optimal())
    for each, width in ((1, 4) if row.classes <= 24 else (6, 8), (12, 2)):
        assert _shared_out(row.make, rng, each, width) == (row.classes, alone.failed, alone.outcomes)


@pytest.mark.parametrize(("name", "make"), [
    ("counter 4", partial(p.counter, 4)), ("lastzero 7", partial(p.lastzero, 7)), ("readers 8", partial(p.readers, 8)),
])
def test_larger_ones_as_well(name, make):
    alone = run(make(), Optimal())
    assert _shared_out(make, random.Random(name), 9, 3) == (alone.executions, 0, alone.outcomes)


def test_random_programs_are_the_same_shared_out():
    """Of 100 programs (once 200) those of at most 200 classes: every operation, deadlocks, spawning, choices."""
    rng, seen = random.Random(7), 0

    def named(statements):
        program = build(statements)  # numbers of objects made by threads may differ: outcomes by name only
        program.outcome = lambda final: (tuple((handle.name, repr(final[handle])) for handle in program.handles),
                                         tuple(sorted(map(str, final.results.values()))))
        return program

    for seed in range(100):
        statements = draw(random.Random(10_000 + seed), 4, 3)
        alone = run(named(statements), Optimal(), Limits(executions=200))
        if not alone.exhausted:
            continue
        seen += alone.executions > 20
        shared = _shared_out(partial(named, statements), rng, rng.choice([1, 3, 9]), rng.choice([1, 3, 6]))
        assert shared[:2] == (alone.executions, alone.failed), seed
        assert sorted(shared[2].values()) == sorted(alone.outcomes.values()), seed
    assert seen >= 20


def test_branches_that_are_independent_wait_for_each_other(monkeypatch):
    """The right one relies on what the left one finds: without the wait classes are lost."""
    monkeypatch.setattr("hocket.explore.scale.parallel.State.may_hand_out", lambda state: bool(state.waiting))
    monkeypatch.setattr("hocket.explore.scale.parallel._where_to_cut", lambda rows: next(
        number for number, row in enumerate(rows) if row[2]))
    counts = {_shared_out(partial(p.readers, 4), random.Random(seed), 1, 8)[0] for seed in range(5)}
    assert min(counts) < 16


# -- executors --------------------------------------------------------------------------------------------------------


class Inline(Executor):
    """Runs what it is given at once; every so many pieces one is lost with its worker."""

    def __init__(self, loses: int = 0) -> None:
        self.submitted, self.loses = 0, loses

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += 1
        future: Future = Future()
        if self.loses and self.submitted % self.loses == 0:
            future.set_exception(BrokenProcessPool("a worker died"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize(("make", "classes"), [
    (partial(p.counter, 4), 576), (partial(p.lastzero, 7), 320), (partial(p.readers, 7), 128),
    (partial(p.philosophers, 3, 2), 106), (partial(p.ttaslock, 3), 345),
])
def test_models_on_real_processes_have_the_counts_of_one(pool, make, classes):
    alone, shared = run(make(), Optimal()), run_in_parallel(make, pool, each=20)
    assert (shared.executions, shared.failed, shared.verdict) == (classes, alone.failed, alone.verdict)
    assert (shared.outcomes, shared.events) == (alone.outcomes, alone.events)
    assert sorted(str(f.message) for f in shared.failures) == sorted(str(f.message) for f in alone.failures)


def test_models_may_be_shared_out_among_threads():
    with ThreadPoolExecutor(3) as threads:
        shared = run_in_parallel(partial(p.counter, 4), threads, each=25)
    assert (shared.executions, shared.verdict) == (576, "proved")


def test_a_piece_that_was_lost_with_its_worker_is_done_again():
    shared = run_in_parallel(partial(p.counter, 4), Inline(loses=7), each=10)
    assert (shared.executions, shared.verdict) == (576, "proved")


def test_a_piece_that_ends_every_worker_is_given_up_with_the_reason():
    with pytest.raises(ExplorationError, match="the same piece of work has ended 3 workers"):
        run_in_parallel(partial(p.counter, 3), Inline(loses=1))


def test_a_limit_makes_a_shared_search_incomplete():
    tally = run_in_parallel(partial(p.counter, 4), Inline(), Limits(executions=100), each=10)
    assert tally.verdict == "incomplete"
    assert tally.reason == "the limit of 100 executions was reached"
    assert 100 <= tally.executions < 576
    exact = run_in_parallel(partial(p.counter, 3), Inline(), Limits(executions=36))
    assert (exact.verdict, exact.executions) == ("proved", 36)


def test_an_error_in_a_worker_is_told():
    with pytest.raises(ExplorationError, match=r"a worker: .*counter"):
        run_in_parallel(p.counter, Inline())


@pytest.mark.parametrize("body", [bodies.counter, bodies.nested, bodies.ends_are_seen])
def test_bodies_with_threads_on_real_processes_have_the_counts_of_one(pool, monkeypatch, body):
    monkeypatch.setattr("hocket.explore.scale.parallel._SECONDS", 0.01)
    alone, shared = hocket.explore(body, data="off"), hocket.explore(body, data="off", executor=pool)
    assert (shared.verdict, shared.classes, shared.executions) == ("proved", alone.classes, alone.executions)
    assert (shared.outcomes, shared.steps) == (alone.outcomes, alone.steps)


def test_a_failure_in_a_worker_is_minimised_and_replayed_here(pool):
    alone, shared = hocket.explore(bodies.deadlock), hocket.explore(bodies.deadlock, executor=pool)
    assert (shared.verdict, shared.failure.kind, shared.failure.replayed) == ("failed", "deadlock", True)
    assert (shared.failure.cycle, shared.failure.preemptions) == (alone.failure.cycle, alone.failure.preemptions)


def test_what_workers_saw_beside_the_counts_is_put_together(pool):
    assert hocket.explore(bodies.untracked, executor=pool).untracked == hocket.explore(bodies.untracked).untracked != ()
    assert hocket.explore(bodies.reached, data="off", executor=pool).sometimes == {"lost": True}


def test_an_execution_that_was_cut_short_in_a_worker_is_never_a_proof(pool):
    assert hocket.explore(bodies.polls, data="off", steps=50, executor=pool).verdict in ("incomplete", "failed")


def test_dead_processes_of_our_own_are_replaced_and_at_last_given_up(monkeypatch):
    monkeypatch.setenv("HOCKET_TEST_DIES", str(os.getpid()))
    with pytest.raises(ExplorationError, match="the same piece of work has ended 3 workers"):
        hocket.explore(bodies.dies_in_a_worker, data="off", executor=1)


def test_workers_are_made_anew_after_one_has_died():
    workers = Workers(1)
    try:
        with pytest.raises(BrokenProcessPool):
            workers.submit(os._exit, 1).result()
        assert workers.submit(max, 1, 2).result() == 2
    finally:
        workers.shutdown()


# -- a search that is shared out once it lasts -------------------------------------------------------------------------


class Later(Executor):
    """An executor that is asked only after so many seconds of one's own work."""

    def __init__(self, executor, alone=0.000_1):
        self.executor, self.alone, self.count, self.submitted = executor, alone, 2, 0

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += 1
        return self.executor.submit(fn, *args, **kwargs)


def test_what_was_begun_alone_goes_on_shared_out_with_the_same_counts(pool):
    alone, later = hocket.explore(bodies.counter, data="off"), Later(pool)
    shared = hocket.explore(bodies.counter, data="off", executor=later)
    assert (shared.verdict, shared.classes, shared.executions) == ("proved", alone.classes, alone.executions)
    assert (shared.outcomes, shared.steps) == (alone.outcomes, alone.steps)
    assert later.submitted > 0


def test_what_ends_in_time_asks_nobody():
    later = Later(None, alone=60.0)
    assert hocket.explore(bodies.counter, data="off", executor=later).classes == 36
    assert hocket.explore(bodies.deadlock, data="off", executor=later).failure.kind == "deadlock"
    assert hocket.explore(bodies.polls, data="off", steps=50, executor=later).verdict in ("incomplete", "failed")
    assert later.submitted == 0


def test_what_cannot_be_sent_goes_on_alone_and_says_so():
    number, later = 3, Later(None)
    result = hocket.explore(lambda: bodies.counter() and number, data="off", executor=later)
    assert (result.verdict, result.classes, later.submitted) == ("proved", 36, 0)
    assert result.notes[0].startswith("not shared out: ")


def test_the_failure_that_is_told_does_not_depend_on_who_finds_which_first(pool):
    seen = {str(hocket.explore(bodies.two_ways_to_fail, data="off", executor=executor).failure.schedule)
            for executor in (pool, Later(pool), Later(pool, alone=60.0))}
    assert len(seen) == 1


def test_arguments_go_along_with_a_function_that_is_found_by_name():
    for given in (partial(bodies.two_ways_to_fail, 1), partial(bodies.two_ways_to_fail, number=1)):
        program = pickle.loads(pickle.dumps(Program.of(given)))
        assert (program.name, program.pickled) == ("two_ways_to_fail", b"")
        assert program.load().func is bodies.two_ways_to_fail
        assert (*program.load().args, *program.load().keywords.values()) == (1,)


# -- what is refused --------------------------------------------------------------------------------------------------


def test_threads_are_refused_for_bodies_and_so_is_this_process():
    with ThreadPoolExecutor(1) as threads, pytest.raises(Refused, match="one body at a time in a process"):
        hocket.explore(bodies.counter, executor=threads)
    with pytest.raises(ExplorationError, match="running its work in this process"):
        hocket.explore(bodies.counter, executor=Inline())


def test_a_body_that_cannot_be_sent_is_refused(pool):
    x = hocket.Atomic(0)
    with pytest.raises(Refused, match="define it at the top of a file"):
        hocket.explore(lambda: x.load(), executor=pool)


def test_locks_from_outside_cannot_be_told_apart(pool):
    with pytest.raises(ExplorationError, match="2 locks or Atomics that were made outside"):
        hocket.explore(bodies.outside, data="off", executor=pool)


@pytest.mark.parametrize("given", [0, -1, True, "two", object()])
def test_what_is_no_executor_is_refused(given):
    with pytest.raises(Refused, match="no executor"):
        hocket.explore(bodies.counter, executor=given)


@pytest.mark.parametrize("option", [{"strategy": "dfs"}, {"strategy": "source"}, {"bound": 1}, {"checkpoint": "x"}])
def test_what_cannot_be_shared_out_is_refused(pool, option):
    with pytest.raises(Refused, match="not supported together"):
        hocket.explore(bodies.counter, data="off", executor=pool, **option)


def test_a_function_goes_by_name_or_pickled_and_must_be_the_same_there():
    named, pickled = Program.of(bodies.counter), Program.of(partial(len, "abc"))  # which is code of C
    assert (named.name, named.pickled, named.given) == ("counter", b"", b"")
    assert (pickled.load()(), bool(pickled.given)) == (3, True)
    assert Program.of(methodcaller("upper")).load()("a") == "A"
    assert named.load() is bodies.counter
    with pytest.raises(Refused, match="another function there"):
        named._replace(digest="0").load()


def test_the_command_line_shares_out_and_keeps_on_disk(tmp_path, capsys):
    from hocket.cli import main

    target = f"{bodies.__file__}::counter"
    assert main(["explore", target, "--data", "off", "--workers", "1", "--quiet"]) == 0
    kept = tmp_path / "search"
    assert main(["explore", target, "--data", "off", "--executions", "5", "--checkpoint", str(kept)]) == 3
    assert kept.exists()
    assert main(["explore", target, "--data", "off", "--checkpoint", str(kept)]) == 0
    assert not kept.exists()
    assert "36 classes, 36 executions" in capsys.readouterr().out


def test_an_interrupt_stops_all_and_leaves_everything_usable():
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        hocket.explore(bodies.counter, data="off", executor=1, progress=interrupt)
    assert any("classes in" in note for note in stopped.value.__notes__)
    assert hocket.explore(bodies.counter, data="off").classes == 36
