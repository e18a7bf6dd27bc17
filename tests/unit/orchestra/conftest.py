"""Both ways of running an orchestra, and a loop whose clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass

import pytest

from hocket.orchestra.waiters import finish


class _Jumping(selectors.DefaultSelector):
    """Where a loop would sleep until its next timer, its clock is put forward instead."""

    now = 0.0

    def select(self, timeout=None):
        if timeout:
            self.now += timeout
        return super().select(0)


def jump(main):
    """Run a coroutine in a loop in which waiting takes no time; its result."""
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)


@dataclass(frozen=True)
class Runtime:
    """Runs a coroutine, and builds orchestras whose methods it can await."""

    name: str

    def run(self, main):
        return jump(main) if self.name == "asyncio" else finish(main)

    def build(self, builder, connector=None):
        system, handle = builder.build(connector, runtime=self.name)
        return (system, handle) if self.name == "asyncio" else (system._system, handle._handle)


@pytest.fixture(params=["asyncio", "threads"])
def runtime(request):
    return Runtime(request.param)
