"""What no explored program may do: end the process, double it, ask a person, run code in a second interpreter or in a
signal handler. Refused on the call, by name.

A child made by `fork` has the calling actor and none of the others: its next step hands the baton to a thread that is
not there, and child and parent wait for ever. `os._exit` and `exec` take the test run with them, and nobody is told
anything. Who waits in `input` for a person keeps the lock of stdin, and the process cannot end. In another interpreter
nothing is replaced: what runs there takes real locks and asks nobody. A signal handler runs between any two steps of
the main thread, and an explored main is none: `signal.signal` would fail there as it does not in the program. In the
other threads it fails as ever, and asyncio, which asks for one, goes on without. Refused by us: what only *blocks* (a
subprocess, a socket, a pipe). It may well return at once, and when it does not it is named with its stack (runner.py).
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from hocket.errors import Refused
from hocket.explore.threads.actor import current
from hocket.explore.threads.control import End
from hocket.explore.threads.looking import is_debugging
from hocket.explore.threads.naming import is_machinery

__all__ = ["REPLACED", "refuse"]


def _if_there(name: str) -> ModuleType | None:
    """A module of CPython's own that came under this name, or went."""
    return import_module(name) if find_spec(name) is not None else None


_SHOWN = 8  # innermost frames of the program, in the note
_TWICE = ("the making of a second process, in which only the calling thread goes on",
          "make the process before the exploration, or put a function of the test in its place; "
          "multiprocessing forks unless it is told to spawn")
_LAST = ("the end of this process, and of the tests in it",
         "raise SystemExit, or put a function of the test in its place")

_PERSON = ("the waiting for a person", "put io.StringIO with its answers in place of sys.stdin")
_ELSEWHERE = ("the running of code in an interpreter of its own, whose steps nobody here can order",
              "explore it with a ThreadPoolExecutor or with threads")
_HANDLER = ("the setting of a handler, which would run between any two steps of the main thread",
            "call the handler from a thread of the test, which may come at any time as well")

_ROWS: list[tuple[ModuleType, tuple[str, str], tuple[str, ...]]] = [
    (os, _TWICE, ("fork", "forkpty")),
    (os, _LAST, ("_exit", "abort", "execv", "execve")),
    (builtins, _PERSON, ("input",)),
    (signal, _HANDLER, ("signal",)),
    *((module, _ELSEWHERE, ("create", "exec", "call", "run_string", "run_func"))
      for module in map(_if_there, ("_interpreters", "_xxsubinterpreters")) if module is not None),
]


def refuse(did: str, state: str, expected: str, cure: str, thing: str) -> None:
    """End the exploration with a `Refused` that carries the program's stack; raises what unwinds the actor."""
    error = Refused(thing, did, state, expected, cure)
    stack = [entry for entry in traceback.extract_stack(sys._getframe(1)) if not is_machinery(entry.filename)]
    error.add_note("asked for at\n" + "".join(traceback.format_list(stack[-_SHOWN:])))
    actor = current()
    if actor is None:
        raise error
    actor.control.stop(actor, End.RAISED, error)


def _is_harmless(real: Callable[..., Any]) -> bool:
    """Whether it is called by somebody else, or where it fails anyway, or reads what a test or debugger has to say."""
    actor = current()
    if actor is None:
        return True
    if real.__name__ == "signal":
        return bool(actor.number) or sys._getframe(2).f_globals.get("__name__") == "asyncio.runners"
    return real.__name__ == "input" and (sys.stdin is not sys.__stdin__ or is_debugging(sys._getframe(1)))


def _refusing(module: ModuleType, real: Callable[..., Any], what: str, cure: str) -> Callable[..., Any]:
    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if _is_harmless(real):
            return real(*args, **kwargs)
        refuse("called in an explored program", what, "an explored program without it", cure,
               f"{module.__name__}.{real.__name__}")

    return call


REPLACED: list[tuple[Any, Any]] = [
    (getattr(module, name), _refusing(module, getattr(module, name), what, cure))
    for module, (what, cure), names in _ROWS for name in names if hasattr(module, name)
]
"""The real function, and what stands in for it while an exploration goes on."""
