"""`hocket replay FILE::function SCHEDULE`: run one interleaving again and show it.

A schedule of another program is refused before anything is claimed about this one.
"""

from __future__ import annotations

import argparse
import traceback

from hocket.cli.target import function_of
from hocket.cli.terminal import columns
from hocket.explore.replaying import judged
from hocket.explore.threads.naming import is_machinery

__all__ = ["arguments", "main"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE_OR_MODULE::FUNCTION", help="the function that was explored")
    parser.add_argument("schedule", metavar="SCHEDULE", help="what the report printed: hocket1:...")
    parser.add_argument("--data", choices=("track", "race-check", "off"), help="as it was explored")
    parser.add_argument("--model", choices=("free", "gil"), help="as it was explored")
    parser.add_argument("--track", action="append", default=[], metavar="MODULE", help="as it was explored")
    parser.add_argument("--spurious", type=int, default=0, metavar="N", help="as it was explored")
    parser.add_argument("--order", choices=("fifo", "any"), default="fifo", help="as it was explored")
    parser.add_argument("--cancel", action="append", default=[], metavar="TASK", help="as it was explored")


def main(options: argparse.Namespace) -> int:
    """1 if the interleaving fails again, 0 if it passes."""
    name, function = function_of(options.target)
    value, failure = judged(function, options.schedule, data=options.data, track=options.track,
                            spurious=options.spurious, order=options.order, cancel=options.cancel, model=options.model)
    if failure is not None:
        if failure.exception is not None:
            print(_raised(failure.exception), end="\n\n")
        print(failure.drawn(columns()))
        return 1
    print(f"{name}: passes in this interleaving" + (f", and returns {value!r}" if value is not None else ""))
    return 0


def _raised(error: BaseException) -> str:
    """The traceback, with the frames of the program only."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([each for each in told.stack if not is_machinery(each.filename)])
    return "".join(told.format()).rstrip()
