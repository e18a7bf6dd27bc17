"""The page of findings: every broken example has exactly its finding, every repaired one has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hocket
from hocket.verify.certificate import audit
from hocket.verify.codes import CODES
from hocket.verify.judge import read_graph
from hocket.verify.replay import Run

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "findings.md").read_text()
SECTIONS = {
    section[:4]: re.findall(r"```\w+ (\w+)\n(.*?)```", section, re.DOTALL)
    for section in PAGE.split("\n## ")[1:] if re.match(r"G\d{3} ", section)
}  # fmt: skip
# not shown as one text: a missing file, a question that nobody could answer, a part that was not read
ELSEWHERE = {"G011", "G090", "G091"}


def test_every_code_has_its_section_in_order():
    assert list(SECTIONS) == [code for code in CODES if code not in ELSEWHERE]
    for code in SECTIONS:
        assert f"\n## {code} {CODES[code].title}\n" in PAGE


@pytest.mark.parametrize("code", SECTIONS)
def test_the_broken_example_has_exactly_this_finding(code):
    format, text = SECTIONS[code][0]
    report = hocket.verify(text, format=format, notes=True)
    assert [finding.code for finding in report.findings] == [code]
    (finding,) = report.findings
    assert finding.line > 0
    assert finding.cure
    assert report.verdict == ("violated" if finding.is_error else "holds")


@pytest.mark.parametrize("code", SECTIONS)
def test_the_repaired_example_has_none_and_its_certificate_is_accepted(code):
    format, text = SECTIONS[code][1]
    report = hocket.verify(text, format=format, notes=True)
    assert report.findings == ()
    assert report.verdict == "holds"
    verdict = audit(report.certificate, read_graph(text, format))
    assert type(verdict).__name__ in ("Holds", "Unknown")


@pytest.mark.parametrize("code", ["G006", "G013", "G017", "G018", "G019", "G020", "G022", "G024"])
def test_what_can_happen_is_shown_as_a_run(code):
    format, text = SECTIONS[code][0]
    (finding,) = hocket.verify(text, format=format).findings
    assert isinstance(finding.witness, Run)
