"""The same system and the same handle for a program without an event loop: each method waits by holding its thread."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hocket.orchestra.meters import MeterReader, Readouts
from hocket.orchestra.system import Broadcast, Ended, Handle, System, Termination
from hocket.orchestra.waiters import finish

__all__ = ["BlockingHandle", "BlockingSystem"]


class BlockingHandle:
    """As `Handle`."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def send(self, event: Any, timeout: float | None = None) -> None:
        """As `Handle.send`."""
        finish(self._handle.send(event, timeout))

    def try_send(self, event: Any) -> bool:
        """As `Handle.try_send`."""
        return self._handle.try_send(event)


class BlockingSystem:
    """A running orchestra whose subsystems have a thread each; as `System`."""

    def __init__(self, system: System) -> None:
        self._system = system

    def __repr__(self) -> str:
        return repr(self._system)

    @property
    def baggage(self) -> SimpleNamespace:
        """As `System.baggage`."""
        return self._system.baggage

    @property
    def ends(self) -> list[Ended]:
        """As `System.ends`."""
        return self._system.ends

    @property
    def running(self) -> tuple[str, ...]:
        """As `System.running`."""
        return self._system.running

    def broadcast(self, signal: Any, timeout: float | None = None) -> Broadcast:
        """As `System.broadcast`."""
        return finish(self._system.broadcast(signal, timeout))

    def route(self, message: Any, *, priority: bool = False, timeout: float | None = None) -> None:
        """As `System.route`."""
        finish(self._system.route(message, priority=priority, timeout=timeout))

    def next(self, timeout: float | None = None) -> Any:
        """As `System.next`."""
        return finish(self._system.next(timeout))

    def run(self, serve: Callable[[Any], None] | None = None, *, stop: Any = None) -> tuple[Ended, ...]:
        """As `System.run`; `serve` is an ordinary function."""
        if serve is None:
            return finish(self._system.run(stop=stop))

        async def served(item: Any) -> None:
            serve(item)

        return finish(self._system.run(served, stop=stop))

    def terminate(self, signal: Any, timeout: float | None = None) -> Termination:
        """As `System.terminate`."""
        return finish(self._system.terminate(signal, timeout))

    def meters(self) -> dict[str, Readouts]:
        """As `System.meters`."""
        return self._system.meters()

    def meter(self, name: str) -> MeterReader:
        """As `System.meter`."""
        return self._system.meter(name)

    def close(self, timeout: float = 5.0) -> tuple[str, ...]:
        """As `System.close`."""
        return finish(self._system.close(timeout))

    def __enter__(self) -> BlockingSystem:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
