"""What public repositories have taught: each test is the smallest text that was read wrongly once."""

from __future__ import annotations

import pytest

import hocket
from hocket.verify.readers import sniffed
from hocket.verify.readers.discover import graphs_in
from hocket.verify.readers.dot import Dot
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source


def test_a_drawing_in_comments_is_no_graph_of_dot_and_that_is_seen_at_once():
    drawing = "".join(f"#{' ' * (n % 40)}/{' ' * 40}\\\n" for n in range(200))
    assert not Dot().sniff(Source("w.yaml", drawing + "\n" * 200 + " " * 200 + "apiVersion: x\n"))
    assert Dot().sniff(Source("g", drawing + " " * 200 + "// so\n/* it\n is */ strict digraph { a -> b }"))


def test_a_long_line_of_words_is_no_key_and_that_is_seen_at_once():
    assert outline(Source("w.yml", "a " * 100_000 + "\njobs:\n" + "b" + " " * 100_000 + "\n")).keys == {"jobs"}


def test_a_map_state_may_have_nothing_to_do_and_so_go_on_where_each_of_its_items_fails():
    text = """\
{"StartAt": "each", "States": {
  "each": {"Type": "Map", "Next": "rest", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "caught"}],
           "ItemProcessor": {"StartAt": "no", "States": {"no": {"Type": "Fail"}}}},
  "rest": {"Type": "Pass", "End": true}, "caught": {"Type": "Pass", "End": true}}}
"""
    assert hocket.verify(text, assertions=["rest can run", "caught can run", "each / no can run"]).verdict == "holds"
    parallel = text.replace('"Map"', '"Parallel"').replace('"ItemProcessor": {', '"Branches": [{')
    parallel = parallel.replace("}}}},", "}}}]},")
    (finding,) = hocket.verify(parallel).findings
    assert (finding.code, finding.line) == ("G004", 2)  # of a branch that always fails nothing but the catch is left


@pytest.mark.parametrize("text", ["jobs:\n- job: copr_build\n", "jobs:  # ours\n\n  # first\n  - job: a\n"])
def test_a_list_of_jobs_is_no_workflow(text, tmp_path):
    (tmp_path / ".packit.yaml").write_text(text)
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x}}\n")
    assert [source.path for source in graphs_in(tmp_path)] == [str(tmp_path / "compose.yaml")]
    assert sniffed(Source("w.yml", "on: push\njobs:\n  a:\n    steps:\n    - run: x\n")) is not None


def test_a_part_of_a_pipeline_by_itself_may_use_what_stands_elsewhere(tmp_path):
    (tmp_path / ".gitlab-ci.yml").write_text("include: parts/test.yml\nstages: [first]\n.base: {script: x}\n")
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / "test.yml"
    test = "test:\n  extends: .base\n  stage: first\n  needs: [lists]\n  rules: [{when: always}]\n"
    part.write_text("lists:\n  stage: first\n  script: x\n" + test)
    assert [(finding.code, finding.line) for finding in hocket.verify(part).findings] == [("G091", 1)]
    assert hocket.verify(tmp_path / ".gitlab-ci.yml").findings[0].code == "G013"  # the whole is judged
    other = tmp_path / "parts" / "child.yml"
    other.write_text("stages: [test]\ntest: {extends: .base, stage: test}\n")  # a pipeline of its own
    assert [finding.code for finding in hocket.verify(other).findings] == ["G002"]
