"""The formats: one small reader each, found by name or by looking at the source; third parties add theirs.

A reader is two functions. `sniff(source)` says whether it knows the source,
without raising; `read(source)` gives tasks, edges and spans in the middle model,
with whatever it found wrong on the way. It raises `SourceError` only for what
cannot be used at all. A `source` is a `Source` (text) or any Python object.

An entry point in the group `hocket.readers` adds a reader: its name is the
format, its object is a class (or function) without arguments that gives a `Reader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.model import Graph
from hocket.verify.source import Source

__all__ = ["FORMATS", "Reader", "Reading", "reader_for"]

# our own formats in the order in which they are tried; each row is module and class
FORMATS: dict[str, tuple[str, str]] = {
    "github": ("hocket.verify.readers.github", "GitHub"),
    "python": ("hocket.verify.readers.python", "PythonGraph"),
}


@dataclass(frozen=True)
class Reading:
    """What a reader made of a source; `sources` are all the texts that went into it, by path, for quoting."""

    graph: Graph
    findings: tuple[Finding, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)


class Reader(Protocol):
    """One format."""

    def sniff(self, source: object) -> bool:
        """Whether this source is probably of this format; never raises."""

    def read(self, source: object) -> Reading:
        """The graph, with its spans; raises SourceError for what cannot be used."""


def reader_for(source: object, format: str | None = None) -> Reader:
    """The reader of that name, or the first one that knows the source; raises SourceError if there is none."""
    table = _table()
    path = source.path if isinstance(source, Source) else ""
    if format is not None:
        if format not in table:
            raise SourceError(f"unknown format {format!r}", path, cure=f"the formats are {', '.join(sorted(table))}")
        return _load(table, format)
    for name in table:
        reader = _load(table, name)
        if reader.sniff(source):
            return reader
    what = "this text" if isinstance(source, Source) else f"a value of type {type(source).__name__}"
    raise SourceError(
        f"{what} is of no format that is known here", path, cure=f"name one of {', '.join(sorted(table))}"
    )


def _table() -> Mapping[str, object]:
    found: dict[str, object] = dict(FORMATS)
    for point in entry_points(group="hocket.readers"):
        found.setdefault(point.name, point)
    return found


def _load(table: Mapping[str, object], name: str) -> Reader:
    row = table[name]
    if isinstance(row, tuple):
        return cast(Reader, getattr(import_module(row[0]), row[1])())
    return cast(Reader, row.load()())  # type: ignore[attr-defined]  # an importlib.metadata.EntryPoint
