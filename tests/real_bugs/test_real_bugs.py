"""Each bug is found in the affected version, with a schedule that leads there again; the fixed version is proved.

What pip has not fetched yet is skipped: `python -m tests.real_bugs` fetches it, and CI keeps it.
"""

import pytest

from tests.real_bugs.shelf import Missing
from tests.real_bugs.tried import names, tried


@pytest.mark.parametrize("name", names())
def test_the_bug_is_found_and_the_fix_is_proved(name):
    try:
        trials = tried(name, fetch=False)
    except Missing as missing:
        pytest.skip(str(missing))
    assert not [trial for trial in trials if trial.wrong], "\n".join(map(str, trials))
