"""What never happens is refuted clause by clause: against brute force, against z3, and against lies."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from functools import cache

import pytest

import hocket
from hocket.verdict import Certificate, Holds, Violated
from hocket.verify.certificate import seal
from hocket.verify.formula import Equal, How, Matches, Not, conjunction, matches, same_value
from hocket.verify.model import Graph, Kind, Variable
from hocket.verify.propositions import Propositions
from hocket.verify.refutation import refutation, refutes
from tests.fuzz_verify import answered_twice, knotted, stops_twice

# every claim of these needs a refutation: by conditions (of one case at a time), by locks, by what is left out
GRAPH = """\
hocket: 1
variables: {branch: string, mode: [fast, slow], x: boolean, y: boolean}
resources: {A: 1, B: 1}
tasks:
  build: {present: "branch starts with 'release/'"}
  nightly: {present: "branch == 'main'"}
  ship: {after: build, present: "branch starts with 'release/2'"}
  quick: {if: "mode == 'fast'", holds: {resource: A, until: scope}, tasks: {inner: {holds: B}}}
  careful: {if: "mode != 'fast'", holds: {resource: B, until: scope}, tasks: {inner: {holds: A}}}
  odd: {if: "(x or y) and (x or not y)"}
  even: {if: "(not x or y) and (not x or not y)"}
assert: ["odd never with even", "build never with nightly", "quick never with careful"]
"""


@cache
def certificate() -> Certificate:
    report = hocket.verify(GRAPH, format="hocket")
    assert report.verdict == "holds"
    return report.certificate


def formulas(draw: random.Random, size: int) -> list[tuple[int, ...]]:
    return [tuple(draw.choice((1, -1)) * draw.randint(1, size) for _ in range(draw.randint(1, 3)))
            for _ in range(draw.randint(1, 5 * size))]  # fmt: skip


def satisfiable(clauses: list[tuple[int, ...]], size: int) -> bool:
    return any(
        all(any((number > 0) == row[abs(number) - 1] for number in clause) for clause in clauses)
        for row in itertools.product((False, True), repeat=size)
    )


def test_there_is_a_refutation_exactly_if_no_row_of_the_table_makes_all_clauses_true():
    draw, refuted = random.Random(7), 0
    for _ in range(300):
        size = draw.randint(1, 6)
        clauses = formulas(draw, size)
        lemmas = refutation(clauses)
        assert (lemmas is None) == satisfiable(clauses, size)
        if lemmas is None:  # then nobody can refute them
            lies = [[tuple(row) for row in formulas(draw, size)[:4]] + [()] for _ in range(3)]
            assert not any(refutes(clauses, lie) for lie in lies)
        else:
            refuted += 1
            assert refutes(clauses, lemmas)
            assert not refutes(clauses[1:], lemmas) or not satisfiable(clauses[1:], size)
    assert refuted > 100


def test_five_pigeons_in_four_holes_take_a_search_and_the_list_cannot_be_cut():
    inside = {(pigeon, hole): pigeon * 4 + hole + 1 for pigeon in range(5) for hole in range(4)}
    clauses = [tuple(inside[pigeon, hole] for hole in range(4)) for pigeon in range(5)]
    clauses += [(-inside[one, hole], -inside[other, hole])
                for hole in range(4) for one, other in itertools.combinations(range(5), 2)]  # fmt: skip
    lemmas = refutation(clauses)
    assert refutes(clauses, lemmas)
    assert not refutes(clauses, [])
    assert not refutes(clauses, [[]])
    assert refutation(clauses, most=3) is None


def test_a_question_has_a_refutation_exactly_if_z3_answers_never():
    found = [answered_twice(random.Random(f"twice/{number}")) for number in range(8)]
    assert sum(found) > 8


def test_a_knot_of_resources_has_a_refutation_exactly_if_z3_finds_no_run_that_stops():
    found = [answer for number in range(24) for answer in stops_twice(knotted(random.Random(f"knot/{number}")))]
    assert len(found) > 10
    assert {True, False} <= set(found)


WORDS = ("", "v", "v1", "v12", "x", "xv1", "v1x", "refs/v", "refs/v1")
TEXTS = [(How.STARTS, word) for word in WORDS] + [(How.ENDS, word) for word in WORDS]
TEXTS += [(How.CONTAINS, word) for word in WORDS]
TEXTS += [(How.FITS, one) for one in ("^v", "v1", "^v1?", "^refs/v", r"^refs\/v1$", "^v|x", "^v[0-9]+", "1*", "^")]


def test_what_is_said_of_texts_is_true_of_every_text():
    variable = Variable("t", frozenset({Kind.STRING, Kind.NULL}))
    said = Propositions(Graph("g", "test", {}, {"t": variable}), ())
    for how, text in TEXTS:
        said.of(Matches("t", how, text))
    for value in (None, *WORDS[:4]):
        said.of(Equal("t", value))
    clauses = said.finish()
    atoms = said._mentioned["t"]
    texts = [None, *("".join(letters) for size in range(5) for letters in itertools.product("v1x", repeat=size))]
    for value in [*texts, "refs/v", "refs/v1", "refs/v1x", "refs/"]:
        truth = {1: True}
        for number, atom in atoms.items():
            is_so = same_value(value, atom.value) if isinstance(atom, Equal) else matches(atom.how, value, atom.text)
            truth[number] = is_so
        assert all(any(truth[abs(number)] == (number > 0) for number in clause) for clause in clauses), value


def test_what_follows_from_texts_needs_no_solver():
    for one, other in [
        (Matches("t", How.STARTS, "release/2"), Not(Matches("t", How.STARTS, "release/"))),
        (Matches("t", How.STARTS, "a"), Matches("t", How.STARTS, "b")),
        (Matches("t", How.FITS, "^v[0-9]+$"), Equal("t", "main")),
        (Matches("t", How.FITS, "^v[0-9]+$"), Matches("t", How.STARTS, "x")),
        (Matches("t", How.ENDS, "/main"), Not(Matches("t", How.CONTAINS, "main"))),
        (Matches("t", How.FITS, "^release"), Not(Matches("t", How.STARTS, "rel"))),
    ]:
        said = Propositions(Graph("g", "test", {}, {"t": Variable("t", frozenset({Kind.STRING}))}), ())
        said.clauses.append((said.of(conjunction((one, other))),))
        assert refutation(said.finish()) is not None, (one, other)


def test_whatever_is_denied_is_checked_without_a_solver():
    verdict = hocket.audit(certificate(), GRAPH, format="hocket")
    assert isinstance(verdict, Holds)
    assert verdict.counts == {"ranks": 11, "runs": 5, "orders": 0, "refutations": 5, "claims of a solver": 0}
    assert {row["claim"]: len(row["lemmas"]) > 1 for row in certificate().data["never"]} == {
        "build is never left out where ship is in": False,  # following is enough
        "tasks that wait never hold all of A, B": True,
        "odd never with even": True,
        "build never with nightly": False,
        "quick never with careful": False,
    }


def test_the_audit_of_refutations_imports_no_z3(tmp_path):
    (tmp_path / "g.yml").write_text(GRAPH)
    (tmp_path / "c.json").write_text(json.dumps([certificate().kind, certificate().data]))
    code = (
        "import sys, json; sys.modules['z3'] = None\n"
        "import hocket; from hocket.verdict import Certificate\n"
        "print(type(hocket.audit(Certificate(*json.load(open('c.json'))), 'g.yml')).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Holds\n"


def odd(never):
    """The row whose refutation takes a case that is supposed."""
    return next(row for row in never if row["claim"] == "odd never with even")


def row(claim, lemmas=((),), smtlib="", whole=True):
    return {"claim": claim, "lemmas": lemmas, "smtlib": smtlib, "whole": whole}


LIES = {
    "no refutations": lambda never: never.clear(),
    "one refutation less": lambda never: never.pop(0),
    "another claim": lambda never: never[0].update(claim="nightly before build"),
    "a claim that nothing refutes": lambda never: never.append(row("build before ship")),
    "a claim that something happens": lambda never: never.append(row("build can run")),
    "a claim that is none": lambda never: never.append(row("build ne1er with ship")),
    "a claim about nobody": lambda never: never.append(row("build never with nobody")),
    "nothing but the end": lambda never: odd(never).update(lemmas=[[]]),
    "no end": lambda never: odd(never).update(lemmas=[]),
    "a lemma out of nothing": lambda never: odd(never).update(lemmas=[[2], [-2], []]),
    "the lemma turned round": lambda never: odd(never)["lemmas"][0].__setitem__(0, 7),
    "zero": lambda never: odd(never).update(lemmas=[[0], []]),
    "words": lambda never: odd(never).update(lemmas=[["1"], []]),
    "no lemmas and no text": lambda never: never[0].update(lemmas=None),
    "lemmas and a text": lambda never: never[0].update(smtlib="(check-sat)"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_about_what_never_happens_is_refused_though_it_is_sealed(lie):
    data = json.loads(json.dumps(certificate().data))
    lie(data["never"])
    data["seal"] = seal(data)
    assert isinstance(hocket.audit(Certificate(certificate().kind, data), GRAPH, format="hocket"), Violated)


def test_each_number_of_a_refutation_that_is_changed_is_seen_or_leaves_it_a_refutation():
    clauses = [(1, 2, 3), (1, 2, -3), (1, -2, 3), (1, -2, -3), (-1, 2, 3), (-1, 2, -3), (-1, -2, 3), (-1, -2, -3)]
    lemmas = refutation(clauses)
    for place, lemma in enumerate(lemmas):
        for at in range(len(lemma)):
            changed = [list(one) for one in lemmas]
            changed[place][at] = -changed[place][at]
            follows = all(
                any((number > 0) == row[abs(number) - 1] for number in one) or not satisfied(clauses, row)
                for row in itertools.product((False, True), repeat=3) for one in changed
            )  # fmt: skip
            assert follows or not refutes(clauses, changed)
    assert not refutes(clauses[:-1], lemmas)


def satisfied(clauses, row) -> bool:
    return all(any((number > 0) == row[abs(number) - 1] for number in clause) for clause in clauses)
