"""The work of a list of prompts: candidate after candidate answers what is missing, in one worker each.

What is answered is kept at once, so that a list that was cancelled or killed goes on where it stopped.
"""

from collections.abc import Callable, Sequence

from catalog.errors import WorkbenchError
from results.head_to_head_records import BatchCandidate, RoundAnswer
from runners.process import run_in_worker
from runners.records import CompletionDone, FailureHappened, MemorySample, RunEvent, RunSpec
from workbench.benchmark_runs import hold_device, set_aside
from workbench.head_to_head.asking import outcome_of
from workbench.jobs import Job
from workbench.records import CandidateProgress
from workbench.remote import secrets_of
from workbench.settings import Settings


class Part:
    """What one candidate has to answer with one seed."""

    def __init__(self, candidate: BatchCandidate, answers: Sequence[RoundAnswer]) -> None:
        self.candidate = candidate
        self.answers = {answer.round_id: answer for answer in answers}


class BatchWork:
    """Answers the parts of a batch one after the other. Called as the work of a job."""

    def __init__(
        self,
        parts: Sequence[Part],
        settings: Settings,
        make_spec: Callable[[Part], RunSpec],
        keep: Callable[[RoundAnswer], None],
        *,
        when_done: Callable[[], None],
    ) -> None:
        """when_done is called when every part was worked through, also where answers failed."""
        self._parts = parts
        self._settings = settings
        self._make_spec = make_spec
        self._keep = keep
        self._when_done = when_done

    def __call__(self, job: Job) -> None:
        """Ask what is missing."""
        # By number: the sidebar must not tell who is at work while names are hidden.
        names = [f"Part {number}" for number in range(1, len(self._parts) + 1)]
        totals = zip(names, self._parts, strict=True)
        job.update(candidates=tuple(CandidateProgress(name=name, total=len(part.answers)) for name, part in totals))
        with hold_device(job, self._settings):
            for name, part in zip(names, self._parts, strict=True):
                if job.is_cancelled():
                    return
                self._answer(job, name, part)
        if not job.is_cancelled():
            self._when_done()

    def _answer(self, job: Job, name: str, part: Part) -> None:
        job.update_candidate(name, state="preparing")
        try:
            spec = self._make_spec(part)
        except WorkbenchError as error:
            self._fail(part, str(error))
            job.update_candidate(name, state="failed", stage="cannot be prepared")
            return
        folder = self._settings.run_folder(f"head-to-head-{spec.key}")
        set_aside(folder)

        def listen(event: RunEvent | MemorySample) -> None:
            if isinstance(event, CompletionDone):
                answer = part.answers.pop(event.completion.request_id)
                self._keep(answer.model_copy(update=outcome_of(event.completion)))
                job.update_candidate(name, done=job.candidate(name).done + 1, state="running")
            elif isinstance(event, FailureHappened) and event.failure.request_id in part.answers:
                answer = part.answers.pop(event.failure.request_id)
                self._keep(answer.model_copy(update={"state": "failed", "failure": event.failure.message}))

        secrets = secrets_of(spec.options)
        result = run_in_worker(spec, folder, on_event=listen, is_cancelled=job.is_cancelled, secrets=secrets)
        if result.status in {"failed", "incomplete"}:
            failure = result.failures[-1].failure if result.failures else None
            self._fail(part, f"{failure.message} {failure.hint}" if failure is not None else "Its worker ended early.")
        job.update_candidate(name, state=result.status)

    def _fail(self, part: Part, reason: str) -> None:
        for answer in part.answers.values():
            self._keep(answer.model_copy(update={"state": "failed", "failure": reason}))
        part.answers.clear()
