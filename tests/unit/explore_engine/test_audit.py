"""A certificate is accepted if it is complete, and refused if anything is taken out of it or changed in it."""

from __future__ import annotations

import ast
import copy
import json
import random
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hocket.explore.audit
import hocket.explore.recorded
from hocket.explore.audit import audit
from hocket.explore.certificate import Recorder, read_value, write_value
from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, Spawn, join, run
from hocket.explore.tally import Limits
from hocket.verdict import Holds, Unknown, Violated
from tests import explorer_programs as programs
from tests.fuzz_explorer import sources
from tests.programs import build


def _certificate(program: Program, most: int = 1000) -> Any:
    """What is written to a file and read again; None if the program is too large, or has no certificate."""
    recorder = Recorder()
    tally = run(program, Optimal(), Limits(executions=most), watch=recorder.record)
    certificate = None if tally.reason else recorder.certificate()
    return None if certificate is None else json.loads(json.dumps(certificate.data))


def _random(count: int, seed: int) -> list[Any]:
    found = (_certificate(build(source), 40) for source in sources(seed))
    return list(islice((data for data in found if data is not None and len(data["executions"]) > 1), count))


@pytest.mark.parametrize(("program", "classes"), [
    (programs.counter(3), 36), (programs.philosophers(3), 7), (programs.lastzero(4), 28), (programs.trylock(3), 24),
    (programs.sigma(3), 15), (programs.readers(4), 16), (programs.casrot(4), 14),
], ids=["counter", "philosophers", "lastzero", "trylock", "sigma", "readers", "casrot"])
def test_the_classes_of_a_complete_search_are_accepted_with_their_number(program: Program, classes: int):
    verdict = audit(_certificate(program))
    assert isinstance(verdict, Holds), verdict
    assert verdict.counts["classes"] == classes


def test_without_any_one_class_a_certificate_is_refused():
    removed = 0
    for data in _random(30, seed=31):
        assert isinstance(audit(data), Holds)
        for number in range(len(data["executions"])):
            rest = data["executions"][:number] + data["executions"][number + 1:]
            assert isinstance(audit({**data, "executions": rest}), Violated)
            removed += 1
    assert removed >= 150


def test_no_proper_part_of_the_classes_is_accepted():
    rng = random.Random(4)
    for data in _random(30, seed=32):
        executions = data["executions"]
        for _ in range(10):
            part = rng.sample(executions, rng.randrange(0, len(executions)))
            assert isinstance(audit({**data, "executions": part}), Violated)


def _changes(data: Any) -> list[Any]:
    """The certificate of `counter(2)` with one thing wrong in it."""
    def changed(change: Any) -> Any:
        other = copy.deepcopy(data)
        change(other["executions"])
        return other

    return [
        changed(lambda all: all[0]["events"].reverse()),
        changed(lambda all: all[0]["events"][0].__setitem__(1, "data.read")),
        changed(lambda all: all[0]["events"][1].__setitem__(3, 7)),
        changed(lambda all: all.append(all[0])),
        changed(lambda all: all.clear()),
        changed(lambda all: all[0]["pending"].append(["t1", "cell.load", ["main/cell/1"], None])),
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_certificate_that_was_changed_is_refused(number: int):
    assert not isinstance(audit(_changes(_certificate(programs.counter(2)))[number]), Holds)


def _two_adders() -> Any:
    program = Program()
    x = program.cell(0, "x")

    def add() -> Any:
        yield x.add(1)

    program.actor(add)
    program.actor(add)
    return _certificate(program)


def test_an_execution_in_which_an_object_began_otherwise_is_of_another_program():
    data = _two_adders()
    assert audit(data).counts["classes"] == 2
    data["executions"][0]["objects"][0][1] = 5
    assert "of another program" in str(audit(data))


def test_an_execution_in_which_an_actor_takes_no_step_at_all_is_of_another_program():
    """With or without a word about the actor; closed by itself, it was once accepted beside the complete one."""
    for forget in (False, True):
        data = _two_adders()
        short = copy.deepcopy(data["executions"][0])
        short["events"] = [event for event in short["events"] if event[0] == "t1"]
        if forget:
            del short["threads"]["t2"]
        assert "of another program" in str(audit({**data, "executions": [*data["executions"], short]}))


def test_an_alternative_that_the_operation_does_not_have_is_no_step():
    data = _certificate(programs.trylock(2))
    for event in data["executions"][0]["events"]:
        event[-1] = 3
    assert "is not possible" in str(audit(data))


def test_a_thread_that_takes_no_step_has_ended_when_it_is_joined():
    program = Program()

    def idle() -> Any:
        return
        yield

    def main() -> Any:
        yield join((yield Spawn(idle)))

    program.body(main)
    assert audit(_certificate(program)).counts["classes"] == 1


def test_whether_a_thread_has_ended_is_refused_if_its_end_is_no_step():
    program = Program()
    x = program.cell(0, "x")

    def child() -> Any:
        yield x.store(1)

    def main() -> Any:
        yield (yield Spawn(child, watched=True)).is_alive()

    program.body(main)
    data = _certificate(program)
    assert audit(data).counts["classes"] == 2
    for execution in data["executions"]:
        execution["events"] = [event for event in execution["events"] if event[1] != "thread.end"]
    assert "its end is no step" in str(audit(data))


def test_how_deep_a_lock_was_held_in_a_wait_that_was_given_up_does_not_make_a_certificate_wrong():
    """It was refused: the record has no inner steps, and had the depth with them."""
    once = [("twice", [("rewait", "timed")])]
    assert isinstance(audit(_certificate(build([once, once]))), Holds)


def _meeting() -> Any:
    program = Program()
    barrier = program.barrier(2, "m")

    def child() -> Any:
        yield from barrier.wait()

    def main() -> Any:
        thread = yield Spawn(child, watched=True)
        yield from barrier.wait()
        yield join(thread)

    program.body(main)
    return _certificate(program)


@pytest.mark.parametrize(("kind", "change"), [
    ("barrier.pass", lambda event: event.__setitem__(3, -1)),
    ("thread.join", lambda event: event.__setitem__(3, "main")),
    ("thread.end", lambda event: event.__setitem__(0, "main")),
    ("thread.spawn", lambda event: event.__setitem__(3, "t1_1")),
], ids=["passes what it did not arrive at", "joins another", "ends another", "starts another"])
def test_what_no_host_does_is_refused(kind: str, change: Any):
    """An edge that no footprint tells is what it says: who passes has arrived, who joins knows whom."""
    data = _meeting()
    assert audit(data).counts["classes"] == 2
    changed = 0
    for execution in data["executions"]:
        for event in execution["events"]:
            if event[1] == kind:
                change(event)
                changed += 1
    assert changed
    assert isinstance(audit(data), Violated)


@pytest.mark.parametrize("data", [None, {}, {"kind": "other"}, {"kind": "hocket-classes-1"},
                                  {"kind": "hocket-classes-1", "executions": [{}]},
                                  {"kind": "hocket-classes-1", "executions": "many"}])
def test_what_cannot_be_read_is_unknown_and_never_holds(data: Any):
    assert isinstance(audit(data), Unknown)


def test_a_program_with_a_function_for_an_argument_has_no_certificate_and_is_told_why():
    program = Program()
    x = program.cell(0, "x")

    def body() -> Any:
        yield x.update(lambda value: value + 1)

    program.actor(body)
    recorder = Recorder()
    run(program, Optimal(), watch=recorder.record)
    assert recorder.certificate() is None
    assert "type function" in recorder.refusal


@pytest.mark.parametrize("value", [None, True, 3, "x", (1, (2, "y")), frozenset({(1, 1), (2, 1)})])
def test_values_are_read_as_they_were_written(value: Any):
    assert read_value(json.loads(json.dumps(write_value(value)))) == value


def test_the_auditor_imports_nothing_of_the_search():
    def of_ours(module: ModuleType) -> set[str]:
        tree = ast.parse(Path(str(module.__file__)).read_text())
        used = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        return {name for name in used if name.startswith("hocket")}

    table = {"hocket.explore.certificate", "hocket.explore.semantics", "hocket.trace.operation"}
    assert of_ours(hocket.explore.recorded) == table
    assert of_ours(hocket.explore.audit) == table | {"hocket.explore.recorded", "hocket.verdict"}
