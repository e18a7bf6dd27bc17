"""Claims about a graph as Python, for a test or a program: `check(graph).always_before("build", "deploy")`.

Each method asks one thing and raises what was found, with the run that shows it, as
an AssertionError; what could not be decided is raised as well, because it does not
hold. The graph is read once. A test that fails so prints the report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.errors import Unverified
from hocket.verify.assertions import Assertion
from hocket.verify.budget import SECONDS, budget_of
from hocket.verify.findings import Report
from hocket.verify.judge import judge_graph, read_graph

__all__ = ["Check", "check"]


def check(graph: Any, *, format: str | None = None, workers: int | None = None, seconds: float = SECONDS) -> Check:
    """Claims about a graph, each asked by a method that raises if it does not hold.

    `graph` is whatever `hocket.verify` takes. Raises `SourceError` if it cannot be used, and `Unverified` (an
    AssertionError) from each method whose claim is violated, or not decided: each has so many `seconds`.

    >>> check({"deploy": ["test"], "test": ["build"], "build": []}).always_before("build", "deploy").holds()
    """
    return Check(graph, format, workers, seconds)


class Check:
    """One graph, read once; every method returns the same object, so that claims can be chained."""

    def __init__(self, graph: Any, format: str | None, workers: int | None, seconds: float = SECONDS) -> None:
        self._reading = read_graph(graph, format)
        self._workers, self._seconds = workers, seconds

    def holds(self) -> None:
        """Everything that `hocket.verify` asks: no cycle, nothing that never runs, no deadlock, …"""
        self._refuse(self._judged(), lambda finding: True)

    def always_before(self, first: str, second: str) -> Check:
        """Whenever both run, the first has ended when the second starts."""
        return self._claim("before", first, second)

    def never_together(self, first: str, second: str) -> Check:
        """The two never run at the same time."""
        return self._claim("never with", first, second)

    def requires(self, user: str, used: str) -> Check:
        """Whenever the user runs, the used one has ended before, and succeeded."""
        return self._claim("requires", user, used)

    def can_run(self, task: str) -> Check:
        """There is a run in which it runs."""
        return self._claim("can run", task)

    def can_run_before(self, first: str, second: str) -> Check:
        """There is a run in which the first has ended when the second starts."""
        return self._claim("can run before", first, second)

    def always_runs(self, task: str) -> Check:
        """It runs in every run that nobody cancels."""
        return self._claim("always runs", task)

    def runs_unless_failed(self, task: str) -> Check:
        """It runs in every run that nobody cancels and in which no other task fails."""
        return self._claim("runs unless failed", task)

    def _claim(self, form: str, first: str, second: str = "") -> Check:
        report = self._judged(Assertion(form, first, second))
        self._refuse(report, lambda finding: finding.code in ("G001", "G005", "G020", "G021", "G090"))
        return self

    def _judged(self, *claims: Assertion) -> Report:
        return judge_graph(self._reading, claims, self._workers, budget=budget_of(self._seconds))

    def _refuse(self, report: Report, matters: Callable[[Any], bool]) -> None:
        if any(matters(finding) and (finding.is_error or finding.code == "G090") for finding in report.findings):
            raise Unverified(str(report), report)
