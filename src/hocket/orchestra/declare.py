"""What an orchestra is made of, said once as data: who consumes what, who sends what, and in which way.

The ways of sending are part of the declaration because they decide what can wait
for whom (the seed's issue #73: a check that cannot tell bounded from unbounded
sends cries wolf), and a context refuses a way that was not declared, so that what
is checked is what runs. Every fault is found when the class is made, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hocket.errors import DeclarationError
from hocket.graph.traffic import Mode

__all__ = ["Declaration", "Sending", "Slot", "apart", "asks", "declared", "replies", "subsystem", "trying", "unbounded"]

MESSAGE_CAPACITY, SIGNAL_CAPACITY = 1024, 64


@dataclass(frozen=True, slots=True)
class Sending:
    """A message type and the way in which it is sent."""

    message: type
    mode: Mode
    reply_to: type | None = None


def replies(message: type, *, to: type) -> Sending:
    """It is sent with `send`, at most once for each message of type `to` that was received."""
    if not isinstance(to, type):
        raise DeclarationError(f"replies({message!r}, to={to!r}): give the class that is replied to", repr(to))
    return Sending(_sending(message, Mode.BOUNDED).message, Mode.BOUNDED, to)


def unbounded(message: type) -> Sending:
    """It is sent with `send_unbounded` only, so its sender never waits for room."""
    return _sending(message, Mode.UNBOUNDED)


def trying(message: type) -> Sending:
    """It is sent with `try_send` only, which never waits: there is room, or Full is raised."""
    return _sending(message, Mode.TRIED)


def asks(message: type) -> Sending:
    """It is sent with `send`, and its sender then waits for an answer."""
    return _sending(message, Mode.ASKED)


def apart(message: type) -> Sending:
    """It is sent by spawned jobs only, so the subsystem itself goes on receiving while one of them waits for room."""
    return _sending(message, Mode.APART)


def _sending(message: type, mode: Mode) -> Sending:
    if not isinstance(message, type):
        raise DeclarationError(f"{message!r} is no message type: give a class", repr(message))
    return Sending(message, mode)


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one subsystem; capacities None stand for the orchestra's."""

    name: str
    kind: str  # the subsystem's type as the declaration names it, or ""
    consumes: type | None
    sends: tuple[Sending, ...]
    wip: bool = False
    blocking: bool = False
    priority: bool = False
    events: bool = False
    message_capacity: int | None = None
    signal_capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A whole orchestra: `routes` are the messages that its main loop sends, `outgoing` those that leave it.

    `signals_wait`: a broadcast waits until each has it in its queue.
    """

    name: str
    signal: type
    event: type
    error: type[BaseException]
    slots: tuple[Slot, ...]
    baggage: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()
    routes: tuple[type, ...] = ()
    outgoing: tuple[type, ...] = ()
    message_capacity: int = MESSAGE_CAPACITY
    signal_capacity: int = SIGNAL_CAPACITY
    signals_wait: bool = True

    def slot(self, name: str) -> Slot:
        """The slot of that name; raises KeyError."""
        return next(slot for slot in self.slots if slot.name == name)

    def consumer(self, message: type) -> Slot | None:
        """Who consumes that type of message."""
        return next((slot for slot in self.slots if slot.consumes is message), None)


class Field:
    """A subsystem's line in the class, before the class knows its name; see `subsystem`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def slot(self, name: str, kind: str) -> Slot:
        return Slot(name, kind, **self.options)


def subsystem(
    *,
    consumes: type | None = None,
    sends: type | Sending | Iterable[type | Sending] = (),
    wip: bool = False,
    blocking: bool = False,
    priority: bool = False,
    events: bool = False,
    message_capacity: int | None = None,
    signal_capacity: int | None = None,
) -> Any:
    """One subsystem of an orchestra, as the value of a class attribute.

    `consumes` is the one type of message that it receives, and `sends` those that it sends: each a class, or
    `replies(...)`, `asks(...)`, `unbounded(...)`, `trying(...)`, `apart(...)` of one. `wip`: it does not exist yet, so
    what is sent to it is dropped, and no instance is needed. `blocking`: its body is an ordinary function
    and gets a thread of its own. `priority`: it has a queue for priority messages. `events`: it may send
    events to the orchestra. Capacities are numbers of items.

    Raises DeclarationError: neither consumes nor sends, a message twice, a capacity below 1.

    >>> class Ping: ...
    >>> subsystem(sends=Ping).options["sends"][0].mode.name
    'BOUNDED'
    """
    rows = (sends,) if isinstance(sends, (type, Sending)) else tuple(sends)
    messages = tuple(row if isinstance(row, Sending) else _sending(row, Mode.BOUNDED) for row in rows)
    if consumes is not None and not isinstance(consumes, type):
        raise DeclarationError(
            f"consumes={consumes!r}: a subsystem consumes one type of message, given as a class", repr(consumes)
        )
    if consumes is None and not messages:
        raise DeclarationError("a subsystem must consume a message or send one: say consumes=M, or sends=[M]")
    for row in messages:
        if row.reply_to is not None and row.reply_to is not consumes:
            name = row.message.__name__
            raise DeclarationError(f"{name} replies to {row.reply_to.__name__}, which is not what it consumes", name)
    if twice := _first_twice([row.message for row in messages]):
        raise DeclarationError(f"sends names {twice.__name__} twice", twice.__name__)
    for name, number in (("message_capacity", message_capacity), ("signal_capacity", signal_capacity)):
        _at_least_one(name, number)
    return Field(
        {
            "consumes": consumes,
            "sends": messages,
            "wip": wip,
            "blocking": blocking,
            "priority": priority,
            "events": events,
            "message_capacity": message_capacity,
            "signal_capacity": signal_capacity,
        }
    )


def declared(declaration: Declaration, *, deny_unconsumed: bool, deny_unsent: bool) -> Declaration:
    """The declaration itself; raises DeclarationError with the first of its faults."""
    _at_least_one("message_capacity", declaration.message_capacity)
    _at_least_one("signal_capacity", declaration.signal_capacity)
    _no_subsystem_twice(declaration)
    _one_consumer(declaration)
    _no_signal_is_a_message(declaration)
    if deny_unconsumed:
        _all_is_consumed(declaration)
    if deny_unsent:
        _all_is_sent(declaration)
    return declaration


def _no_subsystem_twice(declaration: Declaration) -> None:
    if twice := _first_twice([slot.kind for slot in declaration.slots if slot.kind]):
        places = " and ".join(slot.name for slot in declaration.slots if slot.kind == twice)
        message = f"Duplicate subsystem names: {twice} is both {places}; give each a type of its own"
        raise DeclarationError(message, twice)


def _one_consumer(declaration: Declaration) -> None:
    if twice := _first_twice([slot.consumes for slot in declaration.slots if slot.consumes is not None]):
        names = " and ".join(slot.name for slot in declaration.slots if slot.consumes is twice)
        raise DeclarationError(
            f"{twice.__name__} is consumed by {names}: a message has one consumer; "
            "make it two types, or let one pass it on",
            twice.__name__,
        )


def _no_signal_is_a_message(declaration: Declaration) -> None:
    messages = {slot.consumes for slot in declaration.slots} | _sent(declaration)
    for message in messages - {None}:
        if isinstance(message, type) and issubclass(message, declaration.signal):
            raise DeclarationError(
                f"{message.__name__} is a signal ({declaration.signal.__name__}) and a message: "
                "a receiver tells them apart by their type",
                message.__name__,
            )


def _all_is_consumed(declaration: Declaration) -> None:
    consumed = {slot.consumes for slot in declaration.slots} | set(declaration.outgoing)
    for slot in declaration.slots:
        for row in slot.sends:
            if row.message not in consumed:
                raise DeclarationError(
                    f"{row.message.__name__} is sent by {slot.name} and consumed by nobody: name a consumer, "
                    "put it into outgoing=, or say deny_unconsumed=False",
                    row.message.__name__,
                )


def _all_is_sent(declaration: Declaration) -> None:
    sent = _sent(declaration)
    for slot in declaration.slots:
        if slot.consumes is not None and slot.consumes not in sent:
            raise DeclarationError(
                f"{slot.consumes.__name__} is consumed by {slot.name} and sent by nobody: name a sender, "
                "put it into routes= if the main loop sends it, or say deny_unsent=False",
                slot.consumes.__name__,
            )


def _sent(declaration: Declaration) -> set[type]:
    return {row.message for slot in declaration.slots for row in slot.sends} | set(declaration.routes)


def _first_twice(things: Sequence[Any]) -> Any:
    return next((thing for place, thing in enumerate(things) if thing in things[:place]), None)


def _at_least_one(name: str, number: int | None) -> None:
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
        raise DeclarationError(f"{name}={number!r}: a capacity is a number of items, 1 or more", name)
