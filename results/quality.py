"""Quality of one candidate from its judged examples: accuracy, per label, confusion.

Every example that was judged counts, whatever became of it: an answer that was unparseable, truncated, empty, refused
or did not fit the context is not right. Examples that failed or were skipped were not judged and are left out of n;
the ledger (results/summary.py) shows them. Definitions follow Sokolova & Lapalme 2009, IP&M 45:427.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from results.records import Confusion, Estimate, ExampleOutcome, LabelQuality
from results.resampling import Floats, ratio
from results.statistics import Sums, bootstrap_sums, wilson
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
    """Share of right answers among judged examples: Wilson, with groups or weights the bootstrap; None without any."""
    asked = judged(outcomes)
    if not asked:
        return None
    by_group, weights = groups(asked), np.array([outcome.weight for outcome in asked])
    if by_group is None and np.ptp(weights) == 0:
        return wilson(sum(bool(outcome.right) for outcome in asked), len(asked))
    right = weights * np.array([bool(outcome.right) for outcome in asked])
    share = Sums(np.column_stack([right, weights]), ratio, (0.0, 1.0))
    return bootstrap_sums([share], groups=by_group)[0]


def mean_recall(sums: Floats) -> Floats:
    """Mean recall over the labels with support, from sums of `label_units`."""
    hits, support, _ = np.split(sums, 3, axis=1)
    return _mean_ratio(hits, support)


def mean_f1(sums: Floats) -> Floats:
    """Mean F1 over the labels that occur, from sums of `label_units`."""
    hits, support, predicted = np.split(sums, 3, axis=1)
    return _mean_ratio(2 * hits, support + predicted)


def label_qualities(outcomes: Sequence[ExampleOutcome], labels: Sequence[str]) -> tuple[LabelQuality, ...]:
    """Precision, recall and F1 of every label, weights counted, in the test set's order; support counts examples."""
    asked = judged(outcomes)
    if not asked:
        return ()
    units = label_units(asked, labels)
    weights = np.array([outcome.weight for outcome in asked])
    examples = np.split(units.sum(axis=0), 3)[1]
    hits, support, predicted = np.split((units * weights[:, None]).sum(axis=0), 3)
    return tuple(
        LabelQuality(
            label=label,
            support=int(examples[i]),
            precision=float(hits[i] / predicted[i]) if predicted[i] else None,
            recall=float(hits[i] / support[i]) if support[i] else None,
            f1=float(2 * hits[i] / (support[i] + predicted[i])) if support[i] + predicted[i] else None,
        )
        for i, label in enumerate(labels)
    )


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


def _mean_ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Row means of numerator ÷ denominator over the columns where the denominator is not 0; 0 in a row without any.

    The numerator is 0 wherever the denominator is.
    """
    defined = np.count_nonzero(denominator, axis=1)
    ratios = numerator / np.maximum(denominator, np.finfo(np.float64).tiny)
    return np.asarray(ratios.sum(axis=1) / np.maximum(defined, 1), dtype=np.float64)
