"""importlib: a module of LazyLoader's is used by two threads, and one of them meets it half loaded.

Who asks a lazy module for anything first makes it a plain one, and then loads it. Who asks in between finds a plain
module without what it will have; or it goes through the names of the module while the other enters them.
Python 3.12.3 holds a lock and knows who is loading, as do later versions.
"""

import importlib.util
import pathlib
import sys
import tempfile
import threading
import types

from tests.real_bugs.bug import Bug

BUG = Bug("python", "", "", "https://github.com/python/cpython/issues/114763", track=("importlib.util",),
          kind="exception", mended=("importlib.util", "is_loading"), dear=True)

_FILE = pathlib.Path(tempfile.gettempdir()) / "hocket_example_of_a_lazy_module.py"


def lazily(file: pathlib.Path) -> types.ModuleType:
    """As the documentation of LazyLoader has it."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    loader = spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    loader.exec_module(module)
    return module


def body() -> None:
    _FILE.write_text("answer = 42\n")
    module = lazily(_FILE)
    users = [threading.Thread(target=lambda: module.answer) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
