"""Small records for tests: one function per record, every argument optional."""

from pathlib import Path

from catalog.packaged import find_packaged
from catalog.records import Candidate
from runners.engine_options import EngineOptions, LlamaCppOptions, ScriptedOptions
from runners.records import RunSpec, Workload
from runners.test_set_records import Example, PromptTemplate, TestSet

LABELS = ("delivery", "returns", "billing")
SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
GEMMA3 = "google/gemma-3-270m"


def make_examples(count: int = 6) -> tuple[Example, ...]:
    """Examples e0, e1 … whose labels take turns and whose slices alternate."""
    return tuple(
        Example(
            id=f"e{number}",
            inputs={"text": f"message number {number} about {LABELS[number % 3]}"},
            target=LABELS[number % 3],
            slices={"channel": "mail" if number % 2 else "chat"},
            row=number + 2,
        )
        for number in range(count)
    )


def make_test_set(count: int = 6, *, few_shot: tuple[Example, ...] = ()) -> TestSet:
    """A small classification test set."""
    return TestSet(
        name="small",
        labels=LABELS,
        examples=make_examples(count),
        few_shot=few_shot,
        prompt=PromptTemplate(system="Answer with one of: {{ labels | join(', ') }}.", user="{{ text }}"),
    )


def make_spec(
    options: EngineOptions | None = None,
    *,
    name: str = "candidate",
    test_set: TestSet | None = None,
    workloads: tuple[Workload, ...] = (Workload(kind="accuracy"),),
    weights: Path | None = None,
) -> RunSpec:
    """A run, on the scripted engine unless options say otherwise."""
    options = options or ScriptedOptions()
    return RunSpec(
        candidate=Candidate(
            name=name,
            model_id=f"test/{name}",
            weights_path=str(weights) if weights else "",
            weights_bytes=weights.stat().st_size if weights and weights.exists() else 0,
            engine=options.engine,
        ),
        options=options,
        test_set=test_set or make_test_set(),
        workloads=workloads,
        engine_version="1",
        scorer_versions={"label_match": "1"},
    )


def smollm2_path(folder: Path) -> Path:
    """The real small model that ships with the demo."""
    return _packaged(SMOLLM2, folder)


def gemma3_path(folder: Path) -> Path:
    """The other one; put together under `folder`."""
    return _packaged(GEMMA3, folder)


def small_llama_options(**changes: object) -> LlamaCppOptions:
    """A context that loads fast."""
    return LlamaCppOptions.model_validate({"context_tokens": 512, **changes})


def _packaged(model_id: str, folder: Path) -> Path:
    weights = find_packaged(model_id, None, folder)
    assert weights is not None, f"the demo package with {model_id} is not installed: python3 launch.py test"
    return Path(weights.path)
