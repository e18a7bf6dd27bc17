"""A schedule prints, parses, replays in another process, and is refused by another program."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest

import hocket
from hocket import Atomic
from hocket.cli import main
from hocket.errors import DivergenceError, ExplorationError, Refused, ScheduleError
from hocket.render.lanes import Lane, lanes
from hocket.trace.schedule import Schedule

PROGRAM = """
    import threading
    import zlib
    import hocket

    def test_lost_update():
        counter = hocket.Atomic(0)
        def increment():
            value = counter.load()
            counter.store(value + 1)
        threads = [threading.Thread(target=increment) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert counter.load() == 2, "an increment was lost"

    def test_fixed():
        counter = hocket.Atomic(0)
        threads = [threading.Thread(target=counter.add, args=(1,)) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert counter.load() == 2

    def test_untracked():
        box = bytearray(1)
        thread = threading.Thread(target=lambda: zlib.crc32(box))
        thread.start()
        thread.join()

    def needs(an_argument): pass
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program_under_test.py"
    path.write_text(textwrap.dedent(PROGRAM))
    return path


def shell(*words):
    command = [sys.executable, "-m", "hocket", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def two_steps(kind="store"):
    def body():
        x = Atomic(0)

        def work():
            value = x.load()
            if kind == "store":
                x.store(value + 1)
            else:
                x.swap(value + 1)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert x.load() == 2

    return body


def test_a_schedule_survives_print_and_parse_and_gives_the_same_failure():
    failure = hocket.explore(two_steps()).failure
    text = str(failure.schedule)
    assert "\n" not in text
    assert Schedule.parse(text) == failure.schedule
    with pytest.raises(AssertionError) as caught:
        hocket.replay(two_steps(), text)
    assert text in caught.value.__notes__[0]


def test_a_schedule_of_another_program_is_refused_although_its_actors_fit():
    schedule = hocket.explore(two_steps()).failure.schedule
    with pytest.raises(DivergenceError, match="digest"):
        hocket.replay(two_steps("swap"), schedule)


def test_a_schedule_is_refused_at_the_first_step_that_is_not_offered():
    with pytest.raises(DivergenceError) as caught:
        hocket.replay(lambda: Atomic(0).load(), "hocket1:t1")
    assert caught.value.step == 1
    with pytest.raises(DivergenceError) as caught:
        hocket.replay(lambda: Atomic(0).load(), "hocket1:mainx3")
    assert caught.value.step == 2


@pytest.mark.parametrize("text", ["", "nonsense", "hocket1:nobody", "hocket9:main", "hocket1:main#xyz"])
def test_a_schedule_that_cannot_be_read_is_refused_with_a_reason(text):
    with pytest.raises(ScheduleError):
        hocket.replay(lambda: None, text)


def test_a_schedule_that_passes_gives_the_bodys_value():
    assert hocket.replay(lambda: Atomic(7).load(), "hocket1:main") == 7


def test_the_shell_proves_fails_and_is_unsure_with_0_1_and_3(program):
    assert shell("explore", f"{program}::test_fixed")[0] == 0
    code, out, _ = shell("explore", f"{program}::test_lost_update")
    assert code == 1
    last = out.strip().splitlines()[-1]
    assert last.startswith("replay: hocket replay ")
    code, out, _ = shell("explore", f"{program}::test_untracked")
    assert code == 3
    assert "program_under_test.py:25 zlib.crc32 is given box, and what it reads of it" in out


def test_the_last_line_of_a_report_is_a_command_that_another_process_runs_with_the_same_end(program):
    _, out, _ = shell("explore", f"{program}::test_lost_update")
    command = out.strip().splitlines()[-1].removeprefix("replay: hocket ")
    verb, target, schedule = command.split(" ")
    code, out, _ = shell(verb, target, schedule.strip("'"))
    assert code == 1
    assert "AssertionError: an increment was lost" in out
    program.write_text(program.read_text().replace("counter.store(value + 1)", "counter.swap(value + 1)"))
    code, out, error = shell(verb, target, schedule.strip("'"))
    assert code == 2
    assert "this schedule is of another program, or the program has changed" in error
    assert "Traceback" not in error


def test_a_file_is_explored_test_by_test(program, capsys):
    import json

    assert main(["explore", str(program), "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["function"].rpartition("::")[2], one["verdict"], one["classes"]) for one in told] == [
        ("test_lost_update", "failed", 2), ("test_fixed", "proved", 2), ("test_untracked", "incomplete", 1)]
    assert told[0]["failure"]["kind"] == "assertion"
    assert told[0]["failure"]["preemptions"] == 1


@pytest.mark.parametrize(("target", "said"), [
    ("missing.py", "there is no such file"),
    ("no_such_module_at_all", "no such module"),
    ("{program}::nope", "its functions are: test_lost_update, test_fixed, test_untracked"),
    ("{program}::needs", "needs arguments"),
    ("{broken}", "is not Python"),
])
def test_what_cannot_be_explored_is_said_with_its_cure_and_exit_code_2(program, tmp_path, capsys, target, said):
    broken = tmp_path / "broken_program.py"
    broken.write_text("def f(:\n")
    assert main(["explore", target.format(program=program, broken=broken)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize("options", [{"bound": -1}, {"model": "luck"}, {"data": "luck"}, {"strategy": "luck"},
                                     {"seed": 1}, {"executor": object()}, {"track": ("no_such_module",)},
                                     {"seconds": 0}, {"executions": -1}])
def test_an_option_without_machinery_is_refused_by_name(options):
    with pytest.raises(Refused, match=next(iter(options))):
        hocket.explore(lambda: None, **options)


def test_a_body_with_parameters_and_what_is_no_body_are_refused():
    with pytest.raises(Refused, match="needs arguments"):
        hocket.explore(lambda x: x)
    with pytest.raises(Refused, match="nothing that can be called"):
        hocket.explore(3)


def test_limits_make_a_verdict_incomplete_and_say_which():
    result = hocket.explore(two_steps("swap"), executions=1)
    assert (result.verdict, result.executions) == ("incomplete", 1)
    assert result.reason == "the limit of 1 executions was reached"
    assert result.exit_code == 3
    with pytest.raises(ExplorationError, match="the limit of 1 executions"):
        result.raise_if_not_proved()
    many = lambda: [threading.Thread(target=Atomic(0).load).start() for _ in range(3)]  # noqa: E731
    assert hocket.explore(many, data="off", seconds=1e-9).reason == "the limit of 1e-09 seconds was reached"


@hocket.explore.test
def test_a_decorated_test_is_explored():
    x = Atomic(0)
    threads = [threading.Thread(target=lambda: x.add(1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.load() == 2


@pytest.mark.parametrize("amount", [1, 2])
@hocket.explore.test(data="off", seconds=30)
def test_a_decorated_test_takes_parameters_and_fixtures(amount, tmp_path):
    x = Atomic(0)
    thread = threading.Thread(target=lambda: x.add(amount))
    thread.start()
    thread.join()
    assert x.load() == amount
    assert tmp_path.exists()


def test_a_decorated_test_fails_with_the_programs_assertion_and_if_it_is_incomplete():
    with pytest.raises(AssertionError):
        hocket.explore.test(two_steps())()
    with pytest.raises(ExplorationError, match="incomplete"):
        hocket.explore.test(executions=1)(lambda: hocket.choose(2))()


def test_skipping_inside_a_body_is_a_message_to_pytest():
    with pytest.raises(pytest.skip.Exception):
        hocket.explore(lambda: pytest.skip("not here"))


def test_lanes_fit_80_columns_and_end_with_the_command():
    rows = [Lane(1, "main", "start t1"), Lane(2, "t1", "door.acquire", ("/x/program.py", 12, "f"), ("door",)),
            Lane(0, "t1", "waits for window", ("/x/program.py", 13, "f"), ("door",))]
    picture = lanes("deadlock: t1 waits", ("main", "t1"), rows, "hocket replay x 'hocket1:main.t1'")
    assert max(map(len, picture.splitlines())) <= 80
    assert picture.splitlines() == [
        "deadlock: t1 waits",
        "",
        "     main      t1",
        "  1  start t1",
        "  2            door.acquire [door]      program.py:12",
        "               waits for window [door]  program.py:13",
        "",
        "replay: hocket replay x 'hocket1:main.t1'",
    ]


def test_many_actors_or_a_narrow_terminal_become_a_list():
    actors = tuple(f"t{i}" for i in range(1, 8))
    rows = [Lane(i, f"t{i}", f"counter.store({i})", ("/x/program.py", i, "f")) for i in range(1, 8)]
    for width in (80, 40, 27):
        picture = lanes("assertion", actors, rows, "again", width).splitlines()
        assert max(map(len, picture)) <= width
        assert "  7  t7  counter.store(7)" in "\n".join(picture)
