"""Runtimes: thin drivers of one kernel. They bring threads, time and other code; the rules are the kernel's."""

from hocket.kernel import Outcome, Policy
from hocket.runtime.handle import Context, Handle
from hocket.runtime.inline import run_inline
from hocket.runtime.primitives import THREADING, Primitives
from hocket.runtime.run import RUNTIMES, Run, run
from hocket.runtime.task import Task
from hocket.runtime.threads import Scheduler

__all__ = [
    "RUNTIMES",
    "THREADING",
    "Context",
    "Handle",
    "Outcome",
    "Policy",
    "Primitives",
    "Run",
    "Scheduler",
    "Task",
    "run",
    "run_inline",
]
