"""Every fault that can be planted is found at its line, in one small graph of each format; see `tests.plant_faults`."""

from __future__ import annotations

import pytest

from hocket.verify.source import Source
from tests.plant_faults import PLANTS, faults

pytest.importorskip("z3")

TEXTS = {
    "github": "on: push\njobs:\n  build:\n    runs-on: x\n    steps: [{run: x}]\n"
    "  test:\n    needs: build\n    runs-on: x\n    steps: [{run: x}]\n",
    "gitlab": "stages: [build, test]\nbuild:\n  stage: build\n  script: x\ntest:\n  stage: test\n  script: x\n",
    "compose": "services:\n  db:\n    image: x\n  web:\n    image: x\n    depends_on: [db]\n",
    "argo": "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  entrypoint: main\n  templates:\n"
    "    - name: work\n      container: {image: x}\n    - name: main\n      dag:\n        tasks:\n"
    "          - name: a\n            template: work\n          - name: b\n            template: work\n"
    "            dependencies: [a]\n",
    "tekton": "apiVersion: tekton.dev/v1\nkind: Pipeline\nspec:\n  tasks:\n    - name: a\n      taskRef: {name: t}\n"
    "    - name: b\n      taskRef: {name: t}\n      runAfter: [a]\n",
    "asl": '{"StartAt": "A", "States": {\n  "A": {"Type": "Pass",\n    "Next": "B"},\n  "B": {"Type": "Succeed"}}}\n',
    "dot": "digraph {\n  a -> b\n}\n",
}


@pytest.mark.parametrize("format", PLANTS)
def test_each_planted_fault_is_found_where_it_was_planted(format):
    rows = list(faults(Source(f"graph.{'json' if format == 'asl' else 'yml'}", TEXTS[format])))
    assert rows == [(format, fault, True) for fault in PLANTS[format]]
