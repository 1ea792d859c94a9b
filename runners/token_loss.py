"""Log-probabilities of tokens, how far two sets of them lie apart, and what that sums up to. Pure arithmetic on arrays.

The definitions are those of llama.cpp's `llama-perplexity` (tools/perplexity/perplexity.cpp), to which
benchmarks/divergence.py holds them: natural logarithms; the reference is kept in 16 bits per token of the vocabulary,
evenly spaced over the 16 nats below the most likely one; what the reference gives less than e^-16 is left out.
Standard errors take tokens as independent, like the original; tokens of one text are not quite, so they are a little
too small.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from runners.divergence_records import Divergence, Mean, TextLoss

Floats = npt.NDArray[np.float32]

NATS_KEPT = 16.0
"""Logits further below the highest one are kept as if they were this far below."""
_STEPS = 65_535
"""Steps between the lowest and the highest kept value: what 16 bits hold."""


class Packed(NamedTuple):
    """Log-probabilities of n tokens over a vocabulary of v, in 16 bits each."""

    scale: Floats
    """Nats per step, shape (n,)."""
    floor: Floats
    """Log-probability of step 0, shape (n,)."""
    steps: npt.NDArray[np.uint16]
    """Shape (n, v)."""

    def unpack(self) -> Floats:
        """Log-probabilities, shape (n, v)."""
        return self.steps * self.scale[:, None] + self.floor[:, None]


class Compared(NamedTuple):
    """What two models say of the same n tokens."""

    nats: npt.NDArray[np.float64]
    """Negative log-probability of the token that follows, by the model; shape (n,)."""
    reference_nats: npt.NDArray[np.float64]
    """The same by the reference."""
    divergences: npt.NDArray[np.float64]
    """KL divergence from the reference to the model, nats, shape (n,)."""
    same_top: npt.NDArray[np.bool_]
    """Whether both find the same token most likely."""


def log_probabilities(logits: Floats) -> Floats:
    """Logits of shape (n, v) as natural-log probabilities."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, dtype=np.float64)).astype(np.float32)[:, None]
    return shifted


def pack(logprobs: Floats) -> Packed:
    """Log-probabilities of shape (n, v) in half the room."""
    highest = logprobs.max(axis=1)
    floor = np.maximum(logprobs.min(axis=1), highest - NATS_KEPT)
    scale = (highest - floor) / np.float32(_STEPS)
    # A row of equal values has no spacing; all of it is then the floor itself.
    spacing = np.where(scale > 0, scale, 1)
    steps = np.rint((logprobs - floor[:, None]) / spacing[:, None])
    return Packed(scale, floor, steps.clip(0, _STEPS).astype(np.uint16))


def token_nats(logprobs: Floats, following: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Negative log-probability of the token that follows each position, shape (n,)."""
    return -logprobs[np.arange(len(following)), following].astype(np.float64)


def compare_tokens(logprobs: Floats, reference: Packed, following: npt.NDArray[np.int32]) -> Compared:
    """A model's log-probabilities against the reference's, position by position."""
    base = reference.unpack()
    weights = np.where(base > -NATS_KEPT, np.exp(base), 0)
    return Compared(
        nats=token_nats(logprobs, following),
        reference_nats=token_nats(base, following),
        divergences=np.einsum("nv,nv->n", weights, base - logprobs, dtype=np.float64),
        same_top=logprobs.argmax(axis=1) == base.argmax(axis=1),
    )


def text_loss(nats: npt.NDArray[np.float64], tokens: int, chunks: int) -> TextLoss:
    """Perplexity of scored tokens: e to the mean of their negative log-probabilities."""
    mean, error = _mean(nats)
    perplexity = math.exp(mean)
    return TextLoss(
        tokens=tokens,
        chunks=chunks,
        scored_tokens=len(nats),
        perplexity=Mean(value=perplexity, standard_error=perplexity * error),
    )


def divergence(compared: Compared) -> Divergence:
    """Means, percentiles and shares over all scored tokens."""
    values = compared.divergences
    mean, error = _mean(values)
    # Both models met the same tokens: the error of the difference is far below that of either perplexity.
    change, change_error = _mean(compared.nats - compared.reference_nats)
    ratio = math.exp(change)
    same = float(compared.same_top.mean())
    middle, high, highest = (float(value) for value in np.quantile(values, [0.5, 0.99, 1.0]))
    return Divergence(
        mean_nats=Mean(value=mean, standard_error=error),
        median_nats=middle,
        p99_nats=high,
        max_nats=highest,
        same_top_share=Mean(value=same, standard_error=math.sqrt(same * (1 - same) / (len(values) - 1))),
        perplexity_ratio=Mean(value=ratio, standard_error=ratio * change_error),
    )


def _mean(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its standard error; the variance over n, divided by n - 1, as llama.cpp has it."""
    return float(values.mean()), math.sqrt(float(values.var()) / (len(values) - 1))
