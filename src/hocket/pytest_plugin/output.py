"""What an explored test prints and logs is shown once: that of its last execution.

A test may run a million times. Each execution begins with empty hands, so what is
left in the end is the output of the interleaving that is reported: the failing
one, which is replayed last, or the last of those that passed. A test that reads
its own output (`capsys`, `caplog`) finds that of its own execution only. Handlers of pytest that no test
can read, those of its report and its log file, get the records when all is over: in an execution their locks would be
taken by every thread that logs, and each is another order in which the threads may come. Refused:
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

_PYTEST = "_pytest.logging"
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


class _Records(logging.Handler):
    """Stands for handlers that nobody reads before the end; no lock is taken, because no other state is there."""

    def __init__(self, instead_of: list[logging.Handler]) -> None:
        super().__init__(min(each.level for each in instead_of))
        self._instead_of = instead_of
        self.records: list[logging.LogRecord] = []

    def handle(self, record: logging.LogRecord) -> bool:
        record.getMessage()  # a message that does not fit its arguments fails whoever logs it, as pytest has it
        self.records.append(record)
        return True

    def pass_on(self) -> None:
        for record in self.records:
            for handler in self._instead_of:
                if record.levelno >= handler.level:
                    handler.handle(record)


class Output:
    """The output of one test; `begin` is to be called at the beginning of each execution."""

    def __init__(self, fixtures: Mapping[str, Any]) -> None:
        self._readers: list[Callable[[], Any]] = [fixtures[name].readouterr for name in _READERS if name in fixtures]
        self._sinks: tuple[_Sink, ...] = ()
        self._own_log = getattr(fixtures.get("caplog"), "handler", None)
        self._records: _Records | None = None
        self._put_aside = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """For the time in which executions run."""
        with self._logs_kept(), self._streams_kept():
            yield

    @contextmanager
    def _logs_kept(self) -> Iterator[None]:
        """The handlers of pytest are one; that of the test's own `caplog` stays."""
        handlers = logging.root.handlers
        unread = [each for each in handlers if type(each).__module__ == _PYTEST and each is not self._own_log]
        if not unread:
            yield
            return
        self._records = records = _Records(unread)
        at = handlers.index(unread[0])
        handlers[:] = [each for each in handlers if each not in unread]
        handlers.insert(at, records)
        try:
            yield
        finally:
            handlers[:] = [each for one in handlers for each in (unread if one is records else [one])]
            records.pass_on()
            self._records = None

    @contextmanager
    def _streams_kept(self) -> Iterator[None]:
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
        if self._records is not None:
            self._records.records.clear()
        if self._own_log is not None and self._own_log.records:
            self._own_log.reset()
