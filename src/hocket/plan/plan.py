"""A compiled plan: tasks in the order of a serial run, who comes before whom, and whose payload goes where.

One type for trees and for graphs made of `seq` and `fork`. It is a value: runs keep nothing in it, so one plan can run
many times, also at once. Nodes are numbers, and what is known of them lies in arrays, because a plan may have a million
of them. Refused: an object a node, which costs half a gigabyte for such a plan; `node(i)` makes one for people.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hocket.plan.bind import Bound, Slot, Style
from hocket.plan.sources import PREV
from hocket.plan.tree import Fanout

__all__ = ["NOBODY", "Node", "Order", "Plan"]

NOBODY = -1
"""No node: the parent of a root, the owner of a payload that is not there."""

Order = str
"""Which runs are meant: "serial", one task at a time, in the order of the list; or "parallel", as soon as possible."""


@dataclass(frozen=True, slots=True)
class Node:
    """One task of a plan, for people: see `Plan` for the words."""

    name: str
    level: int
    befores: tuple[int, ...]
    children: tuple[int, ...]
    payload: Any
    slot: Slot
    owner: int
    feeds: tuple[int, ...]
    fanout: Fanout


@dataclass(frozen=True, eq=False)
class Plan:
    """`tasks[i]`: what node i calls; nodes are numbered in the order of a serial run.

    `is_tree`; `parents[i]` (trees); `levels[i]`; `earlier[i]` (graphs): the nodes right before it; `givers[i]`: for
    each of its sources the node whose payload it takes, or NOBODY; `owner[i]`: in whose slot its payload lies, which is
    its own, that of a node above which it forwards, or NOBODY's; `last[i]`: the node after which, in a serial run, its
    payload is over; `holders[i]` (graphs): who takes from it; `staged`: nodes of whose payload a copy is made before
    any child runs; `above[i]` (graphs): a bit for each node that is over before i begins.
    """

    is_tree: bool
    tasks: tuple[Bound, ...]
    levels: array[int]
    parents: array[int]
    earlier: tuple[tuple[int, ...], ...]
    givers: Sequence[tuple[int, ...]]
    owner: array[int]
    last: array[int]
    holders: tuple[tuple[int, ...], ...]
    fanouts: Mapping[int, Fanout]
    staged: frozenset[int]
    above: tuple[int, ...]
    compiled: dict[Any, Any] = field(default_factory=dict, repr=False)  # what executors made of it, to be used again

    def __len__(self) -> int:
        return len(self.tasks)

    def __repr__(self) -> str:
        return f"<plan of {len(self)} tasks, a {'tree' if self.is_tree else 'graph'}>"

    # -- who comes before whom ----------------------------------------------------------------------------------------

    def befores(self, node: int) -> tuple[int, ...]:
        """Those whose success it needs, and that are right before it."""
        if not self.is_tree:
            return self.earlier[node]
        return (self.parents[node],) if node else ()

    def precedes(self, one: int, other: int) -> bool:
        """Whether the body of one is over, in every run in any order, before the other begins."""
        if self.is_tree:
            return one < other <= self.last[one]
        return bool(self.above[other] >> one & 1)

    def is_over_before(self, one: int, other: int, order: Order) -> bool:
        """Whether the payload of one is gone before the other begins, in every run of that order."""
        if order == "serial":
            return self.last[one] < other
        if self.is_tree:  # a subtree ends when it ends: nobody outside waits for it
            return False
        return all(self.precedes(user, other) for user in (one, *self.holders[one]))

    @cached_property
    def _children(self) -> tuple[array[int], array[int]]:
        """Where each node's children begin in the second array."""
        offsets = array("q", bytes(8 * (len(self) + 1)))
        for parent in self.parents[1:]:
            offsets[parent + 1] += 1
        for node in range(len(self)):
            offsets[node + 1] += offsets[node]
        flat, place = array("q", bytes(8 * max(len(self) - 1, 0))), array("q", offsets)
        for node in range(1, len(self)):
            parent = self.parents[node]
            flat[place[parent]] = node
            place[parent] += 1
        return offsets, flat

    def children(self, node: int) -> tuple[int, ...]:
        """The nodes right below it in a tree, in order; in a graph, those right after it."""
        if not self.is_tree:
            return tuple(other for other in range(len(self)) if node in self.earlier[other])
        offsets, flat = self._children
        return tuple(flat[offsets[node] : offsets[node + 1]])

    # -- payloads -----------------------------------------------------------------------------------------------------

    def owns(self, node: int) -> bool:
        """Whether it has a payload in a slot of its own."""
        return self.owner[node] == node

    def feeds(self, node: int) -> tuple[int, ...]:
        """For each of its sources the owner of the payload that it takes, or NOBODY."""
        givers = self.givers[node]
        if len(givers) == 1 and givers[0] != NOBODY:  # mostly
            return (self.owner[givers[0]],)
        return tuple([NOBODY if giver == NOBODY else self.owner[giver] for giver in givers])

    def takes_stage(self, node: int) -> bool:
        """Whether its copies are made of its parent's stage."""
        return node > 0 and bool(self.staged) and self.parents[node] in self.staged

    @cached_property
    def over_after(self) -> dict[int, tuple[int, ...]]:
        """By node: whose payloads and stages are over after it in a serial run, the innermost first."""
        return self._ends([n for n in range(len(self)) if self.owner[n] == n or n in self.staged])

    @cached_property
    def left_after(self) -> dict[int, tuple[int, ...]]:
        """By node: which nodes are over after it in a serial run, the innermost first."""
        return self._ends(range(len(self)))

    def _ends(self, nodes: Sequence[int]) -> dict[int, tuple[int, ...]]:
        ends: dict[int, list[int]] = {}
        for node in reversed(nodes):
            ends.setdefault(self.last[node], []).append(node)
        return {node: tuple(over) for node, over in ends.items()}

    # -- for people ---------------------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each node: its task's, and `name#2` for the second of that name."""
        counts: dict[str, int] = {}
        taken = {task.name for task in self.tasks}
        names = []
        for task in self.tasks:
            name, count = task.name, counts.get(task.name, 0) + 1
            while count > 1 and (name := f"{task.name}#{count}") in taken:  # somebody is called so
                count += 1
            counts[task.name] = count
            names.append(name)
        return tuple(names)

    def node(self, node: int) -> Node:
        task = self.tasks[node]
        payload = self.tasks[self.owner[node]].payload if self.owner[node] != NOBODY else None
        return Node(
            self.names[node],
            self.levels[node],
            self.befores(node),
            self.children(node),
            payload,
            task.slot,
            self.owner[node],
            self.feeds(node),
            self.fanouts.get(node, Fanout.AUTO),
        )

    @property
    def is_async(self) -> bool:
        return any(task.is_async for task in self.tasks)

    def accesses(self, node: int) -> list[tuple[int, Any]]:
        """The payloads that it takes: (giver, source) for each of its sources that takes one."""
        task = self.tasks[node]
        return [(giver, said) for giver, said in zip(self.givers[node], task.sources, strict=True) if said.mode in PREV]

    @cached_property
    def users(self) -> tuple[int, ...]:
        """The nodes that take a payload."""
        return tuple(node for node, givers in enumerate(self.givers) if givers and self.accesses(node))

    def forwards(self, node: int) -> bool:
        return self.tasks[node].style is Style.FORWARD
