"""DOT and node-link JSON: the common grammar, exact places, and the fast way as against the slow one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket.errors import SourceError
from hocket.verify.judge import read_graph

# name, text, {node: those before it}
GRAPHS = [
    ("one edge a line", "digraph {\n a -> b\n b -> c;\n}\n", {"a": [], "b": ["a"], "c": ["b"]}),
    ("a chain", "digraph g { a -> b -> c; }", {"a": [], "b": ["a"], "c": ["b"]}),
    (
        "strict, quoted, numeric and HTML ids",
        'strict digraph { "a b" -> -1.5 -> <<b>x</b>> }',
        {"a b": [], "-1.5": ["a b"], "<<b>x</b>>": ["-1.5"]},
    ),
    (
        "escapes, line breaks and sums of strings",
        'digraph { "a\\"b" -> "c\\\nd" + "e"; "\\n" -> f }',
        {'a"b': [], "cde": ['a"b'], "\\n": [], "f": ["\\n"]},
    ),
    ("ports and points of the compass", "digraph { a:x:ne -> b:w; }", {"a": [], "b": ["a"]}),
    (
        "attributes, lists of them, defaults",
        'digraph { graph [rankdir=LR]; node [shape=box, x=1][y]; a [l="->"]; a->b [w=2] }',
        {"a": [], "b": ["a"]},
    ),
    ("comments", "# c\n// d\ndigraph { /* a -> x */ a -> b // c\n# e\n}", {"a": [], "b": ["a"]}),
    (
        "subgraphs as ends",
        "digraph { {a b} -> subgraph cluster_x { c; d -> e } -> f }",
        {"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"], "e": ["a", "b", "d"], "f": ["c", "d", "e"]},
    ),
    (
        "edges for the layout are none",
        "digraph { a -> b [style=invis]; edge [style=invis]; b -> a\n c -> a\n }",
        {"a": [], "b": [], "c": []},
    ),
    (
        "arrows turned round one by one",
        "digraph { a -> b [dir=back]; c -> d [dir=none] }",
        {"a": ["b"], "b": [], "c": [], "d": []},
    ),
    ("arrows that go to what is needed", "digraph { arrows=needs; a -> b }", {"a": ["b"], "b": []}),
    ("what terraform writes", 'digraph { "[root] a" -> "[root] b" }', {"[root] a": ["[root] b"], "[root] b": []}),
    ("an empty graph", "digraph {}", {}),
    ("letters of any alphabet", "digraph { größe -> 工 }", {"größe": [], "工": ["größe"]}),
    ("keywords in capitals", "DiGraph G { Node [x=y]; SubGraph { a } }", {"a": []}),
]


def befores(graph):
    return {name: sorted(edge.before for edge in task.edges) for name, task in graph.tasks.items()}


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in GRAPHS], ids=[row[0] for row in GRAPHS])
def test_a_text_is_exactly_this_graph(text, expected):
    assert befores(read_graph(text, "dot").graph) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("graph { a -- b }", 1, 0, "undirected"),
        ("digraph { a -- b }", 1, 0, "undirected"),
        ("digraph {\n a -> }", 2, 7, "leads to nothing"),
        ("digraph {\n a -> b", 2, 8, "too early"),
        ("digraph { a [x=] }", 1, 16, "a value is missing"),
        ('digraph { "a }', 1, 11, "means nothing"),
        ("digraph { a } b", 1, 15, "after the graph"),
        ("digraph { " + "{" * 200, 1, 110, "nested deeper"),
        ("digraph { < }", 1, 11, "without its '>'"),
        ("{}", 1, 1, "begin with 'digraph'"),
    ],
)
def test_what_is_no_dot_is_refused_with_its_place(text, line, column, reason):
    with pytest.raises(SourceError, match=reason) as caught:
        read_graph(text, "dot")
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_cycle_is_shown_with_the_place_of_each_arrow():
    (finding,) = hocket.verify('digraph {\n  a -> "b c"\n  "b c" -> a [x=y]\n}\n').findings
    places = [(note.span.line, note.span.column, note.span.end_column) for note in finding.notes]
    assert (finding.code, sorted(places)) == ("G001", [(2, 3, 13), (3, 3, 13)])


names = st.sampled_from(["a", "B_1", '"x y"', '"q\\"r"', "7", "-.5"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, names), max_size=12))
def test_the_fast_way_and_the_slow_way_read_the_same_graph(pairs):
    fast = "digraph {\n" + "".join(f" {one} -> {other};\n" for one, other in pairs) + "}\n"
    slow = "digraph {" + " ".join(f"{one}->{other} []" for one, other in pairs) + "}"
    one, other = read_graph(fast, "dot").graph, read_graph(slow, "dot").graph
    assert befores(one) == befores(other)


# -- node-link --------------------------------------------------------------------------------------------------------

NODES = '"nodes": [{"id": "a"}, {"id": "b"}, {"id": ["c", 1]}]'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"directed": true, ' + NODES + ', "links": [{"source": "a", "target": "b"}]}',
            {"a": [], "b": ["a"], "(c, 1)": []},
        ),
        ("{" + NODES + ', "edges": [{"source": "a", "target": ["c", 1]}]}', {"a": [], "b": [], "(c, 1)": ["a"]}),
        ("{" + NODES + ', "links": [{"source": 1, "target": 0}]}', {"a": ["b"], "b": [], "(c, 1)": []}),
        (
            '{"directed": true, ' + NODES + ', "adjacency": [[{"id": "b"}], [], [{"id": "a"}]]}',
            {"a": ["(c, 1)"], "b": ["a"], "(c, 1)": []},
        ),
        ('{"nodes": [{"name": "x"}, {}], "links": [{"source": {"name": "x"}, "target": 1}]}', {"x": [], "1": ["x"]}),
    ],
)
def test_every_form_of_node_link_is_read(text, expected):
    assert befores(read_graph(text).graph) == expected


def test_ends_that_are_no_nodes_and_nodes_defined_twice_are_found():
    text = '{"nodes": [{"id": "ab"}, {"id": "ab"}],\n "links": [{"source": "abc", "target": "ab"}, {"a": 1}]}'
    found = [
        (finding.code, finding.line, finding.column) for finding in hocket.verify(text, format="node-link").findings
    ]
    assert found == [("G003", 1, 33), ("G002", 2, 23), ("G008", 2, 47)]


def test_an_undirected_graph_is_refused():
    with pytest.raises(SourceError, match="orders nothing"):
        hocket.verify('{"directed": false, "nodes": [], "links": []}', format="node-link")


def test_what_networkx_writes_and_what_it_holds_are_one_graph():
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")])
    text = json.dumps(networkx.node_link_data(graph, edges="links"))
    assert befores(read_graph(text).graph) == befores(read_graph(graph).graph) == {"a": [], "b": ["a"], "c": ["a", "b"]}
