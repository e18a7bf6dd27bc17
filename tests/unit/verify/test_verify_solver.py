"""What the solver answers is decided a second time: by enumerating every configuration, and by cvc5.

The enumeration below is written from GitHub's rules, on job ids and words, and
shares nothing with the reader, the formulas or the encoding.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket.verify.formula import Not, Runs
from hocket.verify.judge import read_graph
from hocket.verify.replay import replay
from hocket.verify.smt import Found, Never, Solver
from hocket.verify.timeline import schedule

JOBS = ("a", "b", "c")
# of a job that runs in no configuration: a contradiction, branches that exclude each other, switched off on purpose
NEVER = {"G004", "G015", "G037"}
WORDS = ("success", "failure", "cancelled")


class Context:
    """What a condition can see when its job's turn comes."""

    def __init__(self, event: str, needs: dict[str, str], ancestors: dict[str, str], stopped: bool) -> None:
        self.event, self.needs, self.ancestors, self.stopped = event, needs, ancestors, stopped

    @property
    def success(self) -> bool:
        return not self.stopped and all(word == "success" for word in self.ancestors.values())

    @property
    def failure(self) -> bool:
        return "failure" in self.ancestors.values()

    @property
    def first(self) -> str:
        return next(iter(self.needs.values()), "")


# a condition as it is written, and what it means; {n} is the first job that is needed
CONDITIONS = [
    ("", lambda see: see.success),
    ("always()", lambda see: True),
    ("success()", lambda see: see.success),
    ("failure()", lambda see: see.failure),
    ("cancelled()", lambda see: see.stopped),
    ("!cancelled()", lambda see: not see.stopped),
    ("false", lambda see: False),
    ("github.event_name == 'push'", lambda see: see.success and see.event == "push"),
    ("always() && github.event_name != 'push'", lambda see: see.event != "push"),
    ("!success()", lambda see: not see.success),
    ("failure() || cancelled()", lambda see: see.failure or see.stopped),
    ("success() && failure()", lambda see: see.success and see.failure),
]
NEEDING = [
    ("always() && needs.{n}.result == 'skipped'", lambda see: see.first == "skipped"),
    ("!cancelled() && needs.{n}.result == 'skipped'", lambda see: not see.stopped and see.first == "skipped"),
    ("needs.{n}.result == 'failure'", lambda see: see.success and see.first == "failure"),
    ("failure() && needs.{n}.result == 'success'", lambda see: see.failure and see.first == "success"),
    ("always() && needs.{n}.result != 'success'", lambda see: see.first != "success"),
    ("always() && contains(needs.*.result, 'cancelled')", lambda see: "cancelled" in see.needs.values()),
    ("success('{n}')", lambda see: not see.stopped and see.first == "success"),
    ("failure('{n}')", lambda see: see.first == "failure"),
]


@st.composite
def workflows(draw):
    """Three jobs, each needing some of those before it, with a condition of the tables."""
    jobs = []
    for place, name in enumerate(JOBS):
        needs = [other for other in JOBS[:place] if draw(st.booleans())]
        jobs.append((name, needs, draw(st.sampled_from(CONDITIONS + (NEEDING if needs else [])))))
    return jobs


def written(jobs) -> str:
    text = "on: [push, schedule]\njobs:\n"
    for name, needs, (condition, _) in jobs:
        line = f"    if: ${{{{ {condition.format(n=needs[0] if needs else '')} }}}}\n" if condition else ""
        text += f"  {name}:\n    needs: [{', '.join(needs)}]\n{line}    runs-on: x\n    steps: [{{run: x}}]\n"
    return text


def every_run(jobs):
    """All that can happen: for each run the words of the jobs, and which of them ran."""
    above: dict[str, set[str]] = {}
    for name, needs, _ in jobs:
        above[name] = set(needs).union(*(above[need] for need in needs))
    for event, ends, stopped, passed in product(
        ("push", "schedule"),
        product(WORDS, repeat=3),
        product((False, True), repeat=3),
        product(("skipped", "cancelled"), repeat=3),
    ):
        if any(stopped[JOBS.index(up)] and not stopped[JOBS.index(name)] for name in JOBS for up in above[name]):
            continue  # who comes after a job whose turn came after the cancellation comes after it as well
        words: dict[str, str] = {}
        ran = set()
        for place, (name, needs, (_, means)) in enumerate(jobs):
            see = Context(
                event, {need: words[need] for need in needs}, {up: words[up] for up in above[name]}, stopped[place]
            )
            if means(see):
                ran.add(name)
                words[name] = ends[place]
            else:
                words[name] = passed[place] if stopped[place] else "skipped"
        yield words, ran


@settings(max_examples=60, deadline=None)
@given(workflows())
def test_a_job_is_said_never_to_run_exactly_if_it_runs_in_no_configuration(jobs):
    possible = set().union(*(ran for _, ran in every_run(jobs)))
    report = hocket.verify(written(jobs))
    said = {finding.message.split("'")[1] for finding in report.findings}
    assert {finding.code for finding in report.findings} <= NEVER
    assert said == set(JOBS) - possible


@settings(max_examples=40, deadline=None)
@given(workflows(), st.permutations(JOBS))
def test_a_requirement_is_said_to_hold_exactly_if_no_configuration_breaks_it(jobs, names):
    user, used = names[:2]
    above = {name: set(needs) for name, needs, _ in jobs}
    waits = used in above[user] or any(used in above[up] for up in above[user])
    broken = any(user in ran and not (waits and words[used] == "success") for words, ran in every_run(jobs))
    report = hocket.verify(written(jobs), assertions=[f"{user} requires {used}"])
    assert [finding.code for finding in report.findings if finding.code not in NEVER] == (["G020"] if broken else [])


@settings(max_examples=40, deadline=None)
@given(workflows(), st.permutations(JOBS))
def test_an_order_holds_exactly_if_edges_make_it_or_no_configuration_has_both(jobs, names):
    # two jobs of which neither waits for the other can be put in either order, and side by side, wherever both run
    one, other = names[:2]
    above = {name: set(needs) for name, needs, _ in jobs}
    for name, needs, _ in jobs:
        above[name] = above[name].union(*(above[need] for need in needs))
    both = any({one, other} <= ran for _, ran in every_run(jobs))
    due = {
        f"{one} before {other}": both and one not in above[other],
        f"{one} never with {other}": both and one not in above[other] and other not in above[one],
    }
    for claim, broken in due.items():
        codes = [finding.code for finding in hocket.verify(written(jobs), assertions=[claim]).findings]
        assert [code for code in codes if code not in NEVER] == (["G020"] if broken else [])


def cvc5_says(text: str) -> str:
    cvc5 = pytest.importorskip("cvc5")
    solver = cvc5.Solver()
    solver.setOption("strings-exp", "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "(set-logic ALL)\n" + text, "question")
    symbols = parser.getSymbolManager()
    answer = ""
    while not (command := parser.nextCommand()).isNull():
        answer += command.invoke(solver, symbols)
    return answer.strip()


ONE = 'on: [push]\njobs:\n  a: {{runs-on: x, steps: [], if: "{}"}}\n'
QUESTIONS = [
    ONE.format("startsWith(github.ref, 'refs/tags/') && github.ref == 'refs/heads/main'"),
    ONE.format("startsWith(github.ref, 'refs/') && endsWith(github.ref, '/main')"),
    ONE.format("contains(github.ref, 'x') && github.ref == 'y'"),
    "on: [push, schedule]\njobs:\n  a: {runs-on: x, steps: [], if: false}\n  b: {needs: a, runs-on: x, steps: []}\n"
    "  c: {needs: b, runs-on: x, steps: [], if: always()}\n  d: {needs: c, runs-on: x, steps: []}\n",
]


@pytest.mark.parametrize("text", QUESTIONS)
def test_cvc5_answers_the_same_text_in_the_same_way(text):
    graph = read_graph(text).graph
    solver = Solver(graph, graph.tasks)
    for name in graph.tasks:
        for question in (Runs(name), Not(Runs(name))):
            answer = solver.ask(question)
            assert cvc5_says(solver.text(question)) == ("sat" if isinstance(answer, Found) else "unsat")


@settings(max_examples=25, deadline=None)
@given(workflows())
def test_cvc5_agrees_on_random_workflows_and_every_model_is_a_run(jobs):
    graph = read_graph(written(jobs)).graph
    solver = Solver(graph, graph.tasks)
    for name in JOBS:
        answer = solver.ask(Runs(name))
        assert cvc5_says(solver.text(Runs(name))) == ("sat" if isinstance(answer, Found) else "unsat")
        if isinstance(answer, Found):
            story = replay(graph, schedule(graph, answer.values, answer.outcomes, answer.interrupted))
            assert {task for task in JOBS if task in story.ran} >= {name}
            assert story.closed == answer.outcomes


def test_the_conditions_named_as_the_reason_are_all_needed():
    text = "on: push\njobs:\n"
    text += "  a: {runs-on: x, steps: [], if: \"github.ref == 'refs/heads/main'\"}\n"
    text += "  b: {runs-on: x, steps: []}\n"
    text += "  c: {needs: [a, b], runs-on: x, steps: [], if: \"github.ref == 'refs/heads/dev'\"}\n"
    graph = read_graph(text).graph
    answer = Solver(graph, ["c"]).ask(Runs("c"))
    assert isinstance(answer, Never)
    assert sorted(answer.because) == ["a", "c"]
