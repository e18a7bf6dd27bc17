"""`hocket audit FILE`: check a certificate of completeness, without the search that wrote it.

Exit codes: 0 nothing is missing, 1 something is, 2 the file cannot be read,
3 it is no certificate that this command knows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from hocket.errors import SourceError
from hocket.explore.audit import audit
from hocket.verdict import Holds, exit_code

__all__ = ["arguments", "main"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", help="a certificate, as `hocket explore --certificate FILE` writes it")


def main(options: argparse.Namespace) -> int:
    """Print what the certificate shows, or what it lacks."""
    verdict = audit(_read(options.file))
    counts = verdict.counts if isinstance(verdict, Holds) else {}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    print(f"{options.file}: {verdict}" + (f" ({told})" if told else ""))
    return exit_code(verdict)


def _read(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", path) from None
    except (ValueError, RecursionError) as error:
        cure = "write one with `hocket explore … --certificate FILE`"
        raise SourceError(f"is no JSON: {error}", path, getattr(error, "lineno", 0), cure=cure) from None
