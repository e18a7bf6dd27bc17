"""Who decides what happens next: three methods, served by every host and implemented by every search.

    while strategy.begin():
        execution = Execution(cast)
        ... whenever all actors stand before an operation:
        choice = strategy.choose(execution)
        ... None: stop here; else execution.perform(*choice), and that actor goes on
        strategy.ended(execution)

`choose` is called inline by whoever runs, so a switch costs nothing where the
same actor goes on. It sees the whole execution: the options, all pending
operations, who ran last. It returns None if nothing can happen any more, or if
it does not want this execution to go on; the host tells these two apart by
`execution.options()`. Refused: a list of enabled actors as an argument, because
a search that follows its plan never looks at it.
"""

from __future__ import annotations

from typing import Protocol

from hocket.errors import DivergenceError
from hocket.explore.execution import Choice, Execution
from hocket.trace.schedule import Schedule

__all__ = ["Keep", "Replay", "Strategy", "prefer_last"]


class Strategy(Protocol):
    """A way to go through the executions of a program.

    `exhaustive`: once `begin` says no, nothing was left out. `fixed`: the next execution begins with the same so many
    steps as the last one; a host that can rewind its actors starts there, the others from 0.
    """

    @property
    def exhaustive(self) -> bool: ...

    @property
    def fixed(self) -> int: ...

    def begin(self) -> bool:
        """Whether another execution is wanted."""
        ...

    def choose(self, execution: Execution) -> Choice | None:
        """Who goes on; None to end this execution here."""
        ...

    def ended(self, execution: Execution) -> None:
        """The execution is over; all actors are gone."""
        ...


def prefer_last(execution: Execution) -> Choice | None:
    """The running actor if it can go on, else the first option: the choice with the fewest switches."""
    options = execution.options()
    last = execution.last
    return next((choice for choice in options if choice[0] == last), options[0] if options else None)


class Keep:
    """One execution, without a needless switch."""

    exhaustive = False
    fixed = 0

    def __init__(self) -> None:
        self._wanted = True

    def begin(self) -> bool:
        wanted, self._wanted = self._wanted, False
        return wanted

    def choose(self, execution: Execution) -> Choice | None:
        return prefer_last(execution)

    def ended(self, execution: Execution) -> None: ...


class Replay(Keep):
    """One execution along a schedule; behind its end, without a needless switch.

    `choose` raises `DivergenceError` at the first step that the program does not offer.
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def choose(self, execution: Execution) -> Choice | None:
        number = len(execution.events)
        if number >= len(self.schedule):
            return prefer_last(execution)
        step = self.schedule.steps[number]
        names = execution.cast.actors
        options = execution.options()
        for choice in options:
            if names[choice[0]] == step.actor and choice[1] == step.alternative:
                return choice
        offered = ", ".join(f"{names[actor]}/{way}" if way else names[actor] for actor, way in options)
        raise DivergenceError(number + 1, f"{step.actor}/{step.alternative}", f"offer {offered or 'nothing'}")
