"""Argo, Tekton, Step Functions and systemd: each row is a file, its graph, and what is wrong with it."""

from __future__ import annotations

import json

import pytest

import hocket
from hocket.errors import SourceError
from hocket.verify.formula import Outcome
from hocket.verify.judge import read_graph
from hocket.verify.readers.discover import opened
from hocket.verify.replay import Did
from hocket.verify.timeline import schedule

pytest.importorskip("z3")

_OK, _BAD, _SKIP = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED


def befores(graph):
    return {name: sorted(edge.before for edge in task.edges) for name, task in graph.tasks.items()}


def argo(tasks: str, more: str = "") -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n"
        "  entrypoint: main\n  templates:\n"
        f"  - name: work\n    container: {{image: x}}\n{more}  - name: main\n    dag:\n      tasks:\n{tasks}"
    )


ARGO = [
    (
        "dependencies and depends",
        argo(
            "      - {name: a, template: work}\n      - {name: b, template: work, dependencies: [a]}\n"
            "      - {name: c, template: work, depends: 'a && (b.Failed || b.Succeeded)'}\n"
        ),
        {"a": [], "b": ["a"], "c": ["a", "b"]},
        [],
    ),
    (
        "an undefined task",
        argo("      - {name: a, template: work, depends: 'b.Succeeded'}\n"),
        {"a": []},
        [("G002", 12, 45)],
    ),
    ("an undefined template", argo("      - {name: a, template: wark}\n"), {"a": []}, [("G002", 12, 29)]),
    (
        "a task twice",
        argo("      - {name: a, template: work}\n      - {name: a, template: work}\n"),
        {"a": []},
        [("G003", 13, 16)],
    ),
    (
        "a state that there is not",
        argo("      - {name: a, template: work}\n      - {name: b, template: work, depends: a.Done}\n"),
        {"a": [], "b": []},
        [("G008", 13, 46)],
    ),
    (
        "a cycle",
        argo("      - {name: a, template: work, depends: b}\n      - {name: b, template: work, depends: a}\n"),
        {"a": ["b"], "b": ["a"]},
        [("G001", 12, 44)],
    ),
    (
        "outputs of a task that is not waited for",
        argo(
            "      - {name: a, template: work}\n"
            "      - {name: b, template: work, arguments: {x: '{{tasks.a.outputs.result}}'}}\n"
        ),
        {"a": [], "b": []},
        [("G007", 13, 59)],
    ),
    (
        "templates within templates, and steps",
        argo(
            "      - {name: a, template: two}\n      - {name: b, template: work, depends: a}\n",
            "  - name: two\n    steps:\n    - - {name: x, template: work}\n      - {name: y, template: work}\n"
            "    - - {name: z, template: work}\n",
        ),
        {"a": [], "a / x": [], "a / y": [], "a / z": ["a / x", "a / y"], "b": ["a"]},
        [],
    ),
    ("a template that calls itself", argo("      - {name: a, template: main, when: '{{x}} == y'}\n"), {"a": []}, []),
    (
        "a mutex that is taken twice on one way",
        argo(
            "      - {name: a, template: two}\n",
            "  - name: two\n    synchronization: {mutex: {name: m}}\n    steps: [[{name: x, template: one}]]\n"
            "  - name: one\n    synchronization: {mutex: {name: m}}\n    container: {image: x}\n",
        ),
        {"a": [], "a / x": []},
        [("G006", 13, 37)],
    ),
    (
        "after a failure that cannot be, as nothing can fail before the first",
        argo(
            "      - {name: a, template: work, when: '2 > 1'}\n      - {name: b, template: work, depends: a.Omitted}\n"
        ),
        {"a": [], "b": ["a"]},
        [],
    ),
]


@pytest.mark.parametrize(("text", "expected", "found"), [row[1:] for row in ARGO], ids=[row[0] for row in ARGO])
def test_an_argo_workflow_is_exactly_this(text, expected, found):
    report = hocket.verify(text)
    assert befores(report.graph) == expected
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == found


def test_the_example_of_enhanced_depends_runs_as_argo_says():
    """argo-workflows, docs/enhanced-depends-logic.md, in words of our own: what runs if c fails."""
    text = argo(
        "      - {name: a, template: work}\n      - {name: b, template: work, depends: a}\n"
        "      - {name: c, template: work, depends: a}\n"
        "      - {name: one, template: work, depends: 'a && (c.Succeeded || c.Failed)'}\n"
        "      - {name: two, template: work, depends: 'b || c'}\n"
        "      - {name: no, template: work, depends: 'b && c'}\n"
        "      - {name: three, template: work, depends: 'two.Succeeded || no'}\n"
    )
    run = schedule(read_graph(text).graph, {}, {"c": _BAD})
    assert {event.task for event in run.events if event.did is Did.STARTED} == {"a", "b", "c", "one", "two", "three"}


TEKTON = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  tasks:
  - {name: a, taskRef: {name: t}}
  - name: b
    taskRef: {name: t}
    params: [{name: x, value: "$(tasks.a.results.r)"}]
  - name: c
    runAfter: [b]
    when: [{input: "$(params.env)", operator: in, values: [prod]}]
    taskRef: {name: t}
  - {name: d, runAfter: [c], taskRef: {name: t}}
  finally:
  - {name: e, taskRef: {name: t}, params: [{name: s, value: "$(tasks.c.status)"}]}
"""


def test_a_tekton_pipeline_orders_by_results_and_run_after_and_ends_with_finally():
    graph = read_graph(TEKTON).graph
    assert befores(graph) == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["a", "b", "c", "d"]}
    (edge,) = graph.tasks["b"].edges
    assert (edge.span.line, edge.span.column, edge.accepts) == (9, 40, frozenset({_OK}))
    assert graph.tasks["d"].edges[0].accepts == frozenset({_OK, _SKIP})
    run = schedule(graph, {"params.env": "test"}, {"b": _BAD})
    assert [event.task for event in run.events if event.did is Did.STARTED] == ["a", "b", "e"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("runAfter: [b]", "runAfter: [bb]", [("G002", 11, 16)]),
        ("$(tasks.a.results", "$(tasks.aa.results", [("G002", 9, 40)]),
        ("runAfter: [b]", "runAfter: [d]", [("G001", 11, 16)]),
        ("{name: e,", "{name: a,", [("G003", 16, 12)]),
        ("{name: e,", "{name: e, runAfter: [a],", [("G008", 16, 26)]),
        ("values: [prod]", "values: []", [("G004", 12, 11)]),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_found_where_it_stands(old, new, found):
    text = TEKTON.replace(old, new)
    assert [(finding.code, finding.line, finding.column) for finding in hocket.verify(text).findings][
        : len(found)
    ] == found


def machine(**states) -> str:
    return json.dumps({"StartAt": next(iter(states)), "States": states}, indent=1)


def number(sign: str, value: float, after: str) -> dict:
    return {"Variable": "$.x", sign: value, "Next": after}


END = {"Type": "Succeed"}
WORK = {"Type": "Task", "Resource": "r", "End": True}
MACHINES = [
    ("one after another", machine(A={"Type": "Pass", "Next": "B"}, B=END), {"A": [], "B": ["A"]}, []),
    ("an undefined state", machine(A={"Type": "Pass", "Next": "C"}, B=END), {"A": []}, ["G014", "G002"]),
    ("nothing leads to it", machine(A=WORK, B=WORK), {"A": []}, ["G014"]),
    (
        "round and round",
        machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Wait", "Next": "A"}),
        {"A": [], "B": ["A"]},
        ["G035"],
    ),
    (
        "a loop with a way out",
        machine(
            A={"Type": "Task", "Next": "B"},
            B={
                "Type": "Choice",
                "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "C"}],
                "Default": "A",
            },
            C=END,
        ),
        {"A": [], "B": ["A"], "C": ["B"]},
        [],
    ),
    (
        "choices that leave nothing",
        machine(
            A={
                "Type": "Choice",
                "Choices": [number("NumericGreaterThan", 5, "W"), number("NumericLessThanEquals", 5, "W")],
                "Default": "D",
            },
            W=WORK,
            D=WORK,
        ),
        {"A": [], "W": ["A"], "D": ["A"]},
        ["G004"],
    ),
    (
        "choices that leave one number",
        machine(
            A={
                "Type": "Choice",
                "Choices": [number("NumericGreaterThan", 5, "W"), number("NumericLessThan", 5, "W")],
                "Default": "D",
            },
            W=WORK,
            D=WORK,
        ),
        {"A": [], "W": ["A"], "D": ["A"]},
        [],
    ),
    (
        "a choice that an earlier one takes",
        machine(
            A={
                "Type": "Choice",
                "Choices": [
                    {"Or": [number("NumericLessThan", 9, ""), number("NumericGreaterThan", 20, "")], "Next": "W"},
                    {"And": [number("NumericLessThan", 3, ""), {"Not": number("NumericEquals", 1, "")}], "Next": "D"},
                ],
            },
            W=WORK,
            D=WORK,
        ),
        {"A": [], "W": ["A"], "D": ["A"]},
        ["G004"],
    ),
    (
        "a failure that is caught",
        machine(A={**WORK, "Catch": [{"ErrorEquals": ["x"], "Next": "B"}]}, B=WORK),
        {"A": [], "B": ["A"]},
        [],
    ),
    (
        "what cannot fail cannot be caught",
        machine(A={"Type": "Pass", "End": True, "Catch": [{"Next": "B"}]}, B=WORK),
        {"A": [], "B": ["A"]},
        ["G004"],
    ),
    ("neither next nor end", machine(A={"Type": "Pass"}), {"A": []}, ["G008"]),
    ("next and end", machine(A={"Type": "Pass", "Next": "B", "End": True}, B=END), {"A": []}, ["G034", "G014"]),
    ("an unknown type", machine(A={"Type": "Tusk", "End": True}), {"A": []}, ["G008"]),
    (
        "branches and maps",
        machine(
            P={
                "Type": "Parallel",
                "Next": "M",
                "Branches": [{"StartAt": "X", "States": {"X": WORK}}, {"StartAt": "X", "States": {"X": WORK}}],
            },
            M={
                "Type": "Map",
                "End": True,
                "ItemProcessor": {"StartAt": "Y", "States": {"Y": {"Type": "Pass", "Next": "Z"}, "Z": END}},
            },
        ),
        {"P": [], "P #1 / X": [], "P #2 / X": [], "M": ["P"], "M / Y": [], "M / Z": ["M / Y"]},
        [],
    ),
]


@pytest.mark.parametrize(("text", "expected", "codes"), [row[1:] for row in MACHINES], ids=[row[0] for row in MACHINES])
def test_a_state_machine_is_exactly_this(text, expected, codes):
    report = hocket.verify(text)
    assert befores(report.graph) == expected
    assert sorted(finding.code for finding in report.findings) == sorted(codes)


def test_a_machine_that_starts_nowhere_says_so():
    report = hocket.verify('{"StartAt": "A", "States": {"B": {"Type": "Succeed"}}}', format="asl")
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == [("G002", 1, 13)]


@pytest.fixture
def units(tmp_path):
    def write(**files: str):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return opened(tmp_path)

    return write


def test_units_order_each_other_by_what_they_say_and_by_default(units):
    source = units(
        basic_target="[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n",
        sysinit_target="[Unit]\nDefaultDependencies=no\n",
        a_service="[Unit]\nRequires=b.service\nAfter=b.service gone.service\n[Service]\nExecStart=/x\n",
        b_service="[Unit]\nDefaultDependencies=no\nBefore=c.service \\\n  basic.target\n[Service]\n",
        c_service="[Unit]\nDefaultDependencies=no\n",
        x_socket="[Unit]\nDefaultDependencies=no\n[Socket]\n",
        x_service="[Unit]\nDefaultDependencies=no\n",
    )
    report = hocket.verify(source)
    assert befores(report.graph) == {
        "a.service": ["b.service", "basic.target", "sysinit.target"],
        "b.service": [],
        "c.service": ["b.service"],
        "basic.target": ["b.service", "sysinit.target"],
        "sysinit.target": [],
        "x.socket": [],
        "x.service": ["x.socket"],
    }
    strong = {edge.before: edge for edge in report.graph.tasks["a.service"].edges}
    assert (strong["b.service"].accepts, strong["b.service"].span.line, strong["b.service"].span.column) == (
        frozenset({_OK}),
        3,
        7,
    )
    into = {edge.before: edge.span for edge in report.graph.tasks["basic.target"].edges}
    assert (into["b.service"].line, into["b.service"].column) == (4, 3)
    assert report.verdict == "holds"


def test_a_cycle_over_a_drop_in_an_enabled_unit_and_a_target_is_found(units):
    source = units(
        multi_target="[Unit]\n",
        a_service="[Unit]\nAfter=multi.target\n[Install]\nWantedBy=other.target\n",
        other_target="[Unit]\nBefore=multi.target\n",
    )
    (finding,) = hocket.verify(source).findings
    assert (finding.code, len(finding.witness)) == ("G001", 3)


def test_units_that_exclude_each_other_form_no_cycle(units):
    text = "[Unit]\nDefaultDependencies=no\nAfter={}\n{}\n"
    source = units(a_service=text.format("b.service", ""), b_service=text.format("a.service", ""))
    assert [finding.code for finding in hocket.verify(source).findings] == ["G001"]
    source = units(a_service=text.format("b.service", "Conflicts=b.service"))
    assert hocket.verify(source).findings == ()


def test_an_empty_value_takes_back_what_was_said_and_a_mask_takes_the_unit_away(units, tmp_path):
    plain = "[Unit]\nDefaultDependencies=no\n"
    source = units(a_service=plain + "After=b.service\n", b_service=plain)
    drop = tmp_path / "a.service.d"
    drop.mkdir()
    (drop / "x.conf").write_text("[Unit]\nAfter=\n")
    (tmp_path / "c.service").symlink_to("/dev/null")
    assert befores(read_graph(source).graph) == {"a.service": [], "b.service": []}


def test_a_folder_without_units_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="this is a folder"):
        opened(tmp_path)
