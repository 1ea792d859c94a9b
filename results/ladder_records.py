"""Records of quantization ladders as stored: what each file lost on a text against a less quantized one."""

from pydantic import Field

from catalog.records import Record
from runners.divergence_records import Divergence, TextLoss


class QuantizationLoss(Record):
    """One weights file over one text, against a reference."""

    weights_sha256: str
    """The file."""
    quantization: str | None
    """What it is."""
    size_bytes: int = Field(ge=0)
    """Its size."""
    bits_per_weight: float | None
    """Bits of its tensors over its weights."""
    reference_sha256: str
    """The file that it is held against; itself where it is the reference."""
    reference_quantization: str | None
    """What that is."""
    text_sha256: str
    """Digest of the text as UTF-8."""
    text: str
    """Name of the text."""
    context_tokens: int = Field(gt=0)
    """Tokens of a chunk."""
    measured_at: str
    """ISO 8601 with offset."""
    engine_version: str
    """Version of llama-cpp-python that measured."""
    loss: TextLoss
    """Perplexity and what it was counted over."""
    divergence: Divergence | None
    """Distance to the reference; null for the reference itself."""


class LadderRung(Record):
    """What is known of the weights of one candidate of a benchmark."""

    candidate: str
    """Name of the candidate."""
    loss: QuantizationLoss
    """What was measured of its file."""
