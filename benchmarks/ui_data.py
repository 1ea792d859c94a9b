"""A data directory of the size that the app is made for: many models, runs and answers; for benchmarks/ui.py.

Models are made after the likeness of those that ship with the workbench, or of a Parquet file of real ones
(benchmarks/index.py), and go through a real update. Runs are made here instead of run, because 200,000 answers take
hours to wait for; they are saved by the store as a worker's are.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.index import PAGE, MadePage, made_pages
from catalog.records import Candidate, Model
from catalog.snapshot import load_starter_models
from catalog.update import update_catalog
from results.records import Benchmark
from results.requirement_records import Limits, Requirements
from results.store import Store
from runners.engine_options import ScriptedOptions
from runners.records import (
    Completion,
    CompletionDone,
    Loaded,
    MemorySample,
    ModelLoaded,
    RunResult,
    RunSpec,
    RunStarted,
    Score,
    Validity,
    Workload,
    WorkloadFinished,
)
from runners.test_set_records import Example, TestSet
from workbench.settings import Settings

LABELS = ("billing", "delivery", "returns", "other")
CHANNELS = ("mail", "chat", "phone")
TIMED = 30
"""Requests of each run's latency workload."""
WORKLOADS = (Workload(kind="accuracy"), Workload(kind="latency", prompts=TIMED))
LOADED = Loaded(engine="scripted", engine_version="1", build="none", model_description="made", context_tokens=4096)
WORDS = [
    "my",
    "parcel",
    "invoice",
    "order",
    "is",
    "late",
    "wrong",
    "broken",
    "again",
    "please",
    "help",
    "refund",
    "change",
    "address",
    "since",
    "monday",
]


class Size(NamedTuple):
    """How much is made."""

    models: int = 100_000
    """In the catalog."""
    benchmarks: int = 10
    """Stored benchmarks."""
    candidates: int = 5
    """Runs of each."""
    answers: int = 200_000
    """Of all runs together, those of the latency workload not counted."""

    @property
    def examples(self) -> int:
        """Of each benchmark."""
        return self.answers // (self.benchmarks * self.candidates)


def build(settings: Settings, size: Size, source: Path | None = None) -> None:
    """Fill a data directory; what is there already stays."""
    dice = random.Random(7)
    pages = _likenesses(size.models, dice) if source is None else made_pages(source, size.models, dice)
    update_catalog(lambda _: pages, settings.catalog_folder, scope="made", now="2026-11-20T12:00:00")
    store = Store(settings.results_path)
    for number in range(size.benchmarks):
        fill_benchmark(store, f"made-{number + 1:02}", size, random.Random(number))


def _likenesses(count: int, dice: random.Random) -> Iterator[MadePage]:
    """Models that differ from those shipped in owner, name, popularity, dates, and a little in size."""
    starters = load_starter_models()
    for start in range(0, count, PAGE):
        numbers = range(start, min(start + PAGE, count))
        yield MadePage(tuple(_likeness(dice.choice(starters), number, dice) for number in numbers), None)


def _likeness(model: Model, number: int, dice: random.Random) -> Model:
    name = model.id.rpartition("/")[2]
    parameters = model.parameters
    if parameters and dice.random() < 0.25:
        parameters = round(parameters * dice.uniform(0.98, 1.02))
    return model.model_copy(
        update={
            "id": f"maker{dice.randrange(20_000)}/{name}-{number:x}",
            "parameters": parameters,
            "base_models": (model.id,) if dice.random() < 0.3 else (),
            "languages": dice.choice(((), ("en",), ("en", "de"), ("zh", "en"))),
            "gated": dice.random() < 0.05,
            "downloads": round((model.downloads or 1_000) * dice.random()) + dice.randrange(50),
            "likes": round((model.likes or 100) * dice.random()),
            "trending_score": dice.choice((None, 0.0, 1.0, dice.random() * 100)),
            "updated": f"202{dice.randrange(3, 7)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
        }
    )


def fill_benchmark(store: Store, name: str, size: Size, dice: random.Random) -> None:
    """One benchmark with all its runs; candidates differ in quality, speed and memory."""
    test_set = _test_set(name, size.examples, dice)
    names = tuple(f"candidate-{number + 1}" for number in range(size.candidates))
    store.save_benchmark(
        Benchmark(
            name=name,
            created_at=f"2026-11-{dice.randrange(1, 21):02}T12:00:00+00:00",
            test_set_name=name,
            test_set_hash=test_set.content_hash,
            task=test_set.task,
            labels=LABELS,
            examples=size.examples,
            candidates=names,
            workloads=WORKLOADS,
            seed=0,
            requirements=Requirements(limits=Limits(verdicts=("allowed", "conditional", "unknown"))),
        )
    )
    for number, candidate in enumerate(names):
        store.save_run(name, _run(candidate, test_set, 0.7 + 0.05 * number, dice))


def _test_set(name: str, examples: int, dice: random.Random) -> TestSet:
    return TestSet(
        name=name,
        labels=LABELS,
        examples=tuple(
            Example(
                id=f"e{number}",
                inputs={"text": " ".join(dice.choices(WORDS, k=24))},
                target=dice.choice(LABELS),
                slices={"channel": dice.choice(CHANNELS)},
                row=number + 1,
            )
            for number in range(examples)
        ),
    )


def _run(name: str, test_set: TestSet, quality: float, dice: random.Random) -> RunResult:
    """A finished run that is right as often as `quality` says; better ones are slower and larger."""
    spec = RunSpec(
        candidate=Candidate(
            name=name,
            model_id=f"maker/{name}",
            weights_path="/weights",
            weights_bytes=2**30,
            engine="scripted",
            license="apache-2.0",
            weights_sha256=f"{dice.randrange(2**60):064x}",
        ),
        options=ScriptedOptions(),
        test_set=test_set,
        workloads=WORKLOADS,
        engine_version="1",
        scorer_versions={"label_match": "1"},
    )
    answered = [_answer(example, quality, dice) for example in test_set.examples]
    return RunResult(
        spec=spec,
        status="finished",
        started=(RunStarted(key=spec.key, segment=0, pid=7, started_at="2026-11-20T12:00:00+00:00"),),
        loads=(ModelLoaded(segment=0, load_seconds=1.5, loaded=LOADED),),
        windows=(
            WorkloadFinished(segment=0, workload="accuracy", started_at_seconds=2, finished_at_seconds=400),
            WorkloadFinished(segment=0, workload="latency", started_at_seconds=400, finished_at_seconds=460),
        ),
        completions=(*answered, *(_timed(test_set.examples[n], quality, dice) for n in range(TIMED))),
        memory=tuple(
            MemorySample(at_seconds=float(at), rss_bytes=round(quality * 2**31) + at, processes=1) for at in range(60)
        ),
    )


def _answer(example: Example, quality: float, dice: random.Random) -> CompletionDone:
    lost = dice.random() < 0.01
    said = example.target if dice.random() < quality else dice.choice(LABELS)
    validity = Validity.UNPARSEABLE if lost else Validity.SCORED
    text = "I could not say." if lost else f"{said}, because {' '.join(dice.choices(WORDS, k=12))}"
    return CompletionDone(
        completion=Completion(
            request_id=example.id,
            workload="accuracy",
            example_id=example.id,
            text=text,
            finish_reason="stop",
            method="generated",
            prompt_tokens=60,
            output_tokens=16,
            ready_at_seconds=2.0,
            started_at_seconds=2.1,
            chunk_offsets_seconds=(0.2, 0.4),
            chunk_tokens=(8, 8),
            finished_at_seconds=2.6,
        ),
        scores=(
            Score(
                request_id=example.id,
                example_id=example.id,
                scorer="label_match",
                version="1",
                validity=validity,
                value=None if lost else float(said == example.target),
                predicted=None if lost else said,
            ),
        ),
    )


def _timed(example: Example, quality: float, dice: random.Random) -> CompletionDone:
    pause = quality * dice.uniform(0.02, 0.03)
    return CompletionDone(
        completion=Completion(
            request_id=f"latency-{example.id}",
            workload="latency",
            example_id=example.id,
            text="word " * 16,
            finish_reason="length",
            method="generated",
            prompt_tokens=60,
            output_tokens=16,
            ready_at_seconds=400.0,
            started_at_seconds=400.0,
            chunk_offsets_seconds=tuple(0.1 + pause * token for token in range(16)),
            chunk_tokens=(1,) * 16,
            finished_at_seconds=402.0,
        )
    )
