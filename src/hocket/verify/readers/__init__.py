"""The formats: one small reader each, found by name or by looking at the source; third parties add theirs.

A reader is two functions. `sniff(source)` says whether it knows the source,
without raising; `read(source)` gives tasks, edges and spans in the middle model,
with whatever it found wrong on the way. It raises `SourceError` only for what
cannot be used at all. A `source` is a `Source` (text) or any Python object.

An entry point in the group `hocket.readers` adds a reader: its name is the
format, its object is a class (or function) without arguments that gives a `Reader`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.model import Graph
from hocket.verify.source import Source

__all__ = ["FORMATS", "Reader", "Reading", "reader_for"]

# our own formats in the order in which they are tried; each row is module and class
FORMATS: dict[str, tuple[str, str]] = {
    "github": ("hocket.verify.readers.github", "GitHub"),
    "gitlab": ("hocket.verify.readers.gitlab", "GitLab"),
    "compose": ("hocket.verify.readers.compose", "Compose"),
    "airflow": ("hocket.verify.readers.airflow", "Airflow"),
    "dot": ("hocket.verify.readers.dot", "Dot"),
    "node-link": ("hocket.verify.readers.node_link", "NodeLink"),
    "hocket": ("hocket.verify.readers.native", "Native"),
    "argo": ("hocket.verify.readers.argo", "Argo"),
    "tekton": ("hocket.verify.readers.tekton", "Tekton"),
    "asl": ("hocket.verify.readers.asl", "StepFunctions"),
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
    """The reader of that name, or the first one that knows the source; raises SourceError if there is none.

    A text that no reader knows goes to the first of ours: what it says about the text is the best there is to say.
    """
    path = source.path if isinstance(source, Source) else ""
    if format is not None:
        if format not in FORMATS and format not in _extensions():
            cure = f"the formats are {', '.join(sorted({*FORMATS, *_extensions()}))}"
            raise SourceError(f"unknown format {format!r}", path, cure=cure)
        return _load(format)
    for names in (FORMATS, _extensions()):
        for name in names:
            if (reader := _load(name)).sniff(source):
                return reader
    if isinstance(source, Source):
        return _load(next(iter(FORMATS)))
    cure = "give a path, a mapping {task: predecessors}, or objects with .predecessors"
    raise SourceError(f"a value of type {type(source).__name__} is no graph", path, cure=cure)


@cache
def _extensions() -> dict[str, EntryPoint]:
    """The readers of third parties by format, in the order of their installation; ours cannot be replaced."""
    return {point.name: point for point in entry_points(group="hocket.readers") if point.name not in FORMATS}


def _load(name: str) -> Reader:
    if name in FORMATS:
        module, reader = FORMATS[name]
        return cast(Reader, getattr(import_module(module), reader)())
    return cast(Reader, _extensions()[name].load()())
