"""The prediction of memory held against the real engine: a real model, a filled context, the product's own sampler."""

from pathlib import Path

import pytest

from benchmarks.fit import GEMMA, measure
from catalog.packaged import find_packaged

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("context_tokens", "sequences"), [(512, 1), (1024, 2)])
def test_predicted_memory_is_within_a_tenth_of_what_the_engine_takes(
    context_tokens: int, sequences: int, tmp_path: Path
) -> None:
    weights = find_packaged(GEMMA, "Q4_K_M", tmp_path)
    assert weights is not None
    point = measure("gemma", Path(weights.path), context_tokens, sequences)
    assert point.ratio == pytest.approx(1, abs=0.1)
