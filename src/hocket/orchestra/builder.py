"""From a declaration and its parts to an orchestra that runs.

Parts are named as in the declaration, so a builder is one object and not one type
for each state of completeness: `build` says what is missing, all of it at once.
"""

from __future__ import annotations

from asyncio.events import _get_running_loop
from collections.abc import Callable
from inspect import iscoroutinefunction
from types import SimpleNamespace
from typing import Any, Literal, overload

from hocket.errors import DeclarationError, Refused
from hocket.orchestra.blocking import BlockingHandle, BlockingSystem
from hocket.orchestra.context import Context, Route, Routes
from hocket.orchestra.declare import Declaration, Slot
from hocket.orchestra.jobs import LoopSpawner, Spawner, ThreadSpawner
from hocket.orchestra.lane import UNLIMITED
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.system import Handle, System

__all__ = ["Builder", "Connector"]

EVENT_CAPACITY = 64

Maker = Callable[[Handle], Any]


class Connector:
    """The handle of an orchestra that is not built yet: events sent to it wait until the main loop runs.

    `capacity` is the number of events that can wait.
    """

    def __init__(self, declaration: Declaration, capacity: int = EVENT_CAPACITY) -> None:
        self.declaration = declaration
        self.inbox = Mailbox(f"the main loop of {declaration.name}", signals=UNLIMITED, bulk=capacity)
        self.handle = Handle(self.inbox, declaration.event)
        self.used = False

    @property
    def blocking(self) -> BlockingHandle:
        """The handle for a thread."""
        return BlockingHandle(self.handle)


class Builder:
    """Takes an orchestra's parts; `build` starts it. Each method gives the builder back."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._makers: dict[str, Maker] = {}
        self._baggage = dict(declaration.defaults)
        self._spawner: Spawner | None = None
        self._message_capacity: int | None = None
        self._signal_capacity: int | None = None

    def set(self, **parts: Any) -> Builder:
        """Give subsystems and baggage by name.

        A subsystem is an object with `start(ctx)`, or a function of a context. Raises Refused for a subsystem that
        was set already (`replace` replaces), and for a name that the declaration does not have.
        """
        for name, part in parts.items():
            if name in self._declaration.baggage:
                self._baggage[name] = part
            else:
                self._add(name, _always(part))
        return self

    def defer(self, **makers: Maker) -> Builder:
        """Give functions of the handle that make a subsystem when the orchestra is built."""
        for name, maker in makers.items():
            self._add(name, maker)
        return self

    def replace(self, **changes: Callable[[Any], Any]) -> Builder:
        """Put something else in a subsystem's place, made from the old one: `replace(db=lambda old: Mock(old))`.

        Raises Refused if it was not set.
        """
        for name, change in changes.items():
            old = self._makers.get(name)
            if old is None:
                raise Refused(name, "replaced", "not set", "set or deferred before")
            self._makers[name] = _changed(old, change)
        return self

    def capacities(self, *, messages: int | None = None, signals: int | None = None) -> Builder:
        """Capacities for all subsystems, whatever the declaration says."""
        for number in (messages, signals):
            if number is not None and number < 1:
                raise DeclarationError(f"a capacity of {number}: it is a number of items, 1 or more")
        self._message_capacity = messages or self._message_capacity
        self._signal_capacity = signals or self._signal_capacity
        return self

    def spawner(self, spawner: Spawner) -> Builder:
        """Say where bodies run; without it, in the running loop, or in threads."""
        self._spawner = spawner
        return self

    @overload
    def build(
        self, connector: Connector | None = None, *, runtime: Literal["asyncio"] = "asyncio", shared: bool = False
    ) -> tuple[System, Handle]: ...

    @overload
    def build(
        self, connector: Connector | None = None, *, runtime: Literal["threads"], shared: bool = True
    ) -> tuple[BlockingSystem, BlockingHandle]: ...

    def build(
        self, connector: Connector | None = None, *, runtime: str = "asyncio", shared: bool = False
    ) -> tuple[System, Handle] | tuple[BlockingSystem, BlockingHandle]:
        """Make the mailboxes, then make and start every subsystem in the order of declaration.

        A mailbox has a lock where threads are in the game: with `runtime="threads"`, a blocking subsystem or job, or
        a spawner of your own. `shared=True` says that threads of yours use senders, meters or the system as well;
        without it those of a system in a loop are refused to other threads. The handle is for all in any case.

        Raises Refused: a part is missing, no loop runs, a connector of another orchestra or used before, a body of
        the wrong kind. What a deferred maker raises comes out as it is. Nothing was started then.
        """
        _can_run(runtime)
        self._complete()
        connector = connector or Connector(self._declaration)
        if connector.declaration != self._declaration or connector.used:
            raise Refused("the connector", "built with", "of another orchestra, or used before", "a new connector()")
        slots = [slot for slot in self._declaration.slots if not slot.wip or slot.name in self._makers]
        bodies = {slot.name: _body(slot, self._makers[slot.name](connector.handle), runtime) for slot in slots}
        connector.used = True
        shared = shared or runtime == "threads" or self._spawner is not None or any(slot.blocking for slot in slots)
        mailboxes = {slot.name: self._mailbox(slot, shared) for slot in slots}
        spawner = self._spawner or (LoopSpawner() if runtime == "asyncio" else ThreadSpawner())
        baggage = SimpleNamespace(**self._baggage)
        system = System(self._declaration, mailboxes, connector.inbox, spawner, baggage)
        for slot in slots:
            routes = self._routes(slot, mailboxes, connector.inbox)
            events = connector.inbox if slot.events else None
            context = Context(slot.name, mailboxes[slot.name], routes, system, events)
            body = bodies[slot.name]
            system.begin(slot.name, body, context, blocking=not _is_coroutine_function(body))
        if runtime == "asyncio":
            return system, connector.handle
        return BlockingSystem(system), connector.blocking

    def _add(self, name: str, maker: Maker) -> None:
        names = [slot.name for slot in self._declaration.slots]
        if name not in names:
            known = ", ".join([*names, *self._declaration.baggage])
            raise Refused(name, "set", f"not in {self._declaration.name}", f"one of {known}")
        if name in self._makers:
            raise Refused(name, "set", "set already", "set once", "To put another in its place, use replace")
        self._makers[name] = maker

    def _complete(self) -> None:
        missing = [slot.name for slot in self._declaration.slots if not slot.wip and slot.name not in self._makers]
        missing += [name for name in self._declaration.baggage if name not in self._baggage]
        if missing:
            given = ", ".join(f"{name}=..." for name in missing)
            raise Refused(self._declaration.name, "built", f"without {', '.join(missing)}", f"set({given})")

    def _mailbox(self, slot: Slot, shared: bool) -> Mailbox:
        bulk = self._message_capacity or slot.message_capacity or self._declaration.message_capacity
        signals = self._signal_capacity or slot.signal_capacity or self._declaration.signal_capacity
        return Mailbox(slot.name, signals=signals, bulk=bulk, priority=bulk if slot.priority else 0, shared=shared)

    def _routes(self, slot: Slot, mailboxes: dict[str, Mailbox], inbox: Mailbox) -> Routes:
        routes = {}
        for row in slot.sends:
            consumer = self._declaration.consumer(row.message)
            if consumer is None:
                mailbox = inbox if row.message in self._declaration.outgoing else None
            else:
                mailbox = mailboxes.get(consumer.name)
            routes[row.message] = Route(mailbox, row.mode, row.reply_to.__name__ if row.reply_to else "")
        return routes


def _always(part: Any) -> Maker:
    return lambda handle: part


def _changed(old: Maker, change: Callable[[Any], Any]) -> Maker:
    return lambda handle: change(old(handle))


def _can_run(runtime: str) -> None:
    if runtime not in ("asyncio", "threads"):
        raise Refused(runtime, "given as the runtime", "unknown", "'asyncio' or 'threads'")
    if runtime == "asyncio" and _get_running_loop() is None:
        raise Refused(
            "the orchestra",
            "built",
            "not in a running event loop",
            "build() inside a coroutine",
            "Or build(runtime='threads'), where every subsystem gets a thread",
        )


def _body(slot: Slot, part: Any, runtime: str) -> Callable[[Any], Any]:
    """The function of a context that a subsystem is; raises Refused for one that cannot run there."""
    body: Callable[[Any], Any] = getattr(part, "start", part)
    if not callable(body):
        raise Refused(slot.name, "set", f"a {type(part).__name__}", "an object with start(ctx), or a function of ctx")
    is_coroutine = _is_coroutine_function(body)
    if slot.blocking and is_coroutine:
        raise Refused(slot.name, "built", "an async def, and declared blocking=True", "an ordinary function")
    if not slot.blocking and not is_coroutine and runtime == "asyncio":
        raise Refused(
            slot.name,
            "built",
            "an ordinary function, which would hold the event loop",
            "an async def, or blocking=True in the declaration",
        )
    return body


def _is_coroutine_function(body: Callable[..., Any]) -> bool:
    return iscoroutinefunction(body) or iscoroutinefunction(type(body).__call__)
