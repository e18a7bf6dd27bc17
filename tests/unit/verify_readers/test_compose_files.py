"""Docker compose: each row is a project, what its services wait for and until when, and what is wrong with it."""

from __future__ import annotations

import pytest

import hocket
from hocket.verify.judge import read_graph
from hocket.verify.model import Point

pytest.importorskip("z3")

# name, text, {service: {service: point}}, findings as (code, line, column)
FILES = [
    (
        "short and long",
        "services:\n  a: {image: x}\n  b:\n    image: y\n    depends_on: [a]\n"
        "  c:\n    image: z\n    depends_on:\n      a: {condition: service_healthy}\n"
        "      b: {condition: service_completed_successfully}\n",
        {"a": {}, "b": {"a": "opened"}, "c": {"a": "ready", "b": "closed"}},
        [],
    ),
    (
        "everything that makes a service wait",
        "services:\n  a: {image: x}\n  b: {image: x, links: ['a:db']}\n  c: {image: x, network_mode: 'service:a'}\n"
        "  d: {image: x, volumes_from: ['a:ro', 'container:other']}\n"
        "  e: {image: x, ipc: 'service:a', pid: 'service:b'}\n",
        {
            "a": {},
            "b": {"a": "opened"},
            "c": {"a": "opened"},
            "d": {"a": "opened"},
            "e": {"a": "opened", "b": "opened"},
        },
        [],
    ),
    (
        "a cycle over links and depends_on",
        "services:\n  a:\n    depends_on: [b]\n  b:\n    links: ['a:x']\n",
        {"a": {"b": "opened"}, "b": {"a": "opened"}},
        [("G001", 3, 18)],
    ),
    ("a service that is not there", "services:\n  a:\n    depends_on: [bb]\n", {"a": {}}, [("G002", 3, 18)]),
    ("one that need not be", "services:\n  a:\n    depends_on: {bb: {required: false}}\n", {"a": {}}, []),
    ("itself", "services:\n  a:\n    depends_on: [a]\n", {"a": {}}, [("G005", 3, 18)]),
    (
        "health that is switched off",
        "services:\n  a:\n    healthcheck: {disable: true}\n  b:\n    depends_on:\n"
        "      a: {condition: service_healthy}\n",
        {"a": {}, "b": {"a": "ready"}},
        [("G031", 6, 22)],
    ),
    (
        "health that tests nothing",
        "services:\n  a:\n    healthcheck: {test: [NONE]}\n  b:\n    depends_on: {a: {condition: service_healthy}}\n",
        {"a": {}, "b": {"a": "ready"}},
        [("G031", 5, 33)],
    ),
    (
        "the end of a service that is always started again",
        "services:\n  a:\n    restart: always\n  b:\n    depends_on:\n"
        "      a: {condition: service_completed_successfully}\n",
        {"a": {}, "b": {"a": "closed"}},
        [("G032", 6, 22)],
    ),
    (
        "a profile that is not on",
        "services:\n  a: {image: x, profiles: [p]}\n  b:\n    image: x\n    depends_on: [a]\n",
        {"a": {}, "b": {"a": "opened"}},
        [("G013", 5, 18)],
    ),
    (
        "the same profile",
        "services:\n  a: {image: x, profiles: [p, q]}\n  b: {image: x, depends_on: [a], profiles: [p]}\n",
        {"a": {}, "b": {"a": "opened"}},
        [],
    ),
    (
        "merges, and an extension of another service",
        "x-base: &base\n  depends_on: [db]\nservices:\n  db: {image: x}\n  a:\n    <<: *base\n"
        "  b:\n    extends: {service: a}\n    depends_on: {c: {condition: service_healthy}}\n  c: {image: x}\n",
        {"db": {}, "a": {"db": "opened"}, "b": {"db": "opened", "c": "ready"}, "c": {}},
        [],
    ),
    (
        "a port for two",
        "services:\n  a: {ports: ['80:1']}\n  b: {ports: ['80:2']}\n",
        {"a": {}, "b": {}},
        [("G034", 3, 15)],
    ),
    (
        "a port for one of two, by profile, protocol or address",
        "services:\n  a: {ports: ['80:1']}\n  b: {ports: ['80:2'], profiles: [p]}\n"
        "  c: {ports: ['80:1/udp', '[::1]:80:1']}\n",
        {"a": {}, "b": {}, "c": {}},
        [],
    ),
    (
        "an unknown condition",
        "services:\n  a:\n    depends_on: {b: {condition: healthy}}\n  b: {image: x}\n",
        {"a": {"b": "opened"}, "b": {}},
        [("G008", 3, 33)],
    ),
    ("a service twice", "services:\n  a: {image: x}\n  a: {image: y}\n", {"a": {}}, [("G003", 3, 3)]),
]


@pytest.mark.parametrize(("text", "befores", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_project_has_exactly_this_graph_and_these_findings(text, befores, expected):
    report = hocket.verify(text, format="compose")
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == expected
    graph = report.graph.tasks
    assert {name: {edge.before: edge.point.value for edge in task.edges} for name, task in graph.items()} == befores


def test_the_override_and_the_includes_of_a_project_are_merged(tmp_path):
    (tmp_path / "compose.yaml").write_text(
        "include: [more.yaml]\nservices:\n  a: {image: x, depends_on: [m]}\n  o: {image: x}\n"
    )
    (tmp_path / "more.yaml").write_text("services:\n  m: {image: x}\n")
    (tmp_path / "compose.override.yaml").write_text("services:\n  a:\n    depends_on: [o]\n  o: {depends_on: [a]}\n")
    report = hocket.verify(tmp_path / "compose.yaml")
    assert {edge.before for edge in report.graph.tasks["a"].edges} == {"m", "o"}
    ((code, notes),) = [(finding.code, finding.notes) for finding in report.findings]
    assert code == "G001"
    assert {note.span.path.rpartition("/")[2] for note in notes} == {"compose.override.yaml"}


def test_what_an_override_resets_is_gone(tmp_path):
    (tmp_path / "compose.yml").write_text("services:\n  a: {depends_on: [b]}\n  b: {image: x}\n")
    (tmp_path / "compose.override.yml").write_text(
        "services:\n  a:\n    depends_on: !reset []\n  b: {depends_on: [a]}\n"
    )
    report = hocket.verify(tmp_path / "compose.yml")
    assert report.findings == ()


def test_an_include_that_is_not_here_is_named_and_nothing_is_undefined_because_of_it(tmp_path):
    (tmp_path / "compose.yml").write_text(
        "include:\n  - oci://example/x\n  - gone.yml\nservices:\n  a: {depends_on: [b]}\n"
    )
    report = hocket.verify(tmp_path / "compose.yml")
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == [
        ("G091", 2, 5),
        ("G011", 3, 5),
    ]


def test_the_json_of_docker_compose_config_is_read_with_its_places():
    text = '{"services": {"a": {"depends_on": {"b": {"condition": "service_healthy", "required": true}}},\n "b": {}}}\n'
    (edge,) = read_graph(text, "compose").graph.tasks["a"].edges
    assert (edge.before, edge.point, edge.span.line, edge.span.column) == ("b", Point.READY, 1, 36)


def test_a_file_that_is_laid_over_another_one_knows_its_services(tmp_path):
    (tmp_path / "compose.yaml").write_text("services:\n  db: {image: x}\n  db: {image: y}\n")
    (tmp_path / "compose.tests.yaml").write_text("services:\n  t: {depends_on: [db, of_a_third_file]}\n")
    (tmp_path / "compose.third.yaml").write_text("services:\n  of_a_third_file: {image: x}\n")
    report = hocket.verify(tmp_path / "compose.tests.yaml")
    assert report.findings == ()  # that `db` stands twice is told where its own file is judged
    assert [edge.before for edge in report.graph.tasks["t"].edges] == ["db"]
