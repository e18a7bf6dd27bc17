"""What an orchestra may say of itself, and how each fault is named when its class is made (OR-E*, OR-P*)."""

from __future__ import annotations

import pytest

from hocket.errors import DeclarationError, Refused
from hocket.graph.traffic import Mode
from hocket.orchestra import Orchestra, apart, asks, replies, subsystem, trying, unbounded


class Stop: ...


class A: ...


class B: ...


class C: ...


WORDS = {"signal": Stop, "event": str, "error": Exception}


def declare(rows, annotations=None, **options):
    return type(Orchestra)("Sample", (Orchestra,), {**rows, "__annotations__": annotations or {}}, **(WORDS | options))


def refused(message, rows, annotations=None, **options):
    with pytest.raises(DeclarationError) as caught:
        declare(rows() if callable(rows) else rows, annotations, **options)
    assert message in str(caught.value)
    return caught.value.subject


@pytest.mark.parametrize("word", ["signal", "event", "error"])
def test_or_e4_each_of_the_three_types_must_be_named(word):
    said = f"Must declare the orchestra {word} type via {word}=.."
    assert refused(said, {"a": subsystem(consumes=A)}, **{word: None}, deny_unsent=False) == word


def test_or_e1_a_message_has_one_consumer():
    rows = {"a": subsystem(consumes=A), "b": subsystem(consumes=A, sends=[A])}
    assert refused("A is consumed by a and b", rows) == "A"


def test_or_e2_an_orchestra_without_subsystems_is_none():
    assert refused("declares no subsystem", {}) == "Sample"


def test_or_e3_a_subsystem_type_has_one_place():
    rows = {"a": subsystem(consumes=A, sends=B), "b": subsystem(consumes=B, sends=A)}
    assert refused("Duplicate subsystem names: Same is both a and b", rows, {"a": "Same", "b": "Same"}) == "Same"


def test_a_name_declared_twice_in_a_class_is_no_silent_overwriting():
    with pytest.raises(DeclarationError, match="a is declared twice"):

        class Twice(Orchestra, signal=Stop, event=str, error=Exception):
            a = subsystem(consumes=A, sends=A)
            a = subsystem(consumes=A, sends=A)  # noqa: PIE794  # what is tested


def test_what_is_sent_must_be_consumed_and_the_reverse():
    assert refused("B is sent by a and consumed by nobody", {"a": subsystem(consumes=A, sends=[A, B])}) == "B"
    assert refused("A is consumed by a and sent by nobody", {"a": subsystem(consumes=A)}) == "A"
    declare({"a": subsystem(consumes=A, sends=[B])}, deny_unconsumed=False, deny_unsent=False)
    declare({"a": subsystem(consumes=A, sends=[B])}, outgoing=B, routes=[A])


def test_a_signal_is_no_message():
    class Halt(Stop): ...

    assert refused("Halt is a signal (Stop) and a message", {"a": subsystem(consumes=Halt, sends=Halt)}) == "Halt"


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "7"])
def test_a_capacity_is_a_number_of_items(number):
    for word in ("message_capacity", "signal_capacity"):
        assert refused(f"{word}={number!r}", lambda w=word: {"a": subsystem(consumes=A, **{w: number})}) == word
        assert refused(f"{word}={number!r}", {"a": subsystem(consumes=A, sends=A)}, **{word: number}) == word


@pytest.mark.parametrize(
    ("given", "length"),
    [([A, B, C], 3), ([A], 1), ((A,), 1), (A, 1), ([], 0)],
    ids=["OR-P4", "OR-P5", "OR-P6", "one class", "OR-P7"],
)
def test_sends_may_be_one_class_or_several(given, length):
    """OR-P7, an empty list, is no declaration by itself: it goes with consumes."""
    assert len(subsystem(consumes=Stop, sends=given).options["sends"]) == length


def test_or_p8_p9_consumes_is_one_class_and_all_options_go_together():
    flags = {"wip": True, "blocking": True, "priority": True}
    slot = subsystem(message_capacity=10, consumes=A, sends=[B], signal_capacity=2, **flags).slot("x", "X")
    assert (slot.consumes, slot.message_capacity, slot.signal_capacity) == (A, 10, 2)
    assert (slot.wip, slot.blocking, slot.priority, slot.events) == (True, True, True, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sends": []}, "must consume a message or send one"),
        ({}, "must consume a message or send one"),
        ({"consumes": [A, B]}, "a subsystem consumes one type of message"),
        ({"sends": [A, A]}, "sends names A twice"),
        ({"sends": [A, unbounded(A)]}, "sends names A twice"),
        ({"sends": ["A"]}, "'A' is no message type"),
        ({"sends": [replies(B, to=A)]}, "B replies to A, which is not what it consumes"),
    ],
    ids=["OR-P22", "OR-P23", "OR-P21", "twice", "twice in two ways", "no class", "reply to nothing"],
)
def test_a_subsystem_that_means_nothing_is_refused(options, message):
    with pytest.raises(DeclarationError, match=message):
        subsystem(**options)


def test_or_p1_p2_capacities_are_the_orchestras_unless_they_are_given():
    plain = declare({"a": subsystem(consumes=A, sends=A)}).declaration
    full = declare({"a": subsystem(consumes=A, sends=A)}, message_capacity=222, signal_capacity=111).declaration
    assert (plain.message_capacity, plain.signal_capacity) == (1024, 64)
    assert (full.message_capacity, full.signal_capacity) == (222, 111)


def test_or_p26_every_other_annotated_name_is_baggage():
    sample = declare(
        {"a": subsystem(consumes=A, sends=A), "pi": 3.0}, {"a": "Sub", "pi": "float", "seen": "dict[str, int]"}
    )
    assert sample.declaration.baggage == ("pi", "seen")
    assert sample.declaration.defaults == (("pi", 3.0),)
    assert sample.declaration.slot("a").kind == "Sub"


def test_ways_of_sending_are_part_of_the_traffic():
    sample = declare(
        {
            "a": subsystem(consumes=A, sends=[B, unbounded(C)], events=True),
            "b": subsystem(consumes=B, sends=[replies(A, to=B)], message_capacity=7),
            "c": subsystem(consumes=C, wip=True, sends=[]),
        },
        routes=A,
    )
    rows = [(row.sender, row.receiver, row.message, row.mode, row.capacity) for row in sample.traffic().channels]
    assert rows == [
        ("a", "b", "B", Mode.BOUNDED, 7),
        ("b", "a", "A", Mode.BOUNDED, 1024),
        ("the orchestra", "a", "A", Mode.BOUNDED, 1024),
        ("a", "the orchestra", "str", Mode.EVENT, 64),
        ("the orchestra", "a", "Stop", Mode.SIGNAL, 64),
        ("the orchestra", "b", "Stop", Mode.SIGNAL, 64),
    ]
    assert sample.traffic().nodes == ("a", "b")


def test_every_way_of_sending_needs_a_class():
    for way in (unbounded, trying, asks, apart):
        with pytest.raises(DeclarationError, match="give a class"):
            way("Message")
    with pytest.raises(DeclarationError, match="give the class that is replied to"):
        replies(A, to="B")


# -- building ---------------------------------------------------------------------------------------------------------


async def nothing(ctx): ...


def threads(builder):
    return builder.build(runtime="threads")


def test_or_e5_e6_e9_a_builder_says_everything_that_is_missing():
    sample = declare({"a": subsystem(consumes=A, sends=A)}, {"pi": "float"})
    with pytest.raises(Refused, match=r"without a, pi.*set\(a=\.\.\., pi=\.\.\.\)"):
        threads(sample.builder())


def test_or_e8_a_subsystem_is_set_once_and_baggage_as_often_as_one_likes():
    sample = declare({"a": subsystem(consumes=A, sends=A)}, {"pi": "float"})
    builder = sample.builder(a=nothing, pi=1.0).set(pi=2.0)
    with pytest.raises(Refused, match="set already"):
        builder.set(a=nothing)
    with pytest.raises(Refused, match="set already"):
        builder.defer(a=lambda handle: nothing)
    system, _ = threads(builder)
    with system:
        assert system.baggage.pi == 2.0


def test_or_e7_a_spawner_may_be_left_out_here():
    """The seed insists on one. Here a loop or threads are at hand; `spawner(...)` takes another."""
    started = []

    class Spawner:
        def spawn(self, name, group, body):
            started.append((name, group))
            body().close()

        def spawn_blocking(self, name, group, body): ...

    sample = declare({"a": subsystem(consumes=A, sends=A)})
    threads(sample.builder(a=nothing).spawner(Spawner()))
    assert started == [("a", "a")]


def test_names_that_are_not_declared_are_refused_with_those_that_are():
    sample = declare({"a": subsystem(consumes=A, sends=A)}, {"pi": "float"})
    with pytest.raises(Refused, match="not in Sample; expected: one of a, pi"):
        sample.builder(b=nothing)
    with pytest.raises(Refused, match="not set"):
        sample.builder().replace(a=lambda old: old)
    with pytest.raises(DeclarationError, match="a capacity of 0"):
        sample.builder().capacities(messages=0)


def test_a_body_must_fit_where_it_is_to_run():
    sample = declare({"a": subsystem(consumes=A, sends=A)})
    hard = declare({"a": subsystem(consumes=A, sends=A, blocking=True)})
    with pytest.raises(Refused, match="not in a running event loop"):
        sample.builder(a=nothing).build()
    with pytest.raises(Refused, match="an ordinary function"):
        threads(hard.builder(a=nothing))
    with pytest.raises(Refused, match=r"an object with start\(ctx\)"):
        threads(sample.builder(a=7))
    with pytest.raises(Refused, match="'asyncio' or 'threads'"):
        sample.builder(a=nothing).build(runtime="trio")


def test_a_connector_belongs_to_one_orchestra_and_one_build():
    sample, other = (declare({"a": subsystem(consumes=A, sends=A)}, message_capacity=n) for n in (1, 2))
    connector = sample.connector()
    with pytest.raises(Refused, match="of another orchestra"):
        other.builder(a=nothing).build(connector, runtime="threads")
    with sample.builder(a=nothing).build(connector, runtime="threads")[0]:
        pass
    with pytest.raises(Refused, match="used before"):
        sample.builder(a=nothing).build(connector, runtime="threads")
