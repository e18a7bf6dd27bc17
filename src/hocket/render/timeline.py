"""A history as a timeline: one row a thread, one bar a call, from where it began to where it returned.

    t1  |put(1) → None|
    t2                 |get() → raises Empty|

Bars that overlap in the picture overlapped in time; there is no scale otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Bar", "timeline"]


class Bar(NamedTuple):
    """A call of row `row`: `begin` and `end` are places in the order of all begins and ends; end -1: it never ended."""

    row: int
    text: str
    begin: int
    end: int = -1


def timeline(rows: Sequence[str], bars: Sequence[Bar]) -> str:
    """The picture; no line is broken, because what stands above what is its meaning."""
    last = max([max(bar.begin, bar.end) for bar in bars], default=-1)
    columns: list[int] = []
    for place in range(last + 1):
        column = columns[-1] + 1 if columns else 0
        for bar in bars:
            if bar.end == place:
                column = max(column, columns[bar.begin] + len(bar.text) + 1)
        columns.append(column)
    wide = max((len(name) for name in rows), default=0)
    return "\n".join(f"{name:<{wide}}  {_row(number, bars, columns)}".rstrip() for number, name in enumerate(rows))


def _row(number: int, bars: Sequence[Bar], columns: Sequence[int]) -> str:
    line = ""
    for bar in sorted(bar for bar in bars if bar.row == number):
        line = f"{line:<{columns[bar.begin]}}|{bar.text}"
        if bar.end >= 0:
            line = f"{line:─<{columns[bar.end]}}|"
        else:
            line += " …"
    return line
