"""`breakpoint()` in a program that is explored: passed over while searching, obeyed in the interleaving that is shown.

A search runs the program a thousand times, in orders that nobody has asked to see, and a debugger in each of them is
of no use to anybody; what a reader wants is to stand in the interleaving that fails. So the hook of `breakpoint()`, and
`pdb.set_trace`, do nothing in a search, and in a replay they are what they were. Refused: calling them
from a function of ours, which would be the frame in which the debugger stops.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hocket.explore.threads import patch

__all__ = ["is_debugging", "obeyed"]

_DEBUGGERS = ("bdb", "pdb", "code")  # modules in whose loops somebody is asked what to do next
_shown = False


@contextmanager
def obeyed() -> Iterator[None]:
    """Within this, executions are shown, and stop where the program says so."""
    global _shown
    before, _shown = _shown, True
    try:
        yield
    finally:
        _shown = before


def is_debugging(frame: FrameType | None) -> bool:
    """Whether a thread that stands in `frame` waits for what somebody tells a debugger."""
    files = {getattr(sys.modules.get(name), "__file__", None) for name in _DEBUGGERS} - {None}
    while frame is not None:
        if frame.f_code.co_filename in files:
            return True
        frame = frame.f_back
    return False


def _pass_over(*args: Any, **named: Any) -> None:
    """Instead of a debugger."""


@contextmanager
def _passed_over() -> Iterator[None]:
    if _shown:
        yield
        return
    debugger: Any = sys.modules.get("pdb")
    rows = [(sys, "breakpointhook"), *([(debugger, "set_trace")] if debugger is not None else [])]
    before = [getattr(owner, name) for owner, name in rows]
    for owner, name in rows:
        setattr(owner, name, _pass_over)
    try:
        yield
    finally:
        for (owner, name), plain in zip(rows, before, strict=True):
            setattr(owner, name, plain)


patch.EXTENSIONS.append(_passed_over)
