"""Files that a command writes: one that cannot be written is the user's to mend, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from hocket.errors import SourceError

__all__ = ["writing"]


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[None]:
    """Within the block `path` is written; raises `SourceError` with the system's reason if that cannot be."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"cannot be written: {error.strerror}", str(path)) from None
