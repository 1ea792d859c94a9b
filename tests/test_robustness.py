"""Robustness end to end: what a worker asks, what is stored, and every figure calculated by hand."""

import re
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa as reference_kappa

from results.records import Benchmark, RunMeasurements
from results.robustness import fleiss_kappa, robustness
from results.store import Store
from runners.engine_options import EngineOptions, LlamaCppOptions, ScriptedOptions
from runners.errors import BadTemplate
from runners.process import RunFolder, run_in_worker
from runners.records import RunResult, RunSpec, Workload
from runners.rescoring import score_again
from runners.scorer_options import ChoiceMatchOptions
from runners.test_set_records import Example, PromptTemplate, TestSet
from runners.variations import variations
from tests.making import LABELS, make_examples, make_spec, make_test_set, small_llama_options, smollm2_path
from tests.results_samples import benchmark
from tests.test_cli import TEST_SET
from workbench.benchmark_file import parse_benchmark
from workbench.task_defaults import usual_prompt
from workbench.test_sets import prepare_benchmark

DOCUMENT = (Path(__file__).parents[1] / "docs" / "robustness.md").read_text(encoding="utf-8")


def run(spec: RunSpec, folder: Path) -> RunResult:
    return run_in_worker(spec, RunFolder(folder), on_event=lambda _: None, is_cancelled=lambda: False)


def stored(spec: RunSpec, folder: Path) -> tuple[RunResult, RunMeasurements]:
    """The run of a spec and what the store derives of it."""
    store = Store(folder / "results.duckdb")
    asked: Benchmark = benchmark(spec.candidate.name, run_spec=spec)
    store.save_benchmark(asked)
    result = run(spec, folder / "run")
    store.save_run(asked.name, result)
    (measured,) = store.measurements(asked.name)
    kept = store.run_result(asked.name, spec.candidate.name)
    assert kept.completions == result.completions
    return result, measured


def spec_of(workload: Workload, options: EngineOptions, count: int = 20) -> RunSpec:
    return make_spec(options, test_set=make_test_set(count), workloads=(Workload(kind="accuracy"), workload))


def right_answers(*, wrong_typos: int = 0, count: int = 20) -> dict[str, str]:
    """Every answer right by request, but for so many with typos."""
    answers = {}
    for number, example in enumerate(make_examples(count)):
        for prefix in ("", "original:", "case:"):
            answers[prefix + example.id] = example.target
        other = LABELS[(LABELS.index(example.target) + 1) % 3]
        answers[f"typos:{example.id}"] = other if number < wrong_typos else example.target
    return answers


def test_each_perturbation_is_held_against_the_same_examples_as_they_are(tmp_path: Path) -> None:
    workload = Workload(kind="robustness", perturbations=("typos", "case", "shot_order"))
    options = ScriptedOptions(answers=right_answers(wrong_typos=8))
    result, measured = stored(spec_of(workload, options), tmp_path)
    assert len([w for w in result.windows if w.workload == "robustness"]) == 1
    (level,) = [level for level in measured.levels if level.workload == "robustness"]
    assert level.requests == 60
    found = robustness(measured)
    assert found is not None
    typos, case = found.results
    assert (typos.perturbation, typos.n, typos.broken, typos.mended) == ("typos", 20, 8, 0)
    assert typos.unperturbed.value == 1
    assert typos.perturbed.value == pytest.approx(12 / 20)
    assert typos.difference.value == pytest.approx(-8 / 20)
    assert typos.difference.low is not None
    assert typos.difference.high is not None
    assert typos.difference.low < -0.4 < typos.difference.high < 0
    assert typos.same_answer.value == pytest.approx(12 / 20)
    # McNemar with 8 against 0: 2 · 0.5⁸ = 1/128; twice that by Holm over two perturbations.
    assert typos.p_adjusted == pytest.approx(2 / 128)
    assert typos.conclusion.startswith("typos: accuracy falls at n = 20 (−40.0 points (")
    assert case.p_adjusted == 1
    assert case.conclusion.startswith("case: no change of accuracy is shown at n = 20")
    assert found.without_effect == ("shot_order",)
    assert found.repeats is None


def test_quality_counts_the_accuracy_workload_and_nothing_else(tmp_path: Path) -> None:
    workload = Workload(kind="robustness", perturbations=("typos",))
    options = ScriptedOptions(answers=right_answers(wrong_typos=20))
    _, measured = stored(spec_of(workload, options), tmp_path)
    assert len(measured.outcomes) == 20
    assert all(outcome.right for outcome in measured.outcomes)
    assert measured.scored[0].values == (1.0,) * 20
    assert measured.timings == ()


def test_a_failed_request_is_left_out_of_both_sides(tmp_path: Path) -> None:
    options = ScriptedOptions(answers=right_answers(), fail_on=("typos:e3", "original:e5"))
    _, measured = stored(spec_of(Workload(kind="robustness", perturbations=("typos",)), options), tmp_path)
    found = robustness(measured)
    assert found is not None
    assert found.results[0].n == 18
    assert {outcome.validity.value for outcome in measured.outcomes} == {"scored"}


def test_an_interrupted_workload_is_resumed_and_every_request_counts_once(tmp_path: Path) -> None:
    workload = Workload(kind="robustness", perturbations=("typos", "case"))
    broken = spec_of(workload, ScriptedOptions(answers=right_answers(), crash_on=("case:e4",)))
    assert run(broken, tmp_path).status == "failed"
    result = run(spec_of(workload, ScriptedOptions(answers=right_answers())), tmp_path)
    assert result.status == "finished"
    ids = [e.completion.request_id for e in result.completions if e.completion.workload == "robustness"]
    assert len(ids) == len(set(ids)) == 60
    assert all(e.completion.variation == e.completion.request_id.split(":")[0] for e in result.completions[20:])


def test_past_runs_keep_their_keys_and_every_setting_of_robustness_makes_another_run() -> None:
    workloads = (
        Workload(kind="accuracy"),
        Workload(kind="latency", prompts=30, stop=("x",)),
        Workload(kind="load"),
    )
    assert make_spec(workloads=workloads).key == "9b19b8e129d93aeba20fe552c4d5f873"
    held = Workload(kind="accuracy", calibration="contextual", answers="held")
    assert make_spec(LlamaCppOptions(), workloads=(held,)).key == "87e50e06703dc345043a26353fd5a21f"
    asked = {"kind": "robustness", "perturbations": ["paraphrase"], "temperature": 0.5}
    changes: list[dict[str, object]] = [
        {},
        {"perturbations": ["paraphrase", "typos"]},
        {"examples": 3},
        {"repeats": 5},
        {"typo_rate": 0.2},
        {"paraphrases": [{"user": "Now: {{ text }}"}]},
    ]
    keys = {make_spec(workloads=(Workload.model_validate(asked | change),)).key for change in changes}
    assert len(keys) == len(changes)


def test_a_paraphrase_that_does_not_render_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text(TEST_SET)
    text = (
        "name: small\ntest_set: {file: messages.csv}\ncandidates: [{model: a, engine: scripted}]\n"
        "workloads: [{kind: robustness, perturbations: [paraphrase], paraphrases: [{user: '{{ txt }}'}]}]\n"
    )
    with pytest.raises(BadTemplate, match="column that is not there"):
        prepare_benchmark(parse_benchmark(text, "small.yaml"), tmp_path)


@pytest.mark.parametrize(
    "counts",
    [
        # The table of Fleiss 1971 as Wikipedia gives it, κ = 0.210.
        [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
         [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]],
        [[2, 0], [1, 1], [0, 2]],
        [[3, 0, 0], [0, 3, 0], [0, 0, 3]],
    ],
)  # fmt: skip
def test_fleiss_kappa_is_that_of_statsmodels(counts: list[list[int]]) -> None:
    found = fleiss_kappa(np.array(counts, dtype=float))
    assert found is not None
    assert found.value == pytest.approx(reference_kappa(np.array(counts)), abs=1e-12)


def test_fleiss_kappa_of_the_published_table_is_021() -> None:
    found = fleiss_kappa(
        np.array(
            [
                *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
                *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
            ],
            dtype=float,
        )
    )
    assert found is not None
    assert round(found.value, 3) == 0.210


def test_answers_of_one_kind_have_no_kappa() -> None:
    assert fleiss_kappa(np.array([[3.0, 0.0], [3.0, 0.0]])) is None


def test_the_worked_example_of_the_document_holds() -> None:
    counts = np.array([[3.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    found = fleiss_kappa(counts)
    assert found is not None
    pairs = (1 + 1 / 3 + 1) / 3
    by_chance = (5 / 9) ** 2 + (4 / 9) ** 2
    assert f"P = (1 + 1/3 + 1) ÷ 3 = {pairs:.4f}" in DOCUMENT
    assert f"Q = (5/9)² + (4/9)² = {by_chance:.4f}" in DOCUMENT
    assert re.search(rf"κ = .* = {found.value:.4f}$", DOCUMENT, re.MULTILINE)
    assert f"all the same: 2 of 3 examples = {2 / 3:.4f}" in DOCUMENT


@pytest.mark.engine
def test_a_real_model_is_asked_every_way_and_agrees_with_itself_at_temperature_0(tmp_path: Path) -> None:
    weights = smollm2_path(tmp_path)
    workload = Workload(
        kind="robustness", perturbations=("typos", "label_order"), examples=4, temperature=0.9, repeats=3
    )
    options: LlamaCppOptions = small_llama_options(concurrency=4)
    spec = make_spec(options, test_set=make_test_set(6), workloads=(Workload(kind="accuracy"), workload),
                     weights=weights)  # fmt: skip
    result, measured = stored(spec, tmp_path)
    assert result.status == "finished", result.failures
    found = robustness(measured)
    assert found is not None
    assert found.repeats is not None
    assert (found.repeats.n, found.repeats.repeats) == (4, 3)
    by_id = {(e.completion.workload, e.completion.request_id): e.completion for e in result.completions}
    drawn = [name for kind, name in by_id if name.startswith("original:")]
    assert len(drawn) == 4
    for name in drawn:
        plain = by_id["accuracy", name.removeprefix("original:")]
        again = by_id["robustness", name]
        assert again.text == plain.text
        assert again.method == "scored_choices"
        repeat = by_id["robustness", name.replace("original", "repeat-1")]
        assert repeat.method == "generated"
        assert repeat.text in LABELS


def test_a_prompt_of_its_own_is_varied_not_the_one_of_the_test_set(tmp_path: Path) -> None:
    varied = Workload.model_validate({"kind": "robustness", "perturbations": ["case"]})
    prompt = PromptTemplate(user="A second prompt with many more words before the text: {{ text }}")
    spec = make_spec(ScriptedOptions(), workloads=(Workload(kind="accuracy"), varied))
    tokens = {
        event.completion.request_id: event.completion.prompt_tokens
        for event in run(spec.model_copy(update={"prompt": prompt, "prompt_name": "second"}), tmp_path).completions
    }
    assert tokens["original:e0"] == tokens["e0"]
    assert tokens["case:e0"] == tokens["e0"]


def test_varied_choices_are_scored_again_as_they_were_shown_however_often(tmp_path: Path) -> None:
    """Letters name other choices in another order, and which examples were drawn changes with the test set."""
    examples = tuple(
        Example(id=f"q{n}", inputs={"text": str(n)}, target="yes", choices=("no", "perhaps", "yes")) for n in range(30)
    )
    test_set = TestSet(
        name="letters",
        task="multiple_choice",
        labels=(),
        examples=examples,
        prompt=usual_prompt("multiple_choice", "text", examples),
        scorers=(ChoiceMatchOptions(),),
    )
    workload = Workload.model_validate({"kind": "robustness", "perturbations": ["label_order"], "examples": 20})
    right = {
        each.request.id: "ABC"[each.example.choices.index("yes")]
        for variation in variations(test_set, workload, 0)
        for each in variation.asked
    }
    spec = make_spec(ScriptedOptions(answers=right), test_set=test_set, workloads=(workload,))
    result = run(spec, tmp_path)
    assert {score.value for event in result.completions for score in event.scores} == {1.0}
    fewer = test_set.model_copy(update={"examples": examples[1:]})
    again = score_again(score_again(result, fewer), fewer)
    assert len(again.completions) >= 38
    assert {score.value for event in again.completions for score in event.scores} == {1.0}
