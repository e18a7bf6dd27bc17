"""The tables of docs/reference/models.md, from the models and their pinned counts; `docs/draw.py` puts them in."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from hocket.spec import Spec
from models.showcase import Cases, Showcase

MODELS = Path(__file__).parent
_NO_MODELS = ("graphs", "page", "showcase")  # what models have in common, and what is told of them
_PINNED = {  # the tables of expected.toml that count a model, and which of their rows
    "broadcast": (("messages",), "broadcast"),
    "equivalence": (("equivalence",), None),
    "channel": (("messages",), "channel"),
    "parking": (("parking",), "parking"),
    "plans": (("plans",), None),
    "run": (("run",), None),
    "ticks": (("ticks", "building"), None),
}


def _expected() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((MODELS / "expected.toml").read_text())


def _docstring(path: Path) -> list[str]:
    """The paragraphs of a file's docstring, each as one line."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return [" ".join(paragraph.split()).replace("|", "\\|") for paragraph in text.split("\n\n")]


# -- models -----------------------------------------------------------------------------------------------------------


def model_rows() -> str:
    """Every model: what it says, what somebody may think and a search refutes, how much there is of it."""
    expected = _expected()
    lines = ["| model | what it says | refuted, as it must be | pinned |", "|---|---|---|---|"]
    for path in sorted(MODELS.glob("*.py")):
        if path.stem not in _NO_MODELS:
            mistakes = "; ".join(_mistakes(path)) or "–"
            lines.append(f"| `{path.stem}.py` | {_docstring(path)[0]} | {mistakes} | {_pinned(path.stem, expected)} |")
    return "\n".join(lines)


def _mistakes(path: Path) -> Iterable[str]:
    """The names of all @mistaken claims of a file, as words; `MISTAKEN` has those of a model that is no Spec."""
    module = import_module(f"models.{path.stem}")
    specs = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Spec)]
    own = [spec for spec in specs if spec.__module__ == module.__name__]
    deeds = {name: deed for spec in own for name, deed in spec.deeds.items()}
    mistaken = [name for name, deed in deeds.items() if deed.kind == "mistaken"]
    return (name.replace("_", " ") for name in (*mistaken, *getattr(module, "MISTAKEN", ())))


def _pinned(model: str, expected: dict[str, list[dict[str, Any]]]) -> str:
    tables, name = _PINNED.get(model, ((), None))
    rows = [row for table in tables for row in expected[table] if name is None or row["model"] == name]
    if not rows:
        return "–"
    unit = "runs" if "runs" in rows[0] else "states"
    sizes = sorted(row[unit] for row in rows)
    many = f"{len(rows)} searches, " if len(rows) > 1 else ""
    return f"{many}{_range(sizes)} {unit}"


def _range(sizes: list[int]) -> str:
    return f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"


# -- broken models ----------------------------------------------------------------------------------------------------


def broken_rows() -> str:
    """Every broken model: the bug, its shortest counterexample, the repair, and both counts."""
    expected = _expected()
    found = {row["file"]: row for row in (*expected["broken"], *expected["broken_cases"])}
    files = {path.stem: path for path in (MODELS / "broken").glob("*.py")}
    shown = {name: import_module(f"models.broken.{name}").SHOWCASE for name in sorted(files)}
    lines = ["| rank | seed | file | bug | found | repair | states: broken, repaired |", f"|{'---|' * 7}"]
    for name, showcase in sorted(shown.items(), key=lambda item: (item[1].rank, item[0])):
        bug, repair = _bug_and_repair(files[name])
        how, sizes = _found(showcase, found[name])
        lines.append(f"| {showcase.rank} | {showcase.seed} | `{name}.py` | {bug} | {how} | {repair} | {sizes} |")
    return "\n".join(lines)


def _bug_and_repair(path: Path) -> tuple[str, str]:
    """The first line without the number of the bug, and what stands after "Repaired"."""
    first, *rest = _docstring(path)
    repair = re.search(r"Repaired[^:]*: (.*?)\.(?=\s|$)", " ".join(rest))
    assert repair is not None, f"{path.name} does not say how the bug is repaired"
    return re.sub(r"^[A-Z]-B\d+, ", "", first), repair[1]


def _found(showcase: Showcase | Cases, row: dict[str, Any]) -> tuple[str, str]:
    if isinstance(showcase, Cases):
        return f"{row['failing']} of {row['cases']} cases fail", "–"
    loop = f", then {row['loop']} for ever" if "loop" in row else ""
    sizes = f"{row['broken']['states']:,}, {row['repaired']['states']:,}"
    return f"{showcase.kind} after {row['steps']}{loop}", sizes


TABLES: dict[str, Callable[[], str]] = {"models": model_rows, "broken": broken_rows}
