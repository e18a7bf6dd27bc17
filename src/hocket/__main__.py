"""`python -m hocket` is the command line."""

import sys

from hocket.cli import main

sys.exit(main())
