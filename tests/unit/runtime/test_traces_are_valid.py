"""What `Recording.chrome` writes is a trace by the Trace Event Format, whichever runtime was recorded.

The rules are those of the format's document (Duflot, Google: "Trace Event Format") and of what the viewers that read
it take for granted: complete events of one thread nest, as calls do; flows come in pairs, each end inside a slice.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket import AsyncScheduler, Scheduler, run
from hocket.graph import Graph, Task
from hocket.render.chrome import Slice, chrome_trace

# by kind of event: the keys that it must have, and their types
REQUIRED = {
    "M": {"ph": str, "name": str, "pid": int, "args": dict},
    "X": {"ph": str, "name": str, "cat": str, "pid": int, "tid": int, "ts": float, "dur": float, "args": dict},
    "i": {"ph": str, "name": str, "cat": str, "pid": int, "tid": int, "ts": float, "s": str},
    "s": {"ph": str, "name": str, "cat": str, "pid": int, "tid": int, "ts": float, "id": int},
    "f": {"ph": str, "name": str, "cat": str, "pid": int, "tid": int, "ts": float, "id": int, "bp": str},
}
METADATA = {"process_name": "name", "thread_name": "name", "thread_sort_index": "sort_index"}
EVEN = 1e-6  # µs: what floats of that size lose


def faults(text: str) -> list[str]:
    """What is wrong with a trace; nothing, where it is one."""
    whole = json.loads(text)
    events = whole["traceEvents"]
    found = [] if whole["displayTimeUnit"] in ("ms", "ns") else ["displayTimeUnit"]
    for event in events:
        keys = REQUIRED[event["ph"]]
        found += [f"{event} lacks {key}" for key, kind in keys.items() if not isinstance(event.get(key), kind)]
        found += [f"{event} is before the beginning" for key in ("ts", "dur") if event.get(key, 0) < 0]
    meta = [event for event in events if event["ph"] == "M"]
    found += [f"metadata {event}" for event in meta if METADATA.get(event["name"]) not in event["args"]]
    told = [event for event in events if event["ph"] != "M"]
    found += ["not in the order of time"] * ([event["ts"] for event in told] != sorted(event["ts"] for event in told))
    named = [event["tid"] for event in meta if event["name"] == "thread_name"]
    found += ["a lane has no name, or two"] * (sorted(named) != sorted({event["tid"] for event in told}))
    return found + _crossings(told) + _loose_ends(told)


def _crossings(events: list[dict]) -> list[str]:
    """Complete events of one lane that neither nest nor follow each other."""
    found, open_on = [], {}
    for event in (event for event in events if event["ph"] == "X"):
        ends = open_on.setdefault(event["tid"], [])
        while ends and ends[-1] <= event["ts"] + EVEN:
            ends.pop()
        if ends and event["ts"] + event["dur"] > ends[-1] + EVEN:
            found.append(f"{event['name']} crosses another on lane {event['tid']}")
        ends.append(event["ts"] + event["dur"])
    return found


def _loose_ends(events: list[dict]) -> list[str]:
    """Flows without their other end, that lead back, or that are on no slice."""
    found = []
    ends = {kind: {event["id"]: event for event in events if event["ph"] == kind} for kind in "sf"}
    if ends["s"].keys() != ends["f"].keys():
        found.append("a flow has one end")
    for number, start in ends["s"].items():
        end = ends["f"].get(number, start)
        found += [f"flow {number} leads back"] * (end["ts"] + EVEN < start["ts"])
        for each in (start, end):
            slices = (event for event in events if event["ph"] == "X" and event["tid"] == each["tid"])
            if not any(x["ts"] <= each["ts"] + EVEN and each["ts"] <= x["ts"] + x["dur"] + EVEN for x in slices):
                found.append(f"flow {number} is on no slice")
    return found


def bound(text: str) -> list[tuple[str, str]]:
    """The slices between which each flow leads, as Perfetto's importer reads them (v52; compared with what it says).

    Of what is at one time, slices come first, the longest before. A lane is a stack: a slice takes off it what has
    ended, and puts itself on top; a flow belongs to the top.
    """
    events = json.loads(text)["traceEvents"]
    stacks: dict[int, list[dict]] = {}
    ends: dict[int, dict[str, str]] = {}
    for event in sorted(events, key=lambda e: (_ns(e.get("ts", 0)), e["ph"] != "X", -e.get("dur", 0))):
        stack = stacks.setdefault(event.get("tid", 0), [])
        if event["ph"] == "X":
            while stack and _ns(stack[-1]["ts"] + stack[-1]["dur"]) <= _ns(event["ts"]):
                stack.pop()
            stack.append(event)
        elif event["ph"] in "sf":
            ends.setdefault(event["id"], {})[event["ph"]] = stack[-1]["name"]
    return [(both["s"], both["f"]) for both in ends.values()]


def _ns(microseconds: float) -> int:
    return round(1e3 * microseconds)


def _fails() -> None:
    raise LookupError("planted")


def _layered(body=int) -> Graph:
    tasks = tuple(Task(f"t{n}", _fails if n == 5 else body) for n in range(12))
    return Graph(tasks, after=tuple((n, n - 3) for n in range(3, 12)))


@pytest.mark.parametrize("runtime", ["inline", "threads", "asyncio", "ticks"])
def test_every_runtime_leaves_a_valid_trace(runtime):
    recording = hocket.Recording()
    run(_layered(), runtime, watch=recording, check=False)
    text = recording.chrome("a <title>")
    assert faults(text) == []
    kinds = [event["ph"] for event in json.loads(text)["traceEvents"]]
    # t5 fails: t8 and t11 never run, and the edges from t5 and t8 are no arrows
    assert {kind: kinds.count(kind) for kind in "Xisf"} == {"X": 10, "i": 2, "s": 7, "f": 7}
    assert sorted(bound(text)) == sorted((f"t{n - 3}", f"t{n}") for n in range(3, 12) if n not in (8, 11))


def test_a_task_of_many_bodies_that_another_worker_ends_is_no_call_of_the_first():
    """`m` is begun by one worker, which goes on to `other` while a second one ends `m`: they cross on its lane."""
    recording = hocket.Recording()
    second_begun, other_begun, m_over = threading.Event(), threading.Event(), threading.Event()
    lanes = {}

    def index(number: int) -> None:
        if number:
            second_begun.set()
            assert other_begun.wait(30)
        else:
            lanes["m"] = threading.current_thread().name
            assert second_begun.wait(30)
            s.spawn("other", other)

    def other() -> None:
        lanes["other"] = threading.current_thread().name
        other_begun.set()
        assert m_over.wait(30)

    with Scheduler(2, watch=recording) as s:
        s.multi("m", 2, index).join()
        m_over.set()
    assert lanes["m"] == lanes["other"]
    text = recording.chrome()
    assert faults(text) == []
    names = {event["args"]["name"] for event in json.loads(text)["traceEvents"] if event["name"] == "thread_name"}
    assert names == {lanes["m"], f"{lanes['m']} (2)"}


def test_a_task_that_ran_while_another_joined_lies_within_it():
    recording = hocket.Recording()
    with Scheduler(0, watch=recording) as s:
        s.spawn("outer", lambda: s.spawn("inner", int).join())
    text = recording.chrome()
    assert faults(text) == []
    outer, inner = (event for event in json.loads(text)["traceEvents"] if event["ph"] == "X")
    assert (outer["name"], inner["name"], outer["tid"]) == ("outer", "inner", inner["tid"])


def test_an_arrow_leaves_the_task_that_it_belongs_to_and_no_other_that_ran_within_it():
    recording = hocket.Recording()
    with Scheduler(0, watch=recording) as s:
        outer = s.spawn("outer", lambda: s.spawn("inner", int).join())
        s.spawn("after", int, after=[outer])
    text = recording.chrome()
    assert faults(text) == []
    assert bound(text) == [("outer", "after")]


def test_bodies_that_take_turns_on_a_loop_lie_side_by_side():
    recording = hocket.Recording()

    async def turns(number: int) -> None:
        for _ in range(4 - number):
            await asyncio.sleep(0)

    async def main() -> None:
        async with AsyncScheduler(watch=recording) as s:
            for number in range(3):
                s.spawn(str(number), lambda number=number: turns(number))
            s.multi("many", 3, turns)

    asyncio.run(main())
    text = recording.chrome()
    assert faults(text) == []
    slices = [event for event in json.loads(text)["traceEvents"] if event["ph"] == "X"]
    for one in slices:
        for other in slices:
            if one is not other and one["tid"] == other["tid"]:
                assert one["ts"] + one["dur"] <= other["ts"] + EVEN or other["ts"] + other["dur"] <= one["ts"] + EVEN


SLICES = st.lists(
    st.tuples(st.sampled_from(["w0", "w1"]), st.none() | st.integers(0, 20), st.integers(0, 20), st.booleans()),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(SLICES, st.randoms(use_true_random=False))
def test_whatever_ran_when_its_trace_is_valid(told, chance: random.Random):
    slices = [
        Slice(str(n), lane, begin, (begin or 0) + length, "finished", nests)
        for n, (lane, begin, length, nests) in enumerate(told)
    ]
    begins = [(slice.lane, slice.begin) for slice in slices]  # of two that begin at once, only one can be read last
    ran = [n for n, slice in enumerate(slices) if slice.begin is not None and begins.count(begins[n]) == 1]
    pairs = [(a, b) for a in ran for b in ran if slices[a].end < slices[b].begin and chance.random() < 0.3]
    text = chrome_trace(slices, pairs)
    assert faults(text) == []
    assert sorted(bound(text)) == sorted((str(a), str(b)) for a, b in pairs)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda events: events.reverse(), "not in the order of time"),
        (lambda events: events[-1].pop("bp"), "lacks bp"),
        (lambda events: events.pop(), "a flow has one end"),
        (lambda events: next(e for e in events if e["ph"] == "X").update(dur=0.007), "crosses another"),
        (lambda events: events.pop(1), "a lane has no name"),
    ],
)
def test_the_check_sees_what_is_wrong(change, fault):
    slices = [Slice("a", "w", 0, 5, ""), Slice("b", "w", 6, 8, ""), Slice("c", "w", 9, 12, "")]
    trace = json.loads(chrome_trace(slices, [(0, 1), (1, 2)]))
    assert faults(json.dumps(trace)) == []
    change(trace["traceEvents"])
    assert fault in "; ".join(faults(json.dumps(trace)))
