"""Tasks as entities of an ECS: the face of specs_task and legion_task, on the kernel.

An entity is a task (a body) or a fork (prongs, no body), made by hand or from a
`seq` / `fork` graph. Nothing runs until it, or something that waits for it, is
*finalised*. A tick is one turn of every runner and one pass of the manager.

This face has no rules of its own. `ecs_entities.py` makes graphs; here is what runs and ends
them. What is left for the manager is to arm what was finalised since its last pass, to hand
on what the kernel freed, and to end graphs that have closed: it looks at what changed and at
nothing else. The originals' authors list what they could not detect, and each of these is an
error that names the entities.

`World` is complete without any ECS; `esper_world.py` puts it on a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import index as as_count
from types import TracebackType
from typing import Any

from hocket.errors import DeadlockError, NoRunner, Orphans, Refused, Tampered
from hocket.kernel import Node, Phase, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.ecs_entities import Entities
from hocket.runtime.entity import EntityTask, OnCompletion, Progress, below, names
from hocket.runtime.ticks import PlainBody, TaskComponent, kind_of

__all__ = ["OnCompletion", "Progress", "TaskComponent", "World"]


class World(Entities):
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
        super().__init__(watch)
        self._runners: dict[type, Any] = {PlainBody: None}
        self._failed: list[EntityTask] = []
        self._tampered: list[Tampered] = []
        self._at_work = False
        self.looks = 0  # how many entities the manager has looked at, in all of its passes

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
        nothing that is left can start; ValueError for a negative number.
        """
        if ticks is not None and as_count(ticks) < 0:
            raise ValueError(f"a world cannot run for {ticks} ticks: a number of ticks is 0 or more")
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

    def _remove(self, task: EntityTask) -> None:
        """An entity is deleted."""

    def _tampering(self, task: EntityTask) -> str:
        """What somebody did to an entity that only the runtime may do, or ''."""
        return ""

    # -- the rest -----------------------------------------------------------------------------------------------------

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
