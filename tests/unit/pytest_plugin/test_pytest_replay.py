"""A schedule runs again: when it is asked for, and by itself when the test failed last time."""

from __future__ import annotations

import json
import re
import shlex

import pytest

import hocket.explore.front  # noqa: F401  # pytester forgets what its runs have imported

pytest_plugins = "pytester"

LOST = """
    import threading
    import pytest, hocket

    @pytest.mark.explore
    def test_lost():
        count = [0]
        def add():
            count[0] = count[0] + 1
        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert count[0] == 2

    def test_other():
        pass
"""
GUARDED = LOST.replace("count = [0]", "count, lock = [0], threading.Lock()").replace(
    "count[0] = count[0] + 1", "with lock: count[0] = count[0] + 1")


def command_in(result):
    """What follows `pytest` in the line that says how to repeat a failure."""
    (line,) = (line for line in result.outlines if line.startswith("replay: "))
    words = shlex.split(line)
    assert words[:2] == ["replay:", "pytest"]
    return words[2:]


def executions_of(pytester, *arguments):
    record = pytester.inline_run(*arguments)
    return [(report.hocket["verdict"], report.hocket["executions"], report.hocket["stored"])
            for report in record.getreports("pytest_runtest_logreport") if hasattr(report, "hocket")]


def stored(pytester):
    path = pytester.path / ".pytest_cache" / "v" / "hocket" / "schedules"
    return json.loads(path.read_text()) if path.exists() else {}


def test_the_command_of_a_report_fails_in_the_same_way_in_one_execution(pytester):
    pytester.makepyfile(test_it=LOST)
    command = command_in(pytester.runpytest("-p", "no:cacheprovider"))
    again = pytester.runpytest(*command)
    assert again.ret == pytest.ExitCode.TESTS_FAILED
    again.stdout.fnmatch_lines([">       assert count[[]0] == 2", "E       assert 1 == 2", "*- interleaving -*"])
    assert command_in(again) == command
    assert executions_of(pytester, *command) == [("failed", 1, False)]


def test_a_token_that_no_longer_fits_is_refused_and_one_that_passes_says_so(pytester):
    pytester.makepyfile(test_it=LOST)
    command = command_in(pytester.runpytest())
    pytester.makepyfile(test_it=GUARDED)
    result = pytester.runpytest(*command)
    result.assert_outcomes(failed=1)
    assert re.search(r"this schedule is of another program, or the program has changed: at step \d", str(result.stdout))
    passing = pytester.runpytest("test_it.py::test_lost", "--explore-replay", "hocket1:mainx2.t1x4.t2x4.mainx2")
    passing.assert_outcomes(passed=1)
    passing.stdout.fnmatch_lines(["replayed    test_it.py::test_lost  passes in this interleaving"])


@pytest.mark.parametrize(("arguments", "message"), [
    (["--explore-replay", "hocket1:main"], "runs one interleaving of one test, and 2 are selected"),
    (["--explore-replay", "nonsense", "test_it.py::test_lost"], "--explore-replay: "),
    (["--explore-replay", "hocket1:main", "-n2", "test_it.py::test_lost"], "leave out -n"),
])
def test_a_replay_that_means_nothing_is_a_usage_error(pytester, arguments, message):
    pytester.makepyfile(test_it=LOST)
    result = pytester.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_a_schedule_that_failed_is_tried_first_and_forgotten_when_the_test_passes(pytester):
    pytester.makepyfile(test_it=LOST)
    ((_, searched, _),) = executions_of(pytester)
    assert searched > 1
    assert list(stored(pytester)) == ["test_it.py::test_lost"]
    assert executions_of(pytester) == [("failed", 1, True)]
    pytester.makepyfile(test_it=GUARDED)  # another program: the schedule is not even tried
    assert executions_of(pytester) == [("proved", 2, False)]
    assert stored(pytester) == {}


def test_a_schedule_of_other_sources_is_not_even_tried(pytester):
    pytester.makepyfile(test_it=LOST)
    executions_of(pytester)
    pytester.makepyfile(test_it=LOST + "\n    # another source, the same program\n")
    ((verdict, executions, again),) = executions_of(pytester)
    assert (verdict, again) == ("failed", False)
    assert executions > 1


def test_a_tracked_module_is_part_of_the_program_that_a_schedule_is_of(pytester):
    pytester.makepyfile(plugin_sums="def add(count): count[0] = count[0] + 1")
    pytester.makepyfile(test_it=LOST.replace("count[0] = count[0] + 1", "plugin_sums.add(count)").replace(
        "@pytest.mark.explore", "import plugin_sums\n    @pytest.mark.explore(track=['plugin_sums'])"))
    assert [verdict for verdict, *_ in executions_of(pytester)] == ["failed"]
    pytester.makepyfile(plugin_sums="def add(count): count[:] = [2]")
    assert executions_of(pytester) == [("proved", 2, False)]
    assert stored(pytester) == {}


@pytest.mark.parametrize(("cured", "classes"), [
    ("with a: pass\n    with b: pass", 3),  # each lock in one order or the other; both the wrong way round cannot be
    ("pass", 1),  # the schedule does not even fit
])
def test_a_schedule_that_fails_no_more_gives_way_to_a_search_and_is_forgotten(pytester, cured, classes):
    pytester.makepyfile(other="def take(a, b):\n    with a:\n        with b: pass\n")
    pytester.makepyfile(test_it="""
    import threading
    import pytest
    from other import take

    @pytest.mark.explore(data="off")
    def test_deadlock():
        a, b = threading.Lock(), threading.Lock()
        threads = [threading.Thread(target=take, args=locks) for locks in ((a, b), (b, a))]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """)
    assert [verdict for verdict, *_ in executions_of(pytester)] == ["failed"]
    pytester.makepyfile(other=f"def take(a, b):\n    {cured}\n")  # not tracked: the digest is the same
    assert executions_of(pytester) == [("proved", classes, False)]
    assert stored(pytester) == {}


@pytest.mark.parametrize("content", ["[]", "{\"test_it.py::test_lost\": 3}", "not json"])
def test_a_cache_that_somebody_has_spoilt_is_no_obstacle(pytester, content):
    pytester.makepyfile(test_it=LOST)
    path = pytester.path / ".pytest_cache" / "v" / "hocket" / "schedules"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert [verdict for verdict, *_ in executions_of(pytester)] == ["failed"]
    assert list(stored(pytester)) == ["test_it.py::test_lost"]


def test_without_a_cache_everything_else_works(pytester):
    pytester.makepyfile(test_it=LOST)
    for _ in range(2):
        ((verdict, executions, again),) = executions_of(pytester, "-p", "no:cacheprovider")
        assert (verdict, again) == ("failed", False)
        assert executions > 1
