"""Puts together what a candidate is sent: keys, specs, messages and requests. Starts nothing."""

from collections.abc import Sequence
from pathlib import Path

from catalog.index import Index
from results.head_to_head_records import Batch, BatchCandidate, Round, RoundAnswer
from runners.engine import engine_version
from runners.engine_options import LlamaCppOptions
from runners.records import Completion, Conversation, Message, Request, RunSpec, Workload
from runners.test_set_records import TestSet, digest
from workbench import __version__
from workbench.candidates import candidate_name, resolve_candidate
from workbench.engine_environments import with_environment
from workbench.head_to_head.records import Contender, Setting
from workbench.progress import decode_rate
from workbench.records import CandidateDefinition
from workbench.settings import Settings
from workbench.votes_book import candidate_key


def batch_candidates(setting: Setting) -> tuple[BatchCandidate, ...]:
    """The contenders as they are kept; their votes add up with those of other batches where they answer alike."""
    apart = len({(each.system, each.temperature) for each in setting.contenders}) > 1
    return tuple(_batch_candidate(each, setting.max_output_tokens, apart=apart) for each in setting.contenders)


def definition_of(candidate: BatchCandidate) -> CandidateDefinition:
    """The candidate as a benchmark file names it."""
    return CandidateDefinition.model_validate_json(candidate.definition)


def contender_of(batch: Batch, asked: Round, slot: int) -> BatchCandidate:
    """Who stands in a slot."""
    return next(each for each in batch.candidates if each.key == asked.slots[slot])


def make_spec(
    definition: CandidateDefinition,
    settings: Settings,
    index: Index,
    *,
    threads: int | None = None,
    workloads: tuple[Workload, ...] = (),
    seed: int = 0,
) -> RunSpec:
    """A run of one candidate; without workloads, one that stays loaded. Raises WorkbenchError."""
    options = with_environment(definition.options, settings)
    if isinstance(options, LlamaCppOptions) and options.threads is None:
        options = options.model_copy(update={"threads": threads})
    return RunSpec(
        candidate=resolve_candidate(definition, Path.cwd(), settings, index),
        options=options,
        test_set=TestSet(name="head-to-head", labels=(), examples=(), scorers=()),
        workloads=workloads,
        engine_version=engine_version(definition.engine, options),
        scorer_versions={},
        seed=seed,
        workbench_version=__version__,
    )


def sent_messages(candidate: BatchCandidate, asked: Round, before: RoundAnswer | None) -> tuple[Message, ...]:
    """What a slot is sent: its system prompt, its own earlier turns, and what is asked now."""
    if before is not None:
        return (*before.messages, Message(role="assistant", content=before.text), asked.messages[-1])
    if asked.messages[0].role == "system" or not candidate.system.strip():
        return asked.messages
    return (Message(role="system", content=candidate.system), *asked.messages)


def request_of(candidate: BatchCandidate, answer: RoundAnswer) -> Request:
    """The request of one attempt of a slot."""
    return Request(
        id=f"{answer.round_id}-{answer.slot}-{answer.attempt}",
        messages=answer.messages,
        max_output_tokens=candidate.max_output_tokens,
        temperature=candidate.temperature,
        seed=answer.seed,
    )


def workload_of(candidate: BatchCandidate, answers: Sequence[RoundAnswer]) -> Workload:
    """Many prompts to one candidate."""
    return Workload(
        kind="prompts",
        max_output_tokens=candidate.max_output_tokens,
        temperature=candidate.temperature,
        conversations=tuple(Conversation(id=each.round_id, messages=each.messages) for each in answers),
    )


def outcome_of(completion: Completion) -> dict[str, object]:
    """What is known of an answer when it is complete."""
    if completion.finish_reason == "overflow":
        failure = (
            "The conversation and its answer do not fit the candidate's context. Begin a new conversation, or give "
        )
        return {"state": "failed", "failure": f"{failure}the candidate a larger context_tokens."}
    offsets = completion.chunk_offsets_seconds
    return {
        "state": "finished",
        "text": completion.text,
        "ttft_seconds": offsets[0] if offsets else None,
        "output_tokens": completion.output_tokens,
        "tokens_per_second": decode_rate(completion),
        "finish_reason": completion.finish_reason,
    }


def _batch_candidate(contender: Contender, max_output_tokens: int, *, apart: bool) -> BatchCandidate:
    definition = contender.definition
    own = candidate_key(definition)
    decoding = {"candidate": own, "system": contender.system, "temperature": contender.temperature}
    return BatchCandidate(
        key=digest(decoding) if apart else own,
        candidate_key=own,
        name=candidate_name(definition),
        definition=definition.model_dump_json(),
        system=contender.system,
        temperature=contender.temperature,
        max_output_tokens=max_output_tokens,
    )
