"""Every scenario of the seeds is a test on each runtime that can express it: `python -m tests.scenario_matrix`."""

from __future__ import annotations

from tests.scenario_matrix import CANNOT, IDS, lines, matrix, wanted


def test_no_scenario_lacks_a_runtime_that_can_express_it():
    found = matrix()
    holes = {scenario: wanted(scenario) - found[scenario] for scenario in IDS}
    assert [scenario for scenario, hole in holes.items() if hole] == []
    # by hand: 14 + 6 + 3 + 7 of Choir, 8 + 8 + 5 of specs_task, 5 + 8 + 1 of legion_task
    assert len(IDS) == len(set(IDS)) == 65


def test_what_cannot_be_expressed_has_no_test_there():
    found = matrix()
    assert [scenario for scenario, (cannot, _) in CANNOT.items() if found[scenario] & cannot] == []


def test_the_printed_matrix_has_a_line_for_each_scenario_and_no_hole():
    told = list(lines())
    assert [line.split()[0] for line in told[1:66]] == list(IDS)
    assert not any(" ?" in line for line in told[1:66])
