"""An orchestra that runs: its subsystems' mailboxes, its signals, and what it hears of their ends.

A broadcast is given to all that are alive at one moment, under one lock, so all of
them get all signals in one order, and nobody can be told half of one: where there
is no room it waits in line, and arrives also if whoever broadcast was cancelled
meanwhile (O-B1, O-B2, O-B4 of the seed). The report says who missed it because he
had ended, and who has it in line.

Ends, events and messages that leave come to one inbox, ends first. Spawned jobs
do not: they start at once, wherever the main loop stands (O-B3).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hocket.errors import Gone, Refused, SubsystemError, Undeclared
from hocket.graph.traffic import ORCHESTRA
from hocket.orchestra.context import BlockingContext, Context
from hocket.orchestra.declare import Declaration
from hocket.orchestra.jobs import Running, Spawner
from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, Fate, Undelivered
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.meters import MeterReader, Readouts
from hocket.orchestra.waiters import deadline_in, until
from hocket.orchestra.watchdog import watching

__all__ = ["Broadcast", "Ended", "Handle", "System", "Termination"]


FLOOD = 10_000  # unbounded messages in one mailbox

_log = logging.getLogger("hocket.orchestra")


@dataclass(frozen=True, slots=True)
class Ended:
    """A subsystem that has ended, or a `job` that failed.

    `error` is what it raised, or None; `undelivered` are the messages that lay in its mailbox.
    """

    name: str
    error: BaseException | None = None
    undelivered: tuple[Undelivered, ...] = ()
    job: Running | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Who has a signal in the queue, who had no room for it yet (it waits in line), and who had ended."""

    reached: tuple[str, ...]
    in_line: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Termination:
    """What came of asking all to stop: who has ended and how, and who still runs."""

    ended: tuple[Ended, ...]
    running: tuple[str, ...]
    broadcast: Broadcast


class Handle:
    """What the outside holds: sends events to the orchestra's main loop; to be used from any thread or loop."""

    def __init__(self, inbox: Mailbox, event: type) -> None:
        self._inbox, self._event = inbox, event

    async def send(self, event: Any, timeout: float | None = None) -> None:
        """Send an event; waits while there is no room. Raises Undeclared, Gone, Stalled."""
        await self._inbox.send(BULK, None, self._checked(event), timeout)

    def try_send(self, event: Any) -> bool:
        """Send an event if there is room; whether there was. Raises Undeclared, Gone."""
        return self._inbox.put(BULK, None, self._checked(event))

    def _checked(self, event: Any) -> Any:
        if not isinstance(event, self._event):
            raise Undeclared("outside", event, f"the orchestra's events are {self._event.__name__}")
        return event


class System:
    """A running orchestra in an event loop; `baggage` holds its plain data. `Builder.build` makes one."""

    def __init__(
        self, declaration: Declaration, mailboxes: Mapping[str, Mailbox], inbox: Mailbox, spawner: Spawner, baggage: Any
    ) -> None:
        self.declaration = declaration
        self.baggage: SimpleNamespace = baggage
        self.ends: list[Ended] = []  # every subsystem that has ended, in that order
        self._mailboxes, self._inbox, self._spawner = mailboxes, inbox, spawner
        self._subsystems: dict[str, Running] = {}
        self._floods: dict[str, int] = {}  # beyond how many unbounded messages the next warning is due
        self._jobs: list[Running] = []  # those that have not ended
        self._unheard: set[str] = set()  # subsystems whose ends the main loop has not heard
        self._order = threading.Lock()  # of broadcasts, and of jobs
        self._readers = {name: MeterReader(mailbox.read) for name, mailbox in mailboxes.items()}

    def __repr__(self) -> str:
        ended = len(self.ends)
        return f"<{self.declaration.name}: {len(self._subsystems) - ended} run, {ended} have ended>"

    # -- the life of subsystems and jobs ------------------------------------------------------------------------------

    def begin(self, name: str, body: Callable[[Any], Any], context: Context, blocking: bool) -> None:
        """Start a subsystem; the builder does so, in the order of declaration."""
        running = Running(name, name, self._subsystem_ended)
        self._subsystems[name] = running
        self._unheard.add(name)
        if blocking:
            mine = BlockingContext(context)
            self._spawner.spawn_blocking(name, name, lambda: running.call_blocking(lambda: body(mine)))
        else:
            running.canceller = self._spawner.spawn(name, name, lambda: running.call(lambda: body(context)))

    def start(self, origin: str, name: str, body: Callable[[], Any]) -> Running:
        """Start a job that is a coroutine function."""
        running = self._job(origin, name)
        running.canceller = self._spawner.spawn(running.name, origin, lambda: running.call(body))
        return running

    def start_blocking(self, origin: str, name: str, body: Callable[[], Any]) -> Running:
        """Start a job that is an ordinary function; it sends from a thread, so from now on mailboxes have locks."""
        for mailbox in self._mailboxes.values():
            mailbox.share()
        running = self._job(origin, name)
        self._spawner.spawn_blocking(running.name, origin, lambda: running.call_blocking(body))
        return running

    def _subsystem_ended(self, running: Running) -> None:
        mailbox = self._mailboxes[running.name]
        mailbox.lose()
        self._tell(Ended(running.name, running.error, tuple(mailbox.undelivered), cancelled=running.cancelled))

    def _job(self, origin: str, name: str) -> Running:
        running = Running(origin, f"{origin}/{name}", self._job_ended)
        with self._order:
            self._jobs.append(running)
        return running

    def _job_ended(self, running: Running) -> None:
        with self._order:
            self._jobs.remove(running)
        if running.error is not None:
            self._tell(Ended(running.name, running.error, job=running))

    def _tell(self, ended: Ended) -> None:
        if ended.job is None:
            self.ends.append(ended)
        try:
            self._inbox.give(ended, ended.name)
        except Gone:
            assert self._inbox.ending, "the inbox takes ends until the orchestra is closed"

    @property
    def running(self) -> tuple[str, ...]:
        """The subsystems that have not ended, in the order of declaration, and after them their jobs."""
        return tuple(body.name for body in (*self._subsystems.values(), *self._jobs) if not body.ended)

    # -- sending ------------------------------------------------------------------------------------------------------

    async def broadcast(self, signal: Any, timeout: float | None = None) -> Broadcast:
        """Give a signal to every subsystem that is alive, and wait until each has it in its queue.

        All of them get it, in the same order as every other broadcast, also if this call is cancelled or does not
        wait longer than `timeout` seconds: it stays in line where there is no room. An orchestra that is declared
        with `signals_wait=False` waits for nobody. Raises Undeclared.
        """
        if not isinstance(signal, self.declaration.signal):
            raise Undeclared(ORCHESTRA, signal, f"its signals are {self.declaration.signal.__name__}")
        given, missed = {}, []
        with self._order:
            for name, mailbox in self._mailboxes.items():
                try:
                    given[name] = mailbox.give(signal, ORCHESTRA)
                except Gone:
                    missed.append(name)
        deadline = deadline_in(timeout if self.declaration.signals_wait else 0.0)
        in_line = []
        for name, ticket in given.items():
            if ticket is None:
                continue
            if not await ticket.waiter.wait(until(deadline)):
                in_line.append(name)
            elif ticket.fate is Fate.LOST:
                missed.append(name)
        out = {*in_line, *missed}
        return Broadcast(tuple(name for name in given if name not in out), tuple(in_line), tuple(missed))

    async def route(self, message: Any, *, priority: bool = False, timeout: float | None = None) -> None:
        """Send a message from outside: it arrives after every signal that was broadcast before.

        Raises Undeclared (its type is not in `routes=`), Gone, NoPriority, Stalled after `timeout` seconds.
        """
        if type(message) not in self.declaration.routes:
            names = ", ".join(kind.__name__ for kind in self.declaration.routes) or "nothing"
            raise Undeclared(ORCHESTRA, message, f"the main loop declares to send {names} (routes=)")
        slot = self.declaration.consumer(type(message))
        if slot is None or slot.wip:
            return
        kind = PRIORITY if priority else BULK
        await self._mailboxes[slot.name].send(kind, None, message, timeout)

    # -- hearing ------------------------------------------------------------------------------------------------------

    async def next(self, timeout: float | None = None) -> Any:
        """What the main loop hears next: an `Ended` before an event or a message that leaves.

        Raises TimeoutError after `timeout` seconds, Terminated when the orchestra was closed.
        """
        item = await self._inbox.receive(timeout=timeout)
        if isinstance(item, Ended) and item.job is None:
            self._unheard.discard(item.name)
        return item

    async def run(
        self,
        serve: Callable[[Any], Awaitable[None]] | None = None,
        *,
        stop: Any = None,
        watch: float | None = 1.0,
    ) -> tuple[Ended, ...]:
        """The main loop: serve events and messages that leave until all subsystems have ended; their ends.

        `serve` is awaited with each; `stop` is a signal that is broadcast as soon as one of them has ended.
        `watch`: who holds the event loop for longer than so many seconds is named on the log, with its stack, and so
        is whoever fills an unbounded queue that holds more than 10,000 messages.

        Raises SubsystemError when a subsystem, or a job that nobody awaits, raised (an ExceptionGroup of several), and
        Refused when an event comes and there is no `serve`.
        """
        failed: list[Ended] = []
        with watching(watch, self._tell_of_floods):
            while (item := await self._heard()) is not NOTHING:
                if not isinstance(item, Ended):
                    await self._served(serve, item)
                    continue
                if item.error is not None:
                    failed.append(item)
                if stop is not None and self._unheard:
                    await self.broadcast(stop, timeout=0)  # it stays in line where there is no room: this loop goes on
                    stop = None
        failures = [_failure(ended) for ended in failed if ended.job is None or not ended.job.awaited]
        if len(failures) > 1:
            raise ExceptionGroup(f"{len(failures)} subsystems or jobs of {self.declaration.name} raised", failures)
        if failures:
            raise failures[0]
        return tuple(self.ends)

    def _tell_of_floods(self) -> None:
        """Say on the log, once for each tenfold, whose unbounded queue grows and who fills it."""
        for name, mailbox in self._mailboxes.items():
            limit = self._floods.get(name, FLOOD)
            if flood := mailbox.flood(limit):
                length, sender = flood
                self._floods[name] = 10 * limit
                _log.warning(
                    "%d unbounded messages lie in the mailbox of %r, most of them from %r: it receives more slowly "
                    "than they are sent; send them bounded, or fewer",
                    length,
                    name,
                    sender,
                )

    async def _heard(self) -> Any:
        """The next of what the main loop hears; NOTHING when all have ended and everything was heard."""
        return await self.next() if self._unheard else self._inbox.take()

    async def _served(self, serve: Callable[[Any], Awaitable[None]] | None, item: Any) -> None:
        if serve is None:
            raise Refused(
                type(item).__name__, "sent to the main loop", "nobody's to serve", "run(serve=a coroutine function)"
            )
        await serve(item)

    async def terminate(self, signal: Any, timeout: float | None = None) -> Termination:
        """Broadcast a last signal, and wait up to `timeout` seconds in all until every subsystem has ended."""
        deadline = deadline_in(timeout)
        broadcast = await self.broadcast(signal, timeout)
        await _all_done(self._subsystems.values(), until(deadline))
        return Termination(tuple(self.ends), self.running, broadcast)

    # -- looking at it, and ending it ---------------------------------------------------------------------------------

    def meters(self) -> dict[str, Readouts]:
        """The meters of every mailbox; times of flight are those since the last call."""
        return {name: reader.read() for name, reader in self._readers.items()}

    def meter(self, name: str) -> MeterReader:
        """A reader of one subsystem's meters, with a place of its own. Raises KeyError."""
        return MeterReader(self._mailboxes[name].read)

    async def close(self, timeout: float = 0.0) -> tuple[str, ...]:
        """End it: nothing new is accepted, what was sent is received, then `recv` raises Terminated.

        Coroutines, jobs included, that have not ended after `timeout` seconds are cancelled and awaited. A thread
        cannot be: it finds all mailboxes gone, and those that have not ended after as long again are returned by name.
        """
        remaining = (*self._subsystems.values(), *self._jobs)
        for mailbox in self._mailboxes.values():
            mailbox.end()
        await _all_done(remaining, timeout)
        cancelled = [running for running in remaining if running.cancel()]
        for mailbox in self._mailboxes.values():
            mailbox.lose()
        await _all_done(cancelled, None)
        await _all_done(remaining, timeout)
        self._inbox.end()
        return self.running

    async def __aenter__(self) -> System:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


async def _all_done(bodies: Iterable[Running], timeout: float | None) -> None:
    deadline = deadline_in(timeout)
    for running in bodies:
        await running.done(until(deadline))


def _failure(ended: Ended) -> SubsystemError:
    assert ended.error is not None
    failure = SubsystemError(ended.name, ended.error)
    failure.__cause__ = ended.error
    return failure
