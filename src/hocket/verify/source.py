"""The text of a source, read once, with a message instead of a traceback for whatever cannot be read.

Everything that can be wrong before a format is known is wrong here: no file, a
folder, no permission, binary, another encoding, empty, too large. Each raises
`SourceError` with the place and the cure. Refused: guessing an encoding.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property

from hocket.errors import SourceError

__all__ = ["LARGEST", "Source", "read"]

LARGEST = 10 * 2**20  # bytes of a text source; the largest workflow that GitHub takes is 512 kB


@dataclass(frozen=True)
class Source:
    """A text and the name under which it is quoted; `is_file` tells whether other files can be found beside it."""

    path: str
    text: str
    is_file: bool = False
    is_folder: bool = False  # a folder that is one source; it has no text

    @cached_property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.text.splitlines())


def read(path: str | os.PathLike[str]) -> Source:
    """The source at `path` (`-` is standard input); raises SourceError where there is nothing to read."""
    name = os.fspath(path)
    if name == "-":
        return Source("<stdin>", decode(sys.stdin.buffer.read(LARGEST + 1), "<stdin>"))
    return Source(name, decode(_bytes(name), name), is_file=True)


def decode(content: bytes, name: str) -> str:
    """The text of these bytes; raises SourceError for what is too large, binary, not UTF-8, or empty."""
    if len(content) > LARGEST:
        raise SourceError(f"more than {LARGEST // 2**20} MB of text", name, cure="split the file")
    if b"\0" in content:
        raise SourceError("binary content where text was expected", name, cure="give the file that describes the graph")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("this is not UTF-8 text", name, line, cure="save the file as UTF-8") from None
    if not text.strip():
        raise SourceError("the file is empty", name, cure="give the file that describes the graph")
    return text


def _bytes(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise SourceError("there is no such file", name, cure="check the path") from None
    except IsADirectoryError:
        raise SourceError(
            "this is a folder", name, cure="name a file, or use the command line, which walks folders"
        ) from None
    except PermissionError:
        raise SourceError("this file may not be read", name, cure="check its permissions") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"this cannot be read: {error}", name, cure="check the path") from None
