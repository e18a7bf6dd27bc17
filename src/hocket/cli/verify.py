"""`hocket verify FILE…`: check task graphs before they are deployed.

Exit codes: 0 everything holds, 1 something is violated, 2 an input cannot be used,
3 something is not decided (z3 missing where it is needed, or a question given up).
With several inputs the most urgent one decides: 2, then 1, then 3.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hocket.errors import SourceError
from hocket.render import findings as drawn
from hocket.verify import verify
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.findings import Report
from hocket.verify.readers.discover import graphs_in, opened
from hocket.verify.readers.systemd import is_unit_folder

__all__ = ["arguments", "main"]

_STYLES = {
    "error": "bold red", "warning": "bold yellow", "good": "green", "place": "bold", "caret": "red", "dim": "dim",
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "sources", nargs="*", default=["."], metavar="FILE", help="files, folders, or - for standard input"
    )
    claims = "'A before B', 'A never with B', 'A requires B', 'A can run before B', 'A can run'; may be repeated"
    parser.add_argument("--assert", dest="claims", action="append", default=[], metavar="CLAIM", help=claims)
    parser.add_argument(
        "--format", metavar="NAME", help="the format, where it is not to be guessed (see docs/reference/formats.md)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document (docs/reference/verify.md)")


def main(options: argparse.Namespace) -> int:
    """Verify every source; returns the exit code of the most urgent answer."""
    reports: list[Report] = []
    problems: list[SourceError] = []
    try:
        claims = [parse_assertion(claim) for claim in options.claims]
    except SourceError as error:
        return _end([], [error], options.json)
    for source in options.sources:
        try:
            for given in _expanded(source, options.format):
                _one(given, options.format, claims, reports, problems)
        except SourceError as error:
            problems.append(error)
    return _end(reports, problems, options.json)


def _expanded(source: str, format: str | None) -> Iterable[Any]:
    """What is to be verified: every graph in a folder, or the one thing that is named."""
    if Path(source).is_dir() and not is_unit_folder(Path(source)):
        return graphs_in(Path(source), format)
    return [opened(source)]


def _one(
    given: Any, format: str | None, claims: list[Assertion], reports: list[Report], problems: list[SourceError]
) -> None:
    try:
        if isinstance(given, SourceError):
            raise given
        reports.append(verify(given, format=format, assertions=claims))
    except SourceError as error:
        problems.append(error)


def _end(reports: list[Report], problems: list[SourceError], as_json: bool) -> int:
    if as_json:
        print(drawn.json_text(reports, [_problem(error) for error in problems]))
    else:
        _print(reports)
    for error in problems:
        print(f"hocket verify: {error}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true" and not as_json and (said := drawn.github_annotations(reports)):
        print(said)
    codes = {report.exit_code for report in reports} | ({2} if problems else set())
    return next((code for code in (2, 1, 3) if code in codes), 0)


def _problem(error: SourceError) -> dict[str, Any]:
    return {
        "path": error.path,
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "cure": error.cure,
    }


def _print(reports: list[Report]) -> None:
    """Colour only for a terminal that wants it; a pipe gets plain text, unwrapped."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 0
    console = _console() if terminal and not os.environ.get("NO_COLOR") else None
    for report in reports:
        for line in drawn.lines(report, width):
            if console is None:
                print("".join(piece for _, piece in line))
            else:
                console(line)


def _console() -> Any:
    """A printer of styled pieces if rich is there, else None."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    console = Console(highlight=False, soft_wrap=True)
    return lambda line: console.print(Text.assemble(*((piece, _STYLES.get(style, "")) for style, piece in line)))
