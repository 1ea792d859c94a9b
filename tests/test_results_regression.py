"""Two runs of one model: what changed, what was fixed or broken, and when it counts as worse."""

import numpy as np
import pytest

from results.errors import NothingToCompare
from results.records import RunMeasurements, ScorerOutcomes
from results.regression import Side, regress
from runners.records import RunSpec
from runners.scorer_options import JsonFieldsOptions, LabelMatchOptions, TokenF1Options
from runners.test_set_records import PromptTemplate
from tests.decision_samples import flips, judged_run
from tests.results_samples import spec


def side(name: str, right: list[bool], run_spec: RunSpec | None = None, **changes: object) -> Side:
    run: RunMeasurements = judged_run(name, right).model_copy(update=changes)
    return Side(f"{name}/m", run_spec or spec(name, examples=len(right)), run, "a machine")


def changed(run_spec: RunSpec, **changes: object) -> RunSpec:
    """The spec with fields of its test set changed."""
    return run_spec.model_copy(update={"test_set": run_spec.test_set.model_copy(update=changes)})


def test_fixed_broken_and_unchanged_examples_are_counted_and_listed() -> None:
    made = regress(side("old", [True, True, False, False]), side("new", [True, False, True, False]))
    assert (made.fixed, made.broken, made.unchanged_right, made.unchanged_wrong) == (1, 1, 1, 1)
    assert [example.state for example in made.examples] == ["unchanged_right", "broken", "fixed", "unchanged_wrong"]
    assert made.conclusion.startswith("No difference in accuracy shown at n = 4: 50.0 % before, 50.0 % after, 1 fixed")


def test_a_worse_run_is_shown_worse_by_the_exact_test() -> None:
    made = regress(side("old", [True] * 100), side("new", [False] * 12 + [True] * 88))
    quality = made.quality
    assert quality.p_value == pytest.approx(2 * 0.5**12)
    assert (quality.shown, made.fails) == ("worse", True)
    assert quality.difference.value == pytest.approx(-0.12)
    assert made.conclusion == (
        "new/m is worse in accuracy at n = 100: 100.0 % before, 88.0 % after, 0 fixed, 12 broken "
        "(McNemar's exact test, p < 0.001)."
    )
    assert not regress(side("new", [False] * 12 + [True] * 88), side("old", [True] * 100)).fails


def test_every_metric_has_its_difference() -> None:
    made = regress(side("old", flips(60, 0.8, 1)), side("new", flips(60, 0.7, 2)))
    assert [metric.name for metric in made.metrics] == ["accuracy", "balanced_accuracy", "macro_f1"]
    for metric in made.metrics:
        assert metric.difference.value == pytest.approx(metric.after - metric.before)
        assert metric.difference.low is not None
        assert metric.difference.low < metric.difference.value


@pytest.mark.parametrize(("margin", "fails"), [(0.01, True), (0.2, False)])
def test_with_a_margin_a_run_fails_unless_it_is_shown_to_stay_within_it(margin: float, fails: bool) -> None:
    made = regress(side("old", flips(100, 0.8, 1)), side("new", [*flips(100, 0.8, 1)[:98], False, False]), margin)
    assert made.quality.shown == "no difference"
    assert made.fails == fails
    assert f"It is {'not shown' if fails else 'shown'} to be at most" in made.conclusion


def test_a_run_against_itself_changes_nothing() -> None:
    right = flips(50, 0.7, 3)
    made = regress(side("same", right), side("same", right), margin=0.1)
    assert (made.changes, made.left_out, made.fixed, made.broken) == ((), None, 0, 0)
    assert made.non_inferior


def test_only_examples_with_equal_content_are_compared_and_it_is_said() -> None:
    first = spec("old", examples=6)
    examples = list(first.test_set.examples)[:5]
    examples[0] = examples[0].model_copy(update={"inputs": {"text": "another text"}})
    made = regress(
        side("old", [True] * 6, first), side("new", [True] * 5, changed(spec("new"), examples=tuple(examples)))
    )
    assert made.n == 4
    assert made.left_out == (
        "The test sets are different versions. Compared are 4 examples; "
        "left out: 1 only in old/m, 1 in both with another text or target."
    )


def test_without_common_examples_nothing_is_compared() -> None:
    first = spec("old", examples=2)
    others = tuple(example.model_copy(update={"id": f"x{example.id}"}) for example in first.test_set.examples)
    with pytest.raises(NothingToCompare, match=r"no judged example in common.*2 only in old/m, 2 only in new/m"):
        regress(side("old", [True] * 2, first), side("new", [True] * 2, changed(first, examples=others)))


def test_what_changed_is_read_from_the_specs() -> None:
    first = spec("old", examples=4)
    prompt = PromptTemplate(system="Be brief.", user="{{ text }}")
    candidate = first.candidate.model_copy(update={"quantization": "Q4_0", "revision": "abc"})
    second = changed(first, prompt=prompt).model_copy(update={"candidate": candidate, "engine_version": "2"})
    found = {
        change.what: (change.before, change.after)
        for change in regress(side("old", [True] * 4, first), side("new", [True] * 4, second)).changes
    }
    assert found["quantization"] == ("none", "Q4_0")
    assert found["revision"] == ("none", "abc")
    assert found["engine version"] == ("1", "2")
    assert found["prompt.system"][1] == "Be brief."
    assert not {"model", "labels", "seed"} & found.keys()


def test_grouped_examples_are_tested_together() -> None:
    groups = [str(place // 10) for place in range(100)]
    before = judged_run("old", [True] * 100, groups=groups)
    after = judged_run("new", [False] * 10 + [True] * 90, groups=groups)
    made = regress(
        Side("old/m", spec("old", examples=100), before, ""), Side("new/m", spec("new", examples=100), after, "")
    )
    # Ten broken examples are one broken group of ten: nothing is shown by that.
    assert made.quality.test == "paired bootstrap"
    assert made.quality.shown == "no difference"


def test_a_share_of_something_else_than_right_answers_is_tested_by_what_it_counts() -> None:
    """Whole records stay wrong, but JSON that was valid is not any more."""
    options = JsonFieldsOptions(json_schema='{"type": "object"}')
    n = 40

    def judged(valid: float) -> dict[str, object]:
        counts = {"true": 0.0, "predicted": 1.0, "expected": 1.0, "record": 0.0, "valid": valid}
        column = ScorerOutcomes(
            scorer="json_fields", values=(0.0,) * n, counts={name: (value,) * n for name, value in counts.items()}
        )
        return {"scorers": (options,), "scored": (column,)}

    made = regress(side("old", [False] * n, None, **judged(1.0)), side("new", [False] * n, None, **judged(0.0)))
    (valid,) = [metric for metric in made.metrics if metric.name == "schema_valid"]
    assert (valid.before, valid.after, valid.shown) == (1.0, 0.0, "worse")
    assert valid.p_value == pytest.approx(2 * 0.5**n)


def test_a_scorer_that_failed_on_other_examples_is_compared_on_those_that_both_have() -> None:
    chance = np.random.default_rng(3)
    values = chance.uniform(size=30).tolist()

    def judged(missing: int) -> dict[str, object]:
        kept = tuple(None if place == missing else value for place, value in enumerate(values))
        first = ScorerOutcomes(scorer="label_match", values=(1.0,) * 30)
        return {
            "scorers": (LabelMatchOptions(), TokenF1Options()),
            "scored": (first, ScorerOutcomes(scorer="token_f1", values=kept)),
        }

    made = regress(side("old", [True] * 30, None, **judged(0)), side("new", [True] * 30, None, **judged(29)))
    (f1,) = [metric for metric in made.metrics if metric.name == "token_f1"]
    assert (f1.difference.value, f1.difference.n, f1.p_value) == (0.0, 28, 1.0)


def test_a_run_that_was_stopped_early_is_not_tested() -> None:
    with pytest.raises(NothingToCompare, match="new/m was stopped early"):
        regress(side("old", [True] * 40), side("new", [False] * 40, status="stopped"))


def test_another_prompt_of_the_same_test_set_is_a_change() -> None:
    other = spec("new", examples=4).model_copy(update={"prompt": PromptTemplate(user="Say: {{ text }}")})
    made = regress(side("old", [True] * 4), side("new", [True] * 4, other))
    assert ("prompt.user", "Say: {{ text }}") in {(change.what, change.after) for change in made.changes}
