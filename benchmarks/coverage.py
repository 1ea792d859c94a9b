"""How often the 95 % intervals hold the truth: `python -m benchmarks.coverage [sets] [words of a line's name …]`.

10,000 synthetic test sets for each line, drawn from a truth that is known, each judged by the product's own functions
with 10,000 resamples. `above` and `below` say how often the whole interval lay above or below the truth; 2.5 % each
would be ideal. Wilson's coverage jumps with p because counts are whole numbers, so that the literature averages it over
p (Agresti & Coull 1998; Brown, Cai & DasGupta 2001): single values of p and the average are both given. The last lines
are no intervals: how often a test says "different" where nothing differs, and what early stopping saves.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.calibration import bin_units, error_estimate
from results.quality import mean_f1
from results.resampling import Bca, Floats, ratio, resample
from results.sequential import LosingBet
from results.statistics import FewPairs, Sums, bootstrap_sums, wilson

SETS = 10_000
AT_ONCE = 50
LARGE = 2_000_000
Interval = tuple[float | None, float | None]


class Line(NamedTuple):
    """One line of the table."""

    name: str
    truth: float
    intervals: Callable[[np.random.Generator, int], Iterator[Interval]]
    """Draws so many test sets and gives the interval of each."""


def lines() -> Iterator[Line]:
    """Every line that has a truth."""
    for p in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        yield Line(f"Wilson, n = 150, p = {p}", p, wilson_intervals(150, p))
    yield Line("Wilson, n = 150, p uniform from 0.5 to 0.95", np.nan, wilson_intervals(150, None))
    for n in (10, 20, 50, 150):
        yield Line(f"BCa mean, n = {n}, scores Beta(4, 1)", 0.8, means(n, 4, 1))
        yield Line(f"BCa mean, n = {n}, scores Beta(½, ½)", 0.5, means(n, 0.5, 0.5))
        yield Line(f"BCa mean, n = {n}, scores Beta(8, ½), near 1", 8 / 8.5, means(n, 8, 0.5))
    for groups in (12, 30, 60):
        yield Line(f"BCa share, {groups} groups of 5 alike", 0.75, grouped(groups, 5))
    for shares in ((0.34, 0.33, 0.33), (0.6, 0.3, 0.1), (0.4, 0.3, 0.15, 0.1, 0.05)):
        for n in (50, 150):
            yield Line(f"BCa macro F1, n = {n}, labels {shares}", true_f1(shares, 0.8), macro_f1(n, shares, 0.8))
    for n in (12, 20, 49):
        yield Line(f"few pairs, right or wrong, n = {n}", 0.8 - 0.86, few_pairs(n))
    for n in (20, 50, 150, 300):
        unused = " (not what is used there)" if n < 50 else ""
        yield Line(f"paired bootstrap, right or wrong, n = {n}{unused}", 0.8 - 0.86, paired_right(n))
        yield Line(f"paired difference, scores, n = {n}", 0.0, paired_scores(n))
    yield Line("paired difference of macro F1, n = 150", true_f1(LABELS, 0.8) - true_f1(LABELS, 0.7), paired_f1(0.7))
    for n in (150, 500):
        for off in (0.0, 0.1, 0.2):
            yield Line(f"calibration error, 10 bins, n = {n}, too sure by {off}", off, ece(n, off))


LABELS = (0.6, 0.3, 0.1)


def wilson_intervals(n: int, p: float | None) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Wilson's; where p is None it is drawn anew for each set, and the interval is given relative to it."""

    def intervals(rng: np.random.Generator, sets: int) -> Iterator[Interval]:
        for _ in range(sets):
            truth = rng.uniform(0.5, 0.95) if p is None else p
            estimate = wilson(int(rng.binomial(n, truth)), n)
            shift = truth if p is None else 0.0
            yield (estimate.low or 0.0) - shift, (estimate.high or 0.0) - shift

    return intervals


def _bootstrapped(
    draw: Callable[[np.random.Generator], Sums], groups: Sequence[str] | None = None
) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    def intervals(rng: np.random.Generator, sets: int) -> Iterator[Interval]:
        for start in range(0, sets, AT_ONCE):
            parts = [draw(rng) for _ in range(min(AT_ONCE, sets - start))]
            for estimate in bootstrap_sums(parts, groups=groups):
                yield estimate.low, estimate.high

    return intervals


def means(n: int, a: float, b: float) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Means of scores between 0 and 1."""
    return _bootstrapped(lambda rng: Sums(np.column_stack([rng.beta(a, b, n), np.ones(n)]), ratio, (0.0, 1.0)))


def grouped(groups: int, size: int) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Shares of right answers where those of a group are alike: each group has a share of its own, Beta(3, 1)."""

    def draw(rng: np.random.Generator) -> Sums:
        right = rng.random((groups, size)) < rng.beta(3, 1, size=(groups, 1))
        return Sums(np.column_stack([right.ravel(), np.ones(groups * size)]), ratio, (0.0, 1.0))

    return _bootstrapped(draw, [str(place // size) for place in range(groups * size)])


def label_units(
    rng: np.random.Generator, n: int, shares: Sequence[float], accuracy: float
) -> tuple[NDArray[np.intp], Floats]:
    """Targets, and units of macro F1 of answers that are right with this chance, else any other label."""
    labels = len(shares)
    targets = rng.choice(labels, n, p=shares).astype(np.intp)
    return targets, answer_units(rng, targets, labels, accuracy)


def answer_units(rng: np.random.Generator, targets: NDArray[np.intp], labels: int, accuracy: float) -> Floats:
    """What each answer adds to hits, support and predictions of its labels."""
    n, rows = len(targets), np.arange(len(targets))
    right = rng.random(n) < accuracy
    answers = np.where(right, targets, (targets + rng.integers(1, labels, n)) % labels)
    units = np.zeros((n, 3, labels))
    units[rows, 0, targets] = right
    units[rows, 1, targets] = 1
    units[rows, 2, answers] = 1
    return units.reshape(n, -1)


def true_f1(shares: Sequence[float], accuracy: float) -> float:
    """Macro F1 of a test set so large that it is the truth."""
    _, units = label_units(np.random.default_rng(1), LARGE, shares, accuracy)
    return float(mean_f1(units.sum(axis=0, keepdims=True))[0])


def macro_f1(
    n: int, shares: Sequence[float], accuracy: float
) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Macro F1 of labels of unequal frequency."""
    return _bootstrapped(lambda rng: Sums(label_units(rng, n, shares, accuracy)[1], mean_f1))


def _paired(
    draw: Callable[[np.random.Generator], tuple[Sums, Sums]],
) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    def intervals(rng: np.random.Generator, sets: int) -> Iterator[Interval]:
        for start in range(0, sets, AT_ONCE):
            bca = _differences(draw, rng, min(AT_ONCE, sets - start))
            lows, highs = bca.interval()
            for low, high, constant in zip(lows, highs, bca.is_constant, strict=True):
                yield (None, None) if constant else (float(low), float(high))

    return intervals


def _differences(draw: Callable[[np.random.Generator], tuple[Sums, Sums]], rng: np.random.Generator, sets: int) -> Bca:
    parts = [part for _ in range(sets) for part in draw(rng)]
    resampled = resample([(part.units, part.statistic) for part in parts])
    return Bca(resampled.minus(range(0, 2 * sets, 2), range(1, 2 * sets, 2)))


def paired_right(n: int) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """80 % against 86 % right, the second being right on 95 % of those that the first has right."""

    def draw(rng: np.random.Generator) -> tuple[Sums, Sums]:
        first = rng.random(n) < 0.8
        second = np.where(first, rng.random(n) < 0.95, rng.random(n) < 0.5)
        return tuple(Sums(np.column_stack([right, np.ones(n)]), ratio) for right in (first, second))  # type: ignore[return-value]

    return _paired(draw)


def few_pairs(n: int) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """The same, with the interval for few examples."""

    def intervals(rng: np.random.Generator, sets: int) -> Iterator[Interval]:
        for b, c, _ in rng.multinomial(n, [0.04, 0.10, 0.86], size=sets):
            estimate = FewPairs(int(b), int(c), n).difference
            yield estimate.low, estimate.high

    return intervals


def paired_scores(n: int) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Two candidates with the same mean, whose scores depend on how hard the example is."""
    return _paired(lambda rng: _score_pair(rng, n))


def _score_pair(rng: np.random.Generator, n: int) -> tuple[Sums, Sums]:
    ease = rng.beta(4, 1.5, n)
    first, second = (np.clip(rng.beta(8 * ease, 8 * (1 - ease)), 0, 1) for _ in range(2))
    return Sums(np.column_stack([first, np.ones(n)]), ratio), Sums(np.column_stack([second, np.ones(n)]), ratio)


def _f1_pair(rng: np.random.Generator, n: int, other: float) -> tuple[Sums, Sums]:
    targets, first = label_units(rng, n, LABELS, 0.8)
    return Sums(first, mean_f1), Sums(answer_units(rng, targets, len(LABELS), other), mean_f1)


def paired_f1(other: float) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Macro F1 of 80 % against `other` accuracy on the same 150 examples."""
    return _paired(lambda rng: _f1_pair(rng, 150, other))


def _probabilities(rng: np.random.Generator, n: int, off: float) -> Floats:
    probability = rng.uniform(0.35, 0.98, n)
    return bin_units(probability, rng.random(n) < probability - off, np.ones(n), 10)


def ece(n: int, off: float) -> Callable[[np.random.Generator, int], Iterator[Interval]]:
    """Calibration error of probabilities that are too high by `off`."""

    def intervals(rng: np.random.Generator, sets: int) -> Iterator[Interval]:
        for _ in range(sets):
            estimate = error_estimate(_probabilities(rng, n, off)).error
            yield estimate.low, estimate.high

    return intervals


def covered(line: Line, sets: int, seed: int = 5) -> tuple[float, float, float, float]:
    """Shares of sets whose interval holds the truth, lies above it, lies below it, and that have none."""
    truth = 0.0 if np.isnan(line.truth) else line.truth
    above = below = missing = 0
    for low, high in line.intervals(np.random.default_rng(seed), sets):
        if low is None or high is None:
            missing += 1
        elif low > truth:
            above += 1
        elif high < truth:
            below += 1
    known = max(sets - missing, 1)
    return 1 - (above + below) / known, above / known, below / known, missing / sets


def false_alarms(sets: int) -> Iterator[tuple[str, float]]:
    """How often p < 5 % where nothing differs."""
    for name, draw in (
        ("paired bootstrap, scores, n = 20", lambda rng: _score_pair(rng, 20)),
        ("paired bootstrap, scores, n = 150", lambda rng: _score_pair(rng, 150)),
        ("paired bootstrap, macro F1, n = 50", lambda rng: _f1_pair(rng, 50, 0.8)),
        ("paired bootstrap, macro F1, n = 150", lambda rng: _f1_pair(rng, 150, 0.8)),
    ):
        rng, alarms = np.random.default_rng(6), 0
        for start in range(0, sets, AT_ONCE):
            bca = _differences(draw, rng, min(AT_ONCE, sets - start))
            alarms += int(np.sum(bca.p_two_sided() < 0.05))
        yield name, alarms / sets


def stopped(sets: int, other: float, candidates: int, n: int = 150) -> tuple[float, float]:
    """Share of sets in which a candidate with 70 % right is stopped, and the mean share of examples it was asked."""
    rng, needed = np.random.default_rng(7), candidates * (candidates - 1) / 2 / 0.05
    stops, asked = 0, 0
    for _ in range(sets):
        differences = (rng.random(n) < other) * 1.0 - (rng.random(n) < 0.7)
        bet, place = LosingBet(), n
        for number, difference in enumerate(differences, start=1):
            bet.add(float(difference))
            if number >= 30 and bet.e_value >= needed and number < n:
                stops, place = stops + 1, number
                break
        asked += place
    return stops / sets, asked / (sets * n)


def main(sets: int, words: Sequence[str]) -> None:
    """Print the table, or the lines whose name holds one of the words."""

    def wanted(name: str) -> bool:
        return not words or any(word in name for word in words)

    print(f"{sets:,} test sets for each line\n{'covered':>8} {'above':>7} {'below':>7}")
    for line in lines():
        if wanted(line.name):
            share, above, below, missing = covered(line, sets)
            mark = "" if 0.94 <= share <= 0.96 else "  *"
            without = f", {missing:.1%} without interval" if missing else ""
            print(f"{share:8.2%} {above:7.2%} {below:7.2%}  {line.name}{without}{mark}", flush=True)
    print("* outside 94 to 96 %")
    if wanted("false alarms"):
        for name, share in false_alarms(sets):
            print(f"{share:8.2%} false alarms: {name}", flush=True)
    if wanted("early stopping"):
        for candidates in (2, 5):
            for other in (0.7, 0.8, 0.9):
                share, asked = stopped(sets, other, candidates)
                versus = f"70 % against {other:.0%}, n = 150, {candidates} candidates"
                print(f"{share:8.2%} stopped early, asked {asked:.0%} of the examples on average: {versus}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    is_number = bool(given) and given[0].isdigit()
    main(int(given[0]) if is_number else SETS, given[1:] if is_number else given)
