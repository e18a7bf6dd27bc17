"""From an expression to entities: tasks with at most one predecessor, and forks with prongs.

This is the data of specs_task: a *single* edge says what an entity comes after,
a fork's *multi* edge lists its prongs, and nothing else is stored. What order
that induces is `order.py`'s to say. A fork inside a fork is the same fork; a
`seq` inside a fork starts anew, so that a fork within it is an entity of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hocket.errors import GraphError
from hocket.graph.algebra import Empty, Expression, Fork, Leaf, Seq

__all__ = ["Entities", "Entity", "assemble"]

Entity = int  # an index into Entities.tasks


@dataclass(slots=True)
class Entities:
    """Tasks and forks under construction, with the two kinds of stored edge.

    `tasks[e]` is the leaf of entity e, or None where e is a fork; `single[e]` is the entity that e comes after;
    `multi[f]` are the prongs of fork f, each by its last entity.
    """

    tasks: list[Leaf | None] = field(default_factory=list)
    single: dict[Entity, Entity] = field(default_factory=dict)
    multi: dict[Entity, list[Entity]] = field(default_factory=dict)

    def make_task(self, leaf: Leaf) -> Entity:
        self.tasks.append(leaf)
        return len(self.tasks) - 1

    def make_fork(self) -> Entity:
        self.tasks.append(None)
        self.multi[len(self.tasks) - 1] = []
        return len(self.tasks) - 1

    def add_prong(self, fork: Entity, prong: Entity) -> None:
        """`fork` closes only when `prong` has. Raises GraphError where `fork` is a task (ST-06)."""
        self._known(fork, prong)
        if fork not in self.multi:
            raise GraphError(f"{self.name(fork)} is a task, and only a fork has prongs: use make_fork()")
        self.multi[fork].append(prong)

    def join(self, later: Entity, earlier: Entity) -> None:
        """`later` comes after `earlier`. Raises GraphError where it comes after something already (ST-07)."""
        self._known(later, earlier)
        if later in self.single:
            raise GraphError(
                f"{self.name(later)} already comes after {self.name(self.single[later])}, so it cannot come after "
                f"{self.name(earlier)} as well: make a fork of the two, and join that"
            )
        self.single[later] = earlier

    def name(self, entity: Entity) -> str:
        leaf = self.tasks[entity]
        return f"fork{entity}" if leaf is None else f"{leaf.name}"

    def _known(self, *entities: Entity) -> None:
        for entity in entities:
            if not 0 <= entity < len(self.tasks):
                raise GraphError(f"there is no entity {entity}; there are {len(self.tasks)}, counted from 0")


def assemble(expression: Expression) -> tuple[Entities, Entity | None]:
    """The entities of an expression and its last one, which closes when all of it has; None for the empty graph.

    Three instructions on two stacks instead of recursion: *build* a part, *join* the two built last into a sequence,
    *prong* the one built last. Raises TypeError for what is no expression.
    """
    stated: object = expression
    if not isinstance(stated, Expression):
        raise TypeError(f"a graph is made of task(f), seq(...) and fork(...), and {stated!r} is none")
    entities = Entities()
    if isinstance(expression, Empty):
        return entities, None
    built: list[tuple[Entity, Entity]] = []  # the first and last entity of each part that is done
    agenda: list[tuple[str, Expression | None, Entity | None]] = [("build", expression, None)]
    while agenda:
        deed, part, within = agenda.pop()
        if deed == "build":
            assert part is not None
            _build(entities, part, within, agenda, built)
        elif deed == "join":
            (then_first, then_last), (first, last) = built.pop(), built.pop()
            entities.join(then_first, last)
            built.append((first, then_last))
        else:
            assert within is not None
            _, last = built.pop()
            if last != within:
                entities.add_prong(within, last)
    return entities, built.pop()[1]


def _build(
    entities: Entities,
    part: Expression,
    within: Entity | None,
    agenda: list[tuple[str, Expression | None, Entity | None]],
    built: list[tuple[Entity, Entity]],
) -> None:
    """Begin one part; `within` is the fork that it is directly a part of."""
    match part:
        case Leaf():
            entity = entities.make_task(part)
            built.append((entity, entity))
        case Seq(first, then):
            agenda += (("join", None, None), ("build", then, None), ("build", first, None))
        case Fork(one, other):
            fork = entities.make_fork() if within is None else within
            built.append((fork, fork))
            agenda += (("prong", None, fork), ("build", other, fork), ("prong", None, fork), ("build", one, fork))
