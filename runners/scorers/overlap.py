"""Free text: BLEU, chrF and ROUGE against references, by the libraries whose numbers people publish.

BLEU and chrF are figures of a whole test set: the counts of an example are what it adds to them (results/
scorer_metrics.py makes the figure of their sums), its value is the score of the single sentence ÷ 100. An answer that
is missing, cut off or a refusal adds an empty text, so that leaving out does not pay.
"""

import importlib.metadata
import re
from collections.abc import Mapping, Sequence

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from runners.records import Completion, Validity
from runners.scorers.judgement import Judgement, unfinished
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import BleuOptions, ChrfOptions, RougeOptions

_WORDS = re.compile(r"\w+")
ROUGE_TYPES = ("rougeL", "rouge1", "rouge2")


def _with_library(version: str, library: str) -> str:
    """Our version and the library's: another release may count differently."""
    return f"{version} ({library} {importlib.metadata.version(library)})"


class Bleu:
    """BLEU (Papineni et al. 2002, P02-1040) as sacrebleu computes it (Post 2018, W18-6319).

    Geometric mean of the precisions of 1- to 4-grams, clipped by the references, times the brevity penalty; over the
    whole test set, with sacrebleu's defaults (13a, exponential smoothing). The value of an example is its sentence
    BLEU with the order cut to its length (`effective_order`), ÷ 100.
    """

    version = _with_library("1", "sacrebleu")

    def __init__(self, options: BleuOptions) -> None:
        self._bleu = BLEU(lowercase=options.lowercase, tokenize=options.tokenize, effective_order=True)

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = unfinished(completion, example.targets)
        score = self._bleu.sentence_score("" if found is not None else completion.text, list(example.targets))
        counts = {"sys_len": float(score.sys_len), "ref_len": float(score.ref_len)}
        for order, (correct, total) in enumerate(zip(score.counts, score.totals, strict=True), start=1):
            counts |= {f"correct_{order}": float(correct), f"total_{order}": float(total)}
        return _text_judgement(completion, found, score.score / 100, counts)

    def close(self) -> None:
        """Nothing is held."""


class Chrf:
    """chrF (Popović 2015, W15-3049), chrF++ with `word_order: 2` (Popović 2017, W17-4770), as sacrebleu computes it.

    F-score with recall weighted twice (β = 2) of the mean precision and recall of character 1- to 6-grams without
    spaces, over the whole test set; of several references the one counts that agrees best. The value of an example is
    its sentence chrF ÷ 100.
    """

    version = _with_library("1", "sacrebleu")

    def __init__(self, options: ChrfOptions) -> None:
        self._chrf = CHRF(word_order=options.word_order, lowercase=options.lowercase)

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = unfinished(completion, example.targets)
        said = "" if found is not None else completion.text
        # The library gives a corpus's sums away only here; a test holds its figure against the public one.
        ((*statistics,),) = self._chrf._extract_corpus_statistics([said], [[target] for target in example.targets])
        score = self._chrf._compute_f_score(statistics) / 100
        counts = {
            f"{kind}_{order + 1}": float(statistics[3 * order + place])
            for order in range(len(statistics) // 3)
            for place, kind in enumerate(("said", "right", "match"))
        }
        return _text_judgement(completion, found, score, counts)

    def close(self) -> None:
        """Nothing is held."""


class Rouge:
    """ROUGE-L, ROUGE-1, ROUGE-2 (Lin 2004, W04-1013) as rouge-score computes them; the value is ROUGE-L.

    F-measures of the longest common subsequence, of words and of pairs of words, each the best over the references.
    The original's words are runs of a–z and 0–9: other scripts need `tokens: unicode`.
    """

    version = _with_library("1", "rouge-score")

    def __init__(self, options: RougeOptions) -> None:
        words = _AnyScript() if options.tokens == "unicode" else None
        self._rouge = RougeScorer(list(ROUGE_TYPES), use_stemmer=options.stemming, tokenizer=words)

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = unfinished(completion, example.targets)
        said = "" if found is not None else completion.text
        scores = self._rouge.score_multi(list(example.targets), said)
        counts = {name: float(scores[name].fmeasure) for name in ROUGE_TYPES}
        return _text_judgement(completion, found, counts["rougeL"], counts)

    def close(self) -> None:
        """Nothing is held."""


class _AnyScript:
    """Words of any script, for rouge-score."""

    def tokenize(self, text: str) -> Sequence[str]:
        """Words in lower case."""
        return _WORDS.findall(text.casefold())


def _text_judgement(
    completion: Completion, found: Validity | None, value: float, counts: Mapping[str, float]
) -> Judgement:
    if found is not None:
        return Judgement(found, counts=counts)
    # Sums of floating-point numbers can exceed 1 by a rounding.
    return Judgement(Validity.SCORED, min(max(value, 0.0), 1.0), completion.text.strip(), counts)
