"""Whoever holds the event loop is named, with the line at which he does.

A coroutine that computes or blocks keeps every other subsystem from running, and
from inside the loop nobody can say so. A thread of its own asks the loop for a
sign of life, and if none comes in time, says which task is in the way and shows
its stack. Refused: asyncio's debug mode, which tells only afterwards, and slows
down everything.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["watching"]

_log = logging.getLogger("hocket.orchestra")


@contextmanager
def watching(seconds: float | None, look: Callable[[], None]) -> Iterator[None]:
    """While it is open, the running loop is watched, and calls `look` as often; None watches nothing."""
    loop = asyncio._get_running_loop()
    if seconds is None or loop is None:
        yield
        return
    over, alive = threading.Event(), threading.Event()
    given = (loop, threading.get_ident(), seconds, over, alive, look)
    watcher = threading.Thread(target=_watch, args=given, name="hocket watchdog", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        alive.set()  # nobody waits for a sign of life any more


def _watch(
    loop: asyncio.AbstractEventLoop,
    thread: int,
    seconds: float,
    over: threading.Event,
    alive: threading.Event,
    look: Callable[[], None],
) -> None:
    while True:
        alive.clear()
        if over.is_set():  # looked at after the clearing, because the end sets both
            return
        try:
            loop.call_soon_threadsafe(_look, look, alive)
        except RuntimeError:  # the loop was closed
            return
        if not alive.wait(seconds) and not over.is_set():
            _log.warning(_report(loop, thread, seconds))
            while not alive.wait(seconds) and not over.is_set():  # said once for each time that it is held
                pass
        over.wait(seconds)


def _look(look: Callable[[], None], alive: threading.Event) -> None:
    alive.set()
    look()


def _report(loop: asyncio.AbstractEventLoop, thread: int, seconds: float) -> str:
    task = asyncio.current_task(loop)
    name = repr(task.get_name()) if task is not None else "a callback"
    frame = sys._current_frames().get(thread)
    stack = "".join(traceback.format_stack(frame)) if frame is not None else "  (its thread has ended)\n"
    return (
        f"{name} has held the event loop for more than {seconds:g} s, and nobody else runs; declare the subsystem "
        f"blocking=True, or use ctx.spawn_blocking. It is here:\n{stack}"
    )
