"""Questions on a context: whether an answer is supported by the passages, cites the right ones, and abstains rightly.

Lexical: words are compared, not meanings. What these scorers call supported may be contradicted by a `not`, and a good
paraphrase may count as unsupported; they are for comparing candidates on one test set, not for proving an answer.
"""

import re
from collections import Counter

from runners.records import Completion, Validity
from runners.scorers.abstaining import abstains
from runners.scorers.judgement import Judgement, is_cut, trouble, unread
from runners.scorers.normalisation import fold
from runners.scorers.refusal import refuses
from runners.scorers.sentences import sentences_of, words_of
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import AbstentionOptions, CitationsOptions, GroundednessOptions

_CITATION = re.compile(r"[\[【]\s*(\d{1,3}(?:\s*[-–,;]\s*\d{1,3})*)\s*[\]】]")
_FUNCTION_WORDS = """
a an the and or but if then than that this these those there here of in on at by for from to with without into as is
are was were be been being am has have had having do does did will would can could should may might must shall it its
he she they them his her their we you i my your our not no so such also which who whom whose what when where how why
about according passage passages context text document answer der die das den dem des ein eine einen einem einer eines
und oder aber ist sind war waren wird werden wurde hat haben im auf aus bei mit nach von vor zu zum zur für über unter
als auch nicht es er sie sich dass wie le la les un une du de et ou mais est sont était dans sur pour par avec sans
que qui ce cette ces se son sa el los las una unos unas y o pero era en con por para sin su sus al del lo il gli e ma
è sono per da di che si nel della
"""
"""Words that say nothing by themselves, in English, German, French, Spanish and Italian."""
_SAY_NOTHING = frozenset(_FUNCTION_WORDS.split())


class Groundedness:
    """Share of the answer's sentences that a passage supports.

    A sentence is supported where one passage holds at least `threshold` of its content words (words that are no
    function words of the usual European languages, compared without case; citations are left out): token precision
    against the knowledge, as K-Precision (Adlakha et al. 2023, arXiv:2307.16877, §4.2), taken per sentence as
    attribution is judged (Rashkin et al. 2023, AIS). Over the test set sentences are summed. K-Precision of whole
    answers is counted beside it. An answer that abstains claims nothing: its value is 1 and it adds no sentence. What
    is no finished answer adds one sentence without support. Examples without passages are skipped.
    """

    version = "1"

    def __init__(self, options: GroundednessOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        if not example.passages:
            return Judgement(Validity.SKIPPED)
        found = trouble(completion)
        answer = _CITATION.sub(" ", completion.text)
        if found is None and abstains(answer, self._options.abstaining_phrases):
            return Judgement(Validity.SCORED, 1.0, "abstains", {"sentences": 0.0, "supported": 0.0})
        if found is None and (is_cut(completion) or refuses(answer)):
            found = unread(completion)
        sentences = sentences_of(answer)
        if found is not None or not sentences:
            nothing = {"sentences": 1.0, "supported": 0.0, "k_precision": 0.0}
            return Judgement(found or Validity.UNPARSEABLE, counts=nothing)
        passages = [Counter(_words(passage)) for passage in example.passages]
        unsupported = [sentence for sentence in sentences if not self._is_supported(sentence, passages)]
        supported = len(sentences) - len(unsupported)
        everything = set().union(*passages)
        words = _words(answer)
        counts = {
            "sentences": float(len(sentences)),
            "supported": float(supported),
            "k_precision": sum(word in everything for word in words) / len(words),
        }
        said = f"not supported: {unsupported[0]}" if unsupported else None
        return Judgement(Validity.SCORED, supported / len(sentences), said, counts)

    def _is_supported(self, sentence: str, passages: list[Counter[str]]) -> bool:
        words = _words(sentence)
        content = [word for word in words if word not in _SAY_NOTHING] or words
        best = max(sum(word in passage for word in content) for passage in passages)
        # Compared as products: 7 ÷ 10 and 0.7 are not the same number in binary.
        return best >= self._options.threshold * len(content) - 1e-9

    def close(self) -> None:
        """Nothing is held."""


class Citations:
    """F1 of the passages that the answer cites, as [2] or [1, 3], against those that are marked as relevant.

    Precision: cited and marked ÷ cited; recall: cited and marked ÷ marked (as citation precision and recall of ALCE,
    Gao et al. 2023, arXiv:2305.14627, with marks in the place of an entailment model). Over the test set passages are
    summed. A number that no passage has is a wrong citation. Skipped where nothing is marked, unless the question has
    no answer: then nothing is to be cited. A citation in an answer that was cut off says too little: truncated.
    """

    version = "1"

    def __init__(self, _options: CitationsOptions) -> None:
        """It has no options."""

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        relevant = set(example.relevant)
        has_answer = any(target.strip() for target in example.targets)
        if not relevant and has_answer:
            return Judgement(Validity.SKIPPED)
        found = trouble(completion)
        if found is None and (is_cut(completion) or refuses(completion.text)):
            found = unread(completion)
        cited = cited_in(completion.text) if found is None else set()
        hits = len(cited & relevant)
        counts = {"hits": float(hits), "cited": float(len(cited)), "relevant": float(len(relevant))}
        if found is not None:
            return Judgement(found, counts=counts)
        both = len(cited) + len(relevant)
        said = ", ".join(map(str, sorted(cited))) or None
        return Judgement(Validity.SCORED, 2 * hits / both if both else 1.0, said, counts)

    def close(self) -> None:
        """Nothing is held."""


class Abstention:
    """1 where the answer abstains and the question has no answer (an empty target), or neither.

    Abstaining is an empty answer, as SQuAD 2.0 has it (Rajpurkar et al. 2018), or one whose first sentence says that
    the passages hold no answer (abstaining.py). Precision: of the answers that abstain, those that should; recall: of
    the questions without an answer, those where it does. A refusal for other reasons and an answer that was cut off
    before it said so abstain neither rightly nor wrongly: they are counted as what they are.
    """

    version = "1"

    def __init__(self, options: AbstentionOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        has_answer = any(target.strip() for target in example.targets)
        found = trouble(completion)
        does = found in {None, Validity.EMPTY} and abstains(completion.text, self._options.abstaining_phrases)
        if not does and found is None and (is_cut(completion) or refuses(completion.text)):
            found = unread(completion)
        counts = {
            "abstained": float(does),
            "unanswerable": float(not has_answer),
            "both": float(does and not has_answer),
        }
        if not does and found is not None:
            return Judgement(found, counts=counts)
        return Judgement(Validity.SCORED, float(does != has_answer), "abstains" if does else "answers", counts)

    def close(self) -> None:
        """Nothing is held."""


def cited_in(text: str) -> set[int]:
    """Numbers of the passages that a text cites: [2], [1, 3], [2-4], 【2】."""
    cited: set[int] = set()
    for match in _CITATION.finditer(text):
        for part in re.split(r"[,;]", match.group(1)):
            first, *last = [int(number) for number in re.findall(r"\d+", part)]
            cited |= set(range(first, last[-1] + 1)) if last and first <= last[-1] else {first, *last}
    return cited


def _words(text: str) -> list[str]:
    return words_of(fold(text))
