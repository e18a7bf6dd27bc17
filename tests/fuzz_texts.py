"""Random conditions over one text: what automata say of them, against `re` on all short texts, and against z3.

    python -m tests.fuzz_texts 5000 [SEED]

Every way in which conditions are said to be true and false together has a text, and
`formula.matches` has to agree about that text; no short text may be so in a way that
was not said. Then tasks with such conditions are asked about: a refutation has to be
there exactly where z3 answers "never", told of the texts that automata give, and
where the theory of strings does, which knows nothing of automata. A slice of all of it is in CI.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter

from hocket.verify.budget import Budget
from hocket.verify.denials import Denial
from hocket.verify.formula import Equal, Formula, How, Matches, Not, Runs, conjunction, disjunction, matches
from hocket.verify.languages import Condition, ways
from hocket.verify.model import NOWHERE, Graph, Kind, Task, Variable
from hocket.verify.refutation import refutation, refutes
from hocket.verify.regex import expressible
from hocket.verify.smt import Never, Solver, Undecided

__all__ = ["answered_twice", "as_re_has_them", "conditions", "expression", "main"]

_LETTERS = "ab1A"
_PATIENCE = 2.0  # seconds for z3, who now and then goes round and round
SHORT = ["".join(letters) for size in range(4) for letters in itertools.product(f"{_LETTERS}\n", repeat=size)]
SHORT += ["c", "B", "é", "É", "ſ", "K", "٣", "a b", "  ", "_", "\x0b", "\U0010ffff", "ab\n\n", "abab", "ab1A\n"]
_CLASSES = ("[ab]", "[^a]", "[a-c1]", r"\d", r"\w", r"\s", r"[^\d]", r"[\W]", r"\S", "[A-b]", "[^A]", ".")
_REPEATS = ("*", "+", "?", "{2}", "{1,2}", "*?", "{2,}")


def expression(draw: random.Random) -> str:
    """One that `expressible` accepts."""
    while True:
        whole = "|".join(_series(draw, 2) for _ in range(draw.choice((1, 1, 1, 2))))
        whole = draw.choice(("", "", "^")) + whole + draw.choice(("", "", "$", r"\Z"))
        found = draw.choice(("", "", "", "(?i)")) + whole
        if expressible(found):
            return found


def _series(draw: random.Random, depth: int) -> str:
    return "".join(_part(draw, depth) for _ in range(draw.randint(0, 3)))


def _part(draw: random.Random, depth: int) -> str:
    match draw.randrange(8 if depth else 6):
        case 0:
            return draw.choice(_CLASSES)
        case 1:
            return draw.choice((*_LETTERS, *_CLASSES)) + draw.choice(_REPEATS)
        case 6:
            return f"({_series(draw, depth - 1)}|{_series(draw, depth - 1)})"
        case 7:
            return f"({draw.choice(('ab', 'a|1', '[ab]', 'b1|'))}){draw.choice(_REPEATS)}"
    return draw.choice(_LETTERS)


def conditions(draw: random.Random) -> tuple[Condition, ...]:
    """Up to four different ones, most of them expressions."""
    found: dict[Condition, None] = {}
    for _ in range(draw.randint(1, 4)):
        how = draw.choice((How.FITS, How.FITS, How.FITS, How.STARTS, How.ENDS, How.CONTAINS, None))
        word = "".join(draw.choice(_LETTERS) for _ in range(draw.randint(0, 3)))
        found[how, expression(draw) if how is How.FITS else word] = None
    return tuple(found)


def as_re_has_them(conditions: tuple[Condition, ...]) -> int:
    """In how many ways these can be true and false together, after each was looked at from both sides."""
    found = ways(conditions)
    assert found is not None, conditions
    for row, text in found.items():
        assert _truth(conditions, text) == row, (conditions, row, text)
    for text in SHORT:
        assert _truth(conditions, text) in found, (conditions, text)
    return len(found)


def _truth(conditions: tuple[Condition, ...], text: str) -> tuple[bool, ...]:
    return tuple(text == word if how is None else matches(how, text, word) for how, word in conditions)


def answered_twice(draw: random.Random) -> str:
    """One question about tasks with such conditions, by z3 and by refutation: what the answer was."""
    kinds = frozenset(draw.choice(((Kind.STRING,), (Kind.STRING, Kind.NULL))))
    formulas = [_formula(draw, how, text) for how, text in conditions(draw)]
    tasks = {f"t{place}": Task(f"t{place}", NOWHERE, activation=one) for place, one in enumerate(formulas)}
    graph = Graph("g", "test", tasks, {"text": Variable("text", kinds)})
    join = draw.choice((conjunction, conjunction, disjunction))
    question = join([_signed(draw, Runs(name)) for name in tasks])
    answer = Solver(graph, tasks, Budget(_PATIENCE), theory=True).ask(question, calm=True)
    quick = Solver(graph, tasks).ask(question, calm=True)
    clauses = Denial("", graph, tuple(tasks), question, calm=True).clauses()
    assert clauses is not None
    lemmas = refutation(clauses)
    assert lemmas is None or refutes(clauses, lemmas)
    assert isinstance(quick, Never) == (lemmas is not None), (graph, question, quick)
    assert type(answer) in (type(quick), Undecided), (graph, question, answer)
    return type(answer).__name__


def _formula(draw: random.Random, how: How | None, text: str) -> Formula:
    return _signed(draw, Equal("text", text) if how is None else Matches("text", how, text))


def _signed(draw: random.Random, formula: Formula) -> Formula:
    return formula if draw.random() < 0.7 else Not(formula)


def main(count: int, seed: int = 0) -> Counter[str]:
    """Examine so many sets of conditions and so many questions; returns what came out."""
    found: Counter[str] = Counter()
    for number in range(count):
        draw = random.Random(f"{seed}/{number}")
        try:
            found["ways"] += as_re_has_them(conditions(draw))
            found[answered_twice(draw)] += 1
        except Exception:
            print(f"seed {seed}/{number}", file=sys.stderr)
            raise
    return found


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
