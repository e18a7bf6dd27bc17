"""A class body looks into its own namespace first, also for names that only its metaclass or `locals()` put there."""

from __future__ import annotations

import pytest

import hocket
from tests.unit.explore_shared.side_by_side import probes, ran

SOURCE = """
class Meta(type):
    @classmethod
    def __prepare__(cls, name, bases): return {'given': 'by the metaclass', 'count': 'the own one'}
given, found, count = 'global', 'global', 0
def up():
    global count, given
    count += 1
    given = given
def run(s, log):
    up()
    class Local(metaclass=Meta):
        locals()['found'] = 'in the class'
        a, b, c = given, found, count
        def d(self): return given, found, count
        e = [count for _ in 'x']
    class Plain:
        global count
        a = count, given
        count = 7
        b = count
    return Local.a, Local.b, Local.c, Local().d(), Local.e, Plain.a, Plain.b, count
class Top(metaclass=Meta):
    locals()['found'] = 'in the class'
    a = given, found, count
def told(): return Top.a
"""


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("executed", [False, True])
def test_a_name_is_found_where_plain_code_finds_it(executed, direct):
    source = SOURCE.replace("return Local.a", "return told(), Local.a")
    plain = ran(source, again=False)
    with probes():
        assert ran(source, again=True, executed=executed, direct=direct) == plain


class Namespace:
    """What a program may execute text in: it can be asked for names and given some, and nothing else."""

    def __init__(self):
        self.names = {}

    def __getitem__(self, name):
        return self.names[name]

    def __setitem__(self, name, value):
        self.names[name] = value


def test_an_actor_executes_text_in_a_namespace_of_its_own_making():
    def body():
        names, own = {"outer": 1, "Meta": Meta}, Namespace()
        exec("x = outer\ny = x + 1\nclass A(metaclass=Meta):\n  made = unknown, y\nb = A.made", names, own)
        assert own.names["b"] == ("unknown", 2)
        assert own.names["y"] == 2

    class Unknown(dict):
        def __missing__(self, name):
            if name != "unknown":  # who answered to all would answer for the probes as well
                raise KeyError(name)
            return name

    class Meta(type):
        @classmethod
        def __prepare__(cls, name, bases):
            return Unknown(y=2)

    assert body() is None
    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), str(result)
