"""The terminal as it is: how wide, and which letters it knows."""

from __future__ import annotations

import shutil
import sys

__all__ = ["columns", "forgive"]


def columns() -> int:
    """How many there are; 100 where nobody says."""
    return shutil.get_terminal_size((100, 24)).columns


def forgive() -> None:
    """Print `?` for a letter that the output's encoding does not have: an arrow is no reason to lose a verdict."""
    if getattr(sys.stdout, "errors", None) in ("strict", "surrogateescape"):  # the standard error escapes by itself
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # what has errors is a TextIOWrapper
