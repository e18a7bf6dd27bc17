"""Work that is counted: a bound on it cannot fail because a machine is slow, or busy with others.

Instructions of Python are the unit. What a built-in function does within one is not seen, so a test that says "no more
than before" is about loops that are written down. Refused: seconds, which belong to `benchmarks/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["instructions"]


def instructions(call: Callable[..., object], *args: object) -> int:
    """How many instructions a call performs in this thread."""
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        call(*args)
    finally:
        sys.settrace(before)
    return count
