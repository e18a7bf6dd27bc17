"""A class that was there before kept rewritten methods that `dataclass` had given it, which then found no probes."""

import threading
from dataclasses import dataclass

import hocket
from hocket.graph import Graph


@dataclass
class Point:
    x: int = 0


def test_of_a_class_of_before_the_methods_are_plain_again():
    plain = [method.__code__ for kind in (Point, Graph) for method in (kind.__eq__, kind.__repr__)]

    def body():
        made = []
        thread = threading.Thread(target=lambda: made.append((Point(1), Graph(()))))
        thread.start()
        thread.join()
        assert made == [(Point(1), Graph(()))]

    assert hocket.explore(body, track=["hocket.graph"]).verdict in ("proved", "incomplete")
    hocket.explore(body)
    assert [method.__code__ for kind in (Point, Graph) for method in (kind.__eq__, kind.__repr__)] == plain
    assert repr(Point(2)) == "Point(x=2)"
    assert Graph(()) == Graph(())
    assert repr(Graph(()))
