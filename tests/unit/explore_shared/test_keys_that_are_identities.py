"""What `id` says of an object is another number in each execution, and the same place all the same."""

import threading
import weakref
from concurrent.futures import Future, as_completed

import hocket


class Signal:
    """As blinker and Django have them: receivers by their identity."""

    def __init__(self):
        self.receivers = {}

    def connect(self, receiver):
        self.receivers[id(receiver), id(self)] = receiver

    def disconnect(self, receiver):
        return self.receivers.pop((id(receiver), id(self)), None)


def both(first, second):
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def two_receivers():
    signal, ours, theirs, got = Signal(), object.__new__(Signal), object.__new__(Signal), []
    both(lambda: signal.connect(ours), lambda: (signal.connect(theirs), got.append(signal.disconnect(theirs))))
    assert got == [theirs]


def one_receiver():
    signal, ours, got = Signal(), object.__new__(Signal), []
    both(lambda: signal.connect(ours), lambda: got.append(signal.disconnect(ours)))
    assert got == [None]


class Local:
    """As asgiref had it: an attribute of somebody else, under a name with the identity of this."""

    def __init__(self):
        self.name = f"_of_{id(self)}"


def an_attribute_of_another():
    holder, local = Signal(), Local()
    setattr(holder, local.name, 0)

    def add():
        setattr(holder, local.name, getattr(holder, local.name) + 1)

    both(add, add)
    assert getattr(holder, local.name) == 2


def test_keys_with_identities_of_other_objects_are_other_places():
    result = hocket.explore(two_receivers)
    assert (result.verdict, result.classes, result.executions) == ("proved", 3, 3)


def test_a_key_with_the_identity_of_an_object_is_one_place_in_all_executions():
    failure = hocket.explore(one_receiver).failure
    assert (failure.kind, failure.preemptions) == ("assertion", 0)


def test_a_name_with_an_identity_is_one_place_in_all_executions():
    failure = hocket.explore(an_attribute_of_another).failure
    assert (failure.kind, failure.preemptions) == ("assertion", 1)


class Noted(weakref.ref):
    """As blinker has them: a weak reference with a name, which is asked as any other."""

    receiver_id = None


def a_reference_of_a_class_of_its_own():
    signal, ours = Signal(), object.__new__(Signal)
    signal.receivers[id(ours)] = Noted(ours)
    got = []
    both(lambda: got.append(signal.receivers[id(ours)]()), lambda: signal.receivers.get(id(ours)))
    assert got == [ours]


def test_a_weak_reference_of_a_class_below_is_known():
    result = hocket.explore(a_reference_of_a_class_of_its_own)
    assert (result.verdict, result.classes, result.untracked) == ("proved", 1, ())


DONE: Future[int] = Future()
DONE.set_result(1)


def test_a_future_from_before_stays_where_it_is_in_a_set_when_its_lock_is_taken():
    def body():
        later = Future()
        thread = threading.Thread(target=later.set_result, args=(2,))
        thread.start()
        found = {future.result() for future in as_completed([DONE, later])}
        thread.join()
        return sorted(found)

    assert hocket.explore(body).verdict == "proved"
