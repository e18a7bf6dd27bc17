"""Sets that asyncio makes are gone through in any order, as by addresses on a real loop; of large ones that is told."""

import asyncio
import math

import pytest

import hocket


async def answer(number):
    return number


def tasks(count):
    return [asyncio.create_task(answer(number)) for number in range(count)]


async def finished(count):
    done, _ = await asyncio.wait(tasks(count))
    return done


def outcomes_of(body, **options):
    result = hocket.explore(body, **options)
    assert (result.verdict, result.reason) == ("proved", "")
    assert set(result.outcomes.values()) <= {result.classes // len(result.outcomes)}
    return result.classes, set(result.outcomes)


@pytest.mark.parametrize(("through", "orders"), [
    (lambda done: tuple(task.result() for task in done), {(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1),
                                                         (2, 1, 0)}),
    (lambda done: next(iter(done)).result(), {0, 1, 2}),
    (lambda done: done.pop().result(), {0, 1, 2}),
    (lambda done: [*done, None][0].result(), None),
    (lambda done: [task.result() for task in done - {*done.copy()}], {"[]"}),
    (lambda done: len(done), {3}),
    (lambda done: len(done | {None}), {3 + 1}),
])
@pytest.mark.parametrize("data", ["track", "off"])
def test_three_tasks_are_found_in_any_order(through, orders, data):
    async def body():
        return through(await finished(3))

    classes, found = outcomes_of(body, data=data)
    assert orders is None or (classes, found) == (len(orders), orders)


async def collects_in_made_order(fixed):
    made = tasks(2)
    done, _ = await asyncio.wait(made)
    collected = [task.result() for task in (made if fixed else done) if task in done]
    assert collected == [0, 1]


def test_code_that_relies_on_the_order_fails_and_its_repair_is_proved():
    wrong = hocket.explore(lambda: asyncio.run(collects_in_made_order(fixed=False)))
    right = hocket.explore(lambda: asyncio.run(collects_in_made_order(fixed=True)))
    assert (wrong.verdict, wrong.failure.kind) == ("failed", "assertion")
    assert (right.verdict, right.classes) == ("proved", 1)


def test_as_completed_starts_coroutines_in_any_order_and_takes_tasks_as_they_are():
    async def starts(make):
        log = []

        async def step(number):
            log.append(number)

        for each in asyncio.as_completed([make(step(number)) for number in range(3)]):
            await each
        return tuple(log)

    assert outcomes_of(lambda: asyncio.run(starts(lambda step: step)))[0] == math.factorial(3)
    assert outcomes_of(lambda: asyncio.run(starts(asyncio.ensure_future))) == (1, {(0, 1, 2)})


def test_waiting_again_for_what_is_pending_is_no_choice():
    async def one_by_one():
        pending, log = {asyncio.create_task(asyncio.sleep(number, number)) for number in range(1, 4)}, []
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            log += [task.result() for task in done]
        return tuple(log)

    assert outcomes_of(one_by_one) == (1, {(1, 2, 3)})


def test_nothing_is_proved_of_who_goes_through_a_larger_set():
    async def adds_up():
        return sum(task.result() for task in await finished(5))

    result = hocket.explore(adds_up)
    assert (result.verdict, result.outcomes) == ("incomplete", {10: 1})
    assert result.reason.endswith("a set of 5 tasks or coroutines is gone through in one of its 120 orders: "
                                  "go through a list of your own, and ask what is in the set")


def test_nothing_is_proved_of_a_set_of_coroutines_that_the_program_made():
    async def gives_a_set():
        return [await each for each in asyncio.as_completed({answer(1), answer(1)})]

    result = hocket.explore(gives_a_set)
    assert (result.verdict, "one of its 2 orders" in result.reason) == ("incomplete", True)


def test_a_set_that_changes_while_it_is_gone_through_is_refused_as_ever():
    async def changes():
        done = await finished(2)
        with pytest.raises(RuntimeError, match="changed size"):
            list(map(done.discard, done))
        done.pop()
        with pytest.raises(KeyError):
            done.pop()
        return type(done).__name__

    assert outcomes_of(changes) == (2, {"set"})


def test_outside_nothing_has_changed():
    assert "set" not in vars(asyncio.tasks)
    assert type(asyncio.run(finished(2))) is set
