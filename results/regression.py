"""Two runs of what should be the same thing: what changed, which examples were fixed or broken, and what the test says.

For a new revision, quantization, prompt or engine version of one model. Examples are matched by id and must have the
same content; what has no counterpart is left out and said. Only two runs are compared, so that nothing is corrected.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from catalog.records import Record
from results import metrics, numbers
from results.errors import NothingToCompare
from results.metric_records import Judged, Metric
from results.metric_words import in_prose, signed_difference, value_text
from results.quality import groups
from results.records import ExampleOutcome, RunMeasurements
from results.regression_records import ExampleChange, MetricDifference, Regression, SpecChange
from results.resampling import Bca, Floats, present, resample, sum_by_group
from results.statistics import MINIMUM_FOR_BOOTSTRAP, Sums, bootstrap_sums, mcnemar_exact
from runners.records import RunSpec, Workload
from runners.scorer_options import PassOptions, ScorerOptions
from runners.test_set_records import Example, digest

SIGNIFICANCE = 0.05
_SAME = ("inputs", "target", "accepted", "choices", "passages", "relevant")
"""What of an example must be equal in both test sets."""


class Side(NamedTuple):
    """One of the two runs."""

    name: str
    """Benchmark and candidate."""
    spec: RunSpec
    run: RunMeasurements
    machine: str
    """What measured, in words."""


def regress(first: Side, second: Side, margin: float | None = None) -> Regression:
    """Hold the second run against the first. NothingToCompare without common judged examples.

    margin is how much worse the second may be, in the quality metric's own unit (0.02: two points of a share). It is
    kept where the worse end of the 95 % interval of the difference stays within it, which is a one-sided test at 2.5 %.
    """
    stopped = next((side.name for side in (first, second) if side.run.status == "stopped"), None)
    if stopped is not None:
        raise NothingToCompare(
            f"{stopped} was stopped early, which no test of a fixed number of examples allows for. "
            "bench --resume asks it to the end."
        )
    ids, left_out = _matched(first, second)
    if not ids:
        raise NothingToCompare(
            f"{first.name} and {second.name} have no judged example in common: examples are matched by id and must "
            f"have the same text and target. {left_out or ''}".strip()
        )
    found = tuple(_differences(first.run, second.run, ids))
    if not found:
        msg = f"{first.name} and {second.name} have no scorer in common, so that nothing can be compared."
        raise NothingToCompare(msg)
    examples = tuple(_example_changes(first.run, second.run, ids))
    states = [change.state for change in examples]
    kept = None if margin is None else _is_non_inferior(found[0], margin)
    regression = Regression(
        first=first.name,
        second=second.name,
        changes=spec_changes(first, second),
        n=len(ids),
        left_out=left_out,
        metrics=found,
        examples=examples,
        fixed=states.count("fixed"),
        broken=states.count("broken"),
        unchanged_right=states.count("unchanged_right"),
        unchanged_wrong=states.count("unchanged_wrong"),
        margin=margin,
        non_inferior=kept,
        conclusion="",
    )
    return regression.model_copy(update={"conclusion": _conclusion(regression)})


def spec_changes(first: Side, second: Side) -> tuple[SpecChange, ...]:
    """Everything recorded that is not the same in both runs, test sets' examples aside."""
    before, after = _recorded(first), _recorded(second)
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        SpecChange(what=name, before=before.get(name, "none"), after=after.get(name, "none"))
        for name in names
        if before.get(name) != after.get(name)
    )


def _recorded(side: Side) -> dict[str, str]:
    """What a run was made of, by name, as text."""
    spec, loaded = side.spec, side.run.loaded
    candidate, test_set = spec.candidate, spec.test_set
    accuracy = next((workload for workload in spec.workloads if workload.kind == "accuracy"), None)
    plain: dict[str, object] = {
        "model": candidate.model_id,
        "revision": candidate.revision,
        "weights": candidate.weights_sha256 or candidate.weights_path,
        "quantization": candidate.quantization,
        "engine": candidate.engine,
        "engine version": spec.engine_version,
        "engine build": loaded.build if loaded else None,
        "chat template": loaded.chat_template_sha256 if loaded else None,
        **_fields("options", spec.options, leave={"engine"}),
        **_fields("prompt", spec.asked.prompt),
        "few-shot examples": _digest_of(test_set.few_shot),
        "labels": ", ".join(test_set.labels),
        **{f"scorer {name}": version for name, version in spec.scorer_versions.items()},
        **{f"scorer {options.name} options": options.model_dump_json() for options in test_set.scorers},
        **(_fields("accuracy workload", accuracy) if accuracy else {}),
        "seed": spec.seed,
        "machine": side.machine,
    }
    return {name: str(value) for name, value in plain.items() if value not in {None, ""}}


def _fields(title: str, record: Record | Workload, leave: set[str] | None = None) -> dict[str, object]:
    values = record.model_dump(mode="json", exclude=leave or set())
    return {f"{title}.{name}": None if value is None else str(value) for name, value in values.items()}


def _digest_of(examples: Sequence[Example]) -> str | None:
    if not examples:
        return None
    content = digest([example.model_dump(mode="json") for example in examples])
    return f"{numbers.things(len(examples), 'example')} ({content[:8]})"


def _matched(first: Side, second: Side) -> tuple[tuple[str, ...], str | None]:
    """Ids judged in both runs with equal content, in the first's order; and a sentence on what is left out."""
    theirs = {example.id: example for example in second.spec.test_set.examples}
    mine = {example.id: example for example in first.spec.test_set.examples}
    shared = [name for name in mine if name in theirs]
    equal = {name for name in shared if _content(mine[name]) == _content(theirs[name])}
    judged = [
        {outcome.example_id for outcome in side.run.outcomes if outcome.value is not None} for side in (first, second)
    ]
    ids = tuple(name for name in mine if name in equal and name in judged[0] and name in judged[1])
    parts = [
        (len(mine) - len(shared), f"only in {first.name}"),
        (len(theirs) - len(shared), f"only in {second.name}"),
        (len(shared) - len(equal), "in both with another text or target"),
        (len(equal) - len(ids), "not judged in one of the runs"),
    ]
    said = [f"{numbers.count(count)} {where}" for count, where in parts if count]
    if not said:
        return ids, None
    versions = "" if equal == mine.keys() == theirs.keys() else "The test sets are different versions. "
    return ids, f"{versions}Compared are {numbers.things(len(ids), 'example')}; left out: {', '.join(said)}."


def _content(example: Example) -> tuple[object, ...]:
    return tuple(getattr(example, name) for name in _SAME)


def _differences(first: RunMeasurements, second: RunMeasurements, ids: Sequence[str]) -> list[MetricDifference]:
    """Every metric of every scorer that both runs have under the same name, in the first's order."""
    labels = tuple(dict.fromkeys((*first.labels, *second.labels)))
    found = []
    for place, options in enumerate(first.scorers):
        other = next(
            (i for i, o in enumerate(second.scorers) if (o.name, o.scorer) == (options.name, options.scorer)), None
        )
        if other is None:
            continue
        both = _judged_in_both(ids, (first, place), (second, other))
        mine, theirs = _judged(first, place, both, labels), _judged(second, other, both, labels)
        for metric in metrics.METRICS.get(options.scorer, ()) if both else ():
            if present(metric.units(mine)) and present(metric.units(theirs)):
                found.append(_difference(options, metric, mine, theirs))
    return found


def _judged_in_both(ids: Sequence[str], *sides: tuple[RunMeasurements, int]) -> list[str]:
    """Examples of which the scorer says something in every run; a scorer may fail on some."""
    judged = []
    for run, place in sides:
        values = zip(run.outcomes, run.scored[place].values, strict=True)
        judged.append({outcome.example_id for outcome, value in values if value is not None})
    return [name for name in ids if all(name in known for known in judged)]


def _judged(run: RunMeasurements, place: int, ids: Sequence[str], labels: Sequence[str]) -> Judged:
    """One scorer's judgements of the matched examples, in the order of ids."""
    rows = {outcome.example_id: row for row, outcome in enumerate(run.outcomes)}
    order = [rows[name] for name in ids]
    scored = run.scored[place]
    picked = scored.model_copy(
        update={
            "values": tuple(scored.values[row] for row in order),
            "counts": {name: tuple(column[row] for row in order) for name, column in scored.counts.items()},
        }
    )
    return metrics.judged_by([run.outcomes[row] for row in order], picked, labels)


def _difference(options: ScorerOptions | PassOptions, metric: Metric, mine: Judged, theirs: Judged) -> MetricDifference:
    before, after = metric.units(mine), metric.units(theirs)
    width = before.shape[1]

    def difference(sums: Floats) -> Floats:
        return metric.statistic(sums[:, width:]) - metric.statistic(sums[:, :width])

    by_group = groups(mine.outcomes)
    bounds = (-1.0, 1.0) if metric.is_proportion else None
    both = np.concatenate([before, after], axis=1)
    (estimate,) = bootstrap_sums([Sums(both, difference, bounds)], groups=by_group)
    plain = metric.is_proportion and by_group is None and bool(np.all(mine.weights == 1))
    if plain:
        right = metrics.has_what_is_counted(before), metrics.has_what_is_counted(after)
        p_value = mcnemar_exact(int(np.sum(right[0] & ~right[1])), int(np.sum(right[1] & ~right[0])))
    else:
        resampled = resample([(sum_by_group(both, by_group), difference)])
        is_enough = resampled.units[0] >= MINIMUM_FOR_BOOTSTRAP
        p_value = float(Bca(resampled).p_two_sided()[0]) if is_enough else 1.0
    sign = 1 if metric.higher_is_better else -1
    shown: Literal["better", "worse", "no difference"] = "no difference"
    if p_value < SIGNIFICANCE:
        shown = "better" if sign * estimate.value > 0 else "worse"
    return MetricDifference(
        name=metrics.metric_name(options, metric),
        title=metric.title,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        before=float(metric.statistic(before.sum(axis=0, keepdims=True))[0]),
        after=float(metric.statistic(after.sum(axis=0, keepdims=True))[0]),
        difference=estimate.model_copy(update={"method": f"paired, {estimate.method}"}),
        p_value=p_value,
        test="McNemar's exact test" if plain else "paired bootstrap",
        shown=shown,
    )


def _example_changes(first: RunMeasurements, second: RunMeasurements, ids: Sequence[str]) -> list[ExampleChange]:
    mine = {outcome.example_id: outcome for outcome in first.outcomes}
    theirs = {outcome.example_id: outcome for outcome in second.outcomes}
    return [
        ExampleChange(
            example_id=name,
            target=mine[name].target,
            state=_state(mine[name], theirs[name]),
            before=mine[name].predicted,
            after=theirs[name].predicted,
            before_validity=mine[name].validity,
            after_validity=theirs[name].validity,
        )
        for name in ids
    ]


def _state(
    before: ExampleOutcome, after: ExampleOutcome
) -> Literal["fixed", "broken", "unchanged_right", "unchanged_wrong"]:
    gain = round((after.value or 0.0) - (before.value or 0.0), 9)
    if gain:
        return "fixed" if gain > 0 else "broken"
    return "unchanged_right" if after.right else "unchanged_wrong"


def _is_non_inferior(quality: MetricDifference, margin: float) -> bool:
    """Whether the worse end of the difference's interval stays within the margin; no interval shows nothing."""
    low, high = quality.difference.low, quality.difference.high
    if low is None or high is None:
        return False
    return low >= -margin if quality.higher_is_better else high <= margin


def _conclusion(regression: Regression) -> str:
    """One sentence from the numbers."""
    quality = regression.quality
    name, n = in_prose(quality.title), f"n = {numbers.count(regression.n)}"
    values = f"{value_text(quality.before, quality.unit)} before, {value_text(quality.after, quality.unit)} after"
    tested = f"{quality.test}, {numbers.p_value(quality.p_value)}"
    counts = f"{numbers.count(regression.fixed)} fixed, {numbers.count(regression.broken)} broken"
    if quality.shown == "no difference":
        text = f"No difference in {name} shown at {n}: {values}, {counts} ({tested})."
    else:
        text = f"{regression.second} is {quality.shown} in {name} at {n}: {values}, {counts} ({tested})."
    if regression.margin is None:
        return text
    margin = (
        value_text(regression.margin, quality.unit) if quality.unit == "score" else numbers.points(regression.margin)
    )
    interval = signed_difference(quality.difference, quality.unit)
    if regression.non_inferior:
        return f"{text} It is shown to be at most {margin} worse: the difference is {interval}."
    return f"{text} It is not shown to be at most {margin} worse: the difference is {interval}."
