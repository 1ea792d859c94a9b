"""One answer and one score, and the metrics of many: what the tests of the scorers share."""

from collections.abc import Sequence

import numpy as np
from pydantic import TypeAdapter

from results.metrics import METRICS, judged_by
from results.records import ExampleOutcome, ScorerOutcomes
from runners.records import ChoiceScore, Completion, Score
from runners.scorer_options import ScorerOptions
from runners.scorers.registry import open_scorer
from runners.test_set_records import Example, Task, TestSet

_OPTIONS: TypeAdapter[ScorerOptions] = TypeAdapter(ScorerOptions)


def options_of(scorer: str, **changes: object) -> ScorerOptions:
    """Options as a benchmark file gives them."""
    return _OPTIONS.validate_python({"scorer": scorer, **changes})


def answered(
    text: str, *, finish: str = "stop", logprobs: Sequence[tuple[str, float]] = (), **more: object
) -> Completion:
    """A completion with a text, or with scored choices, of which the first is the best."""
    scores = tuple(ChoiceScore(choice=choice, logprob=logprob, tokens=1) for choice, logprob in logprobs)
    return Completion.model_validate(
        {
            "request_id": "e",
            "workload": "accuracy",
            "text": text,
            "finish_reason": finish,
            "method": "scored_choices" if scores else "generated",
            "prompt_tokens": 1,
            "choice_scores": scores,
            **more,
        }
    )


def example(target: str = "", accepted: Sequence[str] = (), identity: str = "e", **more: object) -> Example:
    """An example with right answers."""
    content = {"id": identity, "inputs": {"text": "question"}, "target": target, "accepted": tuple(accepted), **more}
    return Example.model_validate(content)


def judge_one(
    options: ScorerOptions,
    completion: Completion | str,
    row: Example,
    *,
    task: Task = "short_answer",
    labels: Sequence[str] = (),
) -> Score:
    """The score of one answer."""
    scorer = open_scorer(options)
    test_set = TestSet(name="t", task=task, labels=tuple(labels), examples=(row,), scorers=(options,))
    try:
        return scorer(answered(completion) if isinstance(completion, str) else completion, row, test_set)
    finally:
        scorer.close()


def metrics_of(options: ScorerOptions, scores: Sequence[Score]) -> dict[str, float]:
    """Every metric of one scorer over some scores, as results make them."""
    names = sorted({name for score in scores for name in score.counts})
    outcomes = tuple(
        ExampleOutcome(
            example_id=str(number),
            target="",
            validity=score.validity,
            right=score.value == 1,
            value=score.value,
        )
        for number, score in enumerate(scores)
    )
    column = ScorerOutcomes(
        scorer=options.name,
        values=tuple(score.value for score in scores),
        counts={name: tuple(score.counts.get(name) for score in scores) for name in names},
    )
    judged = judged_by(outcomes, column, ())
    found = {}
    for metric in METRICS[options.scorer]:
        sums = metric.units(judged).sum(axis=0, keepdims=True)
        if np.any(sums):
            found[metric.name] = float(metric.statistic(sums)[0])
    return found
