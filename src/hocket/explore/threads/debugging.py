"""Debuggers in explored code: whoever is asked what to do next takes his time, and does not want to be asked often.

`breakpoint()` stops wherever the program comes to it, in each execution, and who waits there for an answer is not
stuck (looking.py). A test runner, whose hook turns off its capture and talks to the terminal, does not want that a
thousand times in orders that nobody has asked to see: within `only_when_shown` a search passes over `breakpoint()` and
`pdb.set_trace`, and the replay of the interleaving that fails obeys them. Refused: a function of ours that calls the
debugger, which would be the frame in which it stops.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hocket.explore.threads import patch

__all__ = ["Passed", "only_when_shown", "shown"]

class Passed:
    """How often a search has passed over a breakpoint."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, *args: Any, **named: Any) -> None:
        """Instead of a debugger."""
        self.times += 1


_passed: Passed | None = None  # within `only_when_shown`, and outside of `shown`


@contextmanager
def only_when_shown() -> Iterator[Passed]:
    """Within this, searches pass over breakpoints."""
    global _passed
    before, _passed = _passed, Passed()
    try:
        yield _passed
    finally:
        _passed = before


@contextmanager
def shown() -> Iterator[None]:
    """Within this, executions are shown, and stop where the program says so."""
    global _passed
    before, _passed = _passed, None
    try:
        yield
    finally:
        _passed = before


@contextmanager
def _passed_over() -> Iterator[None]:
    """For the time of an exploration."""
    if _passed is None:
        yield
        return
    debugger: Any = sys.modules.get("pdb")
    rows = [(sys, "breakpointhook"), *([(debugger, "set_trace")] if debugger is not None else [])]
    before = [getattr(owner, name) for owner, name in rows]
    for owner, name in rows:
        setattr(owner, name, _passed)
    try:
        yield
    finally:
        for (owner, name), plain in zip(rows, before, strict=True):
            setattr(owner, name, plain)


patch.EXTENSIONS.append(_passed_over)
