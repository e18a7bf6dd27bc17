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

__all__ = ["FORMATS", "Reader", "Reading", "reader_for", "reader_named", "sniffed"]

# our own formats in the order in which they are asked; each row is module and class
FORMATS: dict[str, tuple[str, str]] = {
    "hocket": ("hocket.verify.readers.native", "Native"),
    "systemd": ("hocket.verify.readers.systemd", "Systemd"),
    "dot": ("hocket.verify.readers.dot", "Dot"),
    "argo": ("hocket.verify.readers.argo", "Argo"),
    "tekton": ("hocket.verify.readers.tekton", "Tekton"),
    "airflow": ("hocket.verify.readers.airflow", "Airflow"),
    "asl": ("hocket.verify.readers.asl", "StepFunctions"),
    "node-link": ("hocket.verify.readers.node_link", "NodeLink"),
    "compose": ("hocket.verify.readers.compose", "Compose"),
    "gitlab": ("hocket.verify.readers.gitlab", "GitLab"),
    "github": ("hocket.verify.readers.github", "GitHub"),
    "subsystems": ("hocket.verify.readers.subsystems", "Subsystems"),
    "plan": ("hocket.verify.readers.plan", "Plans"),
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
    path = source.path if isinstance(source, Source) else ""
    if format is not None:
        return reader_named(format, path)
    found = sniffed(source)
    if found is not None:
        return found
    if isinstance(source, Source):
        raise _unknown(source)
    cure = "give a path, a mapping {task: predecessors}, or objects with .predecessors"
    raise SourceError(f"a value of type {type(source).__name__} is no graph", path, cure=cure)


def reader_named(format: str, path: str = "") -> Reader:
    """The reader of a format; raises SourceError for an unknown one, or one that cannot be loaded."""
    if format in FORMATS:
        module, reader = FORMATS[format]
        return cast(Reader, getattr(import_module(module), reader)())
    if format in _extensions():
        return _Guarded(format, _extensions()[format])
    raise SourceError(f"unknown format {format!r}", path, cure=f"the formats are {_listed()}")


def sniffed(source: object) -> Reader | None:
    """The first reader that knows this source: ours, then those of third parties, then whatever is a Python value."""
    if hasattr(type(source), "__dask_graph__"):  # Dask's objects say yes to every name
        return reader_named("python")
    for name in (*(name for name in FORMATS if name != "python"), *_extensions(), "python"):
        reader = reader_named(name)
        if reader.sniff(source):
            return reader
    return None


def _unknown(source: Source) -> SourceError:
    """What to say of a text that nobody knows: why it is no YAML or JSON, if that is so, else the formats there are."""
    from hocket.verify.readers.outline import outline, tree

    if outline(source).yaml or outline(source).json:
        tree(source)
    cure = f"give its format, if it has one of {_listed()}"
    return SourceError("this is no graph of a format that is known here", source.path, cure=cure)


def _listed() -> str:
    return ", ".join(sorted({*FORMATS, *_extensions()}))


@cache
def _extensions() -> dict[str, EntryPoint]:
    """The readers of third parties by format, in the order of their installation; ours cannot be replaced."""
    return {point.name: point for point in entry_points(group="hocket.readers") if point.name not in FORMATS}


class _Guarded:
    """A reader of a third party: a slip of it is told with its name, and is no traceback."""

    def __init__(self, name: str, point: EntryPoint) -> None:
        self.name, self.point = name, point

    def sniff(self, source: object) -> bool:
        try:
            return bool(self.point.load()().sniff(source))
        except Exception:  # whoever cannot be asked does not know it
            return False

    def read(self, source: object) -> Reading:
        path = source.path if isinstance(source, Source) else ""
        try:
            reading = self.point.load()().read(source)
        except SourceError:
            raise
        except Exception as error:
            cure = f"tell the makers of {self.point.value}"
            message = f"the reader of {self.name!r} failed: {type(error).__name__}: {error}"
            raise SourceError(message, path, cure=cure) from error
        if not isinstance(reading, Reading):
            cure = f"tell the makers of {self.point.value}"
            raise SourceError(f"the reader of {self.name!r} gave {type(reading).__name__}", path, cure=cure)
        return reading
