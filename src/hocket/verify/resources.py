"""Resources that tasks hold while they wait: an order of the resources in which no deadlock can be, or the doubt.

Whoever holds something and waits for nothing gives it back. So only tasks that hold
and wait (for children, for what they await) can starve the others, and of a resource
with more places than all of these together can ever take, some place always comes
free: it is *ample*. For the rest one says "r before s" if somebody holds r while
waiting for something that needs s. If that is an order, the task that waits for the
highest resource can go on, so somebody always can (the ordering argument of Havender
1968, for counted resources and nested tasks). The order is the certificate.

Only where there is no such order is a solver asked (`starvation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from hocket.verify.findings import Finding
from hocket.verify.model import Edge, Graph, Hold, Join, Point, Task, Until, named_group

__all__ = ["WORKERS", "Key", "Resources", "Table", "key_text", "keys_of", "resources", "too_much", "with_workers"]

WORKERS = "the workers"
Key = tuple[str | tuple[str, str], ...]  # the parts of a group's name: two groups are one if these are equal


def keys_of(hold: Hold) -> tuple[Key, ...]:
    """The names that a resource can come out with."""
    return tuple(dict.fromkeys(case.parts for case in hold.group.cases))


def key_text(key: Key) -> str:
    return "".join(part if isinstance(part, str) else f"<{part[1]}>" for part in key)


def uses_worker(graph: Graph, task: Task) -> bool:
    """Whether a task keeps a worker while it is open."""
    if task.works is not None:
        return task.works
    return task.name not in graph.children or bool(task.awaits)


def with_workers(graph: Graph, number: int) -> Graph:
    """The same graph with the workers written out as a resource of which there are `number`."""
    group = named_group(WORKERS, number)
    tasks = {
        name: replace(task, holds=(Hold(group, task.span, Until.SCOPE, label=f"{name!r}"), *task.holds))
        if uses_worker(graph, task) else task
        for name, task in graph.tasks.items()
    }  # fmt: skip
    return replace(graph, tasks=tasks)


def too_much(graph: Graph) -> Iterator[Finding]:
    """Tasks that ask for more of a resource than there is (G025): they wait for ever."""
    if not graph.uses("holds"):
        return
    for task in graph.tasks.values():
        wanted: dict[Key, int] = {}
        for hold in task.holds:
            for key in keys_of(hold):
                wanted[key] = wanted.get(key, 0) + hold.amount
        for hold in task.holds:
            if len(hold.group.cases) == 1 and wanted.get(hold.group.cases[0].parts, 0) > hold.group.capacity:
                number, group = wanted.pop(hold.group.cases[0].parts), hold.group
                message = f"{task.name!r} takes {number} of {group.text!r}, of which there are {group.capacity}"
                yield Finding("G025", message, hold.span, about=(task.name, group.text))


@dataclass(frozen=True)
class Resources:
    """What can be said of the resources without a solver.

    `rank` numbers those that stand in an order; `ample` always have room; `doubtful` are the knots that neither
    explains: sets of resources that are waited for while one of them is held.
    """

    rank: dict[Key, int] = field(default_factory=dict)
    ample: tuple[Key, ...] = ()
    doubtful: tuple[tuple[Key, ...], ...] = ()


def resources(graph: Graph) -> Resources:
    """Rank, ample and doubtful of all resources of a graph without cycles."""
    if not graph.uses("holds"):
        return Resources()
    table = Table(graph)
    ample = table.ample()
    above = {key: after - set(ample) for key, after in table.above.items() if key not in ample}
    rank, left = _ranked(above)
    return Resources(rank, tuple(ample), tuple(table.knots(left)))


@dataclass
class Table:
    """Who holds and waits, and which resources are waited for while which is held."""

    graph: Graph

    @cached_property
    def waiting_holders(self) -> list[Task]:
        return [
            task for task in self.graph.tasks.values()
            if task.holds and (task.awaits or task.transfers or task.name in self.graph.children)
        ]  # fmt: skip

    @cached_property
    def capacity(self) -> dict[Key, int]:
        """How many there are of each; where several places say so, the fewest."""
        found: dict[Key, int] = {}
        for task in self.graph.tasks.values():
            for hold in task.holds:
                for key in keys_of(hold):
                    found[key] = min(found.get(key, hold.group.capacity), hold.group.capacity)
        return found

    @cached_property
    def above(self) -> dict[Key, set[Key]]:
        """For each resource what is needed by anything that is waited for while it is held."""
        found: dict[Key, set[Key]] = {key: set() for key in self.capacity}
        for task in self.waiting_holders:
            needed = {
                key for name in self.needed_by(task) for hold in self.graph.tasks[name].holds for key in keys_of(hold)
            }
            for hold in task.holds:
                for key in keys_of(hold):
                    found[key] |= needed
        return found

    def needed_by(self, task: Task) -> set[str]:
        """All that may still have to happen when this task is open: within it, awaited, and what those come after.

        What has to have closed before it opened is left out.
        """
        tasks, children = self.graph.tasks, self.graph.children
        done = self._before(task)
        around = set(_parents(tasks, task))
        found: set[str] = set()
        waiting = [*children.get(task.name, ()), *(edge.before for edge in task.awaits), *self.partners(task)]
        while waiting:
            name = waiting.pop()
            if name in found or name in done or name in around or name == task.name or name not in tasks:
                continue
            found.add(name)
            one = tasks[name]
            waiting += [edge.before for edge in (*one.edges, *one.awaits)]
            waiting += self.partners(one)
            waiting += children.get(name, ())
            if one.parent:
                waiting.append(one.parent)
        return found

    def partners(self, task: Task) -> list[str]:
        """Who uses a channel that this task uses."""
        return [name for step in task.transfers for name in self._on_channel[step.channel]]

    @cached_property
    def _on_channel(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for task in self.graph.tasks.values():
            for channel in {step.channel: None for step in task.transfers}:
                found.setdefault(channel, []).append(task.name)
        return found

    def _before(self, task: Task) -> set[str]:
        """Tasks that have closed whenever this one opens: along edges that wait for a closing."""
        tasks = self.graph.tasks
        found: set[str] = set()
        waiting = [edge for one in (task, *(tasks[name] for name in _parents(tasks, task))) for edge in _strict(one)]
        while waiting:
            name = waiting.pop().before
            if name not in found and name in tasks:
                found.add(name)
                waiting += _strict(tasks[name])
                inside = list(self.graph.children.get(name, ()))
                while inside:
                    child = inside.pop()
                    found.add(child)
                    inside += self.graph.children.get(child, ())
        return found

    def ample(self) -> list[Key]:
        """The resources of which some are left whatever all that hold and wait have taken."""
        taken: dict[Key, float] = dict.fromkeys(self.capacity, 0)
        for task in self.waiting_holders:
            copies = float("inf") if task.copies.most is None else task.copies.most
            for hold in task.holds:
                for key in keys_of(hold):
                    taken[key] += hold.amount * copies
        for hold in self.graph.holds:
            for key in keys_of(hold):
                if key in taken:
                    taken[key] += hold.amount
        most: dict[Key, int] = dict.fromkeys(self.capacity, 0)
        for task in self.graph.tasks.values():
            for key in {key: None for hold in task.holds for key in keys_of(hold)}:
                wanted = sum(hold.amount for hold in task.holds if key in keys_of(hold))
                most[key] = max(most[key], wanted)
        return [key for key, capacity in self.capacity.items() if taken[key] + most[key] <= capacity]


    def knots(self, left: Mapping[Key, set[Key]]) -> list[tuple[Key, ...]]:
        """The sets of resources that are above each other; there are few, so reachability from each will do."""
        reach = {start: _reached(left, start) for start in left}
        found = {tuple(key for key in left if key in reach[start] and start in reach[key]) for start in left}
        return sorted((knot for knot in found if knot), key=str)


def _reached(left: Mapping[Key, set[Key]], start: Key) -> set[Key]:
    seen: set[Key] = set()
    waiting = list(left[start])
    while waiting:
        key = waiting.pop()
        if key in left and key not in seen:
            seen.add(key)
            waiting.extend(left[key])
    return seen


def _strict(task: Task) -> tuple[Edge, ...]:
    if task.join is Join.ANY and len(task.edges) > 1:
        return ()
    return tuple(edge for edge in task.edges if edge.point is Point.CLOSED)


def _parents(tasks: Mapping[str, Task], task: Task) -> Iterator[str]:
    while task.parent:
        yield task.parent
        task = tasks[task.parent]


def _ranked(above: Mapping[Key, set[Key]]) -> tuple[dict[Key, int], dict[Key, set[Key]]]:
    """A rank for each key, below those of all that are above it; and those that have none, with what is above."""
    left = dict(above)
    rank: dict[Key, int] = {}
    while True:
        free = [key for key, after in left.items() if all(other in rank for other in after)]
        if not free:
            break
        for key in free:  # from the top: whoever has nothing above that is not ranked
            rank[key] = 1 + max((rank[other] for other in left[key]), default=-1)
            del left[key]
    return {key: -number for key, number in rank.items()}, left
