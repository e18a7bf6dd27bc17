"""What can be said about an exploration from outside of the test, where it can be said, and who has the last word.

One table has every option; the command line, the environment, pytest's
configuration and `[tool.hocket]` are read with it. Whoever stands nearest to the
run wins: the command line, then the environment, then the marker on the test,
then pytest's configuration, then `[tool.hocket]` in pyproject.toml, then
`hocket.explore`'s own defaults. The marker stands in the middle because a person
who debugs, and a CI job with a clock, must be able to overrule it without an
edit, and a project's defaults must not. Refused: ignoring what cannot be read;
a limit with a typing error in it would be no limit.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

__all__ = ["OPTIONS", "Option", "Outside", "add_options"]

NONE = "none"  # takes a limit away
_STRATEGIES = ("optimal", "source", "dfs", "random", "pct", "pos", "urw", "surw", "portfolio")  # without loading them


@dataclass(frozen=True, slots=True)
class Option:
    """One option of `hocket.explore` that can be set from outside; `read` makes its value of text or of a number.

    `read` raises `ValueError` or `TypeError` for what is none of `expected`.
    """

    name: str
    metavar: str
    expected: str
    purpose: str
    read: Callable[[Any], Any]

    @property
    def flag(self) -> str:
        return f"--explore-{self.name}"

    @property
    def ini(self) -> str:
        return f"explore_{self.name}"

    @property
    def variable(self) -> str:
        return f"HOCKET_EXPLORE_{self.name.upper()}"

    def value(self, given: Any) -> Any:
        """What `given` means; raises `ValueError` with a sentence for a person."""
        if given == NONE:
            return None
        try:
            return self.read(given)
        except (TypeError, ValueError):
            raise ValueError(f"{given!r} is not {self.expected}") from None


def _number(kind: Callable[[Any], Any], least: float, excluded: bool, given: Any) -> Any:
    if isinstance(given, bool):
        raise TypeError("a truth value is no number")
    value = kind(given)
    if value != float(given) or not (value > least or (value == least and not excluded)):
        raise ValueError(given)
    return value


def _one_of(words: tuple[str, ...], given: Any) -> str:
    if given not in words:
        raise ValueError(given)
    return str(given)


def _names(given: Any) -> tuple[str, ...]:
    """Names between commas or blanks, or a list of them."""
    several = given.replace(",", " ").split() if isinstance(given, str) else list(given)
    if not all(isinstance(name, str) for name in several):
        raise TypeError(given)
    return tuple(several)


def _workers(given: Any) -> int | str:
    return "auto" if given == "auto" else int(_number(int, 0, True, given))


OPTIONS = (
    Option("bound", "K", "a whole number, 0 or more", "run only schedules with at most K preemptions",
           partial(_number, int, 0, False)),
    Option("seconds", "S", "a number above 0", "stop each test's search after S seconds; it is then incomplete",
           partial(_number, float, 0, True)),
    Option("executions", "N", "a whole number above 0", "stop each test's search after N executions",
           partial(_number, int, 0, True)),
    Option("steps", "N", "a whole number above 0", "steps that one execution may take",
           partial(_number, int, 0, True)),
    Option("strategy", "NAME", f"one of {', '.join(_STRATEGIES)}", "how to search; see docs/reference/strategies.md",
           partial(_one_of, _STRATEGIES)),
    Option("seed", "N", "a whole number", "repeat the sample that was drawn with this seed",
           partial(_number, int, float("-inf"), False)),
    Option("data", "HOW", "track, race-check or off", "what shared data counts as",
           partial(_one_of, ("track", "race-check", "off"))),
    Option("model", "NAME", "free or gil", "between which accesses others may come: any two, or where CPython switches",
           partial(_one_of, ("free", "gil"))),
    Option("workers", "N", "a whole number above 0, or auto", "processes that a long search is shared out to; auto: "
           "one for each CPU, or for each worker of pytest-xdist", _workers),
    Option("track", "MODULES", "names of modules, with commas between them",
           "modules and packages whose shared data is tracked, besides the test's own", _names),
)  # fmt: skip
_BY_NAME = {option.name: option for option in OPTIONS}


def add_options(parser: pytest.Parser) -> None:
    """Say all this to pytest: flags, and names for its configuration."""
    group = parser.getgroup("hocket", "exploring every interleaving (hocket)")
    group.addoption("--explore", action="store_true", help="explore every test function, not only the marked ones")
    group.addoption("--explore-replay", metavar="TOKEN", help="run the one interleaving that a report has printed")
    group.addoption("--explore-html", metavar="DIR", type=Path,
                    help="write a page for each failing interleaving into this directory")
    for option in OPTIONS:
        group.addoption(option.flag, metavar=option.metavar, type=partial(_argument, option), help=option.purpose)
        parser.addini(option.ini, option.purpose, type=_ini_type(option), default=None)
    parser.addini("explore", "explore every test function, not only the marked ones", type="bool", default=False)


def _argument(option: Option, text: str) -> tuple[Any]:
    """A value in a tuple: one that is None was given, all the same."""
    try:
        return (option.value(text),)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _ini_type(option: Option) -> Any:
    """pytest's own TOML table wants numbers where numbers are meant, since there are types for them."""
    kind = getattr(option.read, "args", (str,))[0]
    return {int: "int", float: "float"}.get(kind, "string") if pytest.version_tuple >= (8, 4) else "string"


# -- what was said ----------------------------------------------------------------------------------------------------


class Outside:
    """What a run of pytest says about every exploration in it; raises `pytest.UsageError` for what cannot be read."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._near = {**self._environment(), **self._flags()}
        self._ini = self._configured()
        self._table: dict[str, Any] | None = None

    def over(self, marked: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a test whose marker says `marked`."""
        if self._table is None:
            self._table = self._read_table()
        return {**self._table, **self._ini, **marked, **self._near}

    def _flags(self) -> dict[str, Any]:
        given = ((option, getattr(self._config.option, option.ini, None)) for option in OPTIONS)
        return {option.name: value[0] for option, value in given if value is not None}

    def _environment(self) -> dict[str, Any]:
        given = ((option, option.variable, os.environ.get(option.variable)) for option in OPTIONS)
        return dict(_read(option, where, text) for option, where, text in given if text)

    def _configured(self) -> dict[str, Any]:
        given = ((option, option.ini, self._config.getini(option.ini)) for option in OPTIONS)
        return dict(_read(option, where, value) for option, where, value in given if value not in (None, ""))

    def _read_table(self) -> dict[str, Any]:
        path = self._config.rootpath / "pyproject.toml"
        return dict(_entries(_tool_table(path), path))


def _read(option: Option, where: str, given: Any) -> tuple[str, Any]:
    try:
        return option.name, option.value(given)
    except ValueError as error:
        raise pytest.UsageError(f"{where}: {error}") from None


def _tool_table(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("hocket", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{path}: {error}") from None
    return table if isinstance(table, dict) else {}


def _entries(table: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
    """The options in a table that has other uses as well (`hocket check`)."""
    for name, given in table.items():
        if name in _BY_NAME:
            yield _read(_BY_NAME[name], f"{path}: [tool.hocket] {name}", given)
