"""A search that is killed at any moment goes on where it was, and in the end its counts are those of one search."""

from __future__ import annotations

import bisect
import errno
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

import hocket
from hocket.errors import CheckpointError, NondeterminismError, Refused
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal, Source
from hocket.explore.model import Program, run
from hocket.explore.scale.checkpoint import Checkpoint, recalled_outcomes, saved_outcomes
from hocket.explore.scale.digest import body_digest, program_digest
from hocket.explore.scale.estimate import Estimate
from hocket.explore.tally import Limits
from tests import explorer_programs as p
from tests.explorer_counts import FAST
from tests.programs import build, draw

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import itertools, json, os, signal, sys, threading
import hocket
from hocket.explore.scale.checkpoint import Checkpoint
from hocket.explore.dpor import Optimal
from hocket.explore.model import run
from tests import explorer_programs as p

what, path, dies_in, every = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
checkpoint = Checkpoint(path, every, itertools.count().__next__)
executions = 0

def count(_=None):
    global executions
    executions += 1
    if executions == dies_in:
        os.kill(os.getpid(), signal.SIGKILL)

def counter():
    x = hocket.Atomic(0)
    def work():
        value = x.load()
        if value == 2:
            count()  # in the middle of an execution
        x.store(value + 1)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return x.load()

def monitor():
    count()
    lock, seen = threading.Lock(), hocket.Atomic(())
    def work(name):
        with lock:
            seen.store((*seen.load(), name))
        if lock.acquire(blocking=False):
            lock.release()
    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return seen.load()

models = {"counter 4": lambda: p.counter(4), "philosophers 3 2": lambda: p.philosophers(3, 2)}
bodies = {"threads": counter, "locks": monitor}
if what in models:
    done = run(models[what](), Optimal(), watch=count, checkpoint=checkpoint)
    told = [done.executions, done.executions, done.failed, done.verdict, done.outcomes, done.events, done.seconds]
else:
    done = hocket.explore(bodies[what], data="off", checkpoint=checkpoint)
    told = [done.executions, done.classes, 0, done.verdict, done.outcomes, done.steps, done.seconds]
told[4] = sorted([repr(value), times] for value, times in told[4].items())
print(json.dumps(told))
"""


def _run(script: Path, what: str, path: Path, dies_in: int = 0, every: int = 5) -> list[object] | None:
    """One process; None if it was killed."""
    command = [sys.executable, str(script), what, str(path), str(dies_in), str(every)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    result: list[object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(("what", "executions", "failed", "verdict"), [
    ("counter 4", 576, 0, "proved"), ("philosophers 3 2", 106, 16, "failed"),
    ("threads", 576, 0, "proved"), ("locks", 0, 0, "proved"),
])
def test_killed_at_random_points_the_counts_are_those_of_one_search(tmp_path, what, executions, failed, verdict):
    if what == "locks" and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("is killed twenty times, which takes as many seconds: `make prove` asks for it")
    script, rng, path = tmp_path / "script.py", random.Random(what), tmp_path / "search.json"
    script.write_text(SCRIPT)
    alone = _run(script, what, tmp_path / "none.json")
    killed, most = 0, (executions or 60)
    while (told := _run(script, what, path, rng.randrange(1, most // 2), rng.choice([1, 3, 20]))) is None:
        killed += 1
        assert killed < 50
    assert killed >= 2
    assert told[:6] == alone[:6]
    assert told[1:4] == [executions or told[0], failed, verdict]
    assert sorted(tmp_path.iterdir()) == [script]  # nothing is left of it


def _in_pieces(make, path: Path, strategy: type[Optimal], rng: random.Random):
    """The exploration in many calls, each of which ends at a limit; the last tally."""
    executions = 0
    while True:
        assert executions < 10_000
        executions += rng.randint(1, 40)
        tally = run(make(), strategy(), Limits(executions=executions), checkpoint=path)
        if tally.exhausted:
            return tally
        assert tally.verdict in ("incomplete", "failed")


def _same(a, b) -> bool:
    return (a.executions, a.abandoned, a.failed, a.events, a.outcomes, len(a.failures)) == (
        b.executions, b.abandoned, b.failed, b.events, b.outcomes, len(b.failures))


@pytest.mark.parametrize("row", [row for row in FAST if 12 <= row.classes <= 130], ids=lambda row: row.name)
def test_every_published_count_is_the_same_in_pieces(row, tmp_path):
    path, rng = tmp_path / "search", random.Random(row.name)
    assert _same(_in_pieces(row.make, path, Optimal, rng), run(row.make(), Optimal()))
    assert not path.exists()


@pytest.mark.parametrize("strategy", [Optimal, Source])
def test_random_programs_are_the_same_in_pieces(strategy, tmp_path):
    """Of 30 programs those of at most 400 classes: every kind of operation, deadlocks, spawning, choices."""
    rng, seen = random.Random(5), 0
    for seed in range(30):
        program = draw(random.Random(seed), 4, 4)
        alone = run(build(program), strategy(), Limits(executions=400))
        if alone.exhausted:
            seen += alone.executions > 40
            assert _same(_in_pieces(lambda: build(program), tmp_path / "search", strategy, rng), alone), seed  # noqa: B023
    assert seen >= 5


def _three(threads: int = 3):
    x = hocket.Atomic(0)
    workers = [threading.Thread(target=lambda: x.store(x.load() + 1)) for _ in range(threads)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    return x.load()


def test_a_body_goes_on_after_a_limit_and_the_limit_of_executions_counts_all_of_it(tmp_path):
    path = tmp_path / "search"
    first = hocket.explore(_three, data="off", executions=10, checkpoint=path)
    assert (first.verdict, first.executions) == ("incomplete", 10)
    second = hocket.explore(_three, data="off", executions=25, checkpoint=path)
    assert (second.verdict, second.executions) == ("incomplete", 25)
    assert second.seconds >= first.seconds
    last = hocket.explore(_three, data="off", checkpoint=path)
    assert (last.verdict, last.executions, last.classes) == ("proved", 36, 36)
    assert last.outcomes == hocket.explore(_three, data="off").outcomes
    assert not path.exists()


def test_a_limit_of_seconds_ends_a_kept_search_between_two_executions(tmp_path):
    path, calls, seen = tmp_path / "search", 0, []
    while True:
        calls += 1
        result = hocket.explore(_three, data="off", seconds=1e-9, checkpoint=path)
        seen.append(result.executions)
        if result.verdict == "proved":
            break
        assert result.reason == "the limit of 1e-09 seconds was reached"
    assert seen == list(range(1, 37))


def test_ends_of_threads_that_became_steps_stay_steps(tmp_path):
    """Who looks whether a thread is alive makes ends visible, from the start: also of a search that goes on."""
    def body():
        thread = threading.Thread(target=hocket.Atomic(0).load)
        thread.start()
        return thread.is_alive(), thread.join()

    alone = hocket.explore(body, data="off")
    first = hocket.explore(body, data="off", executions=1, checkpoint=tmp_path / "search")
    assert first.verdict == "incomplete"
    last = hocket.explore(body, data="off", checkpoint=tmp_path / "search")
    assert (last.executions, last.outcomes) == (alone.executions, alone.outcomes)
    assert alone.outcomes == {(True, None): 1, (False, None): 1}


def test_a_failure_ends_the_search_and_its_checkpoint(tmp_path):
    def body():
        assert _three() == 3

    result = hocket.explore(body, data="off", checkpoint=Checkpoint(tmp_path / "search", 0.0))
    assert result.verdict == "failed"
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_tracked_and_what_was_reached_is_remembered(tmp_path):
    shared = []

    def body():
        hocket.sometimes(True, "seen")
        threads = [threading.Thread(target=bisect.insort, args=(shared, 1)) for _ in range(3)]
        x = hocket.Atomic(0)
        threads += [threading.Thread(target=lambda: x.store(1)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    first = hocket.explore(body, executions=2, checkpoint=tmp_path / "search")
    last = hocket.explore(body, checkpoint=tmp_path / "search")
    assert set(first.untracked) <= set(last.untracked)
    assert last.untracked
    assert (last.verdict, last.executions, last.sometimes) == ("incomplete", 6, {"seen": True})


def test_the_estimate_goes_on_as_well(tmp_path):
    from hocket.explore.progress import Progress

    heard: list[Progress] = []
    hocket.explore(_three, data="off", executions=30, checkpoint=tmp_path / "search")
    saved = json.loads((tmp_path / "search").read_text())["account"]["estimate"]
    strategy = Optimal(youngest_first=True)
    again = Estimate(strategy)
    again.restore(saved)
    assert again.executions == 30
    assert hocket.explore(_three, data="off", checkpoint=tmp_path / "search", progress=heard.append).executions == 36


# -- what is refused --------------------------------------------------------------------------------------------------


def _interrupted(path: Path) -> None:
    run(p.counter(3), Optimal(), Limits(executions=5), checkpoint=path)


def test_a_checkpoint_of_another_search_is_refused_with_the_reason_and_left_as_it_is(tmp_path):
    path = tmp_path / "search"
    _interrupted(path)
    before = path.read_text()
    for make, reason in [(lambda: p.counter(4), "its program has changed"), (lambda: p.writers(3), "its program")]:
        with pytest.raises(CheckpointError, match=reason):
            run(make(), Optimal(), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"its options was .*'Optimal'.* and is .*'Source'"):
        run(p.counter(3), Source(), checkpoint=path)
    for key, value in (("Python", "CPython 3.0.1"), ("Hocket", "0.0.1")):
        saved = json.loads(before)
        saved["identity"][key] = value
        path.write_text(json.dumps(saved))
        with pytest.raises(CheckpointError, match=f"its {key} was '{value}' and is") as refused:
            run(p.counter(3), Optimal(), checkpoint=path)
        assert refused.value.path == str(path)
    path.write_text(before)
    assert run(p.counter(3), Optimal(), checkpoint=path).executions == 36


@pytest.mark.parametrize(("text", "reason"), [
    ("", "it is no checkpoint of Hocket"), ("{}", "it is no checkpoint"), ("[1]", "it is no checkpoint"),
    ('{"hocket_checkpoint": 99}', "it is of format 99"), ("\udcff", "it cannot be read"),
])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, text, reason):
    path = tmp_path / "search"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=reason):
        run(p.counter(2), Optimal(), checkpoint=path)


def test_a_stack_that_makes_no_sense_is_refused(tmp_path):
    path = tmp_path / "search"
    _interrupted(path)
    saved = json.loads(path.read_text())
    saved["stack"]["operations"] = []
    path.write_text(json.dumps(saved))
    with pytest.raises(CheckpointError, match="its stack does not make sense"):
        run(p.counter(3), Optimal(), checkpoint=path)


def test_a_place_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(CheckpointError, match="it cannot be written"):
        run(p.counter(2), Optimal(), checkpoint=Checkpoint(tmp_path / "no" / "where", 0.0))


def test_a_disk_that_is_full_leaves_the_last_whole_file_and_nothing_half_written(tmp_path, monkeypatch):
    """counter 3 has 36 classes: what was saved when the disk was full is gone on with when it is not."""
    path = tmp_path / "search"
    _interrupted(path)
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(CheckpointError, match="No space left"):
            run(p.counter(3), Optimal(), checkpoint=Checkpoint(path, 0.0))
    assert [(each, each.read_text()) for each in tmp_path.iterdir()] == [(path, before)]
    assert run(p.counter(3), Optimal(), checkpoint=path).executions == 36


def test_a_strategy_without_a_stack_is_refused(tmp_path):
    with pytest.raises(Refused, match="not supported for this strategy"):
        run(p.counter(2), DepthFirst(), checkpoint=tmp_path / "search")
    with pytest.raises(Refused, match="not supported for this strategy"):
        hocket.explore(_three, data="off", bound=1, checkpoint=tmp_path / "search")


def test_a_program_that_does_something_else_on_the_saved_path_is_not_deterministic(tmp_path):
    values = itertools.count()

    def make():
        program, first = Program(), next(values)
        x = program.cell(0, "x")

        def body(number):
            yield x.store(program.first + number)

        program.first = first
        for number in range(3):
            program.actor(body, number)
        return program

    run(make(), Optimal(), Limits(executions=2), checkpoint=tmp_path / "search")
    with pytest.raises(NondeterminismError, match=r"cell\.store\(\d\)"):
        run(make(), Optimal(), checkpoint=tmp_path / "search")


def test_two_locks_from_outside_cannot_be_told_apart_in_another_process(tmp_path):
    one, two = hocket.Atomic(0), hocket.Atomic(0)

    def body():
        threads = [threading.Thread(target=lambda: one.store(two.load())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with pytest.raises(CheckpointError, match="2 locks or Atomics that were made outside"):
        hocket.explore(body, data="off", checkpoint=Checkpoint(tmp_path / "search", 0.0))


def test_outcomes_are_kept_by_value_and_one_that_cannot_be_kept_is_refused(tmp_path):
    outcomes = Counter({1: 2, "a": 1, (1, None): 3, frozenset({1}): 4, 1.5: 1})
    kept = json.loads(json.dumps(saved_outcomes(outcomes, tmp_path)))
    assert recalled_outcomes(kept) == outcomes
    for value in (object(), lambda: 0):
        with pytest.raises(CheckpointError, match="return something plain"):
            saved_outcomes(Counter([value]), tmp_path)


def test_a_program_is_known_by_its_code_its_objects_and_what_its_bodies_are_given():
    digests = [program_digest(make()) for make in (
        lambda: p.counter(2), lambda: p.counter(3), lambda: p.writers(2), lambda: p.readers(1), lambda: p.locked(2))]
    assert len(set(digests)) == 5
    assert program_digest(p.counter(2)) == digests[0]
    one, two = (lambda x=1: x), (lambda: 2)
    assert body_digest(one) != body_digest(two)
    assert body_digest(one) == body_digest(one)


def test_an_execution_that_was_cut_short_stays_in_the_verdict_of_a_search_that_goes_on(tmp_path):
    def make():
        program = p.counter(2)

        def long(_):
            for _ in range(10):
                yield program.handles[0].load()

        program.actor(long, 0)
        return program

    path = tmp_path / "search"
    first = run(make(), Optimal(), Limits(executions=2, steps=8), checkpoint=path)
    assert "limit of 8 steps" in first.reason
    executions = 100
    while not (tally := run(make(), Optimal(), Limits(executions=executions, steps=8), checkpoint=path)).exhausted:
        executions += 100
    assert tally.verdict == "incomplete"
    assert "limit of 8 steps" in tally.reason
