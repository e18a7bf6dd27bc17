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
    from hocket.orchestra import Orchestra as Orchestra
    from hocket.orchestra import subsystem as subsystem
    from hocket.plan import DirectOut as DirectOut
    from hocket.plan import StepResult as StepResult
    from hocket.plan import TaskResult as TaskResult
    from hocket.plan import bind as bind
    from hocket.plan import borrow_prev as borrow_prev
    from hocket.plan import borrow_prev_mut as borrow_prev_mut
    from hocket.plan import compile_plan as compile_plan
    from hocket.plan import consume_prev as consume_prev
    from hocket.plan import context as context
    from hocket.plan import copy_prev as copy_prev
    from hocket.plan import from_ctx as from_ctx
    from hocket.plan import task_tree as task_tree
    from hocket.plan import value as value
    from hocket.runtime import Scheduler as Scheduler
    from hocket.runtime.aio import AsyncScheduler as AsyncScheduler
    from hocket.runtime.aio import run_async as run_async
    from hocket.runtime.plans import run_plan as run_plan
    from hocket.runtime.plans import run_plan_async as run_plan_async
    from hocket.runtime.plans_picture import draw_plan as draw_plan
    from hocket.runtime.progress import Progress as Progress
    from hocket.runtime.recording import Recording as Recording
    from hocket.runtime.run import run as run
    from hocket.runtime.watching import Monitor as Monitor
    from hocket.spec import Spec as Spec
    from hocket.verify import audit as audit
    from hocket.verify import check as check
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
    "check": "hocket.verify",
    # run
    "Scheduler": "hocket.runtime",
    "AsyncScheduler": "hocket.runtime.aio",
    "run": "hocket.runtime",
    "run_async": "hocket.runtime.aio",
    "Monitor": "hocket.runtime.watching",
    "Recording": "hocket.runtime.recording",
    "Progress": "hocket.runtime.progress",
    "seq": "hocket.graph",
    "fork": "hocket.graph",
    "task": "hocket.graph",
    "empty": "hocket.graph",
    # plans
    "task_tree": "hocket.plan",
    "compile_plan": "hocket.plan",
    "run_plan": "hocket.runtime.plans",
    "run_plan_async": "hocket.runtime.plans",
    "draw_plan": "hocket.runtime.plans_picture",
    "bind": "hocket.plan",
    "from_ctx": "hocket.plan",
    "value": "hocket.plan",
    "borrow_prev": "hocket.plan",
    "borrow_prev_mut": "hocket.plan",
    "copy_prev": "hocket.plan",
    "consume_prev": "hocket.plan",
    "DirectOut": "hocket.plan",
    "context": "hocket.plan",
    "StepResult": "hocket.plan",
    "TaskResult": "hocket.plan",
    # subsystems
    "Orchestra": "hocket.orchestra",
    "subsystem": "hocket.orchestra",
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
