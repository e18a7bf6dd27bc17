"""What went wrong in an execution, as a value: its kind, its schedule, and in words who did what.

A deadlock is told by its cycle ("t1 holds a and waits for b; t2 holds b and
waits for a"), a waiter that nobody will wake by the notify that came too early.
Nothing here decides whether an execution failed by looking at messages: the
kind follows from how the execution ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from hocket.errors import DeadlockError, ExplorationError
from hocket.explore.failing.conflict import arrows_of, conflict_of
from hocket.explore.failing.livelock import Look, told
from hocket.explore.failing.rows import origin_of, rows_of
from hocket.explore.failing.waiting import cycle_of, is_spinning, pending_of, waits_of, waits_of_tasks
from hocket.explore.threads.control import Actor, Control, End
from hocket.explore.threads.naming import Place, called, place_text
from hocket.render.lanes import Lane, lanes
from hocket.render.page import Interleaving
from hocket.trace.schedule import Schedule, digest_of

__all__ = ["Failure", "digest", "failure_of"]

_BY_CONFLICT = ("assertion", "exception")  # the others say themselves what went wrong


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which the program goes wrong.

    `kind` is "assertion", "exception", "deadlock", "livelock", "leak", "race" or "nondeterminism"; `schedule` leads
    there (`hocket.replay` takes it, as a value or as text); `exception` is what was raised, if anything was; `cycle`
    names the actors of a deadlock that wait for each other, or the steps that a livelock repeats;
    `rows` is the interleaving, and `str()` draws it.
    """

    kind: str
    schedule: Schedule
    message: str
    exception: BaseException | None = field(default=None, repr=False)  # its `__repr__` is the program's, and may raise
    waits: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()
    rows: tuple[Lane, ...] = ()
    actors: tuple[str, ...] = ()
    replayed: bool = False
    preemptions: int = 0
    target: str = ""  # how to name the program on the command line
    flags: str = ""  # and what was visible in it
    origin: str = ""  # where the exception was raised, or where the actors wait
    mattered: str = ""  # the conflict that mattered, in one sentence, where one stands out
    arrows: tuple[tuple[int, int], ...] = ()  # numbers of rows: the second has to come after the first
    body: str = ""  # what to give to hocket.replay, for a program that has no name on the command line

    def __str__(self) -> str:
        return self.drawn()

    def drawn(self, width: int = 80) -> str:
        """The interleaving as lanes, in at most `width` columns."""
        said = f"{self.kind}: {self.message}" + (f"\n{self.mattered}" if self.mattered else "")
        return lanes(said, self.actors, self.rows, self.command(), width)

    def interleaving(self) -> Interleaving:
        """What `hocket.render.page` draws as a page, a picture, or a trace."""
        headline = f"{self.kind}: {self.message}"
        return Interleaving(headline, self.mattered, self.actors, self.rows, self.arrows, self.command())

    def command(self) -> str:
        """What leads here again."""
        if self.body:
            return f"hocket.replay({self.body}, '{self.schedule}')"
        return f"hocket replay {self.target or 'FILE::FUNCTION'} '{self.schedule}'{self.flags}"

    def same_as(self, other: Failure) -> bool:
        """Whether both are the same mistake of the program: kind, type of the exception, and where it was raised."""
        return (self.kind, self._class(), self.origin) == (other.kind, other._class(), other.origin)

    def _class(self) -> tuple[str, str]:
        """By its name: a body that makes the class of its exception makes another one each time."""
        kind = type(self.exception)
        return kind.__module__, kind.__qualname__

    def error(self) -> BaseException:
        """What a replay raises: the program's own exception, or one of ours that carries the evidence."""
        if self.exception is not None:
            return self.exception
        if self.kind == "deadlock":
            return DeadlockError(self.message, self.waits, self.cycle)
        return ExplorationError(f"{self.kind}: {self.message}")


def failure_of(control: Control) -> Failure | None:
    """What went wrong in an execution that is over; None if nothing did, or if it was cut short."""
    telling = _TELLING.get(control.end)
    return telling(control) if telling else None


def digest(control: Control, steps: int | None = None) -> str:
    """What the first `steps` steps did (all, if not said), in six digits that are the same in every process."""
    names = control.session.cast.actors
    events = control.execution.events[:steps]
    # how many places of a container a step writes (`data.mixed3`) depends on how many have been seen so far
    return digest_of((names[event.actor], event.operation.kind.rstrip("0123456789")) for event in events)


# -- by end -----------------------------------------------------------------------------------------------------------


def _failure(control: Control, kind: str, message: str, **more: Any) -> Failure:
    names = called(control)
    present = [names[number] for number in sorted(control.actors)]
    rows = rows_of(control)
    mattered = conflict_of(rows.accesses) if kind in _BY_CONFLICT else ""
    tasks = dict.fromkeys(row.actor for row in rows.lanes if row.actor not in present)
    return Failure(kind, replace(control.execution.schedule(), digest=digest(control)), message,
                   rows=tuple(rows.lanes), actors=(*present, *tasks), arrows=arrows_of(rows.told), mattered=mattered,
                   **more)


def _raised(control: Control) -> Failure | None:
    error, actor = control.error, control.failed
    assert error is not None
    if actor is None:  # the strategy's: a mistake of ours, and no finding about the program
        raise error
    kind = "assertion" if isinstance(error, AssertionError) else "exception"
    lines = _said(error).splitlines()  # pytest explains an assertion on further lines
    said = f": {lines[0]}" if lines else ""
    message = f"{type(error).__name__}{said} in {_name(control, actor)}"
    return _failure(control, kind, message, exception=error, origin=origin_of(error))


def _said(error: BaseException) -> str:
    """What an exception says; that is code of the program, and may raise as well."""
    try:
        return str(error)
    except Exception as other:
        return f"(its text cannot be had: {type(other).__name__})"


def _complete(control: Control) -> Failure | None:
    """Locks that their owner took to its end; a lock that others release is a signal, and may stay taken."""
    pending = control.execution.pending  # of a daemon that waits for ever, which has not ended
    left = [lock for lock in control.held.values()
            if lock.owner is not None and lock.owner.done and pending[lock.owner.number] is None and not lock.sign]
    if not left and not control.leaks:
        return _race(control)
    names = control.session.cast.objects
    held = [f"{_name(control, lock.owner)} has ended and still holds {names[lock._number]}" for lock in left]
    told = "; ".join([*held, *control.leaks])
    return _failure(control, "leak", told, waits=(told,), origin=_unnumbered(told))


def _race(control: Control) -> Failure | None:
    """Two accesses that nothing orders, where data is watched for them."""
    race = control.session.tracker.race if control.session.tracker is not None else None
    if race is None:
        return None
    names = called(control)
    sides = [f"{names[access.actor]} {'writes' if access.mode == 'w' else 'reads'} it at {_stack_text(access.stack)}"
             for access in (race.first, race.second)]
    origin = " / ".join(sorted(f"{place[0]}:{place[1]}" for access in (race.first, race.second)
                               for place in access.stack[:1]))
    return _failure(control, "race", f"nothing orders two accesses to {race.place}: {', and '.join(sides)}",
                    waits=tuple(sides), origin=origin)


def _stack_text(stack: tuple[Place, ...]) -> str:
    return " < ".join(f"{place_text(place[:2])} in {place[2]}" for place in stack) or "?"


def _deadlock(control: Control) -> Failure:
    stuck = [control.actors[number] for number in control.execution.blocked()]
    if any(is_spinning(control, actor) for actor in stuck):
        return _spinning(control, stuck)
    waits = tuple(waits_of(control, actor) for actor in stuck)
    cycle = cycle_of(control, stuck)
    told = [wait for actor, wait in zip(stuck, waits, strict=True) if not cycle or _name(control, actor) in cycle]
    origin = "; ".join(f"{actor.name} {_unnumbered(pending_of(control, actor))}" for actor in stuck)
    waits = tuple(wait for actor in stuck for wait in (waits_of_tasks(control, actor) or [waits_of(control, actor)]))
    return _failure(control, "deadlock", "; ".join(told), waits=waits, cycle=tuple(cycle), origin=origin)


def _spinning(control: Control, stuck: list[Actor]) -> Failure:
    """Somebody polls, and nobody is left who could change what it looks at."""
    spins, names, objects = control.session.spins, called(control), control.session.cast.objects
    assert spins is not None, "somebody has said that they poll"
    rounds = [[event for event in control.execution.events[spins.left[actor.number].since:]
               if event.actor == actor.number] for actor in stuck if is_spinning(control, actor)]
    repeats = "; ".join(told(events, names, objects) for events in rounds)
    waits = tuple(waits_of(control, actor) for actor in stuck)
    origin = "; ".join(f"{actor.name} {_unnumbered(pending_of(control, actor))}" for actor in stuck)
    cycle = tuple(told((event,), names, objects) for events in rounds for event in events)
    message = f"{repeats}: this repeats for ever, and nobody is left to change what it looks at"
    return _failure(control, "livelock", message, waits=waits, cycle=cycle, origin=origin)


def _name(control: Control, actor: Actor) -> str:
    return called(control)[actor.number]


def _unnumbered(text: str) -> str:
    """The same without numbers: which of several objects of one name is `lock#2` differs from session to session."""
    return re.sub(r"\d+", "", text)


def _livelock(control: Control) -> Failure | None:
    """A state that came again under fair turns; whoever replays with a `Look` has seen it."""
    circle = control.strategy.circle if isinstance(control.strategy, Look) else ()
    if not circle:
        return None
    names, objects = called(control), control.session.cast.objects
    steps = tuple(told((event,), names, objects) for event in circle)
    repeats = told(circle, names, objects)
    return _failure(control, "livelock", f"{repeats}: this repeats for ever, though everybody who can go on has turns",
                    cycle=steps, origin=repeats)


def _diverged(control: Control) -> Failure:
    return _failure(control, "nondeterminism",
                    f"{control.error}", origin="nondeterminism")


def _swallowed(control: Control) -> Failure:
    who = _name(control, control.failed) if control.failed is not None else "an actor"
    message = f"{who} catches BaseException in a loop and would not end with its execution; catch Exception instead"
    return _failure(control, "exception", message, origin="swallowed")


_TELLING = {
    End.RAISED: _raised,
    End.COMPLETE: _complete,
    End.DEADLOCK: _deadlock,
    End.ABANDONED: _livelock,
    End.DIVERGED: _diverged,
    End.SWALLOWED: _swallowed,
}
