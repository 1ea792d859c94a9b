"""How long a large comparison takes: `python -m benchmarks.compare [candidates] [examples]`.

Makes a results file as runs leave it: 20 candidates, a classification test set of 200 examples with five labels and one
slice column of three values, four scorers with three metrics each (12 metrics, every one with an interval for every
candidate and every slice), label probabilities, and 30 timed requests for each candidate. Then times what the command
`compare` does with it: read the file, sum up every candidate, compare every pair in every metric and in every slice.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from catalog.records import Candidate, Reason, Verdict, VerdictValue
from results.comparison import compare
from results.records import Benchmark
from results.requirement_records import Requirements
from results.store import Store
from results.summary import summarise
from runners.engine_options import ScriptedOptions
from runners.records import (
    ChoiceScore,
    Completion,
    CompletionDone,
    RunResult,
    RunSpec,
    Score,
    Validity,
    Workload,
)
from runners.scorer_options import LabelMatchOptions
from runners.test_set_records import Example, TestSet

LABELS = ("delivery", "returns", "billing", "account", "other")
SCORERS = tuple(LabelMatchOptions(name=name) for name in ("label_match", "strict", "lenient", "cleaned"))
TIMED = 30
WORKLOADS = (Workload(kind="accuracy"), Workload(kind="latency", prompts=TIMED))
ALLOWED = Verdict(value=VerdictValue.ALLOWED, license="mit", reasons=(Reason(text="Permissive.", source="license"),))


def main(candidates: int, examples: int) -> None:
    """Make the file, then print the seconds of each step."""
    names = [f"candidate-{number}" for number in range(candidates)]
    asked = _test_set(examples)
    benchmark = Benchmark(
        name="large",
        created_at="2026-01-01T00:00:00+00:00",
        test_set_name=asked.name,
        test_set_hash=asked.content_hash,
        task="classification",
        labels=LABELS,
        examples=examples,
        candidates=tuple(names),
        workloads=WORKLOADS,
        seed=0,
        requirements=Requirements(margin=0.03),
    )
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "results.duckdb")
        store.save_benchmark(benchmark)
        for number, name in enumerate(names):
            store.save_run("large", _run(name, asked, 0.6 + 0.3 * number / candidates, number))
        times, processor = [time.perf_counter()], time.process_time()
        measurements = store.measurements("large")
        times.append(time.perf_counter())
        summaries = [summarise(run, ALLOWED) for run in measurements]
        times.append(time.perf_counter())
        made = compare(benchmark, summaries, measurements)
        times.append(time.perf_counter())
    processor = time.process_time() - processor
    pairs, metrics = len(made.pairs), len(made.candidates[0].metrics)
    print(f"{candidates} candidates × {examples} examples × {metrics} metrics: {pairs} pairs in each metric,")
    print(f"{len(made.metric_pairs) + pairs} comparisons of pairs and {len(made.slice_pairs)} more in slices")
    for what, start, end in zip(("read", "sum up", "compare"), times[:-1], times[1:], strict=True):
        print(f"{what:8} {end - start:6.2f} s")
    print(f"{'together':8} {times[-1] - times[0]:6.2f} s (processor {processor:.2f} s on all cores)")


def _test_set(examples: int) -> TestSet:
    return TestSet(
        name="made",
        labels=LABELS,
        scorers=SCORERS,
        examples=tuple(
            Example(
                id=f"e{number}",
                inputs={"text": f"message {number}"},
                target=LABELS[number % 7 % 5],
                slices={"channel": ("mail", "chat", "phone")[number % 3]},
            )
            for number in range(examples)
        ),
    )


def _run(name: str, asked: TestSet, accuracy: float, seed: int) -> RunResult:
    rng = np.random.default_rng(seed)
    spec = RunSpec(
        candidate=Candidate(name=name, model_id=name, weights_path="/w", weights_bytes=1, engine="scripted"),
        options=ScriptedOptions(),
        test_set=asked,
        workloads=WORKLOADS,
        engine_version="1",
        scorer_versions={options.name: "1" for options in SCORERS},
    )
    done = [_answer(example, rng, accuracy) for example in asked.examples]
    done += [_timed(number, rng) for number in range(TIMED)]
    return RunResult(spec=spec, status="finished", completions=tuple(done))


def _answer(example: Example, rng: np.random.Generator, accuracy: float) -> CompletionDone:
    said = example.target if rng.random() < accuracy else str(rng.choice(LABELS))
    logprobs = np.log(rng.dirichlet(np.ones(len(LABELS))))
    order = np.sort(logprobs)[::-1]
    ranked = (said, *(label for label in LABELS if label != said))
    return CompletionDone(
        completion=Completion(
            request_id=example.id,
            workload="accuracy",
            example_id=example.id,
            text=said,
            finish_reason="stop",
            method="scored_choices",
            prompt_tokens=40,
            choice_scores=tuple(
                ChoiceScore(choice=label, logprob=float(value), tokens=1)
                for label, value in zip(ranked, order, strict=True)
            ),
        ),
        scores=tuple(
            Score(
                request_id=example.id,
                example_id=example.id,
                scorer=options.name,
                version="1",
                validity=Validity.SCORED,
                value=float(said == example.target or (place > 0 and rng.random() < 0.1)),
                predicted=said,
            )
            for place, options in enumerate(SCORERS)
        ),
    )


def _timed(number: int, rng: np.random.Generator) -> CompletionDone:
    offsets = tuple(np.cumsum(rng.gamma(20, 0.001, size=16)).tolist())
    return CompletionDone(
        completion=Completion(
            request_id=f"t{number}",
            workload="latency",
            text="word " * 16,
            finish_reason="stop",
            method="generated",
            prompt_tokens=40,
            output_tokens=16,
            ready_at_seconds=number,
            started_at_seconds=number,
            chunk_offsets_seconds=offsets,
            chunk_tokens=(1,) * 16,
            finished_at_seconds=number + offsets[-1],
        )
    )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [20, 200][len(given) :]))
