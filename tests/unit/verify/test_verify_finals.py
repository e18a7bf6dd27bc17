"""What a graph is run for: nobody waits for it, and whatever it does not wait for is left over."""

from __future__ import annotations

import json

import pytest

import hocket
from hocket.verdict import Holds, Violated
from hocket.verify.certificate import digest
from hocket.verify.judge import read_graph

GRAPH = """\
hocket: 1
finals: {finals}
tasks:
  build: {{}}
  test: {{after: build, tasks: {{unit: {{}}, slow: {{after: unit}}}}}}
  deploy: {{after: {{task: test, until: opened}}}}
  lint: {{}}
"""


def found(finals: str) -> list[tuple[str, int, tuple[str, ...]]]:
    report = hocket.verify(GRAPH.format(finals=finals), format="hocket")
    return [(one.code, one.line, one.about or tuple(note.text for note in one.notes)) for one in report.findings]


@pytest.mark.parametrize(
    ("finals", "expected"),
    [
        ("[deploy, lint]", []),
        ("deploy", [("G014", 7, ("lint",))]),
        ("[lint]", [("G014", 4, ("build",)), ("G014", 5, ("test",)), ("G014", 6, ("deploy",))]),
        ("[deploy, lint, build]", [("G038", 2, ("'test' waits for it",))]),
        ("[deploy, lint, test]", [("G038", 2, ("'deploy' waits for it",))]),
        ("[deploy, lint, test / slow]", [("G038", 2, ("it runs within 'test'",))]),
        ("[deploy, lint, ship]", [("G002", 2, ())]),
        ("[]", []),
    ],
)
def test_a_final_task_has_no_parent_and_the_others_lead_to_one(finals, expected):
    assert found(finals) == expected


def test_what_only_awaits_in_its_middle_is_a_parent_too():
    text = json.dumps({"hocket": 1, "finals": ["a", "b"], "tasks": {"a": {}, "b": {"awaits": "a"}}})
    (finding,) = hocket.verify(text, format="hocket").findings
    assert (finding.code, finding.message) == ("G038", "'a' is finalised, and 'b' waits for it")


def test_a_certificate_is_of_these_finals():
    texts = [GRAPH.format(finals=finals) for finals in ("[deploy, lint]", "[]")]
    one, other = (read_graph(text, "hocket").graph for text in texts)
    assert digest(one) != digest(other)
    certificate = hocket.verify(texts[0], format="hocket").certificate
    assert isinstance(hocket.audit(certificate, texts[0], format="hocket"), Holds)
    assert isinstance(hocket.audit(certificate, texts[1], format="hocket"), Violated)
