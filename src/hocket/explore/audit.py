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

It and recorded.py, where one execution is replayed (1), import the rows of the table of
operations, and nothing of the search: no order, race, tree or strategy. Everything is
computed here by definition, and slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocket.explore.certificate import KIND
from hocket.explore.recorded import Flaw, Modes, Run, conflict, perform, possible, told
from hocket.explore.semantics import ROWS, modes_of
from hocket.trace.operation import Operation
from hocket.verdict import Basis, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["audit"]

_CLAIM = "the recorded executions are all classes of the program"


def audit(data: Any) -> Verdict:
    """Holds if the recorded executions are closed under the reversal of races; Violated names what is missing."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        return Unknown(_CLAIM, f"this is no certificate of kind {KIND}")
    try:
        return _judged(data["executions"], _claim(data.get("model", "free")))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        return Unknown(_CLAIM, f"the certificate cannot be read: {type(error).__name__}: {error}")
    except Flaw as flaw:
        return _violated(str(flaw))


def _claim(model: Any) -> str:
    return _CLAIM if model == "free" else f"{_CLAIM}, under model {model}"


def _judged(records: Any, claim: str) -> Verdict:
    numbers: dict[Any, int] = {}
    runs = [Run(record, numbers) for record in records]
    problem = "there is no execution in it" if not runs else _different_programs(runs) or _repeated(runs)
    if problem:
        return _violated(problem)
    obligations = 0
    holders = _holders(runs)
    for number, run in enumerate(runs, 1):
        for race in _races(run):
            obligations += 1
            if not _met(race.identities, holders):
                return _violated(f"execution {number} asks for another: {race.told}")
    return Holds(claim, Basis.EXHAUSTED, counts={"classes": len(runs), "reversals": obligations})


class _Race:
    """A reversal that some execution must contain: the identities of its events, and what it is in words."""

    def __init__(self, identities: list[Any], told: str) -> None:
        self.identities, self.told = identities, told


# -- races, by definition ---------------------------------------------------------------------------------------------


def _races(run: Run) -> Iterator[_Race]:
    """Every reversal that must be found elsewhere."""
    for number, (actor, operation, way) in enumerate(run.steps):
        yield from _reversals(run, number, actor, operation, way, run.modes[number], number - 1)
        for other in range(ROWS[operation.kind].alternatives(operation.argument)):
            if other != way:
                yield from _reversals(run, number, actor, operation, other, modes_of(operation, other), number)
    for actor, operation in run.pending:
        for way in range(ROWS[operation.kind].alternatives(operation.argument)):
            length = len(run.steps)
            yield from _reversals(run, length, actor, operation, way, modes_of(operation, way), length - 1)


def _reversals(run: Run, number: int, actor: Any, operation: Operation, way: int, modes: Modes, start: int
               ) -> Iterator[_Race]:
    covered = run.closure(run.direct(list(range(number)), actor, operation, way, ()))
    for i in range(start, -1, -1):
        if covered >> i & 1 or not (i == number or conflict(run.modes[i], modes)):
            continue
        kept = [k for k in range(i + 1, len(run.steps)) if not run.after(k, i) and not run.after(k, number)]
        states = dict(run.before[i])
        for k in kept:
            perform(states, *run.steps[k])
        if not possible(states, actor, operation, way):
            continue
        covered |= run.past[i] | 1 << i
        yield _race(run, i, kept, states, actor, operation, way)


def _race(run: Run, i: int, kept: list[int], states: dict[Any, Any], actor: Any, operation: Operation, way: int
          ) -> _Race:
    sequence = [*range(i), *kept]
    result = perform(states, actor, operation, way)
    modes = modes_of(operation, way, not ROWS[operation.kind].changed(result))
    direct = run.direct(sequence, actor, operation, way, modes)
    last = run.identity(sequence, actor, operation, way, direct)
    first = run.steps[i]
    words = f"one with {actor}'s {told(operation, way)} before {first[0]}'s {told(*first[1:])} of step {i + 1}"
    return _Race([*(run.identities[k] for k in sequence), last], words)


# -- what all executions have in common -------------------------------------------------------------------------------


def _different_programs(runs: list[Run]) -> str:
    known: dict[Any, Any] = {}
    for number, run in enumerate(runs, 1):
        for situation, then in run.futures:
            if known.setdefault(situation, then) != then:
                return f"execution {number} is of another program: with one past {situation[0]} does two things"
    return ""


def _repeated(runs: list[Run]) -> str:
    seen: dict[Any, int] = {}
    for number, run in enumerate(runs, 1):
        first = seen.setdefault(frozenset(run.identities), number)
        if first != number:
            return f"executions {first} and {number} are of one class"
    return ""


def _holders(runs: list[Run]) -> dict[Any, int]:
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
