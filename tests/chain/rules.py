"""`models/run.py` compiled for the monitor that ships: `python -m tests.chain.rules` writes `runtime/running.rules`.

The package does not import models; so what the monitor executes is the model's own text, compiled by `spec/lifted.py`
as for any monitor, with names that do not depend on what was traced before. A test holds the file against this.
"""

from __future__ import annotations

import re
from pathlib import Path

from hocket.spec.lifted import word_of
from hocket.spec.monitor import Monitor
from models.run import Running
from models.run import graph as model_graph

PLACE = Path(__file__).parents[2] / "src" / "hocket" / "runtime" / "running.rules"


def compiled() -> str:
    """Every deed as a function over tables: the number of the guard that refuses, or -1; and the labels of guards."""
    monitor: Monitor = Running.monitor(model_graph(["a"]), Task=["a"], Scope=["run"])
    steps = monitor.theory.steps
    texts = [_renamed("\n".join(monitor._lifted.deed(step))) for step in steps]
    labels = {step.name: [guard.label for guard in step.guards] for step in steps if not step.silent}
    told = "guards = {\n" + "".join(f"    {name!r}: {said!r},\n" for name, said in labels.items()) + "}"
    deeds = ", ".join(f"{name!r}: d_{word_of(name)}" for name in labels)
    head = "# models/run.py, compiled: do not edit, say `python -m tests.chain.rules`"
    return "\n\n".join([head, *texts, _renamed("\n".join(monitor._settling())), told, f"deeds = {{{deeds}}}"]) + "\n"


def _renamed(text: str) -> str:
    """Variables by their order of appearance; tables may have more rows than there are names, to be used again."""
    names: dict[str, str] = {}
    for name in re.findall(r"\b[a-z]+_\d+\b|\bv\d+\b", text):
        names.setdefault(name, f"{name[0]}{len(names)}")
    text = re.sub(r"\b[a-z]+_\d+\b|\bv\d+\b", lambda found: names[found[0]], text)
    text = re.sub(r"t_may_\w+\[\w+\]", "True", text)  # anybody may fail, and may be cancelled
    text = re.sub(r"any\((.*?) for (\w+) in (\w+\[\w+\])\)", r"(\3 and any(\1 for \2 in \3))", text)  # mostly, none
    return text.replace("range(len(n_Task))", "range(len(t_armed))")


if __name__ == "__main__":
    PLACE.write_text(compiled())
