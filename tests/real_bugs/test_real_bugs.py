"""Each bug is found in the affected version, with a schedule that leads there again; the fixed version is proved.

In CI what is not on the shelf is fetched first, in two calls of pip. Elsewhere it is skipped, and
`python -m tests.real_bugs` fetches it, and tries those as well that are too dear for CI.
"""

import os

import pytest

from tests.real_bugs.shelf import Missing, needed, stock
from tests.real_bugs.tried import bug_of, names, tried

NAMES = [name for name in names() if not bug_of(name).dear]


@pytest.fixture(scope="module")
def shelf():
    if os.environ.get("CI"):
        bugs = [bug_of(name) for name in NAMES]
        try:
            stock([each for bug in bugs for each in needed(bug, bug.affected, bug.fixed)])
        except Missing as missing:
            pytest.skip(str(missing))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("name", NAMES)
def test_the_bug_is_found_and_the_fix_is_proved(name):
    try:
        trials = tried(name, fetch=False)
    except Missing as missing:
        pytest.skip(str(missing))
    assert not [trial for trial in trials if trial.wrong], "\n".join(map(str, trials))
