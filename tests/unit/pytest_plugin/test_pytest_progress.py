"""The line that a long search draws, and where it does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hocket.explore.progress import Progress
from hocket.pytest_plugin.reporting import Line, progress_line

LONG = Progress(1_000, 1_000, 2.0)


def drawn(path):
    return path.read_text() if path.exists() else ""


def test_a_line_keeps_to_the_room_beside_what_pytest_wrote_and_is_wiped_off(tmp_path):
    terminal = tmp_path / "terminal"
    line = Line(SimpleNamespace(fullwidth=80, width_of_current_line=20), str(terminal))
    line(LONG._replace(seconds=0.5))  # not yet a long search
    line.clear()
    assert drawn(terminal) == ""
    line(LONG)
    assert drawn(terminal) == "\x1b7\x1b[K  1,000 executions, 1,000 classes, 500/s, 2 s\x1b8"
    line.clear()
    assert drawn(terminal) == "\x1b7\x1b[K\x1b8"
    terminal.unlink()
    line.clear()
    assert drawn(terminal) == ""


def test_a_line_is_cut_to_the_width_and_left_out_where_there_is_no_room(tmp_path):
    terminal = tmp_path / "terminal"
    Line(SimpleNamespace(fullwidth=80, width_of_current_line=40), str(terminal))(LONG)
    assert drawn(terminal) == "\x1b7\x1b[K  1,000 executions, 1,000 classes, 50\x1b8"
    terminal.unlink()
    Line(SimpleNamespace(fullwidth=80, width_of_current_line=50), str(terminal))(LONG)
    assert drawn(terminal) == ""


def test_without_a_terminal_nothing_is_drawn_and_nothing_breaks(tmp_path):
    line = Line(SimpleNamespace(fullwidth=80, width_of_current_line=0), str(tmp_path / "none" / "there"))
    line(LONG)
    line.clear()


@pytest.mark.parametrize(("isatty", "verbosity", "ci", "worker", "draws"), [
    (True, 0, "", False, True),
    (True, 1, "", False, True),
    (False, 0, "", False, False),
    (True, -1, "", False, False),
    (True, 0, "true", False, False),
    (True, 0, "", True, False),
])
def test_a_line_is_for_a_person_at_a_terminal(monkeypatch, isatty, verbosity, ci, worker, draws):
    monkeypatch.setenv("CI", ci)
    reporter = SimpleNamespace(isatty=isatty, _tw=None)
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda name: reporter),
                             get_verbosity=lambda: verbosity, **({"workerinput": {}} if worker else {}))
    assert (progress_line(config) is not None) == draws
