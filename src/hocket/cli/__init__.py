"""The command line: a table of commands, each a module with `arguments(parser)` and `main(options) -> exit code`.

Exit codes are the same everywhere: 0 holds completely, 1 violated, 2 usage or
unusable input, 3 unknown or incomplete, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from hocket import __version__
from hocket.cli.terminal import forgive
from hocket.errors import HocketError

__all__ = ["COMMANDS", "main"]

# one row a command: what it is for; its module is hocket.cli.<name>, imported only when it is the one asked for
COMMANDS: dict[str, str] = {
    "explore": "run every interleaving of a function or test",
    "replay": "run one interleaving again, by its schedule",
    "audit": "check that a proof by exploration has left nothing out",
    "verify": "check a task graph before it is deployed",
    "check": "check everything that [tool.hocket] in pyproject.toml names",
    "prove": "prove what the kernel claims, for any number of tasks",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, and never lets a traceback of ours reach the user's terminal."""
    forgive()
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked = " ".join(["hocket", *(word for word in words[:1] if word in COMMANDS)])
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except HocketError as error:
        print("\n".join([f"{asked}: {error}", *getattr(error, "__notes__", ())]), file=sys.stderr)
        return 2
    except BrokenPipeError:  # `hocket … | head`: the reader has gone, which is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print(f"{asked}: interrupted", file=sys.stderr)
        return 130


def _run(words: Sequence[str]) -> int:
    parser = _parser(words[0] if words else "")
    options = parser.parse_args(words)
    if not options.command:
        parser.print_help()
        return 2
    return int(import_module(f"hocket.cli.{options.command}").main(options))


def _parser(wanted: str) -> argparse.ArgumentParser:
    purpose = "Explore interleavings, verify graphs, prove schedulers."
    parser = argparse.ArgumentParser(prog="hocket", description=purpose)
    parser.add_argument("--version", action="version", version=f"hocket {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name == wanted:
            import_module(f"hocket.cli.{name}").arguments(command)
    return parser
