"""What can be set of the scorers of free text, of answers out of passages, and of rules; see scorer_options.py."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from catalog.records import Record
from runners.schema_text import schema_as_json


def _is_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression ({error}); in YAML, put it in single quotes") from error
    return pattern


class RegexOptions(Record):
    """Short answer: a pattern occurs in the answer, or what it captures is the right answer."""

    scorer: Literal["regex"] = "regex"
    name: str = Field(default="regex", min_length=1)
    """What its scores are called."""
    pattern: Annotated[str, Field(min_length=1), AfterValidator(_is_pattern)]
    """Regular expression. With a group, what the first one that matched captured is compared with the target."""
    match: Literal["search", "full"] = "search"
    """search: anywhere in the answer; full: the pattern has to be all of it."""
    take: Literal["first", "last"] = "first"
    """Which match counts, where there are several."""
    ignore_case: bool = False
    """Whether case does not matter, in the pattern and between what was captured and the target."""


class BleuOptions(Record):
    """Free text: BLEU against the references."""

    scorer: Literal["bleu"] = "bleu"
    name: str = Field(default="bleu", min_length=1)
    """What its scores are called."""
    tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a"
    """sacrebleu's tokenizer. 13a: European languages; intl: splits at Unicode punctuation; zh: Chinese; char: every
    character, for Japanese, Korean or Thai; none: text that is tokenized already."""
    lowercase: bool = False
    """Whether case does not matter."""


class ChrfOptions(Record):
    """Free text: chrF against the references."""

    scorer: Literal["chrf"] = "chrf"
    name: str = Field(default="chrf", min_length=1)
    """What its scores are called."""
    word_order: Literal[0, 1, 2] = 0
    """Longest word n-grams beside the characters': 0 is chrF, 2 is chrF++."""
    lowercase: bool = False
    """Whether case does not matter."""


class RougeOptions(Record):
    """Free text: ROUGE-L, ROUGE-1 and ROUGE-2 against the references."""

    scorer: Literal["rouge"] = "rouge"
    name: str = Field(default="rouge", min_length=1)
    """What its scores are called."""
    stemming: bool = False
    """Whether English endings do not matter (Porter's stemmer)."""
    tokens: Literal["ascii", "unicode"] = "ascii"
    """ascii: words of a–z and 0–9 as in the original, all else separates; unicode: words of any script."""

    @model_validator(mode="after")
    def _stems_what_it_can(self) -> "RougeOptions":
        if self.stemming and self.tokens == "unicode":
            raise ValueError("stemming knows English endings only; leave it out or set tokens: ascii")
        return self


class GroundednessOptions(Record):
    """Question on a context: sentences of the answer are supported by the passages, word by word."""

    scorer: Literal["groundedness"] = "groundedness"
    name: str = Field(default="groundedness", min_length=1)
    """What its scores are called."""
    threshold: float = Field(default=0.7, gt=0, le=1)
    """Share of a sentence's content words that one passage has to hold."""
    abstaining_phrases: tuple[str, ...] = ()
    """Further ways to say that the passages hold no answer."""


class CitationsOptions(Record):
    """Question on a context: the answer cites the passages that hold it, as [1] or [1, 2]."""

    scorer: Literal["citations"] = "citations"
    name: str = Field(default="citations", min_length=1)
    """What its scores are called."""


class AbstentionOptions(Record):
    """Question on a context: the model abstains exactly where the passages hold no answer."""

    scorer: Literal["abstention"] = "abstention"
    name: str = Field(default="abstention", min_length=1)
    """What its scores are called."""
    abstaining_phrases: tuple[str, ...] = ()
    """Further ways to say that the passages hold no answer."""


class JsonSchemaOptions(Record):
    """Rule: the answer holds JSON that keeps to a schema."""

    scorer: Literal["json_schema"] = "json_schema"
    name: str = Field(default="json_schema", min_length=1)
    """What its scores are called."""
    json_schema: Annotated[str | None, BeforeValidator(schema_as_json)] = None
    """The schema; None takes the one that the workload holds answers to."""
    only_json: bool = False
    """Whether the answer may hold nothing beside the JSON."""


class LengthOptions(Record):
    """Rule: the answer is neither too short nor too long."""

    scorer: Literal["length"] = "length"
    name: str = Field(default="length", min_length=1)
    """What its scores are called."""
    min_characters: int | None = Field(default=None, ge=0)
    """At least so many characters, white space at the ends left out."""
    max_characters: int | None = Field(default=None, ge=0)
    """At most so many."""
    min_words: int | None = Field(default=None, ge=0)
    """At least so many words: pieces between white space."""
    max_words: int | None = Field(default=None, ge=0)
    """At most so many."""
    min_sentences: int | None = Field(default=None, ge=0)
    """At least so many sentences."""
    max_sentences: int | None = Field(default=None, ge=0)
    """At most so many."""

    @model_validator(mode="after")
    def _has_bounds_that_can_be_kept(self) -> "LengthOptions":
        asked = False
        for unit in ("characters", "words", "sentences"):
            low, high = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
            asked = asked or low is not None or high is not None
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{unit} is {low} and max_{unit} {high}; no answer can keep to both")
        if not asked:
            raise ValueError("length needs a bound, such as max_words: 50")
        return self


class ForbiddenWordsOptions(Record):
    """Rule: none of some words or phrases is in the answer."""

    scorer: Literal["forbidden_words"] = "forbidden_words"
    name: str = Field(default="forbidden_words", min_length=1)
    """What its scores are called."""
    words: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    """What must not occur."""
    whole_words: bool = True
    """Whether `ass` does not occur in `class`."""
    ignore_case: bool = True
    """Whether case, white space and forms of the same character do not matter."""


class PythonOptions(Record):
    """A function of your own: it gets the answer and the example, and gives a score."""

    scorer: Literal["python"] = "python"
    name: str = Field(default="python", min_length=1)
    """What its scores are called."""
    function: str = Field(pattern=r"^[^\s:].*:[A-Za-z_]\w*$")
    """`module:function` of an installed module, or `path/to/file.py:function`; a relative path starts at the benchmark
    file."""
    seconds: float = Field(default=10.0, gt=0, le=3600)
    """Longest time for one answer; a call that takes longer is ended, and its example has failed."""
    path: str | None = None
    """The source file itself; found when the benchmark is prepared, unless it is given, and no part of what names the
    test set."""
    sha256: str | None = None
    """Digest of the source file, taken when the benchmark is prepared: a changed function is another test set."""
