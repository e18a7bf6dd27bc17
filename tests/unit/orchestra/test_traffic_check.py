"""Who can wait for whom, found before anything runs: every cycle, and whether it can close (OR-G1, OR-G2, O-B12)."""

from __future__ import annotations

from itertools import permutations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hocket
from hocket.graph.traffic import ORCHESTRA, Channel, Mode, Traffic, Wait, every_cycle, waits
from hocket.orchestra import unbounded
from hocket.orchestra.check import check
from hocket.orchestra.confirm import _Search, confirm
from hocket.orchestra.waiters import finish
from hocket.render.traffic import svg_of
from tests import fuzz_traffic


def edges(text):
    return tuple(Wait(a, b, "room") for a, b in text.split())


def names(cycles):
    return ["".join(wait.who for wait in cycle) for cycle in cycles]


def traffic(text, **options):
    """`AB` is a bounded send, `A?B` an asked one, `A~B` an unbounded one; messages are named after the edge."""
    rows = []
    for word in text.split():
        mode = {"?": Mode.ASKED, "~": Mode.UNBOUNDED}.get(word[1], Mode.BOUNDED)
        rows.append(Channel(word[0], word[-1], word, mode))
    nodes = dict.fromkeys(name for row in rows for name in (row.sender, row.receiver))
    return Traffic(tuple(nodes), tuple(rows), **options)


def test_or_g1_every_cycle_of_the_component_is_listed():
    """In the seed one for each component: A, B, C, D and E are one, F is none."""
    cycles, complete = every_cycle(edges("AB BC CA AD DC BE EC CF"))
    assert (names(cycles), complete) == (["ABC", "ADC", "ABEC"], True)


def test_or_g2_a_node_that_waits_for_itself_is_a_cycle_and_one_that_is_alone_is_none():
    assert names(every_cycle(edges("AA"))[0]) == ["A"]
    assert every_cycle(()) == ((), True)


def test_more_cycles_than_asked_for_are_not_called_all():
    complete_graph = tuple(Wait(a, b, "room") for a, b in permutations("ABCDE", 2))
    # of five nodes that all wait for each other: 10 pairs, 20 of three, 30 of four, 24 of five
    assert (len(every_cycle(complete_graph)[0]), every_cycle(complete_graph)[1]) == (84, True)
    assert (len(every_cycle(complete_graph, 83)[0]), every_cycle(complete_graph, 83)[1]) == (83, False)
    assert check(traffic(" ".join(a + b for a, b in permutations("ABCD", 2))), cycles=3).complete is False


@given(st.sets(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDE"))))
def test_cycles_are_those_that_brute_force_finds(pairs):
    found, complete = every_cycle(tuple(Wait(a, b, "room") for a, b in sorted(pairs)))
    expected = {
        ring
        for size in range(1, 6)
        for ring in permutations("ABCDE", size)
        if ring[0] == min(ring) and all(pair in pairs for pair in zip(ring, ring[1:] + ring[:1], strict=True))
    }
    turned = {tuple(word[(word.index(min(word)) + n) % len(word)] for n in range(len(word))) for word in names(found)}
    assert complete
    assert len(found) == len(expected)
    assert turned == expected


def test_only_sends_that_can_wait_are_waits():
    """O-B12, #73: the seed's check counts unbounded sends, and does not know of answers."""
    assert [(wait.who, wait.whom, wait.why) for wait in waits(traffic("AB B~A A?C"))] == [
        ("A", "B", "room for AB"),
        ("A", "C", "an answer for A?C"),
    ]
    assert check(traffic("AB B~A")).verdict == "holds"
    assert check(traffic("AB B~A")).cycles == ()


@pytest.mark.parametrize(
    ("text", "steps"),
    # each fills the queue of the next one, and then waits for room there; who asks waits at once
    [("AB BA", 4), ("AA", 2), ("AB BC CA", 6), ("A?B B?A", 2), ("AB B?A", 3)],
)
def test_a_cycle_that_can_close_is_closed_by_a_shortest_run(text, steps):
    report = check(traffic(text))
    [cycle] = report.cycles
    assert (report.verdict, cycle.answer.status, len(cycle.answer.run)) == ("violated", "confirmed", steps)


def replying(*rows):
    """Bounded channels that are replies: `A>B:C` says that A sends B, in reply to C."""
    return tuple(
        Channel(sender, receiver, message, Mode.BOUNDED, 1, to)
        for sender, receiver, message, to in (row.replace(">", " ").replace(":", " ").split() for row in rows)
    )


def test_a_cycle_of_replies_that_nobody_begins_is_refuted():
    system = Traffic(("A", "B"), replying("A>B:x y", "B>A:y x"))
    [cycle] = check(system).cycles
    assert (cycle.answer.status, cycle.answer.states) == ("refuted", 2)  # nothing can be done: one state in each search
    assert check(system).verdict == "holds"


def test_the_same_cycle_closes_when_the_main_loop_begins_it():
    system = Traffic(
        ("A", "B"), (*replying("A>B:x y", "B>A:y x"), Channel(ORCHESTRA, "B", "x", Mode.BOUNDED))
    )
    [cycle] = check(system).cycles
    assert cycle.answer.status == "confirmed"
    assert cycle.answer.run[0].who == ORCHESTRA


def test_a_search_that_stops_early_is_unknown():
    system = Traffic(("A", "B"), (*replying("A>B:x y", "B>A:y x"), Channel(ORCHESTRA, "B", "x", Mode.BOUNDED)))
    [cycle] = check(system, states=3).cycles
    assert cycle.answer.status == "unknown"
    assert check(system, states=3).verdict == "unknown"


def test_replies_beyond_those_that_are_counted_make_no_refutation():
    """A may owe more than three replies that it never gives; then not everything was looked at."""
    rows = (*replying("A>B:x y", "B>C:y2 z"), Channel("C", "A", "y", Mode.UNBOUNDED), *replying("B>A:w q"))
    cycle = (Wait("A", "B", "room for x"), Wait("B", "A", "room for w"))
    assert confirm(Traffic(("A", "B", "C"), rows), cycle).status == "unknown"


def test_a_broadcast_in_turn_waits_and_one_at_once_does_not():
    """O-B1: the orchestra waits for s2's queue, s2 for s3's, and s3 for the signal that it was not given yet."""
    in_turn = traffic("13 23", in_turn=True)
    rings = [{wait.who for wait in cycle} for cycle in every_cycle(waits(in_turn))[0]]
    assert rings == [{ORCHESTRA, "3"}, {"1", ORCHESTRA, "3"}, {"2", ORCHESTRA, "3"}]
    assert check(in_turn).verdict == "unknown"
    assert check(traffic("13 23")).verdict == "holds"


def test_a_report_reads_as_a_story_with_what_would_break_it():
    assert str(check(traffic("AB B?A"))).splitlines() == [
        "violated: 1 cycle of waiting",
        "confirmed: A → B → A",
        "  A waits for B: room for AB",
        "  B waits for A: an answer for B?A",
        "  it closes like this, with room for one item in each queue:",
        "    1. A sends AB to B",
        "    2. B sends B?A to A",
        "    3. A sends AB to B, whose queue is full: it waits",
        "  any of these would break it:",
        "   - A sends AB as unbounded(...), as trying(...), or from a job as apart(...)",
        "   - B asks B?A from a spawned job, or A answers it before it sends anything",
    ]


def test_what_breaks_a_cycle_takes_every_way_between_two_out_of_it():
    """One of two messages made unbounded would leave the other."""
    rows = (Channel("A", "B", "x", Mode.BOUNDED), Channel("A", "B", "y", Mode.ASKED), *traffic("BA").channels)
    [cycle] = check(Traffic(("A", "B"), rows)).cycles
    assert [wait.why for wait in cycle.waits] == ["room for x or an answer for y", "room for BA"]
    assert cycle.cures[0] == (
        "A sends x as unbounded(...), as trying(...), or from a job as apart(...); and "
        "A asks y from a spawned job, or B answers it before it sends anything"
    )


@pytest.mark.parametrize("mode", [Mode.TRIED, Mode.APART])
def test_what_a_job_sends_can_fill_the_queue_for_somebody_else(mode):
    """A owes B one message for each question, which has room; but not behind C's, although C waits for nobody."""
    rows = (*replying("A>B:x y"), Channel("B", "A", "y", Mode.ASKED), Channel("C", "B", "z", mode))
    answer = _Search(("A", "B", "C"), rows, ("A", "B")).run(100)
    assert [str(step) for step in answer.run] == [
        "B sends y to A",
        "A takes y",
        "C sends z to B",
        "A sends x to B, whose queue is full: it waits",
    ]


def test_unbounded_messages_are_taken_as_a_mailbox_gives_them():
    """The shortest run takes one of B's messages that lies behind another; what is shown is what mailboxes do."""
    rows = (
        Channel("C", "B", "u", Mode.UNBOUNDED),
        Channel("C", "B", "v", Mode.UNBOUNDED),
        *replying("B>A:x u", "B>A:y v", "A>B:z x"),
        Channel("B", "A", "w", Mode.BOUNDED),
    )
    for cycle in check(Traffic(("A", "B", "C"), rows)).cycles:
        assert cycle.answer.status == "confirmed"
        assert str(cycle.answer.run[-1]).endswith("it waits")


FIVE = "AB BC CD DE EA EB D?B C~A AC CA"


def test_of_five_subsystems_every_cycle_is_found_and_each_is_closed_or_refuted():
    report = check(traffic(FIVE))
    found = {"".join(wait.who for wait in cycle.waits): cycle.answer.status for cycle in report.cycles}
    assert found == dict.fromkeys(["AC", "BCD", "ABC", "BCDE", "ACDE", "ABCDE"], "confirmed")


def test_random_systems_wait_as_a_traffic_that_is_written_down_anew():
    """More of them by `python -m tests.fuzz_traffic`."""
    assert fuzz_traffic.run(8) == {"confirmed": 4, "refuted": 2}


def test_no_orchestra_that_holds_stands_still_in_a_random_program():
    """And nearly all of those that do not hold did, in one of five programs."""
    assert fuzz_traffic.run_declared(20) == {"violated": 11, "holds": 9, "stood still": 10}


def test_a_large_system_is_checked_cycle_by_cycle():
    """Forty subsystems in a ring with a chord: where nobody needs to be replied to, nothing is searched."""
    ring = [f"s{n}" for n in range(40)]
    rows = [Channel(a, b, a + b, Mode.BOUNDED) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    report = check(Traffic(tuple(ring), (*rows, Channel("s1", "s0", "chord", Mode.BOUNDED))))
    found = [(len(cycle.waits), cycle.answer.status, cycle.answer.states) for cycle in report.cycles]
    assert found == [(2, "confirmed", 5), (40, "confirmed", 81)]


@given(st.sets(st.sampled_from(["AB", "BA", "BC", "CA", "A?B", "B?A", "B?C", "A~B", "C~A"]), min_size=1, max_size=5))
def test_where_a_cycle_closes_without_a_search_the_search_closes_it_too(words):
    system = traffic(" ".join(sorted(words)))
    for cycle in check(system).cycles:
        nodes = tuple(wait.who for wait in cycle.waits)
        searched = _Search(system.nodes, system.channels, nodes).run(100_000)
        assert (cycle.answer.status, searched.status) == ("confirmed", "confirmed")
        assert len(searched.run) <= len(cycle.answer.run)


# -- as others see it --------------------------------------------------------------------------------------------------


class Stop: ...


class Ping: ...


class Pong: ...


class Deadly(hocket.Orchestra, signal=Stop, event=str, error=Exception):
    a = hocket.subsystem(consumes=Pong, sends=Ping)
    b = hocket.subsystem(consumes=Ping, sends=Pong)


class Harmless(hocket.Orchestra, signal=Stop, event=str, error=Exception):
    a = hocket.subsystem(consumes=Pong, sends=Ping)
    b = hocket.subsystem(consumes=Ping, sends=unbounded(Pong))


def test_the_verifier_reads_an_orchestra():
    report = hocket.verify(Deadly)
    [finding] = report.findings
    assert (report.verdict, finding.code, finding.witness) == ("violated", "G024", ("a", "b"))
    assert finding.path.endswith("test_traffic_check.py")
    assert "a sends Ping to b, whose queue is full: it waits" in finding.message
    assert "b sends Pong as unbounded(...)" in finding.cure
    assert hocket.verify(Harmless).verdict == "holds"


def main_loop_and_poster(signals_wait):
    """The subsystem posts four events and never receives; the main loop broadcasts a signal for each event."""

    words = {"signal": Stop, "event": str, "error": Exception, "signal_capacity": 1}

    class Posting(hocket.Orchestra, **words, signals_wait=signals_wait):
        a = hocket.subsystem(consumes=Ping, sends=Ping, events=True)

    async def a(ctx):
        for _ in range(4):
            await ctx.post("event")

    async def main():
        system = Posting.builder(a=a).build(Posting.connector(capacity=1), runtime="threads")[0]._system

        async def serve(event):
            await system.broadcast(Stop())

        await system.run(serve, watch=None)

    return Posting, lambda: finish(main())


def test_a_main_loop_that_broadcasts_can_wait_for_whoever_waits_for_it():
    """As the check says it of the declaration, so the code that runs does it."""
    declared, body = main_loop_and_poster(signals_wait=True)
    cycles = {cycle.waits[0].who: cycle for cycle in declared.check().cycles if len(cycle.waits) == 2}
    [cycle] = cycles.values()
    assert [wait.why for wait in cycle.waits] == ["room for str", "room for Stop"]
    assert (cycle.answer.status, len(cycle.answer.run)) == ("confirmed", 4)
    assert hocket.explore(body, data="off").failure.kind == "deadlock"
    assert (f'"{ORCHESTRA}" -> "a" [label="signal Stop"') in declared.dot()
    declared, body = main_loop_and_poster(signals_wait=False)
    assert [len(cycle.waits) for cycle in declared.check().cycles] == [1]  # it sends itself messages
    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes) == ("proved", 594)
    assert "signal Stop" not in declared.dot()


def test_a_cycle_that_is_not_decided_is_a_finding_of_its_own(monkeypatch):
    monkeypatch.setattr(Deadly, "check", classmethod(lambda cls: check(traffic("AB BC CA", in_turn=True), cycles=1)))
    report = hocket.verify(Deadly)
    assert [finding.code for finding in report.findings] == ["G024", "G090"]


def test_pictures_show_the_cycle_that_can_close():
    red = "#b3261e"
    assert Deadly.dot().count(f'color="{red}"') == 2
    assert Harmless.dot().count(f'color="{red}"') == 0
    assert '"b" -> "a" [label="unbounded Pong"' in Harmless.dot()
    for picture in (Deadly.picture(), Harmless.picture()):
        ElementTree.fromstring(picture)
    assert Deadly.picture().count(f'stroke="{red}" stroke-width="2.4"') == 3  # two edges, and the legend's


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_picture_of_any_names_is_well_formed(one, other):
    rows = (Channel(one, other, one + other, Mode.BOUNDED), Channel(one, one, other, Mode.ASKED))
    printable = "".join(sign for sign in one + other if sign.isprintable())
    if printable == one + other:
        assert ElementTree.fromstring(svg_of(Traffic((one,), rows))).tag.endswith("svg")
