"""What one job of GitLab's looks like: the keys by which it is known, how many copies there are, how long it takes."""

from __future__ import annotations

import re

from hocket.verify.model import NOWHERE, Copies, Timing
from hocket.verify.readers.entries import entries, items, text
from hocket.verify.yaml_tree import Mapping, Scalar

__all__ = ["copies", "has_job", "matrix", "timing"]

_OF_JOBS = frozenset(
    {
        "after_script", "allow_failure", "artifacts", "before_script", "cache", "coverage", "dependencies",
        "environment", "except", "extends", "hooks", "id_tokens", "image", "inherit", "inputs", "interruptible",
        "manual_confirmation", "needs", "only", "pages", "parallel", "release", "resource_group", "retry", "rules",
        "script", "secrets", "services", "stage", "start_in", "tags", "timeout", "trigger", "variables", "when", "<<",
    }
)  # fmt: skip
_TELLING = frozenset({"extends", "stage", "needs", "rules", "trigger"})
_KEY_OF_JOB = re.compile(r"([ \t]+)([\w<]+):(?:\s|$)")
_FLOWING = re.compile(r"[{,]\s*(\w+):\s")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def has_job(lines: tuple[str, ...]) -> bool:
    """Whether some topmost entry is a job by its keys: a script or two that are telling, and none that no job has."""
    keys: set[str] = set()
    depth = 0
    for line in (*lines, "end:"):
        found = _KEY_OF_JOB.match(line)
        if line[:1] not in ("", " ", "\t", "#", "-"):
            if ("script" in keys or len(keys & _TELLING) > 1) and keys <= _OF_JOBS:
                return True
            keys, depth = set(_FLOWING.findall(line)), 0
        elif found is not None and depth in (0, len(found.group(1))):
            depth = len(found.group(1))
            keys.add(found.group(2))
    return False


def matrix(body: Mapping) -> dict[str, frozenset[str]]:
    """The variables of a matrix, each with all the values that it can have."""
    node = body.get("parallel")
    found: dict[str, frozenset[str]] = {}
    for row in items(node.get("matrix") if isinstance(node, Mapping) else None):
        for name, entry in entries(row).items():
            found[name] = found.get(name, frozenset()) | {text(one) for one in items(entry.value)}
    return found


def copies(body: Mapping) -> Copies:
    node = body.get("parallel")
    if isinstance(node, Scalar) and node.text.isdigit():
        count = int(node.text)
        return Copies(count, count, node.span)
    matrix = node.get("matrix") if isinstance(node, Mapping) else None
    total = 0
    for row in items(matrix):
        count = 1
        for entry in entries(row).values():
            count *= max(1, len(items(entry.value)))
        total += count
    return Copies(total, total, node.span) if total and node is not None else Copies()


def timing(body: Mapping) -> Timing:
    """`timeout: 1h 30m` and `retry: 2`."""
    limit, retry = body.get("timeout"), body.get("retry")
    seconds = _seconds(text(limit))
    count = text(retry.get("max") if isinstance(retry, Mapping) else retry)
    retries = int(count) if count.isdigit() else 0
    if not seconds and not retries:
        return Timing()
    where = limit if limit is not None else retry
    return Timing(timeout=seconds or float("inf"), retries=retries, span=where.span if where is not None else NOWHERE)


def _seconds(written: str) -> float:
    found = re.findall(r"(\d+)\s*([a-z]*)", written.lower())
    return sum(int(count) * _UNITS.get(unit[:1] or "m", 60.0) for count, unit in found)
