"""Values under which many tasks run at once: chosen condition by condition, without a solver.

A solver makes one task run and leaves all others alone, so a pipeline of 250 jobs that
are each started by hand took 250 runs. Here the conditions of the tasks are granted one
after another: a variable gets the value that one of them asks for and keeps it, and a
condition that contradicts what is kept is left. Few choices are taken back, so this
finds little where conditions are intricate; what it finds is only a proposal, which is
scheduled and replayed as every run is. What tasks do is not looked at: it is hoped for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hocket.verify.formula import (
    All,
    Atom,
    Equal,
    Formula,
    How,
    Matches,
    Not,
    Outcome,
    Some,
    Value,
    evaluate,
    matches,
    same_value,
)
from hocket.verify.model import Graph, Join, Kind, Task, Variable
from hocket.verify.regex import example
from hocket.verify.replay import default_value

__all__ = ["IN_PASSING", "MOST_SHOWN", "Wishes"]

MOST_SHOWN = 2_000_000  # tasks and conditions in all the runs that one question goes through
IN_PASSING = 5  # the same, for what would be nice to have besides
_MOST_TAKEN_BACK = 200  # ways that came to nothing, while one wish is granted
_SOME: dict[Kind, tuple[Value, ...]] = {
    Kind.STRING: ("something else", ""),
    Kind.NULL: (None,),
    Kind.BOOLEAN: (True, False),
    Kind.NUMBER: (0.0, 7919.0),
}
_KINDS: dict[type, Kind] = {str: Kind.STRING, type(None): Kind.NULL, bool: Kind.BOOLEAN, float: Kind.NUMBER}


_Agenda = tuple[Formula, bool, "_Agenda | None"]  # a formula, what it is to be, and what comes after it


class _Way(NamedTuple):
    """One thing that can be done for a wish: give a variable this value, or nothing, and `then` see to the rest."""

    then: _Agenda | None
    variable: str = ""
    value: Value = None


@dataclass
class Wishes:
    """The values chosen so far; those of `kept` variables are relied on, and stay as they are."""

    graph: Graph
    values: dict[str, Value]
    kept: dict[str, Value] = field(default_factory=dict)  # what each was before, in the order of keeping

    @classmethod
    def of(cls, graph: Graph, values: Mapping[str, Value], first: Iterable[str]) -> Wishes | None:
        """As near to these values as can be, with those tasks let in first; None if one of them cannot be so."""
        wishes = cls.near(graph, values)
        if not wishes.grant(*_conditions(graph, first), graph.given):
            return None
        denied: set[str] = set()
        for name, task in graph.tasks.items():
            if any(before in denied for before in _needs(task)) or not wishes.grant(
                task.presence, task.activation, patience=IN_PASSING
            ):
                denied.add(name)
        return wishes

    @classmethod
    def near(cls, graph: Graph, values: Mapping[str, Value]) -> Wishes:
        """These values, and a usual one wherever there is none; nothing is relied on yet."""
        rows = graph.variables.items()
        return cls(graph, {name: values[name] if name in values else default_value(row) for name, row in rows})

    def grant(self, *formulas: Formula, patience: int = _MOST_TAKEN_BACK) -> bool:
        """Make all of them true; if that cannot be, or is not found soon, nothing changes."""
        start, agenda = len(self.kept), _first_of(formulas, True, None)
        open_ways: list[tuple[int, Iterator[_Way]]] = []  # what else could be done, and how much was kept then
        taken_back = 0
        while agenda is not None:
            open_ways.append((len(self.kept), iter(self._ways(*agenda))))
            while (way := next(open_ways[-1][1], None)) is None:
                open_ways.pop()
                taken_back += 1
                if not open_ways or taken_back > patience:
                    self._back_to(start)
                    return False
                self._back_to(open_ways[-1][0])
            agenda = self._follow(way)
        return True

    def _follow(self, way: _Way) -> _Agenda | None:
        if way.variable:
            self.kept[way.variable], self.values[way.variable] = self.values[way.variable], way.value
        return way.then

    def _back_to(self, length: int) -> None:
        while len(self.kept) > length:
            name, value = self.kept.popitem()
            self.values[name] = value

    def _ways(self, formula: Formula, wanted: bool, rest: _Agenda | None) -> list[_Way]:
        """What can be done so that this formula is so, each with what is then left to do."""
        match formula:
            case Not(part):
                return [_Way((part, not wanted, rest))]
            case All(parts) | Some(parts) if isinstance(formula, All) is wanted:
                return [_Way(_first_of(parts, wanted, rest))]
            case All(parts) | Some(parts):
                likely = sorted(parts, key=lambda part: evaluate(part, self._is) is not wanted)
                return [_Way((part, wanted, rest)) for part in likely]
            case Equal() | Matches():
                return self._choices(formula, wanted, rest)
        return [_Way(rest)]

    def _is(self, atom: Atom) -> bool:
        return _fits(atom, self.values[atom.variable]) if isinstance(atom, Equal | Matches) else True

    def _choices(self, atom: Equal | Matches, wanted: bool, rest: _Agenda | None) -> list[_Way]:
        now = self.values[atom.variable]
        if atom.variable in self.kept:
            return [_Way(rest)] if _fits(atom, now) is wanted else []
        values = (now, *_values(self.graph.variables[atom.variable], atom))
        return [_Way(rest, atom.variable, value) for value in values if _fits(atom, value) is wanted]


def _conditions(graph: Graph, names: Iterable[str]) -> list[Formula]:
    """Those of these tasks and of all that they need."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += _needs(graph.tasks[name])
    return [formula for name in found for formula in (graph.tasks[name].presence, graph.tasks[name].activation)]


def _needs(task: Task) -> list[str]:
    """The tasks without which it cannot run."""
    needed = [edge.before for edge in task.edges if not edge.optional and Outcome.SKIPPED not in (edge.accepts or ())]
    return [*(needed if task.join is Join.ALL else ()), *([task.parent] if task.parent else ())]


def _first_of(formulas: Sequence[Formula], wanted: bool, rest: _Agenda | None) -> _Agenda | None:
    """These, and then the rest; what leaves a choice comes after what leaves none."""
    flat = list(_said(formulas, wanted))
    for formula, so in sorted(flat, key=lambda row: not isinstance(row[0], All | Some)):
        rest = formula, so, rest
    return rest


def _said(formulas: Sequence[Formula], wanted: bool) -> Iterator[tuple[Formula, bool]]:
    """Everything that has to be so, each by itself, from the last to the first."""
    waiting = [(formula, wanted) for formula in formulas]
    while waiting:
        formula, so = waiting.pop()
        match formula:
            case Not(part):
                waiting.append((part, not so))
            case All(parts) | Some(parts) if isinstance(formula, All) is so:
                waiting += [(part, so) for part in parts]
            case _:
                yield formula, so


def _fits(atom: Equal | Matches, value: Value) -> bool:
    if isinstance(atom, Equal):
        return same_value(value, atom.value)
    return matches(atom.how, value, atom.text)


def _values(variable: Variable, atom: Equal | Matches) -> tuple[Value, ...]:
    """Values that the variable can have, among them one for the atom and one against it, if that is easy."""
    if variable.values is not None:
        return variable.values
    own = atom.value if isinstance(atom, Equal) else example(atom.text) if atom.how is How.FITS else atom.text
    others = [value for kind in Kind if kind in variable.kinds for value in _SOME[kind]]
    return (own, *others) if _KINDS[type(own)] in variable.kinds else tuple(others)
