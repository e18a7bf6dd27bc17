"""One long exploration on several processes: what `workers=N` of a marked test means.

A search is shared out once it has lasted a second: before that, other processes would take
longer to begin than to be of use. Under pytest-xdist it has the seats of workers that have
finished (seats.py), more of them as more of them finish. What is found does not depend on
how many there were, nor on when they came: the counts are those of one process, and of all
failures the simplest is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hocket.explore.options import may_be_shared_out
from hocket.explore.scale.parallel import Workers
from hocket.pytest_plugin.seats import Seats

__all__ = ["shared_out"]

_ALONE = 1.0  # seconds before a search is shared out


class _Seated(Workers):
    """As many processes as there are seats: one's own, and those of workers that have finished."""

    def __init__(self, most: int, seats: Seats) -> None:
        super().__init__(most, _ALONE)
        self._seats = seats

    @property
    def count(self) -> int:
        return 1 + self._seats.take_others(self.most - 1)


@contextmanager
def shared_out(options: Mapping[str, Any], seats: Seats | None) -> Iterator[dict[str, Any]]:
    """The options for `explore` of a test that has these, `workers` among them."""
    asked = {name: value for name, value in options.items() if name != "workers"}
    most = _wanted(options, seats)
    if most == 1:
        yield asked
        return
    workers = Workers(most, _ALONE) if seats is None else _Seated(most, seats)
    try:
        yield {**asked, "executor": workers}
    finally:
        workers.shutdown(wait=False, cancel_futures=True)
        if seats is not None:
            seats.leave_others()


def _wanted(options: Mapping[str, Any], seats: Seats | None) -> int:
    """How many processes may work for a test; 1 where a search can only be made alone."""
    wanted = options.get("workers") or 1
    if not may_be_shared_out(options):
        return 1
    most: int = seats.count if seats is not None else os.cpu_count() or 1
    return most if wanted == "auto" else wanted if seats is None else min(wanted, most)
