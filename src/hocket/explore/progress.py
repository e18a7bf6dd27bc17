"""How far a search has come: numbers for whoever listens, and a line for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple, TextIO

__all__ = ["Line", "Progress"]


class Progress(NamedTuple):
    """Executions and classes so far, and seconds since the start."""

    executions: int
    classes: int
    seconds: float

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0.0
        return f"{self.executions:,} executions, {self.classes:,} classes, {rate:,.0f}/s, {self.seconds:.0f} s"

    @staticmethod
    def listener(wanted: bool | Callable[[Progress], None]) -> Callable[[Progress], None] | None:
        """What to call now and then: nothing, what was given, or a line on standard error if that is a terminal."""
        if callable(wanted):
            return wanted
        return Line(sys.stderr) if wanted and sys.stderr.isatty() else None


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
