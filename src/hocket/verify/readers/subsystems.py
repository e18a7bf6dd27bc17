"""A declared orchestra: subsystems that send each other messages, and the cycles in which they can wait for each other.

The declaration knows its traffic and can check it (`traffic()` and `check()`); here
its report becomes findings. It is known by those two methods and not by its class:
the verifier and the orchestra stand on one floor, and neither imports the other.
"""

from __future__ import annotations

import inspect
from typing import Any

from hocket.graph.traffic import Traffic
from hocket.verify.findings import Finding
from hocket.verify.model import NOWHERE, Graph, Span, Task
from hocket.verify.readers import Reading

__all__ = ["Subsystems"]

_CODES = {"confirmed": "G024", "unknown": "G090"}  # a cycle that is refuted is no finding


class Subsystems:
    """The reader of orchestras."""

    def sniff(self, source: object) -> bool:
        return callable(getattr(source, "traffic", None)) and callable(getattr(source, "check", None))

    def read(self, source: Any) -> Reading:
        traffic: Traffic = source.traffic()
        report = source.check()
        place = _place(source)
        findings = [_finding(cycle, place) for cycle in report.cycles if cycle.answer.status in _CODES]
        if not report.complete:
            findings.append(Finding("G090", "there are more cycles of waiting than were looked at", place))
        tasks = {name: Task(name, place) for name in traffic.nodes}
        return Reading(Graph(place.path, "subsystems", tasks), tuple(findings))


def _finding(cycle: Any, place: Span) -> Finding:
    code, names = _CODES[cycle.answer.status], tuple(wait.who for wait in cycle.waits)
    said = "; ".join(f"{wait.who} waits for {wait.whom}: {wait.why}" for wait in cycle.waits)
    run = ", ".join(map(str, cycle.answer.run))
    if code == "G090":
        message = f"whether this cycle of waiting can close was not decided: {said}"
    else:
        message = f"{said}. It closes like this, with room for one item in each queue: {run}"
    return Finding(code, message, place, witness=names, cure="; or ".join(cycle.cures), about=names)


def _place(source: Any) -> Span:
    """Where the class is written, as far as that can be found."""
    cls = source if isinstance(source, type) else type(source)
    try:
        path, line = inspect.getsourcefile(cls) or "", inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return NOWHERE
    return Span(path, line, 1)
