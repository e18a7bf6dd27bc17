"""What a stranger writes wrongly in a model: each slip is named with the line of the model, and with what to write."""

from __future__ import annotations

import inspect
from keyword import iskeyword

import pytest

from hocket.errors import SpecError
from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    always,
    axiom,
    conj,
    exists,
    forall,
    initial,
    invariant,
    ite,
    theorem,
    two_state,
    variant,
)
from hocket.spec.smt import _TAKEN
from hocket.verdict import Holds, Unknown


class Buttons(Spec):
    """Buttons that are pressed once, and a number that nobody touches."""

    Person = Sort()
    on = Relation(Person)
    count = Function(to=INT)
    tall = Relation(Person, rigid=True)

    @initial
    def off(s):
        s.on.each(lambda p: False)
        s.count = 0

    @action(Person)
    def press(s, p):
        s.require("it is off", ~s.on[p])
        s.on[p] = True


class Counted(Buttons):
    """With a claim that says something."""

    @invariant
    def nothing_is_counted(s):
        return s.count == 0


def _prove(spec):
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    return spec.prove()


# -- slips that are refused: the line that says `# here`, and the message ----------------------------------------------


def an_unknown_name_is_needed():
    class Slip(Counted):
        @invariant(needs=("nothing_is_cuonted",))  # here
        def still_nothing(s):
            return s.count < 1

    Slip.theory()


def an_unknown_deed_is_asked_for():
    class Slip(Counted):
        @theorem(Buttons.Person)
        def somebody_can_go_on(s, p):
            return s.enabled("pres", p)  # here

    Slip.theory()


def a_claim_is_called_like_a_deed():
    class Slip(Counted):
        @theorem(Buttons.Person)
        def somebody_can_go_on(s, p):
            return s.enabled("nothing_is_counted")  # here

    Slip.theory()


def an_unknown_claim_is_searched():
    Counted.search(Person=2, claims=["nothing_is_cuonted"])  # here


def an_unknown_sort_is_given_a_size():
    Counted.search(Person=2, Persn=3)  # here


def a_table_has_no_rows():
    class Slip(Counted):
        @action(Buttons.Person, rows={})  # here
        def push(s, p, row):
            s.on[p] = True

    Slip.theory()


def a_claim_has_no_rows():
    class Slip(Counted):
        @invariant(rows={})  # here
        def fine(s, row):
            return s.count == row

    Slip.theory()


def what_takes_no_arguments_is_given_one():
    class Slip(Counted):
        @invariant
        def none_is_counted(s):
            return forall(s.Person, lambda p: s.count[p] == 0)  # here

    Slip.theory()


def a_symbol_that_is_not_there_is_read():
    class Slip(Counted):
        @invariant
        def none_is_counted(s):
            return s.cuont == 0  # here

    Slip.theory()


def a_symbol_that_is_not_there_is_assigned():
    class Slip(Counted):
        @action()
        def reset(s):
            s.cuont = 0  # here

    Slip.theory()


def a_number_may_start_as_anything():
    class Slip(Spec):
        Person = Sort()
        age = Function(Person, to=INT)

        @initial
        def start(s):
            pass

        @always
        def born(s):
            return forall(s.Person, lambda p: s.age[p] >= 0)

    Slip.search(Person=2)  # here


class Growing(Buttons):
    """A number grows for ever, and a stored state holds no more than 255."""

    @action()
    def more(s):
        s.count += 1

    @always
    def there_are_none_or_some(s):
        return s.count >= 0


def a_number_grows_for_ever():
    class Slip(Growing):
        @action()  # here
        def more(s):
            s.count += 1

    Slip.search(Person=1)


def a_choice_is_between_two_names():
    class Slip(Counted):
        Mood = Sort("Mood", ("well", "unwell"))
        mood = Function(to=Mood)

        @action(Buttons.Person)
        def rest(s, p):
            s.mood = ite(s.on[p], "well", "unwell")  # here

    Slip.theory()


def axioms_contradict_each_other():
    class Slip(Counted):
        @axiom  # here
        def all_are_tall(s):
            return forall(s.Person, lambda p: s.tall[p])

        @axiom
        def nobody_is(s):
            return forall(s.Person, lambda p: ~s.tall[p])

    _prove(Slip)


def a_condition_is_asked_in_python():
    class Slip(Counted):
        @action(Buttons.Person)
        def maybe(s, p):
            if s.on[p]:  # here
                s.count = 1

    Slip.theory()


def the_return_was_forgotten():
    class Slip(Counted):
        @invariant  # here
        def none(s):
            s.count == 0  # noqa: B015

    Slip.theory()


def a_whole_relation_is_asked_in_python():
    class Slip(Counted):
        @invariant
        def none(s):
            return s.count == (0 if s.on else 1)  # here

    Slip.theory()


def a_choice_is_by_a_whole_relation():
    class Slip(Counted):
        @invariant
        def none(s):
            return s.count == ite(s.on, 0, 1)  # here

    Slip.theory()


def two_relations_are_compared():
    class Slip(Counted):
        @invariant
        def the_tall_press(s):
            return s.on == s.tall  # here

    Slip.theory()


def a_number_is_multiplied():
    class Slip(Counted):
        @invariant
        def even(s):
            return s.count * 2 == 0  # here

    Slip.theory()


def a_term_is_counted_to():
    class Slip(Counted):
        @action()
        def reset(s):
            for _ in range(s.count):  # here
                s.count -= 1

    Slip.theory()


def a_quantifier_is_over_a_number():
    class Slip(Counted):
        @invariant
        def none(s):
            return forall(3, lambda p: s.on[p])  # here

    Slip.theory()


def a_deed_returns_its_guard():
    class Slip(Counted):
        @action(Buttons.Person)  # here
        def release(s, p):
            return s.on[p]

    Slip.theory()


def two_claims_have_one_name():
    class Slip(Counted):
        @invariant
        def fine(s):
            return s.count == 0

        @invariant  # here
        def fine(s):  # noqa: F811
            return s.count < 1

    Slip.theory()


def a_condition_is_a_measure():
    class Slip(Counted):
        @variant  # here
        def less(s):
            return [(None, lambda: s.count == 0)]

    Slip.theory().variants()


def a_measure_counts_nobody():
    class Slip(Counted):
        @variant  # here
        def less(s):
            return [(s.Person, lambda: 1)]

    Slip.theory().variants()


def what_deeds_change_is_given():
    Counted.search({"on": {"ann"}}, Person=["ann"])  # here


def a_run_begins_anywhere():
    class Slip(Buttons):
        quick = Relation(Buttons.Person)

    Slip.accepts([], Person=2)  # here


def what_is_no_event_is_in_a_trace():
    Counted.accepts(["press ann"], Person=["ann"])  # here


def a_relation_is_about_all_numbers():
    class Slip(Counted):
        seen = Relation(INT)

    Slip.search(Person=2)  # here


def a_member_comes_twice():
    Sort("Mood", ("well", "well"))  # here


def a_sort_has_members_and_no_name():
    Sort(("well", "unwell"))  # here


def a_symbol_has_two_names():
    class Slip(Counted):  # here
        well = unwell = Relation(Buttons.Person)


def two_sorts_have_one_name():
    class Slip(Counted):  # here
        Other = Sort("Person")


def a_sort_is_given_by_its_name():
    class Slip(Counted):
        tall = Relation("Person")  # here


def a_deed_is_about_a_name():
    class Slip(Counted):
        @action("Person")  # here
        def push(s, p):
            s.on[p] = True


def a_symbol_is_called_like_a_word_of_the_language():
    class Slip(Counted):  # here
        search = Relation(Buttons.Person)


def a_deed_is_called_like_a_symbol():
    class Slip(Counted):  # here
        @action(Buttons.Person)
        def on(s, p):
            s.count = 1


def a_deed_does_another():
    class Slip(Counted):
        @action(Buttons.Person)
        def push(s, p):
            s.press(p)  # here

    Slip.theory()


def an_axiom_is_about_what_changes():
    class Slip(Counted):
        @axiom  # here
        def nobody_presses(s):
            return forall(s.Person, lambda p: ~s.on[p])

    Slip.theory()


def mutants_are_searched_in_another_scope():
    Counted.mutants(Persons=2)  # here


def a_loop_goes_through_a_sort():
    class Slip(Counted):
        @action()
        def press_all(s):
            for person in s.Person:  # here
                s.on[person] = True

    Slip.theory()


def a_sort_is_declared_anew():
    class Slip(Counted):
        Person = Sort()

        @action(Person)
        def push(s, p):
            s.on[p] = True  # here

    Slip.theory()


SLIPS = {
    an_unknown_name_is_needed: "needs 'nothing_is_cuonted', which is no invariant (write: nothing_is_counted",
    an_unknown_deed_is_asked_for: "'pres' is no deed of Slip (write: press)",
    a_claim_is_called_like_a_deed: "'nothing_is_counted' is no deed of Slip",
    an_unknown_claim_is_searched: "'nothing_is_cuonted' is nothing that a search of Counted can check (write: nothing",
    an_unknown_sort_is_given_a_size: "Persn was given a size, and is no open sort here (write: Person)",
    a_table_has_no_rows: "the table has no rows, so this would be no deed at all",
    a_claim_has_no_rows: "the table has no rows, so this would be no claim at all",
    what_takes_no_arguments_is_given_one: "`count` takes no arguments",
    a_symbol_that_is_not_there_is_read: "there is no s.cuont in Slip (write: count)",
    a_symbol_that_is_not_there_is_assigned: "s.cuont was assigned, and is no symbol of Slip (write: count)",
    a_number_may_start_as_anything: "age can start with any number (write: an @initial that assigns it, or give it)",
    a_number_grows_for_ever: "count became 256 by more: a number left the range 0 to 255 of stored states",
    a_choice_is_between_two_names: "'well' may be of any sort (write: of which it is, as s.Stage['well'])",
    axioms_contradict_each_other: "no structure satisfies the axioms all_are_tall, nobody_is of Slip",
    a_condition_is_asked_in_python: "has no truth value while a model is traced (write: & for and",
    the_return_was_forgotten: "none returns None, and is to return a condition",
    a_whole_relation_is_asked_in_python: "`on` is a whole symbol, and not its value (write: its arguments, as s.up[t])",
    a_choice_is_by_a_whole_relation: "on is no truth value (write: True, False or a condition)",
    two_relations_are_compared: "`on` is a whole symbol, and not its value",
    a_number_is_multiplied: "`count` is only added, subtracted and compared",
    a_term_is_counted_to: "TypeError in reset: 'Term' object cannot be interpreted as an integer",
    a_quantifier_is_over_a_number: "forall takes one sort per variable, then a function of them (write: forall(s.Task",
    a_deed_returns_its_guard: "release returns `on[p]`, which nobody looks at (write: s.require",
    two_claims_have_one_name: "there is a fine already (write: another name)",
    a_condition_is_a_measure: "less measures `(count == 0)`, which is no number",
    a_measure_counts_nobody: "is no component of less (write: (s.Task, lambda t: …), or (None, lambda: …))",
    what_deeds_change_is_given: "'on' was given, and deeds may change it (write: on = …(…, rigid=True), or",
    a_run_begins_anywhere: "a run begins in one state, and here are 4 (write: all of it in @initial)",
    a_relation_is_about_all_numbers: "seen is about all numbers, and cannot be searched (write: a finite sort)",
    a_member_comes_twice: "has no name, or one twice (write: Sort('Stage', ('idle', 'busy')))",
    a_sort_has_members_and_no_name: "Sort(('well', 'unwell'), None) has no name, or one twice",
    a_symbol_has_two_names: "well and unwell are one and the same (write: a declaration for each)",
    two_sorts_have_one_name: "two sorts are called Person (write: two names)",
    a_sort_is_given_by_its_name: "'Person' is no sort (write: Task, where Task = Sort() stands above)",
    a_deed_is_about_a_name: "'Person' is no sort (write: Task, where",
    a_symbol_is_called_like_a_word_of_the_language: "search cannot be a part of the state: it is something else",
    a_deed_is_called_like_a_symbol: "on cannot be a deed: it is something else already (write: another name)",
    a_deed_does_another: "press is a deed, and no deed does another (write: a method that is none, for both to call)",
    an_axiom_is_about_what_changes: "nobody_presses assumes something of on, which deeds change (write: @invariant",
    mutants_are_searched_in_another_scope: "Persons was given a size, and is no open sort here (write: Person)",
    a_loop_goes_through_a_sort: "`Person` has as many elements as you like (write: forall(s.Task, …), exists(…) or",
    a_sort_is_declared_anew: "`p` is of sort Person of another class, and Person was expected",
    what_is_no_event_is_in_a_trace: "'press ann' is no event (write: ('deed', element, …))",
}


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.__name__)
def test_a_slip_is_named_with_the_line_of_the_model_and_what_to_write(slip):
    with pytest.raises(SpecError) as caught:
        slip()
    assert SLIPS[slip] in str(caught.value)
    lines, first = inspect.getsourcelines(slip)
    [here] = [first + place for place, line in enumerate(lines) if line.rstrip().endswith("# here")]
    assert caught.value.path == __file__
    assert caught.value.line == here


def test_what_was_found_before_a_number_grew_too_large_is_told():
    found = type("Slip", (Growing, Counted), {}).search(Person=1)
    assert found.verdicts["nothing_is_counted"].counterexample.steps == (("more",),)
    unknown = found.verdicts["there_are_none_or_some"]
    assert isinstance(unknown, Unknown)
    assert "count became 256 by more" in str(unknown)


def test_what_does_not_hold_in_the_first_place_notices_no_mutant():
    class Wrong(Counted):
        @always
        def nobody_presses(s):
            return forall(s.Person, lambda p: ~s.on[p])

    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    assert {mutant.killer for mutant in Wrong.mutants(Person=2).all} == {"search: other counts"}


# -- claims that speak of nothing: proved, and no success --------------------------------------------------------------


class OfNobody(Counted):
    @invariant
    def all_are_themselves(s):
        return forall(s.Person, lambda p: p == p)


class OfWhatNeverChanges(Counted):
    @axiom
    def all_are_tall(s):
        return forall(s.Person, lambda p: s.tall[p])

    @invariant
    def everybody_is_tall(s):
        return forall(s.Person, lambda p: s.tall[p])


class IfNever(Counted):
    @invariant
    def who_counts_to_five_goes_on_to_seven(s):
        return forall(s.Person, lambda p: (s.on[p] & (s.count == 5)) >> (s.count == 7))


class TheoremOfNothing(Counted):
    @theorem(Buttons.Person)
    def somebody_is_there(s, p):
        return exists(s.Person, lambda q: q == p)


class StepOfNothing(Counted):
    @two_state
    def all_stay_themselves(s, later):
        return forall(s.Person, lambda p: p == p)


OF_NOTHING = {
    OfNobody: ("all_are_themselves", "it mentions no part of the state"),
    OfWhatNeverChanges: ("everybody_is_tall", "it mentions no part of the state"),
    IfNever: ("who_counts_to_five_goes_on_to_seven", "in no state that satisfies the invariants is there exists(p: "),
    TheoremOfNothing: ("somebody_is_there", "it mentions no part of the state"),
    StepOfNothing: ("all_stay_themselves", "it mentions no part of the state"),
}


@pytest.mark.parametrize("spec", OF_NOTHING, ids=lambda spec: spec.__name__)
def test_a_claim_that_speaks_of_nothing_is_no_success(spec):
    name, why = OF_NOTHING[spec]
    proof = _prove(spec)
    assert {line.judgement for line in proof.lines} <= {"proved"}
    [remark] = proof.remarks
    assert (remark.kind, remark.name, (remark.path, remark.line)) == ("speaks of nothing", name, spec.deeds[name].line)
    assert why in remark.reason
    assert isinstance(proof.verdict, Unknown)
    assert str(remark) in str(proof)


def test_a_model_that_claims_nothing_proves_nothing():
    verdict = _prove(Buttons).verdict
    assert isinstance(verdict, Unknown)
    assert "it claims nothing: there is no @invariant" in str(verdict)


def test_claims_that_look_empty_and_are_not_hold():
    class Fine(Counted):
        """A theorem of what never changes, and a step that is so by its own text: both say something."""

        @axiom
        def all_are_tall(s):
            return forall(s.Person, lambda p: s.tall[p])

        @theorem(Buttons.Person)
        def whoever_it_is_is_tall(s, p):
            return s.tall[p]

        @action()
        def more(s):
            s.require("nothing was counted", s.count > 0)
            s.count += 1

        @two_state
        def what_is_on_stays_on(s, later):
            return forall(s.Person, lambda p: s.on[p] >> later.on[p])

        @invariant
        def nothing_is_counted(s):
            return s.count >= 0

    proof = _prove(Fine)
    assert isinstance(proof.verdict, Holds), str(proof)


# -- names that are no slips, although a solver has other uses for them ------------------------------------------------


def _named(symbols, members):
    """Lamps that are all put on at once, in symbols of these names."""
    lamps = Sort("Lamps")
    place = Sort("Place", members)

    def dark(s):
        s.at.each(lambda p: members[0])
        for name in symbols:
            getattr(s, name).each(lambda p: False)

    def light(s, p):
        s.require("they are\ndark", s.at[p] == members[0])
        s.at[p] = members[1]
        for name in symbols:
            getattr(s, name)[p] = True

    def alike(s):
        lit = lambda p: s.at[p] == members[1]  # noqa: E731  # a word of the next sentence
        return conj(*(forall(s.Lamps, lambda p, name=name: getattr(s, name)[p] == lit(p)) for name in symbols))

    body = {"Lamps": lamps, "Place": place, "at": Function(lamps, to=place)}
    body |= {name: Relation(lamps) for name in symbols}
    body |= {"dark": initial(dark), "light": action(lamps)(light), "alike": invariant(alike)}
    return type("Named", (Spec,), body)


@pytest.mark.parametrize(
    ("symbols", "members"),
    [
        (sorted(name for name in _TAKEN if not iskeyword(name)), ("off", "on")),
        (["bvadd", "bvx", "größe", "größer"], ("off", "on")),
        (["lit"], ("has been lit", "has not")),
        (["lit"], ("a|b", "a\\b")),
        (["lit"], ("(", ")")),
        (["lit"], ("ä", "é")),
    ],
    ids=["words of the solvers", "more of them", "spaces", "quotes", "brackets", "letters"],
)
def test_a_model_may_use_any_name_that_python_lets_it(symbols, members):
    spec = _named(symbols, members)
    proof = _prove(spec)
    assert isinstance(proof.verdict, Holds), str(proof)
    wanted = ("at[p]", f"{symbols[0]}[p]")
    mutants = spec.mutants(1, lambda deed, kind, line: line in wanted).all
    assert len(mutants) == 2
    assert all(mutant.killer for mutant in mutants)


def test_what_is_given_is_given_by_symbol():
    """The names of claims, in the place of what is given, are a slip that is easily made."""
    for call in (lambda: Buttons.search(["on"], Person=1), lambda: Buttons.monitor(["on"], Person=1)):
        with pytest.raises(SpecError, match=r"\['on'\] was given .*claims=\[…\]"):
            call()


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"Person": ["ann", "ann"]}, "two elements of Person have one name: ann, ann"),
        ({"Person": 2.5}, "2.5 is no number of elements of Person"),
        ({"Person": True}, "True is no number of elements of Person"),
        ({"Person": 1, "fairness": "strng"}, "'strng' is no fairness"),
    ],
)
def test_a_scope_that_says_nothing_definite_is_refused(sizes, words):
    with pytest.raises(SpecError, match=words):
        Buttons.search(**sizes)
