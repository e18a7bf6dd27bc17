"""`hocket audit FILE [SOURCE]`: check a certificate, without the search or the solver that wrote it.

A certificate of an exploration stands for itself; one of a graph is checked against
the graph, which is read again.

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
from hocket.verdict import Certificate, Holds, Verdict, exit_code

__all__ = ["arguments", "main"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", help="a certificate, as `hocket explore` and `hocket verify` write it")
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="the graph, for a certificate of `hocket verify`")
    parser.add_argument("--format", metavar="NAME", help="the format of the graph, where it is not to be guessed")


def main(options: argparse.Namespace) -> int:
    """Print what the certificate shows, or what it lacks."""
    found = _read(options.file)
    of_graph = isinstance(found, dict) and str(found.get("kind", "")).startswith("hocket.verify/")
    verdict = _of_graph(found, options) if of_graph else audit(found)
    counts = verdict.counts if isinstance(verdict, Holds) else {}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    print(f"{options.file}: {verdict}" + (f" ({told})" if told else ""))
    return exit_code(verdict)


def _of_graph(found: dict[str, Any], options: argparse.Namespace) -> Verdict:
    from hocket.verify import audit as audit_graph
    from hocket.verify.readers.discover import opened

    if options.source is None:
        cure = f"say hocket audit {options.file} SOURCE"
        raise SourceError("this certificate is of a graph, which has to be named as well", options.file, cure=cure)
    certificate = Certificate(str(found["kind"]), found.get("data"))
    return audit_graph(certificate, opened(options.source), format=options.format)


def _read(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", path) from None
    except (ValueError, RecursionError) as error:
        cure = "write one with `hocket explore … --certificate FILE`"
        raise SourceError(f"is no JSON: {error}", path, getattr(error, "lineno", 0), cure=cure) from None
