"""What a command prints where the terminal is not the usual one, and what it shows of the program that it ran."""

from __future__ import annotations

import io
import json
import sys

import pytest

import hocket
from hocket.cli import main
from hocket.spec.solve import asked
from hocket.verify.smt import Solver

PROGRAM = """\
import threading

def both():
    counter = {"value": 0}
    def add(): counter["value"] += 1
    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert counter["value"] == 2

def nothing(): pass
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counting_up.py").write_text(PROGRAM)
    yield "counting_up.py::both"
    sys.modules.pop("counting_up", None)


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])  # the second is what the C locale has
def test_a_letter_that_the_output_does_not_have_loses_no_verdict(target, monkeypatch, errors):
    said = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=errors)
    monkeypatch.setattr(sys, "stdout", said)
    assert main(["explore", target]) == 1
    said.flush()
    assert b"reads counter['value'] ? 0" in said.buffer.getvalue()


def test_lanes_that_do_not_fit_stand_below_each_other(target, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["explore", target]) == 1
    picture = capsys.readouterr().out.partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")[0]
    assert max(map(len, picture.splitlines())) <= 40


def test_a_replay_shows_the_frames_of_the_program_only_and_then_the_lanes(target, capsys):
    main(["explore", target, "--json"])
    schedule = json.loads(capsys.readouterr().out)["failure"]["schedule"]
    assert main(["replay", target, schedule]) == 1
    told = capsys.readouterr().out
    assert [line.split(", ")[1:] for line in told.splitlines() if line.startswith("  File ")] == [["line 9", "in both"]]
    assert told.count("AssertionError") == 3  # the traceback's, the headline's and that of the last row
    assert told.count(f"replay: hocket replay {target} '{schedule}'") == 1


def test_a_certificate_that_cannot_be_written_is_said_without_a_traceback(target, capsys):
    assert main(["explore", "counting_up.py::nothing", "--certificate", "counting_up.py/certificate"]) == 2
    assert "counting_up.py/certificate: cannot be written: " in capsys.readouterr().err


@pytest.mark.parametrize("ask", ["prove", "verify"])
def test_a_ctrl_c_that_z3_keeps_for_itself_ends_what_asked(ask):
    """Its check ends with "unknown" and one reason among many; there is no other trace of the signal."""
    z3 = pytest.importorskip("z3")
    told: list[int] = []

    class Interrupted:
        def check(self, *assumptions):
            told.append(len(assumptions))
            return z3.unknown

        def reason_unknown(self):
            return "interrupted from keyboard"

    if ask == "prove":
        solver, question = Interrupted(), asked
    else:
        solver = Solver(hocket.verify({"b": ["a"], "a": []}).graph, ())
        solver.solver, question = Interrupted(), Solver.asked
    with pytest.raises(KeyboardInterrupt):
        question(solver, True)
    assert told == [1]
