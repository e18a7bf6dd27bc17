"""What `datetime` says is the time: in tracked code an actor's own virtual time, as `time.time()` is everywhere.

The methods are of C and of types that cannot be changed, so it is their calls that are answered. Refused: a class in
their place (`isinstance` would know), and leaving them the real time, which is another one in every execution.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from hocket.explore.threads.patch import virtual_time

__all__ = ["CLOCKS"]


def _now(probes: object, tz: tzinfo | None = None) -> datetime:
    return datetime.fromtimestamp(virtual_time(), tz)


def _utcnow(probes: object) -> datetime:
    return datetime.fromtimestamp(virtual_time(), UTC).replace(tzinfo=None)


def _today(probes: object) -> date:
    return date.fromtimestamp(virtual_time())


CLOCKS: dict[Any, Callable[..., Any]] = {
    datetime.now: _now, datetime.utcnow: _utcnow, datetime.today: _now, date.today: _today,
}
