"""The recursive definitions of models/trees.py are those of the code: compared on every tree of up to four tasks.

The proof speaks of entities, stored edges and what is reached; here the same tree is built in the model, deed by deed,
and by `assemble`, `induced` and `event_order`, and all of it has to be the same. Fork entities have other numbers in
the two, so a fork is known by the tasks below it.
"""

from __future__ import annotations

from functools import cache
from itertools import count

import pytest

from hocket.graph.algebra import Expression, Fork, Leaf, Seq, task
from hocket.graph.assemble import Entities, assemble
from hocket.graph.order import event_order, induced
from models.trees import Trees
from proofs.deeds import Deeds
from proofs.meaning import reachable

LARGEST = 4  # tasks
SCOPE = {"Tree": LARGEST, "Entity": 2 * LARGEST - 1}


@cache
def trees(size: int, first: int = 0) -> list[Expression]:
    """Every tree over the tasks with these numbers."""
    if size == 1:
        return [task(None, f"t{first}")]
    cuts = [(trees(left, first), trees(size - left, first + left)) for left in range(1, size)]
    return [pair(one, other) for ones, others in cuts for one in ones for other in others for pair in (Seq, Fork)]


class Build:
    """One tree, built by the model's deeds; forks are bound when something else is made of them."""

    def __init__(self, forest: Deeds) -> None:
        self.forest, self.state = forest, forest.start
        self.names: dict[str, str] = {}  # of tasks, by entity
        self.fresh_trees, self.fresh_entities = count(), count()

    def do(self, *event: str) -> None:
        after = self.forest.step(self.state, event)
        assert isinstance(after, bytes), f"{event}: not {after!r}"
        self.state = after

    def entity(self) -> str:
        return f"entity{next(self.fresh_entities)}"

    def whole(self, part: Expression) -> str:
        tree, loose = self.part(part)
        if loose:
            self.do("bind", tree, self.entity())
        return tree

    def part(self, part: Expression) -> tuple[str, bool]:
        match part:
            case Leaf():
                tree, entity = f"tree{next(self.fresh_trees)}", self.entity()
                self.names[entity] = part.name
                self.do("leaf", tree, entity)
                return tree, False
            case Seq(first, then):
                one, other = self.whole(first), self.whole(then)
                self.do("sequence", one, other)
                return one, False
            case Fork(one, other):
                (left, _), (right, _) = self.part(one), self.part(other)
                self.do("together", left, right)
                return left, True
        raise AssertionError(part)


def told(names, single, multi, inside, first, last, closes) -> dict:
    """All that is compared, in names that both sides share: a fork is the set of tasks below it."""
    earlier = dict(single)
    prongs: dict = {}
    for fork, prong in multi:
        prongs.setdefault(fork, []).append(prong)

    def below(entity):
        if entity in names:
            return frozenset({names[entity]})
        return frozenset().union(*map(chain, prongs[entity]))

    def chain(entity):
        return below(entity) | (chain(earlier[entity]) if entity in earlier else frozenset())

    def pairs(relation):
        return {(below(a), below(b)) for a, b in relation}

    return {"single": pairs(single), "multi": pairs(multi), "inside": pairs(inside), "first": below(first),
            "last": below(last), "closes before": pairs(closes)}


def by_the_model(forest, expression: Expression) -> tuple[dict, set]:
    build = Build(forest)
    root = build.whole(expression)
    state = forest.decode(build.state)
    mine = {entity for entity, tree in state["of"] if tree == root}
    assert mine == state["used"]
    found = told(build.names, state["single"], state["multi"], state["inside"], state["first"][root],
                 state["last"][root], state["co"])
    return found, {(build.names[a], build.names[b]) for a, b in state["order"]}


def by_the_code(expression: Expression) -> dict:
    entities, last = assemble(expression)
    graph = induced(entities)
    beyond = reachable(event_order(graph))
    closes = [(a, b) for a in range(len(graph.tasks)) for b in range(len(graph.tasks)) if 2 * b in beyond[2 * a + 1]]
    names = {number: leaf.name for number, leaf in enumerate(entities.tasks) if leaf is not None}
    assert last is not None
    return told(names, graph.after, graph.hold, graph.inside, head(entities, last), last, closes)


def head(entities: Entities, entity: int) -> int:
    while entity in entities.single:
        entity = entities.single[entity]
    return entity


def documented(expression: Expression) -> tuple[set[str], set[tuple[str, str]]]:
    """The order that the documentation promises, by its words."""
    match expression:
        case Leaf():
            return {expression.name}, set()
        case Seq(first, then):
            (ours, order), (theirs, orders) = documented(first), documented(then)
            return ours | theirs, order | orders | {(a, b) for a in ours for b in theirs}
        case Fork(one, other):
            (ours, order), (theirs, orders) = documented(one), documented(other)
            return ours | theirs, order | orders
    raise AssertionError(expression)


@pytest.fixture(scope="module")
def forest():
    return Deeds(Trees, SCOPE)


def test_there_are_51_trees_of_up_to_four_tasks():
    # Catalan(n - 1) shapes with 2 ** (n - 1) ways to label the pairs: 1 + 2 + 2 * 4 + 5 * 8
    assert sum(len(trees(size)) for size in range(1, LARGEST + 1)) == 51


@pytest.mark.parametrize("size", range(1, LARGEST + 1))
def test_model_and_code_make_the_same_of_every_tree(forest, size):
    for expression in trees(size):
        found, order = by_the_model(forest, expression)
        assert found == by_the_code(expression), expression
        assert order == documented(expression)[1], expression
