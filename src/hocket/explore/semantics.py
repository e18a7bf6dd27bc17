"""What operations mean: one row a kind, read by everybody who needs to know.

The hosts perform these rows, the race analysis asks them whether an operation
could have run earlier, the tests check on them that independent operations
commute, the brute-force oracle and the auditor replay them. So an operation
exists as a row or not at all, and a mistake in a row is seen by all of them. What a row
does to states is written in steps.py, by kind of object.

A row acts on the states of its operation's objects, which are immutable values:
the bare state if the operation has one object, else the tuple of them. Its `modes` say, one letter an object, what the
operation may do to it, *from intent*, before it runs, so that a pending
operation has them too: `r` reads, `w` writes, `-` touches nothing that another
operation could see, except through an edge that cannot be reversed (a thread
starts before its first step; a waiter wakes after its notify); a last `*` repeats the letter. A row with
several alternatives (acquired or timed out) has one string for each of them.
A compare-exchange that failed has changed nothing, and is a read afterwards:
`changed` says so. That is valid in both orders because whoever could change its
outcome writes the object, and so still conflicts. Every operation on a lock,
semaphore or queue conflicts with every other on it, also one that failed: classes
are counted so in the literature (and `locked` and `length` only read).

Refused: methods on lock objects, which cannot be enumerated; footprints from
results for pending operations (explorer.md c.4.9); time-outs of what is free
(CPython does not time out on a lock that it could take).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hocket.explore import steps
from hocket.explore.steps import FINISHED, RUNNING, Raise, State, answer
from hocket.trace.operation import Actor, Operation

__all__ = ["FINISHED", "ROWS", "RUNNING", "Raise", "Row", "answer", "modes_of", "unread"]

Enabled = Callable[[State, Actor, Any, int], bool]
Perform = Callable[[State, Actor, Any, int], tuple[State, Any]]


def _always(state: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return True


def _never(state: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return False


def _one(argument: Any) -> int:
    return 1


def _two(argument: Any) -> int:
    return 2


def _nobody(argument: Any, result: Any) -> Iterable[Actor]:
    return ()


def _true(result: Any) -> bool:
    return True


def _succeeded(result: Any) -> bool:
    return result is True


@dataclass(frozen=True, slots=True)
class Row:
    """The meaning of one kind of operation.

    `enabled(state, actor, argument, alternative)` and `perform(...) -> (new state, result)` are pure functions;
    `alternatives(argument)` is how many ways the operation has (a data choice, acquired or timed out);
    `wakes(argument, result)` names the actors whose next operation this event has made possible for good;
    `follows`: the operation comes after the last event of the actor in its argument (a join).
    What a rule of reductions.py may use, if it is switched on: `alike` names the one by which operations of this kind
    commute; `overwrites`: the new state is the argument, whatever the old; `asks`: it depends on the state by whether
    its argument holds of it, and by nothing else.
    """

    kind: str
    modes: str | tuple[str, ...]
    perform: Perform
    enabled: Enabled = _always
    alternatives: Callable[[Any], int] = _one
    changed: Callable[[Any], bool] = _true
    wakes: Callable[[Any, Any], Iterable[Actor]] = _nobody
    follows: bool = False
    alike: str = ""
    overwrites: bool = False
    asks: bool = False

    never_blocks: bool = field(init=False)
    always_changes: bool = field(init=False)
    always_once: bool = field(init=False)  # it has one alternative
    always_possible: bool = field(init=False)  # at any time, and in one way
    always_same: bool = field(init=False)  # possible at any time, with the footprint that it has from intent
    plain: bool = field(init=False)  # nothing but its objects connects it to other actors, and it has one alternative
    wakes_nobody: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "never_blocks", self.enabled is _always)
        object.__setattr__(self, "always_changes", self.changed is _true)
        object.__setattr__(self, "always_once", self.alternatives is _one)
        object.__setattr__(self, "always_possible", self.never_blocks and self.always_once)
        object.__setattr__(self, "always_same", self.never_blocks and self.always_changes)
        object.__setattr__(self, "wakes_nobody", self.wakes is _nobody)
        object.__setattr__(self, "plain", self.always_once and self.wakes_nobody and not self.follows)

    def modes_for(self, alternative: int) -> str:
        """One letter an object: what this alternative may do to it."""
        return self.modes if type(self.modes) is str else self.modes[alternative]


def _count(argument: Any) -> int:
    count: int = argument
    return count


_TABLE = (
    # memory: x.load() and its family; an Atomic is a cell
    Row("cell.load", "r", steps.load),
    Row("cell.store", "w", steps.store, alike="equal-writes", overwrites=True),
    Row("cell.swap", "w", steps.swap, overwrites=True),
    Row("cell.add", "w", steps.add),
    Row("cell.increment", "w", steps.increment, alike="commuting-adds"),
    Row("cell.compare_exchange", "w", steps.compare_exchange, changed=_succeeded),
    Row("cell.update", "w", steps.update),
    Row("cell.await", "r", steps.awaited, steps.answered),
    Row("cell.until", "r", steps.until, steps.answered, asks=True),
    # shared data whose values live in the program: who touches what is all that is known
    Row("data.read", "r*", steps.nothing),
    Row("data.write", "w*", steps.nothing),
    Row("data.put_at", "rw", steps.nothing),  # (how long a list is, one of its places)
    # accesses that nobody comes between (model="gil"): the first so many are written, the others read
    *(Row(f"data.mixed{written}", "w" * written + "r*", steps.nothing) for written in range(1, 5)),
    # one key of a dict, or element of a set: (is it there, which are there); the latter is written if it changes
    Row("data.put", ("w-", "ww"), steps.bring, steps.there_or_not, _two),
    Row("data.ensure", ("r-", "ww"), steps.bring, steps.there_or_not, _two),
    Row("data.drop", ("ww", "r-"), steps.remove, steps.there_or_not, _two),
    # locks that anybody may release
    Row("lock.acquire", "w", steps.lock, steps.free),
    Row("lock.try", "w", steps.try_lock),
    Row("lock.timed", "w", steps.try_lock, steps.free_or_expired, _two),
    Row("lock.release", "w", steps.unlock),
    Row("lock.locked", "r", steps.taken),
    # re-entrant locks; a host may keep the inner steps to itself, nobody else can see them
    Row("rlock.acquire", "w", steps.enter, steps.free_or_mine),
    Row("rlock.try", "w", steps.enter),
    Row("rlock.timed", "w", steps.enter, steps.free_or_mine_or_expired, _two),
    Row("rlock.release", "w", steps.leave),
    Row("rlock.locked", "r", steps.taken),
    # semaphores, bounded or not
    Row("semaphore.acquire", "w", steps.take_unit, steps.units),
    Row("semaphore.try", "w", steps.take_unit),
    Row("semaphore.timed", "w", steps.take_unit, steps.units_or_expired, _two),
    Row("semaphore.release", "w", steps.give_units),
    # conditions: objects are (condition, its lock); wait, then resume; a wait that expired goes on with reacquire
    Row("condition.wait", "ww", steps.wait),
    Row("condition.resume", "-w", steps.resume, steps.notified),
    Row("condition.resume_timed", ("-w", "w-"), steps.resume, steps.notified_or_expired, _two),
    Row("condition.reacquire", "w", steps.reacquire, steps.free),
    Row("condition.notify", "wr", steps.notify, wakes=steps.woken),
    # wakes any one of those that wait; the argument is how many these are at most, and so of how many ways it has
    Row("condition.notify_any", "wr", steps.notify_any, steps.waits_there, _count, wakes=steps.woken),
    # events
    Row("event.set", "w", steps.set_flag, alike="equal-writes"),
    Row("event.clear", "w", steps.clear, alike="equal-writes"),
    Row("event.is_set", "r", steps.load),
    Row("event.wait", "r", steps.load, steps.is_set),
    Row("event.timed", "r", steps.load, steps.is_or_expired, _two),
    # barriers: arrive, and pass unless one was the last
    Row("barrier.arrive", "w", steps.arrive, wakes=steps.released),
    Row("barrier.pass", "-", steps.nothing, steps.opened),
    # queues, first in first out; a result is (item,) or False
    Row("queue.put", "w", steps.put, steps.space),
    Row("queue.try_put", "w", steps.try_put),
    Row("queue.timed_put", "w", steps.try_put, steps.space_or_expired, _two),
    Row("queue.get", "w", steps.get, steps.stock),
    Row("queue.try_get", "w", steps.try_get),
    Row("queue.timed_get", "w", steps.try_get, steps.stock_or_expired, _two),
    Row("queue.length", "r", steps.length),
    # threads: the argument is the actor; `end` is needed only where somebody may see whether a thread has ended
    Row("thread.spawn", "w", steps.spawn, wakes=steps.spawned),
    Row("thread.begin", "-", steps.nothing),
    Row("thread.end", "w", steps.end),
    Row("thread.join", "-", steps.nothing, steps.finished, follows=True),
    Row("thread.join_timed", "r", steps.in_time, steps.finished_or_expired, _two),
    Row("thread.alive", "r", steps.alive),
    Row("thread.sleep", "", steps.nothing),
    Row("poll.vain", "", steps.nothing, _never),  # who went round a loop and changed nothing (shared/spinning.py)
    # where a call of an object under test begins and returns (linear.py); independent of everything
    Row("call", "", steps.nothing),
    Row("return", "", steps.nothing),
    # event loops that several threads use: a callback is handed in; a turn begins; nothing is ready, and the loop waits
    # for more than the so many callbacks (its argument) that it knows of, or for its next timer
    Row("loop.hand_in", "w", steps.hand_in),
    Row("loop.turn", "r", steps.nothing),
    Row("loop.wait", "r", steps.nothing, steps.more),
    Row("loop.timed", "r", steps.in_time, steps.more_or_expired, _two),
    # what an event loop leaves open: which of the timers that are due at once, which callback, who is cancelled
    Row("loop.timer", "", steps.chosen, alternatives=_count),
    Row("loop.next", "", steps.chosen, alternatives=_count),
    Row("loop.cancel", "", steps.chosen, alternatives=_count),
    # data choices
    Row("choose", "", steps.chosen, alternatives=_count),
)

ROWS: dict[str, Row] = {row.kind: row for row in _TABLE}


def _letters(kind: str, count: int, alternative: int) -> str:
    """One letter for each of `count` objects."""
    modes = ROWS[kind].modes_for(alternative)
    return (modes[:-1] + modes[-2] * count)[:count] if modes.endswith("*") else modes


def unread(operation: Operation, alternative: int) -> list[int]:
    """The objects of which this alternative does more than read."""
    modes = _letters(operation.kind, len(operation.objects), alternative)
    return [index for index, mode in zip(operation.objects, modes, strict=True) if mode != "r"]


@lru_cache(maxsize=1 << 16)
def _modes(kind: str, objects: tuple[int, ...], alternative: int, reads_only: bool) -> tuple[tuple[int, str], ...]:
    modes = _letters(kind, len(objects), alternative)
    return tuple(
        (index, "r" if reads_only else mode) for index, mode in zip(objects, modes, strict=True) if mode != "-")


def modes_of(operation: Operation, alternative: int = 0, reads_only: bool = False) -> tuple[tuple[int, str], ...]:
    """The footprint: (object, `r` or `w`) for each object touched; `reads_only` for an event that changed nothing."""
    return _modes(operation.kind, operation.objects, alternative, reads_only)
