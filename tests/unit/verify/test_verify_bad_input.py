"""Whatever is given: a message with place and cure, never a traceback, never half a minute."""

from __future__ import annotations

import contextlib
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hocket
from hocket.cli import main
from hocket.errors import HocketError, SourceError
from hocket.verify.source import LARGEST, Source, decode

GOOD = """\
on: push
jobs:
  a:
    runs-on: x
    steps:
      - run: 'x'
  b:
    needs: [a]
    runs-on: x
    steps: [{run: x}]
"""

# what is given, and what has to be in the message: the line, words of the reason
TEXTS = [
    ("\n\n", "", "the file is empty"),
    ("# nothing\n", "", "no YAML value"),
    ("just words\n", "", "no graph of a format that is known here"),
    ("- a\n- b\n", "", "no graph of a format that is known here"),
    ("name: x\n", "", "no graph of a format that is known here"),
    ("on: push\njobs: words\n", ":2:1", "'jobs:' should hold jobs but is the value 'words'"),
    ("on: push\njobs:\n", ":2:1", "'jobs:' should hold jobs but is nothing"),
    ("on: push\njobs: [a]\n", ":2:1", "'jobs:' should hold jobs but is a list"),
    ("on: push\njobs: {a: {steps: [\n", ":3", "this is not YAML"),
    ("on: push\njobs:\n\ta: 1\n", ":3:1", "this is not YAML"),
    ("on: push\njobs: *missing\n", ":2:7", "*missing has no anchor"),
    ("on: push\njobs: &a\n  b: *a\n", ":3:6", "within its own anchor"),
    ("on: push\njobs: {a: {}}\n---\non: push\n", ":3:1", "a second document"),
    ("? [a, b]\n: c\n", ":1:3", "a key that is not a word"),
    ("a: " + "[" * 5000, ":1:", "nested deeper than 100 levels"),
    ("a:\n" + "".join(" " * level + "a:\n" for level in range(1, 300)), ":", "nested deeper than 100 levels"),
    ("jobs: \x07\n", ":1", "this is not YAML"),
]


@pytest.mark.parametrize(
    ("text", "place", "reason"), TEXTS, ids=[reason + str(number) for number, (_, _, reason) in enumerate(TEXTS)]
)
def test_a_text_that_is_no_workflow_is_refused_with_its_place(tmp_path, capsys, text, place, reason):
    path = tmp_path / "w.yml"
    path.write_text(text)
    assert main(["verify", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"w.yml{place}" in err
    assert reason in err
    assert "(" in err.splitlines()[0]  # the cure
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\0\0", "binary content"),
        (b"on: push\nname: \xff\xfe\n", "this is not UTF-8"),
        (b"a" * (LARGEST + 1), "more than 10 MB"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path, capsys, content, reason):
    path = tmp_path / "w.yml"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 2
    assert reason in capsys.readouterr().err


def test_the_line_of_a_wrong_byte_is_named():
    with pytest.raises(SourceError) as caught:
        decode(b"on: push\nname: \xff\n", "w.yml")
    assert caught.value.line == 2


def test_a_missing_file_and_an_empty_folder(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "none.yml")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert main(["verify", str(tmp_path)]) == 2
    assert "no graph in this folder" in capsys.readouterr().err
    with pytest.raises(SourceError, match="this is a folder"):
        hocket.verify(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path, capsys):
    path = tmp_path / "w.yml"
    path.write_text(GOOD)
    path.chmod(0)
    assert main(["verify", str(path)]) == 2
    assert "may not be read" in capsys.readouterr().err


def test_one_bad_file_does_not_hide_the_others(tmp_path, capsys):
    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    (home / "a.yml").write_text("nothing\n")
    (home / "b.yml").write_text(GOOD.replace("[a]", "[c]"))
    assert main(["verify", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert "G002" in out
    assert "no workflow" in err


def test_a_bomb_of_aliases_is_read_in_the_time_of_its_text():
    bomb = "on: push\nx0: &x0 [a, a]\n" + "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 60))
    text = bomb + "jobs:\n  a:\n    runs-on: x\n    env: {A: *x59}\n    steps: [{run: x}]\n"
    start = time.process_time()  # written out it would be 2 to the power of 60 words
    report = hocket.verify(text)
    assert time.process_time() - start < 60
    assert {finding.code for finding in report.findings} == {"G008"}  # x0 … x59 are no keys of a workflow
    assert len(report.findings) == 60


def test_a_shared_job_by_alias_is_read_as_if_it_were_written_out():
    text = "on: push\njobs:\n  a: &a\n    runs-on: x\n    steps: [{run: x}]\n  b: *a\n"
    assert list(hocket.verify(text).graph.tasks) == ["a", "b"]


@pytest.mark.parametrize(("open_", "close"), [("(", ")"), ("!", ""), ("a[", "]"), ("f(", ")")])
def test_a_deeply_nested_expression_is_refused_at_its_character(open_, close):
    text = GOOD.replace("needs: [a]", 'if: "' + open_ * 5000 + "true" + close * 5000 + '"')
    codes = [finding.code for finding in hocket.verify(text).findings]
    assert codes == ([] if open_ == "!" else ["G008"])  # an even number of ! is none at all


def test_a_long_flat_expression_is_no_problem():
    many = " || ".join(f"github.ref == 'r{n}'" for n in range(3000))
    assert hocket.verify(GOOD.replace("needs: [a]", f"if: {many}")).verdict == "holds"


def test_a_group_with_many_cases_stays_small():
    group = "".join(f"${{{{ github.event.x{n} && 'a' || 'b' }}}}" for n in range(30))
    text = GOOD.replace("needs: [a]", f"concurrency: {group}").replace("on: push", f"on: push\nconcurrency: {group}")
    start = time.process_time()  # there are 2 to the power of 30 cases
    hocket.verify(text)
    assert time.process_time() - start < 60


def test_truncation_at_every_character_ends_in_a_report_or_in_a_message():
    assert {_ending(GOOD[:length]) for length in range(len(GOOD))} == {"refused", "violated", "holds"}


def _ending(text: str) -> str:
    """The verdict, or "refused" with a place and a cure."""
    error = None
    try:
        return hocket.verify(Source("w.yml", text)).verdict
    except SourceError as caught:
        error = caught
    assert error.path == "w.yml"
    assert error.cure
    return "refused"


words = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "on",
        "needs",
        "if",
        "jobs",
        "uses",
        "steps",
        "concurrency",
        "always()",
        "${{ a",
        "",
        "*",
        "&x",
        "!",
        "1",
        "null",
    ]
)
values = st.recursive(
    words | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(words, values, max_size=3), values)
def test_any_yaml_in_the_place_of_jobs_ends_in_a_report_or_in_a_message(jobs, on):
    import yaml

    with contextlib.suppress(HocketError):
        assert hocket.verify(yaml.safe_dump({"on": on, "jobs": jobs, "concurrency": on})).verdict in (
            "holds",
            "violated",
            "unknown",
        )


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_any_bytes_in_the_middle_of_a_workflow_end_in_a_report_or_in_a_message(noise, place, cut):
    content = GOOD.encode()[:place] + noise + GOOD.encode()[place + cut :]
    with contextlib.suppress(HocketError):
        assert hocket.verify(Source("w.yml", decode(content, "w.yml"))).verdict in ("holds", "violated", "unknown")
