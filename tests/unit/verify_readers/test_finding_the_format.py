"""From a name to a reader: by content, by folder, by entry point; and what is said where nobody knows a text."""

from __future__ import annotations

import importlib
import sys

import pytest

import hocket
from hocket.cli import main
from hocket.errors import SourceError
from hocket.verify.readers import FORMATS, _extensions, reader_for
from hocket.verify.readers.discover import graphs_in, opened
from hocket.verify.source import Source
from tests.fuzz_readers import SEEDS


@pytest.mark.parametrize("name", SEEDS)
def test_each_format_is_known_by_its_content(name):
    path = "x.service" if name == "systemd" else "<text>"
    assert reader_for(Source(path, SEEDS[name])).__class__.__module__ == FORMATS[name][0]


def test_a_format_that_is_given_wins():
    text = SEEDS["compose"]
    assert hocket.verify(text, format="compose").graph.format == "compose"
    with pytest.raises(SourceError, match="no workflow"):
        hocket.verify(text, format="github")


def test_what_nobody_knows_is_told_the_formats():
    with pytest.raises(SourceError, match="no graph of a format that is known here") as caught:
        hocket.verify("a: b\nc: d\n")
    assert all(name in caught.value.cure for name in FORMATS)
    with pytest.raises(SourceError, match="unknown format 'yaml'"):
        hocket.verify("a: b\n", format="yaml")


def test_a_folder_gives_every_graph_in_it_and_nothing_else(tmp_path, monkeypatch):
    places = {
        "github": ".github/workflows/ci.yml",
        "gitlab": ".gitlab-ci.yml",
        "compose": "deploy/compose.yaml",
        "argo": "k8s/flow.yaml",
        "tekton": "k8s/pipe.yaml",
        "asl": "machine.json",
        "dot": "graph.dot",
        "hocket": "release.yml",
        "airflow": "dag.json",
        "node-link": "graph.json",
        "systemd": "units/a.service",
    }
    others = {
        "package.json": '{"name": "x"}',
        "mkdocs.yml": "nav: [a]\n",
        "node_modules/x/compose.yml": SEEDS["compose"],
        ".git/config.yml": SEEDS["compose"],
        "k8s/map.yaml": "apiVersion: v1\nkind: ConfigMap\n",
        "bad.yml": "a: [\n",
        ".gitlab/part.gitlab-ci.yml": SEEDS["gitlab"],
        "deploy/compose.override.yaml": "services: {web: {image: y}}\n",
    }
    for name, text in {**{places[one]: SEEDS[one] for one in places}, **others}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {one.path.removeprefix(f"{tmp_path}/") for one in graphs_in(tmp_path)}
    assert found == {*places.values(), "units"} - {"units/a.service"}
    assert {one.path.rpartition("/")[2] for one in graphs_in(tmp_path, "asl")} == {"machine.json"}


def test_a_workflow_that_cannot_be_read_is_named_in_its_folder(tmp_path, capsys):
    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    (home / "a.yml").write_bytes(b"\xff")
    assert main(["verify", str(tmp_path)]) == 2
    assert "this is not UTF-8" in capsys.readouterr().err


def test_a_python_value_is_given_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "graph_of_mine.py").write_text(
        "graph = {'b': ['a'], 'a': ['b']}\ndef make():\n    return {'x': ['y']}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert opened("graph_of_mine:graph") == {"b": ["a"], "a": ["b"]}
    assert [finding.code for finding in hocket.verify("graph_of_mine:graph").findings] == ["G001"]
    assert set(hocket.verify("graph_of_mine:make").graph.tasks) == {"x", "y"}
    assert main(["verify", "graph_of_mine:graph"]) == 1
    for name in ("graph_of_mine:none", "no_such_module:graph"):
        with pytest.raises(SourceError, match="cannot be had"):
            hocket.verify(name)
    sys.modules.pop("graph_of_mine")


# -- readers of third parties -----------------------------------------------------------------------------------------

PLUGIN = '''\
"""One line a task: its name, and after < the names of those before it."""
from hocket.errors import SourceError
from hocket.verify.formula import Outcome
from hocket.verify.model import Edge, Graph, Span, Task
from hocket.verify.readers import Reading
from hocket.verify.source import Source


class Lines:
    def sniff(self, source):
        return isinstance(source, Source) and source.text.startswith("#lines")

    def read(self, source):
        tasks = {}
        for number, line in enumerate(source.lines[1:], 2):
            if line == "fail":
                raise ZeroDivisionError("oops")
            if line == "refuse":
                raise SourceError("no", source.path, number)
            name, _, before = line.partition("<")
            span = Span(source.path, number, 1)
            edges = (Edge(one, span, frozenset({Outcome.SUCCEEDED})) for one in before.split())
            tasks[name.strip()] = Task(name.strip(), span, tuple(edges))
        return Reading(Graph(source.path, "lines", tasks), (), {source.path: source})


def broken():
    raise RuntimeError("cannot be made")


class Wrong(Lines):
    def read(self, source):
        return 42
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A distribution as pip would leave it, with three readers in the group."""
    (tmp_path / "lines_reader.py").write_text(PLUGIN)
    home = tmp_path / "lines_reader-1.0.dist-info"
    home.mkdir()
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: lines-reader\nVersion: 1.0\n")
    (home / "entry_points.txt").write_text(
        "[hocket.readers]\nlines = lines_reader:Lines\ngithub = lines_reader:broken\n"
        "broken = lines_reader:broken\nwrong = lines_reader:Wrong\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    _extensions.cache_clear()
    yield
    _extensions.cache_clear()
    sys.modules.pop("lines_reader", None)


@pytest.mark.usefixtures("plugin")
def test_a_reader_of_a_third_party_is_found_by_its_entry_point():
    report = hocket.verify("#lines\na < b\nb < a\n")
    assert (report.graph.format, [(finding.code, finding.line) for finding in report.findings]) == (
        "lines",
        [("G001", 2)],
    )
    assert hocket.verify("x\na < b\nb\n", format="lines").verdict == "holds"


@pytest.mark.usefixtures("plugin")
def test_a_slip_of_a_third_party_is_told_with_its_name_and_ours_cannot_be_replaced():
    for text, format, reason in (
        ("#lines\nfail\n", None, "the reader of 'lines' failed: ZeroDivisionError: oops"),
        ("#lines\nrefuse\n", None, "<text>:2: no"),
        ("x\n", "broken", "the reader of 'broken' failed: RuntimeError"),
        ("x\n", "wrong", "the reader of 'wrong' gave int"),
    ):
        with pytest.raises(SourceError, match=reason):
            hocket.verify(text, format=format)
    assert hocket.verify(SEEDS["github"]).graph.format == "github"
