"""What a proof of real threads covered is written down, audited elsewhere, and refused with a class taken out."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import hocket
from hocket.errors import Refused
from hocket.explore.audit import audit
from hocket.verdict import Holds, Violated

ROOT = Path(__file__).parents[3]


def _counter(threads: int) -> None:
    x = hocket.Atomic(0)

    def add() -> None:
        x.store(x.load() + 1)

    workers = [threading.Thread(target=add) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


EARLIER = hocket.Atomic(0)


def _earlier() -> None:
    """An Atomic that was made when this module was loaded."""
    workers = [threading.Thread(target=lambda: EARLIER.store(EARLIER.load() + 1)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _waiting() -> None:
    """A condition, an event and a semaphore, as the standard library wrote them."""
    event, gate = threading.Event(), threading.Semaphore(1)

    def wait() -> None:
        with gate:
            event.wait()

    other = threading.Thread(target=wait)
    other.start()
    event.set()
    with gate:
        other_is_past_or_not_begun = True
    other.join()
    assert other_is_past_or_not_begun


def test_what_was_made_before_the_exploration_is_in_the_certificate_with_its_first_state():
    data = hocket.explore(_earlier, certificate=True, data="off").certificate.data
    assert ["outside/cell/1", 0] in data["executions"][0]["objects"]
    answer = audit(data)
    assert isinstance(answer, Holds)
    assert answer.counts["classes"] == 4


def test_the_36_classes_of_three_counting_threads_are_accepted_and_none_can_be_left_out():
    data = hocket.explore(lambda: _counter(3), certificate=True, data="off").certificate.data
    answer = audit(data)
    assert isinstance(answer, Holds)
    assert answer.counts["classes"] == 36
    for number in range(36):
        rest = data["executions"][:number] + data["executions"][number + 1 :]
        assert isinstance(audit({**data, "executions": rest}), Violated)


def test_the_standard_librarys_own_primitives_are_audited_too():
    result = hocket.explore(_waiting, certificate=True, data="off")
    assert result.verdict == "proved"
    answer = audit(json.loads(json.dumps(result.certificate.data)))
    assert isinstance(answer, Holds)
    assert answer.counts["classes"] == result.classes


def test_a_search_that_fails_or_is_cut_short_hands_out_no_certificate():
    def lost() -> None:
        _counter(2)
        raise AssertionError("planted")

    assert hocket.explore(lost, certificate=True, data="off").certificate is None
    assert hocket.explore(lambda: _counter(3), certificate=True, data="off", executions=3).certificate is None


@pytest.mark.parametrize("options", [{"bound": 1}, {"strategy": "random"}, {"reductions": ["equal-writes"]}])
def test_a_certificate_of_less_than_all_is_refused(options):
    with pytest.raises(Refused, match="certificate"):
        hocket.explore(lambda: _counter(2), certificate=True, data="off", **options)


def _shell(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hocket", *map(str, words)], cwd=ROOT, capture_output=True, text=True)


def test_the_shell_writes_a_certificate_and_audits_it(tmp_path):
    path = tmp_path / "classes.json"
    assert _shell("explore", "docs/examples/lost_update.py::kept_update", "--certificate", path).returncode == 0
    audited = _shell("audit", path)
    assert (audited.returncode, "2 classes, 2 reversals" in audited.stdout) == (0, True)
    data = json.loads(path.read_text())
    data["executions"].pop()
    path.write_text(json.dumps(data))
    audited = _shell("audit", path)
    assert (audited.returncode, "asks for another" in audited.stdout) == (1, True)


@pytest.mark.parametrize(("text", "code"), [("{", 2), ("[]", 3), ('{"kind": "other"}', 3), ("[" * 100_000, 2)])
def test_what_is_no_certificate_is_named_without_a_traceback(tmp_path, text, code):
    path = tmp_path / "other.json"
    path.write_text(text)
    audited = _shell("audit", path)
    assert audited.returncode == code
    assert str(path) in audited.stdout + audited.stderr
    assert "Traceback" not in audited.stderr
