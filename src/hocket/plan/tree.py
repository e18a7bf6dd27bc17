"""Trees of tasks, in two spellings that mean the same.

By levels, as in YOrch: `task_tree().root(a).node(1, b).node(2, c).node(1, d)`; a node's parent is the nearest node
before it that is one level up. By nesting: `task_tree(a, task_tree(b, c), d)`; a tree is a task and what hangs below
it. Neither recurses, so that a chain of a million tasks is a tree like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import Any

from hocket.errors import PlanError, Refused
from hocket.plan.bind import Bound, as_bound

__all__ = ["Fanout", "Row", "TaskTree", "task_tree"]


class Fanout(Enum):
    """How the children of a task may share its payload."""

    AUTO = "auto"  # one that changes or takes it, or any number that read it
    SHARED_READONLY = "shared_readonly"  # nobody changes or takes it
    CONSUME_WITH_COPIES = "consume_with_copies"  # copies are made before the one that takes it runs

    __hash__ = object.__hash__


_WRITTEN = 60  # tasks of a tree that its text shows

Row = tuple[int, Bound, Fanout]
"""One node: its level, its task, and how its children share."""


class _Branch:
    __slots__ = ("below", "fanout", "task")

    def __init__(self, task: Bound, fanout: Fanout) -> None:
        self.task, self.fanout = task, fanout
        self.below: list[_Branch] = []


class TaskTree:
    """A tree under construction: `root` and `node` add to it and return it.

    Two trees are equal if they have the same tasks at the same places.
    """

    def __init__(self) -> None:
        self._root: _Branch | None = None
        self._path: list[_Branch] = []  # the node that was added last, and everything above it
        self._nested = False

    def root(self, task: Any, *sources: Any, fanout: Fanout | str = Fanout.AUTO, **options: Any) -> TaskTree:
        """The first task. Raises PlanError when there is one."""
        return self.node(0, task, *sources, fanout=fanout, **options)

    def node(
        self, level: int, task: Any, *sources: Any, fanout: Fanout | str = Fanout.AUTO, **options: Any
    ) -> TaskTree:
        """One more task, below the nearest one before it that is a level higher.

        `task` is bound already, or a callable with its sources and what else `bind` takes. Raises PlanError when a
        level is left out, and for what `bind` would refuse; Refused when the tree is a part of another by now.
        """
        if self._nested:
            raise Refused("a tree", "built on", "part of another tree", "built before it is nested")
        bound = task if isinstance(task, Bound) and not (sources or options) else as_bound(task, sources, **options)
        if not (level == 0 and self._root is None) and not 1 <= level <= len(self._path):
            raise _misplaced(level, bound.name, len(self._path))
        branch = _Branch(bound, fanout if fanout is Fanout.AUTO else Fanout(fanout))
        if level == 0:
            self._root = branch
        else:
            self._path[level - 1].below.append(branch)
        del self._path[level:]
        self._path.append(branch)
        return self

    def rows(self) -> Iterator[Row]:
        """Every node, parents before children, siblings in order."""
        agenda = [] if self._root is None else [(0, self._root)]
        while agenda:
            level, branch = agenda.pop()
            yield level, branch.task, branch.fanout
            for child in reversed(branch.below):
                agenda.append((level + 1, child))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskTree):
            return NotImplemented
        return list(self.rows()) == list(other.rows())

    __hash__ = None  # type: ignore[assignment]  # it changes while it is built

    def __repr__(self) -> str:
        shown = ["  " * level + task.name for level, task, _ in islice(self.rows(), _WRITTEN + 1)]
        return "\n".join(shown[:_WRITTEN] + ["…"] * (len(shown) > _WRITTEN)) or "(no task)"

    def _nest(self, tree: TaskTree) -> None:
        if tree._root is None:
            raise PlanError("empty", "task_tree", "has a part without a task", "leave it out")
        tree._nested = True
        self._path[0].below.append(tree._root)


def task_tree(task: Any = None, *below: Any, fanout: Fanout | str = Fanout.AUTO) -> TaskTree:
    """A tree: without arguments an empty one, to be built by `.root` and `.node`; else a task, and what is below it.

    Each of `below` is a tree, or a task without anything below it.

    >>> from hocket.plan.sources import borrow_prev
    >>> def five() -> int: return 5
    >>> def double(n) -> int: return 2 * n
    >>> by_levels = task_tree().root(five).node(1, double, borrow_prev).node(1, five)
    >>> from hocket.plan.bind import bind
    >>> by_levels == task_tree(five, bind(double, borrow_prev), five)
    True
    """
    tree = TaskTree()
    if task is None:
        if below:
            raise PlanError("empty", "task_tree", "has tasks below, and none above them", "give the upper one first")
        return tree
    tree.root(task, fanout=fanout)
    for part in below:
        tree._nest(part if isinstance(part, TaskTree) else TaskTree().root(part))
    return tree


def _misplaced(level: int, name: str, depth: int) -> PlanError:
    if depth == 0:
        return PlanError("level", name, f"cannot be at level {level} of an empty tree", "the first is root(…)")
    if level < 1:
        return PlanError("level", name, "cannot be a second root", "a tree has one; use node(1, …)")
    return PlanError("level", name, f"cannot be at level {level}", f"after what is there, 1 to {depth} are possible")
