"""Certificates: accepted for what holds, refused for every lie, and honest about what they cannot check."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket.verdict import Certificate, Holds, Violated
from hocket.verify.certificate import seal

acyclic = st.integers(1, 8).flatmap(
    lambda size: st.fixed_dictionaries(
        {node: st.lists(st.integers(0, max(node - 1, 0)), max_size=3 if node else 0) for node in range(size)}
    )
)
WORKFLOW = """\
on: [push, pull_request]
jobs:
  a: {runs-on: x, steps: [], if: "github.event_name == 'push'"}
  b: {needs: a, runs-on: x, steps: []}
  c: {needs: [a, b], runs-on: x, steps: [], if: always()}
  d: {runs-on: x, steps: [], if: "github.event_name == 'pull_request'"}
"""


@given(acyclic)
def test_the_certificate_of_an_acyclic_graph_is_accepted(graph):
    assert isinstance(hocket.audit(hocket.verify(graph).certificate, graph), Holds)


@settings(max_examples=100, deadline=None)
@given(acyclic, st.data())
def test_every_single_bit_lie_about_a_rank_is_refused(graph, data):
    certificate = hocket.verify(graph).certificate
    lie = copy.deepcopy(certificate.data)
    place = data.draw(st.integers(0, len(lie["rank"]) - 1))
    lie["rank"][place] ^= 1 << data.draw(st.integers(0, 40))
    assert isinstance(hocket.audit(Certificate(certificate.kind, lie), graph), Violated)


@given(acyclic, st.data())
def test_every_single_bit_lie_about_the_graph_is_refused(graph, data):
    certificate = hocket.verify(graph).certificate
    digest = int(certificate.data["graph"], 16) ^ (1 << data.draw(st.integers(0, 255)))
    lie = {**certificate.data, "graph": f"{digest:064x}"}
    assert isinstance(hocket.audit(Certificate(certificate.kind, lie), graph), Violated)


def test_a_certificate_is_json_and_says_which_runs_show_what():
    report = hocket.verify(WORKFLOW, assertions=["a before c", "b can run before c", "c can run before d"])
    assert report.verdict == "unknown" or report.certificate is not None
    data = json.loads(json.dumps(report.certificate.data)) if report.certificate else None
    parts = ["apart", "graph", "never", "ordered", "orders", "rank", "resources", "runs", "seal", "shown", "workers"]
    assert data is None or sorted(data) == parts


def test_a_workflow_with_paths_and_examples_is_checked_completely():
    claims = ["a before c", "b can run before c", "a never with c"]
    report = hocket.verify(WORKFLOW, assertions=claims)
    data = json.loads(json.dumps(report.certificate.data))
    assert [order["path"] for order in data["orders"]] == [["a", "c"], ["a", "c"]]
    verdict = hocket.audit(Certificate(report.certificate.kind, data), WORKFLOW)
    assert isinstance(verdict, Holds)
    assert verdict.counts == {"ranks": 4, "runs": 3, "orders": 2, "refutations": 0, "claims of a solver": 0}


LIES = {
    "a run in which a job runs against its condition": lambda data: data["runs"][0]["values"].update(
        {"github.event_name": "schedule"}
    ),
    "a run that ends too early": lambda data: data["runs"][0]["events"].pop(),
    "too few runs": lambda data: data["runs"].pop(),
    "no runs": lambda data: data["runs"].clear(),
    "a path without an edge": lambda data: data["orders"][0].update(path=["a", "d", "c"]),
    "a path to somewhere else": lambda data: data["orders"][0].update(path=["a", "b"]),
    "a path of one": lambda data: data["orders"][0].update(path=["a"]),
    "an empty path": lambda data: data["orders"][0].update(path=[]),
    "another claim": lambda data: data["orders"][0].update(claim="c before a"),
    "an example of something else": lambda data: data["shown"][0].update(claim="c can run before b"),
    "a rank that is no number": lambda data: data["rank"].__setitem__(0, "0"),
    "a rank that is true": lambda data: data["rank"].__setitem__(1, True),
    "too many ranks": lambda data: data["rank"].append(0),
    "an unknown event": lambda data: data["runs"][0]["events"][0].__setitem__(0, "begins"),
    "an unknown task": lambda data: data["runs"][0]["events"][0].__setitem__(1, "z"),
    "a part missing": lambda data: data.pop("never"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_in_any_part_is_refused(lie):
    certificate = hocket.verify(WORKFLOW, assertions=["a before c", "b can run before c"]).certificate
    data = json.loads(json.dumps(certificate.data))
    lie(data)
    assert isinstance(hocket.audit(Certificate(certificate.kind, data), WORKFLOW), Violated)


def test_a_certificate_is_of_its_source_only():
    certificate = hocket.verify(WORKFLOW).certificate
    assert isinstance(hocket.audit(certificate, WORKFLOW.replace("needs: a,", "needs: [],")), Violated)
    assert isinstance(hocket.audit(certificate, WORKFLOW.replace("'push'\"", "'release'\"")), Violated)
    assert isinstance(hocket.audit(Certificate("something/1", certificate.data), WORKFLOW), Violated)
    assert isinstance(hocket.audit(certificate, "# a comment changes no meaning\n" + WORKFLOW), Holds)


def test_a_claim_that_conditions_make_true_comes_with_its_refutation():
    report = hocket.verify(WORKFLOW, assertions=["a before d"])  # one only on push, the other only on pull_request
    assert report.verdict == "holds"
    (row,) = report.certificate.data["never"]
    assert (row["claim"], row["lemmas"], row["smtlib"]) == ("a before d", [[]], "")  # following is all it takes
    verdict = hocket.audit(report.certificate, WORKFLOW)
    assert isinstance(verdict, Holds)
    assert verdict.counts["refutations"] == 1


def test_nothing_that_is_violated_has_a_certificate():
    assert hocket.verify({"a": ["b"], "b": ["a"]}).certificate is None


def test_the_audit_needs_no_z3(tmp_path):
    report = hocket.verify(WORKFLOW, assertions=["b can run before c"])
    (tmp_path / "w.yml").write_text(WORKFLOW)
    (tmp_path / "c.json").write_text(json.dumps([report.certificate.kind, report.certificate.data]))
    code = (
        "import sys, json; sys.modules['z3'] = None\n"
        "import hocket; from hocket.verdict import Certificate\n"
        "print(type(hocket.audit(Certificate(*json.load(open('c.json'))), 'w.yml')).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Holds\n"


def test_a_path_cannot_leave_a_called_workflow_and_enter_it_again(tmp_path):
    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    steps = "{runs-on: x, steps: [{run: x}]}"
    (home / "in.yml").write_text(f"on: workflow_call\njobs:\n  x: {steps}\n  y: {steps}\n")
    (home / "w.yml").write_text(
        f"on: push\njobs:\n  a: {steps}\n  call: {{needs: a, uses: ./.github/workflows/in.yml}}\n"
    )
    report = hocket.verify(home / "w.yml", assertions=["a before call / x"])
    assert report.certificate.data["orders"] == [{"claim": "a before call / x", "path": ["a", "call", "call / x"]}]
    assert isinstance(hocket.audit(report.certificate, home / "w.yml"), Holds)
    for claim, path in [
        ("call / x before call / y", ["call / x", "call", "call / y"]),
        ("call before call / x", ["call", "call / x"]),
        ("call / x before call", ["call / x", "call"]),
    ]:
        lie = {**report.certificate.data, "orders": [{"claim": claim, "path": path}]}
        assert isinstance(hocket.audit(Certificate(report.certificate.kind, lie), home / "w.yml"), Violated)


RICH = """\
hocket: 1
variables: {branch: string}
resources: {A: 1, B: 2}
channels: {c: 1}
tasks:
  build: {if: "branch == 'main'", writes: dist, takes: [1, 2]}
  test: {after: {task: build, accepts: [succeeded, skipped]}, reads: dist, deadline: 100, takes: [1, 2]}
  outer: {holds: {resource: A, until: scope}, tasks: {inner: {holds: B}}, takes: 1}
  also: {holds: {resource: A, until: scope}, tasks: {too: {holds: {resource: B, amount: 2}}}, takes: 1}
assert: ["build before test", "test can run before outer", "outer / inner never with also / too"]
"""


@cache
def rich():
    return hocket.verify(RICH, format="hocket")


def leaves(value, path=()):
    """Every number, string and truth value of a certificate, by its way there."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))
    else:
        yield path


def flipped(value, bit):
    """The value with one bit of it turned round."""
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << bit % 40
    if isinstance(value, float):
        return value + 2.0 ** (bit % 10)
    if not value:
        return chr(1 << bit % 7)
    place = bit % len(value)
    return value[:place] + chr(ord(value[place]) ^ 1 << bit % 7) + value[place + 1 :]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_single_bit_of_a_certificate_counts(data):
    report = rich()
    lie = json.loads(json.dumps(report.certificate.data))
    path = data.draw(st.sampled_from(list(leaves(lie))))
    place = lie
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = flipped(place[path[-1]], data.draw(st.integers(0, 500)))
    assert isinstance(hocket.audit(Certificate(report.certificate.kind, lie), RICH, format="hocket"), Violated)


def test_the_certificate_of_a_graph_with_everything_is_accepted():
    report = rich()
    assert report.verdict == "holds"
    verdict = hocket.audit(report.certificate, RICH, format="hocket")
    assert isinstance(verdict, Holds)


# lies that come with a fresh seal: what each part says is checked for itself
SEALED_LIES = {
    "another rank": lambda data: data["rank"].__setitem__(0, 1),
    "no runs": lambda data: data["runs"].clear(),
    "a run cut short": lambda data: data["runs"][0]["events"].pop(),
    "an order that no edge makes": lambda data: data["ordered"].append("test before build"),
    "a lock that is none": lambda data: data["apart"].append("build never with test"),
    "a claim of the file left out": lambda data: data["orders"].clear(),
    "an example left out": lambda data: data["shown"].clear(),
    "a resource that is above itself": lambda data: data["resources"].append([["A"], True]),
    "other workers": lambda data: data.update(workers=1),
}


@pytest.mark.parametrize("lie", SEALED_LIES.values(), ids=SEALED_LIES.keys())
def test_a_lie_with_a_fresh_seal_is_refused(lie):
    report = rich()
    data = json.loads(json.dumps(report.certificate.data))
    before = json.dumps(data)
    lie(data)
    data["seal"] = seal(data)
    if json.dumps(data) == before:
        pytest.skip("there is nothing of that kind in this certificate")
    assert isinstance(hocket.audit(Certificate(report.certificate.kind, data), RICH, format="hocket"), Violated)
