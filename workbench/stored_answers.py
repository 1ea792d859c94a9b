"""What can be done with answers that exist already: score them again, and take in those that others made.

A part of the service; no model is loaded here.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from catalog.errors import ModelNotFound
from catalog.records import Candidate, Record
from results.records import Benchmark
from results.store import Store
from runners.completion_files import CompletionFile, ImportedAnswer, check_ids, read_completion_file
from runners.engine_options import ImportedOptions
from runners.errors import BadCompletions
from runners.event_log import EventWriter
from runners.records import CompletionDone, RunResult, RunSpec, Workload
from runners.rescoring import asks_otherwise, events_of, score_again
from runners.scorers.registry import scorer_versions
from workbench import __version__
from workbench.benchmark_file import parse_definition
from workbench.benchmark_runs import benchmark_record, set_aside
from workbench.model_catalog import ModelCatalog
from workbench.records import BenchmarkDefinition, CandidateDefinition, PreparedBenchmark, TestSetDefinition
from workbench.settings import Settings

_IMPORTED_NOTE = "Its answers were made elsewhere and imported: nothing but them was measured here."


class Rescored(Record):
    """What scoring again has done."""

    benchmark: str
    """Benchmark whose runs were scored again."""
    candidates: tuple[str, ...]
    """Runs that were."""
    answers: int
    """Answers that were judged."""
    notes: tuple[str, ...] = ()
    """What is left to do, and what was left out."""


class Imported(Record):
    """What an import has brought."""

    benchmark: str
    """Benchmark that holds it now."""
    models: dict[str, int]
    """Answers by model."""
    notes: tuple[str, ...] = ()
    """What a person should know."""


class StoredAnswers:
    """Scores stored answers again and imports others."""

    def __init__(self, settings: Settings, store: Store, models: ModelCatalog) -> None:
        self._settings = settings
        self._store = store
        self._models = models

    def rescore(self, prepared: PreparedBenchmark) -> Rescored:
        """Judge every stored run of a benchmark by the scorers and right answers of its file as it is now.

        Raises UnknownBenchmark, or BadCompletions where a model would be asked something else than it was.
        """
        test_set = prepared.test_set
        name = prepared.definition.name
        stored = self._store.benchmark(name)
        results = [self._store.run_result(name, run.candidate) for run in self._store.runs(name)]
        for result in results:
            difference = asks_otherwise(result.spec, test_set)
            if difference is not None:
                raise BadCompletions(
                    f"The stored answers of {result.spec.candidate.name!r} cannot be scored again: {difference}. "
                    "Run the benchmark to ask anew."
                )
        left_out = self._scorers_of_passes(name)
        scored = [score_again(result, test_set) for result in results]
        # Only now, when all of it has worked, is anything replaced.
        changed = benchmark_record(prepared, stored.candidates)
        self._store.save_benchmark(
            changed.model_copy(
                update={"machine": stored.machine, "workloads": stored.workloads, "funnel": stored.funnel}
            )
        )
        for result in scored:
            self._store.save_run(name, result)
            self._keep_events(result)
        return Rescored(
            benchmark=name,
            candidates=tuple(result.spec.candidate.name for result in scored),
            answers=sum(len(event.scores) > 0 for result in scored for event in result.completions),
            notes=(*_notes_on_rescoring(results, scored), *left_out),
        )

    def _scorers_of_passes(self, name: str) -> tuple[str, ...]:
        """What is lost: scores that other models gave may rest on what has changed."""
        runs = self._store.measurements(name)
        own = {run.candidate.name: len(self._store.run_spec(name, run.candidate.name).test_set.scorers) for run in runs}
        found = {options.name for run in runs for options in run.scorers[own[run.candidate.name] :]}
        if not found:
            return ()
        return (
            f"Scores of {', '.join(sorted(found))} were removed, because they may rest on what has changed: ask again.",
        )

    def plan_import(self, path: Path, test_set: Path, options: dict[str, object]) -> BenchmarkDefinition:
        """A benchmark of the models that a file has answers of, on the examples of another file.

        Raises BadCompletions, or BadBenchmarkFile where the options (keys of a benchmark file) are wrong.
        """
        models = read_completion_file(path.expanduser()).answers
        content: dict[str, object] = {
            "name": re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._") or "imported",
            "test_set": TestSetDefinition(file=str(test_set.expanduser().absolute())).model_dump(exclude_defaults=True),
            "candidates": [CandidateDefinition(model=model).model_dump(exclude_defaults=True) for model in models],
        }
        return parse_definition(content | options, "completions import")

    def import_completions(self, path: Path, prepared: PreparedBenchmark) -> Imported:
        """Take in a file of answers to a test set and score them as runs of a benchmark, one for each model.

        Raises BadCompletions where an answer cannot be used; then nothing is imported.
        """
        examples = prepared.test_set.examples
        file = read_completion_file(path.expanduser().absolute())
        check_ids(file, [example.id for example in examples])
        results = [
            score_again(self._run(file, model, answers, prepared), prepared.test_set)
            for model, answers in file.answers.items()
        ]
        name = prepared.definition.name
        earlier = self._earlier(name)
        notes = [f"Fields that mean nothing here were passed over: {', '.join(file.ignored)}."] if file.ignored else []
        if earlier is not None and earlier.test_set_hash != prepared.test_set.content_hash:
            raise BadCompletions(
                f"The benchmark {name!r} exists with another version of its test set, so its runs would not be "
                "comparable. Import under another name with --name."
            )
        self._refuse_measured(name, file.answers)
        known = earlier.candidates if earlier is not None else ()
        self._store.save_benchmark(
            earlier.model_copy(update={"candidates": tuple(dict.fromkeys((*known, *file.answers)))})
            if earlier is not None
            else benchmark_record(prepared, tuple(file.answers))
        )
        for result in results:
            self._store.save_run(name, result)
        for model, answers in file.answers.items():
            missing = len(examples) - len(answers)
            if missing:
                notes.append(f"{model}: {missing} of {len(examples)} examples have no answer and count as skipped.")
        return Imported(
            benchmark=name, models={model: len(found) for model, found in file.answers.items()}, notes=tuple(notes)
        )

    def _refuse_measured(self, name: str, models: Iterable[str]) -> None:
        """Raises BadCompletions where a model's run was measured here: an import would replace more than it brings."""
        stored = {run.candidate for run in self._store.runs() if run.benchmark == name}
        for model in models:
            if model in stored and self._store.run_spec(name, model).candidate.engine != "imported":
                raise BadCompletions(
                    f"The benchmark {name!r} has a measured run of {model!r}, which an import would replace. "
                    "Import under another name with --name, or give the model another name in the file."
                )

    def _run(
        self, file: CompletionFile, model: str, answers: tuple[ImportedAnswer, ...], prepared: PreparedBenchmark
    ) -> RunResult:
        spec = RunSpec(
            candidate=self._candidate(model),
            options=ImportedOptions(file=file.path, sha256=file.sha256),
            test_set=prepared.test_set,
            workloads=(Workload(kind="accuracy"),),
            engine_version="not known",
            scorer_versions=scorer_versions(prepared.test_set),
            seed=prepared.definition.seed,
            workbench_version=__version__,
        )
        done = tuple(CompletionDone(completion=answer.completion()) for answer in answers)
        return RunResult(spec=spec, status="finished", completions=done)

    def _candidate(self, model: str) -> Candidate:
        try:
            known = self._models.index().find(model)
        except ModelNotFound:
            known = None
        return Candidate(
            name=model,
            model_id=model,
            weights_path="",
            weights_bytes=0,
            engine="imported",
            license=known.license if known is not None else None,
            license_name=known.license_name if known is not None else None,
            parameters=known.parameters if known is not None else None,
            notes=(_IMPORTED_NOTE,),
        )

    def _earlier(self, name: str) -> Benchmark | None:
        return next((benchmark for benchmark in self._store.benchmarks() if benchmark.name == name), None)

    def _keep_events(self, result: RunResult) -> None:
        """An event file under the run's new key, so that `bench --resume` finds what is done."""
        folder = self._settings.run_folder(result.spec.key)
        set_aside(folder)
        folder.path.mkdir(parents=True)
        folder.spec.write_text(result.spec.model_dump_json(), encoding="utf-8")
        events = EventWriter(folder.events)
        try:
            for event in events_of(result):
                events.write(event)
        finally:
            events.close()
        with folder.memory.open("w", encoding="utf-8") as memory:
            memory.writelines(sample.model_dump_json() + "\n" for sample in result.memory)


def _notes_on_rescoring(before: list[RunResult], after: list[RunResult]) -> tuple[str, ...]:
    notes = []
    for old, new in zip(before, after, strict=True):
        asked = {event.completion.example_id for event in new.completions if event.completion.workload == "accuracy"}
        missing = sum(example.id not in asked for example in new.spec.test_set.examples)
        left_out = len(old.completions) - len(new.completions)
        name = new.spec.candidate.name
        if new.status == "stopped":
            notes.append(f"{name} was stopped by its earlier scores; bench --resume asks it to the end.")
        if missing:
            notes.append(f"{name}: {missing} examples were never answered; bench --resume asks them.")
        if left_out:
            notes.append(f"{name}: {left_out} answers belong to examples that are gone and were left out.")
    return tuple(notes)
