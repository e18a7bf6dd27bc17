"""systemd: a folder of units as one graph, with what units say and what systemd adds by itself.

`systemd-analyze verify` judges one boot transaction; an ordering cycle needs all its
units in one transaction, so it is found only on the machine where somebody enabled
the last of them, and systemd then deletes a job that has nothing to do with it
(systemd #39338). Here all units of the folder count as started together, but for
those that exclude each other by `Conflicts=`. Nothing is started together with the
targets of a shutdown, so what is ordered against them only is left out.

- `After=` and `Before=` order, and only where both are started; `Requires=` and
  `Wants=` do not order, they only pull in;
- with both, a failure is passed on: `Requires=` together with `After=` wants success;
- `DefaultDependencies=` adds orderings to the well-known targets, which are written out below.

A unit that is named and not here is elsewhere (other folders hold units too): no finding.
Sources: systemd.unit(5), systemd.service(5), systemd.target(5), systemd.special(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.formula import TRUE, Equal, Formula, Outcome, conjunction, disjunction, negation
from hocket.verify.model import Edge, Graph, Kind, Span, Task, Variable
from hocket.verify.readers import Reading
from hocket.verify.source import Source, read

__all__ = ["SUFFIXES", "Systemd", "is_unit_folder"]

SUFFIXES = (
    ".service", ".socket", ".target", ".mount", ".automount", ".timer", ".path", ".device", ".swap", ".slice", ".scope",
)  # fmt: skip
_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})
_SECTION = re.compile(r"\s*\[([^\]]+)\]\s*$")
_MOST_UNITS = 20_000
_MOST_EDGES = 500_000
_STRONG = ("Requires", "BindsTo", "Requisite")

# what DefaultDependencies= adds, by the kind of unit: (key, units)
_DEFAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    ".service": (("After", "sysinit.target basic.target"),),
    ".socket": (("After", "sysinit.target"), ("Before", "sockets.target")),
    ".timer": (("After", "sysinit.target"), ("Before", "timers.target")),
    ".path": (("After", "sysinit.target"), ("Before", "paths.target")),
    ".swap": (("Before", "swap.target"),),
}
_END = frozenset({"shutdown.target", "umount.target", "final.target"})


@dataclass
class Unit:
    """What one unit says: each key with its values, every value with its place."""

    name: str
    span: Span
    said: dict[str, list[tuple[str, Span]]] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        return "." + self.name.rpartition(".")[2]

    def units(self, *keys: str) -> Iterator[tuple[str, Span]]:
        for key in keys:
            yield from self.said.get(key, ())

    def last(self, key: str) -> str:
        values = self.said.get(key)
        return values[-1][0] if values else ""


def is_unit_folder(path: Path) -> bool:
    """Whether a folder holds units directly."""
    return any(one.suffix in SUFFIXES and one.is_file() for one in path.iterdir())


class Systemd:
    """The reader of a folder of units; one unit file by itself is read with its neighbours."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source):
            return False
        if source.is_folder:
            return is_unit_folder(Path(source.path))
        return source.path.endswith(SUFFIXES) and "[" in source.text

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        book = _Book()
        if source.is_folder or source.is_file:
            book.folder(Path(source.path) if source.is_folder else Path(source.path).parent)
        else:
            book.unit(source, Path(source.path).name)
        if not book.units:
            raise SourceError("there is no unit here", source.path, cure=f"a unit ends in {', '.join(SUFFIXES)}")
        return Reading(book.graph(source.path), tuple(book.findings), book.sources)


class _Book:
    """Reads units into one graph."""

    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        self.sources: dict[str, Source] = {}
        self.findings: list[Finding] = []
        self.orders: dict[str, dict[str, Span]] = {}  # unit -> those before it
        self.variables: dict[str, Variable] = {}
        self.count = 0

    # -- files ---------------------------------------------------------------------------------------------------------

    def folder(self, folder: Path) -> None:
        """Unit files, then their drop-ins, then the links in `x.wants` and `x.requires`."""
        listed = sorted(folder.iterdir())
        if len(listed) > _MOST_UNITS:
            raise SourceError(f"more than {_MOST_UNITS} files in one folder of units", str(folder))
        for path in listed:
            if path.suffix in SUFFIXES and path.is_file():
                self._file(path, path.name)
        for path in listed:
            unit = path.name.removesuffix(".d")
            if path.name.endswith(".d") and path.is_dir() and unit in self.units:
                for drop in sorted(path.glob("*.conf")):
                    self._file(drop, unit)
            for ending, key in ((".wants", "Wants"), (".requires", "Requires")):
                if path.name.endswith(ending) and path.is_dir():
                    for link in sorted(path.iterdir()):
                        self._link(path.name.removesuffix(ending), key, link.name, str(link))

    def _file(self, path: Path, name: str) -> None:
        if path.is_symlink() and str(path.resolve()) == "/dev/null":
            return  # masked
        try:
            self.unit(read(path), name)
        except SourceError as error:
            if "empty" not in error.message:
                self.findings.append(
                    Finding("G091", f"{path.name} was not read: {error.message}", Span(str(path), 1, 1))
                )

    def _link(self, name: str, key: str, other: str, path: str) -> None:
        if name in self.units:
            self.units[name].said.setdefault(key, []).append((other, Span(path, 1, 1)))

    def unit(self, source: Source, name: str) -> None:
        """What a unit file or a drop-in says; an empty value takes back what was said before."""
        self.sources[source.path] = source
        unit = self.units.setdefault(name, Unit(name, Span(source.path, 1, 1)))
        section = ""
        for number, line, starts in _logical(source.lines):
            if found := _SECTION.match(line):
                section = found.group(1)
            elif section in ("Unit", "Install", "Service") and "=" in line:
                key, _, value = line.partition("=")
                key = key.strip()
                if not value.strip():
                    unit.said.pop(key, None)
                for word in re.finditer(r"\S+", value):
                    span = _place(
                        source.path, number, len(line) - len(value) + word.start(), word.end() - word.start(), starts
                    )
                    unit.said.setdefault(key, []).append((word.group().strip("\"'"), span))

    # -- the graph -----------------------------------------------------------------------------------------------------

    def graph(self, path: str) -> Graph:
        for unit in list(self.units.values()):
            self._installed(unit)
        self.orders = {name: {} for name in self.units}
        for unit in self.units.values():
            self._ordered(unit)
        for unit in self.units.values():
            if unit.suffix == ".target" and _has_defaults(unit):
                self._target(unit)
        excluded, given = self._excluded()
        for pair in self._pairs():  # one of the two is being stopped where the other is started: no wait between them
            for name, other in (pair, pair[::-1]):
                self.orders[name].pop(other, None)
        tasks = {
            name: Task(
                name,
                unit.span,
                tuple(self._edge(unit, before, span) for before, span in self.orders[name].items()),
                Equal(f"{name} is started", True) if name in excluded else TRUE,
                may=_MAY,
            )
            for name, unit in self.units.items()
        }
        return Graph(path, "systemd", tasks, self.variables, given=given)

    def _find(self, name: str) -> str:
        """The unit that a name means: itself, or the template that it is made from."""
        if name in self.units:
            return name
        template = re.sub(r"@[^.]*\.", "@.", name)
        return template if template in self.units else ""

    def _installed(self, unit: Unit) -> None:
        """`WantedBy=` is what enabling the unit adds to the other one."""
        for key, other in (("WantedBy", "Wants"), ("RequiredBy", "Requires")):
            for name, span in unit.units(key):
                if found := self._find(name):
                    self.units[found].said.setdefault(other, []).append((unit.name, span))

    def _before(self, first: str, then: str, span: Span) -> None:
        first, then = self._find(first), self._find(then)
        if first and then and then not in _END and (first != then or "@" not in first):
            self.count += 1
            if self.count > _MOST_EDGES:
                raise SourceError(f"more than {_MOST_EDGES} orderings", span.path)
            self.orders[then].setdefault(first, span)

    def _ordered(self, unit: Unit) -> None:
        for name, span in unit.units("After"):
            self._before(name, unit.name, span)
        for name, span in unit.units("Before"):
            self._before(unit.name, name, span)
        if unit.suffix == ".socket":
            service = unit.last("Service") or unit.name.removesuffix(".socket") + ".service"
            self._before(unit.name, service, unit.span)
        if not _has_defaults(unit):
            return
        for key, names in _DEFAULTS.get(unit.suffix, ()):
            for name in names.split():
                if key == "After":
                    self._before(name, unit.name, unit.span)
                elif key == "Before":
                    self._before(unit.name, name, unit.span)

    def _target(self, unit: Unit) -> None:
        """A target comes after what it pulls in, unless it is before that already, or that wants no defaults."""
        for name, span in unit.units("Wants", *_STRONG):
            other = self._find(name)
            if other and _has_defaults(self.units[other]) and unit.name not in self.orders[other]:
                self._before(other, unit.name, span)

    def _edge(self, unit: Unit, before: str, span: Span) -> Edge:
        strong = before in {self._find(name) for name, _ in unit.units(*_STRONG)}
        return Edge(before, span, _SUCCEEDED if strong else None, optional=True)  # whoever is required is pulled in

    def _pairs(self) -> list[tuple[str, str]]:
        """Two units of which one says that it conflicts with the other, each pair once."""
        pairs: dict[tuple[str, str], None] = {}
        for unit in self.units.values():
            for name, _ in unit.units("Conflicts"):
                other = self._find(name)
                if other and other != unit.name and not {other, unit.name} & _END:
                    pairs[min(unit.name, other), max(unit.name, other)] = None
        return list(pairs)

    def _excluded(self) -> tuple[set[str], Formula]:
        """Units that exclude each other are started in some runs only."""
        pairs = self._pairs()
        excluded = {name for pair in pairs for name in pair}
        for name in sorted(excluded):
            self.variables[f"{name} is started"] = Variable(f"{name} is started", frozenset({Kind.BOOLEAN}))
        given = conjunction(disjunction(negation(Equal(f"{name} is started", True)) for name in pair) for pair in pairs)
        return excluded, given


def _has_defaults(unit: Unit) -> bool:
    return unit.last("DefaultDependencies").lower() not in ("no", "false", "off", "0")


def _logical(lines: tuple[str, ...]) -> Iterator[tuple[int, str, list[int]]]:
    """Lines put together where one ends in a backslash: (number of the first, the whole, where each one begins)."""
    held, first, starts = "", 0, [0]
    for number, line in enumerate(lines, 1):
        if line.lstrip()[:1] in ("#", ";"):
            continue
        first = first if held else number
        if line.endswith("\\"):
            held += line[:-1] + " "
            starts.append(len(held))
            continue
        yield first, held + line, starts
        held, starts = "", [0]
    if held:
        yield first, held, starts


def _place(path: str, line: int, offset: int, length: int, starts: list[int]) -> Span:
    """The place of a word in a line that may go on over several."""
    row = sum(start <= offset for start in starts) - 1
    column = offset - starts[row] + 1
    return Span(path, line + row, column, line + row, column + length)
