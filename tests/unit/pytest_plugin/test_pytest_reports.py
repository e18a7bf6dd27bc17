"""What a person, a CI server and GitHub get to read."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

import hocket.explore.front  # noqa: F401  # pytester forgets what its runs have imported
from hocket.pytest_plugin import reporting

pytest_plugins = "pytester"

HEAD = """
    import logging, sys, threading
    import pytest, hocket

    def run(*works):
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
"""
LOST = HEAD + """
    @pytest.mark.explore
    def test_lost():
        count = [0]
        def add():
            print("adds")
            count[0] = count[0] + 1
        run(add, add)
        print("in the end", count)
        assert count[0] == 2
"""
DEADLOCK = HEAD + """
    @pytest.mark.explore
    def test_deadlock():
        a, b = threading.Lock(), threading.Lock()
        def one():
            with a, b: pass
        def other():
            with b, a: pass
        run(one, other)
"""


def test_a_failure_shows_the_assertion_as_pytest_does_then_the_lanes_then_how_to_repeat_it(pytester):
    pytester.makepyfile(test_it=LOST)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([
        "    def test_lost():",
        ">       assert count[[]0] == 2",
        "E       assert 1 == 2",
        "test_it.py:*: AssertionError",
        "*- interleaving -*",
        "assertion: AssertionError: assert 1 == 2 in main",
        "t1 wrote 1 to count[[]0] (step 5) after t2 had read 0 there (step 3) and before t2 wrote 1 over it (step 6): "
        "an update is lost",
        "     main * t1 * t2",
        "*reads count*",
        "*writes count*",
        "replay: pytest 'test_it.py::test_lost' --explore-replay 'hocket1:*'",
        "*- Captured stdout call -*",
        "adds", "adds", "in the end [[]1]",
        "*= hocket =*",
        "failed      test_it.py::test_lost  *classes, *executions*",
        "FAILED test_it.py::test_lost - assert 1 == 2",
    ])
    assert "site-packages" not in result.stdout.str()  # no frame of pytest's,
    assert "hocket/" not in result.stdout.str()  # and none of ours


def test_a_failure_deep_in_the_program_shows_the_frames_of_the_program_only(pytester):
    pytester.makepyfile(test_it=HEAD + """
    class Checked:
        def __eq__(self, other):
            raise LookupError("deep")

    def find(things, wanted):
        return things.index(wanted)

    @pytest.mark.explore
    def test_deep():
        run(lambda: find([Checked()], 1))
    """)
    said = pytester.runpytest("--tb=short").stdout.str()
    shown = [line.partition(": in ")[2] for line in said.splitlines() if ": in " in line]
    assert shown == ["<lambda>", "find", "__eq__"]


def test_output_is_that_of_one_execution_the_failing_one(pytester):
    pytester.makepyfile(test_it=LOST)
    for arguments in ((), ("-s",), ("--capture=sys",)):
        said = pytester.runpytest(*arguments).stdout.str()
        assert said.count("\nadds") + said.count(" adds") == 2, arguments
        assert said.count("in the end [1]") == 1, arguments


def test_a_passing_test_under_s_prints_once(pytester):
    pytester.makepyfile(test_it=LOST.replace("assert count[0] == 2", "print('warned', file=sys.stderr)"))
    result = pytester.runpytest("-s")
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("in the end") == 1
    assert result.stderr.str().count("warned") == 1


def test_a_test_that_reads_its_own_output_finds_that_of_one_execution(pytester):
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore
    def test_reads(capsys, caplog):
        for way in range(hocket.choose(3) + 1):
            print("way")
            logging.getLogger("it").warning("logged")
        assert capsys.readouterr().out == "way\\n" * len(caplog.records)
        assert {record.getMessage() for record in caplog.records} == {"logged"}
        print("not read")
    """)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["proved      test_it.py::test_reads  3 classes, 3 executions"])


LOGGED = HEAD + """
    log = logging.getLogger("it")

    @pytest.mark.explore
    def test_both_are_there(caplog):
        run(lambda: log.warning("a"), lambda: log.warning("b"))
        assert sorted(caplog.messages) == ["a", "b"]

    @pytest.mark.explore
    def test_in_one_order(caplog):
        run(lambda: log.warning("a"), lambda: log.warning("b"))
        assert caplog.messages == ["a", "b"]

    @pytest.mark.explore
    def test_that_only_logs():
        run(lambda: log.warning("a"), lambda: log.warning("%d for you", "b"))
"""


def test_threads_log_and_the_test_reads_what_they_logged(pytester):
    """Each finds in the logger's cache that it is enabled, or not yet, and then fills it under a lock: 4 classes; and
    one of them is first with the one handler that the test reads: 8."""
    pytester.makepyfile(test_it=LOGGED)
    result = pytester.runpytest("--log-file=all.txt")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines([
        "WARNING  it:test_it.py:*b", "WARNING  it:test_it.py:*a",  # what the failing interleaving logged
        "exception: TypeError: %d format: a real number is required, not str in t2",
        "proved      test_it.py::test_both_are_there  8 classes, 8 executions",
        "failed      test_it.py::test_in_one_order    1 class, 1 execution"])
    logged = [line.split()[-1] for line in (pytester.path / "all.txt").read_text().splitlines()]
    assert sorted(logged) == ["a", "a", "b", "b"], "of each test its last execution"


def test_logged_lines_are_those_of_one_execution(pytester):
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore(data="off")
    def test_logs():
        logging.getLogger("it").warning("way %d", hocket.choose(3))
        raise_in_the_last = hocket.choose(2)
        assert not raise_in_the_last
    """)
    said = pytester.runpytest().stdout.str()
    assert said.count("WARNING  it:") == 1


def test_a_deadlock_shows_who_waits_for_whom_and_no_traceback_of_ours(pytester):
    pytester.makepyfile(test_it=DEADLOCK)
    result = pytester.runpytest()
    result.stdout.fnmatch_lines([
        "*_ test_deadlock _*",
        "t1 holds a and waits for b; t2 holds b and waits for a",
        "*- interleaving -*",
        "deadlock: t1 holds a and waits for b; t2 holds b and waits for a",
        "*waits for b [[]a[]]*",
        "replay: pytest 'test_it.py::test_deadlock' --explore-replay 'hocket1:*'",
    ])
    assert "hocket/explore" not in result.stdout.str()


def test_what_is_incomplete_fails_with_the_reason_and_the_cure(pytester):
    pytester.makepyfile(test_it=HEAD + """
    import zlib
    @pytest.mark.explore(executions=2)
    def test_limited():
        hocket.choose(5)

    @pytest.mark.explore
    def test_untracked():
        seen = bytearray(1)
        run(*[lambda: zlib.crc32(seen)] * 2)

    @pytest.mark.explore(strategy="random", executions=3, seed=1)
    def test_drawn():
        hocket.choose(5)
    """)
    result = pytester.runpytest()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines([
        "incomplete: 2 classes, 2 executions, *; the limit of 2 executions was reached",
        "raise the limit (seconds=, --explore-seconds), make the test smaller, or ask for less: with bound=2*",
        "*_ test_untracked _*",
        "incomplete: *test_it.py:* zlib.crc32 is given seen*",
        "*_ test_drawn _*",
        "incomplete: *",
    ])


def test_junit_has_the_counts_as_properties(pytester):
    pytester.makepyfile(test_it=LOST + """
    @pytest.mark.explore(bound=0)
    def test_bounded():
        pass

    def test_plain():
        pass
    """)
    pytester.runpytest("--junitxml=out.xml")
    cases = {case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
             for case in ElementTree.parse(pytester.path / "out.xml").iter("testcase")}
    bounded, lost = cases["test_bounded"], cases["test_lost"]
    assert float(bounded.pop("hocket_seconds")) >= 0
    assert bounded == {"hocket_verdict": "proved", "hocket_classes": "1", "hocket_executions": "1",
                       "hocket_bound": "0"}  # nothing was cut off, so the bound is none
    assert lost["hocket_verdict"] == "failed"
    assert lost["hocket_schedule"].startswith("hocket1:")
    assert lost["hocket_reason"] == "assertion: AssertionError: assert 1 == 2 in main"
    assert cases["test_plain"] == {}


def test_github_gets_one_annotation_a_failure_and_never_more_than_ten(pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert reporting._MOST_ANNOTATIONS == 10
    monkeypatch.setattr(reporting, "_MOST_ANNOTATIONS", 3)  # for fewer tests
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore
    @pytest.mark.parametrize("n", range(3))
    def test_bad(n):
        assert n == "50%, a: b"

    @pytest.mark.explore(executions=1)
    def test_unknown():
        hocket.choose(2)

    @pytest.mark.explore
    def test_good():
        pass
    """)
    result = pytester.runpytest("-q")
    commands = [line for line in result.outlines if line.startswith("::")]
    assert len(commands) == 3
    assert commands[0] == ("::error file=test_it.py,line=12,title=hocket%3A failed%3A test_it.py%3A%3Atest_bad[0]"
                           "::assertion: AssertionError: assert 0 == '50%25, a: b' in main")
    assert commands[-1] == "::error::2 more explored tests failed: see the log of this step"


def test_nothing_is_said_where_nothing_was_explored_or_quiet_was_asked_for(pytester):
    pytester.makepyfile(test_it="def test_plain(): pass")
    assert "= hocket =" not in pytester.runpytest().stdout.str()
    pytester.makepyfile(test_it=DEADLOCK)
    assert "= hocket =" not in pytester.runpytest("-q").stdout.str()


def test_skips_and_expected_failures_inside_a_body_are_pytests_as_ever(pytester):
    pytester.makepyfile(test_it=HEAD + """
    pytestmark = pytest.mark.explore

    def test_skip():
        pytest.skip("not here")

    def test_xfail():
        pytest.xfail("known")

    def test_fail():
        pytest.fail("said so")

    @pytest.mark.xfail(strict=True, raises=hocket.errors.DeadlockError)
    def test_expected():
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    def test_raises():
        with pytest.raises(ZeroDivisionError):
            1 / 0

    def test_patched(monkeypatch, tmp_path):
        monkeypatch.setenv("HOCKET_TEST_VARIABLE", "1")
        (tmp_path / "file").write_text("text")
    """.replace("hocket.errors", "__import__('hocket.errors').errors"))
    pytester.runpytest().assert_outcomes(skipped=1, xfailed=2, failed=1, passed=2)
