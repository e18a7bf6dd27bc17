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
        stream = actor.chance = random.Random(f"hocket {actor.name}")
    return stream


def _drawn(real: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `random`, as the calling actor's."""
    name = real.__name__

    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def draw(*args: Any, **kwargs: Any) -> Any:
        actor = ACTORS.get(_get_ident())
        return (real if actor is None else getattr(_stream(actor), name))(*args, **kwargs)

    return draw


def _bytes(real: Callable[..., bytes]) -> Callable[..., bytes]:
    """A function that gets bytes from the system."""

    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def draw(size: int, *flags: int) -> bytes:
        actor = current()
        return real(size, *flags) if actor is None else _stream(actor).randbytes(size)

    return draw


def _seeded(generator: random.Random, a: Any = None, version: int = 2) -> None:
    """`Random.seed`; without a seed, one that the calling actor draws."""
    actor = current()
    if a is None and actor is not None:
        a = _stream(actor).getrandbits(64) if actor.chance is not generator else f"hocket {actor.name}"
    _seed(generator, a, version)


def _uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    """Of an actor: its own draw, because the real one is made from the clock and the last one that anybody made."""
    actor = current()
    return _uuid1_real(node, clock_seq) if actor is None else uuid.UUID(int=_stream(actor).getrandbits(128), version=1)


_uuid1_real = uuid.uuid1
_functions = [value for value in vars(random).values() if getattr(value, "__self__", None) is random._inst]

REPLACED: list[tuple[Any, Any]] = [
    *((function, _drawn(function)) for function in _functions),
    *((function, _bytes(function)) for function in (getattr(os, "urandom", None), getattr(os, "getrandom", None))
      if function is not None),
    (uuid.uuid1, _uuid1),
]
METHODS: list[tuple[type, str, Any]] = [(random.Random, "seed", _seeded)]
