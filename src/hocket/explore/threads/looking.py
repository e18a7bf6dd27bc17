"""Tracing in explored threads: who traces looks on, and what a tracer does is no step of the actor that it looks at.

A tracer (`threading.settrace`: coverage, a debugger, a test's own) is called by the interpreter in the actor's thread,
at every line. If its locks and lists were taken for the program's, measuring a program would change its interleavings
and its verdict. So while it runs, the thread is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.explore.threads.actor import ACTORS
from hocket.explore.threads.pool import _get_ident

__all__ = ["looking_on"]

Tracer = Callable[[Any, Any, Any], Any]


def looking_on(trace: Tracer) -> Tracer:
    """`trace`, and whatever it returns to trace a frame with, as somebody who is no actor."""
    def look(frame: Any, event: str, argument: Any) -> Any:
        ident = _get_ident()
        actor = ACTORS.pop(ident, None)
        try:
            local = trace(frame, event, argument)
        finally:
            if actor is not None:
                ACTORS[ident] = actor
        return look if local is trace else looking_on(local) if callable(local) else local

    return look
