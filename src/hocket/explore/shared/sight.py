"""From 3.12 on: the interpreter tells of each place where a function starts or calls, until it is told "enough".

`sys.setprofile` calls back for everything, and since 3.12 switching it on and off
makes the interpreter rewrite all code it then runs, which costs more than a step
of an exploration. `sys.monitoring` is never switched: places in the machinery
say "enough" when they are met first, and cost nothing from then on. On 3.11 there
is no `sys.monitoring`, and if all tool numbers are taken (a debugger, a profiler
and coverage at once) it is not used either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ENOUGH", "Sight", "sight"]

_monitoring: Any = getattr(sys, "monitoring", None)
ENOUGH: Any = _monitoring.DISABLE if _monitoring is not None else None
"""The answer of a callback that need not hear of this place again."""

Sight = int
"""The number under which the interpreter knows us."""

_NUMBERS = (4, 3)  # those that PEP 669 gives to nobody


@contextmanager
def sight(starts: Callable[..., Any], calls: Callable[..., Any]) -> Iterator[Sight | None]:
    """`starts(code, offset)` and `calls(code, offset, function, first)` are called back; None if that is impossible."""
    numbers = _NUMBERS if _monitoring is not None else ()
    number = next((number for number in numbers if _monitoring.get_tool(number) is None), None)
    if number is None:
        yield None
        return
    events = _monitoring.events
    _monitoring.use_tool_id(number, "hocket")
    try:
        _monitoring.register_callback(number, events.PY_START, starts)
        _monitoring.register_callback(number, events.CALL, calls)
        _monitoring.restart_events()  # places that had said enough to an earlier exploration
        _monitoring.set_events(number, events.PY_START | events.CALL)
        yield number
    finally:
        _monitoring.set_events(number, 0)
        _monitoring.register_callback(number, events.PY_START, None)
        _monitoring.register_callback(number, events.CALL, None)
        _monitoring.free_tool_id(number)
