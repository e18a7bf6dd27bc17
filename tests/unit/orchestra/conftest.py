"""Both ways of running an orchestra, and a loop whose clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
import threading
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

    def beside(self, body):
        """Start a coroutine function beside this one; a function to await its end."""
        if self.name == "asyncio":
            task = asyncio.ensure_future(body())
            return lambda: task
        thread = threading.Thread(target=lambda: finish(body()))
        thread.start()

        async def joined():
            thread.join()

        return joined

    async def until(self, holds):
        """Let the others run until something holds that they bring about."""
        moments = 0
        while not holds():
            moments += 1
            assert moments < (1_000_000 if self.name == "asyncio" else 60_000), "it has not come about"
            if self.name == "asyncio":
                await asyncio.sleep(0)
            else:
                threading.Event().wait(0.001)

    def build(self, builder, connector=None):
        system, handle = builder.build(connector, runtime=self.name)
        return (system, handle) if self.name == "asyncio" else (system._system, handle._handle)


@pytest.fixture(params=["asyncio", "threads"])
def runtime(request):
    return Runtime(request.param)
