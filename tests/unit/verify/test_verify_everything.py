"""A slice of `python -m tests.fuzz_verify`: graphs with everything at once, judged, certified, audited."""

from __future__ import annotations

import random

import pytest

import hocket
from hocket.verify import judge
from hocket.verify.certificate import digest
from hocket.verify.model import NOWHERE
from hocket.verify.readers import quick
from hocket.verify.readers.native import Native
from hocket.verify.source import Source
from tests.fuzz_verify import changed_letters, examined, random_graph


@pytest.mark.parametrize("number", range(12))
def test_a_graph_with_everything_is_judged_without_a_crash_and_its_certificate_accepted(number):
    assert examined(random_graph(random.Random(f"ci/{number}"))) in ("holds", "violated", "unknown")


@pytest.mark.parametrize("number", [8, 26, 45, 47, 56])  # these hold, with some of the claims about their tasks
def test_a_certificate_changed_at_one_letter_is_refused_or_says_what_is_so(number):
    """Each is refused as it comes; sealed anew, it is accepted only if every claim in it holds."""
    found = changed_letters(random_graph(random.Random(f"11/{number}")), random.Random(number))
    assert sum(found.values()) == 20
    assert found["refused"] > 5


PLAIN = [
    '{"hocket": 1, "tasks": {"a": {}, "b": {"after": "a"}, "c": {"after": ["b", "a"]}, "d": null}}',
    '{"tasks": {"x": {"after": []}}, "hocket": 1}',
    '{"hocket": 1, "tasks": {": a": {}, "b": {"after": [": a"]}}}',
]
NOT_PLAIN = [
    '{"hocket": 1, "tasks": {"a": {"after": "a"}}}',
    '{"hocket": 1, "tasks": {"a": {"after": "b"}}}',
    '{"hocket": 1, "tasks": {"a": {}, "a": {}}}',
    '{"hocket": 1, "tasks": {"a": {}, "a" : {}}}',
    '{"hocket": 1, "tasks": {":": {}, "a": {}, "a" : {}}}',
    '{"hocket": 1, "tasks": {"a": {}, "b": {"after": "a", "after": "a"}}}',
    '{"hocket": 1, "tasks": {"a": {}}, "tasks": {"a": {}}}',
    '{"hocket": 1, "tasks": {"a": {"if": "x"}}}',
    '{"hocket": 1, "tasks": {"a": {"after": 1}}}',
    '{"hocket": 1, "tasks": {"a": {}, "b": {"after": ["a", "a"]}}}',
    '{"hocket": 2, "tasks": {"a": {}}}',
    '{"hocket": true, "tasks": {"a": {}}}',
    '{"hocket": 1, "tasks": {}}',
    '{"hocket": 1, "tasks": {"a": {}}, "deadline": 1}',
    '{"hocket": 1, "tasks": {"a": NaN}}',
    '{"hocket": 1, "tasks": {"a": {}}',
    "[" * 100_000,
    "{" * 100_000,
]


@pytest.mark.parametrize("text", PLAIN)
def test_read_without_places_a_plain_graph_is_the_same(text, monkeypatch):
    monkeypatch.setattr(quick, "_LARGE", 0)
    source = Source("g.json", text)
    found = quick.quick_graph(source)
    assert found is not None
    slow = Native().read(source).graph
    assert digest(found) == digest(slow)
    assert dict(found.tasks) == slow.tasks, "with the places of each, looked up when it is asked for"
    assert [found.size, found.plain, found.conditional, found.children] == [slow.size, True, False, {}]


@pytest.mark.parametrize("name", ["after", "tasks", "hocket", "\\u00e4"])
def test_where_a_look_does_not_tell_the_places_there_are_none(name, monkeypatch):
    monkeypatch.setattr(quick, "_LARGE", 0)
    source = Source("g.json", f'{{"hocket": 1, "tasks": {{"{name}": {{}}, "b": {{"after": ["{name}"]}}}}}}')
    found = quick.quick_graph(source)
    assert found is not None
    assert digest(found) == digest(Native().read(source).graph)
    places = {span for task in found.tasks.values() for span in (task.span, *(edge.span for edge in task.edges))}
    assert places == {NOWHERE}


@pytest.mark.parametrize("text", NOT_PLAIN, ids=range(len(NOT_PLAIN)))
def test_whatever_is_not_plain_is_left_to_the_reader_with_places(text, monkeypatch):
    monkeypatch.setattr(quick, "_LARGE", 0)
    assert quick.quick_graph(Source("g.json", text)) is None


WRONG = """\
{"hocket": 1, "tasks": {
  "a": {"after": "c"}, "b": {
    "after": ["x",
      "a"]},
  "c": {"after": ["x", "b"]}, "x": {}, "y": null}}
"""
FINE = WRONG.replace('"a": {"after": "c"}', '"a": {}')


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (WRONG, []),
        (FINE, ["y before c", "C before a", "x before c"]),
        (FINE, [f"{one} before {other}" for one in "abcxy" for other in "abcxy" if one != other] * 20),
        (FINE, ["nobody before a"]),
        (WRONG.replace('"x"', '"\\u00e4"'), []),
    ],
    ids=["cycle", "claims", "many claims", "unknown task", "escapes"],
)
def test_what_is_found_without_places_is_told_with_those_that_the_other_reader_gives(text, claims, monkeypatch):
    slow = hocket.verify(text, format="hocket", assertions=claims)
    monkeypatch.setattr(quick, "_LARGE", 0)
    found = hocket.verify(text, format="hocket", assertions=claims)
    assert found.findings == slow.findings
    assert found.findings
    assert str(found) == str(slow)


def test_a_cycle_in_a_large_file_is_told_without_reading_all_places(monkeypatch):
    monkeypatch.setattr(quick, "_LARGE", 0)
    monkeypatch.setattr(judge, "read_graph", lambda *given: pytest.fail("it was read again"))
    (finding,) = hocket.verify(WRONG, format="hocket").findings
    assert [(note.span.line, note.span.column) for note in finding.notes] == [(2, 18), (5, 24), (4, 7)]
