"""What actors of models do is remembered, and nobody can tell: the executions are those of actors that always run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any
from unittest import mock

import pytest

from hocket.errors import NondeterminismError
from hocket.explore import host
from hocket.explore.classes import class_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, Spawn, run
from hocket.explore.recall import UNKNOWN, Recall, label
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Limits, Tally
from tests import explorer_programs as programs
from tests.fuzz_explorer import sources
from tests.programs import build


def _explored(program: Program, strategy: Strategy, room: int) -> tuple[Any, ...]:
    """Everything that can be seen of an exploration whose host remembers so many places."""
    seen: list[Any] = []
    with mock.patch.object(host, "Recall", return_value=Recall(room)):
        tally = run(program, strategy, Limits(executions=150), watch=lambda execution: seen.append(
            (class_of(execution), str(execution.schedule()), [str(event) for event in execution.events])))
    failures = [(failure.kind, failure.message, str(failure.schedule)) for failure in tally.failures]
    return tally.executions, tally.events, tally.outcomes, failures, seen


@pytest.mark.parametrize("room", [3, 10_000])
def test_random_programs_run_as_if_nothing_were_remembered(room: int):
    for source in islice(sources(11), 25):
        assert _explored(build(source), Optimal(), room) == _explored(build(source), Optimal(), 0)


def test_an_actor_runs_as_often_as_it_does_something_new_and_not_in_every_execution():
    """Each of the three stands at 7 places: the start, three loaded values, three ends. 36 executions, 118 steps."""
    program, started = programs.counter(3), Counter[int]()
    bodies = program.bodies

    def counted(body: Callable[..., Any]) -> Callable[..., Any]:
        def counting(number: int) -> Any:
            started[number] += 1
            return body(number)
        return counting

    program.bodies = [(counted(body), arguments) for body, arguments in bodies]
    assert run(program, Optimal()).executions == 36
    assert max(started.values()) < 12


def test_answers_that_a_program_can_tell_apart_have_different_labels():
    answers: list[Any] = [None, True, 1, "1", b"1", (1,), (True,), ((1,),), ()]
    assert len({label(answer) for answer in answers}) == len(answers)
    assert all(label(answer) is UNKNOWN for answer in ([1], 1.0, object(), (1, [])))


# -- functions that see variables of their actor ----------------------------------------------------------------------


def _tally_by_both(make: Callable[[], Program]) -> Tally:
    """Optimal search finds the outcomes of depth-first search, and fails if that fails."""
    tally, oracle = run(make(), Optimal()), run(make(), DepthFirst())
    assert set(tally.outcomes) == set(oracle.outcomes)
    assert {failure.message for failure in tally.failures} == {failure.message for failure in oracle.failures}
    return tally


def _waiting(waiter: Callable[[Any], Any]) -> Callable[[], Program]:
    """Somebody waits for 0, then for 1, while x goes from 0 through 5 and 0 to 1: who comes too late waits for ever."""
    def make() -> Program:
        program = Program()
        x = program.cell(0, "x")

        def setter() -> Any:
            for value in (5, 0, 1):
                yield x.store(value)

        program.actor(waiter, x)
        program.actor(setter)
        return program

    return make


def _by_loop_variable(x: Any) -> Any:
    for wanted in range(2):
        yield x.block_until(lambda value: value == wanted)  # noqa: B023  # this is what is tested


def _by_list(x: Any) -> Any:
    done: list[int] = []
    for _ in range(2):
        yield x.block_until(lambda value: value == len(done))
        done.append(1)


def _by_default(x: Any) -> Any:
    done: list[int] = []
    for _ in range(2):
        yield x.block_until(lambda value, done=done: value == len(done))
        done.append(1)


class _Question:
    """A question that is an object."""

    def __init__(self) -> None:
        self.wanted = 0

    def __call__(self, value: int) -> bool:
        return value == self.wanted


def _by_object(x: Any) -> Any:
    question = _Question()
    yield x.block_until(question)
    question.wanted = 1
    yield x.block_until(question)


@pytest.mark.parametrize("waiter", [_by_loop_variable, _by_list, _by_default, _by_object])
def test_a_question_sees_the_variables_of_its_actor_as_they_were_when_it_was_asked(waiter: Callable[[Any], Any]):
    """Three classes: the wait for 0 is over before the 5, or after the second 0, or it comes too late for both."""
    tally = _tally_by_both(_waiting(waiter))
    assert (tally.executions, tally.failed) == (3, 1)
    assert tally.failures[0].kind == "deadlock"


def test_what_is_spawned_sees_the_variables_of_its_parent_as_they_were_when_it_was_spawned():
    """Two children store 1 and 2 into a cell that starts with 0: two orders, and each value is seen last once."""
    def make() -> Program:
        program = Program()
        x = program.cell(0, "x")

        def main() -> Any:
            for number in (1, 2):
                def child() -> Any:
                    yield x.store(number)  # noqa: B023  # that is what is tested
                yield Spawn(child)

        program.body(main)
        return program

    assert _tally_by_both(make).outcomes == {(("x", 1),): 1, (("x", 2),): 1}


# -- programs that do not repeat themselves ---------------------------------------------------------------------------


def _changing(from_run: int, what: Callable[[Any, Any], Any]) -> Program:
    """Two actors that load x and store it; from a certain run on the first does something else after its load."""
    program, runs = Program(), Counter[int]()
    x, y = program.cell(0, "x"), program.cell(0, "y")

    def body(number: int) -> Any:
        runs[number] += 1
        value = yield x.load()
        if number == 0 and runs[number] >= from_run:
            yield from what(x, y)
        yield x.store(value + 1)

    program.actor(body, 0)
    program.actor(body, 1)
    return program


def _stores_elsewhere(x: Any, y: Any) -> Any:
    yield y.store(1)


def _ends(x: Any, y: Any) -> Any:
    raise ValueError("not before")
    yield


@pytest.mark.parametrize(("what", "got"), [
    (_stores_elsewhere, "x.store.1. before and now y.store.1."),
    (_ends, "x.store.1. before and now nothing: it has ended"),
])
def test_a_body_that_does_something_else_in_its_second_run_is_named_with_its_step(
        what: Callable[[Any, Any], Any], got: str):
    with pytest.raises(NondeterminismError, match=got) as caught:
        run(_changing(2, what), Optimal())
    assert (caught.value.actor, caught.value.step) == ("t1", 4)  # behind both steps of the other and its own load
