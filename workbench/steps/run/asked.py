"""Makes the benchmark that the step Run would start of what lies on the desk; and puts a benchmark onto the desk."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runners.engine_options import EndpointOptions
from runners.records import Workload
from workbench.benchmark_file import parse_benchmark
from workbench.candidates import candidate_name
from workbench.errors import BadBenchmarkFile
from workbench.records import BenchmarkDefinition, CandidateDefinition, TestSetDefinition
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand
from workbench.steps.run.choices import RunChoices, offered_scorers


def chosen_candidates(workbench: Workbench, desk: Desk) -> tuple[CandidateDefinition, ...]:
    """Candidates at hand that are not left out, endpoints with the spending limit that was typed."""
    choices = desk.draft.run
    return tuple(
        _limited(item, choices.endpoint_requests)
        for item in candidates_at_hand(workbench, desk)
        if candidate_name(item) not in choices.left_out
    )


def asked_benchmark(workbench: Workbench, desk: Desk, name: str) -> BenchmarkDefinition:
    """The benchmark as it is chosen now. Raises BadBenchmarkFile, or gr.Error on a bad name."""
    choices = desk.draft.run
    candidates = chosen_candidates(workbench, desk)
    if not candidates:
        raise BadBenchmarkFile("Choose at least one candidate.")
    plain = benchmark_definition(workbench, desk, name, candidates)
    workloads = choices.workloads(_usual_workloads(workbench, desk))
    if not workloads:
        raise BadBenchmarkFile("Choose at least one workload, such as accuracy.")
    prompts = choices.prompts or plain.prompts
    own_scorers = any(name in offered_scorers(plain.task, choices) for name in choices.scorers)
    changes = {
        "workloads": workloads,
        "seed": choices.seed,
        "early_stopping": choices.stopping(),
        "scorers": choices.scorer_options(plain.task) if own_scorers else plain.scorers,
        "requirements": choices.requirements(plain.requirements),
        "prompts": prompts,
        "prompt": None if prompts else plain.prompt,
    }
    kept = {field: getattr(plain, field) for field in BenchmarkDefinition.model_fields}
    try:
        return BenchmarkDefinition(**{**kept, **changes})
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise BadBenchmarkFile(f"The benchmark cannot be run like this: {reason}.") from error


def take_benchmark(desk: Desk, definition: BenchmarkDefinition, folder: Path) -> str:
    """Lay a benchmark onto the desk, to be edited and run; returns what a person should know of it.

    Several prompts and scorers of the file are held by the choices of the run, so the test set's give way to them.
    """
    test_set, note = _test_set(desk, definition, folder)
    changes: dict[str, Any] = {"candidates": tuple(_absolute(item, folder) for item in definition.candidates)}
    if test_set is not None:
        prompt = definition.prompts[0].template if definition.prompts else definition.prompt
        changes |= {"test_set": test_set, "task": definition.task, "labels": definition.labels, "prompt": prompt}
        changes |= {"prompts": (), "scorers": None}
    desk.change(**changes, run=RunChoices.of(definition))
    return note


def read_upload(text: str, name: str) -> BenchmarkDefinition:
    """A benchmark file's content. Raises BadBenchmarkFile with the line."""
    return parse_benchmark(text, name)


def _test_set(desk: Desk, definition: BenchmarkDefinition, folder: Path) -> tuple[TestSetDefinition | None, str]:
    """The test set with absolute paths; None, with a note, where its file is not there."""
    test_set = definition.test_set
    if test_set.file is None:
        return test_set, ""
    paths = {
        name: folder / Path(value).expanduser()
        for name in ("file", "few_shot")
        if (value := getattr(test_set, name)) is not None
    }
    missing = next((path for path in paths.values() if not path.exists()), None)
    if missing is None:
        return test_set.model_copy(update={name: str(path) for name, path in paths.items()}), ""
    own = desk.draft.test_set
    if own is None:
        raise BadBenchmarkFile(
            f"The file names the test set {test_set.file!r}, which is not there. Upload the test set in the step Test "
            "set first, then open this file again: the test set that is chosen there takes its place."
        )
    return None, (
        f"The file names the test set {test_set.file}, which is not there; {own.shown_name}, chosen in the step Test "
        "set, takes its place, with the prompt of that step."
    )


def _absolute(candidate: CandidateDefinition, folder: Path) -> CandidateDefinition:
    path = folder / Path(candidate.model).expanduser()
    return candidate.model_copy(update={"model": str(path)}) if path.exists() else candidate


def _limited(candidate: CandidateDefinition, requests: int | None) -> CandidateDefinition:
    options = candidate.options
    if requests is None or not isinstance(options, EndpointOptions):
        return candidate
    return candidate.model_copy(update={"options": options.model_copy(update={"max_requests": requests})})


def _usual_workloads(workbench: Workbench, desk: Desk) -> dict[str, Workload]:
    """The demo's own way of asking for the demo's test set; for others none but the defaults."""
    if desk.draft.test_set is not None:
        return {}
    demo, _ = workbench.demo_definition()
    return {workload.kind: workload for workload in demo.workloads}
