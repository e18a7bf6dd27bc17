"""Cases as GitLab's code quality report: a JSON array that a merge request shows beside its lines.

GitLab merges entries with equal fingerprints, so a second finding about the same
names gets a fingerprint with its number; a finding without a place is put on line 1
of what was checked, because GitLab drops entries without one.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable

from hocket.render.rows import Case, uri

__all__ = ["gitlab"]

_SEVERITY = {"error": "major", "warning": "minor", "note": "info"}


def gitlab(cases: Iterable[Case]) -> str:
    """The JSON array; inputs that cannot be used are in it as blockers."""
    entries = []
    seen: Counter[str] = Counter()
    for case in cases:
        if case.verdict == "unusable":
            entries.append(_entry(case.text, "unusable", _hash(f"unusable\0{case.name}"), "blocker", case.name, 1))
        for row in case.rows:
            seen[row.fingerprint] += 1
            number = seen[row.fingerprint]
            print_of = row.fingerprint if number == 1 else _hash(f"{row.fingerprint}\0{number}")
            where = row.place.path or case.name
            entries.append(_entry(row.message, row.code, print_of, _SEVERITY[row.severity], where, row.place.line or 1))
    return json.dumps(entries, indent=2)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _entry(text: str, code: str, print_of: str, severity: str, path: str, line: int) -> dict[str, object]:
    return {
        "description": text,
        "check_name": f"hocket {code}",
        "fingerprint": print_of,
        "severity": severity,
        "location": {"path": uri(path), "lines": {"begin": line}},
    }
