"""The front door of the explorer: `explore(body)`, `replay(body, schedule)` (replaying.py), the decorator for tests.

An option whose machinery does not exist is refused by name; none is ignored. What is
asked for is put together here, the search (search.py) with who keeps it on disk and
who shares it out, and left to itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, TypeVar

from hocket.errors import Refused
from hocket.explore.aio.seam import checked_cancel, checked_order
from hocket.explore.options import (
    SUPPORTED,
    check_body,
    check_certificate,
    check_model,
    check_options,
    check_reductions,
    check_sharing,
    check_strategy,
)
from hocket.explore.progress import Line, Progress
from hocket.explore.reductions import checked
from hocket.explore.replaying import STEPS, replay
from hocket.explore.result import Result
from hocket.explore.sampling.sampled import sample_of
from hocket.explore.scale.checkpoint import BodyKeeper, Checkpoint
from hocket.explore.scale.parallel import search_in_parallel
from hocket.explore.search import Search
from hocket.explore.shared.tracker import Visible, named

__all__ = ["explore", "replay", "test"]

F = TypeVar("F", bound=Callable[..., Any])


def explore(
    body: Callable[[], Any],
    *,
    bound: int | None = None,
    seconds: float | None = None,
    executions: int | None = None,
    steps: int | None = None,
    model: str = "free",
    data: str = "track",
    strategy: str = "optimal",
    seed: int | None = None,
    executor: Any = None,
    track: Iterable[Any] = (),
    spurious: int = 0,
    progress: bool | Callable[[Progress], None] = False,
    checkpoint: Checkpoint | str | PathLike[str] | None = None,
    reductions: Iterable[str] = (),
    certificate: bool = False,
    order: str = "fifo",
    cancel: str | Iterable[str] | None = None,
) -> Result:
    """Run `body` in every distinct interleaving of the threads that it starts; returns what that came to.

    `body` is a plain function without parameters; it may use threading, queue and concurrent.futures as ever.
    `bound=k` runs every schedule with at most k preemptions (bounded.py: small programs), and the verdict is
    "bounded". `seconds`, `executions` and `steps` (of one execution, default 20,000) are limits: reached, they make
    the verdict "incomplete". `model="gil"`: others come in only where CPython's global lock lets them, and not between
    any two accesses (docs/explanation/memory-models.md). `data="off"` declares that whatever else is shared is
    none of the explorer's business. A `strategy` that draws ("random", "pct", "pos", "urw", "surw", "portfolio") takes
    a `seed` and a limit, by default 1,000 executions; it ends with "incomplete" and an estimate of what it has not
    seen, or with "failed".
    `spurious=n`: each thread may wake up from a Condition for no reason, up to n times in an execution.
    `progress` draws a line on a terminal, or calls what is given with a `Progress`.
    `checkpoint`, a path, keeps the search on disk and goes on from what is there (see checkpoint.py): `executions`
    then counts all of it, `seconds` this call. `executor`, of processes, or their number, shares the search out; the
    counts are the same (see parallel.py), and `body` must be a function of a module, or be picklable.
    Raises `CheckpointError` if what is there is of another search,
    `Refused` for what cannot be explored, `KeyboardInterrupt` when interrupted (with a note how far it got).
    `reductions`: rules by which more commutes, so that one execution stands for several classes ("equal-writes",
    "commuting-adds", "await-truth"; docs/explanation/independence.md); with them `classes` counts these larger ones.
    A body that is a coroutine function is run as by `asyncio.run`. `order="any"`: ready callbacks of event loops run in
    any order, and not in the one that asyncio promises. `cancel`, the name of a task or of its coroutine function, or
    "each": somebody outside may cancel it between any two callbacks, once in an execution (docs/how-to/asyncio.md).
    With `certificate`, a proof comes with the classes that it covered, for `hocket audit` to check (certificate.py).
    Source: optimal DPOR (Abdulla et al., JACM 2017).
    """
    check_body(body)
    check_options(model=model, data=data)
    check_model(model, data)
    check_strategy(strategy)
    sample = sample_of(strategy, seed, executions, seconds, bound=bound, checkpoint=checkpoint)
    rules = checked(reductions)
    if rules:
        check_reductions(strategy=strategy, bound=bound, checkpoint=checkpoint, executor=executor)
    visible = Visible(data=data, track=named(track), spurious=int(spurious), order=checked_order(order),
                      cancel=checked_cancel(cancel), model=model)
    if not isinstance(spurious, int) or spurious < 0:
        raise Refused("spurious", f"set to {spurious!r}", "no number of wake-ups", "a whole number, 0 or more")
    if bound is not None and (not isinstance(bound, int) or bound < 0):
        raise Refused("bound", f"set to {bound!r}", "no number of preemptions", "a whole number, 0 or more")
    for name, limit in (("seconds", seconds), ("executions", executions), ("steps", steps)):
        if limit is not None and limit <= 0:
            raise Refused(name, f"set to {limit!r}", "no limit that could be kept", "a number above 0")
    listen = Progress.listener(progress)
    try:
        search = Search(body, strategy, bound, visible, seconds, executions, steps or STEPS, listen, sample)
        if rules:  # else it is ready as it is
            search.reduce(rules)
        if certificate:
            check_certificate(sample=sample, bound=bound, reductions=rules, executor=executor, checkpoint=checkpoint)
            search.record()
        if executor is not None:
            check_sharing(strategy=strategy, bound=bound, checkpoint=checkpoint)
            search.elsewhere, search.estimate = functools.partial(search_in_parallel, executor=executor), None
        if checkpoint is not None:
            search.keep(BodyKeeper(checkpoint, search))
        return search.result()
    finally:
        if isinstance(listen, Line):
            listen.clear()


def test(function: F | None = None, **options: Any) -> Any:  # noqa: PT028  # a decorator, no test
    """A decorator: the test function becomes one that explores itself, and fails unless the verdict is good.

    `@hocket.explore.test` or `@hocket.explore.test(seconds=10, data="off")`; the function may take parameters
    (fixtures, parametrize), which every execution gets unchanged.
    """
    if function is None:
        return functools.partial(test, **options)
    check_options(**{name: value for name, value in options.items() if name in SUPPORTED and name != "strategy"})
    check_strategy(options.get("strategy", "optimal"))
    plain = function

    @functools.wraps(plain)
    def explored(*args: Any, **kwargs: Any) -> None:
        def body() -> Any:
            return plain(*args, **kwargs)

        if inspect.iscoroutinefunction(plain):
            body = functools.partial(plain, *args, **kwargs)
        body.__hocket_body__ = plain  # type: ignore[attr-defined]  # so that it is named as what it calls
        explore(body if args or kwargs else plain, **options).raise_if_not_proved()

    explored.__hocket_body__ = plain  # type: ignore[attr-defined]  # for the command line
    explored.__hocket_options__ = options  # type: ignore[attr-defined]  # for the plugin of pytest
    return explored
