"""Small things that strangers do with the faces of the scheduler, and what they are told."""

from __future__ import annotations

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from hocket import AsyncScheduler, Progress, Scheduler, run, seq, task
from hocket.errors import Refused
from hocket.runtime.ecs import OnCompletion, World


@pytest.mark.parametrize("stated", [3, None, [print], print], ids=str)
@pytest.mark.parametrize("do", [run, World().assemble, Scheduler(0).add_graph], ids=["run", "assemble", "add_graph"])
def test_what_is_no_graph_is_refused_with_what_one_is_made_of(do, stated):
    with pytest.raises(TypeError, match=r"a graph is made of task\(f\), seq\(...\) and fork\(...\), and .* is none"):
        do(stated)


def test_an_expression_is_added_as_a_graph_is():
    with Scheduler(1) as s:
        one, two = s.add_graph(seq(task(lambda: 1, "one"), task(lambda: 2, "two")))
    assert (one.result, two.result) == (1, 2)


@pytest.mark.parametrize("after", ["a", 7, None])
def test_one_task_where_a_list_is_wanted_is_refused_with_what_to_say(after):
    with Scheduler(0) as s:
        stated = s.spawn("a", int) if after == 7 else after
        with pytest.raises(TypeError, match=r"`after` is a list of tasks, .*: say after=\[a\]"):
            s.spawn("b", int, after=stated)


def test_run_attached_and_join_with_help_are_said_on_a_loop_as_in_threads():
    async def main() -> list[int]:
        async with AsyncScheduler() as s:
            idle, armed = s.multi("m", 3, seen.append, run=False), s.spawn("a", lambda: 40)
            assert await idle.run_attached() is None
            return [*sorted(seen), await armed.join(help=True), await armed.run_attached()]

    seen: list[int] = []
    assert asyncio.run(main()) == [0, 1, 2, 40, 40]


@pytest.mark.parametrize("width", [20, 40, 100])
def test_a_bar_says_how_many_have_closed_in_the_narrowest_terminal(width):
    console = Console(file=StringIO(), width=width)
    with Progress(console=console) as bar:
        run(seq(*[task(int)] * 10), watch=bar)
    assert "10/10" in console.file.getvalue()


def test_a_final_task_is_made_at_once_and_a_type_without_a_runner_is_refused():
    world = World()
    entity = world.make_final_task(int, OnCompletion.DELETE)
    assert world.run() == 2
    assert not world.is_alive(entity)
    with pytest.raises(Refused, match="'int' was run but it is without a runner"):
        world.run_tasks(int)
