"""The hash of threads was taken away twice where an exploration was patched within another's patches."""

from __future__ import annotations

import subprocess
import sys

NESTED = """
import threading
import hocket.explore.aio.seam
from hocket.explore.threads import patch

with patch.controlled(), patch.controlled():
    assert "__hash__" in vars(threading.Thread)
assert "__hash__" not in vars(threading.Thread)
"""


def test_hashes_are_put_back_in_order():
    done = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
