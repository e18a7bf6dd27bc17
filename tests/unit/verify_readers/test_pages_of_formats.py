"""The pages on formats: every example has the finding that is said, where it is said, and the formats are all there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hocket
from hocket.verify.readers import FORMATS

pytest.importorskip("z3")

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = re.findall(
    r"^```\w+ (\S+) (\w+) (\d+):(\d+)\n(.*?)^```$", (DOCS / "how-to" / "verify-each-format.md").read_text(), re.M | re.S
)


def test_there_are_seven_examples():
    assert len(EXAMPLES) == 7


@pytest.mark.parametrize(("format", "code", "line", "column", "text"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_an_example_has_exactly_the_finding_that_is_said(format, code, line, column, text):
    found = [(one.code, one.line, one.column) for one in hocket.verify(text).findings]
    assert found == [(code, int(line), int(column))]


def test_the_example_of_our_own_format_holds_and_every_format_has_its_row():
    page = (DOCS / "reference" / "formats.md").read_text()
    example = re.search(r"## Our own format\n\n((?:    .*\n)+)", page)
    assert example is not None
    assert hocket.verify(re.sub(r"^    ", "", example.group(1), flags=re.M)).findings == ()
    told = set(re.findall(r"^\| `([\w-]+)` \|", page.partition("PyYAML is needed")[0], re.M))
    assert told >= set(FORMATS) - {"subsystems", "plan"}
    assert told <= set(FORMATS)


def test_the_reader_of_the_how_to_page_reads(tmp_path):
    page = (DOCS / "how-to" / "write-a-reader.md").read_text()
    code = re.search(r"((?:    .*\n|\n)+?)    # pyproject", page)
    assert code is not None
    names: dict = {}
    exec(re.sub(r"^    ", "", code.group(1), flags=re.M), names)
    from hocket.verify.source import Source

    reading = names["Lines"]().read(Source("x.lines", "a\nb < a\n"))
    assert [edge.before for edge in reading.graph.tasks["b"].edges] == ["a"]
