"""Docker compose: services as tasks, `depends_on` and everything else that waits as edges, profiles as presence.

Semantics that are easy to get wrong, and where they are from (the Compose
specification, and compose-go `loader`):
- `service_started` waits for the beginning, `service_healthy` for a healthcheck, `service_completed_successfully` for
  the end: three points in the life of one service;
- `links`, `volumes_from`, `network_mode: service:x`, `ipc` and `pid` wait for the other to start, as `depends_on` does;
- a service is there if it has no profile, or one of its profiles is on; whoever depends on one that is not there,
  and does not say `required: false`, keeps the whole project from starting (docker/compose #10751);
- a healthcheck that is disabled never turns healthy, and a service that is always restarted never completes.

An image may bring a healthcheck of its own, so a service without one is given the
benefit of the doubt. Override files of the default name are merged, as `up` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import TRUE, Equal, Formula, Outcome, disjunction
from hocket.verify.model import Access, Edge, Graph, Kind, Mode, Point, Span, Task, Variable
from hocket.verify.readers import Reading
from hocket.verify.readers.entries import describe, duplicates, entries, flag, items, merged, root_of, text, undefined
from hocket.verify.readers.outline import outline, tree
from hocket.verify.source import Source, read
from hocket.verify.yaml_tree import Entry, Mapping, Node, Scalar, Sequence

__all__ = ["Compose"]

_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})
_POINTS = {
    "service_started": Point.OPENED,
    "service_healthy": Point.READY,
    "service_completed_successfully": Point.CLOSED,
}
_TOP = frozenset({"version", "name", "services", "networks", "volumes", "configs", "secrets", "include", "models"})
_WHOLE = frozenset({"image", "build", "extends", "provider"})
_DEFAULT_NAMES = ("compose", "docker-compose")
_DEEPEST = 20
_MOST_FILES = 100
_ELSEWHERE = re.compile(r"[A-Za-z][\w.@+-]+:")  # a scheme, or a host; a drive has one letter
_FOREVER = ("always", "unless-stopped")


class Compose:
    """The reader of `compose.yaml`, and of what `docker compose config` prints."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source):
            return False
        seen = outline(source)
        named = seen.name.startswith(_DEFAULT_NAMES)
        own = {key for key in seen.keys if not key.startswith(("x-", "<<", "."))}
        return bool("services" in own and (own <= _TOP or named)) or bool(named and "include" in own)

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        project = _Project()
        root = root_of(tree(source), source, "compose file")
        if not root.entries.keys() & {"services", "include"}:
            cure = "a compose file has 'services:'"
            raise SourceError("this is no compose file: it has no 'services:'", source.path, cure=cure)
        _base(project, source)
        project.take(root, source, (source.path,))
        _override(project, source)
        if len(project.sources) == 1 and _is_layer(project, source):
            told = "this is laid over another file, which was not read: what it does not define may stand there"
            project.findings.append(Finding("G091", told, Span(source.path, 1, 1), cure="verify that file"))
            project.complete = False
        services = _Services(project)
        graph = Graph(source.path, "compose", services.tasks(), services.variables)
        return Reading(graph, tuple(project.findings + services.findings), project.sources)


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass
class _Project:
    """All services of a project, put together from files: what each says, after overrides and `extends`."""

    services: dict[str, Entry] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    roots: dict[str, Mapping] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True
    elsewhere: frozenset[str] = frozenset()  # services of a file over which this one may be laid

    def take(self, root: Mapping, source: Source, chain: tuple[str, ...]) -> None:
        """The services of one file, after those of the files that it includes."""
        self.sources[source.path], self.roots[source.path] = source, root
        self.findings.extend(duplicates(root))
        for one in items(root.get("include")):
            self._include(one, source, chain)
        services = root.get("services")
        if services is not None and not isinstance(services, Mapping) and text(services):
            self._find("G008", f"'services' should hold services but is {describe(services)}", services.span)
        for name, entry in entries(services).items():
            if name.startswith("x-"):
                continue
            entry = Entry(entry.key, self._extended(entry.value, source, ()))
            there = self.services.get(name)
            self.services[name] = Entry(entry.key, _joined(there.value, entry.value)) if there else entry

    def _find(self, code: str, message: str, span: Span, cure: str = "") -> None:
        self.findings.append(Finding(code, message, span, cure=cure))

    def _include(self, one: Node, source: Source, chain: tuple[str, ...]) -> None:
        where = entries(one)["path"].value if isinstance(one, Mapping) and "path" in one.entries else one
        for path in items(where):
            if isinstance(path, Scalar) and (opened := self._open(path, source, chain)):
                self.take(opened[1], opened[0], (*chain, opened[0].path))

    def _open(self, path: Scalar, source: Source, chain: tuple[str, ...]) -> tuple[Source, Mapping] | None:
        """Another file of the project, or a finding why it is not read."""
        if not source.is_file or "$" in path.text or _ELSEWHERE.match(path.text):
            self.complete = False
            self._find("G091", f"{path.text!r} was not read", path.span)
            return None
        name = str(Path(source.path).parent / path.text)
        if name in chain or len(self.sources) > _MOST_FILES:
            self._find("G011", f"{path.text!r} includes itself, or there are too many files", path.span)
            return None
        try:
            other = self.sources.get(name) or read(name)
            root = self.roots.get(name) or root_of(tree(other), other, "compose file")
        except SourceError as error:
            self.complete = False
            self._find("G011", f"{path.text!r} cannot be used: {error}", path.span)
            return None
        self.sources[name], self.roots[name] = other, root
        return other, root

    # -- extends -------------------------------------------------------------------------------------------------------

    def _extended(self, service: Node, source: Source, chain: tuple[tuple[str, str], ...]) -> Node:
        """A service on top of the one that it extends."""
        if not isinstance(service, Mapping):
            return service
        own = merged(service)
        base = own.get("extends")
        if base is None:
            return own
        named = (
            base if isinstance(base, Scalar) else entries(base)["service"].value if "service" in entries(base) else None
        )
        if not isinstance(named, Scalar):
            self._find("G008", "'extends' should name a service", base.span)
            return own
        found = self._base(named, base, source)
        if found is None:
            return own
        other, node = found
        step = (other.path, named.text)
        if step in chain or len(chain) > _DEEPEST:
            self._find("G011", f"{named.text!r} extends itself", named.span)
            return own
        return _joined(self._extended(node, other, (*chain, step)), own)

    def _base(self, named: Scalar, base: Node, source: Source) -> tuple[Source, Node] | None:
        where = entries(base)["file"].value if "file" in entries(base) else None
        opened = self._open(where, source, ()) if isinstance(where, Scalar) else (source, self.roots[source.path])
        if opened is None:
            return None
        services = entries(opened[1].get("services"))
        if named.text not in services:
            self.findings.append(undefined("this service", named, services, "extends"))
            return None
        return opened[0], services[named.text].value


def _base(project: _Project, source: Source) -> None:
    """`compose.tests.yaml` beside `compose.yaml` is laid over it (`-f` twice), perhaps with others like it.

    One in a folder below may be, or may stand for itself: then only what it leaves undefined is looked up there.
    """
    path = Path(source.path)
    word = path.stem.partition(".")[0]
    if not source.is_file or word == path.stem or word not in _DEFAULT_NAMES:
        return
    for folder in (path.parent, path.parent.parent):
        for other in (folder / f"{word}{suffix}" for suffix in (".yml", ".yaml")):
            if other.is_file():
                with suppress(SourceError):
                    _beneath(project, source, read(other), folder == path.parent)
                return


def _beneath(project: _Project, source: Source, other: Source, beside: bool) -> None:
    root = root_of(tree(other), other, "compose file")
    if not beside:
        project.elsewhere = frozenset(_services_of(root))
        return
    project.take(root, other, (source.path, other.path))
    project.findings.clear()  # they are told where that file is judged
    for one in sorted(Path(other.path).parent.glob("*compose*.y*ml"))[:_MOST_FILES]:
        with suppress(SourceError):
            project.elsewhere |= _services_of(tree(read(one))).keys()


def _services_of(root: Node) -> dict[str, Entry]:
    return entries(root.get("services")) if isinstance(root, Mapping) else {}


def _is_layer(project: _Project, source: Source) -> bool:
    """Whether a file by another name than the usual ones is to be laid over one of those: by its name, or as compose
    would refuse it by itself.
    """
    path = Path(source.path)
    if not source.is_file or path.stem in _DEFAULT_NAMES:
        return False
    bodies = [entry.value for entry in project.services.values()]
    return ".override." in path.name or not all(
        isinstance(one, Mapping) and one.entries.keys() & _WHOLE for one in bodies
    )


def _override(project: _Project, source: Source) -> None:
    """`compose.override.yaml` beside a file of the default name is merged into it, as `docker compose up` does."""
    path = Path(source.path)
    if not source.is_file or path.stem not in _DEFAULT_NAMES:
        return
    for suffix in (".yml", ".yaml"):
        other = path.with_name(f"{path.stem}.override{suffix}")
        if other.is_file():
            try:
                beside = read(other)
                project.take(root_of(tree(beside), beside, "compose file"), beside, (source.path, beside.path))
            except SourceError as error:
                project.findings.append(
                    Finding("G011", f"the override cannot be used: {error}", Span(source.path, 1, 1))
                )
            return


def _joined(under: Node, over: Node) -> Node:
    """One service on top of another: mappings are merged, lists of dependencies added up, anything else replaced."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        return over
    whole = Mapping(over.span, dict(merged(under).entries), tag=over.tag)
    for name, entry in merged(over).entries.items():
        there = whole.entries.get(name)
        if entry.value.tag == "!reset":
            whole.entries.pop(name, None)
        elif there is not None and entry.value.tag != "!override":
            whole.entries[name] = Entry(entry.key, _together(name, there.value, entry.value))
        else:
            whole.entries[name] = entry
    return whole


def _together(name: str, under: Node, over: Node) -> Node:
    if name == "depends_on":
        both = Mapping(over.span)
        for node in (under, over):
            both.entries.update((named.text, Entry(named, how)) for named, how in _dependencies(node))
        return both
    if name in ("links", "volumes_from", "profiles", "ports"):
        return Sequence(over.span, [*items(under), *items(over)])
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return Mapping(over.span, {**merged(under).entries, **merged(over).entries})
    return over


def _dependencies(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    """Each service of a `depends_on`, short or long, with what is said about it."""
    if isinstance(node, Mapping):
        yield from ((entry.key, entry.value) for entry in merged(node).entries.values())
    else:
        yield from ((one, one) for one in items(node) if isinstance(one, Scalar))


# -- services ---------------------------------------------------------------------------------------------------------


class _Services:
    """The tasks of a project."""

    def __init__(self, project: _Project) -> None:
        self.project = project
        self.variables: dict[str, Variable] = {}
        self.findings: list[Finding] = []
        self.bodies = {
            name: entry.value if isinstance(entry.value, Mapping) else Mapping(entry.key.span)
            for name, entry in project.services.items()
        }

    def tasks(self) -> dict[str, Task]:
        found = {}
        for name, entry in self.project.services.items():
            body = self.bodies[name]
            if not isinstance(entry.value, Mapping) and text(entry.value):
                message = f"service {name!r} should be a mapping but is {describe(entry.value)}"
                self.findings.append(Finding("G008", message, entry.key.span))
            edges = tuple(self._edges(name, body))
            presence = self._presence(body)
            found[name] = Task(name, entry.key.span, edges, presence, may=_MAY, accesses=_volumes(body))
        self._clashes()
        return found

    def _presence(self, body: Mapping) -> Formula:
        profiles = [one.text for one in items(body.get("profiles")) if isinstance(one, Scalar)]
        for name in profiles:
            self.variables.setdefault(f"profile {name}", Variable(f"profile {name}", frozenset({Kind.BOOLEAN})))
        return disjunction(Equal(f"profile {name}", True) for name in profiles) if profiles else TRUE

    # -- edges ---------------------------------------------------------------------------------------------------------

    def _edges(self, name: str, body: Mapping) -> Iterator[Edge]:
        """One edge for each service that is waited for; what is said by `depends_on` counts first."""
        seen: set[str] = set()
        elsewhere = self.project.elsewhere
        for named, how, word in self._waits(body):
            if named.text == name:
                self.findings.append(Finding("G005", f"service {name!r} waits for itself", named.span))
            elif named.text not in self.bodies:
                fields = entries(how)
                needed = "required" not in fields or flag(fields["required"].value, True)
                if self.project.complete and needed and "$" not in named.text and named.text not in elsewhere:
                    known = [one for one in self.bodies if one != name]
                    self.findings.append(undefined(f"service {name!r}", named, known, word))
            elif named.text not in seen:
                seen.add(named.text)
                yield self._edge(name, named, how)

    def _waits(self, body: Mapping) -> Iterator[tuple[Scalar, Node, str]]:
        """(the service, what is said, in what words) for everything that makes a service wait for another."""
        for named, how in _dependencies(body.get("depends_on")):
            yield named, how, "depends on"
        for one in items(body.get("links")):
            if isinstance(one, Scalar):
                yield _named(one, one.text.partition(":")[0]), one, "links to"
        for one in items(body.get("volumes_from")):
            if isinstance(one, Scalar) and not one.text.startswith("container:"):
                yield _named(one, one.text.partition(":")[0]), one, "takes volumes from"
        for key in ("network_mode", "ipc", "pid"):
            shared = body.get(key)
            if isinstance(shared, Scalar) and shared.text.startswith("service:"):
                yield (
                    _named(shared, shared.text.removeprefix("service:")),
                    shared,
                    f"shares the {key.partition('_')[0]} of",
                )

    def _edge(self, name: str, named: Scalar, how: Node) -> Edge:
        fields = entries(how)
        said = fields["condition"].value if "condition" in fields else None
        condition = text(said) or "service_started"
        optional = "required" in fields and not flag(fields["required"].value, True)
        if condition not in _POINTS and said is not None:
            cure = f"the conditions are {', '.join(_POINTS)}"
            self.findings.append(Finding("G008", f"unknown condition {condition!r}", said.span, cure=cure))
        point = _POINTS.get(condition, Point.OPENED)
        self._reachable(name, named, point, said.span if said is not None else named.span)
        accepts = frozenset({Outcome.SUCCEEDED}) if point is Point.CLOSED else None
        return Edge(named.text, named.span, accepts, optional, point)

    def _reachable(self, name: str, named: Scalar, point: Point, span: Span) -> None:
        """Whether what is waited for can come at all; past the finding the graph is taken as if it could."""
        body = self.bodies[named.text]
        if point is Point.READY and (where := self._unhealthy(body)) is not None:
            note = Note(where, f"the healthcheck of {named.text!r} is disabled here")
            message = f"service {name!r} waits until {named.text!r} is healthy, which it never is"
            self.findings.append(Finding("G031", message, span, (note,)))
        again = body.get("restart")
        if point is Point.CLOSED and isinstance(again, Scalar) and again.text in _FOREVER:
            note = Note(again.span, f"{named.text!r} is started again whenever it ends")
            message = f"service {name!r} waits until {named.text!r} has completed, which it never does"
            self.findings.append(Finding("G032", message, span, (note,)))

    def _unhealthy(self, body: Mapping) -> Span | None:
        """Where a healthcheck is switched off."""
        check = entries(body.get("healthcheck"))
        if "disable" in check and flag(check["disable"].value):
            return check["disable"].value.span
        test = check["test"].value if "test" in check else None
        first = items(test)[:1]
        return first[0].span if first and text(first[0]) == "NONE" else None

    # -- what only one can have ----------------------------------------------------------------------------------------

    def _clashes(self) -> None:
        """Two services that are always there want one port of the host, or one name."""
        taken: dict[str, tuple[str, Span]] = {}
        for name, body in self.bodies.items():
            if body.get("profiles") is not None:
                continue
            for what, span in _claims(body):
                first = taken.setdefault(what, (name, span))
                if first[0] != name:
                    message = f"services {first[0]!r} and {name!r} both want {what}"
                    notes = (Note(first[1], f"{first[0]!r} takes it here"),)
                    self.findings.append(Finding("G034", message, span, notes, cure="give one of them another"))


def _named(where: Scalar, name: str) -> Scalar:
    """A part of a scalar as a scalar of its own: `db` in `db:alias`, at its exact place."""
    start = where.text.find(name)
    span = where.span
    column = span.column + start + (not where.plain)
    return Scalar(name, Span(span.path, span.line, column, span.line, column + len(name)), True)


def _claims(body: Mapping) -> Iterator[tuple[str, Span]]:
    """What only one container of the machine can have: host ports, and names."""
    name = body.get("container_name")
    if isinstance(name, Scalar) and name.text and "$" not in name.text:
        yield f"the name {name.text!r}", name.span
    for port in items(body.get("ports")):
        published = _published(port)
        if published:
            yield f"the port {published} of the host", port.span


def _published(port: Node) -> str:
    """`127.0.0.1:80/tcp` of a port that is given for certain, else ''."""
    fields = entries(port)
    if fields:
        host, protocol = text(fields["host_ip"].value) if "host_ip" in fields else "", "tcp"
        number = text(fields["published"].value) if "published" in fields else ""
        protocol = text(fields["protocol"].value) if "protocol" in fields else protocol
    else:
        whole, _, protocol = text(port).partition("/")
        *before, number, _ = whole.split(":") if whole.count(":") else ["", ""]
        host = ":".join(before)
    if not number.isdigit() or "$" in host:
        return ""
    return f"{host}:{number}/{protocol or 'tcp'}".lstrip(":")


def _volumes(body: Mapping) -> tuple[Access, ...]:
    """Named volumes and host paths that are mounted read-only are only read; of others nobody knows what is written."""
    found = []
    for one in items(body.get("volumes")):
        parts = text(one).split(":")
        if len(parts) > 2 and "ro" in parts[2].split(","):
            found.append(Access(parts[0], Mode.READ, one.span))
    return tuple(found)
