"""One bug in one version, explored in a process of its own: `python -m tests.real_bugs.one NAME [PATH ...]`.

Prints the report, then a line of JSON for `tried.py`. A process of its own, because a package is imported once.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import hocket

__all__ = ["main"]


def main(name: str, *paths: str) -> None:
    sys.path[:0] = paths
    program = importlib.import_module(f"tests.real_bugs.programs.{name}")
    track = [module for module in program.BUG.track if module in sys.modules]
    started = time.process_time()
    ways = {"track": track, **({"cancel": program.BUG.cancel} if program.BUG.cancel else {})}
    result = hocket.explore(program.body, bound=program.BUG.bound, seconds=200, **ways)
    seconds = time.process_time() - started
    print(result.drawn(110))
    print(json.dumps({
        "verdict": result.verdict, "classes": result.classes, "executions": result.executions,
        "seconds": round(seconds, 2), "reason": result.reason, "untracked": list(result.untracked),
        **(_failure(program.body, ways, result.failure) if result.failure else {})}))


def _failure(body: Any, ways: dict[str, Any], failure: Any) -> dict[str, Any]:
    """What went wrong, and what happens when its schedule is replayed."""
    try:
        hocket.replay(body, failure.schedule, **ways)
        again = ""
    except BaseException as error:
        again = type(error).__name__
    return {"kind": failure.kind, "message": failure.message, "preemptions": failure.preemptions,
            "schedule": str(failure.schedule), "replayed": again == type(failure.error()).__name__}


if __name__ == "__main__":
    main(*sys.argv[1:])
