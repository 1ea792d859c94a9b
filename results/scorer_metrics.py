"""Metrics of the scorers beside classification: what their counts add up to (docs/scoring.md has every definition).

Counts come from runners/scorers by name. BLEU and chrF are made of sums here, so that resampled examples give
resampled corpus figures; they equal sacrebleu's on the whole test set.
"""

from collections.abc import Callable

import numpy as np

from results.metric_records import Judged, Metric, mean_of
from results.resampling import Floats, ratio

_BLEU_ORDER = 4
_CHRF_BETA_SQUARED = 4.0


def sums_of(*names: str) -> Callable[[Judged], Floats]:
    """Units of weighted sums of counts, in this order; an example without a count adds nothing."""

    def units(judged: Judged) -> Floats:
        nothing = np.zeros(len(judged.outcomes))
        columns = [np.nan_to_num(judged.counts.get(name, nothing)) for name in names]
        return np.column_stack(columns) * judged.weights[:, None]

    return units


def precision(sums: Floats) -> Floats:
    """True ÷ predicted, of true, predicted, expected; 0 where nothing was predicted."""
    return ratio(sums[:, [0, 1]])


def recall(sums: Floats) -> Floats:
    """True ÷ expected, of true, predicted, expected; 0 where nothing was expected."""
    return ratio(sums[:, [0, 2]])


def f1(sums: Floats) -> Floats:
    """2·true ÷ (predicted + expected), of true, predicted, expected; 0 where there is neither."""
    return ratio(np.column_stack([2 * sums[:, 0], sums[:, 1] + sums[:, 2]]))


def _bleu_units(judged: Judged) -> Floats:
    orders = range(1, _BLEU_ORDER + 1)
    correct, total = ([f"{kind}_{order}" for order in orders] for kind in ("correct", "total"))
    return sums_of("sys_len", "ref_len", *correct, *total)(judged)


def corpus_bleu(sums: Floats) -> Floats:
    """BLEU, 0 to 100, of summed lengths, correct and total n-grams: sacrebleu's with exponential smoothing.

    An order without a match counts as 1 ÷ (2^k · total), k being the how-manieth such order (Chen & Cherry 2014,
    method 3); without any match, and where the answers are too short for an order, BLEU is 0.
    """
    said, right = sums[:, 0], sums[:, 1]
    correct, total = np.split(sums[:, 2:], 2, axis=1)
    halvings = np.cumsum(correct == 0, axis=1)
    counted = np.where(correct == 0, 0.5**halvings, correct)
    precisions = np.divide(counted, total, out=np.zeros_like(total), where=total > 0)
    defined = np.all(total > 0, axis=1) & np.any(correct > 0, axis=1)
    logs = np.log(precisions, out=np.zeros_like(precisions), where=precisions > 0)
    missing = np.divide(right, said, out=np.ones_like(said), where=said > 0) - 1
    brevity = np.exp(-np.maximum(missing, 0.0))
    return np.asarray(np.where(defined, 100 * brevity * np.exp(logs.mean(axis=1)), 0.0), dtype=np.float64)


def _chrf_units(judged: Judged) -> Floats:
    orders = sorted(int(name.removeprefix("match_")) for name in judged.counts if name.startswith("match_"))
    return sums_of(*(f"{kind}_{order}" for kind in ("said", "right", "match") for order in orders))(judged)


def corpus_chrf(sums: Floats) -> Floats:
    """chrF, 0 to 100, of summed n-grams said, right and in both: mean precision and recall over orders, β = 2."""
    said, right, match = np.split(sums, 3, axis=1)
    counted = (said > 0) & (right > 0)
    orders = np.maximum(counted.sum(axis=1), 1)
    precisions, recalls = (
        np.divide(match, n, out=np.zeros_like(match), where=counted).sum(axis=1) / orders for n in (said, right)
    )
    top = (1 + _CHRF_BETA_SQUARED) * precisions * recalls
    bottom = _CHRF_BETA_SQUARED * precisions + recalls
    return np.asarray(100 * np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0), dtype=np.float64)


_FIELDS = sums_of("true", "predicted", "expected")
_CITED = sums_of("hits", "cited", "relevant")
_ABSTAINED = sums_of("both", "abstained", "unanswerable")
_SQUAD = "Rajpurkar et al. 2016, arXiv:1606.05250"
_IR = "Sokolova & Lapalme 2009, IP&M 45:427"
_ALCE = "Gao et al. 2023, arXiv:2305.14627"
_SQUAD2 = "Rajpurkar et al. 2018, arXiv:1806.03822"
_LM_EVAL = "Gao et al. 2021, lm-evaluation-harness, acc and acc_norm"


def _share(name: str, title: str, definition: str, source: str, count: str | None = None) -> Metric:
    """Share of examples whose value, or one of whose counts, is 1."""
    return Metric(name, title, definition, source, mean_of(count), ratio, is_proportion=True)


def _mean(name: str, title: str, definition: str, source: str) -> Metric:
    """Mean of the examples' values."""
    return Metric(name, title, definition, source, mean_of(), ratio)


SCORER_METRICS: dict[str, tuple[Metric, ...]] = {
    "choice_match": (
        _share("accuracy", "Accuracy", "Share of the questions whose right choice was chosen.", _LM_EVAL),
        _share(
            "accuracy_raw",
            "Accuracy, raw",
            "The same, the choice with the highest log-probability being chosen.",
            _LM_EVAL,
            "raw",
        ),
        _share(
            "accuracy_normalised",
            "Accuracy, length-normalised",
            "The same, the choice with the highest log-probability per UTF-8 byte being chosen.",
            _LM_EVAL,
            "normalised",
        ),
    ),
    "exact_match": (
        _share(
            "exact_match",
            "Exact match",
            "Share of the answers that equal a right one after normalisation.",
            _SQUAD,
        ),
    ),
    "token_f1": (
        _mean(
            "token_f1",
            "Token F1",
            "Mean F1 of the words that the answer and a right one have in common.",
            _SQUAD,
        ),
    ),
    "contains": (
        _share("contains", "Contains", "Share of the answers in which a right one occurs.", "substring match"),
    ),
    "regex": (
        _share(
            "regex",
            "Pattern",
            "Share of the answers that the pattern matches, or whose captured text is right.",
            "Python's regular expressions",
        ),
    ),
    "numeric": (
        _share(
            "numeric",
            "Right number",
            "Share of the answers whose number equals the right one within the tolerance.",
            "Cobbe et al. 2021, arXiv:2110.14168",
        ),
    ),
    "json_fields": (
        Metric("field_f1", "Field F1", "2·right fields ÷ (fields of answers + of right records).", _IR, _FIELDS, f1),
        Metric("field_precision", "Field precision", "Right fields ÷ fields of answers.", _IR, _FIELDS, precision),
        Metric("field_recall", "Field recall", "Right fields ÷ fields of right records.", _IR, _FIELDS, recall),
        _share(
            "record_match",
            "Whole record right",
            "Share of the answers with every field right and none too many.",
            _IR,
            "record",
        ),
        _share(
            "schema_valid",
            "Valid under the schema",
            "Share of the answers that hold JSON which is valid under the schema.",
            "JSON Schema 2020-12",
            "valid",
        ),
    ),
    "bleu": (
        Metric(
            "bleu",
            "BLEU",
            "Geometric mean of 1- to 4-gram precisions × brevity penalty, over the whole test set, 0 to 100.",
            "Papineni et al. 2002, P02-1040; Post 2018, W18-6319",
            _bleu_units,
            corpus_bleu,
            unit="score",
        ),
    ),
    "chrf": (
        Metric(
            "chrf",
            "chrF",
            "F-score of character 1- to 6-grams with recall weighted twice, over the whole test set, 0 to 100.",
            "Popović 2015, W15-3049; 2017, W17-4770",
            _chrf_units,
            corpus_chrf,
            unit="score",
        ),
    ),
    "rouge": tuple(
        Metric(name, title, f"Mean F-measure of {of}.", "Lin 2004, W04-1013", mean_of(name), ratio, unit="score")
        for name, title, of in (
            ("rougeL", "ROUGE-L", "the longest common subsequence of words"),
            ("rouge1", "ROUGE-1", "common words"),
            ("rouge2", "ROUGE-2", "common pairs of words"),
        )
    ),
    "groundedness": (
        Metric(
            "groundedness",
            "Groundedness",
            "Share of the sentences of the answers most of whose content words stand in one passage.",
            "Adlakha et al. 2023, arXiv:2307.16877, per sentence",
            sums_of("supported", "sentences"),
            ratio,
        ),
        Metric(
            "k_precision",
            "K-Precision",
            "Mean share of an answer's words that stand in the passages.",
            "Adlakha et al. 2023, arXiv:2307.16877",
            mean_of("k_precision"),
            ratio,
        ),
    ),
    "citations": (
        Metric("citation_f1", "Citation F1", "2·hits ÷ (passages cited + passages marked).", _ALCE, _CITED, f1),
        Metric("context_precision", "Context precision", "Marked among those cited.", _ALCE, _CITED, precision),
        Metric("context_recall", "Context recall", "Cited among those marked.", _ALCE, _CITED, recall),
    ),
    "abstention": (
        _share(
            "abstention_accuracy",
            "Abstention accuracy",
            "Share of the questions where the model abstains exactly if there is no answer.",
            _SQUAD2,
        ),
        Metric(
            "abstention_precision",
            "Abstention precision",
            "Questions without an answer among those where the model abstains.",
            _SQUAD2,
            _ABSTAINED,
            precision,
        ),
        Metric(
            "abstention_recall",
            "Abstention recall",
            "Abstained among the questions without an answer.",
            _SQUAD2,
            _ABSTAINED,
            recall,
        ),
    ),
    "json_schema": (
        _share(
            "keeps_schema",
            "Valid under the schema",
            "Share of the answers that hold JSON which is valid under the schema.",
            "JSON Schema 2020-12",
        ),
    ),
    "length": (_share("length_kept", "Length kept", "Share of the answers within every bound.", "rule"),),
    "forbidden_words": (
        _share("no_forbidden_words", "No forbidden words", "Share of the answers without any of the words.", "rule"),
    ),
    "python": (_mean("score", "Score", "Mean of what the function says.", "the function itself"),),
}
"""Scorer → its metrics, the one that stands for quality first."""
