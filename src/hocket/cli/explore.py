"""`hocket explore FILE_OR_MODULE[::function]`: run every interleaving of a function, or of every test in a file.

Without `::function` every function of the file whose name starts with `test_`
or `explore_` and that takes no argument is explored, in the order of the file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hocket.cli.explored import FORMATS, PICTURES, case_of, tell_github, write, write_picture, write_report
from hocket.cli.target import functions_of
from hocket.cli.terminal import columns
from hocket.explore.front import explore
from hocket.explore.result import Result
from hocket.explore.sampling.portfolio import SAMPLERS

__all__ = ["arguments", "main"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE_OR_MODULE[::FUNCTION]", help="what to explore")
    parser.add_argument("--bound", type=int, metavar="N", help="only schedules with at most N preemptions")
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so many seconds; then incomplete")
    parser.add_argument("--executions", type=int, metavar="N", help="stop after so many executions; then incomplete")
    parser.add_argument("--steps", type=int, metavar="N", help="steps that one execution may take")
    parser.add_argument("--data", choices=("track", "race-check", "off"), default="track",
                        help="shared data: each access is a step, or only watched for races, or ignored")
    parser.add_argument("--model", choices=("free", "gil"), default="free",
                        help="others come between any two accesses, or only where CPython's global lock lets them")
    parser.add_argument("--track", action="append", default=[], metavar="MODULE",
                        help="rewrite this module or package, too; may be repeated")
    parser.add_argument("--spurious", type=int, default=0, metavar="N",
                        help="let each thread wake up from a Condition for no reason, up to N times")
    parser.add_argument("--order", choices=("fifo", "any"), default="fifo",
                        help="of the callbacks of an event loop: the one that asyncio promises, or any")
    parser.add_argument("--cancel", action="append", default=[], metavar="TASK",
                        help="let somebody outside cancel this task between any two callbacks; each: all of them")
    parser.add_argument("--strategy", choices=("optimal", "source", "dfs", *SAMPLERS), default="optimal",
                        help="how to search; all but the first three draw a sample (1000 executions)")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the sample that was drawn with this seed")
    parser.add_argument("--workers", type=int, metavar="N", help="share the search out among N processes")
    parser.add_argument("--checkpoint", metavar="PATH", help="keep the search in this file, and go on from it")
    parser.add_argument("--certificate", metavar="PATH", help="write what a proof covered, for `hocket audit`")
    for format in FORMATS:
        parser.add_argument(f"--{format}", metavar="PATH", type=Path, help=f"write the verdicts as {format.upper()}")
    for format, what in (("html", "a page"), ("svg", "a picture"), ("trace", "a trace for Perfetto")):
        parser.add_argument(f"--{format}", metavar="PATH", type=Path, help=f"write a failing interleaving as {what}")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--quiet", action="store_true", help="print failures only")


def main(options: argparse.Namespace) -> int:
    """0 if everything was proved, 1 if something failed, 3 if something is incomplete."""
    show = _json if options.json else _text
    codes, cases = [], []
    functions = functions_of(options.target)
    for name, function in functions:
        suffix = f".{function.__name__}" if len(functions) > 1 else ""  # one file for each
        result = _explored(function, options, options.checkpoint and options.checkpoint + suffix)
        if result.certificate is not None:
            write(Path(options.certificate + suffix), json.dumps(result.certificate.data) + "\n")
        codes.append(result.exit_code)
        cases.append(case_of(name, function, result))
        for format in PICTURES:
            path = getattr(options, format)
            if path is not None:
                write_picture(format, path.with_name(path.stem + suffix + path.suffix), result)
        if not options.quiet or result.exit_code == 1:
            print(show(name, result), flush=True)
    for format in FORMATS:
        write_report(format, getattr(options, format), cases)
    tell_github(cases)
    return 1 if 1 in codes else max(codes)


def _explored(function: Callable[[], Any], options: argparse.Namespace, checkpoint: str | None) -> Result:
    try:
        return explore(
            function, bound=options.bound, seconds=options.seconds, executions=options.executions, steps=options.steps,
            data=options.data, model=options.model, track=options.track, spurious=options.spurious,
            strategy=options.strategy, order=options.order, cancel=options.cancel, seed=options.seed,
            progress=not options.quiet,
            checkpoint=checkpoint, executor=options.workers, certificate=options.certificate is not None)
    except KeyboardInterrupt as interrupt:
        for note in getattr(interrupt, "__notes__", ()):
            print(note, file=sys.stderr)
        raise


def _text(name: str, result: Result) -> str:
    return f"{name}: {result.drawn(columns())}"


def _json(name: str, result: Result) -> str:
    failure = result.failure
    told = None if failure is None else {
        "kind": failure.kind, "message": failure.message, "schedule": str(failure.schedule),
        "preemptions": failure.preemptions, "replayed": failure.replayed,
        "conflict": failure.mattered,
        "steps": [{"actor": row.actor, "operation": row.text, "value": row.value, "before": row.before,
                   "file": row.place[0] if row.place else None, "line": row.place[1] if row.place else None,
                   "held": list(row.held)} for row in failure.rows],
    }
    return json.dumps({
        "function": name, "verdict": result.verdict, "classes": result.classes, "executions": result.executions,
        "steps": result.steps, "seconds": round(result.seconds, 3), "reason": result.reason, "seed": result.seed,
        "outcomes": {repr(value): count for value, count in result.outcomes.items()},
        "untracked": list(result.untracked), "failure": told,
    })
