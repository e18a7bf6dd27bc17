"""Litmus programs as they are written in papers: `x=1; r y || y=1; r x`, built as pure models.

Statements of a thread: `x=3` a store, `r x` a load, `faa x` a fetch-and-add of 1, `cas x 0 1`, and `if x: ...` or
`if x==2: ...`, a load of x and, if it holds, the rest of the thread. All cells start at 0.
"""

from __future__ import annotations

import re
from typing import Any

from hocket.explore.model import Cell, Program

_IF = re.compile(r"if (\w+)(?:==(\d+))?:\s*(.*)", re.DOTALL)


def program_of(text: str) -> Program:
    """The pure model of `text`, threads separated by `||`."""
    program = Program()
    cells = {name: program.cell(0, name) for name in sorted(set(re.findall(r"[a-z]\w*", text)) - _WORDS)}
    for thread in text.split("||"):
        program.actor(_run, thread, cells)
    return program


_WORDS = {"r", "if", "faa", "cas"}


def _run(text: str, cells: dict[str, Cell]) -> Any:
    text = text.strip()
    while text:
        if found := _IF.match(text):
            name, wanted, rest = found.groups()
            value = yield cells[name].load()
            text = rest if (value == int(wanted) if wanted else value) else ""
            continue
        statement, _, text = (part.strip() for part in text.partition(";"))
        yield _operation(statement, cells)


def _operation(statement: str, cells: dict[str, Cell]) -> Any:
    match statement.replace("=", " = ").split():
        case [name, "=", value]: return cells[name].store(int(value))
        case ["r", name]: return cells[name].load()
        case ["faa", name]: return cells[name].add(1)
        case ["cas", name, old, new]: return cells[name].compare_exchange(int(old), int(new))
    raise ValueError(f"no statement: {statement!r}")
