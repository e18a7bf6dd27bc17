"""The plugin in company: xdist, the debugger, time-outs, Hypothesis, --lf and -x."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import popen_spawn_posix, resource_tracker, synchronize

import pytest

import hocket.explore.front  # noqa: F401  # pytester forgets what its runs have imported
from hocket.explore.scale.parallel import Workers
from hocket.pytest_plugin import sharing
from hocket.pytest_plugin.seats import Seats

_KEPT = popen_spawn_posix, resource_tracker, synchronize  # pytester would forget them, and what they have registered

pytest_plugins = "pytester"

HEAD = """
    import threading
    import pytest, hocket

    def two_adders(count):
        def add():
            value = count[0]
            count[0] = value + 1
        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
"""
FIVE = HEAD + """
    @pytest.mark.explore
    @pytest.mark.parametrize("number", range(5))
    def test_adds(number):
        count = [0]
        two_adders(count)
        assert number != 3 or count[0] == 2
"""


def facts_of(result):
    """The lines of our section, without rates."""
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if "= hocket =" in line)
    section = []
    for line in lines[start + 1:]:
        if line.startswith("="):
            break
        section.append(tuple(line.split()[:2]))
    return sorted(section)


def test_tests_spread_over_workers_and_their_verdicts_come_back(pytester):
    pytester.makepyfile(test_it=FIVE)
    result = pytester.runpytest("-n2")
    result.assert_outcomes(passed=4, failed=1)
    assert facts_of(result) == [("failed", "test_it.py::test_adds[3]"),
                                *(("proved", f"test_it.py::test_adds[{number}]") for number in (0, 1, 2, 4))]
    result.stdout.fnmatch_lines(["*- interleaving -*", "replay: pytest 'test_it.py::test_adds[[]3]' --*"])
    again = pytester.runpytest("-n2", "--lf")  # what the workers found, the controller has kept
    again.stdout.fnmatch_lines(["failed      test_it.py::test_adds[[]3]  the schedule that failed last time"])


def test_last_failed_failed_first_and_exitfirst_are_pytests_as_ever(pytester):
    pytester.makepyfile(test_it=FIVE)
    pytester.runpytest("-x").assert_outcomes(passed=3, failed=1)
    pytester.runpytest("--lf").assert_outcomes(failed=1)
    pytester.runpytest("--ff", "-x").assert_outcomes(failed=1)


def test_the_debugger_stops_in_the_failing_interleavings_frame(pytester):
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore
    def test_lost():
        count = [0]
        def check():
            value = count[0]
            count[0] = value + 1
            assert count[0] == value + 1, "torn"
        threads = [threading.Thread(target=check) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert count[0] == 2
    """)
    result = pytester.run(sys.executable, "-m", "pytest", "--pdb", stdin=b"p 'seen', value, count\nw\nq\n")
    result.stdout.fnmatch_lines(["*AssertionError: torn*", "*- interleaving -*", "*entering PDB*"])
    result.stdout.fnmatch_lines(["> *test_it.py(18)check()", '-> assert count[[]0] == value + 1, "torn"'])
    result.stdout.fnmatch_lines(["(Pdb) ('seen', 0, [[]2])"])  # the other has written between, and has gone on


def test_the_clock_of_another_plugin_ends_a_search_with_what_was_done(pytester):
    pytest.importorskip("pytest_timeout")
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore
    @pytest.mark.timeout(1)
    def test_large():
        def choices():
            for _ in range(9): hocket.choose(9)
        threads = [threading.Thread(target=choices) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()

    @pytest.mark.explore
    def test_small():
        two_adders([0])
    """)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["Timeout (>1.0s) from pytest-timeout.",
                                 "hocket: the search was stopped after * executions, no failure so far"])


def test_each_example_of_hypothesis_is_explored(pytester):
    pytester.makepyfile(test_it=HEAD + """
    from hypothesis import given, settings, strategies as st
    pytestmark = pytest.mark.explore

    @settings(deadline=None, database=None, derandomize=True)
    @given(st.sampled_from([0, 5, 9]))
    def test_holds(start):
        count = [start]
        two_adders(count)
        assert count[0] in (start + 1, start + 2)

    @settings(deadline=None, database=None, derandomize=True, max_examples=10)
    @given(start=st.sampled_from([0, 5, 9]))
    def test_loses(start):
        count = [start]
        two_adders(count)
        assert count[0] == start + 2 or start < 5

    @settings(deadline=None, database=None, derandomize=True)
    @given(st.data())
    def test_draws(data):
        data.draw(st.integers())
    """)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines([
        "E       assert (6 == (5 + 2) or 5 < 5)",
        "replay: hocket.replay(lambda: test_loses.hypothesis.inner_test(start=5), 'hocket1:*')",
        "'data' was drawn from by an explored test but it is st.data(), *",
        "proved      test_it.py::test_holds  3 examples, 12 classes, 12 executions*",
    ])


def test_an_interrupt_ends_the_run_as_pytest_does(pytester):
    pytester.makepyfile(test_it=HEAD + """
    import _thread
    @pytest.mark.explore
    def test_interrupted():
        _thread.interrupt_main()
        for _ in range(30): hocket.choose(2)
    """)
    assert pytester.runpytest_subprocess().ret == pytest.ExitCode.INTERRUPTED


def test_a_call_that_blocks_for_real_is_named_with_its_line(pytester):
    pytester.makepyfile(test_it=HEAD + """
    import os
    @pytest.mark.explore
    def test_blocks():
        reading, writing = os.pipe()
        os.read(reading, 1)
    """)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["incomplete: *; main blocks outside of the explorer's control at *test_it.py:16 in *"])


LONG = """
    import threading
    import pytest, hocket

    @pytest.mark.explore(workers=2)
    @pytest.mark.parametrize("number", [3])
    def test_counts(number):
        x = hocket.Atomic(0)
        def add():
            x.store(x.load() + 1)
        threads = [threading.Thread(target=add) for _ in range(number)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert 1 <= x.load() <= number
"""


def test_one_exploration_is_shared_out_with_the_counts_of_one_process(pytester, monkeypatch):
    """Its module has pytest's asserts, which the other processes have to give it, and it has an argument."""
    monkeypatch.setattr(sharing, "_ALONE", 0.000_1)
    submitted = []
    monkeypatch.setattr(Workers, "submit", _counting(Workers.submit, submitted))
    pytester.makepyfile(test_it=LONG)
    record = pytester.inline_run()
    (report,) = record.getreports("pytest_runtest_logreport")[1:2]
    assert (report.hocket["verdict"], report.hocket["classes"], report.hocket["executions"]) == ("proved", 36, 36)
    assert submitted


def _counting(submit, calls):
    def counted(self, *args, **kwargs):
        calls.append(args)
        return submit(self, *args, **kwargs)

    return counted


def test_what_workers_may_be_is_said_before_anything_runs(pytester):
    pytester.makepyfile(test_it=LONG.replace("workers=2", "workers=0"))
    record = pytester.inline_run()
    (failed,) = [each for each in record.getreports("pytest_collectreport") if each.failed]
    assert "explore(workers=0): expected a whole number above 0, or auto" in str(failed.longrepr)


HOLDS_A_SEAT = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.lockf(file, fcntl.LOCK_EX, 1, int(sys.argv[2]))
print("sits", flush=True)
sys.stdin.read()
"""


def test_an_exploration_has_the_seats_of_workers_that_have_finished_and_no_others(tmp_path):
    path = tmp_path / "seats"
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_SEAT, str(path), "2"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as busy:
        assert busy.stdout.readline() == b"sits\n"
        seats = Seats(path, 4, mine=0)
        assert seats.take(0)
        assert seats.take_others(1) == 1  # the first that is free, and no more than asked for
        assert seats.take_others(9) == 2  # 1 and 3: the worker with number 2 is at work
        busy.stdin.close()
        busy.wait()
        assert seats.take_others(9) == 3
        seats.leave_others()
        assert seats.take_others(0) == 0
        seats.close()


def test_seats_are_those_of_a_run_with_workers():
    class Config:
        class option:
            basetemp = "/somewhere/popen-gw3"

        workerinput = {"workerid": "gw3", "workercount": 8}

    seats = Seats.of(Config)
    assert (seats.count, seats.mine) == (8, 3)
    assert Seats.of(object()) is None
