"""How far a search has come: numbers for whoever listens, and a line for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple, TextIO

from hocket.explore.scale.estimate import Estimated

__all__ = ["Line", "Progress"]


class Progress(NamedTuple):
    """Executions and classes so far, seconds since the start, and how many executions there will have been.

    `estimate` is None as long as there is none worth the name; `estimating` says whether there will be one at all.
    """

    executions: int
    classes: int
    seconds: float
    estimate: Estimated | None = None
    estimating: bool = False

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0.0
        told = f"{self.executions:,} executions, {self.classes:,} classes, {rate:,.0f}/s, {self.seconds:.0f} s"
        if self.estimate is None or not rate:
            return told + (", no estimate yet" if self.estimating else "")
        to_go = max(0.0, self.estimate.total - self.executions) / rate
        return f"{told}, {self.estimate} in all, {_duration(to_go)} to go"

    @staticmethod
    def listener(wanted: bool | Callable[[Progress], None]) -> Callable[[Progress], None] | None:
        """What to call now and then: nothing, what was given, or a line on standard error if that is a terminal."""
        if callable(wanted):
            return wanted
        return Line(sys.stderr) if wanted and sys.stderr.isatty() else None


def _duration(seconds: float) -> str:
    """`8 s`, `12 min`, `3 h`: no more than an estimate can mean."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


class Line:
    """One line of a terminal, written over again."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, progress: Progress) -> None:
        if progress.seconds >= 1:
            self._stream.write(f"\r\x1b[2K{progress}")
            self._stream.flush()

    def clear(self) -> None:
        """Leave the line empty for whatever comes next."""
        self._stream.write("\r\x1b[2K")
        self._stream.flush()
