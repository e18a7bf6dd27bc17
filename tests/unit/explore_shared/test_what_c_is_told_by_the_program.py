"""C goes through a list and asks a method of the program for each of its members: others may come after each answer.

Two entries are replaced, the first one first, so nobody who reads them at once finds the old one before the new one.
"""

from __future__ import annotations

import io
import threading

import pytest

import hocket


class Mood:
    def __init__(self):
        self.n = 0


class Member:
    def __init__(self, name, mood):
        self.name, self.mood = name, mood

    def __repr__(self):
        self.mood.n  # noqa: B018  # a step
        return self.name


class ComesToItsEnd(Member):
    def __eq__(self, other):
        self.mood.n  # noqa: B018

    __hash__ = None


class ReturnsNothing(Member):
    def __eq__(self, other):
        self.mood.n  # noqa: B018
        return

    __hash__ = None


class ReturnsSometimes(Member):
    def __eq__(self, other):
        for _ in range(1):
            if self.mood.n:
                return True

    __hash__ = None


def printed(members):
    stream = io.StringIO()
    print(members, end="", file=stream)
    return stream.getvalue()


TEXTS = {
    "f'{x}'": lambda members: f"{members}",
    "f'{x!r}'": lambda members: f"{members!r}",
    "f'{x!s:>6}'": lambda members: f"{members!s:>6}",
    "f'{x!a}'": lambda members: f"{members!a}",
    "f'{[x]}'": lambda members: f"{[members]}"[1:-1],
    "%": lambda members: "%s" % (members,),  # noqa: UP031
    "print": printed,
    "repr": repr,
}


def explored(make, ask, guard):
    def body():
        mood = Mood()
        mood.n = 0
        members, new, lock, found = [make("G", mood), make("G", mood)], make("H", mood), threading.Lock(), []

        def asks():
            if guard:
                with lock:
                    found.append(ask(members))
            else:
                found.append(ask(members))

        def replaces():
            if guard:
                lock.acquire()
            members[0] = new
            members[1] = new
            if guard:
                lock.release()

        threads = [threading.Thread(target=work) for work in (asks, replaces)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found[0]

    return hocket.explore(body)


@pytest.mark.parametrize("text", TEXTS)
def test_a_list_may_change_while_its_text_is_made(text):
    """Six steps of who tells (the list, a member's mood, the list after the answer; twice), of which those on the list
    before, between and after two writes: by depth-first search of the same with `repr`."""
    result = explored(Member, TEXTS[text], guard=False)
    assert (result.verdict, result.classes) == ("proved", 10)
    assert set(result.outcomes) == {"[G, G]", "[H, G]", "[G, H]", "[H, H]"}


@pytest.mark.parametrize("text", ["f'{x}'", "print"])
def test_under_a_lock_it_does_not(text):
    result = explored(Member, TEXTS[text], guard=True)
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 2, {"[G, G]", "[H, H]"})




@pytest.mark.parametrize("kind", [ComesToItsEnd, ReturnsNothing, ReturnsSometimes])
def test_a_list_may_change_after_a_method_that_returns_nothing(kind):
    """`index` asks the first member, which is not it; then both are replaced, and the second one is."""
    def make(name, mood):
        return 5 if name == "H" else kind(name, mood)

    def ask(members):
        try:
            return members.index(5)
        except ValueError:
            return None

    result = explored(make, ask, guard=False)
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 8, {None, 0, 1})
    result = explored(make, ask, guard=True)
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 2, {None, 0})


class Changes(Member):
    def __setitem__(self, key, value):
        if key:
            self.name = value
        # and comes to its end

    async def __aiter__(self):
        yield self.name
        return


def test_the_end_of_a_special_method_is_rewritten_without_a_value_also_in_an_asynchronous_generator():
    def body():
        made = Changes("G", Mood())
        made[1] = "H"
        stepping = made.__aiter__().__anext__()
        with pytest.raises(StopIteration) as found:
            stepping.send(None)
        return found.value.value

    assert hocket.explore(body).outcomes == {"H": 1}
