"""Real files of public projects: exact graphs and exact findings. `HOCKET_GRAPHS` names the folder that holds them.

The folder has one folder a format; it is no part of the project, and without it these tests are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hocket

pytest.importorskip("z3")

HOME = Path(os.environ.get("HOCKET_GRAPHS", "/nonexistent"))
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="HOCKET_GRAPHS names no folder of real graphs")

# file, format, tasks, edges, findings as (code, line, column)
FILES = [
    ("gitlab_ci/gitlab-ci-local/needs-optional-complex.yml", "gitlab", 3, 2, []),
    ("gitlab_ci/gitlab-ci-local/never-needs.yml", "gitlab", 2, 0, [("G033", 10, 11)]),
    ("gitlab_ci/gitlab-ci-local/rules-needs.yml", "gitlab", 3, 2, []),
    ("docker_compose/getsentry+self-hosted__docker-compose.yml", "compose", 57, 236, []),
    ("docker_compose/open-telemetry+opentelemetry-demo__compose.yaml", "compose", 20, 46, []),
    ("docker_compose/compose-spec+compose-go__loader__testdata__compose-depends-on-cycle.yaml", "compose", 3, 3,
     [("G001", 6, 9)]),
    ("docker_compose/compose-spec+compose-go__loader__testdata__compose-depends-on-profile-no-cycle.yaml", "compose",
     3, 3, [("G001", 6, 9)]),
    ("airflow_serialized/example_branch_labels.json", "airflow", 7, 7, []),
    ("airflow_serialized/example_complex.json", "airflow", 37, 59, []),
    ("airflow_serialized/example_setup_teardown.json", "airflow", 6, 7, []),
    ("airflow_serialized/latest_only_with_trigger.json", "airflow", 5, 5, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "format", "tasks", "edges", "expected"), FILES, ids=[row[0] for row in FILES])
def test_a_real_file_has_exactly_this_graph_and_these_findings(name, format, tasks, edges, expected):
    report = hocket.verify(HOME / name, format=format)
    assert [(finding.code, finding.line, finding.column) for finding in report.findings] == expected
    assert (report.counts["tasks"], report.counts["edges"]) == (tasks, edges)


def test_a_large_configuration_has_its_includes_named_and_its_one_mistake_found():
    """rocq: five includes that are not here, and `variables` twice in one job (GitLab keeps the last, silently)."""
    report = hocket.verify(HOME / "gitlab_ci" / "rocq-prover+rocq__.gitlab-ci.yml")
    codes = [(finding.code, finding.line) for finding in report.findings]
    assert codes == [("G091", line) for line in (4, 9, 13, 17, 21)] + [("G003", 614)]
    assert (report.counts["tasks"], report.counts["edges"]) == (107, 388)
