"""models/crew.py on small scopes: counted, and found broken where a rule of the runtime is left out."""

from __future__ import annotations

from hocket.spec import action
from hocket.verdict import Holds, Violated
from models.crew import Crew

ALONE = {"of": {"piece0": "task0"}, "size": {"task0": 0}}
PAIR = {"of": {"piece0": "task0", "piece1": "task1"}, "size": {"task0": 0, "task1": 0}, "before": {("task0", "task1")}}
SHARED = {"of": {"piece0": "task0", "piece1": "task0"}, "size": {"task0": 2}}
TWO = {"Task": 2, "Piece": 2, "Seat": 2, "Joiner": 1}
ONE = {**TWO, "Task": 1, "Piece": 1}
FIRST = 60_000  # states: enough for the shortest counterexamples
SLEEP = "nobody_sleeps_beside_work_unless_somebody_comes"
MISTAKES = ("where_work_is_queued_nobody_sleeps", "who_is_called_is_needed")


class NobodyHandsOn(Crew):
    """Rule 3 left out: who leaves does not look whether something is left (C-B1, C-B6)."""

    @action(Crew.Seat)
    def leave(s, w):
        s.looks(w)
        s.require("it is done", s.is_done(w))
        s.at[w] = "leaving"


def test_one_seat_one_task_and_one_joiner_have_812_states():
    found = Crew.search(ALONE, Task=1, Piece=1, Seat=1, Joiner=1)
    assert found.counts() == {"states": 812, "transitions": 1976, "terminal": 0, "depth": 20}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())


def test_two_seats_that_share_a_task_of_two_arguments_never_sleep_beside_work():
    found = Crew.search(SHARED, Task=1, Piece=2, Seat=2, Joiner=1)
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())
    assert not [deed for deed, times in found.fired.items() if not times and deed != "help_inside"]


def test_what_somebody_may_think_is_refuted():
    found = Crew.search(PAIR, claims=MISTAKES, limit=FIRST, **TWO)
    assert all(isinstance(found.verdicts[name], Violated) for name in MISTAKES)


def test_without_handing_on_a_seat_sleeps_beside_work():
    """A helper is woken for work and dismissed on its way: it goes, and the other helper sleeps on (12 deeds)."""
    found = NobodyHandsOn.search(ALONE, claims=[SLEEP], **ONE)
    verdict = found.verdicts[SLEEP]
    assert isinstance(verdict, Violated)
    assert [event[0] for event in verdict.counterexample.steps][-4:] == ["go", "rise", "leave", "be_gone"]
    assert len(verdict.counterexample.steps) == 12
    assert isinstance(Crew.search(ALONE, claims=[SLEEP], **ONE).verdicts[SLEEP], Holds)
