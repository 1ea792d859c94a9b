"""How often the intervals of a standing hold the truth: `python -m benchmarks.votes [sets] [resamples]`.

Votes are drawn from candidates whose strengths are known, with ties as in Davidson's model (1970), and judged by the
product's own `standing`. Votes on one prompt hang together where `hang` is not 0: each prompt favours each candidate
by chance, with that standard deviation in log-odds. The truth of a share of points is that of a million such votes.
Of equal candidates, `alarms` says in how many sets some pair is told apart after Holm's correction: 5 % would be ideal,
and more than that is wrong. Sets in which somebody won everything are counted apart.
"""

import sys
import time
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from results.bradley_terry import Floats, against_average, fit
from results.head_to_head_records import Ballot, Outcome
from results.standing import standing

SETS, RESAMPLES, TRUTH_VOTES = 400, 2_000, 1_000_000
_OUTCOMES: tuple[Outcome, ...] = ("left", "right", "tie")


class Line(NamedTuple):
    """One way votes come about."""

    strengths: tuple[float, ...]
    prompts: int
    per_prompt: int
    """Pairs judged on each prompt."""
    tie: float = 0.5
    """Davidson's ν: of equal candidates ν ÷ (2 + ν) are ties."""
    hang: float = 0.0
    """Standard deviation, over prompts, of each candidate's strength."""

    @property
    def name(self) -> str:
        """In a line."""
        drawn = f"{self.prompts} prompts of {self.per_prompt}"
        return f"strengths {self.strengths}, {drawn}, ties {self.tie}, hang {self.hang}"


LINES = (
    Line((0.0, 0.0), 20, 1),
    Line((0.0, 0.5), 15, 1),
    Line((0.0, 0.5), 50, 1),
    Line((0.0, 2.5), 30, 1),
    Line((0.0, 3.5), 20, 1, tie=0.1),
    Line((0.0, 0.0, 0.0), 30, 1),
    Line((0.0, 0.3, 0.8), 30, 2, hang=0.7),
    Line((0.0, 0.0, 0.0, 0.0), 40, 1),
    Line((0.0, 0.3, 0.8, 1.5), 40, 1),
    Line((0.0, 0.3, 0.8, 1.5), 30, 6, hang=0.7),
    Line((0.0, 1.0, 2.0, 4.0), 60, 1),
)


def chances(difference: Floats, tie: float) -> Floats:
    """Of the first, of the second and of a tie, shape (n, 3) from (n,)."""
    half = np.exp(difference / 2)
    weights = np.column_stack([half, 1 / half, np.full_like(half, tie)])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def truth(line: Line) -> Floats:
    """Shares of points of very many votes."""
    rng, k = np.random.default_rng(0), len(line.strengths)
    wins = np.zeros((1, k, k))
    each = TRUTH_VOTES // (k * (k - 1) // 2)
    for a, b in combinations(range(k), 2):
        hang = rng.normal(0, line.hang, each) - rng.normal(0, line.hang, each)
        first, second, tie = chances(line.strengths[a] - line.strengths[b] + hang, line.tie).mean(axis=0)
        wins[0, a, b], wins[0, b, a] = first + tie / 2, second + tie / 2
    return np.asarray(against_average(fit(wins).strengths)[0], dtype=np.float64)


def drawn(line: Line, rng: np.random.Generator) -> Iterator[Ballot]:
    """One set of votes."""
    k = len(line.strengths)
    pairs = list(combinations(range(k), 2))
    for prompt in range(line.prompts):
        strengths = np.array(line.strengths) + rng.normal(0, line.hang, k)
        for place in rng.permutation(len(pairs))[: line.per_prompt]:
            a, b = pairs[place]
            outcome = _OUTCOMES[int(rng.choice(3, p=chances(np.array([strengths[a] - strengths[b]]), line.tie)[0]))]
            yield Ballot(
                id=f"{prompt} {place}",
                created_at="",
                batch_id="b",
                round_id=f"{prompt} {place}",
                prompt=str(prompt),
                left=str(a),
                right=str(b),
                left_name=str(a),
                right_name=str(b),
                outcome=outcome,
                blind=True,
                left_characters=1,
                right_characters=1,
            )


def measured(line: Line, sets: int, resamples: int) -> tuple[float, float, float]:
    """Share of intervals that hold the truth, of sets with a pair told apart, and of separated sets."""
    rng, shares = np.random.default_rng(4), truth(line)
    held: list[bool] = []
    alarms = separated = 0
    for _ in range(sets):
        found = standing(list(drawn(line, rng)), resamples=resamples)
        separated += any(group.separated for group in found.groups)
        alarms += any(pair.better is not None for group in found.groups for pair in group.pairs)
        for group in found.groups:
            for each in group.candidates:
                if each.share.low is not None and each.share.high is not None and len(found.groups) == 1:
                    held.append(each.share.low <= shares[int(each.key)] <= each.share.high)
    return float(np.mean(held)), alarms / sets, separated / sets


def main(sets: int, resamples: int) -> None:
    """Print the table."""
    print(
        f"{sets:,} sets of votes for each line, {resamples:,} resamples\n{'covered':>8} {'alarms':>7} {'separated':>10}"
    )
    for line in LINES:
        started = time.perf_counter()
        covered, alarms, separated = measured(line, sets, resamples)
        equal = len(set(line.strengths)) == 1
        told = f"{alarms:7.1%}" if equal else f"({alarms:.0%})".rjust(7)
        print(
            f"{covered:8.1%} {told} {separated:10.1%}  {line.name}, {time.perf_counter() - started:.0f} s", flush=True
        )
    print("in brackets: sets with a pair told apart where strengths do differ")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [SETS, RESAMPLES][len(given) :]))
