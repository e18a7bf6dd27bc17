"""Ctrl-C while an exploration runs: it is asked to end at once, and the KeyboardInterrupt comes when all is in order.

An interrupt is an exception at any line of the main thread. At most lines of ours one would leave
patches half taken back, or actors running that nobody waits for, so the first is only noted. The second is let
through where it comes: somebody who asks twice does not want to wait. Refused: catching KeyboardInterrupt wherever
it may come, because between any two such places there is a line at which it is not caught.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["held_back"]


@contextmanager
def held_back(tell: Callable[[], None]) -> Iterator[None]:
    """Within the block the first Ctrl-C calls `tell`; after it, whatever handles one otherwise is called."""
    usual = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if not callable(usual):  # another thread gets it; or it is ignored; or nothing in Python handles it
        yield
        return
    came: list[Any] = []

    def note(number: int, frame: Any) -> None:
        if came:
            usual(number, frame)
        came.append(frame)
        tell()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if came:
            usual(signal.SIGINT, came.pop())
