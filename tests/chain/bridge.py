"""The bridge from the kernel to its model: both are taken through every schedule of a graph, side by side.

The kernel is eager: after each stimulus it has closed all that can close. The
model allows an event whenever its guards do. So after each stimulus the events
that the model still allows must be exactly those that are the environment's to
make: start what is ready, end what runs, cancel what may be cancelled. If the
model allows more, the kernel has forgotten something; if less, it has done, or
offers, what it must not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations, product

from hocket.graph import Cyclic, Graph, Task, event_order, rank_or_cycle
from hocket.kernel import Kernel, Node, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.kernel.lifecycle import Moment
from hocket.runtime.build import build
from models.run import acceptor
from models.run import graph as model_graph

Event = tuple[object, ...]
Deed = tuple[Stimulus, int]  # a stimulus, and the task it is about


def body() -> None:
    """What a task of these graphs runs: nothing, and whether it fails is for the driver to say."""


def model_of(graph: Graph, policy: Policy, cancels: bool, late: bool = False):
    """The model's run of a graph: tasks are named by their index; with `late`, each waits for its handle."""
    tasks = range(len(graph.tasks))
    given = model_graph(
        tasks,
        graph.after,
        graph.inside,
        graph.hold,
        [task for task in tasks if graph.tasks[task].body is None],
        policy.value,
        may_be_cancelled=tasks if cancels else (),
        late=tasks if late else (),
    )
    return acceptor(given)


def recorder(events: list[Event], index: Callable[[Node], object] = lambda node: node.load) -> Watch:
    """Write down what the kernel's nodes go through, in the model's words; `index` says what the model calls a node."""

    def watch(moment: Moment, node: Node) -> None:
        if moment is Moment.OPEN:
            events.append(("open", index(node)))
        elif moment is Moment.RAN and node.bodied:
            events.append(("ran", index(node), str(node.fate)))
        elif moment is Moment.CLOSE:
            events.append(("close", index(node), str(node.fate)))

    return watch


class Pair:
    """One kernel and one run of the model, driven by the same deeds; with `late`, to arm a task is one of them."""

    def __init__(self, graph: Graph, policy: Policy, cancels: bool, model, late: bool = False) -> None:
        self.events: list[Event] = []
        self.model, self.state, self.cancels = model, model.start, cancels
        self.kernel = Kernel(policy, recorder(self.events))
        self.nodes = build(self.kernel, graph)
        for index, node in enumerate(self.nodes):
            node.load = index
        for node in self.nodes[: 0 if late else None]:
            self.kernel.receive(Stimulus.ARMED, node)
        self.accept([])

    def do(self, deed: Deed) -> None:
        stimulus, index = deed
        event = _EVENT_OF[stimulus](index)
        if stimulus in (Stimulus.CANCELLED, Stimulus.ARMED):  # these are no moments of a life
            self.events.append(event)
        self.kernel.receive(stimulus, self.nodes[index])
        self.accept([event])

    def accept(self, made: list[Event]) -> None:
        """The model takes each event that came of a deed; refused ones come with the guard that they lack.

        To start a body and to end it is the environment's: of such events there are those that it `made`, and no more.
        """
        bodies = [event for event in self.events if event[0] != "close" and self.nodes[event[1]].bodied]
        assert [event for event in bodies if event not in made] == [], f"nobody did that: {bodies}, but {made}"
        for event in self.events:
            after = self.model.step(self.state, event)
            assert after is not None, f"{event} is refused: {self.model.refusal(self.state, event)}"
            self.state = after
        self.events.clear()

    def deeds(self) -> list[Deed]:
        """What the environment may do now."""
        return [(stimulus, index) for index, node in enumerate(self.nodes) for stimulus in self._deeds_on(node)]

    def _deeds_on(self, node: Node) -> list[Stimulus]:
        cancel = [Stimulus.CANCELLED] if self.cancels and node.phase <= Phase.READY else []
        if node.phase is Phase.IDLE:
            return [Stimulus.ARMED, *cancel]
        if node.phase is Phase.READY:
            return [Stimulus.STARTED, *cancel]
        if node.phase is Phase.RUNNING:
            return [Stimulus.RETURNED, Stimulus.RAISED]
        return cancel

    def agree(self) -> None:
        """The events that the model allows are those that the environment may make."""
        ours = {_EVENT_OF[stimulus](index) for stimulus, index in self.deeds()}
        theirs = set(self.model.allowed(self.state))
        assert ours >= theirs, f"only the model: {theirs - ours}"
        assert ours <= theirs, f"only the kernel: {ours - theirs}"

    def key(self) -> tuple[object, ...]:
        """All that can make a difference from here on."""
        return (
            self.state,
            *((n.phase, n.fate, n.start, n.bodies, n.children, bool(n.hurt), bool(n.bereft)) for n in self.nodes),
        )


_EVENT_OF: dict[Stimulus, Callable[[int], Event]] = {
    Stimulus.ARMED: lambda index: ("arm", index),
    Stimulus.STARTED: lambda index: ("open", index),
    Stimulus.RETURNED: lambda index: ("ran", index, "finished"),
    Stimulus.RAISED: lambda index: ("ran", index, "failed"),
    Stimulus.CANCELLED: lambda index: ("cancel", index),
}


@dataclass
class Tally:
    graphs: int = 0
    states: int = 0
    deeds: int = 0
    ends: int = 0
    outcomes: set[tuple[str, ...]] = field(default_factory=set)


def refine(
    graph: Graph, policy: Policy, cancels: bool = False, tally: Tally | None = None, late: bool = False
) -> Tally:
    """Take both through every schedule and every failure of a graph; states seen before are not gone through again."""
    tally = tally or Tally()
    tally.graphs += 1
    model = model_of(graph, policy, cancels, late)
    seen = set()
    agenda: list[list[Deed]] = [[]]
    while agenda:
        path = agenda.pop()
        pair = Pair(graph, policy, cancels, model, late)
        for deed in path:
            pair.do(deed)
        while (key := pair.key()) not in seen:
            seen.add(key)
            tally.states += 1
            pair.agree()
            pair.kernel.check()
            deeds = pair.deeds()
            tally.deeds += len(deeds)
            if not deeds:
                assert not pair.kernel.nodes, f"nothing can happen, and these are open: {list(pair.kernel.nodes)}"
                tally.ends += 1
                tally.outcomes.add(tuple(str(node.outcome) for node in pair.nodes))
                break
            agenda += ([*path, deed] for deed in deeds[1:])
            path = [*path, deeds[0]]
            pair.do(deeds[0])
    return tally


# -- all small graphs -------------------------------------------------------------------------------------------------

RELATIONS = ("none", "after", "inside", "hold", "held", "prong")
"""How task j may relate to task i: nothing; j after i; j inside i; i holds j; j holds i; j is a prong or child of i."""

SEEDS = ("none", "after", "prong")
"""What the seed systems' static graphs are made of."""


def small_graphs(size: int, relations: tuple[str, ...] = RELATIONS) -> Iterator[Graph]:
    """Every graph of `size` tasks, with bodies or without, up to renaming; those with a cycle are left out."""
    pairs = [(i, j) for j in range(size) for i in range(j)]
    seen: set[tuple[object, ...]] = set()
    for chosen in product(relations, repeat=len(pairs)):
        edges = [edge for (i, j), relation in zip(pairs, chosen, strict=True) for edge in _edges(i, j, relation)]
        for bodies in product((True, False), repeat=size):
            form = _canonical(size, edges, bodies)
            if form not in seen:
                seen.add(form)
                graph = _graph(edges, bodies)
                if not isinstance(rank_or_cycle(event_order(graph)), Cyclic):
                    yield graph


def _edges(i: int, j: int, relation: str) -> list[tuple[str, int, int]]:
    return {
        "none": [],
        "after": [("after", j, i)],
        "inside": [("inside", j, i)],
        "hold": [("hold", i, j)],
        "held": [("hold", j, i)],
        "prong": [("inside", j, i), ("hold", i, j)],
    }[relation]


def _canonical(size: int, edges: list[tuple[str, int, int]], bodies: tuple[bool, ...]) -> tuple[object, ...]:
    """The least of the graph's names under all renamings."""
    return min(
        (
            tuple(bodies[place] for place in sorted(range(size), key=new.__getitem__)),
            tuple(sorted((kind, new[a], new[b]) for kind, a, b in edges)),
        )
        for new in permutations(range(size))
    )


def _graph(edges: list[tuple[str, int, int]], bodies: tuple[bool, ...]) -> Graph:
    pairs = {kind: tuple((a, b) for k, a, b in edges if k == kind) for kind in ("after", "inside", "hold")}
    tasks = tuple(Task(str(number), body if bodied else None) for number, bodied in enumerate(bodies))
    return Graph(tasks, pairs["after"], pairs["inside"], pairs["hold"])


def main() -> None:
    """`python -m tests.chain.bridge [SIZE [POLICY …]]`: every graph of SIZE tasks (4: about six minutes a policy)."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    graphs = list(small_graphs(size))
    for policy in map(Policy, sys.argv[2:] or [policy.value for policy in Policy]):
        tally, start = Tally(), time.perf_counter()
        for graph in graphs:
            refine(graph, policy, tally=tally)
        seconds = time.perf_counter() - start
        print(
            f"{policy.value}: {tally.graphs} graphs of {size} tasks, {tally.states} states, {tally.deeds} deeds, "
            f"{len(tally.outcomes)} sets of outcomes, all as the model has it, {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
