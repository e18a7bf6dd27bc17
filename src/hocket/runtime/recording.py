"""What happened in a run, kept to be drawn: a trace for Perfetto, a picture of the graph with outcomes.

A watch, as `hocket.Monitor` is one: the kernel tells it every moment when it happens,
and it hears the edges because it stands in front of `hold`. It keeps every task of the
run, so it is for runs that somebody wants to look at, not for services.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from hocket.graph import Graph
from hocket.graph import Task as GraphTask
from hocket.kernel import Edge, Kernel, Node
from hocket.kernel.kernel import Watch
from hocket.kernel.lifecycle import Moment
from hocket.render.chrome import Slice, chrome_trace
from hocket.render.pictures import mermaid_of, svg_of

__all__ = ["Recording"]


class _Life:
    """Where and when a task ran: nanoseconds, and -1 for what has not happened."""

    __slots__ = ("begin", "close", "end", "in_loop", "lane", "number")

    def __init__(self, number: int) -> None:
        self.number, self.lane, self.in_loop = number, "", False
        self.begin = self.end = self.close = -1


class Recording:
    """Give it as `watch=` to a scheduler or to `run`, and ask it afterwards.

    `clock` gives nanoseconds; `then` is another watch that is told as well.

    >>> import hocket
    >>> recording = hocket.Recording()
    >>> _ = hocket.run(hocket.seq(hocket.task(int, "load"), hocket.task(str, "save")), watch=recording)
    >>> print(recording.mermaid())
    flowchart LR
        t0["✓ load"]:::finished
        t1["✓ save"]:::finished
        t0 --> t1
        classDef finished fill:#dff2e3,stroke:#2f7d4a,color:#1b1f22
    <BLANKLINE>

    A task of many bodies is one slice, from its first to its last, on the lane of whoever began it. Tasks that are
    open while it is asked have no outcome.
    """

    def __init__(self, clock: Callable[[], int] = perf_counter_ns, then: Watch | None = None) -> None:
        self._clock, self._then = clock, then
        self._lives: dict[Node, _Life] = {}
        self._edges: list[tuple[Edge, Node, Node]] = []
        self._start = clock()

    def attach(self, kernel: Kernel) -> None:
        """The kernel introduces itself; from now on its edges are heard."""
        hold = kernel.hold

        def heard(edge: Edge, source: Node, target: Node) -> None:
            hold(edge, source, target)
            for node in (source, target):
                self._life(node)
            self._edges.append((edge, source, target))

        kernel.hold = heard  # type: ignore[method-assign]  # it stands in front of it
        attach = getattr(self._then, "attach", None)
        if attach is not None:
            attach(kernel)

    def __call__(self, moment: Moment, node: Node) -> None:
        life, now = self._life(node), self._clock() - self._start
        if moment is Moment.OPEN:
            life.begin, life.lane = now, threading.current_thread().name
            life.in_loop = _is_on_a_loop()
        elif moment is Moment.RAN:
            life.end = now
        else:
            life.close = now
        if self._then is not None:
            self._then(moment, node)

    def _life(self, node: Node) -> _Life:
        life = self._lives.get(node)
        if life is None:
            life = self._lives[node] = _Life(len(self._lives))
        return life

    # -- what can be asked --------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The tasks in the order in which they were first heard of, and all edges that were ever made."""
        number = {node: life.number for node, life in self._lives.items()}

        def pairs(edge: Edge) -> tuple[tuple[int, int], ...]:
            return tuple((number[target], number[source]) for kind, source, target in self._edges if kind is edge)

        tasks = tuple(GraphTask(node.name, _body if node.bodied else None) for node in self._lives)
        return Graph(tasks, pairs(Edge.AFTER), pairs(Edge.INSIDE), pairs(Edge.HOLD))

    @property
    def outcomes(self) -> list[str]:
        """How each task of `graph` closed; "" for one that is open."""
        return ["" if node.outcome is None else str(node.outcome) for node in self._lives]

    def svg(self, title: str = "") -> str:
        """The graph with outcomes, as a picture."""
        return svg_of(self.graph, self.outcomes, title)

    def mermaid(self) -> str:
        """The graph with outcomes, for Markdown."""
        return mermaid_of(self.graph, self.outcomes)

    def chrome(self, title: str = "hocket") -> str:
        """The run as JSON: open it in ui.perfetto.dev."""
        ran = {node: place for place, node in enumerate(node for node in self._lives if node.bodied)}
        edges = [(ran[source], ran[target]) for kind, source, target in self._edges
                 if kind is Edge.AFTER and source in ran and target in ran]
        return chrome_trace([self._slice(node) for node in ran], edges, title)

    def _slice(self, node: Node) -> Slice:
        life = self._lives[node]
        outcome = "open" if node.outcome is None else str(node.outcome)
        if life.begin < 0:
            return Slice(node.name, "never ran", None, max(life.close, 0), outcome)
        end = life.end if life.end >= 0 else self._clock() - self._start
        return Slice(node.name, life.lane, life.begin, end, outcome, nests=not life.in_loop)


def _is_on_a_loop() -> bool:
    """Whether this thread runs an event loop; who uses none does not load asyncio for it."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _body() -> Any:
    """What stands for the bodies in `Recording.graph`, which is to be looked at."""
