"""What random programs with threads are made of: a row a family of things that threads share.

`made` makes the shared thing `s`; `reads` are expressions, `deeds` statements, one a line,
and ` ¶ ` breaks a line. `K` stands for a small key, `N` for a number that is not used twice. What nothing
may depend on is left out: addresses, the order of texts in a set, the time.
"""

# ruff: noqa: E501  # rows of a table

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FAMILIES", "Family"]


class Family(NamedTuple):
    """A kind of shared thing, and what threads do with it."""

    name: str
    made: str
    reads: str
    deeds: str
    end: str = "s"
    before: str = ""  # classes and functions of the module
    drops: bool = False  # whether it matters when a name is dropped


def _attributes(name: str, made: str, end: str, before: str, reads: str = "", deeds: str = "") -> Family:
    """Families of attributes share most rows."""
    return Family(name, made, "s.a\ngetattr(s, 'a', -1)\nhasattr(s, 'a')\n(s.a, s.a)" + reads,
                  "s.a = N\ns.a += 1\ns.a = s.a + N\nsetattr(s, 'a', N)" + deeds, end, before)


_OWN = ("\ngetattr(s, 'b', None)\nhasattr(s, 'b')\nsorted(vars(s).items())\ns.__dict__.get('a')\n'b' in s.__dict__\nlen(vars(s))"
        "\ndict(s.__dict__)\n[x for x in vars(s)]\ndir(s)[-2:]\nvars(s) == {'a': 0}")
_OWN_DEEDS = ("\ns.b = N\ndel s.b\ndelattr(s, 'b')\ns.__dict__['b'] = N\ns.__dict__.update(a=N)\nvars(s).pop('b', None)"
              "\nif not hasattr(s, 'b'): s.b = N\ns.__dict__ = {'a': N}\ns.a, s.b = N, N\nvars(s).setdefault('b', N)\ns.__dict__.clear()")

_ATTRIBUTES = (
    _attributes("attributes of an instance", "s = C()\ns.a = 0", "sorted(vars(s).items())", "class C: pass", _OWN, _OWN_DEEDS),
    _attributes("attributes of a class", "class s:\n    a = 0", "s.a, getattr(s, 'b', None)", "",
                "\ngetattr(s, 'b', None)\n'b' in vars(s)\ns().a\ns.__dict__['a']\nvars(s).get('b')",
                "\ns.b = N\ndel s.b\nif not hasattr(s, 'b'): s.b = N\ntype.__setattr__(s, 'a', N)"),
    _attributes("attributes that are inherited", "class B: a = 0\nclass C(B): pass\ns = C()", "s.a, C.a, B.a, sorted(vars(s))", "",
                "\nC.a\nB.a\nC().a\ngetattr(C, 'b', None)\ns.__class__.a\ntype(s).a\n'a' in C.__dict__\n'a' in vars(s)\nsuper(C, s).a",
                "\nC.a = N\nB.a = N\ndel s.a\ndel C.a\nB.b = N\nC.a += 1\ns.__class__.a = N\ntype(s).a += N"),
    _attributes("slots", "s = C()\ns.a = 0", "getattr(s, 'a', None), getattr(s, 'b', None)", "class C:\n    __slots__ = ('a', 'b')",
                "\ngetattr(s, 'b', None)\nC.a.__get__(s)\nC.a.__get__(s, C)\nhasattr(s, 'b')",
                "\ns.b = N\ndel s.b\nC.a.__set__(s, N)\nC.b.__set__(s, N)\nC.a.__delete__(s)"),
    _attributes("a property", "s = C()", "s._a", """class C:
    def __init__(self): self._a = 0
    @property
    def a(self): return self._a
    @a.setter
    def a(self, value): self._a = value
    @a.deleter
    def a(self): self._a = -1""", "\nC.a.fget(s)\nC.a.__get__(s)", "\ndel s.a\nC.a.fset(s, N)\nC.a.__set__(s, N)"),
    _attributes("a descriptor", "s = C()", "sorted(vars(s).items())", """class D:
    def __set_name__(self, owner, name): self.at = '_' + name
    def __get__(self, o, kind=None): return self if o is None else vars(o).get(self.at, 0)
    def __set__(self, o, value): vars(o)[self.at] = value
class C: a = D()""", "\nC.a.at\nvars(s).get('_a')", "\nvars(s)['_a'] = N\nvars(s).pop('_a', 0)"),
    _attributes("a descriptor that does not set", "s = C()", "s.a, sorted(vars(s).items())", """class D:
    x = 0
    def __get__(self, o, kind=None): return self.x
class C: a = D()""", "\nC.a\nC.__dict__['a'].x", "\nC.__dict__['a'].x = N\ndel s.a\nvars(C)['a'].x += 1"),
    _attributes("attributes that are looked up by __getattr__", "s = C()", "sorted(vars(s)['d'].items()), sorted(vars(s))", """class C:
    def __init__(self): self.d = {'a': 0}
    def __getattr__(self, name):
        try: return vars(self)['d'][name]
        except KeyError: raise AttributeError(name) from None""",
                "\ns.b\ns.d['a']\ngetattr(s, 'b', None)", "\ns.d['b'] = N\ns.d['a'] += 1\ndel s.a\ns.d.pop('a', None)\ns.d = {'a': N}"),
    _attributes("attributes by __getattribute__ and __setattr__", "s = C()", "sorted(object.__getattribute__(s, '__dict__').items())", """class C:
    def __init__(self): object.__setattr__(self, 'a', 0)
    def __getattribute__(self, name): return object.__getattribute__(self, name)
    def __setattr__(self, name, value): object.__setattr__(self, name, value)
    def __delattr__(self, name): object.__delattr__(self, name)""", "\ngetattr(s, 'b', None)", "\ns.b = N\ndel s.b\nobject.__setattr__(s, 'a', N)"),
    _attributes("attributes of a metaclass", "class M(type):\n    a = 0\nclass C(metaclass=M): pass\ns = C", "M.a, s.a, 'a' in vars(C)", "",
                "\nM.a\ntype(C).a\nC.__class__.a", "\nM.a = N\nM.a += 1\ndel C.a"),
    _attributes("super and methods", "s = C()", "s.a", """class B:
    a = 0
    def get(self): return self.a
    def set(self, value): self.a = value
    @classmethod
    def all(cls): return cls.a
    @staticmethod
    def of(o): return o.a
class C(B):
    def get(self): return super().get()
    def set(self, value): super().set(value + super().get())""",
                "\ns.get()\nC.get(s)\ns.all()\nC.all()\ns.of(s)\nsuper(C, s).get()\nB.get(s)", "\ns.set(N)\nC.set(s, N)\nB.a = N\nC.a = N\nf = s.set; f(N)"),
    _attributes("a dataclass", "s = C()", "s, s.b", """import dataclasses
@dataclasses.dataclass(order=True)
class C:
    a: int = 0
    b: list = dataclasses.field(default_factory=list)""",
                "\ns\ns == C()\ns < C(1)\ndataclasses.astuple(s)\ndataclasses.asdict(s)\ndataclasses.replace(s, b=[]).a\nlen(s.b)\nstr(s)\nf'{s}'\nC(s.a).a",
                "\ns.b.append(N)\ns.b = [N]\ns.__init__(N)"),
    _attributes("a frozen dataclass and its holder", "s = H()\ns.a = F(0, (1,))", "s.a", """import dataclasses
@dataclasses.dataclass(frozen=True)
class F:
    x: int
    y: tuple
    def moved(self, by): return dataclasses.replace(self, x=self.x + by)
class H: pass""", "\ns.a.x\ns.a == F(0, (1,))\nhash(s.a) == hash(F(0, (1,)))\ns.a in {F(0, (1,)): 1}", "\ns.a = F(N, ())\ns.a = F(2, s.a.y)"),
    _attributes("a SimpleNamespace", "s = types.SimpleNamespace(a=0)", "s", "import types", "\ns\ns == types.SimpleNamespace(a=0)\nstr(s)\nsorted(vars(s))",
                "\ns.b = N\ndel s.b\ns.__dict__.update(b=N)\ns.__dict__['a'] = N"),
    _attributes("attributes of a function", "def s(): return s.a\ns.a = 0", "s.a, sorted(vars(s))", "", "\ns()\nvars(s).get('b')\ns.__dict__", "\ns.b = N\ndel s.b\ns.__dict__['a'] = N"),
    _attributes("attributes of an exception", "s = E(1)\ns.a = 0", "s.a, s.args", "class E(Exception): pass", "\ns.args\nstr(s)\nrepr(s)\ns.args[0]", "\ns.args = (N,)\ns.args = (*s.args, N)"),
    Family("attribute getters", "s = C(); s.a = 0; s.o = C(); s.o.a = 0\nget = operator.attrgetter('a'); deep = operator.attrgetter('o.a'); both = operator.attrgetter('a', 'o.a')\ncall = operator.methodcaller('m')",
           "get(s)\ndeep(s)\nboth(s)\ncall(s)\nmax([s, s.o], key=get).a\nsorted([s, s.o], key=get)[0].a\nlist(map(get, [s, s.o]))\nfunctools.reduce(lambda x, y: x + y.a, [s, s.o], 0)",
           "s.a = N\ns.o.a = N\ns.o = C(); s.o.a = N\ns.o.a += 1\ns.o = s", "s.a, s.o.a", "import functools, operator\nclass C:\n    def m(self): return self.a"),
)

_ITEMS = (
    Family("a list", "s = [1, 2, 3]", """
        s[0]
        s[-1]
        s[K]
        s[1:]
        s[-2:]
        len(s)
        s
        list(s)
        tuple(s)
        2 in s
        9 not in s
        [x for x in s]
        [x for x in s if x > 1]
        sum(s)
        max(s)
        min(s, default=0)
        sorted(s)
        sorted(s, key=lambda x: -x)
        s == [1, 2, 3]
        s != [1, 2]
        s < [1, 2, 4]
        bool(s)
        not s
        (lambda *a: a)(*s)
        [*s, 0]
        {*s}
        s + [0]
        s * 2
        s.index(2)
        s.count(2)
        s.copy()
        any(s)
        all(s)
        any(x > 2 for x in s)
        list(map(str, s))
        list(filter(None, s))
        list(zip(s, s))
        list(enumerate(s))
        list(reversed(s))
        list(itertools.islice(s, 2))
        list(itertools.chain(s, s))
        list(itertools.islice(itertools.cycle(s), 5))
        list(itertools.accumulate(s))
        list(itertools.pairwise(s))
        list(itertools.zip_longest(s, [1]))
        list(itertools.compress(s, [1, 0, 1]))
        list(itertools.starmap(divmod, [(x, 2) for x in s]))
        list(itertools.takewhile(lambda x: x < 3, s))
        list(itertools.product(s, [1]))
        list(itertools.combinations(s, 2))
        functools.reduce(operator.add, s)
        functools.reduce(lambda x, y: x * 10 + y, s, 0)
        operator.itemgetter(0)(s)
        operator.getitem(s, 0)
        operator.contains(s, 2)
        operator.length_hint(s)
        ','.join(map(str, s))
        ','.join([str(x) for x in s])
        '%s' % s
        '%s %s' % (s[0], s)
        f'{s}'
        f'{s[0]:3}'
        '{}'.format(s)
        '{0[0]}'.format(s)
        str(s)
        copy.copy(s)
        copy.deepcopy(s)
        dict.fromkeys(s, 0)
        set(s)
        frozenset(s)
        collections.Counter(s)
        collections.deque(s)
        bytes(s)
        range(*s)
        divmod(*s[:2])
        print(*s, file=io.StringIO())
        next(iter(s), None)
        next((x for x in s if x > 1), None)
        s and s[0]
        s or 0
        s[0] if s else None
        statistics.mean(s)
        math.prod(s)
        math.fsum(s)
        math.gcd(*s)
        heapq.nlargest(2, s)
        heapq.nsmallest(1, s)
        bisect.bisect(s, 2)
        json.dumps(s)
        pickle.loads(pickle.dumps(s))
        struct.pack('3b', *s)
        list(s.__iter__())
        s.__len__()
        s.__getitem__(0)
        list.__getitem__(s, 0)
        repr(s)
        id(s) == id(s)
        isinstance(s, list)
        tuple(x + y for x in s for y in s if x < y)
        {x: 1 for x in s}
        (lambda a, *b: (a, b))(*s)
        [a for a, in [s[:1]]]
        s.__eq__([1, 2, 3])
        all(map(operator.eq, s, [1, 2, 3]))
        types.SimpleNamespace(x=s)
        functools.partial(sum, s)()
        functools.partial(max)(s)
        ascii(s)
        textwrap.dedent(str(s))
    """, """
        s[0] = N
        s[-1] = N
        s[K] = N
        s.append(N)
        s.insert(0, N)
        s.extend([N, N])
        s += [N]
        s *= 2
        s[1:] = [N]
        s[:0] = [N]
        s[:] = []
        del s[0]
        del s[-1]
        del s[1:]
        s.pop()
        s.pop(0)
        s.remove(2)
        s.clear()
        s.reverse()
        s.sort()
        s.sort(key=lambda x: -x)
        s[0] += 1
        s[0], s[1] = s[1], s[0]
        s[-1] += N
        note(s.pop())
        if s: s.pop()
        if 2 in s: s.remove(2)
        if len(s) < 4: s.append(N)
        a, *b = s; note(a, b)
        a, b, c = s; note(a, b, c)
        (a, b), c = s[:2], s[2]; note(a, b, c)
        [a, _, b] = s; note(a, b)
        for x in s: note(x)
        for x in list(s): s.append(x)
        for i, x in enumerate(s): note(i, x)
        for x in reversed(s): note(x)
        while s: note(s.pop())
        for i in range(len(s)): note(s[i])
        for i in range(len(s)): s[i] += 1
        match s: ¶     case [1, *rest]: note('one', rest) ¶     case []: note('none') ¶     case _: note('other')
        match s: ¶     case [_, _, _]: note(3) ¶     case [_, _, _, x]: note(x)
        heapq.heappush(s, N)
        note(heapq.heappop(s))
        heapq.heapify(s)
        heapq.heapreplace(s, N)
        bisect.insort(s, N)
        operator.setitem(s, 0, N)
        operator.iadd(s, [N])
        operator.delitem(s, 0)
        random.Random(1).shuffle(s)
        s.__setitem__(0, N)
        list.append(s, N)
        add = s.append; add(N); add(N)
        s.__iadd__([N])
        s.__init__([N])
        s[::2] = [N, N]
        s.extend(x + 1 for x in s)
        s.extend(map(int, list(s)))
        s.extend(s)
        [s.append(x) for x in (N, N)]
        collections.deque(map(s.append, (N, N)), 0)
        list(map(s.pop, [0]))
        assert s, 'empty'
        assert len(s) == 3
        note(*s)
        s[len(s):] = [N]
        s[len(s) - 1] = N
        for s[0] in (N, N): pass
        with contextlib.suppress(IndexError): s.pop()
        it = iter(s); next(it); s.append(N); note(*it)
    """, "s", "import bisect, collections, contextlib, copy, functools, heapq, io, itertools, json, math, operator, pickle, random, statistics, struct, textwrap, types"),
    Family("a dict", "s = {0: 'a', 1: 'b'}", """
        s[0]
        s[K]
        s.get(2)
        s.get(K, -1)
        1 in s
        K not in s
        len(s)
        s
        list(s)
        list(s.keys())
        list(s.values())
        list(s.items())
        sorted(s)
        [k for k in s]
        {k: v for k, v in s.items()}
        [v for v in s.values()]
        s == {0: 'a', 1: 'b'}
        s != {}
        bool(s)
        not s
        {**s, 5: 5}
        s | {5: 5}
        {5: 5} | s
        dict(s)
        s.copy()
        [*s]
        tuple(s.items())
        max(s)
        max(s, key=s.get)
        min(s, key=lambda k: s[k])
        sorted(s, key=s.get)
        sorted(s.items(), key=lambda e: e[1])
        sum(s)
        any(s)
        all(s.values())
        next(iter(s))
        next(iter(s.values()), None)
        list(reversed(s))
        s.keys() & {0, 2}
        s.keys() - {0}
        s.keys() == {0, 1}
        s.items() >= {(0, 'a')}
        0 in s.keys()
        'b' in s.values()
        (0, 'a') in s.items()
        (lambda **k: sorted(k))(**{str(k): v for k, v in s.items()})
        dict(zip(s, s.values()))
        list(map(s.get, [0, 1, 2]))
        list(map(s.__getitem__, s))
        list(filter(s.get, [0, 1, 2]))
        operator.itemgetter(0)(s)
        operator.itemgetter(0, 1)(s)
        copy.copy(s)
        copy.deepcopy(s)
        f'{s}'
        f'{s[0]}'
        '%s' % s[0]
        '%(x)s' % {'x': s}
        '{0[0]}'.format(s)
        ','.join(s.values())
        ''.join(sorted(s.values()))
        types.MappingProxyType(s)[0]
        dict(types.MappingProxyType(s))
        collections.ChainMap({}, s)[0]
        dict(collections.ChainMap({7: 7}, s))
        collections.OrderedDict(s)
        collections.Counter(s.values())
        json.dumps(s)
        pickle.loads(pickle.dumps(s))
        list(itertools.chain(s, s.values()))
        len(s.keys())
        len(s.values())
        s.__contains__(0)
        dict.get(s, 0)
        s.__len__()
        str(s)
        list(s)[0]
        list(s)[-1]
        s.get(0) or s.get(1)
        s[0] if 0 in s else None
        's'.translate(s)
        'abc'.maketrans(s)
        list(enumerate(s.items()))
        set(s)
        frozenset(s.items()) == frozenset({(0, 'a'), (1, 'b')})
        eval('sorted(s)', {'s': s})
        isinstance(s.keys(), collections.abc.Set)
        s.keys().isdisjoint([7])
        list(zip(*s.items()))
        dict(sorted(s.items(), reverse=True))
    """, """
        s[0] = N
        s[K] = N
        s[2] = N
        s[1.0] = N
        s[True] = N
        del s[0]
        del s[K]
        s.pop(0)
        s.pop(K, None)
        s.popitem()
        s.clear()
        s.update({2: N})
        s.update([(K, N)])
        s.update(x=N)
        s.setdefault(2, N)
        note(s.setdefault(K, N))
        s |= {2: N}
        s[0] += 'x'
        s[0] = s.get(0, '') + 'y'
        s[2] = s.pop(1)
        if 2 not in s: s[2] = N
        if K in s: del s[K]
        try: s[2] ¶ except KeyError: s[2] = N
        for k in s: note(k)
        for k, v in s.items(): note(k, v)
        for v in s.values(): note(v)
        for k in list(s): s.pop(k)
        for k in list(s): del s[k]
        for k in s: s[k] = N
        while s: note(s.popitem())
        a, b = s; note(a, b)
        (a, b), *c = s.items(); note(a, b, c)
        match s: ¶     case {0: x}: note(x) ¶     case _: note('no')
        match s: ¶     case {0: x, **rest}: note(x, rest) ¶     case _: note('no')
        match s: ¶     case {5: x}: note(x) ¶     case {1: y}: note(y)
        operator.setitem(s, 0, N)
        operator.delitem(s, 1)
        operator.ior(s, {2: N})
        s.__setitem__(2, N)
        s.__delitem__(1)
        dict.__setitem__(s, 0, N)
        s.__ior__({1: N})
        s.__init__({5: N})
        s.update(s)
        s.update((k + 1, v) for k, v in list(s.items()))
        s.update(dict.fromkeys((0, 5), N))
        exec('s[0] = 77', {'s': s})
        v = s.values(); note(len(v)); note(list(v))
        v = s.items(); note((0, 'a') in v); note(len(v))
        it = iter(s); note(next(it)); note(list(it))
        s[0], s[1] = s[1], s[0]
        s[K] = s[K] = N
        with contextlib.suppress(KeyError): del s[0]
        for s[3] in (N, N): pass
        note(**{str(k): v for k, v in s.items()})
        note(*s.values())
    """, "s", "import collections, collections.abc, contextlib, copy, itertools, json, operator, pickle, types"),
    Family("a set", "s = {1, 2}", """
        1 in s
        5 not in s
        len(s)
        sorted(s)
        s == {1, 2}
        s <= {1, 2, 3}
        s < {1, 2}
        s >= {1}
        s & {1, 5}
        s | {5}
        s - {1}
        s ^ {1, 5}
        {1, 5} & s
        s.union([5])
        s.intersection([1])
        s.difference({1})
        s.issubset({1, 2})
        s.issuperset([1])
        s.isdisjoint([1])
        s.copy()
        sum(s)
        max(s)
        any(s)
        bool(s)
        [x for x in sorted(s)]
        sorted([x for x in s])
        frozenset(s) == {1, 2}
        list(map(s.__contains__, [1, 5]))
        list(filter(s.__contains__, [1, 5]))
        copy.copy(s)
        len(list(s))
        sorted([*s, 0])
        f'{len(s)}'
        {1} in [s]
        hash(frozenset(s)) == hash(frozenset({1, 2}))
        {1, 2} == s
        s in [{1}, {1, 2}]
        s.symmetric_difference({1})
        set().union(s, [7]) == {1, 2, 7}
        [1, 2] in [list(s)]
        isinstance(s, set) and 1 in s
    """, """
        s.add(N)
        s.add(5)
        s.discard(1)
        s.remove(1)
        s.remove(5)
        s.clear()
        s.update([5, N])
        s |= {5}
        s &= {1}
        s -= {1}
        s ^= {1, 5}
        s.difference_update([2])
        s.intersection_update([2])
        s.symmetric_difference_update({1})
        s.pop()
        if 5 not in s: s.add(5); note('in')
        if 1 in s: s.remove(1)
        for x in s: note(x)
        for x in list(s): s.discard(x)
        for x in sorted(s): s.add(x + 10)
        while s: note(s.pop())
        a, b = s; note(a + b)
        set.add(s, N)
        s.__ior__({N})
        s.__init__({N})
        add = s.add; add(N)
        list(map(s.add, [5, 6]))
        operator.ior(s, {5})
    """, "sorted(s)", "import copy, operator"),
    Family("a deque", "s = collections.deque([1, 2, 3])", """
        s[0]
        s[-1]
        len(s)
        list(s)
        s
        2 in s
        s.count(2)
        s.index(2)
        sum(s)
        sorted(s)
        [x for x in s]
        s == collections.deque([1, 2, 3])
        bool(s)
        s.copy()
        s + s
        list(reversed(s))
        list(itertools.islice(s, 1, 2))
        s.maxlen
        copy.copy(s)
        tuple(s)
        max(s, default=None)
        s < collections.deque([2])
    """, """
        s.append(N)
        s.appendleft(N)
        s.pop()
        note(s.popleft())
        s.extend([N, N])
        s.extendleft([N, N])
        s.rotate(1)
        s.rotate(-1)
        s.remove(2)
        s.clear()
        s.insert(1, N)
        s.reverse()
        s[0] = N
        s[-1] += 1
        del s[0]
        s += [N]
        s *= 2
        if s: note(s.popleft())
        while s: note(s.popleft())
        for x in s: note(x)
        for x in list(s): s.append(x)
        a, *b = s; note(a, b)
        s.rotate(len(s))
        list(map(s.append, [N]))
        s.extend(s)
        s.__init__([N])
    """, "list(s)", "import collections, copy, itertools"),
    Family("a bounded deque", "s = collections.deque([1, 2], maxlen=2)", "s[0]\nlen(s)\nlist(s)\ns\n1 in s\ns.copy()\ns + s\nsum(s)",
           "s.append(N)\ns.appendleft(N)\ns.extend([N, N])\ns.pop()\ns.rotate()\ns[0] = N\nif len(s) == s.maxlen: note(s[0])\ns.insert(0, N)\nfor x in s: note(x)", "list(s)", "import collections"),
    Family("an OrderedDict", "s = collections.OrderedDict([(0, 'a'), (1, 'b')])", """
        s[0]
        s.get(K)
        list(s)
        list(s.items())
        s
        s == collections.OrderedDict([(0, 'a'), (1, 'b')])
        s == {0: 'a', 1: 'b'}
        next(iter(s))
        next(reversed(s))
        len(s)
        1 in s
        dict(s)
        s.copy()
        s | {5: 5}
        [k for k in s]
        list(reversed(s.items()))
        bool(s)
        copy.copy(s)
        {**s}
        max(s)
    """, """
        s[0] = N
        s[K] = N
        s[2] = N
        del s[0]
        s.move_to_end(0)
        s.move_to_end(1, last=False)
        s.popitem()
        note(s.popitem(last=False))
        s.pop(0)
        s.pop(K, None)
        s.update({2: N})
        s.setdefault(2, N)
        s.clear()
        s |= {2: N}
        for k in s: note(k)
        for k, v in s.items(): note(k, v)
        if len(s) > 1: s.popitem(last=False)
        s[0] = s.pop(1)
        while s: s.popitem()
        if 0 in s: s.move_to_end(0)
    """, "list(s.items())", "import collections, copy"),
    Family("a defaultdict", "s = collections.defaultdict(list)\ns[0].append(1)", """
        s[0]
        s[K]
        s.get(1)
        1 in s
        len(s)
        sorted(s)
        sorted(s.items())
        s[0] == [1]
        len(s[K])
        dict(s)
        s.default_factory is list
        s.copy()
        s | {9: 9}
        sum(map(len, s.values()))
        s.__missing__(7)
    """, """
        s[K].append(N)
        s[1].append(N)
        s[0] = [N]
        s[K] += [N]
        del s[K]
        s.pop(K, None)
        s.setdefault(K, []).append(N)
        s.default_factory = None
        s.clear()
        for k, v in s.items(): note(k, v)
        for v in s.values(): v.append(N)
        for k in list(s): note(s[k])
        if not s[1]: s[1].append(N)
        s.update({1: [N]})
    """, "sorted(s.items())", "import collections"),
    Family("a defaultdict with a factory of its own", "made = []\ndef new():\n    made.append(len(made))\n    return len(made)\ns = collections.defaultdict(new)",
           "s[0]\ns[K]\ns.get(0)\nlen(s)\nsorted(s.items())\n0 in s\nlen(made)\ns.__getitem__(K)\noperator.getitem(s, 0)\nlist(map(s.__getitem__, [0, 1]))\noperator.itemgetter(0)(s)",
           "s[0] += 1\ns[K] += 1\ns[0] = N\ndel s[0]\ns.pop(0, None)\ns.clear()\nnote(s[0], s[0])", "sorted(s.items()), made", "import collections, operator"),
    Family("a Counter", "s = collections.Counter([0, 0, 1])", """
        s[0]
        s[7]
        s.most_common(1)
        s.most_common()
        sorted(s.elements())
        s.total()
        sum(s.values())
        s + collections.Counter([0])
        s - collections.Counter([0])
        s == collections.Counter([0, 0, 1])
        s & collections.Counter([0])
        s <= collections.Counter([0, 0, 1])
        len(s)
        sorted(s.items())
        s.copy()
        +s
        repr(s)
        0 in s
        max(s, key=s.get)
    """, """
        s[0] += 1
        s[K] += 1
        s[2] -= 1
        s.update([0, 1])
        s.update({2: N})
        s.subtract([0])
        del s[0]
        del s[9]
        s += collections.Counter([1])
        s -= collections.Counter([0])
        s.clear()
        s.pop(0, None)
        for k, v in s.items(): note(k, v)
        s |= collections.Counter([4])
    """, "sorted(s.items())", "import collections"),
    Family("a ChainMap", "d, e = {0: 'a'}, {0: 'b', 1: 'c'}\ns = collections.ChainMap(d, e)", """
        s[0]
        s[1]
        s.get(K)
        1 in s
        len(s)
        sorted(s.items())
        dict(s)
        s.maps[0]
        s.new_child({7: 7})[0]
        s.parents[0]
        bool(s)
        s == {0: 'a', 1: 'c'}
        list(s)
        d
        e
    """, """
        s[0] = N
        s[1] = N
        del s[0]
        s.pop(0)
        s.clear()
        d[K] = N
        e[K] = N
        del e[0]
        s.maps.append({5: N})
        s.maps[0] = {0: N}
        s.update({2: N})
        s.setdefault(2, N)
        s.popitem()
        for k in s: note(k)
    """, "d, e, s.maps", "import collections"),
    Family("a bytearray", "s = bytearray(b'abc')", """
        s[0]
        s[-1]
        s[1:]
        len(s)
        bytes(s)
        s
        98 in s
        b'b' in s
        s.find(b'c')
        s.decode()
        s + b'x'
        s == b'abc'
        list(s)
        s.upper()
        s.hex()
        [x for x in s]
        sum(s)
        s.startswith(b'a')
        s.count(b'a')
        int.from_bytes(s, 'big')
        struct.unpack('B', s[:1])
        b''.join([s, s])
        b'-'.join([s])
        b'%s' % s
        str(s, 'ascii')
        memoryview(s)[0]
        bytes(memoryview(s))
        s < b'b'
        s.split(b'b')
        array.array('b', s)
        io.BytesIO(s).read()
        zlib.crc32(s)
        binascii.hexlify(s)
        base64.b64encode(s)
        hashlib.md5(s).hexdigest()
    """, """
        s[0] = N
        s[-1] = N
        s.append(N)
        s.extend(b'xy')
        s += b'z'
        s *= 2
        s[1:] = b'q'
        del s[0]
        s.pop()
        s.insert(0, N)
        s.remove(97)
        s.reverse()
        s.clear()
        s[0] += 1
        if s: s.pop()
        for x in s: note(x)
        memoryview(s)[0] = N
        struct.pack_into('B', s, 0, N)
        a, *b = s; note(a, b)
        io.BytesIO(b'Q').readinto(s)
        s[:] = b''
    """, "bytes(s)", "import array, base64, binascii, hashlib, io, struct, zlib"),
    Family("a memoryview", "o = bytearray(b'abc')\ns = memoryview(o)", "s[0]\ns[-1]\nbytes(s)\ns.tolist()\nlen(s)\ns[1:].tobytes()\nlist(s)\ns == b'abc'\n97 in s\no\no[0]\nbytes(o)\ns.hex()\n[x for x in s]\nsum(s)",
           "s[0] = N\ns[-1] = N\no[0] = N\ns[:2] = b'xy'\ns[0] += 1\nt = s[1:]; t[0] = N\nfor x in s: note(x)\no[1] += 1\no.append(N)\ns[1:][0] = N", "bytes(o)"),
    Family("an array", "s = array.array('i', [1, 2, 3])", "s[0]\ns[-1]\nlen(s)\nlist(s)\ns\n2 in s\ns.index(2)\ns.tolist()\nsum(s)\ns[1:]\ns == array.array('i', [1, 2, 3])\n[x for x in s]\ns.count(1)\nbytes(s)[0]\ns + s\nmax(s)",
           "s[0] = N\ns.append(N)\ns.pop()\ns.extend([N])\ns.insert(0, N)\ns[0] += 1\ndel s[0]\ns.reverse()\ns += array.array('i', [N])\nfor x in s: note(x)\ns.remove(1)\ns[1:] = array.array('i', [N])\ns.fromlist([N])", "list(s)", "import array"),
    Family("a tuple of lists", "s = ([1], [2])", "s[0]\ns\ns[0][0]\nlen(s[1])\n[x for x, in s]\ns == ([1], [2])\nsum(s, [])\nmax(s)\nsorted(s)\nlist(map(len, s))\nlist(zip(*s))\ncopy.deepcopy(s)\n[1] in s\ns.index([2])\nhash(tuple(map(tuple, s))) == 0\nf'{s}'\nmax(s, key=len)\nlist(itertools.chain(*s))\nlist(itertools.chain.from_iterable(s))\nany(s)\nall(s)\njson.dumps(s)\ns < ([1], [3])",
           "s[0].append(N)\ns[1].clear()\ns[0][0] = N\ns[0][:], s[1][:] = s[1], s[0]\ns[1].pop()\nfor x in s: x.append(N)\n(a,), (b,) = s; note(a, b)\ns[0] += [N]\ns[0].extend(s[1])\nmatch s: ¶     case ([1], x): note(x) ¶     case (_, [2]): note('2')", "s", "import copy, itertools, json"),
    Family("nested containers", "s = {'x': [1], 'y': {'z': 0}}", "s\ns['x'][0]\ns['y']['z']\nlen(s['x'])\ncopy.deepcopy(s)\ncopy.copy(s)['x']\ns == {'x': [1], 'y': {'z': 0}}\nstr(s)\njson.dumps(s)\ns.get('y', {}).get('z')\nsum(s['x'])\n[v for v in s.values()]\nsorted(s)\n{**s['y']}\npickle.loads(pickle.dumps(s))\nf'{s}'\n'{0[x][0]}'.format(s)\n'%(x)s' % s\n'{x}'.format(**s)\n'{x[0]}'.format_map(s)\nlist(s.values())\npprint.pformat(s)",
           "s['x'].append(N)\ns['x'] = [N]\ns['y']['z'] += 1\ns['y']['w'] = N\ns['y'] = {'z': N}\ndel s['x']\ns['x'], s['y'] = s['y'], s['x']\ns.setdefault('q', []).append(N)\ns['x'] += [N]\nmatch s: ¶     case {'x': [a]}: note(a) ¶     case {'y': {'z': b}}: note(b)\ns['y'].update(z=N)\ns['x'].append(len(s['x']))", "s", "import copy, json, pickle, pprint"),
)

_ITERATORS = (
    Family("a shared generator", "s = gen()", "next(s, None)\nlist(s)\nsum(s)\nnext(s)\n[x for x in s]\nlist(itertools.islice(s, 2))\nlist(zip(s, [1, 2]))\ntuple(s)\n2 in s\nmax(s, default=0)\ns.gi_running\ns.gi_frame is None\nany(s)\ninspect.getgeneratorstate(s)",
           "for x in s: note(x)\nnote(next(s))\nnote(s.send(None))\ns.close()\na, b = s; note(a, b)\ns.throw(ValueError)\nfor x in s: ¶     note(x) ¶     break\nfirst, *rest = s; note(first, rest)", "list(s)", "import inspect, itertools\ndef gen():\n    for i in range(4): yield i"),
    Family("a generator over something shared", "d = [1, 2]\ndef gen():\n    for x in d: yield x * 2\ns = gen()", "next(s, None)\nlist(s)\nd\nlen(d)\nsum(s)\nlist(map(str, s))\nlist(enumerate(s))", "d.append(N)\nd.clear()\nfor x in s: note(x)\nnote(next(s, None))\nd[0] = N\nd[-1] = N", "list(s), d"),
    Family("a generator expression", "d = [1, 2]\ns = (x + 1 for x in d)", "next(s, None)\nlist(s)\nd\nsum(s)\nmax(s, default=0)\nsorted(s)\n3 in s", "d.append(N)\nnote(next(s, None))\nfor x in s: note(x)\nd.pop()", "list(s), d"),
    Family("an iterator of a list", "d = [1, 2, 3]\ns = iter(d)", "next(s, None)\nlist(s)\nlen(d)\nsum(s)\noperator.length_hint(s)\n2 in s\n[x for x in s]\nlist(zip(s, s))\nlist(map(int, s))\nlist(itertools.islice(s, 1))\nnext(iter(s), None)", "d.append(N)\nd.pop()\nd.clear()\nnote(next(s))\nfor x in s: note(x)\na, *b = s; note(a, b)\nd[-1] = N\nd.insert(0, N)\nwhile (x := next(s, None)) is not None: note(x)", "list(s), d", "import itertools, operator"),
    Family("an iterator of a dict", "d = {0: 1, 1: 2}\ns = iter(d.items())", "next(s, None)\nlist(s)\nd\nlen(d)\noperator.length_hint(s)\ndict(s)", "d[2] = N\nd[0] = N\nd.pop(1, None)\nnote(next(s))\nfor k, v in s: note(k, v)\nd.clear()\nd.update(s)", "d", "import operator"),
    Family("map, filter, zip and enumerate", "d = [1, 2, 3]\ns = map(f, d); t = filter(f, d); u = zip(d, d); v = enumerate(d); w = reversed(d)", "next(s, None)\nnext(t, None)\nnext(u, None)\nnext(v, None)\nnext(w, None)\nlist(s)\nlist(t)\nlist(u)\nlist(v)\nlist(w)\nsum(s)\ndict(v)\nd", "d.append(N)\nd.pop()\nfor x in s: note(x)\nfor x in t: note(x)\nfor x in v: note(x)\nd[-1] = N\nd[0] = N\nnote(next(u))", "list(s), list(t), list(u), list(v), list(w), d", "def f(x): return x % 2"),
    Family("itertools that are shared", "d = [1, 2, 3]\ns = itertools.count(); t = itertools.chain(d, d); u = itertools.cycle(d); v = itertools.islice(d, 2); w = itertools.accumulate(d)", "next(s)\nnext(t, None)\nnext(u)\nnext(v, None)\nnext(w, None)\nlist(t)\nlist(v)\nlist(w)\nlist(itertools.islice(u, 4))\nlist(zip(s, 'ab'))\nlist(itertools.islice(s, 2))\nrepr(s)\nd\n[next(s) for _ in range(2)]", "d.append(N)\nd.clear()\nd[-1] = N\nnote(next(s), next(s))\nfor x in t: note(x)\nfor x in w: note(x)\nfor i in s: ¶     note(i) ¶     if i > 1: break", "next(s), list(t), list(v), list(w), d", "import itertools"),
    Family("more itertools", "d = [1, 2, 2]\ns = itertools.tee(d)[0]; t = itertools.takewhile(bool, d); u = itertools.dropwhile(f, d); v = itertools.zip_longest(d, [1]); w = itertools.pairwise(d); x = itertools.repeat(5, 3); y = itertools.compress(d, d); z = itertools.starmap(f, zip(d)); p = itertools.product(d, 'a')", "next(s, None)\nnext(t, None)\nnext(u, None)\nnext(v, None)\nnext(w, None)\nnext(x, None)\nnext(y, None)\nnext(z, None)\nnext(p, None)\nlist(s)\nlist(t)\nlist(u)\nlist(v)\nlist(w)\nlist(x)\nlist(z)\nlist(p)\n[(k, len(list(g))) for k, g in itertools.groupby(d)]", "d.append(N)\nd.pop()\nd[-1] = N\nfor q in z: note(q)\nfor q in x: note(q)", "list(s), list(t), list(u), list(v), list(w), list(x), list(y), list(z), list(p), d", "import itertools\ndef f(x): return x < 2"),
    Family("iter with a sentinel", "d = [0, 1, 2]\ns = iter(d.pop, 0)", "next(s, None)\nlist(s)\nd\nlen(d)", "d.append(N)\nfor x in s: note(x)\nd.insert(0, N)\nd.clear()", "d"),
    Family("an iterator class", "s = It()", "next(s, None)\nlist(s)\ns.n\nsum(s)\nlist(zip(s, [1, 2]))\n[x for x in s]\nlist(map(str, s))\nmax(s, default=0)\n2 in s\n(lambda *a: a)(*s)", "for x in s: note(x)\nnote(next(s))\ns.n = N\ns.n = 0\na, *b = s; note(a, b)\ns.n += 1", "s.n", "class It:\n    n = 0\n    def __iter__(self): return self\n    def __next__(self):\n        if self.n >= 2: raise StopIteration\n        self.n += 1\n        return self.n"),
)

_NAMES = (
    Family("a global", "global g, h\ng = 0\nh = []\ns = 0", "g\nh\nlen(h)\nglobals()['g']\n'g' in globals()\n(lambda: g)()\n[g for _ in range(2)]\nf'{g}'\nread()\n(g, g)\neval('g')", "bump()\nassign(N)\nh.append(N)\nput(N)\nrebind(N)\ndrop()", "globals().get('g', None), globals().get('h', None)",
           "g = 0\nh = []\ndef bump():\n    global g\n    g += 1\ndef assign(x):\n    global g\n    g = x\ndef read(): return g\ndef put(x): h.append(x)\ndef rebind(x):\n    global h\n    h = [x]\ndef drop():\n    global g\n    del g"),
    Family("a variable of an enclosing function", "c = 0\ndef get(): return c\ndef put(x):\n    nonlocal c\n    c = x\ndef bump():\n    nonlocal c\n    c += 1\ndef swap(x):\n    nonlocal c\n    c, x = x, c\n    return x\ns = (get, put)", "get()\nc\n(lambda: c)()\n[get() for _ in range(2)]\nf'{c}'\n(c, c)\n[c for _ in range(2)]\nsum(c for _ in range(2))", "put(N)\nbump()\nswap(N)\nput(get() + N)\nnote(swap(N))\nif get() == 0: put(N)\nfor f in (bump, bump): f()", "get()"),
    Family("a class body", "s = {}\nx = [0]", "x\nx[0]\nsorted(s)\nB.v\ns.get('v')", "class T: ¶     v = x[0] ¶     w = x[0] ¶     x.append(v) ¶ note(T.v, T.w)\nx[0] += 1\nx[0] = N\nclass T: ¶     s['v'] = len(x) ¶     q = s.get('v') ¶ note(T.q)\nclass T: ¶     for i in x: note(i)\nB.v = N\nclass T(B): u = B.v ¶ note(T.u, T.v)\nB.v += 1", "s, x, B.v", "class B: v = 0"),
    Family("default arguments and closures", "box = []\ndef s(x, into=box, *, also={}):\n    into.append(x)\n    also[x] = len(into)\n    return len(into), len(also)", "s(N)\nlen(box)\nbox\nlist(map(s, [N, N]))\n(lambda f: f(N))(s)\nfunctools.partial(s, N)()\ns.__defaults__\ns.__kwdefaults__\n[s(i) for i in range(2)]", "s(N)\nbox.append(N)\nbox.clear()\ns(N, [])\ns(*box[:1] or [N])\ns(**{'x': N})\nbox[:] = [N]", "box, s.__kwdefaults__", "import functools"),
)

_SYNCHRONISED = (
    Family("an Event and a flag", "s = threading.Event(); d = [0]", "s.is_set()\nd[0]\n(s.is_set(), d[0])\nd[0] if s.is_set() else -1\nbool(s.is_set() and d)",
           "s.set()\ns.clear()\nd[0] = N\nd[0] += 1\nif s.is_set(): note(d[0])\nif not s.is_set(): s.set(); d[0] = N\nd[0] = N; s.set()\nnote(s.wait(0) is s.is_set())", "s.is_set(), d"),
    Family("a Condition and what it guards", "s = threading.Condition(); d = []", "len(d)\nd[-1:]\ns.acquire(False) and (s.release() or 1)",
           "with s: d.append(N)\nwith s: ¶     d.append(N) ¶     s.notify()\nwith s: ¶     if d: note(d.pop())\nd.append(N)\nwith s: ¶     d.append(N) ¶     s.notify_all()\nwith s: note(len(d)); d.append(N)\nwith s: ¶     if not d: s.wait(0) ¶     note(d[:])", "d"),
    Family("a Semaphore", "s = threading.Semaphore(1); d = [0]", "d[0]\ns.acquire(blocking=False) and (s.release() or 1)",
           "with s: d[0] += 1\nif s.acquire(blocking=False): ¶     d[0] += 1 ¶     s.release()\ns.release()\nd[0] = N\nwith s: note(d[0])", "d, s._value"),
    Family("a BoundedSemaphore", "s = threading.BoundedSemaphore(2); d = [0]", "d[0]\nlen(d)",
           "with s: d[0] += 1\ns.release()\nif s.acquire(False): ¶     note(d[0]) ¶     s.release()\nd[0] = N", "d, s._value"),
    Family("an RLock", "s = threading.RLock(); d = [0]", "d[0]\ns.acquire(False) and (s.release() or 1)",
           "with s: ¶     with s: d[0] += 1\nwith s: d[0] = N\nd[0] += 1\ns.release()\nwith s: note(d[0])", "d"),
    Family("a Queue", "s = queue.Queue(); d = []", "s.qsize()\ns.empty()\ns.full()\nd\nlen(s.queue)\nlist(s.queue)\ns.unfinished_tasks",
           "s.put(N)\nnote(s.get_nowait())\nif not s.empty(): note(s.get_nowait())\ns.put_nowait(N)\nd.append(s.qsize())\ns.task_done()\ns.queue.clear()\ns.queue.append(N)\nfor _ in range(s.qsize()): note(s.get_nowait())\nx = [N]; s.put(x); x.append(1)", "list(s.queue), d, s.unfinished_tasks", "import queue"),
    Family("a bounded LifoQueue", "s = queue.LifoQueue(1)", "s.qsize()\ns.full()\ns.empty()\nlist(s.queue)", "s.put_nowait(N)\nnote(s.get_nowait())\nif not s.full(): s.put_nowait(N)\nif s.full(): note(s.get_nowait())\ns.maxsize = 2", "list(s.queue)", "import queue"),
    Family("a PriorityQueue", "s = queue.PriorityQueue()\ns.put((1, 'b'))", "s.qsize()\nsorted(s.queue)\ns.queue[0]", "s.put((N, 'a'))\ns.put((0, 'z'))\nnote(s.get_nowait())\nnote(s.get_nowait()[1])\ns.put(N)", "sorted(map(str, s.queue))", "import queue"),
    Family("a Future", "s = concurrent.futures.Future(); d = []", "s.done()\ns.cancelled()\ns.running()\ns.result(0) if s.done() else -1\nd\ns.exception(0) if s.done() else -1",
           "s.set_result(N)\nnote(s.cancel())\nnote(s.set_running_or_notify_cancel())\ns.add_done_callback(lambda f: d.append(f.cancelled()))\nif not s.done(): s.set_result(N)\ns.set_exception(ValueError(N))\nd.append(N)\nif s.done(): note(s.result(0))", "d, s._state", "import concurrent.futures"),
    Family("locals of threads", "s = threading.local(); s.a = 0; d = []", "getattr(s, 'a', -1)\nhasattr(s, 'a')\nsorted(vars(s))\nd\ns.a", "s.a = N\ns.a = d\nd.append(getattr(s, 'a', -1))\ns.a += 1\ndel s.a\ns.__dict__['a'] = N\nvars(s).update(a=d); s.a.append(N)\ns.b = d; s.b.append(N)", "d"),
)

_SPECIAL = """
class C:
    seen = []
    def __init__(self, a): self.a = a
    def __repr__(self): return f'C{self.a}'
    def __eq__(self, o):
        C.seen.append('eq')
        return isinstance(o, C) and self.a == o.a
    def __lt__(self, o): return self.a < o.a
    def __le__(self, o): return self.a <= o.a
    def __hash__(self): return hash(self.a)
    def __iter__(self):
        for i in range(self.a % 3):
            yield i + self.a
    def __len__(self): return self.a % 4
    def __bool__(self): return bool(self.a)
    def __contains__(self, x): return self.a == x
    def __index__(self): return self.a
    def __int__(self): return self.a
    def __float__(self): return float(self.a)
    def __format__(self, how): return f'{self.a}{how}'
    def __str__(self): return f'<{self.a}>'
    def __add__(self, o): return self.a + int(o)
    def __radd__(self, o): return self.a + int(o)
    def __getitem__(self, i):
        if i >= self.a % 3: raise IndexError(i)
        return self.a + i
    def __call__(self, *a): return self.a
    def __neg__(self): return -self.a
    def __abs__(self): return abs(self.a)
    def __round__(self, n=0): return self.a
    def __reversed__(self): return iter([self.a, 0])
    def __length_hint__(self): return self.a
    def __dir__(self): return ['a', str(self.a)]
    def __enter__(self): return self.a
    def __exit__(self, *e): return None
    def __instancecheck__(self, o): return self.a == o
    def __copy__(self): return C(self.a)
    def __deepcopy__(self, memo): return C(self.a)
    def __reduce__(self): return (C, (self.a,))
    def __bytes__(self): return bytes([self.a])
    def __divmod__(self, o): return divmod(self.a, o)
    def __pow__(self, o, m=None): return self.a ** o
    def __matmul__(self, o): return self.a
    def __sizeof__(self): return self.a
    def __missing__(self, k): return self.a
    def __fspath__(self): return str(self.a)
    def __trunc__(self): return self.a
    def __floor__(self): return self.a
    def __ceil__(self): return self.a"""

_CALLED_FROM_C = (
    Family("special methods that C calls", "s = C(1); t = C(2); l = [t, s]", """
        sorted(l)
        min(l)
        max(s, t)
        max(l, key=lambda x: x.a)
        sorted(l, key=C.__int__)
        s == t
        s in l
        l.index(s)
        l.count(t)
        l == [t, s]
        (s, 1) == (t, 1)
        (s, 1) < (t, 1)
        {s: 1}.get(t)
        {1: s} == {1: t}
        len({s, t})
        s in {t}
        s in {t: 1}
        hash((s, t)) == hash((t, s))
        hash(frozenset([s])) == 1
        list(s)
        tuple(s)
        set(s)
        sum(s)
        sum([s, t])
        sum([1], s)
        any([s, t])
        all(l)
        list(filter(None, l))
        bool(s)
        not s
        len(s)
        1 in s
        2 in s
        'abc'[s:]
        [1, 2, 3][s]
        range(s)
        list(range(s))
        hex(s)
        bin(s)
        'x' * s
        [0] * s
        int(s)
        float(s)
        f'{s:>3}'
        f'{s}'
        f'{s!r}'
        '%s' % s
        '%d' % s
        '%r %s' % (s, t)
        '{}'.format(s)
        '{:>2}'.format(s)
        str(l)
        repr([s])
        repr({'k': s})
        ','.join(map(str, l))
        print(s, file=io.StringIO())
        s + 1
        1 + s
        -s
        abs(s)
        round(s)
        list(reversed(s))
        operator.index(s)
        operator.length_hint(s)
        dir(s)
        list(zip(s, t))
        list(enumerate(s))
        list(map(lambda x: x, s))
        [*s, *t]
        (lambda *a: a)(*s)
        dict.fromkeys(s)
        list(itertools.chain(s, t))
        list(itertools.islice(s, 2))
        list(map(s, [1]))
        functools.reduce(operator.add, l)
        functools.partial(s)()
        copy.copy(s)
        copy.deepcopy([s])
        pickle.loads(pickle.dumps(s))
        bytes(s)
        divmod(s, 2)
        pow(s, 2)
        s @ 1
        math.floor(s)
        math.ceil(s)
        math.trunc(s)
        math.sqrt(s)
        os.fspath(s)
        isinstance(1, s)
        heapq.nsmallest(1, l)
        heapq.merge(l)
        bisect.bisect(l, s)
        next(iter(s), None)
        collections.Counter(l)[s]
        collections.deque(s)
        min(l, default=0)
        chr(s)
        sorted({s: 1, t: 2})
        s != t
        s <= t
        json.dumps(s.a)
        statistics.mean(s)
        str.format('{0.a}', s)
        string.Template('$x').substitute(x=s)
        struct.pack('b', s)
        array.array('b', s)
        bytearray(s)
        'a,b,c'.split(',', s)
        'abc'.center(s)
        slice(s).indices(5)
        itertools.repeat(1, s)
        C.seen
        len(C.seen)
        frozenset(l) == {s, t}
        l.copy()
        {**{'a': s}}
    """, """
        s.a = N
        s.a = 2
        s.a = 0
        t.a = 1
        s.a += 1
        s.a, t.a = t.a, s.a
        l.sort()
        l.remove(s)
        l.append(C(N))
        heapq.heapify(l)
        heapq.heappush(l, s)
        bisect.insort(l, C(1))
        l.sort(key=int)
        l.sort(reverse=True)
        C.seen.clear()
        C.__len__ = lambda self: 3
        for x in s: note(x)
        a, *b = s; note(a, b)
        with s as x: note(x)
        if s: note('true')
        l[0] = s
        l.extend(s)
        l[:] = s
        if s in l: note('in')
        while not s: s.a = 1
        match s: ¶     case C(a=1): note(1) ¶     case C(): note('C')
        l += s
        assert s == t
        s.a = s.a
        d = {s: 1}; s.a = N; note(s in d)
    """, "s.a, t.a, [x.a for x in l]", "import array, bisect, collections, copy, functools, heapq, io, itertools, json, math, operator, os, pickle, statistics, string, struct" + _SPECIAL),
)

FAMILIES = _ATTRIBUTES + _ITEMS + _ITERATORS + _NAMES + _SYNCHRONISED + _CALLED_FROM_C
