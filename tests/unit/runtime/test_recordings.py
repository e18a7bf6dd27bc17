"""What a run left behind to be looked at: a trace for Perfetto, a picture with outcomes, a bar while it lasts."""

from __future__ import annotations

import builtins
import io
import json
import random
import re
import threading
import xml.etree.ElementTree as ET

import pytest
import rich.console

import hocket
from hocket.errors import CycleError, MissingExtra
from hocket.graph import Graph, Task
from hocket.kernel.lifecycle import Moment
from hocket.render.chrome import Slice, chrome_trace
from hocket.render.pictures import mermaid_of, svg_of
from hocket.runtime import Scheduler, run

SVG = "{http://www.w3.org/2000/svg}"


class Clock:
    """A thousand nanoseconds more each time somebody looks."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


def diamond(body=int):
    return Graph(tuple(Task(name, body) for name in "abcd"), after=((1, 0), (2, 0), (3, 1), (3, 2)))


def fails():
    raise LookupError("planted")


# -- the trace ---------------------------------------------------------------------------------------------------------


def test_a_trace_has_a_lane_for_each_thread_a_slice_for_each_task_and_an_arrow_for_each_edge():
    recording = hocket.Recording(clock=Clock())
    run(diamond(), "threads", workers=2, watch=recording)
    trace = json.loads(recording.chrome("four tasks"))
    events = trace["traceEvents"]
    by_kind = {kind: [event for event in events if event["ph"] == kind] for kind in "MXsfi"}
    assert {kind: len(found) for kind, found in by_kind.items()} == {
        "M": 1 + 2 * len({event["tid"] for event in by_kind["X"]}), "X": 4, "s": 4, "f": 4, "i": 0}
    assert by_kind["M"][0]["args"] == {"name": "four tasks"}
    assert {event["args"]["name"] for event in by_kind["M"] if event["name"] == "thread_name"} <= {
        "worker-0", "worker-1", threading.current_thread().name}
    begin = {event["name"]: (event["ts"], event["ts"] + event["dur"]) for event in by_kind["X"]}
    assert begin["a"][1] <= min(begin["b"][0], begin["c"][0])
    assert max(begin["b"][1], begin["c"][1]) <= begin["d"][0]


def test_every_event_is_what_the_trace_event_format_asks_for():
    """Fields and their types as Perfetto's importer reads them; flows in pairs, each inside a slice of its lane."""
    recording = hocket.Recording()
    run(Graph((Task("x", fails), Task("y", int), Task("z", int)), after=((1, 0),)), watch=recording, check=False)
    events = json.loads(recording.chrome())["traceEvents"]
    for event in events:
        assert event["ph"] in set("MXsfi")
        assert isinstance(event["pid"], int)
        assert isinstance(event["name"], str)
        if event["ph"] != "M":
            assert isinstance(event["tid"], int)
            assert isinstance(event["ts"], float)
            assert event["ts"] >= 0
        if event["ph"] == "X":
            assert event["dur"] > 0
    outcomes = {event["name"]: (event["ph"], event["args"]["outcome"]) for event in events if event["ph"] in "Xi"}
    assert outcomes == {"x": ("X", "failed"), "y": ("i", "skipped"), "z": ("X", "finished")}


def test_arrows_begin_and_end_inside_their_slices_also_where_a_task_took_no_time():
    slices = [Slice("a", "one", 5, 5, "finished"), Slice("b", "two", 5, 9, "finished"), Slice("c", "two", None, 3, "")]
    events = json.loads(chrome_trace(slices, [(0, 1), (1, 2)]))["traceEvents"]
    (start,), (end,) = ([event for event in events if event["ph"] == kind] for kind in "sf")
    a, b = (next(event for event in events if event["ph"] == "X" and event["name"] == name) for name in "ab")
    assert (start["id"], start["tid"], end["tid"]) == (end["id"], a["tid"], b["tid"])
    assert a["ts"] <= start["ts"] <= a["ts"] + a["dur"]
    assert (b["ts"], b["dur"], end["bp"]) == (end["ts"], 0.004, "e")


def test_a_run_can_be_drawn_while_it_lasts():
    recording, running, go_on = hocket.Recording(), threading.Event(), threading.Event()
    with Scheduler(1, watch=recording) as s:
        s.spawn("runs", lambda: (running.set(), go_on.wait(30)))
        assert running.wait(30)
        s.spawn("waits", int, after=[s.spawn("queued", int)])
        events = json.loads(recording.chrome())["traceEvents"]
        assert ("runs", "open") in {(event["name"], event["args"].get("outcome")) for event in events}
        assert "runs" in recording.svg()
        go_on.set()


# -- the picture -------------------------------------------------------------------------------------------------------


def test_edges_and_outcomes_of_what_was_spawned_are_heard_whenever_they_were_made():
    recording = hocket.Recording()
    s = Scheduler(0, watch=recording)
    done = s.spawn("done", int)
    done.join(help=True)
    s.spawn("parent", lambda c: c.fork("child", fails), context=True, after=[done])
    s.spawn("after", int, after=[done])
    s.close()
    graph = recording.graph
    assert [task.name for task in graph.tasks] == ["done", "parent", "after", "child"]
    assert (set(graph.after), graph.hold) == ({(1, 0), (2, 0)}, ((1, 3),))
    assert recording.outcomes == ["finished", "failed", "finished", "failed"]


def test_a_picture_has_a_box_for_each_task_with_its_outcome_in_words_and_signs_and_a_line_for_each_edge():
    text = svg_of(diamond(), ["finished", "failed", "cancelled", "skipped"], "four <tasks>")
    root = ET.fromstring(text)
    told = [element.text for element in root.iter(f"{SVG}title")]
    assert told == ["four <tasks>", "a: finished", "b: failed", "c: cancelled", "d: skipped"]
    assert [element.text for element in root.iter(f"{SVG}text")] == [
        "✓ a", "✗ b", "⊘ c", "→ d", "✓ finished", "✗ failed", "→ skipped", "⊘ cancelled"]
    assert len([path for path in root.iter(f"{SVG}path") if path.get("marker-end")]) == 4


def test_boxes_do_not_overlap_and_stand_to_the_right_of_what_they_come_after():
    chance = random.Random(5)
    edges = tuple({(n, chance.randrange(n)) for n in range(1, 40) for _ in range(2)})
    root = ET.fromstring(svg_of(Graph(tuple(Task(f"task {n}" * (n % 3 + 1), int) for n in range(40)), edges)))
    boxes = [tuple(float(group.find(f"{SVG}rect").get(key)) for key in ("x", "y", "width", "height"))
             for group in root.iter(f"{SVG}g")]
    for later, earlier in edges:
        assert boxes[earlier][0] + boxes[earlier][2] < boxes[later][0]
    for one in range(40):
        for other in range(one):
            x1, y1, w1, h1 = boxes[one]
            x2, y2, w2, h2 = boxes[other]
            assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1
    width, height = (float(root.get(key)) for key in ("width", "height"))
    assert all(x + w <= width and y + h <= height for x, y, w, h in boxes)


def test_mermaid_says_the_same_and_quotes_what_it_would_read_as_its_own():
    graph = Graph((Task('say "hi" [now]', int), Task("fork"), Task("prong", int)), after=((1, 0),), inside=((2, 1),),
                  hold=((1, 2),))
    assert mermaid_of(graph, ["finished", "failed", "failed"]).splitlines() == [
        "flowchart LR",
        '    t0["✓ say #34;hi#34; #91;now#93;"]:::finished',
        '    t1(["✗ fork"]):::failed',
        '    t2["✗ prong"]:::failed',
        "    t0 --> t1",
        "    t1 -. opens .-> t2",
        "    t2 -. holds .-> t1",
        "    classDef finished fill:#dff2e3,stroke:#2f7d4a,color:#1b1f22",
        "    classDef failed fill:#fbdcd9,stroke:#b3261e,color:#1b1f22",
    ]


@pytest.mark.parametrize("draw", [svg_of, mermaid_of])
def test_nothing_is_a_picture_too(draw):
    assert draw(Graph(()))


def test_what_waits_for_itself_has_no_columns():
    with pytest.raises(CycleError):
        svg_of(Graph((Task("a"), Task("b")), after=((0, 1), (1, 0))))


# -- the bar -----------------------------------------------------------------------------------------------------------


def test_a_bar_counts_what_has_closed_what_runs_and_what_was_lost():
    out = io.StringIO()
    console = rich.console.Console(file=out, force_terminal=True, width=100, color_system=None)
    with hocket.Progress(what="building", console=console) as bar:
        run(Graph((Task("x", fails), Task("y", int), Task("z", int)), after=((1, 0),)), watch=bar, check=False)
        assert (bar.made, bar.closed, bar.running, bar.lost) == (3, 3, 0, 2)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "building" in last
    assert "3/3" in last
    assert "0 running, 2 lost" in last


def test_watches_can_be_told_one_after_another():
    told = []
    recording = hocket.Recording(then=lambda moment, node: told.append((moment, node.name)))
    monitor = hocket.Monitor()
    with hocket.Progress(then=recording, console=rich.console.Console(file=io.StringIO())) as bar:
        run(diamond(), watch=bar)
    assert (bar.closed, len(told), len(recording.graph.after)) == (4, 12, 4)
    assert told[:3] == [(moment, "a") for moment in Moment]
    run(diamond(), watch=hocket.Recording(then=monitor))
    assert (monitor.refused, monitor.events > 0) == (None, True)


def test_a_bar_that_nobody_has_entered_says_that_it_will_not_be_seen():
    bar = hocket.Progress(console=rich.console.Console(file=io.StringIO()))
    with pytest.warns(UserWarning, match="nobody will see this progress bar: say with hocket.Progress") as caught:
        Scheduler(0, watch=bar)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_bar_without_rich_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'hocket\[cli\]'"):
        hocket.Progress()
