"""The pytest plugin: `@pytest.mark.explore(...)`, `--explore`, and what a run says about it.

pytest loads this in every run on every machine that has Hocket, so it imports
next to nothing: the explorer is imported when the first test asks to be explored,
and not before. This file is the list of hooks; what they do is one file a
subject: options, marked, running, output, sharing, seats, schedules, reporting.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hocket.pytest_plugin.marked import Asked, asked, has_examples, mistake
from hocket.pytest_plugin.options import Outside, add_options
from hocket.pytest_plugin.seats import Seats

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from hocket.pytest_plugin.running import Exploration
    from hocket.pytest_plugin.schedules import Schedules

__all__: list[str] = []


@dataclass(slots=True)
class _Run:
    """What this run of pytest has of ours."""

    outside: Outside
    token: str  # of the one interleaving to run; mostly empty
    everything: bool  # whether tests are explored that do not ask for it
    seats: Seats | None  # of the workers of pytest-xdist, if this is one


_RUN = pytest.StashKey[_Run]()
_EXPLORATION: pytest.StashKey[Exploration] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "explore(**options): run the test in every interleaving of its threads; "
                                       "the options are those of hocket.explore")
    token = config.getoption("explore_replay") or ""
    if token:
        _check_token(token, config)
    everything = bool(token or config.getoption("explore") or config.getini("explore"))
    config.stash[_RUN] = _Run(Outside(config), token, everything, Seats.of(config))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reports(config), "hocket-reports")


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is not None and run.seats is not None:
        run.seats.close()


def _check_token(token: str, config: pytest.Config) -> None:
    from hocket.errors import ScheduleError
    from hocket.trace.schedule import Schedule

    try:
        Schedule.parse(token)
    except ScheduleError as error:
        raise pytest.UsageError(f"--explore-replay: {error}") from None
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("--explore-replay runs one interleaving of one test: leave out -n")


# -- collection -------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, Any]:
    """A marker that cannot be meant is an error of the file that it stands in."""
    report = yield
    mistakes = list(filter(None, map(mistake, _items(report.result or ()))))
    if mistakes and report.outcome == "passed":
        report.outcome, report.longrepr, report.result = "failed", "\n".join(mistakes), []
    return report


def _items(nodes: Iterable[Any]) -> list[pytest.Item]:
    return [node for node in nodes if isinstance(node, pytest.Item)]


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.stash[_RUN].token:
        return
    if len(session.items) != 1:
        raise pytest.UsageError(f"--explore-replay runs one interleaving of one test, and {len(session.items)} are "
                                "selected: name the one that the report names")
    if has_examples(session.items[0]):
        raise pytest.UsageError("--explore-replay cannot say which example of Hypothesis is meant: give the example "
                                "that failed to hocket.replay(lambda: test.hypothesis.inner_test(...), TOKEN)")


# -- a test -----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """A worker of pytest-xdist has a seat from its first test to its last."""
    seats = item.config.stash[_RUN].seats
    if seats is not None:
        seats.take(seats.mine)
    result = yield
    if seats is not None and nextitem is None:
        seats.leave(seats.mine)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    request = asked(item, item.config.stash[_RUN].everything)
    if request is None:
        return (yield)
    exploration = item.stash[_EXPLORATION] = _exploration(item, request)
    try:
        with exploration.installed():
            return (yield)
    finally:
        if exploration.facts:
            from hocket.pytest_plugin.reporting import properties

            item.user_properties.extend(properties(exploration.facts))


def _exploration(item: pytest.Item, request: Asked) -> Exploration:
    from hocket.pytest_plugin.reporting import progress_line
    from hocket.pytest_plugin.running import Exploration
    from hocket.pytest_plugin.schedules import Schedules, digest_of

    assert isinstance(item, pytest.Function)
    run = item.config.stash[_RUN]
    options = run.outside.over(request.options)
    digest = digest_of(item, options.get("track") or ())
    first = "" if has_examples(item) else Schedules(item.config).find(item.nodeid, digest)
    return Exploration(item, options, digest, run.token, first, progress_line(item.config), run.seats)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    exploration = item.stash.get(_EXPLORATION, None)
    if exploration is not None and call.when == "call":
        from hocket.pytest_plugin.reporting import show_below

        show_below(report, call, exploration.interleaving, exploration.bare)
        if exploration.facts:
            report.hocket = exploration.facts  # type: ignore[attr-defined]  # extra attributes travel with a report
    return report


# -- the run ----------------------------------------------------------------------------------------------------------


class _Reports:
    """What is done where reports come in: not in the workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told: list[tuple[str, dict[str, Any]]] = []  # node ids and facts
        self._schedules: Schedules | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = getattr(report, "hocket", None)
        if facts is None:
            return
        from hocket.pytest_plugin.schedules import Schedules

        self._told.append((report.nodeid, facts))
        self._schedules = self._schedules or Schedules(self._config)
        self._schedules.learn(report.nodeid, facts)

    def pytest_sessionfinish(self) -> None:
        if self._schedules is not None:
            self._schedules.save()

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if not self._told:
            return
        from hocket.pytest_plugin.reporting import github_commands, summary

        if self._config.get_verbosity() >= 0:
            terminalreporter.section("hocket")
            for line in summary(self._told):
                terminalreporter.write_line(line)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for command in github_commands(self._told):
                terminalreporter.write_line(command)
