"""Which of millions of models run on a machine: the memory prediction of `catalog.memory` over arrays.

Most models of the Hub are made from few others and share their figures. The index keeps the figures of a model as a
text; equal texts are equal predictions, so that each is made once. The arithmetic is that of `catalog.memory`, given
numpy's minimum and maximum: one formula for one model and for millions, held together by a test.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.index.columns import Mask
from catalog.kv_cache import CacheFigures
from catalog.memory import FitFigures, Parts, ShapeFigures, predict_parts, room_of
from catalog.records import FitSettings, Machine
from catalog.weights import WeightFigures, unknown_quantization

Table = NDArray[np.float64]
"""One row for each distinct network, one column for each figure; NaN where it is not known."""

_PARTS: tuple[Any, ...] = (WeightFigures, CacheFigures, ShapeFigures)
PIECE = 16_384
"""Networks predicted at once: their columns stay in the processor's cache from one step of the formula to the next."""
FIGURES = tuple(name for part in _PARTS for name in part._fields)


def read_figures(texts: Iterable[str]) -> Table:
    """The table of figures from their texts."""
    numbers = np.fromstring(" ".join(texts), sep=" ")
    # Each figure in one piece of memory: the formula takes them column by column.
    return np.asfortranarray(numbers.reshape(-1, len(FIGURES)))


def runs_on(
    table: Table, settings: FitSettings, machine: Machine, weights_bytes: NDArray[np.int64] | None = None
) -> Mask:
    """Which networks run (fits, tight or offload), where given with exact weights; unknown ones do not."""
    runs = np.zeros(len(table), np.bool_)
    if weights_bytes is None and unknown_quantization(settings.quantization, settings.engine) is not None:
        return runs
    for start in range(0, len(table), PIECE):
        piece = slice(start, start + PIECE)
        exact = None if weights_bytes is None else weights_bytes[piece]
        runs[piece] = _piece_runs(table[piece], settings, machine, exact)
    return runs


def _piece_runs(table: Table, settings: FitSettings, machine: Machine, weights_bytes: NDArray[np.int64] | None) -> Mask:
    columns: list[Any] = [table[:, number] for number in range(len(FIGURES))]
    weights = WeightFigures(*columns[: len(WeightFigures._fields)])
    if weights_bytes is not None:
        # What is not known of the weights besides their bytes is left out of the prediction, as for one model.
        weights = WeightFigures(*(np.nan_to_num(column) for column in weights))
    rest = columns[len(WeightFigures._fields) :]
    figures = FitFigures(
        weights,
        CacheFigures(*rest[: len(CacheFigures._fields)]),
        ShapeFigures(*rest[len(CacheFigures._fields) :]),
    )
    exact = None if weights_bytes is None else np.asarray(weights_bytes, np.float64)
    parts = predict_parts(figures, machine, settings, weights_bytes=exact, choose=(np.minimum, np.maximum))
    needed = Parts(*(np.ceil(part) for part in parts)).needed
    room = room_of(machine, settings)
    runs: Mask = needed <= max(room.available_bytes, room.helped_bytes or -math.inf)
    return runs
