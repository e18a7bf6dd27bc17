"""Regular expressions as z3 terms, for those formats whose conditions hold them (GitLab's `=~`, Step Functions).

Python's own parser takes an expression apart; literals, classes, groups, choices
and repetitions become a z3 regular language, and anchors at its ends decide what
may stand around it. Replay asks Python's `re`, so a slip of the translation shows
as a run that cannot be replayed, never as a finding.

`expressible` is the gate: whatever it refuses (lookaround, back references, an
anchor in the middle, a repetition in a repetition, which can take Python for
ever) a reader must treat as a condition that it does not understand. Classes and
cases are those of ASCII, as in RE2, which GitLab uses.
"""

from __future__ import annotations

import re
from typing import Any

try:  # the parser has been private since 3.11, and has not changed
    from re import _constants as words  # type: ignore[attr-defined]  # typeshed leaves it out
    from re import _parser as parser  # type: ignore[attr-defined]  # typeshed leaves it out
except ImportError:  # pragma: no cover
    words = parser = None

__all__ = ["LONGEST", "Terms", "between", "example", "expressible", "parsed"]

LONGEST = 300  # characters of an expression
_MOST_COPIES = 50
_HIGHEST = 0x2FFFF  # z3's last character

_CLASSES = {
    "CATEGORY_DIGIT": ((48, 57),),
    "CATEGORY_SPACE": ((9, 13), (32, 32)),
    "CATEGORY_WORD": ((48, 57), (65, 90), (95, 95), (97, 122)),
}
_FLAGS = re.IGNORECASE | re.ASCII
_STARTS = ("AT_BEGINNING", "AT_BEGINNING_STRING")
_ENDS = ("AT_END", "AT_END_STRING")


def expressible(pattern: str) -> bool:
    """Whether z3 can be asked about this expression, and Python's `re` answers quickly on any text."""
    if parser is None or len(pattern) > LONGEST:
        return False
    try:
        tree = parser.parse(pattern, int(re.ASCII))
    except (re.error, RecursionError, OverflowError, ValueError):
        return False
    ways = _ways(list(tree))
    return (
        not tree.state.flags & ~_FLAGS
        and len(ways) <= _MOST_COPIES
        and all(_plain(between(items)[1], repeated=False) for items in ways)
    )


def parsed(pattern: str) -> tuple[list[list[Any]], bool]:
    """The whole expressions of which one has to be found, in Python's words, and whether case does not count."""
    tree = parser.parse(pattern, int(re.ASCII))
    return _ways(list(tree)), bool(tree.state.flags & re.IGNORECASE)


def _ways(items: list[Any]) -> list[list[Any]]:
    """The expression as a choice between whole expressions, wherever a choice or a group has an anchor in it."""
    for place, (kind, value) in enumerate(items):
        if str(kind) not in ("BRANCH", "SUBPATTERN") or not _anchored(value):
            continue
        choices = value[1] if str(kind) == "BRANCH" else [value[3]]
        found: list[list[Any]] = []
        for choice in choices:
            found.extend(_ways([*items[:place], *choice, *items[place + 1 :]]))
            if len(found) > _MOST_COPIES:
                break
        return found
    return [items]


def _anchored(value: Any) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if str(one) == "AT":
            return True
        if isinstance(one, tuple | list | parser.SubPattern):
            waiting.extend(one)
    return False


def between(items: list[Any]) -> tuple[bool, list[Any], str]:
    """(whether it is anchored at the beginning, what is between, how at the end: '', AT_END or the strict one)."""
    starts = bool(items) and _anchor(items[0]) in _STARTS
    rest = items[1:] if starts else items
    ends = _anchor(rest[-1]) if rest else ""
    return (starts, rest[:-1], ends) if ends in _ENDS else (starts, rest, "")


def _anchor(item: Any) -> str:
    return str(item[1]) if str(item[0]) == "AT" else ""


def _plain(items: Any, repeated: bool) -> bool:
    for kind, value in items:
        match str(kind):
            case "LITERAL" | "NOT_LITERAL" | "ANY":
                continue
            case "IN":
                if not all(str(one) in ("LITERAL", "RANGE", "NEGATE") or _known(one, what) for one, what in value):
                    return False
            case "BRANCH":
                if not all(_plain(branch, repeated) for branch in value[1]):
                    return False
            case "SUBPATTERN":
                _, on, off, inside = value
                if on or off or not _plain(inside, repeated):
                    return False
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, inside = value
                if repeated or least > _MOST_COPIES or (most is not words.MAXREPEAT and most > _MOST_COPIES):
                    return False
                if not _plain(inside, repeated=most is words.MAXREPEAT or most > 1):
                    return False
            case _:
                return False
    return True


def _known(kind: Any, what: Any) -> bool:
    return str(kind) == "CATEGORY" and str(what).replace("NOT_", "") in _CLASSES


def example(pattern: str) -> str:
    """A short text that the expression probably fits, for who only wants to try one."""
    try:
        return _example(parser.parse(pattern)) if parser is not None else ""
    except (re.error, RecursionError, OverflowError, ValueError):
        return ""


def _example(items: Any) -> str:
    return "".join(_letter_for(str(kind), value) for kind, value in items)


def _letter_for(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(int(value))
        case "IN":
            first, what = value[0]
            code = what[0] if str(first) == "RANGE" else what if str(first) == "LITERAL" else 0
            return chr(int(code)) if code else " " if str(what) == "CATEGORY_SPACE" else "0"
        case "BRANCH":
            return _example(value[1][0])
        case "SUBPATTERN":
            return _example(value[3])
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _example(value[2]) * int(value[0])
    return "" if kind == "AT" else "x"


class Terms:
    """Translates expressions into terms of one z3 context; asks for what `expressible` accepted."""

    def __init__(self, z3: Any, context: Any) -> None:
        self.z3, self.context = z3, context
        self.sort = z3.ReSort(z3.StringSort(context))

    def found_in(self, text: Any, pattern: str) -> Any:
        """That the expression is found somewhere in the string term `text`."""
        whole, self.folded = parsed(pattern)
        ways = [self._in(text, *between(items)) for items in whole]
        return self.z3.Or(ways) if len(ways) > 1 else ways[0]

    def _in(self, text: Any, starts: bool, items: list[Any], ends: str) -> Any:
        anything = [self.z3.Full(self.sort)]
        line = [self.z3.Option(self._span(10, 10))]  # `$` also stands before a last line break
        after = anything if not ends else line if ends == "AT_END" else []
        return self.z3.InRe(text, self._joined([*([] if starts else anything), self._all(items), *after]))

    def _all(self, items: Any) -> Any:
        return self._joined([self._one(str(kind), value) for kind, value in items])

    def _one(self, kind: str, value: Any) -> Any:
        match kind:
            case "LITERAL":
                return self._letters(value, value)
            case "NOT_LITERAL":
                return self._but(self._letters(value, value))
            case "ANY":
                return self._but(self._span(10, 10))
            case "IN":
                return self._class(value)
            case "BRANCH":
                return self._either([self._all(branch) for branch in value[1]])
            case "SUBPATTERN":
                return self._all(value[3])
        least, most, inside = value
        term = self._all(inside)
        if most is words.MAXREPEAT:
            return self._joined([*[term] * least, self.z3.Star(term)])
        return self._joined([*[term] * least, *[self.z3.Option(term)] * (most - least)])

    def _class(self, items: Any) -> Any:
        negated = str(items[0][0]) == "NEGATE"
        parts = []
        for kind, value in items[negated:]:
            match str(kind):
                case "LITERAL":
                    parts.append(self._letters(value, value))
                case "RANGE":
                    parts.append(self._letters(*value))
                case _:
                    name = str(value)
                    spans = self._either([self._span(*span) for span in _CLASSES[name.replace("NOT_", "")]])
                    parts.append(self._but(spans) if "NOT_" in name else spans)
        return self._but(self._either(parts)) if negated else self._either(parts)

    def _letters(self, low: int, high: int) -> Any:
        """A span of characters, and without case also the other case of each."""
        spans = {(low, high)}
        if self.folded:
            both = "".join(chr(code).lower() + chr(code).upper() for code in range(low, min(high, 127) + 1))
            spans |= {(ord(letter), ord(letter)) for letter in both}
        return self._either([self._span(*span) for span in sorted(spans)])

    def _span(self, low: int, high: int) -> Any:
        return self.z3.Range(self._char(low), self._char(high))

    def _char(self, code: int) -> Any:
        return self.z3.StringVal(f"\\u{{{min(code, _HIGHEST):x}}}", self.context)

    def _but(self, term: Any) -> Any:
        return self.z3.Intersect(self.z3.Complement(term), self._span(0, _HIGHEST))

    def _either(self, parts: list[Any]) -> Any:
        return self.z3.Union(*parts) if len(parts) > 1 else parts[0]

    def _joined(self, parts: list[Any]) -> Any:
        if not parts:
            return self.z3.Re(self.z3.StringVal("", self.context))
        return self.z3.Concat(*parts) if len(parts) > 1 else parts[0]
