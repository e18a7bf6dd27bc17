"""A monitor for production: everything that a scheduler does is held against what running a graph means.

`Scheduler(workers=2, watch=Monitor())` is all there is to it. The monitor hears what the kernel is *asked* (tasks,
edges, who is armed or cancelled) and what it *says* (openings, ends, closes), and trusts neither its counters nor its
lists. What is allowed stands in `running.rules`: the text of the model that is proved and searched, compiled; a test
holds the file against the model. So an event costs what its neighbours cost, a few microseconds.

It never raises into what it watches. The first event that is not allowed is kept in `refused` with the guard that it
lacks, and nothing is looked at after it. It remembers a task until it has closed and so have all that look at it: a
scheduler that runs for months does not fill the memory. Refused: reading the kernel's own lists at each event, which
would believe a kernel that forgets an edge.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from types import CodeType
from typing import Any

from hocket.errors import Refused
from hocket.kernel import Commands, Edge, Kernel, Node, Outcome, Phase, Policy, Stimulus
from hocket.kernel.lifecycle import Moment
from hocket.kernel.node import Scope
from hocket.spec.monitor import Illegal

__all__ = ["Monitor"]

_OPEN, _RAN = Moment.OPEN, Moment.RAN
_ARMED, _CANCELLED = Stimulus.ARMED, Stimulus.CANCELLED

# what is said of each task, and how it begins; who looks at whom
_TASK = {
    **dict.fromkeys(("bodiless", "armed", "opened", "over", "raised", "closed", "unwanted", "skipped"), False),
    **dict.fromkeys(("scope", "outcome"), 0),
}
_RELATIONS = ("after", "inside", "hold")

# what an event lacks that is told of a task which is gone: it has closed
_GONE = {"arm": 0, "open": 1, "ran": 1, "close": 0, "cancel": 1}

_FINISHED, _CLOSED = Outcome.FINISHED, Phase.CLOSED
_NUMBER = {policy: number for number, policy in enumerate(Policy)}
_ROWS = 64  # by which tables grow
_LOST = (Outcome.SKIPPED, Outcome.CANCELLED)

_code: list[CodeType] = []


def _rules() -> CodeType:
    if not _code:
        text = files("hocket.runtime").joinpath("running.rules").read_text("utf-8")
        _code.append(compile(text, "running.rules", "exec"))
    return _code[0]


class _Nobody:
    """In the place of those who may have to be skipped: while nothing was lost that is nobody, whoever is looked at."""

    def add(self, row: int) -> None: ...
    def update(self, rows: object) -> None: ...
    def __bool__(self) -> bool:
        return False


_NOBODY = _Nobody()


class Monitor:
    """Watches one scheduler: `events` were allowed, `refused` is the first that was not (None: all were).

    `told` is called with an `hocket.spec.monitor.Illegal` when that happens, once, under the scheduler's lock; what it
    raises is raised there. Give the monitor as `watch`, or switch it on later with `join`.

    >>> from hocket.runtime import Scheduler
    >>> monitor = Monitor()
    >>> with Scheduler(workers=2, watch=monitor) as scheduler:
    ...     first = scheduler.spawn("first", print)
    ...     second = scheduler.spawn("second", print, after=[first])
    <BLANKLINE>
    <BLANKLINE>
    >>> monitor.refused, monitor.events  # two tasks are armed, open, run and close
    (None, 8)

    Source: Havelund and Roşu's runtime verification, with the model of this house as the specification.
    """

    def __init__(self, told: Callable[[Illegal], object] | None = None) -> None:
        self.told = told
        self.events = 0
        self.refused: Illegal | None = None
        self._kernel: Kernel | None = None
        self._before: Callable[[Moment, Node], None] | None = None  # who was told until now, and still is
        self._asked: tuple[str, Node] | None = None  # a stimulus of which the kernel has not said yet that it is taken
        self._number: dict[Node, int] = {}
        self._scopes: dict[Scope, int] = {}
        self._open: list[int] = []  # by scope, how many tasks have not closed
        self._free: list[int] = []  # rows that nobody looks at any more
        self._lookers: list[int] = []  # by row, how many that have not closed look at it
        tables: dict[str, Any] = {f"t_{name}": [] for name in (*_TASK, "policy", "stopped")}
        tables |= {f"{way}_{name}": [] for way in "fb" for name in _RELATIONS}
        tables |= {"n_Task": self._number, "n_Outcome": {outcome: int(outcome) for outcome in Outcome}}
        tables["todo_skip"] = _NOBODY
        exec(_rules(), tables)
        self._tables = tables
        self._columns = [(tables[f"t_{name}"], value) for name, value in _TASK.items()]
        self._looks = [tables[f"f_{name}"] for name in _RELATIONS]
        self._seen = [tables[f"b_{name}"] for name in _RELATIONS]
        self._by_edge = dict(
            zip((Edge.AFTER, Edge.INSIDE, Edge.HOLD), zip(self._looks, self._seen, strict=True), strict=True)
        )
        self._deeds: dict[str, Callable[..., int]] = tables["deeds"]

    # -- switching it on ----------------------------------------------------------------------------------------------

    def attach(self, kernel: Kernel) -> None:
        """Hear what this kernel is asked from now on, beginning with all that is open.

        Raises Refused, and does nothing, when an open task has lost something already, or when it watches another.
        """
        if self._kernel is not None:
            raise Refused("the monitor", "attached", "watching a kernel already", "one monitor for each scheduler")
        hurt = [node.name for node in kernel.nodes if node.hurt or node.bereft or node.fate]
        if hurt or kernel.scope.stopped:
            raise Refused(
                "the monitor", "attached", f"too late: {', '.join(hurt)} was lost", "nothing open that is lost"
            )
        self._kernel = kernel
        self._take_up(kernel)
        add, hold, receive = kernel.add, kernel.hold, kernel.receive

        def added(name: str, bodied: bool = True, scope: Scope | None = None) -> Node:
            node = add(name, bodied, scope)
            self._add(node)
            return node

        def held(edge: Edge, source: Node, target: Node) -> None:
            hold(edge, source, target)
            self._relate(edge, source, target)

        def received(stimulus: Stimulus, node: Node) -> Commands:
            if stimulus is not _ARMED and stimulus is not _CANCELLED:
                return receive(stimulus, node)
            self._asked = ("arm" if stimulus is _ARMED else "cancel", node)
            try:
                commands = receive(stimulus, node)
                if self._asked is not None:
                    self._flush()
                return commands
            finally:
                self._asked = None

        for name, heard in (("add", added), ("hold", held), ("receive", received)):
            setattr(kernel, name, heard)  # of this one kernel: others pay nothing

    def join(self, scheduler: Any) -> None:
        """Switch it on in a scheduler that is at work. Raises Refused as `attach` does."""
        with scheduler._lock:
            before = scheduler._kernel.watch
            scheduler._enter_all()
            self.attach(scheduler._kernel)
            self._before, scheduler._kernel.watch = before, self

    def _take_up(self, kernel: Kernel) -> None:
        """All that is open, as it stands."""
        nodes = list(kernel.nodes)
        for node in nodes:
            row, t = self._add(node), self._tables
            t["t_armed"][row] = node.phase is not Phase.IDLE
            t["t_opened"][row] = node.opened
            t["t_over"][row] = node.phase is Phase.DRAINING
        for node in nodes:
            lists = ((Edge.AFTER, node.after), (Edge.INSIDE, node.inside), (Edge.HOLD, node.parents))
            for edge, waiting in lists:
                for target in waiting or ():
                    if target in self._number:
                        self._relate(edge, node, target)

    # -- what it hears ------------------------------------------------------------------------------------------------

    def __call__(self, moment: Moment, node: Node) -> None:
        """The kernel says that something has happened."""
        if self._before is not None:
            self._before(moment, node)
        if self.refused is not None:
            return
        if self._asked is not None:
            self._flush()
        if moment is _OPEN:
            self._take("open", node)
        elif moment is not _RAN:
            self._take("close", node, node.fate)
            self._close(node)
        elif node.bodied:
            self._take("ran", node, node.fate)

    def _flush(self) -> None:
        assert self._asked is not None, "nothing was asked"
        name, node = self._asked
        self._asked = None
        self._take(name, node)

    def _take(self, name: str, node: Node, *how: Outcome) -> None:
        if self.refused is not None:
            return
        if name == "cancel" or (how and how[0] is not _FINISHED):
            self._something_is_lost()
        try:
            lacking = self._deeds[name](node, *how)
        except KeyError:
            lacking = _GONE[name]
        if lacking < 0:
            self.events += 1
        else:
            self._refuse((name, node.name, *map(str, how)), lacking, self._number.get(node))

    def _refuse(self, event: tuple[Any, ...], lacking: int, row: int | None) -> None:
        where = {} if row is None else {f"{name} {event[1]}": self._tables[f"t_{name}"][row] for name in _TASK}
        self.refused = Illegal(self.events, event, self._tables["guards"][event[0]][lacking], where)
        if self.told is not None:
            self.told(self.refused)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _add(self, node: Node) -> int:
        if not self._free:
            self._grow()
        row = self._number[node] = self._free.pop()
        tables = self._tables
        if not node.bodied:
            tables["t_bodiless"][row] = True
        number = self._scopes.get(node.scope)
        if number is None:
            number = self._scope(node.scope)
        tables["t_scope"][row] = number
        self._open[number] += 1
        return row

    def _grow(self) -> None:
        rows = len(self._lookers)
        self._lookers.extend([0] * _ROWS)
        for column, begins in self._columns:
            column.extend([begins] * _ROWS)
        for way in (*self._looks, *self._seen):
            way.extend([()] * _ROWS)  # a list as soon as there is somebody
        self._free.extend(range(rows + _ROWS - 1, rows - 1, -1))

    def _scope(self, scope: Scope) -> int:
        number = self._scopes[scope] = len(self._open)
        self._open.append(0)
        self._tables["t_policy"].append(_NUMBER[scope.policy])
        self._tables["t_stopped"].append(False)
        return number

    def _relate(self, edge: Edge, source: Node, target: Node) -> None:
        """The target looks at the source until it has closed."""
        number = self._number
        there = number.get(target)
        if there is None:
            return
        here = number.get(source)
        if here is None:
            if source.fate is _FINISHED and source.phase is _CLOSED:
                return  # it is gone, and nothing was lost with it
            here = self._closed_row(source)
        looks, seen = self._by_edge[edge]
        if looks[there]:
            looks[there].append(here)
        else:
            looks[there] = [here]
        if seen[here]:
            seen[here].append(there)
        else:
            seen[here] = [there]
        self._lookers[here] += 1

    def _closed_row(self, node: Node) -> int:
        """A row for a lost task that was forgotten, for somebody comes after it now: nobody else can see it."""
        self._something_is_lost()
        row = self._add(node)
        self._open[self._tables["t_scope"][row]] -= 1
        del self._number[node]
        said = {"closed": True, "outcome": int(node.fate), "opened": node.opened, "unwanted": node.fate is _LOST[1]}
        for name, value in (said | {"skipped": node.fate is _LOST[0]}).items():
            self._tables[f"t_{name}"][row] = value
        return row

    def _something_is_lost(self) -> None:
        """From now on somebody may have to be skipped: all are looked at once, and then those whom a change reaches."""
        if self._tables["todo_skip"] is _NOBODY:
            self._tables["todo_skip"] = {-1}

    def _close(self, node: Node) -> None:
        """Forget it, unless somebody looks at it still; and what only it has looked at."""
        row = self._number.pop(node, None)
        if row is None or self.refused is not None:
            return
        tables, lookers = self._tables, self._lookers
        scope = tables["t_scope"][row]
        self._open[scope] -= 1
        if not self._open[scope]:
            tables["t_stopped"][scope] = False  # a stop lasts until its scope is empty
        for looks in self._looks:
            if looks[row]:
                for seen in looks[row]:
                    lookers[seen] -= 1
                    if not lookers[seen] and tables["t_closed"][seen]:
                        self._forget(seen)
        if not lookers[row]:
            self._forget(row)
        if not self._number:
            tables["todo_skip"] = _NOBODY  # nobody is open, and who comes later says what it comes after

    def _forget(self, row: int) -> None:
        for column, begins in self._columns:
            column[row] = begins
        for ways in (self._looks, self._seen):
            for way in ways:
                if way[row]:
                    way[row] = ()
        self._free.append(row)
