"""Hocket: explore every interleaving, verify task graphs, run a scheduler that was proved.

This is the front door. Its names are loaded when they are first asked for, so
that a program that only schedules never imports the explorer, and nobody pays
for z3 or asyncio by saying `import hocket`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# where each public name lives: one row a name, read by __getattr__, by __dir__ and by the documentation
_DOORS: dict[str, str] = {
    # explore
    "explore": "hocket.explore",
    "replay": "hocket.explore",
    "Atomic": "hocket.explore",
    "choose": "hocket.explore",
    "sometimes": "hocket.explore",
    # verify
    "verify": "hocket.verify",
    "audit": "hocket.verify",
    # run
    "Scheduler": "hocket.runtime",
    "run": "hocket.runtime",
    "seq": "hocket.graph",
    "fork": "hocket.graph",
    "task": "hocket.graph",
    "empty": "hocket.graph",
    # models
    "Spec": "hocket.spec",
}

__all__ = ["__version__", *sorted(_DOORS)]


def __getattr__(name: str) -> Any:
    home = _DOORS.get(name)
    if home is None:
        raise AttributeError(f"module 'hocket' has no attribute {name!r}; its names are {', '.join(sorted(_DOORS))}")
    module = import_module(home)
    # `hocket.explore` and `hocket.verify` are packages that can be called: Python binds a package's name on its
    # parent whenever a part of it is imported, so the door and the room behind it must be one object
    value = module if home == f"hocket.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
