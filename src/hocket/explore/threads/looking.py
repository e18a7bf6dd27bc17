"""Tracing in explored threads: who traces looks on, and what a tracer does is no step of the actor that it looks at.

A tracer (`threading.settrace`: coverage, a debugger, a test's own) is called by the interpreter in the actor's thread,
at every line. If its locks and lists were taken for the program's, measuring a program would change its interleavings
and its verdict. So while it runs, the thread is nobody's. A debugger waits for a person, as long as that takes, which
an explored program may not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from hocket.explore.threads.actor import ACTORS
from hocket.explore.threads.pool import _get_ident

__all__ = ["is_debugging", "looking_on"]

_DEBUGGERS = ("bdb", "pdb", "code")  # modules in whose loops somebody is asked what to do next
Tracer = Callable[[Any, Any, Any], Any]


def looking_on(trace: Tracer) -> Tracer:
    """`trace`, and whatever it returns to trace a frame with, as somebody who is no actor."""
    def look(frame: Any, event: str, argument: Any) -> Any:
        ident = _get_ident()
        actor = ACTORS.pop(ident, None)
        if actor is not None:
            ACTORS.lookers.add(ident)
        try:
            local = trace(frame, event, argument)
        finally:
            if actor is not None:
                ACTORS.lookers.discard(ident)
                ACTORS[ident] = actor
        return look if local is trace else looking_on(local) if callable(local) else local

    return look


def is_debugging(frame: FrameType | None) -> bool:
    """Whether a thread that stands in `frame` waits for what somebody tells a debugger."""
    files = {getattr(sys.modules.get(name), "__file__", None) for name in _DEBUGGERS} - {None}
    while frame is not None:
        if frame.f_code.co_filename in files:
            return True
        frame = frame.f_back
    return False
