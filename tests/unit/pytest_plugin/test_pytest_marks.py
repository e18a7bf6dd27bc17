"""Which tests are explored, with what options, and what a mistake in a marker looks like."""

from __future__ import annotations

import pytest

import hocket.explore.front  # noqa: F401  # pytester forgets what its runs have imported, and two explorers are one too many
from hocket.explore.options import STRATEGIES
from hocket.explore.sampling.portfolio import SAMPLERS
from hocket.pytest_plugin.options import OPTIONS

pytest_plugins = "pytester"

HEAD = """
    import threading, unittest
    import pytest, hocket

    def run(*works):
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads: thread.start()
        for thread in threads: thread.join()

    def two_adders(count):
        def add():
            count[0] = count[0] + 1
        run(add, add)
"""


def explored(pytester, body, *arguments):
    """The facts of each explored test, and the outcomes, of a run on one file."""
    pytester.makepyfile(test_it=HEAD + body)
    record = pytester.inline_run(*arguments)
    facts = {report.nodeid.partition("::")[2]: report.hocket
             for report in record.getreports("pytest_runtest_logreport") if hasattr(report, "hocket")}
    return {name: (each["verdict"], each["classes"], each["executions"]) for name, each in facts.items()}, record


# two threads that each read and then write one cell: serial either way, or both read first and either writes last
FOUR = ("proved", 4, 4)
BOUNDED = ("bounded", 2, 3)  # without a preemption only the serial ones, one of them in two schedules


def test_functions_methods_and_parameters_are_explored_with_their_exact_counts(pytester):
    facts, record = explored(pytester, """
    @pytest.mark.explore
    def test_function():
        two_adders([0])

    @pytest.mark.explore
    @pytest.mark.parametrize("start", [0, 10])
    def test_parameters(start, tmp_path):
        assert tmp_path.is_dir()
        count = [start]
        two_adders(count)
        assert count[0] in (start + 1, start + 2)

    @pytest.mark.explore
    class TestClass:
        def test_method(self):
            two_adders([0])

    @hocket.explore.test
    def test_decorated():
        two_adders([0])

    class TestOther:
        @hocket.explore.test(bound=0)
        def test_decorated_method(self):
            two_adders([0])

    def test_unmarked():
        two_adders([0])
    """)
    assert facts == {
        "test_function": FOUR, "test_parameters[0]": FOUR, "test_parameters[10]": FOUR, "TestClass::test_method": FOUR,
        "test_decorated": FOUR, "TestOther::test_decorated_method": BOUNDED,
    }
    assert record.ret == 0


def test_a_unittest_case_gets_its_set_up_in_every_execution(pytester):
    facts, record = explored(pytester, """
    class TestCase(unittest.TestCase):
        def setUp(self):
            self.count = [0]
            self.addCleanup(self.count.clear)

        @pytest.mark.explore
        def test_adds(self):
            two_adders(self.count)
            self.assertIn(self.count[0], (1, 2))

        @pytest.mark.explore
        def test_loses(self):
            two_adders(self.count)
            self.assertEqual(self.count[0], 2)

        @pytest.mark.explore
        def test_skips(self):
            self.skipTest("not here")
    """)
    assert facts["TestCase::test_adds"] == FOUR
    assert facts["TestCase::test_loses"][0] == "failed"
    passed, skipped, failed = record.listoutcomes()
    assert [len(passed), len(skipped), len(failed)] == [1, 1, 1]


def test_every_test_is_explored_when_that_is_asked_for_but_not_coroutines(pytester):
    body = """
    def test_unmarked():
        two_adders([0])

    @pytest.mark.skip
    def test_skipped():
        pass
    """
    assert explored(pytester, body, "--explore")[0] == {"test_unmarked": FOUR}
    pytester.makeini("[pytest]\nexplore = true\n")
    assert explored(pytester, body)[0] == {"test_unmarked": FOUR}


def test_modules_are_tracked_under_pytests_other_import_mode_too(pytester):
    facts, _ = explored(pytester, """
    @pytest.mark.explore
    def test_function():
        two_adders([0])
    """, "--import-mode=importlib")
    assert facts == {"test_function": FOUR}


def test_the_nearest_marker_wins_option_by_option(pytester):
    facts, _ = explored(pytester, """
    @pytest.mark.explore(bound=0, steps=500)
    class TestClass:
        @pytest.mark.explore(bound=1)
        def test_method(self):
            two_adders([0])
    """)
    assert facts["TestClass::test_method"][:2] == ("bounded", 4)  # one preemption reaches all four, none only two


@pytest.mark.parametrize(("mark", "message"), [
    ("bond=2", "explore() has no option 'bond' (did you mean 'bound'?); its options are bound, seconds, executions, "),
    ("10", "explore(10): options have names, such as explore(seconds=10)"),
    ("bound=-1", "explore(bound=-1): expected a whole number, 0 or more"),
    ("bound='2'", "explore(bound='2'): expected a whole number, 0 or more"),
    ("seconds=0", "explore(seconds=0): expected a number above 0"),
    ("executions=1.5", "explore(executions=1.5): expected a whole number above 0"),
    ("data='yes'", "data"),
    ("strategy='best'", "strategy"),
    ("progress=True", "explore() has no option 'progress'"),
])
def test_a_mistake_in_a_marker_is_an_error_of_its_file_with_the_right_names(pytester, mark, message):
    pytester.makepyfile(test_it=HEAD + f"""
    @pytest.mark.explore({mark})
    def test_function():
        raise SystemExit("never run")
    """)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting test_it.py*"])
    assert f"test_it.py::test_function: {message}" in result.stdout.str() or (
        message in ("data", "strategy") and f"explore(): '{message}' was set to" in result.stdout.str())


def test_the_strategies_that_can_be_asked_for_from_outside_are_all_that_there_are():
    (option,) = [option for option in OPTIONS if option.name == "strategy"]
    assert option.expected == f"one of {', '.join((*STRATEGIES, *SAMPLERS))}"


def test_coroutine_functions_are_explored_with_fixtures_methods_and_parameters(pytester):
    facts, record = explored(pytester, """
    import asyncio

    async def add(count):
        value = count[0]
        await asyncio.sleep(hocket.choose(2))
        count[0] = value + 1

    @pytest.mark.explore
    @pytest.mark.parametrize("start", [5])
    async def test_function(start, tmp_path):
        assert tmp_path.is_dir()
        count = [start]
        await add(count)
        assert count == [start + 1]

    @pytest.mark.explore
    class TestClass:
        async def test_method(self):
            count = [0]
            await asyncio.gather(add(count), add(count))
            assert count[0] == 2
    """)
    assert facts["test_function[5]"] == ("proved", 2, 2)
    assert facts["TestClass::test_method"][0] == "failed"
    assert [len(reports) for reports in record.listoutcomes()] == [1, 0, 1]


LIKE_PYTEST_ASYNCIO = """
    import asyncio, pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(pyfuncitem):
        owner, name = (pyfuncitem, "obj")
        if hasattr(pyfuncitem.obj, "hypothesis"):
            owner, name = pyfuncitem.obj.hypothesis, "inner_test"
        coroutine_function = getattr(owner, name)
        def synchronous(*args, **named):
            with asyncio.Runner() as runner:
                runner.run(coroutine_function(*args, **named))
        setattr(owner, name, synchronous)
        return (yield)
"""


def test_a_plugin_that_runs_coroutines_may_stand_between(pytester):
    pytester.makeconftest(LIKE_PYTEST_ASYNCIO)
    facts, record = explored(pytester, """
    import asyncio
    from hypothesis import given, settings, strategies

    async def add(count):
        value = count[0]
        await asyncio.sleep(0)
        count[0] = value + 1

    @pytest.mark.explore
    async def test_one_by_one():
        count = [hocket.choose(2)]
        await add(count)
        assert count[0] > 0

    @pytest.mark.explore
    async def test_at_once():
        count = [0]
        await asyncio.gather(add(count), add(count))
        assert count[0] == 2

    @pytest.mark.explore
    @settings(max_examples=1, database=None)
    @given(strategies.just(5))
    async def test_an_example(start):
        count = [start]
        await add(count)
        assert count == [6]
    """)
    assert facts == {"test_one_by_one": ("proved", 2, 2), "test_at_once": ("failed", 1, 1),
                     "test_an_example": ("proved", 1, 1)}
    assert [len(reports) for reports in record.listoutcomes()] == [2, 0, 1]


@pytest.mark.parametrize(("test", "name", "message"), [
    ("async def test_function(): yield", "test_function", "it is an asynchronous generator, which is no test"),
    ("class TestIt(unittest.IsolatedAsyncioTestCase):\n        async def test_it(self): pass", "TestIt::test_it",
     "a coroutine of a TestCase is run by unittest"),
])
def test_what_cannot_be_explored_is_refused_when_it_is_collected(pytester, test, name, message):
    pytester.makepyfile(test_it=HEAD + f"""
    @pytest.mark.explore
    {test}
    """)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert f"test_it.py::{name}: {message}" in str(result.stdout)


# -- options from outside ---------------------------------------------------------------------------------------------

PLACES = ("toml", "ini", "marker", "environment", "command line")  # each overrules those before it


@pytest.mark.parametrize("nearest", PLACES)
def test_whoever_stands_nearer_to_the_run_has_the_last_word(pytester, monkeypatch, nearest):
    # each place says how many executions: the limit that was reached names the one that won
    said = {place: number for number, place in enumerate(PLACES[: PLACES.index(nearest) + 1], 1)}
    if "toml" in said:
        pytester.makepyprojecttoml(f"[tool.hocket]\nexecutions = {said['toml']}\nexplorations = ['elsewhere']\n")
    if "ini" in said:
        pytester.makeini(f"[pytest]\nexplore_executions = {said['ini']}\n")
    if "environment" in said:
        monkeypatch.setenv("HOCKET_EXPLORE_EXECUTIONS", str(said["environment"]))
    marker = f"executions={said['marker']}" if "marker" in said else ""
    arguments = [f"--explore-executions={said['command line']}"] if "command line" in said else []
    _, record = explored(pytester, f"""
    @pytest.mark.explore({marker})
    def test_function():
        hocket.choose(9)
    """, *arguments)
    (failed,) = record.listoutcomes()[2]
    assert failed.hocket["reason"] == f"the limit of {PLACES.index(nearest) + 1} executions was reached"


def test_a_limit_can_be_taken_away(pytester):
    body = """
    @pytest.mark.explore(executions=1)
    def test_function():
        two_adders([0])
    """
    assert explored(pytester, body)[0] == {"test_function": ("incomplete", 1, 1)}
    assert explored(pytester, body, "--explore-executions=none")[0] == {"test_function": FOUR}


def test_other_modules_are_tracked_when_shared_data_is_in_their_hands_or_they_are_named(pytester):
    pytester.makepyfile(plugin_sums="""
    count = [0]
    def add():
        count[0] = count[0] + 1
    """)
    body = """
    import plugin_sums
    @pytest.mark.explore
    def test_function():
        plugin_sums.count = [0]
        run(plugin_sums.add, plugin_sums.add)
        assert plugin_sums.count[0] == 2
    """
    for arguments in ((), ("--explore-track=plugin_sums",)):
        facts, record = explored(pytester, body, *arguments)
        assert facts["test_function"][0] == "failed"
        assert record.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(("arguments", "environment", "ini", "message"), [
    (["--explore-bound=many"], {}, "", "argument --explore-bound: 'many' is not a whole number, 0 or more"),
    (["--explore-seconds=-1"], {}, "", "argument --explore-seconds: '-1' is not a number above 0"),
    (["--explore-data=all"], {}, "", "argument --explore-data: 'all' is not track, race-check or off"),
    (["--explore-strategy=dsf"], {}, "", "argument --explore-strategy: 'dsf' is not one of optimal, source, dfs"),
    ([], {"HOCKET_EXPLORE_SECONDS": "soon"}, "", "HOCKET_EXPLORE_SECONDS: 'soon' is not a number above 0"),
    ([], {}, "explore_bound = -3", "explore_bound: -3 is not a whole number, 0 or more"),
])
def test_what_cannot_be_read_from_outside_is_a_usage_error(pytester, monkeypatch, arguments, environment, ini, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = pytester.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_a_wrong_entry_of_the_projects_table_is_a_usage_error(pytester):
    pytester.makepyprojecttoml("[tool.hocket]\nseconds = 'ten'\n")
    pytester.makepyfile(test_it=HEAD + """
    @pytest.mark.explore
    def test_function():
        pass
    """)
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "[tool.hocket] seconds: 'ten' is not a number above 0" in result.stdout.str()
