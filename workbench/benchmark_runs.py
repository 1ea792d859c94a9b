"""Runs a prepared benchmark: resolve each candidate, one worker after the other, store what each leaves behind.

A candidate that cannot be prepared or fails becomes a stored failure; the others go on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.errors import WorkbenchError
from catalog.index import Index
from catalog.records import Candidate
from results.conclusions import stopped_early
from results.records import Benchmark
from results.shortlist_records import Funnel
from results.store import Store
from runners.engine import engine_version
from runners.machine import probe_machine
from runners.process import RunFolder, read_result, run_in_worker
from runners.records import Failure, FailureHappened, MemorySample, RunEvent, RunResult, RunSpec
from runners.scorers.registry import scorer_versions
from workbench import __version__
from workbench.benchmark_file import render_benchmark
from workbench.candidates import PlannedRun, candidate_name, planned_runs, resolve_candidate
from workbench.clock import now
from workbench.early_stopping import EarlyStops, Race, workloads_in_random_order
from workbench.engine_environments import with_environment
from workbench.errors import BadBenchmarkFile
from workbench.jobs import Job
from workbench.progress import CandidateWatch, TimeLeft, requests_of
from workbench.records import CandidateProgress, PreparedBenchmark
from workbench.remote import secrets_of
from workbench.settings import Settings
from workbench.shortlists import recorded_funnel

LOCK_POLL_SECONDS = 0.5
"""Between two tries to get the device."""


class BenchmarkRun:
    """The work of one benchmark job."""

    def __init__(
        self,
        prepared: PreparedBenchmark,
        settings: Settings,
        index: Index,
        store: Store,
        *,
        resume: bool,
        predicted: Mapping[str, int] | None = None,
    ) -> None:
        """`predicted`: bytes of memory by candidate's name, to be shown beside what is measured."""
        self._prepared = prepared
        self._settings = settings
        self._index = index
        self._store = store
        self._resume = resume
        self._predicted = predicted or {}
        self._folder = Path(prepared.source).parent if prepared.source else settings.home

    def keep_waiting(self) -> None:
        """Store the benchmark before its turn comes: the queue is lost when the app stops, and what waits there is not.

        One that is stored already stays as it is until it begins. Raises BadBenchmarkFile as the work itself would.
        """
        names = self._names()
        self._early_stops(len(names))
        if all(each.name != self._prepared.definition.name for each in self._store.benchmarks()):
            record = benchmark_record(self._prepared, names)
            self._store.save_benchmark(record.model_copy(update={"machine": None, "funnel": self._funnel()}))

    def __call__(self, job: Job) -> None:
        """Do the work. Raises WorkbenchError only where nothing of it can be done."""
        planned, names = planned_runs(self._prepared.definition), self._names()
        stops = self._early_stops(len(names))
        job.update(
            candidates=tuple(
                CandidateProgress(name=name, predicted_memory_bytes=self._predicted.get(name)) for name in names
            )
        )
        record = benchmark_record(self._prepared, (*names, *self._imported(names)))
        self._store.save_benchmark(record.model_copy(update={"funnel": self._funnel()}))
        with hold_device(job, self._settings):
            specs = [spec for run in planned if (spec := self._spec(job, run)) is not None]
            time_left = TimeLeft(specs)
            for spec in specs:
                if job.is_cancelled():
                    job.update_candidate(spec.candidate.name, state="cancelled", stage="")
                    continue
                job.update(message=f"Measuring {spec.candidate.name}")
                job.update_candidate(spec.candidate.name, state="loading", stage="starting")
                self._measure(job, spec, time_left, stops)
        if not job.is_cancelled() and all(c.state == "failed" for c in job.status().candidates):
            raise BadBenchmarkFile(_all_failed(job))

    def _names(self) -> tuple[str, ...]:
        """Candidates by name, each with every prompt. Raises BadBenchmarkFile where a name stands twice."""
        names = tuple(candidate_name(run.candidate) for run in planned_runs(self._prepared.definition))
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise BadBenchmarkFile(f"Two candidates are called {doubled!r}. Give each a name of its own.")
        return names

    def _spec(self, job: Job, planned: PlannedRun) -> RunSpec | None:
        """The run of one candidate; None, with the failure stored, where it cannot be prepared."""
        definition = planned.candidate
        name = candidate_name(definition)
        if job.is_cancelled():
            return None
        job.update(message=f"Preparing {name}")
        job.update_candidate(name, state="preparing", stage="looking for the weights")
        try:
            spec = self._make_spec(planned, resolve_candidate(definition, self._folder, self._settings, self._index))
        except WorkbenchError as error:
            failure = Failure(
                stage="prepare",
                kind="unavailable",
                message=str(error),
                hint="Mend it and run again with bench --resume; the other candidates are kept.",
            )
            job.update_candidate(name, state="failed", stage="cannot be prepared", failures=(failure,))
            missing = Candidate(
                name=name, model_id=definition.model, weights_path="", weights_bytes=0, engine=definition.engine,
                quantization=definition.quantization,
            )  # fmt: skip
            result = RunResult(
                spec=self._make_spec(planned, missing, engine="not installed"),
                status="failed",
                failures=(FailureHappened(failure=failure),),
            )
            self._store.save_run(self._prepared.definition.name, result)
            return None
        job.update_candidate(name, state="waiting", stage="", total=sum(requests_of(spec).values()))
        return spec

    def _make_spec(self, planned: PlannedRun, candidate: Candidate, engine: str | None = None) -> RunSpec:
        benchmark, test_set = self._prepared.definition, self._prepared.test_set
        definition = planned.candidate
        options = with_environment(definition.options, self._settings)
        return RunSpec(
            candidate=candidate,
            options=options,
            test_set=test_set,
            workloads=workloads_in_random_order(benchmark.workloads, benchmark.early_stopping),
            engine_version=engine or engine_version(definition.engine, options),
            scorer_versions=scorer_versions(test_set),
            seed=benchmark.seed,
            workbench_version=__version__,
            prompt=planned.prompt.template if planned.prompt is not None else None,
            prompt_name=planned.prompt.name if planned.prompt is not None else None,
        )

    def _is_stored(self, result: RunResult) -> bool:
        """Whether a resumed run had nothing to do: saving it again would drop what judges said of its answers."""
        name, candidate = self._prepared.definition.name, result.spec.candidate.name
        known = {(run.candidate, run.key, run.status, run.completions) for run in self._store.runs(name)}
        return self._resume and (candidate, result.spec.key, result.status, len(result.completions)) in known

    def _imported(self, names: Sequence[str]) -> tuple[str, ...]:
        """Candidates whose answers were made elsewhere: they stand in no file, and stay."""
        name = self._prepared.definition.name
        kept = [run.candidate for run in self._store.runs() if run.benchmark == name and run.candidate not in names]
        return tuple(each for each in kept if self._store.run_spec(name, each).candidate.engine == "imported")

    def _funnel(self) -> Funnel | None:
        """How the candidates were chosen, as far as it is known here."""
        definition = self._prepared.definition
        stored = self._store.benchmarks() if definition.shortlist is not None else ()
        earlier = next((each for each in stored if each.name == definition.name), None)
        return recorded_funnel(self._store, definition.shortlist, earlier)

    def _early_stops(self, candidates: int) -> EarlyStops | None:
        """Who may be stopped early; None where nobody asked for it. Raises BadBenchmarkFile where it cannot be."""
        definition = self._prepared.definition
        if definition.early_stopping is None:
            return None
        margin = definition.requirements.margin
        return EarlyStops(definition.early_stopping, self._prepared.test_set, candidates, margin)

    def _race(self, spec: RunSpec, folder: RunFolder, stops: EarlyStops | None) -> Race | None:
        """What may end a run before it is finished. Who was stopped and is resumed is asked to the end."""
        if stops is None:
            return None
        if not self._resume:
            return stops.race(spec)
        stored = self._store.runs(self._prepared.definition.name)
        if any(run.status == "stopped" and run.candidate == spec.candidate.name for run in stored):
            return None
        done = read_result(spec, folder)
        # What it would save has been asked already.
        return None if done.status == "finished" else stops.race(spec, done)

    def _measure(self, job: Job, spec: RunSpec, time_left: TimeLeft, stops: EarlyStops | None) -> None:
        name = spec.candidate.name
        folder = self._settings.run_folder(spec.key)
        if not self._resume:
            set_aside(folder)
        watch, race = CandidateWatch(job, spec, time_left), self._race(spec, folder, stops)

        def listen(event: RunEvent | MemorySample) -> None:
            watch(event)
            if race is not None:
                race(event)

        result = run_in_worker(
            spec,
            folder,
            on_event=listen,
            is_cancelled=lambda: job.is_cancelled() or (race is not None and race.stop is not None),
            secrets=secrets_of(spec.options),
        )
        if stops is not None and not job.is_cancelled():
            result = stops.finish(result, race)
        time_left.give_up(name)
        if not self._is_stored(result):
            self._store.save_run(self._prepared.definition.name, result)
        state = "failed" if result.status in {"failed", "incomplete"} else result.status
        job.update_candidate(name, state=state, stage=_summary(result), remaining_seconds=None)


def benchmark_record(prepared: PreparedBenchmark, candidates: tuple[str, ...]) -> Benchmark:
    """The benchmark as it is stored, with these candidates."""
    definition, test_set = prepared.definition, prepared.test_set
    return Benchmark(
        name=definition.name,
        created_at=now(),
        test_set_name=test_set.name,
        test_set_hash=test_set.content_hash,
        task=definition.task,
        labels=test_set.labels,
        examples=len(test_set.examples),
        candidates=candidates,
        workloads=definition.workloads,
        seed=definition.seed,
        requirements=definition.requirements,
        source=prepared.source,
        definition=prepared.text or render_benchmark(definition),
        machine=probe_machine(),
    )


class hold_device:  # noqa: N801  reads as a statement: with hold_device(...)
    """Wait for the device and hold it: runs of two workbenches on one machine would measure each other."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self._job = job
        self._lock = FileLock(settings.device_lock_path)

    def __enter__(self) -> None:
        """Wait, saying so, until the device is free or the job is cancelled."""
        while not self._job.is_cancelled():
            try:
                self._lock.acquire(timeout=LOCK_POLL_SECONDS)
            except Timeout:
                self._job.update(state="queued", message="Waiting: another workbench is measuring on this machine")
                continue
            self._job.update(state="running", message="")
            return

    def __exit__(self, *_: object) -> None:
        """Give the device back."""
        self._lock.release()


def set_aside(folder: RunFolder) -> None:
    """Keep what an earlier run left behind under another name, so that a fresh run never destroys it."""
    if not folder.path.exists():
        return
    number = 1
    while (target := folder.path.with_name(f"{folder.path.name}.{number}")).exists():
        number += 1
    folder.path.rename(target)


def _summary(result: RunResult) -> str:
    if result.status == "finished":
        return "finished"
    if result.stopped is not None:
        return stopped_early(result.spec.candidate.name, result.stopped)
    last = result.failures[-1].failure.message if result.failures else "stopped before it was finished"
    return last if result.status != "cancelled" else "cancelled; what was finished is kept"


def _all_failed(job: Job) -> str:
    lines = ["No candidate could be measured:"]
    for candidate in job.status().candidates:
        reason = candidate.failures[-1].message if candidate.failures else candidate.stage
        lines.append(f"  {candidate.name}: {reason}")
    return "\n".join(lines)
