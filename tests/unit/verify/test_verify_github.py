"""GitHub workflows: what can run under which configuration, to the exact finding, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

import hocket
from hocket.errors import SourceError

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "workflows"


def workflow(jobs: dict[str, str], on: str = "[push, pull_request]", top: str = "") -> str:
    """A workflow in which each job is given by the lines that are not always the same, separated by `;`.

    The first job's name stands in line 4 (plus the lines of `top`); each job takes 3 lines and one for each of its own.
    """
    lines = [f"on: {on}", *top.splitlines(), "name: W", "jobs:"]
    for name, body in jobs.items():
        lines.append(f"  {name}:")
        lines += [f"    {line.strip()}" for line in body.split(";") if line.strip()]
        lines += ["    runs-on: x", "    steps: [{run: x}]"]
    return "\n".join(lines) + "\n"


def found(jobs: dict[str, str], **more: str) -> list[tuple[str, int, int]]:
    report = hocket.verify(workflow(jobs, **more))
    return [(finding.code, finding.line, finding.column) for finding in report.findings]


def never(jobs: dict[str, str], **more: str) -> list[str]:
    """The jobs of which it is said that they can never run; nothing else may be said."""
    report = hocket.verify(workflow(jobs, **more))
    assert {finding.code for finding in report.findings} <= {"G004", "G037"}
    return [finding.message.split("'")[1] for finding in report.findings]


# -- shape ------------------------------------------------------------------------------------------------------------


def test_a_cycle_is_shown_with_the_line_of_each_edge():
    report = hocket.verify(workflow({"a": "needs: c", "b": "needs: [a]", "c": "needs: [a, b]"}))
    assert report.verdict == "violated"
    (finding,) = report.findings
    assert finding.code == "G001"
    assert finding.message == "these tasks wait for each other: a → c → a"  # the shortest; a → c → b → a is longer
    assert finding.witness == ("a", "c")
    assert [(note.span.line, note.span.column, note.text) for note in finding.notes] == [
        (5, 12, "'a' waits for 'c'"),
        (13, 13, "'c' waits for 'a'"),
    ]


def test_two_separate_cycles_are_two_findings():
    jobs = {"a": "needs: b", "b": "needs: a", "c": "needs: d", "d": "needs: c", "e": "needs: a"}
    assert found(jobs) == [("G001", 5, 12), ("G001", 13, 12)]


def test_a_job_that_needs_itself():
    assert found({"a": "needs: [a]"}) == [("G005", 5, 13)]


def test_an_undefined_need_comes_with_a_guess():
    report = hocket.verify(workflow({"build": "", "deploy": "needs: biuld"}))
    (finding,) = report.findings
    assert (finding.code, finding.line, finding.column) == ("G002", 8, 12)
    assert finding.cure == "did you mean 'build'?"


def test_job_ids_are_compared_without_case():
    assert found({"Build": "", "deploy": "needs: build"}) == []


def test_a_duplicate_job_and_a_duplicate_key_name_both_lines():
    text = workflow({"a": "", "b": ""}) + "  a:\n    runs-on: y\n    runs-on: z\n    steps: [{run: x}]\n"
    report = hocket.verify(text)
    assert [(finding.code, finding.message) for finding in report.findings] == [
        ("G003", "'a' is defined twice: first in line 4, again in line 10")
    ]
    assert [note.span.line for note in report.findings[0].notes] == [4, 10]


def test_unknown_keys_are_reported_at_every_level():
    text = "on: push\nname: W\njob: 1\njobs:\n  a:\n    runs_on: x\n    runs-on: x\n"
    text += "    steps:\n      - ruN: x\n        run: y\n"
    report = hocket.verify(text)
    assert [(f.code, f.line, f.column, f.cure) for f in report.findings] == [
        ("G008", 3, 1, "did you mean 'jobs'?"),
        ("G008", 6, 5, "did you mean 'runs-on'?"),
        ("G008", 9, 9, "did you mean 'run'?"),
    ]


def test_an_unknown_event_is_reported():
    assert found({"a": ""}, on="[push, pul_request]") == [("G008", 1, 12)]


def test_reading_a_job_that_is_not_needed():
    jobs = {"a": "", "b": "", "c": "needs: a; if: needs.b.result == 'success'; name: ${{ needs.b.outputs.x }}"}
    assert ("G007", 12, 9) in found(jobs)
    assert ("G007", 13, 11) in found(jobs)


def test_reading_an_output_that_is_not_declared():
    jobs = {"a": "outputs: {image: x}", "b": "needs: a; env: {I: '${{ needs.a.outputs.imgae }}'}"}
    report = hocket.verify(workflow(jobs))
    (finding,) = report.findings
    assert (finding.code, finding.line, finding.cure) == ("G010", 10, "did you mean 'image'?")


# -- conditions -------------------------------------------------------------------------------------------------------


def test_a_contradiction_between_events_is_found_at_the_condition():
    jobs = {"a": "", "b": "needs: a; if: github.event_name == 'push' && github.event_name == 'pull_request'"}
    assert found(jobs) == [("G004", 9, 9)]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("github.event_name == 'push'", True),
        ("github.event_name == 'PUSH'", True),  # compared without case
        ("github.event_name == 'schedule'", False),  # not in on:
        ("github.event_name != 'push' && github.event_name != 'pull_request'", False),
        ("${{ github.event_name == 'push' || false }}", True),
        ("false", False),
        ("${{ false }}", False),
        ("!true", False),
        ("'text'", True),
        ("''", False),
        ("0", False),
        ("null", False),
        ("1 == '1'", True),
        ("'a' == 'A'", True),
        ("true == 'true'", False),  # a word is no number, so it equals no boolean
        ("startsWith(github.ref, 'refs/tags/') && github.ref == 'refs/heads/main'", False),
        ("startsWith(github.ref, 'refs/tags/') && startsWith(github.ref, 'refs/heads/')", False),
        ("startsWith(github.ref, 'refs/tags/') && endsWith(github.ref, '-rc')", True),
        ("contains(github.ref, 'main') && github.ref == 'refs/heads/main'", True),
        ("contains(github.ref, 'main') && github.ref == 'refs/heads/dev'", False),
        ('contains(fromJSON(\'["push", "schedule"]\'), github.event_name)', True),
        ('contains(fromJSON(\'["release", "schedule"]\'), github.event_name)', False),
        ("github.event.pull_request.draft == false && github.event.pull_request.draft == true", False),
        ("github.event.pull_request.draft == false", True),
        ("hashFiles('x') != '' && github.event_name == 'push'", True),
        ("something.unknown > 3", True),  # not understood: may be anything
        ("format('{0}-{1}', 'a', 'b') == 'a-b'", True),
        ("format('{0}-{1}', 'a', 'b') == 'a_b'", False),
        ("(github.event_name == 'push' && 'x' || 'y') == 'z'", False),
        ("github.run_id == ''", True),  # not claimed: only its truth value is known
        ("failure()", False),  # nothing comes before it that could fail
        ("cancelled()", True),
        ("cancelled() && success()", False),
        ("always() && false", False),
    ],
)
def test_a_condition_alone_decides_whether_a_job_can_run(condition, runs):
    assert never({"a": f"if: {condition}" if condition[0] not in "!'" else f'if: "{condition}"'}) == (
        [] if runs else ["a"]
    )


def test_a_skip_spreads_to_all_descendants():
    # GitHub's default condition looks at every ancestor, not only at those that are named
    assert never({"a": "if: false", "b": "needs: a", "c": "needs: b"}) == ["a", "b", "c"]


def test_always_runs_after_a_skip():
    assert never({"a": "if: false", "b": "needs: a; if: always()"}) == ["a"]


def test_a_default_condition_after_always_still_sees_the_skipped_ancestor():
    # actions/runner #2205: b runs and succeeds, and yet c is skipped, because a was
    jobs = {"a": "if: false", "b": "needs: a; if: always()", "c": "needs: b"}
    assert never(jobs) == ["a", "c"]
    jobs["c"] = "needs: b; if: always() && needs.b.result == 'success'"
    assert never(jobs) == ["a"]


def test_a_result_of_skipped_needs_a_status_function():
    assert never({"a": "if: github.event_name == 'push'", "b": "needs: a; if: needs.a.result == 'skipped'"}) == ["b"]
    assert (
        never({"a": "if: github.event_name == 'push'", "b": "needs: a; if: always() && needs.a.result == 'skipped'"})
        == []
    )


def test_a_job_without_a_condition_is_never_skipped_unless_the_run_is_cancelled():
    # the first job is decided at once: it is skipped only if somebody cancels the run before its turn
    assert never({"a": "", "b": "needs: a; if: always() && needs.a.result == 'skipped'"}) == []
    assert never({"a": "", "b": "needs: a; if: always() && !cancelled() && needs.a.result == 'skipped'"}) == ["b"]


def test_a_result_is_one_of_four_words():
    assert never({"a": "", "b": "needs: a; if: always() && needs.a.result == 'succeeded'"}) == ["b"]
    assert never({"a": "", "b": "needs: a; if: failure() && needs.a.result == 'success'"}) == ["b"]
    assert never({"a": "", "b": "needs: a; if: failure() && needs.a.result == 'failure'"}) == []


def test_failure_sees_ancestors_that_are_not_named():
    assert (
        never({"a": "", "b": "needs: a; if: always()", "c": "needs: b; if: failure() && needs.b.result == 'success'"})
        == []
    )


def test_any_result_among_the_needs():
    jobs = {"a": "", "b": "", "c": "needs: [a, b]; if: always() && contains(needs.*.result, 'failure')"}
    assert never(jobs) == []
    jobs["c"] = "needs: [a, b]; if: contains(needs.*.result, 'failure')"  # success() is added, and contradicts
    assert never(jobs) == ["c"]


def test_status_functions_may_name_jobs():
    jobs = {"a": "if: false", "b": "", "c": "needs: [a, b]; if: success('b')"}
    assert never(jobs) == ["a"]
    jobs["c"] = "needs: [a, b]; if: success('a')"
    assert never(jobs) == ["a", "c"]


def test_an_output_is_empty_unless_its_job_has_run():
    jobs = {
        "a": "if: github.event_name == 'push'; outputs: {go: x}",
        "b": "needs: a; if: always() && needs.a.result == 'skipped' && needs.a.outputs.go == 'yes'",
        "c": "needs: a; if: always() && needs.a.outputs.go == 'yes'",
    }
    assert never(jobs) == ["b"]


def test_the_reason_names_the_conditions_that_contradict_each_other():
    jobs = {
        "a": "if: github.event_name == 'push'",
        "b": "",
        "c": "needs: [a, b]; if: github.event_name == 'pull_request'",
    }
    report = hocket.verify(workflow(jobs))
    (finding,) = report.findings
    assert (finding.code, finding.line) == ("G004", 11)
    assert finding.message == "'c' can never run: its condition contradicts that of 'a'"
    assert [(note.span.line, note.text) for note in finding.notes] == [
        (13, "the condition of 'c'"),
        (5, "the condition of 'a'"),
    ]


def test_text_around_an_expression_is_always_true_and_warned_of():
    report = hocket.verify(workflow({"a": "if: ${{ false }} && true"}))
    assert report.verdict == "holds"
    assert [(finding.code, finding.severity) for finding in report.findings] == [("G009", "warning")]


def test_a_condition_that_cannot_be_parsed_is_shown_at_its_character():
    report = hocket.verify(workflow({"a": 'if: github.ref == "main"'}))
    assert [(f.code, f.line, f.column) for f in report.findings] == [("G008", 5, 23)]
    assert "single quotes" in report.findings[0].message


def test_inputs_know_their_type():
    on = "{workflow_dispatch: {inputs: {flag: {type: boolean}, word: {type: string}}}}"
    assert never({"a": "if: inputs.flag == 'true'"}, on=on) == ["a"]  # true is 1, and 'true' is no number
    assert never({"a": "if: inputs.flag == true"}, on=on) == []
    assert never({"a": "if: inputs.word == 'true'"}, on=on) == []


# -- groups -----------------------------------------------------------------------------------------------------------


def test_a_job_in_the_group_of_its_workflow_waits_for_ever():
    jobs = {"a": "", "b": "needs: a; concurrency: main"}
    report = hocket.verify(workflow(jobs, top="concurrency: {group: MAIN}"))
    (finding,) = report.findings
    assert (finding.code, finding.line) == ("G006", 10)
    assert [str(event) for event in finding.witness.events] == ["a starts", "a ends: succeeded", "b waits for ever"]


def test_a_group_that_is_equal_only_on_a_branch_on_which_the_job_does_not_run_is_no_deadlock():
    top = "concurrency: ${{ github.ref == 'refs/heads/main' && 'main' || github.run_id }}"
    assert found({"b": "concurrency: main"}, top=top) == [("G006", 6, 18)]
    assert found({"b": "concurrency: main; if: github.ref != 'refs/heads/main'"}, top=top) == []


def test_open_names_are_not_taken_to_be_equal():
    assert found({"b": "concurrency: ${{ github.head_ref }}"}, top="concurrency: ${{ github.ref }}") == []


def test_caller_and_called_with_one_group():
    report = hocket.verify(EXAMPLES / "deadlock" / ".github" / "workflows" / "ci.yml")
    (finding,) = report.findings
    assert (finding.code, Path(finding.path).name, finding.line, finding.column) == ("G006", "called.yml", 7, 10)
    assert [(Path(note.span.path).name, note.span.line) for note in finding.notes] == [("ci.yml", 7), ("called.yml", 7)]


# -- called workflows -------------------------------------------------------------------------------------------------


def called(folder: Path, caller: str, callee: str) -> hocket.verify.findings.Report:  # type: ignore[name-defined]
    home = folder / ".github" / "workflows"
    home.mkdir(parents=True)
    (home / "called.yml").write_text(callee)
    (home / "caller.yml").write_text(caller)
    return hocket.verify(home / "caller.yml")


def test_the_jobs_of_a_called_workflow_are_read_and_their_inputs_filled_in(tmp_path):
    caller = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n    with: {mode: fast}\n"
    callee = workflow(
        {"slow": "if: inputs.mode == 'slow'", "fast": "if: inputs.mode == 'fast'", "end": "needs: slow; if: always()"},
        on="{workflow_call: {inputs: {mode: {type: string}}}}",
    )
    report = called(tmp_path, caller, callee)
    assert list(report.graph.tasks) == ["call", "call / slow", "call / fast", "call / end"]
    assert (report.findings, report.certificate is not None) == ((), True)  # another caller may pass another mode
    again = hocket.verify(tmp_path / ".github" / "workflows" / "caller.yml", assertions=["call / slow can run"])
    assert [finding.code for finding in again.findings] == ["G020"]
    other = callee.replace("inputs.mode == 'slow'", "github.ref == 'a' && github.ref == 'b'")
    (tmp_path / ".github" / "workflows" / "called.yml").write_text(other)
    (finding,) = hocket.verify(tmp_path / ".github" / "workflows" / "caller.yml").findings
    assert (finding.code, Path(finding.path).name, finding.line) == ("G004", "called.yml", 5)  # whoever calls it


def test_a_called_workflow_must_exist_and_be_callable(tmp_path):
    caller = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n"
    caller += "  miss:\n    uses: ./.github/workflows/no.yml\n"
    report = called(tmp_path, caller, workflow({"a": ""}))
    assert [(f.code, f.line) for f in report.findings] == [("G011", 4), ("G011", 6)]


def test_a_workflow_that_calls_itself_is_refused(tmp_path):
    caller = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n"
    callee = "on: workflow_call\njobs:\n  again:\n    uses: ./.github/workflows/called.yml\n"
    report = called(tmp_path, caller, callee)
    assert [(f.code, Path(f.path).name, f.line) for f in report.findings] == [("G011", "called.yml", 4)]


# -- assertions -------------------------------------------------------------------------------------------------------

DIAMOND = {"lint": "", "build": "needs: lint", "test": "needs: lint", "ship": "needs: [build, test]"}


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("lint before ship", "holds"),
        ("ship before lint", "violated"),
        ("build before test", "violated"),
        ("build never with test", "violated"),
        ("lint never with ship", "holds"),
        ("ship requires test", "holds"),
        ("test requires build", "violated"),
        ("build can run before test", "holds"),
        ("test can run before build", "holds"),
        ("ship can run before lint", "violated"),
        ("ship can run", "holds"),
        ("Lint ALWAYS before ship", "holds"),
    ],
)
def test_an_assertion_is_proved_or_refuted_by_a_run(claim, verdict):
    report = hocket.verify(workflow(DIAMOND), assertions=[claim])
    assert report.verdict == verdict
    assert [finding.code for finding in report.findings] == ([] if verdict == "holds" else ["G020"])


def test_conditions_can_make_an_order_or_an_exclusion():
    jobs = {"a": "if: github.event_name == 'push'", "b": "if: github.event_name == 'pull_request'"}
    assert hocket.verify(workflow(jobs), assertions=["a before b", "a never with b"]).verdict == "holds"


def test_what_runs_only_after_a_cancellation_cannot_run_before_what_runs_only_without_one():
    jobs = {"a": "if: cancelled()", "b": "if: '!cancelled()'"}
    report = hocket.verify(workflow(jobs), assertions=["a can run before b"])
    assert [finding.code for finding in report.findings] == ["G020"]
    assert hocket.verify(workflow(jobs), assertions=["b can run before a"]).verdict == "holds"


def test_one_group_keeps_two_jobs_apart():
    jobs = {"a": "concurrency: x", "b": "concurrency: X", "c": "concurrency: y"}
    assert hocket.verify(workflow(jobs), assertions=["a never with b"]).verdict == "holds"
    assert hocket.verify(workflow(jobs), assertions=["a never with c"]).verdict == "violated"


def test_a_refutation_is_a_run_with_a_configuration():
    jobs = {"test": "", "ship": "needs: test; if: always() && github.event_name == 'push'"}
    report = hocket.verify(workflow(jobs), assertions=["ship requires test"])
    (finding,) = report.findings
    assert finding.witness.values["github.event_name"] == "push"
    assert [str(event) for event in finding.witness.events][:3] == ["test starts", "test ends: failed", "ship starts"]


def test_an_assertion_about_an_unknown_job_is_a_finding_and_a_senseless_one_is_refused():
    report = hocket.verify(workflow(DIAMOND), assertions=["biuld before ship"])
    assert [(finding.code, finding.cure) for finding in report.findings] == [("G021", "did you mean 'build'?")]
    with pytest.raises(SourceError, match="is no assertion"):
        hocket.verify(workflow(DIAMOND), assertions=["build after ship"])


# -- our own files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codes"),
    [("release.yml", []), ("cycle.yml", [("G001", 23)]), ("never.yml", [("G004", 15), ("G004", 20)])],
)
def test_our_examples_have_exactly_the_findings_that_they_show(name, codes):
    report = hocket.verify(EXAMPLES / name)
    assert [(finding.code, finding.line) for finding in report.findings] == codes


def test_our_own_workflow_holds():
    report = hocket.verify(
        ROOT / ".github" / "workflows" / "ci.yml",
        assertions=[
            "lint before tests",
            "tests before package",
            "package requires proofs",
            "tests can run before proofs",
        ],
    )
    assert (report.verdict, report.findings) == ("holds", ())
    assert report.counts["tasks"] == 7
