"""A worker of a search that is split: explores below one state, and hands back what concerns the states above.

A piece of work is a stack (stack.py) of which the first `root` states belong to
the coordinator (parallel.py). Whatever races begin below are planned here as ever.
A race that begins above is handed back as it was found: the sequence that leads to
its other side, each step with what it must come after, so that the coordinator can
place it without having seen the execution. After a while the worker stops between
two executions and hands back what is left, so that it can be shared out anew.

Nothing but plain values goes either way. The program goes by name, or pickled if it
has none; its text is compared. Whatever a worker raises goes back as text, because
an exception that cannot be unpickled would take the whole pool with it.
"""

from __future__ import annotations

import ast
import os
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, MethodType
from typing import Any, NamedTuple

from hocket.errors import HocketError, Refused
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast
from hocket.explore.model import run
from hocket.explore.races import Race
from hocket.explore.scale.digest import body_digest
from hocket.explore.scale.stack import Saved, Writer, restore, snapshot
from hocket.explore.search import Search
from hocket.explore.shared.tracker import Visible
from hocket.explore.tally import Limits
from hocket.explore.wakeup import Node, covered_by_sleep, insert

__all__ = ["Plan", "Program", "Shard", "Task", "run_body", "run_model"]

Plan = list[Any]
"""Where the race begins, its events as [step, what it comes after], its last step, and what that comes after."""


class Program(NamedTuple):
    """A function on its way to another process: where to find it there, or its pickle."""

    module: str
    name: str
    file: str
    digest: str
    pickled: bytes = b""
    given: bytes = b""  # the arguments of a function that is found by name, pickled
    asserts: bool = False  # whether pytest has rewritten those of its module

    @staticmethod
    def of(function: Callable[..., Any]) -> Program:
        """Raises `Refused` for a function that has no name of its own and cannot be pickled.

        What stands in for another function, for tests, says so by `__hocket_sent__`, with its arguments.
        """
        sent: Callable[..., Any] | None = getattr(function, "__hocket_sent__", None)
        function = sent if sent is not None else getattr(function, "__hocket_body__", function)
        inner, given = _without_arguments(function)
        module, name = getattr(inner, "__module__", ""), getattr(inner, "__qualname__", "")
        home = sys.modules.get(module)
        try:
            if "<" not in name and home is not None and _found(home, name) is inner:
                return Program(module, name, getattr(home, "__file__", None) or "", body_digest(inner),
                               given=pickle.dumps(given) if any(given) else b"", asserts="@pytest_ar" in vars(home))
            return Program(module, name, "", body_digest(function), pickle.dumps(function))
        except Exception as error:
            raise Refused(name or repr(function), "to be explored by other processes",
                          f"nothing that can be sent there ({error})", "a function of a module",
                          "define it at the top of a file, not inside of another function") from None

    def load(self) -> Callable[..., Any]:
        """The function, in this process; raises `Refused` if it is another one here."""
        function: Any = pickle.loads(self.pickled) if self.pickled else _found(self._home(), self.name)
        if function is None or body_digest(function) != self.digest:
            raise Refused(self.name, "sent to a worker", "another function there", "the same files everywhere")
        loaded: Callable[..., Any] = getattr(function, "__hocket_body__", function)
        positional, named = pickle.loads(self.given) if self.given else ((), {})
        return partial(loaded, *positional, **named) if self.given else loaded

    def _home(self) -> Any:
        known = sys.modules.get(self.module)
        if known is not None and _found(known, self.name) is not None:
            return known
        try:
            if not self.asserts:
                return import_module(self.module)
            spec = spec_from_file_location(self.module, self.file)
        except ImportError:
            spec = spec_from_file_location(self.module, self.file) if self.file else None
            if spec is None or spec.loader is None:
                raise
        assert spec is not None, "a file of Python has a loader"
        assert spec.loader is not None, "a file of Python has a loader"
        module = sys.modules[self.module] = module_from_spec(spec)
        sys.path.insert(0, os.path.dirname(self.file))  # its neighbours are found as they were at home
        if self.asserts:
            exec(_with_pytests_asserts(self.file), vars(module))
        else:
            spec.loader.exec_module(module)
        return module


def _without_arguments(function: Any) -> tuple[Any, tuple[tuple[Any, ...], dict[str, Any]]]:
    """A function, and what it is given by `functools.partial` and as a method."""
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = {}
    while isinstance(function, partial):
        given, named = (*function.args, *given), {**function.keywords, **named}
        function = function.func
    if isinstance(function, MethodType):
        function, given = function.__func__, (function.__self__, *given)
    return function, (given, named)


def _with_pytests_asserts(file: str) -> CodeType:
    from _pytest.assertion.rewrite import rewrite_asserts  # it has rewritten the module at home, so it is there

    source = Path(file).read_bytes()
    tree = ast.parse(source, file)
    rewrite_asserts(tree, source, file, None)
    return compile(tree, file, "exec", dont_inherit=True)


def _found(home: Any, name: str) -> Any:
    for part in name.split("."):
        home = getattr(home, part, None)
    return getattr(home, "__hocket_body__", home)


class Task(NamedTuple):
    """A piece of work: what is left to do, how many of its states are the coordinator's, and when to stop."""

    stack: Saved
    root: int
    executions: int | None  # after so many, hand back what is left
    seconds: float | None
    steps: int | None  # limit of one execution
    options: dict[str, Any]  # of the host


class Shard(Optimal):
    """Optimal below a state, with the plans for states above it kept apart."""

    def __init__(self, task: Task, cast: Cast, youngest_first: bool = False) -> None:
        super().__init__(youngest_first)
        self._task, self._cast, self._root = task, cast, task.root
        self.own_from = task.root
        self._writer = Writer(cast)
        self._began, self._ended = time.monotonic(), 0
        self._above: dict[int, list[Node]] = {}  # by state, what was handed back: what that covers is not, again
        self._plans: list[Plan] = []
        restore(self, cast, task.stack)

    def begin(self) -> bool:
        """As ever, unless it is time to stop."""
        task = self._task
        if self._ended and (
                (task.executions is not None and self._ended >= task.executions)
                or (task.seconds is not None and time.monotonic() - self._began >= task.seconds)):
            return False
        self._ended += 1
        return super().begin()

    def go_on(self) -> None:
        """Nobody else will do the rest."""
        self._task = self._task._replace(executions=None, seconds=None)

    def report(self) -> dict[str, Any]:
        """The plans for the states above, and what is left to do here; to be asked for once, at the end."""
        left = snapshot(self, self._cast, self._root) if self.frames else None
        return {"plans": self._plans, "left": left, **self._writer.tables()}

    def _plan(self, events: int, race: Race) -> None:
        if race.at >= self._root:
            super()._plan(events, race)
            return
        frame = self.frames[race.at]
        if covered_by_sleep(self.order, frame.sleep, events, race):
            return
        if insert(self.order, self._above.setdefault(race.at, []), events, race):
            self._plans.append(self._told(events, race))

    def _told(self, events: int, race: Race) -> Plan:
        order, writer = self.order, self._writer
        numbers = [number for number in range(events.bit_length()) if events >> number & 1]
        place = {number: index for index, number in enumerate(numbers)}

        def among(past: int) -> int:
            return sum(1 << place[number] for number in numbers if past >> number & 1)

        steps = []
        for number in numbers:
            event = order.events[number]
            node = Node(event.actor, event.alternative, event.operation, order.prints[number])
            steps.append([writer.step(node), among(order.past[number])])
        last = Node(race.actor, race.alternative, race.operation, race.footprint)
        return [race.at, steps, writer.step(last), among(race.direct)]


# -- the two hosts ----------------------------------------------------------------------------------------------------


def run_model(program: Program, task: Task) -> dict[str, Any]:
    """Explore a piece of a pure model, made by `program`: counts, outcomes, failures, plans, and what is left."""
    try:
        cast = Cast()
        shard = Shard(task, cast)
        tally = run(program.load()(), shard, Limits(steps=task.steps), cast=cast)
    except Exception as error:
        return {"error": _text(error)}
    failures = [failure if _pickles(failure) else _without_exception(failure) for failure in tally.failures]
    return {"executions": tally.executions, "events": tally.events, "failed": tally.failed,
            "abandoned": tally.abandoned, "failures": failures, "outcomes": tally.outcomes, "reason": tally.reason,
            **shard.report()}


def run_body(program: Program, task: Task) -> dict[str, Any]:
    """Explore a piece of a body with threads."""
    options = task.options
    try:
        if options["pid"] == os.getpid():
            raise Refused("executor", "used", "running its work in this process", "one of processes",
                          "names of modules are replaced while a body is explored: one body at a time in a process")
        visible = Visible(**options["visible"])
        search = Search(program.load(), "optimal", None, visible, None, None, task.steps or 0, None)
        session = search.session
        shard = Shard(task, session.cast, youngest_first=True)
        search.strategy, session.named = shard, len(session.cast.objects)
        search.run()
        if len(session.outside) > 1:
            raise Refused("executor", "given", f"used for a body with {len(session.outside)} locks or Atomics that "
                          "were made outside of it", "a body that makes its own", "others cannot tell them apart")
        if search.passed is not None:
            raise search.passed
    except BaseException as error:  # also pytest's skip; a worker must come back
        return {"error": _text(error)}
    first = search.first
    return {"executions": search.runner.executions, "events": search.events, "outcomes": _sendable(search.outcomes),
            "classes": search.classes, "stop": session.stop, "reason": search.reason,
            "failure": replace(first, exception=None) if first is not None else None,
            "sometimes": session.sometimes, "notes": session.notes, "time": (search.asked, search.slept),
            "untracked": list(search.untracked()), **shard.report()}


def _text(error: BaseException) -> str:
    return str(error) if isinstance(error, HocketError) else f"{type(error).__name__}: {error}"


def _pickles(value: Any) -> bool:
    try:
        pickle.loads(pickle.dumps(value))
    except Exception:
        return False
    return True


def _without_exception(failure: Any) -> Any:
    return type(failure)(failure.kind, failure.schedule, failure.message, None, failure.waits)


def _sendable(outcomes: Any) -> Any:
    """Outcomes that another process can read; the text of those that it cannot."""
    return {value if _pickles(value) else repr(value): count for value, count in outcomes.items()}
