"""Where asyncio meets the explorer: bodies that are coroutine functions, loops made in place of asyncio's, the end.

A coroutine function is run by `asyncio.run`, unmodified. Whoever makes one of the standard library's loops in an
exploration, by whatever name, gets the explorer's: the object changes its class as it is made, so that no name has
to be replaced. A program that imports asyncio only while it is explored is not seen through, and refused.
At the end of an execution everything that its loops left behind is told, and closed in order: nothing is left to the
garbage collector, which would meet it in the middle of another execution.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from zlib import crc32

from hocket.errors import Refused
from hocket.explore.aio.kept import kept_to_one_thread
from hocket.explore.aio.unordered import sets_in_any_order
from hocket.explore.threads import patch
from hocket.explore.threads.control import Control, End, Unwind, current

__all__ = ["checked_cancel", "checked_order", "runnable"]

_CANCELLED = "cancelled"
"""What a body has returned that ended because one of its tasks was cancelled from outside."""

_ABSENT = object()


def runnable(body: Callable[[], Any]) -> Callable[[], Any]:
    """`body` itself, or, if it is a coroutine function, a function that runs it as `asyncio.run` does."""
    if "asyncio" in sys.modules:
        pass  # its lock has to be there when locks are exchanged
    if not _is_async(body):
        return body
    import asyncio

    from hocket.explore.aio import loop  # noqa: F401  # before an exploration begins, which must import nothing

    def run() -> Any:
        try:
            return asyncio.run(body())
        except asyncio.CancelledError:
            if not _was_cancelled():
                raise
            return _CANCELLED

    run.__hocket_body__ = getattr(body, "__hocket_body__", body)  # type: ignore[attr-defined]  # so that it is named
    run.__name__ = getattr(body, "__name__", run.__name__)
    return run


def _is_async(body: Any) -> bool:
    while isinstance(body, functools.partial):
        body = body.func
    called = vars(type(body)).get("__call__")  # of an object that is called like a function
    return inspect.iscoroutinefunction(body) or inspect.iscoroutinefunction(called)


def _was_cancelled() -> bool:
    """Whether the explorer has cancelled a task in this execution."""
    actor = current()
    return actor is not None and any(loop.has_cancelled for loop in actor.control.loops)


def checked_order(order: Any) -> str:
    """The order in which ready callbacks run; raises `Refused` for none of the two."""
    if order not in ("fifo", "any"):
        raise Refused("order", f"set to {order!r}", "no order of callbacks", "'fifo', which asyncio promises, or 'any'")
    chosen: str = order
    return chosen


def checked_cancel(cancel: Any) -> tuple[str, ...]:
    """The names of `cancel=`, which may be given one or several; raises `Refused` for what is no name."""
    if cancel is None:
        return ()
    names = (cancel,) if isinstance(cancel, str) else tuple(cancel)
    for name in names:
        if not isinstance(name, str) or not name:
            raise Refused("cancel", f"given {name!r}", "no name of a task", "the name of a task or of its coroutine "
                          "function, or 'each'")
    return names


# -- for the time of an exploration -----------------------------------------------------------------------------------


@contextmanager
def _silent_pools() -> Iterator[None]:
    """A worker of a pool that is unwound would log that as an exception of its own."""
    base: Any = sys.modules.get("concurrent.futures._base")
    if base is None:
        yield
        return

    def is_news(record: Any) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], Unwind))

    base.LOGGER.addFilter(is_news)
    try:
        yield
    finally:
        base.LOGGER.removeFilter(is_news)


@contextmanager
def _sets_in_order() -> Iterator[None]:
    """Pools keep their threads in a set, and futures are locked in the order of addresses, which differ each time."""
    base: Any = sys.modules.get("concurrent.futures._base")
    rows: list[tuple[Any, str, Any]] = [(threading.Thread, "__hash__", _place_of_thread)]
    if base is not None:
        rows += [(base.Future, "__hash__", _place_of_future), (base, "id", _place_of_future)]
    before = [vars(owner).get(name, _ABSENT) for owner, name, _ in rows]  # not absent, if patched within patching
    for owner, name, place in rows:
        setattr(owner, name, place)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(rows, before, strict=True):
            if value is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _place_of_future(future: Any) -> int:
    """Of one that an execution made: the number of its lock; of any other, its address, for what stands in for its lock
    has a number only from its first use on, and a place may not change."""
    lock = future._condition._lock
    number: int = getattr(lock, "_number", -1) if not hasattr(lock, "found_as") else -1
    return number if number >= 0 else object.__hash__(future)


def _place_of_thread(thread: Any) -> int:
    """Of one that an execution makes: by its name, which `threading` numbers, when it is hashed as it is made."""
    place = vars(thread).get("_hocket_place")
    if place is None:
        made_here = current() is not None and thread.ident is None
        place = thread._hocket_place = crc32(thread.name.encode()) if made_here else object.__hash__(thread)
    return int(place)


@contextmanager
def _asyncio_controlled() -> Iterator[None]:
    if "asyncio" not in sys.modules:
        yield
        return
    with ExitStack() as undo:
        for kind in _stock_loops():
            undo.callback(setattr, kind, "__init__", kind.__init__)
            kind.__init__ = _making(kind.__init__)
        swift: Any = sys.modules.get("uvloop")
        if swift is not None and hasattr(swift, "new_event_loop"):
            undo.callback(setattr, swift, "new_event_loop", swift.new_event_loop)
            swift.new_event_loop = _in_place_of(swift.new_event_loop)
        undo.callback(setattr, warnings, "_warn_unawaited_coroutine", _warn_unawaited())
        warnings._warn_unawaited_coroutine = _told_of_unawaited(_warn_unawaited())  # type: ignore[attr-defined]
        undo.enter_context(kept_to_one_thread())
        undo.enter_context(sets_in_any_order())
        yield


def _warn_unawaited() -> Any:
    return warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]  # CPython's own: what it calls


def _stock_loops() -> Iterator[Any]:
    """The classes in which the standard library's loops are made."""
    for module, name in (("selector_events", "BaseSelectorEventLoop"), ("proactor_events", "BaseProactorEventLoop")):
        yield getattr(__import__(f"asyncio.{module}", fromlist=[name]), name)


def _making(plain: Callable[..., None]) -> Callable[..., None]:
    """`__init__` of a stock loop: an actor gets a loop of the explorer instead."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if current() is None:
            plain(self, *args, **kwargs)
            return
        from hocket.explore.aio.loop import Loop

        if not type(self).__module__.startswith("asyncio."):
            from hocket.explore.aio.refused import refuse

            refuse("made", "an event loop of a class of its own, whose input and output cannot be explored",
                   "one that asyncio makes", "leave loop_factory out while exploring", type(self).__qualname__)
        self.__class__ = Loop
        Loop.__init__(self)

    return __init__


def _in_place_of(plain: Callable[[], Any]) -> Callable[[], Any]:
    def new_event_loop() -> Any:
        if current() is None:
            return plain()
        from hocket.explore.aio.loop import Loop

        return Loop()

    return new_event_loop


def _told_of_unawaited(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    """What Python calls with a coroutine that is gone and was never awaited."""

    def told(coroutine: Any) -> None:
        actor = current()
        if actor is None:
            plain(coroutine)
        elif not actor.control.over:
            leak = f"coroutine {coroutine.__qualname__} was never awaited"
            if leak not in actor.control.leaks:
                actor.control.leaks.append(leak)

    return told


# -- the end of an execution ------------------------------------------------------------------------------------------


def _at_end(control: Control) -> None:
    if not control.loops:
        return
    for loop in control.loops:
        if control.end == End.COMPLETE:
            loop.tell_leaks()
    control.over = True
    for loop in control.loops:
        with suppress(BaseException):
            loop.dissolve()
    control.loops.clear()


patch.EXTENSIONS += [_silent_pools, _sets_in_order, _asyncio_controlled]
patch.AT_END.append(_at_end)
