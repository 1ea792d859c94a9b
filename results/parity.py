"""One model in two settings (engines, quantizations, options) on the same examples, and where the two part.

A wrong chat template, a second start token or a batch effect looks like a bad model until two engines are held against
each other. Nothing here runs a model, and nothing says which of the two is right to use: that is what `compare` is for.
"""

from collections.abc import Sequence
from statistics import median

from results import numbers
from results.parity_prompts import check_prompts
from results.parity_records import Flip, LogprobGap, ParityAnswer, ParityReport, PromptCheck
from results.records import Estimate
from results.statistics import bootstrap_mean, mcnemar_exact, wilson
from runners.records import Completion, CompletionDone, RunResult, Validity
from runners.test_set_records import Example

NEAR_TIE_NATS = 0.5
"""A label that leads by less than this (a factor of 1.65 in probability) may lose its lead to rounding alone."""
AT_LEAST = 0.97
"""Agreement asked for where none is named."""

_Pair = tuple[Example, Completion, ParityAnswer, Completion, ParityAnswer]


def compare_runs(first: RunResult, second: RunResult, at_least: float = AT_LEAST) -> ParityReport:
    """Two runs over the same test set, with the first scorer's judgement."""
    pairs = _pairs(first, second)
    flips = tuple(_flip(pair) for pair in pairs if pair[2].label != pair[4].label)
    agreement = _agreement(pairs)
    prompts = check_prompts(first, second)
    both = sum(pair[2].right and pair[4].right for pair in pairs)
    only_first = sum(pair[2].right and not pair[4].right for pair in pairs)
    only_second = sum(pair[4].right and not pair[2].right for pair in pairs)
    finished = first.status == second.status == "finished"
    agrees = agreement is not None and agreement.value >= at_least
    report = ParityReport(
        first=first.spec.candidate.name,
        second=second.spec.candidate.name,
        examples=len(first.spec.test_set.examples),
        compared=len(pairs),
        prompts=prompts,
        agreement=agreement,
        at_least=at_least,
        passes=agrees and finished and prompts.state != "different",
        without_label=sum(not pair[2].label and not pair[4].label for pair in pairs),
        flips=flips,
        near_ties=sum(bool(flip.near_tie) for flip in flips),
        both_right=both,
        only_first_right=only_first,
        only_second_right=only_second,
        both_wrong=len(pairs) - both - only_first - only_second,
        p_value=mcnemar_exact(only_first, only_second),
        logprobs=_gap(pairs),
        conclusion=(),
    )
    return report.model_copy(update={"notes": _notes(report, first, second), "conclusion": _conclusion(report)})


def _pairs(first: RunResult, second: RunResult) -> list[_Pair]:
    """Examples that both answered, in the test set's order."""
    ours, theirs = _answers(first), _answers(second)
    return [
        (example, *ours[example.id], *theirs[example.id])
        for example in first.spec.test_set.examples
        if example.id in ours and example.id in theirs
    ]


def _answers(run: RunResult) -> dict[str, tuple[Completion, ParityAnswer]]:
    targets = {example.id: example.target for example in run.spec.test_set.examples}
    found = {}
    for event in run.completions:
        example_id = event.completion.example_id
        if event.completion.workload == "accuracy" and example_id in targets:
            answer = _answer(event, targets[example_id])
            if answer is not None:
                found[example_id] = (event.completion, answer)
    return found


def _answer(event: CompletionDone, target: str) -> ParityAnswer | None:
    """The answer as the first scorer understood it; None where it did not judge."""
    score = event.scores[0] if event.scores else None
    if score is None or score.validity in {Validity.FAILED, Validity.SKIPPED}:
        return None
    scored = score.validity is Validity.SCORED
    right = scored and score.value == 1
    return ParityAnswer(
        label=target if right else (score.predicted or "") if scored else "",
        text=event.completion.text,
        validity=score.validity,
        right=right,
        margin_nats=_margin(event.completion),
    )


def _margin(completion: Completion) -> float | None:
    evidence = sorted((score.evidence for score in completion.choice_scores), reverse=True)
    return evidence[0] - evidence[1] if len(evidence) > 1 else None


def _flip(pair: _Pair) -> Flip:
    example, _, first, _, second = pair
    margins = [answer.margin_nats for answer in (first, second) if answer.margin_nats is not None]
    return Flip(
        example_id=example.id,
        text=" · ".join(text for name, text in example.inputs.items() if name not in example.slices),
        target=example.target,
        first=first,
        second=second,
        who_is_right="first" if first.right else "second" if second.right else "neither",
        near_tie=max(margins) < NEAR_TIE_NATS if margins else None,
    )


def _agreement(pairs: Sequence[_Pair]) -> Estimate | None:
    """Share of equal labels; Wilson, or the bootstrap over groups where examples belong together."""
    if not pairs:
        return None
    same = [first.label == second.label for _, _, first, _, second in pairs]
    groups = [example.slices.get("group") for example, *_ in pairs]
    if any(group is not None for group in groups):
        return bootstrap_mean([float(equal) for equal in same], groups=groups, bounds=(0.0, 1.0))
    return wilson(sum(same), len(same))


def _gap(pairs: Sequence[_Pair]) -> LogprobGap | None:
    found = []
    for example, ours, _, theirs, _ in pairs:
        other = {score.choice: score.logprob for score in theirs.choice_scores}
        found += [
            (abs(score.logprob - other[score.choice]), example.id, score.choice, score.logprob, other[score.choice])
            for score in ours.choice_scores
            if score.choice in other
        ]
    if not found:
        return None
    largest, example_id, label, first, second = max(found)
    return LogprobGap(
        labels=len(found),
        median_nats=median(nats for nats, *_ in found),
        largest_nats=largest,
        example_id=example_id,
        label=label,
        first_logprob=first,
        second_logprob=second,
    )


def _notes(report: ParityReport, first: RunResult, second: RunResult) -> tuple[str, ...]:
    notes = []
    for run in (first, second):
        if run.status != "finished":
            reason = run.failures[-1].failure.message if run.failures else "it was stopped"
            notes.append(f"{run.spec.candidate.name} is not finished ({run.status}): {reason}")
    if report.compared < report.examples:
        left = numbers.things(report.examples - report.compared, "example")
        notes.append(f"{left} of {numbers.count(report.examples)} left out, because not both sides answered.")
    if report.without_label:
        count = numbers.things(report.without_label, "example")
        notes.append(f"Neither side gave a label on {count}; these count as agreement, and say little.")
    ours, theirs = (run.spec.candidate.model_id for run in (first, second))
    if ours != theirs and not (ours.endswith(".gguf") and theirs.endswith(".gguf")):
        notes.append(f"The candidates name their models {ours!r} and {theirs!r}; they are taken to be the same model.")
    methods = {event.completion.method for run in (first, second) for event in run.completions}
    if len(methods) > 1:
        notes.append(
            "One side scores the labels, the other writes its answer as text: some flips come from that, not from the "
            "engine."
        )
    return tuple(notes)


def _conclusion(report: ParityReport) -> tuple[str, ...]:
    if report.agreement is None:
        return ("Nothing can be compared: there is no example that both sides answered.",)
    same = numbers.count(report.compared - len(report.flips))
    sentences = [
        f"{report.first} and {report.second} give the same answer on {same} of "
        f"{numbers.things(report.compared, 'example')}: {numbers.estimate(report.agreement, 'percent')}.",
    ]
    known = sum(flip.near_tie is not None for flip in report.flips)
    if known:
        are = "is a near tie" if report.near_ties == 1 else "are near ties"
        sentences.append(
            f"{report.near_ties} of {numbers.things(known, 'flip')} {are} (margin under {NEAR_TIE_NATS} nats), which a "
            "small change of the scores decides."
        )
    sentences.append(_verdict(report, report.agreement.value, report.prompts))
    return tuple(sentences)


def _verdict(report: ParityReport, agreement: float, prompts: PromptCheck) -> str:
    asked = numbers.percent(report.at_least)
    if prompts.state == "different":
        return "Mend the prompts first: as long as they differ, the two are not asked the same question."
    if agreement < report.at_least:
        if report.flips and report.near_ties == len(report.flips):
            return f"That is less than the {asked} asked for, and near ties only: the engine shifts scores a little."
        return f"That is less than the {asked} asked for: look at the flips with a large margin first."
    return f"That reaches the {asked} asked for." + ("" if report.passes else " One side is not finished, though.")
