"""What a subsystem is given: its mailbox to receive from, and a way to send what it declared, to whoever consumes it.

Each method is written once, as a coroutine. A subsystem that is an `async def`
gets a `Context`; an ordinary function gets a `BlockingContext`, whose methods run
the same coroutines to their end in its own thread.

Where a message goes is looked up by its exact type: no registration, no names. A
message carries how many signals its sender had heard when it called `send`, also
if it then had to wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hocket.errors import Full, Terminated, Undeclared
from hocket.graph.traffic import Mode
from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, UNBOUNDED, Kind
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.waiters import finish

__all__ = ["BlockingContext", "BlockingSender", "Context", "Job", "Jobs", "Route", "Sender"]

T = TypeVar("T")


@dataclass(slots=True)
class Route:
    """Where a message type goes; `mailbox` None drops it, because its receiver does not exist yet.

    A message that is a reply `to` another is sent at most as often as that was delivered; `replied` counts.
    """

    mailbox: Mailbox | None
    mode: Mode
    to: str = ""
    replied: int = 0


Routes = dict[type, Route]


class Job(Protocol):
    """A spawned job; awaiting `result()` gives what it returned or raises what it raised."""

    name: str

    async def result(self, timeout: float | None = None) -> Any: ...


class Jobs(Protocol):
    """Whoever starts jobs for a subsystem."""

    def start(self, origin: str, name: str, body: Callable[[], Any]) -> Job: ...

    def start_blocking(self, origin: str, name: str, body: Callable[[], Any]) -> Job: ...


# which method may send which mode: the others would make the check of the declaration a lie
_METHODS = {
    "send": frozenset({Mode.BOUNDED, Mode.ASKED}),
    "try_send": frozenset({Mode.BOUNDED, Mode.TRIED}),
    "send_unbounded": frozenset({Mode.BOUNDED, Mode.UNBOUNDED, Mode.ASKED}),
}
_APART = {name: modes | {Mode.APART} for name, modes in _METHODS.items()}
_SAYS = {
    Mode.UNBOUNDED: "it is declared unbounded(...), so it may wait for nobody: use send_unbounded",
    Mode.TRIED: "it is declared trying(...), so it may wait for nobody: use try_send",
    Mode.APART: "it is declared apart(...): send it from a spawned job, with the sender that the job is given",
    Mode.ASKED: "it is declared asks(...), so an answer is waited for: use send",
}


class Sender:
    """Sends for one subsystem; may be kept, and used by several at once."""

    _may = _APART

    def __init__(self, name: str, watermark: Mailbox, routes: Routes) -> None:
        self.name = name
        self._watermark = watermark
        self._routes = routes
        self._sends, self._tries, self._unbounded = (self._open(modes) for modes in self._may.values())

    def _open(self, modes: Set[Mode]) -> dict[type, Mailbox]:
        """Where a send of these modes goes at once: nothing has to be counted or refused."""
        return {
            kind: route.mailbox
            for kind, route in self._routes.items()
            if route.mailbox is not None and route.mode in modes and not route.to
        }

    async def send(self, message: Any, *, priority: bool = False, timeout: float | None = None) -> None:
        """Send to whoever consumes this type; waits while there is no room.

        Raises Undeclared, Gone (the receiver has ended), NoPriority (it has no queue for that), Stalled (no room
        within `timeout` seconds). When it is cancelled, the message was not sent unless it was received already.
        """
        kind = PRIORITY if priority else BULK
        mailbox = self._sends.get(type(message))
        if mailbox is not None:
            ticket = mailbox.enter(kind, self._watermark.label, message)
            if ticket is not None:
                await mailbox.settle(ticket, timeout)
            return
        with self._looked_up(message, "send") as mailbox:
            if mailbox is not None:
                await mailbox.send(kind, self._watermark.label, message, timeout)

    async def send_all(self, messages: Iterable[Any]) -> None:
        """Send one after the other, in order."""
        for message in messages:
            await self.send(message)

    def try_send(self, message: Any, *, priority: bool = False) -> None:
        """Send without waiting; raises Full if there is no room, and else as `send`."""
        kind = PRIORITY if priority else BULK
        mailbox = self._tries.get(type(message))
        if mailbox is not None:
            self._put(mailbox, kind, message)
            return
        with self._looked_up(message, "try_send") as mailbox:
            if mailbox is not None:
                self._put(mailbox, kind, message)

    def send_unbounded(self, message: Any) -> None:
        """Send into the queue that is never full; raises Undeclared or Gone."""
        mailbox = self._unbounded.get(type(message))
        if mailbox is not None:
            self._put(mailbox, UNBOUNDED, message)
            return
        with self._looked_up(message, "send_unbounded") as mailbox:
            if mailbox is not None:
                self._put(mailbox, UNBOUNDED, message)

    def _put(self, mailbox: Mailbox, kind: Kind, message: Any) -> None:
        if not mailbox.put(kind, self._watermark.label, message):
            raise Full(mailbox.receiver, message)

    @contextmanager
    def _looked_up(self, message: Any, method: str) -> Iterator[Mailbox | None]:
        """Where a message goes that is a reply, or is dropped, or that must be refused.

        A reply counts while it is being sent, so that two do not go at once, and no more if it was not sent.
        """
        route = self._routes.get(type(message))
        if route is None:
            raise Undeclared(self.name, message, self._declared())
        if route.mode not in self._may[method]:
            raise Undeclared(self.name, message, _SAYS[route.mode])
        if route.to and route.replied >= self._watermark.delivered:
            reason = f"it is a reply, and every {route.to} that was received has had one"
            raise Undeclared(self.name, message, reason)
        route.replied += 1
        try:
            yield route.mailbox
        except BaseException:
            route.replied -= 1
            raise

    def _declared(self) -> str:
        names = ", ".join(sorted(message.__name__ for message in self._routes)) or "nothing"
        return f"it declares to send {names}"


class Context(Sender):
    """A subsystem's own view of the orchestra, for an `async def`."""

    _may = _METHODS

    def __init__(self, name: str, mailbox: Mailbox, routes: Routes, jobs: Jobs, events: Mailbox | None) -> None:
        super().__init__(name, mailbox, routes)
        self._jobs = jobs
        self._events = events

    # -- receiving

    def recv(self, timeout: float | None = None) -> Coroutine[Any, Any, Any]:
        """The next signal or message: signals first, and no message before the signals that its sender had heard.

        Raises Terminated when the orchestra has ended and everything was received; TimeoutError after `timeout`
        seconds. When it is cancelled, nothing was taken.
        """
        return self._watermark.receive(False, timeout)

    def try_recv(self) -> Any:
        """The next signal or message if there is one now, else None; raises Terminated."""
        taken = self._watermark.take()
        return None if taken is NOTHING else taken

    async def recv_signal(self, timeout: float | None = None) -> Any:
        """The next signal, which is counted as `recv` counts it; messages stay where they are."""
        return await self._watermark.receive(signals_only=True, timeout=timeout)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            try:
                yield await self.recv()
            except Terminated:
                return

    @property
    def signals_heard(self) -> int:
        """The watermark: how many signals this subsystem has taken."""
        return self._watermark.heard

    # -- besides

    def sender(self) -> Sender:
        """A sender to keep or to hand to a job; it stamps with this subsystem's watermark at the time of sending."""
        return Sender(self.name, self._watermark, self._routes)

    def spawn(self, name: str, body: Callable[[Sender], Coroutine[Any, Any, Any]]) -> Job:
        """Start `body(sender)` as a job of this subsystem, at once; nobody's queue is in between (O-B3).

        What it raises reaches whoever awaits the job's `result()`, and the orchestra's main loop if nobody does.
        """
        sender = self.sender()
        return self._jobs.start(self.name, name, lambda: body(sender))

    def spawn_blocking(self, name: str, body: Callable[[BlockingSender], Any]) -> Job:
        """Start an ordinary function `body(sender)` on a thread of its own."""
        sender = BlockingSender(self.sender())
        return self._jobs.start_blocking(self.name, name, lambda: body(sender))

    async def post(self, event: Any, timeout: float | None = None) -> None:
        """Send an event to the orchestra; raises Undeclared unless the subsystem was declared with events=True."""
        if self._events is None:
            raise Undeclared(self.name, event, "it does not declare events=True")
        await self._events.send(BULK, self._watermark.label, event, timeout)


class BlockingSender:
    """A sender for an ordinary function: waits by holding its thread."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @property
    def name(self) -> str:
        return self._sender.name

    def send(self, message: Any, *, priority: bool = False, timeout: float | None = None) -> None:
        """As `Sender.send`."""
        finish(self._sender.send(message, priority=priority, timeout=timeout))

    def send_all(self, messages: Iterable[Any]) -> None:
        """As `Sender.send_all`."""
        finish(self._sender.send_all(messages))

    def try_send(self, message: Any, *, priority: bool = False) -> None:
        """As `Sender.try_send`."""
        self._sender.try_send(message, priority=priority)

    def send_unbounded(self, message: Any) -> None:
        """As `Sender.send_unbounded`."""
        self._sender.send_unbounded(message)


class BlockingContext(BlockingSender):
    """A subsystem's own view of the orchestra, for an ordinary function in a thread of its own."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context

    def recv(self, timeout: float | None = None) -> Any:
        """As `Context.recv`."""
        return finish(self._context.recv(timeout))

    def try_recv(self) -> Any:
        """As `Context.try_recv`."""
        return self._context.try_recv()

    def recv_signal(self, timeout: float | None = None) -> Any:
        """As `Context.recv_signal`."""
        return finish(self._context.recv_signal(timeout))

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                yield self.recv()
            except Terminated:
                return

    @property
    def signals_heard(self) -> int:
        """As `Context.signals_heard`."""
        return self._context.signals_heard

    def sender(self) -> BlockingSender:
        """As `Context.sender`."""
        return BlockingSender(self._context.sender())

    def spawn_blocking(self, name: str, body: Callable[[BlockingSender], Any]) -> Job:
        """As `Context.spawn_blocking`."""
        return self._context.spawn_blocking(name, body)

    def post(self, event: Any, timeout: float | None = None) -> None:
        """As `Context.post`."""
        finish(self._context.post(event, timeout))
