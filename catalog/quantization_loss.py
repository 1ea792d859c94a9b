"""What a quantization is expected to cost in quality: mean KL divergence to the unquantized model, as published.

The figures are llama.cpp's own (tools/perplexity/README.md, measured on WikiText-2 with Llama 3 8B, read on
2026-11-21): how far, in nats per token, the probabilities of the next token move from those of the 16-bit model. Where
the table has a row made with an importance matrix, that row is taken: today's published files mostly are, and files
made without one lose a little more (Q4_K_M: 0.031 instead of 0.028; Q2_K: 0.445 instead of 0.332).

What it does not tell: the loss of another model, which can differ by a lot (larger ones usually lose less), and what a
loss means for a task; only an own test set shows that. It orders quantizations; it does not measure them. For AWQ,
GPTQ, FP8, MXFP4 and the mixtures of single publishers no comparable table was found: they have no figure here.
"""

from typing import NamedTuple

MEASURED_ON = "Llama 3 8B on WikiText-2, llama.cpp tools/perplexity/README.md, read 2026-11-21"

UNQUANTIZED = frozenset({"F32", "BF16"})

MEAN_DIVERGENCE = {
    "F16": 0.000551,
    "Q8_0": 0.001355,
    "Q6_K": 0.005452,
    "Q5_K_M": 0.010762,
    "Q5_K_S": 0.016595,
    "Q5_1": 0.018045,
    "Q5_0": 0.022239,
    "Q4_1": 0.071683,
    "Q4_0": 0.071940,
}
"""Made without an importance matrix: the table has no other row."""

MEAN_DIVERGENCE_WITH_MATRIX = {
    "Q4_K_M": 0.028152,
    "Q4_K_S": 0.031951,
    "IQ4_NL": 0.035742,
    "IQ4_XS": 0.036334,
    "Q3_K_L": 0.073077,
    "Q3_K_M": 0.084358,
    "IQ3_M": 0.102534,
    "IQ3_S": 0.111278,
    "IQ3_XS": 0.138693,
    "IQ3_XXS": 0.183625,
    "Q3_K_S": 0.199821,
    "IQ2_M": 0.325989,
    "Q2_K": 0.332223,
    "Q2_K_S": 0.403360,
    "IQ2_S": 0.439197,
    "IQ2_XS": 0.546290,
    "IQ2_XXS": 0.812022,
    "IQ1_M": 1.393084,
    "IQ1_S": 2.254554,
}
"""Made with an importance matrix from ten million tokens of WikiText's training half."""

LARGE_PARAMETERS = 30_000_000_000
LARGE_MEASURED_ON = "Llama 2 70B, older table of the same document"
PERPLEXITY_PERCENT_70B = {
    "Q6_K": 0.16,
    "Q5_K_M": 0.40,
    "Q5_K_S": 0.50,
    "Q4_K_M": 1.20,
    "Q5_0": 1.26,
    "Q4_K_S": 1.57,
    "Q4_1": 2.37,
    "Q4_0": 3.61,
    "Q3_K_L": 3.80,
    "Q3_K_M": 4.72,
    "Q3_K_S": 7.89,
    "Q2_K": 8.82,
}
"""How much perplexity rises on a large model, in per cent. Another measure, so never mixed with the divergences."""


class Loss(NamedTuple):
    """Expected loss of one quantization."""

    nats_per_token: float | None
    """Mean KL divergence to the unquantized model; None where nothing comparable is published."""
    source: str | None
    """Model and table that it was measured on."""


def expected_loss(quantization: str, parameters: int | None = None) -> Loss:
    """The published loss of a quantization; for large models the source also quotes what a 70B model lost.

    `parameters` is the size of the model it would be applied to; the figure itself does not depend on it.
    """
    name = quantization.upper()
    if name in UNQUANTIZED:
        return Loss(0.0, "the weights as published, not quantized")
    made = ""
    loss = MEAN_DIVERGENCE.get(name)
    if loss is None:
        loss = MEAN_DIVERGENCE_WITH_MATRIX.get(name)
        made = ", made with an importance matrix"
    if loss is None:
        return Loss(None, None)
    percent = PERPLEXITY_PERCENT_70B.get(name)
    if percent is None or parameters is None or parameters < LARGE_PARAMETERS:
        return Loss(loss, f"{MEASURED_ON}{made}")
    large = f"large models lose less: {percent:.2f} % of perplexity on {LARGE_MEASURED_ON}"
    return Loss(loss, f"{MEASURED_ON}{made}; {large}")


def published_losses() -> tuple[str, ...]:
    """Names of the quantizations with a published loss, smallest loss first."""
    losses = MEAN_DIVERGENCE | MEAN_DIVERGENCE_WITH_MATRIX
    return tuple(sorted(losses, key=losses.__getitem__))
