"""One execution of a program: whose operations are pending, how the objects stand, what happened so far.

Both hosts, the one with threads and the one without, drive this: an actor
*announces* its next operation, the strategy picks one of the *options*, the
execution *performs* it by its row, and the actor goes on with the result. It
holds no thread and runs no user code, so what it says can be replayed by anybody.

The `Cast` outlives executions: it gives actors and objects numbers that mean the
same in every execution, from who created them as its how-many-th. The numbers are
those of one exploration; the names of actors and the births of objects are the
same in every exploration and every process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hocket.explore.semantics import FINISHED, ROWS
from hocket.trace.event import Event
from hocket.trace.operation import Actor, Operation
from hocket.trace.schedule import MAIN, Schedule, Step, child_name

__all__ = ["Cast", "Choice", "Execution"]

_event: Callable[[tuple[Any, ...]], Event] = partial(tuple.__new__, Event)  # Event(...) would be most of a step

Choice = tuple[Actor, int]
"""Who goes on, and with which alternative of its operation."""


_ABSENT = object()
_NOBODY = {-1: "outside", -2: "unknown"}  # who made what was there before, and what came from where nobody looks


class Cast:
    """The actors and objects of one exploration, numbered in order of first appearance, and their names."""

    __slots__ = ("_actors", "_objects", "actors", "births", "objects")

    def __init__(self) -> None:
        self.actors: list[str] = [MAIN]
        self.objects: list[str] = []
        self.births: list[tuple[str, str, int]] = []  # for each object its creator, family and number: stable for ever
        self._actors: dict[tuple[Actor, int], Actor] = {}
        self._objects: dict[tuple[Actor, int, str], int] = {}

    def actor(self, creator: Actor, number: int) -> Actor:
        """The actor that `creator` makes as its `number`-th (from 1)."""
        key = (creator, number)
        index = self._actors.get(key)
        if index is None:
            index = self._actors[key] = len(self.actors)
            self.actors.append(child_name(self.actors[creator], number))
        return index

    def object(self, creator: Actor, number: int, family: str, name: str = "") -> int:
        """The object that `creator` makes as its `number`-th of this family, e.g. its second "lock"."""
        key = (creator, number, family)
        index = self._objects.get(key)
        if index is None:
            index = self._objects[key] = len(self.objects)
            maker = self.actors[creator] if creator >= 0 else _NOBODY[creator]
            self.births.append((maker, family, number))
            self.objects.append(name or f"{family}{number}" + (f"@{self.actors[creator]}" if creator else ""))
        return index

    def table(self) -> list[list[list[Any]]]:
        """The cast as plain values: each actor by creator and number, each object by these, its family and its name."""
        objects = zip(self._objects, self.objects, strict=True)
        return [[list(key) for key in self._actors], [[*key, name] for key, name in objects]]

    def adopt(self, table: list[list[list[Any]]]) -> tuple[list[Actor], list[int]]:
        """Take in the cast of another process; answers for each of its actors and objects the number here."""
        actors = [0]
        for creator, number in table[0]:
            actors.append(self.actor(actors[creator], number))
        made = [(actors[creator] if creator >= 0 else creator, *rest) for creator, *rest in table[1]]
        return actors, [self.object(*key) for key in made]


class Execution:
    """One run of the program, from the first operation to the last."""

    __slots__ = ("_made", "_ran", "_undo", "before", "cast", "events", "initial", "last", "pending", "states",
                 "threads")

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.pending: list[Operation | None] = [None] * len(cast.actors)
        self.states: dict[int, Any] = {}
        self.initial: dict[int, Any] = {}  # the first state of each object
        self.events: list[Event] = []
        self.before: list[Any] = []  # for each event the states of its objects before it, as its row sees them
        self.last: Actor = 0  # who ran last
        self.threads: dict[Actor, int] = {}  # actor -> its thread object
        self._made: dict[tuple[Actor, str], int] = {}
        self._ran: dict[Actor, Any] = {}  # for each actor that has ended the state of its thread before
        # what was changed besides performing: (after so many events, where, key, old value)
        self._undo: list[tuple[int, dict[Any, Any], Any, Any]] = []

    def copy(self) -> Execution:
        """The same, as far as it has come; a host that always starts alike begins with a copy of its start."""
        other = Execution.__new__(Execution)
        other.cast, other.last = self.cast, self.last
        other.pending, other.events, other.before = self.pending.copy(), self.events.copy(), self.before.copy()
        other.states, other.threads, other._made = self.states.copy(), self.threads.copy(), self._made.copy()
        other.initial, other._ran, other._undo = self.initial.copy(), self._ran.copy(), []
        return other

    def set(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        """`where[key] = value`, to be taken back by `rewind`; for whatever a host keeps about an execution."""
        if self.events:
            self._undo.append((len(self.events), where, key, where.get(key, _ABSENT)))
        where[key] = value

    def drop(self, where: dict[Any, Any], key: Any) -> None:
        """`del where[key]`, to be taken back by `rewind`."""
        self._undo.append((len(self.events), where, key, where.pop(key)))

    def rewind(self, length: int) -> None:
        """Go back to where only the first `length` events had happened; every actor stands before its operation again.

        For hosts that can put their actors back; the others start anew and replay.
        """
        events, pending, states, before = self.events, self.pending, self.states, self.before
        undo, ran = self._undo, self._ran
        for number in range(len(events), length, -1):
            if undo and undo[-1][0] >= number:
                self._take_back(number)
            actor, operation, _, _, _ = events.pop()
            if actor in ran:
                states[self.threads[actor]] = ran.pop(actor)
            state, objects = before.pop(), operation[1]
            if len(objects) == 1:
                states[objects[0]] = state
            else:
                states.update(zip(objects, state, strict=True))
            pending[actor] = operation
            if operation[0] == "thread.spawn":
                pending[operation[2]] = None
        self.last = events[-1][0] if events else 0

    # -- what the host reports

    def new_actor(self, creator: Actor) -> Actor:
        """Number the next actor of `creator`; its thread object is made with it. It runs once it announces."""
        actor = self.cast.actor(creator, self._next(creator, "actor"))
        while len(self.pending) <= actor:
            self.pending.append(None)
        self.set(self.threads, actor, self.new_object(creator, "thread", None))
        return actor

    def new_object(self, creator: Actor, family: str, state: Any, name: str = "") -> int:
        """Number the next object of `creator` of this family; `state` is its first state, as the rows read it."""
        index = self.cast.object(creator, self._next(creator, family), family, name)
        self.set(self.states, index, state)
        self.set(self.initial, index, state)
        return index

    def announce(self, actor: Actor, operation: Operation) -> None:
        """`actor` has come to `operation` and waits to be chosen."""
        self.pending[actor] = operation

    def finish(self, actor: Actor) -> None:
        """`actor` has no operation left: whoever joins it may go on."""
        self.pending[actor] = None
        thread = self.threads.get(actor)
        if thread is not None:
            self._ran[actor] = self.states[thread]
            self.states[thread] = FINISHED

    # -- what the strategy asks

    def options(self) -> list[Choice]:
        """Everything that may happen next, by actor and alternative."""
        found: list[Choice] = []
        for actor, operation in enumerate(self.pending):
            if operation is not None:
                found += [(actor, alternative) for alternative in self.alternatives(actor, operation)]
        return found

    def alternatives(self, actor: Actor, operation: Operation) -> list[int]:
        """The alternatives of a pending operation that are possible now; empty if it is blocked."""
        row = ROWS[operation[0]]
        if row.always_possible:
            return [0]
        ways = range(row.alternatives(operation.argument))
        state = self.state_of(operation)
        return [way for way in ways if row.enabled(state, actor, operation.argument, way)]

    def state_of(self, operation: Operation) -> Any:
        """The present states of its objects, as its row sees them."""
        if len(operation.objects) == 1:
            return self.states[operation.objects[0]]
        return tuple(self.states[index] for index in operation.objects)

    def blocked(self) -> list[Actor]:
        """Who has an operation pending; at the end of an execution these wait for ever."""
        return [actor for actor, operation in enumerate(self.pending) if operation is not None]

    def is_over(self) -> bool:
        """Whether nobody has an operation pending: the execution is complete, and nobody is blocked."""
        pending = self.pending
        return pending.count(None) == len(pending)

    def perform(self, actor: Actor, alternative: int = 0) -> Any:
        """Let the pending operation of `actor` happen; the result is what the actor is to see."""
        pending, states = self.pending, self.states
        operation = pending[actor]
        assert operation is not None, f"{self.cast.actors[actor]} was chosen, but it has no operation pending"
        row, objects = ROWS[operation[0]], operation[1]
        if len(objects) == 1:
            index = objects[0]
            state = states[index]
            states[index], result = row.perform(state, actor, operation[2], alternative)
        else:
            state = tuple([states[index] for index in objects])
            after, result = row.perform(state, actor, operation[2], alternative)
            states.update(zip(objects, after, strict=True))
        reads_only = not (row.always_changes or row.changed(result))
        self.events.append(_event((actor, operation, alternative, result, reads_only)))
        self.before.append(state)
        pending[actor] = None
        self.last = actor
        return result

    def schedule(self) -> Schedule:
        """The choices made so far, as a value that prints."""
        names = self.cast.actors
        return Schedule(tuple(Step(names[event.actor], event.alternative) for event in self.events))

    # -- within

    def _next(self, creator: Actor, family: str) -> int:
        number = self._made.get((creator, family), 0) + 1
        self.set(self._made, (creator, family), number)
        return number

    def _take_back(self, length: int) -> None:
        """Undo what was set after so many events, and the operations of actors that did not exist before."""
        undo = self._undo
        while undo and undo[-1][0] >= length:
            _, where, key, old = undo.pop()
            if old is not _ABSENT:
                where[key] = old
                continue
            del where[key]
            if where is self.threads:
                self.pending[key] = None
