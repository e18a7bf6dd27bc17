"""The states of a model within a scope, as numbers, and the ways between them.

What searches share: where runs begin, what comes after a state, how a row of states
becomes a run with its events, and how such a run is replayed through the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from hocket.errors import SpecError
from hocket.spec.expand import successors
from hocket.spec.ground import Given
from hocket.spec.layout import Event, State
from hocket.spec.machine import Machine
from hocket.spec.packed import Packed
from hocket.spec.symmetry import symmetry
from hocket.spec.terms import Term
from hocket.spec.traced import Theory

__all__ = ["Space", "told", "way"]


class Space:
    """The states of a theory within a scope, as numbers, up to the symmetry that was asked for."""

    def __init__(
        self,
        theory: Theory,
        scope: Mapping[str, Any],
        given: Given | None,
        symmetric: Collection[str] = (),
        claims: Collection[Term] = (),
    ) -> None:
        self.theory = theory
        self.machine = Machine(theory, scope, given)
        self.group = symmetry(theory, scope, given, symmetric, claims) if symmetric else None
        self.packed = self.group.packed if self.group else Packed(theory, scope, given)
        self.canon = self.group.canon() if self.group and self.group.size > 1 else None

    @cached_property
    def initial(self) -> list[int]:
        """Every initial state for everything that is rigid and not given; raises SpecError if there is none."""
        machine, found = self.machine, dict[int, None]()
        structures = 0
        for rigid in machine.rigids():
            structures += 1
            for state in machine.initial(rigid):
                number = self.packed.pack(state, rigid)
                found[self.canon(number) if self.canon else number] = None
        if not found:
            self._nothing(structures)
        return list(found)

    def _nothing(self, structures: int) -> None:
        """Why there is no initial state."""
        spec = self.theory.spec
        deeds = self.theory.axioms if not structures else self.theory.initial
        names = ", ".join(deed.name for deed in deeds)
        where = spec.deeds[deeds[0].name].line
        if not structures:
            raise SpecError(f"no structure of this size satisfies the axioms {names} of {spec.__name__}", *where)
        raise SpecError(f"{spec.__name__} has no initial state: {names} requires what cannot be", *where)

    @cached_property
    def successors(self) -> Callable[[int], list[tuple[Event, int]]]:
        return successors(self.packed, self.canon)

    @cached_property
    def true_successors(self) -> Callable[[int], list[tuple[Event, int]]]:
        """Without taking anybody for anybody else."""
        return successors(self.packed)

    def path(self, steps: list[int]) -> tuple[int, tuple[Event, ...], int]:
        """A run that goes through these states up to symmetry: where it begins, its events, where it ends."""
        at = start = self._start(steps[0])
        events = []
        for wanted in steps[1:]:
            found = self.true_successors(at)
            event, at = next(one for one in found if (self.canon(one[1]) if self.canon else one[1]) == wanted)
            events.append(event)
        return start, tuple(events), at

    def _start(self, wanted: int) -> int:
        """An initial state of the interpreter's that is the wanted one, up to symmetry."""
        if self.canon is None:
            return wanted
        machine, pack = self.machine, self.packed.pack
        every = (pack(state, rigid) for rigid in machine.rigids() for state in machine.initial(rigid))
        return next(number for number in every if self.canon(number) == wanted)

    def replayed(self, start: int, events: tuple[Event, ...]) -> list[tuple[State, State]]:
        """The states of the interpreter along a run, each with what is rigid; the run has to be possible."""
        state, rigid = self.packed.unpack(start)
        assert state in self.machine.initial(rigid), "a counterexample begins in no initial state"
        along = [(state, rigid)]
        for event in events:
            after = self.machine.step(state, rigid, event)
            assert not isinstance(after, int), f"a counterexample could not be replayed: {event} is refused"
            state = after
            along.append((state, rigid))
        return along

    def decode(self, number: int) -> dict[str, Any]:
        return self.machine.decode(*self.packed.unpack(number))


def way(came: Mapping[int, int | None], state: int) -> list[int]:
    """The states that led here, the initial one first."""
    found = [state]
    while (before := came[found[-1]]) is not None:
        found.append(before)
    return found[::-1]


def told(events: Iterable[Event]) -> str:
    """A run in one line."""
    return " · ".join(" ".join(map(str, event)) for event in events) or "nothing"
