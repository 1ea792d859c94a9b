"""The worked examples of docs/statistics.md come out as they are printed there."""

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "statistics.md"


def test_every_worked_example_comes_out_as_printed() -> None:
    results = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert results.attempted > 30
    assert results.failed == 0
