"""The language: what a specification says is traced, and what says nothing definite is refused at its line."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import hocket
from hocket.errors import SpecError
from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    exists,
    forall,
    initial,
    invariant,
    ite,
    rank,
    theorem,
)
from hocket.spec.terms import FALSE, TRUE, conj, disj, equal, free, negate, number, same, substitute, var

LIGHT = Sort("Light", ("red", "green", "blue"))
THING = Sort("Thing")


class Room(Spec):
    """One at a time in the room."""

    Person = Sort()
    Mood = Sort("Mood", ("calm", "cross"))
    inside = Relation(Person)
    mood = Function(Person, to=Mood)
    visits = Function(to=INT)

    @initial
    def empty(s):
        s.inside.each(lambda p: False)
        s.mood.each(lambda p: "calm")
        s.visits = 0

    @action(Person)
    def enter(s, p):
        s.require("the room is empty", ~s.somebody())
        s.require("it is early", s.visits < 3)
        s.inside[p] = True
        s.visits += 1

    @action(Person)
    def leave(s, p):
        s.require("they are inside", s.inside[p])
        s.inside[p] = False

    def somebody(s):
        return exists(s.Person, lambda p: s.inside[p])

    @invariant
    def never_two(s):
        return forall(s.Person, s.Person, lambda p, q: (s.inside[p] & s.inside[q]) >> (p == q))


def test_a_spec_is_behind_the_front_door():
    assert hocket.Spec is Spec


def test_a_method_is_traced_into_guards_and_updates():
    enter = Room.theory().step("enter")
    assert [guard.label for guard in enter.guards] == ["the room is empty", "it is early"]
    assert enter.updates == ("inside[p]", "visits")
    assert str(enter.guards[0].term) == "~exists(p: inside[p])"


def test_what_is_read_after_an_assignment_is_the_new_value():
    class Twice(Spec):
        n = Function(to=INT)

        @initial
        def zero(s):
            s.n = 0

        @action()
        def up(s):
            s.n += 1
            s.n += 1
            s.require("it stays small", s.n < 9)

    # 0 2 4 6 8
    assert Twice.search().states == 5


def test_a_symbolic_value_has_no_truth_value_and_the_cure_is_said_with_the_line():
    class Wrong(Spec):
        lamp = Relation()

        @initial
        def off(s):
            s.lamp = False

        @action()
        def press(s):
            if s.lamp:
                s.lamp = False

    with pytest.raises(SpecError, match="no truth value") as caught:
        Wrong.theory()
    lines, start = inspect.getsourcelines(Wrong.deeds["press"].method)
    assert caught.value.path == __file__
    assert caught.value.line == start + [line.strip() for line in lines].index("if s.lamp:")
    assert "ite(c, a, b)" in caught.value.cure


def _refused(body, match, **symbols):
    """Trace a one-deed model, whose deed is `body`; the message, which has to name this file."""
    start = initial(lambda s: None)
    names = {"start": start, "deed": action()(body), "Thing": THING, "Light": LIGHT, **symbols}
    with pytest.raises(SpecError, match=match) as caught:
        type("Wrong", (Spec,), names).theory()
    assert caught.value.path == __file__
    assert caught.value.line > 0
    return caught.value


MISTAKES = {
    "is rigid, and was assigned": (lambda s: s.part.each(lambda t: True), Relation(THING, rigid=True)),
    "takes 1 arguments, not 2": (lambda s: s.require("x", s.part[var("a", THING), var("b", THING)]), Relation(THING)),
    "has arguments": (lambda s: setattr(s, "part", True), Relation(THING)),
    "no term of the sort Thing": (lambda s: s.require("x", s.part["a"]), Relation(THING)),
    "'pink' is no Light": (lambda s: s.require("x", s.part == "pink"), Function(to=LIGHT)),
    "is of sort Light, and Bool": (lambda s: s.require("x", s.part), Function(to=LIGHT)),
    "is of sort Int, and a condition": (lambda s: s.require("x", ~(s.part + 1)), Function(to=INT)),
    "True is no number": (lambda s: s.require("x", s.part == True), Function(to=INT)),  # noqa: E712  # the mistake
    "1 is no truth value": (lambda s: s.require("x", s.part & 1), Relation()),
    "whose elements have no order": (lambda s: s.require("x", rank(s.part) == 1), Function(to=THING)),
    "takes one sort per variable": (lambda s: s.require("x", forall(THING, lambda a, b: s.part)), Relation()),
    "they cannot be equal": (lambda s: s.require("x", equal(s.part, number(1))), Function(to=LIGHT)),
    "depends on part, which is a ghost": (lambda s: s.require("x", s.part), Relation(ghost=True)),
}


@pytest.mark.parametrize("match", MISTAKES)
def test_a_mistake_is_named_with_its_line(match):
    body, symbol = MISTAKES[match]
    refused = _refused(body, match, part=symbol)
    assert match in str(refused)
    assert f"{Path(__file__).name}:{refused.line}" in str(refused)


def test_a_claim_assigns_nothing():
    class Wrong(Spec):
        lamp = Relation()

        @initial
        def off(s):
            s.lamp = False

        @invariant
        def dark(s):
            s.lamp = False
            return ~s.lamp

    with pytest.raises(SpecError, match="assigned where only a condition is expected"):
        Wrong.theory()


def test_a_theorem_assigns_nothing():
    class Wrong(Spec):
        lamp = Relation()

        @initial
        def off(s):
            s.lamp = False

        @theorem()
        def dark(s):
            s.lamp = False
            return ~s.lamp

    with pytest.raises(SpecError, match="the theorem dark assigns lamp"):
        Wrong.theory()


def test_a_deed_has_as_many_parameters_as_sorts():
    class Wrong(Spec):
        Thing = Sort()

        @initial
        def start(s): ...

        @action(Thing)
        def use(s, a, b): ...

    with pytest.raises(SpecError, match=r"use has the parameters \['a', 'b'\], and its decorator 1 sorts"):
        Wrong.theory()


def test_a_model_without_an_initial_state_says_so():
    with pytest.raises(SpecError, match="has no @initial state"):
        type("Empty", (Spec,), {}).theory()


def test_one_deed_per_row_of_a_table():
    class Dial(Spec):
        Light = LIGHT
        shown = Function(to=LIGHT)

        @initial
        def start(s):
            s.shown = "red"

        @action(rows={"to green": ("red", "green"), "to blue": ("green", "blue")})
        def turn(s, row):
            s.require(f"it is {row[0]}", s.shown == row[0])
            s.shown = row[1]

    found = Dial.search()
    assert found.fired == {"to green": 1, "to blue": 1}
    assert found.counts() == {"states": 3, "transitions": 2, "terminal": 1, "depth": 2}


def test_constants_fold():
    a, b = var("a", THING), var("b", THING)
    assert same(conj(TRUE, a == b), a == b)
    assert same(disj(a == b, negate(a == b)), TRUE)
    assert same(conj(a == b, negate(a == b)), FALSE)
    assert same(a == a, TRUE)  # a term
    assert same(ite(a == b, number(1), number(1)), number(1))
    assert same(number(2) + 3 - 5, number(0))
    assert same(rank(LIGHT["blue"]), number(2))
    assert same(LIGHT["red"] < LIGHT["blue"], TRUE)


def test_a_quantifier_binds_its_variable_and_drops_what_does_not_occur():
    a = var("a", THING)
    term = exists(THING, lambda x: x == a)
    assert set(free(term)) == {a.payload}
    assert free(substitute(term, {a.payload: var("b", THING)})).keys() != {a.payload}
    assert same(forall(THING, THING, lambda x, y: x == a), forall(THING, lambda x: x == a)) is False  # fresh names
    assert len(forall(THING, THING, lambda x, y: x == a).args) == 2


def test_a_term_prints_as_it_is_written():
    a, b = var("a", THING), var("b", THING)
    assert str((a == b) >> exists(THING, lambda x: ~(x == a))) == "(~(a == b) | exists(x: ~(x == a)))"
