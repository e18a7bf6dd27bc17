"""What an exploration came to: a verdict of four, its counts, and the reason, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hocket.errors import ExplorationError
from hocket.explore.failing.failures import Failure
from hocket.verdict import Certificate

__all__ = ["Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of `hocket.explore`.

    `verdict` is "proved" (every class was run), "bounded" (every class within the bound that was asked for),
    "incomplete" (something was left out, `reason` says what) or "failed". `classes` counts distinct Mazurkiewicz
    classes, `executions` the runs made for them, `outcomes` the classes by what the body returned, `untracked` what
    was shared without being tracked, as "file:line what". `seed` repeats a sample; None if nothing
    was drawn. `reductions`: the rules that were on; then a class is larger, and each was still run once. `certificate`:
    the classes of a proof, if they were asked for and can be written down; `notes` says why where they cannot.
    `model`: between which accesses others could come; what is proved under "gil" is so where CPython switches, only.
    """

    verdict: str
    classes: int
    executions: int
    outcomes: Mapping[Any, int] = field(default_factory=dict)
    failure: Failure | None = None
    untracked: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    steps: int = 0
    sometimes: Mapping[str, bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int | None = None
    reductions: tuple[str, ...] = ()
    certificate: Certificate | None = None
    model: str = "free"

    @property
    def exit_code(self) -> int:
        """The shell's view: 0 proved, or bounded as was asked for; 1 failed; 3 incomplete."""
        return {"proved": 0, "bounded": 0, "failed": 1}.get(self.verdict, 3)

    def raise_if_failed(self) -> Result:
        """Raise what the failing interleaving raises, with its picture as a note; else return this result."""
        if self.failure is None:
            return self
        error = self.failure.error()
        notes: list[str] = getattr(error, "__notes__", [])
        if not any("replay: hocket replay" in note for note in notes):
            error.add_note(str(self.failure))
        raise error

    def raise_if_not_proved(self) -> Result:
        """As `raise_if_failed`; an incomplete exploration is an `ExplorationError` too: unknown is never success."""
        self.raise_if_failed()
        if self.verdict == "incomplete":
            raise ExplorationError(str(self), self)
        return self

    def __str__(self) -> str:
        return self.drawn()

    def drawn(self, width: int = 80) -> str:
        """The verdict on a line, and below it what there is to see, in at most `width` columns."""
        counts = f"{_counted(self.classes, 'class', 'classes')}, {_counted(self.executions, 'execution', 'executions')}"
        seed = "" if self.seed is None else f", seed {self.seed}"
        conditions = [*self.reductions, *([] if self.model == "free" else [f"model {self.model}"])]
        under = f" under {', '.join(conditions)}" if conditions else ""
        head = f"{self.verdict}: {counts}{under}, {self.seconds:.2f} s{seed}"
        lines = [head + (f"; {self.reason}" if self.reason else "")]
        lines += [f"  untracked: {entry}" for entry in self.untracked[:10]]
        lines += [f"  note: {note}" for note in self.notes]
        if len(self.untracked) > 10:
            lines.append(f"  and {len(self.untracked) - 10} more")
        return "\n".join([*lines, *(["", self.failure.drawn(width)] if self.failure else [])])


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
