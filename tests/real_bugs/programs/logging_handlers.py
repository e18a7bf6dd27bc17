"""logging: removing one handler while a record goes out makes the next handler miss it.

`callHandlers` walks the living list of handlers, and `removeHandler` makes it shorter under its feet.
"""

import logging
import threading

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "", "https://github.com/python/cpython/issues/79366", track=("logging",), preemptions=2,
          mended=("logging", "handlers = self.handlers.copy()"))


class Kept(logging.Handler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def body() -> None:
    logger, first, second = logging.Logger("app"), Kept(), Kept()
    logger.addHandler(first)
    logger.addHandler(second)
    speaking = threading.Thread(target=logger.error, args=("disk full",))
    speaking.start()
    logger.removeHandler(first)
    speaking.join()
    assert second.told == ["disk full"], "a handler that was never removed missed a record"
