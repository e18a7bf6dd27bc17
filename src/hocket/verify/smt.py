"""The middle model as z3 constraints: the only file that imports z3.

One boolean per task and outcome, one constraint per rule of `model`; only the
tasks that a question can depend on are encoded (`slice_of`). A variable that is
only ever compared for equality is a small number of cases: each value that is
mentioned, and one other of each kind. A text of which more is asked is one of the
shortest texts, one for each way in which all that is asked of it can be true and false
together (`languages`); where these are too many, or with `theory`, it is left to the
theory of strings, which can take any time. Each condition is asserted under a name, so that an answer
"never" says which conditions make it so.

Nothing that z3 says is shown as such: a model becomes a run that `replay` goes
through, and "never" is re-decided in the tests by enumeration and by cvc5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from hocket.errors import MissingExtra
from hocket.verify.budget import UNLIMITED, Budget, Spent
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
    atoms,
    matches,
)
from hocket.verify.languages import condition_of, ways
from hocket.verify.model import Edge, Graph, Join, Kind, Point, Task, Variable
from hocket.verify.regex import Terms

__all__ = ["Found", "Never", "Solver", "Undecided", "formulas_of", "slice_of"]

TIMEOUT = 10_000  # milliseconds a question
_MOST_STATES = 4_000  # of the automata of all that is asked of one text
_MOST_TEXTS = 1_000  # that one variable can be
_OTHER: dict[Kind, tuple[Value, ...]] = {
    Kind.NULL: (None,),
    Kind.BOOLEAN: (False, True),
    Kind.NUMBER: (7919.0,),  # a number that nobody mentions
    Kind.STRING: ("", "something else"),
}


@dataclass(frozen=True)
class Found:
    """There is such a configuration: values of variables, how each task ended, who came after a cancellation."""

    values: dict[str, Value]
    outcomes: dict[str, Outcome]
    interrupted: frozenset[str]
    unready: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Never:
    """There is none; `because` names the tasks whose conditions make it so."""

    because: tuple[str, ...]


@dataclass(frozen=True)
class Undecided:
    reason: str


@dataclass
class _Encoded:
    """How one variable is represented: by a number that stands for one of `values`, or by a string and a null flag."""

    variable: Variable
    values: tuple[Value, ...] = ()
    code: Any = None
    places: Mapping[tuple[type, Value], int] = field(default_factory=dict)
    text: Any = None
    is_null: Any = None


@dataclass
class Solver:
    """Answers questions about a part of one graph. `roots` are the tasks that the questions will be about.

    `also` are formulas over variables that will be asked about besides those of the tasks. Raises `MissingExtra`, and
    `Spent` if the time is over before all is said: a large graph takes z3 seconds to be told.
    """

    graph: Graph
    roots: Iterable[str]
    budget: Budget = UNLIMITED
    also: Iterable[Formula] = ()
    theory: bool = False
    _named: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            import z3
        except ImportError:
            raise MissingExtra("z3-solver", "verify", "deciding conditions") from None
        self.z3 = z3
        self.tasks = slice_of(self.graph, self.roots)
        self.context = z3.Context()
        self.solver = z3.Solver(ctx=self.context)
        self.variables: dict[str, _Encoded] = {}
        self.known: dict[object, Any] = {}  # the terms of atoms about variables
        self.ancestry: dict[tuple[str, bool, frozenset[Outcome]], Any] = {}
        asked = [(formula, name) for name, task in self.tasks.items() for formula in formulas_of(task)]
        asked += [(formula, "") for formula in (self.graph.given, *self.also)]
        asked += [(case.guard, "") for hold in self.graph.holds for case in hold.group.cases]
        mentioned = [atom for formula, _ in asked for atom in atoms(formula)]
        self.mentioned: dict[str, list[Equal | Matches]] = {}
        for atom in mentioned:
            if isinstance(atom, Equal | Matches):
                self.mentioned.setdefault(atom.variable, []).append(atom)
        self.out = {name: {way: self._bool(f"{way.value} {name}") for way in Outcome} for name in self.tasks}
        self.runs = {name: self._bool(f"runs {name}") for name in self.tasks}
        self.stopped = {name: self._bool(f"cancelled before {name}") for name in self.tasks}
        self.ready = {name: self._bool(f"{name} becomes ready") for name in self.tasks}
        self.calm = self._bool("nobody cancels the run")
        for task in self.tasks.values():
            self.budget.check()
            self._task(task)
        self.solver.add(self.term(self.graph.given))
        for formula in self.also:  # what a term defines on the side must stand before the first question
            self.term(formula)
        for place, hold in [("", hold) for hold in self.graph.holds] + [
            (name, hold) for name, task in self.tasks.items() for hold in task.holds
        ]:
            for case in hold.group.cases:
                self.term(case.guard, place)

    # -- questions -----------------------------------------------------------------------------------------------------

    def ask(self, question: Formula, calm: bool = False) -> Found | Never | Undecided:
        """Is there a run of which `question` is true? `calm`: one in which nobody cancels it."""
        self.solver.push()
        try:
            self.limited()
            self.solver.add(self.term(question))
            answer = self.asked(*([self.calm] if calm else []), *self._named.values())
            if answer == self.z3.sat:
                return self._found(self.solver.model())
            if answer == self.z3.unsat:
                return Never(self._because(calm))
            return Undecided(f"z3 gave up: {self.solver.reason_unknown()}")
        except self.z3.Z3Exception as error:
            return Undecided(f"z3 failed: {error}")
        except Spent as error:
            return Undecided(str(error))
        finally:
            self.solver.pop()

    def asked(self, *assumptions: Any) -> Any:
        """What z3 answers. A Ctrl-C it keeps for itself, and says "unknown": it is to end everything, as ever."""
        answer = self.solver.check(*assumptions)
        if answer == self.z3.unknown and self.solver.reason_unknown() == "interrupted from keyboard":
            raise KeyboardInterrupt
        return answer

    def limited(self) -> None:
        """The next question gets as much time as one may take, and no more than is left; raises `Spent`."""
        self.budget.check()
        self.solver.set("timeout", max(1, int(min(TIMEOUT, 1000 * self.budget.left))))

    def text(self, question: Formula, calm: bool = False) -> str:
        """The question as SMT-LIB 2, for any solver: in the theory of strings, with nothing of ours to believe."""
        other = self if self.theory else Solver(self.graph, self.roots, also=self.also, theory=True)
        fresh = self.z3.Solver(ctx=other.context)
        fresh.add(*other.solver.assertions(), *other._named.values(), other.term(question), *[other.calm] * calm)
        return str(fresh.to_smt2())

    def _because(self, calm: bool) -> tuple[str, ...]:
        """The names of a set of conditions that cannot hold together, and of which none can be left out."""
        core = {str(term) for term in self.solver.unsat_core()}
        kept = [name for name in self._named if str(self._named[name]) in core]
        extra = [self.calm] if calm else []
        for name in list(kept) if len(kept) <= 12 else ():
            without = [self._named[one] for one in kept if one != name]
            if not self.budget.left:
                break
            if self.asked(*extra, *without) == self.z3.unsat:
                kept.remove(name)
        return tuple(kept)

    def _found(self, model: Any) -> Found:
        outcomes = {
            name: next((way for way, term in ways.items() if self._is_true(model, term)), Outcome.SKIPPED)
            for name, ways in self.out.items()
        }
        values = {name: self._value(model, encoded) for name, encoded in self.variables.items()}
        interrupted = frozenset(name for name, term in self.stopped.items() if self._is_true(model, term))
        unready = frozenset(name for name, term in self.ready.items() if not self._is_true(model, term))
        return Found(values, outcomes, interrupted, unready)

    def _is_true(self, model: Any, term: Any) -> bool:
        """By z3's own functions: a model is asked about five booleans and more of each task."""
        z3, context = self.z3, self.context.ref()
        found = (z3.Ast * 1)()
        return bool(
            z3.Z3_model_eval(context, model.model, term.as_ast(), True, found)
            and z3.Z3_get_bool_value(context, found[0]) == z3.Z3_L_TRUE
        )

    def _value(self, model: Any, encoded: _Encoded) -> Value:
        if encoded.code is not None:
            return encoded.values[int(model.eval(encoded.code, model_completion=True).as_long())]
        if encoded.is_null is not None and self._is_true(model, encoded.is_null):
            return None
        return _unescaped(str(model.eval(encoded.text, model_completion=True).as_string()))

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        """The rules of one task, as `model` states them."""
        name, out, runs = task.name, self.out[task.name], self.runs[task.name]
        add = self.solver.add
        ways = list(out.values())
        add(self._or(*ways), *(self._not(self._and(one, other)) for one, other in combinations(ways, 2)))
        add(runs == self._may_run(task))
        around = [self.runs[task.parent]] if task.parent else []
        add(out[Outcome.ABSENT] == self._not(self._and(self.term(task.presence, name), *around)))
        add(self._implies(runs, self._or(*(out[way] for way in self._may(task)))))
        add(self._implies(self._not(runs), self._passed(task)))
        add(self._implies(self.calm, self._not(self.stopped[name])))
        add(self._implies(self.ready[name], runs if task.ready else self._or()))
        if task.parent:
            add(self._implies(self.stopped[task.parent], self.stopped[name]))
        for edge in task.edges if task.join is Join.ALL or len(task.edges) == 1 else ():
            add(self._implies(self.stopped[edge.before], self.stopped[name]))
            for child in self.graph.children.get(edge.before, ()) if edge.point is Point.CLOSED else ():
                add(self._implies(self.stopped[child], self.stopped[name]))
        if name in self.graph.children:
            self._parent(task)

    def _passed(self, task: Task) -> Any:
        """How a task can end that does not run."""
        out, lost = self.out[task.name], self.term(task.lost, task.name)
        skipped = self._or(out[Outcome.SKIPPED], self._and(out[Outcome.CANCELLED], self.stopped[task.name]))
        given_up = self._and(lost, out[Outcome.FAILED])
        return self._or(out[Outcome.ABSENT], given_up, self._and(self._not(lost), skipped))

    def _may_run(self, task: Task) -> Any:
        """Present, accepted by each edge, and active; the activation counts only while its name is assumed."""
        named = self._bool(f"condition of {task.name}")
        self._named[task.name] = named
        parts = [self.term(task.presence, task.name)]
        if task.parent:
            parts.append(self.runs[task.parent])
        parts += [self._accepted(edge) for edge in task.edges if task.join is Join.ALL]
        parts.append(self._implies(named, self.term(task.activation, task.name)))
        return self._and(*parts)

    def _accepted(self, edge: Edge) -> Any:
        """Its predecessor came to the point that is waited for, in a way that lets this one run."""
        before = self.out[edge.before]
        missing = [before[Outcome.ABSENT]] if edge.optional else []
        match edge.point:
            case Point.OPENED:
                return self._or(self.runs[edge.before], *missing)
            case Point.READY:
                return self._or(self.ready[edge.before], *missing)
        ways = set(Outcome) - {Outcome.ABSENT} if edge.accepts is None else edge.accepts
        return self._or(*(before[way] for way in Outcome if way in ways), *missing)

    def _may(self, task: Task) -> frozenset[Outcome]:
        return task.may | {Outcome.SKIPPED} if task.name in self.graph.children else task.may

    def _parent(self, task: Task) -> None:
        """A task with children ends as they did."""
        inside, out, runs = self.graph.children[task.name], self.out[task.name], self.runs[task.name]
        failed = self._or(*(self.out[child][Outcome.FAILED] for child in inside))
        cancelled = self._or(*(self.out[child][Outcome.CANCELLED] for child in inside))
        ran = self._or(*(self.runs[child] for child in inside))
        add = self.solver.add
        add(self._implies(runs, out[Outcome.FAILED] == failed))
        add(self._implies(runs, out[Outcome.CANCELLED] == self._and(self._not(failed), cancelled)))
        add(self._implies(self._and(runs, out[Outcome.SKIPPED]), self._not(ran)))

    # -- formulas ------------------------------------------------------------------------------------------------------

    def term(self, formula: Formula, place: str = "") -> Any:
        """The formula as a term; `place` is the task whose formula it is."""
        match formula:
            case Not(part):
                return self._not(self.term(part, place))
            case All(parts):
                return self._and(*(self.term(part, place) for part in parts))
            case Some(parts):
                return self._or(*(self.term(part, place) for part in parts))
            case Ancestors(every, outcomes):
                return self._ancestors(place, every, outcomes)
            case atom:
                return self._atom(atom, place)

    def _atom(self, atom: Atom, place: str) -> Any:
        match atom:
            case Is(name, outcomes):
                return self._or(*(self.out[name][way] for way in Outcome if way in outcomes))
            case Runs(name):
                return self.runs[name]
            case Interrupted(name):
                return self.stopped[name or place]
            case Equal() | Matches():
                return self._of_variable(atom)
        raise AssertionError(f"{atom!r} is no atom")

    def _of_variable(self, atom: Equal | Matches) -> Any:
        """Made once: the conditions of a large pipeline say the same of the same variables again and again."""
        key = (type(atom.value), atom) if isinstance(atom, Equal) else (str, atom)
        if key not in self.known:
            assert atom in self.mentioned.get(atom.variable, ()), "what is asked of a variable is known from the start"
            encoded = self._variable(atom.variable)
            match atom:
                case Equal(_, value):
                    self.known[key] = self._equal(encoded, value)
                case Matches(_, how, text):
                    self.known[key] = self._matches(encoded, how, text)
        return self.known[key]

    def _ancestors(self, place: str, every: bool, outcomes: frozenset[Outcome]) -> Any:
        """Said once for each task on the way, so that the terms stay as many as the edges."""
        waiting = [place]
        while waiting:
            name = waiting.pop()
            if (name, every, outcomes) not in self.ancestry:
                befores = list(dict.fromkeys(edge.before for edge in self.graph.tasks[name].edges))
                join = self._and if every else self._or
                here = self._ancestry(name, every, outcomes)
                parts = (
                    join(self._is(before, outcomes), self._ancestry(before, every, outcomes)) for before in befores
                )
                self.solver.add(here == join(*parts))
                self.ancestry[name, every, outcomes] = here
                waiting.extend(befores)
        return self.ancestry[place, every, outcomes]

    def _ancestry(self, name: str, every: bool, outcomes: frozenset[Outcome]) -> Any:
        ways = "/".join(way.value for way in Outcome if way in outcomes)
        return self._bool(f"{'every' if every else 'some'} ancestor of {name} {ways}")

    def _is(self, name: str, outcomes: frozenset[Outcome]) -> Any:
        return self._or(*(self.out[name][way] for way in Outcome if way in outcomes))

    # -- variables -----------------------------------------------------------------------------------------------------

    def _variable(self, name: str) -> _Encoded:
        if name not in self.variables:
            variable = self.graph.variables[name]
            atoms_here = self.mentioned.get(name, [])
            asked = variable.values is None and any(isinstance(atom, Matches) for atom in atoms_here)
            texts = None if self.theory or not asked else _texts(atoms_here)
            theory = asked and texts is None
            encoded = self._by_string(variable) if theory else self._by_code(variable, atoms_here, texts)
            self.variables[name] = encoded
            if variable.owner:
                self.solver.add(self._implies(self._not(self.runs[variable.owner]), self._equal(encoded, None)))
        return self.variables[name]

    def _by_code(self, variable: Variable, mentioned: list[Equal | Matches], texts: list[str] | None) -> _Encoded:
        listed: list[Value] = list(variable.values or texts or ())
        if texts is not None and Kind.NULL in variable.kinds:
            listed.append(None)
        if variable.values is None and texts is None:
            listed += [atom.value for atom in mentioned if isinstance(atom, Equal)]
            listed += [value for kind in Kind if kind in variable.kinds for value in _OTHER[kind]]
        if variable.owner:
            listed.append(None)
        values = tuple({(type(value), value): value for value in listed}.values())
        code = self.z3.Int(f"value of {variable.name}", self.context)
        self.solver.add(code >= 0, code < len(values))
        return _Encoded(variable, values, code, {(type(value), value): place for place, value in enumerate(values)})

    def _by_string(self, variable: Variable) -> _Encoded:
        """Open strings of which more than equality is asked; `Matches` is only made for strings and null."""
        z3 = self.z3
        text = z3.Const(f"text of {variable.name}", z3.StringSort(self.context))
        empty = Kind.NULL in variable.kinds or bool(variable.owner)
        return _Encoded(variable, text=text, is_null=self._bool(f"{variable.name} is null") if empty else None)

    def _equal(self, encoded: _Encoded, value: Value) -> Any:
        if encoded.code is not None:
            place = encoded.places.get((type(value), value))
            return self._or() if place is None else encoded.code == place
        null = encoded.is_null
        if value is None:
            return null if null is not None else self._or()
        if not isinstance(value, str):
            return self._or()
        same = encoded.text == self.z3.StringVal(value, self.context)
        return same if null is None else self._and(self._not(null), same)

    def _matches(self, encoded: _Encoded, how: How, text: str) -> Any:
        if encoded.code is not None:
            return self._or(
                *(encoded.code == place for place, one in enumerate(encoded.values) if matches(how, one, text))
            )
        if how is How.FITS:
            found = Terms(self.z3, self.context).found_in(encoded.text, text)
            return found if encoded.is_null is None else self._and(self._not(encoded.is_null), found)
        z3, word = self.z3, self.z3.StringVal(text, self.context)
        relation = {How.STARTS: z3.PrefixOf, How.ENDS: z3.SuffixOf}.get(how)
        found = z3.Contains(encoded.text, word) if relation is None else relation(word, encoded.text)
        return found if encoded.is_null is None else self._and(self._not(encoded.is_null), found)

    # -- words ---------------------------------------------------------------------------------------------------------

    def _bool(self, name: str) -> Any:
        return self.z3.Bool(name, self.context)

    # the functions below z3's own, which look at each argument again: half of the time would go into that

    def _and(self, *parts: Any) -> Any:
        return self._joined(self.z3.Z3_mk_and, parts) if parts else self.z3.BoolVal(True, self.context)

    def _or(self, *parts: Any) -> Any:
        return self._joined(self.z3.Z3_mk_or, parts) if parts else self.z3.BoolVal(False, self.context)

    def _joined(self, make: Any, parts: tuple[Any, ...]) -> Any:
        if len(parts) == 1:
            return parts[0]
        terms = (self.z3.Ast * len(parts))(*(part.as_ast() for part in parts))
        return self.z3.BoolRef(make(self.context.ref(), len(parts), terms), self.context)

    def _not(self, part: Any) -> Any:
        return self.z3.BoolRef(self.z3.Z3_mk_not(self.context.ref(), part.as_ast()), self.context)

    def _implies(self, left: Any, right: Any) -> Any:
        made = self.z3.Z3_mk_implies(self.context.ref(), left.as_ast(), right.as_ast())
        return self.z3.BoolRef(made, self.context)


def _texts(mentioned: Iterable[Equal | Matches]) -> list[str] | None:
    """A text for each way in which all of these can be true and false together; None if they are too many."""
    asked = [atom for atom in mentioned if isinstance(atom, Matches) or isinstance(atom.value, str)]
    found = ways(tuple(dict.fromkeys(map(condition_of, asked))), _MOST_STATES)
    return None if found is None or len(found) > _MOST_TEXTS else list(found.values())


def _unescaped(text: str) -> str:
    """A string of z3's as it is: it writes what is not printable ASCII as `\\u{2e}`."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found.group(1), 16)), text)


def formulas_of(task: Task) -> tuple[Formula, ...]:
    """All the formulas that decide about a task."""
    guards = (case.guard for hold in task.holds for case in hold.group.cases)
    return (task.presence, task.activation, task.lost, *guards)


def slice_of(graph: Graph, roots: Iterable[str]) -> Mapping[str, Task]:
    """The tasks on which these can depend: what they wait for, run within or hold, and whatever a condition names."""
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        task = graph.tasks[name]
        waiting.extend(edge.before for edge in task.edges)
        waiting.extend(graph.children.get(name, ()))
        if task.parent:
            waiting.append(task.parent)
        for formula in formulas_of(task):
            for atom in atoms(formula):
                if isinstance(atom, Is | Runs):
                    waiting.append(atom.task)
                elif isinstance(atom, Equal | Matches) and graph.variables[atom.variable].owner:
                    waiting.append(graph.variables[atom.variable].owner)
    return {name: graph.tasks[name] for name in graph.tasks if name in found}
