"""Writes a page for each bug from what the explorer prints of it: `python docs/bugs/write.py [NAME ...]`.

The story is the program's own docstring, the program is its source, the report is captured. Nothing is written by hand,
so nothing can be out of date that a run would not show. Exit code 1 if a bug did not come out as expected: its page
stays as it was.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))

from tests.real_bugs.bug import Bug  # noqa: E402  # the tests are no installed package
from tests.real_bugs.shelf import Missing  # noqa: E402
from tests.real_bugs.tried import Trial, bug_of, names, tried  # noqa: E402

_PROGRAMS = _ROOT / "tests" / "real_bugs" / "programs"


def page(name: str, trials: list[Trial]) -> str:
    """The page of a bug, as Markdown."""
    bug, source = bug_of(name), (_PROGRAMS / f"{name}.py").read_text()
    story = source.split('"""')[1]
    title, _, rest = story.strip().partition("\n")
    code = source.split('"""', 2)[2].strip()
    heading = "# " + title.removesuffix(".")
    shown = f"The program, which knows nothing of the explorer (`tests/real_bugs/programs/{name}.py`):"
    parts = [heading, rest.strip(), _facts(bug), shown, f"```py\n{code}\n```"]
    for trial in trials:
        parts += [f"What `hocket.explore(body{_said(bug)})` says of {_version(bug, trial)}:",
                  f"```\n{_timeless(trial.report)}\n```"]
    parts.append(f"Again: `python -m tests.real_bugs {name}`. This page: `python docs/bugs/write.py {name}`.")
    return "\n\n".join(parts) + "\n"


def _facts(bug: Bug) -> str:
    where = "The standard library" if bug.package == "python" else f"Package `{bug.package}`"
    fixed = f"fixed in {bug.fixed}" if bug.fixed else "not fixed" if bug.mended is None else "fixed in later releases"
    seen = "3.11" if bug.package == "python" else bug.affected
    return f"{where}, seen in {seen}, {fixed}: <{bug.link}>."


def _said(bug: Bug) -> str:
    named = {"track": bug.track, "cancel": bug.cancel}
    return "".join(f", {name}=[{', '.join(map(_quoted, values))}]" for name, values in named.items() if values)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _version(bug: Bug, trial: Trial) -> str:
    return f"Python {trial.version}" if bug.package == "python" else f"{bug.package} {trial.version}"


def _timeless(report: str) -> str:
    """Without how long it took, and where this machine keeps its files."""
    report = re.sub(r", \d+\.\d+ s(?=$|[;\n])", "", report, flags=re.M)
    return re.sub(r"/\S*/(?=(site-packages|lib/python)|[\w.]+==)", "", report).rstrip()


def main(*wanted: str) -> int:
    wrong = 0
    for name in wanted or names():
        try:
            trials = tried(name, fetch=True)
        except Missing as missing:
            print(f"{name}: {missing}", flush=True)
            continue
        print(name, *trials, sep="\n  ", flush=True)
        if any(trial.wrong for trial in trials):
            wrong += 1
        else:
            (Path(__file__).parent / f"{name}.md").write_text(page(name, trials))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
