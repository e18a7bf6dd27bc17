"""Promises: something happens eventually, in every run in which everybody gets their turn.

A run that breaks a promise is infinite, and in a finite space it can be taken to be a
lasso: a way to a state, and a circle there that is gone round for ever, all without the
promised thing. To stand still for ever is such a circle too. What rules most of them out
is fairness, of each event by itself:

- *weak*: an event that is possible all along the circle is done on it;
- *strong*: an event that is possible anywhere on the circle is done on it;
- *none*: nobody is obliged to do it: the environment, unless somebody says so.

An event that changes nothing counts neither as possible nor as done, as in TLA+.

Circles are looked for in the strongly connected components of what can be reached
without the promised thing; for strong fairness a component is searched again without
the states that it cannot treat fairly (Emerson and Lei 1987; Streett's condition).
Refused: a product with a Büchi automaton of an arbitrary formula: "p leads to q" is what
our models say, and its counterexamples can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hocket.spec.expand import looker
from hocket.spec.language import Leads, Now
from hocket.spec.layout import Event
from hocket.spec.space import Space, told, way
from hocket.spec.terms import TRUE, Term, claim, parameters, var
from hocket.spec.traced import Theory
from hocket.verdict import Basis, Bound, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["FAIRNESS", "Fairness", "Lasso", "Promise", "fairness_of", "keeps", "promises"]

FAIRNESS = ("none", "weak", "strong")
Fairness = str | Mapping[str, str] | None
"""None: as the model says; a word: for every @action; a mapping: for the deeds that it names."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Whenever `first` holds (None: at the beginning), `then` holds then or later; for each choice of `params`."""

    name: str
    params: tuple[Term, ...]
    first: Term | None
    then: Term
    line: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Lasso(Counterexample):
    """A run that never ends: `steps`, and then `cycle` again and again; an empty cycle is to stand still for ever."""

    cycle: tuple[Event, ...] = ()


def promises(theory: Theory) -> list[Promise]:
    """Every @eventually of a theory."""
    found = []
    for name, deed in theory.spec.deeds.items():
        if deed.kind == "eventually":
            names = parameters(deed.method)[1:]
            claim(len(names) == len(deed.sorts), f"{name} has the parameters {names}, and {len(deed.sorts)} sorts")
            params = tuple(var(word, sort) for word, sort in zip(names, deed.sorts, strict=True))
            said = deed.call(theory.spec(Now({})), *params)
            first, then = (said.first, said.then) if isinstance(said, Leads) else (None, deed.condition(said))
            found.append(Promise(name, params, first, then, deed.line))
    return found


def fairness_of(theory: Theory, fairness: Fairness = None) -> dict[str, str]:
    """How each deed has to be treated."""
    found = {}
    for step in theory.steps:
        said = theory.spec.deeds[step.name].fair or ("weak" if step.kind == "action" else "none")
        found[step.name] = fairness if isinstance(fairness, str) and step.kind == "action" else said
    if fairness == "none":
        found = dict.fromkeys(found, "none")
    chosen = {} if fairness is None or isinstance(fairness, str) else dict(fairness)
    for name in chosen:
        claim(name in found, f"there is no deed {name!r} to be fair to", f"one of {', '.join(found)}")
    found |= chosen
    for name, how in found.items():
        claim(how in FAIRNESS, f"{how!r} is no fairness (of {name})", "'weak', 'strong' or 'none'")
    return found


def keeps(
    space: Space, promise: Promise, fairness: Fairness, came: Mapping[int, int | None], complete: bool
) -> Verdict:
    """Whether every fair run keeps a promise; `came`: the states that were reached, and how."""
    fair = fairness_of(space.theory, fairness)
    looked = 0
    for at in space.packed.scope.bindings(promise.params):
        bound = {param.payload: arg for param, arg in zip(promise.params, at, strict=True)}
        names = [str(space.packed.scope.name(arg.payload, arg.sort)) for arg in at]
        search = _Pending(space, promise, bound, fair, came)
        looked += len(search.states)
        found = search.counterexample(" ".join([promise.name, *names]))
        if found is not None:
            return Violated(f"eventually {promise.name}", found)
    if not complete:
        return Unknown(f"eventually {promise.name}", f"only {len(came)} states were looked at")
    return Holds(f"eventually {promise.name}", Basis.EXHAUSTED, (Bound("states", len(came)),), {"pending": looked})


class _Pending:
    """What can be reached while a promise is owed: states by number, `edges[n]` = (event, number or -1 if kept)."""

    def __init__(
        self,
        space: Space,
        promise: Promise,
        bound: Mapping[str, Term],
        fair: Mapping[str, str],
        came: Mapping[int, int | None],
    ) -> None:
        self.space, self.fair, self.came = space, fair, came
        ground = space.packed.scope.ground
        self.owed = (promise.then, bound)
        missing = looker(space.packed, [ground(promise.then, bound)])
        begun = looker(space.packed, [ground(~(TRUE if promise.first is None else promise.first), bound)])
        starts = space.initial if promise.first is None else came
        self.states = [s for s in starts if begun([s]) is not None and missing([s]) is not None]
        self.before: list[int] = [-1] * len(self.states)
        self.edges: list[list[tuple[Event, int]]] = []
        self._explore(missing)

    def _explore(self, missing: Callable[[list[int]], int | None]) -> None:
        number = {state: n for n, state in enumerate(self.states)}
        for n, state in enumerate(self.states):  # grows while it is gone through
            out = []
            for event, after in self.space.successors(state):
                if after == state:
                    continue
                to = number.get(after, -1)
                if to < 0 and after in self.came and missing([after]) is not None:
                    to = number[after] = len(self.states)
                    self.states.append(after)
                    self.before.append(n)
                out.append((event, to))
            self.edges.append(out)

    # -- circles ------------------------------------------------------------------------------------------------------

    def counterexample(self, name: str) -> Lasso | None:
        """A nearest state where a run may stand still, else a fair circle."""
        for n, out in enumerate(self.edges):
            if not any(self.fair[event[0]] != "none" for event, _ in out):
                return self._shown(name, n, [])
        for component in sorted(components(self.edges, range(len(self.edges))), key=min):
            found = self._fair_part(component)
            if found:
                return self._shown(name, *self._circle(found))
        return None

    def _fair_part(self, component: list[int]) -> list[int] | None:
        """A part of a component round which a run can go for ever, treating everybody fairly."""
        inside = set(component)
        done = {event for n in component for event, to in self.edges[n] if to in inside}
        possible = [{event for event, _ in self.edges[n]} for n in component]
        if any(self.fair[event[0]] == "weak" for event in set.intersection(*possible) - done):
            return None
        slighted = {event for event in set.union(*possible) - done if self.fair[event[0]] == "strong"}
        if not slighted:
            return component
        rest = [n for n, events in zip(component, possible, strict=True) if not events & slighted]
        parts = sorted(components(self.edges, rest), key=min)
        return next((found for part in parts if (found := self._fair_part(part))), None)

    def _circle(self, component: list[int]) -> tuple[int, list[tuple[Event, int]]]:
        """Where to begin, and a walk from there back again that gives everybody their turn."""
        start = at = min(component)
        inside, walk = set(component), list[tuple[Event, int]]()
        for event in self._turns(component):
            visited = [start, *(to for _, to in walk)]
            rests = self.fair[event[0]] == "weak" and any(not self._possible(n, event) for n in visited)
            if not rests and all(taken != event for taken, _ in walk):
                walk += self._towards(at, inside, event)
                at = walk[-1][1] if walk else start
        if at != start or not walk:
            walk += self._back(at, inside, start)
        return start, walk

    def _turns(self, component: list[int]) -> list[Event]:
        """Who has to have a turn, in the order of the states."""
        events = dict.fromkeys(event for n in component for event, _ in self.edges[n])
        return [event for event in events if self.fair[event[0]] != "none"]

    def _possible(self, n: int, event: Event) -> bool:
        return any(one == event for one, _ in self.edges[n])

    def _towards(self, at: int, inside: set[int], event: Event) -> list[tuple[Event, int]]:
        """The shortest walk at whose end the event was done, or (weak fairness) is not possible."""
        for walk, here in self._walks(at, inside):
            for done, to in self.edges[here]:
                if done == event and to in inside:
                    return [*walk, (done, to)]
            if self.fair[event[0]] == "weak" and not self._possible(here, event):
                return walk
        raise AssertionError(f"{event} has no turn in a component that is fair")

    def _back(self, at: int, inside: set[int], start: int) -> list[tuple[Event, int]]:
        """The shortest walk of at least one step, if the component has one; standing still if not."""
        for walk, here in self._walks(at, inside):
            for done, to in self.edges[here]:
                if to == start:
                    return [*walk, (done, to)]
        assert len(inside) == 1, "a component that is not connected"
        return []

    def _walks(self, at: int, inside: set[int]) -> Iterable[tuple[list[tuple[Event, int]], int]]:
        """Each state of a component with a shortest walk to it, nearest first."""
        came: dict[int, tuple[int, Event] | None] = {at: None}
        for n in (queue := [at]):
            walk, back = [], n
            while (step := came[back]) is not None:
                walk.append((step[1], back))
                back = step[0]
            yield walk[::-1], n
            for event, to in self.edges[n]:
                if to in inside and to not in came:
                    came[to] = (n, event)
                    queue.append(to)

    # -- shown --------------------------------------------------------------------------------------------------------

    def _shown(self, name: str, n: int, circle: list[tuple[Event, int]]) -> Lasso:
        """The lasso, once the interpreter has gone round it."""
        owed = [n]
        while self.before[owed[-1]] >= 0:
            owed.append(self.before[owed[-1]])
        states = [self.states[one] for one in owed[::-1]]
        start, events, _ = self.space.path([*way(self.came, states[0])[:-1], *states])
        cycle = tuple(event for event, _ in circle)
        along = self.space.replayed(start, (*events, *cycle))
        self._confirmed(along[len(events) - len(states) + 1 :], along[len(events) :], cycle)
        stands = "nobody has to go on" if self.edges[n] else "nothing more can happen"
        end = f"then again and again: {told(cycle)}" if cycle else f"and there {stands}"
        return Lasso(f"{name} may never come: {told(events)}; {end}", events, True, cycle)

    def _confirmed(self, owing: list[Any], circle: list[Any], cycle: tuple[Event, ...]) -> None:
        """The interpreter agrees: it is owed all along, the circle closes, and it is fair."""
        machine = self.space.machine
        kept = machine.predicate(*([self.owed[0]], self.owed[1]))
        assert not any(kept(*at) for at in owing), "the promise is kept on the way"
        assert circle[0] == circle[-1], "the circle does not close"
        able = [{event for event, after in machine.successors(*at) if after != at[0]} for at in circle]
        for event in set.union(*able) - set(cycle):
            how = self.fair[event[0]]
            assert how != "strong", f"{event} is possible on the circle, and slighted"
            assert how == "none" or not all(event in here for here in able), f"{event} waits for ever"


def components(edges: list[list[tuple[Event, int]]], among: Iterable[int]) -> list[list[int]]:
    """Strongly connected components of the graph among some of its points (Tarjan 1972, without recursion)."""
    allowed = set(among)
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    found: list[list[int]] = []
    for root in sorted(allowed):
        if root not in index:
            _component(edges, allowed, root, index, low, found)
    return found


def _component(
    edges: list[list[tuple[Event, int]]],
    allowed: set[int],
    root: int,
    index: dict[int, int],
    low: dict[int, int],
    found: list[list[int]],
) -> None:
    stack, on = [root], {root}
    index[root] = low[root] = len(index)
    work = [(root, iter(edges[root]))]
    while work:
        n, out = work[-1]
        for _, to in out:
            if to in allowed and to not in index:
                index[to] = low[to] = len(index)
                stack.append(to)
                on.add(to)
                work.append((to, iter(edges[to])))
                break
            if to in on:
                low[n] = min(low[n], index[to])
        else:
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[n])
            if low[n] == index[n]:
                place = stack.index(n)
                found.append(stack[place:])
                on.difference_update(stack[place:])
                del stack[place:]
