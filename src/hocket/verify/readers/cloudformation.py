"""State machines within templates of CloudFormation and SAM: each as the tree that it would be in a file of its own.

A template writes a machine out below `Definition`, or as text below
`DefinitionString`, mostly within `Fn::Sub`; the text is read where it stands, so that
places are those of the template. A machine in another file (`DefinitionUri`) is
judged when that file is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hocket.verify.readers.entries import entries, items, text
from hocket.verify.readers.outline import outline, tree
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar

__all__ = ["holds_machines", "machines"]

_TYPES = frozenset({"AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"})
_WRITTEN_OUT = re.compile(r"^[ \t{]*\"?StartAt\"?[ \t]*:", re.MULTILINE)


def holds_machines(source: Source) -> bool:
    """Whether a text looks like a template with a machine written out in it; nothing is parsed."""
    if "Resources" not in outline(source).keys or not any(one in source.text for one in _TYPES):
        return False
    return _WRITTEN_OUT.search(source.text) is not None


def machines(root: Node, source: Source) -> Iterator[tuple[str, Mapping]]:
    """The machines of a template by the names of their resources; raises SourceError for a text that is none."""
    for name, entry in entries(entries(root)["Resources"].value if "Resources" in entries(root) else None).items():
        resource = entries(entry.value)
        if "Type" not in resource or text(resource["Type"].value) not in _TYPES or "Properties" not in resource:
            continue
        said = entries(resource["Properties"].value)
        for key in ("Definition", "DefinitionString"):
            found = _machine(said[key].value, source) if key in said else None
            if isinstance(found, Mapping) and "States" in found.entries:
                yield name, found


def _machine(node: Node, source: Source) -> Node | None:
    if isinstance(node, Mapping) and "Fn::Sub" in node.entries:
        node = items(node.get("Fn::Sub"))[0]
    elif not isinstance(node, Mapping | Scalar) and node.tag == "!Sub" and node.items:
        node = node.items[0]
    if not isinstance(node, Scalar):
        return node
    if node.span.end_line - node.span.line < 2:
        return None  # on one line: generated, or put together elsewhere
    lines = source.lines[node.span.line : node.span.end_line - (node.span.end_column == 1)]
    return tree(Source(source.path, "\n" * node.span.line + "\n".join(lines)))
