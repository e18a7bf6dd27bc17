"""What all tests share: Hypothesis without deadlines (the machines are shared) and without luck in CI; and Ctrl-C.

A shell that starts something in the background has it ignore SIGINT, which Python
and all processes of the tests inherit. Tests that interrupt would wait for ever
for what nobody takes notice of; so it is given back its meaning.
"""

from __future__ import annotations

import os
import signal

from hypothesis import settings

settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
