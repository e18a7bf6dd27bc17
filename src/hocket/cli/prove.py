"""`hocket prove [NAME …]`: prove what the kernel claims, one line per obligation.

The proofs belong to the source, not to the installed package: they are looked for in
the `proofs/` of the working directory, then in that of the checkout this package was
installed from. Each file there is a claim: `kernel_order_proof.py` is `kernel_order`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING

import hocket
from hocket.errors import SourceError

if TYPE_CHECKING:
    from hocket.spec.prove import Proof

__all__ = ["arguments", "main"]

_NEXT_TRY = Path(".hocket") / "unknown"  # where obligations are left that no solver decided in time


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="which proofs, such as kernel_order; by default all")
    parser.add_argument("--export", metavar="DIR", type=Path, help="write every obligation there as SMT-LIB 2 text")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each obligation and solver (default: 10)")
    parser.add_argument("--mutants", action="store_true", help="leave out each line in turn as well")


def main(options: argparse.Namespace) -> int:
    """Print every obligation; 0 if all are proved, 1 if one is refuted, 3 if one is unknown."""
    start, codes = perf_counter(), list[int]()
    for path in _chosen(_home(), options.names):
        module = import_module(f"proofs.{path.stem}")
        print(f"{_name(path)}: {(module.__doc__ or '').strip().splitlines()[0]}")
        here = list(_judged(module, options))
        if not here:
            print(f"  nothing by itself: what it shows is shown by `pytest {path.parent.name}/{path.name}`")
        codes += here
    if not codes:
        raise SourceError("nothing was proved", cure="name a proof that has specifications, or none for all of them")
    worst = max(codes, key=(0, 3, 1).index)
    print(f"{['proved', 'REFUTED', '', 'UNKNOWN'][worst]} in {perf_counter() - start:.1f} s")
    return worst


def _home() -> Path:
    for root in (Path.cwd(), Path(hocket.__file__).parents[2]):
        if any((root / "proofs").glob("*_proof.py")):
            if str(root) not in sys.path:
                sys.path.insert(0, str(root))
            return root / "proofs"
    raise SourceError("there is no proofs/ here", cure="run it in a checkout of the source: proofs are not installed")


def _chosen(home: Path, names: list[str]) -> list[Path]:
    known = {_name(path): path for path in sorted(home.glob("*_proof.py"))}
    for name in names:
        if name not in known:
            raise SourceError(f"there is no proof {name!r}", cure=f"one of {', '.join(known)}")
    return [known[name] for name in names or known]


def _name(path: Path) -> str:
    return path.stem.removesuffix("_proof")


def _judged(module: ModuleType, options: argparse.Namespace) -> Iterable[int]:
    """The exit code of each specification of a file, once its lines are printed."""
    from hocket.verdict import exit_code

    for spec in getattr(module, "SPECS", ()):
        proof = spec.prove(options.seconds)
        print(proof)
        print(f"  {_summary(proof)}")
        if options.export:
            proof.export(options.export / spec.__name__)
        elif files := proof.export(_NEXT_TRY / spec.__name__, every=False):
            print("".join(f"  for the next try: {path}  ({name})\n" for name, path in files.items()), end="")
        yield exit_code(proof.verdict)
        if options.mutants:
            print(spec.mutants())
    yield from _texts(getattr(module, "TEXTS", {}), options)


def _summary(proof: Proof) -> str:
    from hocket.spec.solve import has_cvc5

    z3 = sum(line.z3 for line in proof.lines)
    cvc5 = [line.cvc5 for line in proof.lines if line.cvc5 is not None]
    unchecked = "" if has_cvc5() or not proof.lines else ", not checked again: cvc5 is not installed"
    again = f", cvc5 {sum(cvc5):.2f} s" if cvc5 else unchecked
    return (
        f"{proof.name}: {len(proof.lines)} obligations (z3 {z3:.2f} s{again}), "
        f"{proof.untouched} pairs that cannot interfere, {len(proof.witnesses)} witnesses"
    )


def _texts(texts: Mapping[str, str], options: argparse.Namespace) -> Iterable[int]:
    """Facts in a theory that only cvc5 has."""
    from hocket.spec.prove import written
    from hocket.spec.solve import ask_cvc5, has_cvc5

    if options.export and texts:
        written(options.export / "facts", texts)
    for name, text in texts.items():
        if not has_cvc5():
            print(f"unchecked {name}: it needs cvc5, which is not installed")
            continue
        answer = ask_cvc5(text, options.seconds)
        proved = answer.result == "unsat"
        print(f"{'proved' if proved else 'unknown':8} cvc5 {answer.seconds * 1000:6.1f} ms  {name}")
        yield 0 if proved else 3
