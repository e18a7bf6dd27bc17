"""What is read without a line that says so: by a format, by a library, by a proxy that asks whom it stands for."""

import collections
import itertools
import json
import threading

import pytest

import hocket

TEXT = "{0.balance}"


class Account:
    def __init__(self):
        self.balance = 0


def of_an_attribute_in_a_format():
    account = Account()
    return lambda: setattr(account, "balance", 1), lambda: int(TEXT.format(account))


def of_an_item_in_a_mapping():
    table = {"row": [0]}
    return lambda: table["row"].__setitem__(0, 1), lambda: int("{row[0]}".format_map(table))


def of_a_width():
    account = Account()
    return lambda: setattr(account, "balance", 1), lambda: len("{0:{1.balance}}".format("", account))


def of_json():
    table = {"x": 0}
    return lambda: table.update(x=1), lambda: json.loads(json.dumps(table))["x"]


def of_a_named_tuple():
    kind = collections.namedtuple("kind", "x")  # it is made by `eval`, with built-ins of its own
    holder = {"it": kind(0)}

    def write():
        holder["it"] = holder["it"]._replace(x=1)

    return write, lambda: holder["it"].x


PROGRAMS = [of_an_attribute_in_a_format, of_an_item_in_a_mapping, of_a_width, of_json, of_a_named_tuple]


def both(first, second):
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("swapped", [False, True])
def test_it_is_read_before_and_after_it_is_set(program, swapped):
    def body():
        write, read = program()
        seen = []
        tasks = [write, lambda: seen.append(read())]
        both(*(tasks[::-1] if swapped else tasks))
        return seen[0]

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {0: 1, 1: 1}), result


class Proxy:
    """As lazy objects and mocks are: whatever is asked of it, another one answers, in code of the program."""

    def __init__(self, to):
        object.__setattr__(self, "to", to)

    def __getattr__(self, name):
        return getattr(self.to, name)

    @property
    def __class__(self):
        return type(self.to)

    def __call__(self, *args):
        return self.to(*args)

    def __getitem__(self, key):
        return self.to[key]

    def __setitem__(self, key, value):
        self.to[key] = value


@pytest.mark.parametrize("locked", [False, True])
def test_nothing_is_asked_of_a_proxy_that_the_program_does_not_ask(locked):
    """Of two increments through it 2 classes under a lock; without, an update is lost."""
    def body():
        table, lock = Proxy({"count": 0}), threading.Lock()

        def count():
            if not locked:
                table["count"] += 1
                return
            with lock:
                table["count"] += 1

        both(Proxy(count), Proxy(count))
        assert table["count"] == 2

    result = hocket.explore(body)
    if locked:
        assert (result.verdict, result.classes) == ("proved", 2), result
    else:
        assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result


def test_text_with_built_ins_of_its_own_runs_as_it_is_and_is_watched():
    def body():
        table = {"x": 0}
        both(lambda: exec("table['x'] = 1", {"__builtins__": {}, "table": table}), lambda: table["x"])

    result = hocket.explore(body)
    assert result.verdict == "incomplete", result
    assert any("an item of 'table' is written" in told for told in result.untracked)


def test_groups_that_several_threads_take_are_reported():
    """A group ends when the next one is taken, be it by another thread: that is no operation of ours."""
    def body():
        groups, found = itertools.groupby([1, 1, 2, 2]), []

        def take():
            for _, group in groups:
                found.append(len(list(group)))

        both(take, take)

    result = hocket.explore(body)
    assert result.verdict == "incomplete", result
    assert any("its groups move on with it" in told for told in result.untracked)


class Remembering(str):
    """Its hash is computed once, in code of the program."""

    known = None

    def __hash__(self):
        if self.known is None:
            self.known = str.__hash__(self)
        return self.known


def test_no_key_is_asked_for_its_hash_by_a_report_of_an_ordered_dict():
    """It would be a step that the replay has and the search has not."""
    def body():
        table = collections.OrderedDict()

        def enter():
            key = Remembering("a")
            if key not in table:
                table[key] = object()
            table.move_to_end(key)
            return table[key]

        found = []
        both(lambda: found.append(enter()), lambda: found.append(enter()))
        assert found[0] is found[1]

    result = hocket.explore(body)
    assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result
    assert result.failure.replayed
