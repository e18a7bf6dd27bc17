"""`hocket prove`: one line per obligation, an exit code that says the worst, and texts that anybody can check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hocket
from hocket.cli import main

pytest.importorskip("z3", reason="the extra `verify` is not installed")

TOGGLE = '''"""A lamp: {claim}."""
from hocket.spec import Relation, Spec, action, environment, initial, invariant


class Lamp(Spec):
    on = Relation()
    lit = Relation()

    @initial
    def dark(s):
        s.on = False
        s.lit = False

    @environment()
    def press(s):
        s.require("it is off", ~s.on)
        s.on = True

    @invariant
    def claimed(s):
        return {term}


SPECS = (Lamp,)
'''


def _prove(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hocket", "prove", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _claims(folder: Path, **files: str) -> None:
    (folder / "proofs").mkdir()
    for name, term in files.items():
        (folder / "proofs" / f"{name}_proof.py").write_text(TOGGLE.format(claim=name, term=term))


def test_a_proof_of_this_checkout_prints_a_line_per_obligation_and_per_witness(capsys):
    assert main(["prove", "kernel_rows"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("kernel_rows: The rows themselves")
    assert len([line for line in lines if line.startswith("proved ") and "z3" in line]) == 6
    assert len([line for line in lines if line.startswith("witness ")]) == 23
    assert lines[-1].startswith("proved in ")


def test_a_name_that_selects_nothing_is_no_success(capsys):
    assert main(["prove", "kernel_mutants"]) == 2
    told = capsys.readouterr()
    assert "nothing by itself: what it shows is shown by `pytest proofs/kernel_mutants_proof.py`" in told.out
    assert "nothing was proved" in told.err


def test_every_obligation_can_be_exported_and_checked_by_another_solver(tmp_path, capsys):
    cvc5 = pytest.importorskip("cvc5")
    assert cvc5
    assert main(["prove", "skipping", "--export", str(tmp_path)]) == 0
    texts = sorted(tmp_path.rglob("*.smt2"))
    assert len(texts) == 16
    from hocket.spec.solve import ask_cvc5

    assert {ask_cvc5(path.read_text(), 10).result for path in texts} == {"unsat"}


def test_a_refuted_claim_is_shown_with_its_state_and_exits_with_1(tmp_path):
    _claims(tmp_path, right="s.on | ~s.lit", wrong="~s.on")
    done = _prove(tmp_path)
    assert done.returncode == 1
    assert "refuted" in done.stdout
    assert "press · claimed\n      in an untouched state\n" in done.stdout
    assert "cvc5 is not installed" not in done.stdout or not _has_cvc5()
    assert done.stdout.splitlines()[-1].startswith("REFUTED in")
    assert done.stderr == ""


def _has_cvc5() -> bool:
    from hocket.spec.solve import has_cvc5

    return has_cvc5()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    _claims(tmp_path, right="s.on | ~s.lit")
    (tmp_path / "taken").write_text("")
    done = _prove(tmp_path, "--export", "taken")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "taken/Lamp cannot be written: Not a directory (another folder)" in done.stderr


def test_one_name_proves_that_file_only(tmp_path):
    _claims(tmp_path, right="s.on | ~s.lit", wrong="~s.on")
    done = _prove(tmp_path, "right")
    assert (done.returncode, "wrong" in done.stdout) == (0, False)


def test_a_claim_that_a_solver_leaves_open_exits_with_3(tmp_path):
    _claims(tmp_path, empty="~s.on")
    path = tmp_path / "proofs" / "empty_proof.py"
    path.write_text(path.read_text().replace('"it is off", ~s.on', '"never", s.on & ~s.on'))
    done = _prove(tmp_path)
    assert done.returncode == 3  # proved, but of a deed that cannot happen
    assert "EMPTY    press can happen" in done.stdout


HARD = '''"""What no solver decides."""
from hocket.spec import Function, Sort, Spec, exists, forall, initial, theorem


class Hard(Spec):
    Thing = Sort()
    b = Function(Thing, to=Thing)

    @initial
    def start(s): ...

    @theorem()
    def infinite(s):
        one_to_one = forall(s.Thing, s.Thing, lambda x, y: (s.b[x] == s.b[y]) >> (x == y))
        return one_to_one >> forall(s.Thing, lambda y: exists(s.Thing, lambda x: s.b[x] == y))


SPECS = (Hard,)
'''


def test_an_obligation_that_is_not_decided_in_time_is_left_as_a_file_for_the_next_try(tmp_path):
    (tmp_path / "proofs").mkdir()
    (tmp_path / "proofs" / "hard_proof.py").write_text(HARD)
    done = _prove(tmp_path, "--seconds", "0.2")
    assert done.returncode == 3
    left = tmp_path / ".hocket" / "unknown" / "Hard" / "infinite-follows.smt2"
    assert f"for the next try: {left.relative_to(tmp_path)}  (infinite · follows)" in done.stdout
    assert left.read_text().endswith("(check-sat)\n")


def test_an_invariant_that_says_nothing_exits_with_3_and_names_its_line(tmp_path):
    _claims(tmp_path, idle="s.on | ~s.on")
    done = _prove(tmp_path)
    assert done.returncode == 3
    line = next(
        n
        for n, text in enumerate((tmp_path / "proofs" / "idle_proof.py").read_text().splitlines(), 1)
        if "@invariant" in text
    )
    assert f"idle_proof.py:{line}: claimed: it is true of every state" in done.stdout


def test_an_unknown_name_is_refused_with_those_that_there_are(capsys):
    assert main(["prove", "everything"]) == 2
    error = capsys.readouterr().err
    assert "there is no proof 'everything'" in error
    assert "kernel_order" in error


def test_away_from_a_checkout_it_says_where_proofs_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hocket, "__file__", str(tmp_path / "site" / "hocket" / "__init__.py"))
    assert main(["prove"]) == 2
    assert "there is no proofs/ here (run it in a checkout of the source" in capsys.readouterr().err
