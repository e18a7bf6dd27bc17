"""GitLab's conditions: `rules`, `only`, `except` and their expressions, as formulas over a pipeline's variables.

What a pipeline's variables can be together is said once, in `pipelines`: a pipeline
for a merge request has neither branch nor tag, any other has exactly one of them;
without this every second file would have configurations that cannot be. Regular
expressions are given to the solver as such; a glob of `changes` is a variable
of its own, and a wider glob changes whenever a narrower one does.

Bounded on purpose: the default branch is called "main" (or "master", if the file
speaks of that one only); a comparison of two variables, and `exists`, are guesses.
Source: docs.gitlab.com/ci/jobs/job_rules and /ci/variables/predefined_variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from hocket.verify.formula import (
    FALSE,
    TRUE,
    Equal,
    Formula,
    How,
    Matches,
    conjunction,
    disjunction,
    negation,
)
from hocket.verify.model import Kind, Span, Variable
from hocket.verify.readers.connectives import Connectives, Unclear
from hocket.verify.readers.entries import entries, items, text
from hocket.verify.readers.gitlab_config import UNKNOWN
from hocket.verify.regex import expressible
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence

__all__ = ["BRANCH", "TAG", "Chosen", "World", "allowed", "conditions", "filters", "guards"]

SOURCE = "CI_PIPELINE_SOURCE"
BRANCH, TAG, DEFAULT = "CI_COMMIT_BRANCH", "CI_COMMIT_TAG", "CI_DEFAULT_BRANCH"
_SOURCES = (
    "push", "web", "schedule", "api", "trigger", "pipeline", "parent_pipeline", "merge_request_event", "chat",
    "external", "external_pull_request_event", "webide", "security_orchestration_policy", "ondemand_dast_scan",
)  # fmt: skip
_ALWAYS_SET = frozenset(
    {
        "CI", "GITLAB_CI", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_PROJECT_PATH", "CI_PROJECT_NAME", "CI_PROJECT_ID",
        "CI_PROJECT_NAMESPACE", "CI_SERVER_HOST", "CI_COMMIT_REF_SLUG", "CI_PROJECT_ROOT_NAMESPACE", "CI_COMMIT_TITLE",
        "CI_COMMIT_MESSAGE", "CI_PIPELINE_ID", "CI_PROJECT_URL", "CI_COMMIT_AUTHOR",
    }
)  # fmt: skip
_IN_EVERY_REQUEST = ("CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_ID", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
                     "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_MERGE_REQUEST_EVENT_TYPE")  # fmt: skip
PATH = "CI_PROJECT_PATH"
_PARTS_OF_PATH: dict[str, Callable[[str], str]] = {
    PATH: lambda path: path,
    "CI_PROJECT_NAMESPACE": lambda path: path.rpartition("/")[0],
    "CI_PROJECT_ROOT_NAMESPACE": lambda path: path.partition("/")[0],
    "CI_PROJECT_NAME": lambda path: path.rpartition("/")[2],
}
_STRING = frozenset({Kind.STRING})
_MAYBE = frozenset({Kind.STRING, Kind.NULL})

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_WAYS = 64
_COMPARED = ("push", "merge_request_event", "external_pull_request_event", "parent_pipeline")  # have changed files

_TOKEN = re.compile(
    r"\s*(?:(?P<variable>\$\{?\w+\}?)|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<regex>/(?:[^/\\]|\\.)+/[ismU]*)|(?P<null>null\b)|(?P<sign>==|!=|=~|!~|&&|\|\||[()!]))"
)


@dataclass
class World:
    """The variables of a pipeline, as they come up; `prefix` keeps a child pipeline's apart from its parent's."""

    default_branch: str
    prefix: str = ""
    variables: dict[str, Variable] = field(default_factory=dict)
    globs: dict[str, str] = field(default_factory=dict)  # pattern -> variable
    local: dict[str, str | None] = field(default_factory=dict)  # the job's own: what it says, nobody overrides
    matrix: dict[str, frozenset[str]] = field(default_factory=dict)  # the job's own that differ from copy to copy
    defaults: dict[str, str] = field(default_factory=dict)  # variables of the whole configuration
    main: bool = False  # of the configuration of a repository, which is nobody's child
    compared: dict[str, dict[str, None]] = field(default_factory=dict)  # values of the project's path and its parts

    def variable(self, name: str) -> str:
        full = self.prefix + name
        if full not in self.variables:
            always = name in _ALWAYS_SET or name == SOURCE or name in self.defaults
            self.variables[full] = Variable(full, _STRING if always else _MAYBE, _SOURCES if name == SOURCE else None)
        return full

    def guess(self, text: str) -> Formula:
        full = self.prefix + text
        self.variables.setdefault(full, Variable(full, frozenset({Kind.BOOLEAN}), guess=True))
        return Equal(full, True)

    def choice(self, text: str) -> Formula:
        """Something that somebody decides while the pipeline runs: it may be either."""
        full = self.prefix + text
        self.variables.setdefault(full, Variable(full, frozenset({Kind.BOOLEAN})))
        return Equal(full, True)

    def equal(self, name: str, value: str | None) -> Formula:
        if name == DEFAULT:
            return TRUE if value == self.default_branch else FALSE
        if name in self.matrix:
            possible = value in self.matrix[name] or any("$" in one for one in self.matrix[name])
            return self.guess(f"a copy with ${name} == {value!r}") if possible and value is not None else FALSE
        if name in self.local:
            return TRUE if self.local[name] == value else FALSE
        if name in _PARTS_OF_PATH and value is not None:
            self.compared.setdefault(name, {})[value] = None
        if name == "CI_COMMIT_REF_NAME" and value is not None:
            return disjunction(self.equal(one, value) for one in (BRANCH, TAG, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"))
        if value is None and name in _ALWAYS_SET:
            return FALSE
        return Equal(self.variable(name), value)

    def fits(self, name: str, pattern: str) -> Formula:
        if name == "CI_COMMIT_REF_NAME":
            return disjunction(self.fits(one, pattern) for one in (BRANCH, TAG, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"))
        if name in self.matrix:
            return self.guess(f"a copy with ${name} =~ /{pattern}/")
        known = self.default_branch if name == DEFAULT else self.local.get(name)
        ok = expressible(pattern)
        if name in self.local and known is None:
            return FALSE
        if known is not None and ok:
            return TRUE if re.search(pattern, known) else FALSE
        if not ok:
            return conjunction((negation(self.equal(name, None)), self.guess(f"${name} =~ /{pattern}/")))
        return Matches(self.variable(name), How.FITS, pattern)

    def changed(self, glob: str) -> Formula:
        if glob not in self.globs:
            self.globs[glob] = self.prefix + f"changed: {glob}"
            full = self.globs[glob]
            self.variables[full] = Variable(full, frozenset({Kind.BOOLEAN}), guess="$" in glob)
        return Equal(self.globs[glob], True)

    def pipelines(self) -> Formula:
        """How the variables hang together."""
        request = Equal(self.variable(SOURCE), "merge_request_event")
        child = Equal(self.variable(SOURCE), "parent_pipeline")
        branch, tag = (negation(Equal(self.variable(name), None)) for name in (BRANCH, TAG))
        one = disjunction((conjunction((branch, negation(tag))), conjunction((tag, negation(branch)))))
        none = negation(disjunction((branch, tag)))
        rows = [
            disjunction((request, child, one)),
            disjunction((negation(request), none)),
            disjunction((negation(child), one, none)),
            *((negation(child),) if self.main else ()),
            *(negation(Equal(self.variable(name), "")) for name in (BRANCH, TAG, *_ALWAYS_SET & self._named())),
        ]
        rows.extend(self._requests(request, child, none))
        rows.extend(self._paths())
        for narrow, its in self.globs.items():
            rows.extend(
                disjunction((negation(Equal(its, True)), Equal(wide, True)))
                for glob, wide in self.globs.items() if glob != narrow and _covers(glob, narrow)
            )  # fmt: skip
        return conjunction(rows)

    def _paths(self) -> Iterator[Formula]:
        """A project's path is that of its namespace and its name."""
        named = self._named()
        if PATH not in named:
            return
        for name in sorted(_PARTS_OF_PATH.keys() & named):
            for value in self.compared.get(PATH, ()):
                part = Equal(self.variable(name), _PARTS_OF_PATH[name](value))
                yield disjunction((negation(Equal(self.variable(PATH), value)), part))
        for value in self.compared.get("CI_PROJECT_NAMESPACE", ()):
            within = Matches(self.variable(PATH), How.STARTS, f"{value}/")
            yield disjunction((negation(Equal(self.variable("CI_PROJECT_NAMESPACE"), value)), within))

    def _named(self) -> frozenset[str]:
        return frozenset(name.removeprefix(self.prefix) for name in self.variables if name.startswith(self.prefix))

    def _requests(self, request: Formula, child: Formula, none: Formula) -> Iterator[Formula]:
        """Variables of merge requests: set for them (and for their children), and for nothing else."""
        named = sorted(name for name in self._named() if name.startswith("CI_MERGE_REQUEST_"))
        always = [name for name in named if name in _IN_EVERY_REQUEST]
        for name in named:
            unset = Equal(self.variable(name), None)
            yield disjunction((unset, request, conjunction((child, none))))
        for name in always:
            unset = Equal(self.variable(name), None)
            filled = conjunction((negation(unset), negation(Equal(self.variable(name), ""))))
            together = conjunction(Equal(self.variable(other), None) for other in named)
            yield disjunction((negation(request), filled))
            yield disjunction((negation(child), negation(unset), together))


# -- rules ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """One rule of a list: when it matches (if none before it did), what it then says, and where it stands."""

    when: str
    yes: Formula
    body: Mapping
    span: Span
    plain: bool  # it has no condition at all


def conditions(rules: Node, world: World, problems: list[tuple[Unclear, Scalar]], usual: str) -> list[Chosen]:
    """The rules in order, up to one that always matches; `usual` is what `when` is if a rule does not say."""
    found: list[Chosen] = []
    for rule in items(rules):
        if not isinstance(rule, Mapping):
            unread = isinstance(rule, Sequence) and rule.tag == UNKNOWN
            for when in (usual, "never") if unread else ():
                yes = world.guess(f"rules that were not read say {when}, line {rule.span.line}")
                found.append(Chosen(when, yes, Mapping(rule.span), rule.span, False))
            continue
        fields = entries(rule)
        body = Mapping(rule.span, fields)
        yes = _matches(body, world, problems)
        plain = not fields.keys() & {"if", "changes", "exists"}
        found.append(Chosen(text(body.get("when")) or usual, yes, body, rule.span, plain))
        if yes == TRUE:
            break
    return found


def allowed(chosen: list[Chosen]) -> Formula:
    """That the first rule that matches is none that says never: each rule is mentioned once."""
    found: Formula = FALSE
    for rule in reversed(chosen):
        if rule.when == "never":
            found = conjunction((negation(rule.yes), found))
        else:
            found = disjunction((rule.yes, found))
    return found


def guards(chosen: list[Chosen]) -> list[Formula]:
    """For each rule: it is the first that matches."""
    before: list[Formula] = []
    found = []
    for rule in chosen:
        found.append(conjunction((*before, rule.yes)))
        before.append(negation(rule.yes))
    return found


def _matches(rule: Mapping, world: World, problems: list[tuple[Unclear, Scalar]]) -> Formula:
    parts = []
    where = rule.get("if")
    if isinstance(where, Scalar):
        parts.append(_expression(where, world, problems))
    elif where is not None:
        parts.append(world.guess(f"a condition in line {where.span.line}"))
    changes = rule.get("changes")
    if changes is not None:
        parts.append(_changes(changes, world))
    exists = rule.get("exists")
    if exists is not None:
        paths = exists.get("paths") if isinstance(exists, Mapping) else exists
        parts.append(disjunction(world.guess(f"exists: {text(one)}") for one in items(paths)))
    return conjunction(parts)


def _changes(node: Node, world: World) -> Formula:
    """True without a push to compare with (a tag, a schedule), else if one of the globs has changed."""
    paths = node.get("paths") if isinstance(node, Mapping) else node
    globs = [world.changed(text(one)) for one in items(paths) if isinstance(one, Scalar)]
    source = world.variable(SOURCE)
    compared = disjunction(Equal(source, name) for name in _COMPARED)
    if isinstance(node, Mapping) and "compare_to" in node.entries:
        return disjunction(globs)
    unset = Equal(world.variable(TAG), None)
    return disjunction((negation(compared), negation(unset), *globs))


def _expression(where: Scalar, world: World, problems: list[tuple[Unclear, Scalar]]) -> Formula:
    try:
        return _Parser(where.text, world).whole()
    except Unclear as problem:
        problems.append((problem, where))
        return world.guess(where.text)


def filters(
    only: Node | None, excepted: Node | None, world: World, problems: list[tuple[Unclear, Scalar]], ruled: bool
) -> Formula:
    """`only` and `except`: GitLab's older way.

    An `only` without refs, and none at all, is for branches and tags; but where there are `workflow:rules` (`ruled`),
    none at all is for every pipeline (GitLab, `config/entry/processable.rb`).
    """
    wanted = _policy(only, world, problems, [] if ruled and only is None else ["branches", "tags"])
    refused = _policy(excepted, world, problems, [])
    return conjunction((*wanted.values(), *(negation(part) for part in refused.values())))


def _policy(
    node: Node | None, world: World, problems: list[tuple[Unclear, Scalar]], usual: list[str]
) -> dict[str, Formula]:
    fields = entries(node)
    refs = fields["refs"].value if "refs" in fields else None if isinstance(node, Mapping) else node
    named = [text(one) for one in items(refs) if isinstance(one, Scalar)] or usual
    found = {"refs": disjunction(_ref(name, world) for name in named)} if named else {}
    if "variables" in fields:
        asked = (one for one in items(fields["variables"].value) if isinstance(one, Scalar))
        found["variables"] = disjunction(_expression(one, world, problems) for one in asked)
    if "changes" in fields:
        found["changes"] = _changes(fields["changes"].value, world)
    if "kubernetes" in fields:
        found["kubernetes"] = world.guess("a Kubernetes cluster is there")
    return found


_REFS: dict[str, tuple[str, ...]] = {
    "merge_requests": ("merge_request_event",), "pushes": ("push",), "schedules": ("schedule",), "web": ("web",),
    "api": ("api",), "triggers": ("trigger",), "pipelines": ("pipeline",), "chat": ("chat",), "external": ("external",),
    "external_pull_requests": ("external_pull_request_event",),
}  # fmt: skip


def _ref(name: str, world: World) -> Formula:
    name = name.partition("@")[0] if not name.startswith("/") else name
    if name in ("branches", "tags"):
        return negation(world.equal(BRANCH if name == "branches" else TAG, None))
    if name in _REFS:
        return disjunction(Equal(world.variable(SOURCE), source) for source in _REFS[name])
    if name.startswith("/"):
        pattern = _pattern(name.rpartition("@")[0] if "@" in name.rpartition("/")[2] else name)
        return disjunction(world.fits(one, pattern) for one in (BRANCH, TAG))
    return disjunction(world.equal(one, name) for one in (BRANCH, TAG))


def _pattern(written: str) -> str:
    """`/main|v\\d+/i` as Python writes it; RE2's `\\/` is a slash."""
    body, _, flags = written[1:].rpartition("/")
    return ("(?i)" if "i" in flags else "") + body.replace("\\/", "/")


def _covers(wide: str, narrow: str) -> bool:
    """Whether any file of the narrow glob is one of the wide: tried on paths that are as general as the narrow one."""
    if "$" in wide or "$" in narrow:
        return False
    ways = _alternatives(wide)
    return all(any(_covers_one(one, other) for one in ways) for other in _alternatives(narrow))


def _covers_one(wide: str, narrow: str) -> bool:
    whole = wide.replace("**/*", "*").replace("**", "*")
    return all(fnmatchcase(path.replace("*", "q"), whole) for path in (narrow.replace("**", "q/q"), narrow))


def _alternatives(glob: str) -> list[str]:
    """`{ci,tests}/*` as `ci/*` and `tests/*`; as it is if there would be too many."""
    found, waiting = [], [glob]
    while waiting:
        one = waiting.pop()
        inner = _BRACES.search(one)
        if inner is None:
            found.append(one)
            continue
        waiting.extend(one[: inner.start()] + part + one[inner.end() :] for part in inner.group(1).split(","))
        if len(waiting) + len(found) > _MOST_WAYS:
            return [glob]
    return found


# -- expressions ------------------------------------------------------------------------------------------------------

_Side = tuple[str, str | None]  # ("variable", its name), ("value", text or None), ("regex", pattern)


class _Parser(Connectives):
    """Recursive descent, bounded: `||` below `&&` below comparisons, `!` and parentheses."""

    def __init__(self, text: str, world: World) -> None:
        super().__init__(_tokens(text))
        self.text, self.world = text, world

    def _not(self) -> Formula:
        if self._take("!"):
            return negation(self._not()) if self.at < len(self.tokens) - 1 else FALSE
        found = self._nested()
        return self._part() if found is None else found

    def _part(self) -> Formula:
        left = self._side()
        sign = self._take("==", "!=", "=~", "!~")
        if not sign:
            return self._true(left)
        right = self._side()
        same = self._same(left, right) if sign in ("==", "!=") else self._fits(left, right)
        return same if sign in ("==", "=~") else negation(same)

    def _side(self) -> _Side:
        kind, written, offset = self.tokens[self.at]
        self.at += kind != "end"
        match kind:
            case "variable":
                return "variable", written.strip("${}")
            case "string":
                return "value", written[1:-1]
            case "null":
                return "value", None
            case "regex":
                return "regex", _pattern(written)
        raise Unclear(f"a value is missing before {written!r}" if written else "it ends too early", offset)

    def _true(self, side: _Side) -> Formula:
        kind, value = side
        if kind != "variable":
            return TRUE if value else FALSE
        assert value is not None
        return conjunction((negation(self.world.equal(value, None)), negation(self.world.equal(value, ""))))

    def _same(self, left: _Side, right: _Side) -> Formula:
        if left[0] != "variable":
            left, right = right, left
        (kind, name), (other, value) = left, right
        if kind != "variable":
            return TRUE if name == value else FALSE
        assert name is not None
        if other == "variable":
            return self._two(name, str(value))
        if value is not None and "$" in value:
            return self.world.guess(f"${name} == {value!r}")
        return self.world.equal(name, value)

    def _two(self, one: str, other: str) -> Formula:
        if one == other:
            return TRUE
        if DEFAULT in (one, other):
            return self.world.equal(other if one == DEFAULT else one, self.world.default_branch)
        first, second = sorted((one, other))
        return self.world.guess(f"${first} == ${second}")

    def _fits(self, left: _Side, right: _Side) -> Formula:
        (kind, name), (other, pattern) = left, right
        if kind == "variable" and other == "regex" and name is not None and pattern is not None:
            return self.world.fits(name, pattern)
        if kind == "variable" and other == "value" and name is not None and pattern and pattern[:1] == "/":
            return self.world.fits(name, _pattern(pattern))
        return self.world.guess(self.text)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if found is None:
            offset = position + len(text[position:]) - len(text[position:].lstrip())
            raise Unclear(f"{text[offset : offset + 10]!r} means nothing here", offset)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind)
        position = found.end()
    yield "end", "", len(text)
