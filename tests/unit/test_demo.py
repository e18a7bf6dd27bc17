"""`make demo` shows what it says: its first three parts run here (the proofs have tests of their own)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("demo", ROOT / "docs" / "examples" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_lost_update_is_found_replayed_and_its_repair_proved(demo, capsys):
    demo.explore()
    printed = capsys.readouterr().out
    assert "lost_update: failed" in printed
    assert printed.count("two additions, and the counter says 1") >= 2
    assert "kept_update: proved: 2 classes, 2 executions" in printed


def test_the_nested_forks_run_in_their_order_on_two_workers(demo, capsys):
    demo.run()
    ran = next(line for line in capsys.readouterr().out.splitlines() if "ran:" in line)
    order = [part.split()[0] for part in ran.split("ran:")[1].split(",")]
    assert order[0] == "t0"
    assert order[-1] == "t2"
    assert set(order[1:-1]) == {"tx", "t1", "ty", "tz"}
    assert min(order.index("ty"), order.index("tz")) > order.index("t1")
    assert "worker-0" in ran
    assert "worker-1" in ran


def test_our_own_workflow_holds_and_the_cycle_is_refused_with_its_lines(demo, capsys):
    demo.verify()
    printed = capsys.readouterr().out
    assert ".github/workflows/ci.yml: holds" in printed
    assert "cycle.yml:23:20: G001" in printed


def test_a_command_that_ends_otherwise_than_the_demo_says_ends_the_demo(demo):
    with pytest.raises(SystemExit, match="expected exit code 0"):
        demo.command("verify docs/examples/workflows/cycle.yml", expected=0)
