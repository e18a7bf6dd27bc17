"""The class that a user writes: an orchestra, declared.

    class Dig(Orchestra, signal=Whistle, event=Order, error=Exception):
        goldmine = subsystem(sends=Plinko)
        tower = subsystem(consumes=Plinko, message_capacity=16)
        depth: float

A class attribute that is a `subsystem(...)` is one; any other annotated name is
baggage, plain data that the running orchestra carries. An annotation on a
subsystem names its type, and no type may have two places.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from hocket.errors import DeclarationError
from hocket.graph.traffic import ORCHESTRA, Channel, Mode, Traffic
from hocket.orchestra.builder import EVENT_CAPACITY, Builder, Connector
from hocket.orchestra.check import Report, check
from hocket.orchestra.declare import (
    MESSAGE_CAPACITY,
    SIGNAL_CAPACITY,
    Declaration,
    Field,
    Slot,
    declared,
)
from hocket.render.traffic import dot_of, svg_of

__all__ = ["Orchestra", "traffic_of"]


class _Body(dict[str, Any]):
    """A class body in which no subsystem is overwritten without a word."""

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(self.get(name), Field):
            raise DeclarationError(f"{name} is declared twice", name)
        super().__setitem__(name, value)


class _Declaring(type):
    @classmethod
    def __prepare__(metacls, name: str, bases: tuple[type, ...], /, **kwargs: Any) -> _Body:
        return _Body()

    def __new__(metacls, name: str, bases: tuple[type, ...], body: dict[str, Any], /, **kwargs: Any) -> _Declaring:
        return super().__new__(metacls, name, bases, dict(body), **kwargs)


class Orchestra(metaclass=_Declaring):
    """Subclass it to declare an orchestra of subsystems; then `builder()`, `check()`, `traffic()`.

    `signal`, `event` and `error` are the types of what is broadcast to all, of what the outside sends to the main
    loop, and of what subsystems are expected to raise. `routes` are messages that the main loop sends with
    `system.route`, `outgoing` those that leave the orchestra. A message that is sent and consumed by nobody is an
    error unless `deny_unconsumed=False` (then it is dropped), one that is consumed and never sent unless
    `deny_unsent=False`. `signals_wait=False`: a broadcast leaves signals in line where there is no room, and does not
    wait; then subsystems may wait for the main loop (events, what leaves) while it broadcasts.

    Raises DeclarationError, with the subsystem or message that is at fault.

    >>> from hocket.orchestra import Orchestra, subsystem
    >>> class Stop: ...
    >>> class Plinko: ...
    >>> class Dig(Orchestra, signal=Stop, event=str, error=Exception):
    ...     goldmine = subsystem(sends=Plinko)
    ...     tower = subsystem(consumes=Plinko)
    >>> [slot.name for slot in Dig.declaration.slots], Dig.check().verdict
    (['goldmine', 'tower'], 'holds')
    """

    declaration: ClassVar[Declaration]

    def __init_subclass__(
        cls,
        *,
        signal: type | None = None,
        event: type | None = None,
        error: type[BaseException] | None = None,
        routes: tuple[type, ...] | list[type] | type = (),
        outgoing: tuple[type, ...] | list[type] | type = (),
        message_capacity: int = MESSAGE_CAPACITY,
        signal_capacity: int = SIGNAL_CAPACITY,
        signals_wait: bool = True,
        deny_unconsumed: bool = True,
        deny_unsent: bool = True,
    ) -> None:
        kinds = _annotations(cls)
        slots = [value.slot(name, kinds.get(name, "")) for name, value in vars(cls).items() if isinstance(value, Field)]
        if not slots:
            raise DeclarationError(f"{cls.__name__} declares no subsystem: write name = subsystem(...)", cls.__name__)
        baggage = tuple(name for name in kinds if not isinstance(vars(cls).get(name), Field))
        declaration = Declaration(
            cls.__name__,
            _type(cls, "signal", signal),
            _type(cls, "event", event),
            _type(cls, "error", error),
            tuple(slots),
            baggage,
            tuple((name, vars(cls)[name]) for name in baggage if name in vars(cls)),
            (routes,) if isinstance(routes, type) else tuple(routes),
            (outgoing,) if isinstance(outgoing, type) else tuple(outgoing),
            message_capacity,
            signal_capacity,
            signals_wait,
        )
        cls.declaration = declared(declaration, deny_unconsumed=deny_unconsumed, deny_unsent=deny_unsent)

    @classmethod
    def builder(cls, **parts: Any) -> Builder:
        """A builder, with these parts set."""
        return Builder(cls.declaration).set(**parts)

    @classmethod
    def connector(cls, capacity: int = EVENT_CAPACITY) -> Connector:
        """A handle to hand out before the orchestra is built; `capacity` is the number of events that can wait."""
        return Connector(cls.declaration, capacity)

    @classmethod
    def traffic(cls) -> Traffic:
        """Who sends what to whom, and in which way."""
        return traffic_of(cls.declaration)

    @classmethod
    def check(cls, *, cycles: int = 100, states: int = 100_000) -> Report:
        """Who can wait for whom, and whether each cycle of it can close; see `hocket.orchestra.check`."""
        return check(cls.traffic(), cycles=cycles, states=states)

    @classmethod
    def picture(cls) -> str:
        """Who sends what to whom, as an SVG text, with the cycles that can close in red."""
        return svg_of(cls.traffic(), _drawn(cls.check()), cls.__name__)

    @classmethod
    def dot(cls) -> str:
        """The same in Graphviz's language."""
        return dot_of(cls.traffic(), _drawn(cls.check()))


def traffic_of(declaration: Declaration) -> Traffic:
    """The declared channels: between subsystems, from the main loop, and to it."""
    channels = [
        Channel(
            slot.name,
            consumer.name,
            row.message.__name__,
            row.mode,
            _room(declaration, consumer),
            row.reply_to.__name__ if row.reply_to else "",
        )
        for slot in declaration.slots
        for row in slot.sends
        if (consumer := declaration.consumer(row.message)) is not None and not consumer.wip
    ]
    channels += [
        Channel(ORCHESTRA, consumer.name, message.__name__, Mode.BOUNDED, _room(declaration, consumer))
        for message in declaration.routes
        if (consumer := declaration.consumer(message)) is not None and not consumer.wip
    ]
    channels += [
        Channel(slot.name, ORCHESTRA, row.message.__name__, row.mode, EVENT_CAPACITY)
        for slot in declaration.slots
        for row in slot.sends
        if row.message in declaration.outgoing and declaration.consumer(row.message) is None
    ]
    channels += [
        Channel(slot.name, ORCHESTRA, declaration.event.__name__, Mode.EVENT, EVENT_CAPACITY)
        for slot in declaration.slots
        if slot.events
    ]
    nodes = tuple(slot.name for slot in declaration.slots if not slot.wip)
    if declaration.signals_wait:
        signal, room = declaration.signal.__name__, declaration.signal_capacity
        rooms = {slot.name: slot.signal_capacity or room for slot in declaration.slots}
        channels += [Channel(ORCHESTRA, name, signal, Mode.SIGNAL, rooms[name]) for name in nodes]
    return Traffic(nodes, tuple(channels))


def _drawn(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(cycle.answer.status, [(wait.who, wait.whom) for wait in cycle.waits]) for cycle in report.cycles]


def _room(declaration: Declaration, slot: Slot) -> int:
    return slot.message_capacity or declaration.message_capacity


def _type(cls: type, name: str, given: Any) -> Any:
    if not isinstance(given, type):
        raise DeclarationError(f"Must declare the orchestra {name} type via {name}=.. in class {cls.__name__}", name)
    return given


def _annotations(cls: type) -> Mapping[str, str]:
    """The class's own annotations, as they are written: none is evaluated."""
    if sys.version_info >= (3, 14):
        import annotationlib

        found: Mapping[str, Any] = annotationlib.get_annotations(cls, format=annotationlib.Format.STRING)
    else:
        found = inspect.get_annotations(cls)
    return {name: _written(kind) for name, kind in found.items()}


def _written(kind: Any) -> str:
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
