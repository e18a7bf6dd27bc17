"""GitHub's expressions as formulas and as group names: what `==`, `&&`, `success()` and `needs.x.result` mean.

An expression is followed symbolically. Its value is a list of cases: under this
formula it is this known value, or this open variable, or this text put together.
Comparison without case and across types is spelled out in strict atoms. What is
not understood (an unknown function, an order of versions, a filter over an array)
becomes a boolean variable named by its own text, which may be anything: more runs
are considered than exist, so a claim "never" stays true.

Bounded on purpose: an open string that spells a number in an unusual way ("1.0",
"0x1") is not considered equal to that number.

In a job's `if`, `needs` holds the jobs behind those that are named as well (actions/runner #2356): they are guesses.

Sources: actions/languageservices `expressions/src` (values, coercion) and
`workflow-parser/src/model/converter/if-condition.ts` (the implicit `success()`);
actions/runner #2205 (`success()` looks at all ancestors, so a skip spreads).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hocket.verify.expressions import (
    STATUS,
    Access,
    And,
    Call,
    Compare,
    Context,
    Expression,
    Invert,
    Literal,
    Or,
    Star,
    Template,
    walk,
)
from hocket.verify.formula import (
    FALSE,
    TRUE,
    Ancestors,
    Equal,
    Formula,
    How,
    Interrupted,
    Is,
    Matches,
    Outcome,
    Value,
    conjunction,
    disjunction,
    matches,
    negation,
)
from hocket.verify.model import Kind, Variable
from hocket.verify.readers.github_values import (
    ANY_KIND,
    has_kind,
    is_among,
    is_truthy,
    kinds_of,
    loosely_equal,
    number,
    show,
    text_of,
)

__all__ = [
    "MOST_CASES", "RESULTS", "Cases", "Known", "Leaf", "Open", "Scope", "cases", "condition", "is_off",
    "rests_on_caller", "spell",
]  # fmt: skip

STRING = frozenset({Kind.STRING})
SUCCEEDED = frozenset({Outcome.SUCCEEDED})
FAILED = frozenset({Outcome.FAILED})

# what needs.<job>.result can be, and which outcomes that is
RESULTS: dict[str, frozenset[Outcome]] = {
    "success": SUCCEEDED,
    "failure": FAILED,
    "cancelled": frozenset({Outcome.CANCELLED}),
    "skipped": frozenset({Outcome.SKIPPED, Outcome.ABSENT}),
}
# parts of the github context that are never empty
_NEVER_EMPTY = frozenset(
    f"github.{name}"
    for name in (
        "event_name",
        "repository",
        "repository_owner",
        "run_id",
        "run_number",
        "run_attempt",
        "sha",
        "actor",
        "workflow",
    )
)
MOST_CASES = 32
_WORDS_OF = {"startswith": How.STARTS, "endswith": How.ENDS, "contains": How.CONTAINS}


@dataclass(frozen=True, slots=True)
class Known:
    value: Value


@dataclass(frozen=True, slots=True)
class Open:
    variable: str


@dataclass(frozen=True, slots=True)
class Joined:
    parts: tuple[str | Open, ...]


Leaf = Known | Open | Joined
Cases = list[tuple[Formula, Leaf]]


@dataclass
class Scope:
    """What names mean where an expression stands; `variables` is shared by a whole graph and grows."""

    variables: dict[str, Variable]
    workflow: str  # github.workflow: the name of the workflow that was triggered, also inside a called one
    events: tuple[str, ...] | None = None  # what github.event_name can be
    needs: dict[str, str] = field(default_factory=dict)  # job id in lower case -> task name
    further: frozenset[str] = frozenset()  # job ids behind those: what their results are here is not documented
    inputs: dict[str, Cases] | None = None  # inside a called workflow: what the caller passed
    input_kinds: dict[str, frozenset[Kind]] = field(default_factory=dict)
    outputs: dict[str, frozenset[str] | None] = field(default_factory=dict)  # job id -> declared outputs, None: unknown
    matrix: dict[str, tuple[Value, ...] | None] = field(default_factory=dict)
    place: str = ""  # the task whose expression this is

    def variable(
        self, name: str, kinds: frozenset[Kind], values: tuple[Value, ...] | None = None, owner: str = ""
    ) -> Open:
        self.variables.setdefault(name, Variable(name, kinds, values, owner))
        return Open(name)

    def guess(self, name: str) -> Open:
        """Something of which nobody knows what it is: nothing is impossible because of it."""
        self.variables.setdefault(name, Variable(name, ANY_KIND, guess=True))
        return Open(name)

    def free(self, expression: Expression) -> Formula:
        """What is not understood: a boolean of its own, the same wherever the same text means the same."""
        local = any(
            isinstance(part, Context) and part.name not in ("github", "vars", "secrets") for part in walk(expression)
        )
        name = (f"{self.place}: " if local and self.place else "") + show(expression)
        return Equal(self.variable(name, frozenset({Kind.BOOLEAN})).variable, True)


def condition(found: Template | None, text: str, scope: Scope) -> Formula:
    """The formula of an `if:`, with the `success()` that GitHub puts before a condition without a status function."""
    if found is None or not text.strip():
        return _success(())
    single = found.single
    if single is None:  # text around ${{ }}: GitHub makes a string of it, and a string that is not empty is true
        return _success(()) if not any(_asks_status(part) for part in found.expressions) else TRUE
    return truth(single, scope) if _asks_status(single) else conjunction((_success(()), truth(single, scope)))


# -- truth ------------------------------------------------------------------------------------------------------------


def truth(expression: Expression, scope: Scope) -> Formula:
    """When GitHub takes this expression's value for true."""
    match expression:
        case And(parts):
            return conjunction(truth(part, scope) for part in parts)
        case Or(parts):
            return disjunction(truth(part, scope) for part in parts)
        case Invert(part):
            return negation(truth(part, scope))
        case Compare("==" | "!=" as sign, left, right):
            same = _equal(left, right, expression, scope)
            return same if sign == "==" else negation(same)
        case Compare():
            return scope.free(expression)
        case Call(name, arguments):
            return _call(name, arguments, expression, scope)
    return disjunction(conjunction((guard, _truthy(leaf, scope))) for guard, leaf in cases(expression, scope))


def _call(name: str, arguments: tuple[Expression, ...], whole: Expression, scope: Scope) -> Formula:
    match name, arguments:
        case "always", _:
            return TRUE
        case "cancelled", _:
            return Interrupted()
        case "success", names:
            return _success(_named(names, scope))
        case "failure", names:
            chosen = _named(names, scope)
            return disjunction(Is(job, FAILED) for job in chosen) if chosen else Ancestors(False, FAILED)
        case "contains", (Access(Access(Context("needs"), Star()), Literal("result")), Literal(str(word))):
            ways = RESULTS.get(word.lower())
            return disjunction(Is(task, ways) for task in scope.needs.values()) if ways else FALSE
        case "contains", (Call("fromjson", (Literal(str(text)),)), item):
            return _among(text, item, whole, scope)
        case (("contains" | "startswith" | "endswith"), (where, Literal(str(text)))):
            return _matches(_WORDS_OF[name], where, text.lower(), whole, scope)
    return scope.free(whole)


def _success(chosen: Iterable[str]) -> Formula:
    named = tuple(chosen)
    ran = conjunction(Is(task, SUCCEEDED) for task in named) if named else Ancestors(True, SUCCEEDED)
    return conjunction((ran, negation(Interrupted())))


def _named(arguments: tuple[Expression, ...], scope: Scope) -> tuple[str, ...]:
    words = [argument.value for argument in arguments if isinstance(argument, Literal)]
    return tuple(scope.needs[word.lower()] for word in words if isinstance(word, str) and word.lower() in scope.needs)


def is_off(expression: Expression) -> bool:
    """Whether a condition is false by what is written out in it alone (`false`, `x && false`): somebody meant that."""
    match expression:
        case Literal(value):
            return not is_truthy(value)
        case And(parts):
            return any(is_off(part) for part in parts)
        case Or(parts):
            return all(is_off(part) for part in parts)
    return False


def rests_on_caller(expression: Expression) -> bool:
    """Whether a condition asks what a caller decides for a workflow: its inputs, and the event that began it all."""
    asked = (part.key if isinstance(part, Access) else part for part in walk(expression))
    return not {Context("inputs"), Literal("event_name"), Literal("event")}.isdisjoint(asked)


def _asks_status(expression: Expression) -> bool:
    return any(isinstance(part, Call) and part.name in STATUS for part in walk(expression))


def _equal(left: Expression, right: Expression, whole: Expression, scope: Scope) -> Formula:
    ways = []
    one, other = cases(left, scope), cases(right, scope)
    if len(one) * len(other) > MOST_CASES:
        return scope.free(whole)
    for guard, a in one:
        for more, b in other:
            both = conjunction((guard, more))
            if both != FALSE:
                ways.append(conjunction((both, _same(a, b, whole, scope))))
    return disjunction(ways)


def _same(left: Leaf, right: Leaf, whole: Expression, scope: Scope) -> Formula:
    match left, right:
        case Known(a), Known(b):
            return TRUE if loosely_equal(a, b) else FALSE
        case Open(name), Known(value):
            return _open_equal(scope.variables[name], value)
        case Known(), Open():
            return _same(right, left, whole, scope)
    return TRUE if left == right else scope.free(whole)


def _open_equal(variable: Variable, value: Value) -> Formula:
    """An open variable against a known value, by GitHub's rules: same types compare, other types become numbers."""
    count = number(value)
    ways: list[Value] = []
    if isinstance(value, str):
        ways.append(value.lower())
    elif Kind.STRING in variable.kinds:
        ways.extend(["", "0"] if count == 0 else [] if math.isnan(count) else [f"{count:g}"])
    if Kind.NULL in variable.kinds and count == 0:
        ways.append(None)
    if Kind.BOOLEAN in variable.kinds and count in (0, 1):
        ways.append(bool(count))
    if Kind.NUMBER in variable.kinds and not math.isnan(count):
        ways.append(float(count))
    allowed = [way for way in ways if has_kind(way, variable.kinds) and is_among(way, variable.values)]
    return disjunction(Equal(variable.name, way) for way in allowed)


def _truthy(leaf: Leaf, scope: Scope) -> Formula:
    match leaf:
        case Known(value):
            return TRUE if is_truthy(value) else FALSE
        case Joined(parts):
            return (
                TRUE
                if any(isinstance(part, str) and part for part in parts)
                else disjunction(_truthy(part, scope) for part in parts if isinstance(part, Open))
            )
        case Open(name):
            if name in _NEVER_EMPTY:
                return TRUE
            variable = scope.variables[name]
            falsy = [
                way
                for way in (None, False, 0.0, "")
                if has_kind(way, variable.kinds) and is_among(way, variable.values)
            ]
            return conjunction(negation(Equal(name, way)) for way in falsy)


def _matches(how: How, where: Expression, text: str, whole: Expression, scope: Scope) -> Formula:
    ways = []
    for guard, leaf in cases(where, scope):
        match leaf:
            case Known(value):
                ways.append(guard if matches(how, text_of(value).lower(), text) else FALSE)
            case Open(name) if scope.variables[name].kinds <= {Kind.STRING, Kind.NULL}:
                ways.append(conjunction((guard, Matches(name, how, text) if text else TRUE)))
            case _:
                return scope.free(whole)
    return disjunction(ways)


def _among(text: str, item: Expression, whole: Expression, scope: Scope) -> Formula:
    """`contains(fromJSON('[…]'), item)`: the item equals one of the list's values."""
    try:
        listed: Any = json.loads(text)
    except ValueError:
        return scope.free(whole)
    if not isinstance(listed, list) or not all(isinstance(value, str | int | float | None) for value in listed):
        return scope.free(whole)
    values = [float(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in listed]
    return disjunction(_equal(item, Literal(value), whole, scope) for value in values)


# -- values -----------------------------------------------------------------------------------------------------------


def cases(expression: Expression, scope: Scope) -> Cases:
    """What the expression's value can be, each with when; the guards exclude each other and leave nothing out."""
    match expression:
        case Literal(value):
            return [(TRUE, Known(value))]
        case Context() | Access():
            return _lookup(expression, scope)
        case Or(parts):
            return _first(parts, scope, True)
        case And(parts):
            return _first(parts, scope, False)
        case Call("format", (Literal(str(pattern)), *rest)):
            return _format(pattern, rest, expression, scope)
        case Invert() | Compare():
            yes = truth(expression, scope)
            return [(when, Known(answer)) for when, answer in ((yes, True), (negation(yes), False)) if when != FALSE]
        case Call(name, _) if name in STATUS or name in _WORDS_OF:
            yes = truth(expression, scope)
            return [(when, Known(answer)) for when, answer in ((yes, True), (negation(yes), False)) if when != FALSE]
    return [(TRUE, _opaque(expression, scope))]


def _opaque(expression: Expression, scope: Scope) -> Open:
    local = any(
        isinstance(part, Context) and part.name not in ("github", "vars", "secrets") for part in walk(expression)
    )
    return scope.variable((f"{scope.place}: " if local and scope.place else "") + show(expression), ANY_KIND)


def _first(parts: tuple[Expression, ...], scope: Scope, stop: bool) -> Cases:
    """`a || b` is the first true one (`stop`), `a && b` the first false one; else the last."""
    found: Cases = []
    reached: Formula = TRUE
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        onward = []
        for guard, leaf in cases(part, scope):
            yes = _truthy(leaf, scope)
            here = conjunction((reached, guard))
            stays = here if last else conjunction((here, yes if stop else negation(yes)))
            if stays != FALSE:
                found.append((stays, leaf))
            onward.append(conjunction((guard, negation(yes) if stop else yes)))
        reached = conjunction((reached, disjunction(onward)))
        if reached == FALSE or len(found) > MOST_CASES:
            break
    if len(found) > MOST_CASES:
        whole = Or(parts) if stop else And(parts)
        return [(TRUE, _opaque(whole, scope))]
    return found


def _format(pattern: str, rest: list[Expression], whole: Expression, scope: Scope) -> Cases:
    found: list[tuple[Formula, tuple[str | Open, ...]]] = [(TRUE, ())]
    for piece in _pieces(pattern):
        if isinstance(piece, str):
            found = [(guard, (*parts, piece)) for guard, parts in found]
            continue
        if piece >= len(rest):
            return [(TRUE, _opaque(whole, scope))]
        found = [
            (conjunction((guard, more)), parts + spell(leaf))
            for guard, parts in found
            for more, leaf in cases(rest[piece], scope)
        ]
        if len(found) > MOST_CASES:
            return [(TRUE, _opaque(whole, scope))]
    return [(guard, _joined(parts)) for guard, parts in found if guard != FALSE]


def _pieces(pattern: str) -> list[str | int]:
    """`a{0}b` as `["a", 0, "b"]`; `{{` and `}}` are braces."""
    pieces: list[str | int] = []
    text, position = "", 0
    while position < len(pattern):
        two = pattern[position : position + 2]
        if two in ("{{", "}}"):
            text, position = text + two[0], position + 2
            continue
        end = pattern.find("}", position) if pattern[position] == "{" else -1
        if end > 0 and pattern[position + 1 : end].isdigit():
            pieces.extend((text, int(pattern[position + 1 : end])))
            text, position = "", end + 1
            continue
        text, position = text + pattern[position], position + 1
    return [piece for piece in (*pieces, text) if piece != ""]


def _joined(parts: tuple[str | Open, ...]) -> Leaf:
    return (
        Known("".join(str(part) for part in parts)) if all(isinstance(part, str) for part in parts) else Joined(parts)
    )


def spell(leaf: Leaf) -> tuple[str | Open, ...]:
    match leaf:
        case Known(value):
            return (text_of(value).lower(),)
        case Open():
            return (leaf,)
        case Joined(parts):
            return tuple(part.lower() if isinstance(part, str) else part for part in parts)


# -- names ------------------------------------------------------------------------------------------------------------


def _lookup(expression: Expression, scope: Scope) -> Cases:
    """What a context's member can be."""
    path = _path(expression)
    if path is None:
        return [(TRUE, _opaque(expression, scope))]
    match path:
        case ("github", "workflow"):
            return [(TRUE, Known(scope.workflow))]
        case ("github", "event_name"):
            return [(TRUE, scope.variable("github.event_name", STRING, scope.events))]
        case ("github", "event", *_):
            return [(TRUE, scope.variable(".".join(path), ANY_KIND))]
        case ("github" | "vars" | "secrets" | "env" | "runner", _):
            return [(TRUE, scope.variable(".".join(path), STRING))]
        case ("inputs", name):
            return _input(name, scope)
        case ("matrix", name, *deeper):
            values = None if deeper else scope.matrix.get(name)
            return [(TRUE, scope.variable(f"{scope.place}: {'.'.join(path)}", kinds_of(values), values))]
        case ("needs", job, "result") if job in scope.needs:
            return [(Is(scope.needs[job], ways), Known(word)) for word, ways in RESULTS.items()]
        case ("needs", job, "outputs", name) if job in scope.needs:
            return _output(job, name, scope)
        case ("needs", job, *_) if job in scope.further:
            return [(TRUE, scope.guess(f"{scope.place}: {'.'.join(path)}"))]
        case ("needs", job, *_) if job not in scope.needs:
            return [(TRUE, Known(None))]
    return [(TRUE, _opaque(expression, scope))]


def _input(name: str, scope: Scope) -> Cases:
    if scope.inputs is not None:
        return scope.inputs.get(name, [(TRUE, Known(None))])
    return [(TRUE, scope.variable(f"inputs.{name}", scope.input_kinds.get(name, ANY_KIND)))]


def _output(job: str, name: str, scope: Scope) -> Cases:
    declared = scope.outputs.get(job)
    if declared is not None and name not in declared:
        return [(TRUE, Known(None))]
    task = scope.needs[job]
    return [(TRUE, scope.variable(f"{task}.outputs.{name}", frozenset({Kind.STRING, Kind.NULL}), owner=task))]


def _path(expression: Expression) -> tuple[str, ...] | None:
    """`a.b['c']` as ("a", "b", "c") in lower case, or None if a step is computed."""
    steps: list[str] = []
    while isinstance(expression, Access):
        if not isinstance(expression.key, Literal) or not isinstance(expression.key.value, str):
            return None
        steps.append(expression.key.value.lower())
        expression = expression.base
    return (expression.name, *reversed(steps)) if isinstance(expression, Context) else None
