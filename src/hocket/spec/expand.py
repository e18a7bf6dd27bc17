"""One function that takes a whole frontier of states one step further.

The events of a scope are compiled into a single loop: conditions that consecutive
events share are asked once, what comes after a step is looked up at once, and nothing
is called that can be written out. The order of the events stays that of the text, so
that which of several shortest counterexamples is found does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hocket.spec.layout import Event, executed
from hocket.spec.packed import Packed, Rule
from hocket.spec.terms import Term, conj

__all__ = ["Expand", "Successors", "expander", "looker", "successors"]

Expand = Callable[[list[int], dict[int, int | None], list[int]], tuple[list[int], list[int]]]
"""Frontier, who came from whom, terminal states (appended to): the fresh states, and how often each deed was done."""
Successors = Callable[[int], list[tuple[Event, int]]]
Canon = Callable[[int], int]

_DEEP = 60  # levels of shared conditions: Python allows 100 of indentation


def expander(packed: Packed, canon: Canon | None) -> tuple[Expand, list[str]]:
    """The function, and the names of the deeds in the order in which it counts them."""
    deeds = [step.name for step in packed.theory.steps if not step.silent]
    counts = [f"c{n}" for n in range(len(deeds))]
    lines = ["def expand(frontier, came, terminal):", "    known, fresh = {}, []", "    push = fresh.append"]
    lines += [f"    {' = '.join(counts)} = 0"] if counts else []
    lines += ["    for s in frontier:", "        done = False"]

    def leaf(rule: Rule) -> list[str]:
        return [
            f"c{deeds.index(rule.instance.step.name)} += 1",
            "done = True",
            *_arrive(packed, rule, canon),
            "if a not in came: came[a] = s; push(a)",
        ]

    lines += [f"        {line}" for line in _tree(packed, packed.loud, leaf)]
    lines += ["        if not done: terminal.append(s)", f"    return fresh, [{', '.join(counts)}]"]
    made: Expand = executed(lines, "expand", **_known(packed, canon))
    return made, deeds


def successors(packed: Packed, canon: Canon | None = None) -> Successors:
    """Every event that a state allows, with the state after it."""
    events = {rule.number: rule.instance.event for rule in packed.loud}

    def leaf(rule: Rule) -> list[str]:
        return [*_arrive(packed, rule, canon), f"found.append((events[{rule.number}], a))"]

    lines = ["def successors(s):", "    known, found = {}, []"]
    lines += [f"    {line}" for line in _tree(packed, packed.loud, leaf)]
    made: Successors = executed([*lines, "    return found"], "successors", events=events, **_known(packed, canon))
    return made


def looker(packed: Packed, terms: Iterable[Term]) -> Callable[[list[int]], int | None]:
    """The first of some states in which one of the conditions does not hold, or None."""
    condition = packed.test(conj(*terms))
    lines = ["def look(frontier):", "    for s in frontier:", f"        if not {condition}: return s"]
    made: Callable[[list[int]], int | None] = executed(lines, "look")
    return made


def _known(packed: Packed, canon: Canon | None) -> dict[str, Any]:
    return {"fit": packed.fit, "canon": canon, **({"settle": packed.settle} if packed.silent else {})}


def _arrive(packed: Packed, rule: Rule, canon: Canon | None) -> list[str]:
    """Lines that make `a` the state after a rule."""
    lines = [f"a = {packed.after(rule)}"]
    stirred = packed.stirs(rule)
    if stirred:
        lines.append(f"if {stirred}: a = settle(a)")
    return [*lines, "a = known.get(a) or known.setdefault(a, canon(a))"] if canon else lines


def _tree(packed: Packed, rules: list[Rule], leaf: Callable[[Rule], list[str]]) -> list[str]:
    """Each rule's leaf under its condition; consecutive rules under what they have in common."""
    return _level(packed, [(list(rule.conjuncts), rule) for rule in rules], leaf, 0)


def _level(
    packed: Packed, rules: list[tuple[list[Term], Rule]], leaf: Callable[[Rule], list[str]], depth: int
) -> list[str]:
    lines: list[str] = []
    while rules:
        length = max((_shared(rules, term) for term in rules[0][0]), default=1) if depth < _DEEP else 1
        group, rules = rules[:length], rules[length:]
        common = [term for term in group[0][0] if _shared(group, term) == length]
        inner = leaf(group[0][1]) if length == 1 else _level(packed, _without(group, common), leaf, depth + 1)
        if common:
            lines += [f"if {packed.test(conj(*common))}:", *(f"    {line}" for line in inner)]
        else:
            lines += inner
    return lines


def _shared(rules: list[tuple[list[Term], Rule]], term: Term) -> int:
    """How many of the rules, from the first on, have this conjunct."""
    count = 0
    for conjuncts, _ in rules:
        if all(one.key != term.key for one in conjuncts):
            break
        count += 1
    return count


def _without(rules: list[tuple[list[Term], Rule]], common: list[Term]) -> list[tuple[list[Term], Rule]]:
    gone = {term.key for term in common}
    return [([term for term in conjuncts if term.key not in gone], rule) for conjuncts, rule in rules]
