"""`compile_plan`: from a tree, or from an expression of `seq` and `fork`, to a plan that was checked.

A tree's nodes are numbered as a depth-first run meets them, a graph's as its expression lists them. In a tree a task
takes from its parent. In a graph it takes from the one task before it that has a payload, or, where several have one,
from the task that it names: `borrow_prev(int, of="fetch")`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hocket.errors import PlanError
from hocket.graph import Expression, Graph, Task, event_order, graph_of, ranks
from hocket.plan.bind import Bound, Style, as_bound
from hocket.plan.checks import check
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.signature import UNSAID
from hocket.plan.sources import PREV, Mode, Source
from hocket.plan.tree import Fanout, TaskTree

__all__ = ["compile_plan"]

_GRAPHS = (Expression, Graph)


def compile_plan(source: TaskTree | Expression | Graph) -> Plan:
    """A plan that can be run many times: the nodes, the sources of their arguments, and their slots, all checked.

    >>> from hocket.plan import bind, borrow_prev, task_tree
    >>> def five() -> int: return 5
    >>> plan = compile_plan(task_tree(five, bind(print, borrow_prev(int), returns=None, name="show")))
    Traceback (most recent call last):
    ...
    hocket.errors.PlanError: 'show' has no one concrete signature: it takes *args; wrap it in a function ...
    >>> plan = compile_plan(task_tree(five, bind(lambda n: print(n), borrow_prev(int), returns=None, name="show")))
    >>> plan.names, plan.feeds(1)
    (('five', 'show'), (0,))

    Raises PlanError, the first of: no task; a task that does not say what it returns; and the seven checks of
    `hocket.plan.checks`, in their order. Raises CycleError for a graph whose tasks wait for each other.
    """
    if isinstance(source, TaskTree):
        plan = _of_tree(source)
    elif isinstance(source, _GRAPHS):
        plan = _of_graph(source if isinstance(source, Graph) else graph_of(source))
    else:
        raise TypeError(f"a plan is compiled from a task_tree or from seq and fork, not from {source!r}")
    check(plan)
    return plan


def _refuse_undeclared(tasks: Sequence[Bound]) -> None:
    if not tasks:
        raise PlanError("empty", "the plan", "has no task", "give it a root")
    for task in tasks:
        if task.payload is UNSAID:
            cure = "annotate its return type, or say bind(f, …, returns=T) (None: nothing)"
            raise PlanError("undeclared", task.name, "does not declare its result", cure)


# -- trees ------------------------------------------------------------------------------------------------------------


def _of_tree(tree: TaskTree) -> Plan:
    tasks: list[Bound] = []
    levels, parents, last = array("q"), array("q"), array("q")
    fanouts: dict[int, Fanout] = {}
    path: list[int] = []
    for node, (level, task, fanout) in enumerate(tree.rows()):
        while len(path) > level:
            last[path.pop()] = node - 1
        tasks.append(task)
        levels.append(level)
        parents.append(path[-1] if path else NOBODY)
        last.append(node)
        path.append(node)
        if fanout is not Fanout.AUTO:
            fanouts[node] = fanout
    for closed in path:
        last[closed] = len(tasks) - 1
    _refuse_undeclared(tasks)
    givers = [_from_parent(task, parents[node]) for node, task in enumerate(tasks)]
    owner = _owners(tasks, givers)
    staged = _staged(tasks, parents, fanouts)
    return Plan(True, tuple(tasks), levels, parents, (), givers, owner, last, (), fanouts, staged, ())


def _from_parent(task: Bound, parent: int) -> tuple[int, ...]:
    if not task.sources:
        return ()
    for source in task.sources:
        if source.of:
            cure = "name predecessors in plans made of seq and fork"
            raise PlanError("of", task.name, f"takes from {source.of!r}, and in a tree from its parent only", cure)
    return tuple(parent if source.mode in PREV else NOBODY for source in task.sources)


def _owners(tasks: Sequence[Bound], givers: Sequence[tuple[int, ...]]) -> array[int]:
    """In whose slot each node's payload lies; nodes that give come first."""
    owner = array("q")
    for node, task in enumerate(tasks):
        if task.payload is None:
            owner.append(NOBODY)
        elif task.style is Style.FORWARD:
            giver = max(givers[node], default=NOBODY)
            owner.append(NOBODY if giver == NOBODY else owner[giver])
        else:
            owner.append(node)
    return owner


def _staged(tasks: Sequence[Bound], parents: array[int], fanouts: dict[int, Fanout]) -> frozenset[int]:
    """Nodes with a child that consumes and another that copies."""
    modes: dict[int, set[Mode]] = {node: set() for node, way in fanouts.items() if way is Fanout.CONSUME_WITH_COPIES}
    if modes:
        for node, parent in enumerate(parents):
            if parent in modes:
                modes[parent] |= {source.mode for source in tasks[node].sources}
    return frozenset(node for node, found in modes.items() if {Mode.CONSUME, Mode.COPY} <= found)


# -- graphs -----------------------------------------------------------------------------------------------------------


def _of_graph(graph: Graph) -> Plan:
    chosen = [number for number, task in enumerate(graph.tasks) if task.body is not None]
    above = _above(graph, chosen)
    order = _topological(above)
    chosen, above = [chosen[old] for old in order], _renumbered(above, order)
    tasks = tuple(_named(graph.tasks[number]) for number in chosen)
    _refuse_undeclared(tasks)
    earlier = tuple(tuple(_nearest(above, node)) for node in range(len(tasks)))
    names = [task.name for task in tasks]
    givers = [
        tuple(_giver(tasks, names, above, node, said) for said in task.sources) for node, task in enumerate(tasks)
    ]
    owner = _owners(tasks, givers)
    holders = _holders(owner, givers)
    last = array("q", [max((node, *holders[node])) for node in range(len(tasks))])
    levels = array("q")
    for node in range(len(tasks)):
        levels.append(max((levels[before] + 1 for before in earlier[node]), default=0))
    return Plan(False, tasks, levels, array("q"), earlier, givers, owner, last, holders, {}, frozenset(), tuple(above))


def _named(task: Task) -> Bound:
    """What a graph's task calls, under the name that it has in the graph."""
    body = task.body
    if isinstance(body, Bound) and body.name == task.name:
        return body
    if isinstance(body, Bound):
        return replace(body, name=task.name)
    return as_bound(body, (), name=task.name)


def _above(graph: Graph, chosen: Sequence[int]) -> list[int]:
    """For each chosen task, a bit for each chosen one that has closed when it opens, in every run."""
    following = event_order(graph)
    rank = ranks(graph)
    bit = {2 * number + 1: 1 << place for place, number in enumerate(chosen)}
    reached = dict.fromkeys(following, 0)
    for event in sorted(following, key=rank.__getitem__):
        passed = reached[event] | bit.get(event, 0)
        for later in following[event]:
            reached[later] |= passed
    return [reached[2 * number] for number in chosen]


def _topological(above: Sequence[int]) -> list[int]:
    """The nodes, as listed wherever the order leaves it open (Kahn, the first that is free)."""
    order: list[int] = []
    done, left = 0, list(range(len(above)))
    while left:
        free = next(place for place, node in enumerate(left) if above[node] & ~done == 0)
        node = left.pop(free)
        order.append(node)
        done |= 1 << node
    return order


def _renumbered(above: Sequence[int], order: Sequence[int]) -> list[int]:
    place = {old: new for new, old in enumerate(order)}
    return [sum(1 << place[bit] for bit in _bits(above[old])) for old in order]


def _bits(word: int) -> Iterator[int]:
    while word:
        low = word & -word
        yield low.bit_length() - 1
        word ^= low


def _nearest(above: Sequence[int], node: int) -> Iterator[int]:
    """Those before a node with nobody between."""
    between = 0
    for before in _bits(above[node]):
        between |= above[before]
    return _bits(above[node] & ~between)


def _giver(tasks: Sequence[Bound], names: Sequence[str], above: Sequence[int], node: int, said: Source) -> int:
    if said.mode not in PREV:
        return NOBODY
    if said.of:
        return _called(names, above, node, said.of)
    near = [before for before in _nearest(above, node) if tasks[before].payload is not None]
    if len(near) > 1:
        told = ", ".join(names[before] for before in near)
        cure = f'say whose: {said.mode.value}(of="{names[near[0]]}")'
        raise PlanError("which-prev", names[node], f"has several payloads before it ({told})", cure)
    if near:
        return near[0]
    return next(_nearest(above, node), NOBODY)


def _called(names: Sequence[str], above: Sequence[int], node: int, wanted: str) -> int:
    found = [other for other, name in enumerate(names) if name == wanted]
    if len(found) != 1:
        told = f"takes from {wanted!r}, and {len(found) or 'no'} tasks are called so"
        raise PlanError("of", names[node], told, f"there are: {', '.join(dict.fromkeys(names))}")
    if not above[node] >> found[0] & 1:
        told = f"takes from {wanted!r}, which need not be over when it begins"
        raise PlanError("of", names[node], told, "let it come after that task")
    return found[0]


def _holders(owner: array[int], givers: Iterable[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    found: list[list[int]] = [[] for _ in owner]
    for node, from_whom in enumerate(givers):
        for giver in dict.fromkeys(from_whom):
            if giver != NOBODY and owner[giver] != NOBODY:
                found[owner[giver]].append(node)
    return tuple(tuple(dict.fromkeys(users)) for users in found)
