"""A program run twice, plain and rewritten with probes that do nothing: what it did must be the same."""

from __future__ import annotations

import ast
import builtins
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hocket.explore.shared.rewrite import is_probe, rewrite
from tests.unit.explore_shared.plain_probes import DirectProbes, PlainProbes


class Spy:
    """An object that can be used in every way and writes down how."""

    def __init__(self, name: str, log: list[Any], truth: bool = True) -> None:
        self.__dict__.update(_name=name, _log=log, _truth=truth)

    def _says(self, what: str) -> Spy:
        self._log.append(f"{self._name} {what}")
        return Spy(f"({self._name} {what})", self._log, self._truth)

    def __repr__(self) -> str:
        return f"<{self._name}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._says(f".{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._says(f".{name} = {value!r}")

    def __delattr__(self, name: str) -> None:
        self._says(f"del .{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._says(f"[{key!r}]")

    def __setitem__(self, key: Any, value: Any) -> None:
        self._says(f"[{key!r}] = {value!r}")

    def __delitem__(self, key: Any) -> None:
        self._says(f"del [{key!r}]")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._says(f"call {args} {kwargs}")

    def __bool__(self) -> bool:
        self._says("bool")
        return self._truth

    def __iter__(self) -> Iterator[Any]:
        self._says("iter")
        return iter([Spy(f"{self._name}#{at}", self._log, self._truth) for at in range(2)])

    def __contains__(self, other: Any) -> bool:
        self._says(f"contains {other!r}")
        return self._truth

    def __format__(self, spec: str) -> str:
        self._says(f"format {spec!r}")
        return f"{self._name}:{spec}"

    def __enter__(self) -> Any:
        return self._says("enter")

    def __exit__(self, *exc_info: object) -> bool:
        self._says(f"exit {exc_info[0]}")
        return False

    def keys(self) -> list[str]:
        self._says("keys")
        return ["p", "q"]

    __hash__ = object.__hash__


def _operators() -> None:
    names = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
    for name in (*names, *(f"r{name}" for name in names), *(f"i{name}" for name in names),
                 "eq", "ne", "lt", "le", "gt", "ge"):
        setattr(Spy, f"__{name}__", lambda self, other, name=name: self._says(f"{name} {other!r}"))
    for name in ("neg", "pos", "invert"):
        setattr(Spy, f"__{name}__", lambda self, name=name: self._says(name))


_operators()


@contextmanager
def probes() -> Iterator[PlainProbes]:
    """Plain probes under the name that rewritten code looks for."""
    plain = DirectProbes()
    setattr(builtins, "__hocket__", plain)  # noqa: B010
    try:
        yield plain
        assert not plain.kept
    finally:
        delattr(builtins, "__hocket__")


def loaded(source: str, again: bool, name: str = "program", executed: bool = False,
           direct: bool = False) -> dict[str, Any]:
    """The names that a source defines, run as it is or rewritten (`again`)."""
    tree = ast.parse(source)
    if again:
        rewrite(tree, executed, None, direct)
    names: dict[str, Any] = {"__name__": name, "__builtins__": builtins}
    exec(compile(tree, f"<{name}>", "exec", dont_inherit=True), names)
    return names


def outcome(deed: Callable[[], Any], log: list[Any]) -> tuple[str, list[str]]:
    """What a call did, as text."""
    try:
        result = _shown(deed())
    except Exception as failure:
        lines = [line for frame, line in traceback.walk_tb(failure.__traceback__)
                 if frame.f_code.co_filename.startswith("<program") and not is_probe(frame.f_code)]
        result = f"{type(failure).__name__}: {_shown(failure)} at {lines} {getattr(failure, 'name', None)}"
    return result, list(map(_shown, log))


def _shown(thing: Any) -> str:
    """An object as text, without the address at which it happens to live."""
    return re.sub(r"0x[0-9a-f]+", "0x", repr(thing))


def ran(source: str, again: bool, truth: bool = True, executed: bool = False,
        direct: bool = False) -> tuple[str, list[str], list[str]]:
    """What `run(s, log)` of a source did: its result or failure with the lines, what it logged, the globals it left."""
    log: list[Any] = []
    names: dict[str, Any] = {}

    def deed() -> Any:
        names.update(loaded(source, again, executed=executed, direct=direct))
        return names["run"](Spy("s", log, truth), log)

    result, shown = outcome(deed, log)
    return result, shown, sorted(names)
