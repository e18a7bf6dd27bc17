"""GitLab: each row is a configuration, the graph that it is, and what is wrong with it, to the column."""

from __future__ import annotations

import pytest

import hocket
from hocket.verify.formula import Outcome
from hocket.verify.judge import read_graph
from hocket.verify.model import Until

pytest.importorskip("z3")

LEFT_OUT = """\
build:
  script: make
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
test:
  script: make test
  needs: [build]
  rules:
    - if: $CI_COMMIT_BRANCH
"""

# name, text, {job: those before it}, findings as (code, line, column)
FILES = [
    (
        "a job waits for all jobs of all earlier stages",
        "stages: [one, two, three]\na: {stage: one, script: x}\nb: {stage: two, script: x}\n"
        "c: {stage: three, script: x}\n",
        {"a": [], "b": ["a"], "c": ["a", "b"]},
        [],
    ),
    (
        "needs replace stages, and none of them is none",
        "a: {stage: build, script: x}\nb: {stage: test, script: x, needs: []}\n"
        "c: {stage: deploy, script: x, needs: [a]}\n",
        {"a": [], "b": [], "c": ["a"]},
        [],
    ),
    (
        "pre and post are first and last",
        "a: {stage: .post, script: x}\nb: {stage: .pre, script: x}\nc: {script: x}\n",
        {"a": ["b", "c"], "b": [], "c": ["b"]},
        [],
    ),
    (
        "an undefined job, with the nearest name",
        "build: {script: x}\ntest:\n  script: x\n  needs:\n    - job: biuld\n",
        {"build": [], "test": []},
        [("G002", 5, 12)],
    ),
    ("an optional one need not be there", "a: {script: x, needs: [{job: b, optional: true}]}\n", {"a": []}, []),
    ("a job that needs itself", "a:\n  script: x\n  needs: [a]\n", {"a": []}, [("G005", 3, 11)]),
    (
        "a later stage",
        "a:\n  stage: build\n  script: x\n  needs: [b]\nb: {stage: deploy, script: x}\n",
        {"a": [], "b": ["a"]},
        [("G030", 4, 11)],
    ),
    (
        "a cycle within a stage",
        "a:\n  script: x\n  needs: [b]\nb:\n  script: x\n  needs: [a]\n",
        {"a": ["b"], "b": ["a"]},
        [("G001", 3, 11)],
    ),
    ("an unknown stage", "stages: [build]\na:\n  stage: biuld\n  script: x\n", {"a": []}, [("G002", 3, 10)]),
    ("a needed job that its rules leave out", LEFT_OUT, {"build": [], "test": ["build"]}, [("G013", 7, 11)]),
    (
        "the same, said to be optional",
        LEFT_OUT.replace("[build]", "[{job: build, optional: true}]"),
        {"build": [], "test": ["build"]},
        [],
    ),
    (
        "a job without rules is not for merge requests, and who needs it may be",
        "a: {script: x}\nb:\n  script: x\n  needs: [a]\n  rules:\n"
        "    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n",
        {"a": [], "b": ["a"]},
        [("G004", 2, 1), ("G013", 4, 11)],
    ),
    (
        "a branch is no tag",
        "a: {script: x, rules: [{if: $CI_COMMIT_TAG}]}\n"
        "b:\n  script: x\n  rules:\n    - if: $CI_COMMIT_BRANCH == 'main' && $CI_COMMIT_TAG\n",
        {"a": [], "b": []},
        [("G004", 5, 5)],
    ),
    (
        "a pattern within another one is covered by it",
        "a: {script: x, rules: [{if: $CI_COMMIT_TAG =~ /^v/}]}\n"
        "b: {script: x, needs: [a], rules: [{if: '$CI_COMMIT_TAG =~ /^v[0-9]+$/'}]}\n",
        {"a": [], "b": ["a"]},
        [],
    ),
    (
        "a pattern beside another one is not",
        "a: {script: x, rules: [{if: $CI_COMMIT_TAG =~ /^v/}]}\n"
        "b: {script: x, needs: [a], rules: [{if: '$CI_COMMIT_TAG =~ /^w|^vv/'}]}\n",
        {"a": [], "b": ["a"]},
        [("G013", 2, 24)],
    ),
    (
        "wider globs change whenever narrower ones do",
        "a: {script: x, rules: [{changes: ['src/**/*']}]}\nb: {script: x, needs: [a], rules: [{changes: [src/x.c]}]}\n",
        {"a": [], "b": ["a"]},
        [],
    ),
    (
        "narrower ones need not change with wider ones",
        "a: {script: x, rules: [{changes: [src/x.c]}]}\nb: {script: x, needs: [a], rules: [{changes: ['src/**/*']}]}\n",
        {"a": [], "b": ["a"]},
        [("G013", 2, 24)],
    ),
    (
        "the workflow says which pipelines there are",
        "workflow: {rules: [{if: $CI_COMMIT_BRANCH == 'main'}]}\n" + LEFT_OUT,
        {"build": [], "test": ["build"]},
        [],
    ),
    (
        "the default branch is main where nothing else is said",
        LEFT_OUT.replace("- if: $CI_COMMIT_BRANCH\n", "- if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n"),
        {"build": [], "test": ["build"]},
        [],
    ),
    (
        "a job that is switched off is meant to be, and cannot be needed",
        "a: {script: x, rules: [{when: never}]}\nb: {script: x, needs: [a]}\nc: {script: x, when: never}\n",
        {"b": []},
        [("G033", 2, 24)],
    ),
    (
        "what exists is not known, and nothing is found on a guess",
        "a: {script: x, rules: [{exists: [Dockerfile]}]}\n"
        "b: {script: x, needs: [a], rules: [{if: $CI_COMMIT_BRANCH}]}\n",
        {"a": [], "b": ["a"]},
        [],
    ),
    (
        "a job that extends, with references, merges and hidden jobs",
        ".base: &base\n  script: x\n  rules: [{if: $CI_COMMIT_TAG}]\n.more: {extends: .base, stage: build}\n"
        "a: {extends: [.more]}\nb: {script: x, needs: [a], rules: [!reference [.base, rules]]}\n"
        "c: {<<: *base, needs: [b]}\n",
        {"a": [], "b": ["a"], "c": ["b"]},
        [],
    ),
    (
        "conditions by reference",
        ".tag: $CI_COMMIT_TAG\nworkflow: {rules: [{if: !reference [.tag]}]}\n"
        "a: {script: x, rules: [{if: !reference [.tag]}]}\nb: {script: x, needs: [a], rules: [{when: always}]}\n",
        {"a": [], "b": ["a"]},
        [],
    ),
    ("nothing to extend", "a:\n  script: x\n  extends: .bas\n", {"a": []}, [("G002", 3, 12)]),
    (
        "a circle of extends",
        ".a: {extends: .b}\n.b: {extends: .a}\nc: {script: x, extends: .a}\n",
        {"c": []},
        [("G011", 2, 15)],
    ),
    ("rules and only", "a:\n  script: x\n  only: [main]\n  rules: []\n", {}, [("G034", 3, 3)]),
    ("a condition that cannot be read", "a:\n  script: x\n  rules:\n    - if: $A ==\n", {"a": []}, [("G008", 4, 11)]),
    ("a job that does nothing", "a:\n  stage: test\n", {"a": []}, [("G008", 1, 1)]),
    (
        "artifacts of a job that is not waited for",
        "a: {stage: build, script: x}\nb:\n  script: x\n  needs: []\n  dependencies: [a]\n",
        {"a": [], "b": []},
        [("G007", 5, 18)],
    ),
    (
        "two different branches never go together",
        "a: {script: x, only: [main]}\nb: {script: x, only: [/^release/], needs: [a]}\n",
        {"a": [], "b": ["a"]},
        [("G004", 2, 1), ("G013", 2, 44)],
    ),
    (
        "except takes away",
        "a: {script: x, except: [tags]}\nb: {script: x, only: [branches], needs: [a]}\n",
        {"a": [], "b": ["a"]},
        [],
    ),
    ("no job at all", "image: alpine\nstages: [a]\n", {}, [("G008", 1, 1)]),
]


@pytest.mark.parametrize(("text", "befores", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_configuration_has_exactly_this_graph_and_these_findings(tmp_path, text, befores, expected):
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(text)
    report = hocket.verify(path)
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == expected
    graph = report.graph.tasks
    assert {name: sorted(edge.before for edge in task.edges) for name, task in graph.items()} == befores
    assert report.verdict == ("violated" if expected else "holds")
    if not expected:
        assert type(hocket.audit(report.certificate, path)).__name__ in ("Holds", "Unknown")


def test_the_configuration_of_a_left_out_job_is_shown():
    (finding,) = hocket.verify(LEFT_OUT, format="gitlab").findings
    assert finding.witness.values["CI_COMMIT_BRANCH"] not in (None, "main")
    assert finding.witness.values["CI_COMMIT_TAG"] is None


def test_whens_and_failures_that_are_allowed_are_accepted_by_who_waits():
    text = (
        "stages: [a, b, c]\n"
        "m: {stage: a, script: x, when: manual}\nf: {stage: a, script: x, allow_failure: true}\n"
        "n: {stage: b, script: x}\nlate: {stage: c, script: x, when: on_failure}\n"
        "all: {stage: c, script: x, when: always}\n"
    )
    graph = read_graph(text, "gitlab").graph
    accepts = {edge.before: edge.accepts for edge in graph.tasks["n"].edges}
    assert accepts["m"] == accepts["f"] == {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED}
    assert all(edge.accepts is None for edge in graph.tasks["all"].edges)
    report = hocket.verify(text, format="gitlab", assertions=["late can run", "n requires m", "all can run"])
    assert [finding.message.split(":")[0] for finding in report.findings] == ["'n requires m' does not hold"]


def test_files_of_the_repository_are_included_and_others_are_named(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "build.yml").write_text("build: {stage: build, script: x}\n")
    (tmp_path / ".gitlab-ci.yml").write_text(
        "include:\n  - local: /ci/*.yml\n  - local: none.yml\n  - project: other/one\n    file: x.yml\n"
        "test: {script: x, needs: [build, elsewhere]}\n"
    )
    report = hocket.verify(tmp_path / ".gitlab-ci.yml")
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == [
        ("G011", 3, 12), ("G091", 4, 14),
    ]  # fmt: skip
    assert report.graph.tasks["build"].span.path.endswith("ci/build.yml")
    assert [edge.before for edge in report.graph.tasks["test"].edges] == ["build"]


def test_no_file_outside_the_repository_is_opened(tmp_path):
    (tmp_path / "secret.yml").write_text("stolen: {script: x}\n")
    home = tmp_path / "repository"
    (home / ".git").mkdir(parents=True)
    (home / ".gitlab-ci.yml").write_text("include: ../secret.yml\na: {script: x}\n")
    report = hocket.verify(home / ".gitlab-ci.yml")
    assert "stolen" not in report.graph.tasks


def test_a_child_pipeline_with_the_resource_group_of_its_parent_waits_for_ever(tmp_path):
    (tmp_path / "child.yml").write_text(
        "deploy:\n  script: x\n  resource_group: production\n  rules: [{when: always}]\n"
    )
    (tmp_path / ".gitlab-ci.yml").write_text(
        "call:\n  resource_group: production\n  trigger:\n    include: child.yml\n    strategy: depend\n"
    )
    report = hocket.verify(tmp_path / ".gitlab-ci.yml")
    assert [(finding.code, finding.path.endswith("child.yml"), finding.line) for finding in report.findings] == [
        ("G006", True, 3)
    ]
    assert report.graph.tasks["call"].holds[0].until is Until.SCOPE


def test_copies_times_and_retries_of_a_job_are_read():
    text = "a:\n  script: x\n  parallel: {matrix: [{A: [1, 2], B: [x, y, z]}]}\n  timeout: 1h 30m\n  retry: {max: 2}\n"
    task = read_graph(text, "gitlab").graph.tasks["a"]
    assert (task.copies.least, task.timing.timeout, task.timing.retries) == (6, 5400.0, 2)
