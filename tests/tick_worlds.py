"""Worlds that tick, for tests: the plain one and the one on esper, and bodies that write down when they were called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import esper

from hocket.runtime.ecs import TaskComponent, World
from hocket.runtime.esper_world import EsperWorld

_names = count()


@contextmanager
def on_esper(**options) -> Iterator[EsperWorld]:
    """A world in a world of esper that is there for as long as this lasts."""
    before, name = esper.current_world, f"test {next(_names)}"
    esper.switch_world(name)
    try:
        yield EsperWorld(**options)
    finally:
        esper.switch_world(before)
        esper.delete_world(name)


@contextmanager
def plain(**options) -> Iterator[World]:
    yield World(**options)


WORLDS = {"plain": plain, "esper": on_esper}


@dataclass
class Write(TaskComponent):
    """Writes its value to the log that its runner was given; complete at once, or after having asked to be called."""

    value: object
    asks: int = 0

    def run(self, data: Log) -> bool:
        data.calls.append((data.world.now, self.value))
        self.asks -= 1
        return self.asks < 0


@dataclass
class Done(TaskComponent):
    """Complete at once (the seeds' AlreadyComplete)."""

    was_run: bool = False

    def run(self, data: object) -> bool:
        self.was_run = True
        return True


@dataclass
class Log:
    """Who was called in which tick."""

    world: World
    calls: list[tuple[int, object]] = field(default_factory=list)

    @property
    def values(self) -> list[object]:
        return [value for _, value in self.calls]

    @property
    def ticks(self) -> dict[object, int]:
        """The last tick in which each was called."""
        return {value: tick for tick, value in self.calls}


def logged(world: World) -> Log:
    """Give a world runners for both components, as the seeds' tests do; the log of what they do."""
    log = Log(world)
    world.add_runner(Write, log)
    world.add_runner(Done)
    return log
