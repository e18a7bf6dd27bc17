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
import re
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from hocket.errors import HocketError, SourceError

if TYPE_CHECKING:
    from hocket.explore.result import Result

__all__ = ["Answer", "arguments", "main"]

_WORDS = {0: "holds", 1: "violated", 2: "unusable", 3: "unknown"}
_MOST_ANNOTATIONS = 10
_ALONE = 1.0  # seconds before a search is shared out to the workers that the table asks for
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URGENT_FIRST = (2, 1, 3, 0)
# options of hocket.explore that the table may set, and what they have to be
_OPTIONS: dict[str, tuple[type, ...]] = {
    "bound": (int,), "seconds": (int, float), "executions": (int,), "steps": (int,), "strategy": (str,),
    "seed": (int,), "data": (str,), "model": (str,), "workers": (int, str), "track": (list,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one entry: `text` is what a person reads, `counts` what a program does."""

    kind: str
    name: str
    code: int
    text: str
    seconds: float
    counts: Mapping[str, int]

    @property
    def line(self) -> str:
        """The first line of the text, or the verdict."""
        return self.text.partition("\n")[0]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--config", metavar="FILE", type=Path, default=Path("pyproject.toml"),
                        help="where [tool.hocket] is (default: pyproject.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write a JUnit report")
    parser.add_argument("--quiet", action="store_true", help="print only what does not hold")


def main(options: argparse.Namespace) -> int:
    """Check every entry, print each answer as it comes; returns the most urgent exit code."""
    answers: list[Answer] = []
    for answer in _answers(_table(options.config)):
        answers.append(answer)
        if answer.code or not options.quiet:
            print(_json(answer) if options.json else _text(answer), flush=True)
    if os.environ.get("GITHUB_ACTIONS") == "true" and not options.json:
        print("\n".join(_annotations([answer for answer in answers if answer.code])))
    if options.junit:
        _write_junit(options.junit, answers)
    return min((answer.code for answer in answers), key=_URGENT_FIRST.index)


# -- the table --------------------------------------------------------------------------------------------------------


def _table(path: Path) -> Mapping[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("hocket", {})
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"is no TOML: {error}", str(path)) from None
    for key, value in found.items():
        _check_entry(key, value, path)
    if not any(found.get(key) for key in _CHECKS):
        raise SourceError("[tool.hocket] names nothing to check", str(path),
                          cure=f"give {', '.join(_CHECKS)}, each a list of names")
    return dict(found)


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


def _answers(table: Mapping[str, Any]) -> Iterator[Answer]:
    for kind, check in _CHECKS.items():
        for name in table.get(kind, ()):
            started = time.monotonic()
            try:
                yield from check(name, table)
            except HocketError as error:
                yield Answer(kind, name, 2, str(error), time.monotonic() - started, {})


def _explorations(target: str, table: Mapping[str, Any]) -> Iterator[Answer]:
    from hocket.cli.target import functions_of

    options = {key: value for key, value in table.items() if key in _OPTIONS}
    for name, function in functions_of(target):
        started = time.monotonic()
        try:
            result = _explored(function, **options)
        except HocketError as error:
            yield Answer("explorations", name, 2, str(error), time.monotonic() - started, {})
            continue
        counts = {"classes": result.classes, "executions": result.executions}
        yield Answer("explorations", name, result.exit_code, str(result), result.seconds, counts)


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


def _graphs(source: str, table: Mapping[str, Any]) -> Iterator[Answer]:
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
            )  # fmt: skip
            code, text, counts = report.exit_code, str(report), {"findings": len(report.findings)}
        except SourceError as error:
            code, text, counts = 2, str(error), {}
        yield Answer("graphs", path, code, text, time.monotonic() - started, counts)


def _proofs(name: str, table: Mapping[str, Any]) -> Iterator[Answer]:
    from hocket.cli.prove import main as prove

    started, said = time.monotonic(), io.StringIO()
    options = argparse.Namespace(names=[name], export=None, seconds=table.get("seconds", 10.0), mutants=False)
    with redirect_stdout(said):
        code = prove(options)
    *lines, summary = said.getvalue().splitlines()
    yield Answer("proofs", name, code, "\n".join([summary, *lines]), time.monotonic() - started, {})


_CHECKS: dict[str, Callable[[str, Mapping[str, Any]], Iterator[Answer]]] = {
    "explorations": _explorations,
    "graphs": _graphs,
    "proofs": _proofs,
}


# -- what is said -----------------------------------------------------------------------------------------------------


def _text(answer: Answer) -> str:
    head = f"{_WORDS[answer.code]:<9} {answer.name}"
    return f"{head}: {answer.text}" if answer.code else f"{head}: {answer.line}"


def _json(answer: Answer) -> str:
    return json.dumps({**asdict(answer), "verdict": _WORDS[answer.code], "seconds": round(answer.seconds, 3)})


def _annotations(bad: list[Answer]) -> list[str]:
    """Workflow commands for GitHub, which shows ten of a step."""
    shown = bad if len(bad) <= _MOST_ANNOTATIONS else bad[: _MOST_ANNOTATIONS - 1]
    commands = [f"::error title={_escaped(f'hocket: {_WORDS[answer.code]}: {answer.name}', ':,')}::"
                f"{_escaped(answer.line)}" for answer in shown]
    more = [f"::error::{len(bad) - len(shown)} more are in the log of this step"] if len(shown) < len(bad) else []
    return commands + more


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _in_xml(text: str) -> str:
    return _NOT_IN_XML.sub("?", text)


def _write_junit(path: Path, answers: list[Answer]) -> None:
    """As pytest writes it: what is violated or unknown is a failure, what cannot be used an error."""
    bad = [answer for answer in answers if answer.code]
    unusable = sum(answer.code == 2 for answer in bad)
    suite = ElementTree.Element("testsuite", name="hocket", tests=str(len(answers)), errors=str(unusable),
                                failures=str(len(bad) - unusable))
    for answer in answers:
        case = ElementTree.SubElement(suite, "testcase", classname=f"hocket.{answer.kind}", name=answer.name,
                                      time=f"{answer.seconds:.3f}")
        properties = ElementTree.SubElement(case, "properties")
        for name, count in {"verdict": _WORDS[answer.code], **answer.counts}.items():
            ElementTree.SubElement(properties, "property", name=f"hocket_{name}", value=str(count))
        if answer.code:
            kind = "error" if answer.code == 2 else "failure"
            told = ElementTree.SubElement(case, kind, type=_WORDS[answer.code], message=_in_xml(answer.line))
            told.text = _in_xml(answer.text)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    try:
        path.write_text(ElementTree.tostring(root, encoding="unicode", xml_declaration=True), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"cannot be written: {error.strerror}", str(path)) from None
