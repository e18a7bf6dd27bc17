"""The middle model as clauses: what a certificate of "there is no such run" is checked against, without a solver.

Written from the rules of `model`, as `replay` goes through them, and not from the
terms of `smt`: the two encodings share no line, and the tests hold each against the
other and against runs. A clause is a tuple of numbers, as in DIMACS: a number is
something that can be so, its negative that it is not.

Every clause is true of every run [test]. So clauses may be left out (more runs are
considered than exist, and a claim "never" stays true) but none may be added. That is
how texts are dealt with: how the conditions over one text can be true together is found
out by automata (`languages`), of all of them at once or, where that is too much, of
every two; a claim that rests on three of very many has no certificate that can be
checked without a solver.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from hocket.verify.formula import (
    All,
    Ancestors,
    Atom,
    Equal,
    Formula,
    How,
    Interrupted,
    Is,
    Matches,
    Not,
    Outcome,
    Runs,
    Some,
    Value,
    matches,
)
from hocket.verify.languages import Condition, condition_of, ways
from hocket.verify.model import Edge, Graph, Join, Kind, Point, Task, Variable

__all__ = ["Clause", "Propositions"]

Clause = tuple[int, ...]

_KINDS: dict[type, Kind] = {type(None): Kind.NULL, bool: Kind.BOOLEAN, float: Kind.NUMBER, str: Kind.STRING}
_FINITE: dict[Kind, tuple[Value, ...]] = {Kind.NULL: (None,), Kind.BOOLEAN: (False, True)}
_MOST_VALUES = 300  # of one variable, beyond which it is not said that it has one of them
_AT_ONCE = 2_000  # combinations of states that are looked at for all conditions over one text, and ...
_OF_TWO = 4_000  # ... for every two of them, if that was too few
_MOST_SIGNS = 20_000  # in the clauses about all of them


@dataclass
class Propositions:
    """The clauses of these tasks of a graph, and numbers for formulas over them; `finish` says how texts hang together.

    Numbers are given out in the order of asking, so that who asks the same gets the same.
    """

    graph: Graph
    tasks: Iterable[str]
    clauses: list[Clause] = field(default_factory=list)
    numbers: dict[object, int] = field(default_factory=dict)
    _mentioned: dict[str, dict[int, Equal | Matches]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.true = self.number_of("true")
        self.clauses.append((self.true,))
        for name in self.tasks:
            self._task(self.graph.tasks[name])
        self.clauses.append((self.of(self.graph.given),))

    # -- words ---------------------------------------------------------------------------------------------------------

    def number_of(self, what: object) -> int:
        """The number of anything that can be so; the first question for it makes one."""
        return self.numbers.setdefault(what, len(self.numbers) + 1)

    def out(self, task: str, way: Outcome) -> int:
        return self.number_of(("out", task, way))

    def runs(self, task: str) -> int:
        return self.number_of(("runs", task))

    def stopped(self, task: str) -> int:
        """Somebody had cancelled the run when this task's turn came."""
        return self.number_of(("stopped", task))

    def ready(self, task: str) -> int:
        return self.number_of(("ready", task))

    def all(self, parts: Iterable[int]) -> int:
        """A number that is so exactly if all these are."""
        found = sorted(set(parts) - {self.true})
        if -self.true in found or any(-part in found for part in found if part > 0):
            return -self.true
        if len(found) < 2:
            return found[0] if found else self.true
        known = len(self.numbers)
        both = self.number_of(("all", *found))
        if len(self.numbers) > known:
            self.clauses += [(-both, part) for part in found]
            self.clauses.append((both, *(-part for part in found)))
        return both

    def some(self, parts: Iterable[int]) -> int:
        return -self.all(-part for part in parts)

    def same(self, left: int, right: int) -> None:
        self.clauses += [(-left, right), (left, -right)]

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        name, runs, stopped = task.name, self.runs(task.name), self.stopped(task.name)
        ways = {way: self.out(name, way) for way in Outcome}
        self.clauses.append(tuple(ways.values()))
        self.clauses += [(-one, -other) for one, other in combinations(ways.values(), 2)]
        around = [self.runs(task.parent)] if task.parent else []
        there = self.all([self.of(task.presence, name), *around])
        self.same(ways[Outcome.ABSENT], -there)
        accepted = [self._accepts(edge) for edge in task.edges] if task.join is Join.ALL else []
        self.same(runs, self.all([there, *accepted, self.of(task.activation, name)]))
        may = task.may | {Outcome.SKIPPED} if name in self.graph.children else task.may
        self.clauses.append((-runs, *(ways[way] for way in Outcome if way in may)))
        self._passed(runs, stopped, ways, self.of(task.lost, name))
        self.clauses.append((-self.ready(name), runs if task.ready else -self.true))
        self.clauses += [(-self.stopped(before), stopped) for before in self._earlier(task)]
        if name in self.graph.children:
            self._parent(task, runs, ways)

    def _passed(self, runs: int, stopped: int, ways: dict[Outcome, int], lost: int) -> None:
        """Who does not run is absent; or has failed, if lost; or is skipped, or cancelled with the run."""
        absent, failed = ways[Outcome.ABSENT], ways[Outcome.FAILED]
        self.clauses.append((runs, -ways[Outcome.SUCCEEDED]))
        self.clauses.append((runs, -ways[Outcome.CANCELLED], stopped))
        self.clauses.append((runs, absent, -lost, failed))
        self.clauses.append((runs, lost, -failed))

    def _earlier(self, task: Task) -> Iterator[str]:
        """Tasks whose turn was before: a run that was cancelled for them is so for this one."""
        if task.parent:
            yield task.parent
        for edge in task.edges if task.join is Join.ALL or len(task.edges) == 1 else ():
            yield edge.before
            yield from self.graph.children.get(edge.before, ()) if edge.point is Point.CLOSED else ()

    def _accepts(self, edge: Edge) -> int:
        absent = [self.out(edge.before, Outcome.ABSENT)] if edge.optional else []
        match edge.point:
            case Point.OPENED:
                return self.some([self.runs(edge.before), *absent])
            case Point.READY:
                return self.some([self.ready(edge.before), *absent])
        ways = frozenset(Outcome) - {Outcome.ABSENT} if edge.accepts is None else edge.accepts
        return self.some([self.ended(edge.before, ways), *absent])

    def _parent(self, task: Task, runs: int, ways: dict[Outcome, int]) -> None:
        """A task with children ends as they did."""
        inside = self.graph.children[task.name]
        failed = self.some(self.out(child, Outcome.FAILED) for child in inside)
        cancelled = self.some(self.out(child, Outcome.CANCELLED) for child in inside)
        ended = ((Outcome.FAILED, failed), (Outcome.CANCELLED, self.all([-failed, cancelled])))
        for way, why in ended:
            self.clauses += [(-runs, -ways[way], why), (-runs, ways[way], -why)]
        self.clauses += [(-runs, -ways[Outcome.SKIPPED], -self.runs(child)) for child in inside]

    # -- formulas ------------------------------------------------------------------------------------------------------

    def of(self, formula: Formula, place: str = "") -> int:
        """The number of a formula; `place` is the task whose formula it is."""
        match formula:
            case Not(part):
                return -self.of(part, place)
            case All(parts):
                return self.all([self.of(part, place) for part in parts])
            case Some(parts):
                return self.some([self.of(part, place) for part in parts])
            case Ancestors(every, outcomes):
                return self._ancestors(place, every, outcomes)
            case atom:
                return self._atom(atom, place)

    def _atom(self, atom: Atom, place: str) -> int:
        match atom:
            case Is(name, outcomes):
                return self.ended(name, outcomes)
            case Runs(name):
                return self.runs(name)
            case Interrupted(name):
                return self.stopped(name or place)
            case Equal(variable, _) | Matches(variable, _, _):
                number = self.number_of(atom if isinstance(atom, Matches) else (variable, type(atom.value), atom.value))
                self._mentioned.setdefault(variable, {})[number] = atom
                return number
        raise AssertionError(f"{atom!r} is no atom")

    def ended(self, task: str, outcomes: frozenset[Outcome]) -> int:
        return self.some(self.out(task, way) for way in Outcome if way in outcomes)

    def _ancestors(self, place: str, every: bool, outcomes: frozenset[Outcome]) -> int:
        """Said once for each task on the way, from the farthest on."""
        join = self.all if every else self.some
        known: dict[str, int] = {}
        waiting = [place]
        while waiting:
            befores = [edge.before for edge in self.graph.tasks[waiting[-1]].edges]
            missing = [before for before in befores if before not in known]
            if missing:
                waiting += missing
                continue
            known[waiting.pop()] = join(
                one for before in befores for one in (self.ended(before, outcomes), known[before])
            )
        return known[place]

    # -- variables -----------------------------------------------------------------------------------------------------

    def finish(self) -> list[Clause]:
        """All clauses, with those that say how the values of each variable hang together."""
        for name in list(self._mentioned):
            self._variable(self.graph.variables[name])
        return self.clauses

    def _variable(self, variable: Variable) -> None:
        domain = _domain(variable)
        if variable.owner:
            self.clauses.append((self.runs(variable.owner), self.of(Equal(variable.name, None))))
        if domain is not None:
            self.clauses.append(tuple([self.of(Equal(variable.name, value)) for value in domain]))
        rows = self._mentioned[variable.name]
        equal = [(atom, number) for number, atom in rows.items() if isinstance(atom, Equal)]
        self.clauses += [(-one, -other) for (_, one), (_, other) in combinations(equal, 2)]
        self.clauses += [(-number,) for atom, number in equal if not _possible(variable, domain, atom.value)]
        for atom, number in [(atom, number) for number, atom in rows.items() if isinstance(atom, Matches)]:
            for exact, known in equal:
                self.clauses.append((-known, number if matches(atom.how, exact.value, atom.text) else -number))
        said = [(atom, number) for number, atom in rows.items()]
        over = [(atom, number) for atom, number in said if isinstance(atom, Matches) or isinstance(atom.value, str)]
        self.clauses += _over_text(variable, domain, {condition_of(atom): number for atom, number in over})


def _domain(variable: Variable) -> tuple[Value, ...] | None:
    """All values that a variable can have, if they are few."""
    if variable.values is not None:
        found = list(variable.values)
    elif variable.kinds <= _FINITE.keys():
        found = [value for kind in _FINITE if kind in variable.kinds for value in _FINITE[kind]]
    else:
        return None
    if variable.owner:
        found.append(None)
    values = {(type(value), value): value for value in found}
    return tuple(values.values()) if len(values) <= _MOST_VALUES else None


def _possible(variable: Variable, domain: tuple[Value, ...] | None, value: Value) -> bool:
    if domain is not None:
        return any(type(one) is type(value) and one == value for one in domain)
    kind = _KINDS[type(value)]
    return variable.values is not None or kind in variable.kinds or (kind is Kind.NULL and bool(variable.owner))


# -- texts -------------------------------------------------------------------------------------------------------------


def _over_text(variable: Variable, domain: tuple[Value, ...] | None, numbers: dict[Condition, int]) -> Iterator[Clause]:
    """How the conditions over a text hang together: for all at once, or else for every two."""
    conditions = tuple(numbers)
    whole = _signs(variable, domain, conditions, _AT_ONCE)
    if whole is not None and len(whole) * len(conditions) <= _MOST_SIGNS:
        yield from _only(whole, list(numbers.values()))
        return
    for two in combinations(conditions, 2):
        signs = _signs(variable, domain, two, _OF_TWO)
        if signs is not None:
            yield from _only(signs, [numbers[one] for one in two])


def _signs(
    variable: Variable, domain: tuple[Value, ...] | None, conditions: tuple[Condition, ...], most: int
) -> set[tuple[bool, ...]] | None:
    """Every way in which these can be true and false of the variable; None if that is too much to find out."""
    if domain is not None:
        return {tuple(_fits(how, text, value) for how, text in conditions) for value in domain}
    nothing = tuple(False for _ in conditions)  # of what is no text
    if Kind.STRING not in variable.kinds:
        return {nothing}
    found = ways(conditions, most)
    if found is None:
        return None
    return {*found, nothing} if variable.owner or variable.kinds != {Kind.STRING} else set(found)


def _fits(how: How | None, text: str, value: Value) -> bool:
    return value == text if how is None else matches(how, value, text)


def _only(signs: Collection[tuple[bool, ...]], numbers: Sequence[int]) -> Iterator[Clause]:
    """That these numbers are true and false in one of these ways: no beginning of a row of signs is another."""
    known: set[tuple[bool, ...]] = {()}
    for place, number in enumerate(numbers):
        longer = {row[: place + 1] for row in signs}
        for row in sorted(known):
            for sign in (False, True):
                if (*row, sign) not in longer:
                    so_far = [-one if so else one for one, so in zip(numbers, row, strict=False)]
                    yield (*so_far, -number if sign else number)
        known = longer
