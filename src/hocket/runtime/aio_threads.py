"""Threads for the sync bodies of an event loop: made when they are needed, a bounded number, ended together.

Refused: `concurrent.futures.ThreadPoolExecutor`, whose future for each call nobody
needs here (the end of a body is told to the loop by the body's own call), and which
joins its threads in the order of a set, so that no exploration could repeat it.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

__all__ = ["Threads"]


class Threads:
    """At most `most` threads. Only the loop's thread calls these; `free` says how many more calls can begin at once."""

    def __init__(self, most: int) -> None:
        self.free = self._most = most
        self._threads: list[Thread] = []
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def send(self, call: Callable[[], None]) -> None:
        """Have it called in a thread; whoever hears that it is over says `came_back`."""
        self.free -= 1
        if len(self._threads) < min(self._most, self._most - self.free):
            # a daemon, like the workers of `Scheduler`: a program that forgets to close one can still end
            thread = Thread(target=self._serve, name=f"hocket_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._calls.put(call)

    def came_back(self) -> None:
        self.free += 1

    def end(self) -> None:
        """End the threads, all of which are idle; returns when they have ended."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
