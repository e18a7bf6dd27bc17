"""Channels and broadcasts: what is promised holds, what is not is refuted, and a second opinion counts the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hocket.spec import Accepted, RefusedTrace
from hocket.verdict import Holds, Violated
from models.broadcast import Broadcast
from models.channel import AtOnce, Channel

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
COUNTED = ("states", "transitions", "terminal", "depth")
MODELS = {"channel": Channel, "at_once": AtOnce, "broadcast": Broadcast}


@pytest.mark.parametrize("row", EXPECTED["messages"], ids=lambda row: row["model"])
def test_a_search_finds_the_pinned_counts_and_every_property_holds(row):
    found = MODELS[row["model"]].search()
    assert found.counts() == {key: row[key] for key in COUNTED}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())
    # nothing is early if both ends get each signal at once, so nothing is held, and nothing held is delivered
    assert found.never() == (["deliver_held"] if row["model"] == "at_once" else [])


@pytest.mark.parametrize(
    ("mistake", "steps"),
    [
        # send priority, send unbounded, take unbounded
        ("messages_arrive_in_the_order_in_which_they_were_sent", 3),
        # the sender gets a signal and takes it, sends, is held back; an unbounded message comes
        ("what_is_urgent_never_waits_for_what_is_held", 5),
        ("the_receiver_is_never_behind_the_sender", 2),
    ],
)
def test_what_somebody_may_think_is_refuted_by_a_shortest_run(mistake, steps):
    verdict = Channel.search(claims=[mistake]).verdicts[mistake]
    assert isinstance(verdict, Violated)
    assert len(verdict.counterexample.steps) == steps


def test_somebody_may_be_two_signals_behind_in_a_broadcast():
    mistake = "nobody_is_more_than_one_signal_behind"
    verdict = Broadcast.search(claims=[mistake]).verdicts[mistake]
    assert isinstance(verdict, Violated)
    # everybody is offered the first, s1 takes it and sends; the second; s1 takes that: s2 and s3 have seen none
    steps = verdict.counterexample.steps
    assert len(steps) == 8
    assert steps[-1] == ("take_signal", "s1")


EARLY = [("signal", "sender"), ("sender_takes_signal",), ("send", "bulk"), ("take", "bulk")]


def test_a_message_whose_sender_has_seen_more_is_held_until_its_receiver_has_seen_as_much():
    held = Channel.accepts(EARLY)
    assert isinstance(held, Accepted)
    assert (held.state["held"], held.state["delivered"]) == (1, 0)
    refused = Channel.accepts([*EARLY, ("deliver_held",)])
    assert (refused.step, refused.guard) == (4, "what its sender had seen has been seen")
    after = Channel.accepts([*EARLY, ("signal", "receiver"), ("take_signal",), ("deliver_held",)])
    assert isinstance(after, Accepted)
    assert after.state["delivered"] == 1


@pytest.mark.parametrize(
    ("run", "guard"),
    [
        ([("send", "bulk"), ("signal", "receiver"), ("take", "bulk")], "signals come first"),  # OR-X2
        ([("send", "bulk"), ("send", "unbounded"), ("take", "bulk")], "no other kind comes first"),  # OR-X3
        ([("send", "bulk")] * 3, "there is room"),
        ([("signal", "sender")] * 2, "everybody has the one before it"),
        ([*EARLY, ("send", "bulk"), ("take", "bulk")], "none is held"),  # O-B9
    ],
)
def test_a_trace_is_refused_at_the_step_that_breaks_a_rule(run, guard):
    answer = Channel.accepts(run)
    assert isinstance(answer, RefusedTrace)
    assert answer.guard == guard


# -- a second opinion -------------------------------------------------------------------------------------------------


def _after(state, at_once):
    """Every state after this one: signals given, waiting and seen at both ends; messages sent; three queues of
    (number, stamp); what is held (kind, number, stamp); how many were delivered, the last of each kind, its stamp."""
    given, waiting, seen, sent, queues, held, delivered, last, last_stamp = state
    rest = (sent, queues, held, delivered, last, last_stamp)

    def bump(pair, end, by=1):
        return (pair[0] + by, pair[1]) if end == 0 else (pair[0], pair[1] + by)

    def deliver(kind, number, stamp):
        return delivered + 1, tuple(number if k == kind else n for k, n in enumerate(last)), stamp

    def queue(kind, items):
        return tuple(items if k == kind else one for k, one in enumerate(queues))

    if at_once and given[0] < 2:
        yield bump(bump(given, 0), 1), bump(bump(waiting, 0), 1), seen, *rest
    for end in (0, 1):
        if not at_once and given[end] < 2 and given[end] <= given[1 - end]:
            yield bump(given, end), bump(waiting, end), seen, *rest
    if waiting[0]:
        yield given, bump(waiting, 0, -1), bump(seen, 0), *rest
    for kind in range(3):
        if sent < 3 and len(queues[kind]) < 2:
            items = (*queues[kind], (sent + 1, seen[0]))
            yield given, waiting, seen, sent + 1, queue(kind, items), held, delivered, last, last_stamp
    if held and held[2] <= seen[1]:
        yield given, waiting, seen, sent, queues, None, *deliver(*held)
    elif waiting[1]:
        yield given, bump(waiting, 1, -1), bump(seen, 1), *rest
    elif not held and any(queues):
        kind = next(k for k in range(3) if queues[k])
        (number, stamp), left = queues[kind][0], queue(kind, queues[kind][1:])
        if stamp > seen[1]:
            yield given, waiting, seen, sent, left, (kind, number, stamp), delivered, last, last_stamp
        else:
            yield given, waiting, seen, sent, left, None, *deliver(kind, number, stamp)


@pytest.mark.parametrize("model", ["channel", "at_once"])
def test_a_channel_of_tuples_counts_the_same(model):
    start = ((0, 0), (0, 0), (0, 0), 0, ((), (), ()), None, 0, (0, 0, 0), 0)
    seen, frontier, transitions, terminal, depth = {start}, [start], 0, 0, -1
    while frontier:
        depth, fresh = depth + 1, []
        for state in frontier:
            after = list(_after(state, model == "at_once"))
            transitions += len(after)
            terminal += not after
            new = [one for one in dict.fromkeys(after) if one not in seen]
            seen.update(new)
            fresh += new
        frontier = fresh
    counted = {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth}
    [row] = [row for row in EXPECTED["messages"] if row["model"] == model]
    assert counted == {key: row[key] for key in COUNTED}
