"""What the plugin costs whoever does not use it."""

from __future__ import annotations

import subprocess
import sys

pytest_plugins = "pytester"

LOADED = """
    import sys

    def test_plain():
        assert "hocket.pytest_plugin" in sys.modules
        loaded = {name for name in sys.modules if name.startswith("hocket")}
        assert loaded == {"hocket", "hocket.errors", "hocket.pytest_plugin", "hocket.pytest_plugin.marked",
                          "hocket.pytest_plugin.options", "hocket.pytest_plugin.seats"}
"""


def test_nothing_of_the_explorer_is_imported_until_a_test_asks_to_be_explored(pytester):
    pytester.makepyfile(test_it=LOADED)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_importing_the_plugin_costs_a_fraction_of_importing_pytest():
    """A tenth of it; a limit in milliseconds would be a statement about the machine."""
    probe = ("from time import process_time as now; a = now(); import pytest, _pytest.unittest, argparse; b = now(); "
             "import hocket.pytest_plugin; print((now() - b) / (b - a))")
    assert min(float(subprocess.check_output([sys.executable, "-c", probe])) for _ in range(3)) < 0.5
