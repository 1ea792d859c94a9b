"""How long a decision takes: the bootstrap behind ranks and stability, and the whole recommendation.

Answers and times are made up from a seed; no model runs. `python -m benchmarks.decision`.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from results.recommendation import recommend
from results.redrawing import redraw
from results.requirement_records import Limits, Prices, Requirements
from tests.decision_samples import GIB, compared, flips, judged_run

REPEATS = 5


def main() -> None:
    """Print the median of some repetitions for a usual and a large benchmark."""
    for candidates, examples in ((5, 200), (20, 200), (5, 20_000)):
        runs = tuple(
            judged_run(
                f"c{place}",
                flips(examples, 0.5 + 0.4 * place / candidates, place),
                seconds=1 + place,
                memory=(1 + place) * GIB,
                probabilities=[0.5 + (number % 50) / 100 for number in range(examples)],
                slices=[str(number % 4) for number in range(examples)],
            )
            for place in range(candidates)
        )
        found = compared(*runs)
        asked = Requirements(
            limits=Limits(max_e2e_p95_seconds=2 * candidates, min_quality=0.3), prices=Prices(machine_per_hour=1)
        )
        drawn = _median(partial(redraw, runs))
        decided = _median(partial(recommend, found, asked, runs))
        print(
            f"{candidates:>3} candidates × {examples:>6,} examples: resampling {drawn:.2f} s, all of it {decided:.2f} s"
        )


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
