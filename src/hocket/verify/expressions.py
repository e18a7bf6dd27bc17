"""GitHub's expression language, parsed: `${{ … }}` in any string, and the conditions of `if:`.

The grammar is that of GitHub's own parser (actions/languageservices,
`expressions/src`): literals, contexts with `.name`, `[index]` and `.*`, calls,
`!`, comparisons, `&&`, `||`. Chains of `&&` and `||` become one node with many
parts, and nesting is bounded, so nothing that reads the tree can recurse too far.
Refused: regular expressions over the text, which see `always()` in a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hocket.verify.formula import Value

__all__ = [
    "DEPTH", "STATUS", "Access", "And", "Call", "Compare", "Context", "Expression", "Invert", "Literal", "Or",
    "Star", "SyntaxProblem", "Template", "parse", "template", "walk",
]  # fmt: skip

DEPTH = 50  # GitHub's own bound on the depth of an expression
STATUS = frozenset({"success", "failure", "cancelled", "always"})

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)(?![\w.]))"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>()\[\].,*])"
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "nan": float("nan"), "infinity": float("inf")}


class SyntaxProblem(Exception):
    """An expression that GitHub would refuse; `offset` is where, from its first character."""

    def __init__(self, message: str, offset: int) -> None:
        self.message, self.offset = message, offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class Context:
    name: str  # lower case: names are compared without case


@dataclass(frozen=True, slots=True)
class Star:
    """`.*` or `[*]`: all the values of an object or an array."""


@dataclass(frozen=True, slots=True)
class Access:
    base: Expression
    key: Expression | Star


@dataclass(frozen=True, slots=True)
class Call:
    name: str  # lower case
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Invert:
    part: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Expression, ...]


Expression = Literal | Context | Access | Call | Invert | Compare | And | Or


@dataclass(frozen=True, slots=True)
class Template:
    """A string with `${{ }}` in it: literal text and expressions in turn, with the offset of each expression."""

    parts: tuple[str | Expression, ...]
    offsets: tuple[int, ...]

    @property
    def single(self) -> Expression | None:
        """The expression, if the whole string is one."""
        shown = [part for part in self.parts if not isinstance(part, str) or part.strip()]
        return shown[0] if len(shown) == 1 and not isinstance(shown[0], str) else None

    @property
    def expressions(self) -> Iterator[Expression]:
        return (part for part in self.parts if not isinstance(part, str))


def parse(text: str) -> Expression:
    """The tree of one expression (without `${{ }}`); raises SyntaxProblem."""
    return _Parser(text).whole()


def template(text: str) -> Template:
    """A string taken apart at its `${{ }}`; raises SyntaxProblem, its offset counted from the string's beginning."""
    parts: list[str | Expression] = []
    offsets: list[int] = []
    position = 0
    while (start := text.find("${{", position)) >= 0:
        end = _closing(text, start + 3)
        if start > position:
            parts.append(text[position:start])
        try:
            parts.append(parse(text[start + 3 : end]))
        except SyntaxProblem as problem:
            raise SyntaxProblem(problem.message, problem.offset + start + 3) from None
        offsets.append(start)
        position = end + 2
    if position < len(text):
        parts.append(text[position:])
    return Template(tuple(parts), tuple(offsets))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything within it, outermost first."""
    waiting: list[Expression] = [expression]
    while waiting:
        here = waiting.pop()
        yield here
        match here:
            case Access(base, key):
                waiting.extend((base,) if isinstance(key, Star) else (key, base))
            case Call(_, parts) | And(parts) | Or(parts):
                waiting.extend(reversed(parts))
            case Invert(part):
                waiting.append(part)
            case Compare(_, left, right):
                waiting.extend((right, left))


def _closing(text: str, start: int) -> int:
    """Where the `}}` of an expression stands: the first one outside a string."""
    position, quoted = start, False
    while position < len(text):
        if text[position] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", position):
            return position
        position += 1
    raise SyntaxProblem("'${{' without its '}}'", start - 3)


class _Parser:
    """Recursive descent, bounded by DEPTH: one method per level of precedence."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        found = self._or()
        if self._kind != "end":
            raise SyntaxProblem(f"{self._text!r} is not expected here", self._offset)
        return found

    @property
    def _kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def _text(self) -> str:
        return self.tokens[self.at][1]

    @property
    def _offset(self) -> int:
        return self.tokens[self.at][2]

    def _take(self, *signs: str) -> str:
        """The current sign if it is one of these, and go on; else ''."""
        kind, text, _ = self.tokens[self.at]
        if kind != "sign" or text not in signs:
            return ""
        self.at += 1
        return text

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise SyntaxProblem(
                f"{sign!r} is missing" + (f" before {self._text!r}" if self._text else ""), self._offset
            )

    def _or(self) -> Expression:
        self.depth += 1
        if self.depth > DEPTH:
            raise SyntaxProblem(f"nested deeper than {DEPTH} levels", self._offset)
        parts = [self._and()]
        while self._take("||"):
            parts.append(self._and())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Expression:
        parts = [self._equality()]
        while self._take("&&"):
            parts.append(self._equality())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _equality(self) -> Expression:
        return self._chain(self._comparison, "==", "!=")

    def _comparison(self) -> Expression:
        return self._chain(self._not, "<", "<=", ">", ">=")

    def _chain(self, part: Callable[[], Expression], *signs: str) -> Expression:
        found = part()
        links = 0
        while sign := self._take(*signs):
            links += 1
            if links > DEPTH:
                raise SyntaxProblem(f"more than {DEPTH} comparisons in a row", self._offset)
            found = Compare(sign, found, part())
        return found

    def _not(self) -> Expression:
        times = 0
        while self._take("!"):
            times += 1
        found = self._postfix()
        for _ in range(times if times < 3 else 2 - times % 2):  # !!!x is !x: the depth stays bounded
            found = Invert(found)
        return found

    def _postfix(self) -> Expression:
        found = self._primary()
        links = 0
        while sign := self._take(".", "["):
            links += 1
            if links > DEPTH:
                raise SyntaxProblem(f"more than {DEPTH} steps into a value", self._offset)
            found = Access(found, self._dotted() if sign == "." else self._indexed())
        return found

    def _dotted(self) -> Expression | Star:
        if self._take("*"):
            return Star()
        if self._kind != "name":
            raise SyntaxProblem("a name is missing after '.'", self._offset)
        name = self._text
        self.at += 1
        return Literal(name)

    def _indexed(self) -> Expression | Star:
        key: Expression | Star = Star() if self._take("*") else self._or()
        self._need("]")
        return key

    def _primary(self) -> Expression:
        kind, text, offset = self.tokens[self.at]
        if self._take("("):
            found = self._or()
            self._need(")")
            return found
        if kind not in ("number", "string", "name"):
            raise SyntaxProblem(
                f"a value is missing before {text!r}" if text else "it ends where a value should stand", offset
            )
        self.at += 1
        if kind == "number":
            return Literal(float(int(text, 0)) if "x" in text or "o" in text else float(text))
        if kind == "string":
            return Literal(text[1:-1].replace("''", "'"))
        return self._named(text.lower())

    def _named(self, name: str) -> Expression:
        if self._take("("):
            return Call(name, self._arguments())
        return Literal(_WORDS[name]) if name in _WORDS else Context(name)

    def _arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        if self._take(")"):
            return ()
        while True:
            found.append(self._or())
            if not self._take(","):
                break
        self._need(")")
        return tuple(found)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            quote = " (strings stand between single quotes)" if text[position] == '"' else ""
            raise SyntaxProblem(f"{text[position]!r} means nothing here{quote}", position)
        if match.lastgroup != "space":
            yield str(match.lastgroup), match.group(), position
        position = match.end()
    yield "end", "", position
