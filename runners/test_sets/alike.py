"""Finds texts that are nearly the same, without comparing each with each.

Candidates come from MinHash with banding (Broder 1997, On the resemblance and containment of documents; Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, chapter 3): texts that share a band of hashes of their 5-character
pieces are compared letter by letter. With 16 bands of 3 hashes, two texts that share 70 % of their pieces meet with a
probability of 99.9 %, two that share 30 % with 35 %, and then the comparison tells them apart. The work grows with the
number of texts, not with its square: where more than 12 texts share a band, each is compared with the 12 before it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz

AT_LEAST = 90.0
"""Texts are nearly the same from this share of common characters on, in percent (rapidfuzz's ratio)."""
SHORTEST = 20
"""Texts with fewer characters are not compared: a word more or less makes another text of them."""
MOST_TEXTS = 200_000
"""More texts than this are not searched for texts that are nearly the same."""

_PIECE_BYTES = 5
_BANDS, _HASHES = 16, 3
_COMPARED = 12
_LONGEST = 20_000
"""Bytes of a text whose pieces count; what comes after hardly changes which texts it resembles."""
_GENERATOR = np.random.default_rng(20260301)
_FACTORS = _GENERATOR.integers(1, 2**63, size=_BANDS * _HASHES, dtype=np.uint64) | np.uint64(1)
_OFFSETS = _GENERATOR.integers(0, 2**63, size=_BANDS * _HASHES, dtype=np.uint64)
_POWERS = np.array([257**place for place in range(_PIECE_BYTES)], dtype=np.uint64)


class Pair(NamedTuple):
    """Two texts that are nearly the same, by position, the earlier one first."""

    first: int
    second: int
    percent: float


def nearly_same(texts: Sequence[str]) -> Iterator[Pair]:
    """Pairs of texts that are nearly and not exactly the same, ordered by the second; texts are compared as given."""
    buckets: dict[tuple[int, bytes], list[int]] = {}
    for place, text in enumerate(texts):
        if len(text) < SHORTEST:
            continue
        met: dict[int, None] = {}
        for key in _bands(text):
            bucket = buckets.setdefault(key, [])
            met |= dict.fromkeys(bucket[-_COMPARED:])
            bucket.append(place)
        for earlier in sorted(met):
            if texts[earlier] != text:
                percent = fuzz.ratio(texts[earlier], text, score_cutoff=AT_LEAST)
                if percent:
                    yield Pair(earlier, place, percent)


def _bands(text: str) -> Iterator[tuple[int, bytes]]:
    letters = np.frombuffer(text.encode()[:_LONGEST], dtype=np.uint8).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(letters, _PIECE_BYTES)
    pieces = windows @ _POWERS
    hashes = (pieces[:, None] * _FACTORS[None, :] + _OFFSETS[None, :]) >> np.uint64(16)
    smallest = hashes.min(axis=0)
    for band in range(_BANDS):
        yield band, smallest[band * _HASHES : (band + 1) * _HASHES].tobytes()
