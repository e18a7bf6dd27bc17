"""From a name to a source: a file, a folder of units, a Python value, or all graphs in a folder.

In a folder a file counts if its place or name says what it is (a workflow below
`.github/workflows`, a compose file, a `.gitlab-ci.yml`), or else if a reader knows
it by its content. What is merely YAML or JSON is passed by in silence: a
repository is full of it. Files that others include are read with those.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hocket.errors import SourceError
from hocket.verify.readers import reader_named, sniffed
from hocket.verify.readers.python import imported, is_name
from hocket.verify.readers.systemd import is_unit_folder
from hocket.verify.source import Source, read

__all__ = ["graphs_in", "is_text", "opened"]

_PASSED_BY = frozenset({"node_modules", "__pycache__", "venv", "vendor", "site-packages", "dist", "build", "target"})
_HIDDEN = frozenset({".github", ".gitlab", ".tekton", ".argo"})  # hidden folders that hold graphs
_TEXTS = (".yml", ".yaml", ".json", ".dot", ".gv")
_MOST_FILES = 20_000


def is_text(given: str, format: str | None) -> bool:
    """Whether a string is a graph itself, and not the name of one: it has lines, or braces, or a known format."""
    if "\n" in given or given.lstrip()[:1] in ("{", "["):
        return True
    if format is None or is_name(given) or os.path.exists(given):
        return False
    return ":" in given or "{" in given


def opened(name: str | os.PathLike[str]) -> Any:
    """What a name means: a text, a folder that is one graph, or a Python value (`package.module:name`)."""
    path = os.fspath(name)
    if os.path.isdir(path) and is_unit_folder(Path(path)):
        return Source(path, "", is_folder=True)
    if is_name(path) and not os.path.exists(path):
        return imported(path)
    return read(path)


def graphs_in(folder: Path, format: str | None = None) -> list[Source | SourceError]:
    """Every graph below a folder (of one format), by name; in its place the reason, if it cannot be read.

    Raises SourceError if there is none.
    """
    found = list(_found(folder))
    if format is not None:
        reader = reader_named(format)
        found = [one for one in found if isinstance(one, Source) and reader.sniff(one)]
    if not found:
        raise SourceError("no graph in this folder", str(folder), cure="name the file itself, with its --format")
    return found


def _found(folder: Path) -> Iterator[Source | SourceError]:
    count = 0
    for home, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if _entered(one))
        here = Path(home)
        if is_unit_folder(here):
            yield Source(home, "", is_folder=True)
        for name in sorted(files):
            if not name.endswith(_TEXTS):
                continue
            count += 1
            if count > _MOST_FILES:
                raise SourceError(f"more than {_MOST_FILES} files to look at", home, cure="name a smaller folder")
            certain = _is_workflow(here, name) or name == ".gitlab-ci.yml"
            one = _one(here / name, certain)
            if one is not None:
                yield one


def _entered(name: str) -> bool:
    return name in _HIDDEN or not (name.startswith(".") or name in _PASSED_BY)


def _is_workflow(here: Path, name: str) -> bool:
    """Below `.github/workflows`: whatever it holds, it was meant as a workflow."""
    if not name.endswith((".yml", ".yaml")):
        return False
    place = here.resolve()
    return place.name == "workflows" and place.parent.name == ".github"


def _one(path: Path, certain: bool) -> Source | SourceError | None:
    try:
        source = read(path)
    except SourceError as error:
        return error if certain else None
    if certain:
        return source
    if ".override." in path.name:
        return None  # merged into the file that it overrides
    return source if sniffed(source) is not None and not _is_part(source) else None


def _is_part(source: Source) -> bool:
    """A file of GitLab's that is not the main one: it is read where it is included."""
    return reader_named("gitlab").sniff(source) and not reader_named("github").sniff(source)
