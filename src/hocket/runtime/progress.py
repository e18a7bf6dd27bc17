"""A bar for long runs: how many tasks have closed, of how many, how many run and how many were lost.

The scheduler only counts, under its lock; the bar is drawn by the thread that rich
draws with, ten times a second, so that a task costs what an addition costs. Where the
output is no terminal, one line is printed at the end.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any
from warnings import warn

from hocket.errors import MissingExtra
from hocket.kernel import Kernel, Node
from hocket.kernel.kernel import Watch
from hocket.kernel.lifecycle import Moment

__all__ = ["Progress"]


_ROOM = 64  # columns of a terminal in which a bar has room beside the counts


class Progress:
    """Give it as `watch=`, and enter it for as long as the bar is to be seen.

    `total`: how many tasks there will be, None where that is not known: then it is how many there are so far.
    `console`: a rich console; `then`: another watch that is told as well. Raises MissingExtra without rich.

    >>> import hocket, io, rich.console
    >>> console = rich.console.Console(file=io.StringIO(), width=80)
    >>> with hocket.Progress(console=console) as bar:
    ...     _ = hocket.run(hocket.seq(hocket.task(int), hocket.task(str)), watch=bar)
    >>> (bar.closed, bar.lost, bar.made)
    (2, 0, 2)
    """

    def __init__(
        self, total: int | None = None, *, what: str = "tasks", console: Any = None, then: Watch | None = None
    ) -> None:
        try:
            from rich import get_console
            from rich import progress as rich
        except ImportError:
            raise MissingExtra("rich", "cli", "a progress bar") from None
        self.total, self._what, self._then = total, what, then
        self.made = self.running = self.closed = self.lost = 0
        self._row: Any = None
        self._entered = False
        told = "{task.fields[told]}"
        columns: list[Any] = [rich.MofNCompleteColumn(), rich.TextColumn(told)]
        if (console or get_console()).width >= _ROOM:  # else how many have closed would be cut off
            columns = [rich.TextColumn("{task.description}"), rich.BarColumn(), *columns,
                       rich.TimeElapsedColumn(), rich.TimeRemainingColumn()]
        self._bar = _bar(rich.Progress, self._sync)(*columns, console=console)
        self._row = self._bar.add_task(what, total=total, told="")

    def __enter__(self) -> Progress:
        self._bar.start()
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def attach(self, kernel: Kernel) -> None:
        """The kernel introduces itself; from now on it is heard how many tasks are added.

        Warns where nobody has entered the bar, which would count, and never be seen.
        """
        if not self._entered:
            warn("nobody will see this progress bar: say with hocket.Progress() as bar, and watch=bar", stacklevel=4)
        add = kernel.add

        def added(*what: Any, **options: Any) -> Node:
            self.made += 1
            return add(*what, **options)

        kernel.add = added  # type: ignore[method-assign]  # it stands in front of it
        attach = getattr(self._then, "attach", None)
        if attach is not None:
            attach(kernel)

    def __call__(self, moment: Moment, node: Node) -> None:
        if moment is Moment.OPEN:
            self.running += 1
        elif moment is Moment.RAN:
            self.running -= 1
        else:
            self.closed += 1
            self.lost += bool(node.fate)
        if self._then is not None:
            self._then(moment, node)

    def _sync(self) -> None:
        """What is counted so far goes to the bar, once there is one."""
        if self._row is None:
            return
        told = f"{self.running} running" + (f", {self.lost} lost" if self.lost else "")
        total = self.made if self.total is None else self.total
        self._bar.update(self._row, completed=self.closed, total=total, told=told)


def _bar(base: type, sync: Any) -> type:
    """rich's progress, which asks for the counts whenever it is about to draw."""

    class Bar(base):  # type: ignore[misc]  # it is there at run time only
        def get_renderables(self) -> Any:
            sync()
            yield from super().get_renderables()

    return Bar
