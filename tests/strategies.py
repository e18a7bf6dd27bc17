"""Random graphs and expressions, shared by all tests; append here, so that the same shapes are tried everywhere."""

from __future__ import annotations

from hypothesis import strategies as st

from hocket.graph import Empty, Fork, Graph, Leaf, Seq, Task, empty, fork, seq

# -- expressions: (what was built, the names of its leaves from left to right) -----------------------------------------


def _grown(parts):
    pieces = st.lists(parts, max_size=4)
    return st.tuples(st.sampled_from(["seq", "fork"]), pieces)


_TREES = st.recursive(st.sampled_from(["task", "empty"]), _grown, max_leaves=9)


def _written(tree, names):
    if tree == "empty":
        return empty()
    if tree == "task":
        names.append(f"t{len(names)}")
        return Leaf(None, names[-1])
    kind, parts = tree
    return (seq if kind == "seq" else fork)(*[_written(part, names) for part in parts])


def _expression(tree):
    names: list[str] = []
    return _written(tree, names), names


EXPRESSIONS = _TREES.map(_expression)
"""A random expression with empties in any place, and the names of its tasks."""


def without_empties(expression):
    """Whether an expression is the empty one, or holds none."""

    def full(part):
        match part:
            case Seq(one, other) | Fork(one, other):
                return full(one) and full(other)
        return isinstance(part, Leaf)

    return isinstance(expression, Empty) or full(expression)


# -- digraphs ----------------------------------------------------------------------------------------------------------


@st.composite
def _digraphs(draw, most=5):
    size = draw(st.integers(0, most))
    pairs = [(one, other) for one in range(size) for other in range(size)]
    edges = draw(st.sets(st.sampled_from(pairs), max_size=8)) if pairs else set()
    return {node: [other for one, other in sorted(edges) if one == node] for node in range(size)}


DIGRAPHS = _digraphs()
"""Successors of up to five nodes; about half of them have a cycle."""


# -- task graphs -------------------------------------------------------------------------------------------------------


@st.composite
def task_graphs(draw, most=8, body=lambda name: None):
    """An acyclic `Graph` of up to `most` tasks: after, hold and inside at random, some without a body.

    A parent holds children later in the list, and what comes after a parent comes after its children in the list:
    the list of tasks is a list of openings that respects every edge, and closes can follow in some order.
    """
    size = draw(st.integers(1, most))
    tasks = tuple(Task(f"t{n}", body(f"t{n}") if draw(st.booleans()) or n == 0 else None) for n in range(size))
    parent = [draw(st.integers(-1, n - 1)) for n in range(size)]  # a forest; -1: no parent
    ancestors: list[set[int]] = []
    for n in range(size):
        ancestors.append(ancestors[parent[n]] | {parent[n]} if parent[n] >= 0 else set())
    last = [max([n, *(m for m in range(size) if n in ancestors[m])]) for n in range(size)]  # its last descendant
    after = {
        (later, earlier)
        for later in range(size)
        for earlier in range(later)
        if last[earlier] < later and draw(st.integers(0, 3)) == 0
    }
    hold = {(parent[n], n) for n in range(size) if parent[n] >= 0}
    inside = {(n, p) for p, n in hold if draw(st.booleans())}
    return Graph(tasks, tuple(sorted(after)), tuple(sorted(inside)), tuple(sorted(hold)))
