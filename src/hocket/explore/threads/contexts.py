"""In which context a started thread runs: from 3.14 on one can be given to it, or it may inherit that of its starter.

`threading` decides it in `start`, which does not run as written here, so it is decided again in the same words. A
Context can be entered by one thread at a time: two threads that were given the same one race for it, in C, where no
step can be seen. That is refused.
"""

from __future__ import annotations

import sys
from contextvars import Context, copy_context
from threading import Thread
from typing import Any

from hocket.explore.threads.actor import Actor
from hocket.explore.threads.refused import refuse

__all__ = ["give_context", "run_in_context"]

_KEPT = "_context"


def give_context(thread: Thread, starter: Actor) -> None:
    """Settle the context of a thread that `starter` is starting; before 3.14 it begins with an empty one."""
    books = vars(thread)
    given = books.get(_KEPT)
    if given is None and _KEPT in books:
        books[_KEPT] = copy_context() if getattr(sys.flags, "thread_inherit_context", 0) else Context()
    elif given is not None and any(_context(actor.thread) is given for actor in starter.control.actors.values()):
        refuse("given to two threads", "a context, which one thread at a time can enter", "one for each of them",
               "copy it: Thread(..., context=context.copy())", "Context")


def run_in_context(thread: Thread) -> None:
    context = _context(thread)
    if context is None:
        thread.run()
    else:
        context.run(thread.run)


def _context(thread: Thread | None) -> Any:
    return None if thread is None else vars(thread).get(_KEPT)
