"""A slice of all small programs: what brute force finds is accepted as complete, and no part of it.

The whole is `python -m tests.exhaust_certificates`; what was seen there is in docs/explanation/certificate.md.
"""

from __future__ import annotations

import pytest

from hocket.explore.semantics import ROWS
from tests.exhaust_certificates import FAMILIES, UNWRITTEN, Account, exhaust, judge, programs

EVERY = {"mixed": 1201, "conditions": 301, "threads": 151, "cells": 151, "locks": 151}  # the others: each 47th
NUMBERS = {  # of programs: pairs of lines of one or two statements, and triples of single ones
    "cells": 6325, "data": 1680, "blocks": 959, "keys": 1680, "locks": 2748, "rlocks": 959, "semaphores": 959,
    "units": 500, "conditions": 2748, "reconditions": 500, "events": 959, "barriers": 230, "queues": 959,
    "small queues": 500, "threads": 1680, "choices": 500, "mixed": 47940,
}


def test_how_many_programs_there_are():
    assert {family: sum(1 for _ in programs(alphabet)) for family, alphabet in FAMILIES.items()} == NUMBERS


@pytest.mark.parametrize("family", FAMILIES)
def test_all_classes_are_accepted_and_no_part_of_them(family: str):
    every = EVERY.get(family, 47)
    account = exhaust(family, every)
    assert account.programs == -(-NUMBERS[family] // every)


def test_together_they_use_every_kind_of_operation_that_can_be_written_down():
    account = Account()
    for family in FAMILIES:
        for statement in FAMILIES[family]:
            judge([[statement], [FAMILIES[family][0]]], account)
    judge([[("spawn", []), ("alive",), ("timedjoin",), ("plainspawn", []), ("join",), ("join",)]], account)
    assert set(ROWS) - account.kinds == UNWRITTEN
