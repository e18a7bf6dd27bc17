"""Whatever a text holds: a report or a SourceError, soon. The long run is `python -m tests.fuzz_readers N SEED`."""

from __future__ import annotations

import contextlib
import time

import pytest

import hocket
from hocket.errors import SourceError
from tests.fuzz_readers import SEEDS, run


def test_a_hundred_hostile_texts_end_in_a_report_or_a_refusal():
    ended = run(100, 2026, 10.0)
    assert sum(ended.values()) == 100
    assert ended["refused"] > 10
    assert ended["holds"] + ended["violated"] > 10


@pytest.mark.parametrize("name", SEEDS)
def test_the_beginning_of_a_text_ends_in_a_report_or_a_refusal(name):
    text = SEEDS[name]
    for end in range(0, len(text), 23):
        with contextlib.suppress(SourceError):
            hocket.verify(text[:end] + "\n", format=name)


BIG = {
    "hocket": "hocket: 1\ntasks:\n" + "".join(f"  t{n}: {{after: t{n - 1}}}\n" for n in range(1, 1500)) + "  t0: {}\n",
    "dot": "digraph {\n" + "".join(f" a{n} -> a{n + 1};\n" for n in range(4_000)) + "}\n",
    "compose": "services:\n" + "".join(f"  s{n}: {{depends_on: [s{n - 1}]}}\n" for n in range(1, 1500)) + "  s0: {}\n",
}


@pytest.mark.parametrize("name", ["hocket", "dot", "compose"])
def test_a_long_chain_is_read_without_recursion(name):
    began = time.process_time()
    assert hocket.verify(BIG[name], format=name).verdict == "holds"
    assert time.process_time() - began < 120  # a bound against a walk without end, no measure


def test_dots_within_dots_and_products_of_subgraphs_are_bounded():
    nodes = " ".join(f"n{n}" for n in range(2000))
    with pytest.raises(SourceError, match="more than 2000000 edges"):
        hocket.verify(f"digraph {{ {{{nodes}}} -> {{{nodes}}} }}\n", format="dot")
