"""Checks that a certificate leaves no class out, without the search that made it.

What it checks, for a set S of recorded executions:
1. each is one: every step is possible when it happens, and at the end nothing is;
2. they are of one program: it begins with the same actors, and an actor with the same
   past, its own events and all that happened before them, goes on the same way, on
   objects that began the same;
3. S is closed: for every race in every execution of S, some execution of S has the
   race the other way round, with everything that came before it, and in the same order.

Claim (explorer.md c.5): then S contains every class of that program. Suppose class F
is missing. Take E in S and the largest part C that begins both E and F, and the
first event e of F behind C. E meets instead, on the way to e, a conflicting event,
or stays blocked by one, or takes another alternative; that is a race, and its
reversal contains C, and e or at least its actor's operation with less before it
that is not in C. After finitely many reversals it is e itself, in an execution of S
that agrees with F on more than C. The whole argument, and what of it is proved by
solvers, is in docs/explanation/certificate.md and proofs/certificate_*_proof.py.

What it cannot know is whether the recorded program is yours: an execution from which
an actor's last step was cut is one of a program that ends there. Replaying a recorded
execution on the program tells.

It imports the rows of the table of operations, and nothing of the search: no order,
race, tree or strategy. Everything is computed here by definition, and slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocket.explore.certificate import KIND, read_value
from hocket.explore.semantics import FINISHED, ROWS, Raise, modes_of
from hocket.trace.operation import Operation
from hocket.verdict import Basis, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["audit"]

_CLAIM = "the recorded executions are all classes of the program"
Modes = tuple[tuple[Any, str], ...]


def audit(data: Any) -> Verdict:
    """Holds if the recorded executions are closed under the reversal of races; Violated names what is missing."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        return Unknown(_CLAIM, f"this is no certificate of kind {KIND}")
    try:
        return _judged(data["executions"], _claim(data.get("model", "free")))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        return Unknown(_CLAIM, f"the certificate cannot be read: {type(error).__name__}: {error}")
    except _Flaw as flaw:
        return _violated(str(flaw))


def _claim(model: Any) -> str:
    return _CLAIM if model == "free" else f"{_CLAIM}, under model {model}"


def _judged(records: Any, claim: str) -> Verdict:
    numbers: dict[Any, int] = {}
    runs = [_Run(record, numbers) for record in records]
    problem = "there is no execution in it" if not runs else _different_programs(runs) or _repeated(runs)
    if problem:
        return _violated(problem)
    obligations = 0
    holders = _holders(runs)
    for number, run in enumerate(runs, 1):
        for race in run.races():
            obligations += 1
            if not _met(race.identities, holders):
                return _violated(f"execution {number} asks for another: {race.told}")
    return Holds(claim, Basis.EXHAUSTED, counts={"classes": len(runs), "reversals": obligations})


class _Flaw(Exception):
    """Something recorded that cannot have happened."""


class _Race:
    """A reversal that some execution must contain: the identities of its events, and what it is in words."""

    def __init__(self, identities: list[Any], told: str) -> None:
        self.identities, self.told = identities, told


class _Run:
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
                raise _Flaw(f"step {number + 1}, {actor}'s {_told(operation, way)}, is not possible where it stands")
            if wrong := self._odd(actor, operation, state):
                raise _Flaw(f"step {number + 1}, {actor}'s {_told(operation, way)}, is nothing a host does: {wrong}")
            self.before.append(dict(self.states))
            result = _perform(self.states, actor, operation, way)
            self._arrived[actor] = (*operation.objects, result[1]) if operation.kind == "barrier.arrive" else None
            self.modes.append(modes_of(operation, way, not row.changed(result)))
            self.woken.append(() if type(result) is Raise else tuple(row.wakes(operation.argument, result)))
            earlier = list(range(number))
            direct = self._direct(earlier, actor, operation, way, self.modes[-1])
            self.past.append(self._closure(direct))
            self.identities.append(self._identity(earlier, actor, operation, way, direct))
            self.futures.append(((actor, self.latest.get(actor)), self._name(operation)))
            self.latest[actor] = self.identities[number]
            for woken in self.woken[number]:
                self.latest.setdefault(woken, self.identities[number])
            if operation.kind == "thread.spawn":
                self._end(self.idle & {operation.argument})
            if last[actor] == number and actor not in blocked:
                self._end({actor})
                if self.threads.get(actor) in asked and operation.kind != "thread.end":
                    raise _Flaw(f"it is asked whether {actor} has ended, and its end is no step")
        for actor, operation in self.pending:
            self.futures.append(((actor, self.latest.get(actor)), self._name(operation)))
            ways = range(ROWS[operation.kind].alternatives(operation.argument))
            if any(self._possible(self.states, actor, operation, way) for way in ways):
                raise _Flaw(f"at the end {actor} could still do {_told(operation, 0)}")

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

    def _direct(self, earlier: list[int], actor: Any, operation: Operation, way: int, modes: Modes) -> list[int]:
        """The events among `earlier` that directly precede the operation."""
        row = ROWS[operation.kind]
        own = [k for k in earlier if self.steps[k][0] == actor]
        wakers = [k for k in earlier if actor in self.woken[k] and (not own or k > own[-1])]
        forced = own[-1:] + (wakers[-1:] if not own or row.modes_for(way).startswith("-") else [])
        if row.follows:
            forced += [k for k in earlier if self.steps[k][0] == operation.argument][-1:]
        return sorted({*forced, *(k for k in earlier if _conflict(self.modes[k], modes))})

    def _closure(self, events: list[int]) -> int:
        closed = 0
        for k in events:
            closed |= self.past[k] | 1 << k
        return closed

    def _identity(self, earlier: list[int], actor: Any, operation: Operation, way: int, direct: list[int]) -> Any:
        """What makes an event this one in any execution: who, as its how-many-th, did what, after which others."""
        number = sum(self.steps[k][0] == actor for k in earlier)
        identity = (actor, number, self._name(operation), way, frozenset(self.identities[k] for k in direct))
        return self.numbers.setdefault(identity, len(self.numbers))

    # -- races, by definition

    def races(self) -> Iterator[_Race]:
        """Every reversal that must be found elsewhere."""
        for number, (actor, operation, way) in enumerate(self.steps):
            yield from self._reversals(number, actor, operation, way, self.modes[number], number - 1)
            for other in range(ROWS[operation.kind].alternatives(operation.argument)):
                if other != way:
                    yield from self._reversals(number, actor, operation, other, modes_of(operation, other), number)
        for actor, operation in self.pending:
            for way in range(ROWS[operation.kind].alternatives(operation.argument)):
                length = len(self.steps)
                yield from self._reversals(length, actor, operation, way, modes_of(operation, way), length - 1)

    def _reversals(self, number: int, actor: Any, operation: Operation, way: int, modes: Modes, start: int
                   ) -> Iterator[_Race]:
        covered = self._closure(self._direct(list(range(number)), actor, operation, way, ()))
        for i in range(start, -1, -1):
            if covered >> i & 1 or not (i == number or _conflict(self.modes[i], modes)):
                continue
            kept = [k for k in range(i + 1, len(self.steps)) if not self._after(k, i) and not self._after(k, number)]
            states = dict(self.before[i])
            for k in kept:
                _perform(states, *self.steps[k])
            if not self._possible(states, actor, operation, way):
                continue
            covered |= self.past[i] | 1 << i
            yield self._race(i, kept, states, actor, operation, way)

    def _race(self, i: int, kept: list[int], states: dict[Any, Any], actor: Any, operation: Operation, way: int
              ) -> _Race:
        sequence = [*range(i), *kept]
        result = _perform(states, actor, operation, way)
        modes = modes_of(operation, way, not ROWS[operation.kind].changed(result))
        direct = self._direct(sequence, actor, operation, way, modes)
        last = self._identity(sequence, actor, operation, way, direct)
        first = self.steps[i]
        told = f"one with {actor}'s {_told(operation, way)} before {first[0]}'s {_told(*first[1:])} of step {i + 1}"
        return _Race([*(self.identities[k] for k in sequence), last], told)

    def _after(self, k: int, number: int) -> bool:
        return k == number or (number < len(self.steps) and bool(self.past[k] >> number & 1))

    @staticmethod
    def _possible(states: dict[Any, Any], actor: Any, operation: Operation, way: int) -> bool:
        return ROWS[operation.kind].enabled(_state(states, operation), actor, operation.argument, way)


def _read(kind: str, objects: list[str], argument: Any) -> Operation:
    if kind not in ROWS:
        raise ValueError(f"no operation: {kind!r}")
    return Operation(kind, tuple(objects), read_value(argument))  # type: ignore[arg-type]  # names serve as numbers


def _told(operation: Operation, way: int) -> str:
    argument = "" if operation.argument is None else f"({operation.argument!r})"
    which = f"/{way}" if way else ""
    return f"{operation.kind}{argument}{which} on {', '.join(map(str, operation.objects)) or 'nothing'}"


def _conflict(a: Modes, b: Modes) -> bool:
    return any(x == y and "w" in (m, n) for x, m in a for y, n in b)


def _state(states: dict[Any, Any], operation: Operation) -> Any:
    objects = operation.objects
    return states[objects[0]] if len(objects) == 1 else tuple(states[name] for name in objects)


def _perform(states: dict[Any, Any], actor: Any, operation: Operation, way: int) -> Any:
    new, result = ROWS[operation.kind].perform(_state(states, operation), actor, operation.argument, way)
    states.update(zip(operation.objects, (new,) if len(operation.objects) == 1 else new, strict=True))
    return result


def _different_programs(runs: list[_Run]) -> str:
    known: dict[Any, Any] = {}
    for number, run in enumerate(runs, 1):
        for situation, then in run.futures:
            if known.setdefault(situation, then) != then:
                return f"execution {number} is of another program: with one past {situation[0]} does two things"
    return ""


def _repeated(runs: list[_Run]) -> str:
    seen: dict[Any, int] = {}
    for number, run in enumerate(runs, 1):
        first = seen.setdefault(frozenset(run.identities), number)
        if first != number:
            return f"executions {first} and {number} are of one class"
    return ""


def _holders(runs: list[_Run]) -> dict[Any, int]:
    """For each event, by identity, the set of executions that contain it."""
    holders: dict[Any, int] = {}
    for number, run in enumerate(runs):
        for identity in run.identities:
            holders[identity] = holders.get(identity, 0) | 1 << number
    return holders


def _met(identities: list[Any], holders: dict[Any, int]) -> bool:
    """Whether one execution contains all these events."""
    common = -1
    for identity in identities:
        common &= holders.get(identity, 0)
    return common != 0


def _violated(message: str) -> Violated:
    return Violated(_CLAIM, Counterexample(message, replayed=True))
