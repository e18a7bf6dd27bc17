"""The workers of an event loop, by name: each is a place for a body in flight, and they come and go as threads do.

A loop has one thread, so a worker of it is no thread: it is the right to have a body begun and not ended. What is said
of workers is what `crew.py` says of its own: removing one interrupts nobody; where the last one goes, whoever removes
it is told what waits (`Stranded`), and whoever joins that (`DeadlockError`); a join that helps, a body that joins and
the end of the block are a worker where there is none. Refused: naming threads here, which sync bodies share as they
come; how many there are is said by `threads=`.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf
from warnings import warn

from hocket.errors import DeadlockError, Refused, Stranded
from hocket.kernel import Kernel, Phase
from hocket.runtime.aio_crew import AsyncCrew
from hocket.runtime.aio_handle import AsyncHandle
from hocket.runtime.crew import names_of
from hocket.runtime.pickers import Picker

__all__ = ["AsyncWorkers"]


class AsyncWorkers(AsyncCrew):
    """A crew whose places are added and removed at any time."""

    def __init__(
        self,
        kernel: Kernel,
        workers: int | Iterable[str] | None,
        threads: int,
        picker: str | Picker[AsyncHandle],
        seed: int,
    ) -> None:
        self._workers = None if workers is None else dict.fromkeys(names_of(workers))  # None: as many as are wanted
        self._helpers = 0  # joins that help, which are a worker where there is none
        self._joiners: dict[Future[bool], AsyncHandle] = {}  # who awaits which task
        super().__init__(kernel, None if self._workers is None else len(self._workers), threads, picker, seed)

    def add_worker(self, name: str) -> None:
        """A place more for a body in flight, at any time. Raises Refused when one of that name is at work, or where
        there are as many as are wanted, because the scheduler was made without `workers`.
        """
        self._refuse_when_closed(name)
        workers = self._counted(name, "added")
        with self._lock:
            if name in workers:
                raise Refused(name, "added", "at work already", "a name that no worker has")
            workers[name] = None
        self._tell_loop()

    def remove_worker(self, name: str) -> None:
        """A place less: what runs goes on, and its place is not given away again. Returns at once.

        What waits stays there for others; if there are none, joiners of it are told (DeadlockError), and so is the
        caller, by the warning `Stranded`, which names what waits. Raises Refused when no worker is called so.
        """
        self._refuse_strangers(name, "removed")
        workers = self._counted(name, "removed")
        with self._lock:
            if name not in workers:
                raise Refused(name, "removed", "no worker", " or ".join(workers) or "a worker, and there is none")
            del workers[name]
            self._enter_all()
            alone = not (workers or self._helpers or self._closing is not None)
            waiting = (node for node in self._kernel.nodes if Phase.IDLE < node.phase < Phase.RUNNING)
            stranded = [node.name for node in waiting] if alone else []
        self._tell_loop()
        if stranded:
            warn(Stranded(name, stranded), stacklevel=2)

    def _refuse_strangers(self, thing: str, did: str) -> None:
        """Who may build: the loop, and bodies in threads."""
        raise NotImplementedError

    def _counted(self, name: str, did: str) -> dict[str, None]:
        if self._workers is None:
            raise Refused(name, did, "without a number of workers, so any number of bodies is in flight",
                          "AsyncScheduler(workers=...)")
        return self._workers

    def _tell_loop(self) -> None:
        if asyncio._get_running_loop() is self._loop:
            self._count_places()
        else:
            self._loop.call_soon_threadsafe(self._count_places)

    def _count_places(self) -> None:
        """On the loop: how many bodies may be in flight from now on."""
        least = 1 if self._helpers or self._closing is not None else 0
        self._places = inf if self._workers is None else max(len(self._workers), least)
        self._take_up([])

    @contextmanager
    def _helped(self, helps: bool) -> Iterator[None]:
        """A join that helps is a worker where there is none."""
        self._helpers += helps
        if helps and not self._places:
            self._count_places()
        try:
            yield
        finally:
            self._helpers -= helps
            if helps and not self._helpers and self._workers == {}:
                self._count_places()

    def _nobody_is_left(self) -> None:
        for waiter, task in self._joiners.items():
            if not waiter.done() and task.outcome is None:
                told = f"nobody can run {task.name!r}: there is no worker; add one, or join(help=True)"
                waiter.set_exception(DeadlockError(told, [self._kernel.story(task.node)]))
