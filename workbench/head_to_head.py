"""One prompt to several candidates, answers while they are written.

Quick looks, not measurements: nothing is stored but the votes that people cast.
"""

import threading
from pathlib import Path

from catalog.errors import WorkbenchError
from catalog.index import Index
from runners.engine import engine_version
from runners.process import run_in_worker
from runners.records import (
    ChunkArrived,
    CompletionDone,
    Conversation,
    FailureHappened,
    MemorySample,
    Message,
    ModelLoaded,
    RunEvent,
    RunSpec,
    RunStarted,
    Workload,
)
from runners.test_set_records import TestSet
from workbench.benchmark_runs import hold_device, set_aside
from workbench.candidates import candidate_name, resolve_candidate
from workbench.engine_environments import with_environment
from workbench.jobs import Job
from workbench.progress import decode_rate
from workbench.records import CandidateDefinition, CandidateProgress, HeadToHeadAnswer, HeadToHeadStatus
from workbench.remote import secrets_of
from workbench.settings import Settings

_PROMPT_ID = "prompt"


class HeadToHead:
    """The work of one head-to-head job, and what is known of it so far."""

    def __init__(
        self,
        candidates: tuple[CandidateDefinition, ...],
        workload: Workload,
        settings: Settings,
        index: Index,
        *,
        seed: int,
    ) -> None:
        self._candidates = candidates
        self._workload = workload
        self._settings = settings
        self._index = index
        self._seed = seed
        self._lock = threading.Lock()
        self._answers = {
            name: HeadToHeadAnswer(candidate=name, state="waiting") for name in map(candidate_name, candidates)
        }

    @property
    def prompt(self) -> str:
        """What is asked."""
        return self._workload.conversations[0].messages[-1].content

    def status(self, job: Job) -> HeadToHeadStatus:
        """A snapshot."""
        with self._lock:
            answers = tuple(self._answers.values())
        state = job.status()
        return HeadToHeadStatus(job_id=state.id, prompt=self.prompt, answers=answers, is_over=state.is_over)

    def __call__(self, job: Job) -> None:
        """Ask one candidate after the other."""
        job.update(candidates=tuple(CandidateProgress(name=name, total=1) for name in self._answers))
        with hold_device(job, self._settings):
            for definition in self._candidates:
                if not job.is_cancelled():
                    self._ask(job, definition)

    def _ask(self, job: Job, definition: CandidateDefinition) -> None:
        name = candidate_name(definition)
        job.update(message=f"Asking {name}")
        options = with_environment(definition.options, self._settings)
        try:
            spec = RunSpec(
                candidate=resolve_candidate(definition, Path.cwd(), self._settings, self._index),
                options=options,
                test_set=TestSet(name="head-to-head", labels=(), examples=(), scorers=()),
                workloads=(self._workload,),
                engine_version=engine_version(definition.engine, options),
                scorer_versions={},
                seed=self._seed,
            )
        except WorkbenchError as error:
            self._change(name, state="failed", failure=str(error))
            job.update_candidate(name, state="failed", stage=str(error))
            return
        folder = self._settings.run_folder(f"head-to-head-{spec.key}")
        set_aside(folder)

        def listen(event: RunEvent | MemorySample) -> None:
            self._listen(name, event)

        result = run_in_worker(
            spec, folder, on_event=listen, is_cancelled=job.is_cancelled, secrets=secrets_of(spec.options)
        )
        state = "finished" if result.status == "finished" else "failed"
        job.update_candidate(name, state=state, done=int(state == "finished"))

    def _listen(self, name: str, event: RunEvent | MemorySample) -> None:
        match event:
            case RunStarted():
                self._change(name, state="loading")
            case ModelLoaded():
                self._change(name, state="writing")
            case ChunkArrived():
                self._change(name, text=self._answers[name].text + event.text)
            case CompletionDone():
                offsets = event.completion.chunk_offsets_seconds
                self._change(
                    name,
                    state="finished",
                    text=event.completion.text,
                    ttft_seconds=offsets[0] if offsets else None,
                    tokens_per_second=decode_rate(event.completion),
                )
            case FailureHappened():
                self._change(name, state="failed", failure=f"{event.failure.message} {event.failure.hint}")
            case _:
                return

    def _change(self, name: str, **changes: object) -> None:
        with self._lock:
            self._answers[name] = self._answers[name].model_copy(update=changes)


def head_to_head_workload(prompt: str, *, system: str, temperature: float, max_output_tokens: int) -> Workload:
    """The workload of one free prompt."""
    turns = [Message(role="system", content=system)] if system.strip() else []
    turns.append(Message(role="user", content=prompt))
    return Workload(
        kind="prompts",
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        conversations=(Conversation(id=_PROMPT_ID, messages=tuple(turns)),),
    )
