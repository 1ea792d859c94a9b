"""The service's part on parity: one model on two engines or quantizations, asked the same examples, held together.

Each side is an ordinary run in a worker of its own; nothing goes into the results file, because a check of a setting is
no result of a benchmark. What a side left behind is used again as long as it is known to be the same work.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from catalog.gguf_file import read_gguf
from catalog.records import Candidate
from results.parity import AT_LEAST, compare_runs
from results.parity_records import ParityReport
from runners.engine import engine_version
from runners.process import read_result, run_in_worker
from runners.records import RunResult, RunSpec, Workload
from runners.scorers.registry import scorer_versions
from runners.test_set_records import Example, TestSet
from workbench import __version__
from workbench.benchmark_runs import hold_device, set_aside
from workbench.candidates import candidate_name, resolve_candidate
from workbench.errors import BadBenchmarkFile
from workbench.jobs import Job, JobQueue
from workbench.model_catalog import ModelCatalog
from workbench.progress import CandidateWatch, TimeLeft, requests_of
from workbench.records import CandidateDefinition, CandidateProgress, PreparedBenchmark
from workbench.remote import notes_on_leaving, secrets_of
from workbench.settings import Settings


class Parities:
    """Parity checks over one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog, jobs: JobQueue) -> None:
        self._settings = settings
        self._models = models
        self._jobs = jobs
        self._runs: dict[str, ParityRun] = {}

    def plan(
        self,
        prepared: PreparedBenchmark,
        names: Sequence[str],
        *,
        examples: int | None = None,
        concurrency: int | None = None,
    ) -> PreparedBenchmark:
        """The benchmark narrowed to what is asked: two candidates, accuracy, so many examples. Raises BadBenchmarkFile.

        Examples are taken at even distances, because files are often sorted by label.
        """
        chosen = tuple(_named(prepared, name) for name in names)
        if names[0] == names[1]:
            raise BadBenchmarkFile(f"{names[0]!r} cannot be held against itself. Name two candidates of the file.")
        if concurrency is not None:
            chosen = _at_concurrency(chosen, concurrency)
        asked = [workload for workload in prepared.definition.workloads if workload.kind == "accuracy"]
        workload = (asked[0] if asked else Workload(kind="accuracy")).model_copy(update={"temperature": 0.0})
        definition = prepared.definition.model_copy(update={"candidates": chosen, "workloads": (workload,)})
        test_set = prepared.test_set.model_copy(update={"examples": _spread(prepared.test_set, examples)})
        notes = notes_on_leaving(definition, test_set)
        return prepared.model_copy(update={"definition": definition, "test_set": test_set, "notes": notes})

    def start(self, plan: PreparedBenchmark) -> str:
        """Queue the check; returns the job's id at once."""
        work = ParityRun(plan, self._settings, self._models)
        identity = self._jobs.submit(f"Parity {plan.definition.name}", work).status().id
        self._runs[identity] = work
        return identity

    def report(self, job_id: str, *, at_least: float = AT_LEAST) -> ParityReport:
        """What the check of a finished job found. Raises UnknownJob."""
        self._jobs.job(job_id)
        first, second = self._runs[job_id].results
        return compare_runs(first, second, at_least)


class ParityRun:
    """The work of one parity job."""

    def __init__(self, plan: PreparedBenchmark, settings: Settings, models: ModelCatalog) -> None:
        self._plan = plan
        self._settings = settings
        self._models = models
        self._folder = Path(plan.source).parent if plan.source else settings.home
        self.results: tuple[RunResult, ...] = ()

    def __call__(self, job: Job) -> None:
        """Run both sides, one after the other. Raises WorkbenchError where one cannot be prepared or gave nothing."""
        definitions = self._plan.definition.candidates
        names = [candidate_name(definition) for definition in definitions]
        job.update(candidates=tuple(CandidateProgress(name=name) for name in names))
        with hold_device(job, self._settings):
            if job.is_cancelled():
                return
            specs = tuple(self._spec(job, definition) for definition in definitions)
            _check_same_model(specs)
            time_left = TimeLeft(specs)
            self.results = tuple(self._side(job, spec, time_left) for spec in specs)

    def _spec(self, job: Job, definition: CandidateDefinition) -> RunSpec:
        name = candidate_name(definition)
        job.update(message=f"Preparing {name}")
        job.update_candidate(name, state="preparing", stage="looking for the weights")
        test_set = self._plan.test_set
        spec = RunSpec(
            candidate=resolve_candidate(definition, self._folder, self._settings, self._models.index()),
            options=definition.options,
            test_set=test_set,
            workloads=self._plan.definition.workloads,
            engine_version=engine_version(definition.engine),
            scorer_versions=scorer_versions(test_set),
            seed=self._plan.definition.seed,
            workbench_version=__version__,
            keeps_prompts=True,
        )
        job.update_candidate(name, state="waiting", stage="", total=sum(requests_of(spec).values()))
        return spec

    def _side(self, job: Job, spec: RunSpec, time_left: TimeLeft) -> RunResult:
        """One side: what an earlier run finished, else a run in a worker."""
        name, folder = spec.candidate.name, self._settings.run_folder(spec.key)
        earlier = read_result(spec, folder)
        if earlier.status == "finished":
            if spec.candidate.weights_sha256 is not None:
                total = sum(requests_of(spec).values())
                job.update_candidate(name, state="finished", stage="an earlier run", done=total)
                time_left.give_up(name)
                return earlier
            # What a server holds may have changed since, and that is what one wants to see.
            set_aside(folder)
        job.update(message=f"Asking {name}")
        watch = CandidateWatch(job, spec, time_left)
        result = run_in_worker(
            spec, folder, on_event=watch, is_cancelled=job.is_cancelled, secrets=secrets_of(spec.options)
        )
        time_left.give_up(name)
        if result.status != "cancelled" and not result.completions:
            failure = result.failures[-1].failure if result.failures else None
            reason = f"{failure.message} {failure.hint}" if failure is not None else "It gave no reason."
            raise BadBenchmarkFile(f"{name} answered no example: {reason}")
        state = "failed" if result.status in {"failed", "incomplete"} else result.status
        job.update_candidate(name, state=state, stage=result.status)
        return result


def _named(prepared: PreparedBenchmark, name: str) -> CandidateDefinition:
    by_name = {candidate_name(candidate): candidate for candidate in prepared.definition.candidates}
    if name not in by_name:
        close = get_close_matches(name, by_name, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(by_name)}."
        raise BadBenchmarkFile(f"{prepared.source or 'The benchmark'} has no candidate {name!r}. {hint}")
    return by_name[name]


def _at_concurrency(candidates: tuple[CandidateDefinition, ...], concurrency: int) -> tuple[CandidateDefinition, ...]:
    """The candidates with another number of requests at once, where their engine has that option."""
    has_it = ["concurrency" in type(candidate.options).model_fields for candidate in candidates]
    if not any(has_it):
        raise BadBenchmarkFile(
            "--concurrency is for engines that answer several requests at once; neither candidate runs on one. "
            "Leave it out."
        )
    try:
        return _with_concurrency(candidates, has_it, concurrency)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise BadBenchmarkFile(
            f"--concurrency {concurrency} is out of range for one of the engines: {reason}."
        ) from error


def _with_concurrency(
    candidates: tuple[CandidateDefinition, ...], has_it: Sequence[bool], concurrency: int
) -> tuple[CandidateDefinition, ...]:
    """As if it had been written in the file."""
    return tuple(
        CandidateDefinition.model_validate(
            candidate.model_dump() | {"options": candidate.options.model_dump() | {"concurrency": concurrency}}
        )
        if has
        else candidate
        for candidate, has in zip(candidates, has_it, strict=True)
    )


def _spread(test_set: TestSet, count: int | None) -> tuple[Example, ...]:
    examples = test_set.examples
    if count is None or count >= len(examples):
        return examples
    return tuple(examples[number * len(examples) // count] for number in range(count))


def _check_same_model(specs: tuple[RunSpec, ...]) -> None:
    first, second = (spec.candidate for spec in specs)
    if specs[0].key == specs[1].key:
        raise BadBenchmarkFile(
            f"{first.name} and {second.name} are the same weights with the same options: there is nothing to compare."
        )
    reason = _different_models(first, second)
    if reason is not None:
        raise BadBenchmarkFile(
            f"{first.name} and {second.name} are different models ({reason}). Parity compares one model on two "
            "engines or in two quantizations; for different models there is `workbench compare`."
        )


def _different_models(first: Candidate, second: Candidate) -> str | None:
    """Why two files cannot hold one model; None where they can. Of what a server holds only its name is known."""
    paths = [Path(candidate.weights_path) for candidate in (first, second)]
    # A folder of safetensors tells its shape elsewhere; that it is the same model is then the user's word.
    if not all(path.is_file() for path in paths):
        return None
    ours, theirs = (read_gguf(path).architecture for path in paths)
    for name, one, other in (
        ("networks of kind", ours.name, theirs.name),
        ("layers:", ours.layers, theirs.layers),
        ("hidden size:", ours.hidden_size, theirs.hidden_size),
        ("vocabulary:", ours.vocabulary_size, theirs.vocabulary_size),
    ):
        if one != other:
            return f"{name} {one} and {other}"
    return None
