"""Items that are taken one at a time, by whoever has time for the next.

An iterator that is written in Python may be in use by one thread at a time, and a
generator says so with an error; so a lock goes around each draw. What it raises is
raised once, to whoever drew, and it counts as empty from then on: no item is asked
of an iterator that has broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hocket.runtime.primitives import Lock

__all__ = ["Lazily"]


class Lazily:
    """An iterator that several threads may draw from, each item once."""

    def __init__(self, items: Iterable[Any], lock: Lock) -> None:
        self._items: Iterator[Any] = iter(items)
        self._lock = lock
        self._over = False  # it has ended, or raised

    def __iter__(self) -> Lazily:
        return self

    def __next__(self) -> Any:
        with self._lock:
            if self._over:
                raise StopIteration
            try:
                return next(self._items)
            except BaseException:
                self._over = True
                raise

    def stop(self) -> None:
        """It counts as empty. Without the lock, for somebody may hold it who waits for an item."""
        self._over = True

    def __length_hint__(self) -> int:
        """How many there may still be: more than one, as long as nobody has met the end."""
        return 0 if self._over else 2
