"""What every reader asks of a tree: the text, the list or the mapping under a key, and the findings if it is not one.

YAML's merge key `<<` is followed here, on request: some formats have it (compose,
GitLab) and some refuse it. Nothing here recurses, and a node that is aliased a
thousand times is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import Value
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Entry, Mapping, Node, Scalar, Sequence

__all__ = [
    "describe", "did_you_mean", "duplicate", "duplicates", "entries", "flag", "items", "merged", "number", "root_of",
    "text", "undefined", "unknown_keys", "words",
]  # fmt: skip

_DEEPEST_MERGE = 20


def text(node: Node | None) -> str:
    """The text of a scalar, else ''."""
    return node.text if isinstance(node, Scalar) else ""


def flag(node: Node | None, otherwise: bool = False) -> bool:
    """A truth value; YAML 1.1's `yes` and `on` count as well."""
    if not isinstance(node, Scalar) or not node.text:
        return otherwise
    return node.text.lower() in ("true", "yes", "on", "y")


def number(node: Node | None) -> float | None:
    value: Value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, float) else None


def items(node: Node | None) -> list[Node]:
    """The items of a list; a single value counts as a list of one, and nothing (or null) as none."""
    if node is None or (isinstance(node, Scalar) and (not node.text or node.value is None)):
        return []
    return node.items if isinstance(node, Sequence) else [node]


def words(node: Node | None) -> list[Scalar]:
    """The scalars of a list, or the keys of a mapping, each with its place."""
    if isinstance(node, Mapping):
        return [entry.key for entry in merged(node).entries.values()]
    return [item for item in items(node) if isinstance(item, Scalar)]


def entries(node: Node | None) -> dict[str, Entry]:
    """The entries of a mapping with what it merges (`<<`), or none."""
    return merged(node).entries if isinstance(node, Mapping) else {}


def merged(mapping: Mapping) -> Mapping:
    """A mapping in which `<<` has been followed: own keys win, then earlier merges before later ones."""
    if "<<" not in mapping.entries:
        return mapping
    whole = Mapping(mapping.span, duplicates=mapping.duplicates, tag=mapping.tag)
    waiting = [(mapping, 0)]
    seen: set[int] = set()
    while waiting:
        here, depth = waiting.pop()
        if id(here) in seen or depth > _DEEPEST_MERGE:
            continue
        seen.add(id(here))
        for name, entry in here.entries.items():
            if name != "<<":
                whole.entries.setdefault(name, entry)
        below = items(here.get("<<"))
        waiting.extend((one, depth + 1) for one in reversed(below) if isinstance(one, Mapping))
    return whole


def root_of(node: Node, source: Source, what: str) -> Mapping:
    """The mapping that a file of this format is; raises SourceError if it is something else."""
    if isinstance(node, Mapping):
        return node
    place = (source.path, node.span.line, node.span.column)
    raise SourceError(f"this is no {what} but {describe(node)}", *place, cure=f"a {what} is a mapping")


def undefined(who: str, name: Scalar, known: Iterable[str], what: str = "waits for") -> Finding:
    """The finding that a name means nothing, with the nearest name that does."""
    listed = list(known)
    cure = did_you_mean(name.text, listed, f"there are {', '.join(listed[:20])}" if listed else "")
    return Finding("G002", f"{who} {what} {name.text!r}, which is not defined", name.span, cure=cure)


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A cure for a misspelt word: the known word nearest to it, else `otherwise`."""
    lower = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f"did you mean {lower[near[0]]!r}?" if near else otherwise


def describe(node: Node) -> str:
    match node:
        case Scalar():
            return f"the value {node.text!r}" if node.text else "nothing"
        case Sequence():
            return "a list"
        case Mapping():
            return "a mapping"


def duplicates(root: Node, repeatable: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Every key that stands twice in one mapping, with both places; some formats let some keys stand twice."""
    seen: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Mapping():
                for pair in node.duplicates:
                    if pair.second.text not in repeatable:
                        yield duplicate(pair.first, pair.second)
                waiting.extend(entry.value for entry in reversed(node.entries.values()))
            case Sequence():
                waiting.extend(reversed(node.items))


def duplicate(first: Scalar, second: Scalar) -> Finding:
    message = f"{second.text!r} is defined twice: first in line {first.span.line}, again in line {second.span.line}"
    return Finding("G003", message, second.span, (Note(first.span, "first here"), Note(second.span, "and again here")))


def unknown_keys(mapping: Mapping, known: frozenset[str], owner: str) -> Iterator[Finding]:
    for name, entry in mapping.entries.items():
        if name not in known:
            cure = did_you_mean(name, known, f"it may have: {', '.join(sorted(known))}")
            yield Finding("G008", f"{owner} has no key {name!r}", entry.key.span, cure=cure)
