"""Who reads an attribute asks every class above, and any of them may be given it while others read.

In each program one thread sets something on a class, and the other reads it by an object or class below. There are
two classes of interleavings, the one before and the one after, whichever thread is started first.
"""

import abc
import threading

import pytest

import hocket


def both(first, second):
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def of_an_instance():
    class A:
        x = 0

    class B(A):
        pass

    b = B()

    def write():
        B.x = 1

    return write, lambda: b.x


def of_an_instance_that_is_nobody_elses():
    class A:
        x = 0

    class B(A):
        pass

    def write():
        B.x = 1

    return write, lambda: B().x


def of_a_class_between():
    class A:
        x = 0

    class B(A):
        pass

    class C(B):
        pass

    def write():
        B.x = 1

    return write, lambda: C.x


def of_an_attribute_that_nobody_has():
    class A:
        pass

    a = A()

    def write():
        A.x = 1

    return write, lambda: getattr(a, "x", 0)


def of_an_attribute_that_is_asked_for():
    class A:
        pass

    a = A()

    def write():
        A.x = 1

    return write, lambda: 1 if hasattr(a, "x") else 0


def of_a_private_instance_without_it():
    class A:
        pass

    def write():
        A.x = 1

    def read():
        try:
            return A().x
        except AttributeError:
            return 0

    return write, read


def of_a_method():
    class A:
        def m(self):
            return 0

    class B(A):
        pass

    b = B()

    def write():
        B.m = lambda self: 1

    return write, lambda: b.m()


def of_a_metaclass():
    class Meta(type):
        x = 0

    class A(metaclass=Meta):
        pass

    def write():
        Meta.x = 1

    return write, lambda: A.x


def of_a_metaclass_whose_method_calls_it_self():
    class Meta(type):
        def fill(self):
            self.x = 1

    class A(metaclass=Meta):
        x = 0

    class B(A):
        pass

    b = B()
    return B.fill, lambda: b.x


def of_an_attribute_that_is_taken_away():
    class A:
        x = 1

    class B(A):
        x = 0

    b = B()

    def write():
        del B.x

    return write, lambda: b.x


def of_a_name_that_is_computed():
    class A:
        x = 0

    class B(A):
        pass

    b = B()
    name = "xyz"[0]
    return lambda: setattr(B, name, 1), lambda: b.x


def of_the_name_of_a_class():
    class A:
        pass

    A.__name__ = "0"

    def write():
        A.__name__ = "1"

    return write, lambda: int(A.__name__)


def by_super():
    class A:
        x = 0

    class B(A):
        def get(self):
            return super().x

    b = B()

    def write():
        A.x = 1

    return write, b.get


PROGRAMS = [
    of_an_instance, by_super, of_the_name_of_a_class,
    of_an_instance_that_is_nobody_elses, of_a_class_between, of_an_attribute_that_nobody_has,
    of_an_attribute_that_is_asked_for, of_a_private_instance_without_it, of_a_method, of_a_metaclass,
    of_a_metaclass_whose_method_calls_it_self, of_an_attribute_that_is_taken_away, of_a_name_that_is_computed]


@pytest.mark.parametrize("model", ["free", "gil"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_it_is_read_before_and_after_it_is_set(program, swapped, model):
    def body():
        write, read = program()
        seen = []
        tasks = [write, lambda: seen.append(read())]
        both(*(tasks[::-1] if swapped else tasks))
        return seen[0]

    result = hocket.explore(body, model=model)
    assert (result.verdict, result.outcomes) == ("proved", {0: 1, 1: 1}), result


def the_class_of_an_object():
    class Other:
        pass

    class A:
        pass

    a = A()

    def write():
        a.__class__ = Other

    return write, lambda: type(a) is A


def what_an_abstract_class_stands_for():
    class A(abc.ABC):
        @abc.abstractmethod
        def m(self): ...

    class B:
        pass

    return lambda: A.register(B), lambda: isinstance(B(), A)


def what_is_below_a_class():
    class A:
        pass

    below = []

    def write():
        below.append(type("B", (A,), {}))

    return write, lambda: len(A.__subclasses__())


UNSEEN = [the_class_of_an_object, what_an_abstract_class_stands_for, what_is_below_a_class]


@pytest.mark.parametrize("program", UNSEEN, ids=lambda program: program.__name__)
def test_what_python_reads_or_notes_by_itself_is_reported_and_nothing_is_proved(program):
    def body():
        write, read = program()
        both(write, read)

    result = hocket.explore(body)
    assert result.verdict == "incomplete", result
    assert any("Python itself reads" in told or "nobody sees it" in told for told in result.untracked)


@pytest.mark.parametrize("locked", [False, True])
def test_a_singleton_of_a_class_below_is_made_once_under_a_lock_and_not_without(locked):
    """The class above has none, the class below gets it; 3 classes until it is found, 4 with the lock."""
    lock = threading.Lock()

    def body():
        class Above:
            instance = None

            @classmethod
            def get(cls):
                if cls.instance is None:
                    cls.instance = object()
                return cls.instance

        class Below(Above):
            pass

        def get():
            if not locked:
                return Below.get()
            with lock:
                return Below.get()

        got = []
        both(lambda: got.append(get()), lambda: got.append(get()))
        assert got[0] is got[1]

    result = hocket.explore(body)
    assert (result.verdict, result.failure and result.failure.kind) == (
        ("proved", None) if locked else ("failed", "assertion")), result
