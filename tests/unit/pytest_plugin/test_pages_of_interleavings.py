"""A failing interleaving as a page, a picture, a trace and in the formats of CI; the page also in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import hocket
from hocket.cli import main
from hocket.cli.explored import case_of
from hocket.render.page import page, picture, trace

pytest_plugins = "pytester"

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PROGRAM = """\
import threading

class Account:
    def __init__(self): self.balance = 0

def test_deposits():
    account = Account()
    def deposit(): account.balance += 1
    threads = [threading.Thread(target=deposit) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert account.balance == 2

def test_nothing():
    pass
"""


class Account:
    def __init__(self):
        self.balance = 0


def both(one, other):
    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deposits():
    account = Account()

    def deposit():
        account.balance += 1

    both(deposit, deposit)
    assert account.balance == 2


def looked_and_acted():
    jobs, done = {"a": 1}, []

    def work():
        if "a" in jobs:
            done.append(jobs["a"])

    both(work, jobs.clear)


def locks():
    one, other = threading.Lock(), threading.Lock()

    def forth():
        with one, other:
            pass

    def back():
        with other, one:
            pass

    both(forth, back)


@pytest.fixture(scope="module")
def failure():
    return hocket.explore(deposits).failure


def test_the_conflict_that_mattered_is_told_in_a_sentence(failure):
    sentence = ("t1 wrote 1 to account.balance (step 5) after t2 had read 0 there (step 3) and before t2 wrote 1 "
                "over it (step 6): an update is lost")
    assert failure.mattered == sentence
    assert f"\n{sentence}\n" in failure.drawn()


def test_a_look_that_is_out_of_date_is_told_and_a_deadlock_tells_itself():
    stale = hocket.explore(looked_and_acted).failure
    assert stale.mattered == ("t2 wrote jobs['a'] (step 4) after t1 had read 1 there (step 3), and t1 then found it "
                              "absent (step 5)")
    assert hocket.explore(locks).failure.mattered == ""


def test_arrows_are_starts_ends_and_conflicts_between_threads(failure):
    # 1, 2: starts; 3 t2 reads, 4 t1 reads, 5 t1 writes, 6 t2 writes (4 to 6 follows by way of 5); 7, 8: joins
    assert sorted(failure.arrows) == [(1, 4), (2, 3), (3, 5), (5, 6), (5, 7), (6, 8)]


def test_a_page_needs_no_network_and_takes_nothing_from_the_program_for_html(failure):
    told = replace(failure.interleaving(), headline="<script>alert(1)</script>",
                   rows=[row._replace(text="</script><b>" + row.text) for row in failure.rows])
    text = page(told)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script>alert" not in text
    assert "</script><b>" not in text
    assert len(re.findall('class="step ', text)) == len(failure.rows)


def test_a_trace_has_a_slice_for_each_step_and_a_flow_for_each_arrow(failure):
    events = json.loads(trace(failure.interleaving()))["traceEvents"]
    counted = {kind: sum(event["ph"] == kind for event in events) for kind in "Xs"}
    assert counted == {"X": len(failure.rows), "s": len(failure.arrows)}
    slices = {event["args"]["step"]: event for event in events if event["ph"] == "X" and "step" in event["args"]}
    line = deposits.__code__.co_firstlineno + 4
    assert (slices[6]["name"], slices[6]["args"]) == ("writes account.balance = 1", {
        "step": 6, "value": "1", "before": "1", "source": "account.balance += 1",
        "place": f"test_pages_of_interleavings.py:{line}"})


def test_a_picture_is_wellformed_and_has_a_lane_for_each_thread(failure):
    tree = ElementTree.fromstring(picture(failure.interleaving()))
    texts = list(tree.iter("{http://www.w3.org/2000/svg}text"))
    assert [text.text for text in texts if text.get("font-weight")] == ["main", "t1", "t2"]
    shown = [text.text for text in texts]
    first = deposits.__code__.co_firstlineno
    for told in ("reads account.balance → 0", "writes account.balance = 1",
                 f"test_pages_of_interleavings.py:{first + 4} account.balance += 1"):
        assert shown.count(told) in (2, 4), told  # a box of each thread; the line beside each of four steps


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_page_steps_and_searches_by_keyboard_in_a_browser(failure, tmp_path):
    scenes = {  # what is done, after what was done before it, and what the panel says then
        "": "t2: reads account.balance → 0",  # it opens at the first step of the conflict that mattered
        "press('Home', 'j', 'j', 'ArrowDown', 'k')": "t2: reads account.balance → 0",
        "press('n')": "t2: writes account.balance = 1",  # the next of the same lane
        "press('End')": "main: AssertionError",
        "search('join t2')": "main: join t2",
        "press('k', 'k', 'k'); search('balance')": "t1: writes account.balance = 1",
        "further(1); further(1); further(1)": "t2: reads account.balance → 0",  # 6, the assertion, and round
    }
    script = """
        const press = (...keys) => keys.forEach(key =>
          document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})));
        const said = [], note = () => said.push(by('what').textContent);
        SCENES
        const log = document.createElement('pre'); log.id = 'log'; log.textContent = said.join('\\n');
        document.body.append(log);
    """.replace("SCENES", "\n".join(f"{scene}; note();" for scene in scenes))
    path = tmp_path / "page.html"
    path.write_text(page(failure.interleaving()).replace("</body>", f"<script>{script}</script></body>"))
    ran = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True)
    assert re.search(r'<pre id="log">(.*?)</pre>', ran.stdout, re.S)[1].splitlines() == list(scenes.values())
    known = re.search(r'<tbody id="known">(.*?)</tbody>', ran.stdout)[1]
    assert re.findall("<td>(.*?)</td>", known) == ["account.balance", "0"]


def test_the_shell_writes_every_format(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    names = {name: tmp_path / f"out.{name}" for name in ("html", "svg", "trace", "sarif", "junit")}
    flags = [flag for name, path in names.items() for flag in (f"--{name}", str(path))]
    assert main(["explore", str(program), "--quiet", *flags]) == 1
    out = capsys.readouterr().out
    assert out.count("::error ") == 1
    assert "an update is lost" in out
    result = json.loads(names["sarif"].read_text())["runs"][0]["results"][0]
    assert (result["ruleId"], len(result["codeFlows"][0]["threadFlows"])) == ("assertion", 3)
    cases = ElementTree.parse(names["junit"]).getroot().iter("testcase")
    assert [len(case.findall("failure")) for case in cases] == [1, 0]
    assert sorted(path.name for path in tmp_path.glob("out.*.*")) == [
        "out.test_deposits.html", "out.test_deposits.svg", "out.test_deposits.trace"]
    assert "test_deposits" in (tmp_path / "summary").read_text()


def test_what_is_incomplete_is_a_warning_and_unknown():
    case = case_of("a", deposits, hocket.explore(deposits, executions=1))
    assert (case.verdict, [row.severity for row in case.rows]) == ("unknown", ["warning"])


def test_a_page_that_cannot_be_written_hides_no_finding(pytester):
    pytester.makepyfile(test_it=PROGRAM)
    (pytester.path / "pages").write_text("a file is in the way")
    result = pytester.runpytest("--explore", "--explore-html=pages")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["page: pages/test_it.py_test_deposits.html cannot be written: *",
                                 "failed *test_it.py::test_deposits*"])


def test_a_test_run_leaves_a_page_for_each_failing_test(pytester):
    pytester.makepyfile(test_it=PROGRAM)
    result = pytester.runpytest("--explore", "--explore-html=pages")
    result.stdout.fnmatch_lines(["page: pages/test_it.py_test_deposits.html"])
    text = (pytester.path / "pages" / "test_it.py_test_deposits.html").read_text()
    assert "pytest &#x27;test_it.py::test_deposits&#x27; --explore-replay" in text
    assert [path.name for path in (pytester.path / "pages").iterdir()] == ["test_it.py_test_deposits.html"]
    token = re.search(r"--explore-replay '(\S+)'", result.stdout.str())[1]
    for again in (["--explore"], ["--explore", "--explore-replay", token]):  # the stored failure, and the one asked for
        (pytester.path / "pages" / "test_it.py_test_deposits.html").unlink()
        pytester.runpytest(*again, "--explore-html=pages", "-k", "deposits").assert_outcomes(failed=1)
        assert (pytester.path / "pages" / "test_it.py_test_deposits.html").read_text() == text
