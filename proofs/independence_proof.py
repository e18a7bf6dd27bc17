"""The rules of reductions.py, from the rows themselves: what they call independent may be swapped in every state.

The rows are run on symbols instead of values, in both orders; what comes out is text, and
that the two orders agree is asked of z3 and again of cvc5, for all values. A row never looks
at a value but to add it or to ask a predicate about it: the symbols would object. Beside each
rule stands its next larger neighbour, which the solvers must refute.

What cannot be said there, that the search built on a rule loses nothing although operations
block, is exhausted on small programs in tests/unit/explore_engine/test_reductions.py.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import pytest

from hocket.explore import footprint, steps
from hocket.explore.footprint import Footprint, Footprints, conflict
from hocket.explore.reductions import ADDS, AWAITS, EQUAL, RULES, Alike, Change, Question, commute, freedom
from hocket.explore.semantics import ROWS, Raise
from hocket.spec.solve import ask_cvc5, ask_z3, has_cvc5
from hocket.trace.operation import Operation

SPECS = ()  # these are obligations of their own
ONE, TWO = 1, 2


class Symbol:
    """Any value whatever: it can be added, and nothing else."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __add__(self, other: Any) -> Symbol:
        return Symbol(f"(+ {self.text} {_text(other)})")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a row that compares values says more than these proofs know")

    __hash__ = None  # type: ignore[assignment]  # nor may it look one up

    def __bool__(self) -> bool:
        raise AssertionError("a row that tests values says more than these proofs know")


def _text(value: Any) -> str:
    match value:
        case Symbol(): return value.text
        case True: return "yes"
        case False: return "no"
        case None: return "none"
    raise AssertionError(f"no term: {value!r}")


class Both(NamedTuple):
    """Two operations of two actors from one state, in both orders: final states and results, as terms."""

    states: tuple[str, str]
    first: tuple[str, str]  # what the first operation answers, in either order
    second: tuple[str, str]

    def agree(self) -> str:
        return "(and " + " ".join(f"(= {one} {other})" for one, other in self) + ")"


def both(first: str, a: Any, second: str, b: Any, state: Any) -> Both:
    """Perform both rows in both orders; they must never block."""
    one, two = ROWS[first], ROWS[second]
    assert one.never_blocks
    assert two.never_blocks
    half, answered = one.perform(state, ONE, a, 0)
    done, then = two.perform(half, TWO, b, 0)
    other_half, other_then = two.perform(state, TWO, b, 0)
    other_done, other_answered = one.perform(other_half, ONE, a, 0)
    return Both((_text(done), _text(other_done)), (_text(answered), _text(other_answered)),
                (_text(then), _text(other_then)))


def judged(sort: str, goal: str, given: str = "true", more: str = "") -> str:
    """What both solvers say of its negation: "unsat" if it holds for all s, v, w of that sort, "sat" if not always."""
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    declared = "" if sort == "Int" else f"(declare-sort {sort} 0)\n"
    constants = "".join(f"(declare-const {name} {sort})\n" for name in "svw")
    fixed = f"(declare-const none {sort})\n"
    text = f"(set-logic ALL)\n{declared}{constants}{fixed}{more}(assert {given})\n(assert (not {goal}))\n(check-sat)\n"
    found = ask_z3(text, 10).result
    if has_cvc5():
        assert ask_cvc5(text, 10).result == found
    return found


s, v, w = (Symbol(name) for name in "svw")
OVERWRITING = ["cell.store", "cell.swap"]


# -- equal writes -----------------------------------------------------------------------------------------------------


def test_two_stores_of_one_value_commute_from_any_state():
    assert judged("V", both("cell.store", v, "cell.store", v, s).agree()) == "unsat"


def test_two_stores_of_different_values_do_not():
    assert judged("V", both("cell.store", v, "cell.store", w, s).agree()) == "sat"


def test_a_swap_sees_the_difference_even_between_equal_values():
    assert judged("V", both("cell.swap", v, "cell.swap", v, s).agree()) == "sat"


@pytest.mark.parametrize("kind", ["event.set", "event.clear"])
def test_two_settings_or_clearings_of_an_event_commute_from_both_states(kind: str):
    for state in (False, True):
        assert both(kind, None, kind, None, state).agree().count("=") == 3
        assert all(one == other for one, other in both(kind, None, kind, None, state))


def test_a_setting_and_a_clearing_do_not_commute():
    assert any(one != other for one, other in both("event.set", None, "event.clear", None, False))


# -- commuting adds ---------------------------------------------------------------------------------------------------


def test_two_increments_commute_from_any_state(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steps, "_WHOLE", (Symbol,))  # the branch of whole numbers, taken by symbols of them
    assert judged("Int", both("cell.increment", v, "cell.increment", w, s).agree()) == "unsat"


def test_two_adds_do_not_because_they_answer_the_value_before():
    assert judged("Int", both("cell.add", v, "cell.add", w, s).agree()) == "sat"


def test_an_increment_of_what_is_no_whole_number_changes_nothing_and_says_so_in_either_order():
    """The other branch: 0.5 for a value or an amount, in all combinations; the answer names types, never values."""
    for state, a, b in product((3, True, 0.5, "x", None), (1, 0.5, "x"), (2, 0.5, None)):
        there, back = _ends(state, a, b), _ends(state, b, a)[::-1]
        assert (there, type(there[1])) == (back, type(back[1]))


def _ends(state: Any, a: Any, b: Any) -> list[Any]:
    perform = ROWS["cell.increment"].perform
    half, first = perform(state, ONE, a, 0)
    done, second = perform(half, TWO, b, 0)
    return [first, done, second]


# -- waits whose answer stays the same --------------------------------------------------------------------------------

ANSWERS = [False, None, Raise(ValueError, "one"), Raise(ValueError, "two")]


def _asked(answers: dict[str, Any]) -> Any:
    """A predicate with these answers about the symbols."""

    def holds(value: Symbol) -> bool:
        said = answers[value.text]
        if type(said) is Raise:
            raise said.type(said.message)
        return said is None

    return holds


@pytest.mark.parametrize("kind", OVERWRITING)
def test_an_overwriting_that_keeps_the_answer_commutes_with_the_wait_and_no_other_does(kind: str):
    """All answers about the old value and the new; about the values themselves nothing is asked, so this is all."""
    until, write = ROWS["cell.until"], ROWS[kind]
    for old, new in product(ANSWERS, repeat=2):
        holds = _asked({"s": old, "v": new})
        after, wrote = write.perform(s, ONE, v, 0)
        enabled = until.enabled(s, TWO, holds, 0), until.enabled(after, TWO, holds, 0)
        same = enabled[0] == enabled[1]
        if all(enabled):
            kept, said = until.perform(s, TWO, holds, 0)
            final, then = until.perform(after, TWO, holds, 0)
            last, again = write.perform(kept, ONE, v, 0)
            same = said == then and (final.text, _text(wrote)) == (last.text, _text(again))
        assert same == commute(Change(s, v), Question(holds)), (old, new)


EQUAL_ANSWERS = "(declare-sort A 0)\n(declare-fun answer ({}) A)\n"


def test_what_is_independent_of_a_wait_takes_no_conflict_of_an_overwriting_away():
    """JACM 2017, definition 3.2, property 7: after another store w that keeps the answer, v still changes it."""
    given = "(and (= (answer s) (answer w)) (not (= (answer s) (answer v))))"
    goal = "(not (= (answer w) (answer v)))"
    assert judged("V", goal, given, EQUAL_ANSWERS.format("V")) == "unsat"


def test_that_is_false_of_an_add_which_is_why_only_overwritings_have_the_freedom():
    given = "(and (= (answer s) (answer w)) (not (= (answer s) (answer (+ s v)))))"
    goal = "(not (= (answer w) (answer (+ w v))))"
    assert judged("Int", goal, given, EQUAL_ANSWERS.format("Int")) == "sat"
    assert not any(ROWS[kind].overwrites for kind in ("cell.add", "cell.increment", "cell.update"))


def test_which_of_two_equal_writes_changes_the_answer_depends_on_their_order_so_they_have_one_freedom():
    """0 → 1 → 1: the first of them changes whether it is 1. So a store that is alike is no change."""
    store = Operation("cell.store", (0,), 1)
    assert isinstance(freedom(store, (EQUAL, AWAITS), 0), Alike)
    assert isinstance(freedom(store, (AWAITS,), 0), Change)


# -- what the rows declare is what was shown here ---------------------------------------------------------------------


def test_no_row_declares_more_than_was_shown_here():
    shown = {EQUAL: {"cell.store", "event.set", "event.clear"}, ADDS: {"cell.increment"}, AWAITS: set()}
    assert {rule: {kind for kind, row in ROWS.items() if row.alike == rule} for rule in RULES} == shown
    assert [kind for kind, row in ROWS.items() if row.overwrites] == OVERWRITING
    assert [kind for kind, row in ROWS.items() if row.asks] == ["cell.until"]


# -- refused: critical sections on one lock that conflict in nothing --------------------------------------------------


def test_two_acquires_never_commute_whatever_the_sections_do():
    """The law fails at the first step: from a free lock either acquire is possible, and after it the other is not."""
    acquire = ROWS["lock.acquire"]
    held, _ = acquire.perform(None, ONE, None, 0)
    assert acquire.enabled(None, TWO, None, 0)
    assert not acquire.enabled(held, TWO, None, 0)


# -- one relation for pending and executed: what is independent in between takes no conflict away ---------------------

VALUES = (0, 1, 2)
ASKS = (lambda value: value >= 1, lambda value: value % 2 == 0, lambda value: value < 2)
CELL = [
    *(Operation(kind, (0,), value) for kind in ("cell.store", "cell.swap") for value in VALUES),
    *(Operation(kind, (0,), 1) for kind in ("cell.add", "cell.increment")),
    *(Operation("cell.compare_exchange", (0,), pair) for pair in ((0, 1), (1, 2), (2, 0))),
    *(Operation(kind, (0,), asks) for kind in ("cell.until", "cell.await") for asks in ASKS),
    Operation("cell.update", (0,), lambda value: 2 - value), Operation("cell.load", (0,)),
]


class After(NamedTuple):
    """An event: its footprint, and the state that it leaves."""

    footprint: Footprint
    state: Any


def after(prints: Footprints, operation: Operation, state: Any) -> After | None:
    """What an operation is and does in a state; None if it is blocked there."""
    row = ROWS[operation.kind]
    if not row.enabled(state, ONE, operation.argument, 0):
        return None
    then, result = row.perform(state, ONE, operation.argument, 0)
    return After(prints.of(operation, 0, not row.changed(result), state), then)


@pytest.mark.parametrize("rules", [(), (EQUAL,), (ADDS,), (AWAITS,), tuple(RULES)], ids="+".join)
def test_property_7_holds_for_all_triples_of_operations_on_a_cell(rules: tuple[str, ...]):
    """If p conflicts with r directly after it, it also does after a q that is independent of p (JACM 2017, 3.2)."""
    assert _unkept(Footprints(rules)) == []


def test_without_the_conflict_of_failed_exchanges_property_7_would_be_lost(monkeypatch: pytest.MonkeyPatch):
    """So it was, once: until, swap, compare_exchange."""
    monkeypatch.setattr(footprint, "Question", tuple)  # then a question is an ordinary read
    found = _unkept(Footprints((AWAITS,)))
    assert {(p.kind, r.kind) for p, _, r in found} == {("cell.until", "cell.compare_exchange")}


def test_knowing_what_an_increment_changes_would_lose_property_7(monkeypatch: pytest.MonkeyPatch):
    def looser(operation: Operation, rules: Any, before: Any) -> Any:
        return Change(before, before + 1) if operation.kind == "cell.increment" else freedom(operation, rules, before)

    monkeypatch.setattr(footprint, "freedom", looser)
    assert _unkept(Footprints((AWAITS,)))


def _unkept(prints: Footprints) -> list[tuple[Operation, Operation, Operation]]:
    found = []
    for state, p, q, r in product(VALUES, CELL, CELL, CELL):
        first = after(prints, p, state)
        if first is None:
            continue
        second, third = after(prints, q, first.state), after(prints, r, first.state)
        if second is None or third is None:
            continue
        if conflict(first.footprint, second.footprint) or not conflict(first.footprint, third.footprint):
            continue
        last = after(prints, r, second.state)
        if last is not None and not conflict(first.footprint, last.footprint):
            found.append((p, q, r))
    return found
