"""Hocket: explore every interleaving, verify task graphs, run a scheduler that was proved.

This is the front door. Its names are loaded when they are first asked for, so
that a program that only schedules never imports the explorer, and nobody pays
for z3 or asyncio by saying `import hocket`.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it as true; `typing` itself would be most of the cost of importing hocket
if TYPE_CHECKING:
    from typing import Any

    from hocket.explore import Atomic as Atomic
    from hocket.explore import Waits as Waits
    from hocket.explore import choose as choose
    from hocket.explore import linearizable as linearizable
    from hocket.explore import replay as replay
    from hocket.explore import sometimes as sometimes
    from hocket.explore.front import explore as explore
    from hocket.graph import empty as empty
    from hocket.graph import fork as fork
    from hocket.graph import seq as seq
    from hocket.graph import task as task
    from hocket.runtime import Scheduler as Scheduler
    from hocket.runtime import run as run
    from hocket.runtime.aio import AsyncScheduler as AsyncScheduler
    from hocket.runtime.aio import run_async as run_async
    from hocket.runtime.watching import Monitor as Monitor
    from hocket.spec import Spec as Spec
    from hocket.verify import audit as audit
    from hocket.verify import verify as verify

__version__ = "0.1.0"

# where each public name lives: one row a name, read by __getattr__, by __dir__ and by the documentation
_DOORS: dict[str, str] = {
    # explore
    "explore": "hocket.explore",
    "replay": "hocket.explore",
    "Atomic": "hocket.explore",
    "choose": "hocket.explore",
    "sometimes": "hocket.explore",
    "linearizable": "hocket.explore",
    "Waits": "hocket.explore",
    # verify
    "verify": "hocket.verify",
    "audit": "hocket.verify",
    # run
    "Scheduler": "hocket.runtime",
    "AsyncScheduler": "hocket.runtime.aio",
    "run": "hocket.runtime",
    "run_async": "hocket.runtime.aio",
    "Monitor": "hocket.runtime.watching",
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
