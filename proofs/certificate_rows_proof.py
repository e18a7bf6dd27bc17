"""What the argument about certificates assumes of operations, shown of every row of the table, for any state.

`Swaps` says why operations that do not conflict may be swapped, for any number of objects with any values (said of
one of the two; the other is the same): a step changes only what it writes, and what it answers, whether it is possible
and what it writes depend only on what it touches. That each row is such a step is looked at row by row, from the
rows themselves:

- what a row only reads it gives back, the very object, whatever it is (run on states that cannot be looked into, or
  only so far as the row looks, every branch taken);
- what has no letter in its `modes` it does not look at at all (run on a state that objects to everything), but for
  four rows that wait to be woken: there everything is tried, for up to four actors, and depends only on names;
- whether it is possible depends on one object at most, and that it touches, whichever way it goes.

A new row is judged with the others; one that does not fit has to be argued for here.
"""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator
from itertools import combinations, permutations, product
from typing import Any

import pytest

from hocket.explore import semantics
from hocket.explore.semantics import FINISHED, ROWS, RUNNING, Raise, Row
from hocket.spec.solve import ask_cvc5, ask_z3, has_cvc5
from proofs.judge import proved
from proofs.lemmas import Chain, Lemma

# -- steps that touch little may be swapped ---------------------------------------------------------------------------

VOCABULARY = """
(declare-fun holds (State Object) Value)         ; the objects, in a state
(declare-fun a (State) State)                    ; what one step does to the objects
(declare-fun b (State) State)                    ; what the other does
(declare-fun saysA (State) Value)                ; what it answers
(declare-fun saysB (State) Value)
(declare-fun mayA (State) Bool)                  ; whether it is possible
(declare-fun mayB (State) Bool)
(declare-fun touchesA (Object) Bool)
(declare-fun touchesB (Object) Bool)
(declare-fun writesA (Object) Bool)
(declare-fun writesB (Object) Bool)
(declare-const s State)
"""


def _frame(name: str) -> str:
    return f"(forall ((s State) (x Object)) (=> (not (writes{name} x)) (= (holds ({name.lower()} s) x) (holds s x))))"


def _local(name: str, what: str) -> str:
    """`what` is the same in two states that agree on what is touched."""
    return (f"(forall ((s State) (t State)) (or {what} (exists ((x Object)) (and (touches{name} x) "
            "(not (= (holds s x) (holds t x)))))))")


HYPOTHESES = {
    "a changes only what it writes": _frame("A"),
    "b changes only what it writes": _frame("B"),
    "what a writes depends on what it touches":
        _local("A", "(forall ((y Object)) (=> (writesA y) (= (holds (a s) y) (holds (a t) y))))"),
    "what a answers depends on what it touches": _local("A", "(= (saysA s) (saysA t))"),
    "whether a is possible depends on what it touches": _local("A", "(= (mayA s) (mayA t))"),
    "what a writes b does not touch": "(forall ((x Object)) (not (and (writesA x) (touchesB x))))",
    "what b writes a does not touch": "(forall ((x Object)) (not (and (writesB x) (touchesA x))))",
    "b touches what it writes": "(forall ((x Object)) (=> (writesB x) (touchesB x)))",
}
LEMMAS = (
    Lemma("it writes the same in either order",
          ("b changes only what it writes", "what a writes depends on what it touches",
           "what b writes a does not touch"),
          "(forall ((x Object)) (=> (writesA x) (= (holds (a (b s)) x) (holds (a s) x))))"),
    Lemma("and the other leaves that alone",
          ("b changes only what it writes", "b touches what it writes", "what a writes b does not touch"),
          "(forall ((x Object)) (=> (writesA x) (= (holds (b (a s)) x) (holds (a s) x))))"),
    Lemma("what neither writes stays",
          ("a changes only what it writes", "b changes only what it writes"),
          "(forall ((x Object)) (=> (not (or (writesA x) (writesB x))) (= (holds (b (a s)) x) (holds s x))))"),
    Lemma("it answers the same in either order",
          ("b changes only what it writes", "what a answers depends on what it touches",
           "what b writes a does not touch"),
          "(= (saysA (b s)) (saysA s))"),
    Lemma("neither makes the other possible or impossible",
          ("b changes only what it writes", "whether a is possible depends on what it touches",
           "what b writes a does not touch"),
          "(= (mayA (b s)) (mayA s))"),
)
Swaps = Chain("Swaps", VOCABULARY, HYPOTHESES, LEMMAS, {"Object": 2, "Value": 2, "State": 4})
SPECS = (Swaps,)


def test_swaps_are_proved_and_have_something_to_say():
    proved(Swaps)  # type: ignore[arg-type]  # it is proved as one


@pytest.mark.parametrize("lemma", LEMMAS, ids=lambda lemma: lemma.name)
def test_no_hypothesis_of_a_swap_is_there_for_show(lemma: Lemma):
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    assert Swaps.needless(lemma) == []


# -- states that cannot be looked into --------------------------------------------------------------------------------


class Looked(Exception):
    """A row has looked at something that it should not know."""


class Sealed:
    """Any state whatever: it can be handed on, and nothing else."""

    def _object(self, *_: Any) -> Any:
        raise Looked

    __eq__ = __bool__ = __len__ = __iter__ = __getitem__ = __add__ = __lt__ = __contains__ = __hash__ = _object


class Choices:
    """The answers given so far, and those still to give: `every` runs something once for each sequence of answers."""

    def __init__(self) -> None:
        self.given: list[bool] = []
        self.taken = 0

    def next(self) -> bool:
        if self.taken == len(self.given):
            self.given.append(True)
        self.taken += 1
        return self.given[self.taken - 1]

    def every(self) -> Iterator[Choices]:
        while True:
            self.taken = 0
            yield self
            while self.given and not self.given[-1]:
                self.given.pop()
            if not self.given:
                return
            self.given[-1] = False


class Asked:
    """Any value whatever of which may be asked whether it equals or exceeds another; either answer is possible."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def __eq__(self, other: object) -> bool: return self.choices.next()
    def __ne__(self, other: object) -> bool: return self.choices.next()
    def __gt__(self, other: object) -> bool: return self.choices.next()
    def __lt__(self, other: object) -> bool: return self.choices.next()
    def __bool__(self) -> bool: return self.choices.next()
    def __add__(self, other: object) -> Asked: return self
    def __sub__(self, other: object) -> Asked: return self

    __hash__ = object.__hash__


def _predicate(choices: Choices) -> Any:
    """A question that may be answered yes, no, or by an exception."""

    def holds(value: Any) -> bool:
        if choices.next():
            raise ValueError("it cannot be said")
        return choices.next()

    return holds


def shapes(family: str, place: int, c: Choices) -> list[Any]:
    """A state of each shape that rows of the family tell apart, with values of which anything may be said."""
    one = Asked(c)
    pairs = [tuple((actor, one) for actor in range(1, length + 1)) for length in range(3)]
    match family, place:
        case ("lock" | "rlock", 0) | ("condition", 1): return [None, (1, one), (2, one)]
        case "semaphore", 0: return [(one, None), (one, one)]
        case "condition", 0: return [(w, frozenset(n)) for w, n in product(pairs, [(), ((3, one),), ((1, one),)])]
        case "barrier", 0: return [(one, (), one), (one, (2,), one), (one, (2, 3), one)]
        case "queue", 0: return [((one,) * length, most) for length, most in [(0, 0), (1, 0), (0, 1), (1, 1), (1, 2)]]
        case "thread", 0: return [None, RUNNING, FINISHED]
        case "data", 0: return [False, True]
    return [one]


ARGUMENTS = {"cell.compare_exchange": lambda c: [(Asked(c), Asked(c))],
             **{kind: lambda c: [_predicate(c)] for kind in ("cell.await", "cell.until")},
             "cell.update": lambda c: [lambda value: value],
             "condition.notify": lambda c: [None, 0, 1, 2], "condition.notify_any": lambda c: [1, 2, 3],
             "choose": lambda c: [2]}
WOKEN = {("condition.resume", 0, 0), ("condition.resume_timed", 0, 0), ("barrier.pass", 0, 0), ("thread.join", 0, 0)}
"""(row, alternative, object): what is not in the footprint, and looked at all the same, by who waits to be woken."""

Case = tuple[Row, int, str]
CASES: list[Case] = [
    (row, way, semantics._letters(kind, count, way))
    for kind, row in ROWS.items()
    for way in range(row.alternatives(2))
    for count in ([1, 2] if row.modes_for(way).endswith("*") else [len(row.modes_for(way))])
]


def combinations_of(row: Row, modes: str, sealed: int, seal: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """States of every shape with every argument, and for each of them every sequence of answers.

    Object number `sealed` is `seal`.
    """
    family = "lock" if row.kind == "condition.reacquire" else row.kind.partition(".")[0]

    def all_of_them(c: Choices) -> list[tuple[tuple[Any, ...], Any]]:
        kinds = [[seal] if place == sealed else shapes(family, place, c) for place in range(len(modes))]
        return [*product(product(*kinds), ARGUMENTS.get(row.kind, lambda c: [Asked(c)])(c))]

    for number in range(len(all_of_them(Choices()))):
        for c in Choices().every():
            yield all_of_them(c)[number]


def runs(row: Row, way: int, modes: str, sealed: int = -1, seal: Any = None
         ) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...], Any]]:
    """The row, every branch taken, wherever it is possible: objects before, objects after, and the answer."""
    for states, argument in combinations_of(row, modes, sealed, seal):
        before = states[0] if len(modes) == 1 else states
        if row.enabled(before, 1, argument, way):
            after, answer = row.perform(before, 1, argument, way)
            yield states, (after,) if len(modes) == 1 else after, answer


def _name(case: Case) -> str:
    return f"{case[0].kind}/{case[1]} {case[2]}"


@pytest.mark.parametrize("case", [case for case in CASES if "r" in case[2]], ids=_name)
def test_what_a_row_only_reads_it_gives_back_whatever_it_is(case: Case):
    row, way, modes = case
    seen = 0
    for before, after, _ in runs(row, way, modes):
        assert all(after[place] is before[place] for place, mode in enumerate(modes) if mode == "r")
        seen += 1
    assert seen


@pytest.mark.parametrize("case", [case for case in CASES if "-" in case[2]], ids=_name)
def test_what_is_not_in_its_footprint_a_row_does_not_look_at_unless_it_waits_to_be_woken(case: Case):
    row, way, modes = case
    for place in (place for place, mode in enumerate(modes) if mode == "-"):
        if (row.kind, way, place) in WOKEN:
            assert place in looked_at(row, way, modes)
            continue
        assert place not in looked_at(row, way, modes)
        seen = [(len(list(runs(row, way, modes, place, seal))), all(
            after[place] is seal for _, after, _ in runs(row, way, modes, place, seal))) for seal in SEALS]
        assert seen[0][0] > 0
        assert set(seen) == {(seen[0][0], True)}


SEALS = (Sealed(), None, True, False)  # whether something is None, or True, is told without looking into it


def looked_at(row: Row, way: int, modes: str) -> set[int]:
    """The objects on which it depends whether this alternative is possible."""
    return {place for place in range(len(modes)) if _looks(row, way, modes, place)}


def _looks(row: Row, way: int, modes: str, place: int) -> bool:
    try:
        said = [[bool(row.enabled(states[0] if len(modes) == 1 else states, 1, argument, way))
                 for states, argument in combinations_of(row, modes, place, seal)] for seal in SEALS]
    except Looked:
        return True
    except TypeError:  # a row for pairs was given None: it looks
        return True
    return any(one != said[0] for one in said)


def guard(row: Row, way: int, modes: str) -> set[int]:
    """Of these the ones that others may change without waking."""
    return {place for place in looked_at(row, way, modes) if (row.kind, way, place) not in WOKEN}


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_whether_a_row_is_possible_depends_on_one_object_at_most_and_that_it_touches(case: Case):
    row, way, modes = case
    found = guard(row, way, modes)
    assert len(found) <= 1
    assert all(modes[place] != "-" for place in found)
    assert not (row.never_blocks and found)


@pytest.mark.parametrize("kind", [kind for kind, row in ROWS.items() if row.alternatives(2) > 1])
def test_whichever_way_it_goes_it_touches_what_the_other_ways_depend_on(kind: str):
    """But for a wait that is notified: it need not touch the queue that a time-out leaves. See the next test."""
    row = ROWS[kind]
    letters = [modes for _, _, modes in (case for case in CASES if case[0].kind == kind)]
    untouched = {(way, other) for way, modes in enumerate(letters) for other, theirs in enumerate(letters)
                 for place in guard(row, other, theirs) if modes[place] == "-"}
    assert untouched == ({(0, 1), (1, 0)} if kind == "condition.resume_timed" else set())


def test_what_only_reads_because_of_its_result_has_changed_nothing_and_has_one_object():
    """A compare-exchange that failed; solvers say it of any value, from the row run on symbols."""
    refined = [row for row in ROWS.values() if not row.always_changes]
    assert [row.kind for row in refined] == ["cell.compare_exchange"]
    for before, after, answer in runs(refined[0], 0, "w"):
        assert refined[0].changed(answer) or after[0] is before[0]


# -- those who wait to be woken ---------------------------------------------------------------------------------------

ACTORS = (1, 2, 3, 4)
LOCKS = (None, (1, 1), (2, 1), (3, 1))


def conditions() -> Iterator[Any]:
    """Every condition of four actors: who waits, in which order, and who has been notified: 168 of them."""
    for count in range(len(ACTORS) + 1):
        for waiting in permutations(ACTORS, count):
            rest = [actor for actor in ACTORS if actor not in waiting]
            for size in range(len(rest) + 1):
                for notified in combinations(rest, size):
                    yield tuple((actor, 1) for actor in waiting), frozenset((actor, 1) for actor in notified)


def _steps(states: Any, actor: int) -> Iterator[tuple[Row, int, Any, Any]]:
    """All that an actor may do to a condition and its lock: row, alternative, states after, answer."""
    for row in ROWS.values():
        if not row.kind.startswith("condition.") or row.kind == "condition.reacquire":
            continue
        for argument in {"condition.notify": (None, 0, 1, 2), "condition.notify_any": (3,)}.get(row.kind, (None,)):
            for way in range(row.alternatives(argument)):
                if row.enabled(states, actor, argument, way):
                    after, answer = row.perform(states, actor, argument, way)
                    yield row, way, after, (argument, answer)


def _slot(states: Any, actor: int) -> list[Any]:
    """What a condition holds for an actor that was notified."""
    return [entry for entry in states[0][1] if entry[0] == actor]


def test_there_are_168_conditions_of_four_actors():
    """The sum, over how many wait, of the orders they wait in times what the others may be: 16 + 32 + 48 + 48 + 24."""
    assert len(set(conditions())) == len(list(conditions())) == 168


def test_who_was_notified_stays_so_whatever_others_do_and_only_a_notify_that_wakes_it_makes_it_so():
    tried = 0
    for states in product(conditions(), LOCKS):
        for row, _, after, (argument, answer) in _steps(states, 2):
            woken = () if type(answer) is Raise else tuple(row.wakes(argument, answer))
            for other in (1, 3, 4):
                tried += 1
                assert _slot(after, other) == _slot(states, other) or (
                    other in woken and not _slot(states, other) and _slot(after, other))
    assert tried > 5_000


def test_what_was_notified_is_the_business_of_who_was_and_of_nobody_else():
    """Others do and answer the same, whether or not actor 1 has been notified and whether or not it has gone on."""
    tried = 0
    for (waiting, notified), lock in product(conditions(), LOCKS):
        if any(entry[0] == 1 for entry in waiting) or (1, 1) in notified:
            continue
        here, there = ((waiting, notified), lock), ((waiting, notified | {(1, 1)}), lock)
        for one, other in zip(_steps(here, 2), _steps(there, 2), strict=True):
            tried += 1
            (row, way, after, said), (_, _, beside, _) = one, other
            assert other == (row, way, beside, said)
            assert beside == ((after[0][0], after[0][1] | {(1, 1)}), after[1])
    assert tried > 500


def test_a_wait_that_was_notified_can_no_longer_time_out_and_nothing_but_itself_makes_it_wait_again():
    """Were a time-out taken where a notify is part of what is common, or the reverse, a writer outside is in front."""
    timed = ROWS["condition.resume_timed"]
    for states in product(conditions(), LOCKS):
        notified, expired = (timed.enabled(states, 1, None, way) for way in (0, 1))
        assert not (notified and expired)
        waits = [entry for entry in states[0][0] if entry[0] == 1]
        assert expired == bool(waits)
        for row, way, after, _ in _steps(states, 2):
            now = [entry for entry in after[0][0] if entry[0] == 1]
            assert len(now) <= len(waits)
            changed = now != waits
            assert not changed or semantics._letters(row.kind, 2, way)[0] == "w"


def test_a_barrier_that_opened_stays_open_for_whom_it_opened():
    """Any generation, by both solvers: arriving leaves it or raises it by one, and wakes those of the old one."""
    arrive, pass_ = ROWS["barrier.arrive"], ROWS["barrier.pass"]
    for parties, present in product((1, 2, 3, 4), range(4)):
        arrived = tuple(range(3, 3 + present))
        (_, _, after), answer = arrive.perform((parties, arrived, _Term("g")), 2, None, 0)
        raised = str(after) != "g"
        assert (str(after), answer[2]) == (("(+ g 1)", arrived) if raised else ("g", ()))
        _solved(f"(=> (> g argument) (> {after} argument))")
        _solved(f"(=> (= g argument) ({'>' if raised else '<='} {after} argument))")
    assert pass_.enabled((2, (), 4), 1, 3, 0)
    assert not pass_.enabled((2, (), 3), 1, 3, 0)


class _Term:
    """A whole number, as text."""

    def __init__(self, text: str) -> None: self.text = text
    def __add__(self, other: int) -> _Term: return _Term(f"(+ {self.text} {other})")
    def __str__(self) -> str: return self.text


def _solved(goal: str) -> None:
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    text = ("(set-logic ALL)\n(declare-const g Int)\n(declare-const argument Int)\n"
            f"(assert (not {goal}))\n(check-sat)\n")
    assert ask_z3(text, 10).result == "unsat"
    if has_cvc5():
        assert ask_cvc5(text, 10).result == "unsat"


def test_a_thread_that_has_ended_stays_so():
    """Nobody starts one twice; the auditor looks."""
    assert ROWS["thread.end"].perform(RUNNING, 2, None, 0)[0] == FINISHED
    for kind in ("thread.join", "thread.join_timed", "thread.alive", "thread.begin"):
        assert ROWS[kind].perform(FINISHED, 1, None, 0)[0] == FINISHED


# -- rows are functions of what they are given ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_row_keeps_nothing_and_asks_nobody(kind: str):
    """Its functions have no variables outside, and change no argument."""
    row = ROWS[kind]
    for function in (row.perform, row.enabled, row.alternatives, row.changed, row.wakes):
        assert isinstance(function, types.FunctionType)
        assert not function.__closure__
        assert not function.__defaults__
        assert not {name for name in _opcodes(function.__code__) if name.startswith(("STORE_ATTR", "STORE_GLOBAL",
                                                                                     "STORE_SUBSCR", "DELETE_"))}


def _opcodes(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        yield instruction.opname
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _opcodes(inner)


# -- broken on purpose ------------------------------------------------------------------------------------------------


def test_a_write_that_is_called_a_read_is_noticed():
    broken = Row("cell.swap", "r", ROWS["cell.swap"].perform)
    with pytest.raises(AssertionError):
        test_what_a_row_only_reads_it_gives_back_whatever_it_is((broken, 0, "r"))


def test_a_lock_that_is_looked_at_beside_the_footprint_is_noticed():
    broken = Row("condition.notify", "w-", ROWS["condition.notify"].perform,
                 lambda states, actor, argument, way: states[1] is not None)
    with pytest.raises(AssertionError):
        test_what_is_not_in_its_footprint_a_row_does_not_look_at_unless_it_waits_to_be_woken((broken, 0, "w-"))


def test_an_operation_that_waits_for_two_objects_is_noticed():
    both = Row("condition.wait", "ww", ROWS["condition.wait"].perform,
               lambda states, actor, argument, way: bool(states[0][0]) and states[1] is None)
    with pytest.raises(AssertionError):
        test_whether_a_row_is_possible_depends_on_one_object_at_most_and_that_it_touches((both, 0, "ww"))
