"""What an operation does to the states of its objects: pure functions, which the rows of semantics.py put to use.

States are immutable values, a section of them for each kind of object. Each function takes (state or states, actor,
argument, alternative). Of a perform it answers (new state, result), of an enabledness whether the operation is possible
now; what an event wakes is read off its argument and result. Nothing here knows of orders, searches or hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hocket.trace.operation import Actor

State = Any

RUNNING, FINISHED = "running", "finished"


class Raise(NamedTuple):
    """A result that the host raises in the actor: misuse of a primitive, in the words of the standard library."""

    type: type[Exception]
    message: str


# -- a memory cell: any value -----------------------------------------------------------------------------------------


def load(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value, value


def store(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument, None


def swap(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument, value


def add(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value + argument, value


def compare_exchange(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    expected, new = argument
    return (new, True) if value == expected else (value, False)


def update(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return argument(value), value


_WHOLE = (int, bool)


def increment(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
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


def answered(value: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return answer(argument, value) is not False


def awaited(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    said = answer(argument, value)
    return value, value if said is None else said


def until(value: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return value, answer(argument, value)


# -- a key of a container of the program: (whether it is there, nothing) ----------------------------------------------


def there_or_not(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(states[0]) == (alternative == 0)


def bring(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (True, states[1]), alternative == 0


def remove(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (False, states[1]), alternative == 0


# -- locks: None if free, else (owner, depth) -------------------------------------------------------------------------


def free(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return lock is None


def free_or_expired(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((lock is None) == (alternative == 0))


def lock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (actor, 1), True


def try_lock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return ((actor, 1), True) if lock is None else (lock, False)


def unlock(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (None, Raise(RuntimeError, "release unlocked lock")) if lock is None else (None, None)


def taken(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return lock, lock is not None


def free_or_mine(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return lock is None or bool(lock[0] == actor)


def free_or_mine_or_expired(lock: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return free_or_mine(lock, actor, argument, 0) == (alternative == 0)


def enter(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    if lock is None:
        return (actor, 1), True
    return ((actor, lock[1] + 1), True) if lock[0] == actor else (lock, False)


def leave(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    if lock is None or lock[0] != actor:
        return lock, Raise(RuntimeError, "cannot release un-acquired lock")
    return (None if lock[1] == 1 else (actor, lock[1] - 1)), None


# -- semaphores: (value, bound or None) -------------------------------------------------------------------------------


def units(semaphore: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(semaphore[0] > 0)


def units_or_expired(semaphore: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((semaphore[0] > 0) == (alternative == 0))


def take_unit(semaphore: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    value, bound = semaphore
    return ((value - 1, bound), True) if value else (semaphore, False)


def give_units(semaphore: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    value, bound = semaphore
    more = value + (argument or 1)
    if bound is not None and more > bound:
        return semaphore, Raise(ValueError, "Semaphore released too many times")
    return (more, bound), None


# -- conditions: ((waiting, in order), {notified}), each entry (actor, depth of its lock) ------------------------------
# -- their operations concern (condition, lock), and so do the states --------------------------------------------------


def wait(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot wait on un-acquired lock")
    return (((*waiting, (actor, lock[1])), notified), None), None


def notified(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    (_, notified), lock = states
    return lock is None and any(entry[0] == actor for entry in notified)


def notified_or_expired(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    if alternative == 0:
        return notified(states, actor, argument, 0)
    return any(entry[0] == actor for entry in states[0][0])


def resume(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if alternative == 1:  # time is up: it leaves the queue now, and takes the lock in a step of its own
        entry = next(entry for entry in waiting if entry[0] == actor)
        return ((tuple(e for e in waiting if e is not entry), notified), lock), (False, entry[1])
    entry = next(entry for entry in notified if entry[0] == actor)
    return ((waiting, notified - {entry}), entry), (True, entry[1])


def reacquire(lock: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return (actor, argument), None


def notify(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot notify on un-acquired lock")
    count = len(waiting) if argument is None else argument
    woken = waiting[:count]
    return ((waiting[count:], notified.union(woken)), lock), tuple(entry[0] for entry in woken)


def notify_any(states: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    (waiting, notified), lock = states
    if lock is None:
        return states, Raise(RuntimeError, "cannot notify on un-acquired lock")
    if len(waiting) > argument:
        return states, Raise(RuntimeError, f"notify_any is told of at most {argument} that wait, and {len(waiting)} do")
    woken = waiting[alternative:alternative + 1]
    return ((tuple(entry for entry in waiting if entry not in woken), notified.union(woken)), lock), tuple(
        entry[0] for entry in woken)


def waits_there(states: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return alternative == 0 or alternative < len(states[0][0]) <= argument


def woken(argument: Any, result: Any) -> Iterable[Actor]:
    return () if type(result) is Raise else result


# -- events: bool -----------------------------------------------------------------------------------------------------


def set_flag(flag: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return True, None


def clear(flag: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return False, None


def is_set(flag: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(flag)


def is_or_expired(flag: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(flag) == (alternative == 0)


# -- barriers: (parties, (arrived, in order), generation) -------------------------------------------------------------


def arrive(barrier: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    parties, arrived, generation = barrier
    if len(arrived) + 1 == parties:
        return (parties, (), generation + 1), (len(arrived), generation, arrived)
    return (parties, (*arrived, actor), generation), (len(arrived), generation, ())


def released(argument: Any, result: Any) -> Iterable[Actor]:
    released: tuple[Actor, ...] = result[2]
    return released


def opened(barrier: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(barrier[2] > argument)


# -- queues: ((items), capacity or 0) ---------------------------------------------------------------------------------


def space(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return not queue[1] or len(queue[0]) < queue[1]


def space_or_expired(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return space(queue, actor, argument, 0) == (alternative == 0)


def put(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    items, capacity = queue
    return ((*items, argument), capacity), True


def try_put(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return put(queue, actor, argument, 0) if space(queue, actor, argument, 0) else (queue, False)


def stock(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(queue[0])


def stock_or_expired(queue: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(queue[0]) == (alternative == 0)


def get(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    items, capacity = queue
    return (items[1:], capacity), (items[0],)


def try_get(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return get(queue, actor, argument, 0) if queue[0] else (queue, False)


def length(queue: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return queue, len(queue[0])


# -- threads: None, RUNNING, FINISHED; and what has no state ----------------------------------------------------------


def spawn(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return RUNNING, None


def spawned(argument: Any, result: Any) -> Iterable[Actor]:
    return (argument,)


def end(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return FINISHED, None


def finished(thread: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(thread == FINISHED)


def finished_or_expired(thread: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool((thread == FINISHED) == (alternative == 0))


def alive(thread: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return thread, thread == RUNNING


def in_time(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, alternative == 0


def nothing(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, None


def chosen(state: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return state, alternative


# -- event loops: how many callbacks were handed in -------------------------------------------------------------------


def hand_in(count: State, actor: Actor, argument: Any, alternative: int) -> tuple[State, Any]:
    return count + 1, None


def more(count: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(count > argument)


def more_or_expired(count: State, actor: Actor, argument: Any, alternative: int) -> bool:
    return bool(count > argument) == (alternative == 0)
