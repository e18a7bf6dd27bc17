"""Findings that were there before: a file of fingerprints, so that only what is new fails.

A fingerprint is of code, path and names, never of a line, so it outlives edits around
it. It counts: three like it in the file let three through, and a fourth is new. What
is let through is still counted in the summary; nothing is ever called "holds
completely" because of a baseline, so there is no certificate then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hocket.cli.files import writing
from hocket.errors import SourceError
from hocket.verify.findings import Report

__all__ = ["read_baseline", "without_old", "write_baseline"]

_SCHEMA = "hocket.baseline/1"


def read_baseline(path: str) -> Counter[str]:
    """How often each fingerprint is in the file; raises SourceError if it is no baseline."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["schema"] != _SCHEMA:
            raise ValueError(f"its schema is {document['schema']!r}, not {_SCHEMA!r}")
        return Counter(str(entry["fingerprint"]) for entry in document["findings"])
    except OSError as error:
        cure = "write one with --write-baseline"
        raise SourceError(f"cannot be read: {error.strerror}", path, cure=cure) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"is no baseline: {error}", path, cure="write one with --write-baseline") from None


def write_baseline(path: str, reports: Iterable[Report]) -> None:
    """All findings of these reports, in order, with what they say for whoever reviews the file."""
    entries = [
        {"fingerprint": row.fingerprint, "code": row.code, "path": row.place.path, "message": row.message}
        for report in reports for row in report.case().rows
    ]  # fmt: skip
    text = json.dumps({"schema": _SCHEMA, "findings": entries}, indent=2) + "\n"
    with writing(path):
        Path(path).write_text(text, encoding="utf-8")


def without_old(report: Report, left: Counter[str]) -> Report:
    """The report without the findings that the baseline still has room for; those are taken from `left`."""
    new = []
    for finding in report.findings:
        print_of = finding.row().fingerprint
        if left[print_of] > 0:
            left[print_of] -= 1
        else:
            new.append(finding)
    old = len(report.findings) - len(new)
    if not old:
        return report
    counts = {**report.counts, "findings of the baseline": old}
    return replace(report, findings=tuple(new), certificate=None, counts=counts)
