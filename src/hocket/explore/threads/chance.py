"""Chance, made repeatable: in an exploration each actor draws from streams of its own.

They begin alike in every execution and process, and what one actor draws does not depend
on who drew before, so a class of interleavings has one outcome. It is one sequence of
draws that is explored, and not all: what a program does for every value is asked with
`hocket.choose`. Covered are the functions of `random`, generators that are made without
a seed, `os.urandom`, and so `secrets` and `uuid`. Refused: one stream for all, whose order
of draws would be a race that nobody wrote; and seeding the real generator, which belongs to the caller.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

from hocket.explore.threads.control import ACTORS, Actor, current
from hocket.explore.threads.pool import _get_ident

__all__ = ["METHODS", "REPLACED"]

_seed = random.Random.seed


def _stream(actor: Actor) -> random.Random:
    """What the calling actor draws from."""
    stream: random.Random | None = actor.chance
    if stream is None:
        with _unwatched(actor):
            stream = actor.chance = random.Random(f"hocket {actor.name}")
    return stream


_READ_THEIR_ARGUMENTS = {"choice", "choices", "sample", "shuffle"}


def _unwatched(actor: Actor, name: str = "") -> AbstractContextManager[None]:
    """What `random` keeps books of is the actor's own; only the lists that some functions are given may be shared."""
    observer = actor.control.observer
    return nullcontext() if observer is None or name in _READ_THEIR_ARGUMENTS else observer.paused()


def _drawn(real: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `random`, as the calling actor's."""
    name = real.__name__

    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def draw(*args: Any, **kwargs: Any) -> Any:
        actor = ACTORS.get(_get_ident())
        if actor is None:
            return real(*args, **kwargs)
        with _unwatched(actor, name):
            return getattr(_stream(actor), name)(*args, **kwargs)

    return draw


def _bytes(real: Callable[..., bytes]) -> Callable[..., bytes]:
    """A function that gets bytes from the system."""

    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def draw(size: int, *flags: int) -> bytes:
        actor = current()
        if actor is None:
            return real(size, *flags)
        with _unwatched(actor, "randbytes"):
            return _stream(actor).randbytes(size)

    return draw


def _seeded(generator: random.Random, a: Any = None, version: int = 2) -> None:
    """`Random.seed`; without a seed, one that the calling actor draws."""
    actor = current()
    if a is None and actor is not None:
        a = _stream(actor).getrandbits(64) if actor.chance is not generator else f"hocket {actor.name}"
    with nullcontext() if actor is None or vars(generator) else _unwatched(actor):  # a new one is nobody else's yet
        _seed(generator, a, version)


_seeded.__wrapped__ = _seed  # type: ignore[attr-defined]  # what it hands on to


def _with_given(drawn: uuid.UUID, node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    low, middle, high, upper, lower, own = drawn.fields
    if clock_seq is not None:  # 14 bits of it, below the two of the variant
        upper, lower = 0x80 | clock_seq >> 8 & 0x3F, clock_seq & 0xFF
    return uuid.UUID(fields=(low, middle, high, upper, lower, own if node is None else node))


def _uuid(real: Callable[..., uuid.UUID], version: int) -> Callable[..., uuid.UUID]:
    """Of an actor its own draw: the real ones are made from the clock, the last one that anybody made, the system.

    What the caller gives of it, as one may to `uuid1`, it has.
    """

    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def draw(*args: Any, **kwargs: Any) -> Any:
        actor = current()
        if actor is None:
            return real(*args, **kwargs)
        with _unwatched(actor, real.__name__):
            drawn = uuid.UUID(int=_stream(actor).getrandbits(128), version=version)
            return _with_given(drawn, *args, **kwargs) if args or kwargs else drawn

    return draw


_functions = [value for value in vars(random).values() if getattr(value, "__self__", None) is random._inst]

REPLACED: list[tuple[Any, Any]] = [
    *((function, _drawn(function)) for function in _functions),
    *((function, _bytes(function)) for function in (getattr(os, "urandom", None), getattr(os, "getrandom", None))
      if function is not None),
    (uuid.uuid1, _uuid(uuid.uuid1, 1)),
    (uuid.uuid4, _uuid(uuid.uuid4, 4)),
]
METHODS: list[tuple[type, str, Any]] = [(random.Random, "seed", _seeded)]
