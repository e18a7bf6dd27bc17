"""The fewest preemptions of a class, against every interleaving of it."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from hocket.explore.classes import class_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Choice, Execution
from hocket.explore.model import Program, run
from hocket.explore.preemptions import least_preemptions
from hocket.explore.strategy import Replay
from hocket.explore.tally import Limits
from tests import explorer_programs as programs
from tests.fuzz_explorer import sources
from tests.programs import build


class _Counting(DepthFirst):
    """Every interleaving, with the preemptions of the present one."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: list[int] = []

    def choose(self, execution: Execution) -> Choice | None:
        depth = len(execution.events)
        choice = super().choose(execution)
        del self.costs[depth:]
        if choice is not None:
            goes_on = any(actor == execution.last for actor, _ in execution.options())
            self.costs.append(int(goes_on and choice[0] != execution.last))
        return choice


def _by_brute_force(program: Program, limits: Limits) -> dict[Any, int] | None:
    strategy, least = _Counting(), {}

    def see(execution: Execution) -> None:
        key = class_of(execution)
        least[key] = min(sum(strategy.costs), least.get(key, 99))

    return None if run(program, strategy, limits, watch=see).reason else least


def test_the_least_number_is_that_of_the_best_interleaving_of_the_class():
    compared = 0
    for source in islice(sources(41), 150):
        expected = _by_brute_force(build(source), Limits(executions=150))
        if expected is None:
            continue
        found: dict[Any, int] = {}

        def see(execution: Execution, found: dict[Any, int] = found) -> None:
            least = least_preemptions(execution)
            assert least is not None
            found[class_of(execution)] = least.preemptions

        run(build(source), Optimal(), watch=see)
        assert found == expected, source
        compared += len(found)
    assert compared > 200


def test_the_interleaving_that_is_shown_is_of_the_class_and_has_no_more_preemptions():
    shown: list[tuple[Any, Any]] = []

    def see(execution: Execution) -> None:
        least = least_preemptions(execution)
        assert least is not None
        shown.append((class_of(execution), least.schedule))

    run(programs.lastzero(3), Optimal(), watch=see)
    assert len(shown) == 12
    for key, schedule in shown:
        again: list[Any] = []
        run(programs.lastzero(3), Replay(schedule), watch=lambda e, again=again: again.append(class_of(e)))
        assert again == [key]


def test_how_many_classes_need_how_many_preemptions():
    """counter 2: two classes run one after the other, two need the second to cut in."""
    def needed(program: Program) -> Counter[int]:
        counts: Counter[int] = Counter()
        run(program, Optimal(), watch=lambda e: counts.update([least_preemptions(e).preemptions]))  # type: ignore[union-attr]
        return counts

    assert needed(programs.counter(2)) == {0: 2, 1: 2}
    assert needed(programs.locked(3)) == {0: 6}
    # the deadlock needs one: cut the last off after its first fork, then each of the others blocks by itself
    assert needed(programs.philosophers(3)) == {0: 6, 1: 1}


def test_a_class_with_too_many_parts_is_given_up_and_not_guessed():
    found: list[Any] = []
    run(programs.readers(6), Optimal(), Limits(executions=1),
        watch=lambda execution: found.append(least_preemptions(execution, most_parts=5)))
    assert found == [None]
