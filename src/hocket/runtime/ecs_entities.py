"""Entities as they are made, joined and asked about: the half of a world that runs nothing.

Every edge becomes edges of the kernel at once, so that a cycle is refused by the call that
would close it, and a prong's barrier does not depend on who is finalised. What may be a
prong, may be joined and may be finalised is stored here; what is refused is said with the
entities' names, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.errors import AlreadyJoined, EntityError, ExpectedFork, HasParent
from hocket.graph import Expression, assemble
from hocket.kernel import Edge, Node, Outcome
from hocket.kernel.kernel import Watch
from hocket.runtime.bodies import refuse_body
from hocket.runtime.entity import Entity, EntityTask, OnCompletion, Progress, below, first_open, names
from hocket.runtime.task import error_of
from hocket.runtime.ticks import TaskComponent, Ticks

__all__ = ["Entities"]

Edges = list[tuple[Edge, Node, Node]]
Link = Callable[[Edges], None]


class Entities:
    """The graphs of a world, which are made by hand or from expressions, and what they are asked."""

    def __init__(self, watch: Watch | None = None) -> None:
        self._ticks = Ticks(watch=watch, look=self._look)
        self._entities: dict[int, EntityTask] = {}
        self._made = 0
        self._mark = object()  # of this world, on the entities that it makes
        self._new: dict[EntityTask, None] = {}  # finalised, or given to a live fork: the next pass begins here
        self._finals: dict[EntityTask, OnCompletion] = {}

    def _look(self, task: EntityTask) -> None:
        """The body of a task is about to be called."""

    # -- making graphs ------------------------------------------------------------------------------------------------

    def make_task(self, body: TaskComponent | Callable[[], Any] | None, name: str = "") -> int:
        """A new entity that runs `body`: a component once a tick until it is complete, a callable once.

        None makes a point to join at, which runs nothing. Raises TypeError for anything else, and for what would run
        nothing when it is called (`async def`, a generator function).
        """
        return self._make(body, name)

    def make_fork(self, name: str = "") -> int:
        """A new entity without a body: it closes when all of its prongs have, which open inside it."""
        return self._make(None, name)

    def make_final_task(
        self,
        body: TaskComponent | Callable[[], Any] | None,
        on_completion: OnCompletion = OnCompletion.NONE,
        name: str = "",
    ) -> int:
        """`make_task`, and `finalize` at once."""
        on_completion = OnCompletion(on_completion)
        entity = self.make_task(body, name)
        self.finalize(entity, on_completion)
        return entity

    def add_prong(self, fork: int, prong: int) -> None:
        """`fork` closes only after `prong`, and nothing that leads to the prong starts before the fork opens.

        A fork that has opened takes further prongs until it closes; they are begun by the manager's next pass. Raises
        ExpectedFork for a task (ST-06), HasParent when `prong` is finalised, CycleError, and Refused when the fork has
        closed or what leads to the prong has begun already; nothing is changed then.
        """
        outer, inner = self._known(fork), self._known(prong)
        if outer.node.bodied:
            raise ExpectedFork(f"{outer} is a task, and only a fork has prongs: use make_fork()", (fork,))
        self._not_final(inner, outer)
        self._add_prong(outer, inner, self._link)

    def join(self, parent: int, child: int) -> None:
        """`parent`, a task or a fork, starts after `child` has closed.

        Raises AlreadyJoined when it comes after something already (ST-07), HasParent when `child` is finalised,
        CycleError, and Refused when `parent` has begun; nothing is changed then.
        """
        later, earlier = self._known(parent), self._known(child)
        if later.single is not None:
            raise AlreadyJoined(
                f"{later} already comes after {later.single}, so it cannot come after {earlier} as well: make a fork "
                "of the two, and join that",
                parent,
                later.single.entity,
                child,
            )
        self._not_final(earlier, later)
        self._join(later, earlier, self._link)

    def finalize(self, entity: int, on_completion: OnCompletion = OnCompletion.NONE) -> None:
        """From the manager's next pass on, the entity and all that it waits for run; then do what `on_completion` says.

        Saying it again changes what is done. Raises HasParent when something waits for the entity: then that is to be
        finalised.
        """
        task = self._known(entity)
        if task.parents:
            wait = "waits" if len(task.parents) == 1 else "wait"
            raise HasParent(
                f"{task} cannot be finalised: {names(task.parents)} {wait} for it; finalise what nothing waits for",
                (entity, *(parent.entity for parent in task.parents)),
            )
        self._finals[task] = OnCompletion(on_completion)
        self._new[task] = None

    def assemble(self, graph: Expression, on_completion: OnCompletion = OnCompletion.NONE) -> int | None:
        """Make the entities of a `seq` / `fork` graph and finalise its last one, which is returned.

        The empty graph makes nothing, and gives None. Components are not copied: assembled twice, they are shared.
        """
        entities, last = assemble(graph)
        leaves = [("", None) if leaf is None else (leaf.name, leaf.body) for leaf in entities.tasks]
        for name, body in leaves:
            refuse_body(name, body, awaits=False)
        made = [self._known(self._make(body, name)) for name, body in leaves]
        for later, earlier in entities.single.items():
            self._join(made[later], made[earlier], self._hold)
        for fork, prongs in entities.multi.items():
            for prong in prongs:
                self._add_prong(made[fork], made[prong], self._hold)
        if last is None:
            return None
        self.finalize(made[last].entity, on_completion)
        return made[last].entity

    # -- asking -------------------------------------------------------------------------------------------------------

    def entity_is_complete(self, entity: int) -> bool:
        """Whether a task's body is over, or a fork has closed: what it comes after, and all of its prongs.

        Raises what the body raised, or TaskLost, when it was lost: it will never be complete.
        """
        task = self._known(entity)
        if task.outcome is None:
            return False
        if task.outcome is not Outcome.FINISHED:
            raise error_of(task.node)
        return True

    def is_alive(self, entity: int) -> bool:
        """Whether the entity is there: made, and not deleted."""
        return self._find(entity) is not None

    def task(self, entity: int) -> EntityTask:
        """A handle that outlives the entity: `name`, `outcome`, `is_done`, `exception`, `value()`."""
        return self._known(entity)

    def progress(self, entity: int) -> Progress:
        """Where an entity stands and what it waits for, to be read only."""
        return self._known(entity).progress

    def story(self, entity: int) -> str:
        """A sentence on where an entity stands and why."""
        return self._ticks.kernel.story(self._known(entity).node)

    def count_tasks_in_progress(self) -> int:
        """How many tasks have not closed; forks are not counted. O(entities)."""
        return sum(task.node.bodied and task.outcome is None for task in self._entities.values())

    def orphans(self) -> tuple[int, ...]:
        """Entities that will never run, because neither they nor anything that waits for them was finalised."""
        waiting = set(below(self._new))
        unwanted = (task for task in self._entities.values() if not task.wanted and not task.is_done)
        return tuple(task.entity for task in unwanted if task not in waiting)

    @property
    def now(self) -> int:
        """The number of the tick that is going on, from 1."""
        return self._ticks.now

    # -- what an ECS does in its own way ------------------------------------------------------------------------------

    def _number(self) -> int:
        """A number for an entity that is being made."""
        self._made += 1
        return self._made

    def _place(self, task: EntityTask) -> None:
        """An entity was made."""

    # -- the rest -----------------------------------------------------------------------------------------------------

    def _make(self, body: Callable[..., Any] | None, name: str, number: int | None = None) -> int:
        if body is not None and not callable(body):
            raise TypeError(f"the body of a task is a TaskComponent, a callable or None, not {body!r}")
        name = name or ("fork" if body is None else getattr(body, "__name__", type(body).__name__))
        refuse_body(name, body, awaits=False)
        entity = Entity(self._number() if number is None else number, self._mark)
        node = self._ticks.kernel.add(f"{name}#{entity}", body is not None)
        self._entities[entity] = task = EntityTask(node, body, entity)
        self._place(task)
        return entity

    def _find(self, entity: int) -> EntityTask | None:
        """What an entity of this world is, or a number that says nothing of worlds; None when it is not there."""
        if not isinstance(entity, int) or (isinstance(entity, Entity) and entity.world is not self._mark):
            return None
        return self._entities.get(entity)

    def _known(self, entity: int) -> EntityTask:
        task = self._find(entity)
        if task is None:
            stranger = isinstance(entity, Entity) and entity.world is not self._mark
            why = "it was made in another world" if stranger else "it was never made here, or it was deleted"
            raise EntityError(
                f"there is no task or fork {entity!r} in this world: {why}; task(entity), asked for before that, "
                "tells how it ended",
                (entity,),
            )
        return task

    def _add_prong(self, outer: EntityTask, inner: EntityTask, link: Link) -> None:
        head = first_open(inner)
        edges = [(Edge.HOLD, inner.node, outer.node)]
        if head.outcome is None:
            edges.append((Edge.INSIDE, outer.node, head.node))
        link(edges)
        head.within.append(outer)
        outer.prongs.append(inner)
        inner.parents.append(outer)
        if outer.wanted:
            self._new[inner] = None

    def _join(self, later: EntityTask, earlier: EntityTask, link: Link) -> None:
        head = first_open(earlier)
        inherited = later.within if head.outcome is None else []
        edges = [(Edge.AFTER, earlier.node, later.node)]
        edges += [(Edge.INSIDE, fork.node, head.node) for fork in inherited]
        link(edges)
        head.within += inherited
        later.single = earlier
        earlier.parents.append(later)

    def _link(self, edges: Edges) -> None:
        """All of these edges, or none. None of them closes a circle with another, only with edges that are there."""
        for edge, source, target in edges:
            self._ticks.kernel.admit(edge, source, target)
        self._hold(edges)

    def _hold(self, edges: Edges) -> None:
        """Edges of an expression: of new entities, and without a circle, as `proofs/tree_order_proof.py` shows."""
        for edge, source, target in edges:
            self._ticks.kernel.hold(edge, source, target)

    def _not_final(self, task: EntityTask, parent: EntityTask) -> None:
        if task in self._finals:
            raise HasParent(
                f"{parent} cannot wait for {task}, which is finalised: finalise what nothing waits for, and only that",
                (task.entity, parent.entity),
            )
