"""The real crew does only what models/crew.py allows: programs on real threads, held against the model line by line.

Everything that the crew does under its lock is written down while the lock is held, in the model's words, by
subclasses that call the real code and add nothing to it; so the log is in the order in which it happened. Draws of
arguments happen without the lock and are written down with the draw itself. Then each line has to be allowed by the
model, with the real choice of whom to wake. A wake-up that finds nobody says nothing in the runtime and has a deed in
the model, which is done wherever the model owes it.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from contextlib import suppress

import pytest

from hocket.errors import DeadlockError, Refused
from hocket.kernel import Command, Stimulus
from hocket.runtime.crew import Crew as RealCrew
from hocket.runtime.primitives import THREADING
from hocket.runtime.seats import Seats
from hocket.runtime.threads import Scheduler
from models.crew import Crew
from proofs.deeds import Deeds


class Log:
    """What happened, in the model's words; names are given in the order of coming."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.names: dict[tuple[str, int], str] = {}
        self.counts: dict[str, int] = {}
        self.of: dict[str, str] = {}
        self.kept: list[object] = []  # so that no identity is used twice
        self.entered = False

    def name(self, sort: str, thing: object) -> str:
        key = (sort, id(thing))
        if key not in self.names:
            self.kept.append(thing)
            self.names[key] = self.new(sort)
        return self.names[key]

    def new(self, sort: str) -> str:
        self.counts[sort] = self.counts.get(sort, 0) + 1
        return f"{sort}{self.counts[sort] - 1}"

    def add(self, *event: str) -> None:
        self.events.append(event)

    def enter(self) -> None:
        if not self.entered:
            self.entered = True
            self.add("enter")

    def go(self) -> None:
        if self.entered:
            self.entered = False
            self.add("go")


class LoggedLock:
    def __init__(self, log: Log) -> None:
        self.log, self.lock = log, threading.Lock()

    def acquire(self, *args):
        return self.lock.acquire(*args)

    def release(self) -> None:
        self.log.go()
        self.lock.release()

    __enter__ = acquire

    def __exit__(self, *args) -> None:
        self.release()


class LoggedCondition:
    """A seat's condition: it is waited on by an executor that parks, or by a joiner."""

    def __init__(self, crew: Recorded, inner) -> None:
        self.crew, self.inner, self.seat = crew, inner, None

    def notify(self) -> None:
        self.inner.notify()

    def wait(self, timeout=None):
        parks = self.seat in self.crew._asleep.parked
        log, seat = self.crew.log, self.seat
        if parks:
            log.add("park", log.name("seat", seat))
            self.crew.parked.set()
        else:
            log.go()
            if seat not in self.crew.heard:
                self.crew.heard.add(seat)
                log.add("wait_for", *self.crew.joiner(seat))
        answer = self.inner.wait(timeout)
        if parks:
            log.add("stir" if seat in self.crew._asleep.parked else "rise", log.name("seat", seat))
        else:
            log.add("hear", *self.crew.joiner(seat))
        return answer


class LoggedPrimitives:
    def __init__(self, crew: Recorded) -> None:
        self.crew = crew

    def lock(self):
        return LoggedLock(self.crew.log)

    def condition(self, lock):
        return LoggedCondition(self.crew, THREADING.condition(lock))

    def longest_sleep(self):
        return None  # the model knows of no time

    def __getattr__(self, name):
        return getattr(THREADING, name)


class LoggedSeats(Seats):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    def wake(self) -> None:
        before = self._coming
        super().wake()
        if self._coming is not before:
            self.log.add("wake", self.log.name("seat", self._coming))


class LoggedQueue(deque):
    """The queue of what is ready, with the piece that each entry is."""

    def __init__(self, crew: Recorded) -> None:
        super().__init__()
        self.crew, self.pieces = crew, deque()

    def append(self, task) -> None:
        self.pieces.append(self.crew.queued(task))
        super().append(task)

    def popleft(self):
        task = super().popleft()
        self.crew.takes(self.pieces.popleft())
        return task


class LoggedShared(deque):
    def __init__(self, crew: Recorded) -> None:
        super().__init__()
        self.crew = crew

    def append(self, task) -> None:
        self.crew.log.add("share", *self.crew.at_hand())
        super().append(task)

    def popleft(self):
        task = super().popleft()
        self.crew.log.add("forget", self.crew.here(), self.crew.log.name("task", task))
        return task


class LoggedWork:
    """An iterator of arguments whose draws are logged as they happen."""

    def __init__(self, crew: Recorded, items) -> None:
        self.crew, self.items, self.lock = crew, deque(items), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            if not self.items:
                raise StopIteration
            self.crew.log.add("draw", *self.crew.at_hand())
            return self.items.popleft()

    def __length_hint__(self) -> int:
        with self.lock:
            return len(self.items)


class Recorded(Scheduler):
    """The real scheduler, telling."""

    def __init__(self, workers: int) -> None:
        self.log, self.heard, self.me, self.hiring = Log(), set(), threading.local(), False
        self.sizes: dict[str, int] = {}
        self.joins: set[tuple[str, str]] = set()  # what is joined, and whose body does it
        self.parked = threading.Event()
        super().__init__(0, primitives=LoggedPrimitives(self))
        self._asleep = LoggedSeats(self.log)
        self._ready, self._shared = LoggedQueue(self), LoggedShared(self)
        for number in range(workers):
            self.add_worker(f"worker-{number}")

    # -- who is who ---------------------------------------------------------------------------------------------------

    def stack(self) -> list[list[object]]:
        """This thread's seats, lowest first: the seat, its piece, and whether its body is at work."""
        if not hasattr(self.me, "stack"):
            self.me.stack = []
        return self.me.stack

    def looks(self) -> bool:
        """This thread has the lock as an executor, and not from inside a body."""
        return bool(self.stack()) and not self.stack()[-1][2]

    def here(self) -> str:
        return self.log.name("seat", self.stack()[-1][0])

    def at_hand(self) -> tuple[str, str]:
        return self.here(), self.stack()[-1][1]

    def outside(self) -> None:
        if not self.looks():
            self.log.enter()

    def joiner(self, seat) -> tuple[str, str]:
        waited_for = next(task for task in self.log.kept if seat in getattr(task, "waiters", ()))
        return self.log.name("joiner", seat), self.log.name("task", waited_for)

    # -- what happens -------------------------------------------------------------------------------------------------

    def _seat(self, name):
        seat = super()._seat(name)
        seat.condition.seat = seat
        if self.hiring:
            self.hiring = False
            self.log.enter()
            self.log.add("hire", self.log.name("seat", seat))
        return seat

    def add_worker(self, name) -> None:
        self.hiring = True
        super().add_worker(name)

    def _serve(self, seat, done) -> None:
        seats = self.stack()
        joined = [task for task in self.log.kept if seat in getattr(task, "waiters", ())]
        name, below = self.log.name("seat", seat), self.here() if seats else ""
        if not joined:
            self.log.add("come", name)
        else:
            self.log.go()
            task = self.log.name("task", joined[0])
            self.joins |= {(task, self.log.of[piece]) for _, piece, _ in seats}
            self.log.add(*(("help_inside", name, below, task) if seats else ("come_to_help", name, task)))
        seats.append([seat, "", False])
        try:
            super()._serve(seat, done)
        finally:
            self.log.add("be_gone", name)
            seats.pop()

    def _hand_on(self) -> None:
        self.log.add("leave", self.here())
        super()._hand_on()

    def _dismiss(self, seat) -> None:
        self.outside()
        self.log.add("dismiss", self.log.name("seat", seat))
        super()._dismiss(seat)

    def queued(self, task) -> str:
        """A piece goes into the queue: put aside, or new."""
        if self.looks() and getattr(self.me, "after_body", False):
            self.me.after_body = False
            self.log.add("put_aside", *self.at_hand())
            return self.stack()[-1][1]
        self.outside()
        piece = self.piece(task)
        self.log.add("offer", piece)
        return piece

    def piece(self, task) -> str:
        piece = self.log.new("piece")
        self.log.of[piece] = self.log.name("task", task)
        return piece

    def takes(self, piece: str) -> None:
        self.stack()[-1][1] = piece
        self.log.add("take", *self.at_hand())

    def _share(self):
        task = super()._share()
        if task is not None:
            self.stack()[-1][1] = self.piece(task)
            self.log.add("take_part", *self.at_hand())
        return task

    def _perform(self, seat, task) -> None:
        self.me.began = False
        super()._perform(seat, task)
        if not self.me.began:
            self.log.add("think_better", *self.at_hand())

    def _call(self, seat, task):
        self.log.add("begin", *self.at_hand())
        place = self.stack()[-1]
        place[2] = True
        error = super()._call(seat, task)
        place[2] = False
        self.me.began = self.me.after_body = True
        return error

    def _do(self, commands, takes_one=False) -> None:
        if takes_one:
            self.me.after_body = False
            self.log.add("end", *self.at_hand())
        for command, node in commands:
            if command is Command.SETTLE:
                self.outside()
                self.log.add("close", self.log.name("task", node.load))
        super()._do(commands, takes_one)
        if takes_one:
            self.log.add("go_on", self.here())

    def spawn(self, name, body, **options):
        handle = super().spawn(name, body, **{**options, "run": False})
        self.log.name("task", handle)
        self.sizes[self.log.name("task", handle)] = 0
        return handle.run()

    def spawn_idle(self, name, body):
        handle = super().spawn(name, body, run=False)
        self.sizes[self.log.name("task", handle)] = 0
        return handle

    def both_park(self) -> None:
        """Wait until two workers are parked."""
        while len(self._asleep.parked) < 2:
            self.parked.wait(10)
            self.parked.clear()

    def cancel_if_early(self, task) -> None:
        """Cancel a task unless it has begun meanwhile."""
        with suppress(Refused):
            self.cancel(task)

    def many(self, name, items, body):
        handle = super().iter(name, items, body, run=False)
        handle.work = LoggedWork(self, items)
        self.sizes[self.log.name("task", handle)] = len(items)
        return handle.run()

    def cancel(self, task) -> None:
        with self._lock:
            commands = self._kernel.receive(Stimulus.CANCELLED, task.node)
            self.log.enter()
            self.log.add("cancel", self.log.name("task", task))
            self._do(commands)


def refusal(crew: Recorded) -> str:
    """Why the model refuses what a crew did, or nothing."""
    log = crew.log
    sizes = {sort.capitalize(): max(1, log.counts.get(sort, 0)) for sort in ("task", "piece", "seat", "joiner")}
    given = {"of": log.of, "size": crew.sizes, "before": closed(crew.joins)}
    deeds = Deeds(Crew, sizes, given)
    state = deeds.start
    for number, event in enumerate(log.events):
        after = deeds.step(state, event)
        if after == OWED and isinstance(spared := deeds.step(state, ("wake_nobody",)), bytes):
            state = spared
            after = deeds.step(state, event)
        if isinstance(after, str):
            return f"{number} {' '.join(event)}: not {after!r}"
        state = after
    return ""


def closed(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The order that some joins make, which has no circle."""
    whole = set(pairs)
    while more := {(a, d) for a, b in whole for c, d in whole if b == c} - whole:
        whole |= more
    assert not [pair for pair in whole if pair[0] == pair[1]], "a circle of joins"
    return whole


OWED = "no wake-up is owed"


def program(crew: Recorded, seed: int) -> None:
    """A few tasks: with dependencies, children, joins inside and outside, many bodies, and a cancelled one."""
    draw = random.Random(seed)
    done = []
    for number in range(draw.randint(2, 5)):
        earlier = [task for task in done if draw.random() < 0.4]
        kind = draw.choice(("plain", "joins", "spawns", "many", "idle"))
        if kind == "many":
            done.append(crew.many(f"m{number}", list(range(draw.randint(2, 4))), lambda index: None))
        elif kind == "joins" and done:
            other = draw.choice(done)
            done.append(crew.spawn(f"t{number}", lambda task=other: joins(task)))
        elif kind == "spawns":
            done.append(crew.spawn(f"t{number}", lambda n=number: crew.spawn(f"c{n}", None).join()))
        else:
            done.append(crew.spawn(f"t{number}", int, after=earlier))
    if draw.random() < 0.3:
        late = crew.spawn("late", int, after=done)
        crew.cancel_if_early(late)
    draw.choice(done).join(help=draw.random() < 0.5)


def joins(task) -> None:
    """Join, unless this thread has put the task aside: then the runtime refuses, and rightly."""
    with suppress(DeadlockError):
        task.join()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_random_programs_on_real_threads_do_only_what_the_model_allows(workers: int):
    events = 0
    for seed in range(8):
        with Recorded(workers) as crew:
            program(crew, seed)
        assert refusal(crew) == "", f"seed {seed}"
        events += len(crew.log.events)
    assert events > 300


def hands_on(crew: Recorded) -> None:
    """The only worker parks while a helper runs what it joins, leaves, and leaves one task behind."""
    begun, held = threading.Event(), threading.Event()
    crew.spawn("held", lambda: (begun.set(), held.wait(10)))
    assert begun.wait(10)
    joined_body = lambda: (crew.parked.clear(), held.set(), crew.parked.wait(10))  # noqa: E731
    first = crew.spawn_idle("first", joined_body)
    second = crew.spawn("second", int, after=[first])
    first.run()
    first.join(help=True)
    crew.spawn("third", int).join()
    second.join()


def test_a_helper_that_leaves_hands_on():
    with Recorded(1) as crew:
        hands_on(crew)
    assert refusal(crew) == ""
    kinds = [event[0] for event in crew.log.events]
    assert "come_to_help" in kinds
    assert kinds[kinds.index("leave") : kinds.index("leave") + 3] == ["leave", "wake", "be_gone"]


class NeverHandsOn(Recorded):
    """Planted: rule 3 forgotten (C-B1)."""

    def _hand_on(self) -> None:
        self.log.add("leave", self.here())


def test_a_helper_that_leaves_without_handing_on_is_refused():
    with NeverHandsOn(1) as crew:
        hands_on(crew)
    assert refusal(crew).endswith("be_gone seat1: not 'no wake-up is owed'")


class WakesTwo(Recorded):
    """Planted: a second wake-up while one is on its way."""

    def _do(self, commands, takes_one=False) -> None:
        super()._do(commands, takes_one)
        if self._asleep.parked and not takes_one:
            self._asleep._coming = None
            self._asleep.wake()


def test_a_second_wake_up_for_nothing_is_refused():
    with WakesTwo(2) as crew:
        crew.both_park()
        crew.spawn("one", int).join()
    assert " wake seat" in refusal(crew)


def test_the_lines_compared_are_the_real_ones():
    """The subclasses above call the real code: none of them replaces a line of the crew."""
    told = {"_serve", "_hand_on", "_dismiss", "_share", "_perform", "_call", "_do", "_seat", "add_worker"}
    assert told <= set(vars(RealCrew))
    assert told <= set(vars(Recorded))
