"""Tasks of asyncio's that begin bodies one after the other, for as long as these await nothing.

To make a task of asyncio's costs more than most bodies do. So a *host* begins the
bodies that are ready, each in variables of its own; and as soon as one awaits
something, the host is that body's own, until its end, and others go on with the rest.
Where bodies do await, each is given a task of its own from the start, and one in some
is tried. A body that has ended without awaiting anything leaves no trace on its host: if anybody
still knows the host (holds it, watches it, has told it to cancel itself), it begins
nothing more. So `current_task`, cancellation, timeouts and context variables are in
every body what they are in a task of its own.

Refused: one host for all bodies, awaiting or not, where a cancellation that is meant
for one of them would reach another.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextvars import Context as Variables
from contextvars import ContextVar
from sys import getrefcount
from types import CoroutineType, coroutine
from typing import TYPE_CHECKING, Any
from weakref import getweakrefcount

from hocket.runtime.aio_handle import AsyncHandle
from hocket.runtime.handle import Context
from hocket.runtime.task import PLAIN

if TYPE_CHECKING:
    from hocket.runtime.aio_crew import AsyncCrew

__all__ = ["LIVES", "Hosts", "Life", "pause"]

_TRIED = 16  # where the last body awaited something, one in so many is given to a host all the same
_A_TURN = range(32)  # bodies that a host begins before others on the loop have their turn

Life = asyncio.Task[None]

LIVES: ContextVar[tuple[Life, ...]] = ContextVar("hocket lives", default=())
"""The body that one is in, as asyncio's task; and, where schedulers are nested, those that it is in."""

_Begun = tuple[Coroutine[Any, Any, Any], Any]  # a coroutine, and what it awaits first


@coroutine
def pause() -> Generator[None, None, None]:
    """Where a coroutine stands before its first turn (begun, so that its end cannot be missed) or between two turns."""
    yield


class Hosts:
    """The hosts of a crew, and the bodies that have a place and wait for a host.

    Invariant: where a body waits, a host is about to look for it.
    """

    def __init__(self, crew: AsyncCrew) -> None:
        self._crew = crew
        self._waiting: deque[AsyncHandle] = deque()
        self._looking = 0  # hosts that are no body's own
        self._awaited = False  # the last body that a host began awaited something
        self._since = 0  # bodies since one was tried

    def takes(self, task: AsyncHandle) -> bool:
        """Begin its body when its turn comes; unless it is likely to await something, and none is to be tried."""
        if self._awaited:
            self._since = (self._since + 1) % _TRIED
            if self._since:
                return False
        crew = self._crew
        crew._in_flight += 1
        crew._unborn += 1
        self._waiting.append(task)
        if not self._looking:
            self._summon()
        return True

    def _summon(self) -> None:
        self._looking += 1
        host = self._serve()
        host.send(None)
        # by the name of the body: some loops that run a task as it is made give the name afterwards
        self._crew._loop.create_task(host, name=self._waiting[0].name, context=Variables())

    async def _serve(self) -> None:
        """The life of a host."""
        begun = None
        try:
            await pause()
            me: Any = asyncio.current_task()
            begun = await self._begin_bodies(me)
        finally:
            self._looking -= 1
            if not self._crew._loop.is_closed():  # else it was left behind, and is taken down
                self._replace(len(self._waiting) if begun else 1)
        if begun is not None:
            await self._go_on(me, *begun)

    def _replace(self, wanted: int) -> None:
        """As many look again as are wanted: where one body awaits something the next will too, so one for each."""
        while self._looking < min(wanted, len(self._waiting)):
            self._summon()

    async def _begin_bodies(self, me: Life) -> _Begun | None:
        """Begin bodies until one awaits something (which, and what), none is left, or this host is known."""
        while self._waiting:
            known = _known(me)
            for _ in _A_TURN:
                begun = self._begin(me, self._waiting.popleft())
                if begun is not None or _known(me) != known:
                    return begun
                if not self._waiting:
                    return None
            await pause()
        return None

    def _begin(self, me: Life, task: AsyncHandle) -> _Begun | None:
        """The first turn of a body; None when there is no second."""
        crew = self._crew
        crew._unborn -= 1
        if not crew._starts(task):
            crew._leaves()
            return None
        crew._lives[me] = task
        me.set_name(task.name)
        self._awaited = False
        try:
            begun: _Begun = task.context.run(self._first_turn, me, task)
        except StopIteration as end:
            task.gave(end.value)
            crew._ends(me, task, None)
        except BaseException as error:
            crew._fails(me, task, error)
        else:
            self._awaited = True
            return begun
        return None

    def _first_turn(self, me: Life, task: AsyncHandle) -> _Begun:
        """In the variables of the body. Raises what the body raises, and StopIteration when it has returned."""
        outer = LIVES.get()
        LIVES.set((me, *self._alive(outer)) if outer else (me,))
        try:
            if task._more is PLAIN:
                body = task.body()  # type: ignore[misc]  # the kernel runs no task without a body
            else:
                body = task.begin(Context(self._crew, task) if task.wants_context else None)
            if type(body) is not CoroutineType:
                body = _awaited(body)
            return body, body.send(None)
        except BaseException:
            LIVES.set(())  # its variables may live longer, and would know the host
            raise

    def _alive(self, outer: tuple[Life, ...]) -> Iterator[Life]:
        """The bodies of other schedulers that this one is in."""
        lives = self._crew._lives
        return (life for life in outer if life not in lives and not life.done())

    async def _go_on(self, me: Life, body: Coroutine[Any, Any, Any], awaited: Any) -> None:
        """The host is the body's own, which awaits something."""
        task = self._crew._lives[me]
        try:
            value = await _further_turns(task.context.run, body, awaited)
        except BaseException as error:
            self._crew._fails(me, task, error)
        else:
            task.gave(value)
            self._crew._ends(me, task, None)
        finally:
            task.context.run(LIVES.set, ())


@coroutine
def _further_turns(
    run: Callable[..., Any], body: Coroutine[Any, Any, Any], awaited: Any
) -> Generator[Future[Any], Any, Any]:
    """Let a coroutine go on from what it awaits, each turn in its own variables; what it returns."""
    try:
        while True:
            try:
                answer = yield awaited
            except BaseException as error:
                awaited = run(body.throw, error)
            else:
                awaited = run(body.send, answer)
    except StopIteration as end:
        return end.value


async def _awaited(what: Any) -> Any:
    """What can be awaited and is no coroutine, as one."""
    return await what


def _known(host: Any) -> tuple[Any, ...]:
    """What changes when somebody else comes to know a host, or tells it anything: for comparison only."""
    return getrefcount(host), getweakrefcount(host), host._must_cancel, host.cancelling(), host._callbacks
