"""What an explored test prints and logs is shown once: that of its last execution.

A test may run a million times. Each execution begins with empty hands, so what is
left in the end is the output of the interleaving that is reported: the failing
one, which is replayed last, or the last of those that passed. A test that reads
its own output (`capsys`, `caplog`) finds that of its own execution only. Refused:
taking the output away below Python (file descriptors): a call into the operating
system for each execution would cost more than the execution does.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["Output"]

_READERS = ("capsys", "capsysbinary", "capteesys", "capfd", "capfdbinary")


class _Sink(io.TextIOWrapper):
    """A stream that keeps what is written, and can be emptied."""

    def __init__(self, stream: TextIO) -> None:
        self._bytes = io.BytesIO()
        self.stream = stream
        super().__init__(self._bytes, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)

    def fileno(self) -> int:
        return self.stream.fileno()

    def empty(self) -> None:
        if self._bytes.tell():
            self._bytes.seek(0)
            self._bytes.truncate()

    def pass_on(self) -> None:
        """Write what is kept where it would have gone."""
        self.stream.write(self._bytes.getvalue().decode("utf-8", "replace"))


class Output:
    """The output of one test; `begin` is to be called at the beginning of each execution."""

    def __init__(self, fixtures: Mapping[str, Any]) -> None:
        self._readers: list[Callable[[], Any]] = [fixtures[name].readouterr for name in _READERS if name in fixtures]
        self._sinks: tuple[_Sink, ...] = ()
        self._logs: tuple[Any, ...] = ()
        self._put_aside = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """For the time in which executions run."""
        self._logs = tuple(each for each in logging.getLogger().handlers if type(each).__name__ == "LogCaptureHandler")
        if self._readers:  # the test's own: they stand where the sinks would
            yield
            return
        before = sys.stdout, sys.stderr
        self._sinks = sys.stdout, sys.stderr = _Sink(sys.stdout), _Sink(sys.stderr)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            for sink in self._sinks:
                sink.pass_on()
            self._sinks = ()

    def pytest_enter_pdb(self, pdb: Any) -> None:
        """A hook: somebody talks to a debugger in the interleaving that is shown, and wants to see its answers."""
        if sys.stdout in self._sinks:  # else pytest, which captures, has put its own aside
            sys.stdout, sys.stderr = (sink.stream for sink in self._sinks)
            pdb.stdout = sys.stdout
            self._put_aside = True

    def pytest_leave_pdb(self) -> None:
        if self._put_aside:
            sys.stdout, sys.stderr = self._sinks
            self._put_aside = False

    def begin(self) -> None:
        """Forget what was written so far."""
        for sink in self._sinks:
            sink.empty()
        for read in self._readers:
            read()
        for handler in self._logs:
            if handler.records:
                handler.clear() if hasattr(handler, "clear") else handler.reset()
