"""The acceptance scenarios of specs_task (ST) and legion_task (LT), under their ids, without an ECS and on esper.

Runners come before the manager, as in the seeds' tests: what is finalised before tick 1 is armed in it, and the first
bodies are called in tick 2. The order of ST-R, ST-D and LT-05 on the runtimes without ticks: test_graph_scenarios.py.
"""

from __future__ import annotations

from functools import reduce

import esper
import pytest

from hocket import empty, fork, seq, task
from hocket.errors import AlreadyJoined, ExpectedFork
from hocket.graph import Fork, Leaf, Seq
from hocket.runtime import RUNTIMES, run
from hocket.runtime.ecs import OnCompletion
from tests.tick_worlds import WORLDS, Done, Write, logged, on_esper

DELETE = OnCompletion.DELETE


@pytest.fixture(params=WORLDS)
def world(request):
    with WORLDS[request.param]() as made:
        yield made


def write(value, asks=0):
    return task(Write(value, asks), str(value))


def ticks(world, times):
    for _ in range(times):
        world.tick()


# -- specs_task -------------------------------------------------------------------------------------------------------


def test_a_single_task_is_not_run_until_it_is_finalised_st_01(world):
    logged(world)
    body = Done()
    entity = world.make_task(body)
    ticks(world, 2)
    assert (body.was_run, world.entity_is_complete(entity)) == (False, False)
    world.finalize(entity)
    ticks(world, 2)
    assert (body.was_run, world.entity_is_complete(entity), world.is_alive(entity)) == (True, True, True)


def test_a_single_task_is_deleted_on_completion_st_02(world):
    logged(world)
    entity = world.make_task(Done())
    world.finalize(entity, DELETE)
    ticks(world, 1)
    assert world.is_alive(entity)
    ticks(world, 1)
    assert not world.is_alive(entity)


def test_joined_tasks_run_in_order_and_are_deleted_st_03(world):
    log = logged(world)
    root = world.assemble(seq(write(1), write(2), write(3)), DELETE)
    seen = []
    for _ in range(4):
        assert world.is_alive(root)
        world.tick()
        seen.append(log.values[-1:])
    assert seen == [[], [1], [2], [3]]
    assert not world.is_alive(root)


def test_all_prongs_of_a_fork_run_before_what_is_joined_to_it_st_04(world):
    log = logged(world)
    root = world.assemble(seq(write(1), fork(write(2), write(3)), write(4)), DELETE)
    ticks(world, 4)
    assert log.ticks == {1: 2, 2: 3, 3: 3, 4: 4}
    assert not world.is_alive(root)


def nested_by_hand(world):
    """FA and FB of the documentation; entities by name."""
    names = ("t0", "tx", "t1", "ty", "tz", "t2")
    made = {name: world.make_task(Write(name), name) for name in names}
    made |= {name: world.make_fork(name) for name in ("FA", "FB")}
    world.join(made["FA"], made["t0"])
    world.add_prong(made["FA"], made["tx"])
    world.add_prong(made["FA"], made["FB"])
    world.join(made["FB"], made["t1"])
    world.add_prong(made["FB"], made["ty"])
    world.add_prong(made["FB"], made["tz"])
    world.join(made["t2"], made["FA"])
    return made


def test_nested_forks_by_hand_take_five_ticks_and_all_eight_entities_are_deleted_st_05(world):
    log = logged(world)
    made = nested_by_hand(world)
    world.finalize(made["t2"], DELETE)
    ticks(world, 5)
    assert log.ticks == {"t0": 2, "tx": 3, "t1": 3, "ty": 4, "tz": 4, "t2": 5}
    assert [name for name, entity in made.items() if world.is_alive(entity)] == []


def test_the_same_graph_assembled_has_the_same_edges_and_ticks_st_05(world):
    log = logged(world)
    graph = seq(write("t0"), fork(write("tx"), seq(write("t1"), fork(write("ty"), write("tz")))), write("t2"))
    root = world.assemble(graph)
    fa = world.progress(root).single
    tx, fb = world.progress(fa).prongs
    prongs = world.progress(fb).prongs
    chain = [world.progress(fa).single, tx, world.progress(fb).single, *prongs, root]
    assert [world.task(entity).name.split("#")[0] for entity in chain] == ["t0", "tx", "t1", "ty", "tz", "t2"]
    assert world.run() == 5
    assert log.ticks == {"t0": 2, "tx": 3, "t1": 3, "ty": 4, "tz": 4, "t2": 5}


def test_a_task_takes_no_prong_st_06(world):
    single, forked = world.make_task(Done()), world.make_fork()
    with pytest.raises(ExpectedFork, match=r"task Done#1 is a task, and only a fork has prongs") as refused:
        world.add_prong(single, forked)
    assert refused.value.entities == (single,)


def test_who_was_joined_is_not_joined_again_st_07(world):
    one, two = world.make_task(Done()), world.make_task(Done())
    world.join(one, two)
    with pytest.raises(AlreadyJoined, match="Done#1 already comes after task Done#2") as refused:
        world.join(one, two)
    assert (refused.value.parent, refused.value.already, refused.value.new) == (one, two, two)


def test_tasks_joined_by_hand_report_complete_in_the_tick_of_their_body_st_08(world):
    log = logged(world)
    one, two, three = (world.make_task(Write(value)) for value in (1, 2, 3))
    world.join(three, two)
    world.join(two, one)
    world.finalize(three)
    complete = []
    for _ in range(4):
        world.tick()
        complete.append([world.entity_is_complete(entity) for entity in (one, two, three)])
    assert complete == [[False] * 3, [True, False, False], [True, True, False], [True] * 3]
    assert log.ticks == {1: 2, 2: 3, 3: 4}


# -- expressions: what specs_task and legion_task build from the same words --------------------------------------------


def leaf(value):
    """An equal one is made anew each time: equality is structural, down to the component."""
    return Leaf(Write(value), str(value))


BUILT = {
    "c1": (lambda: fork(write(1), write(2)), lambda: Fork(leaf(1), leaf(2))),
    "c2": (lambda: fork(write(1), write(2), write(3)), lambda: Fork(leaf(1), Fork(leaf(2), leaf(3)))),
    "c3": (lambda: fork(write(1), fork(write(2), write(3))), lambda: Fork(leaf(1), Fork(leaf(2), leaf(3)))),
    "c4": (
        lambda: seq(write(1), fork(seq(write(2), write(3), write(4)), write(5), write(6)), write(7)),
        lambda: Seq(leaf(1), Seq(Fork(Seq(leaf(2), Seq(leaf(3), leaf(4))), Fork(leaf(5), leaf(6))), leaf(7))),
    ),
    "c5": (lambda: fork(empty(), write(1)), lambda: leaf(1)),
    "c6": (lambda: fork(write(1), empty()), lambda: leaf(1)),
    "c7": (lambda: fork(empty(), fork(empty(), write(1))), lambda: leaf(1)),
    "c8": (
        lambda: reduce(seq, (write(value) for value in range(4)), empty()),
        lambda: Seq(Seq(Seq(leaf(0), leaf(1)), leaf(2)), leaf(3)),
    ),
}


@pytest.mark.parametrize("scenario", BUILT)
def test_an_expression_is_the_tree_that_the_seeds_build_st_c_lt_c(scenario):
    built, expected = BUILT[scenario]
    assert built() == expected()


def test_accumulated_from_the_left_it_is_another_tree_and_the_same_sequence_st_c8_lt_c8(world):
    log = logged(world)
    left, right = BUILT["c8"][0](), seq(*(write(value) for value in range(4)))
    assert left != right
    world.assemble(left, DELETE)
    assert world.run() == 5
    world.assemble(right, DELETE)
    assert world.run() == 5
    assert log.values == [0, 1, 2, 3] * 2


# -- readmes and documentation -----------------------------------------------------------------------------------------


def test_the_static_readme_graph_st_r1(world):
    log = logged(world)
    names = ("foo", "bar1", "bar2", "bar3", "zing")
    foo, *bars, zing = map(write, names)
    world.assemble(seq(foo, fork(*bars), zing), DELETE)
    assert world.run() == 4
    assert log.ticks == dict(zip(names, (2, 3, 3, 3, 4), strict=True))
    assert len(log.calls) == 5


@pytest.mark.parametrize("scenario", ["st_r2", "lt_r1"])
def test_the_dynamic_readme_graph_is_one_fork_of_ten_prongs(world, scenario):
    log = logged(world)
    middle = reduce(fork, (write(value) for value in range(10)), empty())
    root = world.assemble(seq(write("hello"), middle, write("goodbye")))
    prongs = world.progress(world.progress(root).single).prongs
    assert len(prongs) == 10
    assert world.count_tasks_in_progress() == 12
    assert world.run() == 4
    assert log.ticks == {"hello": 2, **dict.fromkeys(range(10), 3), "goodbye": 4}
    assert world.count_tasks_in_progress() == 0


def test_two_stages_of_three_prongs_st_d1(world):
    log = logged(world)
    first, second = ([write(f"{stage}.{prong}") for prong in range(3)] for stage in (1, 2))
    world.assemble(seq(write("t0"), fork(*first), fork(*second), write("t3")), DELETE)
    assert world.run() == 5
    assert log.ticks == {"t0": 2, **{f"1.{n}": 3 for n in range(3)}, **{f"2.{n}": 4 for n in range(3)}, "t3": 5}


@pytest.mark.parametrize("asks", [0, 1, 4])
def test_a_body_is_called_in_consecutive_ticks_until_it_says_true_st_x1(world, asks):
    log = logged(world)
    world.assemble(seq(write("a", asks), write("b")))
    assert world.run() == asks + 3
    assert log.calls == [*((tick, "a") for tick in range(2, asks + 3)), (asks + 3, "b")]


def test_a_graph_that_a_body_makes_starts_in_a_later_tick_st_x2(world):
    log = logged(world)

    def make():
        log.calls.append((world.now, "maker"))
        world.assemble(write("made"), DELETE)

    world.assemble(task(make), DELETE)
    assert world.run() == 3
    assert log.calls == [(2, "maker"), (3, "made")]


# -- legion_task -------------------------------------------------------------------------------------------------------


def test_a_graph_of_a_single_task_stays_where_nothing_is_to_be_done_lt_01(world):
    logged(world)
    body = Done()
    entity = world.assemble(task(body))
    ticks(world, 2)
    assert (body.was_run, world.entity_is_complete(entity), world.is_alive(entity)) == (True, True, True)


def test_a_graph_of_a_single_task_is_deleted_lt_02(world):
    logged(world)
    entity = world.assemble(task(Done()), DELETE)
    ticks(world, 2)
    assert not world.is_alive(entity)


def test_three_in_a_row_write_in_order_lt_03(world):
    log = logged(world)
    root = world.assemble(seq(write(1), write(2), write(3)), DELETE)
    ticks(world, 4)
    assert log.values == [1, 2, 3]
    assert not world.is_alive(root)


def test_a_fork_between_two_tasks_lt_04(world):
    log = logged(world)
    root = world.assemble(seq(write(1), fork(write(2), write(3)), write(4)), DELETE)
    ticks(world, 4)
    assert log.values in ([1, 2, 3, 4], [1, 3, 2, 4])
    assert not world.is_alive(root)


def test_a_fork_in_a_fork_is_flattened_and_costs_one_tick_lt_05(world):
    log = logged(world)
    root = world.assemble(seq(write(1), fork(write(2), fork(write(3), write(4))), write(5)), DELETE)
    assert len(world.progress(world.progress(root).single).prongs) == 3
    ticks(world, 4)
    assert log.ticks == {1: 2, 2: 3, 3: 3, 4: 3, 5: 4}
    assert not world.is_alive(root)


# -- facts of the seeds' section 2.2 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_chain_of_n_takes_n_plus_1_ticks(world, length):
    logged(world)
    world.assemble(seq(*(write(number) for number in range(length))), DELETE)
    assert world.run() == length + 1


def test_with_the_manager_first_bodies_run_a_tick_earlier_and_the_graph_takes_as_many():
    with on_esper(priority=9) as world:
        log = logged(world)
        made = nested_by_hand(world)
        world.finalize(made["t2"], DELETE)
        calls = []
        for _ in range(5):
            before = len(log.calls)
            esper.process()
            calls.append(sorted(value for _, value in log.calls[before:]))
        assert calls == [["t0"], ["t1", "tx"], ["ty", "tz"], ["t2"], []]
        assert not world.is_alive(made["t2"])


def test_a_fork_at_the_end_is_the_final_entity_and_descendants_can_go_without_it(world):
    log = logged(world)
    root = world.assemble(
        seq(fork(write("a"), write("b")), fork(write("c"), write("d"))), OnCompletion.DELETE_DESCENDANTS
    )
    others = [entity for entity in range(1, 7) if entity != root]
    assert world.run() == 3
    assert log.ticks == {"a": 2, "b": 2, "c": 3, "d": 3}
    assert [world.is_alive(entity) for entity in others] == [False] * 5
    assert (world.is_alive(root), world.entity_is_complete(root)) == (True, True)


def test_the_empty_graph_makes_nothing(world):
    assert world.assemble(seq(empty(), fork(empty(), empty()))) is None
    assert (world.run(), world.orphans()) == (0, ())


# -- the same graphs on the runtimes without an ECS --------------------------------------------------------------------

ORDERS = {
    "st_03 lt_03": (lambda t: seq(t[1], t[2], t[3]), [[1], [2], [3]]),
    "st_04 lt_04": (lambda t: seq(t[1], fork(t[2], t[3]), t[4]), [[1], [2, 3], [4]]),
    "st_08": (lambda t: seq(seq(t[1], t[2]), t[3]), [[1], [2], [3]]),
    "st_c8 lt_c8": (lambda t: reduce(seq, (t[n] for n in range(1, 5)), empty()), [[1], [2], [3], [4]]),
}


@pytest.mark.parametrize("scenario", ORDERS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_keeps_the_order(runtime, scenario):
    build, groups = ORDERS[scenario]
    ran: list[int] = []
    leaves = {number: task(lambda number=number: ran.append(number), str(number)) for number in range(1, 5)}
    assert run(build(leaves), runtime).ok
    cut = iter(ran)
    assert [sorted(next(cut) for _ in group) for group in groups] == groups
    assert list(cut) == []


@pytest.mark.parametrize("runtime", ["ticks"])
def test_a_component_runs_until_it_is_complete_on_the_runtime_that_ticks_st_x1(runtime):
    class Thrice(Done):
        left = 3

        def run(self, data):
            ran.append(data)
            self.left -= 1
            return self.left == 0

    ran: list[object] = []
    result = run(seq(task(Thrice()), task(lambda: len(ran), "after")), runtime)
    assert ran == [None] * 3
    assert result.results == {"Thrice": None, "after": 3}


def test_a_runtime_without_ticks_refuses_a_component_and_says_where_it_runs():
    with pytest.raises(
        TypeError, match="a Done is called once a tick until it is complete: run it with runtime='ticks'"
    ):
        run(task(Done()), "inline")
