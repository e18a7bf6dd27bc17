"""`model="gil"`: what CPython's global lock keeps together is one step, and what it does not is not.

Each program runs twice, in two threads, and returns what is left; the counts under "free" and under "gil" are derived
in the comments. The programs that must not be taken for one step have a method of their own where the source shows
nothing but an operator, an attribute or a key.
"""

import importlib.util
import itertools
import json
import random
import sys
import threading

import pytest

from hocket.errors import DivergenceError, Refused
from hocket.explore.audit import audit
from hocket.explore.front import explore, replay

STEPS = 0


class Cell:
    def __init__(self):
        self.n = self.m = 0
        self.table, self.row = {"a": 0}, [0]
        self.inner = None


def left(cell):
    return cell.n, cell.m, cell.table["a"], cell.row[0]


def twice(act, make=Cell, told=left):
    """The body that runs `act` in two threads."""

    def body():
        cell = make()
        threads = [threading.Thread(target=act, args=(cell,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return told(cell)

    return body


# -- one step ---------------------------------------------------------------------------------------------------------


def counted(cell):
    cell.n += 1


def in_two_lines(cell):
    old = cell.n
    cell.n = old + 1


def swapped(cell):
    cell.n, cell.m = cell.m + 1, cell.n + 1


def first_one(cell):
    if cell.n == 0:
        cell.n = 1
        cell.m += 1


def of_a_key(cell):
    cell.table["a"] += 1


def of_an_index(cell):
    cell.row[0] += 1


def in_a_loop(cell):
    for _ in range(2):
        cell.n += 1


def returned(cell):
    if cell.n > 0:
        return cell.n + cell.m
    cell.n += 1
    return 0


def of_a_global(cell):
    global STEPS
    STEPS += 1


ONE_STEP = {
    # two reads and two writes of one place: (2!)² classes; as one step each: who comes first
    counted: (4, 2), in_two_lines: (4, 2), of_a_key: (4, 2), of_an_index: (4, 2), of_a_global: (4, 2),
    # reads m and n, writes n, writes m; counted by depth-first search, see below
    swapped: (10, 2), first_one: (10, 2), returned: (6, 2),
    # two steps in each of two threads, all on one place: 4! / (2! 2!)
    in_a_loop: (34, 6),
}


@pytest.mark.parametrize("act", ONE_STEP, ids=lambda act: act.__name__)
def test_what_the_lock_keeps_together_is_one_step_under_gil_and_several_under_free(act):
    free, gil = (explore(twice(act), model=model) for model in ("free", "gil"))
    assert (free.verdict, gil.verdict) == ("proved", "proved")
    assert (free.classes, gil.classes) == ONE_STEP[act]
    assert (free.executions, gil.executions) == ONE_STEP[act]
    assert set(gil.outcomes) <= set(free.outcomes)
    assert len(gil.outcomes) == 1  # whoever comes first


def test_depth_first_search_counts_the_same():
    for model, classes in zip(("free", "gil"), ONE_STEP[returned], strict=True):
        assert explore(twice(returned), model=model, strategy="dfs").classes == classes
    assert explore(twice(swapped), model="gil", strategy="dfs").classes == 2


def test_a_lost_update_fails_under_free_and_is_proved_absent_under_gil_and_the_verdict_says_on_what_condition():
    def both_counted():
        assert twice(counted)()[0] == 2

    assert explore(both_counted).verdict == "failed"
    result = explore(both_counted, model="gil")
    assert (result.verdict, result.classes, result.model) == ("proved", 2, "gil")
    assert str(result).startswith("proved: 2 classes, 2 executions under model gil")
    assert "CPython 3.11 to 3.14 gives up its global lock" in str(result)


# -- not one step -----------------------------------------------------------------------------------------------------


def step():
    return 1


def with_a_call(cell):
    cell.n = cell.n + step()


def with_a_converted_value(cell):
    cell.n = int(cell.n) + 1


class One:
    def __add__(self, other):
        return 1 + other

    __radd__ = __add__


def with_an_operator_of_its_own(cell):
    cell.n = cell.n + One()


ONE = One()


def with_such_an_operand(cell):
    cell.n = cell.n + ONE


class Looked(Cell):
    @property
    def one(self):
        return 1


def with_a_property(cell):
    cell.n = cell.n + cell.one


class Asked(Cell):
    def __getattr__(self, name):
        return 1


def with_an_attribute_that_is_asked_for(cell):
    cell.n = cell.n + cell.one


class Key:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self is other


class Keyed(Cell):
    def __init__(self):
        super().__init__()
        self.table = {"a": 0, Key(): 0, 1: 1}


def with_a_key_that_compares_itself(cell):
    cell.n = cell.n + cell.table[1]


class Last:
    def __del__(self):
        """A finaliser."""


class Ending(Cell):
    def __init__(self):
        super().__init__()
        self.inner = Last()


def with_a_finaliser(cell):
    old = cell.n
    cell.inner = None
    cell.n = old + 1


def with_a_finaliser_of_a_local_value(cell):
    mine = Last()
    old = cell.n
    mine = None
    cell.n = old + 1
    return mine


class Truth:
    def __bool__(self):
        return True


TRUTH = Truth()


def with_a_truth_of_its_own(cell):
    old = cell.n
    if TRUTH:
        cell.n = old + 1


def around_a_loop(cell):
    old = cell.n
    for _ in range(1):
        pass
    cell.n = old + 1


def in_a_loop_on_one_line(cell):
    old = -1
    while old != cell.n: old = cell.n
    cell.n = old + 1


def in_a_branch(cell):
    old = cell.n
    if old >= 0:
        step()
    cell.n = old + 1


class Managed:
    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return True


def after_an_exception(cell):
    with Managed():
        cell.m = cell.n
        cell.m = cell.n + cell.row[7]
    cell.n = cell.m + 1


APART = {with_a_call: Cell, with_a_converted_value: Cell, with_an_operator_of_its_own: Cell, with_such_an_operand: Cell,
         with_a_property: Looked, with_an_attribute_that_is_asked_for: Asked, with_a_key_that_compares_itself: Keyed,
         with_a_finaliser: Ending, with_a_finaliser_of_a_local_value: Cell, with_a_truth_of_its_own: Cell,
         around_a_loop: Cell, in_a_loop_on_one_line: Cell, in_a_branch: Cell, after_an_exception: Cell}


@pytest.mark.parametrize("act", APART, ids=lambda act: act.__name__)
def test_where_a_line_of_python_may_run_others_come_in_between(act):
    outcomes = {model: {n for n, *_ in explore(twice(act, APART[act]), model=model, data="track").outcomes}
                for model in ("free", "gil")}
    assert outcomes == {"free": {1, 2}, "gil": {1, 2}}


# -- random programs --------------------------------------------------------------------------------------------------

STATEMENTS = ("c.n += 1", "c.m = c.n", "t = c.n", "c.m = t + 1", "c.n, c.m = c.m, c.n", "c.n = c.m + c.n",
              "if c.n > 1: c.m += 1", "if c.m == 1: c.n = t", "pause()", "pause()")


def oracle(texts):
    """The outcomes with switches at `pause()` only: every interleaving of the stretches between."""
    stretches = [text.split("pause()") for text in texts]
    order = [number for number, parts in enumerate(stretches) for _ in parts]
    found = set()
    for turns in set(itertools.permutations(order)):
        cell, waiting = Cell(), [iter(parts) for parts in stretches]
        spaces = [{"c": cell, "t": 0} for _ in stretches]
        for turn in turns:
            exec(next(waiting[turn]).replace("\n    ", "\n"), spaces[turn])
        found.add((cell.n, cell.m))
    return found


def programs(path, count, seed):
    draw = random.Random(seed)
    texts = [["\n    ".join(["", *draw.choices(STATEMENTS, k=draw.randint(3, 5))]) for _ in range(2)]
             for _ in range(count)]
    functions = [f"def act_{number}_{who}(c):\n    t = 0{text}\n" for number, pair in enumerate(texts)
                 for who, text in enumerate(pair)]
    path.write_text("def pause():\n    pass\n\n\n" + "\n\n".join(functions))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, texts


def test_random_programs_reach_exactly_what_switches_at_calls_allow(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "made_for_gil", raising=False)
    module, texts = programs(tmp_path / "made_for_gil.py", 12, 7)  # forty more were run once, with the same outcome
    outcomes = 0
    for number, pair in enumerate(texts):
        acts = [getattr(module, f"act_{number}_{who}") for who in range(2)]
        result = explore(run_both(*acts), model="gil", track=[module.__name__])
        assert result.verdict == "proved", (pair, result)
        assert set(result.outcomes) == oracle(pair), pair
        outcomes += len(result.outcomes)
    assert outcomes > 12


def run_both(*acts):
    def body():
        cell = Cell()
        threads = [threading.Thread(target=act, args=(cell,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return cell.n, cell.m

    return body


# -- what goes with it ------------------------------------------------------------------------------------------------


def both_pairs():
    cell = Cell()

    def act():
        cell.n, cell.m = cell.m, cell.n
        step()
        cell.n += 1

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (cell.n, cell.m) == (1, 1)


def test_a_failing_schedule_replays_without_a_word_about_the_model():
    failure = explore(both_pairs, model="gil").failure
    assert failure.kind == "assertion"
    assert failure.replayed
    assert "--model gil" in str(failure)
    for said in ({}, {"model": "gil"}):
        with pytest.raises(AssertionError):
            replay(both_pairs, str(failure.schedule), **said)


def test_a_schedule_of_gil_is_no_schedule_of_free():
    failure = explore(both_pairs, model="gil").failure
    with pytest.raises(DivergenceError):
        replay(both_pairs, str(failure.schedule), model="free", data="track")


def test_a_certificate_says_the_model_and_the_audit_repeats_it():
    for model, said in (("free", "classes of the program"), ("gil", "classes of the program, under model gil")):
        certificate = explore(twice(counted), model=model, certificate=True).certificate
        verdict = audit(json.loads(json.dumps(certificate.data)))
        assert verdict.claim.endswith(said)
        assert verdict.counts["classes"] == (4 if model == "free" else 2)


def test_a_race_is_one_whatever_the_model():
    with pytest.raises(Refused, match="of no use to data='race-check'"):
        explore(twice(counted), model="gil", data="race-check")
    with pytest.raises(Refused, match="'free' or 'gil'"):
        explore(twice(counted), model="GIL")
