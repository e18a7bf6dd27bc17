"""What is left to say when something has ended that an actor ran: of a thread that it has, of a finaliser whose it was.

`threading` keeps books on the threads of the operating system, and actors are none: unless a thread that an actor ran
is entered as ended, its repr lies and the joins at the end of the process mind it. How the books are kept has changed
from version to version. So a handle is known by its class and not by the attribute that holds it, and a version
without such a class is one that keeps two plain attributes (3.12 and before).
"""

from __future__ import annotations

import _thread
from threading import Thread
from typing import Any

__all__ = ["mark_stopped", "owner_of"]

_HANDLE: type | None = getattr(_thread, "_ThreadHandle", None)


class _EndedHandle:
    """What a thread asks whether it has ended; real handles know of OS threads that they started only."""

    ident = 0

    def is_done(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:
        return None


_ENDED = _EndedHandle()


def mark_stopped(thread: Thread) -> None:
    """So that its repr, after the exploration, tells the truth, and nobody waits for it."""
    books = vars(thread)
    if _HANDLE is None:
        books.update(_is_stopped=True, _tstate_lock=None)
    else:
        books.update({name: _ENDED for name, value in books.items() if type(value) is _HANDLE})


def owner_of(unraisable: Any) -> str:
    """The qualified name of the finaliser that raised. Since 3.14 no object is given for one of Python's own classes:
    the traceback begins in it."""
    if unraisable.object is None and unraisable.exc_traceback is not None:
        return str(unraisable.exc_traceback.tb_frame.f_code.co_qualname)
    return str(getattr(unraisable.object, "__qualname__", type(unraisable.object).__name__))
