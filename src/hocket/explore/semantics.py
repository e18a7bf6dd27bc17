"""What operations mean: one row a kind, read by everybody who needs to know.

The hosts perform these rows, the race analysis asks them whether an operation
could have run earlier, the tests check on them that independent operations
commute, the brute-force oracle and the auditor replay them. So an operation
exists as a row or not at all, and a mistake in a row is seen by all of them.

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
from typing import Any, NamedTuple

from hocket.trace.operation import Actor, Operation

__all__ = ["FINISHED", "ROWS", "RUNNING", "Raise", "Row", "answer", "modes_of", "unread"]

State = Any
Enabled = Callable[[State, Actor, Any, int], bool]
Perform = Callable[[State, Actor, Any, int], tuple[State, Any]]

RUNNING, FINISHED = "running", "finished"


class Raise(NamedTuple):
    """A result that the host raises in the actor: misuse of a primitive, in the words of the standard library."""

    type: type[Exception]
    message: str


def _always(state: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return True


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


# -- a memory cell: any value -----------------------------------------------------------------------------------------


def _load(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value, value


def _store(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument, None


def _swap(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument, value


def _add(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value + argument, value


def _compare_exchange(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    expected, new = argument
    return (new, True) if value == expected else (value, False)


def _update(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument(value), value


_WHOLE = (int, bool)


def _increment(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    """Whole numbers only: others do not commute (0.1, strings), or answer by their own `__add__`."""
    for part in (argument, value):
        if type(part) not in _WHOLE:
            return value, Raise(TypeError, f"increment counts in whole numbers, not in {type(part).__name__}")
    return value + argument, None


def _raise(error: Exception) -> Raise:
    """As this error, or in words if it is of a type that takes more than a message."""
    try:
        type(error)(str(error))
    except Exception:
        return Raise(RuntimeError, f"{type(error).__name__}: {error}")
    return Raise(type(error), str(error))


def answer(holds: Callable[[Any], Any], value: Any) -> Any:
    """What a question says of a value: False if one must wait, None if one may go on, or what it raises."""
    try:
        return None if holds(value) else False
    except Exception as error:
        return _raise(error)


def _answered(value: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return answer(argument, value) is not False


def _await(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    said = answer(argument, value)
    return value, value if said is None else said


def _until(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value, answer(argument, value)


# -- a key of a container of the program: (whether it is there, nothing) ----------------------------------------------


def _there_or_not(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(states[0]) == (alternative == 0)


def _bring(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (True, states[1]), alternative == 0


def _remove(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (False, states[1]), alternative == 0


# -- locks: None if free, else (owner, depth) -------------------------------------------------------------------------


def _free(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return lock is None


def _free_or_expired(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((lock is None) == (alternative == 0))


def _lock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (actor, 1), True


def _try_lock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return ((actor, 1), True) if lock is None else (lock, False)


def _unlock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (None, Raise(RuntimeError, "release unlocked lock")) if lock is None else (None, None)


def _taken(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return lock, lock is not None


def _free_or_mine(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return lock is None or bool(lock[0] == actor)


def _free_or_mine_or_expired(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return _free_or_mine(lock, actor, argument, 0) == (alternative == 0)


def _enter(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    if lock is None:
        return (actor, 1), True
    return ((actor, lock[1] + 1), True) if lock[0] == actor else (lock, False)


def _leave(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    if lock is None or lock[0] != actor:
        return lock, Raise(RuntimeError, "cannot release un-acquired lock")
    return (None if lock[1] == 1 else (actor, lock[1] - 1)), None


# -- semaphores: (value, bound or None) -------------------------------------------------------------------------------


def _units(semaphore: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(semaphore[0] > 0)


def _units_or_expired(semaphore: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((semaphore[0] > 0) == (alternative == 0))


def _take_unit(semaphore: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    value, bound = semaphore
    return ((value - 1, bound), True) if value else (semaphore, False)


def _give_units(semaphore: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    value, bound = semaphore
    more = value + (argument or 1)
    if bound is not None and more > bound:
        return semaphore, Raise(ValueError, "Semaphore released too many times")
    return (more, bound), None


# -- conditions: ((waiting, in order), {notified}), each entry (actor, depth of its lock) ------------------------------
# -- their operations concern (condition, lock), and so do the states --------------------------------------------------


def _wait(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot wait on un-acquired lock")
    return (((*waiting, (actor, lock[1])), notified), None), None


def _notified(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    (_, notified), lock = states
    return lock is None and any(entry[0] == actor for entry in notified)


def _notified_or_expired(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    if alternative == 0:
        return _notified(states, actor, argument, 0)
    return any(entry[0] == actor for entry in states[0][0])


def _resume(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if alternative == 1:  # time is up: it leaves the queue now, and takes the lock in a step of its own
        entry = next(entry for entry in waiting if entry[0] == actor)
        return ((tuple(e for e in waiting if e is not entry), notified), lock), (False, entry[1])
    entry = next(entry for entry in notified if entry[0] == actor)
    return ((waiting, notified - {entry}), entry), (True, entry[1])


def _reacquire(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (actor, argument), None


def _notify(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot notify on un-acquired lock")
    count = len(waiting) if argument is None else argument
    woken = waiting[:count]
    return ((waiting[count:], notified.union(woken)), lock), tuple(entry[0] for entry in woken)


def _notify_any(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot notify on un-acquired lock")
    if len(waiting) > argument:
        return states, Raise(RuntimeError, f"notify_any is told of at most {argument} that wait, and {len(waiting)} do")
    woken = waiting[alternative:alternative + 1]
    return ((tuple(entry for entry in waiting if entry not in woken), notified.union(woken)), lock), tuple(
        entry[0] for entry in woken)


def _waits_there(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return alternative == 0 or alternative < len(states[0][0]) <= argument


def _woken(argument: Any, result: Any) -> Iterable[Actor]:
    return () if type(result) is Raise else result


# -- events: bool -----------------------------------------------------------------------------------------------------


def _set(flag: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return True, None


def _clear(flag: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return False, None


def _is(flag: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(flag)


def _is_or_expired(flag: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(flag) == (alternative == 0)


# -- barriers: (parties, (arrived, in order), generation) -------------------------------------------------------------


def _arrive(barrier: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    parties, arrived, generation = barrier
    if len(arrived) + 1 == parties:
        return (parties, (), generation + 1), (len(arrived), generation, arrived)
    return (parties, (*arrived, actor), generation), (len(arrived), generation, ())


def _released(argument: Any, result: Any) -> Iterable[Actor]:
    released: tuple[Actor, ...] = result[2]
    return released


def _opened(barrier: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(barrier[2] > argument)


# -- queues: ((items), capacity or 0) ---------------------------------------------------------------------------------


def _space(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return not queue[1] or len(queue[0]) < queue[1]


def _space_or_expired(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return _space(queue, actor, argument, 0) == (alternative == 0)


def _put(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    items, capacity = queue
    return ((*items, argument), capacity), True


def _try_put(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return _put(queue, actor, argument, 0) if _space(queue, actor, argument, 0) else (queue, False)


def _stock(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(queue[0])


def _stock_or_expired(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(queue[0]) == (alternative == 0)


def _get(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    items, capacity = queue
    return (items[1:], capacity), (items[0],)


def _try_get(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return _get(queue, actor, argument, 0) if queue[0] else (queue, False)


def _length(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return queue, len(queue[0])


# -- threads: None, RUNNING, FINISHED; and what has no state ----------------------------------------------------------


def _spawn(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return RUNNING, None


def _spawned(argument: Any, result: Any) -> Iterable[Actor]:
    return (argument,)


def _end(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return FINISHED, None


def _finished(thread: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(thread == FINISHED)


def _finished_or_expired(thread: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((thread == FINISHED) == (alternative == 0))


def _alive(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return thread, thread == RUNNING


def _in_time(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, alternative == 0


def _nothing(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, None


def _chosen(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, alternative


# -- event loops: how many callbacks were handed in -------------------------------------------------------------------


def _hand_in(count: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return count + 1, None


def _more(count: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(count > argument)


def _more_or_expired(count: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(count > argument) == (alternative == 0)


def _count(argument: Any) -> int:
    count: int = argument
    return count


_TABLE = (
    # memory: x.load() and its family; an Atomic is a cell
    Row("cell.load", "r", _load),
    Row("cell.store", "w", _store, alike="equal-writes", overwrites=True),
    Row("cell.swap", "w", _swap, overwrites=True),
    Row("cell.add", "w", _add),
    Row("cell.increment", "w", _increment, alike="commuting-adds"),
    Row("cell.compare_exchange", "w", _compare_exchange, changed=_succeeded),
    Row("cell.update", "w", _update),
    Row("cell.await", "r", _await, _answered),
    Row("cell.until", "r", _until, _answered, asks=True),
    # shared data whose values live in the program: who touches what is all that is known
    Row("data.read", "r*", _nothing),
    Row("data.write", "w*", _nothing),
    Row("data.put_at", "rw", _nothing),  # (how long a list is, one of its places)
    # accesses that nobody comes between (model="gil"): the first so many are written, the others read
    *(Row(f"data.mixed{written}", "w" * written + "r*", _nothing) for written in range(1, 5)),
    # one key of a dict, or element of a set: (is it there, which are there); the latter is written if it changes
    Row("data.put", ("w-", "ww"), _bring, _there_or_not, _two),
    Row("data.ensure", ("r-", "ww"), _bring, _there_or_not, _two),
    Row("data.drop", ("ww", "r-"), _remove, _there_or_not, _two),
    # locks that anybody may release
    Row("lock.acquire", "w", _lock, _free),
    Row("lock.try", "w", _try_lock),
    Row("lock.timed", "w", _try_lock, _free_or_expired, _two),
    Row("lock.release", "w", _unlock),
    Row("lock.locked", "r", _taken),
    # re-entrant locks; a host may keep the inner steps to itself, nobody else can see them
    Row("rlock.acquire", "w", _enter, _free_or_mine),
    Row("rlock.try", "w", _enter),
    Row("rlock.timed", "w", _enter, _free_or_mine_or_expired, _two),
    Row("rlock.release", "w", _leave),
    Row("rlock.locked", "r", _taken),
    # semaphores, bounded or not
    Row("semaphore.acquire", "w", _take_unit, _units),
    Row("semaphore.try", "w", _take_unit),
    Row("semaphore.timed", "w", _take_unit, _units_or_expired, _two),
    Row("semaphore.release", "w", _give_units),
    # conditions: objects are (condition, its lock); wait, then resume; a wait that expired goes on with reacquire
    Row("condition.wait", "ww", _wait),
    Row("condition.resume", "-w", _resume, _notified),
    Row("condition.resume_timed", ("-w", "w-"), _resume, _notified_or_expired, _two),
    Row("condition.reacquire", "w", _reacquire, _free),
    Row("condition.notify", "wr", _notify, wakes=_woken),
    # wakes any one of those that wait; the argument is how many these are at most, and so of how many ways it has
    Row("condition.notify_any", "wr", _notify_any, _waits_there, _count, wakes=_woken),
    # events
    Row("event.set", "w", _set, alike="equal-writes"),
    Row("event.clear", "w", _clear, alike="equal-writes"),
    Row("event.is_set", "r", _load),
    Row("event.wait", "r", _load, _is),
    Row("event.timed", "r", _load, _is_or_expired, _two),
    # barriers: arrive, and pass unless one was the last
    Row("barrier.arrive", "w", _arrive, wakes=_released),
    Row("barrier.pass", "-", _nothing, _opened),
    # queues, first in first out; a result is (item,) or False
    Row("queue.put", "w", _put, _space),
    Row("queue.try_put", "w", _try_put),
    Row("queue.timed_put", "w", _try_put, _space_or_expired, _two),
    Row("queue.get", "w", _get, _stock),
    Row("queue.try_get", "w", _try_get),
    Row("queue.timed_get", "w", _try_get, _stock_or_expired, _two),
    Row("queue.length", "r", _length),
    # threads: the argument is the actor; `end` is needed only where somebody may see whether a thread has ended
    Row("thread.spawn", "w", _spawn, wakes=_spawned),
    Row("thread.begin", "-", _nothing),
    Row("thread.end", "w", _end),
    Row("thread.join", "-", _nothing, _finished, follows=True),
    Row("thread.join_timed", "r", _in_time, _finished_or_expired, _two),
    Row("thread.alive", "r", _alive),
    Row("thread.sleep", "", _nothing),
    # where a call of an object under test begins and returns (linear.py); independent of everything
    Row("call", "", _nothing),
    Row("return", "", _nothing),
    # event loops that several threads use: a callback is handed in; a turn begins; nothing is ready, and the loop waits
    # for more than the so many callbacks (its argument) that it knows of, or for its next timer
    Row("loop.hand_in", "w", _hand_in),
    Row("loop.turn", "r", _nothing),
    Row("loop.wait", "r", _nothing, _more),
    Row("loop.timed", "r", _in_time, _more_or_expired, _two),
    # what an event loop leaves open: which of the timers that are due at once, which callback, who is cancelled
    Row("loop.timer", "", _chosen, alternatives=_count),
    Row("loop.next", "", _chosen, alternatives=_count),
    Row("loop.cancel", "", _chosen, alternatives=_count),
    # data choices
    Row("choose", "", _chosen, alternatives=_count),
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
