"""What a user claims about an order, in one line, and how it is read.

    build before deploy        whenever both run, build has ended when deploy starts ("always before" is the same)
    migrate never with deploy  the two never run at the same time
    deploy requires test       whenever deploy runs, test has ended before, and succeeded
    build can run before lint  there is a run in which build has ended when lint starts
    nightly can run            there is a run in which it runs
    report always runs         it runs in every run that nobody cancels
    deploy runs unless failed  it runs in every run that nobody cancels and in which no other task fails

Whether it is so is decided in `docket`, one answer for each form in `answers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hocket.errors import SourceError
from hocket.verify.model import NOWHERE, Span

__all__ = ["CURE", "Assertion", "parse_assertion"]

_FORMS = (
    ("can run before", r"(?P<a>.+?)\s+can\s+run\s+before\s+(?P<b>.+)"),
    ("never with", r"(?P<a>.+?)\s+never\s+(?:together\s+)?with\s+(?P<b>.+)"),
    ("requires", r"(?P<a>.+?)\s+requires\s+(?P<b>.+)"),
    ("before", r"(?P<a>.+?)\s+(?:always\s+)?before\s+(?P<b>.+)"),
    ("can run", r"(?P<a>.+?)\s+can\s+run(?P<b>)"),
    ("always runs", r"(?P<a>.+?)\s+always\s+runs(?P<b>)"),
    ("runs unless failed", r"(?P<a>.+?)\s+runs\s+unless\s+(?:something\s+)?fail(?:ed|s)(?P<b>)"),
)
_PATTERNS = tuple((form, re.compile(pattern, re.IGNORECASE)) for form, pattern in _FORMS)
CURE = (
    "write 'A before B', 'A never with B', 'A requires B', 'A can run before B', 'A can run', 'A always runs' or "
    "'A runs unless failed'"
)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One claim: its form (a key of the table above), and the tasks it is about (`second` may be empty)."""

    form: str
    first: str
    second: str = ""
    place: Span = field(default=NOWHERE, compare=False)  # where the claim itself stands, if it stands in a file

    def __str__(self) -> str:
        return f"{self.first} {self.form} {self.second}".strip()


def parse_assertion(text: str) -> Assertion:
    """Read one assertion; raises SourceError with the forms there are."""
    words = text.strip()
    for form, pattern in _PATTERNS:
        match = pattern.fullmatch(words)
        if match:
            return Assertion(form, match["a"].strip(), match["b"].strip())
    raise SourceError(f"{text!r} is no assertion", cure=CURE)
