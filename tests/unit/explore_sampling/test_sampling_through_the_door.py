"""Samples of ordinary threading code: never a proof, repeated by their seed, and failures as small as any other's."""

from __future__ import annotations

import json
import threading

import pytest

import hocket
from hocket import Atomic
from hocket.cli import main
from hocket.errors import ExplorationError, Refused
from hocket.explore.sampling.portfolio import SAMPLERS
from tests.together import together


def counter(n):
    x = Atomic(0)
    together(*[lambda: x.store(x.load() + 1)] * n)
    return x.load()


def lost_update():
    assert counter(2) == 2, "an increment was lost"


def dining():
    forks = [threading.Lock() for _ in range(3)]

    def eat(i):
        with forks[i], forks[(i + 1) % 3]:
            pass

    together(*[lambda i=i: eat(i) for i in range(3)])


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_sample_that_has_seen_everything_is_still_no_proof(name):
    result = hocket.explore(lambda: counter(2), data="off", strategy=name, seed=1, executions=200)
    assert (result.verdict, result.exit_code, result.seed) == ("incomplete", 3, 1)
    assert (result.classes, result.executions) == (4, 200)
    assert result.outcomes == {1: 2, 2: 2}
    assert result.reason == ("sampled: 200 executions, 4 distinct classes, less than about 0.5% of the probability "
                             f"unseen; strategy {name!r}, seed 1")
    assert "one more execution, drawn in the same way" in result.notes[0]
    with pytest.raises(ExplorationError, match="sampled: 200 executions"):
        result.raise_if_not_proved()


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_every_sampler_finds_the_deadlock_of_three_philosophers_and_the_failure_is_small_and_replays(name):
    failure = hocket.explore(dining, data="off", strategy=name, seed=3, executions=500).failure
    # t1 is preempted with its first fork; t3 then waits for it, and t2 for t3
    assert (failure.kind, failure.replayed, failure.preemptions) == ("deadlock", True, 1)
    with pytest.raises(hocket.errors.DeadlockError):
        hocket.replay(dining, str(failure.schedule))


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_lost_update_that_a_sample_meets_is_as_small_as_the_one_of_the_exhaustive_search(name):
    drawn = hocket.explore(lost_update, strategy=name, seed=1)
    searched = hocket.explore(lost_update)
    assert (drawn.verdict, drawn.seed, drawn.notes) == ("failed", 1, ())
    assert drawn.failure.preemptions == searched.failure.preemptions == 1
    assert len(drawn.failure.schedule) == len(searched.failure.schedule)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_seed_repeats_the_whole_run_execution_by_execution(name):
    def drawn(seed):
        seen = []

        def body():
            who = []  # appended to by one actor at a time
            together(*[lambda i=i: (x.add(1), who.append(i)) for i in range(4)])
            seen.append(tuple(who))

        x = Atomic(0)
        result = hocket.explore(body, data="off", strategy=name, seed=seed, executions=40)
        return seen, result.classes, result.reason.split(";")[0], result.steps

    assert drawn(7) == drawn(7)
    assert drawn(7)[0] != drawn(8)[0]


def test_without_a_seed_one_is_drawn_and_told_and_repeats_the_sample():
    first = hocket.explore(lambda: counter(3), data="off", strategy="pos", executions=50)
    again = hocket.explore(lambda: counter(3), data="off", strategy="pos", executions=50, seed=first.seed)
    assert f"seed {first.seed}" in str(first)
    assert (again.classes, again.outcomes, again.reason) == (first.classes, first.outcomes, first.reason)


def test_without_a_limit_a_thousand_executions_are_drawn_and_the_result_says_so():
    result = hocket.explore(lambda: counter(2), data="off", strategy="random", seed=1)
    assert result.executions == 1000
    assert result.reason.endswith("seed 1; 1,000 executions are the default: set executions= or seconds=")


def test_a_limit_of_seconds_ends_a_sample_and_is_no_further_reason():
    result = hocket.explore(lambda: counter(3), data="off", strategy="surw", seed=1, seconds=0.2)
    assert result.verdict == "incomplete"
    assert result.reason.startswith(f"sampled: {result.executions:,} execution")
    assert result.reason.endswith("strategy 'surw', seed 1")


def test_pct_tells_what_it_promises():
    result = hocket.explore(lambda: counter(2), data="off", strategy="pct", seed=1, executions=50)
    assert result.notes[-1].startswith("PCT: with 3 actors and ")
    assert "of depth 3 with probability at least 1/(3·" in result.notes[-1]


def test_a_test_that_is_not_deterministic_is_told_so():
    runs = []

    def body():
        x, y = Atomic(0), Atomic(0)
        runs.append(1)
        (x if len(runs) % 2 else y).store(1)

    failure = hocket.explore(body, data="off", strategy="pct", seed=1).failure
    assert failure.kind == "nondeterminism"
    assert "at step 1, after the same schedule, main was about to do x.store(1) before and now y.store(1)" in (
        failure.message)


@pytest.mark.parametrize(("options", "said"), [
    ({"strategy": "optimal", "seed": 1}, "'seed' was set to 1 but it is without meaning for strategy='optimal'"),
    ({"strategy": "pct", "seed": "x"}, "'seed' was set to 'x' but it is no seed"),
    ({"strategy": "pct", "bound": 1}, "'bound' was set to 1 but it is not possible with strategy='pct'"),
    ({"strategy": "pct", "checkpoint": "a"}, "'checkpoint' was set to 'a' but it is not possible"),
    ({"strategy": "pct", "executions": 0}, "'executions' was set to 0 but it is no limit"),
    ({"spurious": -1}, "'spurious' was set to -1 but it is no number of wake-ups"),
    ({"strategy": "luck"}, "'strategy' was set to 'luck' but it is not supported"),
])
def test_options_that_mean_nothing_for_a_sample_are_refused_by_name(options, said):
    with pytest.raises(Refused) as refused:
        hocket.explore(lost_update, **options)
    assert said in str(refused.value)


def test_the_command_line_takes_a_strategy_and_a_seed(tmp_path, capsys):
    file = tmp_path / "adding.py"
    file.write_text("import threading\nfrom hocket import Atomic\n\n\ndef explore_adding():\n    x = Atomic(0)\n"
                    "    t = threading.Thread(target=lambda: x.add(1))\n    t.start()\n    x.add(1)\n    t.join()\n")
    options = ["explore", str(file), "--strategy", "pct", "--seed", "9", "--executions", "20", "--data", "off"]
    assert main([*options, "--quiet", "--json"]) == 3
    assert capsys.readouterr().out == ""
    assert main([*options, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["seed"], told["executions"], told["classes"]) == ("incomplete", 9, 20, 2)
    assert told["reason"].startswith("sampled: 20 executions, 2 distinct classes")
