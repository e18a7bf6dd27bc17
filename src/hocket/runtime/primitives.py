"""The seam: all that a threaded runtime takes from the operating system.

A runtime is written against this protocol and nothing else that blocks. In
production it is given `threading`'s own; the explorer gives it stand-ins of the
same shape, and so explores the code that ships. Refused: patching the runtime for
tests, because then another code would have been explored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

__all__ = ["THREADING", "Condition", "Lock", "Primitives", "Thread"]


class Lock(Protocol):
    """A mutual exclusion lock, not re-entrant."""

    def acquire(self) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Condition(Protocol):
    """A place to wait, under a lock that the caller holds; waking up may be spurious."""

    def wait(self, timeout: float | None = None) -> bool: ...
    def notify(self, n: int = 1) -> None: ...
    def notify_all(self) -> None: ...


class Thread(Protocol):
    """A thread that has not begun until it is started."""

    name: str

    def start(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...


class Primitives(Protocol):
    """Where locks, conditions and threads come from."""

    def lock(self) -> Lock: ...
    def condition(self, lock: Lock) -> Condition: ...
    def thread(self, target: Callable[[], None], name: str) -> Thread: ...
    def get_ident(self) -> int: ...
    def longest_sleep(self) -> float | None:
        """How many seconds this thread may wait at most before it looks up; None: until it is notified."""


_LOOKS_UP = 0.2


class _Threading:
    """The standard library's. Workers are daemons: a program that forgets to close a scheduler can still end."""

    def lock(self) -> Lock:
        return threading.Lock()

    def condition(self, lock: Lock) -> Condition:
        return threading.Condition(lock)  # type: ignore[arg-type]  # any lock of this shape will do

    def thread(self, target: Callable[[], None], name: str) -> Thread:
        return threading.Thread(target=target, name=name, daemon=True)

    def get_ident(self) -> int:
        return threading.get_ident()

    def longest_sleep(self) -> float | None:
        """CPython overlooks a Ctrl-C that comes just before the main thread blocks, until the thread wakes up.

        Where somebody else has put locks into `threading`, as an exploration does, nobody blocks so.
        """
        blocks = threading.Lock.__module__ == "_thread"
        return _LOOKS_UP if blocks and threading.get_ident() == threading.main_thread().ident else None


THREADING: Primitives = _Threading()
