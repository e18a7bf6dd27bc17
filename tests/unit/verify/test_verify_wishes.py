"""One run that shows much: values under which many tasks run, few questions for the solver, and an end to looking."""

from __future__ import annotations

import re

import pytest

import hocket
from hocket.verify import gaps, liveness
from hocket.verify.formula import Equal, conjunction, disjunction
from hocket.verify.judge import read_graph
from hocket.verify.model import Graph, Kind, Variable
from hocket.verify.regex import example, expressible
from hocket.verify.smt import Solver
from hocket.verify.wishes import Wishes

BY_HAND = "".join(f"job{number}:\n  script: [x]\n  when: manual\n  needs: []\n" for number in range(40))
IN_TWO_PIPELINES = "".join(
    f"job{number}:\n  script: [x]\n  needs: []\n  rules:\n    - if: $KIND == '{'ab'[number % 2]}'\n      when: manual\n"
    for number in range(40)
)
LEFT_OUT = "".join(
    f"build{number}:\n  script: [x]\n  rules: [{{if: '$P{number} == \"yes\"'}}]\n"
    f"test{number}:\n  script: [x]\n  needs: [build{number}]\n"
    for number in range(12)
)


@pytest.fixture
def asked(monkeypatch):
    """Every question that a solver is asked."""
    questions = []
    ask = Solver.ask
    monkeypatch.setattr(Solver, "ask", lambda self, *rest, **more: questions.append(rest) or ask(self, *rest, **more))
    return questions


@pytest.mark.parametrize(("text", "runs"), [(BY_HAND, 1), (IN_TWO_PIPELINES, 2)])
def test_forty_jobs_that_somebody_starts_are_shown_by_few_runs_and_no_solver_is_asked(text, runs, asked):
    report = hocket.verify(text, format="gitlab")
    assert (report.verdict, report.counts["runs replayed"], asked) == ("holds", runs, [])


def test_twelve_jobs_that_can_be_left_out_are_shown_by_one_run(asked):
    report = hocket.verify(LEFT_OUT, format="gitlab")
    found = [one for one in report.findings if one.code == "G013"]
    assert len(found) == 12
    assert len({id(one.witness) for one in found}) == 1
    assert asked == []


@pytest.mark.parametrize(("room", "text"), [(gaps, LEFT_OUT), (liveness, IN_TWO_PIPELINES)])
def test_what_is_not_looked_at_any_more_is_said_and_does_not_hold(room, text, monkeypatch):
    monkeypatch.setattr(room, "MOST_SHOWN", 0)
    text = text.replace("needs: [build3]", "needs: [build3, build4]").replace("== 'b'", "=~ /^b[c-d]+$/")
    report = hocket.verify(text + "other:\n  script: [x]\n  rules: [{if: $KIND == 'never'}]\n", format="gitlab")
    assert "G090" in {one.code for one in report.findings}
    assert report.certificate is None


def test_a_wish_that_cannot_be_granted_changes_nothing_and_choices_are_taken_back():
    kinds = frozenset({Kind.STRING})
    graph = Graph("", "hocket", {}, {name: Variable(name, kinds) for name in "ab"})
    wishes = Wishes.near(graph, {})
    one, other = Equal("a", "one"), Equal("a", "other")
    assert not wishes.grant(Equal("b", "kept"), one, other)
    assert (wishes.values, wishes.kept) == ({"a": "", "b": ""}, {})
    assert wishes.grant(disjunction((one, other)), disjunction((other, Equal("a", "third"))))
    assert wishes.values == {"a": "other", "b": ""}
    assert not wishes.grant(conjunction((Equal("b", "kept"), one)))
    assert wishes.grant(Equal("b", "kept"), other)
    assert wishes.values == {"a": "other", "b": "kept"}


@pytest.mark.parametrize("pattern", [r"^v\d+\.\d+$", r"^octez-v\d+\.0(?:\-rc\d+)?$", "a{2}(b|c)+", "[^a]x", r"\s[0-9]"])
def test_an_example_fits_its_expression(pattern):
    assert expressible(pattern)
    assert re.search(pattern, example(pattern))


def test_a_task_is_let_in_with_all_that_it_needs():
    text = "".join(
        f"job{number}:\n  script: [x]\n  rules: [{{if: $P{number} == 'yes'}}]\n"
        f"  needs: [{f'job{number - 1}' * (number > 0)}]\n"
        for number in range(5)
    )
    graph = read_graph(text, "gitlab").graph
    wishes = Wishes.of(graph, {}, ["job4"])
    assert wishes is not None
    assert [wishes.values[f"P{number}"] for number in range(5)] == ["yes"] * 5


def test_a_run_that_was_gone_through_shows_no_gap_that_only_a_guess_makes():
    unread = "include: [{remote: 'https://example.org/parts.yml'}]\n"
    guessed = "odd:\n  extends: .elsewhere\n  script: [x]\nafter:\n  script: [x]\n  needs: [odd]\n"
    report = hocket.verify(unread + LEFT_OUT + guessed, format="gitlab")
    about = {one.about for one in report.findings if one.code == "G013"}
    assert about == {(f"test{number}", f"build{number}") for number in range(12)}
