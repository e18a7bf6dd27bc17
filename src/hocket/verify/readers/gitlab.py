"""GitLab CI: jobs as tasks, stages and `needs` as edges, `rules` as presence, resource groups as holds.

Semantics that are easy to get wrong, and where they are from (docs.gitlab.com/ci/yaml):
- a job without `needs` waits for all jobs of all earlier stages; one with `needs: []` for nobody;
- a job that its rules leave out is not skipped but *absent*, and a job that needs it, and does not say
  `optional`, keeps the whole pipeline from being made (18F/identity-idp #9267);
- without rules, `only` and `except` a job is for branches and tags, not for merge requests;
- the first rule that matches decides `when`, `allow_failure` and `needs`;
- a manual job outside `rules` may stay undone, and the stages go on.

A child pipeline that is awaited (`strategy: depend`) is read as children of its
trigger job; one of another project, or one that a job generates, is opaque.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import FALSE, TRUE, Formula, Is, Outcome, conjunction, disjunction, negation
from hocket.verify.model import (
    NOWHERE,
    Case,
    Edge,
    Graph,
    Group,
    Hold,
    Span,
    Task,
    Until,
)
from hocket.verify.readers import Reading
from hocket.verify.readers.connectives import Unclear
from hocket.verify.readers.entries import describe, entries, flag, items, text, undefined
from hocket.verify.readers.gitlab_config import Config, configuration, is_job
from hocket.verify.readers.gitlab_rules import BRANCH, TAG, Chosen, World, allowed, conditions, filters, guards
from hocket.verify.readers.gitlab_shape import copies, has_job, matrix, timing
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source, read
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence

__all__ = ["GitLab"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED})
_STAGES = ("build", "test", "deploy")
_DEEPEST_CHILD = 2  # GitLab: a child pipeline may have children, and no further
_MOST_EDGES = 60_000
_PART = re.compile(r"(.+?)(?:: \[.*\]| \d+/\d+)")


class GitLab:
    """The reader of `.gitlab-ci.yml`."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source):
            return False
        seen = outline(source)
        if ".gitlab-ci" in seen.name:
            return ".gitlab-ci-local-" not in seen.name  # settings of a tool that runs pipelines at home
        if not seen.yaml or seen.keys & {"jobs", "services", "on", "apiVersion", "tasks", "pipelines", "steps"}:
            return False
        return {"stages", "include"} <= seen.keys or has_job(source.lines)

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        config = configuration(source)
        book = _Book()
        jobs = _Jobs(book, config, "", _default_branch(source.text))
        jobs.read()
        main = source.path.endswith(".gitlab-ci.yml")  # what others include may hold templates only
        if main and not book.tasks and not jobs.off and config.complete and not book.findings:
            span = Span(source.path, 1, 1)
            book.findings.append(Finding("G008", "there is no job that can be seen", span, cure="write one"))
        found = [*config.findings, *book.findings]
        given = conjunction(book.given)
        graph = Graph(source.path, "gitlab", book.tasks, {k: v for w in book.worlds for k, v in w.variables.items()},
                      given=given)  # fmt: skip
        return Reading(graph, tuple(found), book.sources | config.sources)


def _default_branch(whole: str) -> str:
    return "master" if "master" in whole and "main" not in whole else "main"


@dataclass
class _Book:
    """What grows while a configuration and its child pipelines are read."""

    tasks: dict[str, Task] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    given: list[Formula] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    edges: int = 0

    def find(self, code: str, message: str, span: Span, notes: tuple[Note, ...] = (), cure: str = "") -> None:
        self.findings.append(Finding(code, message, span, notes, cure=cure))


@dataclass
class _Job:
    """One job, put together; `chosen` are its rules, None if it has none."""

    name: str
    span: Span
    body: Mapping
    stage: str
    presence: Formula
    chosen: list[Chosen] | None
    known: bool  # whether all that it extends could be read

    @cached_property
    def whens(self) -> list[tuple[str, Formula, bool]]:
        """(when, under which formula, whether a failure is allowed) for each way in which it is there."""
        own = text(self.body.get("when")) or "on_success"
        if self.chosen is None:
            return [(own, TRUE, self._forgiven(self.body, own == "manual"))]
        return [
            (rule.when, guard, self._forgiven(rule.body, self._forgiven(self.body, False)))
            for rule, guard in zip(self.chosen, guards(self.chosen), strict=True)
            if rule.when != "never"
        ]

    def _forgiven(self, body: Mapping, otherwise: bool) -> bool:
        node = body.get("allow_failure")
        return True if isinstance(node, Mapping) else flag(node, otherwise)

    @cached_property
    def forgiven(self) -> bool:
        """Whether the pipeline may go on when it fails, in some configuration at least."""
        return any(forgiven for _, _, forgiven in self.whens)

    @cached_property
    def manual(self) -> bool:
        return any(when == "manual" for when, _, _ in self.whens)


class _Jobs:
    """The jobs of one pipeline, under `parent` if it is a child."""

    def __init__(self, book: _Book, config: Config, parent: str, branch: str, depth: int = 0) -> None:
        self.book, self.config, self.parent, self.depth = book, config, parent, depth
        variables = entries(config.get("variables"))
        self.world = World(
            branch, f"{parent}: " if parent else "", defaults=dict.fromkeys(variables, ""),
            main=config.main and not parent and not config.mentions("parent_pipeline"),
        )  # fmt: skip
        book.worlds.append(self.world)
        self.problems: list[tuple[Unclear, Scalar]] = []
        self.stages = self._stages()
        self.unset = self._unset(set(variables))
        self.ruled = "rules" in entries(config.get("workflow"))
        self.jobs: dict[str, _Job] = {}
        self.off: dict[str, Span] = {}  # jobs that are switched off for good, and where that is said

    def read(self) -> None:
        for name, entry in self.config.entries.items():
            if is_job(name, entry):
                self._job(name, entry.key.span)
        for job in self.jobs.values():
            self.book.tasks[self._full(job.name)] = self._task(job)
        for job in self.jobs.values():
            self._dependencies(job)
            self._child(job)
        self.book.given.append(self._workflow())
        self.book.given.append(self.world.pipelines())
        for problem, where in self.problems:
            self.book.find("G008", f"this condition cannot be parsed: {problem.message}", where.span)

    def _full(self, name: str) -> str:
        return f"{self.parent} / {name}" if self.parent else name

    # -- stages --------------------------------------------------------------------------------------------------------

    def _stages(self) -> dict[str, int]:
        listed = [text(one) for one in items(self.config.get("stages") or self.config.get("types"))]
        names = [".pre", *(one for one in listed or _STAGES if one not in (".pre", ".post")), ".post"]
        return {name: place for place, name in enumerate(dict.fromkeys(names))}

    def _unset(self, everywhere: set[str]) -> dict[str, str | None]:
        """Variables that jobs set for themselves: a job that does not say them has none, as nobody else sets them."""
        said = (entries(entry.value).get("variables") for entry in self.config.entries.values())
        own = {name for one in said if one is not None for name in entries(one.value)}
        return dict.fromkeys(sorted(own - everywhere))

    def _stage(self, name: str, body: Mapping) -> str:
        node = body.get("stage")
        stage = text(node) or "test"
        if stage not in self.stages:
            if isinstance(node, Scalar) and self.config.complete and "$" not in stage:
                self.book.findings.append(undefined(f"job {name!r}", node, self.stages, "is in stage"))
            self.stages[stage] = self.stages.get("test", 1)
        return stage

    def _workflow(self) -> Formula:
        """When there is a pipeline at all.

        What was not read may say so as well: then nothing is said of merge requests, unless this file speaks of them.
        """
        rules = entries(self.config.get("workflow")).get("rules")
        if rules is None and (self.config.complete or self.config.mentions("merge_request")):
            return TRUE
        if rules is None:
            return disjunction(negation(self.world.equal(name, None)) for name in (BRANCH, TAG))
        return allowed(conditions(self.config.rules(rules.value), self.world, self.problems, "always"))

    # -- jobs ----------------------------------------------------------------------------------------------------------

    def _job(self, name: str, span: Span) -> None:
        body = self.config.job(name)
        known = self.config.knows_all(name)
        self._shape(name, span, body, known)
        stage = self._stage(name, body)
        self.world.local = self.unset | {"CI_JOB_NAME": name, "CI_JOB_STAGE": stage} | {
            key: text(entry.value) for key, entry in entries(body.get("variables")).items()
            if isinstance(entry.value, Scalar) and "$" not in text(entry.value)
        }  # fmt: skip
        self.world.matrix = matrix(body)
        chosen, presence = self._presence(body)
        self.world.local, self.world.matrix = {}, {}
        if off := self._switched_off(body, chosen, presence):
            self.off[name] = off
            return
        included = self.config.included.get(name)
        if included:
            presence = conjunction((presence, disjunction(self._included(rules) for rules in included)))
        if not known and chosen is None:
            presence = conjunction((presence, self.world.guess(f"{name}: what it extends lets it run")))
        self.jobs[name] = _Job(name, span, body, stage, presence, chosen, known)

    def _shape(self, name: str, span: Span, body: Mapping, known: bool) -> None:
        if (
            not (body.entries.keys() & {"script", "trigger", "run", "pages", "release"})
            and known
            and self.config.complete
        ):
            self.book.find(
                "G008", f"job {name!r} has neither 'script' nor 'trigger' nor 'run'", span, cure="say what it does"
            )
        both = [key for key in ("only", "except") if key in body.entries]
        if both and "rules" in body.entries:
            notes = tuple(Note(body.entries[key].key.span, f"{key!r} stands here") for key in (*both, "rules"))
            self.book.find("G034", f"job {name!r} has {both[0]!r} and 'rules'", body.entries[both[0]].key.span, notes)

    def _presence(self, body: Mapping) -> tuple[list[Chosen] | None, Formula]:
        rules = body.get("rules")
        if rules is not None and not isinstance(rules, Scalar):
            usual = text(body.get("when")) or "on_success"
            chosen = conditions(rules, self.world, self.problems, usual)
            return chosen, allowed(chosen)
        return None, self._filtered(body)

    def _filtered(self, body: Mapping) -> Formula:
        """What lets a job in that has no rules of its own."""
        only = body.get("only")
        found = filters(only, body.get("except"), self.world, self.problems, self.ruled)
        if only is None and not self.ruled and not self.config.complete:
            return disjunction((found, self.world.guess("workflow:rules that were not read let every job in")))
        return found

    def _included(self, rules: Node) -> Formula:
        return allowed(conditions(rules, self.world, self.problems, "always"))

    def _switched_off(self, body: Mapping, chosen: list[Chosen] | None, presence: Formula) -> Span | None:
        """Where it is said that the job is never to run, by `when` or by its own variables: that is meant."""
        if chosen is None:
            node = body.get("when")
            return node.span if isinstance(node, Scalar) and node.text == "never" else None
        if not chosen:
            return body.entries["rules"].key.span
        plainly = chosen[0].plain and chosen[0].when == "never"
        off = presence == FALSE and any(rule.when != "never" for rule in chosen)
        return chosen[0].span if plainly or off else None

    def _task(self, job: _Job) -> Task:
        edges = tuple(self._edges(job))
        whens = job.whens
        simple = all(when in ("on_success", "manual", "delayed") for when, _, _ in whens)
        if not simple:
            edges = tuple(replace(edge, accepts=None) for edge in edges)
        trigger = job.body.get("trigger")
        where = job.body.get("rules") or job.body.get("only") or job.body.get("except")
        return Task(
            self._full(job.name),
            job.span,
            edges,
            job.presence,
            self._activation(job, edges, simple),
            may=_MAY,
            parent=self.parent,
            holds=self._holds(job, Until.SCOPE if trigger is not None else Until.TASK),
            condition=where.span if where is not None else NOWHERE,
            opaque=trigger is not None,
            works=trigger is None,
            timing=timing(job.body),
            copies=copies(job.body),
        )

    def _activation(self, job: _Job, edges: tuple[Edge, ...], simple: bool) -> Formula:
        ways = []
        for when, guard, _ in job.whens:
            parts = [guard]
            if when == "manual":
                parts.append(self.world.choice(f"somebody starts {job.name}"))
            if when == "on_failure":
                parts.append(disjunction(Is(edge.before, frozenset({Outcome.FAILED})) for edge in edges))
            elif when != "always" and not simple:
                parts.extend(Is(edge.before, self._good(edge)) for edge in edges)
            ways.append(conjunction(parts))
        return disjunction(ways) if job.manual or not simple else TRUE

    def _good(self, edge: Edge) -> frozenset[Outcome]:
        """The outcomes of a predecessor after which a job goes on that wants success."""
        before = self.jobs[edge.before.removeprefix(f"{self.parent} / ") if self.parent else edge.before]
        good = set(_SUCCEEDED)
        if before.forgiven:
            good |= {Outcome.FAILED, Outcome.SKIPPED}
        if any(when in ("on_failure", "manual") for when, _, _ in before.whens):
            good.add(Outcome.SKIPPED)
        return frozenset(good | {Outcome.ABSENT} if edge.optional else good)

    # -- edges ---------------------------------------------------------------------------------------------------------

    def _edges(self, job: _Job) -> Iterator[Edge]:
        needs = self._needs(job)
        found = self._staged(job) if needs is None else needs
        for edge in found:
            self.book.edges += 1
            if self.book.edges > _MOST_EDGES:
                raise SourceError(f"more than {_MOST_EDGES} waits between jobs", job.span.path, job.span.line)
            good = self._good(edge)
            yield replace(edge, accepts=good - {Outcome.ABSENT})

    def _staged(self, job: _Job) -> Iterator[Edge]:
        """To every job of an earlier stage; a job that is not there is not waited for."""
        here = self.stages[job.stage]
        node = job.body.get("stage")
        span = node.span if node is not None else job.span
        for other in self.jobs.values():
            if self.stages[other.stage] < here:
                yield Edge(self._full(other.name), span, optional=True)

    def _needs(self, job: _Job) -> list[Edge] | None:
        """The jobs that are needed, by the job itself or by a rule; None if nothing is said."""
        own = job.body.get("needs")
        if isinstance(own, Scalar) and own.value is None:
            own = None  # `needs: null` takes back what the job extends
        found: dict[str, Edge] = {}
        for one in items(own):
            self._need(job, one, found, False)
        said = own is not None
        for rule in job.chosen or ():
            theirs = rule.body.get("needs")
            if theirs is None:
                continue
            said = True
            found = {name: replace(edge, optional=True) for name, edge in found.items()}
            for one in items(theirs):
                self._need(job, one, found, True)
        return list(found.values()) if said else None

    def _need(self, job: _Job, one: Node, found: dict[str, Edge], ruled: bool) -> None:
        fields = entries(one)
        named = one if isinstance(one, Scalar) else fields["job"].value if "job" in fields else None
        if fields.keys() & {"project", "pipeline"}:
            return  # artifacts of another pipeline: they are there, or the job fails
        if not isinstance(named, Scalar) or named.value is None:
            if not isinstance(one, Sequence | Scalar):  # what could not be read, or null
                self.book.find("G008", f"'needs' of {job.name!r} should name jobs but holds {describe(one)}", one.span)
            return
        optional = flag(fields["optional"].value) if "optional" in fields else False
        named = self._whole(named)
        if named.text == job.name:
            self.book.find("G005", f"job {job.name!r} needs itself", named.span)
        elif named.text in self.off:
            if not optional and not ruled:
                self._needs_nothing(job, named)
        elif named.text not in self.jobs:
            if self.config.complete and "$" not in named.text and not optional:
                self.book.findings.append(undefined(f"job {job.name!r}", named, self.jobs, "needs"))
        else:
            self._need_known(job, named, found, optional or ruled)

    def _whole(self, named: Scalar) -> Scalar:
        """The job of which a name means one part: `test: [linux, 3.12]` of a matrix, `test 2/4` of so many."""
        found = _PART.fullmatch(named.text)
        if named.text in self.jobs or found is None or found.group(1) not in self.jobs:
            return named
        return Scalar(found.group(1), named.span, named.plain)

    def _needs_nothing(self, job: _Job, named: Scalar) -> None:
        notes = (Note(self.off[named.text], f"{named.text!r} is switched off here"),)
        message = f"job {job.name!r} needs {named.text!r}, which no pipeline contains"
        self.book.find("G033", message, named.span, notes)

    def _need_known(self, job: _Job, named: Scalar, found: dict[str, Edge], optional: bool) -> None:
        other = self.jobs[named.text]
        if self.stages[other.stage] > self.stages[job.stage] and self.config.complete:
            notes = (Note(other.span, f"{other.name!r} is of stage {other.stage!r}"),)
            message = f"job {job.name!r} of stage {job.stage!r} needs {other.name!r} of a later stage"
            self.book.find("G030", message, named.span, notes)
            return
        if other.name not in found:  # named twice: each with another part of a matrix
            found[other.name] = Edge(self._full(other.name), named.span, optional=optional)

    def _dependencies(self, job: _Job) -> None:
        """Artifacts can only come from jobs that are waited for."""
        waited = {edge.before for edge in self.book.tasks[self._full(job.name)].edges}
        for one in items(job.body.get("dependencies")):
            if not isinstance(one, Scalar) or "$" in one.text or (one := self._whole(one)).text in self.off:
                continue
            if one.text not in self.jobs:
                if self.config.complete:
                    self.book.findings.append(undefined(f"job {job.name!r}", one, self.jobs, "takes artifacts of"))
            elif self._full(one.text) not in waited:
                message = f"job {job.name!r} takes artifacts of {one.text!r}, for which it does not wait"
                self.book.find("G007", message, one.span, cure="name a job of an earlier stage, or add it to 'needs'")

    # -- resource groups and child pipelines ---------------------------------------------------------------------------

    def _holds(self, job: _Job, until: Until) -> tuple[Hold, ...]:
        node = job.body.get("resource_group")
        if not isinstance(node, Scalar) or not node.text:
            return ()
        parts = tuple(_parts(node.text, self.world))
        group = Group(node.text, (Case(TRUE, parts),))
        return (Hold(group, node.span, until, label=f"job {self._full(job.name)!r}"),)

    def _child(self, job: _Job) -> None:
        trigger = job.body.get("trigger")
        if not isinstance(trigger, Mapping) or text(trigger.get("strategy")) not in ("depend", "mirror"):
            return
        include = trigger.get("include")
        found = [self._child_file(one) for one in items(include)]
        if include is None or not found or None in found or self.depth >= _DEEPEST_CHILD:
            return
        full = self._full(job.name)
        config = found[0]
        assert config is not None
        for more in found[1:]:
            assert more is not None
            config.entries.update(more.entries)
        self.book.tasks[full] = replace(self.book.tasks[full], opaque=False)
        self.book.sources.update(config.sources)
        before = len(self.book.tasks)
        _Jobs(self.book, config, full, self.world.default_branch, self.depth + 1).read()
        self.book.findings.extend(config.findings)
        if len(self.book.tasks) == before:
            self.book.tasks[full] = replace(self.book.tasks[full], opaque=True)

    def _child_file(self, one: Node) -> Config | None:
        fields = entries(one)
        where = one if isinstance(one, Scalar) else fields["local"].value if "local" in fields else None
        if not isinstance(where, Scalar) or "$" in where.text or self.config.home is None:
            return None
        path = (self.config.home / where.text.lstrip("/")).resolve()
        if not path.is_relative_to(self.config.home) or not path.is_file() or str(path) in self.config.sources:
            return None
        try:
            return configuration(read(path), alone=False)
        except SourceError as error:
            self.book.find("G011", f"the child pipeline cannot be used: {error}", where.span)
            return None


def _parts(written: str, world: World) -> Iterator[str | tuple[str, str]]:
    """A name with variables in it, as literal text and variables in turn."""
    for piece in re.split(r"(\$\{?\w+\}?)", written):
        if piece.startswith("$"):
            yield ("variable", world.variable(piece.strip("${}")))
        elif piece:
            yield piece
