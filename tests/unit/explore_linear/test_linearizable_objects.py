"""Objects against ordinary sequential classes: the right are proved, each wrong one fails by its shortest calls."""

from __future__ import annotations

import threading
from collections import deque
from queue import Empty
from typing import Any

import pytest

import hocket
from hocket import Atomic, Waits, linearizable
from hocket.errors import DeadlockError, DivergenceError, Refused

# -- sequential classes -----------------------------------------------------------------------------------------------


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def add(self) -> int:
        self.value += 1
        return self.value

    def get(self) -> int:
        return self.value


class Register:
    def __init__(self) -> None:
        self.value = 0

    def write(self, value: int) -> None:
        self.value = value

    def read(self) -> int:
        return self.value


class Queue:
    def __init__(self) -> None:
        self.items: deque[int] = deque()

    def put(self, item: int) -> None:
        self.items.append(item)

    def get(self) -> int:
        if not self.items:
            raise Empty
        return self.items.popleft()


class BlockingQueue(Queue):
    def get(self) -> int:
        if not self.items:
            raise Waits
        return self.items.popleft()


class Stack(Queue):
    def push(self, item: int) -> None:
        self.items.append(item)

    def pop(self) -> int:
        if not self.items:
            raise Empty
        return self.items.pop()


class Account:
    def __init__(self) -> None:
        self.money = 1

    def withdraw(self) -> bool:
        if not self.money:
            return False
        self.money -= 1
        return True


# -- the right ones ---------------------------------------------------------------------------------------------------


def under_a_lock(kind: type) -> Any:
    """The sequential class, each call under one lock."""
    class Locked:
        def __init__(self) -> None:
            self.lock, self.thing = threading.Lock(), kind()

        def __getattr__(self, name: str) -> Any:
            def call(*arguments: Any) -> Any:
                with self.lock:
                    return getattr(self.thing, name)(*arguments)
            return call

    return Locked


@pytest.mark.parametrize(("kind", "table", "scenarios"), [
    (Counter, ["add", "get"], 2 + 4 + 8 + 3 + 8),  # one thread of 1, 2, 3 calls; two of 1+1 (a ≤ b), of 2+1
    (Register, [("write", (1,)), "read"], 25),
    (Queue, [("put", (1,)), "get"], 25),
    (Stack, [("push", (1,)), "pop"], 25),
    (Account, ["withdraw"], 3 + 1 + 1),
])
def test_a_sequential_class_under_one_lock_is_proved(kind, table, scenarios):
    result = linearizable(under_a_lock(kind), kind, table, data="off")
    assert (result.verdict, result.scenarios, result.failure) == ("proved", scenarios, None)
    assert result.executions == result.classes == sum(result.outcomes.values())


def test_a_queue_under_one_lock_answers_in_every_order_and_no_other():
    result = linearizable(under_a_lock(Queue), Queue, [[("put", (1,))], [("put", (2,))], ["get"]], data="off")
    # the 3! orders of the three calls, each one class; the get answers by what came before it
    answers = {}
    for told, classes in result.outcomes.items():
        answer = told.rpartition("→ ")[2]
        answers[answer] = answers.get(answer, 0) + classes
    assert (result.verdict, result.classes, answers) == ("proved", 6, {"raises Empty": 2, "1": 2, "2": 2})


def test_an_atomic_counter_without_a_lock_is_proved():
    class Fetch:
        def __init__(self) -> None:
            self.value = Atomic(0)

        def add(self) -> int:
            return self.value.add(1) + 1

        def get(self) -> int:
            return self.value.load()

    result = linearizable(Fetch, Counter, ["add", "get"], threads=3, size=4)
    assert (result.verdict, result.untracked) == ("proved", ())


class Monitor:
    """A blocking queue on a condition; `wake` is how a put tells."""

    wake = "notify"

    def __init__(self) -> None:
        self.items: deque[int] = deque()
        self.changed = threading.Condition()

    def put(self, item: int) -> None:
        with self.changed:
            self.items.append(item)
            getattr(self.changed, self.wake)()

    def get(self) -> int:
        with self.changed:
            while not self.items:
                self.changed.wait()
            return self.items.popleft()


def test_a_blocking_queue_may_wait_for_ever_exactly_where_the_sequential_one_waits():
    result = linearizable(Monitor, BlockingQueue, [("put", (1,)), "get"], threads=3, data="off")
    assert result.verdict == "proved"
    assert any(told.endswith("get() → waits") for told in result.outcomes)  # one get too many


# -- the wrong ones ---------------------------------------------------------------------------------------------------


def failing(result: Any, *lanes: str) -> str:
    """The failing scenario, which must be this one; its schedule replays, as a value and as text."""
    assert (result.verdict, result.failure.kind, result.failure.replayed) == ("failed", "assertion", True)
    assert str(result.scenario).split("; ") == list(lanes)
    for schedule in (result.failure.schedule, str(result.failure.schedule)):
        with pytest.raises(AssertionError, match="no order explains"):
            hocket.replay(result.scenario, schedule)
    return str(result)


class LostUpdate:
    def __init__(self) -> None:
        self.value = Atomic(0)

    def add(self) -> int:
        seen = self.value.load()
        self.value.store(seen + 1)
        return seen + 1

    def get(self) -> int:
        return self.value.load()


def test_a_lost_update_fails_by_two_calls_and_draws_why():
    told = failing(linearizable(LostUpdate, Counter, ["get", "add"], size=5), "t1: add()", "t2: add()")
    assert "an order can begin with t1's add() → 1; then t2's add() gives 2, and not 1" in told
    assert "t1   |add() → 1|\nt2  |add() → 1──|" in told
    assert "hocket.replay(result.scenario, 'hocket1:" in told


def test_a_scenario_that_was_given_is_made_as_small_as_it_gets():
    result = linearizable(LostUpdate, Counter, [["get", "add", "get"], ["add", "get"], ["get"]])
    failing(result, "t1: add()", "t2: add()")


def test_check_then_act_fails():
    class Checked:
        def __init__(self) -> None:
            self.money = Atomic(1)

        def withdraw(self) -> bool:
            if not self.money.load():
                return False
            self.money.add(-1)
            return True

    failing(linearizable(Checked, Account, ["withdraw"]), "t1: withdraw()", "t2: withdraw()")


def test_a_ring_that_moves_its_tail_before_it_writes_fails():
    class Ring:
        """For one producer and one consumer, two slots; the tail is published before the item."""

        def __init__(self) -> None:
            self.slots = [Atomic(0), Atomic(0)]
            self.head, self.tail = Atomic(0), Atomic(0)

        def put(self, item: int) -> None:
            at = self.tail.load()
            self.tail.store(at + 1)
            self.slots[at % 2].store(item)

        def get(self) -> int:
            at = self.head.load()
            if at == self.tail.load():
                raise Empty
            item = self.slots[at % 2].load()
            self.head.store(at + 1)
            return item

    failing(linearizable(Ring, Queue, [[("put", (1,)), ("put", (2,))], ["get", "get"]]), "t1: put(1)", "t2: get()")


def test_a_stack_whose_nodes_come_back_fails_by_aba():
    class Recycling:
        """Treiber's stack; nodes that were popped are used again, the oldest first, without a version count."""

        def __init__(self) -> None:
            self.head = Atomic(1)  # node 1 lies on node 2
            self.below = {1: Atomic(2), 2: Atomic(0), 3: Atomic(0)}
            self.values = {1: Atomic(10), 2: Atomic(20), 3: Atomic(0)}
            self.free: Atomic[tuple[int, ...]] = Atomic(())

        def pop(self) -> int:
            while True:
                node = self.head.load()
                if not node:
                    raise Empty
                below = self.below[node].load()
                if self.head.compare_exchange(node, below):
                    value = self.values[node].load()
                    self.free.add((node,))
                    return value

        def push(self, value: int) -> None:
            free = self.free.load()
            while free and not self.free.compare_exchange(free, free[1:]):
                free = self.free.load()
            node = free[0] if free else 3  # a new one
            self.values[node].store(value)
            while True:
                below = self.head.load()
                self.below[node].store(below)
                if self.head.compare_exchange(below, node):
                    return

    class Filled(Stack):
        def __init__(self) -> None:
            self.items = deque([20, 10])

    # t1 has read that 2 lies below 1, and sleeps; t2 pops 1 and 2, and pushes node 1 again, on nothing. t1's exchange
    # succeeds, for the head is 1 again, and brings back node 2: somebody gets its 20 for the second time.
    result = linearizable(Recycling, Filled, [["pop"], ["pop", "pop", ("push", (30,)), "pop"]])
    told = failing(result, "t1: pop()", "t2: pop(), pop(), push(30), pop()")
    assert told.count("pop() → 20") >= 2


def test_a_queue_whose_get_misses_fails():
    class Missing:
        """A get that looks at the length first, and at another time takes: in between it may have become empty."""

        def __init__(self) -> None:
            self.items = Atomic(())
            self.lock = threading.Lock()

        def put(self, item: int) -> None:
            with self.lock:
                self.items.store((*self.items.load(), item))

        def get(self) -> int:
            if not self.lock.acquire(blocking=False):
                raise Empty  # "somebody else is at it, so say there is nothing": wrong
            try:
                items = self.items.load()
                if not items:
                    raise Empty
                self.items.store(items[1:])
                return items[0]
            finally:
                self.lock.release()

    # with one put and one get, Empty is always explained (the put still runs); a put that is over must be seen
    result = linearizable(Missing, Queue, [("put", (1,)), "get"], size=4)
    failing(result, "t1: put(1), put(1)", "t2: get()")


def test_a_stale_read_fails_although_its_class_has_an_order_in_which_it_is_legal():
    class Stale:
        """`read` answers from a copy that only `refresh` renews: no operation of write and read conflict."""

        def __init__(self) -> None:
            self.value, self.copy = Atomic(0), Atomic(0)

        def write(self, value: int) -> None:
            self.value.store(value)

        def read(self) -> int:
            return self.copy.load()

    result = linearizable(Stale, Register, [[("write", (1,))], ["read"]])
    assert result.executions <= 2  # one class of the whole, in which the read overlaps the write or comes behind it
    told = failing(result, "t1: write(1)", "t2: read()")
    assert "\nt1  |write(1) → None|\nt2                   |read() → 0|" in told


def test_an_exception_is_an_answer():
    class Wrong(Monitor):
        def get(self) -> int:
            with self.changed:
                return self.items.popleft()  # IndexError, where the sequential class raises Empty

    told = failing(linearizable(Wrong, Queue, ["get"], data="off"), "t1: get()")
    assert "t1's get() gives raises Empty, and not raises IndexError" in told


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_a_put_that_wakes_nobody_leaves_a_get_waiting_that_could_go_on():
    class Silent(Monitor):
        wake = "_is_owned"  # anything that does not notify

    result = linearizable(Silent, BlockingQueue, [("put", (1,)), "get"], data="off")
    assert (result.verdict, result.failure.kind, result.failure.replayed) == ("failed", "deadlock", True)
    assert str(result.scenario) in ("t1: get(); t2: put(1)", "t1: put(1); t2: get()")
    assert "get() never returns, but the sequential object would let it go on" in result.failure.message
    with pytest.raises(DeadlockError):
        hocket.replay(result.scenario, result.failure.schedule)
    with pytest.raises(DeadlockError):
        result.raise_if_failed()


def test_a_call_that_never_waits_in_the_sequential_class_must_return():
    class Crossed:
        """Two locks, taken in both orders."""

        def __init__(self) -> None:
            self.a, self.b = threading.Lock(), threading.Lock()

        def add(self) -> None:
            with self.a, self.b:
                pass

        def get(self) -> None:
            with self.b, self.a:
                pass

    class Nothing:
        def add(self) -> None: ...
        def get(self) -> None: ...

    result = linearizable(Crossed, Nothing, ["add", "get"])
    assert (result.failure.kind, str(result.scenario)) == ("deadlock", "t1: add(); t2: get()")


# -- before, after, limits, and what is refused -----------------------------------------------------------------------


def test_calls_before_and_after_are_part_of_the_history():
    wrong = linearizable(LostUpdate, Counter, [["add"], ["add"]], before=["add"], after=["get"])
    assert wrong.verdict == "failed"
    fine = linearizable(under_a_lock(Counter), Counter, [["add"], ["add"]], before=["add"], after=["get"], data="off")
    assert set(fine.outcomes) == {
        "main: add() → 1, get() → 3; t1: add() → 2; t2: add() → 3",
        "main: add() → 1, get() → 3; t1: add() → 3; t2: add() → 2"}


def test_a_limit_makes_it_incomplete_and_what_is_not_tracked_too():
    limited = linearizable(under_a_lock(Counter), Counter, ["add", "get"], executions=10, data="off")
    assert (limited.verdict, limited.executions) == ("incomplete", 10)
    assert "limit" in limited.reason
    plain = linearizable(Counter, Counter, [["add"], ["add"]])
    assert plain.verdict in ("incomplete", "failed")  # the value is shared and was not made visible


@pytest.mark.parametrize("operations", [[], [3], [("put", 1)], [["get"], "get"], [[("put", 1)]]])
def test_operations_that_mean_nothing_are_refused(operations):
    with pytest.raises(Refused):
        linearizable(Queue, Queue, operations)


def test_the_schedule_of_another_scenario_is_refused():
    result = linearizable(LostUpdate, Counter, ["add"])
    other = linearizable(LostUpdate, Counter, [["add", "add"], ["add"]]).scenario.without(set())
    with pytest.raises((DivergenceError, AssertionError)):
        hocket.replay(other, "hocket1:mainx3.t1x9.t2x9")
    assert result.scenario is not other


def test_a_scenario_that_is_called_plainly_just_runs():
    result = linearizable(LostUpdate, Counter, [["add"], ["add"]])
    assert result.scenario() is None
