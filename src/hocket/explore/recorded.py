"""One recorded execution of a certificate: read, replayed by the table of operations, and put in order by definition.

It is the part of the auditor that looks at one execution alone; what has to hold between
them is in audit.py. It raises `Flaw` where something is recorded that cannot have
happened: a step that is not possible where it stands, an end at which somebody could go
on, a step that no host takes. Like audit.py it imports nothing of the search.
"""

from __future__ import annotations

from typing import Any

from hocket.explore.certificate import read_value
from hocket.explore.semantics import FINISHED, ROWS, Raise, modes_of
from hocket.trace.operation import Operation

__all__ = ["Flaw", "Modes", "Run", "conflict", "perform", "possible", "told"]

Modes = tuple[tuple[Any, str], ...]


class Flaw(Exception):
    """Something recorded that cannot have happened."""


class Run:
    """One recorded execution, replayed.

    An event's identity is a number in `numbers`, which all executions share: equal exactly for equal identities.
    """

    def __init__(self, record: dict[str, Any], numbers: dict[Any, int]) -> None:
        self.numbers = numbers
        self.threads: dict[str, str] = record["threads"]
        self.states: dict[Any, Any] = {name: read_value(state) for name, state in record["objects"]}
        self.steps = [(actor, _read(*operation), way) for actor, *operation, way in record["events"]]
        self.pending: list[tuple[Any, Operation]] = [
            (actor, _read(*operation)) for actor, *operation in record["pending"]]
        self.before: list[dict[Any, Any]] = []
        self.modes: list[Modes] = []
        self.woken: list[tuple[Any, ...]] = []
        self.past: list[int] = []
        self.identities: list[Any] = []
        self.latest: dict[Any, Any] = {}  # each actor's last event, or the one that started it: it stands for the past
        self.futures: list[tuple[Any, Any]] = []  # each actor's past, and what it did then
        self.first = dict(self.states)
        self._arrived: dict[Any, Any] = {}  # whose last step was to arrive: at which barrier, in which generation
        self._begin()
        self._replay()

    def _begin(self) -> None:
        """Who is there from the start, and whose life each thread object is; some have ended before their first step.

        So has a spawned actor that takes no step; it ends when it is spawned.
        """
        spawned = {operation.argument for _, operation, *_ in [*self.steps, *self.pending]
                   if operation.kind == "thread.spawn"}
        moving = {actor for actor, *_ in [*self.steps, *self.pending]}
        everybody = {*self.threads, *spawned, *moving}
        self.idle = everybody - moving
        self.futures.append((("the program", "begins with"), frozenset(everybody - spawned)))
        self.futures += [((actor, "is"), self.threads.get(actor)) for actor in everybody]
        self._end(self.idle - spawned)

    def _end(self, actors: set[Any]) -> None:
        """These have nothing left to do."""
        for actor in actors:
            self.futures.append(((actor, self.latest.get(actor)), "ends"))
            if actor in self.threads:
                self.states[self.threads[actor]] = FINISHED

    def _replay(self) -> None:
        last = {actor: number for number, (actor, _, _) in enumerate(self.steps)}
        blocked = {actor for actor, _ in self.pending}
        asked = {operation.objects[0] for _, operation, *_ in [*self.steps, *self.pending]
                 if operation.kind in ("thread.alive", "thread.join_timed")}
        for number, (actor, operation, way) in enumerate(self.steps):
            state = _state(self.states, operation)
            row = ROWS[operation.kind]
            there = way in range(row.alternatives(operation.argument))
            if not (there and row.enabled(state, actor, operation.argument, way)):
                raise Flaw(f"step {number + 1}, {actor}'s {told(operation, way)}, is not possible where it stands")
            if wrong := self._odd(actor, operation, state):
                raise Flaw(f"step {number + 1}, {actor}'s {told(operation, way)}, is nothing a host does: {wrong}")
            self.before.append(dict(self.states))
            result = perform(self.states, actor, operation, way)
            self._arrived[actor] = (*operation.objects, result[1]) if operation.kind == "barrier.arrive" else None
            self.modes.append(modes_of(operation, way, not row.changed(result)))
            self.woken.append(() if type(result) is Raise else tuple(row.wakes(operation.argument, result)))
            earlier = list(range(number))
            direct = self.direct(earlier, actor, operation, way, self.modes[-1])
            self.past.append(self.closure(direct))
            self.identities.append(self.identity(earlier, actor, operation, way, direct))
            self.futures.append(((actor, self.latest.get(actor)), self._name(operation)))
            self.latest[actor] = self.identities[number]
            for woken in self.woken[number]:
                self.latest.setdefault(woken, self.identities[number])
            if operation.kind == "thread.spawn":
                self._end(self.idle & {operation.argument})
            if last[actor] == number and actor not in blocked:
                self._end({actor})
                if self.threads.get(actor) in asked and operation.kind != "thread.end":
                    raise Flaw(f"it is asked whether {actor} has ended, and its end is no step")
        for actor, operation in self.pending:
            self.futures.append(((actor, self.latest.get(actor)), self._name(operation)))
            ways = range(ROWS[operation.kind].alternatives(operation.argument))
            if any(possible(self.states, actor, operation, way) for way in ways):
                raise Flaw(f"at the end {actor} could still do {told(operation, 0)}")

    def _odd(self, actor: Any, operation: Operation, state: Any) -> str:
        """Why no host asks for this; what no footprint tells, an edge must: a start, an arrival, an end."""
        mine: Any = self.threads.get(actor)
        other: Any = self.threads.get(operation.argument)
        match operation.kind:
            case "thread.spawn" if state is not None or operation.objects != (other,):
                return "a thread is started once, and has its own object"
            case "thread.join" if operation.objects != (other,): return "it is the object of another thread"
            case "thread.end" if operation.objects != (mine,) or state == FINISHED: return "it is not its own"
            case "barrier.pass" if self._arrived.get(actor) != (*operation.objects, operation.argument):
                return "it has not arrived"
        return ""

    def _name(self, operation: Operation) -> Any:
        """The operation, with what its objects were at first: another program may have made them otherwise."""
        return operation.kind, operation.objects, operation.argument, tuple(self.first[o] for o in operation.objects)

    # -- order, by definition

    def direct(self, earlier: list[int], actor: Any, operation: Operation, way: int, modes: Modes) -> list[int]:
        """The events among `earlier` that directly precede the operation."""
        row = ROWS[operation.kind]
        own = [k for k in earlier if self.steps[k][0] == actor]
        wakers = [k for k in earlier if actor in self.woken[k] and (not own or k > own[-1])]
        forced = own[-1:] + (wakers[-1:] if not own or row.modes_for(way).startswith("-") else [])
        if row.follows:
            forced += [k for k in earlier if self.steps[k][0] == operation.argument][-1:]
        return sorted({*forced, *(k for k in earlier if conflict(self.modes[k], modes))})

    def closure(self, events: list[int]) -> int:
        """These events and all that happens before them."""
        closed = 0
        for k in events:
            closed |= self.past[k] | 1 << k
        return closed

    def identity(self, earlier: list[int], actor: Any, operation: Operation, way: int, direct: list[int]) -> Any:
        """What makes an event this one in any execution: who, as its how-many-th, did what, after which others."""
        number = sum(self.steps[k][0] == actor for k in earlier)
        identity = (actor, number, self._name(operation), way, frozenset(self.identities[k] for k in direct))
        return self.numbers.setdefault(identity, len(self.numbers))

    def after(self, k: int, number: int) -> bool:
        """Whether event `k` is event `number`, or comes after it."""
        return k == number or (number < len(self.steps) and bool(self.past[k] >> number & 1))


def possible(states: dict[Any, Any], actor: Any, operation: Operation, way: int) -> bool:
    """Whether it could happen in these states."""
    return ROWS[operation.kind].enabled(_state(states, operation), actor, operation.argument, way)


def _read(kind: str, objects: list[str], argument: Any) -> Operation:
    if kind not in ROWS:
        raise ValueError(f"no operation: {kind!r}")
    return Operation(kind, tuple(objects), read_value(argument))  # type: ignore[arg-type]  # names serve as numbers


def told(operation: Operation, way: int) -> str:
    """The operation for people."""
    argument = "" if operation.argument is None else f"({operation.argument!r})"
    which = f"/{way}" if way else ""
    return f"{operation.kind}{argument}{which} on {', '.join(map(str, operation.objects)) or 'nothing'}"


def conflict(a: Modes, b: Modes) -> bool:
    """Whether two footprints share an object that one of them writes."""
    return any(x == y and "w" in (m, n) for x, m in a for y, n in b)


def _state(states: dict[Any, Any], operation: Operation) -> Any:
    objects = operation.objects
    return states[objects[0]] if len(objects) == 1 else tuple(states[name] for name in objects)


def perform(states: dict[Any, Any], actor: Any, operation: Operation, way: int) -> Any:
    """Let it happen in these states; the result is what its actor sees."""
    new, result = ROWS[operation.kind].perform(_state(states, operation), actor, operation.argument, way)
    states.update(zip(operation.objects, (new,) if len(operation.objects) == 1 else new, strict=True))
    return result
