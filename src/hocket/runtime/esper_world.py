"""A tick world on esper, an ECS for Python: tasks are entities of its world, runners and the manager are processors.

A task's entity has two components of this runtime: the body, under its own type, so that
other processors can query it, and `Progress`, to be read. The body belongs to the
program, and is looked up at each call; a fork has `Progress` only. Runners and manager
run where their priorities put them, so that a program says itself whether bodies come
before the manager in a frame (which is the default) or after.

esper keeps one world "current" for the whole process; each call that touches it is refused
while that is another. Refused as well: hooks into esper's own functions. Whoever
deletes an entity of a graph or takes its components off by `esper.*` is told at the next
turn of that task, or by `check()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hocket.errors import EntityError, MissingExtra, Refused, Tampered
from hocket.kernel.kernel import Watch
from hocket.runtime.ecs import OnCompletion, World
from hocket.runtime.entity import Entity, EntityTask, Progress
from hocket.runtime.ticks import PlainBody, TaskComponent

try:
    import esper
except ImportError as absent:
    raise MissingExtra("esper", "ecs", "a world of tasks on esper") from absent

__all__ = ["EsperWorld", "OnCompletion", "Progress", "TaskComponent"]


class Manager(esper.Processor):
    """The manager's pass as a processor."""

    def __init__(self, world: EsperWorld) -> None:
        self.world = world

    def process(self, *args: Any, **kwargs: Any) -> None:
        self.world.manage()


class Runner(esper.Processor):
    """The base of runners; each type of task gets a class of its own, because esper knows a processor by its class."""

    def __init__(self, world: EsperWorld, kind: type) -> None:
        self.world, self.kind = world, kind

    def process(self, *args: Any, **kwargs: Any) -> None:
        self.world.run_tasks(self.kind)


class EsperWorld(World):
    """Tasks in esper's current world; `esper.process()` is a tick.

    `priority` is that of the manager, and of the runner of plain callables one more: esper begins with the highest.
    Raises Refused when esper's current world has a manager already.
    """

    def __init__(self, priority: int = -1, watch: Watch | None = None) -> None:
        super().__init__(watch)
        self.name = esper.current_world
        if esper.get_processor(Manager) is not None:
            raise Refused(f"esper's world {self.name}", "given a manager", "managed by another", "one manager for each")
        esper.add_processor(Manager(self), priority)
        esper.add_processor(_runner(self, PlainBody), priority + 1)

    def add_runner(self, kind: type[TaskComponent], data: Any = None, priority: int = 0) -> None:
        """As `World.add_runner`; the runner becomes a processor of that priority."""
        self._here()
        super().add_runner(kind, data)
        esper.add_processor(_runner(self, kind), priority)

    def make_task(
        self, body: TaskComponent | Callable[[], Any] | None, name: str = "", entity: int | None = None
    ) -> int:
        """As `World.make_task`; on an `entity` of esper that is there already, which keeps its other components.

        Raises EntityError when that entity does not exist, is a task or fork already, or was made in another world.
        """
        self._here()
        if entity is None:
            return super().make_task(body, name)
        if isinstance(entity, Entity) and entity.world is not self._mark:
            state = "was made in another world"
        elif not esper.entity_exists(entity):
            state = "does not exist"
        else:
            state = "is a task or fork already" if entity in self._entities else ""
        if state:
            raise EntityError(f"entity {entity} {state}: a task takes an entity of esper that is none yet", (entity,))
        return self._make(body, name, entity)

    def tick(self) -> None:
        """One `esper.process()`, with all processors of the world."""
        self._here()
        esper.process()

    def is_alive(self, entity: int) -> bool:
        """Whether the entity is there, for this runtime and for esper."""
        self._here()
        return super().is_alive(entity) and esper.entity_exists(entity)

    # -- esper's own way ----------------------------------------------------------------------------------------------

    def _number(self) -> int:
        self._here()
        entity = esper.create_entity()
        if entity in self._entities:
            esper.delete_entity(entity, immediate=True)
            lost = f"esper counts entities anew, and {self._entities[entity]} is gone: its database was cleared"
            raise Tampered(lost, (entity,))
        return entity

    def _place(self, task: EntityTask) -> None:
        esper.add_component(task.entity, task.progress)
        if task.body is not None:
            esper.add_component(task.entity, task.body, None if isinstance(task.body, TaskComponent) else PlainBody)

    def _remove(self, task: EntityTask) -> None:
        if esper.entity_exists(task.entity):
            esper.delete_entity(task.entity)

    def _look(self, task: EntityTask) -> None:
        super()._look(task)
        if isinstance(task.body, TaskComponent):
            task.body = esper.component_for_entity(task.entity, type(task.body))

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._here()
        with super()._working():
            yield

    def _here(self) -> None:
        if esper.current_world != self.name:
            cure = f"Say esper.switch_world({self.name!r}) first."
            state = f"not current, {esper.current_world!r} is"
            raise Refused(f"esper's world {self.name}", "used", state, "current", cure)

    def _tampering(self, task: EntityTask) -> str:
        self._here()
        return _tampering(task)


def _tampering(task: EntityTask) -> str:
    """What somebody did to an entity by way of esper, or ''."""
    if not esper.entity_exists(task.entity):
        return "was deleted by esper.delete_entity; use delete_entity_and_descendants"
    if esper.try_component(task.entity, Progress) is not task.progress:
        return "has lost its Progress"
    components: tuple[object, ...] = esper.components_for_entity(task.entity)
    bodies = [one for one in components if isinstance(one, TaskComponent)]
    expected = type(task.body) if isinstance(task.body, TaskComponent) else None
    if [type(body) for body in bodies] != ([] if expected is None else [expected]):
        found = ", ".join(type(body).__name__ for body in bodies) or "none"
        wanted = "no TaskComponent" if expected is None else expected.__name__
        return f"should have {wanted} as its body, and has {found}"
    return ""


def _runner(world: EsperWorld, kind: type) -> Runner:
    made: type[Runner] = type(f"Run{kind.__name__}", (Runner,), {"__doc__": f"Calls tasks of type {kind.__name__}."})
    return made(world, kind)
