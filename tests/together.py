"""What most explored programs do: start a thread for each of some tasks, and wait for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["together"]


def together(*tasks: Callable[[], Any]) -> None:
    """Run each task in a thread of its own; back when all have ended."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
