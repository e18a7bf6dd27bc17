"""Which program it is: a digest that is the same in every process that has the same text.

The program is known by the text of the files that its bodies are in and by their
code, not by what these import: a search goes on, or is shared out, only if its digest
is the same there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any

from hocket.explore.program import Program
from hocket.explore.scale.stack import text_of

__all__ = ["body_digest", "program_digest"]


def body_digest(body: Callable[..., Any]) -> str:
    """A digest of a function: its name, code, closure, and the text of the file that it is in."""
    return _digest(_of_function(body))


def program_digest(program: Program) -> str:
    """A digest of a pure model: its objects, and its bodies with what they are given."""
    parts = [f"{family} {name} {_text(state)}" for family, state, name in program.initial]
    bodies = [*program.bodies, *([program.main] if program.main is not None else [])]
    for body, arguments in bodies:
        parts += [*_of_function(body), *map(_text, arguments)]
    for function in (*program.checks, program.outcome):
        parts += _of_function(function)
    return _digest(parts)


def _digest(parts: Iterable[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _of_function(function: Any) -> list[str]:
    function = getattr(function, "__hocket_body__", function)
    if isinstance(function, partial):
        given = [*map(_text, function.args), *(f"{key}={_text(value)}" for key, value in function.keywords.items())]
        return [*_of_function(function.func), *given]
    function = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(function, "__code__", None)
    if code is None:
        return [f"{type(function).__module__}.{type(function).__qualname__}", *_of_call(function)]
    cells = [_text(_content(cell)) for cell in function.__closure__ or ()]
    return [f"{function.__module__}.{function.__qualname__}", *_of_code(code), *cells, _source(code.co_filename)]


def _of_call(thing: Any) -> list[str]:
    call = type(thing).__dict__.get("__call__")
    code = getattr(call, "__code__", None)
    return [*_of_code(code), _source(code.co_filename)] if code is not None else []


def _of_code(code: CodeType) -> list[str]:
    """Bytecode, names and constants, also of the functions inside."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    constants = [_text(constant) for constant in code.co_consts if not isinstance(constant, CodeType)]
    return [code.co_code.hex(), *code.co_names, *constants, *(part for one in inner for part in _of_code(one))]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _text(value: Any) -> str:
    """What is the same in every process: the text of a plain value, else the name of its type."""
    return text_of(value) or f"{type(value).__module__}.{type(value).__qualname__}"


def _source(filename: str) -> str:
    try:
        return Path(filename).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
