"""Tasks as entities of an ECS: the face of specs_task and legion_task, on the kernel.

An entity is a task (a body) or a fork (prongs, no body), made by hand or from a
`seq` / `fork` graph. Nothing runs until it, or something that waits for it, is
*finalised*. A tick is one turn of every runner and one pass of the manager.

This face has no rules of its own. Every edge becomes edges of the kernel at once, so
that a cycle is refused by the call that would close it, and a prong's barrier does not
depend on who is finalised. What is left for the manager is to arm what was finalised
since its last pass, to hand on what the kernel freed, and to end graphs that have
closed: it looks at what changed and at nothing else. What may be a prong, may be joined,
may be finalised and may be touched is stored here; the originals' authors list what they
could not detect, and each of these is an error that names the entities.

`World` is complete without any ECS; `esper_world.py` puts it on a real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from hocket.errors import (
    AlreadyJoined,
    DeadlockError,
    EntityError,
    ExpectedFork,
    HasParent,
    NoRunner,
    Orphans,
    Refused,
    Tampered,
)
from hocket.graph import Expression, assemble
from hocket.kernel import Edge, Node, Outcome, Phase, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.entity import EntityTask, OnCompletion, Progress, below, first_open, names
from hocket.runtime.task import error_of
from hocket.runtime.ticks import PlainBody, TaskComponent, Ticks, kind_of

__all__ = ["OnCompletion", "Progress", "TaskComponent", "World"]


Edges = list[tuple[Edge, Node, Node]]
Link = Callable[[Edges], None]


class World:
    """Entities, their runners and their manager, in one thread.

    >>> from hocket import seq, fork, task
    >>> world = World()
    >>> last = world.assemble(seq(task(lambda: print("one")), fork(task(int), task(str)), task(lambda: print("two"))))
    >>> world.run()
    one
    two
    4

    Entities are numbers, counted from 1. Leaving a `with` block is `close()`. Whoever has a loop already calls `tick()`
    in it, or `run_tasks` for each type and `manage` where they see fit. `watch` is told of every opening and closing.
    """

    def __init__(self, watch: Watch | None = None) -> None:
        self._ticks = Ticks(watch=watch, look=self._look)
        self._entities: dict[int, EntityTask] = {}
        self._made = 0
        self._runners: dict[type, Any] = {PlainBody: None}
        self._new: dict[EntityTask, None] = {}  # finalised, or given to a live fork: the next pass begins here
        self._finals: dict[EntityTask, OnCompletion] = {}
        self._failed: list[EntityTask] = []
        self._tampered: list[Tampered] = []
        self._at_work = False
        self.looks = 0  # how many entities the manager has looked at, in all of its passes

    # -- making graphs ------------------------------------------------------------------------------------------------

    def make_task(self, body: TaskComponent | Callable[[], Any] | None, name: str = "") -> int:
        """A new entity that runs `body`: a component once a tick until it is complete, a callable once.

        None makes a point to join at, which runs nothing. Raises TypeError for anything else.
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
        return entity in self._entities

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

    # -- running ------------------------------------------------------------------------------------------------------

    def add_runner(self, kind: type[TaskComponent], data: Any = None) -> None:
        """Run tasks whose body is exactly of this type, giving `data` to their `run`. A type has one runner."""
        if not (isinstance(kind, type) and issubclass(kind, TaskComponent)):
            raise TypeError(f"a runner is for a type of TaskComponent, and {kind!r} is none")
        if kind in self._runners:
            raise Refused(kind.__name__, "given a runner", "being run by another", "one runner for each type of task")
        self._runners[kind] = data

    def tick(self) -> None:
        """One turn of every runner, in the order in which they were added, and one pass of the manager."""
        for kind in list(self._runners):
            self.run_tasks(kind)
        self.manage()

    def run_tasks(self, kind: type) -> int:
        """Call every body of one type that is due, once; returns how many were called.

        Raises Tampered, after the others had their turn, when a task was tampered with: such a task fails.
        """
        if kind not in self._runners:
            name = getattr(kind, "__name__", repr(kind))
            raise Refused(name, "run", "without a runner", "a type given to add_runner")
        with self._working():
            called = self._ticks.run_tasks(kind, self._runners[kind])
        self._tell_tampering()
        return called

    def manage(self) -> int:
        """One pass: arm what was finalised, free what may start, end what has closed. O(what changed).

        Returns how many entities it looked at. Raises NoRunner, after everything else was done, when a finalised graph
        has tasks that nobody would call; it is armed by the first pass after their runners were added.
        """
        before = self.looks
        with self._working():
            roots, self._new = list(self._new), {}
            helpless = self._arm(roots)
            freed, closed = self._ticks.manage()
            self.looks += len(freed) + len(closed)
            for node in closed:
                self._note(node)
            for root in roots:
                if root.is_done:  # it had closed before it was finalised
                    self._end(root)
        self._tell_tampering()
        if helpless:
            raise NoRunner(_without_runner(helpless), [task.entity for task in helpless])
        return self.looks - before

    def run(self, ticks: int | None = None) -> int:
        """Tick until everything that was finalised has closed, or so many times; returns how often it ticked.

        Raises what bodies raised that nobody asked for, several as a group; DeadlockError when no body is due and
        nothing that is left can start.
        """
        ticked = 0
        while self._finals and ticked != ticks:
            self.tick()
            ticked += 1
            if self._finals and not self._new and self._ticks.at_rest:
                raise DeadlockError(*self._stuck())
        if errors := self._unheard():
            raise _all_of(errors)
        return ticked

    # -- ending -------------------------------------------------------------------------------------------------------

    def delete_entity_and_descendants(self, entity: int) -> None:
        """Delete an entity and all that it waits for; what has not started is cancelled.

        Raises Refused, and deletes nothing, when one of them is in the middle of its work.
        """
        self._here()
        doomed = below([self._known(entity)], everything=True)
        for task in doomed:
            if task.node.phase is Phase.RUNNING:
                raise Refused(str(task), "deleted", "running", "not begun, or closed", "What runs ends by itself.")
        for task in doomed:
            if task.node.phase <= Phase.READY:
                self._ticks.tell(Stimulus.CANCELLED, task.node)
        self._delete(doomed)

    def delete_if_complete(self, entity: int) -> bool:
        """Delete an entity and all that it waits for if it has closed; whether it had."""
        self._here()
        closed = self._known(entity).is_done
        if closed:
            self._delete(below([self._known(entity)], everything=True))
        return closed

    def check(self) -> None:
        """Look at every entity. Raises Tampered, naming those that are not as the runtime left them. O(entities)."""
        try:
            self._ticks.kernel.check()
        except AssertionError as error:
            touched = [task for task in self._entities.values() if str(task.node) in str(error)]
            told = f"somebody has changed what only the runtime may: {error}"
            raise Tampered(told, [task.entity for task in touched]) from error
        wrong = [(task, problem) for task in self._entities.values() if (problem := self._tampering(task))]
        if wrong:
            told = "; ".join(f"{task} {problem}" for task, problem in wrong[:8])
            raise Tampered(told, [task.entity for task, _ in wrong])

    def close(self) -> None:
        """Say what would go unnoticed. Raises Orphans, Tampered, and what bodies raised that nobody asked for."""
        self.check()
        errors = self._unheard()
        if orphans := self.orphans():
            listed = names(self._entities[orphan] for orphan in orphans)
            errors.append(Orphans(f"{listed} will never run: finalise what nothing waits for, or delete it", orphans))
        if errors:
            raise _all_of(errors)

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()

    # -- what an ECS does in its own way ------------------------------------------------------------------------------

    def _here(self) -> None:
        """Raise Refused where entities cannot be reached now."""

    def _number(self) -> int:
        """A number for an entity that is being made."""
        self._made += 1
        return self._made

    def _place(self, task: EntityTask) -> None:
        """An entity was made."""

    def _remove(self, task: EntityTask) -> None:
        """An entity is deleted."""

    def _tampering(self, task: EntityTask) -> str:
        """What somebody did to an entity that only the runtime may do, or ''."""
        return ""

    # -- the rest -----------------------------------------------------------------------------------------------------

    def _make(self, body: Callable[..., Any] | None, name: str, number: int | None = None) -> int:
        if body is not None and not callable(body):
            raise TypeError(f"the body of a task is a TaskComponent, a callable or None, not {body!r}")
        entity = self._number() if number is None else number
        name = name or ("fork" if body is None else getattr(body, "__name__", type(body).__name__))
        node = self._ticks.kernel.add(f"{name}#{entity}", body is not None)
        self._entities[entity] = task = EntityTask(node, body, entity)
        self._place(task)
        return entity

    def _known(self, entity: int) -> EntityTask:
        task = self._entities.get(entity)
        if task is None:
            raise EntityError(
                f"there is no task or fork {entity!r} in this world: it was never made here, or it was deleted; "
                "task(entity), asked for before that, tells how it ended",
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

    def _look(self, task: EntityTask) -> None:
        """Its body is about to be called: a task that was tampered with fails, and whoever ticks is told."""
        problem = self._tampering(task)
        if problem:
            self._tampered.append(Tampered(f"{task} {problem}", (task.entity,)))
            task.exception  # noqa: B018  # whoever ticks is told, so there is nothing to report at the end
            raise self._tampered[-1]

    def _tell_tampering(self) -> None:
        errors, self._tampered = self._tampered, []
        if errors:
            raise _all_of(errors)

    @contextmanager
    def _working(self) -> Iterator[None]:
        if self._at_work:
            raise Refused("the world", "told to tick", "in the middle of a tick", "between two turns")
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False

    def _arm(self, roots: list[EntityTask]) -> list[EntityTask]:
        """Arm these and all below them; returns the tasks that nobody would call, whose graphs wait."""
        helpless: dict[EntityTask, None] = {}
        for root in roots:
            reached = below([root])
            self.looks += 1 + len(reached)
            without = [task for task in reached if task.node.bodied and kind_of(task.body) not in self._runners]
            if without:
                helpless.update(dict.fromkeys(without))
                self._new[root] = None
            for task in () if without else reversed(reached):
                task.wanted = True
                self._arm_one(task)
        return list(helpless)

    def _arm_one(self, task: EntityTask) -> None:
        """Arm an entity, and the forks that it opens inside: whoever wants a prong wants no more of its fork than that.

        A fork runs nothing; so armed, it can be given no predecessor any more, which would come too late.
        """
        agenda = [task]
        for each in agenda:
            if each.node.phase is Phase.IDLE:
                self._ticks.tell(Stimulus.ARMED, each.node)
                self.looks += len(each.within)
                agenda += each.within

    def _unheard(self) -> list[BaseException]:
        """What bodies raised that nobody asked for; this is asking."""
        failed, self._failed = self._failed, []
        return [task.exception for task in failed if not task.taken_note_of() and task.exception is not None]

    def _note(self, node: Node) -> None:
        """A node has closed. A fork is looked at now, because it has no body that could fail."""
        task: Any = node.load
        if task.alive and not node.bodied and (problem := self._tampering(task)):
            self._tampered.append(Tampered(f"{task} {problem}", (task.entity,)))
        if not task.taken_note_of():
            self._failed.append(task)
        if task in self._finals:
            self._end(task)

    def _end(self, root: EntityTask) -> None:
        """A finalised entity has closed: do what was said."""
        on_completion = self._finals.pop(root, OnCompletion.NONE)
        if on_completion is not OnCompletion.NONE:
            doomed = below([root], everything=True)
            self.looks += len(doomed)
            self._delete(doomed[on_completion is OnCompletion.DELETE_DESCENDANTS :])

    def _delete(self, doomed: list[EntityTask]) -> None:
        for task in doomed:
            self._remove(task)
            del self._entities[task.entity]
            self._finals.pop(task, None)
            self._new.pop(task, None)
            task.forget()

    def _stuck(self) -> tuple[str, list[str]]:
        waiting = names(self._finals)
        idle = names(self._entities[orphan] for orphan in self.orphans())
        told = f"no body is due, and {waiting} cannot go on: they wait for {idle}, which was never finalised"
        return told, [self._ticks.kernel.story(task.node) for task in self._finals]


def _all_of(errors: Sequence[BaseException]) -> BaseException:
    """One exception as itself, several as a group."""
    return errors[0] if len(errors) == 1 else BaseExceptionGroup(f"{len(errors)} things went wrong", errors)


def _without_runner(tasks: list[EntityTask]) -> str:
    kinds = ", ".join(dict.fromkeys(kind_of(task.body).__name__ for task in tasks))
    return f"{names(tasks)} would never be called, because nobody runs tasks of type {kinds}: say add_runner({kinds})"
