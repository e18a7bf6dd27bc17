"""Values under which many tasks run at once: chosen condition by condition, without a solver.

A solver makes one task run and leaves all others alone, so a pipeline of 250 jobs that
are each started by hand took 250 runs. Here the conditions of the tasks are granted one
after another: a variable gets the value that one of them asks for and keeps it, and a
condition that contradicts what is kept is left. No choice is looked at twice, so this
finds little where conditions are intricate; what it finds is only a proposal, which is
scheduled and replayed as every run is. What tasks do is not looked at: it is hoped for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hocket.verify.formula import All, Equal, Formula, How, Matches, Not, Some, Value, matches, same_value
from hocket.verify.model import Graph, Kind, Task, Variable
from hocket.verify.replay import default_value

__all__ = ["Wishes"]

_SOME: dict[Kind, tuple[Value, ...]] = {
    Kind.STRING: ("something else", ""),
    Kind.NULL: (None,),
    Kind.BOOLEAN: (True, False),
    Kind.NUMBER: (0.0, 7919.0),
}
_KINDS: dict[type, Kind] = {str: Kind.STRING, type(None): Kind.NULL, bool: Kind.BOOLEAN, float: Kind.NUMBER}


@dataclass
class Wishes:
    """The values chosen so far; those of `kept` variables are relied on, and stay as they are."""

    graph: Graph
    values: dict[str, Value]
    kept: dict[str, Value] = field(default_factory=dict)  # what each was before, in the order of keeping

    @classmethod
    def of(cls, graph: Graph, values: Mapping[str, Value], first: Iterable[str]) -> Wishes | None:
        """As near to these values as can be, with those tasks let in first; None if one of them cannot be so."""
        start = {name: values.get(name, default_value(variable)) for name, variable in graph.variables.items()}
        wishes = cls(graph, start)
        if not wishes.grant(graph.given) or not all(wishes.let_run(graph.tasks[name]) for name in first):
            return None
        for task in graph.tasks.values():
            wishes.let_run(task)
        return wishes

    def let_run(self, task: Task) -> bool:
        return self.grant(task.presence, task.activation)

    def grant(self, *formulas: Formula) -> bool:
        """Make all of them true; if that cannot be, nothing changes."""
        start = len(self.kept)
        if all(self._make(formula, True) for formula in formulas):
            return True
        self._back_to(start)
        return False

    def _back_to(self, length: int) -> None:
        while len(self.kept) > length:
            name, value = self.kept.popitem()
            self.values[name] = value

    def _make(self, formula: Formula, wanted: bool) -> bool:
        match formula:
            case Not(part):
                return self._make(part, not wanted)
            case All(parts) | Some(parts) if isinstance(formula, All) is wanted:
                return all(self._make(part, wanted) for part in parts)
            case All(parts) | Some(parts):
                return self._make_one(parts, wanted)
            case Equal() | Matches():
                return self._choose(formula, wanted)
        return True

    def _make_one(self, parts: Iterable[Formula], wanted: bool) -> bool:
        """One of them has to be so: rather one that is so already."""
        start = len(self.kept)
        for part in sorted(parts, key=lambda part: self._is(part) is not wanted):
            if self._make(part, wanted):
                return True
            self._back_to(start)
        return False

    def _is(self, formula: Formula) -> bool:
        match formula:
            case Not(part):
                return not self._is(part)
            case All(parts):
                return all(self._is(part) for part in parts)
            case Some(parts):
                return any(self._is(part) for part in parts)
            case Equal() | Matches():
                return _fits(formula, self.values[formula.variable])
        return True

    def _choose(self, atom: Equal | Matches, wanted: bool) -> bool:
        name, now = atom.variable, self.values[atom.variable]
        if name in self.kept:
            return _fits(atom, now) is wanted
        for value in (now, *_values(self.graph.variables[name], atom)):
            if _fits(atom, value) is wanted:
                self.kept[name], self.values[name] = now, value
                return True
        return False


def _fits(atom: Equal | Matches, value: Value) -> bool:
    if isinstance(atom, Equal):
        return same_value(value, atom.value)
    return matches(atom.how, value, atom.text)


def _values(variable: Variable, atom: Equal | Matches) -> tuple[Value, ...]:
    """Values that the variable can have, among them one for the atom and one against it, if that is easy."""
    if variable.values is not None:
        return variable.values
    own = atom.value if isinstance(atom, Equal) else "" if atom.how is How.FITS else atom.text
    others = [value for kind in Kind if kind in variable.kinds for value in _SOME[kind]]
    return (own, *others) if _KINDS[type(own)] in variable.kinds else tuple(others)
