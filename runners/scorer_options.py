"""What can be set of each scorer: one record per scorer, and the union that refuses what a scorer does not know.

`scorer` says which one it is, `name` what its scores are called, so that a test set can use one twice. The scorers
themselves are in runners/scorers, the metrics that are made of their scores in results/metrics.py.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from catalog.records import Record


class LabelMatchOptions(Record):
    """Classification: the answer is the right label."""

    scorer: Literal["label_match"] = "label_match"
    name: str = Field(default="label_match", min_length=1)
    """What its scores are called."""


class ChoiceMatchOptions(Record):
    """Multiple choice: the answer is the right choice."""

    scorer: Literal["choice_match"] = "choice_match"
    name: str = Field(default="choice_match", min_length=1)
    """What its scores are called."""


class ExactMatchOptions(Record):
    """Short answer: the answer equals a right one after normalisation."""

    scorer: Literal["exact_match"] = "exact_match"
    name: str = Field(default="exact_match", min_length=1)
    """What its scores are called."""
    normalise: Literal["squad", "whitespace", "none"] = "squad"
    """squad: case, punctuation, articles and white space do not matter; whitespace: only that; none: nothing."""


def _named(value: object) -> object:
    """A scorer given by its name alone."""
    return {"scorer": value} if isinstance(value, str) else value


ScorerOptions = Annotated[
    Annotated[LabelMatchOptions | ChoiceMatchOptions | ExactMatchOptions, Field(discriminator="scorer")],
    BeforeValidator(_named),
]
"""Options by scorer; a plain name stands for a scorer as it is."""


class JudgeOptions(Record):
    """A judge's grades of stored answers, from 0 for the lowest to 1 for the highest."""

    scorer: Literal["judge"] = "judge"
    name: str = Field(default="judge", min_length=1)
    """What its scores are called."""
    judge: str
    """Model that judged."""
    rules: str
    """Digest of rubric, scale and prompt."""


class JudgePairsOptions(Record):
    """A judge's comparisons: the share of other candidates' answers that an answer beats, a tie counting half."""

    scorer: Literal["judge_pairwise"] = "judge_pairwise"
    name: str = Field(default="judge_pairwise", min_length=1)
    """What its scores are called."""
    judge: str
    """Model that judged."""
    rules: str
    """Digest of rubric and prompt."""
    candidates: tuple[str, ...]
    """Who was compared."""


class EmbeddingSimilarityOptions(Record):
    """Cosine of the embeddings of an answer and a right one (SemScore)."""

    scorer: Literal["embedding_similarity"] = "embedding_similarity"
    name: str = Field(default="embedding_similarity", min_length=1)
    """What its scores are called."""
    model: str
    """Model that embeds: file name, or name of a sentence-transformers model."""
    sha256: str | None = None
    """Digest of its file."""
    pooling: str
    """How one vector is made of those of a text's tokens."""
    prefix: str = ""
    """Text put before every text, where the model was trained with one."""


class BertScoreOptions(Record):
    """BERTScore of an answer against the right ones."""

    scorer: Literal["bert_score"] = "bert_score"
    name: str = Field(default="bert_score", min_length=1)
    """What its scores are called."""
    model: str
    """Model and layer, as the package's hash code names them."""


PassOptions = Annotated[
    JudgeOptions | JudgePairsOptions | EmbeddingSimilarityOptions | BertScoreOptions, Field(discriminator="scorer")
]
"""Scorers that need another model, and judge the stored answers of a run after it; no test set names them."""


def scorer_content(options: ScorerOptions) -> object:
    """What of a scorer goes into a test set's hash: its name alone where nothing is set."""
    changed = options.model_dump(mode="json", exclude_defaults=True)
    return options.model_dump(mode="json") if changed else options.scorer
