"""Threads that are no actors: a callback in a thread of C, or a thread that was made behind the explorer's back.

Who is no actor has nobody to announce anything to, and does everything itself. That is as it should be for whoever
looks on (a tracer, a debugger) and for what runs between executions; but what such a thread does to data that actors
share was tried in no other order. So the dict of actors is asked in two ways: by `get`, where it makes no difference,
and by `[...]`, where something shared is about to be touched: then `stranger` hears of it. A dict that is asked by
`[...]` costs no more than one that is asked by `get`, so nobody pays for the question until the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["ByThread"]

A = TypeVar("A")


class ByThread(dict[int, A]):
    """Who runs in which OS thread, by `get_ident()`."""

    def __init__(self) -> None:
        super().__init__()
        self.stranger: Callable[[], None] | None = None  # as long as an exploration tracks data
        self.lookers: set[int] = set()  # threads of actors that somebody has borrowed to look on

    def __missing__(self, ident: int) -> None:
        if self.stranger is not None and ident not in self.lookers:
            self.stranger()
