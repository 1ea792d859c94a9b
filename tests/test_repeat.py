"""A benchmark that is run again from its report: where files are found, and how figures stand to each other."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from results.recommendation import recommend
from results.records import Estimate
from results.repetition import Reported, repetition
from results.repetition_records import Repetition
from results.requirement_records import Requirements
from runners.records import Failure
from tests.browser import measure, write_benchmark
from tests.report_samples import GEMMA, SMOL, comparison, content, gemma, smol
from workbench.benchmark_file import render_benchmark
from workbench.cli import app
from workbench.errors import BadReport
from workbench.report.report import render_json
from workbench.report.sharing import for_sharing
from workbench.service import Workbench
from workbench.settings import read_settings


def outcome(before: Estimate, after: Estimate) -> Repetition:
    """One candidate whose quality was one thing in the report and another again."""

    def side(estimate: Estimate) -> Reported:
        metric = gemma().metrics[0].model_copy(update={"estimate": estimate})
        return Reported(comparison((gemma().model_copy(update={"metrics": (metric,)}),)), GEMMA, "1")

    return repetition(side(before), side(after))


def share(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=100, method="Wilson 95 %")


@pytest.mark.parametrize(
    ("after", "agreement", "agrees"),
    [
        (share(0.7, 0.6, 0.8), "equal", True),
        (share(0.75, 0.65, 0.85), "overlap", True),
        (share(0.9, 0.81, 0.95), "apart", False),
        (share(0.9, 0.8, 0.95), "overlap", True),
        (share(0.9, None, None), "no interval", True),
    ],
)
def test_figures_are_compared_by_their_intervals(after: Estimate, agreement: str, agrees: bool) -> None:
    made = outcome(share(0.7, 0.6, 0.8), after)
    quality = made.figures[0]
    assert (quality.agreement, made.agrees) == (agreement, agrees)


def test_another_winner_and_a_missing_candidate_need_a_look() -> None:
    both, alone = comparison((gemma(), smol())), comparison((smol(),))
    made = repetition(Reported(both, GEMMA, "1"), Reported(alone, SMOL, "2"))
    assert not made.agrees
    assert made.conclusion.startswith(f"The report recommends {GEMMA}, the repetition {SMOL}. ")
    assert f"was not measured again for {GEMMA}" in made.conclusion
    assert [(change.what, change.before, change.after) for change in made.changes] == [("workbench", "1", "2")]


def test_a_report_is_repeated_in_another_data_directory_and_agrees(tmp_path: Path) -> None:
    first = Workbench(read_settings(tmp_path / "first"))
    source = write_benchmark(tmp_path / "made", examples=18)
    measure(first, source)
    (tmp_path / "handed on").mkdir()
    report = first.write_report("scripted", tmp_path / "handed on" / "report.json")

    second = tmp_path / "second"
    command = ["repeat", str(report), "--home", str(second), "--json"]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, BadReport)
    assert "scripted.csv is not here. Put it beside the report" in str(refused.exception)

    done = CliRunner().invoke(app, [*command, "--files", str(source.parent)])
    assert done.exit_code == 0, done.output
    made = Repetition.model_validate(json.loads(done.stdout)["data"])
    assert made.agrees
    assert made.benchmark == "scripted-repeat-1"
    assert made.conclusion.startswith(f"Both recommend {made.winner_before}. Accuracy is exactly the same for ")
    assert not [change for change in made.changes if change.what == "test set"]

    lines = (source.parent / "scripted.csv").read_text().splitlines()
    (source.parent / "scripted.csv").write_text("\n".join([*lines[:-9], *(line + "!" for line in lines[-9:])]))
    again = CliRunner().invoke(app, [*command, "--files", str(source.parent), "--name", "changed"])
    changed = Repetition.model_validate(json.loads(again.stdout)["data"])
    assert [change.what for change in changed.changes] == ["test set"]


def test_a_scorer_of_ones_own_is_found_again_wherever_its_file_lies(tmp_path: Path) -> None:
    source = write_benchmark(tmp_path / "made", examples=6)
    function = tmp_path / "ada's own" / "mine.py"
    function.parent.mkdir()
    function.write_text("def score(answer, example):\n    return answer == example['target']\n")
    scorer = f'scorers: [{{scorer: python, function: "{function}:score"}}]\n'
    source.write_text(source.read_text(encoding="utf-8") + scorer, encoding="utf-8")
    first = Workbench(read_settings(tmp_path / "first"))
    measure(first, source)
    report = first.write_report("scripted", tmp_path / "made" / "report.json")
    assert "ada" not in report.read_text(encoding="utf-8")

    command = ["repeat", str(report), "--home", str(tmp_path / "second"), "--json"]
    refused = CliRunner().invoke(app, command)
    assert "mine.py is not here. Put it beside the report" in str(refused.exception)
    function.rename(tmp_path / "made" / "mine.py")
    done = CliRunner().invoke(app, command)
    made = Repetition.model_validate(json.loads(done.stdout)["data"])
    assert made.agrees
    assert not made.changes


def test_the_demos_report_needs_no_file_beside_it(tmp_path: Path) -> None:
    workbench = Workbench(read_settings(tmp_path / "home"))
    definition, folder = workbench.demo_definition()
    benchmark = comparison().benchmark.model_copy(update={"definition": render_benchmark(definition)})
    made = content(comparison=comparison().model_copy(update={"benchmark": benchmark}))
    report = tmp_path / "report.json"
    report.write_text(render_json(for_sharing(made)), encoding="utf-8")
    prepared = workbench.prepare_repetition(report, (), None)
    assert prepared.definition.test_set.file == str(folder / "support_messages.csv")
    assert len(prepared.test_set.examples) == 150


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE html>", "is no JSON. A report that can be repeated is written by: workbench report"),
        ("[]", "is JSON, but no report"),
        ('{"schema_version": 99, "content": {}}', "has version 99 of the report's format"),
        ('{"schema_version": 1, "content": {"workbench_version": "9.9"}}', "was written by Open Model Workbench 9.9"),
    ],
)
def test_a_file_that_is_no_report_is_told_in_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    workbench = Workbench(read_settings(tmp_path / "home"))
    with pytest.raises(BadReport) as caught:
        workbench.prepare_repetition(path, (), None)
    assert said in str(caught.value)


def test_sentences_and_commands_of_a_report_name_no_folder() -> None:
    path, source = "/home/ada/my models/small.gguf", "/home/ada/o'neil/b.yaml"
    other = (
        "The function /home/ada/x/mine.py:score failed; ~/x/log.txt says more, http://127.0.0.1:1/v1/models nothing."
    )
    failure = Failure(
        stage="load", kind="bad_weights", message=f"llama.cpp could not load {path}. {other}", hint=f"Look at {path}."
    )
    candidate = smol().candidate.model_copy(update={"weights_path": path})
    summary = smol().model_copy(update={"candidate": candidate, "failures": (failure,), "metrics": ()})
    made = comparison((summary, gemma()))
    made = made.model_copy(update={"benchmark": made.benchmark.model_copy(update={"source": source})})
    told = for_sharing(content(comparison=made, recommendation=recommend(made, Requirements())))
    whole = render_json(told)
    assert "ada" not in whole
    assert "http://127.0.0.1:1/v1/models" in whole
    assert "The function mine.py:score failed; log.txt says more" in whole


def test_a_missing_report_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="cannot be read: No such file"):
        Workbench(read_settings(tmp_path / "home")).prepare_repetition(tmp_path / "none.json", (), None)


def test_a_report_names_the_files_of_the_benchmark_without_their_folders() -> None:
    made = comparison()
    text = (
        "# mine\ntest_set:\n  file: /home/ada/o'neil, secret/messages.csv  # all\n"
        "  few_shot: 'C:\\Users\\ada\\it''s\\shot''s.csv'\n"
        'candidates:\n- model: ~/models/small.gguf\n- {model: "/home/ada/a, b.gguf", name: x}\n'
        "- model: maker/small-GGUF\n- &two {model: &file /home/ada/two.gguf, name: y}\n- {<<: *two, name: z}\n"
        "- model: /home/ada/2024\n- model: '/home/ada/[new] #1.gguf'\n- model: /home/ada/[old] \"b\".gguf\n"
        "- model: >-\n    /home/ada/folded.gguf\n"
        "scorers: [{scorer: python, function: ../ada/mine.py:score}]\n"
        "prompt:\n  user: |-\n    file: /home/is/text\n"
    )
    benchmark = made.benchmark.model_copy(update={"definition": text})
    whole = content(comparison=made.model_copy(update={"benchmark": benchmark}))
    assert for_sharing(whole).comparison.benchmark.definition == (
        "# mine\ntest_set:\n  file: messages.csv  # all\n  few_shot: 'shot''s.csv'\n"
        'candidates:\n- model: small.gguf\n- {model: "a, b.gguf", name: x}\n'
        "- model: maker/small-GGUF\n- &two {model: &file two.gguf, name: y}\n- {<<: *two, name: z}\n"
        '- model: "2024"\n- model: \'[new] #1.gguf\'\n- model: "[old] \\"b\\".gguf"\n'
        '- model: "folded.gguf"\n'
        "scorers: [{scorer: python, function: mine.py:score}]\n"
        "prompt:\n  user: |-\n    file: /home/is/text\n"
    )
    assert "ada" not in render_json(whole)
