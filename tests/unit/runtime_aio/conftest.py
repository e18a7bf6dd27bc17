"""A broken scheduler hangs; so each test here ends the process, with all stacks printed, after two minutes."""

from __future__ import annotations

from tests.unit.runtime.conftest import _no_test_hangs_for_ever  # noqa: F401  # a fixture for every test here
