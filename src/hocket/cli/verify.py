"""`hocket verify FILE…`: check task graphs before they are deployed.

Exit codes: 0 everything holds, 1 something is violated, 2 an input cannot be used,
3 something is not decided (z3 missing where it is needed, or a question given up).
With several inputs the most urgent one decides: 2, then 1, then 3. `--fail-on` says
from which severity on a finding is a violation; `[tool.hocket.verify]` in
pyproject.toml says the same for good.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hocket.cli.baseline import read_baseline, without_old, write_baseline
from hocket.cli.files import writing
from hocket.cli.outputs import FORMATS, Answers, draw, put
from hocket.cli.settings import LEVELS, Settings, settings_in
from hocket.errors import SourceError
from hocket.render.drawing import DRAWINGS
from hocket.verify import verify
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.findings import Report
from hocket.verify.readers.discover import graphs_in, opened
from hocket.verify.readers.systemd import is_unit_folder

__all__ = ["arguments", "main", "watch"]

_EVERY = 0.5  # seconds between two looks at the files


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "sources", nargs="*", default=["."], metavar="FILE", help="files, folders, or - for standard input"
    )
    add = parser.add_argument
    claims = "'A before B', 'A never with B', 'A requires B', 'A can run', 'A always runs', …; may be repeated"
    add("--assert", dest="claims", action="append", default=[], metavar="CLAIM", help=claims)
    add("--format", metavar="NAME", help="the format, where it is not to be guessed (see docs/reference/formats.md)")
    add("--workers", type=int, metavar="N", help="how many tasks can run at once")
    add("--seconds", type=float, metavar="S", help="how long one graph may be looked at (30); the rest is unknown")
    add("--notes", action="store_true", help="also say what is no mistake: waits that others imply, quiet skips")
    add("--json", action="store_true", help="the same as --output json")
    add("--output", action="append", default=[], type=_output, metavar="FORMAT[=FILE]",
        help=f"print or write {', '.join(FORMATS)}; may be repeated")  # fmt: skip
    add("--draw", action="append", default=[], type=_drawing, metavar="FORMAT[=FILE]",
        help=f"draw the graph with its first finding: {', '.join(DRAWINGS)}")  # fmt: skip
    add("--fail-on", choices=LEVELS, help="the least severe finding that makes the exit code 1 (error)")
    add("--allow-unknown", action="store_true", help="exit 0 where something is not decided")
    add("--baseline", metavar="FILE", help="findings that were there before, and do not count")
    add("--write-baseline", metavar="FILE", help="write what is found now as a baseline")
    add("--certificate", metavar="FILE", help="write the certificate of what holds, for `hocket audit`")
    add("--watch", action="store_true", help="verify again whenever a file changes, until interrupted")


def _output(text: str) -> str:
    return _one_of(text, FORMATS)


def _drawing(text: str) -> str:
    return _one_of(text, DRAWINGS)


def _one_of(text: str, known: Iterable[str]) -> str:
    if text.partition("=")[0] not in known:
        raise argparse.ArgumentTypeError(f"{text!r}: the formats are {', '.join(known)}")
    return text


def main(options: argparse.Namespace) -> int:
    """Verify every source; returns the exit code of the most urgent answer."""
    if options.watch:
        return watch(lambda: _once(options), time.sleep)
    return _once(options)[0]


def watch(once: Callable[[], tuple[int, set[str]]], wait: Callable[[float], None]) -> int:
    """Call `once` again whenever one of the files that it names has changed; ends when `wait` is interrupted."""
    code, files = once()
    seen = _stamps(files)
    try:
        while True:
            wait(_EVERY)
            if (now := _stamps(files)) != seen:
                print("\n-- changed, verified again --", flush=True)
                code, files = once()
                seen = _stamps(files) if files != set(seen) else now
    except KeyboardInterrupt:
        return code


def _stamps(files: set[str]) -> dict[str, int]:
    stamps = {}
    for path in files:
        try:
            stamps[path] = os.stat(path).st_mtime_ns
        except OSError:
            stamps[path] = 0
    return stamps


def _once(options: argparse.Namespace) -> tuple[int, set[str]]:
    """(exit code, the files that were read)."""
    outputs = [*options.output, *(["json"] if options.json else [])]
    try:
        settings = _settings(options)
        claims = [parse_assertion(claim) for claim in options.claims]
        left = read_baseline(settings.baseline) if settings.baseline else None
    except SourceError as error:
        put(Answers(problems=[error]), outputs)
        return 2, {"pyproject.toml"}
    answers = _answers(options, settings, claims)
    files = {path for report, _ in answers.reports for path in report.lines} | {*options.sources, "pyproject.toml"}
    if options.write_baseline:
        write_baseline(options.write_baseline, [report for report, _ in answers.reports])
    if left is not None:
        answers = Answers([(without_old(report, left), took) for report, took in answers.reports], answers.problems)
    put(answers, outputs)
    draw(answers, options.draw)
    if options.certificate:
        _certify(options.certificate, answers)
    return _exit(answers, settings.fail_on, options.allow_unknown), files


def _settings(options: argparse.Namespace) -> Settings:
    """What pyproject.toml says, overruled by the command line."""
    said = settings_in(Path("pyproject.toml"))
    given = {
        "workers": options.workers,
        "notes": options.notes or None,
        "seconds": options.seconds,
        "fail_on": options.fail_on,
        "baseline": options.baseline,
    }
    return replace(said, **{name: value for name, value in given.items() if value is not None})


def _answers(options: argparse.Namespace, settings: Settings, claims: list[Assertion]) -> Answers:
    reports: list[tuple[Report, float]] = []
    problems: list[SourceError] = []
    for given in _given(options.sources, options.format):
        started = time.monotonic()
        try:
            if isinstance(given, SourceError):
                raise given
            asked = [*claims, *settings.claims_for(str(getattr(given, "path", "")))]
            report = verify(
                given, format=options.format, assertions=asked, workers=settings.workers, notes=settings.notes,
                seconds=settings.seconds,
            )  # fmt: skip
            reports.append((report, time.monotonic() - started))
        except SourceError as error:
            problems.append(error)
    return Answers(reports, problems)


def _given(sources: Iterable[str], format: str | None) -> Iterator[Any]:
    """What is to be verified: every graph in a folder, or the one thing that is named; or why it cannot be."""
    for source in sources:
        try:
            if Path(source).is_dir() and not is_unit_folder(Path(source)):
                yield from graphs_in(Path(source), format)
            else:
                yield opened(source)
        except SourceError as error:
            yield error


def _exit(answers: Answers, fail_on: str, allow_unknown: bool) -> int:
    codes = {2} if answers.problems else set()
    bad = LEVELS[: LEVELS.index(fail_on) + 1] if fail_on != "never" else ()
    for report, _ in answers.reports:
        undecided = any(finding.code == "G090" for finding in report.findings)
        if any(finding.severity in bad and finding.code != "G090" for finding in report.findings):
            codes.add(1)
        if undecided and not allow_unknown:
            codes.add(3)
    return next((code for code in (2, 1, 3) if code in codes), 0)


def _certify(path: str, answers: Answers) -> None:
    certified = [report for report, _ in answers.reports if report.certificate is not None]
    if len(answers.reports) != 1 or not certified:
        raise SourceError("there is no certificate to write", path, cure="verify one graph of which everything holds")
    certificate = certified[0].certificate
    assert certificate is not None
    with writing(path):
        Path(path).write_text(json.dumps({"kind": certificate.kind, "data": certificate.data}) + "\n", encoding="utf-8")
