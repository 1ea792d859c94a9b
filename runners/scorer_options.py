"""What can be set of each scorer: one record per scorer, and the union that refuses what a scorer does not know.

`scorer` says which one it is, `name` what its scores are called, so that a test set can use one twice. The scorers
themselves are in runners/scorers, the metrics that are made of their scores in results/metrics.py; docs/scoring.md has
every definition with worked examples. Scorers of free text, passages and rules: text_scorer_options.py.
"""

from pathlib import PureWindowsPath
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from catalog.records import Record
from runners.schema_text import schema_as_json
from runners.text_scorer_options import (
    AbstentionOptions,
    BleuOptions,
    ChrfOptions,
    CitationsOptions,
    ForbiddenWordsOptions,
    GroundednessOptions,
    JsonSchemaOptions,
    LengthOptions,
    PythonOptions,
    RegexOptions,
    RougeOptions,
)


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
    decides: Literal["raw", "normalised"] = "raw"
    """Scored choices: which one is the answer. raw: the one with the highest log-probability; normalised: with the
    highest log-probability per UTF-8 byte, which does not favour short choices."""


class ExactMatchOptions(Record):
    """Short answer: the answer equals a right one after normalisation."""

    scorer: Literal["exact_match"] = "exact_match"
    name: str = Field(default="exact_match", min_length=1)
    """What its scores are called."""
    normalise: Literal["squad", "whitespace", "none"] = "squad"
    """squad: case, punctuation, articles and white space do not matter; whitespace: only that; none:
    only white space at the ends."""
    part: Literal["all", "first_line", "last_line"] = "all"
    """Which part of the answer is judged."""
    after: str | None = Field(default=None, min_length=1)
    """Only what stands after the last occurrence of this text, such as `Answer:`; all where it does not occur."""


class TokenF1Options(Record):
    """Short answer: the share of words that the answer and a right one have in common."""

    scorer: Literal["token_f1"] = "token_f1"
    name: str = Field(default="token_f1", min_length=1)
    """What its scores are called."""
    tokens: Literal["words", "characters"] = "words"
    """characters for languages that do not put spaces between words."""
    part: Literal["all", "first_line", "last_line"] = "all"
    """Which part of the answer is judged."""
    after: str | None = Field(default=None, min_length=1)
    """Only what stands after the last occurrence of this text, such as `Answer:`; all where it does not occur."""


class ContainsOptions(Record):
    """Short answer: right answers occur in the answer."""

    scorer: Literal["contains"] = "contains"
    name: str = Field(default="contains", min_length=1)
    """What its scores are called."""
    needed: Literal["any", "all"] = "any"
    """Whether one of the target and the accepted answers is enough, or all have to occur."""
    whole_words: bool = True
    """Whether `no` does not occur in `know`."""
    ignore_case: bool = True
    """Whether case, white space and forms of the same character do not matter."""


class NumericOptions(Record):
    """Short answer: a number in the answer equals the right one."""

    scorer: Literal["numeric"] = "numeric"
    name: str = Field(default="numeric", min_length=1)
    """What its scores are called."""
    take: Literal["last", "first"] = "last"
    """Which number of the text is the answer."""
    after: str | None = Field(default=None, min_length=1)
    """Only the first number after the last occurrence of this text counts, such as `####`; without it, unparseable."""
    decimal: Literal[".", ","] = "."
    """What stands before the decimals; the other one groups thousands."""
    absolute_tolerance: float = Field(default=0.0, ge=0)
    """How far the number may be away."""
    relative_tolerance: float = Field(default=0.0, ge=0)
    """The same as a share of the right number; the larger of the two counts."""


class JsonFieldsOptions(Record):
    """Extraction: fields of the JSON answer are those of the right record."""

    scorer: Literal["json_fields"] = "json_fields"
    name: str = Field(default="json_fields", min_length=1)
    """What its scores are called."""
    json_schema: Annotated[str | None, BeforeValidator(schema_as_json)] = None
    """Schema that records have to keep to; None takes the one that the workload holds answers to, if any."""
    types: dict[str, Literal["text", "exact", "number", "date"]] = Field(default_factory=dict)
    """How fields are compared, by path such as `items.price`; a field that is not named is compared as its right value
    looks: dates as dates, numbers as numbers, all else as text. exact: character by character."""
    day_first: bool = False
    """Whether 03/04/2025 is the third of April."""
    absolute_tolerance: float = Field(default=1e-9, ge=0)
    """How far a number may be away."""
    relative_tolerance: float = Field(default=0.0, ge=0)
    """The same as a share of the right number; the larger of the two counts."""


def _named(value: object) -> object:
    """A scorer given by its name alone."""
    return {"scorer": value} if isinstance(value, str) else value


ScorerOptions = Annotated[
    Annotated[
        LabelMatchOptions
        | ChoiceMatchOptions
        | ExactMatchOptions
        | TokenF1Options
        | ContainsOptions
        | RegexOptions
        | NumericOptions
        | JsonFieldsOptions
        | BleuOptions
        | ChrfOptions
        | RougeOptions
        | GroundednessOptions
        | CitationsOptions
        | AbstentionOptions
        | JsonSchemaOptions
        | LengthOptions
        | ForbiddenWordsOptions
        | PythonOptions,
        Field(discriminator="scorer"),
    ],
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
    """What of a scorer goes into a test set's hash: what is set, its name alone where nothing is."""
    changed = options.model_dump(mode="json", exclude_defaults=True)
    if isinstance(options, PythonOptions):
        # Where on a machine the file lies says nothing of what it does; its digest does.
        changed.pop("path", None)
        file, _, function = options.function.rpartition(":")
        if file.startswith(("/", "~")) or PureWindowsPath(file).is_absolute():
            changed["function"] = f"{PureWindowsPath(file).name}:{function}"
    return {"scorer": options.scorer, **changed} if changed else options.scorer
