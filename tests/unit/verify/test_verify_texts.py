"""Which conditions over one text can be true together: automata against `re`, and certificates that rest on them."""

from __future__ import annotations

import random

import pytest

import hocket
from hocket.verdict import Certificate, Holds, Unknown, Violated
from hocket.verify import propositions
from hocket.verify.certificate import seal
from hocket.verify.formula import How, Matches, Not, conjunction
from hocket.verify.languages import ways
from hocket.verify.model import Graph, Kind, Variable
from hocket.verify.propositions import Propositions
from hocket.verify.refutation import refutation
from tests.fuzz_texts import answered_twice, as_re_has_them, conditions


def fits(*patterns: str) -> tuple[tuple[How, str], ...]:
    return tuple((How.FITS, pattern) for pattern in patterns)


def test_two_expressions_that_share_no_text_are_never_both_fitted():
    assert ways(fits("^[a-c]+$", "^[0-9]+$")) == {(False, False): "", (True, False): "a", (False, True): "0"}


def test_of_three_conditions_any_two_can_be_true_and_never_all():
    found = ways(fits("^(a|b)$", "^(b|c)$", "^(a|c)$"))
    assert found == {(False, False, False): "", (True, False, True): "a", (True, True, False): "b",
                     (False, True, True): "c"}  # fmt: skip


def test_classes_and_cases_are_those_of_ascii():
    """RE2, which GitLab has, knows no other digits; Python's `re` is told so."""
    assert ways(fits(r"^\d$", "^[^0-9]$")).keys() == {(False, False), (True, False), (False, True)}
    assert (True, False) not in ways(fits("(?i)^s$", "^[sS]$"))


def test_a_line_break_at_the_end_is_let_through_by_one_anchor_and_not_by_the_other():
    assert ways(fits("^a$", r"^a\Z"))[True, False] == "a\n"
    assert (False, True) not in ways(fits("^a$", r"^a\Z"))


def test_too_many_states_are_no_answer():
    """Twelve letters before the end an `a`: 2 ** 13 states."""
    assert ways(fits("a[ab]{12}$", "b[ab]{12}$"), 4_000) is None
    assert ways(fits("a[ab]{5}$", "b[ab]{5}$")).keys() == {(False, False), (True, False), (False, True)}


@pytest.mark.parametrize("number", range(4))
def test_random_conditions_are_true_together_exactly_as_re_has_them(number):
    draw = random.Random(f"ci/{number}")
    assert sum(as_re_has_them(conditions(draw)) for _ in range(25)) > 50


def test_a_question_about_texts_has_a_refutation_exactly_if_z3_answers_never():
    answers = [answered_twice(random.Random(f"ci/{number}")) for number in range(8)]
    assert {"Never", "Found"} <= set(answers)


@pytest.mark.parametrize(
    ("kinds", "denied"),
    [({Kind.STRING}, True), ({Kind.STRING, Kind.NULL}, False), ({Kind.NUMBER}, False)],
    ids=["text", "text or null", "number"],
)
def test_what_is_no_text_fits_nothing(kinds, denied):
    """Every text has an `a` or has none; null neither has one nor has none."""
    said = Propositions(Graph("g", "test", {}, {"t": Variable("t", frozenset(kinds))}), ())
    neither = conjunction(Not(Matches("t", How.FITS, one)) for one in ("a", "^[^a]*$"))
    said.clauses.append((said.of(neither),))
    assert (refutation(said.finish()) is not None) is denied


TAGS = """\
hocket: 1
variables: {tag: string, branch: [main, dev-1, dev-2]}
tasks:
  version: {if: "tag fits '^v[0-9]+[.][0-9]+$'"}
  candidate: {if: "tag fits '^v[0-9.]+-rc[0-9]*$'"}
  nightly: {if: "tag fits '(?i)^nightly'"}
  trunk: {if: "branch fits '^(main|master)$'"}
  side: {if: "branch fits '-[0-9]$'"}
assert: ["version never with candidate", "nightly never with version", "trunk never with side"]
"""


def test_a_certificate_about_expressions_is_checked_without_a_solver():
    report = hocket.verify(TAGS, format="hocket")
    verdict = hocket.audit(report.certificate, TAGS, format="hocket")
    assert isinstance(verdict, Holds)
    assert verdict.counts["refutations"] == 3
    assert verdict.counts["claims of a solver"] == 0


def test_a_certificate_of_other_expressions_is_refused():
    """A candidate that can be a version: everything else of the certificate is that of the other graph, sealed anew."""
    claim = "version never with candidate"
    wider = TAGS.replace("-rc[0-9]*$", "(-rc)?[0-9]*$").replace(f'"{claim}", ', "")
    said, fine = (hocket.verify(text, format="hocket").certificate for text in (TAGS, wider))
    lie = {**fine.data, "never": said.data["never"]}
    verdict = hocket.audit(Certificate(fine.kind, lie | {"seal": seal(lie)}), wider, format="hocket")
    assert isinstance(verdict, Violated)
    assert f"the clauses given for '{claim}' do not refute its contrary" in verdict.counterexample.message


def test_expressions_with_too_many_states_are_a_solvers_word(monkeypatch):
    monkeypatch.setattr(propositions, "_AT_ONCE", 3)
    monkeypatch.setattr(propositions, "_OF_TWO", 3)
    text = """\
hocket: 1
variables: {tag: string}
tasks:
  one: {if: "tag fits 'a[ab]{2}$'"}
  other: {if: "tag fits 'b[ab]{2}$'"}
assert: ["one never with other"]
"""
    report = hocket.verify(text, format="hocket")
    (only,) = report.certificate.data["never"]
    assert only["lemmas"] is None
    assert "(check-sat)" in only["smtlib"]
    verdict = hocket.audit(report.certificate, text, format="hocket")
    assert isinstance(verdict, Unknown)
    assert "1 of its claims rest on a solver" in verdict.reason
    data = {**report.certificate.data, "never": [{**only, "smtlib": ""}]}
    lie = Certificate(report.certificate.kind, data | {"seal": seal(data)})
    assert isinstance(hocket.audit(lie, text, format="hocket"), Violated)
