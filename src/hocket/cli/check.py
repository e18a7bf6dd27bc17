"""`hocket check`: everything that `[tool.hocket]` in pyproject.toml names, with one answer for a CI server.

    [tool.hocket]
    explorations = ["tests/test_queue.py", "mypackage.selftest::take_turns"]
    graphs = [".github/workflows"]
    proofs = ["kernel_order"]
    seconds = 60                       # options of hocket.explore, for each exploration
    verify = { workers = 4 }           # see hocket.cli.settings

Exit codes: 0 everything holds completely, 1 something is violated, 2 an input cannot
be used (nothing at all to check is one of these), 3 something is unknown, 130
interrupted; of several the most urgent: 2, then 1, then 3. A broken input does not
keep the others from being checked. A key that means nothing is refused: a typing
error must not switch a check off.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hocket.errors import HocketError, SourceError
from hocket.render.rows import EXITS, Case, Row

if TYPE_CHECKING:
    from hocket.explore.result import Result

__all__ = ["arguments", "main"]

_VERDICTS = {code: verdict for verdict, code in EXITS.items()}
_ALONE = 1.0  # seconds before a search is shared out to the workers that the table asks for
_URGENT_FIRST = ("unusable", "violated", "unknown", "holds")
# options of hocket.explore that the table may set, and what they have to be
_OPTIONS: dict[str, tuple[type, ...]] = {
    "bound": (int,), "seconds": (int, float), "executions": (int,), "steps": (int,), "strategy": (str,),
    "seed": (int,), "data": (str,), "model": (str,), "workers": (int, str), "track": (list,),
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("pyproject.toml"),
                        help="where [tool.hocket] is (default: pyproject.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write a JUnit report")
    parser.add_argument("--sarif", metavar="FILE", type=Path, help="write a SARIF log, as code scanning reads it")
    parser.add_argument("--quiet", action="store_true", help="print only what does not hold")


def main(options: argparse.Namespace) -> int:
    """Check every entry, print each answer as it comes; returns the most urgent exit code."""
    from hocket.cli.explored import FORMATS, tell_github, write_report

    cases: list[Case] = []
    for case in _cases(_table(options.config)):
        cases.append(case)
        if case.verdict != "holds" or not options.quiet:
            print(_json(case) if options.json else _text(case), flush=True)
    if not options.json:
        tell_github(cases)
    for format in FORMATS:
        write_report(format, getattr(options, format), cases)
    return EXITS[min((case.verdict for case in cases), key=_URGENT_FIRST.index)]


# -- the table --------------------------------------------------------------------------------------------------------


def _table(path: Path) -> Mapping[str, Any]:
    try:
        found = dict(tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("hocket", {}))
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"is no TOML: {error}", str(path)) from None
    except (AttributeError, TypeError, ValueError):
        raise SourceError("[tool.hocket] is no table", str(path), cure="write [tool.hocket]") from None
    for key, value in found.items():
        _check_entry(key, value, path)
    if not any(found.get(key) for key in _CHECKS):
        raise SourceError("[tool.hocket] names nothing to check", str(path),
                          cure=f"give {', '.join(_CHECKS)}, each a list of names")
    return found


def _check_entry(key: str, value: Any, path: Path) -> None:
    if key == "verify":
        from hocket.cli.settings import settings_of

        settings_of(value, str(path))
        return
    if key in _CHECKS or key == "track":
        right = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        expected = "a list of names"
    elif key == "workers":
        right = value == "auto" or (type(value) is int and value > 0)
        expected = "a number of processes, or 'auto'"
    elif key in _OPTIONS:
        right = isinstance(value, _OPTIONS[key]) and not isinstance(value, bool)
        expected = " or ".join(kind.__name__ for kind in _OPTIONS[key])
    else:
        raise SourceError(f"[tool.hocket] has no key {key!r}", str(path),
                          cure=f"its keys are {', '.join((*_CHECKS, *_OPTIONS, 'verify'))}")
    if not right:
        raise SourceError(f"[tool.hocket] {key} is {value!r}", str(path), cure=f"write {expected}")


# -- what is checked --------------------------------------------------------------------------------------------------


def _cases(table: Mapping[str, Any]) -> Iterator[Case]:
    for kind, check in _CHECKS.items():
        for name in table.get(kind, ()):
            started = time.monotonic()
            try:
                yield from check(name, table)
            except HocketError as error:
                yield _unusable(kind, name, error, started)


def _unusable(kind: str, name: str, error: HocketError, started: float) -> Case:
    return Case(kind, name, "unusable", text=str(error), seconds=time.monotonic() - started)


def _explorations(target: str, table: Mapping[str, Any]) -> Iterator[Case]:
    from hocket.cli.explored import case_of
    from hocket.cli.target import functions_of

    options = {key: value for key, value in table.items() if key in _OPTIONS}
    for name, function in functions_of(target):
        started = time.monotonic()
        try:
            result = _explored(function, **options)
        except HocketError as error:
            yield _unusable("explorations", name, error, started)
            continue
        yield case_of(name, function, result)


def _explored(function: Any, workers: int | str = 1, **options: Any) -> Result:
    """The result, by so many processes if it takes longer than a second."""
    from hocket.explore.front import explore
    from hocket.explore.options import may_be_shared_out
    from hocket.explore.scale.parallel import Workers

    most = workers if isinstance(workers, int) else os.cpu_count() or 1
    if most == 1 or not may_be_shared_out(options):
        return explore(function, **options)
    with Workers(most, _ALONE) as executor:
        return explore(function, **options, executor=executor)


def _usable(given: Any) -> Any:
    """A source that was found in a folder, unless it is the reason why it cannot be read."""
    if isinstance(given, SourceError):
        raise given
    return given


def _graphs(source: str, table: Mapping[str, Any]) -> Iterator[Case]:
    from hocket.cli.settings import settings_of
    from hocket.verify import verify
    from hocket.verify.readers.discover import graphs_in, opened

    settings = settings_of(table.get("verify", {}), "pyproject.toml")
    for given in graphs_in(Path(source)) if Path(source).is_dir() else (source,):
        path = given if isinstance(given, str) else str(given.path)
        started = time.monotonic()
        try:
            report = verify(
                opened(given) if isinstance(given, str) else _usable(given),
                assertions=settings.claims_for(path), workers=settings.workers, notes=settings.notes,
                seconds=settings.seconds,
            )  # fmt: skip
            yield report.case(time.monotonic() - started)
        except SourceError as error:
            yield _unusable("graphs", path, error, started)


def _proofs(name: str, table: Mapping[str, Any]) -> Iterator[Case]:
    from hocket.cli.prove import main as prove

    started, said = time.monotonic(), io.StringIO()
    options = argparse.Namespace(names=[name], export=None, seconds=table.get("seconds", 10.0), mutants=False)
    with redirect_stdout(said):
        code = prove(options)
    *lines, summary = said.getvalue().splitlines()
    verdict = _VERDICTS[code]
    rows = () if code == 0 else (Row(
        f"proof-{verdict}", "a claim was not proved", "error" if verdict == "violated" else "warning",
        f"{name}: {summary}", about=(name,)),)
    yield Case("proofs", name, verdict, rows, "\n".join([summary, *lines]), time.monotonic() - started)


_CHECKS: dict[str, Callable[[str, Mapping[str, Any]], Iterator[Case]]] = {
    "explorations": _explorations,
    "graphs": _graphs,
    "proofs": _proofs,
}


# -- what is said -----------------------------------------------------------------------------------------------------


def _text(case: Case) -> str:
    told = case.text if case.verdict != "holds" else case.text.partition("\n")[0]
    return f"{case.verdict:<9} {case.name}: {told}"


def _json(case: Case) -> str:
    return json.dumps({
        "kind": case.kind, "name": case.name, "verdict": case.verdict, "code": EXITS[case.verdict], "text": case.text,
        "seconds": round(case.seconds, 3), "counts": dict(case.counts)})
