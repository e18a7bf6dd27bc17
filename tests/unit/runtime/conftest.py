"""A broken scheduler hangs; so each test here ends the process, with all stacks printed, after two minutes."""

from __future__ import annotations

import faulthandler
import sys

import pytest


@pytest.fixture(autouse=True)
def _no_test_hangs_for_ever():
    faulthandler.dump_traceback_later(120, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
