"""What public repositories have taught: each test is the smallest text that was read wrongly once."""

from __future__ import annotations

import pytest

import hocket
from hocket.verify.readers import sniffed
from hocket.verify.readers.discover import graphs_in
from hocket.verify.readers.dot import Dot
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source


def test_a_drawing_in_comments_is_no_graph_of_dot_and_that_is_seen_at_once():
    drawing = "".join(f"#{' ' * (n % 40)}/{' ' * 40}\\\n" for n in range(200))
    assert not Dot().sniff(Source("w.yaml", drawing + "\n" * 200 + " " * 200 + "apiVersion: x\n"))
    assert Dot().sniff(Source("g", drawing + " " * 200 + "// so\n/* it\n is */ strict digraph { a -> b }"))


def test_a_long_line_of_words_is_no_key_and_that_is_seen_at_once():
    assert outline(Source("w.yml", "a " * 100_000 + "\njobs:\n" + "b" + " " * 100_000 + "\n")).keys == {"jobs"}


def test_a_map_state_may_have_nothing_to_do_and_so_go_on_where_each_of_its_items_fails():
    text = """\
{"StartAt": "each", "States": {
  "each": {"Type": "Map", "Next": "rest", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "caught"}],
           "ItemProcessor": {"StartAt": "no", "States": {"no": {"Type": "Fail"}}}},
  "rest": {"Type": "Pass", "End": true}, "caught": {"Type": "Pass", "End": true}}}
"""
    assert hocket.verify(text, assertions=["rest can run", "caught can run", "each / no can run"]).verdict == "holds"
    parallel = text.replace('"Map"', '"Parallel"').replace('"ItemProcessor": {', '"Branches": [{')
    parallel = parallel.replace("}}}},", "}}}]},")
    (finding,) = hocket.verify(parallel).findings
    assert (finding.code, finding.line) == ("G004", 2)  # of a branch that always fails nothing but the catch is left
    waits = text.replace('{"no": {"Type": "Fail"}}', '{"no": {"Type": "Wait", "Seconds": 1, "End": true}}')
    assert hocket.verify(waits).findings == ()  # what is within cannot fail, but its own input may be wrong


@pytest.mark.parametrize("text", ["jobs:\n- job: copr_build\n", "jobs:  # ours\n\n  # first\n  - job: a\n"])
def test_a_list_of_jobs_is_no_workflow(text, tmp_path):
    (tmp_path / ".packit.yaml").write_text(text)
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x}}\n")
    assert [source.path for source in graphs_in(tmp_path)] == [str(tmp_path / "compose.yaml")]
    assert sniffed(Source("w.yml", "on: push\njobs:\n  a:\n    steps:\n    - run: x\n")) is not None


def test_a_part_of_a_pipeline_by_itself_may_use_what_stands_elsewhere(tmp_path):
    (tmp_path / ".gitlab-ci.yml").write_text("include: parts/test.yml\nstages: [first]\n.base: {script: x}\n")
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / "test.yml"
    test = "test:\n  extends: .base\n  stage: first\n  needs: [lists]\n  rules: [{when: always}]\n"
    part.write_text("lists:\n  stage: first\n  script: x\n" + test)
    assert [(finding.code, finding.line) for finding in hocket.verify(part).findings] == [("G091", 1)]
    assert hocket.verify(tmp_path / ".gitlab-ci.yml").findings[0].code == "G013"  # the whole is judged
    other = tmp_path / "parts" / "child.yml"
    other.write_text("stages: [test]\ntest: {extends: .base, stage: test}\n")  # a pipeline of its own
    assert [finding.code for finding in hocket.verify(other).findings] == ["G002"]


WORKFLOW = "on: push\njobs:\n"
JOB = "    runs-on: x\n    steps: [{run: x}]\n"


def github(jobs: dict[str, str]) -> str:
    return WORKFLOW + "".join(f"  {name}:\n{JOB}    {more}\n" for name, more in jobs.items())


@pytest.mark.parametrize("condition", ["false", "${{ false }}", "github.ref == 'x' && false", "false || false"])
def test_a_job_that_is_switched_off_is_meant_and_whoever_needs_it_is_not(condition):
    report = hocket.verify(github({"off": f"if: {condition}"}))
    assert [(one.code, one.line, one.severity) for one in report.findings] == [("G037", 6, "warning")]
    assert hocket.audit(report.certificate, github({"off": f"if: {condition}"})).basis is not None
    report = hocket.verify(github({"off": f"if: {condition}", "on": "needs: off"}))
    assert [(one.code, one.line) for one in report.findings] == [("G037", 6), ("G004", 7)]


def test_what_a_job_behind_those_that_are_needed_gave_may_be_read_in_a_condition_and_nowhere_else():
    asked = "needs: mid\n    if: needs.set.outputs.go == '1'"
    jobs = {"set": "outputs: {go: '1'}", "mid": "needs: set", "end": asked}
    assert hocket.verify(github(jobs)).findings == ()  # actions/runner 2356: it is there, against the documentation
    jobs["end"] = "needs: mid\n    env: {GO: '${{ needs.set.outputs.go }}'}"
    assert [(one.code, one.line) for one in hocket.verify(github(jobs)).findings] == [("G007", 15)]
    jobs["end"] = "needs: mid\n    if: needs.other.outputs.go == '1'"
    assert sorted(one.code for one in hocket.verify(github(jobs | {"other": ""})).findings) == ["G004", "G007"]


@pytest.mark.parametrize(
    "text",
    [
        "version: 2.1\njobs:\n  build:\n    docker: [{image: x}]\nworkflows: {all: {jobs: [build]}}\n",  # CircleCI
        "jobs: 500\nuse-conda: true\n",  # a profile of snakemake
        "trigger: {batch: true}\nresources: {x: y}\nstages:\n- stage: Build\n  jobs: []\n",  # Azure
        "global: {image: x}\ntest:\n  enabled: true\n  rules:\n    - x\nlast:\n  script: x\n  enabled: y\n",  # helm
    ],
)
def test_what_other_tools_call_jobs_and_stages_is_none_of_the_formats(text):
    assert sniffed(Source("config.yml", text)) is None


@pytest.mark.parametrize(
    "text",
    ["a:\n  stage: x\n  extends: .b\n", "a: {script: [x], tags: [y]}\n", "# so\na:\n    image: x\n    script: y\n"],
)
def test_a_job_of_gitlab_is_known_by_its_keys(text):
    assert type(sniffed(Source("part.yml", text))).__name__ == "GitLab"


def gitlab(text: str) -> list[tuple[str, int]]:
    return [(one.code, one.line) for one in hocket.verify(text, format="gitlab").findings]


def test_where_there_are_rules_of_the_workflow_a_job_without_rules_is_in_every_pipeline():
    jobs = """\
build:
  script: make
test:
  script: make test
  needs: [build]
  rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]
"""
    assert gitlab(jobs) == [("G004", 3), ("G013", 5)]  # usually it is for branches and tags
    ruled = "workflow: {rules: [{if: $CI_MERGE_REQUEST_IID}, {if: $CI_COMMIT_BRANCH}]}\n"
    assert gitlab(ruled + jobs) == []
    assert gitlab("include: {project: a/b, file: x.yml}\n" + jobs) == [("G091", 1)]  # where they may stand as well
    assert gitlab(ruled + jobs.replace("make\n", "make\n  only: [branches]\n", 1)) == [("G004", 5), ("G013", 7)]


def test_a_part_of_a_matrix_is_needed_by_its_full_name():
    text = """\
build: {stage: build, script: x, parallel: {matrix: [{OS: [linux, mac], PART: [1/2, 2/2]}]}}
shard: {stage: build, script: x, parallel: 4}
test: {script: x, needs: ['build: [linux, 1/2]', 'shard 2/4', {job: 'build: [mac, 1/2]'}]}
last: {script: x, needs: ['biuld: [linux]']}
pack: {stage: deploy, script: x, dependencies: ['build: [mac, 2/2]']}
"""
    assert gitlab(text) == [("G002", 4)]
    graph = hocket.verify(text, format="gitlab").graph
    assert [edge.before for edge in graph.tasks["test"].edges] == ["build", "shard"]


def test_null_is_nothing_where_names_are_expected():
    text = "a: {script: x, dependencies: null, needs: [null]}\n.x: &x\n-\nb: {script: x, needs: [*x, a]}\n"
    assert gitlab(text) == []


def test_gitlab_merges_each_of_several_merge_keys_and_the_later_wins():
    text = """\
.one: &one {stage: build, script: x}
.two: &two {stage: test, tags: [y]}
a:
  <<: *one
  <<: *two
b: {stage: build, script: x, needs: [a]}
"""
    assert gitlab(text) == [("G030", 6)]
    twice = hocket.verify("services:\n  a: {<<: {image: x}, <<: {image: y}}\n")
    assert [one.code for one in twice.findings] == ["G003"]


def test_a_compose_file_that_is_laid_over_another_may_use_what_that_one_defines(tmp_path):
    over = "services:\n  web:\n    image: x\n    depends_on: [db]\n"
    (tmp_path / "overrides").mkdir()
    (tmp_path / "compose.yaml").write_text("services: {db: {image: x}}\n")
    found = {}
    for name, text in {
        "overrides/compose.web.yaml": over,  # `db` stands in the folder above
        "overrides/compose.web2.yaml": over.replace("[db]", "[bd]"),
        "docker-compose.override.yml": over,  # and nothing beside it
        "dev.yml": over.replace("    image: x\n", ""),  # compose would refuse it by itself
        "docker-compose.yml": over,
    }.items():
        (tmp_path / name).write_text(text)
        found[name] = [(one.code, one.line) for one in hocket.verify(tmp_path / name).findings]
        (tmp_path / name).unlink()
    assert list(found.values()) == [[], [("G002", 4)], [("G091", 1)], [("G091", 1)], [("G002", 4)]]


def test_a_projects_path_is_that_of_its_namespace_and_its_name():
    text = """\
build: {script: x, rules: [{if: $CI_PROJECT_NAMESPACE =~ /^us/ && $CI_PROJECT_NAME == "it"}]}
test: {script: x, needs: [build], rules: [{if: $CI_PROJECT_PATH == "us/it"}]}
"""
    assert gitlab(text) == []
    assert gitlab(text.replace('"us/it"', '"them/it"')) == [("G004", 2), ("G013", 2)]
    assert gitlab(text.replace('"us/it"', '"us/that"')) == [("G004", 2), ("G013", 2)]


def test_what_rules_ask_of_changes_may_be_said_elsewhere():
    text = """\
.code: [src/*, lib/*]
build: {script: x, rules: [{changes: !reference [.code]}]}
test: {script: x, needs: [build], rules: [{changes: {paths: [!reference [.code], src/*]}}]}
"""
    assert gitlab(text) == []
    assert gitlab(text.replace("[!reference [.code], src/*]", "[docs/*]")) == [("G013", 3)]


def test_rules_about_a_variable_of_the_matrix_are_asked_of_each_copy():
    text = """\
build:
  script: x
  parallel: {matrix: [{OS: [linux, mac]}]}
  rules: [{if: $OS == "linux"}, {if: $OS == "mac"}]
test: {script: x, needs: [build]}
"""
    assert gitlab(text) == []
    assert gitlab(text.replace('"linux"', '"dos"').replace('"mac"', '"win"')) == [("G033", 5)]


def test_the_pipeline_of_a_repository_is_no_child_unless_it_says_so(tmp_path):
    text = """\
build: {script: x, rules: [{if: $CI_COMMIT_BRANCH || $CI_COMMIT_TAG}, {if: $CI_MERGE_REQUEST_IID}]}
test: {script: x, needs: [build], rules: [{when: always}]}
"""
    (tmp_path / ".gitlab-ci.yml").write_text(text)
    assert hocket.verify(tmp_path / ".gitlab-ci.yml").findings == ()
    assert gitlab(text) == [("G013", 2)]  # a child of a pipeline for a merge request has neither


def test_a_workflow_that_a_sensor_or_a_trigger_holds_is_read():
    argo = """\
apiVersion: argoproj.io/v1alpha1
kind: Sensor
spec:
  triggers:
    - template:
        argoWorkflow:
          source:
            resource:
              apiVersion: argoproj.io/v1alpha1
              kind: Workflow
              metadata: {generateName: a-}
              spec:
                entrypoint: main
                templates: [{name: main, dag: {tasks: [{name: a, dependencies: [b], inline: {container: {}}}]}}]
"""
    assert [(one.code, one.line) for one in hocket.verify(argo, format="argo").findings] == [("G002", 14)]
    tekton = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerTemplate
spec:
  resourcetemplates:
    - apiVersion: tekton.dev/v1
      kind: PipelineRun
      spec: {pipelineSpec: {tasks: [{name: a, runAfter: [b], taskRef: {name: t}}]}}
"""
    assert [(one.code, one.line) for one in hocket.verify(tekton).findings] == [("G002", 7)]


def test_an_action_below_the_folder_of_workflows_is_no_workflow(tmp_path):
    home = tmp_path / ".github" / "workflows" / "actions" / "one"
    home.mkdir(parents=True)
    (home / "action.yml").write_text("runs: {using: composite, steps: []}\n")
    assert sniffed(Source(str(home / "action.yml"), "runs: {using: composite}\n")) is None
    assert sniffed(Source(".github/workflows/a.yml", "runs: x\n")) is not None


TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  One:
    Type: AWS::Serverless::StateMachine
    Properties:
      Role: !GetAtt R.Arn
      Definition:
        StartAt: A
        States:
          A: {Type: "${Kind}", Next: B}
          B: {Type: Task, Resource: !Sub "${X.Arn}", Next: C}
  Two:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString:
        Fn::Sub: |
          {
            "StartAt": "A",
            "States": {
              "A": {"Type": "Task", "Resource": "${X.Arn}", "Next": "Z"}
            }
          }
  Three:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub
        - |
          {"StartAt": "A",
            "States": { "A": {"Type": "Pass", "End": true}, "B": {"Type": "Pass", "End": true} } }
        - {X: y}
"""


def test_state_machines_within_templates_of_cloudformation_are_read_where_they_stand():
    report = hocket.verify(TEMPLATE)
    assert list(report.graph.tasks) == ["One / A", "One / B", "Two / A", "Three / A"]
    found = [(one.code, one.line, one.column) for one in report.findings]
    assert found == [("G002", 11, 60), ("G002", 20, 69), ("G014", 29, 61)]
    assert sniffed(Source("t.yaml", TEMPLATE.replace("StartAt", "Elsewhere"))) is None  # in files of their own


def test_what_no_compose_file_of_a_folder_defines_is_undefined_in_one_that_may_be_laid_over_another(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {db: {image: x}}\n")
    (tmp_path / "compose.more.yaml").write_text("services: {queue: {image: x}}\n")
    other = tmp_path / "compose.dev.yaml"
    other.write_text("services:\n  web:\n    image: x\n    depends_on:\n      - db\n      - queue\n      - nobody\n")
    assert [(one.code, one.line) for one in hocket.verify(other).findings] == [("G002", 7)]


X = "{{workflow.parameters.x}}"


@pytest.mark.parametrize(
    ("when", "runs"),
    [
        (f"{X} == a && {X} == b", False),
        (f"'{X}' == 'a' || {X} == b", True),
        (f"({X} == a || {X} == b) && !({X} != c)", False),
        (f"{X} == a && ({X} != b)", True),
        (f'{X} == 1 && "{X}" == "2"', False),
        (f"{X} == 1 && {X} == 1.0", True),  # an unusual spelling: a guess
        (f"{X} > 1 && {X} < 1", True),  # orders are not followed
        (f"{X} == a && {X}-b == c", True),
        (f"{X} == {X}", True),
        ("heads == tails", False),
        ("'x' == x", True),
        (f"{X} && {X} == false", False),
        (f"a == {X} && b == {X}", False),
        (f"{X} == a && {{{{inputs.parameters.x}}}} == b", True),
        (f"{X} == a &&", True),
    ],
)
def test_conditions_of_argo_may_be_joined(when, runs):
    text = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - name: a
            when: >-
              {when}
            inline: {{container: {{}}}}
"""
    assert [(one.code, one.line) for one in hocket.verify(text).findings] == ([] if runs else [("G004", 10)])


def test_a_glob_with_alternatives_covers_what_one_of_them_covers():
    text = """\
build: {script: x, rules: [{changes: ["{ci,tests}/**/*"]}]}
test: {script: x, needs: [build], rules: [{changes: [tests/docker/*, "{tests,ci}/*.py"]}]}
"""
    assert gitlab(text) == []
    assert gitlab(text.replace("{tests,ci}", "{tests,src}")) == [("G013", 2)]
