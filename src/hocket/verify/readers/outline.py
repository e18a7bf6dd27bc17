"""What a text looks like before anybody parses it: its kind, its topmost keys, what it says it is.

Every reader is asked in turn whether it knows a source, so the question must cost
next to nothing and never raise. A look at the first lines and at the words in the
first column answers it; the parsers are for the one reader that says yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from hocket.errors import SourceError
from hocket.verify.json_tree import compose_json, looks_like_json
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Node, compose

__all__ = ["Outline", "outline", "tree"]

_LOOKED_AT = 1 << 16  # characters of a JSON text
_KEY = re.compile(r"^(?:\"([^\"\n]+)\"|'([^'\n]+)'|([\w.$/<-][\w .$/<:+-]{0,200}?)) {0,20}:(?:\s|$)", re.MULTILINE)
_PIECE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"(\s*:)?|[{}\[\]]")
_SAYS = re.compile(r"^ *(?:- +)*\"?(apiVersion|kind)\"? *: *[\"']?([\w./-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Outline:
    """`keys` are the topmost ones; `api` and `kinds` what Kubernetes-like texts call themselves."""

    name: str  # of the file, in lower case
    folders: tuple[str, ...]
    json: bool
    keys: frozenset[str]
    apis: frozenset[str]
    kinds: frozenset[str]

    def is_one_of(self, *suffixes: str) -> bool:
        return self.name.endswith(suffixes)

    @property
    def yaml(self) -> bool:
        return not self.json and (not self.name.rpartition(".")[2] or self.is_one_of(".yml", ".yaml", ">", ".tpl"))


@lru_cache(maxsize=8)
def outline(source: Source) -> Outline:
    """What the text of this source looks like."""
    path = PurePath(source.path)
    is_json = looks_like_json(source)
    said = _SAYS.findall(source.text[: 1 << 20])
    return Outline(
        path.name.lower(),
        path.parts[:-1],
        is_json,
        _json_keys(source.text) if is_json else _yaml_keys(source.text),
        frozenset(value for key, value in said if key == "apiVersion"),
        frozenset(value for key, value in said if key == "kind"),
    )


def _yaml_keys(text: str) -> frozenset[str]:
    return frozenset("".join(found) for found in _KEY.findall(text[: 1 << 20]))


def _json_keys(text: str) -> frozenset[str]:
    depth, keys = 0, set()
    for piece in _PIECE.finditer(text, 0, _LOOKED_AT):
        sign = piece.group()
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif depth == 1 and piece.group(2):
            keys.add(piece.group(1))
    return frozenset(keys)


def tree(source: Source) -> Node:
    """The one value of a text that is JSON or YAML; raises SourceError."""
    if looks_like_json(source):
        try:
            return compose_json(source)
        except SourceError:
            if source.path.endswith(".json"):
                raise
    return compose(source)
