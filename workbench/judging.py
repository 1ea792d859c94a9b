"""The service's part on judges: a candidate or endpoint grades the stored answers of a benchmark.

No run is done again. The judge runs in a worker of its own like any candidate; what it finished is kept, so that the
same command goes on where it stopped. Its grades become scores of the runs; how far they can be believed becomes a
report beside them.
"""

from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from results.judge_records import JudgeReport
from results.judging import (
    belief,
    first_shown,
    grade_agreements,
    graded_candidates,
    judged_pairs,
    longer_wins,
    pair_agreements,
    position_bias,
)
from results.store import Store
from runners.engine import engine_version
from runners.engine_options import EndpointOptions, is_remote
from runners.grading import grading_workload
from runners.process import read_result, run_in_worker
from runners.records import RunResult, RunSpec
from runners.scorer_options import JudgeOptions, JudgePairsOptions, PassOptions
from runners.test_set_records import TestSet, digest
from workbench import __version__
from workbench.benchmark_file import read_judge_file
from workbench.benchmark_runs import hold_device, set_aside
from workbench.candidates import candidate_name, resolve_candidate
from workbench.clock import now
from workbench.engine_environments import with_environment
from workbench.errors import BadBenchmarkFile
from workbench.jobs import Job, JobQueue
from workbench.judge_questions import (
    Answers,
    JudgeQuestions,
    answers_of,
    grade_scores,
    has_column,
    pair_scores,
)
from workbench.judge_records import JudgeDefinition, JudgePlan
from workbench.model_catalog import ModelCatalog
from workbench.progress import CandidateWatch, TimeLeft, requests_of
from workbench.records import CandidateProgress
from workbench.remote import secrets_of
from workbench.settings import Settings


class Judges:
    """Judges over one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog, jobs: JobQueue, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._jobs = jobs
        self._store = store
        self._runs: dict[str, JudgeRun] = {}

    def plan_file(self, benchmark: str, path: Path) -> JudgePlan:
        """Read a judge file and find the answers it is about. Raises BadBenchmarkFile and UnknownBenchmark."""
        path = path.expanduser().absolute()
        return self.plan(benchmark, read_judge_file(path), path.parent)

    def plan(self, benchmark: str, definition: JudgeDefinition, folder: Path) -> JudgePlan:
        """Find the answers that are judged; relative paths start at the folder. Raises as `plan_file`."""
        stored = self._store.benchmark(benchmark)
        having = [info.candidate for info in self._store.runs(benchmark) if info.completions]
        chosen = [name for name in stored.candidates if name in having]
        if definition.candidates:
            for name in definition.candidates:
                _check_name(name, chosen, benchmark)
            chosen = [name for name in chosen if name in definition.candidates]
        needed = 2 if definition.mode == "pairwise" else 1
        if len(chosen) < needed:
            raise BadBenchmarkFile(
                f"Judging {definition.mode} needs answers of {needed} or more candidates; {benchmark!r} has them of "
                f"{len(chosen)}. Run it first with: workbench bench."
            )
        for name in definition.human_grades:
            _check_name(name, chosen, benchmark)
        return JudgePlan(
            definition=definition,
            benchmark=stored,
            candidates=tuple(chosen),
            folder=str(folder),
            notes=_notes(definition, stored.test_set_name, len(chosen)),
        )

    def start(self, plan: JudgePlan) -> str:
        """Queue the work; returns the job's id at once."""
        work = JudgeRun(plan, self._settings, self._models, self._store)
        identity = self._jobs.submit(f"Judge {plan.benchmark.name}", work, step="compare").status().id
        self._runs[identity] = work
        return identity

    def report(self, job_id: str) -> JudgeReport:
        """What a finished job found. Raises UnknownJob."""
        self._jobs.job(job_id)
        found = self._runs[job_id].report
        if found is None:
            raise BadBenchmarkFile("The judge was stopped before it was done. The same command goes on from there.")
        return found

    def reports(self, benchmark: str) -> tuple[JudgeReport, ...]:
        """Reports whose answers still stand."""
        return self._store.judgings(benchmark)


class JudgeRun:
    """The work of one judging job."""

    def __init__(self, plan: JudgePlan, settings: Settings, models: ModelCatalog, store: Store) -> None:
        self._plan = plan
        self._settings = settings
        self._models = models
        self._store = store
        self.report: JudgeReport | None = None

    def __call__(self, job: Job) -> None:
        """Ask and store. Raises WorkbenchError where the judge cannot be prepared or says nothing."""
        definition = self._plan.definition
        name = candidate_name(definition.judge)
        job.update(candidates=(CandidateProgress(name=name),), message="Reading the stored answers")
        benchmark = self._plan.benchmark.name
        runs = {each: self._store.run_result(benchmark, each) for each in self._plan.candidates}
        test_set = _common_test_set(runs)
        for column in definition.human_grades.values():
            if not has_column(test_set, column):
                raise BadBenchmarkFile(
                    f"human_grades names the column {column!r}, which the test set does not have. Name it under "
                    "test_set.columns.slices of the benchmark, so that it is kept, and run the benchmark again."
                )
        answers: Answers = {each: answers_of(result) for each, result in runs.items()}
        questions = JudgeQuestions(definition, test_set, answers)
        if not questions.conversations:
            raise BadBenchmarkFile(f"The runs of {benchmark!r} hold no answers that a judge could read.")
        with hold_device(job, self._settings):
            if job.is_cancelled():
                return
            spec = self._spec(questions)
            job.update_candidate(name, state="waiting", stage="", total=sum(requests_of(spec).values()))
            result = self._ask(job, spec)
        if result.status != "cancelled":
            replies = {e.completion.request_id: e.completion.text for e in result.completions}
            self._keep(questions, answers, replies, spec)

    def _spec(self, questions: JudgeQuestions) -> RunSpec:
        definition = self._plan.definition
        judge = definition.judge
        options = with_environment(judge.options, self._settings)
        return RunSpec(
            candidate=resolve_candidate(judge, Path(self._plan.folder), self._settings, self._models.index()),
            options=options,
            test_set=TestSet(name="judge", labels=(), examples=(), scorers=()),
            workloads=(grading_workload(definition.rules, questions.conversations),),
            engine_version=engine_version(judge.engine, options),
            scorer_versions={},
            seed=definition.seed,
            workbench_version=__version__,
        )

    def _ask(self, job: Job, spec: RunSpec) -> RunResult:
        """Replies that an earlier start left behind, else those of a worker."""
        name, folder = spec.candidate.name, self._settings.run_folder(f"judge-{spec.key}")
        if read_result(spec, folder).status == "finished" and spec.candidate.weights_sha256 is None:
            # What a server holds may have changed since.
            set_aside(folder)
        job.update(message=f"Asking {name}")
        watch = CandidateWatch(job, spec, TimeLeft((spec,)))
        earlier = read_result(spec, folder)
        result = (
            earlier
            if earlier.status == "finished"
            else run_in_worker(
                spec, folder, on_event=watch, is_cancelled=job.is_cancelled, secrets=secrets_of(spec.options)
            )
        )
        if result.status in {"failed", "incomplete"}:
            failure = result.failures[-1].failure if result.failures else None
            reason = f"{failure.message} {failure.hint}" if failure is not None else "It gave no reason."
            raise BadBenchmarkFile(
                f"The judge {name} stopped after {len(result.completions)} of {len(spec.workloads[0].conversations)} "
                f"questions: {reason} The same command goes on from there."
            )
        job.update_candidate(name, state=result.status, stage=result.status)
        return result

    def _keep(self, questions: JudgeQuestions, answers: Answers, replies: dict[str, str], spec: RunSpec) -> None:
        definition = self._plan.definition
        judge, rules = spec.candidate.model_id, digest(definition.rules.model_dump(mode="json"))
        options: PassOptions = JudgeOptions(judge=judge, rules=rules)
        if definition.mode == "pairwise":
            options = JudgePairsOptions(judge=judge, rules=rules, candidates=tuple(answers))
            found = pair_scores(questions.compared(replies), answers, options.name)
        else:
            found = grade_scores(questions.graded(replies), answers, options.name)
        self.report = self._report(questions, replies, spec, options.name)
        for candidate, scores in found.items():
            self._store.save_pass(self._plan.benchmark.name, candidate, options, scores)
        self._store.save_judging(self.report)

    def _report(self, questions: JudgeQuestions, replies: dict[str, str], spec: RunSpec, scorer: str) -> JudgeReport:
        definition = self._plan.definition
        empty = JudgeReport(
            benchmark=self._plan.benchmark.name,
            name=scorer,
            judge=spec.candidate.name,
            model_id=spec.candidate.model_id,
            mode=definition.mode,
            lowest=definition.lowest,
            highest=definition.highest,
            made_at=now(),
            questions=len(questions.conversations),
            unread=questions.unread(replies),
            min_kappa=definition.min_kappa,
            notes=_own_answers(definition, self._plan.candidates),
        )
        known = "the first scorer"
        if definition.mode == "rubric":
            graded = questions.graded(replies)
            agreements = grade_agreements(graded, known)
            changes: dict[str, object] = {"candidates": graded_candidates(graded)}
        else:
            compared = questions.compared(replies)
            agreements = pair_agreements(compared, known)
            changes = {
                "pairs": judged_pairs(compared),
                "position_bias": position_bias(compared),
                "first_shown": first_shown(compared),
                "longer_wins": longer_wins(compared),
            }
        warning = belief(agreements, definition.min_kappa)
        return empty.model_copy(update={**changes, "agreements": agreements, "warning": warning})


def _common_test_set(runs: dict[str, RunResult]) -> TestSet:
    """The test set of all runs; those of another version cannot be judged together."""
    test_sets = {result.spec.test_set.content_hash: result.spec.test_set for result in runs.values()}
    if len(test_sets) > 1:
        raise BadBenchmarkFile(
            "The candidates were run on different versions of the test set. Run the benchmark again, or name the "
            "candidates of one version under `candidates`."
        )
    return next(iter(test_sets.values()))


def _check_name(name: str, known: list[str], benchmark: str) -> None:
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(known) or 'none'}."
        raise BadBenchmarkFile(f"The benchmark {benchmark!r} has no answers of a candidate {name!r}. {hint}")


def _notes(definition: JudgeDefinition, test_set: str, candidates: int) -> tuple[str, ...]:
    options = definition.judge.options
    if not isinstance(options, EndpointOptions) or not options.allow_remote or not is_remote(options):
        return ()
    host = urlsplit(options.base_url).hostname
    return (
        f"Examples of {test_set}, their right answers and the answers of {candidates} candidates will leave this "
        f"machine for {host}.",
    )


def _own_answers(definition: JudgeDefinition, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Judges prefer their own answers (Panickssery et al. 2024, arXiv:2404.13076)."""
    name = candidate_name(definition.judge)
    if name not in candidates:
        return ()
    return (f"{name} judges its own answers as well, which judges are known to prefer.",)
