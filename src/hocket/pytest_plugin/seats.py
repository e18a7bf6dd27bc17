"""Who of the workers of pytest-xdist is at work, so that a long exploration can have the CPUs of those that are not.

There is one seat for each worker. A worker sits on its own from its first test to its last;
an exploration in another one may have the seats of those that have finished, which are many
at the end of a run, when one long test is all that is left. So `-n 4` with `workers=4` is
four processes at work, and not sixteen.

A seat is a byte of a file that is locked, so that a worker that dies leaves none taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

__all__ = ["Seats"]


class Seats:
    """The seats of one run, as seen by the worker whose own has the number `mine`; `path`: the file of all of them."""

    def __init__(self, path: Path, count: int, mine: int) -> None:
        self.count, self.mine = count, mine
        self._path = path
        self._file: IO[bytes] | None = None  # one at a time: closing another would give all seats up
        self._taken: set[int] = set()

    @staticmethod
    def of(config: Any) -> Seats | None:
        """Those of the worker that this process is; None without pytest-xdist."""
        told: dict[str, Any] = getattr(config, "workerinput", {})
        name: str = told.get("workerid", "")
        base = getattr(config.option, "basetemp", None) if name else None
        if base is None or not name[2:].isdigit():
            return None
        return Seats(Path(base).parent / "hocket-seats", int(told["workercount"]), int(name[2:]))

    def take(self, number: int) -> bool:
        """Sit on this one, if nobody does."""
        if number not in self._taken and self._lock(number, taken=True):
            self._taken.add(number)
        return number in self._taken

    def leave(self, number: int) -> None:
        """Get up."""
        if number in self._taken:
            self._taken.remove(number)
            self._lock(number, taken=False)

    def take_others(self, most: int) -> int:
        """Sit on up to so many seats of others; answers on how many."""
        for number in range(self.count):
            if number != self.mine and len(self._others()) < most:
                self.take(number)
        return len(self._others())

    def leave_others(self) -> None:
        """Give back what was had of others."""
        for number in self._others():
            self.leave(number)

    def close(self) -> None:
        """Get up from all."""
        self._taken.clear()
        if self._file is not None:
            self._file.close()

    def _others(self) -> list[int]:
        return sorted(self._taken - {self.mine})

    def _lock(self, number: int, *, taken: bool) -> bool:
        """Whether it was done; where there are no such locks, nobody has more than a seat of their own."""
        try:
            import fcntl

            if self._file is None:
                self._file = open(self._path, "ab")  # noqa: SIM115  # as long as the worker lives
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB if taken else fcntl.LOCK_UN, 1, number)
        except (ImportError, OSError):
            return False
        return True
