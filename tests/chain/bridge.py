"""The bridge from the kernel to its model: both are taken through every schedule of a graph, side by side.

The kernel is eager: after each stimulus it has closed all that can close. The
model allows an event whenever its guards do. So after each stimulus the events
that the model still allows must be exactly those that are the environment's to
make: start what is ready, end what runs, cancel what may be cancelled. If the
model allows more, the kernel has forgotten something; if less, it has done, or
offers, what it must not.

Tasks may also be spawned while others run: the model is then given one element
more, whose edges are said when it comes. What was judged once is not judged
again, in whatever graph it comes up (`residue.py`); and a state is taken up where
it was left, not by going the whole way to it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

from hocket.errors import CycleError
from hocket.graph import Graph, Task
from hocket.kernel import Edge, Kernel, Node, Phase, Policy, Stimulus
from hocket.kernel import kernel as kernel_module
from hocket.kernel.kernel import Watch
from hocket.kernel.lifecycle import Moment
from hocket.runtime.build import build
from hocket.spec.layout import executed
from hocket.spec.refine import Run
from hocket.spec.terms import conj
from models.run import acceptor
from models.run import graph as model_graph
from tests.chain.residue import Residue, canonical
from tests.chain.small import body

Event = tuple[Any, ...]
Deed = tuple[Any, ...]  # a stimulus and the task it is about; or Spawn, or Adopt, and what they say

SPAWN, ADOPT = "spawn", "adopt"
"""("spawn", parent or None, those it comes after), by a running task or by anybody; ("adopt", parent, child)."""


@lru_cache(maxsize=64)
def model_of(graph: Graph, policy: Policy, cancels: bool, late: bool = False, spawns: int = 0) -> Run:
    """The model's run of a graph: tasks are named by their index; with `late`, each waits for its handle.

    `spawns` tasks more have no edges, and are late until somebody spawns them.
    """
    size, tasks = len(graph.tasks), range(len(graph.tasks) + spawns)
    given = model_graph(
        tasks,
        graph.after,
        graph.inside,
        graph.hold,
        [task for task in range(size) if graph.tasks[task].body is None],
        policy.value,
        may_be_cancelled=tasks if cancels else (),
        late=tasks if late else tasks[size:],
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


Allowed = list[Callable[[bytes, bytes, list[Event]], None]]


@lru_cache(maxsize=16)
def _allowed(machine: Any, size: int) -> Allowed:
    """For each task, a function that adds those of its events whose guards hold: one call instead of one an event."""
    lines: list[list[str]] = [[f"def f{task}(s, r, out):"] for task in range(size)]
    for instance in machine.instances():
        if not instance.step.silent:
            guards = conj(*(machine.scope.ground(guard.term, instance.bound) for guard in instance.step.guards))
            lines[instance.event[1]].append(f"    if {machine.python(guards)}: out.append({instance.event!r})")
    made = f"made = [{', '.join(f'f{task}' for task in range(size))}]"
    found: Allowed = executed([line for one in lines for line in one] + [made], "made")
    return found


@lru_cache(maxsize=16)
def _residue(machine: Any) -> Residue:
    return Residue(machine)


# what each phase can be told, said once more and not read from the rows
_SENSIBLE = {
    Phase.IDLE: {Stimulus.ARMED, Stimulus.CANCELLED},
    Phase.WAITING: {Stimulus.CANCELLED},
    Phase.READY: {Stimulus.STARTED, Stimulus.CANCELLED},
    Phase.RUNNING: {Stimulus.SPLIT, Stimulus.RETURNED, Stimulus.RAISED, Stimulus.PENDED},
    Phase.DRAINING: set[Stimulus](),
    Phase.CLOSED: set[Stimulus](),
}
_SENSELESS = {phase: [each for each in Stimulus if each not in _SENSIBLE[phase]] for phase in Phase}


BODIED, BODILESS = Task("", body), Task("")


class Pair:
    """One kernel and one run of the model, driven by the same deeds; with `late`, to arm a task is one of them."""

    def __init__(
        self,
        graph: Graph,
        policy: Policy,
        cancels: bool = False,
        late: bool = False,
        spawns: int = 0,
        splits: bool = False,
    ) -> None:
        bare = Graph(tuple(BODILESS if task.body is None else BODIED for task in graph.tasks))
        model = model_of(bare, policy, cancels, late, spawns)  # one for all graphs with these tasks
        self.events: list[Event] = []
        self.state, self.rigid, self.machine = model.start, model._rigid, model._machine
        self.cancels, self.spawns, self.splits = cancels, spawns, splits
        self.raised: frozenset[int] = frozenset()  # tasks of which a body has raised
        self.doubled: frozenset[int] = frozenset()  # tasks of which two bodies are at work
        self.may_happen = _allowed(self.machine, len(graph.tasks) + spawns)
        self.residue = _residue(self.machine)
        self.edges: list[tuple[str, int, int]] = []
        self._say([(kind, *pair) for kind in ("after", "inside", "hold") for pair in getattr(graph, kind)])
        self.kernel = Kernel(policy, recorder(self.events))
        self.nodes = build(self.kernel, graph)
        for index, node in enumerate(self.nodes):
            node.load = index
        for node in self.nodes[: 0 if late else None]:
            self.kernel.receive(Stimulus.ARMED, node)
        self.accept([])

    # -- deeds --------------------------------------------------------------------------------------------------------

    def do(self, deed: Deed) -> None:
        if deed[0] is SPAWN:
            self._spawn(*deed[1:])
        elif deed[0] is ADOPT:
            self._adopt(*deed[1:])
        else:
            stimulus, index = deed
            made = self._made(stimulus, index)
            if stimulus in (Stimulus.CANCELLED, Stimulus.ARMED):  # these are no moments of a life
                self.events += made
            self.kernel.receive(stimulus, self.nodes[index])
            self.accept(made)

    def _made(self, stimulus: Stimulus, index: int) -> list[Event]:
        """The event that a deed is, in the model's words: a task is over with the last of its bodies, and failed if one
        has.
        """
        if stimulus is Stimulus.RAISED:
            self.raised = self.raised | {index}
        if stimulus is Stimulus.SPLIT:
            self.doubled = self.doubled | {index}
            return []
        if stimulus in _ENDS and index in self.doubled:
            self.doubled = self.doubled - {index}
            return []
        return [_EVENT_OF[Stimulus.RAISED if stimulus in _ENDS and index in self.raised else stimulus](index)]

    def _spawn(self, parent: int | None, after: tuple[int, ...]) -> None:
        """A task more, with a body, armed at once: what `Scheduler.spawn` tells the kernel."""
        self.spawns -= 1
        child = len(self.nodes)
        node = self.kernel.add(str(child))
        node.load = child
        self.nodes.append(node)
        for earlier in after:
            self.kernel.link(Edge.AFTER, self.nodes[earlier], node)
        if parent is not None:
            self.kernel.link(Edge.HOLD, node, self.nodes[parent])
        self._say([("after", child, earlier) for earlier in after])
        self._say([] if parent is None else [("hold", parent, child)])
        self.events.append(("arm", child))
        self.kernel.receive(Stimulus.ARMED, node)
        self.accept([])

    def _adopt(self, parent: int, child: int) -> None:
        self.spawns -= 1
        self.kernel.link(Edge.HOLD, self.nodes[child], self.nodes[parent])
        self._say([("hold", parent, child)])

    def _say(self, edges: list[tuple[str, int, int]]) -> None:
        """Tell the model of edges that were not there."""
        self.edges = [*self.edges, *edges]
        rigid = bytearray(self.rigid)
        for kind, one, other in edges:
            rigid[self.residue.given[kind, one, other]] = 1
        self.rigid = bytes(rigid)

    def accept(self, made: list[Event]) -> None:
        """The model takes each event that came of a deed; refused ones come with the guard that they lack.

        To start a body and to end it is the environment's: of such events there are those that it `made`, and no more.
        """
        for event in self.events:
            ours = event[0] in ("close", "arm") or not self.nodes[event[1]].bodied or event in made
            assert ours, f"nobody did that: {event}, but {made}"
            after = self.machine.step(self.state, self.rigid, event)
            assert not isinstance(after, int), f"{event} is refused: {self.machine.guard(event, after)}"
            self.state = after
        assert all(event in self.events for event in made), f"{made} was done, and came to {self.events}"
        self.events.clear()

    def deeds(self) -> list[Deed]:
        """What the environment may do now, apart from spawning."""
        return [(stimulus, index) for index, node in enumerate(self.nodes) for stimulus in self._deeds_on(node)]

    def spawnings(self) -> list[Deed]:
        """What may be spawned, and held open, by running tasks; and what anybody may spawn, while anything is open."""
        if not self.spawns or not self.kernel.nodes:
            return []
        running = [index for index, node in enumerate(self.nodes) if node.phase is Phase.RUNNING]
        tasks = range(len(self.nodes))
        befores = [after for count in range(len(tasks) + 1) for after in combinations(tasks, count)]
        found: list[Deed] = [(SPAWN, parent, after) for parent in (None, *running) for after in befores]
        found += [(ADOPT, parent, child) for parent in running for child in tasks if child != parent]
        return [deed for deed in found if self._admitted(deed)]

    def _admitted(self, deed: Deed) -> bool:
        """Whether it leaves no circle, and says something new."""
        if deed[0] is ADOPT:
            _, parent, child = deed
            if ("hold", parent, child) in self.edges or self.nodes[child].phase is Phase.CLOSED:
                return False
            pairs = [(self.nodes[child], self.nodes[parent])]
        else:
            _, parent, after = deed
            pairs = [] if parent is None else [(self.nodes[earlier], self.nodes[parent]) for earlier in after]
        try:
            for source, target in pairs:
                self.kernel.admit(Edge.HOLD, source, target)
        except CycleError:
            return False
        return True

    def _deeds_on(self, node: Node) -> list[Stimulus]:
        cancel = [Stimulus.CANCELLED] if self.cancels and node.phase <= Phase.READY else []
        if node.phase is Phase.IDLE:
            return [Stimulus.ARMED, *cancel]
        if node.phase is Phase.READY:
            return [Stimulus.STARTED, *cancel]
        if node.phase is Phase.RUNNING:
            split = [Stimulus.SPLIT] if self.splits and node.load not in self.doubled else []
            return [Stimulus.RETURNED, Stimulus.RAISED, *split]
        return cancel

    def agree(self, deeds: Iterable[Deed]) -> None:
        """The events that the model allows are those that the environment may make."""
        ours = {_EVENT_OF[stimulus](index) for stimulus, index in deeds if stimulus is not Stimulus.SPLIT}
        allowed: list[Event] = []
        for add in self.may_happen[: len(self.nodes)]:
            add(self.state, self.rigid, allowed)
        theirs = set(allowed)
        assert ours >= theirs, f"only the model: {theirs - ours}"
        assert ours <= theirs, f"only the kernel: {ours - theirs}"
        self._refuses()

    def _refuses(self) -> None:
        """No task can be told anything that has no sense where it stands; asked of the compiled rows themselves."""
        for node in self.nodes:
            for stimulus in _SENSELESS[node.phase]:
                phase = node.phase
                taken = kernel_module.take[stimulus](self.kernel, node)
                assert not taken, f"task {node.name} is {phase}, and may be told {stimulus.name}"

    # -- states -------------------------------------------------------------------------------------------------------

    def key(self) -> tuple[object, ...]:
        """All that can make a difference from here on, in this graph."""
        return (
            (self.state, self.rigid, self.spawns, self.raised, self.doubled),
            *((n.phase, n.fate, n.start, n.bodies, n.children, bool(n.hurt), bool(n.bereft)) for n in self.nodes),
        )

    def save(self) -> tuple[Any, ...]:
        scope = self.kernel.scope
        nodes = [
            (
                *(n, n.phase, n.fate, n.opened, n.start, n.bodies, n.children, n.hurt, n.bereft),
                *(n.after and tuple(n.after), n.inside and tuple(n.inside), n.parents and tuple(n.parents)),
            )
            for n in self.nodes
        ]
        ours = self.state, self.rigid, self.edges, self.spawns, self.raised, self.doubled
        return ours, scope.stopped, tuple(scope.open), nodes

    def restore(self, saved: tuple[Any, ...]) -> None:
        """What a state is made of, in place; it may be restored many times."""
        scope = self.kernel.scope
        ours, scope.stopped, opened, nodes = saved
        self.state, self.rigid, self.edges, self.spawns, self.raised, self.doubled = ours
        scope.came, scope.count = list(opened), len(opened)
        self.nodes = [saved_node[0] for saved_node in nodes]
        for n, phase, fate, was_opened, start, bodies, children, hurt, bereft, after, inside, parents in nodes:
            n.phase, n.fate, n.opened, n.hurt, n.bereft = phase, fate, was_opened, hurt, bereft
            n.start, n.bodies, n.children = start, bodies, children
            n.after, n.inside, n.parents = after and [*after], inside and [*inside], parents and [*parents]


_ENDS = (Stimulus.RETURNED, Stimulus.RAISED)
_EVENT_OF: dict[Stimulus, Callable[[int], Event]] = {
    Stimulus.ARMED: lambda index: ("arm", index),
    Stimulus.STARTED: lambda index: ("open", index),
    Stimulus.RETURNED: lambda index: ("ran", index, "finished"),
    Stimulus.RAISED: lambda index: ("ran", index, "failed"),
    Stimulus.CANCELLED: lambda index: ("cancel", index),
}


@dataclass
class Tally:
    """What was gone through; states `judged` in any graph are not looked at again, None: each graph by itself."""

    graphs: int = 0
    states: int = 0
    deeds: int = 0
    outcomes: set[tuple[str, ...]] = field(default_factory=set)  # of all tasks, whichever had which
    judged: set[bytes] | None = None


def refine(
    graph: Graph,
    policy: Policy,
    cancels: bool = False,
    tally: Tally | None = None,
    late: bool = False,
    spawns: int = 0,
    splits: bool = False,
) -> Tally:
    """Take both through every schedule and every failure of a graph; states seen before are not gone through again.

    `cancels`: any task that has not opened may be cancelled. `late`: tasks are armed one by one. `spawns`: so many come
    while others run. `splits`: a running task may have two bodies at work.
    """
    tally = tally or Tally()
    tally.graphs += 1
    pair = Pair(graph, policy, cancels, late, spawns, splits)
    here: set[object] = set()
    agenda: list[tuple[Any, ...]] = [(pair.save(), None, ())]
    while agenda:
        saved, deed, path = agenda.pop()
        pair.restore(saved)
        try:
            if deed is not None:
                pair.do(deed)
            if _is_new(pair, here, tally.judged):
                deeds = _judged(pair, tally)
                saved = pair.save()
                agenda += ((saved, each, (*path, each)) for each in deeds)
        except AssertionError as error:
            error.add_note(f"after {[(str(each[0]), *each[1:]) for each in path]} in {graph}")
            raise
    return tally


def _is_new(pair: Pair, here: set[object], judged: set[bytes] | None) -> bool:
    key: Any = pair.key() if judged is None else pair.residue.parts(pair)
    if key in here:
        return False
    here.add(key)
    if judged is None:
        return True
    known = len(judged)
    judged.add(canonical(key))
    return len(judged) > known


def _judged(pair: Pair, tally: Tally) -> list[Deed]:
    """Hold the two against each other in a state; what may be done next."""
    tally.states += 1
    deeds = pair.deeds()
    pair.agree(deeds)
    pair.kernel.check()
    if not deeds:
        assert not pair.kernel.nodes, f"nothing can happen, and these are open: {list(pair.kernel.nodes)}"
        tally.outcomes.add(tuple(sorted(str(node.outcome) for node in pair.nodes)))
    deeds += pair.spawnings()
    tally.deeds += len(deeds)
    return deeds
