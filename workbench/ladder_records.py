"""Records of the quantization ladder: the rungs of one model, and how far each lies from a reference."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from runners.divergence_records import Divergence, TextLoss

RungState = Literal["planned", "written", "kept", "skipped"]
"""planned: not made yet; written: made now; kept: was there, from the same source; skipped: the note says why."""


class Rung(Record):
    """One quantization of the source."""

    quantization: str
    """Its name."""
    path: str
    """Where the file is, or would be."""
    state: RungState
    """Whether it is there."""
    predicted_bytes: int = Field(ge=0)
    """Size of the file by llama.cpp's own choice of types, before it is made."""
    size_bytes: int | None = None
    """Size of the file; null while it is not there."""
    bits_per_weight: float | None = None
    """Of the file that is there, else of the predicted one; null where the source's weights are not counted."""
    fallback_tensors: int = Field(ge=0)
    """Tensors that got a larger type because their rows do not divide into the blocks of this quantization."""
    tensors: int = Field(ge=0)
    """Tensors in all."""
    sha256: str | None = None
    """Digest of the file that is there."""
    note: str = ""
    """What is special about it."""


class Ladder(Record):
    """A source and its rungs."""

    model: str
    """As it was named."""
    source_path: str
    """The file that the rungs are made from."""
    source_quantization: str | None
    """What the source is."""
    source_bytes: int
    """Its size."""
    source_sha256: str
    """Its digest."""
    rungs: tuple[Rung, ...]
    """In the order asked for."""
    notes: tuple[str, ...] = ()
    """What to know of all of them."""
    candidates: str = ""
    """`candidates` of a benchmark file over the source and the rungs that are there; empty where nothing is there."""


class MeasuredRung(Record):
    """One file over the text."""

    path: str
    """The file."""
    sha256: str
    """Digest of the file; of several parts, of the first."""
    quantization: str | None
    """What it is."""
    size_bytes: int
    """Its size."""
    bits_per_weight: float | None
    """Bits of its tensors over its weights."""
    loss: TextLoss
    """Perplexity and what it was counted over."""
    divergence: Divergence | None
    """Distance to the reference; null for the reference itself."""


class DivergenceReport(Record):
    """A reference and other quantizations of the same model over one text."""

    text: str
    """The text: a file, or the prompts of a test set."""
    text_sha256: str
    """Its digest, as UTF-8."""
    context_tokens: int
    """Tokens of a chunk."""
    rungs: tuple[MeasuredRung, ...]
    """The reference first."""
    notes: tuple[str, ...] = ()
    """What to know when reading the figures."""
