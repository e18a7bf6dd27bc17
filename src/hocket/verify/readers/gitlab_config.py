"""GitLab's configuration put together: local includes read in, `extends` merged, `!reference` followed.

GitLab does this before it looks at a single job, and so does this file: what comes
out is one mapping per job, each entry still with the place at which somebody wrote
it. Only files of the same repository are read; what lies elsewhere (`project`,
`remote`, `template`, `component`) is named as not read, and from then on a name
that is not known here may be known there.

Source: docs.gitlab.com/ci/yaml (`include`, `extends`, `!reference`), read in 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.model import Span
from hocket.verify.readers.entries import duplicates, entries, items, merged, root_of, text, undefined
from hocket.verify.source import Source, read
from hocket.verify.yaml_tree import Entry, Mapping, Node, Scalar, Sequence, documents

__all__ = ["GLOBAL", "UNKNOWN", "Config", "configuration", "is_job"]

GLOBAL = frozenset(
    {
        "default", "include", "stages", "types", "variables", "workflow", "image", "services", "cache", "before_script",
        "after_script", "spec",
    }
)  # fmt: skip
UNKNOWN = "!unknown"  # the tag of a list that stands for what could not be read
_ASKED = ("if", "changes", "exists")
_REPEATABLE = frozenset({"<<"})  # Ruby's parser merges each
_MOST_FILES = 150  # GitLab's own bound
_DEEPEST = 11  # GitLab's bound on `extends`; `!reference` has ten
_ELSEWHERE = ("project", "remote", "template", "component")
_FOLLOWED = ("rules", "needs", "only", "except", "dependencies", "variables", "stage", "trigger", "when", "parallel")


def is_job(name: str, entry: Entry) -> bool:
    """Whether a top-level entry is a job that can run: neither hidden nor a setting."""
    return name not in GLOBAL and not name.startswith(".") and isinstance(entry.value, Mapping)


@dataclass
class Config:
    """All top-level entries of a configuration and its includes, the later file winning; what was found on the way."""

    home: Path | None  # the root of the repository, if the source is a file
    sources: dict[str, Source] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    included: dict[str, list[Node]] = field(default_factory=dict)  # by entry: the rules under which it is included
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True  # whether everything that is included could be read
    main: bool = False  # whether this is the configuration of a repository

    def get(self, name: str) -> Node | None:
        return self.entries[name].value if name in self.entries else None

    def mentions(self, word: str) -> bool:
        return any(word in source.text for source in self.sources.values())

    def job(self, name: str) -> Mapping:
        """A job with all that it extends, and with its references followed wherever the graph depends on them."""
        job = self._extended(name, ())
        for key in _FOLLOWED:
            entry = job.entries.get(key)
            if entry is not None:
                value = self.rules(entry.value) if key == "rules" else self._followed(entry.value, 0)
                job.entries[key] = Entry(entry.key, value)
        return job

    def rules(self, node: Node) -> Node:
        """Rules with their references followed, and those in their conditions (`if: !reference [.is_main]`)."""
        found = self._followed(node, 0)
        if not isinstance(found, Sequence) or found.tag == UNKNOWN:
            return found
        return Sequence(found.span, [self._condition(one) for one in found.items], found.tag)

    def _condition(self, rule: Node) -> Node:
        if not isinstance(rule, Mapping):
            return rule
        whole = dict(merged(rule).entries)
        for key in _ASKED:
            if key in whole:
                whole[key] = Entry(whole[key].key, self._asked(whole[key].value))
        return Mapping(rule.span, whole)

    def _asked(self, node: Node) -> Node:
        """What a rule asks for, with its references followed: a condition, or paths (perhaps below `paths`)."""
        if isinstance(node, Mapping) and "paths" in node.entries:
            entry = node.entries["paths"]
            return Mapping(node.span, {**node.entries, "paths": Entry(entry.key, self._followed(entry.value, 0))})
        return self._followed(node, 0)

    def knows_all(self, name: str) -> bool:
        """Whether everything that this job extends is known."""
        waiting, seen = [name], {name}
        while waiting:
            node = self.get(waiting.pop())
            if node is None:
                return False
            for base in self._bases(node):
                if base.text not in seen:
                    seen.add(base.text)
                    waiting.append(base.text)
        return True

    # -- extends -------------------------------------------------------------------------------------------------------

    def _bases(self, node: Node) -> list[Scalar]:
        extends = merged(node).get("extends") if isinstance(node, Mapping) else None
        return [base for base in items(extends) if isinstance(base, Scalar)]

    def _extended(self, name: str, chain: tuple[str, ...]) -> Mapping:
        entry = self.entries[name]
        own = merged(entry.value) if isinstance(entry.value, Mapping) else Mapping(entry.key.span)
        whole = Mapping(own.span)
        for base in self._bases(own):
            if base.text in (*chain, name) or len(chain) >= _DEEPEST:
                path = " → ".join((*chain, name, base.text))
                self.findings.append(Finding("G011", f"'extends' goes in a circle or too deep: {path}", base.span))
            elif base.text in self.entries:
                _merge(whole, self._extended(base.text, (*chain, name)))
            elif self.complete and not name.startswith("."):
                self.findings.append(undefined(f"job {name!r}", base, self.entries, "extends"))
        _merge(whole, own)
        return whole

    # -- references ----------------------------------------------------------------------------------------------------

    def _followed(self, node: Node, depth: int) -> Node:
        if not isinstance(node, Sequence) or depth > _DEEPEST:
            return node
        if node.tag == "!reference":
            found = self._referenced(node)
            return Sequence(node.span, tag=UNKNOWN) if found is None else self._followed(found, depth + 1)
        if not any(isinstance(one, Sequence) for one in node.items):
            return node
        flat = Sequence(node.span)
        for one in node.items:
            whole = self._followed(one, depth + 1)
            flat.items.extend(whole.items if isinstance(whole, Sequence) and whole.tag != UNKNOWN else [whole])
            if len(flat.items) > 10_000:
                raise SourceError("references to references without end", node.span.path, node.span.line)
        return flat

    def _referenced(self, node: Sequence) -> Node | None:
        path = [text(step) for step in node.items]
        entry = self.entries.get(path[0]) if path else None
        if entry is None:
            if self.complete and path and isinstance(node.items[0], Scalar):
                self.findings.append(undefined("!reference", node.items[0], self.entries, "names"))
            return None
        found: Node | None = self._extended(path[0], ()) if isinstance(entry.value, Mapping) else entry.value
        for step in path[1:]:
            inside = entries(found)
            found = inside[step].value if step in inside else None
        return found


def _merge(whole: Mapping, more: Mapping) -> None:
    """Mappings are merged to any depth, anything else is replaced: GitLab's deep merge."""
    waiting = [(whole, more)]
    while waiting:
        into, given = waiting.pop()
        for name, entry in merged(given).entries.items():
            there = into.entries.get(name)
            if there is not None and isinstance(there.value, Mapping) and isinstance(entry.value, Mapping):
                copy = Mapping(entry.value.span, dict(there.value.entries))
                into.entries[name] = Entry(entry.key, copy)
                waiting.append((copy, entry.value))
            else:
                into.entries[name] = entry


# -- files ------------------------------------------------------------------------------------------------------------


def configuration(source: Source, alone: bool = True) -> Config:
    """The configuration whose main file is `source`; raises SourceError if it cannot be used at all.

    One that is given `alone` may be a part of another; that of a child pipeline never is.
    """
    config = Config(_home(source), main=Path(source.path).name == ".gitlab-ci.yml")
    config.sources[source.path] = source
    _take(config, _document(source), None, (source.path,))
    if alone and _is_part(config, source):
        config.complete = False
        told = "this is a part of a pipeline: what it does not define may stand in '.gitlab-ci.yml', which was not read"
        config.findings.append(Finding("G091", told, Span(source.path, 1, 1), cure="verify '.gitlab-ci.yml'"))
    return config


def _is_part(config: Config, source: Source) -> bool:
    """A file that the main one of its repository includes, or that has nothing which makes it a pipeline of its own."""
    main = config.home / ".gitlab-ci.yml" if config.home is not None else None
    path = Path(source.path).resolve()
    if main is None or path == main or not main.exists():
        return False
    if not config.entries.keys() & {"stages", "workflow"} and len(config.sources) == 1:
        return True
    try:
        parts = configuration(read(main)).sources
    except SourceError:
        return False
    return any(Path(part).resolve() == path for part in parts)


def _home(source: Source) -> Path | None:
    """The root of the repository: the nearest folder above with a `.git` or a `.gitlab-ci.yml`, else the file's own."""
    if not source.is_file:
        return None
    folder = Path(source.path).resolve().parent
    for above in (folder, *folder.parents):
        if (above / ".git").exists() or (above / ".gitlab-ci.yml").exists():
            return above
    return folder


def _document(source: Source) -> Mapping:
    """The last document of a file; a header (`spec: inputs`) may stand before it."""
    found = documents(source)
    if not found or len(found) > 2:
        raise SourceError("a GitLab configuration is one document, with a header at most", source.path)
    return root_of(found[-1], source, "GitLab configuration")


def _take(config: Config, root: Mapping, rules: Node | None, chain: tuple[str, ...]) -> None:
    """What a file includes, then what it says itself, which wins."""
    config.findings.extend(duplicates(root, _REPEATABLE))
    for one in items(root.get("include")):
        _include(config, one, rules, chain)
    for name, entry in merged(root).entries.items():
        if name == "include":
            continue
        there = config.entries.get(name)
        if there is not None and isinstance(there.value, Mapping) and isinstance(entry.value, Mapping):
            both = Mapping(entry.value.span)
            _merge(both, there.value)
            _merge(both, entry.value)
            entry = Entry(entry.key, both)
        config.entries[name] = entry
        if rules is None:
            config.included.pop(name, None)
        elif there is None or name in config.included:
            config.included.setdefault(name, []).append(rules)


def _include(config: Config, one: Node, outer: Node | None, chain: tuple[str, ...]) -> None:
    fields = entries(one)
    if isinstance(one, Scalar):
        where: Node | None = one
        if one.text.startswith(("http://", "https://")):
            return _not_read(config, one, one.text)
    else:
        elsewhere = next((fields[key].value for key in _ELSEWHERE if key in fields), None)
        if elsewhere is not None:
            return _not_read(config, elsewhere, text(elsewhere))
        where = fields["local"].value if "local" in fields else None
    rules = fields["rules"].value if "rules" in fields else outer
    if not isinstance(where, Scalar):
        config.findings.append(Finding("G008", "this include says nothing that can be included", one.span))
        return None
    paths = list(_found(config, where.text))
    if not paths:
        config.complete = False
        _missing(config, where)
    for path in paths:
        _include_file(config, path, where, rules, chain)
    return None


def _not_read(config: Config, node: Node, name: str) -> None:
    config.complete = False
    config.findings.append(Finding("G091", f"{name!r} is not of this repository, and was not read", node.span))


def _missing(config: Config, where: Scalar) -> None:
    if "$" in where.text or config.home is None or not (config.home / ".git").exists() or "*" in where.text:
        config.findings.append(Finding("G091", f"{where.text!r} is not here, and was not read", where.span))
    else:
        config.findings.append(Finding("G011", f"the included file {where.text!r} does not exist", where.span))


def _found(config: Config, pattern: str) -> Iterator[Path]:
    """The files of the repository that an include names; never one outside it."""
    if config.home is None or "$" in pattern or "\0" in pattern:
        return
    name = pattern.lstrip("/")
    try:
        paths = sorted(config.home.glob(name)) if "*" in name else [config.home / name]
        for path in paths:
            if path.is_file() and path.resolve().is_relative_to(config.home):
                yield path
    except (ValueError, OSError, NotImplementedError):
        return


def _include_file(config: Config, path: Path, where: Scalar, rules: Node | None, chain: tuple[str, ...]) -> None:
    name = str(path)
    if name in chain or len(config.sources) >= _MOST_FILES:
        problem = "includes itself" if name in chain else f"is one of more than {_MOST_FILES} files"
        config.findings.append(Finding("G011", f"{where.text!r} {problem}", where.span))
        return
    try:
        source = config.sources.setdefault(name, read(path))
        _take(config, _document(source), rules, (*chain, name))
    except SourceError as error:
        config.complete = False
        config.findings.append(Finding("G011", f"the included file cannot be used: {error}", where.span))
