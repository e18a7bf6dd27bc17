"""What tests of plans share: tasks that leave a trace, payloads that are counted, and every way to run a plan."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hocket.plan import StepResult, TaskTree, bind, compile_plan
from hocket.runtime.plans import run_plan

COMBINATIONS = [(slots, executor) for slots in ("one_to_one", "compact") for executor in ("recursive", "stack")]
"""The four combinations of YOrch."""

IN_TURN = [
    *COMBINATIONS,
    ("intervals", "recursive"),
    ("compact", "inline"),
    ("compact", "threads"),
    ("compact", "asyncio"),
]
"""Every executor, one task at a time."""


class Box:
    """A payload that can be changed."""

    def __init__(self, n: Any) -> None:
        self.n = n

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Box) and self.n == other.n

    __hash__ = None  # type: ignore[assignment]


class Unique(Box):
    """A payload that cannot be copied (move-only)."""

    __deepcopy__ = None


class Counted(Box):
    """A payload whose copies are counted."""

    copies = 0

    def __deepcopy__(self, memo: object) -> Counted:
        Counted.copies += 1
        return type(self)(self.n)


@dataclass
class Ledger:
    """Who was made and who is alive."""

    made: int = 0
    alive: int = 0
    seen: list[int] = field(default_factory=list)

    def box(self, n: Any = 0) -> Box:
        """A box that is counted while it lives."""
        box = Box(n)
        self.made += 1
        self.alive += 1
        weakref.finalize(box, self._gone)
        return box

    def _gone(self) -> None:
        self.alive -= 1

    def look(self) -> None:
        self.seen.append(self.alive)


class Trace(list):
    """Tasks that write down their names."""

    def void(self, name: str) -> Any:
        def act() -> None:
            self.append(name)

        return bind(act, name=name)

    def step(self, name: str, result: StepResult | None = None, **options: Any) -> Any:
        def act() -> StepResult:
            self.append(name)
            return StepResult.success() if result is None else result

        return bind(act, name=name, **options)

    def asking(self, name: str, times: int, **options: Any) -> Any:
        """A task that asks for another attempt so many times."""
        left = [times]

        def act() -> StepResult:
            self.append(name)
            left[0] -= 1
            return StepResult.retry() if left[0] >= 0 else StepResult.success()

        return bind(act, name=name, **options)


def run(tree: TaskTree, *given: Any, **options: Any) -> StepResult:
    """Compile and run at once."""
    return run_plan(compile_plan(tree), *given, **options)


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act
