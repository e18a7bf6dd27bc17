"""Fewer runs than classes: rules by which operations commute although both touch an object and one writes it.

Each is off unless it is asked for; then one execution stands for several classes
that nobody can tell apart, and none is lost. The proofs are in
`proofs/independence_proof.py`, the words in `docs/explanation/independence.md`.

A rule must be true of pending operations and of executed ones alike, in every
state that can be reached, because sleep sets and wakeup trees compare the two. So:
- what is `Alike` is read off the operation itself, which is known while it is pending;
- a `Change` looks at the value before it as well. Whoever could alter that value
  conflicts with it in any case, so it is the same wherever the operation may be moved.
  Only overwriting operations have one: the value that they leave does not depend on
  that before, so that whether they conflict with a `Question` stays the same when
  something independent comes between (JACM 2017, definition 3.2, property 7). For the
  same reason a `compare_exchange` conflicts with a `Question` even if it fails: a store
  that keeps the answer may make the difference. So a question counts as a write, which
  commutes with every `Look`.

Refused: guessing that the result of an `add` is ignored (there is `increment`, which has
none); equality of values that are not plain (`1 == True`, and a list may be changed
later); overwriting of equal values under `await-truth` when `equal-writes` is on, since
which of two equal writes changed the answer depends on their order; two critical
sections on one lock (see the page).

Source: Godefroid, "Partial-Order Methods" (1996), conditional independence; Aronis, Jonsson, Lång, Sagonas,
"Optimal DPOR with Observers" (TACAS 2018) for equal writes; Jonsson, Lång, Sagonas, "Awaiting for Godot" (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import Any, NamedTuple

from hocket.errors import Refused
from hocket.explore.semantics import ROWS, answer
from hocket.trace.operation import Operation

__all__ = ["ADDS", "AWAITS", "EQUAL", "RULES", "UNKNOWN", "Alike", "Change", "Freedom", "Look", "Question", "checked",
           "commute", "freedom"]

EQUAL, ADDS, AWAITS = "equal-writes", "commuting-adds", "await-truth"
RULES = {
    EQUAL: "two stores of one plain value to one cell commute, and so do two settings, or clearings, of one event",
    ADDS: "two increments of one cell commute: they answer nothing",
    AWAITS: "a store or swap and a `block_until` commute unless the store changes the answer to the question",
}
UNKNOWN = object()  # the value before an operation of which only the intent is known
_PLAIN = (int, bool, str, bytes, type(None))


class Alike(NamedTuple):
    """Operations on one object that commute if they are the same in this."""

    kind: str
    value: Any


class Change(NamedTuple):
    """An overwriting: the value before and after it."""

    old: Any
    new: Any


class Question(NamedTuple):
    """A wait for what its predicate says, which answers nothing but that it holds."""

    holds: Callable[[Any], Any]


class Look(NamedTuple):
    """An operation that reads, whatever the state."""


Freedom = Alike | Change | Question | Look


def checked(rules: Iterable[str]) -> tuple[str, ...]:
    """The names of rules, in the order of `RULES`; raises `Refused` for one that does not exist."""
    asked = (rules,) if isinstance(rules, str) else tuple(rules)
    for name in asked:
        if name not in RULES:
            raise Refused("reductions", f"set to {name!r}", "no rule", "some of " + ", ".join(map(repr, RULES)))
    return tuple(name for name in RULES if name in asked)


def commute(a: Freedom, b: Freedom | None) -> bool:
    """Whether two operations on one object commute, one of which writes it."""
    match a, b:
        case Alike(), Alike(): return a == b
        case Change(old, new), Question(holds): return bool(answer(holds, old) == answer(holds, new))
        case Question(holds), Change(old, new): return bool(answer(holds, old) == answer(holds, new))
        case (Question(), Look() | Question()) | (Look(), Question()): return True
    return False


def freedom(operation: Operation, rules: Collection[str], before: Any = UNKNOWN) -> Freedom | None:
    """What an operation commutes with beyond its footprint; `before`: the state of its object, if that is known."""
    row = ROWS[operation.kind]
    if row.alike and row.alike in rules:
        value = _label(operation.argument) if row.alike == EQUAL else ADDS
        if value is not None:
            return Alike(operation.kind, value)
    if AWAITS in rules:
        if row.asks:
            return Question(operation.argument)
        if row.overwrites and before is not UNKNOWN:
            return Change(before, operation.argument)
        if row.modes == "r":
            return Look()
    return None


def _label(value: Any) -> Any:
    """Equal for values that no program can tell apart (but by `is`); None for what is not plain."""
    if type(value) in _PLAIN:
        return type(value), value
    if type(value) is float:
        return float, repr(value)  # 0.0 is not -0.0
    if isinstance(value, Enum):
        return type(value), value.name
    if type(value) is tuple:
        parts = [_label(part) for part in value]
        return None if None in parts else (tuple, tuple(parts))
    return None
