"""What every number and word of a report means. Columns refer to these by anchor; a test keeps the two together."""

from workbench.report.document import Definition

_TERMS = (
    # Latency and speed
    (
        "ttft",
        "TTFT, time to first token",
        "From the moment a request is handed to the engine to its first chunk with non-empty text, thinking "
        "included. A role-only or empty chunk is not a token. Client-side waiting is not in it.",
    ),
    (
        "ttfa",
        "TTFA, time to first token of the answer",
        "The same to the first text of the answer, after any thinking; equals TTFT for models that do not think.",
    ),
    (
        "itl",
        "ITL, inter-token latency",
        "Every gap between successive arrivals of text, of all requests together; an arrival of several tokens is one "
        "gap. Its interval resamples whole requests, because the gaps of one request are alike.",
    ),
    (
        "queue",
        "Queue time",
        "From the moment a request could have been handed over to when it was. In an open loop that is the wait since "
        "it arrived; else the time between an answer and the request that takes its place.",
    ),
    (
        "output",
        "Throughput",
        "Tokens of all answered requests ÷ wall time from the first hand-over to the last answer, at the load named, "
        "warm-up left out; prompt tokens likewise. Failed requests add nothing and their time counts. Characters stand "
        "beside, because tokens of different tokenizers are not the same amount of text.",
    ),
    (
        "knee",
        "Load sweep, knee",
        "A fixed number of requests is kept under way: 1, 2, 4 … The knee is the last level before the first that "
        "gains less throughput than the workload asks for (5 % unless it says otherwise) or breaks its latency limit: "
        "beyond it requests wait longer for hardly more work done (Jain 1991, The Art of Computer Systems Performance "
        "Analysis, §3.3).",
    ),
    (
        "arrivals",
        "Arrivals, open loop",
        "Requests arrive at random moments (a Poisson process with a seed) at a rate, whether or not earlier ones are "
        "answered. From arrival counts the wait before handing over; TTFT and E2E do not.",
    ),
    (
        "e2e",
        "E2E, end to end",
        "From the moment a request is handed to the engine to its last token.",
    ),
    (
        "tpot",
        "TPOT, time per output token",
        "Per request: (last token − first token) ÷ (output tokens − 1), only where there is more than one "
        "output token.",
    ),
    (
        "decode",
        "Decode speed",
        "1 ÷ TPOT: tokens per second after the first; median over requests at concurrency 1.",
    ),
    (
        "prefill",
        "Prefill speed",
        "Prompt tokens that were computed (cached ones not counted) ÷ time to first token; median over requests.",
    ),
    (
        "tokens",
        "Tokens in → out",
        "Median prompt tokens and output tokens of the latency requests, counted by the model's own "
        "tokenizer; stop tokens are not output. Tokenizers differ, so tokens per second of two models are not "
        "the same amount of text.",
    ),
    (
        "percentile",
        "p50, p90, p95, p99",
        "The median and the 90th, 95th and 99th percentile over requests, linear between neighbours. A p90 needs at "
        "least 10 requests, a p95 20, a p99 1,000; the interval of a p95 needs 72. With fewer it is left out rather "
        "than replaced by the maximum.",
    ),
    (
        "warmup",
        "Warm-up",
        "Prompts that are not from the test set, sent after loading and before anything is timed. They are "
        "left out of every number.",
    ),
    (
        "cache",
        "Prefix cache",
        "Off for latency, so that every prompt is computed in full; on for accuracy, which gives no latency figure.",
    ),
    (
        "throughput",
        "Examples per second",
        "Examples of the accuracy workload ÷ its wall time. They are batched: this is not a latency, nor 1 ÷ "
        "a latency.",
    ),
    # Memory
    (
        "memory",
        "Peak memory",
        "Highest memory of the run's whole process tree over load and generation, sampled from outside. PSS "
        "counts shared pages once and is used where the kernel gives it, else RSS. Mapped files, such as "
        "weights used in place, are part of it and named beside it. GPU memory is measured apart, "
        "and added to it where limits, ranking and charts compare candidates.",
    ),
    (
        "predicted",
        "Predicted memory",
        "Weights + KV cache + compute buffers + overhead, predicted from the model's architecture for the "
        "same context before the run.",
    ),
    (
        "load",
        "Load time",
        "Engine start to ready for the first token, at the first load of the run.",
    ),
    (
        "cold",
        "Cold and warm load, first request",
        "A load is cold where the system held at most 5 % of the weights in memory before; for a load workload it is "
        "asked to forget them. Warm: loaded again in the same process with at least 95 % of them in memory, median. "
        "The first request after a load pays for what the load left for later; it is timed apart and is in no other "
        "figure.",
    ),
    (
        "energy",
        "Energy",
        "Of the whole machine over the measured window, from its own counters: RAPL of CPU packages and memory, NVML "
        "of the GPUs. Not measured where none can be read, and never estimated.",
    ),
    # Quality
    (
        "accuracy",
        "Accuracy",
        "Right answers ÷ examples that were judged. Unparseable, truncated, empty, refused and overflowing "
        "answers are wrong; failed and skipped examples were not judged and are left out.",
    ),
    (
        "balanced",
        "Balanced accuracy",
        "Mean of the recalls of all labels that occur, so that rare labels count as much.",
    ),
    (
        "precision",
        "Precision",
        "Of the answers with this label, the share that is right; undefined where it never was given.",
    ),
    (
        "recall",
        "Recall",
        "Of the examples with this label, the share that was answered so.",
    ),
    (
        "f1",
        "F1, macro F1",
        "2 × right ÷ (examples with the label + answers with it); macro F1 is its mean over labels.",
    ),
    (
        "probability",
        "Probability",
        "Where answers were scored: probability of the chosen label among the labels allowed. It is the "
        "model's own, and need not be calibrated.",
    ),
    (
        "perplexity",
        "Perplexity ÷ reference",
        "e to the mean negative log-probability of the tokens of a text, over that of the reference file; paired token "
        "by token. Perplexities of different models or texts are not comparable.",
    ),
    (
        "kld",
        "Mean KLD",
        "Mean KL divergence in nats from the reference's next-token probabilities to the file's; 0 is no difference.",
    ),
    (
        "sametop",
        "Same top token",
        "Share of positions of the text at which the file and its reference find the same token most likely.",
    ),
    (
        "interval",
        "95 % interval",
        "Wilson's for proportions; the bias-corrected and accelerated bootstrap (10,000 resamples, fixed "
        "seed) for means; the percentile bootstrap for percentiles. Examples that share a group are resampled "
        "together. The method of every estimate is listed below.",
    ),
    # Comparing
    (
        "discordant",
        "Discordant",
        "Examples that exactly one of the two answered right; only these tell a pair apart.",
    ),
    (
        "difference",
        "Difference in accuracy",
        "Accuracy of the first minus that of the second on the same examples, in percentage points; paired bootstrap.",
    ),
    (
        "mcnemar",
        "McNemar's exact test",
        "How likely a split of the discordant examples at least this uneven is, if both candidates were "
        "equally accurate. Two-sided, paired, exact.",
    ),
    (
        "holm",
        "Holm-adjusted",
        "The same p-value corrected for the number of pairs compared. A difference counts as shown below "
        "0.05, and where examples come in groups only if the interval of the difference excludes zero too.",
    ),
    (
        "detectable",
        "Smallest detectable difference",
        "Difference in accuracy that this many examples would have shown with 80 % power at 5 %, given how "
        "often the two disagree. `none`: they disagree on too few for any to be shown.",
    ),
    (
        "quality",
        "Quality",
        "The first metric of the test set's first scorer: what limits, ranking and pairs go by.",
    ),
    (
        "rank",
        "Rank",
        "Candidates share a rank where the data cannot separate them: the corrected test shows no difference in "
        "quality, and neither has the higher utility in 95 % of the bootstrap resamples. The cheaper one comes first: "
        "by cost where prices are given, else by the weighted sum, in which equal quality leaves time and memory "
        "to decide.",
    ),
    (
        "utility",
        "Utility",
        "Weighted sum of quality, latency (E2E p50), memory (peak), cost and throughput, each scaled from 0 for the "
        "worst to 1 for the best of the candidates that qualify. Quality counts as equal where the test shows no "
        "difference to the best.",
    ),
    (
        "pareto",
        "Pareto",
        "No other candidate that qualifies is at least as good in quality, latency and memory, in cost where there are "
        "prices and in throughput where it has weight, and better in one of them.",
    ),
    (
        "stability",
        "Wins in",
        "Share of the bootstrap resamples of the test set in which the candidate is recommended under the same limits, "
        "weights and rules. Low shares mean that another draw of examples could have led to another decision.",
    ),
    (
        "cost",
        "Cost",
        "Hourly price of the machine ÷ what was done in an hour at the measured throughput: examples of the accuracy "
        "workload; tokens at the load sweep's knee, else one request at a time. Input and output tokens each carry the "
        "whole hour and are not added. An endpoint's own prices per token are added up over the tokens it counted.",
    ),
    (
        "policy",
        "Two models",
        "The cheap one answers; where the probability of its label is below the threshold, the strong one is asked "
        "too. Expected time and cost: the cheap one's plus the share asked × the strong one's.",
    ),
    (
        "verdict",
        "License verdict",
        "May the model be used as intended: allowed; conditional, where conditions must be met; forbidden; "
        "unknown, where the license is not declared or was not read.",
    ),
    (
        "perturbation",
        "Perturbation",
        "A change of the prompt that leaves the right answer alone: typos, case or white space in the example, another "
        "wording of the instruction, another order of labels or few-shot examples. Quality is held against that of the "
        "same examples as they are, asked by the same workload; the same answer may be right or wrong both times. A "
        "change counts as shown where McNemar's test, after Holm's correction over the perturbations, is below 0.05.",
    ),
    (
        "selfagreement",
        "Agreement with itself",
        "Over several answers to the same example at a temperature: the share of examples whose answers are all the "
        "same; the share of pairs of answers that are; and Fleiss' kappa, 1 for always the same and 0 for as often as "
        "chance alone would have it.",
    ),
    (
        "judgekappa",
        "Agreement of a judge",
        "Cohen's kappa of the judge with somebody who knows: 1 is always the same, 0 as often as by chance. Grades of "
        "a judge that hardly agrees with your own labels say nothing.",
    ),
    (
        "judgebias",
        "Biases of a judge",
        "Length: Spearman's correlation of an answer's length with its grade. Position: in how many comparisons the "
        "other order gave another verdict; those are ties.",
    ),
    # Votes
    (
        "votes",
        "Standing by votes",
        "Bradley-Terry: the chance that one answer is preferred to another follows from a strength of each candidate, "
        "found by maximum likelihood from all votes; ties and both-bad votes are half a win each. Share of points: "
        "expected against the others, each met equally often, 50 % being average. Rank: 1 + how many are shown better. "
        "Best: in which share of the resamples it is the strongest. Intervals draw prompts anew, not votes.",
    ),
    (
        "elo",
        "Elo",
        "The strength on the scale of chess, against the average candidate: 400 points are odds of ten to one, +100 is "
        "64 % of the points, +200 is 76 %.",
    ),
    (
        "votescore",
        "Votes and the scorer",
        "The answers that people judged, scored by the test set's first scorer: how often the one with the higher "
        "score won, and Cohen's kappa of winner by vote and winner by score, draws as a third label (0 is chance).",
    ),
    # Validity
    (
        "scored",
        "Scored",
        "An answer that was understood, and judged right or wrong.",
    ),
    (
        "unparseable",
        "Unparseable",
        "An answer from which no label could be read; counts as wrong.",
    ),
    (
        "truncated",
        "Truncated",
        "An answer cut off by the token limit before it was complete; counts as wrong.",
    ),
    (
        "empty",
        "Empty",
        "No text at all; counts as wrong.",
    ),
    (
        "refused",
        "Refused",
        "The model declined to answer; counts as wrong.",
    ),
    (
        "overflow",
        "Overflow",
        "Prompt and answer did not fit the context; counts as wrong.",
    ),
    (
        "failed",
        "Failed",
        "The engine or the scorer failed on it; not judged.",
    ),
    (
        "skipped",
        "Skipped",
        "The run ended before it came to it; not judged.",
    ),
)

DEFINITIONS = tuple(Definition(anchor=anchor, term=term, text=text) for anchor, term, text in _TERMS)
"""All definitions, in the order they are shown."""
