"""One test, explored: its body is run in every interleaving, and what is raised is what a reader wants to see.

The test's function is exchanged for one that explores, for the time of its call,
so that setup, fixtures and teardown happen once, around all executions, and
everything else that pytest and unittest do stays as it is. A failure is the
program's own exception, with the frames of the program only: pytest shows the
assertion as always, and `--pdb` stops in the failing interleaving.
"""

from __future__ import annotations

import functools
import inspect
import re
import unittest
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from hocket.errors import ExplorationError, HocketError, Refused, ScheduleError
from hocket.explore.aio.seam import runnable
from hocket.explore.failing.failures import Failure
from hocket.explore.front import explore
from hocket.explore.replaying import judged
from hocket.explore.result import Result
from hocket.explore.threads.debugging import only_when_shown
from hocket.explore.threads.naming import is_machinery
from hocket.pytest_plugin.marked import has_examples, innermost, is_async, plain
from hocket.pytest_plugin.output import Output
from hocket.pytest_plugin.reporting import Line, width_of
from hocket.pytest_plugin.seats import Seats
from hocket.pytest_plugin.sharing import shared_out
from hocket.render.page import page

__all__ = ["Exploration"]

_WORST_FIRST = ("failed", "incomplete", "bounded", "proved", "replayed")
_REPLAYED = tuple(inspect.signature(judged).parameters)[2:]  # the options that a replay has in common with a search
_WIDTH = 80
_NO_FINDING = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception, unittest.SkipTest)
_LIMIT = ("raise the limit (seconds=, --explore-seconds), make the test smaller, or ask for less: with bound=2 every "
          "schedule of at most two preemptions is run, and the verdict says so")


class Exploration:
    """What becomes of one test; `facts` is filled while it runs, with values that JSON has.

    `token` is the schedule to run instead of a search, `first` one to try before it; both may be empty.
    """

    def __init__(self, item: pytest.Function, options: Mapping[str, Any], digest: str, token: str, first: str,
                 listen: Line | None, seats: Seats | None = None) -> None:
        self.item, self.options, self.token, self.first = item, dict(options), token, first
        self.listen, self.seats = listen, seats
        self.output = Output(item.funcargs)
        self.runs = 0  # of the body
        self.interleaving = ""  # drawn, of the failure that was met last
        self.bare = False  # whether what is raised has no frame of the program
        self.facts: dict[str, Any] = {}
        self._digest = digest
        self._example: Mapping[str, Any] = {}  # the arguments of the present call
        path, line, _ = item.location
        self._place = (path, (line or 0) + 1)  # what to point at

    @contextmanager
    def installed(self) -> Iterator[None]:
        """For the time of the test's call: whoever calls its function explores it."""
        function = self.item.obj
        inner = innermost(function)
        if inner is not function:  # Hypothesis calls it, once for each example
            function.hypothesis.inner_test = self._explored(inner)
        else:
            self.item.obj = self._explored(function)
        hooks = self.item.config.pluginmanager
        hooks.register(self.output)
        try:
            yield
        finally:
            hooks.unregister(self.output)
            if inner is not function:
                function.hypothesis.inner_test = inner
            else:
                self.item.obj = function
            if self.listen is not None:
                self.listen.clear()

    def _explored(self, function: Any) -> Callable[..., None]:
        body_of = _whole(plain(function))

        @functools.wraps(function)
        def explored(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            begin, self._example = self._begin, kwargs
            run = runnable(functools.partial(body_of, *args, **kwargs))

            def body() -> Any:
                begin()
                return run()

            body.__hocket_sent__ = functools.partial(body_of, *args, **kwargs)  # type: ignore[attr-defined]  # to others
            body.__name__ = getattr(body_of, "__name__", "body")
            body.__hocket_body__ = getattr(body_of, "__hocket_body__", body_of)  # type: ignore[attr-defined]  # so that it is named as what it calls
            error = self._judged(body)
            if error is not None:
                raise error
            return _nothing() if is_async(function) and not self._called_by_pytest(explored) else None

        return explored

    def _called_by_pytest(self, explored: Any) -> bool:
        """Whether nobody has put a function of his own before the test, as pytest-asyncio does: he expects a coroutine,
        and pytest refuses one."""
        return innermost(self.item.obj) is explored

    def _begin(self) -> None:
        self.runs += 1
        self.output.begin()

    # -- what comes of it

    def _judged(self, body: Callable[[], Any]) -> BaseException | None:
        """What the test is to raise, with the account entered."""
        self.interleaving, self.bare = "", False
        try:
            _check_arguments(self._example)
            if self.token:
                return self._replayed(body, self.token)
            with self.output.kept():
                again = self._replayed(body, self.first, stored=True) if self.first else None
                return again or self._searched(body)
        except HocketError as refusal:  # a question that cannot be asked; what the program raises comes as a failure
            return self._bare(refusal)

    def _searched(self, body: Callable[[], Any]) -> BaseException | None:
        try:
            with shared_out(self.options, self.seats) as options, only_when_shown() as passed:
                result = explore(body, **options, progress=self.listen or False)
        except pytest.fail.Exception as clock:  # one outside of the test, such as pytest-timeout
            told = f"{clock.msg}\nhocket: the search was stopped after {self.runs:,} executions, no failure so far"
            return self._bare(pytest.fail.Exception(told, pytrace=False))
        failure = result.failure
        if failure is None:
            self._enter(result)
            self.facts["passed_over"] = passed.times
            return self._bare(ExplorationError(_incomplete(result), result)) if result.verdict == "incomplete" else None
        return self._told(failure, result)

    def _told(self, failure: Failure, result: Result, stored: bool = False) -> BaseException:
        """What the test is to raise for `failure`, which is drawn, written as a page if asked for, and entered."""
        error = failure.error()
        shown = self._shown(error)
        if isinstance(error, _NO_FINDING):
            return shown
        self._draw(failure.drawn(width_of(self.item.config)), str(failure.schedule) if failure.schedule else "")
        self._write_page(failure)
        self._enter(result, stored)
        return shown

    def _write_page(self, failure: Failure) -> None:
        directory = self.item.config.option.explore_html
        if directory is None or not failure.rows:
            return
        told = replace(failure.interleaving(), command=self._command(str(failure.schedule)))
        path = directory / (re.sub(r"[^\w.-]+", "_", self.item.nodeid) + ".html")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            path.write_text(page(told), encoding="utf-8", errors="replace")
            self.interleaving += f"\npage: {path}"
        except OSError as error:  # the finding is worth more than its page
            self.interleaving += f"\npage: {path} cannot be written: {error.strerror}"

    def _replayed(self, body: Callable[[], Any], schedule: str, stored: bool = False) -> BaseException | None:
        """One interleaving: that of `--explore-replay`, with the output as it comes, or one that has failed before."""
        try:
            asked = {name: self.options[name] for name in _REPLAYED if name in self.options}
            _, failure = judged(body, schedule, **asked)
        except ScheduleError:
            if stored:
                return None  # of a program that has changed
            raise
        if failure is not None:
            return self._told(failure, Result("failed", 1, 1, failure=failure), stored)
        if not stored:
            self._enter(Result("replayed", 1, 1, reason="passes in this interleaving"))
        return None

    def _shown(self, error: BaseException) -> BaseException:
        """`error` with the frames of the program only; without any it is a bare message."""
        kept: TracebackType | None = None
        for entry in reversed(_entries(error)):
            if not is_machinery(entry.tb_frame.f_code.co_filename):
                kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        if kept is None:
            return self._bare(error)
        frames = _entries(error.with_traceback(kept))
        own = [entry for entry in frames if entry.tb_frame.f_code.co_filename == str(self.item.path)]
        last = (own or frames)[-1]
        self._place = (self._relative(last.tb_frame.f_code.co_filename), last.tb_lineno)
        return error

    def _relative(self, path: str) -> str:
        """As GitHub wants it: seen from the root of the project."""
        root = self.item.config.rootpath
        return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path

    def _bare(self, error: BaseException) -> BaseException:
        self.bare = True
        return error.with_traceback(None)

    # -- the account

    def _draw(self, drawing: str, schedule: str) -> None:
        picture = drawing.rpartition("\nreplay: ")[0] or drawing
        self.interleaving = picture + (f"\nreplay: {self._command(schedule)}" if schedule else "")
        self.facts["schedule"] = schedule

    def _command(self, schedule: str) -> str:
        """What to type; an example of Hypothesis can only be named in Python."""
        if not has_examples(self.item):
            return f"pytest {_quoted(self.item.nodeid)} --explore-replay {_quoted(schedule)}"
        values = ", ".join(f"{name}={value!r}" for name, value in self._example.items())
        return f"hocket.replay(lambda: {self.item.originalname}.hypothesis.inner_test({values}), {schedule!r})"

    def _enter(self, result: Result, stored: bool = False) -> None:
        """Add what was found; there is more than one result where Hypothesis gives examples."""
        facts = self.facts
        verdicts = (facts.get("verdict", "replayed"), result.verdict)
        failure = result.failure
        facts.update(
            verdict=min(verdicts, key=_WORST_FIRST.index),
            classes=facts.get("classes", 0) + result.classes,
            executions=facts.get("executions", 0) + result.executions,
            seconds=round(facts.get("seconds", 0.0) + result.seconds, 3),
            examples=facts.get("examples", 0) + 1,
            bound=self.options.get("bound"),
            model=None if result.model == "free" else result.model,
            stored=stored,
            place=self._place,
            digest="" if has_examples(self.item) else self._digest,
        )
        facts.setdefault("schedule", "")
        if result.verdict in ("failed", "incomplete", "bounded") or not facts.get("reason"):
            facts["reason"] = (f"{failure.kind}: {failure.message}" if failure else result.reason).partition("\n")[0]


async def _nothing() -> None:
    """What is left to do of a coroutine that has been explored."""


def _check_arguments(example: Mapping[str, Any]) -> None:
    for name, value in example.items():
        if type(value).__name__ == "DataObject" and type(value).__module__.startswith("hypothesis."):
            raise Refused(name, "drawn from by an explored test", "st.data(), which gives each execution other values",
                          "values that are drawn before", "draw them with @given, or build a strategy of all of them")


def _whole(function: Any) -> Any:
    """A method of a `unittest.TestCase` with its setUp, tearDown and clean-ups, on an instance of its own."""
    case = getattr(function, "__self__", None)
    if not isinstance(case, unittest.TestCase):
        return function
    function = function.__func__

    def method() -> Any:
        fresh = object.__new__(type(case))
        fresh.__dict__.update(case.__dict__, _cleanups=[], _outcome=None)  # without an outcome, subtests just raise
        try:
            fresh.setUp()
            try:
                return function(fresh)
            finally:
                fresh.tearDown()
        finally:
            fresh.doCleanups()

    method.__name__ = function.__name__
    method.__hocket_body__ = function  # type: ignore[attr-defined]
    return method


def _incomplete(result: Result) -> str:
    """Why nothing is known, and what to do about it."""
    cure = f"\n{_LIMIT}" if result.reason.startswith("the limit of") else ""
    return f"{result.drawn(_WIDTH)}{cure}"


def _entries(error: BaseException) -> list[TracebackType]:
    entries: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    return entries


def _quoted(text: str) -> str:
    """For a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
