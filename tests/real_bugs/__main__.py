"""`python -m tests.real_bugs [NAME ...]`: explore the bugs of published packages, a line for each version.

What is not there yet is fetched with pip. Exit code 1 if something did not come out as expected.
"""

from __future__ import annotations

import sys

from tests.real_bugs.shelf import Missing
from tests.real_bugs.tried import bug_of, names, tried


def main(*wanted: str) -> int:
    wrong = 0
    for name in wanted or names():
        print(f"{name}  ({bug_of(name).package}, {bug_of(name).link})", flush=True)
        try:
            trials = tried(name, fetch=True)
        except Missing as missing:
            print(f"  skipped: {missing}", flush=True)
            continue
        for trial in trials:
            print(f"  {trial}", flush=True)
            wrong += bool(trial.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
