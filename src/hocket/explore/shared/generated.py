"""The methods that a dataclass is given: made from a text that nobody kept, and rewritten from one that is made again.

Which fields a method goes through, and in which order, is in its code; so its text can be written anew, in the forms
that CPython has had. A form is trusted only if it compiles to *equal* code, at the line where the method stood (since
3.13 all methods of a class are made by one text). Without that, `a == b` would be one step, although the fields are
read one after the other and others may come in between.

Refused: keeping what `exec` is given in `dataclasses` (classes are made when they are imported, long before).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from hocket.explore.shared.sources import is_rewritten, rewrite_source

__all__ = ["EXCHANGED", "exchange_generated", "rewritten_of"]

EXCHANGED: list[tuple[FunctionType, CodeType]] = []
"""Methods that speak for themselves while an exploration lasts, with their plain code: its end puts that back."""

_SIGNS = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
_NO_FIELDS = {"__class__", "__qualname__", "NotImplemented", "hash"}


def rewritten_of(code: CodeType) -> CodeType | None:
    """The rewritten form of a method that `dataclass` has made; None if it is no such method, or in no known form."""
    if not code.co_qualname.startswith("__create_fn__."):
        return None
    fields = [name for name in code.co_names if name not in _NO_FIELDS]
    above = [""] * (code.co_firstlineno - 2)
    for lines in _forms(code.co_name, fields):
        text = "\n".join(["def __create_fn__(made=None):", *above, *lines, f" return {code.co_name}"])
        if _inner(compile(text, "<string>", "exec", dont_inherit=True), code.co_name) == code:
            return _inner(rewrite_source(text), code.co_name)
    return None


def exchange_generated(kind: type) -> None:
    """Let the methods that a dataclass was given while the program runs speak for themselves."""
    for name in ("__repr__", "__hash__", *_SIGNS):
        method: Any = vars(kind).get(name)
        method = getattr(method, "__wrapped__", method)
        if isinstance(method, FunctionType) and not is_rewritten(method.__code__):
            new = rewritten_of(method.__code__)
            if new is not None:
                EXCHANGED.append((method, method.__code__))
                method.__code__ = new


def _inner(made: CodeType, name: str) -> CodeType:
    """The function of that name in the one function of a text."""
    for wanted in ("__create_fn__", name):
        made = next(each for each in made.co_consts if isinstance(each, CodeType) and each.co_name == wanted)
    return made


def _forms(name: str, fields: list[str]) -> Iterator[list[str]]:
    if name == "__repr__":
        told = ", ".join(f"{field}={{self.{field}!r}}" for field in fields)
        yield [" def __repr__(self):", f'  return self.__class__.__qualname__ + f"({told})"']
        yield [" @made", " def __repr__(self):", f'  return f"{{self.__class__.__qualname__}}({told})"']  # 3.13
    elif name == "__hash__":
        yield [" def __hash__(self):", f"  return hash({_tuple('self', fields)})"]
    elif name in _SIGNS:
        head, one_by_one = f" def {name}(self,other):", " and ".join(f"self.{f}==other.{f}" for f in fields) or "True"
        both = f"   return {_tuple('self', fields)}{_SIGNS[name]}{_tuple('other', fields)}"
        same, otherwise = "  if other.__class__ is self.__class__:", "  return NotImplemented"
        yield [head, same, both, otherwise]
        if name == "__eq__":  # 3.13
            yield [head, "  if self is other:", "   return True", same, f"   return {one_by_one}", otherwise]


def _tuple(owner: str, fields: list[str]) -> str:
    return f"({''.join(f'{owner}.{field},' for field in fields)})" if fields else "()"
