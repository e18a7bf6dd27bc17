"""What no explored program may do, because it ends the process or doubles it: refused on the call, by name.

A child made by `fork` has the calling actor and none of the others: its next step hands the baton to a thread that is
not there, and child and parent wait for ever. `os._exit` and `exec` take the test run with them, and nobody is told
anything. Refused by us: what only *blocks* (a subprocess, a socket, a pipe). It may well return at once, and when it
does not it is named with its stack (runner.py).
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from hocket.errors import Refused
from hocket.explore.threads.actor import current
from hocket.explore.threads.control import End
from hocket.explore.threads.naming import is_machinery

__all__ = ["REPLACED", "refuse"]

_SHOWN = 8  # innermost frames of the program, in the note
_TWICE = ("the making of a second process, in which only the calling thread goes on",
          "make the process before the exploration, or put a function of the test in its place; "
          "multiprocessing forks unless it is told to spawn")
_LAST = ("the end of this process, and of the tests in it",
         "raise SystemExit, or put a function of the test in its place")

_BY_REASON: dict[tuple[str, str], tuple[str, ...]] = {
    _TWICE: ("fork", "forkpty"),
    _LAST: ("_exit", "abort", "execv", "execve"),
}


def refuse(did: str, state: str, expected: str, cure: str, thing: str) -> None:
    """End the exploration with a `Refused` that carries the program's stack; raises what unwinds the actor."""
    error = Refused(thing, did, state, expected, cure)
    stack = [entry for entry in traceback.extract_stack(sys._getframe(1)) if not is_machinery(entry.filename)]
    error.add_note("asked for at\n" + "".join(traceback.format_list(stack[-_SHOWN:])))
    actor = current()
    if actor is None:
        raise error
    actor.control.stop(actor, End.RAISED, error)


def _refusing(real: Callable[..., Any], what: str, cure: str) -> Callable[..., Any]:
    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return real(*args, **kwargs)
        refuse("called in an explored program", what, "an explored program without it", cure,
               f"os.{real.__name__}")

    return call


REPLACED: list[tuple[Any, Any]] = [
    (real, _refusing(real, what, cure))
    for (what, cure), names in _BY_REASON.items()
    for real in (getattr(os, name, None) for name in names) if real is not None
]
"""The real function, and what stands in for it while an exploration goes on."""
