"""Real workflows of public projects, read where they lie: exact graphs, exact findings, and no false alarm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import hocket

CORPUS = Path(__file__).parents[4] / "shared" / "graphs" / "github_actions"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the corpus of real workflows is not at {CORPUS}")

# file, tasks, edges, findings as (code, line, column)
FILES = [
    ("HypothesisWorks+hypothesis__main.yml", 8, 11, []),
    ("argoproj+argo-workflows__ci-build.yaml", 10, 13, []),
    ("dask+distributed__tests.yaml", 2, 0, []),
    ("python-trio+trio__ci.yml", 9, 13, []),
    ("rhysd+actionlint__testdata__err__minimal_cycle_in_needs.yaml", 2, 2, [("G001", 5, 13)]),
    ("rhysd+actionlint__testdata__examples__invalid_ids_in_needs.yaml", 2, 1, [("G003", 4, 18), ("G002", 9, 13)]),
    ("deadlock_bluebuild/build-reusable.yml", 1, 0, []),
    ("deadlock_bluebuild/fixed_build-reusable.yml", 1, 0, []),
    ("deadlock_bluebuild/trigger-rebuilds.yml", 1, 0, []),
    ("deadlock_bluebuild/build.yml", 2, 0, [("G006", 15, 10)]),
]


def test_every_file_of_the_corpus_is_in_the_table():
    files = {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.y*ml")}
    assert files == {name for name, *_ in FILES}


@pytest.mark.parametrize(("name", "tasks", "edges", "expected"), FILES, ids=[row[0] for row in FILES])
def test_a_real_workflow_has_exactly_these_findings(name, tasks, edges, expected):
    report = hocket.verify(CORPUS / name)
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == expected
    assert (report.counts["tasks"], report.counts["edges"]) == (tasks, edges)
    assert report.verdict == ("violated" if expected else "holds")


@pytest.mark.parametrize("name", [name for name, _, _, expected in FILES if not expected])
def test_the_certificate_of_a_good_file_is_accepted_without_a_solver(name):
    report = hocket.verify(CORPUS / name)
    verdict = hocket.audit(report.certificate, CORPUS / name)
    assert type(verdict).__name__ == "Holds", verdict


def test_the_deadlock_of_blue_build_names_both_groups_and_its_repair_is_accepted(tmp_path):
    report = hocket.verify(CORPUS / "deadlock_bluebuild" / "build.yml")
    (finding,) = report.findings
    places = [(Path(note.span.path).name, note.span.line, note.span.column) for note in finding.notes]
    assert places == [("build.yml", 15, 10), ("build-reusable.yml", 15, 10)]
    assert [str(event) for event in finding.witness.events] == ["build waits for ever"]

    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    shutil.copy(CORPUS / "deadlock_bluebuild" / "build.yml", home / "build.yml")
    shutil.copy(CORPUS / "deadlock_bluebuild" / "fixed_build-reusable.yml", home / "build-reusable.yml")
    repaired = hocket.verify(home / "build.yml")
    assert (repaired.verdict, repaired.findings) == ("holds", ())
    assert repaired.counts["groups compared"] == 1
