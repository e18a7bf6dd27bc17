"""One program for each form that the syntax has: `run(s, log)`, with a spy `s` that logs all that is done to it."""

from __future__ import annotations

FORMS: dict[str, str] = {}


def _form(name: str, body: str) -> None:
    FORMS[name] = body


def _run(name: str, body: str) -> None:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    FORMS[name] = f"def run(s, log):\n{lines}\n"


_run("attribute", "return s.a.b")
_run("attribute over lines", "return (s\n  .a\n  .b(s.c,\n     s.d)\n  .e)")
_run("attribute set", "s.a.b = s.v")
_run("attribute deleted", "del s.a, s.b.c")
_run("item", "return s[s.k][1]")
_run("item set", "s[s.k] = s.v")
_run("item deleted", "del s[s.k], (s[1], [s[2]])")
_run("slice", "return s[s.i:s.j:s.k], s[:], s[1:], s[:2], s[::3]")
_run("slice set", "s[s.i:s.j] = s.v\ndel s[1:2]")
_run("several slices", "return s[s.a:1, 2, ..., ::s.b]")
_run("star in an index", "return s[1, *s.t]")
_run("augmented attribute", "s.a.b += s.v\ns.n -= 1")
_run("augmented item", "s.a[s.k] *= s.v\ns[0] |= s.w\ns['x'] <<= 1")
_run("augmented slice", "s[s.i:s.j] += s.v")
_run("augmented tuple of slices", "s[s.i:1, 2] += s.v")
_run("augmented by a walrus", "t = s\nt.a += (t := s.b)\nt[t] += (t := s.c)\nreturn t")
_run("augmented names", """
x = s
x += s.a; x -= s.a; x *= s.a; x /= s.a; x //= s.a; x %= s.a; x **= s.a; x @= s.a
x &= s.a; x |= s.a; x ^= s.a; x <<= s.a; x >>= s.a
n = 1
n += 1
xs = ys = [1]
xs += [2]
xs *= 2
return x, n, ys is xs, ys
""")
_run("augmented unbound", "x += 1")
_run("augmented unbound after value", "def f():\n    global nowhere\n    nowhere += s.v\nf()")
_run("binary operators", """
return [s + s.a, s - s.a, s * s.a, s / s.a, s // s.a, s % s.a, s ** s.a, s @ s.a, s & s.a, s | s.a, s ^ s.a,
        s << s.a, s >> s.a, s + 1, 2 - s, s * 2, 3 * s, '%s' % s.a, [1] * 2, 60 * 60, -1 + s, 'a' 'b' + 'c', s ** -1]
""")
_run("unary operators", "return -s, +s, ~s, not s, not not s.a, -1")
_run("booleans", "return s or s.a, s and s.a, s.a or s.b or s.c, s.a and (s.b or not s.c) and s.d, [] or 0 or s")
_run("tests", """
if s: log.append('if')
elif s.a: log.append('elif')
else: log.append('else')
if s.a and s.b or not s.c: log.append('if')
if not (s.a or s.b): log.append('not')
if s.a == s.b: log.append('compare')
if 1: log.append('one')
if __debug__: log.append('debug')
if (x := s.x): log.append('walrus')
return s.a if s.t else s.b, x
""")
_run("while", """
n = 3
xs = [1, 2]
while xs:
    n -= xs.pop()
    if n == 5: break
    if s.a is None: continue
else:
    n += 10
while n > 100 and s: pass
while True:
    break
return n
""")
_run("assert", "assert s, s.message\nassert s.a and s.b\nassert s.c == 1, f'{s.c}'\nassert not s, s.why")
_run("comparisons", """
return [s == s.a, s != s.a, s < s.a, s <= s.a, s > s.a, s >= s.a, s is s.a, s is not s.a, s in s.a, s not in s.a,
        s == 0, 'a' == s, s == b'x', s == [], s in (1, 2), s in 'abc' if 0 else 1, 1 in s, s == (), None is s]
""")
_run("chains", """
a, b = 1, 2
log.append([0 < a < 10, a < b < 3, 3 < a < s, 0 == a != b <= 2, a < [s.x, 5][1] < 7, [1] < [2] < [3] < [0] < s])
return s.a < s.b <= s.c
""")
_run("chains everywhere", """
log.append([x for x in ([1], [2]) if [0] < x < [5]])
log.append([x for x in ([4] if [0] < [1] < [0] else [6] if [1] == [1] == [1] else [7])])
class C:
    y = [1]
    z = [0] < list(y) < [9] in ([9],)
    w = [[x for x in ([1] if [0] < [i] < [3] else [2])] for i in (1, 4)]
log.append((C.z, C.w, sorted(vars(C))))
return (lambda q: [0] < [q] < [5])(3), [0] is not None < s
""")
_run("calls", "return s(), s(1, s.a, k=s.b), s(*s.a, 1, *s.b, k=2, **s.c, l=s.d, **{'m': 1})")
_run("method calls", "return s.m(), s.m(1, s.a, k=s.b), s.n.m(*s.a, 1, *s.b, k=2, **s.c)")
_run("calls with odd names", "return s(self=1, name=2, f=3, o=4, args=5, kwargs=6), s.m(self=1, o=2, m=3, a=4)")
_run("calls that fail", "def f(a): pass\n"
     "for go in (lambda: f(), lambda: f(1, a=2), lambda: f(*1), lambda: f(**{1: 2})):\n"
     "    try: go()\n    except Exception as e: log.append(type(e).__name__)")
_run("missing attribute", "return [].nothing")
_run("missing method", "return [].nothing(1)")
_run("missing name", "return nothing_of_this_name")
_run("missing item", "return {}[s.k]")
_run("frames", """
a = 1
log.append(sorted(locals()))
b = s.c
b.x += s.d
s.q.x += 1
s.q[s.k] += 1
s.y, b = s.e
for s.i in (1, 2):
    log.append(sorted(locals()))
log.append(sorted(vars()))
log.append(sorted(dir()))
log.append((eval('a + 1'), eval('a', {'a': 5})))
exec('log.append(a)')
exec('log.append(a)', {'a': 6, 'log': log})
return globals()['__name__'], eval('[a for b in (1,)]', {'a': 1})
""")
_form("super", """
class A:
    def __init__(self, log): self.log = log
    def m(self, *args, **kwargs): return ['A', args, kwargs]
    @property
    def p(self): return 'p'
    @classmethod
    def c(cls): return cls.__name__
class B(A):
    def __init__(self, log):
        super().__init__(log)
        super(B, self).__init__(log)
        self.got = super().m(1, k=2), super().p, __class__.__name__
    def m(self): return [*super().m(*(1, 2)), (lambda: __class__)().__name__]
    @classmethod
    def c(cls): return 'B' + super().c()
    def later(self): return [super(B, self).p for _ in 'ab']
def run(s, log): return B(log).got, B(log).m(), B.c(), B(log).later()
""")
_form("private names", """
class Box:
    __shared = 1
    def __init__(self): self.__x = 1; self.__y__ = 2; self.__d = {}
    def grow(self):
        self.__x += 1
        self.__d['a'] = self.__x
        self.__m(self.__d)
        del self.__d['a']
        return self.__x, self.__shared, sorted(vars(self))
    def __m(self, d): d['m'] = 1
    def drop(self): del self.__x
    def hide(self):
        __n = 1
        def set_(v):
            nonlocal __n
            __n = v
            return lambda: __n
        return set_(5)(), __n
class _Under(Box):
    def __init__(self): super().__init__(); self.__x = 7
class __(Box):
    def get(self): self.__x = 3; return self.__x
def run(s, log):
    b = Box(); log.append(b.grow()); b.drop(); u = _Under(); log.append(sorted(vars(u))); log.append(b.hide())
    c = __(); log.append((c.get(), sorted(vars(c))))
    return sorted(vars(b))
""")
_run("displays", "return [s, *s.a, 1], (s, *s.b), {1, *[2, 3]}, {'a': s, **{'b': 2}, **s.c}, [*()], {**{}}")
_run("strings", "w = 5\nreturn f'{s}', f'{s.a!r:>10}', f'{s:{w}.{s.p}}', f'{w=}', f'x{{}}{w:03d}', f'{1}', f'{s.b!s}'")
_run("slices of literals", "return 'abc'[1], [1, 2, 3][0:2], (1, 2)[-1]")
_run("iteration", """
for x in s: log.append(x)
else: log.append('else')
for x, (y, *z) in [(1, (2, 3, 4))]: log.append((x, y, z))
for s.x in s.it: log.append('body')
for s[s.k], w in [(1, 2)]: log.append(w)
for x in []: pass
for x in [1, 2]:
    if x == 2: break
else: log.append('never')
return x
""")
_run("comprehensions", """
log.append([x for x in s if x if not x])
log.append({x: y for x, y in [(1, 2), (3, 4)] if y > 2})
log.append({x for x in [1, 1, 2]})
log.append([(x, y) for x in [1, 2] for y in range(x) if s])
log.append(list(x for x in s))
log.append([0 for s.x in [1, 2]])
log.append([w for s[s.k], w in [(1, 2)] if w])
log.append([x for x, s.y, (z, *r) in [(1, 2, (3, 4))] for x in [x, z, r]])
log.append([last := x for x in [1, 2]])
log.append([(lambda: x)() for x in [1, 2]])
log.append([f() for f in [lambda: x for x in [1, 2]]])
log.append([f() for f in [(lambda: (x, y)) for x, y in [(1, 2), (3, 4)]]])
log.append([[y for y in [x, last]] for x in [1, 2]])
log.append(sum(x * last for x in [1, 2] if x in [1]))
return last, any(x == 1 for x in [0, 1, 2])
""")
_run("unpacking", """
a, b = s
(a, [b, *c], d) = 1, [2, 3, 4], s
*a, = 'ab'
a, s.x, b = [1, 2, 3]
s[a], a = [4, 5]
a, s[a] = [6, 7]
[s.p, (s.q, a), *s.r] = [1, (2, 3), 4, 5]
a, b = b, a
x = y = s.v
x = s.x = z, s[1] = s.w
return a, b, c, d, x, y, z
""")
_run("bad unpacking", "a, s.b = [1, 2, 3]")
_run("bad inner unpacking", "x = s\nx.a, (b, c), x.d = [1, [2], 3]")
_run("annotated", """
x: int = s.v
y: s.never
s.a: int = s.b
s[s.k]: s.never = s.c
s.d.e: int
s[s.f]: int
return x
""")
_form("annotated outside of functions", """
out = []
class Box: pass
box = Box()
x: out.append('x') = 1
box.y: out.append('y') = out.append('value')
box.z: out.append('z')
class C:
    a: int = 1
    box.b: out.append('b') = 2
    b: str
def run(s, log): return out, vars(box), C.__annotations__, sorted(vars(C)), list(__annotations__)
""")
_run("walrus", """
if (n := s.a) and (m := n.b): log.append((n, m))
print_ = [y := 1, y ** 2]
log.append((lambda: (z := 5) + z)())
def f(x=(d := 3)): return x
return n, m, y, d, f()
""")
_run("lambda", "f = lambda a, /, b=s.d, *c, k=s.e, **d: (a, b, c, k, d, s.body)\nreturn f(1), f(1, 2, 3, k=4, z=5)")
_run("functions", """
@s.deco
@s.make(1)
def f(a, b=s.default, /, c=1, *args, k=s.kw, l, **kw) -> s.never: 'doc'
def g(a, b: int = 2, /, *args: s.never, k=s.kw, **kw) -> s.never:
    'the doc'
    return a, b, args, k, kw
return f, g(1), g(1, 3, 4, k=5, z=6), g.__doc__, g.__name__, g.__qualname__, g.__code__.co_firstlineno
""")
_run("classes", """
@s.deco
class A(object, metaclass=type): x = s.v
class Meta(type):
    def __new__(m, n, b, d, **k): log.append((n, sorted(d), sorted(k))); return super().__new__(m, n, b, d)
    def __init__(*args, **k): pass
class B(*(object,), metaclass=Meta, key=s.k, **{'other': 1}):
    'doc'
    n = 1
    m = n + 1
    d = {}
    d['x'] = m
    d['x'] += 1
    s.cls = n
    for i in (1, 2): d[i] = i
    a, s.b = 1, 2
    lst = [d for _ in (1,)] if 0 else 5
    def meth(self): return n_outer
    del i
    n += 1
n_outer = 7
return B.d, B().meth(), B.__doc__, B.__qualname__, B.n, sorted(k for k in vars(B) if k[0] != '_')
""")
_run("cells", """
def counter():
    n = 0
    def up(by=1):
        nonlocal n
        n += by
        return n
    def reset():
        nonlocal n
        del n
    return up, reset, lambda: n
up, reset, get = counter()
log.append((up(), up(5), get()))
reset()
for f in (get, up, reset):
    try: f()
    except NameError as e: log.append((type(e).__name__, str(e), e.name))
x = 1
def later(): return x
x = s.v
x += s.w
(x := s.u)
log.append(later())
x, y = 1, 2
def both(): return x, y
x, s.z, y = 3, 4, 5
log.append(both())
for x in (7, 8): log.append(both())
for x, y in [(1, 2)]: log.append(both())
del x
try: later()
except NameError as e: log.append(type(e).__name__)
try: x
except NameError as e: log.append((type(e).__name__, str(e)))
try: del x
except NameError as e: log.append((type(e).__name__, str(e)))
return up.__code__.co_freevars, both.__code__.co_freevars
""")
_run("cells bound by statements", """
def all_():
    return os_, e_, w_, f_, C_, m_, r_, path, sep
def none(): return e_
import os as os_
import os.path as path
import os.path as path
from os import sep, sep
try: raise ValueError('x')
except ValueError as e_: log.append(none())
try: none()
except NameError as e: log.append(type(e).__name__)
try:
    try: raise KeyError
    except KeyError as e_: del e_
finally: log.append('finally')
with s as w_: log.append('with')
e_ = 1
@s.deco
def f_(): return f_
f_ = f_
class C_:
    def m(self): return C_
    n = lambda self: C_
match [1, {'k': 2, 'z': 3}]:
    case [int() as m_, {'k': 2, **r_}]: log.append(all_()[5:7])
def f_(x): return f_
@s.one
@s.two
class C_: pass
w_, (m_, *r_) = 1, (2, 3)
r = all_()
return [v if isinstance(v, (int, str, list)) else getattr(v, '__name__', v) for v in r]
""")
_run("import of a submodule into a cell", """
def get(): return os
import os.path
import os
import os.path
return get().__name__, get().path is os.path
""")
_form("globals", """
count = 0
alias = None
def up():
    global count
    count += 1
    return count
def bind(s, log):
    global count, alias, new, fun, Cls, exc, xs, os
    count = s.v
    new = 1
    def fun(): return fun
    @s.deco
    class Cls: pass
    for xs in [1, 2]: pass
    import os.path
    from os import path as alias
    try: raise ValueError
    except ValueError as exc: log.append(type(exc).__name__)
    try: exc
    except NameError as e: log.append(str(e))
    with s as new: log.append(new)
    (count := 5)
    new, s.x = 3, 4
    log.append([count for _ in 'ab'])
    del new
    try: new
    except NameError as e: log.append((str(e), e.name))
    try: del new
    except NameError as e: log.append((type(e).__name__, str(e)))
    global print
    log.append(print is not None)
    match {'a': 1}:
        case {'a': count}: pass
    return fun.__name__, xs, alias is os.path, count
class K:
    global in_class
    in_class = 1
    def method(self): return in_class
    count = count
def run(s, log): return up(), up(), bind(s, log), up(), K().method(), K.count, __name__
""")
_run("with", """
with s as a, s.b as s.c, s.d(1) as (x, y), s.e: log.append((a, x, y))
with s.a: pass
with (s.f as f, s.g as g): log.append('in')
try:
    with s.h as s.i, s.j as (x, y, z): log.append('not reached')
except ValueError as e: log.append(str(e))
""")
_run("try", """
for kind in (ValueError, KeyError, TypeError, None):
    try:
        s.a
        if kind: raise kind('x') from s.cause if kind is None else None
    except (ValueError, s.b and KeyError) as e: log.append(('one', str(e)))
    except TypeError: log.append('two')
    else: log.append('else')
    finally: log.append('finally')
try:
    try: 1 / 0
    except ZeroDivisionError: raise
except Exception as e: log.append((type(e.__context__), e.__traceback__ is not None))
try: raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
except* ValueError as g: log.append(g.exceptions)
except* KeyError as g: log.append(g.exceptions)
def leave():
    try: return s.r
    finally: log.append('left')
return leave()
""")
_run("exception groups in cells", """
def get(): return g
try: raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
except* ValueError as g: log.append(get().exceptions)
except* KeyError as g: log.append(get().exceptions)
try: get()
except NameError: log.append('unbound')
""")
_run("raise", "raise ValueError(s.a) from KeyError(s.b)")
_run("generators", """
def gen(n):
    got = yield s.first
    log.append(got)
    try: x = yield from [n, s.second]
    except KeyError as e: log.append(e)
    s.z = yield
    x = yield from inner()
    log.append(x)
    s[(yield 'key')] = yield 'value'
def inner():
    try: got = yield 'inner'
    except ValueError as e: got = e
    return got
g = gen(1)
log.append([next(g), g.send('sent'), next(g), next(g), g.send('z'), g.throw(ValueError('thrown')), g.send(5)])
try: g.send(6)
except StopIteration as e: log.append(e.value)
lazy = (x + s.y for x in [1, 2] if s.c)
log.append('before')
return list(lazy), list(y for x in [[1], [2]] for y in x)
""")
_form("async", """
import asyncio
class Ctx:
    def __init__(self, log): self.log = log
    async def __aenter__(self): self.log.append('aenter'); return (1, 2)
    async def __aexit__(self, *a): self.log.append('aexit')
async def agen(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i, i + 1
async def main(s, log):
    async with Ctx(log) as (a, s.b), Ctx(log) as c: log.append((a, c))
    async for x, s.y in agen(2): log.append(x)
    else: log.append('else')
    log.append([x async for x, y in agen(3) if x])
    log.append({x: await asyncio.sleep(0, y) async for x, y in agen(2)})
    log.append([z async for x in agen(1) for z in x])
    log.append([x async for s.k in agen(1) for x in [s.k]])
    total = 0
    async def add():
        nonlocal total
        total += (await asyncio.sleep(0, 1))
    await asyncio.gather(add(), add())
    s.r = await asyncio.sleep(0, 'r')
    if 0 < await asyncio.sleep(0, 1) < await asyncio.sleep(0, 2): log.append('chain')
    if [0] < await asyncio.sleep(0, [1]) < await asyncio.sleep(0, [2]): log.append('chain')
    log.append([x for x in (1, 2) if [0] < await asyncio.sleep(0, [x]) < [2]])
    g = (x async for x in agen(2))
    return total, [x async for x in g], s[await asyncio.sleep(0, 'k')]
def run(s, log):
    loop = asyncio.new_event_loop()
    try: return loop.run_until_complete(main(s, log))
    finally: loop.close()
""")
_form("match", """
class Point:
    __match_args__ = ('x', 'y')
    def __init__(self, x, y): self.x, self.y = x, y
class Colour: RED = 1; class_ = Point
limits = {'a': Point(5, 6)}
def name(v, s, log):
    low = 3
    class Here: pass
    match v:
        case None | True: return 'single'
        case Colour.RED: return 'red'
        case -2 | 2j: return 'number'
        case 'a' 'b': return 'text'
        case Point(x=0, y=0): return 'origin'
        case Colour.class_(1, yy): return 'colour point', yy
        case Point(xx, y=yy) if xx == yy: return 'diagonal', xx
        case Point(x=Point(a, b)) as p: return 'nested', a, b, p is v
        case Here(): return 'here'
        case [1, *rest]: return rest
        case [_, _] if s: return 'pair'
        case {'k': k, 'l': [l], **more}: return k, l, more
        case {Colour.RED: str(r)}: return 'key', r
        case (int() | float()) as n: return 'int', n
        case str(t): return t
        case _: return 'else'
def captured(v, log):
    def get(): return a, b
    a = b = 0
    match v:
        case [a, {'k': b}] if log.append(get()) or get()[0] == 1: log.append('guarded')
        case [a, *b]: log.append(get())
        case {'x': a, **b}: log.append(get())
        case (1 as a) | (2 as a): log.append(get())
        case other: log.append(other)
    return get()
def run(s, log):
    for v in (None, 1, True, -2, 2j, 'ab', Point(0, 0), Point(1, 9), Point(4, 4), Point(Point(1, 2), 3), Point(7, 8),
              [1, 2, 3], (5, 6), {'k': 1, 'l': [2], 'm': 3}, {1: 'r'}, 77, 1.5, 'text', [], s):
        log.append(name(v, s, log))
    for v in ([1, {'k': 2}], [3, {'k': 4}], {'x': 1, 'y': 2}, 2, 9): log.append(captured(v, log))
    match s:
        case 1: pass
        case [a, b]: log.append('spy')
    match s, 1, *[2]:
        case _, n, m: return n, m
""")
_form("dotted patterns look each time", """
class Limit:
    def __init__(self, log): self.log = log
    @property
    def high(self): self.log.append('asked'); return 5
def run(s, log):
    limit = Limit(log)
    for v in (1, 5, 9):
        match v:
            case 1: log.append('one')
            case limit.high: log.append('high')
            case limit.nothing: log.append('?')
""")
_run("delete", "x = y = 1\ndel x, y\ntry: x\nexcept NameError as e: log.append(str(e))\ndel x")
_run("simple statements", "pass\nfor i in (1,): continue\nglobal zzz\n'text'\n...\ns\nreturn")
_form("doc and future", "'''The doc.'''\nfrom __future__ import annotations\nimport os, os.path as p\n"
      "from os import *\n"
      "def run(s, log) -> Nothing: return __doc__, p.__name__, sep, run.__annotations__")
_form("builtins that are hidden", """
def run(s, log):
    def locals(*a): return 'mine', a
    globals = lambda: 'mine'
    n = 0
    def up():
        nonlocal n
        n += 1
        return n, globals()
    slice = super = isinstance = vars = None
    return locals(), up(), [1, 2, 3][0:1], locals(*[1])
""")
_form("globals that is hidden", """
def globals(): return 'mine'
n = 0
def run(s, log):
    global n
    n += 1
    return n, globals()
""")
_form("recursion and defaults", """
def run(s, log):
    def fact(n): return 1 if n < 2 else n * fact(n - 1)
    def even(n): return n == 0 or odd(n - 1)
    def odd(n): return n != 0 and even(n - 1)
    fs = [lambda i=i: (i, j) for i in (1, 2) for j in (3,)]
    return fact(10), even(10), [f() for f in fs]
""")
_form("properties and slots", """
class A:
    __slots__ = ('x', '__dict__')
    y = 1
    @property
    def p(self): return self.x
    @p.setter
    def p(self, v): self.x = v
    @p.deleter
    def p(self): del self.x
    @staticmethod
    def st(v): return v
    @classmethod
    def cm(cls, v): return cls.__name__, v
def run(s, log):
    a = A(); a.p = 1; a.p += 1; a.z = 5
    log.append((a.p, a.st(1), a.cm(2), A.st(3), A.cm(4), a.y, a.z, a.__class__.__name__, a.__dict__))
    del a.p
    a.p
""")
_form("a string that looks like a docstring", "def run(s, log):\n    f'{s}'\n    return run.__doc__\n")
_form("one line", "def run(s, log): x = s.a; y = lambda: x; x = 1; "
      "return y(), (lambda: x)(), (lambda: 0)(), (lambda: 0)()")
_form("life of objects", """
import weakref
class Box: pass
def run(s, log):
    def lives():
        b = Box(); r = weakref.ref(b)
        s.a, c = b, 1
        del b
        return r
    d = {}
    def into():
        b = Box(); r = weakref.ref(b)
        d['x'], c = b, 1
        d['y'] = d['z'] = b
        d['x'] = None
        for d['w'] in [b]: pass
        d.clear()
        del b
        return r() is None
    box = Box(); box.n = Box(); r = weakref.ref(box.n)
    box.m, = [box.n]
    del box.n, box.m
    with s as box.k: pass
    for a, b in [(Box(), 1)]: last = weakref.ref(a)
    del a
    return into(), r() is None, last() is None
""")
