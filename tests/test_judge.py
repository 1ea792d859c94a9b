"""Judges end to end: stored answers are graded by a real server whose replies are known, and every figure is exact."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import WorkbenchError
from results.store import Store
from tests.making import smollm2_path
from tests.openai_server import openai_server, prompt_of
from tests.test_cli import TEST_SET, printed, workbench
from workbench.benchmark_file import read_judge_file
from workbench.judge_records import JudgeDefinition
from workbench.service import Workbench
from workbench.settings import read_settings

RIGHT = {f"m{number}": ["delivery", "returns", "billing"][number % 3] for number in range(30)}
BENCHMARK = f"""\
name: small
test_set: {{file: messages.csv, columns: {{slices: [channel, human]}}}}
candidates:
  - {{name: lazy, model: a, engine: scripted}}
  - {{name: good, model: b, engine: scripted, options: {{answers: {json.dumps(RIGHT)}}}}}
workloads: [{{kind: accuracy}}]
requirements: {{limits: {{verdicts: [allowed, conditional, unknown]}}}}
"""
JUDGE = """\
judge:
  name: the judge
  model: test/model
  engine: endpoint
  options: {base_url: "%s"}
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished benchmark: `lazy` always says billing and is right 10 of 30 times, `good` always is."""
    home = tmp_path_factory.mktemp("judged")
    rows = TEST_SET.strip().splitlines()
    # A person gave every third answer of `lazy`, the right ones, a 5, the others a 1, and left two out.
    grades = ["5" if number % 3 == 2 else "1" for number in range(30)]
    grades[0] = grades[3] = ""
    lines = [rows[0] + ",human", *(f"{row},{grade}" for row, grade in zip(rows[1:], grades, strict=True))]
    (home / "messages.csv").write_text("\n".join(lines) + "\n")
    (home / "small.yaml").write_text(BENCHMARK)
    workbench(home, "bench", str(home / "small.yaml"))
    return home


@pytest.fixture
def home(measured: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured, tmp_path / "home"))


def parts_of(body: dict[str, Any]) -> list[str]:
    """What stands between the fences of a judge's question: question, right answer, then the answers."""
    prompt = prompt_of(body)
    found = re.search(r"^=== \w+ ===$", prompt, re.MULTILINE)
    assert found is not None
    return [part.strip() for part in prompt.split(found.group())[2::2]]


def grader(grade: Callable[[str, str, str], object]) -> Callable[[dict[str, Any]], str]:
    def reply(body: dict[str, Any]) -> str:
        question, right, answer = parts_of(body)
        return json.dumps({"reason": "as the test asks", "grade": grade(question, right, answer)})

    return reply


def number_in(question: str) -> int:
    found = re.search(r"message (\d+) ", question)
    assert found is not None
    return int(found.group(1))


def judge(home: Path, text: str, *arguments: str, code: int | None = 0) -> Any:
    (home / "judge.yaml").write_text(text)
    return workbench(home, "judge", "small", "--with", str(home / "judge.yaml"), *arguments, code=code)


def test_grades_become_scores_of_the_runs_and_kappa_is_exact(home: Path) -> None:
    def grade(question: str, right: str, answer: str) -> int:
        # Five of the wrong answers of `lazy` are taken for right.
        return 5 if answer == right or number_in(question) in {0, 1, 3, 4, 6} else 2

    with openai_server(grader(grade)) as server:
        report = printed(judge(home, JUDGE % server.address + "human_grades: {lazy: human}\n", "--json", code=3))
        asked = len(server.seen)
    # The right answers of both candidates to the same examples are the same question.
    assert asked == report["questions"] == 50
    assert all("response_format" in seen.body for seen in server.seen)
    lazy, good = report["candidates"]
    # 15 times 5 of 1 to 5 is 1, 15 times 2 is 0.25.
    assert lazy["grade"]["value"] == pytest.approx((15 * 1 + 15 * 0.25) / 30)
    assert good["grade"]["value"] == 1
    by_scorer, by_person = report["agreements"]
    # Of 60 answers the judge takes 45 for right, 40 are: 55 alike; chance 0.75 · 40/60 + 0.25 · 20/60 = 7/12.
    assert by_scorer["n"] == 60
    assert by_scorer["kappa"]["value"] == pytest.approx((55 / 60 - 7 / 12) / (1 - 7 / 12))
    assert report["warning"] is not None
    assert by_person["held_against"] == "a person's grades"
    assert by_person["n"] == 28

    store = Store(home / "results.duckdb")
    measurements = {run.candidate.name: run for run in store.measurements("small")}
    compared = printed(workbench(home, "compare", "small", "--json"))
    metrics = {m["name"]: m["estimate"] for m in compared["candidates"][0]["metrics"]}
    assert metrics["judge_grade"]["value"] == pytest.approx(lazy["grade"]["value"])
    assert metrics["accuracy"]["value"] == pytest.approx(1 / 3)
    assert measurements["lazy"].scored[-1].scorer == "judge"
    assert measurements["lazy"].outcomes[0].predicted == "billing"


def test_judging_again_replaces_the_grades_and_a_new_run_forgets_them(home: Path) -> None:
    store = Store(home / "results.duckdb")
    for value in (5, 1):
        with openai_server(grader(lambda *_, value=value: value)) as server:
            judge(home, JUDGE % server.address, code=3)
        run = store.measurements("small")[0]
        assert run.scored[-1].values == (float(value == 5),) * 30
        assert len(run.scorers) == 2
    assert len(store.judgings("small")) == 1
    workbench(home, "bench", str(home / "small.yaml"))
    assert store.judgings("small") == ()
    assert len(store.measurements("small")[0].scorers) == 1


def test_a_reply_without_a_grade_counts_for_nothing_and_is_reported(home: Path) -> None:
    def reply(body: dict[str, Any]) -> str:
        return "I will not." if number_in(parts_of(body)[0]) == 7 else '{"reason": "", "grade": 5}'

    with openai_server(reply) as server:
        report = printed(judge(home, JUDGE % server.address + "candidates: [good]\n", "--json", code=None))
    (good,) = report["candidates"]
    assert (good["graded"], good["ungraded"], report["unread"]) == (29, 1, 1)
    assert good["grade"]["value"] == 1
    run = {r.candidate.name: r for r in Store(home / "results.duckdb").measurements("small")}["good"]
    assert run.scored[-1].values.count(None) == 1


def test_both_orders_are_asked_and_disagreement_is_a_tie(home: Path) -> None:
    def reply(body: dict[str, Any]) -> str:
        question, right, first, second = parts_of(body)
        number = number_in(question)
        if number < 6:
            # Whatever stands first.
            better = "first"
        elif number < 9:
            better = "tie"
        else:
            better = "first" if first == right else "second"
        assert first != second
        return json.dumps({"reason": "", "better": better})

    with openai_server(reply) as server:
        report = printed(judge(home, JUDGE % server.address + "mode: pairwise\n", "--json", code=None))
        assert len(server.seen) == 40
    (pair,) = report["pairs"]
    # `lazy` and `good` say the same in 10 of 30; of the other 20, 4 are below 6, 2 below 9, 14 above.
    assert (pair["first"], pair["second"]) == ("lazy", "good")
    assert (pair["n"], pair["wins"], pair["losses"]) == (30, 0, 14)
    assert (pair["ties"], pair["disagreements"], pair["identical"]) == (16, 4, 10)
    assert pair["win_rate"]["value"] == pytest.approx(16 / 2 / 30)
    assert report["position_bias"]["value"] == pytest.approx(4 / 20)
    # Of the replies with a winner 8 of the 4 that only look at places say first, and half of the other 28.
    assert report["first_shown"]["value"] == pytest.approx((8 + 14) / 36)
    compared = printed(workbench(home, "compare", "small", "--json"))
    rates = [
        {m["name"]: m["estimate"]["value"] for m in candidate["metrics"]}["win_rate"]
        for candidate in compared["candidates"]
    ]
    assert rates == pytest.approx([16 / 2 / 30, 1 - 16 / 2 / 30])


def test_a_stopped_judge_goes_on_where_it_was(home: Path) -> None:
    with openai_server(grader(lambda *_: 4)) as server:
        text = JUDGE.replace('"%s"}', '"%s", max_requests: 20}') % server.address
        stopped = judge(home, text, code=1)
        assert "The same command goes on from there." in stopped.stderr
        assert Store(home / "results.duckdb").judgings("small") == ()
        judge(home, JUDGE % server.address, code=None)
        assert len(server.seen) == 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rubric: x\n", "'judge' is missing"),
        ("judge: {model: a, engine: scripted}\nrubik: x\n", "Did you mean 'rubric'?"),
        ("judge: {model: a, engine: scripted, options: {txt: x}}\n", "Did you mean 'text'?"),
        ("judge: {model: a, engine: scripted}\ncandidates: [lazzy]\n", "Did you mean 'lazy'?"),
        ("judge: {model: a, engine: scripted}\nhuman_grades: {lazy: nobody}\n", "the column 'nobody'"),
        ("judge: {model: a, engine: scripted}\nmode: pairwise\ncandidates: [lazy]\n", "needs answers of 2 or more"),
        ("judge: {model: a, engine: scripted}\nprompt: '{{ nothing }}'\n", "column that is not there"),
        ("judge: {model: a, engine: scripted}\nhighest: 0\n", "grades go up"),
        ("[]\n", "a judge file has `judge:`"),
    ],
)
def test_wrong_judge_files_are_refused_with_a_sentence(measured: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "judge.yaml").write_text(text)
    service = Workbench(read_settings(measured))

    def start() -> None:
        job = service.jobs.job(service.judges.start(service.judges.plan_file("small", tmp_path / "judge.yaml")))
        job.wait()
        assert job.error is not None
        raise job.error

    with pytest.raises(WorkbenchError) as refused:
        start()
    assert words in str(refused.value)


def test_the_example_in_the_document_is_valid_and_names_every_key(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "judging.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "judge.yaml").write_text(example)
    definition = read_judge_file(tmp_path / "judge.yaml")
    assert definition.judge.quantization == "Q4_K_M"
    for name in JudgeDefinition.model_fields:
        assert re.search(rf"^{name}:", example, re.MULTILINE), name


def test_a_judge_that_says_nothing_usable_is_told_so(home: Path) -> None:
    done = judge(home, "judge: {model: a, engine: scripted}\n", code=3)
    assert "50 without a usable reply" in done.stdout
    assert "Nobody knows whether this judge is right" in done.stdout


@pytest.mark.engine
def test_a_real_small_model_judges_and_its_kappa_says_how_badly(home: Path, tmp_path: Path) -> None:
    weights = smollm2_path(tmp_path)
    text = (
        f"judge: {{name: smol, model: {weights}, options: {{context_tokens: 4096, concurrency: 4, threads: 2}}}}\n"
        "examples: 3\nmax_output_tokens: 40\n"
    )
    report = printed(judge(home, text, "--json", code=None))
    assert report["questions"] >= 4
    grades = [candidate["grade"]["value"] for candidate in report["candidates"] if candidate["grade"]]
    assert all(0 <= value <= 1 for value in grades)
    assert report["unread"] < report["questions"]
    assert report["warning"] is not None
