"""Puts what was measured of files beside the candidates that run on them. Measures nothing."""

from collections.abc import Sequence

from catalog.records import Candidate
from results.ladder_records import LadderRung, QuantizationLoss


def ladder_of(candidates: Sequence[Candidate], losses: Sequence[QuantizationLoss]) -> tuple[LadderRung, ...]:
    """Figures of the candidates' files: those over one text against one reference together, finest first.

    A reference is listed only beside a candidate that was held against it; alone its perplexity compares with nothing.
    """
    rungs = [
        LadderRung(candidate=candidate.name, loss=loss)
        for candidate in candidates
        for loss in losses
        if candidate.weights_sha256 is not None and candidate.weights_sha256 == loss.weights_sha256
    ]
    held = {_over(rung.loss) for rung in rungs if rung.loss.divergence is not None}
    kept = [rung for rung in rungs if _over(rung.loss) in held]
    return tuple(sorted(kept, key=lambda rung: (*_over(rung.loss), -(rung.loss.bits_per_weight or 0.0))))


def _over(loss: QuantizationLoss) -> tuple[str, str, str, int]:
    """What two figures must share to be compared."""
    return loss.text, loss.text_sha256, loss.reference_sha256, loss.context_tokens
