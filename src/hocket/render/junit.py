"""Cases as JUnit XML, as pytest writes it and as every CI server reads it: one test case for each thing checked.

What is violated or unknown is a failure, what cannot be used is an error. Counts
ride along as properties; the text of the case is the body of its failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from hocket.render.rows import Case, printable

__all__ = ["junit"]


def junit(cases: Iterable[Case]) -> str:
    """The XML document, with one suite for each kind of case."""
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.kind, []).append(case)
    root = ElementTree.Element("testsuites", name="hocket")
    for kind, inside in suites.items():
        root.append(_suite(kind, inside))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _suite(kind: str, cases: list[Case]) -> ElementTree.Element:
    bad = [case for case in cases if case.verdict != "holds"]
    unusable = sum(case.verdict == "unusable" for case in bad)
    suite = ElementTree.Element(
        "testsuite",
        name=printable(f"hocket.{kind}"),
        tests=str(len(cases)),
        errors=str(unusable),
        failures=str(len(bad) - unusable),
        skipped="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    suite.extend([_case(case) for case in cases])
    return suite


def _case(case: Case) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase",
        classname=printable(f"hocket.{case.kind}"),
        name=printable(case.name),
        time=f"{case.seconds:.3f}",
    )
    properties = ElementTree.SubElement(element, "properties")
    for name, value in {"verdict": case.verdict, **case.counts}.items():
        ElementTree.SubElement(properties, "property", name=printable(f"hocket_{name}"), value=printable(str(value)))
    if case.verdict != "holds":
        errors = [row for row in case.rows if row.severity == "error"] or list(case.rows)
        first = errors[0].message if errors else case.text.partition("\n")[0]
        kind = "error" if case.verdict == "unusable" else "failure"
        told = ElementTree.SubElement(element, kind, type=case.verdict, message=printable(first))
        told.text = printable(case.text)
    return element
