"""A specification, traced: its deeds as values that every reader can take apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from hocket.errors import SpecError
from hocket.spec.language import STEPS, Deed, Definition, Labelled, Language, Now, Symbol
from hocket.spec.terms import BOOL, INT, Sort, Term, as_term, claim, parameters, var, walk

__all__ = ["Claim", "Measure", "Step", "Theory", "symbols_of", "theory", "without"]


@dataclass(frozen=True, slots=True)
class Step:
    """One deed: it can be done when all guards hold, and then the symbols are as `after` says."""

    name: str
    kind: str
    params: tuple[Term, ...]
    guards: tuple[Labelled, ...]
    ensured: tuple[Labelled, ...]
    after: dict[Symbol, Definition]
    updates: tuple[str, ...]
    silent: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """Something said about every state; `needs`: the claims that its proof may use (None: those up to its layer)."""

    name: str
    term: Term
    layer: int = 0
    needs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Theorem:
    """Something that follows, in every state that satisfies the invariants, from `given`."""

    name: str
    params: tuple[Term, ...]
    given: tuple[Labelled, ...]
    goal: Term

    def terms(self) -> tuple[Term, ...]:
        return (*(one.term for one in self.given), self.goal)


@dataclass(frozen=True, slots=True)
class Measure:
    """One component of a variant: a natural number for every `at`."""

    at: tuple[Term, ...]
    term: Term


@dataclass(frozen=True, slots=True)
class Theory:
    """All of a specification, as terms."""

    spec: type[Language]
    sorts: tuple[Sort, ...]
    symbols: tuple[Symbol, ...]
    axioms: tuple[Claim, ...]
    initial: tuple[Step, ...]
    steps: tuple[Step, ...]
    invariants: tuple[Claim, ...]
    theorems: tuple[Theorem, ...]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def claims(self, kind: str) -> tuple[Claim, ...]:
        return _claims(self.spec, kind)

    def after(self, step: Step, name: str) -> Term:
        """The claim called `name`, as it reads after the step, over the state before it."""
        return self.spec.deeds[name].says(self.spec(Now(step.after)))

    def two_state(self, step: Step) -> tuple[Claim, ...]:
        """Every two-state claim about this step."""
        found = []
        for name, deed in self._deeds("two_state"):
            term = deed.says(self.spec(Now({})), self.spec(Now(step.after)))
            found.append(Claim(name, term, deed.layer, deed.needs))
        return tuple(found)

    def mentioned(self, name: str) -> set[Symbol]:
        """What a claim reads, also where it comes to nothing: `later.n == s.n + 1` after `s.n += 1`."""
        deed = self.spec.deeds[name]
        moments = [_Heard() for _ in range(2 if deed.kind == "two_state" else 1)]
        deed.call(*map(self.spec, moments))
        return {symbol for moment in moments for symbol in moment.heard}

    def named(self, *kinds: str) -> list[str]:
        return [name for name, deed in self.spec.deeds.items() if deed.kind in kinds]

    def variants(self, step: Step | None = None) -> tuple[tuple[Claim, tuple[Measure, ...]], ...]:
        """Each variant's components, most important first, before or after a step."""
        found = []
        for name, deed in self._deeds("variant"):
            spec = self.spec(Now(step.after if step else {}))
            parts = tuple(_measure(deed, part) for part in _parts(deed, deed.call(spec)))
            found.append((Claim(name, as_term(True, BOOL), deed.layer, deed.needs), parts))
        return tuple(found)

    def _deeds(self, kind: str) -> Iterable[tuple[str, Deed]]:
        return ((name, deed) for name, deed in self.spec.deeds.items() if deed.kind == kind)


class _Heard(Now):
    """A moment that takes down what is read of it."""

    def __init__(self) -> None:
        super().__init__({})
        self.heard: set[Symbol] = set()

    def read(self, symbol: Symbol, args: tuple[Term, ...]) -> Term:
        self.heard.add(symbol)
        return super().read(symbol, args)


def theory(spec: type[Language], drop: tuple[str, str, int] | None = None) -> Theory:
    """Trace everything once; `drop` = (deed, "guard" or "update", place) leaves out one line of one deed."""
    deeds = spec.deeds
    initials = tuple(trace_step(spec, deed, drop) for deed in deeds.values() if deed.kind == "initial")
    claim(bool(initials), f"{spec.__name__} has no @initial state", "@initial def start(s): s.….each(lambda t: …)")
    steps = tuple(trace_step(spec, deed, drop) for deed in deeds.values() if deed.kind in STEPS)
    _needs_are_invariants(deeds.values())
    axioms = _claims(spec, "axiom")
    _axioms_are_of_what_stays(spec, axioms, {symbol for step in steps for symbol in step.after})
    return Theory(
        spec,
        tuple(spec.sorts.values()),
        tuple(spec.symbols.values()),
        axioms,
        initials,
        steps,
        _claims(spec, "invariant"),
        tuple(_theorem(spec, deed) for deed in deeds.values() if deed.kind == "theorem"),
    )


def without(whole: Theory, drop: tuple[str, str, int]) -> Theory:
    """The same as `theory` with `drop`, where all is traced already: only one deed is another."""
    deed = whole.spec.deeds[drop[0]]
    steps = tuple(trace_step(whole.spec, deed, drop) if step.name == deed.name else step for step in whole.steps)
    return replace(whole, steps=steps)


def _needs_are_invariants(deeds: Collection[Deed]) -> None:
    invariants = [deed.name for deed in deeds if deed.kind == "invariant"]
    for deed in deeds:
        for name in deed.needs or ():
            if name not in invariants:
                raise SpecError(f"{deed.name} needs {name!r}, which is no invariant", *deed.line, ", ".join(invariants))


def _axioms_are_of_what_stays(spec: type[Language], axioms: Iterable[Claim], changed: Collection[Symbol]) -> None:
    """An axiom is assumed in every state: said of what deeds change, it would be a claim that nobody proves."""
    for axiom in axioms:
        for symbol in (part.payload for part in walk(axiom.term) if part.op == "apply"):
            if symbol in changed:
                why = f"{axiom.name} assumes something of {symbol}, which deeds change"
                raise SpecError(why, *spec.deeds[axiom.name].line, "@invariant, to be proved")


def trace_step(spec: type[Language], deed: Deed, drop: tuple[str, str, int] | None = None) -> Step:
    """Run a deed once, with variables for its parameters."""
    params = _params(deed)
    now = Now(drop=drop[1:] if drop and drop[0] == deed.name else None)
    returned = deed.call(spec(now), *params)
    if returned is not None:
        cure = "s.require(…), or an @always"
        raise SpecError(f"{deed.name} returns `{returned}`, which nobody looks at", *deed.line, cure)
    _ghosts_are_idle(deed, now)
    return Step(
        deed.name,
        deed.kind,
        params,
        tuple(now.guards),
        tuple(now.ensured),
        now.definitions,
        tuple(now.updates),
        deed.kind == "consequence",
    )


def _params(deed: Deed) -> tuple[Term, ...]:
    names = parameters(deed.method)[1:]
    expected = len(deed.sorts) + (deed.row is not None)
    claim(len(names) == expected, f"{deed.name} has the parameters {names}, and its decorator {len(deed.sorts)} sorts")
    return tuple(var(name, sort) for name, sort in zip(names, deed.sorts, strict=False))


def _ghosts_are_idle(deed: Deed, now: Now) -> None:
    """A ghost is written down, and decides nothing: the protocol without it does the same."""
    read = [symbol for guard in now.guards for symbol in symbols_of(guard.term)]
    read += [known for to, value in now.definitions.items() if not to.ghost for known in symbols_of(value.body)]
    for symbol in read:
        claim(not symbol.ghost, f"{deed.name} depends on {symbol}, which is a ghost", "ghost=False")


def _theorem(spec: type[Language], deed: Deed) -> Theorem:
    now, params = Now(), _params(deed)
    goal = deed.says(spec(now), *params)
    claim(not now.updates, f"the theorem {deed.name} assigns {', '.join(now.updates)}", "what holds, as a condition")
    return Theorem(deed.name, params, tuple(now.guards), goal)


def _claims(spec: type[Language], kind: str) -> tuple[Claim, ...]:
    return tuple(
        Claim(name, deed.says(spec(Now({}))), deed.layer, deed.needs)
        for name, deed in spec.deeds.items()
        if deed.kind == kind
    )


def _parts(deed: Deed, said: Any) -> list[Any]:
    if not isinstance(said, list | tuple):
        raise SpecError(f"{deed.name} returns {said!r}, and no components", *deed.line, "[(s.Task, lambda t: …)]")
    return list(said)  # none at all: what a base class measures is measured no more


def _measure(deed: Deed, part: Any) -> Measure:
    sort, body = part if isinstance(part, tuple) and len(part) == 2 else (None, None)
    at = [] if sort is None else [sort]
    if not callable(body) or len(names := parameters(body)) != len(at):
        cure = "(s.Task, lambda t: …), or (None, lambda: …)"
        raise SpecError(f"{part!r} is no component of {deed.name}", *deed.line, cure)
    bound = tuple(var(name, sort) for name, sort in zip(names, at, strict=True))
    measured = body(*bound)
    if type(measured) is not int and getattr(measured, "sort", None) is not INT:
        raise SpecError(f"{deed.name} measures `{measured}`, which is no number", *deed.line)
    return Measure(bound, as_term(measured, INT))


def symbols_of(term: Term) -> set[Symbol]:
    """Every symbol that a term reads."""
    return {part.payload for part in walk(term) if part.op == "apply"}
