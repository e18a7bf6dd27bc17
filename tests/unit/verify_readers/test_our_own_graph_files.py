"""Our own graph files: everything the middle model can say, every slip with its place, and the schema beside them."""

from __future__ import annotations

import json
import math

import pytest

import hocket
from hocket.verify.formula import All, Equal, Is, Not, Outcome
from hocket.verify.judge import read_graph
from hocket.verify.model import Join, Kind, Mode, Point, Until, Way
from hocket.verify.readers.native import GRAPH_KEYS, TASK_KEYS, schema

pytest.importorskip("z3")

WHOLE = """\
hocket: 1
name: release
tasks:
  build: {takes: [60, 300], writes: [dist], retries: 2, delay: 5, timeout: 400}
  lint: {if: not quick, may: [succeeded, failed]}
  test:
    after: [build, {task: lint, accepts: [succeeded, skipped], optional: true}]
    present: branch starts with 'm' or branch fits '^v[0-9]+$'
    reads: dist
    join: any
  deploy:
    after: {task: test, accepts: any, until: opened}
    holds: [production, {resource: gpu, amount: 2, until: task}]
    tasks:
      a: {sends: out}
      b: {after: a, if: a succeeded, receives: [{channel: out, times: 3}]}
    awaits: [lint]
  w: {template: worker, copies: [0, null], deadline: 60, works: false, ready: false, lost: build failed}
templates:
  worker: {after: build, copies: 3}
variables: {quick: boolean, branch: string, level: {values: [1, 2], owner: build}}
given: [branch != '', not quick or branch == 'main']
resources: {production: 1, gpu: 4}
channels: {out: 2, free: null}
entries: [build, lint]
assert: ["build before w"]
deadline: 3600
"""


def test_every_key_comes_to_its_place_in_the_model():
    graph = read_graph(WHOLE).graph
    task = graph.tasks
    assert list(task) == ["build", "lint", "test", "deploy", "deploy / a", "deploy / b", "w"]
    build = task["build"]
    assert (build.timing.least, build.timing.most, build.timing.timeout) == (60.0, 300.0, 400.0)
    assert (build.timing.retries, build.timing.delay, build.accesses[0].mode) == (2, 5.0, Mode.WRITE)
    assert task["lint"].activation == Not(Equal("quick", True))
    first, second = task["test"].edges
    assert (first.accepts, first.optional) == (frozenset({Outcome.SUCCEEDED}), False)
    assert (second.accepts, second.optional) == (frozenset({Outcome.SUCCEEDED, Outcome.SKIPPED}), True)
    assert (task["test"].join, task["test"].accesses[0].mode) == (Join.ANY, Mode.READ)
    (edge,) = task["deploy"].edges
    assert (edge.accepts, edge.point, edge.span.line, edge.span.column) == (None, Point.OPENED, 12, 19)
    held = [(hold.group.text, hold.group.capacity, hold.amount, hold.until) for hold in task["deploy"].holds]
    assert held == [("production", 1, 1, Until.SCOPE), ("gpu", 4, 2, Until.TASK)]
    assert task["deploy"].awaits[0].before == "lint"
    assert task["deploy / b"].parent == "deploy"
    assert task["deploy / b"].activation == Is("deploy / a", frozenset({Outcome.SUCCEEDED}))
    (receive,) = task["deploy / b"].transfers
    assert (receive.channel, receive.way, receive.times) == ("out", Way.RECEIVE, 3)
    worker = task["w"]
    assert (worker.copies.least, worker.copies.most, worker.timing.deadline) == (0, None, 60.0)
    assert (worker.edges[0].before, worker.works, worker.ready) == ("build", False, False)
    assert worker.lost == Is("build", frozenset({Outcome.FAILED}))
    assert graph.variables["level"].values == (1.0, 2.0)
    assert (graph.variables["level"].owner, graph.variables["branch"].kinds) == ("build", frozenset({Kind.STRING}))
    assert isinstance(graph.given, All)
    assert (graph.channels["out"].capacity, graph.channels["free"].capacity) == (2, None)
    assert (graph.entries, graph.claims[0][0], graph.claims[0][1].line, graph.deadline) == (
        ("build", "lint"), "build before w", 26, 3600.0,
    )  # fmt: skip


# what is wrong: (text of the tasks, code, line, column)
SLIPS = [
    ("a: {after: b}", "G002", 3, 14),
    ("a: {after: a}", "G005", 3, 14),
    ("a: {after: [b, b]}\n  b: {}", "G003", 3, 18),
    ("a: {aftr: b}", "G008", 3, 7),
    ("a: {if: b}", "G008", 3, 11),
    ("a: {if: 'x == 1'}", "G008", 3, 12),
    ("a: {if: b succeeded}", "G008", 3, 11),
    ("a: {after: {task: b, accepts: [good, succeeded]}}\n  b: {}", "G008", 3, 34),
    ("a: {after: {task: b, until: never}}\n  b: {}", "G008", 3, 31),
    ("a: {holds: gpu}", "G002", 3, 14),
    ("a: {sends: out}", "G002", 3, 14),
    ("a: {template: t}", "G002", 3, 17),
    ("a: {retries: some}", "G008", 3, 16),
    ("a: {timeout: -1}", "G008", 3, 16),
    ("a: words", "G008", 3, 3),
    ("a: {}\n  a: {}", "G003", 4, 3),
    ("a: {after: [[b]]}", "G008", 3, 15),
]


@pytest.mark.parametrize(("tasks", "code", "line", "column"), SLIPS, ids=[row[0] for row in SLIPS])
def test_a_slip_is_found_where_it_stands(tasks, code, line, column):
    findings = hocket.verify(f"hocket: 1\ntasks:\n  {tasks}\n").findings
    assert [(finding.code, finding.line, finding.column) for finding in findings] == [(code, line, column)]


def test_json_is_read_as_yaml_is_with_its_own_places():
    text = json.dumps({"hocket": 1, "tasks": {"a": {"after": ["b"]}, "b": {"after": "a"}}}, indent=1)
    (finding,) = hocket.verify(text).findings
    assert (finding.code, finding.line, finding.column) == ("G001", 6, 5)


def test_templates_within_each_other_end_with_a_finding_and_not_with_the_memory():
    text = "hocket: 1\ntasks: {a: {template: t}}\ntemplates:\n  t: {tasks: {x: {template: t}}}\n"
    assert [finding.code for finding in hocket.verify(text).findings] == ["G011"]
    text = text.replace("{x: {template: t}}", "{x: {template: t}, y: {template: t}}")
    with pytest.raises(hocket.errors.SourceError, match="more than 20000 tasks"):
        hocket.verify(text)


def test_the_schema_knows_exactly_the_keys_that_the_reader_knows():
    told = json.loads(schema())
    assert set(told["properties"]) == GRAPH_KEYS
    assert set(told["$defs"]["task"]["properties"]) == TASK_KEYS


def test_what_takes_no_time_bound_has_none():
    timing = read_graph("hocket: 1\ntasks: {a: {takes: 5}, b: {}}\n").graph.tasks["a"].timing
    assert (timing.least, timing.most, timing.timeout) == (5.0, 5.0, math.inf)
