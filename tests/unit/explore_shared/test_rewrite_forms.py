"""Rewritten programs do what they did: every form of the syntax, one by one."""

from __future__ import annotations

import ast

import pytest

from tests.unit.explore_shared.forms import FORMS
from tests.unit.explore_shared.side_by_side import probes, ran

_GONE = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "ExtSlice", "Index", "AugLoad", "AugStore", "Param",
         "Suite"}
_LATER = {"TypeAlias", "TemplateStr", "Interpolation"}  # 3.12 and 3.14: in files of their own


@pytest.mark.parametrize("name", FORMS)
def test_a_rewritten_form_does_the_same_in_the_same_order(name):
    plain = ran(FORMS[name], again=False)
    with probes():
        assert ran(FORMS[name], again=True) == plain


@pytest.mark.parametrize("name", [name for name in FORMS if name != "chains"])
def test_it_does_so_where_everything_is_false(name):
    plain = ran(FORMS[name], again=False, truth=False)
    with probes():
        assert ran(FORMS[name], again=True, truth=False) == plain


@pytest.mark.parametrize("name", FORMS)
def test_it_does_so_with_calls_in_direct_form(name):
    plain = ran(FORMS[name], again=False)
    with probes():
        assert ran(FORMS[name], again=True, direct=True) == plain


def test_only_a_false_outcome_within_a_chain_that_is_no_bool_is_asked_for_its_truth_twice():
    source = "def run(s, log): return s < s.a < s.b"
    plain = ran(source, again=False, truth=False)
    with probes():
        rewritten = ran(source, again=True, truth=False)
    assert plain[1] == ["'s .a'", "'s lt <(s .a)>'", "'(s lt <(s .a)>) bool'"]
    assert rewritten == (plain[0], [*plain[1], plain[1][-1]], plain[2])


@pytest.mark.parametrize("name", FORMS)
def test_it_does_so_as_an_executed_text_too(name):
    plain = ran(FORMS[name], again=False)
    with probes():
        assert ran(FORMS[name], again=True, executed=True) == plain


def test_every_kind_of_statement_expression_and_pattern_is_among_the_forms():
    kinds = {kind.__name__ for base in (ast.stmt, ast.expr, ast.pattern) for kind in base.__subclasses__()}
    used = {type(node).__name__ for source in FORMS.values() for node in ast.walk(ast.parse(source))}
    assert kinds - _GONE - _LATER - used == set()
