"""Three whole subsystems on threads, in every interleaving: too dear for each run of the tests.

    python -m tests.exhaust_subsystems [NAME ...]

Each subsystem has a thread, and the main one broadcasts a signal and hears the ends, while every queue has room for
one: c receives what a sends, what b sends after it has heard the signal, and the signal itself. Printed are the
classes of interleavings, how often each outcome came, and the CPU time. `tests/unit/orchestra` runs the first with one
preemption.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from time import process_time

import hocket
from hocket.orchestra import Orchestra, subsystem
from hocket.orchestra.waiters import finish


class Signal: ...


class Item(int): ...


class Three(Orchestra, signal=Signal, event=str, error=Exception, signal_capacity=1, message_capacity=1):
    a = subsystem(sends=Item)
    b = subsystem(sends=Item)
    c = subsystem(consumes=Item, priority=True)


async def _main(first: tuple[int, ...], urgent: bool, run: bool) -> tuple:
    heard = []

    async def a(ctx):
        for number in first:
            await ctx.send(Item(number))

    async def b(ctx):
        await ctx.recv()
        await ctx.send(Item(9), priority=urgent)

    async def c(ctx):
        for _ in range(len(first) + 2):
            item = await ctx.recv()
            heard.append("signal" if isinstance(item, Signal) else int(item))

    system, _ = Three.builder(a=a, b=b, c=c).build(runtime="threads")
    if run:
        broadcast = await system._system.broadcast(Signal())
        ends = await system._system.run(watch=None)
    else:
        ended = await system._system.terminate(Signal())
        broadcast, ends = ended.broadcast, ended.ended
    meter = system.meters()["c"]
    _check(heard, first, meter, [end.undelivered for end in ends])
    return *heard, *broadcast.missed


def _check(heard, first, meter, undelivered) -> None:
    assert sorted(heard[:], key=str) == sorted([*first, 9, "signal"], key=str), "something was lost"
    assert heard.index("signal") < heard.index(9), "b's message came before the signal that b had heard"
    assert [number for number in heard if number in first] == list(first), "a's messages changed places"
    assert (meter.bounded.sent, meter.bounded.received, meter.signals.received) == (len(first) + 1, len(first) + 1, 1)
    assert not any(undelivered)


def program(first: tuple[int, ...] = (1,), urgent: bool = False, run: bool = False) -> Callable[[], tuple]:
    """A body to explore: what c heard, and who had ended before the broadcast."""
    return lambda: finish(_main(first, urgent, run))


PROGRAMS = {
    "ended by a signal": partial(program),
    "main loop": partial(program, run=True),
    "priority": partial(program, urgent=True),
    "full": partial(program, first=(1, 2)),
}


if __name__ == "__main__":
    for name in sys.argv[1:] or PROGRAMS:
        began = process_time()
        result = hocket.explore(PROGRAMS[name](), data="off")
        result.raise_if_failed()
        how = f"{result.verdict} ({result.reason})" if result.reason else result.verdict
        print(f"{name}: {how}, {result.classes:,} classes, {process_time() - began:.0f} CPU s", flush=True)
        for outcome, count in sorted(result.outcomes.items(), key=str):
            print(f"  {count:>7,}  {' '.join(map(str, outcome))}", flush=True)
