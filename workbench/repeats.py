"""Runs a benchmark again from its JSON report, and holds what comes out against what the report says.

A report names files without their folders, so that it can be handed on: they are looked for beside it and in the
folders that the person names. Their content is checked afterwards, by the digests that the report carries.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog.records import Record
from results.records import Benchmark, BenchmarkComparison
from results.repetition import Reported
from results.requirement_records import Requirements
from results.store import Store
from runners.scorer_options import ScorerOptions
from runners.text_scorer_options import PythonOptions
from workbench.benchmark_file import parse_benchmark
from workbench.errors import BadReport
from workbench.records import BenchmarkDefinition, CandidateDefinition
from workbench.settings import DEMO_FOLDER, Settings

_FORMAT = 1
"""Version of the JSON report that is understood."""
_MODEL_ENDINGS = (".gguf", ".safetensors")


class ReadReport(Record):
    """What of a JSON report is needed to repeat it."""

    comparison: BenchmarkComparison
    """What was measured."""
    winner: str | None
    """What was recommended."""
    requirements: Requirements
    """Under what it was recommended."""
    workbench_version: str
    """Version that wrote it."""

    @property
    def reported(self) -> Reported:
        """One side of a repetition."""
        return Reported(self.comparison, self.winner, self.workbench_version)


class Repeats:
    """Repetitions in one data directory."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def read(self, path: Path) -> ReadReport:
        """A JSON report. Raises BadReport."""
        content = _content(path)
        try:
            return ReadReport(
                comparison=BenchmarkComparison.model_validate(content["comparison"]),
                winner=content["recommendation"]["winner"],
                requirements=Requirements.model_validate(content["recommendation"]["requirements"]),
                workbench_version=str(content["workbench_version"]),
            )
        except (ValidationError, KeyError, TypeError) as error:
            writer = content.get("workbench_version", "another version")
            raise BadReport(
                f"{path} was written by Open Model Workbench {writer} and has fields that this version does not "
                f"understand ({_first(error)}). Repeat it with the version that wrote it."
            ) from error

    def definition(self, path: Path, folders: Sequence[Path] = (), name: str | None = None) -> BenchmarkDefinition:
        """The benchmark of a report under a new name, with its files found. Raises BadReport, BadBenchmarkFile."""
        benchmark = self.read(path).comparison.benchmark
        if not benchmark.definition:
            raise BadReport(f"{path} carries no benchmark file, because the benchmark was imported without one.")
        definition = parse_benchmark(benchmark.definition, f"the benchmark file in {path.name}")
        # Whoever is handed the demo's report has its files too.
        places = (*folders, path.absolute().parent, Path.cwd(), *self._folders_of(benchmark), DEMO_FOLDER)
        found = _with_files(definition, places)
        return found.model_copy(update={"name": name or self._free_name(benchmark.name)})

    def _folders_of(self, benchmark: Benchmark) -> Iterator[Path]:
        """Folders of the benchmark files stored here that used the same examples."""
        for stored in self._store.benchmarks():
            if stored.test_set_hash == benchmark.test_set_hash and stored.definition:
                file = parse_benchmark(stored.definition, stored.name).test_set.file
                source = Path(stored.source or self._settings.benchmarks_folder / "none").parent
                yield (source / file).parent if file else source

    def _free_name(self, base: str) -> str:
        taken = {benchmark.name for benchmark in self._store.benchmarks()}
        return next(name for number in range(1, 10_000) if (name := f"{base}-repeat-{number}") not in taken)


def _content(path: Path) -> dict[str, Any]:
    """The records in a JSON report."""
    advice = "A report that can be repeated is written by: workbench report BENCHMARK --output report.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadReport(f"The report {path} cannot be read: {error.strerror}. Name another file.") from error
    except ValueError as error:  # of JSON, and of text that is not UTF-8
        raise BadReport(f"{path} is no JSON. {advice}") from error
    if not isinstance(document, dict) or not isinstance(document.get("content"), dict):
        raise BadReport(f"{path} is JSON, but no report. {advice}")
    if document.get("schema_version") != _FORMAT:
        raise BadReport(
            f"{path} has version {document.get('schema_version')!r} of the report's format; this version of the "
            f"workbench reads {_FORMAT}. Repeat it with the version that wrote it."
        )
    content: dict[str, Any] = document["content"]
    return content


def _with_files(definition: BenchmarkDefinition, places: Sequence[Path]) -> BenchmarkDefinition:
    """The definition with absolute paths. Raises BadReport where one is nowhere that is no model."""
    test_set = definition.test_set
    files = {field: str(_find(value, places)) for field in ("file", "few_shot") if (value := getattr(test_set, field))}
    changes: dict[str, Any] = {
        "test_set": test_set.model_copy(update=files),
        "candidates": tuple(_with_weights(candidate, places) for candidate in definition.candidates),
    }
    if definition.scorers is not None:
        changes["scorers"] = tuple(_with_function(scorer, places) for scorer in definition.scorers)
    return definition.model_copy(update=changes)


def _with_weights(candidate: CandidateDefinition, places: Sequence[Path]) -> CandidateDefinition:
    """A candidate whose weights are a file, with its path where it is found; the run says it where it is not."""
    if not candidate.model.lower().endswith(_MODEL_ENDINGS):
        return candidate
    found = next(_candidates_for(candidate.model, places), None)
    return candidate if found is None else candidate.model_copy(update={"model": str(found)})


def _with_function(scorer: ScorerOptions, places: Sequence[Path]) -> ScorerOptions:
    """A scorer of one's own with the path of its file. Raises BadReport where that is nowhere."""
    if not isinstance(scorer, PythonOptions):
        return scorer
    file = scorer.function.rpartition(":")[0]
    # The function stays as it is written, because it is a part of what names the test set.
    return scorer.model_copy(update={"path": str(_find(file, places))}) if file.endswith(".py") else scorer


def _find(value: str, places: Sequence[Path]) -> Path:
    found = next(_candidates_for(value, places), None)
    if found is None:
        searched = ", ".join(dict.fromkeys(str(place) for place in places))
        raise BadReport(
            f"The report's file {Path(value).name} is not here. Put it beside the report, or name its folder with "
            f"--files DIR. Searched: {searched}."
        )
    return found


def _candidates_for(value: str, places: Sequence[Path]) -> Iterator[Path]:
    """Where the file may be, as far as it is there."""
    asked = Path(value).expanduser()
    options = [asked] if asked.is_absolute() else []
    options += [place / part for place in places for part in dict.fromkeys((asked, Path(asked.name)))]
    return (option.absolute() for option in options if option.exists())


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
