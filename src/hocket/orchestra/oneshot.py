"""One answer to one question, with two limits: a soft one that says so on the log, a hard one that gives up.

The limits begin when somebody begins to wait, not when the question was put. An
answer that is there is given even if the hard limit has just run out (the seed
looks at its clock first and throws it away). Who asks through a message declares
it with `asks(...)`, because waiting for an answer can be part of a deadlock.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from hocket.errors import Canceled, HardTimeout, Refused
from hocket.orchestra.waiters import Waiter, now, wait_among, waiter_here

__all__ = ["Answer", "Question", "oneshot"]

_log = logging.getLogger("hocket.orchestra")


class _Slot:
    """What both ends share; changed under its lock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()  # an answer that is dropped may be collected while this thread holds it
        self.full = self.closed = False
        self.value: Any = None
        self.sent_at = 0.0
        self.waiters: list[Waiter] = []

    def settle(self, value: Any, full: bool) -> None:
        with self.lock:
            if self.full:
                raise Refused(self.name, "answered", "answered already", "one answer")
            self.full, self.closed, self.value, self.sent_at = full, True, value, now()
            for waiter in self.waiters:
                waiter.wake()
            self.waiters.clear()


class Answer:
    """The end that answers: `send` once; closing or dropping it without an answer tells whoever waits."""

    def __init__(self, slot: _Slot) -> None:
        self._slot = slot

    def send(self, value: Any) -> None:
        """Give the answer; never waits. Raises Refused the second time."""
        self._slot.settle(value, True)

    def close(self) -> None:
        """Say that there will be no answer; nothing happens if there was one."""
        if not self._slot.closed:
            self._slot.settle(None, False)

    def __del__(self) -> None:
        self.close()


class Question:
    """The end that waits; `flight` is the time (seconds) from the answer to its reception."""

    def __init__(self, slot: _Slot, soft: float | None, hard: float | None) -> None:
        self._slot, self._soft, self._hard = slot, soft, hard
        self.flight: float | None = None

    async def receive(self) -> Any:
        """The answer. Raises Canceled (nobody can give it), or HardTimeout."""
        began = now()
        if self._soft is not None and (self._hard is None or self._soft < self._hard):
            if await self._come(began + self._soft):
                return self._taken()
            _log.warning("%r has not been answered for %g s", self._slot.name, self._soft)
        if not await self._come(None if self._hard is None else began + self._hard):
            assert self._hard is not None
            raise HardTimeout(self._slot.name, self._hard)
        return self._taken()

    async def _come(self, deadline: float | None) -> bool:
        slot = self._slot
        with slot.lock:
            if slot.closed:
                return True
            waiter = waiter_here()
            slot.waiters.append(waiter)
        await wait_among(waiter, slot.waiters, slot.lock, deadline)
        return slot.closed

    def _taken(self) -> Any:
        if not self._slot.full:
            raise Canceled(self._slot.name)
        self.flight = now() - self._slot.sent_at
        return self._slot.value


def oneshot(name: str, *, soft: float | None = None, hard: float | None = None) -> tuple[Answer, Question]:
    """The two ends of one answer; `soft` and `hard` are seconds from the beginning of the wait, None for never.

    >>> answer, question = oneshot("height")
    >>> answer.send(7)
    >>> from hocket.orchestra.waiters import finish
    >>> finish(question.receive())
    7
    """
    slot = _Slot(name)
    return Answer(slot), Question(slot, soft, hard)
