"""Rewritten code on disk, beside the code that Python and pytest keep there: the second run reads it.

    __pycache__/mod.cpython-311-hocket-asserts.pyc      a mark, the key, the sum of the rest, and what was kept

The key is a digest of all that decides what the code is: the text itself (a time stamp can lie), the name under
which it was compiled, the options, the interpreter with its flags, and the sources of the rewriter. A file with
another key is out of date, one whose sum is wrong is damaged: neither is used, both are replaced. Python's own rules
hold: nothing is written if `sys.dont_write_bytecode` says so, `sys.pycache_prefix` says where, and a directory that
cannot be written to is no error. A file is renamed into its place when it is whole, so that several processes may
write it at once.

Refused: a directory of our own (who moves or removes a project knows `__pycache__`), and trusting size and
time of the source (two edits of one size in one tick are no rarity in tests).
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import cache
from hashlib import blake2b
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from threading import get_ident
from typing import Any

__all__ = ["keep", "kept", "key_of", "place_of"]

REWRITER = ("grammar", "rewrite", "rewrite_blocks", "rewrite_expressions", "rewrite_match", "rewrite_nodes", "scopes",
            "sources", "stored")
_MARK = b"hocket1\n"
_DIGEST, _SUM = 16, 8  # bytes
_TOLD = '"text"\nx = a.b\nassert x\n'  # its code shows what flags and options of the interpreter do to code


def place_of(path: str, options: str) -> Path | None:
    """Where the code of the source at `path` is kept, for these options; None if this Python keeps none."""
    try:
        plain = Path(cache_from_source(path))
    except NotImplementedError:
        return None
    return plain.with_name(f"{plain.stem}-hocket{options}.pyc")


def key_of(text: bytes, *others: str) -> bytes | None:
    """What code of this text is kept under, made with `others`; None if the rewriter does not find its own sources."""
    rewriter = _rewriter()
    if rewriter is None:
        return None
    digest = blake2b(rewriter, digest_size=_DIGEST)
    digest.update(repr(others).encode())
    digest.update(len(text).to_bytes(8, "little") + source_hash(text))
    return digest.digest()


def kept(place: Path, key: bytes) -> Any:
    """What was kept there under this very key; None if nothing was, or it is damaged."""
    try:
        content = place.read_bytes()
    except OSError:
        return None
    head = len(_MARK) + _DIGEST
    value = content[head + _SUM:]
    if content[:head] != _MARK + key or content[head:head + _SUM] != source_hash(value):
        return None
    return marshal.loads(value)


def keep(place: Path, key: bytes, value: Any) -> None:
    """Keep `value`, of code and constants, if that is allowed and possible."""
    if sys.dont_write_bytecode:
        return
    content = marshal.dumps(value)
    passing = place.with_name(f"{place.name}.{os.getpid()}.{get_ident()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_bytes(_MARK + key + source_hash(content) + content)
            passing.replace(place)
        finally:
            passing.unlink(missing_ok=True)
    except OSError:
        return  # as Python does: without it the next run takes longer


@cache
def _rewriter() -> bytes | None:
    """The digest of the interpreter and of the sources that rewrite."""
    here = Path(__file__).parent
    told = compile(_TOLD, "", "exec", dont_inherit=True)
    digest = blake2b(MAGIC_NUMBER, digest_size=_DIGEST)
    for part in (sys.version.encode(), told.co_code, told.co_linetable):
        digest.update(part)
    try:
        for name in REWRITER:
            digest.update((here / f"{name}.py").read_bytes())
    except OSError:
        return None
    return digest.digest()
