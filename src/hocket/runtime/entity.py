"""An entity of a tick world: its task, what it waits for, who waits for it, and what others may see of that.

The two kinds of edge of specs_task are stored here because they can be asked for, and
to walk down a graph; what they *mean* stands in the kernel. `Progress` is what a person
(or an ECS, as a component) holds: it shows and cannot be written, because the originals
ask their users not to touch these flags, and cannot tell when they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NoReturn

from hocket.errors import Tampered
from hocket.kernel import Node, Outcome, Phase
from hocket.runtime.task import Task

__all__ = ["Entity", "EntityTask", "OnCompletion", "Progress", "below", "first_open", "names"]


class Entity(int):
    """The number of an entity that knows which world it was made in: in another the same number is somebody else."""

    world: object  # a mark of the world, by identity

    def __new__(cls, number: int, world: object) -> Entity:
        entity = super().__new__(cls, number)
        entity.world = world
        return entity

    def __reduce__(self) -> tuple[type, tuple[int]]:  # elsewhere it is a number
        return int, (int(self),)


class OnCompletion(Enum):
    """What becomes of a finalised entity's graph when it has closed."""

    NONE = "none"  # it stays, to be asked about
    DELETE = "delete"  # it is deleted, with all that it waited for
    DELETE_DESCENDANTS = "delete_descendants"  # all that it waited for is deleted, it stays itself


class EntityTask(Task):
    """A task or a fork as its world keeps it; a handle on how it ended, also after the entity was deleted."""

    __slots__ = ("alive", "entity", "hint", "parents", "progress", "prongs", "single", "wanted", "within")

    def __init__(self, node: Node, body: Callable[..., Any] | None, entity: Entity) -> None:
        super().__init__(node, body)
        self.entity, self.alive = entity, True
        self.wanted = False  # it, or something that waits for it, was finalised, and the manager has been here
        self.single: EntityTask | None = None  # it starts after this one
        self.prongs: list[EntityTask] = []  # of a fork
        self.parents: list[EntityTask] = []  # who has it as single or as prong; none outlives it
        self.within: list[EntityTask] = []  # forks that it opens inside, because a prong's chain begins with it
        self.hint: EntityTask | None = None  # an entity further down its chain: see first_open
        self.progress = Progress(self)

    def forget(self) -> None:
        """The entity is deleted: keep how it ended, and let go of its neighbours."""
        self.alive, self.single, self.hint = False, None, None
        self.prongs, self.parents, self.within = [], [], []

    def __str__(self) -> str:
        return f"{'task' if self.node.bodied else 'fork'} {self.name}"


class Progress:
    """Where an entity stands and what it waits for. Writing raises Tampered."""

    __slots__ = ("_task",)
    _task: EntityTask

    def __init__(self, task: EntityTask) -> None:
        object.__setattr__(self, "_task", task)

    @property
    def is_unblocked(self) -> bool:
        """Whether it may run, or has."""
        return self._task.node.opened or self._task.node.phase is Phase.READY

    @property
    def is_complete(self) -> bool:
        """Whether it has closed, and was not lost."""
        return self._task.outcome is Outcome.FINISHED

    @property
    def outcome(self) -> Outcome | None:
        return self._task.outcome

    @property
    def single(self) -> int | None:
        """The entity that it starts after."""
        return None if self._task.single is None else self._task.single.entity

    @property
    def prongs(self) -> tuple[int, ...]:
        return tuple(prong.entity for prong in self._task.prongs)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self._refuse(name)

    def __delattr__(self, name: str) -> NoReturn:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        told = f"{name} of {self._task} was to be changed from outside; progress and edges are the runtime's to change"
        raise Tampered(told, (self._task.entity,))

    def __repr__(self) -> str:
        return f"<progress of {self._task}: {self._task.node.phase if self.outcome is None else self.outcome}>"


def below(roots: Iterable[EntityTask], everything: bool = False) -> list[EntityTask]:
    """The roots and all that they wait for, each once, parents first: those not wanted so far, or everything.

    What is below something wanted is wanted, or on the manager's list: the first kind of walk ends there.
    """
    reached: dict[EntityTask, None] = {}
    agenda = list(roots)
    while agenda:
        task = agenda.pop()
        if task not in reached and task.alive and (everything or not task.wanted):
            reached[task] = None
            agenda += task.prongs
            if task.single is not None:
                agenda.append(task.single)
    return list(reached)


def first_open(task: EntityTask) -> EntityTask:
    """The first entity of the chain of singles that leads to this one, of those that have not closed.

    That is where a barrier has to be. Whoever was passed on the way remembers the answer, so that forks which share a
    long chain do not walk it again and again (union-find, without ranks).
    """
    passed = []
    while task.single is not None and task.single.outcome is None:
        passed.append(task)
        task = task.hint if task.hint is not None and task.hint.outcome is None else task.single
    for earlier in passed:
        earlier.hint = task
    return task


def names(tasks: Iterable[EntityTask]) -> str:
    """For people: the first few by name, and how many there are beside them."""
    listed = [str(task) for task in tasks]
    shown = ", ".join(listed[:_NAMED]) or "nobody"
    return shown if len(listed) <= _NAMED else f"{shown} and {len(listed) - _NAMED} more"


_NAMED = 8
