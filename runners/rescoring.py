"""Judges completions that exist already: after scorers or right answers were changed, or where others made them.

Never loads a model. What was asked must be the same; whoever calls makes sure of that with `same_question`.
"""

from runners.records import JUDGED_KINDS, CompletionDone, FailureHappened, RunEvent, RunFinished, RunResult, RunSpec
from runners.scorers.judging import judge
from runners.scorers.registry import open_scorer, scorer_versions
from runners.test_set_records import Example, TestSet
from runners.variations import as_shown


def score_again(result: RunResult, test_set: TestSet) -> RunResult:
    """The run with every answer that is scored judged by the scorers of another version of its test set.

    Answers to examples that the test set no longer has are left out.
    """
    scorers = [open_scorer(options) for options in test_set.scorers]
    examples = {example.id: example for example in test_set.examples}
    spec = result.spec.model_copy(update={"test_set": test_set, "scorer_versions": scorer_versions(test_set)})
    completions = []
    failures = [event for event in result.failures if event.failure.stage != "score"]
    try:
        for event in result.completions:
            completion = event.completion
            example = examples.get(completion.example_id or "")
            if completion.example_id is not None and example is None:
                continue
            if completion.workload not in JUDGED_KINDS or example is None:
                completions.append(event)
                continue
            if completion.variation is not None:
                example = as_shown(spec, example, completion.variation)
            scores, failed = judge(scorers, completion, example, spec.asked)
            completions.append(CompletionDone(completion=completion, scores=scores))
            failures += [FailureHappened(workload=completion.workload, failure=failure) for failure in failed]
    finally:
        for scorer in scorers:
            scorer.close()
    return result.model_copy(update={"spec": spec, "completions": tuple(completions), "failures": tuple(failures)})


def same_question(first: Example, second: Example) -> bool:
    """Whether a model is asked the same: right answers, slices and weights may differ."""
    return (first.id, first.inputs, first.choices, first.passages) == (
        second.id,
        second.inputs,
        second.choices,
        second.passages,
    )


def asks_otherwise(first: RunSpec, second: TestSet) -> str | None:
    """What of the prompts of a run would be different with another test set, in words; None where nothing would."""
    before = first.test_set
    if before.task != second.task:
        return f"the task is {second.task} and was {before.task}"
    if before.labels != second.labels:
        return f"the labels are {', '.join(second.labels)} and were {', '.join(before.labels)}"
    if before.prompt != second.prompt and first.prompt is None:
        return "the prompt is another one"
    if [shot.inputs | {"": shot.target} for shot in before.few_shot] != [
        shot.inputs | {"": shot.target} for shot in second.few_shot
    ]:
        return "other few-shot examples are shown"
    asked = {example.id: example for example in before.examples}
    for example in second.examples:
        if example.id in asked and not same_question(asked[example.id], example):
            return f"the example {example.id!r} has another text"
    return None


def events_of(result: RunResult) -> tuple[RunEvent, ...]:
    """The events that leave such a run behind, for its event file."""
    finished = (RunFinished(segment=max((s.segment for s in result.started), default=0), at_seconds=0.0),)
    return (
        *result.started,
        *result.loads,
        *result.windows,
        *result.prompts,
        *result.completions,
        *result.failures,
        *(finished if result.status == "finished" else ()),
    )
