"""What is asked of a divergence measurement, and what comes back."""

from pathlib import Path

from pydantic import Field

from catalog.records import Record


class DivergencePass(Record):
    """One model over one text: the whole input of `python -m runners.divergence`."""

    model_path: Path
    """GGUF file."""
    text_path: Path
    """UTF-8 text."""
    base_folder: Path
    """Where the reference's log-probabilities are kept."""
    is_reference: bool
    """Whether this pass writes them or is compared with them."""
    context_tokens: int = Field(default=512, ge=16)
    """Tokens of a chunk; the second half of each is scored."""
    threads: int = Field(gt=0)
    """Compute threads."""


class Mean(Record):
    """A mean over tokens."""

    value: float
    """The mean."""
    standard_error: float = Field(ge=0)
    """Its standard error, tokens taken as independent."""


class TextLoss(Record):
    """How well one model predicts a text."""

    tokens: int = Field(ge=0)
    """Tokens of the text, by the model's own tokenizer."""
    chunks: int = Field(ge=0)
    """Whole chunks; what is left at the end is not used."""
    scored_tokens: int = Field(ge=0)
    """Tokens that were predicted and counted: the second half of every chunk."""
    perplexity: Mean
    """e to the mean negative log-probability of the scored tokens."""


class Divergence(Record):
    """How far one model's next-token probabilities lie from the reference's, over the same tokens."""

    mean_nats: Mean
    """Mean KL divergence, nats per token."""
    median_nats: float
    """Half of all tokens lie below."""
    p99_nats: float
    """99 of 100 tokens lie below."""
    max_nats: float
    """The worst token."""
    same_top_share: Mean
    """Share of tokens at which both find the same token most likely."""
    perplexity_ratio: Mean
    """Perplexity over the reference's, paired token by token."""


class PassResult(Record):
    """What one pass found."""

    loss: TextLoss
    """How well the text was predicted."""
    divergence: Divergence | None = None
    """Distance to the reference; None for the reference itself."""
