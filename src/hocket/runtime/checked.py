"""A graph is verified before any of it runs, if whoever runs it wants that.

The verifier stands on the same floor as the runtime and is not imported here: it is
asked for at the front door, where everything is loaded when it is first used; so a
program that does not want it pays nothing. Any other function that takes a graph and
gives something with `.verdict` will do as well.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from hocket.errors import Unverified
from hocket.graph import Graph

__all__ = ["Verify", "refuse_unverified"]

Verify = bool | Callable[..., Any]  # True: hocket.verify; or a function of (graph, workers=…)


def refuse_unverified(graph: Graph, verify: Verify, workers: int | None) -> None:
    """Raise Unverified, with the report, if the graph is violated or something of it is not decided."""
    if verify is False:
        return
    if verify is True:
        verify = cast(Callable[..., Any], import_module("hocket").verify)
    report = verify(graph, workers=workers or None)
    if report.verdict != "holds":
        raise Unverified(str(report), report)
