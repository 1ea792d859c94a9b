"""Quality of one candidate from its judged examples: accuracy, per label, per slice, confusion.

Every example that was judged counts, whatever became of it: an answer that was unparseable, truncated, empty, refused
or did not fit the context is not right. Examples that failed or were skipped were not judged and are left out of n;
the ledger (results/summary.py) shows them. Definitions follow Sokolova & Lapalme 2009, IP&M 45:427.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from results.records import Confusion, Estimate, ExampleOutcome, LabelQuality, SliceQuality
from results.statistics import Floats, bootstrap_mean, bootstrap_sums, wilson
from runners.records import Validity

GROUP = "group"
"""Name of the slice column that says which examples belong together; it is no slice to report."""


def judged(outcomes: Sequence[ExampleOutcome]) -> tuple[ExampleOutcome, ...]:
    """The examples that have a judgement."""
    return tuple(outcome for outcome in outcomes if outcome.right is not None)


def answer(outcome: ExampleOutcome) -> str:
    """Label that an answer counts as: the target where it was right, else as understood; empty where nothing was."""
    if outcome.right:
        return outcome.target
    return outcome.predicted or "" if outcome.validity is Validity.SCORED else ""


def groups(outcomes: Sequence[ExampleOutcome]) -> tuple[str | None, ...] | None:
    """Group of every example, or None where the test set has no groups."""
    names = tuple(outcome.group for outcome in outcomes)
    return names if any(name is not None for name in names) else None


def accuracy(outcomes: Sequence[ExampleOutcome]) -> Estimate | None:
    """Share of right answers among judged examples; Wilson, or the bootstrap over groups. None without examples."""
    asked = judged(outcomes)
    if not asked:
        return None
    by_group = groups(asked)
    if by_group is not None:
        return bootstrap_mean([float(bool(o.right)) for o in asked], groups=by_group, bounds=(0.0, 1.0))
    return wilson(sum(bool(outcome.right) for outcome in asked), len(asked))


def balanced_accuracy(outcomes: Sequence[ExampleOutcome], labels: Sequence[str]) -> Estimate | None:
    """Mean recall over the labels that occur as targets (Brodersen et al. 2010), bootstrap over examples."""
    asked = judged(outcomes)
    return bootstrap_sums(label_units(asked, labels), mean_recall, groups=groups(asked)) if asked else None


def macro_f1(outcomes: Sequence[ExampleOutcome], labels: Sequence[str]) -> Estimate | None:
    """Mean of the labels' F1 = 2·hits ÷ (support + predicted), over labels that occur, bootstrap over examples.

    The mean of F1 values, not the F1 of mean precision and recall (Opitz & Burst 2019, arXiv:1911.03347).
    """
    asked = judged(outcomes)
    return bootstrap_sums(label_units(asked, labels), mean_f1, groups=groups(asked)) if asked else None


def mean_recall(sums: Floats) -> Floats:
    """Mean recall over the labels with support, from sums of `label_units`."""
    hits, support, _ = np.split(sums, 3, axis=1)
    return _mean_where(hits, support, support > 0)


def mean_f1(sums: Floats) -> Floats:
    """Mean F1 over the labels that occur, from sums of `label_units`."""
    hits, support, predicted = np.split(sums, 3, axis=1)
    return _mean_where(2 * hits, support + predicted, support + predicted > 0)


def label_qualities(outcomes: Sequence[ExampleOutcome], labels: Sequence[str]) -> tuple[LabelQuality, ...]:
    """Precision, recall and F1 of every label, in the test set's order."""
    asked = judged(outcomes)
    if not asked:
        return ()
    hits, support, predicted = np.split(label_units(asked, labels).sum(axis=0), 3)
    return tuple(
        LabelQuality(
            label=label,
            support=int(support[i]),
            precision=float(hits[i] / predicted[i]) if predicted[i] else None,
            recall=float(hits[i] / support[i]) if support[i] else None,
            f1=float(2 * hits[i] / (support[i] + predicted[i])) if support[i] + predicted[i] else None,
        )
        for i, label in enumerate(labels)
    )


def slice_qualities(outcomes: Sequence[ExampleOutcome]) -> tuple[SliceQuality, ...]:
    """Accuracy on every value of every slice column, columns and values in alphabetical order."""
    members: dict[tuple[str, str], list[ExampleOutcome]] = {}
    for outcome in judged(outcomes):
        for column, value in outcome.slices.items():
            if column != GROUP:
                members.setdefault((column, value), []).append(outcome)
    qualities = []
    for (column, value), asked in sorted(members.items()):
        estimate = accuracy(asked)
        if estimate is not None:
            qualities.append(SliceQuality(column=column, value=value, accuracy=estimate))
    return tuple(qualities)


def confusions(outcomes: Sequence[ExampleOutcome], labels: Sequence[str]) -> tuple[Confusion, ...]:
    """Cells of the confusion matrix that occur, in the order of the labels; what was not understood comes last."""
    cells = Counter((outcome.target, answer(outcome)) for outcome in judged(outcomes))
    order = {label: place for place, label in enumerate(labels)}
    last = len(labels)

    def place(cell: tuple[str, str]) -> tuple[int, str, int, str]:
        target, predicted = cell
        return order.get(target, last), target, order.get(predicted, last), predicted

    return tuple(Confusion(target=t, predicted=p, count=cells[t, p]) for t, p in sorted(cells, key=place))


def label_units(asked: Sequence[ExampleOutcome], labels: Sequence[str]) -> Floats:
    """What each example adds per label to hits, support and predicted: shape (examples, 3 × labels)."""
    order = {label: place for place, label in enumerate(labels)}
    units = np.zeros((len(asked), 3, len(labels)))
    for row, outcome in enumerate(asked):
        target, predicted = order.get(outcome.target), order.get(answer(outcome))
        if target is not None:
            units[row, 1, target] = 1
            units[row, 0, target] = predicted == target
        if predicted is not None:
            units[row, 2, predicted] = 1
    return units.reshape(len(asked), -1)


def _mean_where(numerator: Floats, denominator: Floats, defined: np.typing.NDArray[np.bool_]) -> Floats:
    """Row means of numerator ÷ denominator over the defined columns; 0 in a row where none is."""
    ratios = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=defined)
    return np.asarray(ratios.sum(axis=1) / np.maximum(defined.sum(axis=1), 1), dtype=np.float64)
