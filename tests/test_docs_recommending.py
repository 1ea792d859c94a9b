"""The worked example of docs/recommending.md, done by the code; and every limit and weight is in the document."""

import itertools
import re
from pathlib import Path

import pytest

from results.recommendation import recommend
from results.requirement_records import Limits, Requirements, Weights
from tests.results_samples import summary
from tests.test_results_recommendation import comparison, pair

TEXT = (Path(__file__).parents[1] / "docs" / "recommending.md").read_text()
ROWS = re.findall(r"^\| (large|middle|small) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| (\d) \|$", TEXT, re.M)


def test_the_worked_example_comes_out_as_written() -> None:
    candidates = [
        summary(name, accuracy=float(accuracy), latency=float(seconds), memory=int(float(gib) * 2**30))
        for name, accuracy, seconds, gib, _, _ in ROWS
    ]
    pairs = tuple(pair(a, b, 0.001) for a, b in itertools.combinations([row[0] for row in ROWS], 2))
    made = recommend(comparison(*candidates, pairs=pairs), Requirements(limits=Limits(max_e2e_p95_seconds=9)))
    assert len(ROWS) == 3
    assert [(place.name, f"{place.utility:.3f}", str(place.rank)) for place in made.ranked] == [
        (name, utility, rank) for name, _, _, _, utility, rank in ROWS
    ]
    (quality,) = [change for change in made.sensitivity if change.weight == "quality"]
    said = re.search(r"equal where quality weighs ([\d.]+) %: below, `(\w+)` wins", TEXT)
    assert said is not None
    assert quality.needed * 100 == pytest.approx(float(said[1]), abs=0.05)
    assert quality.new_winner == said[2]
    assert "had to be below 6.00 s (now at most 9.00 s), middle would win" in " ".join(
        change.sentence for change in made.limit_sensitivity
    )


@pytest.mark.parametrize("name", [*Limits.model_fields, "quality", "latency", "memory", "cost", "throughput"])
def test_every_limit_and_dimension_is_documented(name: str) -> None:
    assert name in {*Limits.model_fields, *Weights.model_fields}
    words = {"latency": "end-to-end p50", "throughput": "examples per second"}
    assert words.get(name, name) in TEXT
