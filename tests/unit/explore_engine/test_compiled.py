"""The compiled engine counts as the interpreted one does; it takes a minute, so only if HOCKET_COMPILED is set."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.compiled_explorer import build, check


@pytest.mark.skipif("HOCKET_COMPILED" not in os.environ, reason="takes a minute: HOCKET_COMPILED=1 asks for it")
@pytest.mark.skipif(importlib.util.find_spec("mypyc") is None, reason="no mypyc here")
@pytest.mark.skipif(importlib.util.find_spec("setuptools") is None, reason="no setuptools here")
@pytest.mark.skipif(shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is None, reason="no C compiler")
def test_the_compiled_engine_gives_the_published_counts(tmp_path: Path):
    check(build(tmp_path))
