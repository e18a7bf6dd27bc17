"""The two solvers, each asked by text. z3 is loaded here and nowhere else in `spec/`; cvc5 only if it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from threading import get_ident
from time import perf_counter
from typing import Any

from hocket.errors import MissingExtra
from hocket.spec.ground import Cell, Scope
from hocket.spec.smt import cell_name, ground_text
from hocket.spec.terms import BOOL, INT, Term

__all__ = ["Answer", "ask_cvc5", "ask_z3", "find", "has_cvc5"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`result` is "unsat", "sat" or "unknown"; `seconds` of wall time, parsing included."""

    result: str
    seconds: float


def _z3() -> Any:
    try:
        import z3
    except ImportError:
        raise MissingExtra("z3-solver", "verify", "proving a specification") from None
    return z3


_SORTS = ("(declare-sort", "(declare-datatypes")


@lru_cache(maxsize=16)
def _context(thread: int, sorts: tuple[str, ...]) -> Any:
    return _z3().Context()


def _context_of(text: str) -> Any:
    """One for all texts of a thread with the same sorts: to make one takes as long as most answers.

    A sort has one meaning in it, and z3 lets no two threads use it.
    """
    return _context(get_ident(), tuple(line for line in text.splitlines() if line.startswith(_SORTS)))


def ask_z3(text: str, seconds: float, thorough: bool = True) -> Answer:
    """Ask z3, for at most so long in each of two ways; "unknown" if it gives up.

    First by instantiating quantifiers at what occurs, which finds nearly every proof of ours in a tenth of the time;
    then, if `thorough`, with models for quantifiers as well, which is what z3 does by itself.
    """
    z3, start = _z3(), perf_counter()
    result = "unknown"
    for options in ({"auto_config": False, "mbqi": False}, {})[: 1 + thorough]:
        context = z3.Context()  # of its own: in a used one, what was asked before decides how soon this is answered
        solver = z3.SimpleSolver(ctx=context) if options else z3.Solver(ctx=context)
        solver.set(timeout=max(1, int(seconds * 1000)), **options)
        solver.from_string(text.replace("(check-sat)", ""))
        result = str(asked(solver))
        if result == "unsat":
            break
    return Answer(result, perf_counter() - start)


def asked(solver: Any, *assumptions: Any) -> Any:
    """What a solver of z3 answers. z3 keeps a Ctrl-C and says "unknown"; it is to end everything, as ever."""
    answer = solver.check(*assumptions)
    if str(answer) == "unknown" and solver.reason_unknown() == "interrupted from keyboard":
        raise KeyboardInterrupt
    return answer


def has_cvc5() -> bool:
    return find_spec("cvc5") is not None


def ask_cvc5(text: str, seconds: float) -> Answer:
    """Ask cvc5 the same text, for at most so long in each of two ways; "unknown" if it gives up.

    First by instantiating quantifiers at what occurs; where that finds nothing more to do, by enumerating as well.
    """
    start, result = perf_counter(), "unknown"
    for options in ({}, {"enum-inst": "true"}):
        result = _cvc5(text, {"tlimit-per": str(max(1, int(seconds * 1000))), **options})
        if result != "unknown":
            break
    return Answer(result, perf_counter() - start)


def _cvc5(text: str, options: Mapping[str, str]) -> str:
    import cvc5  # type: ignore[import-untyped]  # it has no types of its own

    manager = cvc5.TermManager()
    solver, symbols = cvc5.Solver(manager), cvc5.SymbolManager(manager)
    for name, value in options.items():
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    result = "unknown"
    while not (command := parser.nextCommand()).isNull():
        result = str(command.invoke(solver, symbols)).strip() or result
    return result if result in ("sat", "unsat") else "unknown"


def find(term: Term, scope: Scope) -> dict[Cell, int] | None:
    """Values of the cells of a ground condition under which it holds, or None if there are none."""
    text, cells = ground_text(term, scope)
    z3 = _z3()
    solver = z3.SimpleSolver(ctx=_context_of(text))
    solver.from_string(text)
    answer = asked(solver)
    if answer == z3.unsat:
        return None
    assert answer == z3.sat, f"a finite question was left open: {solver.reason_unknown()}"
    model = solver.model()
    values = {decl.name(): model[decl] for decl in model.decls()}
    return {cell: _number(cell, values.get(cell_name(cell))) for cell in cells}


def _number(cell: Cell, value: Any) -> int:
    """A value of a model as the number of an element."""
    if value is None:  # the solver does not care
        return 0
    if cell[0].to is BOOL:
        return int(str(value) == "True")
    if cell[0].to is INT:
        return int(value.as_long())
    names = [str(value.sort().constructor(place).name()) for place in range(value.sort().num_constructors())]
    return names.index(str(value.decl().name()))
